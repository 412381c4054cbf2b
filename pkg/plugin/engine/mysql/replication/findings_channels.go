package replication

import (
	"cmp"
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// threads reports a receiver and an applier that do not run.
func threads(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	who := s.Pod.Name + dbtopology.ChannelName(c) + dbtopology.Readiness(s)
	one := dbtopology.PodNames([]*dbstate.Server{s})
	switch {
	case c.Applier == v1alpha1.ThreadStopped && c.ApplierError != nil:
		evidence := quoteChannel(c, s, applierColumns...)
		for _, w := range OfChannel(c.Channel).Workers {
			if n, ok := w.Int("LAST_ERROR_NUMBER"); ok && n != 0 {
				if _, isWorker := w["WORKER_ID"]; isWorker {
					evidence = append(evidence, quoteRow(s, answer(s.State, mysql.SubjectWorkers).Statement, w, []string{"WORKER_ID", "LAST_ERROR_NUMBER", "LAST_ERROR_MESSAGE", "APPLYING_TRANSACTION"}))
				}
			}
		}
		m := meaningOf(applierMeanings, c.ApplierError)
		j.Add(v1alpha1.CodeApplierError, v1alpha1.SeverityCritical, one, evidence, "%s: the applier has stopped: %s", who, m.said(applierError(c.ApplierError)))
		j.Advise(m.command(s, c))
	case c.Applier == v1alpha1.ThreadStopped:
		j.Add(v1alpha1.CodeApplierStopped, v1alpha1.SeverityCritical, one, quoteChannel(c, s, applierColumns...),
			"%s: the applier (SQL thread) is stopped: received changes are not applied", who)
		j.OnItsWay(s) // a start points it to its source, and then starts the threads
	}
	evidence := quoteChannel(c, s, receiverColumns...)
	e := c.ReceiverError
	gone := j.SourceGone(c)
	lacks := e != nil && isFatal(e) && purged.MatchString(e.Message)
	if !lacks {
		purgedAhead(j, s, c)
	}
	var m meaning
	if e != nil {
		m = meaningOf(receiverMeanings, e)
		if text := sourceBehind(s, c, e); text != "" {
			m = meaning{says: text}
		}
	}
	switch {
	case c.Receiver == v1alpha1.ThreadRuns, c.Receiver == "":
	case c.Receiver == v1alpha1.ThreadConnecting && gone:
	case c.Receiver == v1alpha1.ThreadConnecting:
		text := "no error reported yet"
		if e != nil {
			text = m.said(receiverError(e))
		}
		j.Add(v1alpha1.CodeReceiverConnecting, v1alpha1.SeverityWarning, one, evidence, "%s: the receiver can't connect to %s and keeps retrying: %s", who, c.Ref.Host, text)
		j.Advise(m.command(s, c))
		if j.SourceOnItsWay(c) {
			j.Progress()
		}
	case e == nil:
		j.Add(v1alpha1.CodeReceiverStopped, v1alpha1.SeverityCritical, one, evidence,
			"%s: the receiver (I/O thread) is stopped: nothing arrives from %s", who, c.Ref.Host)
		j.OnItsWay(s)
	case lacks:
		j.Add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityCritical, one, evidence,
			"%s: the source has purged binary logs that it needs: it must be rebuilt: %s", who, receiverError(e))
	case gaveUp(e):
		j.Add(v1alpha1.CodeReceiverGaveUp, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has given up connecting to %s: %s", who, c.Ref.Host, m.said(receiverError(e)))
		j.Advise(m.command(s, c))
	default:
		j.Add(v1alpha1.CodeReceiverError, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has stopped: %s", who, m.said(receiverError(e)))
		j.Advise(m.command(s, c))
	}
}

// sourceBehind says that a source refuses a replica because it has fewer transactions than that; empty if it does not, or what each has is not
// known. MariaDB's words are the same as for a transaction that was never there.
func sourceBehind(s *dbstate.Server, c *dbstate.Link, e *v1alpha1.DatabaseError) string {
	o := c.Source
	if !isFatal(e) || o == nil || !o.Answered || Of(s.State).Version.Product != mysql.MariaDB || !notInBinlog.MatchString(e.Message) {
		return ""
	}
	first, now := Of(o.State).First, Of(s.State).Again
	if !first.Known || !now.Known {
		return ""
	}
	for _, g := range now.applied() {
		if has, wants := first.applied().Sequence(g.Domain), now.applied().Sequence(g.Domain); has < wants {
			return fmt.Sprintf("%s is behind its replica, in domain %d at %d against %d: its binary logs were reset (RESET MASTER), or its data is older", o.Pod.Name, g.Domain, has, wants)
		}
	}
	return ""
}

// purgedAhead reports logs that a source has purged and a replica has not applied: it breaks when it next connects.
func purgedAhead(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	o := c.Source
	if o == nil || !Of(o.State).First.Known || !Of(s.State).Again.Known || !Of(s.State).gtidOn() {
		return
	}
	// What the replica has received and not applied is safe as long as it stays connected.
	missing := Of(o.State).First.Purged.Subtract(Of(s.State).Again.Executed)
	if received, err := mysql.ParseGTIDSet(OfChannel(c.Channel).Row.Text("Retrieved_Gtid_Set")); err == nil && c.Working() {
		missing = missing.Subtract(received)
	}
	if n := missing.Count(); n > 0 {
		j.Add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityWarning, dbtopology.PodNames([]*dbstate.Server{s, o}), append(quote(o, mysql.SubjectGTID, "gtid_purged"), quote(s, mysql.SubjectGTID, "gtid_executed")...),
			"%s lacks %s that %s has purged from its binary logs (%s): replication breaks when it next reconnects", s.Pod.Name, dbtopology.Count(int(n), "transaction"), o.Pod.Name, missing)
	}
}

// channelSettings reports how a channel goes on after a failover.
func channelSettings(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	one := dbtopology.PodNames([]*dbstate.Server{s})
	if OfChannel(c.Channel).AutoPosition != nil && !*OfChannel(c.Channel).AutoPosition && (Of(s.State).gtidOn() || Of(s.State).Version.Product == mysql.MariaDB) {
		j.Add(v1alpha1.CodeNotAutoPosition, v1alpha1.SeverityWarning, one, quoteChannel(c, s, "Auto_Position", "Using_Gtid"),
			"%s%s replicates by file and position although it has GTIDs: it can't find its position by itself after a failover", s.Pod.Name, dbtopology.ChannelName(c))
	}
	if o := c.Source; o != nil && o.Answered && Of(o.State).Version.Product == Of(s.State).Version.Product &&
		cmp.Or(cmp.Compare(Of(s.State).Version.Major, Of(o.State).Version.Major), cmp.Compare(Of(s.State).Version.Minor, Of(o.State).Version.Minor)) < 0 {
		j.Add(v1alpha1.CodeReplicaOlder, v1alpha1.SeverityWarning, dbtopology.PodNames([]*dbstate.Server{s, o}), append(quote(s, mysql.SubjectVariables, "version"), quote(o, mysql.SubjectVariables, "version")...),
			"%s (%s) is older than its source %s (%s): it may not understand everything the source logs", s.Pod.Name, Of(s.State).Version, o.Pod.Name, Of(o.State).Version)
	}
}

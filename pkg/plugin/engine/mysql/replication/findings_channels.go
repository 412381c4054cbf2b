package replication

import (
	"cmp"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// threads tells of a receiver and an applier that do not run.
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
		j.Add(v1alpha1.CodeApplierError, v1alpha1.SeverityCritical, one, evidence, "%s: the applier has stopped: %s", who, applierError(c.ApplierError))
	case c.Applier == v1alpha1.ThreadStopped:
		j.Add(v1alpha1.CodeApplierStopped, v1alpha1.SeverityCritical, one, quoteChannel(c, s, applierColumns...),
			"%s: the applier (SQL thread) has been stopped: what is received is not applied", who)
		j.OnItsWay(s) // a start points it to its source, and then starts the threads
	}
	evidence := quoteChannel(c, s, receiverColumns...)
	e := c.ReceiverError
	gone := j.SourceGone(c)
	lacks := e != nil && (e.Number == errSourceFatal || e.Number == errSourceFatalNew) && purged.MatchString(e.Message)
	if !lacks {
		purgedAhead(j, s, c)
	}
	switch {
	case c.Receiver == v1alpha1.ThreadRuns, c.Receiver == "":
	case c.Receiver == v1alpha1.ThreadConnecting && gone:
	case c.Receiver == v1alpha1.ThreadConnecting:
		text := "it has not told an error yet"
		if e != nil {
			text = receiverError(e)
		}
		j.Add(v1alpha1.CodeReceiverConnecting, v1alpha1.SeverityWarning, one, evidence, "%s: the receiver can't connect to %s and goes on trying: %s", who, c.Ref.Host, text)
		if j.SourceOnItsWay(c) {
			j.Progress()
		}
	case e == nil:
		j.Add(v1alpha1.CodeReceiverStopped, v1alpha1.SeverityCritical, one, evidence,
			"%s: the receiver (I/O thread) has been stopped: nothing comes from %s", who, c.Ref.Host)
		j.OnItsWay(s)
	case lacks:
		j.Add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityCritical, one, evidence,
			"%s: the source has purged binary logs that it needs, so it has to be made anew: %s", who, receiverError(e))
	case gaveUp(e):
		j.Add(v1alpha1.CodeReceiverGaveUp, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has given up connecting to %s: %s", who, c.Ref.Host, receiverError(e))
	default:
		j.Add(v1alpha1.CodeReceiverError, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has stopped: %s", who, receiverError(e))
	}
}

// purgedAhead tells of logs that a source has purged and a replica has not applied: it breaks when it next connects.
func purgedAhead(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	o := c.Source
	if o == nil || !Of(o.State).First.Known || !Of(s.State).Again.Known || !Of(s.State).gtidOn() {
		return
	}
	// What the replica has received and not applied is safe as long as it stays connected.
	missing := Of(o.State).First.Purged.Subtract(Of(s.State).Again.Executed)
	if received, err := mysql.ParseGTIDSet(OfChannel(c.Channel).Row.Text("Retrieved_Gtid_Set")); err == nil && c.Sound() {
		missing = missing.Subtract(received)
	}
	if n := missing.Count(); n > 0 {
		j.Add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityWarning, dbtopology.PodNames([]*dbstate.Server{s, o}), append(quote(o, mysql.SubjectGTID, "gtid_purged"), quote(s, mysql.SubjectGTID, "gtid_executed")...),
			"%s lacks %s that %s has purged from its binary logs (%s): it can't get them when it next connects", s.Pod.Name, dbtopology.Count(int(n), "transaction"), o.Pod.Name, missing)
	}
}

// channelSettings tells of how a channel goes on after a failover.
func channelSettings(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	one := dbtopology.PodNames([]*dbstate.Server{s})
	if OfChannel(c.Channel).AutoPosition != nil && !*OfChannel(c.Channel).AutoPosition && (Of(s.State).gtidOn() || Of(s.State).Version.Product == mysql.MariaDB) {
		j.Add(v1alpha1.CodeNotAutoPosition, v1alpha1.SeverityWarning, one, quoteChannel(c, s, "Auto_Position", "Using_Gtid"),
			"%s%s goes by file and position though it has GTIDs: after a failover it can't find its place by itself", s.Pod.Name, dbtopology.ChannelName(c))
	}
	if o := c.Source; o != nil && o.Answered && Of(o.State).Version.Product == Of(s.State).Version.Product &&
		cmp.Or(cmp.Compare(Of(s.State).Version.Major, Of(o.State).Version.Major), cmp.Compare(Of(s.State).Version.Minor, Of(o.State).Version.Minor)) < 0 {
		j.Add(v1alpha1.CodeReplicaOlder, v1alpha1.SeverityWarning, dbtopology.PodNames([]*dbstate.Server{s, o}), append(quote(s, mysql.SubjectVariables, "version"), quote(o, mysql.SubjectVariables, "version")...),
			"%s (%s) is older than its source %s (%s): what the source can log it may not understand", s.Pod.Name, Of(s.State).Version, o.Pod.Name, Of(o.State).Version)
	}
}

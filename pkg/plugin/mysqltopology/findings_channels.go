package mysqltopology

import (
	"cmp"
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
)

// threads tells of a receiver and an applier that do not run.
func (j *judge) threads(s *server, c *channel) {
	who := s.Pod.Name + channelName(c) + readiness(s)
	one := podNames([]*server{s})
	switch {
	case c.Applier == "No" && c.ApplierError != nil:
		evidence := quoteChannel(c, s, applierColumns...)
		for _, w := range c.Workers {
			if n, ok := w.Int("LAST_ERROR_NUMBER"); ok && n != 0 {
				if _, isWorker := w["WORKER_ID"]; isWorker {
					evidence = append(evidence, quoteRow(s, s.Answer(mysql.SubjectWorkers).Statement, w, []string{"WORKER_ID", "LAST_ERROR_NUMBER", "LAST_ERROR_MESSAGE", "APPLYING_TRANSACTION"}))
				}
			}
		}
		j.add(v1alpha1.CodeApplierError, v1alpha1.SeverityCritical, one, evidence, "%s: the applier has stopped: %s", who, applierError(c.ApplierError))
	case c.Applier == "No":
		j.add(v1alpha1.CodeApplierStopped, v1alpha1.SeverityCritical, one, quoteChannel(c, s, applierColumns...),
			"%s: the applier (SQL thread) has been stopped: what is received is not applied", who)
	}
	evidence := quoteChannel(c, s, receiverColumns...)
	e := c.ReceiverError
	gone := c.MissingPod != "" && j.sourceGone[c.MissingPod] || c.Source != nil && j.sourceGone[c.Source.Pod.Name] && c.Source.Set == j.set
	lacks := e != nil && (e.Number == errSourceFatal || e.Number == errSourceFatalNew) && purged.MatchString(e.Message)
	if !lacks {
		j.purgedAhead(s, c)
	}
	switch {
	case c.Receiver == "Yes", c.Receiver == "":
	case c.Receiver == "Connecting" && gone:
	case c.Receiver == "Connecting":
		text := "it has not told an error yet"
		if e != nil {
			text = receiverError(e)
		}
		j.add(v1alpha1.CodeReceiverConnecting, v1alpha1.SeverityWarning, one, evidence, "%s: the receiver can't connect to %s and goes on trying: %s", who, c.SourceRef.Host, text)
		if j.sourceOnItsWay(c) {
			j.progress()
		}
	case e == nil:
		j.add(v1alpha1.CodeReceiverStopped, v1alpha1.SeverityCritical, one, evidence,
			"%s: the receiver (I/O thread) has been stopped: nothing comes from %s", who, c.SourceRef.Host)
	case lacks:
		j.add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityCritical, one, evidence,
			"%s: the source has purged binary logs that it needs, so it has to be made anew: %s", who, receiverError(e))
	case gaveUp(e):
		j.add(v1alpha1.CodeReceiverGaveUp, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has given up connecting to %s: %s", who, c.SourceRef.Host, receiverError(e))
	default:
		j.add(v1alpha1.CodeReceiverError, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has stopped: %s", who, receiverError(e))
	}
}

// purgedAhead tells of logs that a source has purged and a replica has not applied: it breaks when it next connects.
func (j *judge) purgedAhead(s *server, c *channel) {
	o := c.Source
	if o == nil || !o.First.Known || !s.Again.Known || !s.GTIDOn() {
		return
	}
	// What the replica has received and not applied is safe as long as it stays connected.
	missing := o.First.Purged.Subtract(s.Again.Executed)
	if received, err := mysql.ParseGTIDSet(c.Row.Text("Retrieved_Gtid_Set")); err == nil && c.Sound() {
		missing = missing.Subtract(received)
	}
	if n := missing.Count(); n > 0 {
		j.add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityWarning, podNames([]*server{s, o}), append(quote(o, mysql.SubjectGTID, "gtid_purged"), quote(s, mysql.SubjectGTID, "gtid_executed")...),
			"%s lacks %s that %s has purged from its binary logs (%s): it can't get them when it next connects", s.Pod.Name, count(int(n), "transaction"), o.Pod.Name, missing)
	}
}

// lag tells of replicas that are late.
func (j *judge) lag(s *server, c *channel) {
	one := podNames([]*server{s})
	evidence := quoteChannel(c, s, lagColumns...)
	if c.LagFrom == replication.LagFromCommits {
		evidence = append(evidence, quote(s, mysql.SubjectWorkers, "APPLYING_TRANSACTION", "APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP", "LAST_APPLIED_TRANSACTION")...)
	}
	if c.DelaySeconds > 0 {
		remaining := ""
		if n, ok := c.Row.Int("SQL_Remaining_Delay"); ok {
			remaining = fmt.Sprintf("; the next transaction is applied in %s", replication.Duration(n*1000))
		}
		j.add(v1alpha1.CodeDelayedReplica, v1alpha1.SeverityInfo, one, evidence, "%s%s is %s late on purpose%s", s.Pod.Name, channelName(c), replication.Duration(c.DelaySeconds*1000), remaining)
	}
	switch ms := c.LagMilliseconds; {
	case ms == nil:
		j.add(v1alpha1.CodeLagUnknown, v1alpha1.SeverityInfo, one, evidence, "%s%s: nobody can tell how late it is: %s", s.Pod.Name, channelName(c), c.LagUnknown)
	case *ms >= replication.LateMilliseconds:
		severity := v1alpha1.SeverityWarning
		if *ms >= replication.StaleMilliseconds {
			severity = v1alpha1.SeverityError
		}
		beyond := ""
		if c.DelaySeconds > 0 {
			beyond = fmt.Sprintf(" beyond its delay of %s", replication.Duration(c.DelaySeconds*1000))
		}
		j.add(v1alpha1.CodeReplicationLag, severity, one, evidence, "%s%s%s is %s late%s", s.Pod.Name, channelName(c), readiness(s), replication.Duration(*ms), beyond)
	}
}

// channelSettings tells of where a channel leads and how it goes on after a failover.
func (j *judge) channelSettings(s *server, c *channel) {
	one := podNames([]*server{s})
	where := quoteChannel(c, s, "Source_Host", "Source_Port", "Source_UUID", "Source_Server_Id", "Master_Host", "Master_Port", "Master_UUID", "Master_Server_Id")
	switch {
	case c.MissingPod != "":
	case c.Source == nil:
		j.add(v1alpha1.CodeReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s, which is no server that was found here", s.Pod.Name, channelName(c), sourceName(c.SourceRef))
	case c.Source.Set != j.set:
		j.add(v1alpha1.CodeReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s of the set %s", s.Pod.Name, channelName(c), sourceOf(s, c).Pod, c.Source.Set.Name())
	default:
		if root, main := s.Root(), j.mainRoot(); root != nil && main != nil && root != main {
			j.add(v1alpha1.CodeWrongSource, v1alpha1.SeverityWarning, one, where, "%s%s follows %s, and the rest of the set follows %s", s.Pod.Name, channelName(c), root.Pod.Name, main.Pod.Name)
		}
	}
	if c.AutoPosition != nil && !*c.AutoPosition && (s.GTIDOn() || s.Version.Product == mysql.MariaDB) {
		j.add(v1alpha1.CodeNotAutoPosition, v1alpha1.SeverityWarning, one, quoteChannel(c, s, "Auto_Position", "Using_Gtid"),
			"%s%s goes by file and position though it has GTIDs: after a failover it can't find its place by itself", s.Pod.Name, channelName(c))
	}
	if o := c.Source; o != nil && o.Answered && o.Version.Product == s.Version.Product &&
		cmp.Or(cmp.Compare(s.Version.Major, o.Version.Major), cmp.Compare(s.Version.Minor, o.Version.Minor)) < 0 {
		j.add(v1alpha1.CodeReplicaOlder, v1alpha1.SeverityWarning, podNames([]*server{s, o}), append(quote(s, mysql.SubjectVariables, "version"), quote(o, mysql.SubjectVariables, "version")...),
			"%s (%s) is older than its source %s (%s): what the source can log it may not understand", s.Pod.Name, s.Version, o.Pod.Name, o.Version)
	}
}

// mainRoot is the root that most servers of the set follow; nil if no root has more followers than each other.
func (j *judge) mainRoot() *server {
	followers := map[*server]int{}
	for _, s := range j.set.Servers {
		if root := s.Root(); root != nil && root != s {
			followers[root]++
		}
	}
	var best *server
	tie := false
	for _, s := range j.set.Servers {
		switch n := followers[s]; {
		case n == 0:
		case best == nil || n > followers[best]:
			best, tie = s, false
		case n == followers[best]:
			tie = true
		}
	}
	if tie {
		return nil
	}
	return best
}

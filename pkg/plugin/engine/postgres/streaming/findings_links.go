package streaming

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// channelRules are those about a standby's link to its source.
func channelRules(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) {
	if !otherCluster(j, s, l) && !oldTimeline(j, s, l) && !walRemoved(j, s, l) {
		receiver(j, s, l)
	}
	replay(j, s, l)
	notHeard(j, s, l)
	newer(j, s, l)
}

// receiver reports a standby that receives nothing. No SQL says why: its log does.
func receiver(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) {
	one := dbtopology.PodNames([]*dbstate.Server{s})
	evidence := append(proof(dbtopology.ProofOfReceiver, s, l), quoteSenderOrNone(l)...)
	lacking := ""
	if behind := ofLink(l).Behind; behind != nil && *behind > 0 {
		lacking = fmt.Sprintf(", and lacks %s of its write-ahead log", size(*behind))
	}
	switch {
	case j.SourceGone(l):
	case l.Receiver == v1alpha1.ThreadConnecting:
		severity := v1alpha1.SeverityCritical
		if x := ofLink(l).Sender; x != nil && x.State == "catchup" { // it has just been made, or was away
			severity = v1alpha1.SeverityWarning
		}
		j.Add(j.Code(finding.RuleReceiverConnecting), severity, one, evidence, "%s%s receives nothing from %s%s: its receiver does not get a connection; its log says why", s.Pod.Name, dbtopology.Readiness(s), sourceName(l), lacking)
		j.Advise(logs(s))
		j.OnItsWay(s, l.Source)
		if j.SourceOnItsWay(l) {
			j.Progress()
		}
	case l.Receiver == v1alpha1.ThreadStopped && Of(s.State).Paused != "":
		j.Add(j.Code(finding.RuleReceiverStopped), v1alpha1.SeverityCritical, one, evidence, "%s%s receives nothing from %s%s: while replay is paused a receiver that was lost is not started again", s.Pod.Name, dbtopology.Readiness(s), sourceName(l), lacking)
		j.OnItsWay(s)
	case l.Receiver == v1alpha1.ThreadStopped:
		j.Add(j.Code(finding.RuleReceiverStopped), v1alpha1.SeverityError, one, evidence, "%s%s has no primary_conninfo: it gets nothing but what an archive has", s.Pod.Name, dbtopology.Readiness(s))
		j.OnItsWay(s)
	}
}

// quoteSenderOrNone is what a source says of a standby, or that it says nothing.
func quoteSenderOrNone(l *dbstate.Link) []v1alpha1.Evidence {
	if evidence := quoteSender(l, "state", "sent_lsn", "reply_time"); evidence != nil || l.Source == nil {
		return evidence
	}
	a := answer(l.Source.State, postgres.SubjectSenders)
	if a == nil || a.Error != nil {
		return nil
	}
	return []v1alpha1.Evidence{{Object: finding.Ref("pod/" + l.Source.Pod.Name), Query: a.Statement, Values: map[string]string{"rows": fmt.Sprint(len(a.Rows))}}}
}

// sourceName is the pod that a standby should receive from, or what it was told.
func sourceName(l *dbstate.Link) string {
	switch {
	case l.Source != nil:
		return l.Source.Pod.Name
	case l.Ref.Host != "":
		return l.Ref.Host
	}
	return "its source"
}

// logs is the command that shows why a receiver gets no connection. A standby's log holds the password of primary_conninfo when its settings are read
// again, which is why the plugin does not read it.
func logs(s *dbstate.Server) string {
	return fmt.Sprintf("kubectl logs %s -c %s -n %s --since=2m", s.Pod.Name, s.Container, s.Pod.Namespace)
}

// otherCluster reports a standby whose data does not come from its source.
func otherCluster(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) bool {
	if l.Source == nil {
		return false
	}
	own, source := Of(s.State).SystemID, Of(l.Source.State).SystemID
	if own == "" || source == "" || own == source {
		return false
	}
	evidence := append(quote(s, postgres.SubjectServer, "system_identifier"), quote(l.Source, postgres.SubjectServer, "system_identifier")...)
	j.Add(v1alpha1.CodePostgresOtherCluster, v1alpha1.SeverityCritical, dbtopology.PodNames([]*dbstate.Server{s, l.Source}), evidence,
		"%s%s should receive from %s, but its data is another cluster's (system identifier %s, not %s): it must be cloned again", s.Pod.Name, dbtopology.Readiness(s), l.Source.Pod.Name, own, source)
	return true
}

// oldTimeline reports a standby that is not on its source's timeline and does not come to it, or whose data goes beyond where that began.
func oldTimeline(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) bool {
	if l.Source == nil || l.Receiver == v1alpha1.ThreadRuns {
		return false
	}
	d, source := Of(s.State), Of(l.Source.State)
	if d.Timeline == 0 || source.Timeline == 0 || d.Timeline >= source.Timeline {
		return false
	}
	one := dbtopology.PodNames([]*dbstate.Server{s})
	evidence := append(quote(s, postgres.SubjectServer, "checkpoint_timeline", "lsn"), quote(s, postgres.SubjectReceiver, "status", "received_tli")...)
	evidence = append(append(evidence, quote(s, postgres.SubjectSettings, "recovery_target_timeline")...), quote(l.Source, postgres.SubjectServer, "timeline", "lsn")...)
	switch target := d.Settings.Text("recovery_target_timeline"); {
	case target != "" && target != "latest":
		j.Add(v1alpha1.CodePostgresOldTimeline, v1alpha1.SeverityCritical, one, evidence, "%s%s stays on timeline %d while %s is on %d: recovery_target_timeline is %s, not latest",
			s.Pod.Name, dbtopology.Readiness(s), d.Timeline, l.Source.Pod.Name, source.Timeline, target)
	case d.Position > source.Later:
		j.Add(v1alpha1.CodePostgresOldTimeline, v1alpha1.SeverityCritical, one, evidence, "%s%s is at %s of timeline %d, beyond all that %s has on timeline %d: it must be rewound (pg_rewind) or cloned anew",
			s.Pod.Name, dbtopology.Readiness(s), d.Position, d.Timeline, l.Source.Pod.Name, source.Timeline)
	default:
		return false
	}
	j.OnItsWay(s, l.Source)
	return true
}

// walRemoved reports a standby whose slot has lost the write-ahead log that it needs.
func walRemoved(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) bool {
	x := ofLink(l).Slot
	if x == nil || x.Status != "lost" {
		return false
	}
	evidence := append(quoteSlot(l.Source, x), quote(s, postgres.SubjectReceiver, "status", "slot_name")...)
	j.Add(v1alpha1.CodePostgresWALRemoved, v1alpha1.SeverityCritical, dbtopology.PodNames([]*dbstate.Server{s, l.Source}), evidence,
		"%s%s can't go on: its slot %s on %s has lost write-ahead log that it needs; unless an archive has that, it must be cloned again", s.Pod.Name, dbtopology.Readiness(s), x.Name, l.Source.Pod.Name)
	return true
}

// lower are settings that must not be lower on a standby than on its primary: replay pauses then.
var lower = []string{"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"}

// replay reports a standby that does not replay what it has received.
func replay(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) {
	d := Of(s.State)
	one := dbtopology.PodNames([]*dbstate.Server{s})
	evidence := append(quote(s, postgres.SubjectServer, "replay_paused", "receive_lsn", "replay_lsn"), quote(s, postgres.SubjectActivity, "pause_state", "startup_waits_for")...)
	waiting := ""
	if n := d.Received.Since(d.Later); n > 0 {
		waiting = fmt.Sprintf("; %s wait to be replayed", size(n))
	}
	switch waits := d.Activity.Text("startup_waits_for"); {
	case d.Paused != "":
		if names := lowerThanSource(d, l); len(names) > 0 {
			j.Add(v1alpha1.CodePostgresReplayWaits, v1alpha1.SeverityCritical, one, append(evidence, quote(s, postgres.SubjectSettings, names...)...),
				"%s%s has paused replay because of %s, lower than on its primary%s: resuming it would shut the server down; raise the setting and restart it", s.Pod.Name, dbtopology.Readiness(s), strings.Join(names, ", "), waiting)
			return
		}
		j.Add(j.Code(finding.RuleApplierStopped), v1alpha1.SeverityCritical, one, evidence, "%s%s: replay is %s%s", s.Pod.Name, dbtopology.Readiness(s), d.Paused, waiting)
		j.Advise(fmt.Sprintf("kubectl exec %s -c %s -n %s -- psql -U postgres -c 'SELECT pg_wal_replay_resume()'", s.Pod.Name, s.Container, s.Pod.Namespace))
	case strings.HasPrefix(waits, "RecoveryConflict") && d.Later < d.Received:
		j.Add(v1alpha1.CodePostgresReplayWaits, v1alpha1.SeverityWarning, one, append(evidence, quote(s, postgres.SubjectSettings, "max_standby_streaming_delay")...),
			"%s%s: replay waits for a query on the standby (%s)%s", s.Pod.Name, dbtopology.Readiness(s), waits, waiting)
	}
}

// lowerThanSource are the settings that are lower on a standby than on its source, as far as both are known.
func lowerThanSource(d *Detail, l *dbstate.Link) []string {
	if l.Source == nil {
		return nil
	}
	source := Of(l.Source.State).Settings
	return slices.DeleteFunc(slices.Clone(lower), func(name string) bool {
		own, known := d.Settings.Int(name)
		other, alsoKnown := source.Int(name)
		return !known || !alsoKnown || own >= other
	})
}

// A standby reports to its source every wal_receiver_status_interval, 10 s by default, whether or not there is something new.
const (
	statusInterval = 10 * time.Second
	missedReports  = 3
)

// notHeard reports a connection that is dead, and that neither side has noticed yet: it takes them wal_sender_timeout.
func notHeard(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) {
	x := ofLink(l).Sender
	if x == nil || l.Receiver != v1alpha1.ThreadRuns {
		return
	}
	interval := statusInterval
	if n, ok := Of(s.State).Settings.Int("wal_receiver_status_interval"); ok {
		if n == 0 { // it reports only what it is asked for
			return
		}
		interval = time.Duration(n) * time.Second
	}
	if x.HeardAgo < missedReports*interval {
		return
	}
	j.Add(j.Code(finding.RuleStreamStalled), v1alpha1.SeverityWarning, dbtopology.PodNames([]*dbstate.Server{s, l.Source}), quoteSender(l, "state", "reply_time"),
		"%s has heard nothing from %s for %s, although its connection is open: standbys report every %s", l.Source.Pod.Name, s.Pod.Name, dbstate.Duration(x.HeardAgo.Milliseconds()), dbstate.Duration(interval.Milliseconds()))
}

// newer reports servers of different major versions, between which nothing can be streamed.
func newer(j *dbtopology.Judge, s *dbstate.Server, l *dbstate.Link) {
	if l.Source == nil || !l.Source.Answered {
		return
	}
	const major = 10_000
	own, source := Of(s.State), Of(l.Source.State)
	if own.Version/major == source.Version/major || own.Version == 0 || source.Version == 0 {
		return
	}
	j.Add(v1alpha1.CodePostgresOtherVersion, v1alpha1.SeverityCritical, dbtopology.PodNames([]*dbstate.Server{s, l.Source}), append(quote(s, postgres.SubjectServer, "server_version"), quote(l.Source, postgres.SubjectServer, "server_version")...),
		"%s is PostgreSQL %s, its source %s is %s: write-ahead log can't be replayed by another major version", s.Pod.Name, own.VersionText, l.Source.Pod.Name, source.VersionText)
}

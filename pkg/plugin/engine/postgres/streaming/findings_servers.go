package streaming

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// rules are those about a set.
func rules(j *dbtopology.Judge) {
	clusters(j)
	noPrimary(j)
}

// noPrimary reports a set all of whose servers are in recovery, and of which none is told to receive from elsewhere: a standby cluster's leader is.
func noPrimary(j *dbtopology.Judge) {
	var evidence []v1alpha1.Evidence
	for _, s := range j.Set.Servers {
		if !s.Answered || !Of(s.State).InRecovery {
			return
		}
		for _, l := range s.Links {
			if l.Source != nil && l.Source.Set != j.Set || l.Source == nil && l.Ref.Host != "" {
				return
			}
		}
		evidence = append(evidence, quote(s, postgres.SubjectServer, "in_recovery")...)
	}
	j.Add(j.Code(finding.RuleNoSource), v1alpha1.SeverityCritical, dbtopology.PodNames(j.Set.Servers), evidence,
		"no server takes writes: all of %s are in recovery, and none receives from elsewhere", strings.Join(dbtopology.PodNames(j.Set.Servers), ", "))
	j.OnItsWay(j.Set.Servers...)
}

// serverRules are those about a server.
func serverRules(j *dbtopology.Judge, s *dbstate.Server) {
	if !s.Answered || s.ChannelsUnknown { // then it is unknown what it should do
		return
	}
	readOnly(j, s)
	synchronous(j, s)
	slotRules(j, s)
	archiving(j, s)
	connections(j, s)
	wraparound(j, s)
	subscriptions(j, s)
}

// clusters reports primaries of a set whose data has nothing in common; a standby is compared with its source.
func clusters(j *dbtopology.Judge) {
	var list []*dbstate.Server
	var evidence []v1alpha1.Evidence
	var parts []string
	for _, s := range j.Set.Servers {
		id := Of(s.State).SystemID
		if id == "" {
			continue
		}
		known := false
		for _, o := range list {
			known = known || Of(o.State).SystemID == id
		}
		if known {
			continue
		}
		list = append(list, s)
		evidence = append(evidence, quote(s, postgres.SubjectServer, "system_identifier")...)
		parts = append(parts, fmt.Sprintf("%s has %s", s.Pod.Name, id))
	}
	// Servers that are each for themselves are told of by a general rule; here is what an operator takes for one cluster.
	if len(list) < 2 || list[0].Flavour.Role == nil {
		return
	}
	j.Add(v1alpha1.CodePostgresOtherCluster, v1alpha1.SeverityCritical, dbtopology.PodNames(list), evidence,
		"the servers of the set are not of one cluster: their system identifiers differ (%s)", strings.Join(parts, ", "))
}

// readOnly reports a primary that takes no writes.
func readOnly(j *dbtopology.Judge, s *dbstate.Server) {
	d := Of(s.State)
	if d.InRecovery || s.TakesWrites {
		return
	}
	j.Add(v1alpha1.CodePostgresReadOnly, v1alpha1.SeverityError, dbtopology.PodNames([]*dbstate.Server{s}), quote(s, postgres.SubjectSettings, "default_transaction_read_only"),
		"%s%s is not in recovery, but takes no writes (default_transaction_read_only is on)", s.Pod.Name, dbtopology.Readiness(s))
	j.SendsClients(s, v1alpha1.SeverityError)
}

// waitsForStandbys reports whether commits of a primary wait for standbys.
func (d *Detail) waitsForStandbys() bool {
	commit := d.Settings.Text("synchronous_commit")
	return d.Settings.Text("synchronous_standby_names") != "" && commit != "off" && commit != "local"
}

// synchronous reports a primary whose commits wait for more standbys than there are.
func synchronous(j *dbtopology.Judge, s *dbstate.Server) {
	d := Of(s.State)
	if d.InRecovery || !d.waitsForStandbys() {
		return
	}
	wanted, err := postgres.ParseSyncStandbys(d.Settings.Text("synchronous_standby_names"))
	if err != nil || !d.sendersSeen() {
		return
	}
	var there []string
	for _, x := range d.Senders {
		if state := x.Text("sync_state"); x.State == "streaming" && (state == "sync" || state == "quorum") {
			there = append(there, x.Name)
		}
	}
	if len(there) >= wanted.Count {
		return
	}
	waiting := "the next commit waits"
	if n, ok := d.Activity.Int("sync_waiting"); ok && n > 0 {
		waiting = fmt.Sprintf("%s for %s", waits(n), dbstate.Duration(seconds(d.Activity, "sync_waiting_for").Milliseconds()))
	}
	evidence := append(quote(s, postgres.SubjectSettings, "synchronous_standby_names", "synchronous_commit"), quote(s, postgres.SubjectActivity, "sync_waiting", "sync_waiting_for")...)
	j.Add(v1alpha1.CodePostgresSyncMissing, v1alpha1.SeverityCritical, dbtopology.PodNames([]*dbstate.Server{s}), evidence,
		"%s: commits wait for %s of %s, but %d are streaming: %s", s.Pod.Name, dbtopology.Count(wanted.Count, "synchronous standby"), strings.Join(wanted.Names, ", "), len(there), waiting)
	j.OnItsWay(s.Set.Servers...)
}

func waits(sessions int64) string {
	if sessions == 1 {
		return "1 session has been waiting"
	}
	return fmt.Sprintf("%d sessions have been waiting", sessions)
}

// sendersSeen reports whether an account may see who receives from a server, and how.
func (d *Detail) sendersSeen() bool {
	for _, x := range d.Senders {
		if x.State == "" {
			return false
		}
	}
	return true
}

// archive is what a server says of archiving.
type archive struct {
	on               bool
	archived, failed time.Time
	waiting          *int64
}

func archivingOf(s *dbstate.State) archive {
	d := Of(s)
	row := first(s, postgres.SubjectArchiver)
	a := archive{archived: instant(row, "last_archived"), failed: instant(row, "last_failed")}
	mode := d.Settings.Text("archive_mode")
	a.on = mode == "always" || mode == "on" && !d.InRecovery // a standby archives only with always
	if n, ok := first(s, postgres.SubjectArchive).Int("ready"); ok {
		a.waiting = &n
	}
	return a
}

// A segment or two wait for a moment while the archiver works. Segments that wait while none has been archived for hangs are those of a command that
// does not end: it counts no failure.
const (
	waitingSegments = 3
	hangs           = 10 * time.Minute
)

// archiving reports a server whose write-ahead log is not archived, so that it fills the volume.
func archiving(j *dbtopology.Judge, s *dbstate.Server) {
	a, d := archivingOf(s.State), Of(s.State)
	if !a.on || d.Now.IsZero() {
		return
	}
	one := dbtopology.PodNames([]*dbstate.Server{s})
	evidence := append(quote(s, postgres.SubjectArchiver, "last_archived", "last_archived_wal", "failed_count", "last_failed", "last_failed_wal"), quote(s, postgres.SubjectArchive, "ready")...)
	waiting := ""
	if a.waiting != nil {
		waiting = fmt.Sprintf("; %s", waitingText(*a.waiting))
	}
	since := "it has never archived one"
	if !a.archived.IsZero() {
		since = "the last success was " + ago(d.Now, a.archived)
	}
	switch {
	case a.failed.After(a.archived):
		j.Add(v1alpha1.CodePostgresArchivingFails, v1alpha1.SeverityError, one, evidence, "%s can't archive its write-ahead log: %s failed %s, and %s%s; it is kept until it is archived",
			s.Pod.Name, objects.OneLine(first(s.State, postgres.SubjectArchiver).Text("last_failed_wal")), ago(d.Now, a.failed), since, waiting)
		j.Advise(logs(s))
	case a.waiting != nil && *a.waiting >= waitingSegments && d.Now.Sub(latest(a.archived, instant(first(s.State, postgres.SubjectServer), "started"))) >= hangs:
		j.Add(v1alpha1.CodePostgresArchivingFails, v1alpha1.SeverityWarning, one, evidence, "%s does not archive its write-ahead log: %s, and %s", s.Pod.Name, waitingText(*a.waiting), since)
		j.Advise(logs(s))
	}
}

func waitingText(n int64) string {
	if n == 1 {
		return "1 segment waits"
	}
	return fmt.Sprintf("%d segments wait", n)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func ago(now, then time.Time) string {
	return dbstate.Duration(max(0, now.Sub(then)).Milliseconds()) + " ago"
}

// nearlyFull is the share of the connections for ordinary accounts from which on they are nearly used up.
const nearlyFull = 0.9

// connections reports a server that has no place for more clients, or soon has none.
func connections(j *dbtopology.Judge, s *dbstate.Server) {
	d := Of(s.State)
	clients, ok := d.Activity.Int("clients")
	most, known := d.Settings.Int("max_connections")
	if !ok || !known {
		return
	}
	reserved, _ := d.Settings.Int("superuser_reserved_connections")
	more, _ := d.Settings.Int("reserved_connections")
	free := most - reserved - more
	if float64(clients) < nearlyFull*float64(free) {
		return
	}
	severity, text := v1alpha1.SeverityWarning, "soon has no place for another client"
	if clients >= free {
		severity, text = v1alpha1.SeverityError, "refuses clients other than superusers"
	}
	evidence := append(quote(s, postgres.SubjectActivity, "clients"), quote(s, postgres.SubjectSettings, "max_connections", "superuser_reserved_connections", "reserved_connections")...)
	j.Add(j.Code(finding.RuleRefusesClients), severity, dbtopology.PodNames([]*dbstate.Server{s}), evidence,
		"%s%s %s: %d connections of %d (max_connections %d, %d of them reserved)", s.Pod.Name, dbtopology.Readiness(s), text, clients, free, most, reserved+more)
	j.SendsClients(s, severity)
}

// Transaction ids are 2^31 apart at most. A server takes no more commands that need one 3 million before that (1 million up to 13), and warns 40 million
// before; vacuum has failed long before, if a database is half way there. Source: access/transam/varsup.c.
const (
	transactionIDs = 1 << 31
	ageWarned      = transactionIDs / 2
	ageNear        = transactionIDs - 100_000_000
)

// wraparound reports databases whose oldest transaction id is so old that the server soon takes no more writes.
func wraparound(j *dbtopology.Judge, s *dbstate.Server) {
	if Of(s.State).InRecovery { // it has what its primary has
		return
	}
	for _, row := range rows(s.State, postgres.SubjectDatabases) {
		what, age := "transaction id", int64(0)
		for column, name := range map[string]string{"xid_age": "transaction id", "mxid_age": "multixact id"} {
			if n, ok := row.Int(column); ok && n > age {
				what, age = name, n
			}
		}
		if age < ageWarned {
			continue
		}
		severity := v1alpha1.SeverityWarning
		if age >= ageNear {
			severity = v1alpha1.SeverityCritical
		}
		j.Add(v1alpha1.CodePostgresWraparound, severity, dbtopology.PodNames([]*dbstate.Server{s}), quoteRow(s, answer(s.State, postgres.SubjectDatabases).Statement, row, "datname", "xid_age", "mxid_age"),
			"%s: the oldest %s of the database %s is %d ids old; at %d the server takes no more writes: vacuum does not get on", s.Pod.Name, what, row.Text("datname"), age, transactionIDs)
	}
}

// subscriptions reports logical replication into a server that is off, or whose changes can't be applied.
func subscriptions(j *dbtopology.Judge, s *dbstate.Server) {
	if Of(s.State).InRecovery {
		return
	}
	for _, row := range rows(s.State, postgres.SubjectSubscriptions) {
		name := fmt.Sprintf("%s of the database %s", row.Text("subname"), row.Text("datname"))
		evidence := quoteRow(s, answer(s.State, postgres.SubjectSubscriptions).Statement, row, "subname", "datname", "subenabled", "pid", "apply_error_count", "sync_error_count")
		failed, _ := row.Int("apply_error_count")
		errors := ""
		if failed > 0 {
			errors = fmt.Sprintf("; changes could not be applied %s", times(failed))
		}
		one := dbtopology.PodNames([]*dbstate.Server{s})
		switch {
		case !isTrue(row, "subenabled") && failed > 0:
			j.Add(v1alpha1.CodePostgresSubscriptionDown, v1alpha1.SeverityError, one, evidence, "%s: the subscription %s is off%s", s.Pod.Name, name, errors)
		case !isTrue(row, "subenabled"):
			j.Add(v1alpha1.CodePostgresSubscriptionDown, v1alpha1.SeverityWarning, one, evidence, "%s: the subscription %s is off: its tables no longer change", s.Pod.Name, name)
		case row.Text("pid") == "":
			j.Add(v1alpha1.CodePostgresSubscriptionDown, v1alpha1.SeverityError, one, evidence, "%s: the subscription %s has no worker%s; the server's log says why", s.Pod.Name, name, errors)
			j.Advise(logs(s))
			j.Joins(s)
		}
	}
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

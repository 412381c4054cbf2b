package replication

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// server reports settings that contradict what a server does, and transactions that only it has.
func server(j *dbtopology.Judge, s *dbstate.Server) {
	if !s.Answered {
		return
	}
	one := dbtopology.PodNames([]*dbstate.Server{s})
	settings := quote(s, mysql.SubjectVariables, "read_only", "super_read_only", "innodb_read_only", "innodb_force_recovery", "log_bin", "log_replica_updates", "log_slave_updates")
	inCycle := s.Follows(s)
	switch {
	case len(s.Links) > 0 && !inCycle && s.TakesWrites:
		j.Add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityError, one, settings, "%s is a replica but takes writes (read_only=0), which never reach the source", s.Pod.Name)
		j.OnItsWay(s)
	case len(s.Links) > 0 && !inCycle && Of(s.State).Version.Product == mysql.MySQL && !IsOn(Of(s.State).Variables, "super_read_only"):
		j.Add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityInfo, one, settings, "%s is a replica but takes writes from accounts with SUPER or CONNECTION_ADMIN (super_read_only=0)", s.Pod.Name)
	case len(s.Links) == 0 && !s.ChannelsUnknown && len(s.Replicas) > 0 && !s.TakesWrites && len(s.Leftovers) == 0: // then no server takes writes
		j.Add(v1alpha1.CodeSourceReadOnly, v1alpha1.SeverityError, one, settings, "%s is the source of %s but takes no writes (%s)", s.Pod.Name, strings.Join(dbtopology.PodNames(s.Replicas), ", "), Of(s.State).NoWrites)
		j.OnItsWay(s)
	case s.TakesWrites:
	case Of(s.State).InGalera() && IsOn(Of(s.State).Status, "wsrep_ready"):
		j.Add(v1alpha1.CodeSourceReadOnly, v1alpha1.SeverityWarning, one, settings, "%s%s is a Galera node but takes no writes (%s)", s.Pod.Name, dbtopology.Readiness(s), Of(s.State).NoWrites)
		j.SendsClients(s, v1alpha1.SeverityError)
		j.OnItsWay(s)
	case s.Role() == v1alpha1.RoleStandalone:
		j.Add(v1alpha1.CodeSourceReadOnly, v1alpha1.SeverityError, one, settings, "%s is the only server of its set but takes no writes (%s)", s.Pod.Name, Of(s.State).NoWrites)
		j.SendsClients(s, v1alpha1.SeverityError)
		j.OnItsWay(s)
	}
	if level, ok := Of(s.State).Variables.Int("innodb_force_recovery"); ok && level > 0 && level < innodbStopsWriting {
		j.Add(v1alpha1.CodeInRecoveryMode, v1alpha1.SeverityWarning, one, settings,
			"%s runs with innodb_force_recovery=%d: this is for taking a dump of damaged data, and a crash in this mode may damage more", s.Pod.Name, level)
	}
	if len(s.Links) > 0 && (!IsOn(Of(s.State).Variables, "log_bin") || !IsOn(Of(s.State).Variables, "log_replica_updates", "log_slave_updates")) {
		what := "log_bin=0"
		if IsOn(Of(s.State).Variables, "log_bin") {
			what = "log_replica_updates=0"
		}
		j.Add(v1alpha1.CodeCannotBePromoted, v1alpha1.SeverityInfo, one, settings, "%s does not log what it applies (%s): others can't follow it after a failover", s.Pod.Name, what)
	}
	for _, c := range s.Leftovers {
		j.Add(v1alpha1.CodeLeftoverChannel, v1alpha1.SeverityInfo, one, append(settings, quoteChannel(&dbstate.Link{Channel: c}, s, leftoverColumns...)...),
			"%s has an unused channel to %s%s (stopped, nothing received): START REPLICA would make it a replica again", s.Pod.Name, cmp.Or(c.Ref.Host, "a source"), dbtopology.ChannelName(&dbstate.Link{Channel: c}))
	}
	if text := errantOf(s); text != "" && !unacknowledged(s, text) {
		sources := make([]*dbstate.Server, 0, len(s.Links))
		for _, c := range s.Links {
			sources = append(sources, c.Source)
		}
		errant(j, s, sources, strings.Join(dbtopology.PodNames(sources), ", ")+" lacks", text)
	}
}

// errant reports transactions that a server has and those that it gets its data from have not, and where they were written.
func errant(j *dbtopology.Judge, s *dbstate.Server, sources []*dbstate.Server, lacking, text string) {
	column := "gtid_executed"
	number := ""
	var writers []string
	if Of(s.State).Version.Product == mysql.MariaDB {
		column = "gtid_binlog_state"
		list, _ := mysql.ParseMariaDBPosition(text) // it was printed by this program
		for _, g := range list {
			writers = append(writers, writer(j, func(o *dbstate.Server) bool { return o.ID == int64(g.ServerID) }, fmt.Sprintf("server id %d", g.ServerID)))
		}
	} else {
		set, _ := mysql.ParseGTIDSet(text) // likewise
		number = dbtopology.Count(int(set.Count()), "transaction") + ", "
		for _, uuid := range set.UUIDs() {
			if strings.EqualFold(uuid, Of(s.State).Variables.Text("group_replication_group_name")) {
				writers = append(writers, "members of the group")
				continue
			}
			writers = append(writers, writer(j, func(o *dbstate.Server) bool { return o.UUID == uuid }, uuid))
		}
	}
	evidence := quote(s, mysql.SubjectGTID, column)
	for _, o := range sources {
		if a := answer(o.State, mysql.SubjectGTIDAgain); a != nil && len(a.Rows) > 0 {
			evidence = append(evidence, quoteRow(o, a.Statement, a.Rows[0], []string{column}))
		}
	}
	j.Add(v1alpha1.CodeErrantTransactions, v1alpha1.SeverityError, dbtopology.PodNames([]*dbstate.Server{s}), evidence,
		"%s%s has transactions that %s: %s (%swritten on %s)", s.Pod.Name, dbtopology.Readiness(s), lacking, text, number, strings.Join(slices.Compact(writers), ", "))
}

func writer(j *dbtopology.Judge, is func(*dbstate.Server) bool, otherwise string) string {
	if o := dbstate.Only(j.Graph.Servers, is); o != nil {
		return o.Pod.Name
	}
	return "a server that was not found here (" + otherwise + ")"
}

// semiSyncRules report a source whose semi-synchronous replication does not do its work.
func semiSyncRules(j *dbtopology.Judge, s *dbstate.Server) {
	state := OnOff(Of(s.State).Status, "Rpl_semi_sync_source_status", "Rpl_semi_sync_master_status")
	if !s.Answered || state == nil || !IsOn(Of(s.State).Variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled") {
		return
	}
	one := dbtopology.PodNames([]*dbstate.Server{s})
	names := []string{
		"Rpl_semi_sync_source_status", "Rpl_semi_sync_source_clients", "Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_source_no_tx",
		"Rpl_semi_sync_master_status", "Rpl_semi_sync_master_clients", "Rpl_semi_sync_master_wait_sessions", "Rpl_semi_sync_master_no_tx",
	}
	evidence := append(quote(s, mysql.SubjectStatus, names...), quote(s, mysql.SubjectVariables, "rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count", "rpl_semi_sync_source_timeout", "rpl_semi_sync_master_timeout")...)
	clients, _ := Of(s.State).Status.Int("Rpl_semi_sync_source_clients", "Rpl_semi_sync_master_clients")
	waiting, _ := Of(s.State).Status.Int("Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions")
	wanted, ok := Of(s.State).Variables.Int("rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count")
	if !ok {
		wanted = 1 // MariaDB waits for one
	}
	variable := "rpl_semi_sync_source_enabled"
	if OnOff(Of(s.State).Variables, variable) == nil {
		variable = "rpl_semi_sync_master_enabled"
	}
	on := *state
	switch {
	case len(s.Links) > 0: // without replicas nothing is lost if it does not wait
		if on && waiting > 0 && clients < wanted {
			j.Add(v1alpha1.CodeSemiSyncBlocked, v1alpha1.SeverityError, one, evidence,
				"%s%s is a semi-synchronous source as well: what it applies waits for %s, but %d are connected (%s)", s.Pod.Name, dbtopology.Readiness(s), dbtopology.Count(int(wanted), "semi-synchronous replica"), clients, variable)
			j.Advise(run(s, "SET GLOBAL "+variable+"=OFF"))
			j.OnItsWay(s.Replicas...)
		}
	case on && waiting > 0 && clients < wanted:
		j.Add(v1alpha1.CodeSemiSyncBlocked, v1alpha1.SeverityCritical, one, evidence,
			"%s: commits wait for %s, but %d are connected: %s", s.Pod.Name, dbtopology.Count(int(wanted), "semi-synchronous replica"), clients, hang(waiting))
		j.OnItsWay(s.Replicas...)
	case !on:
		j.Add(v1alpha1.CodeSemiSyncFellBack, v1alpha1.SeverityError, one, evidence,
			"%s: semi-synchronous replication is enabled but has fallen back to asynchronous: commits wait for no replica (%d of %d connected)", s.Pod.Name, clients, wanted)
		j.OnItsWay(s.Replicas...)
	}
}

func hang(sessions int64) string {
	if sessions == 1 {
		return "1 session hangs"
	}
	return fmt.Sprintf("%d sessions hang", sessions)
}

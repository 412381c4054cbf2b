package replication

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// server tells of settings that contradict what a server does, and of transactions that only it has.
func server(j *dbtopology.Judge, s *dbstate.Server) {
	if !s.Answered {
		return
	}
	one := dbtopology.PodNames([]*dbstate.Server{s})
	settings := quote(s, mysql.SubjectVariables, "read_only", "super_read_only", "log_bin", "log_replica_updates", "log_slave_updates")
	inCycle := s.Follows(s)
	switch {
	case len(s.Links) > 0 && !inCycle && s.TakesWrites:
		j.Add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityError, one, settings, "%s is a replica and takes writes (read_only=0): what is written to it the source never gets", s.Pod.Name)
		j.OnItsWay(s)
	case len(s.Links) > 0 && !inCycle && Of(s.State).Version.Product == mysql.MySQL && !IsOn(Of(s.State).Variables, "super_read_only"):
		j.Add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityInfo, one, settings, "%s is a replica and takes writes of accounts with SUPER or CONNECTION_ADMIN (super_read_only=0)", s.Pod.Name)
	case len(s.Links) == 0 && !s.ChannelsUnknown && len(s.Replicas) > 0 && !s.TakesWrites:
		j.Add(v1alpha1.CodeSourceReadOnly, v1alpha1.SeverityError, one, settings, "%s is the source of %s and takes no writes (read_only=1)", s.Pod.Name, strings.Join(dbtopology.PodNames(s.Replicas), ", "))
		j.OnItsWay(s)
	}
	if len(s.Links) > 0 && (!IsOn(Of(s.State).Variables, "log_bin") || !IsOn(Of(s.State).Variables, "log_replica_updates", "log_slave_updates")) {
		what := "log_bin=0"
		if IsOn(Of(s.State).Variables, "log_bin") {
			what = "log_replica_updates=0"
		}
		j.Add(v1alpha1.CodeCannotBePromoted, v1alpha1.SeverityInfo, one, settings, "%s does not log what it applies (%s): others can't follow it after a failover", s.Pod.Name, what)
	}
	if text := errantOf(s); text != "" && !unacknowledged(s, text) {
		errant(j, s, text)
	}
}

// errant tells of transactions that a replica has and its source has not, and where they were written.
func errant(j *dbtopology.Judge, s *dbstate.Server, text string) {
	sources := make([]*dbstate.Server, 0, len(s.Links))
	for _, c := range s.Links {
		sources = append(sources, c.Source)
	}
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
		"%s%s has transactions that %s lacks: %s (%swritten on %s)", s.Pod.Name, dbtopology.Readiness(s), strings.Join(dbtopology.PodNames(sources), ", "), text, number, strings.Join(slices.Compact(writers), ", "))
}

func writer(j *dbtopology.Judge, is func(*dbstate.Server) bool, otherwise string) string {
	if o := dbstate.Only(j.Graph.Servers, is); o != nil {
		return o.Pod.Name
	}
	return "a server that is not here (" + otherwise + ")"
}

// semiSyncRules tell of a source whose semi-synchronous replication does not do its work.
func semiSyncRules(j *dbtopology.Judge, s *dbstate.Server) {
	if !s.Answered || len(s.Links) > 0 || !IsOn(Of(s.State).Variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled") {
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
	on := IsOn(Of(s.State).Status, "Rpl_semi_sync_source_status", "Rpl_semi_sync_master_status")
	switch {
	case on && waiting > 0 && clients < wanted:
		j.Add(v1alpha1.CodeSemiSyncBlocked, v1alpha1.SeverityCritical, one, evidence,
			"%s: commits wait for %s, and %d are connected: %s", s.Pod.Name, dbtopology.Count(int(wanted), "semi-synchronous replica"), clients, hang(waiting))
		j.OnItsWay(s.Replicas...)
	case !on:
		j.Add(v1alpha1.CodeSemiSyncFellBack, v1alpha1.SeverityError, one, evidence,
			"%s: semi-synchronous replication is enabled and off: commits wait for no replica (%d of %d are connected)", s.Pod.Name, clients, wanted)
		j.OnItsWay(s.Replicas...)
	}
}

func hang(sessions int64) string {
	if sessions == 1 {
		return "1 session hangs"
	}
	return fmt.Sprintf("%d sessions hang", sessions)
}

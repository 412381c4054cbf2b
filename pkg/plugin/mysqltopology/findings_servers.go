package mysqltopology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
)

// server tells of settings that contradict what a server does, and of transactions that only it has.
func (j *judge) server(s *server) {
	if !s.Answered {
		return
	}
	one := podNames([]*server{s})
	settings := quote(s, mysql.SubjectVariables, "read_only", "super_read_only", "log_bin", "log_replica_updates", "log_slave_updates")
	inCycle := s.Follows(s)
	switch {
	case len(s.Links) > 0 && !inCycle && s.Writable():
		j.add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityError, one, settings, "%s is a replica and takes writes (read_only=0): what is written to it the source never gets", s.Pod.Name)
		j.onItsWay(s)
	case len(s.Links) > 0 && !inCycle && s.Version.Product == mysql.MySQL && !replication.IsOn(s.Variables, "super_read_only"):
		j.add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityInfo, one, settings, "%s is a replica and takes writes of accounts with SUPER or CONNECTION_ADMIN (super_read_only=0)", s.Pod.Name)
	case len(s.Links) == 0 && !s.ChannelsUnknown && len(s.Replicas) > 0 && !s.Writable():
		j.add(v1alpha1.CodeSourceReadOnly, v1alpha1.SeverityError, one, settings, "%s is the source of %s and takes no writes (read_only=1)", s.Pod.Name, strings.Join(podNames(s.Replicas), ", "))
		j.onItsWay(s)
	}
	if len(s.Links) > 0 && (!replication.IsOn(s.Variables, "log_bin") || !replication.IsOn(s.Variables, "log_replica_updates", "log_slave_updates")) {
		what := "log_bin=0"
		if replication.IsOn(s.Variables, "log_bin") {
			what = "log_replica_updates=0"
		}
		j.add(v1alpha1.CodeCannotBePromoted, v1alpha1.SeverityInfo, one, settings, "%s does not log what it applies (%s): others can't follow it after a failover", s.Pod.Name, what)
	}
	if text := s.Errant(); text != "" && !s.Unacknowledged(text) {
		j.errant(s, text)
	}
}

// errant tells of transactions that a replica has and its source has not, and where they were written.
func (j *judge) errant(s *server, text string) {
	sources := make([]*server, 0, len(s.Links))
	for _, c := range s.Links {
		sources = append(sources, c.Source)
	}
	column := "gtid_executed"
	number := ""
	var writers []string
	if s.Version.Product == mysql.MariaDB {
		column = "gtid_binlog_state"
		list, _ := mysql.ParseMariaDBPosition(text) // it was printed by this program
		for _, g := range list {
			writers = append(writers, j.writer(func(o *server) bool { return o.ID == int64(g.ServerID) }, fmt.Sprintf("server id %d", g.ServerID)))
		}
	} else {
		set, _ := mysql.ParseGTIDSet(text) // likewise
		number = count(int(set.Count()), "transaction") + ", "
		for _, uuid := range set.UUIDs() {
			writers = append(writers, j.writer(func(o *server) bool { return o.UUID == uuid }, uuid))
		}
	}
	evidence := quote(s, mysql.SubjectGTID, column)
	for _, o := range sources {
		if a := o.Answer(mysql.SubjectGTIDAgain); a != nil && len(a.Rows) > 0 {
			evidence = append(evidence, quoteRow(o, a.Statement, a.Rows[0], []string{column}))
		}
	}
	j.add(v1alpha1.CodeErrantTransactions, v1alpha1.SeverityError, podNames([]*server{s}), evidence,
		"%s%s has transactions that %s lacks: %s (%swritten on %s)", s.Pod.Name, readiness(s), strings.Join(podNames(sources), ", "), text, number, strings.Join(slices.Compact(writers), ", "))
}

func (j *judge) writer(is func(*server) bool, otherwise string) string {
	if o := replication.Only(j.Graph.Servers, is); o != nil {
		return o.Pod.Name
	}
	return "a server that is not here (" + otherwise + ")"
}

// semiSync tells of a source whose semi-synchronous replication does not do its work.
func (j *judge) semiSync(s *server) {
	if !s.Answered || len(s.Links) > 0 || !replication.IsOn(s.Variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled") {
		return
	}
	one := podNames([]*server{s})
	names := []string{
		"Rpl_semi_sync_source_status", "Rpl_semi_sync_source_clients", "Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_source_no_tx",
		"Rpl_semi_sync_master_status", "Rpl_semi_sync_master_clients", "Rpl_semi_sync_master_wait_sessions", "Rpl_semi_sync_master_no_tx",
	}
	evidence := append(quote(s, mysql.SubjectStatus, names...), quote(s, mysql.SubjectVariables, "rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count", "rpl_semi_sync_source_timeout", "rpl_semi_sync_master_timeout")...)
	clients, _ := s.Status.Int("Rpl_semi_sync_source_clients", "Rpl_semi_sync_master_clients")
	waiting, _ := s.Status.Int("Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions")
	wanted, ok := s.Variables.Int("rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count")
	if !ok {
		wanted = 1 // MariaDB waits for one
	}
	on := replication.IsOn(s.Status, "Rpl_semi_sync_source_status", "Rpl_semi_sync_master_status")
	switch {
	case on && waiting > 0 && clients < wanted:
		j.add(v1alpha1.CodeSemiSyncBlocked, v1alpha1.SeverityCritical, one, evidence,
			"%s: commits wait for %s, and %d are connected: %s", s.Pod.Name, count(int(wanted), "semi-synchronous replica"), clients, hang(waiting))
		j.onItsWay(s.Replicas...)
	case !on:
		j.add(v1alpha1.CodeSemiSyncFellBack, v1alpha1.SeverityError, one, evidence,
			"%s: semi-synchronous replication is enabled and off: commits wait for no replica (%d of %d are connected)", s.Pod.Name, clients, wanted)
		j.onItsWay(s.Replicas...)
	}
}

func hang(sessions int64) string {
	if sessions == 1 {
		return "1 session hangs"
	}
	return fmt.Sprintf("%d sessions hang", sessions)
}

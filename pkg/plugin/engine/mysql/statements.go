package mysql

import (
	"slices"
	"strings"
)

// Subject is what a server is asked about. Each product and version has its own statement for it.
type Subject string

// The subjects, in the order in which they are asked.
const (
	SubjectVariables   Subject = "variables"
	SubjectReplica     Subject = "replica status"
	SubjectConnection  Subject = "receivers"
	SubjectCoordinator Subject = "coordinators"
	SubjectWorkers     Subject = "workers"
	SubjectMembers     Subject = "group members"
	SubjectMemberStats Subject = "group member statistics"
	SubjectStatus      Subject = "status"
	SubjectSessions    Subject = "sessions"
	SubjectAccount     Subject = "sessions of one account"
	SubjectGTID        Subject = "transactions"
	SubjectBinlog      Subject = "binary log status"
)

// Subjects are all that any server is asked about after the first statement, in this order.
var Subjects = []Subject{
	SubjectReplica, SubjectConnection, SubjectCoordinator, SubjectWorkers, SubjectMembers, SubjectMemberStats, SubjectStatus, SubjectSessions, SubjectAccount, SubjectGTID, SubjectBinlog,
}

// Statement is one statement and what it is for.
type Statement struct {
	Subject Subject
	Text    string
}

// variables are all that is read of a server's settings. A server that does not know one leaves it out, where SELECT @@name would
// fail as a whole.
var variables = []string{
	"version", "version_comment", "server_id", "server_uuid", "hostname", "port", "report_host", "report_port",
	"read_only", "super_read_only", "offline_mode", "log_bin", "log_slave_updates", "log_replica_updates", "binlog_format", "performance_schema",
	"gtid_mode", "enforce_gtid_consistency", "gtid_domain_id", "gtid_strict_mode",
	"rpl_semi_sync_master_enabled", "rpl_semi_sync_master_timeout", "rpl_semi_sync_master_wait_for_slave_count",
	"rpl_semi_sync_source_enabled", "rpl_semi_sync_source_timeout", "rpl_semi_sync_source_wait_for_replica_count",
	"rpl_semi_sync_slave_enabled", "rpl_semi_sync_replica_enabled",
	"group_replication_group_name", "group_replication_single_primary_mode", "group_replication_start_on_boot",
	"wsrep_on", "wsrep_cluster_name", "wsrep_node_name", "wsrep_desync", "wsrep_reject_queries", "pxc_maint_mode",
	"max_connections", "max_user_connections", "bind_address", "skip_networking", "innodb_read_only", "innodb_force_recovery",
	"replica_net_timeout", "slave_net_timeout",
}

// statuses are what is read of SHOW GLOBAL STATUS.
var statuses = []string{
	"Threads_connected",
	"Rpl_semi_sync_master_status", "Rpl_semi_sync_master_clients", "Rpl_semi_sync_master_wait_sessions", "Rpl_semi_sync_master_no_tx",
	"Rpl_semi_sync_source_status", "Rpl_semi_sync_source_clients", "Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_source_no_tx",
	"Rpl_semi_sync_slave_status", "Rpl_semi_sync_replica_status",
	"wsrep_cluster_status", "wsrep_cluster_size", "wsrep_cluster_state_uuid", "wsrep_cluster_conf_id", "wsrep_connected", "wsrep_ready",
	"wsrep_local_state", "wsrep_local_state_comment", "wsrep_local_index", "wsrep_last_committed", "wsrep_incoming_addresses",
	"wsrep_flow_control_paused", "wsrep_local_recv_queue", "wsrep_local_recv_queue_avg", "wsrep_desync_count",
}

// FirstStatement is what any server understands; its answer tells the version, and with it the other statements. It takes no
// privilege, and a Galera node that refuses queries answers it.
func FirstStatement() Statement {
	return Statement{SubjectVariables, "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" + quoted(variables) + ")"}
}

// variant is a statement for the versions of a product from one on, up to and without another.
type variant struct {
	product      Product
	from, before [3]int
	statement    Statement
}

// forever is later than any version.
var forever = [3]int{9999}

// variants is the table of statements. Sources: the manuals of MySQL 5.7, 8.0, 8.4 and 9, of MariaDB, and what MySQL 9.7,
// MariaDB 10.11 and 11.8 answered.
var variants = []variant{
	{MySQL, [3]int{}, [3]int{8, 0, 22}, Statement{SubjectReplica, "SHOW SLAVE STATUS"}},
	{MySQL, [3]int{8, 0, 22}, forever, Statement{SubjectReplica, "SHOW REPLICA STATUS"}},
	{MariaDB, [3]int{}, forever, Statement{SubjectReplica, "SHOW ALL SLAVES STATUS"}},
	{MySQL, [3]int{5, 7}, forever, Statement{SubjectConnection, "SELECT * FROM performance_schema.replication_connection_status"}},
	{MySQL, [3]int{5, 7}, forever, Statement{SubjectCoordinator, "SELECT * FROM performance_schema.replication_applier_status_by_coordinator"}},
	{MySQL, [3]int{5, 7}, forever, Statement{SubjectWorkers, "SELECT * FROM performance_schema.replication_applier_status_by_worker"}},
	{MySQL, [3]int{5, 7}, forever, Statement{SubjectMembers, "SELECT * FROM performance_schema.replication_group_members"}},
	{MySQL, [3]int{5, 7}, forever, Statement{SubjectMemberStats, "SELECT * FROM performance_schema.replication_group_member_stats"}},
	{MySQL, [3]int{}, forever, Statement{SubjectStatus, showStatus()}},
	{MariaDB, [3]int{}, forever, Statement{SubjectStatus, showStatus()}},
	{MySQL, [3]int{5, 6}, forever, Statement{SubjectSessions, waitingSessions(
		"performance_schema.threads WHERE TYPE = 'FOREGROUND' AND", "PROCESSLIST_")}},
	{MariaDB, [3]int{}, forever, Statement{SubjectSessions, waitingSessions("information_schema.PROCESSLIST WHERE", "")}},
	{MySQL, [3]int{5, 6}, forever, Statement{SubjectAccount, busiestAccount("performance_schema.threads WHERE TYPE = 'FOREGROUND' AND", "PROCESSLIST_USER")}},
	{MariaDB, [3]int{}, forever, Statement{SubjectAccount, busiestAccount("information_schema.PROCESSLIST WHERE", "USER")}},
	// SHOW VARIABLES cuts long values off.
	{MySQL, [3]int{5, 6}, forever, Statement{SubjectGTID,
		"SELECT NOW(6) AS now, @@global.gtid_executed AS gtid_executed, @@global.gtid_purged AS gtid_purged"}},
	{MariaDB, [3]int{}, forever, Statement{SubjectGTID,
		"SELECT NOW(6) AS now, @@global.gtid_current_pos AS gtid_current_pos, @@global.gtid_slave_pos AS gtid_slave_pos, " +
			"@@global.gtid_binlog_pos AS gtid_binlog_pos, @@global.gtid_binlog_state AS gtid_binlog_state"}},
	// The last, as it waits for the lock on the log, which a writer may hold that waits for room on a full volume.
	{MySQL, [3]int{}, [3]int{8, 2}, Statement{SubjectBinlog, "SHOW MASTER STATUS"}},
	{MySQL, [3]int{8, 2}, forever, Statement{SubjectBinlog, "SHOW BINARY LOG STATUS"}},
	{MariaDB, [3]int{}, forever, Statement{SubjectBinlog, "SHOW MASTER STATUS"}},
}

// Statements are those that a server of this version is asked after the first.
func Statements(v Version) []Statement {
	var list []Statement
	for _, x := range variants {
		from := Version{Major: x.from[0], Minor: x.from[1], Patch: x.from[2]}
		before := Version{Major: x.before[0], Minor: x.before[1], Patch: x.before[2]}
		if x.product == v.Product && v.Compare(from) >= 0 && v.Compare(before) < 0 {
			list = append(list, x.statement)
		}
	}
	return list
}

// StatementFor is the statement of one subject; its text is empty where a server has none.
func StatementFor(v Version, subject Subject) Statement {
	for _, s := range Statements(v) {
		if s.Subject == subject {
			return s
		}
	}
	return Statement{Subject: subject}
}

func showStatus() string {
	return "SHOW GLOBAL STATUS WHERE Variable_name IN (" + quoted(statuses) + ")"
}

// waits are states of sessions that go on for long only if something is wrong: a lock on all tables, commits that do not end, a lock on
// one table. Sources: sql/lock.cc, sql/mdl.cc and sql/handler.cc of both; MariaDB has had its own names since 10.4.
var waits = slices.Concat(WaitsForReadLock, WaitsForCommit, WaitsForMetadata)

// States of sessions, in small letters.
var (
	WaitsForReadLock = []string{"waiting for global read lock", "waiting for commit lock", "waiting for backup lock"}
	WaitsForCommit   = []string{"waiting for handler commit", "query end", "commit"}
	WaitsForMetadata = []string{"waiting for table metadata lock", "waiting for table flush"}
)

// waitingSessions counts clients' sessions by what they wait for, with the seconds of the longest wait; those that wait for nothing of that
// have an empty state. It reads no statement, no account and no host.
func waitingSessions(from, prefix string) string {
	waiting := prefix + "COMMAND IN ('Query', 'Execute') AND LOWER(" + prefix + "STATE) IN (" + quoted(waits) + ")"
	return "SELECT IF(" + waiting + ", LOWER(" + prefix + "STATE), '') AS state, COUNT(*) AS sessions, MAX(" + prefix + "TIME) AS seconds FROM " + from +
		" " + prefix + "USER <> 'system user' GROUP BY 1"
}

// busiestAccount counts the sessions of the account that has most of them, without its name. Accounts of one name that differ in their hosts count as one.
func busiestAccount(from, user string) string {
	return "SELECT COUNT(*) AS sessions FROM " + from + " " + user + " NOT IN ('system user', 'event_scheduler') GROUP BY " + user + " ORDER BY 1 DESC LIMIT 1"
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

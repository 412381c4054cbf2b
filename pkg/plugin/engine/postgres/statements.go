package postgres

// Subject is what a server is asked about.
type Subject string

// The subjects, in the order in which they are asked.
const (
	SubjectServer        Subject = "server"
	SubjectSettings      Subject = "settings"
	SubjectReceiver      Subject = "receiver"
	SubjectUpstream      Subject = "upstream"
	SubjectSenders       Subject = "senders"
	SubjectSlots         Subject = "slots"
	SubjectActivity      Subject = "activity"
	SubjectArchiver      Subject = "archiver"
	SubjectArchive       Subject = "archive status"
	SubjectWAL           Subject = "WAL on disk"
	SubjectDatabases     Subject = "databases"
	SubjectConflicts     Subject = "conflicts"
	SubjectSubscriptions Subject = "subscriptions"
	// SubjectPosition is the second answer about the position: all servers give it after all have given the first. What a primary has then
	// includes what its standbys had at first.
	SubjectPosition Subject = "position again"
)

// Statement is one statement and what it is for.
type Statement struct {
	Subject Subject
	Text    string
}

// Major versions with which columns and functions came. Source: the release notes, and the catalogs of 15, 17 and 18.
const (
	version13 = 13_00_00 // wal_status, written_lsn and flushed_lsn
	version14 = 14_00_00 // pg_get_wal_replay_pause_state
	version15 = 15_00_00 // pg_stat_subscription_stats
	version16 = 16_00_00 // workers that apply for another one
	version17 = 17_00_00 // inactive_since, invalidation_reason, synced
)

// position is where a server is: what a primary has written, what a standby has replayed. CASE evaluates one of them alone; each is an error, or
// NULL, on the other kind of server.
const position = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"

// FirstStatement is what any server answers to any account; its answer tells the version, and with it the other statements.
func FirstStatement() Statement {
	return Statement{SubjectServer, `SELECT current_setting('server_version_num') AS server_version_num, current_setting('server_version') AS server_version, ` +
		`pg_is_in_recovery() AS in_recovery, ` + position + ` AS lsn, ` +
		`CASE WHEN pg_is_in_recovery() THEN NULL ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline, ` +
		`(SELECT timeline_id FROM pg_control_checkpoint()) AS checkpoint_timeline, (SELECT system_identifier FROM pg_control_system()) AS system_identifier, ` +
		`pg_last_wal_receive_lsn() AS receive_lsn, pg_last_wal_replay_lsn() AS replay_lsn, ` +
		`extract(epoch FROM pg_last_xact_replay_timestamp()) AS last_replayed, ` +
		`CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS replay_paused, ` +
		`extract(epoch FROM clock_timestamp()) AS now, extract(epoch FROM pg_postmaster_start_time()) AS started`}
}

// settings are all that is read of a server's settings. Those that an account may not see are left out of the answer. primary_conninfo and
// archive_command are not among them: they hold passwords.
var settings = []string{
	"archive_mode", "autovacuum_freeze_max_age", "cluster_name", "data_checksums", "default_transaction_read_only", "hot_standby", "hot_standby_feedback",
	"max_connections", "max_locks_per_transaction", "max_prepared_transactions", "max_slot_wal_keep_size", "max_standby_streaming_delay", "max_wal_senders",
	"max_wal_size", "max_worker_processes", "port", "primary_slot_name", "recovery_min_apply_delay", "recovery_target_timeline", "reserved_connections",
	"superuser_reserved_connections", "synchronous_commit", "synchronous_standby_names", "vacuum_failsafe_age", "wal_keep_size", "wal_level", "wal_receiver_status_interval",
	"wal_receiver_timeout", "wal_retrieve_retry_interval", "wal_segment_size", "wal_sender_timeout",
}

// host and port take what leads to a server out of a connection string, in the server: the string holds a password in clear, which must not leave
// it. Whatever is quoted, or follows a key that ends in password, is cut out before.
const (
	withoutSecrets = `regexp_replace(%s, 'password\s*=\s*(''([^''\\]|\\.)*''|([^\s\\]|\\.)*)', '', 'gi')`
	upstreamColumn = `substring(%[1]s FROM '(?:^|\s)(?:host|hostaddr)\s*=\s*''?([A-Za-z0-9_.:/-]+)') AS host, substring(%[1]s FROM '(?:^|\s)port\s*=\s*''?([0-9]+)') AS port`
)

// variant is a statement for the servers from a version on, up to and without another.
type variant struct {
	from, before int
	statement    Statement
}

// forever is later than any version.
const forever = 1 << 30

// variants is the table of statements. Sources: the manual of 12 to 18, and what 15, 17 and 18 answered. Instants are seconds since 1970.
var variants = []variant{
	{0, forever, Statement{SubjectSettings, "SELECT name, CASE WHEN name = 'default_transaction_read_only' THEN reset_val ELSE setting END AS setting FROM pg_settings WHERE name IN (" + quoted(settings) + ")"}},
	{version13, forever, Statement{SubjectReceiver, receiverStatement("written_lsn, flushed_lsn")}},
	{0, version13, Statement{SubjectReceiver, receiverStatement("received_lsn AS flushed_lsn")}},
	{0, forever, Statement{SubjectUpstream, upstreamStatement()}},
	{0, forever, Statement{SubjectSenders, "SELECT pid, usename, application_name, client_addr, state, sent_lsn, write_lsn, flush_lsn, replay_lsn, " +
		"extract(epoch FROM write_lag) AS write_lag, extract(epoch FROM flush_lag) AS flush_lag, extract(epoch FROM replay_lag) AS replay_lag, " +
		"sync_priority, sync_state, extract(epoch FROM reply_time) AS reply_time, age(backend_xmin) AS xmin_age FROM pg_stat_replication ORDER BY application_name, pid"}},
	{version17, forever, Statement{SubjectSlots, slotsStatement("wal_status, safe_wal_size, invalidation_reason, extract(epoch FROM inactive_since) AS inactive_since, synced, failover, conflicting")}},
	{version13, version17, Statement{SubjectSlots, slotsStatement("wal_status, safe_wal_size")}},
	{0, version13, Statement{SubjectSlots, slotsStatement("NULL AS wal_status")}},
	{version14, forever, Statement{SubjectActivity, activityStatement("CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS pause_state")}},
	{0, version14, Statement{SubjectActivity, activityStatement("NULL AS pause_state")}},
	{0, forever, Statement{SubjectArchiver, "SELECT archived_count, last_archived_wal, extract(epoch FROM last_archived_time) AS last_archived, failed_count, last_failed_wal, " +
		"extract(epoch FROM last_failed_time) AS last_failed FROM pg_stat_archiver"}},
	{0, forever, Statement{SubjectArchive, "SELECT count(*) FILTER (WHERE name LIKE '%.ready') AS ready FROM pg_ls_archive_statusdir()"}},
	{0, forever, Statement{SubjectWAL, "SELECT count(*) AS files, sum(size) AS bytes FROM pg_ls_waldir()"}},
	{0, forever, Statement{SubjectDatabases, "SELECT datname, age(datfrozenxid) AS xid_age, mxid_age(datminmxid) AS mxid_age, datallowconn FROM pg_database ORDER BY 2 DESC LIMIT 3"}},
	{0, forever, Statement{SubjectConflicts, "SELECT sum(confl_tablespace + confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock) AS cancelled FROM pg_stat_database_conflicts"}},
	{version16, forever, Statement{SubjectSubscriptions, subscriptionsStatement(errorCounts, " AND w.leader_pid IS NULL "+joinErrorCounts)}},
	{version15, version16, Statement{SubjectSubscriptions, subscriptionsStatement(errorCounts, joinErrorCounts)}},
	{0, version15, Statement{SubjectSubscriptions, subscriptionsStatement("", "")}},
}

// Statements are those that a server of a version (server_version_num) is asked after the first.
func Statements(version int) []Statement {
	var list []Statement
	for _, v := range variants {
		if version >= v.from && version < v.before {
			list = append(list, v.statement)
		}
	}
	return list
}

// positionAgain is the statement of SubjectPosition.
var positionAgain = Statement{SubjectPosition, "SELECT " + position + " AS lsn"}

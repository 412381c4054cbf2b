package postgres

import (
	"fmt"
	"strings"
)

// receiverStatement reads of the one receiver that there may be. conninfo is left out: it is for people.
func receiverStatement(positions string) string {
	return "SELECT pid, status, received_tli, " + positions + ", latest_end_lsn, extract(epoch FROM last_msg_receipt_time) AS last_received, slot_name, sender_host, sender_port FROM pg_stat_wal_receiver"
}

// upstreamStatement reads where a standby's receiver is to connect, and whether there is more to its connection than that.
func upstreamStatement() string {
	conninfo := fmt.Sprintf(withoutSecrets, "setting")
	return "SELECT setting <> '' AS configured, " + fmt.Sprintf(upstreamColumn, conninfo) + " FROM pg_settings WHERE name = 'primary_conninfo'"
}

// slotsStatement reads of the slots, with what each holds back.
func slotsStatement(columns string) string {
	return "SELECT slot_name, slot_type, database, temporary, active, restart_lsn, confirmed_flush_lsn, pg_wal_lsn_diff(" + position + ", restart_lsn) AS held_bytes, " +
		"age(xmin) AS xmin_age, age(catalog_xmin) AS catalog_xmin_age, " + columns + " FROM pg_replication_slots ORDER BY slot_name"
}

// activityStatement counts sessions and what they wait for. It reads no statement and no account.
func activityStatement(pauseState string) string {
	return "SELECT count(*) FILTER (WHERE backend_type = 'client backend') AS clients, " +
		"count(*) FILTER (WHERE wait_event = 'SyncRep') AS sync_waiting, " +
		"extract(epoch FROM max(clock_timestamp() - state_change) FILTER (WHERE wait_event = 'SyncRep')) AS sync_waiting_for, " +
		"max(wait_event) FILTER (WHERE backend_type = 'startup') AS startup_waits_for, count(backend_type) AS seen, " + pauseState + " FROM pg_stat_activity"
}

// What servers count of errors of subscriptions.
const (
	errorCounts     = ", e.apply_error_count, e.sync_error_count"
	joinErrorCounts = " LEFT JOIN pg_stat_subscription_stats e ON e.subid = s.oid"
)

// subscriptionsStatement reads of the subscriptions of all databases, and of their workers. Where a subscription leads is in a connection string
// that only superusers may read.
func subscriptionsStatement(columns, join string) string {
	return "SELECT s.subname, d.datname, s.subenabled, s.subslotname, w.pid, w.received_lsn, w.latest_end_lsn, extract(epoch FROM w.last_msg_receipt_time) AS last_received" + columns +
		" FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid LEFT JOIN pg_stat_subscription w ON w.subid = s.oid AND w.relid IS NULL" + join + " ORDER BY 2, 1"
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

package replication

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// TestLag has what a channel may be late by: none of the clocks and counters is right alone.
func TestLag(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const layout, gtid = "2006-01-02 15:04:05.000000", "c02a153e-e657-11f1-bf1c-02fc00000001:12"
	type ago = time.Duration
	const never = ago(-1 << 40)
	stamp := func(d ago) *string {
		text := now.Add(-d).Format(layout)
		if d == never {
			text = "0000-00-00 00:00:00.000000"
		}
		return &text
	}
	text := func(s string) *string { return &s }
	for name, test := range map[string]struct {
		original, committed, begun ago // of what is being applied; never for nothing
		queued, queueEnd           ago
		seconds                    string
		idle                       bool // all that was received was applied when the status was read
		delay                      string
		ms                         int64
		from                       v1alpha1.LagSource
	}{
		"nothing is applied": {never, never, never, 5 * time.Second, 5 * time.Second, "0", true, "0", 0, v1alpha1.LagFromCommits},
		"late":               {20 * time.Second, 20 * time.Second, time.Second, 5 * time.Second, 5 * time.Second, "20", false, "0", 20_000, v1alpha1.LagFromCommits},
		"a dump is loaded":   {time.Hour, 2 * time.Second, time.Second, 2 * time.Second, 2 * time.Second, "3600", false, "0", 2000, v1alpha1.LagFromCommits},
		"a dump is stuck":    {time.Hour, 90 * time.Second, 90 * time.Second, 90 * time.Second, 90 * time.Second, "3600", false, "0", 90_000, v1alpha1.LagFromCommits},
		"the source of the source is an hour away":                               {time.Hour, time.Second, time.Second, time.Second, time.Second, "3601", false, "0", 1000, v1alpha1.LagFromCommits},
		"the source's clock is an hour behind":                                   {time.Hour, time.Hour, time.Second, time.Hour, time.Second, "1", false, "0", 1000, v1alpha1.LagFromSeconds},
		"it is, and the replica is stuck":                                        {time.Hour, time.Hour, time.Minute, time.Hour, time.Second, "60", false, "0", 60_000, v1alpha1.LagFromSeconds},
		"it is, and the count is none":                                           {time.Hour, time.Hour, time.Minute, time.Hour, time.Second, "", false, "0", 3_600_000, v1alpha1.LagFromCommits},
		"the source's clock is ahead":                                            {-time.Hour, -time.Hour, time.Minute, -time.Hour, time.Minute, "60", false, "0", 60_000, v1alpha1.LagFromCommits},
		"it is, and the count is 0":                                              {-time.Hour, -time.Hour, time.Minute, -time.Hour, 59 * time.Second, "0", false, "0", 60_000, v1alpha1.LagFromApplying},
		"the receiver is late, and the status was read between two transactions": {time.Hour, time.Hour, time.Millisecond, time.Hour, 0, "0", true, "0", 3_600_000, v1alpha1.LagFromCommits},
		"within the delay":                                                       {time.Minute, time.Minute, time.Second, time.Minute, time.Minute, "2", false, "3600", 0, v1alpha1.LagFromCommits},
		"beyond the delay":                                                       {2 * time.Hour, 2 * time.Hour, time.Hour, 2 * time.Hour, 2 * time.Hour, "2", false, "3600", 3_600_000, v1alpha1.LagFromCommits},
	} {
		row := mysql.Row{
			"Replica_IO_Running": text("Yes"), "Replica_SQL_Running": text("Yes"), "Seconds_Behind_Source": text(test.seconds), "SQL_Delay": text(test.delay),
			"Source_Log_File": text("binlog.000002"), "Relay_Source_Log_File": text("binlog.000002"), "Read_Source_Log_Pos": text("900"), "Exec_Source_Log_Pos": text("500"),
		}
		if test.idle {
			row["Exec_Source_Log_Pos"] = text("900")
		}
		if test.seconds == "" {
			delete(row, "Seconds_Behind_Source")
		}
		worker := mysql.Row{
			"WORKER_ID": text("1"), "APPLYING_TRANSACTION": text(""), "LAST_APPLIED_TRANSACTION": text(gtid), "LAST_APPLIED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP": stamp(never),
			"APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP": stamp(test.original), "APPLYING_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP": stamp(test.committed), "APPLYING_TRANSACTION_START_APPLY_TIMESTAMP": stamp(test.begun),
		}
		if test.committed != never {
			worker["APPLYING_TRANSACTION"], worker["LAST_APPLIED_TRANSACTION"] = text(gtid), text("")
		}
		c := &ChannelDetail{Row: row, Workers: []mysql.Row{worker}, Connection: mysql.Row{
			"LAST_QUEUED_TRANSACTION": text(gtid), "LAST_QUEUED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP": stamp(test.queued), "LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP": stamp(test.queueEnd),
		}}
		got := c.decode("", &Detail{Now: now})
		if got.LagMilliseconds == nil || *got.LagMilliseconds != test.ms || got.LagFrom != test.from {
			t.Errorf("%s: %s from %q, want %d from %q", name, lagOf(got), got.LagFrom, test.ms, test.from)
		}
	}
}

func lagOf(c *dbstate.Channel) string {
	if c.LagMilliseconds == nil {
		return "unknown: " + c.LagUnknown
	}
	return dbstate.Duration(*c.LagMilliseconds)
}

package replication

import (
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// decodeLag finds out how late the applier is.
func (c *ChannelDetail) decodeLag(out *dbstate.Channel, d *Detail) {
	switch {
	case out.Applier != v1alpha1.ThreadRuns:
		out.LagUnknown = "the applier is stopped"
		return
	case out.Receiver != v1alpha1.ThreadRuns:
		out.LagUnknown = "the receiver is not connected"
		return
	}
	late := func(ms int64, from v1alpha1.LagSource) {
		ms = max(0, ms-out.DelaySeconds*1000)
		out.LagMilliseconds, out.LagFrom = &ms, from
	}
	seconds, counted := c.Row.Int("Seconds_Behind_Source", "Seconds_Behind_Master")
	if counted {
		c.SecondsBehind = &seconds
	}
	if t, ok := c.timesOf(d); ok {
		// With an intended delay the count is that of the receiver; and it is 0 whenever all that was received is applied, however late that was.
		late(t.lag(d.Now, seconds, counted && out.DelaySeconds == 0 && c.hadLeft()))
		return
	}
	if counted {
		late(seconds*1000, v1alpha1.LagFromSeconds)
		return
	}
	out.LagUnknown = "the server does not report it"
}

// times are what performance_schema says of what a channel applies; all are zero if it has applied all that it received.
type times struct {
	// committed is when the channel's own source committed the oldest transaction that is being applied, by that server's clock. When it was first
	// committed is another matter: on the source of the source, or, if it comes from a dump, long ago.
	committed time.Time
	// begun is since when the replica has been applying it, by the replica's clock.
	begun time.Time
	// ahead is by how much the source's clock is ahead at least: what was queued last was queued before it was committed.
	ahead time.Duration
}

// lag is how late the oldest transaction is that is being applied, and what says so. None of three figures is right alone. The time since the
// commit is by two clocks, and wrong by their difference. Seconds_Behind_Source, counted from the statement's own time, allows for that, and is
// wrong for what comes from a dump or over a relay, or took long to run. Both say too much if wrong, unless the source's clock is ahead, which
// shows: so the lower one counts. But what has been applied for a while is at least so late.
func (t times) lag(now time.Time, seconds int64, counted bool) (ms int64, from v1alpha1.LagSource) {
	if t.committed.IsZero() {
		return 0, v1alpha1.LagFromCommits
	}
	ms, from = (now.Sub(t.committed) + t.ahead).Milliseconds(), v1alpha1.LagFromCommits
	if counted && seconds*1000+999 < ms { // it counts whole ones
		ms, from = seconds*1000, v1alpha1.LagFromSeconds
	}
	if !t.begun.IsZero() {
		if applying := now.Sub(t.begun).Milliseconds(); applying > ms {
			ms, from = applying, v1alpha1.LagFromApplying
		}
	}
	return max(0, ms), from
}

// hadLeft reports whether something that was received had not been applied when the replica status was read, which is a moment before the rest.
func (c *ChannelDetail) hadLeft() bool {
	received, _ := c.Row.Int("Read_Source_Log_Pos", "Read_Master_Log_Pos")
	applied, _ := c.Row.Int("Exec_Source_Log_Pos", "Exec_Master_Log_Pos")
	return received != applied || c.Row.First("Source_Log_File", "Master_Log_File") != c.Row.First("Relay_Source_Log_File", "Relay_Master_Log_File")
}

// timesOf reads what MySQL tells from 8.0 on; ok is false where that does not show what is left to apply.
func (c *ChannelDetail) timesOf(d *Detail) (t times, ok bool) {
	queued := c.Connection.Text("LAST_QUEUED_TRANSACTION")
	queuedAt, dated := parseTime(c.Connection.Text("LAST_QUEUED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP"))
	if _, tells := c.Connection["LAST_QUEUED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP"]; !tells || d.Now.IsZero() {
		return times{}, false
	}
	var applied time.Time
	var appliedLast bool
	for _, w := range c.Workers {
		if at, ok := parseTime(w.Text("APPLYING_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP")); ok && (t.committed.IsZero() || at.Before(t.committed)) {
			t.committed = at
		}
		if at, ok := parseTime(w.Text("APPLYING_TRANSACTION_START_APPLY_TIMESTAMP")); ok && w.Text("APPLYING_TRANSACTION") != "" && (t.begun.IsZero() || at.Before(t.begun)) {
			t.begun = at
		}
		if at, ok := parseTime(w.Text("LAST_APPLIED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP")); ok && at.After(applied) {
			applied = at
		}
		appliedLast = appliedLast || queued != "" && queued != "ANONYMOUS" && w.Text("LAST_APPLIED_TRANSACTION") == queued
	}
	if !t.committed.IsZero() {
		if end, ok := parseTime(c.Connection.Text("LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP")); ok && dated && queuedAt.After(end) {
			t.ahead = queuedAt.Sub(end)
		}
		return t, true
	}
	if queued == "" || appliedLast {
		return times{}, true
	}
	if set, err := mysql.ParseGTIDSet(queued); err == nil {
		return times{}, d.First.Known && set.Subtract(d.First.Executed).Count() == 0
	}
	return times{}, dated && !queuedAt.After(applied)
}

package stsstatus

import (
	"testing"
	"time"
)

// TestSecondTime has schedules of all forms, and texts that are none.
func TestSecondTime(t *testing.T) {
	from := time.Date(2026, 11, 28, 12, 30, 0, 0, time.UTC)
	for _, test := range []struct{ text, zone, want string }{
		{"0 2 * * *", "", "2026-11-30T02:00:00Z"},
		{"0 0 2 * * *", "", "2026-11-30T02:00:00Z"}, // with seconds
		{"0 2 * * *", "Asia/Seoul", "2026-11-29T17:00:00Z"},
		{"0 2 * * *", "Nowhere/Such", "2026-11-30T02:00:00Z"},
		{"@hourly", "", "2026-11-28T14:00:00Z"},
		{"@every 90m", "", "2026-11-28T15:30:00Z"},
		{"0 0 30 2 *", "", "never"},
		{"TZ=0", "", "error"}, // at which the parser panics
		{"CRON_TZ=UTC 0 2 * * *", "", "error"},
		{"daily", "", "error"},
		{"", "", "error"},
	} {
		at, err := secondTime(test.text, test.zone, from)
		got := at.UTC().Format(time.RFC3339)
		switch {
		case err != nil:
			got = "error"
		case at.IsZero():
			got = "never"
		}
		if got != test.want {
			t.Errorf("%q %s: %s, want %s", test.text, test.zone, got, test.want)
		}
	}
}

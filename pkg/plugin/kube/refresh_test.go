package kube

import (
	"testing"
	"time"
)

// TestRefresh reads in the background, anew when something else is asked for, and does not take what was read before for that.
func TestRefresh(t *testing.T) {
	var r Refresh[string]
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	changed := make(chan struct{}, 8)
	latest := func(key string, gate chan struct{}) string {
		value := r.Latest(key, now, func() (string, time.Duration) {
			<-gate
			return "of " + key, time.Hour
		}, func() { changed <- struct{}{} })
		if value == nil {
			return ""
		}
		return *value
	}
	open := make(chan struct{})
	close(open)
	first, second := make(chan struct{}), make(chan struct{})
	if got := latest("a", first); got != "" || r.Read() {
		t.Errorf("before it has been read: %q, %t", got, r.Read())
	}
	if got := latest("b", open); got != "" { // one at a time
		t.Errorf("%q", got)
	}
	close(first)
	<-changed
	if r.Read() {
		t.Error("what a is was taken for what b is")
	}
	if got := latest("b", second); got != "of a" || r.Read() {
		t.Errorf("while b is read: %q, %t", got, r.Read())
	}
	close(second)
	<-changed
	if got := latest("b", open); got != "of b" || !r.Read() {
		t.Errorf("%q, %t", got, r.Read())
	}
	now = now.Add(2 * time.Hour) // it is due
	third := make(chan struct{})
	if got := latest("b", third); got != "of b" || !r.Read() {
		t.Errorf("while b is read again: %q, %t", got, r.Read())
	}
	close(third)
	<-changed
}

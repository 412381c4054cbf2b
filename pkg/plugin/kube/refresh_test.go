package kube

import (
	"testing"
	"time"
)

// TestRefresh reads in the background, again when something else is asked for, and does not take what was read before for that.
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
	if got := latest("a", first); got != "" {
		t.Errorf("before it has been read: %q", got)
	}
	if got := latest("b", open); got != "" { // one at a time
		t.Errorf("%q", got)
	}
	close(first)
	<-changed
	if got := latest("b", second); got != "of a" {
		t.Errorf("while b is read: %q", got)
	}
	close(second)
	<-changed
	if got := latest("b", open); got != "of b" {
		t.Errorf("%q", got)
	}
	now = now.Add(2 * time.Hour) // it is due
	third := make(chan struct{})
	if got := latest("b", third); got != "of b" {
		t.Errorf("while b is read again: %q", got)
	}
	close(third)
	<-changed
}

package kube

import (
	"sync"
	"time"
)

// MissingUsageInterval is how often disk usage is read while that of a mounted claim is missing: a kubelet reports a new volume a
// little later.
const MissingUsageInterval = 10 * time.Second

// Refresh is something that no watch reports, such as disk usage: it is read in the background again and again. The zero value has
// read nothing yet. It is safe for use by several goroutines.
type Refresh[R any] struct {
	// Reachable, which may be nil, tells after each read whether the API server has been there since it began. If it has not, what was
	// read is of no use: what was read before stays.
	Reachable func(since time.Time) bool

	mu   sync.Mutex
	busy bool
	due  time.Time
	last *R
	// key is that of what was begun to be read last.
	key string
}

// Latest is what was read last, nil before the first time. It starts reading again if that is due, or if the key, which says what is
// read, is another than last time. Read returns also how long what it has read lasts. Changed is called after each read, and when
// the next is due.
func (r *Refresh[R]) Latest(key string, now time.Time, read func() (R, time.Duration), changed func()) *R {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.busy && (r.due.IsZero() || key != r.key || !now.Before(r.due)) {
		r.busy, r.key = true, key
		go func() {
			begun := time.Now() //nolint:forbidigo // to be compared with when requests were answered
			result, lasts := read()
			away := r.Reachable != nil && !r.Reachable(begun)
			r.mu.Lock()
			if r.busy = false; away {
				r.key, r.due = "", time.Time{} // again, when it is there
			} else {
				r.last, r.due = &result, now.Add(lasts)
			}
			r.mu.Unlock()
			if away {
				return
			}
			changed()
			time.AfterFunc(lasts, changed)
		}()
	}
	return r.last
}

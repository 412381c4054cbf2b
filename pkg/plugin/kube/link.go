package kube

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// silence is how long a request may wait while nothing at all comes from the API server, before that is looked into.
	silence = 5 * time.Second
	// plainSilence is the same for connections of HTTP/1.1 on which nothing waits: HTTP/2 has pings, which are no requests, but behind a
	// proxy that only speaks HTTP/1.1 a request is the only way to notice that the way is cut.
	plainSilence = 15 * time.Second
	// lossGrace is how long requests have failed before the API server is said to be away: it may only have been restarted.
	lossGrace = 2 * time.Second
	// probeTimeout is the time that the API server has to say its version.
	probeTimeout = 5 * time.Second
	// While it is away it is asked every probeInterval, which doubles up to maxProbeInterval; a login program that fails may be one that
	// asks people, and is run less often.
	probeInterval      = time.Second
	maxProbeInterval   = 4 * time.Second
	loginProbeInterval = 20 * time.Second
	// returnPatience is how long mirrors have to catch up, before those that do not are left behind.
	returnPatience = 30 * time.Second
)

// Link is what is known of the way to the API server, from what goes over it: requests that are answered, fail or wait, and when
// anything came at all. While a watch guards it, it looks into failures and silence by asking for the server's version. At rest it
// sends nothing over HTTP/2, whose connections ping.
type Link struct {
	heard atomic.Int64 // when something came last, in nanoseconds of Unix time; 0 for never
	plain atomic.Bool  // the last answer came by HTTP/1.1
	probe func(context.Context) error
	wake  chan struct{} // a request has failed

	mu      sync.Mutex
	changed func() // nil while the link is not guarded
	started time.Time
	reached bool
	// answeredAt is when it answered last.
	answeredAt time.Time
	waiting    map[*http.Request]time.Time
	failure    error // why requests have failed since failedAt; nil if the last one was answered
	failedAt   time.Time
	asking     *asking
	loss       *Loss
	backAt     time.Time     // when it answered again after a loss; zero before
	up         chan struct{} // closed while the API server answers
	mirrors    map[any]context.CancelFunc
	behind     map[any]bool // mirrors that have not caught up since the loss
	losses     int
	attempts   map[*context.CancelFunc]bool // what ends with a loss, beside mirrors
}

// Loss says that the API server can't be reached, or that what it says now has not been read yet.
type Loss struct {
	// Since is when something came from it last; if nothing ever did (Reached is false), when it was asked first.
	Since   time.Time
	Reached bool
	// Reason is short, such as "connection refused".
	Reason string
}

// asking is a question whose answer several may wait for.
type asking struct {
	done chan struct{}
	err  error
}

func newLink(probe func(context.Context) error) *Link {
	up := make(chan struct{})
	close(up)
	return &Link{
		probe: probe, wake: make(chan struct{}, 1), waiting: map[*http.Request]time.Time{}, up: up, mirrors: map[any]context.CancelFunc{}, behind: map[any]bool{},
		attempts: map[*context.CancelFunc]bool{},
	}
}

// Loss is the present one, nil if there is none.
func (l *Link) Loss() *Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loss == nil {
		return nil
	}
	loss := *l.loss
	return &loss
}

// Doubtful reports whether requests fail of which it is not known yet whether it is the way.
func (l *Link) Doubtful() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loss != nil || l.failure != nil
}

// Guard looks after the way until the context ends. Changed is called when a loss begins and when it ends, from another goroutine, and
// must not block.
func (l *Link) Guard(ctx context.Context, changed func()) {
	l.mu.Lock()
	l.changed, l.started = changed, now()
	l.mu.Unlock()
	go func() {
		interval, failed := probeInterval, false
		for {
			timer := time.NewTimer(interval)
			wake := l.wake
			if failed { // what has failed meanwhile is no news
				wake = nil
			}
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-wake:
			case <-timer.C:
			}
			timer.Stop()
			var err error
			if l.suspicious() {
				err = l.ask(ctx)
			}
			failed = err != nil
			switch {
			case LoginFailed(err):
				interval = loginProbeInterval
			case failed && l.Loss() != nil:
				interval = min(2*interval, maxProbeInterval)
			default:
				interval = probeInterval
			}
		}
	}()
}

// suspicious reports whether to check that the API server is there.
func (l *Link) suspicious() bool {
	at := now()
	quiet := at.Sub(time.Unix(0, l.heard.Load()))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loss != nil && !l.backAt.IsZero() && at.Sub(l.backAt) > returnPatience {
		l.found()
	}
	switch {
	case l.failure != nil, l.loss != nil && l.backAt.IsZero():
		return true
	case l.plain.Load() && quiet >= plainSilence:
		return true
	}
	for _, since := range l.waiting {
		if quiet >= silence && at.Sub(since) >= silence {
			return true
		}
	}
	return false
}

// ask asks the API server for its version, once for all who ask at the same time, and draws its conclusions. Any answer will do.
func (l *Link) ask(ctx context.Context) error {
	l.mu.Lock()
	question := l.asking
	if question == nil {
		question = &asking{done: make(chan struct{})}
		l.asking = question
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
			defer cancel()
			question.err = l.probe(ctx)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.asking = nil
			l.judge(question.err)
			close(question.done)
		}()
	}
	l.mu.Unlock()
	select {
	case <-question.done:
		return question.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judge takes in the answer to a question. The link is locked.
func (l *Link) judge(err error) {
	at := now()
	if err == nil {
		clear(l.waiting) // they wait for something else
		l.answered(at)
		return
	}
	l.failed(err, at)
	quiet := at.Sub(time.Unix(0, l.heard.Load()))
	switch {
	case l.changed == nil:
	case l.loss != nil, isSilence(err) && quiet >= silence, !isSilence(err) && at.Sub(l.failedAt) >= lossGrace: // one that is only slow still says something
		l.lose(err)
	}
}

// failed notes that a request has failed. The link is locked.
func (l *Link) failed(err error, at time.Time) {
	if l.failure == nil {
		l.failedAt = at
	}
	l.failure = err
}

// lose begins a loss, or brings its reason up to date. The link is locked.
func (l *Link) lose(err error) {
	if l.loss == nil {
		since := l.failedAt
		if heard := l.heard.Load(); isSilence(err) && heard > 0 {
			since = time.Unix(0, heard)
		}
		if !l.reached {
			since = l.started
		}
		l.loss = &Loss{Since: since, Reached: l.reached}
		l.losses++
	}
	l.backAt = time.Time{} // if it was: gone once more, before everything was read
	if reason := shortReason(err); reason != l.loss.Reason {
		l.loss.Reason = reason
		l.changed()
	}
	select {
	case <-l.up:
		l.up = make(chan struct{})
	default:
	}
	for mirror, cancel := range l.mirrors {
		l.behind[mirror] = true
		cancel()
	}
	for cancel := range l.attempts {
		(*cancel)()
	}
}

// answered notes that the API server is there. The link is locked.
func (l *Link) answered(at time.Time) {
	l.failure, l.reached, l.answeredAt = nil, true, at
	if l.loss == nil || !l.backAt.IsZero() {
		return
	}
	l.backAt = at
	close(l.up)
	if len(l.behind) == 0 {
		l.found()
	}
}

// found ends a loss. The link is locked.
func (l *Link) found() {
	l.loss, l.backAt = nil, time.Time{}
	clear(l.behind)
	l.changed()
}

// follow returns the context of an attempt of a mirror to follow what it mirrors: it ends with a loss, so that what waits for an answer
// that can't come does not go on to. It waits for the end of a loss.
func (l *Link) follow(ctx context.Context, mirror any) (context.Context, context.CancelFunc) {
	for {
		l.mu.Lock()
		up := l.up
		select {
		case <-up:
			attempt, cancel := context.WithCancel(ctx)
			l.mirrors[mirror] = cancel
			l.mu.Unlock()
			return attempt, cancel
		default:
		}
		l.mu.Unlock()
		select {
		case <-up:
		case <-ctx.Done():
			return context.WithCancel(ctx)
		}
	}
}

// rest takes a mirror out that is not to be waited for after a loss.
func (l *Link) rest(mirror any) {
	l.caughtUp(mirror)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.mirrors, mirror)
}

// caughtUp notes that a mirror has what there is, or can't.
func (l *Link) caughtUp(mirror any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.behind, mirror)
	if l.loss != nil && !l.backAt.IsZero() && len(l.behind) == 0 {
		l.found()
	}
}

// Awaited reports whether an error is one that a watch waits out: the API server is away, or not up yet. A name that does not exist is
// waited out only where it did before.
func (l *Link) Awaited(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var dns *net.DNSError
	return IsUnreachable(err) && (l.reached || !errors.As(err, &dns))
}

// Up waits for the end of a loss, or of the context.
func (l *Link) Up(ctx context.Context) {
	l.mu.Lock()
	up := l.up
	l.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
	}
}

// Losses is how many there have been: connections of exec and port-forward from before one are of no more use.
func (l *Link) Losses() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.losses
}

// UntilLoss waits for the end of a loss, and returns a context that ends with the next.
func (l *Link) UntilLoss(ctx context.Context) (context.Context, context.CancelFunc) {
	l.Up(ctx)
	attempt, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[&cancel] = true
	return attempt, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.attempts, &cancel)
	}
}

// now is the time, which is what this is about.
func now() time.Time { return time.Now() } //nolint:forbidigo // how long there has been nothing, which no caller could say

// lostConnection is what HTTP/2 says when a ping is not answered.
const lostConnection = "client connection lost"

func isLostConnection(err error) bool { return strings.Contains(err.Error(), lostConnection) }

// isSilence reports whether nothing came, in contrast to a refusal.
func isSilence(err error) bool { return isTimeout(err) || isLostConnection(err) }

// Link is the way to the API server.
func (c *Cluster) Link() *Link { return c.link }

// Reachable reports whether the API server is there, and so whether what did not answer behind it is to blame itself. It asks, unless
// something has been answered since the given time and nothing has failed.
func (c *Cluster) Reachable(ctx context.Context, since time.Time) bool {
	l := c.link
	l.mu.Lock()
	away, answered := l.loss != nil, l.failure == nil && l.answeredAt.After(since)
	l.mu.Unlock()
	return !away && (answered || l.ask(ctx) == nil)
}

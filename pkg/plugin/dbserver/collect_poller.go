package dbserver

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

const (
	// A server that does not answer is asked again after retryDelay, which doubles up to maxRetryDelay.
	retryDelay    = time.Second
	maxRetryDelay = 5 * time.Second
	// firstPatience is how long the first round waits for logins; the servers behind are shown when they come.
	firstPatience = 5 * time.Second
	// leastPatience is how long a later round waits at least for servers that have answered before.
	leastPatience = 2 * time.Second
	// A session by exec is reopened after renewExec, in case a port-forward works now, which costs less; after renewTunnel where they
	// do work: the server had just been started, and its port was not open yet.
	renewExec   = time.Minute
	renewTunnel = 5 * time.Second
	// roundGap is the least time between two rounds, however many pods change.
	roundGap = 500 * time.Millisecond
	// farewell is how long Wait waits for sessions to end.
	farewell = 500 * time.Millisecond
)

// Polling says which servers a Poller queries, and how often.
type Polling struct {
	Cluster *kube.Cluster
	// Asker makes what asks servers. It is called again for servers that did not let the last one in: a password may have changed.
	Asker func() Asker
	// Servers are those that there are now. It is called when Ready has returned.
	Servers func() ([]Server, error)
	Ready   func(context.Context) error
	// Interval is how often each server is asked, ServerTimeout the time that it has.
	Interval, ServerTimeout time.Duration
	Via                     Via
	// Changed is called after each round, from another goroutine.
	Changed func()
}

// Poller asks servers again and again, each in one session that stays open, in rounds, so that what they have can be compared; one that
// hangs holds up the round in which it begins to, and no other.
type Poller struct {
	Polling
	ended chan struct{}
	poke  chan struct{} // a pod has changed

	mu     sync.Mutex
	rounds int // published since the API server was last found away
	said   map[types.UID]Said

	// What follows is for the goroutine of Run alone.
	asker     Asker
	replies   chan reply
	polled    map[types.UID]*polled
	pods      map[types.UID]*corev1.Pod // as they were at the last round
	round     int
	tunnelled bool // a port-forward has worked, to whichever server
	losses    int  // of the API server, that sessions have gone through
	alike     bool // all servers of the last full round have the same data
	asking    sync.WaitGroup
}

// NewPoller makes a poller, which queries nothing before Run.
func NewPoller(how Polling) *Poller {
	return &Poller{
		Polling: how, ended: make(chan struct{}), poke: make(chan struct{}, 1), said: map[types.UID]Said{},
		asker: how.Asker(), replies: make(chan reply), polled: map[types.UID]*polled{},
	}
}

// Poke says that pods have changed: those of other servers, or others' are asked before their time.
func (p *Poller) Poke() {
	select {
	case p.poke <- struct{}{}:
	default:
	}
}

// Rounds is how many rounds have been published.
func (p *Poller) Rounds() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rounds
}

// Said is what a server has said, by its pod's UID; it has not answered yet if ok is false.
func (p *Poller) Said(server Server) (said Said, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	said, ok = p.said[server.Pod.UID]
	return said, ok
}

// Wait returns when Run has ended the sessions, or after a moment: it does not wait for servers that hang.
func (p *Poller) Wait() {
	select {
	case <-p.ended:
	case <-time.After(farewell):
	}
}

// polled is a server that is asked again and again. Only the goroutine of Run uses it.
type polled struct {
	server  Server
	session Session // nil without one
	// busy is true while it is asked; the asker owns the session. cancel ends that.
	busy   bool
	cancel context.CancelFunc
	gone   bool
	// steady is true if it has answered when it was asked last; took is how long that took.
	steady bool
	took   time.Duration
	// renew is when a port-forward is tried in place of exec, never if it is zero.
	renew time.Time
	// due is when a server that is not steady is asked again.
	due   time.Time
	delay time.Duration
	// round is that to which the answers belong; 0 if they can't be compared with others'.
	round int
	said  *Said // nil before the first answer
	// answered is when it did for the last time.
	answered metav1.Time
	// cut is true if the API server was away when it was asked last; stale if it was since it is being asked.
	cut, stale bool
}

// reply is what came of asking a server.
type reply struct {
	*polled
	session Session // nil if it has ended
	// said are all answers, nil if a server was only asked again; then again is the answer.
	said  *Said
	again *v1alpha1.DatabaseAnswer
	took  time.Duration
	// cut is true if it was the API server that did not answer: nothing is known of the server.
	cut bool
}

// Run asks until the context ends, and then closes the sessions.
func (p *Poller) Run(ctx context.Context) {
	defer close(p.ended)
	defer p.closeAll()
	if p.Ready(ctx) != nil {
		return
	}
	for next := now(); ctx.Err() == nil; {
		p.Cluster.Link().Up(ctx)
		p.renew()
		begun := now()
		full := !begun.Before(next)
		if full {
			next = begun.Add(p.Interval)
		}
		p.ask(ctx, full, begun)
		if full = p.wait(ctx, begun, next); full {
			next = begun
		}
	}
}

// now is when servers are asked, which is no matter of a report's.
func now() time.Time { return time.Now() } //nolint:forbidigo // as said above

// renew gives sessions up that were open while the API server was away: they would hang.
func (p *Poller) renew() {
	losses := p.Cluster.Link().Losses()
	if losses == p.losses {
		return
	}
	p.losses = losses
	for _, s := range p.polled {
		if s.busy {
			s.stale = true
		} else if s.session != nil {
			p.close(s.session)
			s.session = nil
		}
	}
}

// wait waits until a round is due. Early is true if all servers are to be asked before their time, because pods have changed.
func (p *Poller) wait(ctx context.Context, begun, next time.Time) (early bool) {
	wake := next
	for _, s := range p.polled {
		if !s.busy && !s.steady && s.due.Before(wake) {
			wake = s.due
		}
	}
	poke := p.poke
	for {
		timer := time.NewTimer(max(0, wake.Sub(now())))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case r := <-p.replies:
			p.take(r)
			p.publish()
			if !r.steady && r.due.Before(wake) {
				wake = r.due
			}
		case <-poke:
			if p.podsChanged() {
				wake, early, poke = begun.Add(roundGap), true, nil
			}
		case <-timer.C:
			return early
		}
		timer.Stop()
	}
}

// podsChanged reports whether the servers' pods are others than at the last round.
func (p *Poller) podsChanged() bool {
	servers, err := p.Servers()
	if err != nil || len(servers) != len(p.pods) {
		return err == nil
	}
	return slices.ContainsFunc(servers, func(s Server) bool { return p.pods[s.Pod.UID] != s.Pod })
}

// publish makes what the servers said known. What can't be compared is left out: what one server has now says nothing about what another
// had before. A round that the API server's absence has cut short is no news.
func (p *Poller) publish() {
	for _, s := range p.polled {
		if s.cut {
			return
		}
	}
	said := make(map[types.UID]Said, len(p.polled))
	for uid, s := range p.polled {
		if s.said == nil {
			continue
		}
		now := *s.said
		if s.round != p.round || !p.alike && !s.comparable(p.asker) {
			now.Answers = slices.DeleteFunc(slices.Clone(now.Answers), p.asker.Compared)
		}
		said[uid] = now
	}
	p.mu.Lock()
	p.said = said
	p.rounds++
	p.mu.Unlock()
	p.Changed()
}

// comparable reports whether a server has been asked again after all had answered, or need not be.
func (s *polled) comparable(asker Asker) bool {
	n := 0
	for _, a := range s.said.Answers {
		if asker.Compared(a) {
			n++
		}
	}
	return n != 1
}

// close ends a session in the background: a server that hangs does not hold anybody up.
func (p *Poller) close(session Session) { p.asking.Go(session.Close) }

// closeAll ends all sessions when no server is queried any more.
func (p *Poller) closeAll() {
	over := make(chan struct{})
	go func() {
		p.asking.Wait()
		close(over)
	}()
	for _, s := range slices.Collect(maps.Values(p.polled)) {
		if !s.busy && s.session != nil {
			s.session.Close()
		}
	}
	for {
		select {
		case r := <-p.replies:
			if r.session != nil {
				r.session.Close()
			}
		case <-over:
			return
		}
	}
}

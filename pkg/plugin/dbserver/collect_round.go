package dbserver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// ask is one round: steady servers are asked all they are asked, and when all of them have answered or used up the patience, once more
// for what has to be compared. A partial round asks those again that did not answer, which no one waits for.
func (p *Poller) ask(ctx context.Context, full bool, at time.Time) {
	p.meet(at)
	first := p.round == 0
	if full {
		p.round++
	}
	waiting, patience := map[*polled]bool{}, leastPatience
	due := slices.DeleteFunc(slices.Collect(maps.Values(p.polled)), func(s *polled) bool {
		return s.busy || s.steady && !full || !s.steady && s.due.After(at)
	})
	if slices.ContainsFunc(due, func(s *polled) bool { return !s.steady && s.said != nil }) { // a password may have changed
		p.asker = p.Asker()
	}
	asker := p.asker
	for _, s := range due {
		if s.steady || first {
			waiting[s] = true
			patience = max(patience, min(2*s.took, p.ServerTimeout))
		}
		server := s.server
		if s.session != nil && !s.renew.IsZero() && at.After(s.renew) {
			p.close(s.session)
			s.session = nil
		}
		p.start(ctx, s, func(ctx context.Context, r *reply) { p.everything(ctx, asker, server, r) })
	}
	if first {
		patience = min(firstPatience, p.ServerTimeout)
	}
	answered := p.gather(ctx, waiting, patience, full)
	if full {
		said := make([]Said, len(answered))
		for i, s := range answered {
			said[i] = *s.said
		}
		p.alike = asker.Alike(said)
	}
	again := map[*polled]bool{}
	for _, s := range answered {
		if !p.alike && s.session.Compares() {
			again[s] = true
			p.start(ctx, s, onceMore)
		}
	}
	p.gather(ctx, again, leastPatience, false)
	if full {
		klog.V(6).InfoS("Asked all servers", "round", p.round, "answered", len(answered))
	}
	p.publish()
}

// meet takes in what pods there are.
func (p *Poller) meet(at time.Time) {
	servers, err := p.Servers()
	if err != nil {
		servers = nil
	}
	pods := make(map[types.UID]*corev1.Pod, len(servers))
	for _, server := range servers {
		uid := server.Pod.UID
		pods[uid] = server.Pod
		switch s := p.polled[uid]; {
		case s == nil:
			p.polled[uid] = &polled{server: server, due: at}
		case p.pods[uid] != server.Pod: // what kept it from answering may be over
			s.server, s.due, s.delay = server, at, 0
		}
	}
	p.pods = pods
	for uid, s := range p.polled {
		if _, there := pods[uid]; there {
			continue
		}
		delete(p.polled, uid)
		s.gone = true
		if s.busy {
			s.cancel()
		} else if s.session != nil {
			p.close(s.session)
		}
	}
}

// start asks a server in the background.
func (p *Poller) start(ctx context.Context, s *polled, ask func(context.Context, *reply)) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.busy = true
	r := reply{polled: s, session: s.session}
	s.session = nil
	p.asking.Go(func() {
		begun := now()
		ask(ctx, &r)
		r.took = now().Sub(begun)
		p.replies <- r
	})
}

// gather takes replies until none is waited for or patience is at its end, and returns the servers that have answered everything. In a
// full round their answers can be compared with each other.
func (p *Poller) gather(ctx context.Context, waiting map[*polled]bool, patience time.Duration, full bool) []*polled {
	var answered []*polled
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			return answered
		case r := <-p.replies:
			s := r.polled
			delete(waiting, s)
			p.take(r)
			if full && r.said != nil && s.session != nil {
				s.round = p.round
				answered = append(answered, s)
			}
		}
	}
	return answered
}

// take takes a reply in.
func (p *Poller) take(r reply) {
	s := r.polled
	s.busy = false
	s.cancel()
	if s.gone {
		if r.session != nil {
			p.close(r.session)
		}
		return
	}
	s.session = r.session
	if s.cut = r.cut || s.stale; s.cut {
		// As it was, and asked again.
		if s.stale = false; s.session != nil {
			p.close(s.session)
			s.session = nil
		}
		s.due = now().Add(retryDelay)
		return
	}
	if r.said == nil {
		if r.again == nil || r.session == nil {
			s.round = 0 // what it has after the others is not known
		} else {
			said := *s.said
			said.Answers = append(slices.Clone(said.Answers), *r.again)
			s.said = &said
		}
		return
	}
	s.said, s.round, s.took = r.said, 0, r.took
	s.steady = s.session != nil
	at := now()
	if s.said.Failure == nil {
		s.answered = metav1.NewTime(at)
	} else if !s.answered.IsZero() {
		s.said.LastAnswer = &s.answered
	}
	if !s.steady {
		s.delay = min(max(retryDelay, 2*s.delay), maxRetryDelay)
		s.due = at.Add(s.delay)
		return
	}
	s.delay = 0
	switch {
	case s.session.Via() == ViaPortForward:
		p.tunnelled, s.renew = true, time.Time{}
	case p.Via != ViaAuto || !s.renew.IsZero() && at.Before(s.renew):
	case p.tunnelled:
		s.renew = at.Add(renewTunnel)
	default:
		s.renew = at.Add(renewExec)
	}
}

// everything asks a server all it is asked, in the session that is open, else in a new one. A session that has broken is retried at
// once: servers and tunnels are restarted; only a server that does not answer in its time has had its turn.
func (p *Poller) everything(ctx context.Context, asker Asker, server Server, r *reply) {
	begun := now() // to be compared with when the API server answered
	r.said = &Said{}
	if r.session != nil {
		err := p.again(ctx, r)
		if err == nil {
			return
		}
		r.session.Close()
		r.session = nil
		if r.cut = p.cut(ctx, begun); r.cut {
			return
		}
		if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			said := failed(server, err, p.ServerTimeout)
			r.said = &said
			return
		}
		r.said = &Said{}
	}
	for again := true; ; again = false {
		var err error
		r.session, err = open(ctx, asker, server, p.ServerTimeout, r.said)
		var notRunning *NotRunningError
		if err == nil || errors.As(err, &notRunning) {
			return
		}
		if r.cut = p.cut(ctx, begun); r.cut || !again || !kube.IsUnreachable(err) || errors.Is(err, context.DeadlineExceeded) {
			return
		}
		r.said = &Said{} // the API server has just come back
	}
}

// again asks everything in the session that is open, within the server's time.
func (p *Poller) again(ctx context.Context, r *reply) error {
	ctx, cancel := context.WithTimeout(ctx, p.ServerTimeout)
	defer cancel()
	return r.session.Ask(ctx, r.said)
}

// cut reports whether the API server is why a server that was asked at a time did not answer.
func (p *Poller) cut(ctx context.Context, begun time.Time) bool {
	return ctx.Err() == nil && !p.Cluster.Reachable(ctx, begun)
}

// onceMore asks a server for what has to be compared.
func onceMore(ctx context.Context, r *reply) {
	ctx, cancel := context.WithTimeout(ctx, leastPatience)
	defer cancel()
	answer, err := r.session.AskAgain(ctx)
	if err != nil {
		r.session.Close()
		r.session = nil
		return
	}
	if answer.Error == nil {
		r.again = &answer
	}
}

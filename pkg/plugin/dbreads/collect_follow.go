package dbreads

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// Window is the time whose connections a follower counts.
	Window = 10 * time.Second
	// lossPatience is how long nothing comes from the connections until no server is taken to answer: it may take ten seconds to notice
	// that the API server, through which they are reported, has gone silent.
	lossPatience = 2 * Window
	// askInterval is how often the servers are asked of their replication.
	askInterval = 2 * time.Second
	// againDelay is how long after its end the making of connections begins again.
	againDelay = time.Second
	// farewell is how long Close waits for what is under way.
	farewell = 500 * time.Millisecond
)

// subjectConnections is what connections are a problem of, beside the keys of one snapshot.
const subjectConnections = "connections"

// Follower goes on making connections to a Service, and keeps what is known of its endpoints and servers up to date: objects by the API's
// own watches, servers by asking them again and again in sessions that stay open.
type Follower struct {
	*Reader
	changed func()
	end     context.CancelFunc
	ended   sync.WaitGroup
	pods    *kube.Mirror[corev1.Pod]
	slices  *kube.Mirror[discoveryv1.EndpointSlice]

	poller *dbserver.Poller

	mu      sync.Mutex
	passed  int   // rounds of the poller that do not count any more
	failure error // why no connections are made
	new     []Answer
	answers []datedAnswer
	// since is when pods were first seen as ready endpoints.
	since map[string]time.Time
}

// datedAnswer is an answer and when it was first seen.
type datedAnswer struct {
	Answer
	at time.Time
}

// Follow begins to make connections, until the context ends or Close is called. Changed is called after each change, from other
// goroutines.
func (r *Reader) Follow(ctx context.Context, changed func()) *Follower {
	f := &Follower{Reader: r, changed: changed}
	ctx, f.end = context.WithCancel(ctx)
	f.poller = dbserver.NewPoller(dbserver.Polling{
		Cluster: r.cluster, Asker: func() dbserver.Asker { return r.engines.Asker(r.cluster, r.query.Access) },
		Servers: f.present, Ready: f.ready,
		Interval: askInterval, ServerTimeout: r.query.Access.ServerTimeout, Via: r.query.Access.Via, Changed: changed,
	})
	pods := kube.Query{Namespace: r.query.Namespace, ChunkSize: r.query.ChunkSize}
	endpoints := pods
	endpoints.Selector = objects.SlicesOf(r.query.Service)
	whole := kube.Whole[corev1.Pod](nil)
	f.pods = kube.FollowPods(ctx, r.cluster, pods, func(pod *corev1.Pod) *corev1.Pod {
		if _, ok := r.engines.Detect(pod); !ok {
			return nil
		}
		return whole(pod)
	}, func() { f.poller.Poke(); changed() })
	f.slices = kube.FollowEndpointSlices(ctx, r.cluster, endpoints, kube.Whole[discoveryv1.EndpointSlice](nil), changed)
	go f.poller.Run(ctx)
	f.ended.Go(func() { f.connect(ctx) })
	return f
}

// Close ends what Follow began.
func (f *Follower) Close() {
	f.end()
	over := make(chan struct{})
	go func() {
		f.ended.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(farewell):
	}
	f.poller.Wait()
}

// Settled reports whether there is something to show: the servers have been asked once, and connections were made for a while or can't be.
func (f *Follower) Settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	rounds := f.poller.Rounds() - f.passed
	return f.slices.Settled() && rounds > 0 && (rounds > 1 || f.failure != nil || len(f.new)+len(f.answers) >= f.query.Connections)
}

// Snapshot is the present state, with the connections of the last Window. It fails if pods can't be read.
func (f *Follower) Snapshot(_ context.Context, now time.Time) (*Snapshot, error) {
	s := f.base
	s.Problems = map[string]v1alpha1.Problem{}
	servers, err := f.present()
	if err != nil {
		return nil, err
	}
	f.pods.Collect(s.Problems, "pods", "pods of the Service "+f.query.Service)
	endpoints, _ := f.slices.Collect(s.Problems, subjectEndpoints, "EndpointSlices of the Service "+f.query.Service)
	for _, slice := range endpoints {
		s.EndpointSlices = append(s.EndpointSlices, *slice)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Servers = make(map[string]dbserver.Said, len(servers))
	for _, server := range servers {
		s.Pods = append(s.Pods, *server.Pod)
		said, ok := f.poller.Said(server)
		if !ok {
			said = dbserver.NotYet(server)
		}
		s.Servers[server.Name()] = said
	}
	s.From = f.from.Pod.Name
	if f.failure != nil {
		s.Problems[subjectConnections] = kube.ProblemOf("connecting from pod "+s.From, kube.Explain(f.failure))
	}
	for _, a := range f.new {
		f.answers = append(f.answers, datedAnswer{a, now})
	}
	f.new = nil
	f.answers = counted(f.answers, now)
	for _, a := range f.answers {
		s.Answers = append(s.Answers, a.Answer)
	}
	f.age(&s, now)
	return &s, nil
}

// counted are the answers of the last Window. Where there is none at all, the window ends with the newest one until lossPatience is over.
func counted(answers []datedAnswer, now time.Time) []datedAnswer {
	if len(answers) == 0 {
		return nil
	}
	end := now
	if newest := answers[len(answers)-1].at; now.Sub(newest) < lossPatience {
		end = newest
	}
	return slices.DeleteFunc(answers, func(a datedAnswer) bool { return end.Sub(a.at) > Window })
}

// age notes which endpoints are younger than the connections that are counted.
func (f *Follower) age(s *Snapshot, now time.Time) {
	since := map[string]time.Time{}
	for i := range s.Pods {
		pod := &s.Pods[i]
		if !isEndpoint(s, pod) {
			continue
		}
		at, known := f.since[pod.Name]
		if !known {
			at = now
		}
		since[pod.Name] = at
		if now.Sub(at) <= Window {
			s.New = append(s.New, pod.Name)
		}
	}
	f.since = since
}

// present are the servers of the sets that the Service leads to now.
func (f *Follower) present() ([]dbserver.Server, error) {
	all, err := f.all()
	return f.related(all, f.endpoints()), err
}

// all are the servers of the namespace.
func (f *Follower) all() ([]dbserver.Server, error) {
	pods, _, err := f.pods.Objects()
	if err != nil {
		return nil, kube.Explain(err)
	}
	all := make([]dbserver.Server, 0, len(pods))
	for _, pod := range pods {
		server, _ := f.engines.Detect(pod)
		all = append(all, server)
	}
	return all, nil
}

// ready waits for what tells which servers there are.
func (f *Follower) ready(ctx context.Context) error {
	if len(f.base.Service.Spec.Selector) == 0 {
		if err := f.slices.Wait(ctx); err != nil {
			return err
		}
	}
	return f.pods.Wait(ctx)
}

// endpoints are the Service's EndpointSlices, as far as they can be read.
func (f *Follower) endpoints() []discoveryv1.EndpointSlice {
	followed, _, _ := f.slices.Objects()
	list := make([]discoveryv1.EndpointSlice, len(followed))
	for i, slice := range followed {
		list[i] = *slice
	}
	return list
}

// connect makes connections until the context ends, from another pod where one is gone.
func (f *Follower) connect(ctx context.Context) {
	for ctx.Err() == nil {
		attempt, end := f.cluster.Link().UntilLoss(ctx)
		begun := time.Now() //nolint:forbidigo // to be compared with when the API server answered
		err := f.from.Engine.NewProber(f.cluster, f.query.Access).Run(attempt, f.from, f.probe(math.MaxInt64), func(a dbserver.ProbeAnswer) {
			f.mu.Lock()
			f.new, f.failure = append(f.new, answerOf(a)), nil
			f.mu.Unlock()
			f.changed()
		})
		end()
		if err == nil {
			err = errors.New("the container stopped it")
		}
		if ctx.Err() == nil && !f.cluster.Reachable(ctx, begun) {
			f.mu.Lock()
			f.passed, f.new, f.answers = f.poller.Rounds(), nil, nil // what was counted until then is no share of the next ten seconds
			f.mu.Unlock()
			wait(ctx, againDelay)
			continue
		}
		f.note(err)
		wait(ctx, againDelay)
		all, err := f.all()
		servers := f.behind(all, f.endpoints())
		if err != nil || len(servers) == 0 {
			continue
		}
		from, err := f.choose(all, servers)
		if err != nil {
			f.note(err)
			continue
		}
		f.mu.Lock()
		f.from = from
		f.mu.Unlock()
	}
}

// note keeps why no connections are made.
func (f *Follower) note(err error) {
	f.mu.Lock()
	f.failure = err
	f.mu.Unlock()
	f.changed()
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

package mysqltopology

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysql"
)

const (
	// A server that does not answer is asked again after retryDelay, which doubles up to maxRetryDelay.
	retryDelay    = time.Second
	maxRetryDelay = 5 * time.Second
	// firstPatience is how long the first round waits for logins; the servers behind are shown when they come.
	firstPatience = 5 * time.Second
	// leastPatience is how long a later round waits at least for servers that have answered before.
	leastPatience = 2 * time.Second
	// A session by exec is opened anew after renewExec, in case a port-forward works now, which costs less; after renewTunnel where they
	// do work: the server had just been started, and its port was not open yet.
	renewExec   = time.Minute
	renewTunnel = 5 * time.Second
	// roundGap is the least time between two rounds, however many pods change.
	roundGap = 500 * time.Millisecond
	// farewell is how long Close waits for sessions to end.
	farewell = 500 * time.Millisecond
)

// Follower keeps a snapshot up to date: objects by the API's own watches, servers by asking them again and again, each in one session
// that stays open. Servers are asked in rounds, so that their transactions can be compared; one that hangs holds up the round in which
// it begins to, and no other.
type Follower struct {
	cluster *kube.Cluster
	query   Query
	changed func()

	pods     *kube.Mirror[corev1.Pod]
	services *kube.Mirror[corev1.Service]
	slices   *kube.Mirror[discoveryv1.EndpointSlice]
	nodes    *kube.Mirror[corev1.Node]

	end   context.CancelFunc
	ended chan struct{}
	poke  chan struct{} // a pod has changed

	mu    sync.Mutex
	asked bool // a round is over
	said  map[types.UID]ServerSnapshot
	found bool // there has been a server of every name
}

// Follow begins to watch the servers of a query and what is around them, until the context ends or Close is called. Changed is called
// after each change and each round, from another goroutine.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) *Follower {
	f := &Follower{
		cluster: cluster, query: q, changed: changed, ended: make(chan struct{}), poke: make(chan struct{}, 1), said: map[types.UID]ServerSnapshot{},
	}
	ctx, f.end = context.WithCancel(ctx)
	podChanged := func() {
		select {
		case f.poke <- struct{}{}:
		default:
		}
		changed()
	}
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	pods := all
	pods.Selector = q.Selector
	whole := kube.Whole[corev1.Pod](nil)
	f.pods = kube.FollowPods(ctx, cluster, pods, func(pod *corev1.Pod) *corev1.Pod {
		if _, ok := mysql.Detect(pod); !ok || q.Wanted != nil && !q.Wanted(pod) {
			return nil
		}
		return whole(pod)
	}, podChanged)
	f.services = kube.FollowServices(ctx, cluster, all, kube.Whole[corev1.Service](nil), changed)
	f.slices = kube.FollowEndpointSlices(ctx, cluster, all, kube.Whole[discoveryv1.EndpointSlice](nil), changed)
	f.nodes = kube.FollowNodes(ctx, cluster, kube.Query{ChunkSize: q.ChunkSize}, kube.Whole(func(node *corev1.Node) {
		reduceNode(node)
		node.ResourceVersion = "" // else each report of a kubelet would be a change
	}), changed)
	p := &poller{Follower: f, connector: mysql.NewConnector(cluster, q.Access), replies: make(chan reply), polled: map[types.UID]*polled{}}
	go p.run(ctx)
	return f
}

// Close ends the sessions, and what Follow began.
func (f *Follower) Close() {
	f.end()
	select {
	case <-f.ended:
	case <-time.After(farewell):
	}
}

// Settled tells whether everything has been read once, or can't be, and servers have had the time of a first answer.
func (f *Follower) Settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked && f.pods.Settled() && f.services.Settled() && f.slices.Settled() && f.nodes.Settled()
}

// servers are those that are followed now.
func (f *Follower) servers() ([]mysql.Server, error) {
	pods, _, err := f.pods.Objects()
	if err != nil {
		return nil, kube.Explain(err)
	}
	all := make([]mysql.Server, 0, len(pods))
	for _, pod := range pods {
		server, _ := mysql.Detect(pod)
		all = append(all, server)
	}
	scope := f.query.scope()
	servers, err := scope.Choose(all)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.found = f.found || err == nil; f.found {
		return servers, nil
	}
	return nil, err
}

// Snapshot is the present state. It fails only if pods can't be read, or if there never was a server of a name that was asked for.
func (f *Follower) Snapshot(context.Context, time.Time) (*Snapshot, error) {
	servers, err := f.servers()
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Servers: map[string]ServerSnapshot{}}
	f.pods.Collect(s.Problems, subjectPods, "pods "+kube.Where(f.query.Namespace))
	f.mu.Lock()
	for _, server := range servers {
		s.Pods = append(s.Pods, *server.Pod)
		said, ok := f.said[server.Pod.UID]
		if !ok {
			said.Failure = &v1alpha1.Problem{Subject: "server " + server.Pod.Name, Reason: v1alpha1.ReasonUnavailable, Message: NotYetAnswered, Passing: true}
		}
		s.Servers[server.Name()] = said
	}
	f.mu.Unlock()
	services, _ := f.services.Collect(s.Problems, subjectServices, "Services "+kube.Where(f.query.Namespace))
	for _, service := range services {
		s.Services = append(s.Services, *service)
	}
	endpoints, _ := f.slices.Collect(s.Problems, subjectEndpoints, "EndpointSlices "+kube.Where(f.query.Namespace))
	for _, slice := range endpoints {
		s.EndpointSlices = append(s.EndpointSlices, *slice)
	}
	nodes, _ := f.nodes.Collect(s.Problems, subjectNodes, "nodes")
	for _, node := range nodes {
		s.Nodes = append(s.Nodes, *node)
	}
	return s, nil
}

// polled is a server that is asked again and again. Only the goroutine of poller.run uses it.
type polled struct {
	server  mysql.Server
	session *mysql.Session
	// busy is true while it is asked; whoever asks has the session. cancel ends that.
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
	said  *ServerSnapshot // nil before the first answer
	// answered is when it did for the last time.
	answered metav1.Time
	// cut is true if the API server was away when it was asked last; stale if it was since it is being asked.
	cut, stale bool
}

// reply is what came of asking a server.
type reply struct {
	*polled
	session *mysql.Session // nil if it has ended
	// said are all answers, nil if only transactions were asked for once more; then again is the answer.
	said  *ServerSnapshot
	again *v1alpha1.MySQLAnswer
	took  time.Duration
	// cut is true if it was the API server that did not answer: nothing is known of the server.
	cut bool
}

// poller asks servers in rounds.
type poller struct {
	*Follower
	connector *mysql.Connector
	replies   chan reply
	polled    map[types.UID]*polled
	pods      map[types.UID]*corev1.Pod // as they were at the last round
	round     int
	tunnelled bool // a port-forward has worked, to whichever server
	losses    int  // of the API server, that sessions have gone through
	alike     bool // all servers of the last full round have the same transactions
	asking    sync.WaitGroup
}

// run asks until the context ends, and then closes the sessions.
func (p *poller) run(ctx context.Context) {
	defer close(p.ended)
	defer p.closeAll()
	if p.Follower.pods.Wait(ctx) != nil {
		return
	}
	for next := time.Now(); ctx.Err() == nil; { //nolint:forbidigo // when to ask is no matter of the report's
		p.cluster.Link().Up(ctx)
		p.renew()
		begun := time.Now() //nolint:forbidigo // as above
		full := !begun.Before(next)
		if full {
			next = begun.Add(p.query.PollInterval)
		}
		p.ask(ctx, full, begun)
		if full = p.wait(ctx, begun, next); full {
			next = begun
		}
	}
}

// renew gives sessions up that were open while the API server was away: they would hang.
func (p *poller) renew() {
	losses := p.cluster.Link().Losses()
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
func (p *poller) wait(ctx context.Context, begun, next time.Time) (early bool) {
	wake := next
	for _, s := range p.polled {
		if !s.busy && !s.steady && s.due.Before(wake) {
			wake = s.due
		}
	}
	poke := p.poke
	for {
		timer := time.NewTimer(max(0, time.Until(wake)))
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

// podsChanged tells whether the servers' pods are others than at the last round.
func (p *poller) podsChanged() bool {
	servers, err := p.servers()
	if err != nil || len(servers) != len(p.pods) {
		return err == nil
	}
	return slices.ContainsFunc(servers, func(s mysql.Server) bool { return p.pods[s.Pod.UID] != s.Pod })
}

// ask is one round: steady servers are asked all they are asked, and when all of them have answered or used up the patience, once more
// about their transactions. A partial round asks those again that did not answer, for which nobody waits.
func (p *poller) ask(ctx context.Context, full bool, now time.Time) {
	p.meet(now)
	first := p.round == 0
	if full {
		p.round++
	}
	waiting, patience := map[*polled]bool{}, leastPatience
	due := slices.DeleteFunc(slices.Collect(maps.Values(p.polled)), func(s *polled) bool {
		return s.busy || s.steady && !full || !s.steady && s.due.After(now)
	})
	if slices.ContainsFunc(due, func(s *polled) bool { return !s.steady && s.said != nil }) { // a password may have changed
		p.connector = mysql.NewConnector(p.cluster, p.query.Access)
	}
	connector := p.connector
	for _, s := range due {
		if s.steady || first {
			waiting[s] = true
			patience = max(patience, min(2*s.took, p.query.Access.ServerTimeout))
		}
		server := s.server
		if s.session != nil && !s.renew.IsZero() && now.After(s.renew) {
			p.close(s.session)
			s.session = nil
		}
		p.start(ctx, s, func(ctx context.Context, r *reply) { p.everything(ctx, connector, server, r) })
	}
	if first {
		patience = min(firstPatience, p.query.Access.ServerTimeout)
	}
	answered := p.gather(ctx, waiting, patience, full)
	if full {
		results := make([]ServerSnapshot, len(answered))
		for i, s := range answered {
			results[i] = *s.said
		}
		p.alike = sayTheSame(results)
	}
	again := map[*polled]bool{}
	for _, s := range answered {
		if p.alike {
			break
		}
		if statement := mysql.StatementFor(s.session.Version, mysql.SubjectGTID); statement.Text != "" {
			again[s] = true
			p.start(ctx, s, func(ctx context.Context, r *reply) { onceMore(ctx, statement.Text, r) })
		}
	}
	p.gather(ctx, again, leastPatience, false)
	if full {
		klog.V(6).InfoS("Asked all servers", "round", p.round, "answered", len(answered))
	}
	p.publish()
}

// meet takes in what pods there are.
func (p *poller) meet(now time.Time) {
	servers, err := p.servers()
	if err != nil {
		servers = nil
	}
	pods := make(map[types.UID]*corev1.Pod, len(servers))
	for _, server := range servers {
		uid := server.Pod.UID
		pods[uid] = server.Pod
		switch s := p.polled[uid]; {
		case s == nil:
			p.polled[uid] = &polled{server: server, due: now}
		case p.pods[uid] != server.Pod: // what kept it from answering may be over
			s.server, s.due, s.delay = server, now, 0
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
func (p *poller) start(ctx context.Context, s *polled, ask func(context.Context, *reply)) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.busy = true
	r := reply{polled: s, session: s.session}
	s.session = nil
	p.asking.Go(func() {
		begun := time.Now() //nolint:forbidigo // how long a server takes
		ask(ctx, &r)
		r.took = time.Since(begun) //nolint:forbidigo // as above
		p.replies <- r
	})
}

// gather takes replies until none is waited for or patience is at its end, and returns the servers that have answered everything. In a
// full round their answers can be compared with each other.
func (p *poller) gather(ctx context.Context, waiting map[*polled]bool, patience time.Duration, full bool) []*polled {
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
func (p *poller) take(r reply) {
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
		s.due = time.Now().Add(retryDelay) //nolint:forbidigo // when to ask is no matter of the report's
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
	now := time.Now() //nolint:forbidigo // when to ask is no matter of the report's
	if s.said.Failure == nil {
		s.answered = metav1.NewTime(now)
	} else if !s.answered.IsZero() {
		s.said.LastAnswer = &s.answered
	}
	if !s.steady {
		s.delay = min(max(retryDelay, 2*s.delay), maxRetryDelay)
		s.due = now.Add(s.delay)
		return
	}
	s.delay = 0
	switch {
	case s.session.Via == mysql.ViaPortForward:
		p.tunnelled, s.renew = true, time.Time{}
	case p.query.Access.Via != mysql.ViaAuto || !s.renew.IsZero() && now.Before(s.renew):
	case p.tunnelled:
		s.renew = now.Add(renewTunnel)
	default:
		s.renew = now.Add(renewExec)
	}
}

// publish makes what the servers said the snapshot's. Transactions that can't be compared are left out: what one server has now says
// nothing about what another had before.
// A round that the API server's absence has cut short is no news.
func (p *poller) publish() {
	for _, s := range p.polled {
		if s.cut {
			return
		}
	}
	said := make(map[types.UID]ServerSnapshot, len(p.polled))
	for uid, s := range p.polled {
		if s.said == nil {
			continue
		}
		now := *s.said
		if s.round != p.round || !p.alike && !s.comparable() {
			now.Answers = slices.DeleteFunc(slices.Clone(now.Answers), func(a v1alpha1.MySQLAnswer) bool {
				return a.Subject == string(mysql.SubjectGTID) || a.Subject == subjectGTIDAgain
			})
		}
		said[uid] = now
	}
	p.mu.Lock()
	p.said, p.asked = said, true
	p.mu.Unlock()
	p.changed()
}

// comparable tells whether a server has said what transactions it has after all had said it, or has none.
func (s *polled) comparable() bool {
	has := func(subject string) bool {
		return slices.ContainsFunc(s.said.Answers, func(a v1alpha1.MySQLAnswer) bool { return a.Subject == subject })
	}
	return has(subjectGTIDAgain) || !has(string(mysql.SubjectGTID))
}

// close ends a session in the background: a server that hangs does not hold anybody up.
func (p *poller) close(session *mysql.Session) { p.asking.Go(session.Close) }

// closeAll ends all sessions when nobody is asked any more.
func (p *poller) closeAll() {
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

// everything asks a server all it is asked, in the session that is open, else in a new one. A session that has broken is tried anew at
// once: servers and tunnels are restarted; only a server that does not answer in its time has had its turn.
func (p *poller) everything(ctx context.Context, connector *mysql.Connector, server mysql.Server, r *reply) {
	begun := time.Now() //nolint:forbidigo // to be compared with when the API server answered
	r.said = &ServerSnapshot{}
	if r.session != nil {
		err := askAgain(ctx, r.session, p.query.Access.ServerTimeout, r.said)
		if err == nil {
			return
		}
		r.session.Close()
		r.session = nil
		if r.cut = p.cut(ctx, begun); r.cut {
			return
		}
		if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			problem := mysql.ProblemOf(server, err, p.query.Access.ServerTimeout)
			r.said = &ServerSnapshot{Failure: &problem}
			return
		}
		r.said = &ServerSnapshot{}
	}
	for again := true; ; again = false {
		var err error
		r.session, err = ask(ctx, connector, server, p.query.Access.ServerTimeout, r.said)
		var notRunning *mysql.NotRunningError
		if err == nil || errors.As(err, &notRunning) {
			return
		}
		if r.cut = p.cut(ctx, begun); r.cut || !again || !kube.IsUnreachable(err) || errors.Is(err, context.DeadlineExceeded) {
			return
		}
		r.said = &ServerSnapshot{} // the API server has just come back
	}
}

// cut tells whether the API server is why a server that was asked at a time did not answer.
func (p *poller) cut(ctx context.Context, begun time.Time) bool {
	return ctx.Err() == nil && !p.cluster.Reachable(ctx, begun)
}

// askAgain asks a server everything in a session that is open. An error means that the session is of no more use.
func askAgain(ctx context.Context, session *mysql.Session, timeout time.Duration, result *ServerSnapshot) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result.Via, result.User = string(session.Via), session.User
	statements := append([]mysql.Statement{mysql.FirstStatement()}, mysql.Statements(session.Version)...)
	texts := make([]string, len(statements))
	for i, statement := range statements {
		texts[i] = statement.Text
	}
	answers := session.Ask(ctx, texts...)
	for i, answer := range answers {
		result.Answers = append(result.Answers, reported(string(statements[i].Subject), answer))
	}
	if err := answers[0].Err; err != nil { // every server answers this
		return err
	}
	return broken(answers)
}

// onceMore asks a server about its transactions again.
func onceMore(ctx context.Context, statement string, r *reply) {
	ctx, cancel := context.WithTimeout(ctx, leastPatience)
	defer cancel()
	answer, _ := r.session.Query(ctx, statement) // the error is in the answer
	if broken([]mysql.Answer{answer}) != nil {
		r.session.Close()
		r.session = nil
		return
	}
	if answer.Err == nil {
		again := reported(subjectGTIDAgain, answer)
		r.again = &again
	}
}

// broken returns the first error that is not a server's answer: then the session has ended.
func broken(answers []mysql.Answer) error {
	for _, a := range answers {
		var said *mysql.ServerError
		if a.Err != nil && !errors.As(a.Err, &said) {
			return a.Err
		}
	}
	return nil
}

package dbtopology

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Follower keeps a snapshot up to date: objects by the API's own watches, servers by asking them again and again, see dbserver.Poller.
type Follower struct {
	query Query

	pods     *kube.Mirror[corev1.Pod]
	services *kube.Mirror[corev1.Service]
	slices   *kube.Mirror[discoveryv1.EndpointSlice]
	nodes    *kube.Mirror[corev1.Node]
	poller   *dbserver.Poller
	end      context.CancelFunc

	mu    sync.Mutex
	found bool // there has been a server of every name
}

// Follow begins to watch the servers of a query and what is around them, until the context ends or Close is called. Changed is called
// after each change and each round, from another goroutine.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) *Follower {
	engines := servers(q.Engines)
	f := &Follower{query: q}
	ctx, f.end = context.WithCancel(ctx)
	f.poller = dbserver.NewPoller(dbserver.Polling{
		Cluster: cluster, Asker: func() dbserver.Asker { return engines.Asker(cluster, q.Access) },
		Servers: f.servers, Ready: func(ctx context.Context) error { return f.pods.Wait(ctx) },
		Interval: q.PollInterval, ServerTimeout: q.Access.ServerTimeout, Via: q.Access.Via, Changed: changed,
	})
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	pods := all
	pods.Selector = q.Selector
	whole := kube.Whole[corev1.Pod](nil)
	f.pods = kube.FollowPods(ctx, cluster, pods, func(pod *corev1.Pod) *corev1.Pod {
		if _, ok := engines.Detect(pod); !ok || q.Wanted != nil && !q.Wanted(pod) {
			return nil
		}
		return whole(pod)
	}, func() { f.poller.Poke(); changed() })
	f.services = kube.FollowServices(ctx, cluster, all, kube.Whole[corev1.Service](nil), changed)
	f.slices = kube.FollowEndpointSlices(ctx, cluster, all, kube.Whole[discoveryv1.EndpointSlice](nil), changed)
	f.nodes = kube.FollowNodes(ctx, cluster, kube.Query{ChunkSize: q.ChunkSize}, kube.Whole(func(node *corev1.Node) {
		reduceNode(node)
		node.ResourceVersion = "" // else each report of a kubelet would be a change
	}), changed)
	go f.poller.Run(ctx)
	return f
}

// Close ends the sessions, and what Follow began.
func (f *Follower) Close() {
	f.end()
	f.poller.Wait()
}

// Settled reports whether everything has been read once, or can't be, and servers have had the time of a first answer.
func (f *Follower) Settled() bool {
	return f.poller.Rounds() > 0 && f.pods.Settled() && f.services.Settled() && f.slices.Settled() && f.nodes.Settled()
}

// servers are those that are followed now.
func (f *Follower) servers() ([]dbserver.Server, error) {
	pods, _, err := f.pods.Objects()
	if err != nil {
		return nil, kube.Explain(err)
	}
	engines := servers(f.query.Engines)
	all := make([]dbserver.Server, 0, len(pods))
	for _, pod := range pods {
		server, _ := engines.Detect(pod)
		all = append(all, server)
	}
	servers, err := engines.Choose(all, f.query.scope())
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
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Servers: map[string]dbserver.Said{}}
	f.pods.Collect(s.Problems, subjectPods, "pods "+kube.Where(f.query.Namespace))
	for _, server := range servers {
		s.Pods = append(s.Pods, *server.Pod)
		said, ok := f.poller.Said(server)
		if !ok {
			said = dbserver.NotYet(server)
		}
		s.Servers[server.Name()] = said
	}
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

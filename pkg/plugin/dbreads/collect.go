// Package dbreads is kubectl doik reads: how a Service spreads fresh connections over the servers behind it.
package dbreads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Query says which Service is read, and how.
type Query struct {
	Engines            []*dbstate.Engine
	Namespace, Service string
	// From is the pod in which the connections are made; empty for the first server behind the Service that can.
	From string
	// Port is the name or the number of one of the Service's ports; empty for the one that is an engine's.
	Port        string
	Connections int
	For         time.Duration
	Concurrency int
	Access      dbserver.Access
	ChunkSize   int64
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Snapshot is what the cluster and the servers said.
type Snapshot struct {
	Service        corev1.Service              `json:"service"`
	EndpointSlices []discoveryv1.EndpointSlice `json:"endpointSlices,omitempty"`
	// Pods are those with servers of the sets that the Service leads to, also the pods that it does not select: what part a server plays, the
	// others tell.
	Pods []corev1.Pod `json:"pods,omitempty"`
	// Servers is what they said, by namespace/pod.
	Servers map[string]dbserver.Said `json:"servers,omitempty"`
	From    string                   `json:"from"`
	// Port is the Service's port; 0 in snapshots that are older than it: an engine's.
	Port int32 `json:"port,omitempty"`
	// Router is what the Service leads to where that is no server itself; then Pods are those of the set that From is of.
	Router  string   `json:"router,omitempty"`
	Answers []Answer `json:"answers,omitempty"`
	// New are pods that have not been ready endpoints for as long as answers have been counted.
	New []string `json:"new,omitempty"`
	// Problems by what could not be read: endpointslices, pods, connections.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Answer is one connection's.
type Answer struct {
	Hostname     string `json:"hostname,omitempty"`
	ServerID     int64  `json:"serverID,omitempty"`
	Milliseconds int64  `json:"milliseconds,omitempty"`
	Error        string `json:"error,omitempty"`
}

const subjectEndpoints = "endpointslices"

// Reader makes connections to one Service, as often as it is asked to.
type Reader struct {
	cluster *kube.Cluster
	query   Query
	engines dbserver.Engines
	from    dbserver.Server
	base    Snapshot
	// group is the set behind a router; empty without one.
	group string
}

// NewReader finds the Service, its servers and the pod in which connections are made.
func NewReader(ctx context.Context, cluster *kube.Cluster, q Query) (*Reader, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	q.Progress("reading the Service")
	r := &Reader{cluster: cluster, query: q, engines: dbstate.Servers(q.Engines)}
	service, err := cluster.Service(ctx, q.Namespace, q.Service)
	if apierrors.IsNotFound(err) {
		var names []string
		_ = cluster.EachService(ctx, kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, func(s *corev1.Service) { names = append(names, s.Name) }) // only to suggest
		return nil, kube.NotFound("Service", q.Namespace, q.Service, names)
	}
	if err != nil {
		return nil, kube.Explain(err)
	}
	r.base.Service = *service
	var endpoints []discoveryv1.EndpointSlice
	if len(service.Spec.Selector) == 0 { // another controller's endpoints say which pods it is for
		if endpoints, err = r.endpoints(ctx); err != nil {
			return nil, kube.Explain(err)
		}
	}
	all, routers, err := r.find(ctx, endpoints)
	if err != nil {
		return nil, err
	}
	servers := r.behind(all, endpoints)
	if len(servers) == 0 && len(routers) > 0 {
		r.base.Router = r.engines.Router(&routers[0])
		if servers, err = r.routed(all, routers); err != nil {
			return nil, err
		}
		r.group = servers[0].Group()
	}
	if len(servers) == 0 {
		if len(service.Spec.Selector) == 0 {
			return nil, fmt.Errorf("the Service %s has no selector, and none of its endpoints is a %s", q.Service, r.engines.Kind())
		}
		return nil, fmt.Errorf("the Service %s selects no %s", q.Service, r.engines.Kind())
	}
	if r.from, err = r.choose(all, servers); err != nil {
		return nil, err
	}
	if r.base.Port, err = portOf(service, q.Port, r.from.Engine); err != nil {
		return nil, err
	}
	return r, nil
}

// choose finds the pod in which connections are made.
func (r *Reader) choose(all, servers []dbserver.Server) (dbserver.Server, error) {
	if r.query.From != "" {
		var names []string
		for _, s := range all {
			if names = append(names, s.Pod.Name); s.Pod.Name == r.query.From {
				return s, nil
			}
		}
		return dbserver.Server{}, kube.NotFound("pod with a "+r.engines.Name()+" client", r.query.Namespace, r.query.From, names)
	}
	if i := slices.IndexFunc(servers, func(s dbserver.Server) bool { return objects.PodReady(s.Pod) }); i >= 0 {
		return servers[i], nil
	}
	return servers[0], nil
}

// Collect reads the endpoints and the servers, and makes a round of connections. It is an error if none can be made at all.
func (r *Reader) Collect(ctx context.Context) (*Snapshot, error) {
	q := r.query
	s := r.base
	s.From = r.from.Pod.Name
	s.Problems = map[string]v1alpha1.Problem{}
	var err error
	if s.EndpointSlices, err = r.endpoints(ctx); err != nil {
		s.Problems[subjectEndpoints] = kube.ProblemOf("EndpointSlices of the Service "+q.Service, err)
	}
	servers, err := r.servers(ctx, s.EndpointSlices)
	if err != nil {
		return nil, err
	}
	for _, server := range servers {
		s.Pods = append(s.Pods, *server.Pod)
	}
	s.Servers = dbserver.AskAll(ctx, r.engines.Asker(r.cluster, q.Access), servers, q.Access.ServerTimeout, q.Progress)
	var mu sync.Mutex
	err = r.from.Engine.NewProber(r.cluster, q.Access).Run(ctx, r.from, r.probe(q.For), func(a dbserver.ProbeAnswer) {
		mu.Lock()
		defer mu.Unlock()
		s.Answers = append(s.Answers, answerOf(a))
		q.Progress(fmt.Sprintf("connecting from %s: %d connections", s.From, len(s.Answers)))
	})
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, kube.Explain(ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("connecting from pod %s: %w", s.From, kube.Explain(err))
	}
	return &s, nil
}

// probe is what makes connections for a time, or as many as were asked for.
func (r *Reader) probe(time time.Duration) dbserver.Probe {
	q := r.query
	return dbserver.Probe{
		Host: q.Service + "." + q.Namespace, Port: int(r.base.Port), Connections: q.Connections, For: time, Concurrency: q.Concurrency,
	}
}

func answerOf(a dbserver.ProbeAnswer) Answer {
	out := Answer{Hostname: a.Hostname, ServerID: a.ServerID, Milliseconds: a.Time.Milliseconds()}
	if a.Err != nil {
		out.Error = a.Err.Error()
	}
	return out
}

// endpoints are the Service's EndpointSlices.
func (r *Reader) endpoints(ctx context.Context) ([]discoveryv1.EndpointSlice, error) {
	q := r.query
	var list []discoveryv1.EndpointSlice
	err := r.cluster.EachEndpointSlice(ctx, kube.Query{Namespace: q.Namespace, Selector: objects.SlicesOf(q.Service), ChunkSize: q.ChunkSize},
		func(slice *discoveryv1.EndpointSlice) { list = append(list, *slice) })
	return list, err
}

// find lists the servers of the namespace, and the pods that the Service is for and that pass connections on.
func (r *Reader) find(ctx context.Context, endpoints []discoveryv1.EndpointSlice) (all []dbserver.Server, routers []corev1.Pod, err error) {
	err = r.cluster.EachPod(ctx, kube.Query{Namespace: r.query.Namespace, ChunkSize: r.query.ChunkSize}, func(pod *corev1.Pod) {
		if server, ok := r.engines.Detect(pod); ok {
			all = append(all, server)
		} else if r.engines.Router(pod) != "" && isFor(&r.base.Service, endpoints, pod) {
			routers = append(routers, *pod)
		}
	})
	return all, routers, kube.Explain(err)
}

// routed are the servers of the set that a router is of: that of --from, the only one that there is, or the one whose pods have the most labels in
// common with the router's.
func (r *Reader) routed(all []dbserver.Server, routers []corev1.Pod) ([]dbserver.Server, error) {
	sets := map[string][]dbserver.Server{}
	alike := map[string]int{}
	chosen := ""
	for _, s := range all {
		group := s.Group()
		sets[group] = append(sets[group], s)
		alike[group] = max(alike[group], common(s.Pod.Labels, routers[0].Labels))
		if s.Pod.Name == r.query.From {
			chosen = group
		}
	}
	names := slices.SortedFunc(maps.Keys(sets), func(a, b string) int { return cmp.Or(alike[b]-alike[a], cmp.Compare(a, b)) })
	switch {
	case chosen != "":
	case len(names) == 0:
		return nil, fmt.Errorf("the Service %s leads to %s, and there is no %s in the namespace %s from which to connect to it", r.query.Service, r.base.Router, r.engines.Kind(), r.query.Namespace)
	case len(names) == 1 || alike[names[0]] > alike[names[1]]:
		chosen = names[0]
	default:
		return nil, fmt.Errorf("the Service %s leads to %s: name a pod of the set behind it with --from, as %s or %s", r.query.Service, r.base.Router, sets[names[0]][0].Pod.Name, sets[names[1]][0].Pod.Name)
	}
	return sets[chosen], nil
}

// common counts the labels that two pods have with the same values.
func common(a, b map[string]string) int {
	n := 0
	for key, value := range a {
		if other, ok := b[key]; ok && other == value {
			n++
		}
	}
	return n
}

// servers are those of the sets that the Service leads to, as they are now.
func (r *Reader) servers(ctx context.Context, endpoints []discoveryv1.EndpointSlice) ([]dbserver.Server, error) {
	all, err := r.engines.Find(ctx, r.cluster, dbserver.Scope{Namespace: r.query.Namespace, ChunkSize: r.query.ChunkSize})
	if err != nil {
		return nil, err
	}
	return r.related(all, endpoints), nil
}

// related keeps the servers of the sets that the Service leads to, by name.
func (r *Reader) related(all []dbserver.Server, endpoints []discoveryv1.EndpointSlice) []dbserver.Server {
	groups := map[string]bool{r.group: r.group != ""}
	for _, s := range r.behind(all, endpoints) {
		groups[s.Group()] = true
	}
	related := slices.DeleteFunc(slices.Clone(all), func(s dbserver.Server) bool { return !groups[s.Group()] })
	slices.SortFunc(related, func(a, b dbserver.Server) int { return objects.CompareNames(a.Pod.Name, b.Pod.Name) })
	return related
}

// behind are the servers that the Service is for, in their order: by itself, or through a router.
func (r *Reader) behind(servers []dbserver.Server, endpoints []discoveryv1.EndpointSlice) []dbserver.Server {
	return slices.DeleteFunc(slices.Clone(servers), func(s dbserver.Server) bool {
		return !isFor(&r.base.Service, endpoints, s.Pod) && (r.group == "" || s.Group() != r.group)
	})
}

// Package dbreads is kubectl doik reads: how a Service spreads fresh connections over the servers behind it.
package dbreads

import (
	"context"
	"errors"
	"fmt"
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
	From        string
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
	Answers []Answer                 `json:"answers,omitempty"`
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
	servers, err := r.servers(ctx, endpoints)
	if err != nil {
		return nil, err
	}
	if servers = r.behind(servers, endpoints); len(servers) == 0 {
		if len(service.Spec.Selector) == 0 {
			return nil, fmt.Errorf("the Service %s has no selector, and none of its endpoints is a %s", q.Service, r.engines.Kind())
		}
		return nil, fmt.Errorf("the Service %s selects no %s", q.Service, r.engines.Kind())
	}
	if r.from, err = r.choose(ctx, servers); err != nil {
		return nil, err
	}
	return r, nil
}

// choose finds the pod in which connections are made.
func (r *Reader) choose(ctx context.Context, servers []dbserver.Server) (dbserver.Server, error) {
	if r.query.From != "" {
		found, err := r.engines.Find(ctx, r.cluster, dbserver.Scope{Namespace: r.query.Namespace, ChunkSize: r.query.ChunkSize})
		if err != nil {
			return dbserver.Server{}, err
		}
		var names []string
		for _, s := range found {
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
		Host: q.Service + "." + q.Namespace, Port: int(servicePort(&r.base.Service, r.from.Engine)), Connections: q.Connections, For: time, Concurrency: q.Concurrency,
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
	groups := map[string]bool{}
	for _, s := range r.behind(all, endpoints) {
		groups[s.Group()] = true
	}
	related := slices.DeleteFunc(slices.Clone(all), func(s dbserver.Server) bool { return !groups[s.Group()] })
	slices.SortFunc(related, func(a, b dbserver.Server) int { return objects.CompareNames(a.Pod.Name, b.Pod.Name) })
	return related
}

// behind are the servers that the Service is for, in their order.
func (r *Reader) behind(servers []dbserver.Server, endpoints []discoveryv1.EndpointSlice) []dbserver.Server {
	return slices.DeleteFunc(slices.Clone(servers), func(s dbserver.Server) bool { return !isFor(&r.base.Service, endpoints, s.Pod) })
}

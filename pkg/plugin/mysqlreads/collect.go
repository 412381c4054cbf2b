// Package mysqlreads is kubectl doik mysql-reads: how a Service spreads fresh connections over the servers behind it.
package mysqlreads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Query says which Service is read, and how.
type Query struct {
	Namespace, Service string
	// From is the pod in which the connections are made; empty for the first server behind the Service that can.
	From        string
	Connections int
	For         time.Duration
	Concurrency int
	Access      dbserver.Access
	ChunkSize   int64
	// Progress is told what is being waited for. It may be nil.
	Progress func(text string)
}

// Snapshot is what the cluster and the servers said.
type Snapshot struct {
	Service        corev1.Service              `json:"service"`
	EndpointSlices []discoveryv1.EndpointSlice `json:"endpointSlices,omitempty"`
	// Servers are those that the Service selects.
	Servers []ServerSnapshot `json:"servers,omitempty"`
	From    string           `json:"from"`
	Answers []Answer         `json:"answers,omitempty"`
	// New are pods that have not been ready endpoints for as long as answers have been counted.
	New []string `json:"new,omitempty"`
	// Problems by what could not be read: endpointslices, or a pod.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// ServerSnapshot is what a server says of itself.
type ServerSnapshot struct {
	Pod string `json:"pod"`
	IP  string `json:"ip,omitempty"`
	// Hostname is what the server calls itself: the pod's name unless it is on its node's network.
	Hostname string `json:"hostname,omitempty"`
	ServerID int64  `json:"serverID,omitempty"`
	ReadOnly bool   `json:"readOnly,omitempty"`
	// Galera is true for a node of a Galera cluster: all take writes.
	Galera bool `json:"galera,omitempty"`
	// Answered is false where Problems say why nothing is known.
	Answered bool `json:"answered,omitempty"`
	// Channels are the rows of its replica status; ChannelsUnknown is true where it may not be asked.
	Channels        []mysql.Row `json:"channels,omitempty"`
	ChannelsUnknown bool        `json:"channelsUnknown,omitempty"`
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
	cluster   *kube.Cluster
	query     Query
	connector *mysql.Connector
	from      dbserver.Server
	base      Snapshot
}

// NewReader finds the Service, its servers and the pod in which connections are made.
func NewReader(ctx context.Context, cluster *kube.Cluster, q Query) (*Reader, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	q.Progress("reading the Service")
	r := &Reader{cluster: cluster, query: q, connector: mysql.NewConnector(cluster, q.Access)}
	service, err := cluster.Service(ctx, q.Namespace, q.Service)
	if apierrors.IsNotFound(err) {
		var names []string
		_ = cluster.EachService(ctx, kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, func(s *corev1.Service) { names = append(names, s.Name) }) // only to suggest
		return nil, kube.NotFound("Service", q.Namespace, q.Service, names)
	}
	if err != nil {
		return nil, kube.Explain(err)
	}
	if len(service.Spec.Selector) == 0 {
		return nil, fmt.Errorf("the Service %s selects no pods: whom it reaches, only its owner knows", q.Service)
	}
	r.base.Service = *service
	servers, err := mysql.Engine.Find(ctx, cluster, dbserver.Scope{
		Namespace: q.Namespace, Selector: objects.SelectorOf(service), ChunkSize: q.ChunkSize,
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(servers, func(a, b dbserver.Server) int { return objects.CompareNames(a.Pod.Name, b.Pod.Name) })
	if len(servers) == 0 {
		return nil, fmt.Errorf("the Service %s selects no MySQL or MariaDB server", q.Service)
	}
	if r.from, err = r.choose(ctx, servers); err != nil {
		return nil, err
	}
	return r, nil
}

// choose finds the pod in which connections are made.
func (r *Reader) choose(ctx context.Context, servers []dbserver.Server) (dbserver.Server, error) {
	if r.query.From != "" {
		found, err := mysql.Engine.Find(ctx, r.cluster, dbserver.Scope{Namespace: r.query.Namespace, ChunkSize: r.query.ChunkSize})
		if err != nil {
			return dbserver.Server{}, err
		}
		var names []string
		for _, s := range found {
			if names = append(names, s.Pod.Name); s.Pod.Name == r.query.From {
				return s, nil
			}
		}
		return dbserver.Server{}, kube.NotFound("pod with a MySQL client", r.query.Namespace, r.query.From, names)
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
	err := r.cluster.EachEndpointSlice(ctx, kube.Query{Namespace: q.Namespace, Selector: objects.SlicesOf(q.Service), ChunkSize: q.ChunkSize},
		func(slice *discoveryv1.EndpointSlice) {
			s.EndpointSlices = append(s.EndpointSlices, *slice)
		})
	if err != nil {
		s.Problems[subjectEndpoints] = kube.ProblemOf("EndpointSlices of the Service "+q.Service, err)
	}
	q.Progress("asking the servers of their replication")
	if err := r.askServers(ctx, &s); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	err = r.connector.Run(ctx, r.from, r.probe(q.For), func(a mysql.ProbeAnswer) {
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
func (r *Reader) probe(time time.Duration) mysql.Probe {
	q := r.query
	return mysql.Probe{
		Host: q.Service + "." + q.Namespace, Port: int(servicePort(&r.base.Service)), Connections: q.Connections, For: time, Concurrency: q.Concurrency,
	}
}

func answerOf(a mysql.ProbeAnswer) Answer {
	out := Answer{Hostname: a.Hostname, ServerID: a.ServerID, Milliseconds: a.Time.Milliseconds()}
	if a.Err != nil {
		out.Error = a.Err.Error()
	}
	return out
}

// askServers asks the servers behind the Service, as they are now, who they are and how they replicate.
func (r *Reader) askServers(ctx context.Context, s *Snapshot) error {
	servers, err := mysql.Engine.Find(ctx, r.cluster, dbserver.Scope{
		Namespace: r.query.Namespace, Selector: objects.SelectorOf(&r.base.Service), ChunkSize: r.query.ChunkSize,
	})
	if err != nil {
		return err
	}
	s.Servers = make([]ServerSnapshot, len(servers))
	var mu sync.Mutex
	var group errgroup.Group
	for i, server := range servers {
		group.Go(func() error {
			session, err := r.ask(ctx, server, nil, &s.Servers[i])
			if session != nil {
				session.Close()
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				s.Problems[server.Pod.Name] = dbserver.ProblemOf(server, err, r.query.Access.ServerTimeout)
			}
			return nil
		})
	}
	return group.Wait()
}

// ask asks a server of its replication, in a session that is open, else in a new one. The session that it returns is open, nil if there
// is none.
func (r *Reader) ask(ctx context.Context, server dbserver.Server, session *mysql.Session, out *ServerSnapshot) (*mysql.Session, error) {
	*out = ServerSnapshot{Pod: server.Pod.Name, IP: server.Pod.Status.PodIP}
	ctx, cancel := context.WithTimeout(ctx, r.query.Access.ServerTimeout)
	defer cancel()
	var variables, replica mysql.Answer
	if session != nil {
		answers := session.Ask(ctx, mysql.FirstStatement().Text, mysql.StatementFor(session.Version, mysql.SubjectReplica).Text)
		if variables, replica = answers[0], answers[1]; variables.Err != nil { // every server answers this: the session has ended
			session.Close()
			session = nil
		}
	}
	if session == nil {
		var err error
		if session, err = r.connector.Open(ctx, server, mysql.SubjectReplica); err != nil {
			return nil, err
		}
		variables, replica = session.Variables, session.Answers[0].Answer
	}
	row := variables.Pairs()
	out.Answered = true
	out.Hostname = row.Text("hostname")
	out.ServerID, _ = row.Int("server_id")
	out.ReadOnly = row.Text("read_only") != "OFF"
	out.Galera = row.Text("wsrep_on") == "ON"
	out.ChannelsUnknown = replica.Err != nil
	out.Channels = replica.Maps()
	return session, nil
}

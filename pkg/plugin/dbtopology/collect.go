// Package dbtopology is kubectl doik topology: which server replicates from which among the database servers of a namespace, how late, and what is wrong,
// beside what Kubernetes thinks of the same pods. What only one engine has is in the engine's package.
package dbtopology

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Query says what to collect.
type Query struct {
	Engines []*Engine
	// Namespace is empty for all namespaces; then Names is empty too.
	Namespace string
	// Names are sets, or pods of sets. Selector chooses pods; at most one of the two is set.
	Names     []string
	Selector  string
	ChunkSize int64
	// Wanted, which may be nil, tells which of their pods count.
	Wanted func(*corev1.Pod) bool
	Access dbserver.Access
	// PollInterval is how often a Follower asks each server.
	PollInterval time.Duration
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Snapshot is what the cluster and the servers said. Objects are cut down to what analysis reads.
type Snapshot struct {
	// Pods are those that run servers of the sets that were asked for.
	Pods           []corev1.Pod                `json:"pods"`
	Services       []corev1.Service            `json:"services,omitempty"`
	EndpointSlices []discoveryv1.EndpointSlice `json:"endpointSlices,omitempty"`
	Nodes          []corev1.Node               `json:"nodes,omitempty"`
	// Servers is by namespace/pod.
	Servers map[string]dbserver.Said `json:"servers,omitempty"`
	// Problems by what could not be read at all: services, endpointslices, nodes.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Keys of Snapshot.Problems.
const (
	subjectPods      = "pods" // of a Follower only: without them there is no snapshot
	subjectServices  = "services"
	subjectEndpoints = "endpointslices"
	subjectNodes     = "nodes"
)

// Collect finds the servers of the query and asks all of them at once. It fails only if pods can't be read or a name is of
// nothing; what else can't be read is a problem in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	progress := q.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress("reading pods")
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Servers: map[string]dbserver.Said{}}
	found, err := servers(q.Engines).Find(ctx, cluster, q.scope())
	if err != nil {
		return nil, err
	}
	for _, server := range found {
		s.Pods = append(s.Pods, *server.Pod)
	}
	if len(found) == 0 {
		return s, nil
	}
	var group errgroup.Group
	group.Go(func() error {
		s.Servers = dbserver.AskAll(ctx, servers(q.Engines).Asker(cluster, q.Access), found, q.Access.ServerTimeout, progress)
		return nil
	})
	group.Go(func() error { s.collectAround(ctx, cluster, q); return nil })
	_ = group.Wait() // errors have become problems
	s.lookAgain(ctx, cluster.Fresh())
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, kube.Explain(ctx.Err())
	}
	return s, nil
}

// lookAgain reads the pods of servers that did not answer once more: a pod may have been deleted, or replaced, since it was read, and then
// its server is not to blame. What can't be read stays as it was.
func (s *Snapshot) lookAgain(ctx context.Context, cluster *kube.Cluster) {
	var group errgroup.Group
	group.SetLimit(podsAtOnce)
	for i := range s.Pods {
		pod := &s.Pods[i]
		if s.Servers[pod.Namespace+"/"+pod.Name].Failure == nil {
			continue
		}
		group.Go(func() error {
			switch now, err := cluster.Pod(ctx, pod.Namespace, pod.Name); {
			case apierrors.IsNotFound(err):
				pod.DeletionTimestamp = new(metav1.Now())
			case err == nil:
				*pod = *now
			}
			return nil
		})
	}
	_ = group.Wait() // who may not read a pod does without
}

// podsAtOnce bounds how many pods are read at the same time.
const podsAtOnce = 8

// collectAround reads Services, their endpoints, and nodes.
func (s *Snapshot) collectAround(ctx context.Context, cluster *kube.Cluster, q Query) {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	where := " " + kube.Where(q.Namespace)
	_, _ = kube.SideBySide(ctx, s.Problems, // none is needed
		kube.Read{Subject: subjectServices, Title: "Services" + where, Do: func(ctx context.Context) error {
			return cluster.EachService(ctx, all, func(service *corev1.Service) {
				s.Services = append(s.Services, *service)
			})
		}},
		kube.Read{Subject: subjectEndpoints, Title: "EndpointSlices" + where, Do: func(ctx context.Context) error {
			return cluster.EachEndpointSlice(ctx, all, func(slice *discoveryv1.EndpointSlice) {
				s.EndpointSlices = append(s.EndpointSlices, *slice)
			})
		}},
		kube.Read{Subject: subjectNodes, Title: "nodes", Do: func(ctx context.Context) error {
			return cluster.EachNode(ctx, kube.Query{ChunkSize: q.ChunkSize}, func(node *corev1.Node) {
				reduceNode(node)
				s.Nodes = append(s.Nodes, *node)
			})
		}})
}

// scope says which servers are looked for.
func (q *Query) scope() dbserver.Scope {
	return dbserver.Scope{Namespace: q.Namespace, Names: q.Names, Selector: q.Selector, ChunkSize: q.ChunkSize, Wanted: q.Wanted}
}

// reduceNode drops by far the most of a node: a list of images.
func reduceNode(node *corev1.Node) {
	node.Status = corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KubeletVersion: node.Status.NodeInfo.KubeletVersion}}
}

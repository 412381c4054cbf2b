package kube

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// lastWords is how long a reader whose time is up waits for the reason.
const lastWords = 200 * time.Millisecond

// Sharing says which lists several readers share.
type Sharing struct {
	// Namespace is that whose objects are shared, and with them those of kinds without namespaces; empty for all namespaces.
	Namespace string
	ChunkSize int64
	// ReducePod, which may be nil, drops what no reader wants of a pod. It may replace fields of the pod, and must not write into
	// what they refer to.
	ReducePod func(*corev1.Pod)
}

// Share returns the cluster for several readers at the same time, who see the same objects: each kind is listed once, when the first
// of them asks for it, objects by their names are found in the list of their kind, and each kubelet is asked once for what it has measured. What is not shared is read as ever. Readers
// get copies of objects, whose fields they may replace; they must not write into maps and slices. Lists end with the context.
func (c *Cluster) Share(ctx context.Context, s Sharing) *Cluster {
	readers := *c
	readers.shared = &shared{Sharing: s, ctx: ctx, lists: map[resource]*sharedList{}, kubelets: map[string]*sharedUsage{}}
	return &readers
}

// Observe returns the cluster with an observer that sees each object that is read into shared lists or followed, with its kind in small
// letters, before anything is dropped of it. Calls may overlap.
func (c *Cluster) Observe(seen func(kind string, o metav1.Object)) *Cluster {
	observed := *c
	observed.seen = seen
	return &observed
}

// Fresh returns the cluster for who wants to see objects as they are now.
func (c *Cluster) Fresh() *Cluster {
	fresh := *c
	fresh.shared = nil
	return &fresh
}

// shared are lists that have several readers.
type shared struct {
	Sharing
	// ctx is that of all readers: a list must not end with the one that happened to be the first.
	ctx context.Context

	mu       sync.Mutex
	lists    map[resource]*sharedList
	kubelets map[string]*sharedUsage
}

// sharedList is the list of a kind: objects is a []*T, complete when done is closed.
type sharedList struct {
	done    chan struct{}
	objects any
	err     error
}

// covers reports whether a query is answered from shared lists.
func (s *shared) covers(r resource, q Query) bool {
	return s != nil && q.Fields == "" && r != events && (!r.hasNamespace() || s.Namespace == "" || s.Namespace == q.Namespace)
}

// eachShared passes on copies of those objects of a shared list that a query selects.
func eachShared[L, T any, LP list[L], TP object[T]](ctx context.Context, c *Cluster, r resource, q Query, items func(LP) []T, each func(TP)) error {
	selector, err := labels.Parse(q.Selector)
	if err != nil {
		return err
	}
	all, first := c.shared.list(r)
	if first {
		all.objects, all.err = readShared[L, T, LP, TP](c, r, items)
		close(all.done)
	}
	select {
	case <-all.done:
	case <-ctx.Done():
		select { // the list ends with the same context, and knows better why there is nothing
		case <-all.done:
		case <-time.After(lastWords):
			return Ended(ctx)
		}
	}
	if all.err != nil {
		return all.err
	}
	for _, o := range all.objects.([]TP) {
		if q.Namespace != "" && r.hasNamespace() && o.GetNamespace() != q.Namespace || !selector.Matches(labels.Set(o.GetLabels())) {
			continue
		}
		item := *o
		each(&item)
	}
	return nil
}

// list is the list of a kind, and whether the caller is the one to read it.
func (s *shared) list(r resource) (l *sharedList, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists[r] == nil {
		s.lists[r], first = &sharedList{done: make(chan struct{})}, true
	}
	return s.lists[r], first
}

func readShared[L, T any, LP list[L], TP object[T]](c *Cluster, r resource, items func(LP) []T) ([]TP, error) {
	s := c.shared
	q := Query{ChunkSize: s.ChunkSize}
	if r.hasNamespace() {
		q.Namespace = s.Namespace
	}
	var objects []TP
	var passed passed
	err := eachPage(s.ctx, q, lister[L, LP](c, r, q), func(page LP) {
		passed.add(page)
		for _, item := range items(page) {
			o := TP(&item)
			if passed.before(o) {
				continue
			}
			trim(o)
			if c.seen != nil {
				c.seen(r.kind, o)
			}
			if pod, ok := any(o).(*corev1.Pod); ok && s.ReducePod != nil {
				s.ReducePod(pod)
			}
			objects = append(objects, o)
		}
	})
	return objects, err
}

// sharedUsage is what a kubelet has measured of all claims, complete when done is closed.
type sharedUsage struct {
	done  chan struct{}
	found map[types.NamespacedName]v1alpha1.VolumeUsage
	err   error
}

// usageOf is what a kubelet has measured of the claims that are wanted.
func (c *Cluster) usageOf(ctx context.Context, node string, q UsageQuery) (map[types.NamespacedName]v1alpha1.VolumeUsage, error) {
	if c.shared == nil {
		return c.nodeUsage(ctx, node, q)
	}
	c.shared.mu.Lock()
	answer := c.shared.kubelets[node]
	first := answer == nil
	if first {
		answer = &sharedUsage{done: make(chan struct{})}
		c.shared.kubelets[node] = answer
	}
	c.shared.mu.Unlock()
	if first {
		all := q
		all.Wanted = func(types.NamespacedName) bool { return true }
		answer.found, answer.err = c.nodeUsage(c.shared.ctx, node, all)
		close(answer.done)
	}
	select {
	case <-answer.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	found := map[types.NamespacedName]v1alpha1.VolumeUsage{}
	for claim, u := range answer.found {
		if q.Wanted(claim) {
			found[claim] = u
		}
	}
	return found, answer.err
}

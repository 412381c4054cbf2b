package kube

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// followBackoff is how long a broken watch waits before it is taken up again; it doubles up to the limit.
const (
	followBackoff    = 500 * time.Millisecond
	maxFollowBackoff = 3 * time.Second
)

// Mirror holds the objects of a query as the API server has them: one list, then what its watch brings. Connections that break,
// API servers that start anew and states that are too old (410) are gone through; what is held stays meanwhile.
type Mirror[T any] struct {
	reduce  func(*T)
	changed func()

	mu      sync.Mutex
	objects map[string]*T
	synced  bool
	err     error
}

// Objects are those that are held, by namespace and name, or why there are none. They must not be changed.
func (m *Mirror[T]) Objects() ([]*T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*T, 0, len(m.objects))
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		list = append(list, m.objects[key])
	}
	return list, m.err
}

// Settled tells whether the list has been read, or can't be.
func (m *Mirror[T]) Settled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.synced || m.err != nil
}

// FollowStatefulSets mirrors StatefulSets until the context ends. Reduce drops what nobody reads; changed is called after each
// change, from another goroutine.
func (c *Cluster) FollowStatefulSets(ctx context.Context, q Query, reduce func(*appsv1.StatefulSet), changed func()) *Mirror[appsv1.StatefulSet] {
	return follow[appsv1.StatefulSetList](ctx, c, statefulSets, q, reduce, changed)
}

// FollowPods mirrors pods, as FollowStatefulSets does StatefulSets.
func (c *Cluster) FollowPods(ctx context.Context, q Query, reduce func(*corev1.Pod), changed func()) *Mirror[corev1.Pod] {
	return follow[corev1.PodList](ctx, c, pods, q, reduce, changed)
}

// FollowClaims mirrors PersistentVolumeClaims.
func (c *Cluster) FollowClaims(ctx context.Context, q Query, reduce func(*corev1.PersistentVolumeClaim), changed func()) *Mirror[corev1.PersistentVolumeClaim] {
	return follow[corev1.PersistentVolumeClaimList](ctx, c, claims, q, reduce, changed)
}

// FollowServices mirrors Services.
func (c *Cluster) FollowServices(ctx context.Context, q Query, reduce func(*corev1.Service), changed func()) *Mirror[corev1.Service] {
	return follow[corev1.ServiceList](ctx, c, services, q, reduce, changed)
}

// FollowDisruptionBudgets mirrors PodDisruptionBudgets.
func (c *Cluster) FollowDisruptionBudgets(ctx context.Context, q Query, reduce func(*policyv1.PodDisruptionBudget), changed func()) *Mirror[policyv1.PodDisruptionBudget] {
	return follow[policyv1.PodDisruptionBudgetList](ctx, c, disruptionBudgets, q, reduce, changed)
}

func follow[L, T any, LP interface {
	*L
	runtime.Object
}, TP interface {
	*T
	runtime.Object
	metav1.Object
}](ctx context.Context, c *Cluster, r resource, q Query, reduce func(*T), changed func()) *Mirror[T] {
	m := &Mirror[T]{reduce: reduce, changed: changed, objects: map[string]*T{}}
	client := c.clients[r.GroupVersion]
	ask := func(o metav1.ListOptions) *rest.Request {
		o.LabelSelector, o.FieldSelector = q.Selector, q.Fields
		return client.Get().NamespaceIfScoped(q.Namespace, q.Namespace != "").Resource(r.name).VersionedParams(&o, parameters)
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			page := LP(new(L))
			err := ask(o).Do(ctx).Into(page)
			return page, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			return ask(o).Watch(ctx)
		},
	}
	silent := klog.Logger{}
	reflector := cache.NewReflectorWithOptions(source, TP(new(T)), &store[T, TP]{m}, cache.ReflectorOptions{Name: r.name, Logger: &silent})
	reflector.WatchListPageSize = q.ChunkSize
	go m.keep(ctx, reflector.ListAndWatchWithContext)
	return m
}

// keep lists and watches until the context ends, or it turns out that the user may not.
func (m *Mirror[T]) keep(ctx context.Context, listAndWatch func(context.Context) error) {
	backoff := followBackoff
	for ctx.Err() == nil {
		begun := time.Now() //nolint:forbidigo // how long a connection held, which no caller could say
		err := listAndWatch(ctx)
		if ctx.Err() != nil {
			return
		}
		refused := apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
		m.mu.Lock()
		// What is held is better than nothing while a server is away.
		if err != nil && (refused || !m.synced) {
			m.err = err
		}
		m.mu.Unlock()
		if err != nil {
			m.changed()
		}
		if refused {
			return
		}
		if time.Since(begun) > maxFollowBackoff { //nolint:forbidigo // as above
			backoff = followBackoff
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, maxFollowBackoff)
	}
}

// store is what a reflector writes to.
type store[T any, TP interface {
	*T
	metav1.Object
}] struct{ *Mirror[T] }

// keep drops what is not kept of an object.
func (s *store[T, TP]) keep(o TP) {
	trim(o)
	if s.reduce != nil {
		s.reduce((*T)(o))
	}
}

func key(o metav1.Object) string { return o.GetNamespace() + "/" + o.GetName() }

func (s *store[T, TP]) put(object any) {
	o := TP(object.(*T))
	s.keep(o)
	s.mu.Lock()
	s.objects[key(o)] = (*T)(o)
	s.mu.Unlock()
	s.changed()
}

// Add is called for an object that is new.
func (s *store[T, TP]) Add(object any) error { s.put(object); return nil }

// Update is called for an object that has changed.
func (s *store[T, TP]) Update(object any) error { s.put(object); return nil }

// Delete is called for an object that is gone.
func (s *store[T, TP]) Delete(object any) error {
	s.mu.Lock()
	delete(s.objects, key(TP(object.(*T))))
	s.mu.Unlock()
	s.changed()
	return nil
}

// Replace is called with all objects, after a list.
func (s *store[T, TP]) Replace(objects []any, _ string) error {
	all := make(map[string]*T, len(objects))
	for _, object := range objects {
		o := TP(object.(*T))
		s.keep(o)
		all[key(o)] = (*T)(o)
	}
	s.mu.Lock()
	s.objects, s.synced, s.err = all, true, nil
	s.mu.Unlock()
	s.changed()
	return nil
}

// Resync is never asked for.
func (s *store[T, TP]) Resync() error { return nil }

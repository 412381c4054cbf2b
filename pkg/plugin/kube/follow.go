package kube

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// followBackoff is how long a broken watch waits before it is taken up again; it doubles up to the limit. What the user may not read
// is asked for again now and then, as the permission may be granted, or a credential renewed.
const (
	followBackoff    = 500 * time.Millisecond
	maxFollowBackoff = 3 * time.Second
	refusedBackoff   = 20 * time.Second
	// lostAfter is how long what is held is shown without a word while an API server that answers fails to list it (500, 503).
	lostAfter = 30 * time.Second
)

// Mirror holds what is kept of the objects of a query as the API server has them: one list, then what its watch brings. Connections
// that break, API servers that restart and states that are too old (410) are gone through; what is held stays meanwhile.
type Mirror[K any] struct {
	changed func()
	link    *Link

	mu      sync.Mutex
	objects map[string]*K
	synced  bool
	err     error
	failing time.Time     // since when it fails, zero if it does not
	settled chan struct{} // closed when the list has been read, or can't be
}

// Objects are what is held, by namespace and name, or why nothing could be read. They must not be changed. Lost is why they are no
// longer followed: what is held is then from before.
func (m *Mirror[K]) Objects() (list []*K, lost, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.synced {
		return nil, nil, m.err
	}
	list = make([]*K, 0, len(m.objects))
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		list = append(list, m.objects[key])
	}
	return list, m.err, nil
}

// lostSuffix ends the keys of problems with what is no longer followed.
const lostSuffix = " lost"

// Collect is Objects for a snapshot: why a subject, which people call title, could not be read is noted in problems by its key. Ok is
// true if something is known of it, be it from before; the problem then has a key of its own.
func (m *Mirror[K]) Collect(problems map[string]v1alpha1.Problem, key, title string) (list []*K, ok bool) {
	list, lost, err := m.Objects()
	switch {
	case err != nil:
		problems[key] = ProblemOf(title, err)
	case lost != nil:
		problem := ProblemOf(title, lost)
		problem.Message += "; what is shown may be out of date"
		problems[key+lostSuffix] = problem
	}
	return list, err == nil
}

// Settled reports whether the list has been read, or can't be.
func (m *Mirror[K]) Settled() bool {
	select {
	case <-m.settled:
		return true
	default:
		return false
	}
}

// Wait returns when the mirror has settled, or the context's error.
func (m *Mirror[K]) Wait(ctx context.Context) error {
	if m.Settled() {
		return nil
	}
	select {
	case <-m.settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Whole keeps objects as they are, after reduce, which may be nil, has dropped unused fields.
func Whole[T any](reduce func(*T)) func(*T) *T {
	return func(object *T) *T {
		if reduce != nil {
			reduce(object)
		}
		alone := *object // a pointer into a page of a list would hold all of it
		return &alone
	}
}

// FollowStatefulSets mirrors StatefulSets until the context ends. Keep tells what is kept of each, nil for nothing: it must not hold
// on to the object itself, see Whole. Changed is called after each change of what is kept, from another goroutine.
func FollowStatefulSets[K any](ctx context.Context, c *Cluster, q Query, keep func(*appsv1.StatefulSet) *K, changed func()) *Mirror[K] {
	return follow[appsv1.StatefulSetList](ctx, c, statefulSets, q, keep, changed)
}

// FollowPods mirrors pods, as FollowStatefulSets does StatefulSets.
func FollowPods[K any](ctx context.Context, c *Cluster, q Query, keep func(*corev1.Pod) *K, changed func()) *Mirror[K] {
	return follow[corev1.PodList](ctx, c, pods, q, keep, changed)
}

// FollowClaims mirrors PersistentVolumeClaims.
func FollowClaims[K any](ctx context.Context, c *Cluster, q Query, keep func(*corev1.PersistentVolumeClaim) *K, changed func()) *Mirror[K] {
	return follow[corev1.PersistentVolumeClaimList](ctx, c, claims, q, keep, changed)
}

// FollowVolumes mirrors PersistentVolumes.
func FollowVolumes[K any](ctx context.Context, c *Cluster, q Query, keep func(*corev1.PersistentVolume) *K, changed func()) *Mirror[K] {
	return follow[corev1.PersistentVolumeList](ctx, c, volumes, q, keep, changed)
}

// FollowServices mirrors Services.
func FollowServices[K any](ctx context.Context, c *Cluster, q Query, keep func(*corev1.Service) *K, changed func()) *Mirror[K] {
	return follow[corev1.ServiceList](ctx, c, services, q, keep, changed)
}

// FollowEndpointSlices mirrors EndpointSlices.
func FollowEndpointSlices[K any](ctx context.Context, c *Cluster, q Query, keep func(*discoveryv1.EndpointSlice) *K, changed func()) *Mirror[K] {
	return follow[discoveryv1.EndpointSliceList](ctx, c, endpointSlices, q, keep, changed)
}

// FollowDisruptionBudgets mirrors PodDisruptionBudgets.
func FollowDisruptionBudgets[K any](ctx context.Context, c *Cluster, q Query, keep func(*policyv1.PodDisruptionBudget) *K, changed func()) *Mirror[K] {
	return follow[policyv1.PodDisruptionBudgetList](ctx, c, disruptionBudgets, q, keep, changed)
}

// FollowStorageClasses mirrors StorageClasses.
func FollowStorageClasses[K any](ctx context.Context, c *Cluster, q Query, keep func(*storagev1.StorageClass) *K, changed func()) *Mirror[K] {
	return follow[storagev1.StorageClassList](ctx, c, storageClasses, q, keep, changed)
}

// FollowEvents mirrors events.
func FollowEvents[K any](ctx context.Context, c *Cluster, q Query, keep func(*corev1.Event) *K, changed func()) *Mirror[K] {
	return follow[corev1.EventList](ctx, c, events, q, keep, changed)
}

// FollowNodes mirrors nodes.
func FollowNodes[K any](ctx context.Context, c *Cluster, q Query, keep func(*corev1.Node) *K, changed func()) *Mirror[K] {
	return follow[corev1.NodeList](ctx, c, nodes, q, keep, changed)
}

// FollowCSINodes mirrors CSINodes.
func FollowCSINodes[K any](ctx context.Context, c *Cluster, q Query, keep func(*storagev1.CSINode) *K, changed func()) *Mirror[K] {
	return follow[storagev1.CSINodeList](ctx, c, csiNodes, q, keep, changed)
}

func follow[L, T, K any, LP list[L], TP object[T]](ctx context.Context, c *Cluster, r resource, q Query, keep func(*T) *K, changed func()) *Mirror[K] {
	m := &Mirror[K]{changed: changed, link: c.link, objects: map[string]*K{}, settled: make(chan struct{})}
	client, err := c.client(r)
	if err != nil {
		m.failed(err)
		return m
	}
	ask := func(o metav1.ListOptions) *rest.Request {
		o.LabelSelector, o.FieldSelector = q.Selector, q.Fields
		return client.Get().NamespaceIfScoped(q.Namespace, q.Namespace != "").Resource(r.name).SpecificallyVersionedParams(&o, parameters, metaVersion)
	}
	s := &store[T, K, TP]{Mirror: m, keep: keep, kind: r.kind, seen: c.seen}
	source := &cache.ListWatch{
		// A list is cut down page by page, so that it never is in memory as a whole.
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			page := LP(new(L))
			if err := ask(o).Do(ctx).Into(page); err != nil {
				return nil, err
			}
			list := &metainternalversion.List{ListMeta: metav1.ListMeta{
				ResourceVersion: page.GetResourceVersion(), Continue: page.GetContinue(), RemainingItemCount: page.GetRemainingItemCount(),
			}}
			err := meta.EachListItem(page, func(object runtime.Object) error {
				list.Items = append(list.Items, s.cut(object))
				return nil
			})
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			return ask(o).Watch(ctx)
		},
	}
	silent := klog.Logger{}
	reflector := cache.NewReflectorWithOptions(source, TP(new(T)), s, cache.ReflectorOptions{Name: r.name, Logger: &silent})
	reflector.WatchListPageSize = q.ChunkSize
	go m.follow(ctx, reflector.ListAndWatchWithContext)
	return m
}

// follow lists and watches until the context ends. While the API server is away it waits.
func (m *Mirror[K]) follow(ctx context.Context, listAndWatch func(context.Context) error) {
	defer m.link.rest(m)
	backoff := followBackoff
	for ctx.Err() == nil {
		attempt, end := m.link.follow(ctx, m)
		begun := now()
		err := listAndWatch(attempt)
		lost := attempt.Err() != nil
		end()
		if ctx.Err() != nil {
			return
		}
		if lost {
			continue
		}
		if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "failed to list ") { // the reflector's words
			err = inner
		}
		wait := backoff
		if m.failed(err) {
			wait = refusedBackoff
		}
		if now().Sub(begun) > maxFollowBackoff {
			backoff = followBackoff
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		backoff = min(2*backoff, maxFollowBackoff)
	}
}

// failed takes in why an attempt to follow has ended, nil if it only was to be taken up again, and reports whether the user was refused.
func (m *Mirror[K]) failed(err error) (refused bool) {
	refused = apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
	awaited := m.link.Awaited(err)
	switch {
	case err == nil:
		return false
	case refused:
		m.link.rest(m)
	case LoginFailed(err): // such a request never gets to the transport
		m.link.note(err)
	case !awaited:
		m.link.caughtUp(m)
	}
	m.mu.Lock()
	if m.failing.IsZero() || awaited {
		m.failing = now()
	}
	// What is held is better than nothing while a server is away, which the title tells.
	if refused || !awaited && (!m.synced || now().Sub(m.failing) >= lostAfter) {
		m.err = err
		m.settle()
	}
	m.mu.Unlock()
	m.changed()
	return refused
}

// settle notes that the list has been read, or can't be. The mirror is locked.
func (m *Mirror[K]) settle() {
	if !m.Settled() {
		close(m.settled)
	}
}

// put takes what is kept of an object in the place of what was.
func (m *Mirror[K]) put(key string, value *K) {
	m.mu.Lock()
	old := m.objects[key]
	if value != nil {
		m.objects[key] = value
	} else {
		delete(m.objects, key)
	}
	m.mu.Unlock()
	if !reflect.DeepEqual(old, value) {
		m.changed()
	}
}

// cutDown is what is kept of an object on its way from a list to the store. Of the metadata it has namespace and name.
type cutDown[K any] struct {
	metav1.ObjectMeta
	value *K
}

// GetObjectKind is what a runtime.Object has.
func (*cutDown[K]) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject is what a runtime.Object has.
func (c *cutDown[K]) DeepCopyObject() runtime.Object {
	alone := *c
	return &alone
}

// store is what a reflector writes to.
type store[T, K any, TP object[T]] struct {
	*Mirror[K]
	keep func(*T) *K
	kind string
	seen func(kind string, o metav1.Object)
}

func key(o metav1.Object) string { return o.GetNamespace() + "/" + o.GetName() }

// kept is what is kept of an object.
func (s *store[T, K, TP]) kept(o TP) *K {
	trim(o)
	if s.seen != nil {
		s.seen(s.kind, o)
	}
	return s.keep((*T)(o))
}

func (s *store[T, K, TP]) cut(object any) *cutDown[K] {
	o := TP(object.(*T))
	return &cutDown[K]{ObjectMeta: metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: o.GetName()}, value: s.kept(o)}
}

// Transformer cuts objects down that the reflector gathers before it calls Replace.
func (s *store[T, K, TP]) Transformer() cache.TransformFunc {
	return func(object any) (any, error) { return s.cut(object), nil }
}

// Add is called for an object that is new.
func (s *store[T, K, TP]) Add(object any) error {
	o := TP(object.(*T))
	s.put(key(o), s.kept(o))
	return nil
}

// Update is called for an object that has changed.
func (s *store[T, K, TP]) Update(object any) error { return s.Add(object) }

// Delete is called for an object that is gone.
func (s *store[T, K, TP]) Delete(object any) error {
	s.put(key(TP(object.(*T))), nil)
	return nil
}

// Replace is called with all objects, cut down, after a list.
func (s *store[T, K, TP]) Replace(objects []any, _ string) error {
	all := make(map[string]*K, len(objects))
	for _, object := range objects {
		if o := object.(*cutDown[K]); o.value != nil {
			all[key(o)] = o.value
		}
	}
	s.mu.Lock()
	s.objects, s.synced, s.err, s.failing = all, true, nil, time.Time{}
	s.settle()
	s.mu.Unlock()
	s.link.caughtUp(s.Mirror)
	s.changed()
	return nil
}

// Resync is never asked for.
func (s *store[T, K, TP]) Resync() error { return nil }

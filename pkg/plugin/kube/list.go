package kube

import (
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// resource is a kind of object: as the API's paths name it, and one of it, as findings do.
type resource struct {
	schema.GroupVersion
	name, kind string
}

// hasNamespace reports whether objects of the kind are in namespaces.
func (r resource) hasNamespace() bool {
	switch r {
	case volumes, nodes, namespaces, storageClasses, volumeAttachments, csiNodes:
		return false
	}
	return true
}

var (
	statefulSets      = resource{appsv1.SchemeGroupVersion, "statefulsets", "statefulset"}
	pods              = resource{corev1.SchemeGroupVersion, "pods", "pod"}
	claims            = resource{corev1.SchemeGroupVersion, "persistentvolumeclaims", "persistentvolumeclaim"}
	volumes           = resource{corev1.SchemeGroupVersion, "persistentvolumes", "persistentvolume"}
	services          = resource{corev1.SchemeGroupVersion, "services", "service"}
	endpointSlices    = resource{discoveryv1.SchemeGroupVersion, "endpointslices", "endpointslice"}
	secrets           = resource{corev1.SchemeGroupVersion, "secrets", "secret"}
	events            = resource{corev1.SchemeGroupVersion, "events", "event"}
	nodes             = resource{corev1.SchemeGroupVersion, "nodes", "node"}
	namespaces        = resource{corev1.SchemeGroupVersion, "namespaces", "namespace"}
	storageClasses    = resource{storagev1.SchemeGroupVersion, "storageclasses", "storageclass"}
	volumeAttachments = resource{storagev1.SchemeGroupVersion, "volumeattachments", "volumeattachment"}
	csiNodes          = resource{storagev1.SchemeGroupVersion, "csinodes", "csinode"}
	disruptionBudgets = resource{policyv1.SchemeGroupVersion, "poddisruptionbudgets", "poddisruptionbudget"}
	networkPolicies   = resource{networkingv1.SchemeGroupVersion, "networkpolicies", "networkpolicy"}
)

// EachStatefulSet calls each for every StatefulSet of the query.
func (c *Cluster) EachStatefulSet(ctx context.Context, q Query, each func(*appsv1.StatefulSet)) error {
	return eachObject(ctx, c, statefulSets, q, func(page *appsv1.StatefulSetList) []appsv1.StatefulSet { return page.Items }, each)
}

// StatefulSet gets one StatefulSet.
func (c *Cluster) StatefulSet(ctx context.Context, namespace, name string) (*appsv1.StatefulSet, error) {
	return getObject(ctx, c, statefulSets, namespace, name, c.EachStatefulSet)
}

// EachPod calls each for every pod of the query.
func (c *Cluster) EachPod(ctx context.Context, q Query, each func(*corev1.Pod)) error {
	return eachObject(ctx, c, pods, q, func(page *corev1.PodList) []corev1.Pod { return page.Items }, each)
}

// Pod gets one pod.
func (c *Cluster) Pod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return getObject(ctx, c, pods, namespace, name, c.EachPod)
}

// EachClaim calls each for every PersistentVolumeClaim of the query.
func (c *Cluster) EachClaim(ctx context.Context, q Query, each func(*corev1.PersistentVolumeClaim)) error {
	return eachObject(ctx, c, claims, q, func(page *corev1.PersistentVolumeClaimList) []corev1.PersistentVolumeClaim { return page.Items }, each)
}

// EachVolume calls each for every PersistentVolume.
func (c *Cluster) EachVolume(ctx context.Context, q Query, each func(*corev1.PersistentVolume)) error {
	return eachObject(ctx, c, volumes, q, func(page *corev1.PersistentVolumeList) []corev1.PersistentVolume { return page.Items }, each)
}

// EachService calls each for every Service of the query.
func (c *Cluster) EachService(ctx context.Context, q Query, each func(*corev1.Service)) error {
	return eachObject(ctx, c, services, q, func(page *corev1.ServiceList) []corev1.Service { return page.Items }, each)
}

// Service gets one Service.
func (c *Cluster) Service(ctx context.Context, namespace, name string) (*corev1.Service, error) {
	return getObject(ctx, c, services, namespace, name, c.EachService)
}

// EachEndpointSlice calls each for every EndpointSlice of the query.
func (c *Cluster) EachEndpointSlice(ctx context.Context, q Query, each func(*discoveryv1.EndpointSlice)) error {
	return eachObject(ctx, c, endpointSlices, q, func(page *discoveryv1.EndpointSliceList) []discoveryv1.EndpointSlice { return page.Items }, each)
}

// Secret gets one Secret.
func (c *Cluster) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return get[corev1.Secret](ctx, c, secrets, namespace, name)
}

// EachEvent calls each for every event of the query.
func (c *Cluster) EachEvent(ctx context.Context, q Query, each func(*corev1.Event)) error {
	return eachObject(ctx, c, events, q, func(page *corev1.EventList) []corev1.Event { return page.Items }, each)
}

// EachNode calls each for every node.
func (c *Cluster) EachNode(ctx context.Context, q Query, each func(*corev1.Node)) error {
	return eachObject(ctx, c, nodes, q, func(page *corev1.NodeList) []corev1.Node { return page.Items }, each)
}

// Node gets one node.
func (c *Cluster) Node(ctx context.Context, name string) (*corev1.Node, error) {
	return getObject(ctx, c, nodes, "", name, c.EachNode)
}

// EachStorageClass calls each for every StorageClass.
func (c *Cluster) EachStorageClass(ctx context.Context, q Query, each func(*storagev1.StorageClass)) error {
	return eachObject(ctx, c, storageClasses, q, func(page *storagev1.StorageClassList) []storagev1.StorageClass { return page.Items }, each)
}

// EachVolumeAttachment calls each for every VolumeAttachment.
func (c *Cluster) EachVolumeAttachment(ctx context.Context, q Query, each func(*storagev1.VolumeAttachment)) error {
	return eachObject(ctx, c, volumeAttachments, q, func(page *storagev1.VolumeAttachmentList) []storagev1.VolumeAttachment { return page.Items }, each)
}

// EachCSINode calls each for every CSINode: what the drivers on a node say of themselves.
func (c *Cluster) EachCSINode(ctx context.Context, q Query, each func(*storagev1.CSINode)) error {
	return eachObject(ctx, c, csiNodes, q, func(page *storagev1.CSINodeList) []storagev1.CSINode { return page.Items }, each)
}

// EachDisruptionBudget calls each for every PodDisruptionBudget of the query.
func (c *Cluster) EachDisruptionBudget(ctx context.Context, q Query, each func(*policyv1.PodDisruptionBudget)) error {
	return eachObject(ctx, c, disruptionBudgets, q, func(page *policyv1.PodDisruptionBudgetList) []policyv1.PodDisruptionBudget { return page.Items }, each)
}

// GetNamespace gets one namespace.
func (c *Cluster) GetNamespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	return get[corev1.Namespace](ctx, c, namespaces, "", name)
}

// NamespaceExists reports whether there is a namespace of a name, and whether it is being deleted. Neither is known if there is an error.
func (c *Cluster) NamespaceExists(ctx context.Context, name string) (exists, going bool, err error) {
	namespace, err := c.GetNamespace(ctx, name)
	if apierrors.IsNotFound(err) {
		return false, false, nil
	}
	return err == nil, err == nil && namespace.DeletionTimestamp != nil, err
}

// EachNamespace calls each for every namespace.
func (c *Cluster) EachNamespace(ctx context.Context, q Query, each func(*corev1.Namespace)) error {
	return eachObject(ctx, c, namespaces, q, func(page *corev1.NamespaceList) []corev1.Namespace { return page.Items }, each)
}

// EachNetworkPolicy calls each for every NetworkPolicy of the query.
func (c *Cluster) EachNetworkPolicy(ctx context.Context, q Query, each func(*networkingv1.NetworkPolicy)) error {
	return eachObject(ctx, c, networkPolicies, q, func(page *networkingv1.NetworkPolicyList) []networkingv1.NetworkPolicy { return page.Items }, each)
}

// object is a pointer to an object of the API, list one to a list of them.
type object[T any] interface {
	*T
	runtime.Object
	metav1.Object
}

type list[T any] interface {
	*T
	runtime.Object
	metav1.ListInterface
}

// eachObject lists objects and passes copies of them on, trimmed: a pointer into a page would keep all of it in memory.
func eachObject[L, T any, LP list[L], TP object[T]](ctx context.Context, c *Cluster, r resource, q Query, items func(LP) []T, each func(TP)) error {
	if c.shared.covers(r, q) {
		return eachShared(ctx, c, r, q, items, each)
	}
	var passed passed
	return eachPage(ctx, q, lister[L, LP](c, r, q), func(page LP) {
		passed.add(page)
		for _, item := range items(page) {
			if passed.before(TP(&item)) {
				continue
			}
			trim(TP(&item))
			each(&item)
		}
	})
}

// lister asks for a page of a list.
func lister[L any, P list[L]](c *Cluster, r resource, q Query) func(context.Context, metav1.ListOptions) (P, error) {
	return func(ctx context.Context, o metav1.ListOptions) (P, error) {
		page := P(new(L))
		client, err := c.client(r)
		if err == nil {
			err = client.Get().NamespaceIfScoped(q.Namespace, q.Namespace != "").Resource(r.name).SpecificallyVersionedParams(&o, parameters, metaVersion).Do(ctx).Into(page)
		}
		return page, err
	}
}

// getObject asks for one object. Of a cluster whose lists are shared it is the one in its list, if that can be read.
func getObject[T any, P object[T]](ctx context.Context, c *Cluster, r resource, namespace, name string, each func(context.Context, Query, func(P)) error) (P, error) {
	q := Query{Namespace: namespace}
	if c.shared.covers(r, q) {
		var found P
		err := each(ctx, q, func(o P) {
			if o.GetName() == name {
				found = o
			}
		})
		switch {
		case found != nil:
			return found, nil
		case err == nil:
			return nil, apierrors.NewNotFound(r.WithResource(r.name).GroupResource(), name)
		}
	}
	return get[T, P](ctx, c, r, namespace, name)
}

// get asks for one object; namespace is empty for kinds that have none.
func get[T any, P object[T]](ctx context.Context, c *Cluster, r resource, namespace, name string) (P, error) {
	o := P(new(T))
	client, err := c.client(r)
	if err != nil {
		return nil, err
	}
	if err := client.Get().NamespaceIfScoped(namespace, namespace != "").Resource(r.name).Name(name).Do(ctx).Into(o); err != nil {
		return nil, err
	}
	trim(o)
	return o, nil
}

// maxRestarts is how often a list is begun again whose state was compacted away while it was read.
const maxRestarts = 3

// eachPage lists in pages, so that memory holds one page and what the caller keeps of it. Where the state that the list began with has
// been compacted away in the middle (410 Gone), it goes on at the present state if the server offers that, and else begins again: the
// caller then gets objects once more, see passed.
func eachPage[L metav1.ListInterface](ctx context.Context, q Query, list func(context.Context, metav1.ListOptions) (L, error), each func(L)) error {
	options := metav1.ListOptions{LabelSelector: q.Selector, FieldSelector: q.Fields, Limit: q.ChunkSize}
	for restarts := 0; ; {
		page, err := list(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" && restarts < maxRestarts {
			options.Continue = freshToken(err)
			restarts++
			continue
		}
		if err != nil {
			return err
		}
		each(page)
		if options.Continue = page.GetContinue(); options.Continue == "" {
			return nil
		}
	}
}

// passed are the objects of a list in pages that have been passed on.
type passed struct {
	paged bool
	uids  map[types.UID]struct{}
}

// add takes a page in. A list of one page is not begun again.
func (p *passed) add(page metav1.ListInterface) { p.paged = p.paged || page.GetContinue() != "" }

// before reports whether an object has been passed on, and notes that it is.
func (p *passed) before(o metav1.Object) bool {
	if !p.paged {
		return false
	}
	if p.uids == nil {
		p.uids = map[types.UID]struct{}{}
	}
	_, known := p.uids[o.GetUID()]
	p.uids[o.GetUID()] = struct{}{}
	return known
}

// freshToken returns the token with which the server offers to go on at its present state when the state that a paged
// list began with has been compacted away (410 Gone). The list is then not of one moment, which is better than none.
func freshToken(err error) string {
	var status apierrors.APIStatus
	if apierrors.IsResourceExpired(err) && errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}

// trim drops unused fields and what fills most of an object's memory.
func trim(o metav1.Object) {
	var written []metav1.ManagedFieldsEntry
	switch o.(type) {
	case *appsv1.StatefulSet, *discoveryv1.EndpointSlice, *unstructured.Unstructured: // when they were written for the last time matters, what was written does not
		if last := lastWritten(o); last != nil {
			written = []metav1.ManagedFieldsEntry{{Time: last}}
		}
	}
	o.SetManagedFields(written)
	if annotations := o.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" { // of an object without a type these are a copy
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		o.SetAnnotations(annotations)
	}
}

// lastWritten is the latest time of an object's managed fields; nil without one.
func lastWritten(o metav1.Object) *metav1.Time {
	var last *metav1.Time
	for _, entry := range o.GetManagedFields() {
		if entry.Time != nil && (last == nil || last.Before(entry.Time)) {
			last = entry.Time
		}
	}
	return last
}

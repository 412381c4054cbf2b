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
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// resource is a kind of object as the API's paths name it.
type resource struct {
	schema.GroupVersion
	name string
}

var (
	statefulSets      = resource{appsv1.SchemeGroupVersion, "statefulsets"}
	pods              = resource{corev1.SchemeGroupVersion, "pods"}
	claims            = resource{corev1.SchemeGroupVersion, "persistentvolumeclaims"}
	volumes           = resource{corev1.SchemeGroupVersion, "persistentvolumes"}
	services          = resource{corev1.SchemeGroupVersion, "services"}
	endpointSlices    = resource{discoveryv1.SchemeGroupVersion, "endpointslices"}
	secrets           = resource{corev1.SchemeGroupVersion, "secrets"}
	events            = resource{corev1.SchemeGroupVersion, "events"}
	nodes             = resource{corev1.SchemeGroupVersion, "nodes"}
	namespaces        = resource{corev1.SchemeGroupVersion, "namespaces"}
	storageClasses    = resource{storagev1.SchemeGroupVersion, "storageclasses"}
	volumeAttachments = resource{storagev1.SchemeGroupVersion, "volumeattachments"}
	csiNodes          = resource{storagev1.SchemeGroupVersion, "csinodes"}
	disruptionBudgets = resource{policyv1.SchemeGroupVersion, "poddisruptionbudgets"}
	networkPolicies   = resource{networkingv1.SchemeGroupVersion, "networkpolicies"}
)

// EachStatefulSet calls each for every StatefulSet of the query.
func (c *Cluster) EachStatefulSet(ctx context.Context, q Query, each func(*appsv1.StatefulSet)) error {
	return eachPage(ctx, q, lister[appsv1.StatefulSetList](c, statefulSets, q), func(page *appsv1.StatefulSetList) { eachItem(page.Items, each) })
}

// StatefulSet gets one StatefulSet.
func (c *Cluster) StatefulSet(ctx context.Context, namespace, name string) (*appsv1.StatefulSet, error) {
	return get[appsv1.StatefulSet](ctx, c, statefulSets, namespace, name)
}

// EachPod calls each for every pod of the query.
func (c *Cluster) EachPod(ctx context.Context, q Query, each func(*corev1.Pod)) error {
	return eachPage(ctx, q, lister[corev1.PodList](c, pods, q), func(page *corev1.PodList) { eachItem(page.Items, each) })
}

// Pod gets one pod.
func (c *Cluster) Pod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return get[corev1.Pod](ctx, c, pods, namespace, name)
}

// EachClaim calls each for every PersistentVolumeClaim of the query.
func (c *Cluster) EachClaim(ctx context.Context, q Query, each func(*corev1.PersistentVolumeClaim)) error {
	return eachPage(ctx, q, lister[corev1.PersistentVolumeClaimList](c, claims, q),
		func(page *corev1.PersistentVolumeClaimList) { eachItem(page.Items, each) })
}

// EachVolume calls each for every PersistentVolume.
func (c *Cluster) EachVolume(ctx context.Context, q Query, each func(*corev1.PersistentVolume)) error {
	return eachPage(ctx, q, lister[corev1.PersistentVolumeList](c, volumes, q), func(page *corev1.PersistentVolumeList) { eachItem(page.Items, each) })
}

// Volume gets one PersistentVolume.
func (c *Cluster) Volume(ctx context.Context, name string) (*corev1.PersistentVolume, error) {
	return get[corev1.PersistentVolume](ctx, c, volumes, "", name)
}

// EachService calls each for every Service of the query.
func (c *Cluster) EachService(ctx context.Context, q Query, each func(*corev1.Service)) error {
	return eachPage(ctx, q, lister[corev1.ServiceList](c, services, q), func(page *corev1.ServiceList) { eachItem(page.Items, each) })
}

// Service gets one Service.
func (c *Cluster) Service(ctx context.Context, namespace, name string) (*corev1.Service, error) {
	return get[corev1.Service](ctx, c, services, namespace, name)
}

// EachEndpointSlice calls each for every EndpointSlice of the query.
func (c *Cluster) EachEndpointSlice(ctx context.Context, q Query, each func(*discoveryv1.EndpointSlice)) error {
	return eachPage(ctx, q, lister[discoveryv1.EndpointSliceList](c, endpointSlices, q),
		func(page *discoveryv1.EndpointSliceList) { eachItem(page.Items, each) })
}

// Secret gets one Secret.
func (c *Cluster) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return get[corev1.Secret](ctx, c, secrets, namespace, name)
}

// EachEvent calls each for every event of the query.
func (c *Cluster) EachEvent(ctx context.Context, q Query, each func(*corev1.Event)) error {
	return eachPage(ctx, q, lister[corev1.EventList](c, events, q), func(page *corev1.EventList) { eachItem(page.Items, each) })
}

// EachNode calls each for every node.
func (c *Cluster) EachNode(ctx context.Context, q Query, each func(*corev1.Node)) error {
	return eachPage(ctx, q, lister[corev1.NodeList](c, nodes, q), func(page *corev1.NodeList) { eachItem(page.Items, each) })
}

// Node gets one node.
func (c *Cluster) Node(ctx context.Context, name string) (*corev1.Node, error) {
	return get[corev1.Node](ctx, c, nodes, "", name)
}

// EachStorageClass calls each for every StorageClass.
func (c *Cluster) EachStorageClass(ctx context.Context, q Query, each func(*storagev1.StorageClass)) error {
	return eachPage(ctx, q, lister[storagev1.StorageClassList](c, storageClasses, q), func(page *storagev1.StorageClassList) { eachItem(page.Items, each) })
}

// EachVolumeAttachment calls each for every VolumeAttachment.
func (c *Cluster) EachVolumeAttachment(ctx context.Context, q Query, each func(*storagev1.VolumeAttachment)) error {
	return eachPage(ctx, q, lister[storagev1.VolumeAttachmentList](c, volumeAttachments, q),
		func(page *storagev1.VolumeAttachmentList) { eachItem(page.Items, each) })
}

// EachCSINode calls each for every CSINode: what the drivers on a node say of themselves.
func (c *Cluster) EachCSINode(ctx context.Context, q Query, each func(*storagev1.CSINode)) error {
	return eachPage(ctx, q, lister[storagev1.CSINodeList](c, csiNodes, q), func(page *storagev1.CSINodeList) { eachItem(page.Items, each) })
}

// EachDisruptionBudget calls each for every PodDisruptionBudget of the query.
func (c *Cluster) EachDisruptionBudget(ctx context.Context, q Query, each func(*policyv1.PodDisruptionBudget)) error {
	return eachPage(ctx, q, lister[policyv1.PodDisruptionBudgetList](c, disruptionBudgets, q),
		func(page *policyv1.PodDisruptionBudgetList) { eachItem(page.Items, each) })
}

// GetNamespace gets one namespace.
func (c *Cluster) GetNamespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	return get[corev1.Namespace](ctx, c, namespaces, "", name)
}

// EachNamespace calls each for every namespace.
func (c *Cluster) EachNamespace(ctx context.Context, q Query, each func(*corev1.Namespace)) error {
	return eachPage(ctx, q, lister[corev1.NamespaceList](c, namespaces, q), func(page *corev1.NamespaceList) { eachItem(page.Items, each) })
}

// EachNetworkPolicy calls each for every NetworkPolicy of the query.
func (c *Cluster) EachNetworkPolicy(ctx context.Context, q Query, each func(*networkingv1.NetworkPolicy)) error {
	return eachPage(ctx, q, lister[networkingv1.NetworkPolicyList](c, networkPolicies, q),
		func(page *networkingv1.NetworkPolicyList) { eachItem(page.Items, each) })
}

// lister asks for a page of a list.
func lister[L any, P interface {
	*L
	runtime.Object
}](c *Cluster, r resource, q Query) func(context.Context, metav1.ListOptions) (P, error) {
	return func(ctx context.Context, o metav1.ListOptions) (P, error) {
		page := P(new(L))
		err := c.clients[r.GroupVersion].Get().NamespaceIfScoped(q.Namespace, q.Namespace != "").Resource(r.name).
			VersionedParams(&o, parameters).Do(ctx).Into(page)
		return page, err
	}
}

// get asks for one object; namespace is empty for kinds that have none.
func get[T any, P interface {
	*T
	runtime.Object
}](ctx context.Context, c *Cluster, r resource, namespace, name string) (P, error) {
	object := P(new(T))
	err := c.clients[r.GroupVersion].Get().NamespaceIfScoped(namespace, namespace != "").Resource(r.name).Name(name).Do(ctx).Into(object)
	if err != nil {
		return nil, err
	}
	return object, nil
}

// eachPage lists in pages, so that memory holds one page and what the caller keeps of it.
func eachPage[L metav1.ListInterface](ctx context.Context, q Query, list func(context.Context, metav1.ListOptions) (L, error), each func(L)) error {
	options := metav1.ListOptions{LabelSelector: q.Selector, Limit: q.ChunkSize}
	for {
		page, err := list(ctx, options)
		if token := freshToken(err); token != "" && options.Continue != "" {
			options.Continue = token
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

// freshToken returns the token with which the server offers to go on at its present state when the state that a paged
// list began with has been compacted away (410 Gone). The list is then not of one moment, which is better than none.
func freshToken(err error) string {
	var status apierrors.APIStatus
	if apierrors.IsResourceExpired(err) && errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}

// eachItem passes copies on: a pointer into the page would keep all of it in memory.
func eachItem[T any](items []T, each func(*T)) {
	for i := range items {
		item := items[i]
		each(&item)
	}
}

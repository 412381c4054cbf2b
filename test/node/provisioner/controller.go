//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

const (
	provisionerName         = "node.doik.dev/ext4"
	annotationProvisionedBy = "pv.kubernetes.io/provisioned-by"
	annotationSelectedNode  = "volume.kubernetes.io/selected-node"
)

// disks is where volumes are; a disk, or in tests something simpler.
type disks interface {
	create(ctx context.Context, name string, size int64, block bool, p parameters) (path string, err error)
	remove(ctx context.Context, name string) error
}

// object names something to look after: a claim, or, without a namespace, a volume.
type object struct{ namespace, name string }

// controller makes volumes for pending claims and removes those of deleted ones.
type controller struct {
	client    kubernetes.Interface
	disks     disks
	node      string
	informers informers.SharedInformerFactory
	claims    corelisters.PersistentVolumeClaimLister
	volumes   corelisters.PersistentVolumeLister
	classes   storagelisters.StorageClassLister
	events    record.EventRecorder
	broadcast record.EventBroadcaster
	queue     workqueue.TypedRateLimitingInterface[object]
}

func newController(client kubernetes.Interface, disks disks, node string) *controller {
	factory := informers.NewSharedInformerFactory(client, 0)
	broadcast := record.NewBroadcaster()
	c := &controller{
		client:    client,
		disks:     disks,
		node:      node,
		informers: factory,
		claims:    factory.Core().V1().PersistentVolumeClaims().Lister(),
		volumes:   factory.Core().V1().PersistentVolumes().Lister(),
		classes:   factory.Storage().V1().StorageClasses().Lister(),
		broadcast: broadcast,
		events:    broadcast.NewRecorder(scheme.Scheme, corev1.EventSource{Component: provisionerName, Host: node}),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[object](time.Second, time.Minute)),
	}
	handle := func(informer cache.SharedIndexInformer, enqueue func(any)) {
		// The only error is that of an informer that has been stopped.
		_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    enqueue,
			UpdateFunc: func(_, changed any) { enqueue(changed) },
		})
	}
	one := func(changed any) {
		if meta, ok := changed.(metav1.Object); ok {
			c.queue.Add(object{meta.GetNamespace(), meta.GetName()})
		}
	}
	handle(factory.Core().V1().PersistentVolumeClaims().Informer(), one)
	handle(factory.Core().V1().PersistentVolumes().Informer(), one)
	handle(factory.Storage().V1().StorageClasses().Informer(), func(any) { c.enqueueClaims() })
	return c
}

// enqueueClaims looks at every claim again: a class came that they may have waited for.
func (c *controller) enqueueClaims() {
	claims, err := c.claims.List(labels.Everything())
	if err != nil {
		slog.Error("claims are not listed", "error", err)
	}
	for _, claim := range claims {
		c.queue.Add(object{claim.Namespace, claim.Name})
	}
}

// run works until ctx ends. The API server may come and go meanwhile.
func (c *controller) run(ctx context.Context) error {
	c.broadcast.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: c.client.CoreV1().Events("")})
	defer c.broadcast.Shutdown()
	c.informers.Start(ctx.Done())
	defer c.informers.Shutdown()
	c.informers.WaitForCacheSync(ctx.Done())
	slog.Info("looking after claims", "provisioner", provisionerName, "node", c.node)

	stop := context.AfterFunc(ctx, c.queue.ShutDown)
	defer stop()
	for {
		item, shutdown := c.queue.Get()
		if shutdown {
			return nil
		}
		if err := c.sync(ctx, item); err != nil {
			slog.Error("will try again", "namespace", item.namespace, "name", item.name, "error", err)
			c.queue.AddRateLimited(item)
		} else {
			c.queue.Forget(item)
		}
		c.queue.Done(item)
	}
}

func (c *controller) sync(ctx context.Context, item object) error {
	if item.namespace == "" {
		volume, err := c.volumes.Get(item.name)
		if err != nil {
			return ignoreNotFound(err)
		}
		return c.reclaim(ctx, volume)
	}
	claim, err := c.claims.PersistentVolumeClaims(item.namespace).Get(item.name)
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.provision(ctx, claim)
}

// provision makes the claim's volume if it is this provisioner's turn to do so.
func (c *controller) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := c.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return ignoreNotFound(err)
	}
	if class.Provisioner != provisionerName || !c.isSelected(claim, class) {
		return nil
	}

	volume, err := c.makeVolume(ctx, claim, class)
	if err != nil {
		c.events.Event(claim, corev1.EventTypeWarning, "ProvisioningFailed", err.Error())
		return err
	}
	_, err = c.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil
	case err != nil:
		return err
	}
	slog.Info("made", "volume", volume.Name, "namespace", claim.Namespace, "claim", claim.Name)
	c.events.Eventf(claim, corev1.EventTypeNormal, "ProvisioningSucceeded", "made volume %s", volume.Name)
	return nil
}

// isSelected reports whether the claim wants its volume now, and on this node.
func (c *controller) isSelected(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) bool {
	selected, ok := claim.Annotations[annotationSelectedNode]
	if ok {
		return selected == c.node
	}
	return class.VolumeBindingMode == nil || *class.VolumeBindingMode == storagev1.VolumeBindingImmediate
}

func (c *controller) makeVolume(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass,
) (*corev1.PersistentVolume, error) {
	parameters, err := parseParameters(class.Parameters)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteMany), slices.Contains(claim.Spec.AccessModes, corev1.ReadOnlyMany):
		return nil, fmt.Errorf("access modes %v: a volume here is on one node, there is only ReadWriteOnce and ReadWriteOncePod", claim.Spec.AccessModes)
	case claim.Spec.Selector != nil:
		return nil, errors.New("the claim has a selector: volumes are made without labels")
	case claim.Spec.DataSource != nil, claim.Spec.DataSourceRef != nil:
		return nil, errors.New("the claim has a data source: volumes are made empty")
	}

	name := "pvc-" + string(claim.UID)
	request := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	block := claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == corev1.PersistentVolumeBlock
	path, err := c.disks.create(ctx, name, request.Value(), block, parameters)
	if err != nil {
		return nil, err
	}
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{annotationProvisionedBy: provisionerName}},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName:              class.Name,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: request},
			PersistentVolumeReclaimPolicy: reclaim,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
					{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{c.node}},
				}}},
			}},
		},
	}, nil
}

// reclaim removes a volume whose claim is gone, if its policy is Delete.
func (c *controller) reclaim(ctx context.Context, volume *corev1.PersistentVolume) error {
	if volume.Annotations[annotationProvisionedBy] != provisionerName || volume.Status.Phase != corev1.VolumeReleased ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete || volume.DeletionTimestamp != nil {
		return nil
	}
	if err := c.disks.remove(ctx, volume.Name); err != nil {
		c.events.Event(volume, corev1.EventTypeWarning, "VolumeFailedDelete", err.Error())
		return err
	}
	if err := c.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{}); err != nil {
		return ignoreNotFound(err)
	}
	slog.Info("removed", "volume", volume.Name)
	return nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

package provisioner

import (
	"context"
	"fmt"
	"strings"
	"sync"
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
	"k8s.io/klog/v2"
)

const workers = 8

// Provisioner makes the volumes that claims of the lab's classes ask for, and deletes them when they are released.
type Provisioner struct {
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	nodes   corelisters.NodeLister
	classes storagelisters.StorageClassLister
	queue   workqueue.TypedRateLimitingInterface[string]
	events  record.EventRecorder
	sink    record.EventBroadcaster
	synced  []cache.InformerSynced
}

// New returns a provisioner that follows the factory's informers. Call it before the factory is started.
func New(client kubernetes.Interface, factory informers.SharedInformerFactory) (*Provisioner, error) {
	claims, volumes := factory.Core().V1().PersistentVolumeClaims(), factory.Core().V1().PersistentVolumes()
	nodes, classes := factory.Core().V1().Nodes(), factory.Storage().V1().StorageClasses()
	p := &Provisioner{
		client: client,
		claims: claims.Lister(), volumes: volumes.Lister(), nodes: nodes.Lister(), classes: classes.Lister(),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, 5*time.Minute)),
		sink: record.NewBroadcaster(),
		synced: []cache.InformerSynced{
			claims.Informer().HasSynced, volumes.Informer().HasSynced, nodes.Informer().HasSynced, classes.Informer().HasSynced,
		},
	}
	p.events = p.sink.NewRecorder(scheme.Scheme, corev1.EventSource{Component: Driver})
	for _, informer := range []cache.SharedIndexInformer{claims.Informer(), volumes.Informer()} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    p.enqueue,
			UpdateFunc: func(_, object any) { p.enqueue(object) },
		}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Run works until the context ends.
func (p *Provisioner) Run(ctx context.Context) {
	p.sink.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: p.client.CoreV1().Events("")})
	defer p.sink.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), p.synced...) {
		return
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for p.processNext(ctx) {
			}
		})
	}
	<-ctx.Done()
	p.queue.ShutDown()
	group.Wait()
}

// enqueue adds an object under its key: claims as NAMESPACE/NAME, volumes as NAME. It doesn't wait for the end of a
// back-off, so that a claim gets its volume as soon as a test has removed the cause of a failure.
func (p *Provisioner) enqueue(object any) {
	key, err := cache.MetaNamespaceKeyFunc(object)
	if err != nil {
		return
	}
	p.queue.Add(key)
}

func (p *Provisioner) processNext(ctx context.Context) bool {
	key, shutdown := p.queue.Get()
	if shutdown {
		return false
	}
	defer p.queue.Done(key)
	process := p.processVolume
	if strings.Contains(key, "/") {
		process = p.processClaim
	}
	if err := process(ctx, key); err != nil {
		klog.FromContext(ctx).Error(err, "Volume", "key", key)
		p.queue.AddRateLimited(key)
		return true
	}
	p.queue.Forget(key)
	return true
}

func (p *Provisioner) processClaim(ctx context.Context, key string) error {
	namespace, name, _ := strings.Cut(key, "/")
	claim, err := p.claims.PersistentVolumeClaims(namespace).Get(name)
	if err != nil {
		return ignoreNotFound(err)
	}
	if claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return ignoreNotFound(err)
	}
	if !wantsVolume(claim, class) {
		return nil
	}
	if _, err := p.volumes.Get(volumeName(claim)); err == nil {
		return nil
	}

	p.events.Eventf(claim, corev1.EventTypeNormal, "Provisioning", "External provisioner is provisioning volume for claim %q", key)
	volume, err := p.provision(ctx, claim, class)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		p.events.Eventf(claim, corev1.EventTypeWarning, "ProvisioningFailed", "failed to provision volume with StorageClass %q: %v", class.Name, err)
		return err
	}
	p.events.Eventf(claim, corev1.EventTypeNormal, "ProvisioningSucceeded", "Successfully provisioned volume %s", volume.Name)
	return nil
}

func (p *Provisioner) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) (*corev1.PersistentVolume, error) {
	if err := failure(claim, class); err != nil {
		return nil, err
	}
	zone, err := p.zone(claim)
	if err != nil {
		return nil, err
	}
	return p.client.CoreV1().PersistentVolumes().Create(ctx, newVolume(claim, class, zone), metav1.CreateOptions{})
}

// zone is where the volume is made: where the scheduler wants to place the pod or, for a class that doesn't wait for
// one, where the first node is.
func (p *Provisioner) zone(claim *corev1.PersistentVolumeClaim) (string, error) {
	if name := claim.Annotations[annSelectedNode]; name != "" {
		node, err := p.nodes.Get(name)
		if err != nil {
			return "", fmt.Errorf("error getting selected node: %w", err)
		}
		return node.Labels[corev1.LabelTopologyZone], nil
	}
	nodes, err := p.nodes.List(labels.Everything())
	if err != nil {
		return "", err
	}
	zone := ""
	for _, node := range nodes {
		if z := node.Labels[corev1.LabelTopologyZone]; z != "" && (zone == "" || z < zone) {
			zone = z
		}
	}
	return zone, nil
}

func (p *Provisioner) processVolume(ctx context.Context, name string) error {
	volume, err := p.volumes.Get(name)
	if err != nil {
		return ignoreNotFound(err)
	}
	if !wantsDeletion(volume) {
		return nil
	}
	return ignoreNotFound(p.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(volume.UID)),
	}))
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Package kubelet answers for the kubelets of all simulated nodes: numbers about volumes, logs, exec, attach and
// port-forward. The API server reaches it through Dial, without a port that anyone else could connect to.
package kubelet

import (
	"fmt"
	"net"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Port is where every simulated kubelet is said to listen.
const Port = 10250

// Names of the indexes.
const (
	byNode    = "node"
	byAddress = "address"
)

// Cluster is what the kubelets know: nodes, pods and claims, kept up to date by informers and looked up by index, so
// that an answer costs as much as its node has pods, however many there are in the cluster.
type Cluster struct {
	nodes, pods, claims cache.Indexer
	synced              []cache.InformerSynced
}

// NewCluster follows the factory's informers. Call it before the factory is started.
func NewCluster(factory informers.SharedInformerFactory) (*Cluster, error) {
	nodes := factory.Core().V1().Nodes().Informer()
	pods := factory.Core().V1().Pods().Informer()
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	if err := nodes.AddIndexers(cache.Indexers{byAddress: nodeAddresses}); err != nil {
		return nil, err
	}
	if err := pods.AddIndexers(cache.Indexers{byNode: nodeOfPod}); err != nil {
		return nil, err
	}
	return &Cluster{
		nodes: nodes.GetIndexer(), pods: pods.GetIndexer(), claims: claims.GetIndexer(),
		synced: []cache.InformerSynced{nodes.HasSynced, pods.HasSynced, claims.HasSynced},
	}, nil
}

// WithoutManagedFields is a transform for informers: managed fields are not read here, a third of each object.
func WithoutManagedFields(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}

func nodeAddresses(object any) ([]string, error) {
	node, ok := object.(*corev1.Node)
	if !ok {
		return nil, fmt.Errorf("not a node: %T", object)
	}
	var addresses []string
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			addresses = append(addresses, address.Address)
		}
	}
	return addresses, nil
}

func nodeOfPod(object any) ([]string, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, fmt.Errorf("not a pod: %T", object)
	}
	if pod.Spec.NodeName == "" {
		return nil, nil
	}
	return []string{pod.Spec.NodeName}, nil
}

// WaitForSync waits until the cluster is known.
func (c *Cluster) WaitForSync(stop <-chan struct{}) bool {
	return cache.WaitForCacheSync(stop, c.synced...)
}

// NodeAt finds the node that has an internal address, nil if there is none.
func (c *Cluster) NodeAt(address string) *corev1.Node {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	found, err := c.nodes.ByIndex(byAddress, address)
	if err != nil || len(found) == 0 {
		return nil
	}
	return found[0].(*corev1.Node)
}

// Nodes lists all nodes.
func (c *Cluster) Nodes() []*corev1.Node { return typed[corev1.Node](c.nodes.List()) }

// PodsOn lists a node's pods.
func (c *Cluster) PodsOn(node string) []*corev1.Pod {
	found, err := c.pods.ByIndex(byNode, node)
	if err != nil {
		return nil
	}
	return typed[corev1.Pod](found)
}

// Pod finds a pod, nil if there is none.
func (c *Cluster) Pod(namespace, name string) *corev1.Pod {
	return get[corev1.Pod](c.pods, namespace, name)
}

// Claim finds a claim, nil if there is none.
func (c *Cluster) Claim(namespace, name string) *corev1.PersistentVolumeClaim {
	return get[corev1.PersistentVolumeClaim](c.claims, namespace, name)
}

func get[T any](store cache.Store, namespace, name string) *T {
	object, exists, err := store.GetByKey(namespace + "/" + name)
	if err != nil || !exists {
		return nil
	}
	found, _ := object.(*T)
	return found
}

func typed[T any](objects []any) []*T {
	list := make([]*T, 0, len(objects))
	for _, object := range objects {
		if t, ok := object.(*T); ok {
			list = append(list, t)
		}
	}
	return list
}

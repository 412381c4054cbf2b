// Package nameserver runs the lab's DNS servers: each pod whose image is CoreDNS has one of its own in this process, with the
// Corefile of the pod's ConfigMap and the rights of its service account. They listen on the loopback address only; the way to
// them is a port-forward to port 53 of the pod.
package nameserver

import (
	"context"
	"errors"
	"io"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/coredns/caddy"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/podstate"
)

const (
	// startPatience is how long a question waits for a server whose pod has started before it.
	startPatience = 2 * time.Second
	corefileKey   = "Corefile"
)

// Servers are the running servers.
type Servers struct {
	client kubernetes.Interface
	pods   cache.Indexer
	queue  workqueue.TypedRateLimitingInterface[string]

	mu      sync.Mutex
	running map[string]*server // by namespace/name of the pod
}

// server is that of one pod.
type server struct {
	pod     types.UID
	address string
	stop    func()
}

// New follows the pods of the informer. Call it before the informer is started, and once in a process: CoreDNS has its plugins and
// its log in variables of packages.
func New(config *rest.Config, client kubernetes.Interface, pods cache.SharedIndexInformer, logs io.Writer) (*Servers, error) {
	log.SetOutput(logs)
	register(config)
	s := &Servers{
		client:  client,
		pods:    pods.GetIndexer(),
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](200*time.Millisecond, 10*time.Second)),
		running: map[string]*server{},
	}
	enqueue := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if pod, ok := object.(*corev1.Pod); ok && isServer(pod) {
			s.queue.Add(pod.Namespace + "/" + pod.Name)
		}
	}
	_, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue, DeleteFunc: enqueue, UpdateFunc: func(_, after any) { enqueue(after) },
	})
	return s, err
}

// isServer reports whether a pod's image is CoreDNS.
func isServer(pod *corev1.Pod) bool {
	return strings.Contains(pod.Spec.Containers[0].Image, "/coredns:")
}

// runs reports whether a pod's server runs. It does from when its node knows of it, and so before the pod is ready.
func runs(pod *corev1.Pod) bool {
	state := podstate.Wanted(pod)
	return pod.Spec.NodeName != "" && (state == podstate.Ready || state == podstate.NotReady)
}

// Run starts and stops servers, one after the other, until the context ends.
func (s *Servers) Run(ctx context.Context) {
	context.AfterFunc(ctx, s.queue.ShutDown)
	for {
		key, end := s.queue.Get()
		if end {
			return
		}
		if err := s.follow(ctx, key); err != nil {
			log.Printf("[ERROR] %s: %v", key, err)
			s.queue.AddRateLimited(key)
		} else {
			s.queue.Forget(key)
		}
		s.queue.Done(key)
	}
}

// follow makes a pod's server run, or not run, as the pod does.
func (s *Servers) follow(ctx context.Context, key string) error {
	object, exists, err := s.pods.GetByKey(key)
	if err != nil {
		return err
	}
	pod, _ := object.(*corev1.Pod)
	wanted := exists && runs(pod)

	s.mu.Lock()
	found := s.running[key]
	if found != nil && (!wanted || found.pod != pod.UID) {
		delete(s.running, key)
		go found.stop() // which waits for connections
		found = nil
	}
	s.mu.Unlock()
	if !wanted || found != nil {
		return nil
	}
	corefile, err := s.corefile(ctx, pod)
	if err != nil {
		return err
	}
	started, err := start(key, corefile)
	if err != nil {
		return err
	}
	started.pod = pod.UID
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[key] = started
	return nil
}

// corefile is that of the first ConfigMap among a pod's volumes, made fit for the lab.
func (s *Servers) corefile(ctx context.Context, pod *corev1.Pod) ([]byte, error) {
	for _, volume := range pod.Spec.Volumes {
		if volume.ConfigMap == nil {
			continue
		}
		found, err := s.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, volume.ConfigMap.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return simulated(found.Data[corefileKey], serviceaccount.MakeUsername(pod.Namespace, pod.Spec.ServiceAccountName))
	}
	return nil, errors.New("the pod has no volume with a Corefile")
}

// start starts a server, and returns when it knows the cluster. It answers without knowing it where it may not read it, after the
// five seconds that CoreDNS waits.
func start(name string, corefile []byte) (*server, error) {
	instance, err := caddy.Start(caddy.CaddyfileInput{Filepath: name, Contents: corefile, ServerTypeName: "dns"})
	if err != nil {
		return nil, err
	}
	stop := func() {
		_ = instance.Stop()
		instance.ShutdownCallbacks()
	}
	listeners := instance.Servers()
	if len(listeners) == 0 {
		stop()
		return nil, errors.New("the Corefile has no server")
	}
	return &server{address: listeners[0].Addr().String(), stop: stop}, nil
}

// Address is where a pod's server takes questions over TCP. Of a pod that has one it is empty until the server has started.
func (s *Servers) Address(ctx context.Context, pod *corev1.Pod) (address string, has bool) {
	if !isServer(pod) {
		return "", false
	}
	// The pod may be said to be ready a moment before its server has started.
	_ = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, startPatience, true, func(context.Context) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if found := s.running[pod.Namespace+"/"+pod.Name]; found != nil && found.pod == pod.UID {
			address = found.address
		}
		return address != "" || !runs(pod), nil
	})
	return address, true
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/controlplane"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/fleet"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/kubelet"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/kwok"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/nameserver"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/provisioner"
)

// The components that can be left out.
const (
	controllerManager = "controller-manager"
	scheduler         = "scheduler"
	simulatedNodes    = "nodes"
	nameServers       = "dns"
)

var optionalComponents = []string{controllerManager, scheduler, simulatedNodes, nameServers}

func isOptionalComponent(name string) bool { return slices.Contains(optionalComponents, name) }

func (o *options) runs(component string) bool {
	return slices.Contains(strings.Split(o.components, ","), component)
}

const (
	// readyTimeout is how long the whole start may take.
	readyTimeout = 3 * time.Minute
	// stopPatience is how long etcd is given to stop. Its data are thrown away, so it needn't stop in good order.
	stopPatience = time.Second
)

// run runs the lab until the context ends or a component does.
func run(ctx context.Context, o options) error {
	if err := enter(o.folder); err != nil {
		return err
	}
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	logs, err := openLogs()
	if err != nil {
		return err
	}
	defer logs.Close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	starting, endStart := context.WithTimeoutCause(ctx, readyTimeout, errors.New("the start takes too long"))
	defer endStart()

	etcd, err := controlplane.StartEtcd(starting)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer func() {
		cancel() // the API server first, or it holds etcd up
		etcd.Close(stopPatience)
	}()
	progress("etcd is ready")

	network := kubelet.NewNetwork()
	defer network.Close()
	cluster, err := controlplane.StartAPIServer(ctx, o.folder, etcd.URL, o.port, network.Dial)
	if err != nil {
		return err
	}
	progress("kube-apiserver is ready at %s", cluster.Config.Host)

	client, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		return err
	}
	if o.runs(nameServers) {
		if err := nameserver.Install(starting, cluster.Config); err != nil {
			return fmt.Errorf("DNS: %w", err)
		}
	}
	if o.runs(controllerManager) {
		if err := cluster.StartControllerManager(ctx); err != nil {
			return err
		}
		progress("kube-controller-manager has started")
	}
	if o.runs(scheduler) {
		if err := cluster.StartScheduler(ctx); err != nil {
			return err
		}
		progress("kube-scheduler has started")
	}
	nodesFailed := make(chan error, 1)
	if o.runs(simulatedNodes) {
		if err := startNodes(ctx, o, cluster, client, network, logs, nodesFailed); err != nil {
			return err
		}
		progress("the nodes have started")
	}
	if err := waitReady(starting, o, client); err != nil {
		return err
	}
	// Under its own name it is a promise: who finds it can use the cluster.
	kubeconfig := filepath.Join(o.folder, "kubeconfig")
	if err := os.Rename(filepath.Join(o.folder, controlplane.KubeconfigName), kubeconfig); err != nil {
		return err
	}
	progress("ready; export KUBECONFIG=%s", kubeconfig)

	select {
	case <-ctx.Done():
		return nil
	case err := <-cluster.Err():
		return err
	case err := <-etcd.Err():
		return fmt.Errorf("etcd: %w", err)
	case err := <-nodesFailed:
		return fmt.Errorf("kubelets: %w", err)
	}
}

// enter makes the folder the working folder, where etcd's sockets are.
func enter(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.Chdir(folder)
}

// lock keeps a second lab out of the working folder for as long as this process lives.
func lock() (unlock func(), err error) {
	file, err := os.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, errors.New("another lab runs in this folder")
	}
	return func() { file.Close() }, nil
}

// openLogs sends the log of Kubernetes' components to a file, and returns one for the simulated nodes.
func openLogs() (io.WriteCloser, error) {
	kubernetesLog, err := os.Create("kubernetes.log")
	if err != nil {
		return nil, err
	}
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL", "one_output": "true"} {
		if err := flags.Set(name, value); err != nil {
			return nil, err
		}
	}
	klog.SetOutput(kubernetesLog)
	return os.Create("nodes.log")
}

// startNodes starts all that plays the part of the nodes, and creates them.
func startNodes(ctx context.Context, o options, control *controlplane.Cluster, client kubernetes.Interface, network *kubelet.Network, logs io.Writer, failed chan<- error) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(kubelet.WithoutManagedFields))
	cluster, err := kubelet.NewCluster(factory)
	if err != nil {
		return err
	}
	volumes, err := provisioner.New(client, factory)
	if err != nil {
		return err
	}
	var names kubelet.NameServers
	if o.runs(nameServers) {
		dnsLog, err := os.Create("dns.log")
		if err != nil {
			return err
		}
		servers, err := nameserver.New(control.Config, client, factory.Core().V1().Pods().Informer(), dnsLog)
		if err != nil {
			return err
		}
		names = servers
		go servers.Run(ctx)
	}
	if err := kwok.FollowNodes(ctx, client, factory.Core().V1().Nodes().Informer(), cluster.PodsOn); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cluster.WaitForSync(ctx.Done()) {
		return ctx.Err()
	}
	network.Connect(cluster)
	go func() { failed <- kubelet.NewServer(cluster, names, logs).Serve(network) }()
	if err := provisioner.Install(ctx, client); err != nil {
		return err
	}
	go volumes.Run(ctx)

	kubeletVersion := version.Get().GitVersion + "-eks-3cfe0ce"
	addresses := fleet.NewAddresses(func(address string) bool { return cluster.NodeAt(address) != nil })
	if err := kwok.Start(ctx, control.Config, kwok.Options{
		KubeletVersion: kubeletVersion,
		LeaseSeconds:   o.leaseSeconds,
		Logs:           logs,
		Address:        addresses.Of,
	}); err != nil {
		return fmt.Errorf("kwok: %w", err)
	}
	if len(cluster.Nodes()) > 0 {
		return nil
	}
	return fleet.Create(ctx, client, fleet.Nodes(o.nodes, kubeletVersion))
}

// waitReady waits until a pod could be created and would be scheduled.
func waitReady(ctx context.Context, o options, client kubernetes.Interface) error {
	ready := func() bool {
		if !o.runs(controllerManager) {
			return true
		}
		if _, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return false
		}
		if !o.runs(simulatedNodes) {
			return true
		}
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		return err == nil && len(nodes.Items) >= min(o.nodes, 1) && !slices.ContainsFunc(nodes.Items, unschedulable)
	}
	for !ready() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// unschedulable reports whether a node isn't ready or not yet known to be.
func unschedulable(node corev1.Node) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeNotReady }) ||
		!slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
			return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
		})
}

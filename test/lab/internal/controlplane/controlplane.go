package controlplane

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apiserver/pkg/server/egressselector"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/cli/flag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	controllermanageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// Cluster is an API server and the components that have been started beside it.
//
// The components are started through their options and Run functions: their cobra commands install a signal handler
// each, and there can be only one in a process.
type Cluster struct {
	Config *rest.Config // of the administrator, without a client-side limit

	credentials *credentials
	kubeconfig  string
	failed      chan error
}

// Err delivers the error of the first component that has ended by itself.
func (c *Cluster) Err() <-chan error { return c.failed }

// KubeconfigName is the name of the kubeconfig that StartAPIServer writes. It may only be given to users once the
// cluster is ready.
const KubeconfigName = "components.kubeconfig"

// StartAPIServer starts the API server and waits until it is ready. It reaches the nodes through dial.
func StartAPIServer(ctx context.Context, folder, etcdURL string, port int, dial utilnet.DialFunc) (*Cluster, error) {
	if port == 0 {
		var err error
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	credentials, err := newCredentials(folder)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		credentials: credentials,
		kubeconfig:  filepath.Join(folder, KubeconfigName),
		failed:      make(chan error, 3),
	}
	if err := c.runAPIServer(ctx, etcdURL, port, dial); err != nil {
		return nil, fmt.Errorf("kube-apiserver: %w", err)
	}
	if err := credentials.writeKubeconfig(c.kubeconfig, port); err != nil {
		return nil, err
	}
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return nil, err
	}
	c.Config.QPS = -1
	return c, c.waitForAPIServer(ctx)
}

func (c *Cluster) runAPIServer(ctx context.Context, etcdURL string, port int, dial utilnet.DialFunc) error {
	options := apiserveroptions.NewServerRunOptions()
	if err := parse("kube-apiserver", options.Flags(),
		"--etcd-servers="+etcdURL,
		"--bind-address="+loopback, fmt.Sprintf("--secure-port=%d", port),
		// The address of the Service kubernetes must not be a loopback address; nothing listens on this one.
		"--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none",
		"--cert-dir="+c.credentials.folder,
		"--token-auth-file="+c.credentials.tokens(),
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.credentials.serviceAccountKey(),
		"--service-account-signing-key-file="+c.credentials.serviceAccountKey(),
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=true",
		"--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0",
		"--event-ttl=1h", "--profiling=false",
	); err != nil {
		return err
	}
	if err := options.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	completed, err := options.Complete(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(completed.Validate()...); err != nil {
		return err
	}
	config, err := apiserver.NewConfig(completed)
	if err != nil {
		return err
	}
	// The API server refuses to speak to nodes on loopback addresses. The lab's have others, and are dialled here.
	config.KubeAPIs.KubeletClientConfig.Lookup = func(egressselector.NetworkContext) (utilnet.DialFunc, error) { return dial, nil }
	complete, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := apiserver.CreateServerChain(complete)
	if err != nil {
		return err
	}
	server, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	c.run("kube-apiserver", func() error { return server.Run(ctx) })
	return nil
}

// pollInterval is the time between two questions whether something is ready.
const pollInterval = 50 * time.Millisecond

func (c *Cluster) waitForAPIServer(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	for {
		answer, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil && string(answer) == "ok" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.failed:
			return err
		case <-time.After(pollInterval):
		}
	}
}

// StartControllerManager starts the controllers. Nodes are never given up for not reporting: kwok reports for all of
// them, and a test that wants a node gone says so on the node.
func (c *Cluster) StartControllerManager(ctx context.Context) error {
	const name = "kube-controller-manager"
	options, err := controllermanageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	all, disabled, aliases := controllermanager.KnownControllers(), controllermanager.ControllersDisabledByDefault(), controllermanager.ControllerAliases()
	flags := options.Flags(all, disabled, aliases)
	if err := parse(name, flags,
		"--kubeconfig="+c.kubeconfig, "--leader-elect=false", "--secure-port=0", "--bind-address="+loopback,
		"--service-account-private-key-file="+c.credentials.serviceAccountKey(),
		"--root-ca-file="+c.credentials.certificate(),
		"--kube-api-qps=5000", "--kube-api-burst=10000",
		"--concurrent-statefulset-syncs=32", "--concurrent-service-endpoint-syncs=32",
		"--node-monitor-grace-period=24h",
		"--allocate-node-cidrs=false", "--configure-cloud-routes=false", "--profiling=false",
	); err != nil {
		return err
	}
	options.ParsedFlags = &flags
	if err := options.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	config, err := options.Config(ctx, all, disabled, aliases)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.run(name, func() error { return controllermanager.Run(ctx, config.Complete()) })
	return nil
}

// StartScheduler starts the scheduler.
func (c *Cluster) StartScheduler(ctx context.Context) error {
	const name = "kube-scheduler"
	options := scheduleroptions.NewOptions()
	if err := parse(name, *options.Flags,
		"--kubeconfig="+c.kubeconfig, "--leader-elect=false", "--secure-port=0", "--bind-address="+loopback,
		"--kube-api-qps=5000", "--kube-api-burst=10000", "--profiling=false",
		"--authentication-tolerate-lookup-failure=true",
	); err != nil {
		return err
	}
	if err := options.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	config, instance, err := scheduler.Setup(ctx, options)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.run(name, func() error { return scheduler.Run(ctx, config, instance) })
	return nil
}

// run runs a component, which isn't expected to end before its context.
func (c *Cluster) run(name string, component func() error) {
	go func() {
		err := component()
		if err == nil {
			err = errors.New("it has ended")
		}
		c.failed <- fmt.Errorf("%s: %w", name, err)
	}()
}

func parse(name string, sets flag.NamedFlagSets, args ...string) error {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

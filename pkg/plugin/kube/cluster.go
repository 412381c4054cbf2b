// Package kube is everything that talks to a cluster: the clients made from kubectl's own flags, paged lists, the
// kubelets' statistics. What can't be read becomes a Problem or an error that names the object and the remedy.
package kube

import (
	"context"
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	appsv1client "k8s.io/client-go/kubernetes/typed/apps/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	// Logging in to the clouds' clusters, as kubectl does.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// The client's own throttle: kubectl's numbers. The API server's priority and fairness is the one that protects it.
const (
	queriesPerSecond = 50
	queriesBurst     = 300
)

// noCluster is the server that client-go assumes when no kubeconfig names any.
const noCluster = "http://localhost:8080"

// Cluster is a connection to one cluster.
type Cluster struct {
	// Namespace is that of -n, else of the kubeconfig's context, else default.
	Namespace string

	// Clients of single groups: the set of all clients would make the binary 10 MB larger.
	core      corev1client.CoreV1Interface
	apps      appsv1client.AppsV1Interface
	discovery discovery.ServerVersionInterfaceWithContext
	// config makes the connections of exec, which are not plain requests.
	config *rest.Config
}

// Connect makes the clients from the kubeconfig and kubectl's connection flags. It sends nothing yet. Warnings of the API
// server go to warnings.
func Connect(flags *genericclioptions.ConfigFlags, warnings io.Writer) (*Cluster, error) {
	loader := flags.ToRawKubeConfigLoader()
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, kubeconfigError(flags, err)
	}
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, kubeconfigError(flags, err)
	}
	if raw, err := loader.RawConfig(); err == nil && config.Host == noCluster && len(raw.Clusters) == 0 && *flags.APIServer == "" {
		return nil, errors.New("no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server")
	}
	config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(queriesPerSecond, queriesBurst)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	c := &Cluster{Namespace: namespace, config: config}
	if err := c.addClients(config); err != nil {
		return nil, kubeconfigError(flags, err)
	}
	return c, nil
}

// addClients makes the clients, which share connections and the throttle.
func (c *Cluster) addClients(config *rest.Config) error {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	if c.core, err = corev1client.NewForConfigAndClient(config, client); err != nil {
		return err
	}
	if c.apps, err = appsv1client.NewForConfigAndClient(config, client); err != nil {
		return err
	}
	c.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(config, client)
	return err
}

// ServerVersion asks the API server for its version.
func (c *Cluster) ServerVersion(ctx context.Context) (*version.Info, error) {
	info, err := c.discovery.ServerVersionWithContext(ctx)
	if err != nil {
		return nil, Explain(err)
	}
	return info, nil
}

// Query selects objects of one kind.
type Query struct {
	// Namespace is empty for all namespaces.
	Namespace string
	// Selector is a label selector; empty for all objects.
	Selector string
	// ChunkSize is the number of objects in a page; 0 for a list in one piece.
	ChunkSize int64
}

// Package kube is everything that talks to a cluster: the clients made from kubectl's own flags, paged lists, the
// kubelets' statistics. What can't be read becomes a Problem or an error that names the object and the remedy.
package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	// Logging in to the clouds' clusters, as kubectl does.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// The client's own throttle. Every API server that is still supported protects itself (priority and fairness, on by default since
// 1.20), and what is asked at the same time is bounded: kubectl's 50 a second would make 1,000 kubelets take 15 seconds.
const (
	queriesPerSecond = 400
	queriesBurst     = 800
)

// noCluster is the server that client-go assumes when no kubeconfig names any.
const noCluster = "http://localhost:8080"

// Cluster is a connection to one cluster.
type Cluster struct {
	// Namespace is that of -n, else of the kubeconfig's context, else default.
	Namespace string

	// Plain REST clients and the types of their answers: typed clients of these two groups alone would link 2 MB of methods.
	clients map[schema.GroupVersion]rest.Interface
	custom  *custom
	// config makes the connections of exec and port-forward, which are not plain requests.
	config *rest.Config
	// login is nil if the kubeconfig needs no program to log in.
	login *loginGate
	// What the kubeconfig calls the context and the cluster; empty in a pod.
	contextName, clusterName string
	// shared is nil unless several readers share their lists.
	shared *shared
	link   *Link
	// seen is nil unless objects are observed.
	seen func(kind string, o metav1.Object)
}

// Connect makes the clients from the kubeconfig and kubectl's connection flags. It sends nothing yet. Warnings of the API
// server go to warnings.
func Connect(flags *Connection, warnings io.Writer) (*Cluster, error) {
	loader := flags.loader()
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, kubeconfigError(flags, err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, kubeconfigError(flags, err)
	}
	raw, rawErr := loader.RawConfig()
	if rawErr == nil && config.Host == noCluster && len(raw.Clusters) == 0 && flags.Overrides.ClusterInfo.Server == "" {
		if missing := missingFiles(flags); len(missing) > 0 {
			return nil, fmt.Errorf("no cluster is configured: KUBECONFIG names %s, which does not exist", strings.Join(missing, ", "))
		}
		return nil, errors.New("no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server")
	}
	if config.ExecProvider != nil {
		preferences, err := ReadPreferences(flags, warnings)
		if err != nil {
			return nil, err
		}
		config.ExecProvider.PluginPolicy = preferences.policy
	}
	config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(queriesPerSecond, queriesBurst)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	logBodies(config)
	c := &Cluster{Namespace: namespace, config: config, clients: map[schema.GroupVersion]rest.Interface{}}
	if rawErr == nil {
		c.contextName, c.clusterName = chosen(flags, &raw)
	}
	c.link = newLink(probeWith(c))
	c.link.observe(config)
	if err := c.addClients(); err != nil {
		return nil, kubeconfigError(flags, err)
	}
	return c, nil
}

// addClients makes a client for each group, which share connections and the throttle.
func (c *Cluster) addClients() error {
	connections, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return err
	}
	if c.login, err = newLoginGate(c.config); err != nil {
		return err
	}
	connections = c.login.through(connections)
	c.custom = &custom{config: c.config, connections: connections, clients: map[schema.GroupVersion]rest.Interface{}}
	for _, gv := range groupVersions {
		if c.clients[gv], err = newClient(c.config, gv, connections); err != nil {
			return err
		}
	}
	return nil
}

func newClient(config *rest.Config, gv schema.GroupVersion, connections *http.Client) (rest.Interface, error) {
	group := rest.CopyConfig(config)
	group.GroupVersion = &gv
	group.APIPath = "/apis"
	if gv.Group == "" {
		group.APIPath = "/api"
	}
	group.NegotiatedSerializer = codecs.WithoutConversion()
	return rest.RESTClientForConfigAndClient(group, connections)
}

// core is the client of the group of pods, nodes and Services.
func (c *Cluster) core() rest.Interface { return c.clients[corev1.SchemeGroupVersion] }

// ServerVersion asks the API server for its version.
func (c *Cluster) ServerVersion(ctx context.Context) (*version.Info, error) {
	text, err := c.core().Get().AbsPath("/version").SetHeader("Accept", "application/json").Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	info := &version.Info{}
	if err := json.Unmarshal(text, info); err != nil {
		return nil, fmt.Errorf("the API server's version can't be read: %w", err)
	}
	return info, nil
}

// Query selects objects of one kind.
type Query struct {
	// Namespace is empty for all namespaces.
	Namespace string
	// Selector is a label selector; empty for all objects.
	Selector string
	// Fields is a field selector; empty for all objects.
	Fields string
	// ChunkSize is the number of objects in a page; 0 for a list in one piece.
	ChunkSize int64
}

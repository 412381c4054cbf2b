// Package endpoint is kubectl doik endpoint: the way to a cluster's API servers, seen from the workstation and from the cluster.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

const (
	// handshakeTimeout is what connecting and the certificate may take: an address that does not answer is the common case.
	handshakeTimeout = 10 * time.Second
	// clusterLookups is how many times the time of a lookup one in the cluster has: tools there ask more than once.
	clusterLookups = 3
)

// Query says what to collect.
type Query struct {
	// Resolver is the address and port of a DNS server to ask as well; empty for none.
	Resolver string
	// LookupTimeout is the time that each lookup has.
	LookupTimeout time.Duration
	// LocalOnly queries nothing in the cluster.
	LocalOnly bool
	// Pod is the debug pod that asks in the cluster.
	Pod       kube.DebugPod
	ChunkSize int64
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Snapshot is what kubeconfig, DNS servers and cluster said.
type Snapshot struct {
	Server v1alpha1.EndpointServer `json:"server"`
	// Login is what the command line of the program that the kubeconfig logs in with says of the cluster.
	Login *Login `json:"login,omitempty"`
	// Name is what was looked up.
	Name        string                       `json:"name"`
	Resolutions []v1alpha1.Resolution        `json:"resolutions,omitempty"`
	Certificate *v1alpha1.ServingCertificate `json:"certificate,omitempty"`
	// Unreachable is why the API server could not be asked; empty if it answered.
	Unreachable string `json:"unreachable,omitempty"`
	// Version is the API server's; Client that of the client libraries.
	Version *v1alpha1.ServerVersion `json:"version,omitempty"`
	Client  string                  `json:"client,omitempty"`
	Skew    *v1alpha1.VersionSkew   `json:"skew,omitempty"`
	// KubeletSkews is by the kubelet's version.
	KubeletSkews map[string]*v1alpha1.VersionSkew `json:"kubeletSkews,omitempty"`
	// Slices are the EndpointSlices of the Service kubernetes in the namespace default.
	Slices []discoveryv1.EndpointSlice `json:"slices,omitempty"`
	// Nodes are cut down to what analysis reads.
	Nodes []corev1.Node `json:"nodes,omitempty"`
	// Problems by what could not be read at all.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Keys of Snapshot.Problems.
const (
	subjectAll    = "all" // of what the API server knows
	subjectServer = "version"
	subjectSlices = "endpointslices"
	subjectNodes  = "nodes"
	subjectLookup = "lookup"
)

// Collect looks the API server's name up, on the workstation and in the cluster, and reads what the API server reports itself.
// It fails only if the kubeconfig leads nowhere; whatever does not answer is in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	progress := q.Progress
	if progress == nil {
		progress = func(string) {}
	}
	server, err := cluster.Server()
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Server: server, Login: loginOf(cluster.Login()), Name: nameOf(server), Client: kube.LibraryVersion(), Problems: map[string]v1alpha1.Problem{}}
	progress("looking " + s.Name + " up, and fetching the server's certificate")
	var group sync.WaitGroup // whatever fails is in the snapshot
	group.Go(func() { s.lookUpHere(ctx, q) })
	group.Go(func() { s.connect(ctx, cluster) })
	group.Wait()
	if s.Unreachable == "" {
		progress("querying the API server")
		s.askServer(ctx, cluster, q, progress)
	}
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// lookUpHere looks the name up on the workstation.
func (s *Snapshot) lookUpHere(ctx context.Context, q Query) {
	if a, err := netip.ParseAddr(s.Name); err == nil {
		s.Resolutions = []v1alpha1.Resolution{{
			From: v1alpha1.FromWorkstation, Name: s.Name, Result: v1alpha1.ResolutionLiteral, Addresses: addresses([]netip.Addr{a}),
		}}
		return
	}
	list := make([]v1alpha1.Resolution, 1, 3)
	var group sync.WaitGroup // failures are results
	group.Go(func() { list[0] = resolveOnWorkstation(ctx, s.Name, q.LookupTimeout) })
	if q.Resolver != "" {
		list = list[:2]
		group.Go(func() { list[1] = askResolver(ctx, q.Resolver, s.Name, q.LookupTimeout) })
	}
	group.Wait()
	s.Resolutions = list
}

// connect asks for the certificate, which also reports whether anybody answers.
func (s *Snapshot) connect(ctx context.Context, cluster *kube.Cluster) {
	limited, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	certificate, err := cluster.ServingCertificate(limited)
	s.Certificate = certificate
	switch {
	case err == nil:
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		s.Unreachable = fmt.Sprintf("no answer from %s within %s", s.Server.URL, handshakeTimeout)
	default:
		s.Unreachable = unreachable(err)
	}
}

// unreachable is an error of the way to the API server in one line.
func unreachable(err error) string {
	return strings.Join(strings.Fields(kube.Explain(err).Error()), " ")
}

// askServer reads what the API server reports itself, and has the name looked up in the cluster.
func (s *Snapshot) askServer(ctx context.Context, cluster *kube.Cluster, q Query, progress func(string)) {
	info, err := cluster.ServerVersion(ctx)
	var status apierrors.APIStatus
	refused := apierrors.IsUnauthorized(err) || kube.LoginFailed(err)
	switch {
	case refused: // nor will anything else be answered
		s.Problems[subjectAll] = kube.ProblemOf("version, API servers, nodes, and the lookup in the cluster", err)
	case errors.As(err, &status): // it answers, and says no
		s.Problems[subjectServer] = kube.ProblemOf("the API server's version", err)
	case err != nil:
		s.Unreachable = unreachable(err)
	default:
		s.Version = &v1alpha1.ServerVersion{Version: info.GitVersion, Platform: info.Platform}
		s.Skew = kube.ClientSkew(s.Client, info.GitVersion)
	}
	if s.Unreachable != "" || refused {
		return
	}
	var notLookedUp error
	reads := []kube.Read{{Subject: subjectSlices, Title: "the EndpointSlices of the Service kubernetes in namespace default", Do: func(ctx context.Context) error {
		return cluster.EachEndpointSlice(ctx, kube.Query{
			Namespace: metav1.NamespaceDefault, Selector: objects.SlicesOf("kubernetes"), ChunkSize: q.ChunkSize,
		}, func(slice *discoveryv1.EndpointSlice) {
			s.Slices = append(s.Slices, *slice)
		})
	}}, {Subject: subjectNodes, Title: "nodes", Do: func(ctx context.Context) error {
		return s.readNodes(ctx, cluster, q)
	}}}
	// An address needs no lookup, and localhost is a different machine everywhere.
	if !q.LocalOnly && s.Resolutions[0].Result != v1alpha1.ResolutionLiteral && !isThisMachine(s.Name) {
		reads = append(reads, kube.Read{Subject: subjectLookup, Title: "looking " + s.Name + " up in the cluster", Do: func(ctx context.Context) error {
			notLookedUp = s.lookUpInCluster(ctx, cluster, q, progress)
			return notLookedUp
		}})
	}
	_, _ = kube.SideBySide(ctx, s.Problems, reads...) // none is needed
	var left *kube.LeftBehindError
	switch {
	case errors.As(notLookedUp, &left) && s.Resolutions[len(s.Resolutions)-1].From == v1alpha1.FromCluster: // it was, and the pod is still there
		s.Problems[subjectLookup] = kube.ProblemOf("the debug pod", left)
	case notLookedUp != nil:
		s.Resolutions = append(s.Resolutions, v1alpha1.Resolution{From: v1alpha1.FromCluster, Name: s.Name, Result: v1alpha1.ResolutionNotAsked})
	}
}

func (s *Snapshot) readNodes(ctx context.Context, cluster *kube.Cluster, q Query) error {
	err := cluster.EachNode(ctx, kube.Query{ChunkSize: q.ChunkSize}, func(node *corev1.Node) {
		s.Nodes = append(s.Nodes, corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels},
			Spec:       corev1.NodeSpec{ProviderID: node.Spec.ProviderID},
			Status: corev1.NodeStatus{
				Addresses: node.Status.Addresses, NodeInfo: corev1.NodeSystemInfo{KubeletVersion: node.Status.NodeInfo.KubeletVersion},
			},
		})
	})
	if err != nil {
		s.Nodes = nil // some of them would report others what is not so
		return err
	}
	s.KubeletSkews = map[string]*v1alpha1.VersionSkew{}
	for i := range s.Nodes {
		kubelet := s.Nodes[i].Status.NodeInfo.KubeletVersion
		if s.Version != nil {
			s.KubeletSkews[kubelet] = kube.KubeletSkew(kubelet, s.Version.Version)
		}
	}
	return nil
}

// lookUpInCluster has a debug pod look the name up.
func (s *Snapshot) lookUpInCluster(ctx context.Context, cluster *kube.Cluster, q Query, progress func(string)) error {
	pod := q.Pod
	pod.Progress = progress
	return cluster.WithDebugPod(ctx, pod, func(pod *corev1.Pod) error {
		progress("looking " + s.Name + " up in the cluster")
		limited, cancel := context.WithTimeout(ctx, clusterLookups*q.LookupTimeout)
		defer cancel()
		answers, err := askInPod(limited, cluster, pod, s.Name)
		r := resolution(answers)
		switch {
		case err != nil && ctx.Err() == nil && limited.Err() != nil:
			r = v1alpha1.Resolution{Result: v1alpha1.ResolutionTimeout, Message: withinTime(clusterLookups * q.LookupTimeout)}
		case err != nil:
			return err
		}
		r.From, r.Name, r.Node = v1alpha1.FromCluster, s.Name, pod.Spec.NodeName
		s.Resolutions = append(s.Resolutions, r)
		return nil
	})
}

// askInPod asks for a name's addresses in a pod.
func askInPod(ctx context.Context, cluster *kube.Cluster, pod *corev1.Pod, name string) ([]resolve.Answer, error) {
	session, err := resolve.NewSession(ctx, cluster, kube.Container{Namespace: pod.Namespace, Pod: pod.Name, Name: kube.DebugContainer})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	return session.Ask(ctx, addressQuestions(name), func(int) {})
}

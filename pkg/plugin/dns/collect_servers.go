package dns

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// Labels of the Services and pods of the cluster's DNS in most clusters.
const (
	appLabel      = "k8s-app"
	dnsApp        = "kube-dns"
	nodeLocalApp  = "node-local-dns"
	dnsServices   = appLabel + "=" + dnsApp
	nodeLocalPods = appLabel + "=" + nodeLocalApp
	systemSpace   = "kube-system"
)

// knownServices are names of the DNS Service where it has not the usual one, nor its label: of CoreDNS's chart and Huawei's CCE, of
// RKE2, of OpenShift (whose Service has the label dns.operator.openshift.io/owning-dns).
var knownServices = [...]string{"kube-system/coredns", "kube-system/rke2-coredns-rke2-coredns", "openshift-dns/dns-default"}

// collectServers finds the cluster's DNS Service and the pods behind it, and what stands between them and other pods.
func (s *Snapshot) collectServers(ctx context.Context, cluster *kube.Cluster, q Query) {
	service, err := s.findService(ctx, cluster, q.DNSService)
	if err != nil {
		s.serversUnread(err)
		return
	}
	if service != nil { // else its absence is what there is to know
		s.readServers(ctx, cluster, service)
	}
}

func (s *Snapshot) serversUnread(err error) {
	namespace, _, _ := strings.Cut(s.DNSServiceName, "/")
	problem := kube.ProblemOf("DNS servers of Service "+s.DNSServiceName, err)
	if problem.Reason == v1alpha1.ReasonForbidden {
		problem.Message = "no permission to get Services in namespace " + namespace
	}
	s.Problems[subjectServers] = problem
}

// findService looks for the DNS Service by its name, by its label, and by the names that it has elsewhere. One that the user names is
// looked for in its own namespace alone. It is nil if there is none, and an error if it may be where the user may not look.
func (s *Snapshot) findService(ctx context.Context, cluster *kube.Cluster, wanted string) (*corev1.Service, error) {
	namespace, name, _ := strings.Cut(wanted, "/")
	service, unread := cluster.Service(ctx, namespace, name)
	switch {
	case unread == nil:
		return service, nil
	case apierrors.IsNotFound(unread):
		unread = nil
		var others []corev1.Service
		err := cluster.EachService(ctx, kube.Query{Namespace: namespace}, func(other *corev1.Service) { others = append(others, *other) })
		s.Sought = append(s.Sought, wanted, dnsServices)
		if found := likely(others); found != nil {
			return found, nil
		}
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
	case !apierrors.IsForbidden(unread):
		return nil, unread
	}
	if wanted != defaultDNSService {
		return nil, unread
	}
	for _, known := range knownServices {
		namespace, name, _ := strings.Cut(known, "/")
		if namespace != systemSpace {
			service, err := cluster.Service(ctx, namespace, name)
			if err == nil {
				return service, nil
			}
			if !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) {
				return nil, err
			}
		}
		s.Sought = append(s.Sought, known)
	}
	return nil, unread
}

// likely is the Service of a namespace that is the cluster's DNS by its label, else by its name.
func likely(list []corev1.Service) *corev1.Service {
	for _, is := range []func(*corev1.Service) bool{
		func(service *corev1.Service) bool { return service.Labels[appLabel] == dnsApp },
		func(service *corev1.Service) bool {
			return slices.Contains(knownServices[:], service.Namespace+"/"+service.Name)
		},
	} {
		for i := range list {
			if is(&list[i]) && answersDNS(&list[i]) {
				return &list[i]
			}
		}
	}
	return nil
}

// answersDNS reports whether a Service has an address and the port of DNS servers: what exports their metrics bears their label too.
func answersDNS(service *corev1.Service) bool {
	return !objects.Headless(service) && service.Spec.ClusterIP != "" &&
		slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == dnsPort })
}

// serviceAt is the Service of any namespace that has an address; nil if there is none.
func serviceAt(ctx context.Context, cluster *kube.Cluster, address netip.Addr) (*corev1.Service, error) {
	var found *corev1.Service
	err := cluster.EachService(ctx, kube.Query{Fields: "spec.clusterIP=" + address.String()}, func(service *corev1.Service) { found = service })
	return found, err
}

// readServers takes a Service for the DNS Service and reads the servers behind it.
func (s *Snapshot) readServers(ctx context.Context, cluster *kube.Cluster, service *corev1.Service) {
	delete(s.Problems, subjectServers)
	s.DNSService, s.Sought = service, nil
	s.DNSServiceName = service.Namespace + "/" + service.Name
	s.Vantage.Service = s.DNSServiceName
	servers, changed, err := serversBehind(ctx, cluster, service)
	if err != nil {
		s.Problems[subjectServers] = kube.ProblemOf("DNS servers of Service "+s.DNSServiceName, err)
	}
	s.Vantage.Servers, s.DNSChanged = servers, changed
	s.readServerPods(ctx, cluster)
	// Nice to know: who may not read it does without.
	s.DNSNamespaceLabels = map[string]string{corev1.LabelMetadataName: service.Namespace}
	if object, err := cluster.GetNamespace(ctx, service.Namespace); err == nil {
		s.DNSNamespaceLabels = object.Labels
	}
}

// refreshServers reads them as they are now: some did not answer, which may have ended meanwhile.
func (s *Snapshot) refreshServers(ctx context.Context, cluster *kube.Cluster) {
	if s.DNSService == nil {
		return
	}
	if servers, changed, err := serversBehind(ctx, cluster, s.DNSService); err == nil {
		s.Vantage.Servers, s.DNSChanged = servers, changed
	}
	s.readServerPods(ctx, cluster)
}

// serversBehind are the servers behind a Service, and when they last changed; nil if that is unknown.
func serversBehind(ctx context.Context, cluster *kube.Cluster, service *corev1.Service) (list []v1alpha1.DNSServer, changed *metav1.Time, err error) {
	q := kube.Query{Namespace: service.Namespace, Selector: objects.SlicesOf(service.Name)}
	err = cluster.EachEndpointSlice(ctx, q, func(slice *discoveryv1.EndpointSlice) {
		list = append(list, serversOf(slice)...)
		if written := objects.LastWritten(slice); !written.IsZero() && (changed == nil || written.After(changed.Time)) {
			changed = new(metav1.NewTime(written))
		}
	})
	slices.SortFunc(list, func(a, b v1alpha1.DNSServer) int { return resolve.CompareData(a.Address, b.Address) })
	return list, changed, err
}

// readServerPods reads the pods that are or will be DNS servers, and those of a NodeLocal DNSCache, in one list where it can. They are
// nice to know: who may not read them does without.
func (s *Snapshot) readServerPods(ctx context.Context, cluster *kube.Cluster) {
	selector, namespace := s.DNSService.Spec.Selector, s.DNSService.Namespace
	query := labels.SelectorFromSet(selector).String()
	if app := selector[appLabel]; app != "" && len(selector) == 1 {
		query = appLabel + " in (" + app + "," + nodeLocalApp + ")"
	}
	if len(selector) == 0 {
		query = nodeLocalPods
	}
	s.readPods(ctx, cluster, namespace, query, func(pod *corev1.Pod) bool { return objects.Selects(s.DNSService, pod.Labels) })
}

func (s *Snapshot) readPods(ctx context.Context, cluster *kube.Cluster, namespace, query string, isServer func(*corev1.Pod) bool) {
	var servers, states []corev1.Pod
	var caches []string
	err := cluster.EachPod(ctx, kube.Query{Namespace: namespace, Selector: query}, func(pod *corev1.Pod) {
		switch {
		case pod.Labels[appLabel] == nodeLocalApp:
			caches, states = append(caches, pod.Namespace+"/"+pod.Name), append(states, reduceServer(pod))
		case isServer(pod):
			servers = append(servers, reduceServer(pod))
		}
	})
	if err == nil {
		s.DNSPods, s.DNSPodsRead, s.NodeLocalPods, s.NodeCaches = servers, true, caches, states
	}
}

// reduceServer keeps of a pod what tells how far it is on its way.
func reduceServer(pod *corev1.Pod) corev1.Pod {
	containers := func(list []corev1.Container) []corev1.Container {
		var kept []corev1.Container
		for i := range list {
			c := &list[i]
			kept = append(kept, corev1.Container{Name: c.Name, StartupProbe: c.StartupProbe, ReadinessProbe: c.ReadinessProbe, RestartPolicy: c.RestartPolicy})
		}
		return kept
	}
	kept := corev1.Pod{Spec: corev1.PodSpec{
		NodeName: pod.Spec.NodeName, InitContainers: containers(pod.Spec.InitContainers), Containers: containers(pod.Spec.Containers),
	}, Status: pod.Status}
	kept.Namespace, kept.Name = pod.Namespace, pod.Name
	kept.CreationTimestamp, kept.DeletionTimestamp = pod.CreationTimestamp, pod.DeletionTimestamp
	return kept
}

// serversOf are the endpoints of the DNS Service with the port that takes TCP.
func serversOf(slice *discoveryv1.EndpointSlice) []v1alpha1.DNSServer {
	port := int32(0)
	for _, p := range slice.Ports {
		tcp := p.Protocol != nil && *p.Protocol == corev1.ProtocolTCP
		if tcp && p.Port != nil && (port == 0 || p.Name != nil && strings.HasPrefix(*p.Name, "dns")) {
			port = *p.Port
		}
	}
	var list []v1alpha1.DNSServer
	for _, endpoint := range slice.Endpoints {
		for _, address := range endpoint.Addresses {
			server := v1alpha1.DNSServer{Address: address, Port: port, Ready: objects.EndpointReady(&endpoint)}
			server.Terminating = objects.EndpointTerminating(&endpoint)
			if endpoint.NodeName != nil {
				server.Node = *endpoint.NodeName
			}
			if pod := objects.EndpointPod(&endpoint); pod.Name != "" {
				server.Pod = pod.String()
			}
			list = append(list, server)
		}
	}
	return list
}

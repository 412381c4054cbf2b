package dns

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// readPatience is the time that a container has to print its resolv.conf.
const readPatience = 3 * time.Second

// podResolution reads what pods are given to resolve names with: from the configuration of the kubelet that runs one of them, else from
// its resolv.conf. That is one request, or two. It is nil if neither can be read, or if no pod runs that has it from the kubelet.
func (s *Snapshot) podResolution(ctx context.Context, cluster *kube.Cluster) *v1alpha1.PodResolution {
	x := newIndex(s)
	pod := s.clientPod(func(pod *corev1.Pod) bool {
		return slices.ContainsFunc(s.Subjects, func(subject Subject) bool { return x.concerns(subject, pod) })
	})
	stranger := pod == nil
	if stranger { // the kubelet of another's pod tells as much; nothing is run in that pod
		pod = s.clientPod(func(*corev1.Pod) bool { return true })
	}
	if pod == nil {
		return nil
	}
	config, err := cluster.KubeletDNS(ctx, pod.Spec.NodeName)
	if err == nil && (config.Domain == "" || resolve.ValidName(config.Domain)) {
		return &v1alpha1.PodResolution{Source: "node/" + pod.Spec.NodeName, Nameservers: config.Nameservers, Domain: config.Domain}
	}
	if stranger || errors.Is(err, context.DeadlineExceeded) {
		return nil // it would run the command too
	}
	container, err := runningContainer(pod, "")
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	text, err := cluster.Exec(ctx, kube.Container{Namespace: pod.Namespace, Pod: pod.Name, Name: container}, "cat", "/etc/resolv.conf")
	file := resolve.ParseResolvConf(text)
	if err != nil || len(file.Nameservers) == 0 {
		return nil
	}
	return &v1alpha1.PodResolution{Source: "pod/" + pod.Namespace + "/" + pod.Name, Nameservers: file.Nameservers, Domain: domainOf(file.Search)}
}

// clientPod is a running pod, of those that are wanted, that has its resolv.conf from the kubelet.
func (s *Snapshot) clientPod(wanted func(*corev1.Pod) bool) *corev1.Pod {
	for i := range s.Pods {
		pod := &s.Pods[i]
		if pod.Status.Phase != corev1.PodRunning || pod.Spec.NodeName == "" || objects.Terminating(pod) || !fromKubelet(&pod.Spec) {
			continue
		}
		if wanted(pod) {
			return pod
		}
	}
	return nil
}

// fromKubelet reports whether name servers and search path of a pod are those that its kubelet has for pods of the cluster.
func fromKubelet(spec *corev1.PodSpec) bool {
	if c := spec.DNSConfig; c != nil && len(c.Nameservers)+len(c.Searches) > 0 {
		return false
	}
	switch spec.DNSPolicy {
	case corev1.DNSClusterFirst, "":
		return !spec.HostNetwork
	case corev1.DNSClusterFirstWithHostNet:
		return true
	}
	return false
}

// ownResolver says why a pod is not given the cluster's DNS; it is empty for one that is.
func ownResolver(spec *corev1.PodSpec) string {
	switch policy := cmp.Or(spec.DNSPolicy, corev1.DNSClusterFirst); {
	case policy == corev1.DNSClusterFirst && spec.HostNetwork:
		return "hostNetwork without dnsPolicy ClusterFirstWithHostNet"
	case policy == corev1.DNSDefault, policy == corev1.DNSNone:
		return "dnsPolicy " + string(policy)
	}
	return ""
}

// lookBehind finds out what is behind the address that pods ask, where it is not that of the DNS Service. A Service that is there is the
// DNS Service if no other was found, and none is named.
func (s *Snapshot) lookBehind(ctx context.Context, cluster *kube.Cluster) {
	p := s.Vantage.Pods
	if p == nil || len(p.Nameservers) == 0 {
		return
	}
	if s.DNSService != nil && objects.HasClusterIP(s.DNSService, p.Nameservers[0]) {
		p.Service = s.DNSServiceName
		return
	}
	s.PodsService, s.PodsServiceRead = s.atAddress(ctx, cluster, p.Nameservers[0])
	switch service := s.PodsService; {
	case service == nil, s.DNSService == nil && s.DNSServiceName != defaultDNSService: // the user names another one
	case s.DNSService == nil:
		p.Service = service.Namespace + "/" + service.Name
		s.PodsService, s.PodsServiceRead = nil, false
		s.readServers(ctx, cluster, service)
	default:
		p.Service = service.Namespace + "/" + service.Name
		servers, _, err := serversBehind(ctx, cluster, service)
		s.PodsServers, s.PodsServiceRead = servers, err == nil
	}
}

// atAddress is the Service that has an address, and whether that is known. Addresses of a node's own are no Service's.
func (s *Snapshot) atAddress(ctx context.Context, cluster *kube.Cluster, text string) (service *corev1.Service, known bool) {
	address, err := netip.ParseAddr(text)
	if err != nil || address.IsLinkLocalUnicast() || address.IsLoopback() {
		return nil, false
	}
	service, err = serviceAt(ctx, cluster, address)
	return service, err == nil
}

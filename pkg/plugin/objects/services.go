package objects

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ServiceKinds are what a Service may be called in an argument kind/name.
func ServiceKinds() []string { return []string{"svc", "service", "services"} }

// Selects reports whether a Service's selector matches the labels of a pod of its namespace. A Service without a selector selects none: who
// its endpoints are, another controller decides. The type does not count, though an ExternalName has no endpoints, whatever its selector is.
func Selects(service *corev1.Service, pod map[string]string) bool {
	return HasLabels(pod, service.Spec.Selector)
}

// SelectorOf is a Service's selector as kubectl's -l takes it, key=value,…; <none> without one.
func SelectorOf(service *corev1.Service) string {
	return metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: service.Spec.Selector})
}

// Headless reports whether a Service gives out its endpoints' addresses in place of one of its own.
func Headless(service *corev1.Service) bool {
	return service.Spec.ClusterIP == corev1.ClusterIPNone && service.Spec.Type != corev1.ServiceTypeExternalName
}

// HasClusterIP reports whether an address, in whatever notation, is one of a Service's own.
func HasClusterIP(service *corev1.Service, address string) bool {
	wanted, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	is := func(text string) bool {
		ip, err := netip.ParseAddr(text)
		return err == nil && ip == wanted
	}
	return is(service.Spec.ClusterIP) || slices.ContainsFunc(service.Spec.ClusterIPs, is)
}

// ServiceOf is the name of the Service, in the slice's namespace, that an EndpointSlice is of; empty for one of none.
func ServiceOf(slice *discoveryv1.EndpointSlice) string {
	return slice.Labels[discoveryv1.LabelServiceName]
}

// SlicesOf selects, by labels, the EndpointSlices of a Service in its namespace.
func SlicesOf(service string) string { return discoveryv1.LabelServiceName + "=" + service }

// Reaches reports whether a Service sends traffic to a pod of its namespace by way of one of its EndpointSlices: the pod, known by its name or
// by its IP, which is empty until it has one, is a ready endpoint, whether a selector or a person put it there.
func Reaches(slice *discoveryv1.EndpointSlice, pod, ip string) bool {
	for i := range slice.Endpoints {
		e := &slice.Endpoints[i]
		if EndpointReady(e) && (EndpointPod(e).Name == pod || ip != "" && slices.Contains(e.Addresses, ip)) {
			return true
		}
	}
	return false
}

// EndpointReady reports whether an endpoint is given out: where nothing is said it is.
func EndpointReady(endpoint *discoveryv1.Endpoint) bool {
	return endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
}

// EndpointTerminating reports whether an endpoint's pod is about to end: it is no longer ready then, though it may still serve, unless the
// Service publishes addresses that are not ready.
func EndpointTerminating(endpoint *discoveryv1.Endpoint) bool {
	return endpoint.Conditions.Terminating != nil && *endpoint.Conditions.Terminating
}

// HasTargetPort reports whether a pod has what a port of a Service leads to, as the controller of EndpointSlices decides it. A number need not
// be declared by any container: whether something listens there is not known. A name must be that of a container's port, or of a sidecar's, with
// the same protocol.
func HasTargetPort(port *corev1.ServicePort, pod *corev1.PodSpec) bool {
	if port.TargetPort.Type != intstr.String {
		return true
	}
	return slices.Contains(PortNames(pod, port.Protocol), port.TargetPort.StrVal)
}

// PortNames are the names of the ports that a pod's containers declare for a protocol, which is TCP where nothing is said.
func PortNames(pod *corev1.PodSpec, protocol corev1.Protocol) []string {
	var names []string
	take := func(c *corev1.Container) {
		for _, p := range c.Ports {
			if p.Name != "" && cmp.Or(p.Protocol, corev1.ProtocolTCP) == cmp.Or(protocol, corev1.ProtocolTCP) && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	for i := range pod.Containers {
		take(&pod.Containers[i])
	}
	for i := range pod.InitContainers {
		if IsSidecar(&pod.InitContainers[i]) {
			take(&pod.InitContainers[i])
		}
	}
	return names
}

// EndpointPod is the pod that an endpoint is for; zero if it is for none, or nothing is said.
func EndpointPod(endpoint *discoveryv1.Endpoint) types.NamespacedName {
	if ref := endpoint.TargetRef; ref != nil && ref.Kind == "Pod" {
		return types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	}
	return types.NamespacedName{}
}

// GivesName reports whether a pod has a DNS name of its own, hostname.service, under a headless Service of this name that selects it.
func GivesName(service string, pod *corev1.Pod) bool {
	return pod.Spec.Hostname != "" && pod.Spec.Subdomain == service
}

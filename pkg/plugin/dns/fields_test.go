package dns

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-doik/kubectl-doik/docs"
)

// fields are all fields of the API's types that names depend on: the code by which each is judged, what is expected because of it, or, after
// a dash, why it is not looked at and what a user would notice. A new field of the API has to be decided here.
var fields = map[string]string{
	"ServiceSpec.Ports":                         "DNS006 DNS025",
	"ServiceSpec.Selector":                      "DNS003 DNS007",
	"ServiceSpec.ClusterIP":                     "DNS002",
	"ServiceSpec.ClusterIPs":                    "the addresses of a Service that is not headless",
	"ServiceSpec.Type":                          "DNS002",
	"ServiceSpec.ExternalName":                  "DNS002",
	"ServiceSpec.LoadBalancerIP":                "DNS002",
	"ServiceSpec.PublishNotReadyAddresses":      "DNS005 DNS026",
	"ServiceSpec.IPFamilies":                    "DNS026 DNS027",
	"ServiceSpec.InternalTrafficPolicy":         "DNS029",
	"ServiceSpec.IPFamilyPolicy":                "- what came of it is in IPFamilies",
	"ServiceSpec.ExternalIPs":                   "- no records are made of them: connections from outside go elsewhere",
	"ServiceSpec.SessionAffinity":               "- no records are made of it: a headless Service has no such thing",
	"ServiceSpec.SessionAffinityConfig":         "- as SessionAffinity",
	"ServiceSpec.LoadBalancerSourceRanges":      "- of the load balancer: clients outside would be refused",
	"ServiceSpec.ExternalTrafficPolicy":         "- of the load balancer: clients outside would be led to other nodes",
	"ServiceSpec.HealthCheckNodePort":           "- of the load balancer",
	"ServiceSpec.AllocateLoadBalancerNodePorts": "- of the load balancer",
	"ServiceSpec.LoadBalancerClass":             "- of the load balancer",
	"ServiceSpec.TrafficDistribution":           "- proxies fall back to all endpoints: connections would go farther, not nowhere",

	"ServicePort.Name":        "DNS006 DNS025",
	"ServicePort.Protocol":    "DNS025",
	"ServicePort.TargetPort":  "DNS025",
	"ServicePort.Port":        "the port of SRV records of a Service that is not headless",
	"ServicePort.AppProtocol": "- a hint for meshes: no record has it",
	"ServicePort.NodePort":    "- no record has it: clients outside would notice",

	"EndpointSlice.AddressType": "DNS026",
	"EndpointSlice.Endpoints":   "DNS005 DNS026",
	"EndpointSlice.Ports":       "DNS025",

	"Endpoint.Addresses":          "DNS014 DNS015 DNS026",
	"Endpoint.Conditions":         "DNS005 DNS026",
	"Endpoint.Hostname":           "DNS004",
	"Endpoint.TargetRef":          "DNS026",
	"Endpoint.NodeName":           "DNS029",
	"Endpoint.DeprecatedTopology": "- nothing reads it any more",
	"Endpoint.Zone":               "- proxies fall back to all endpoints",
	"Endpoint.Hints":              "- as Zone: only proxies read them",

	"EndpointConditions.Ready":       "DNS005 DNS026",
	"EndpointConditions.Terminating": "DNS005",
	"EndpointConditions.Serving":     "- DNS servers go by ready; what serves while it ends is led to by proxies alone, and connections go on",

	"EndpointPort.Name":        "DNS025",
	"EndpointPort.Protocol":    "DNS025",
	"EndpointPort.Port":        "the port of SRV records",
	"EndpointPort.AppProtocol": "- as that of the Service's port",

	"PodDNSConfig.Nameservers": "DNS021",
	"PodDNSConfig.Searches":    "DNS013",
	"PodDNSConfig.Options":     "DNS013",
}

// podFields are those of a pod's spec that have to do with names: it has many others.
var podFields = map[string]string{
	"DNSPolicy":         "DNS021",
	"DNSConfig":         "DNS013 DNS021",
	"HostNetwork":       "DNS021",
	"Hostname":          "DNS004",
	"Subdomain":         "DNS004",
	"SetHostnameAsFQDN": "DNS018",
	"HostnameOverride":  "- the pod calls itself by it: no record has it",
	"HostAliases":       "- lines of its own in /etc/hosts are the template's explicit wish: that name would lead elsewhere from this pod alone",
}

// TestFields has every field of the types judged by a code that there is, or says why not.
func TestFields(t *testing.T) {
	left := map[string]bool{}
	for name := range fields {
		left[name] = true
	}
	decided := func(name, by string) {
		codes := regexp.MustCompile(`DNS\d{3}`).FindAllString(by, -1)
		for _, code := range codes {
			if !strings.Contains(docs.Findings, "### "+code+"\n") {
				t.Errorf("%s: there is no %s", name, code)
			}
		}
		if reason, not := strings.CutPrefix(by, "- "); len(codes) == 0 && len(by) < 12 || not && reason == "" {
			t.Errorf("%s is neither judged nor left out with a reason", name)
		}
	}
	for _, kind := range []any{corev1.ServiceSpec{}, corev1.ServicePort{}, discoveryv1.EndpointSlice{}, discoveryv1.Endpoint{}, discoveryv1.EndpointConditions{}, discoveryv1.EndpointPort{}, corev1.PodDNSConfig{}} {
		of := reflect.TypeOf(kind)
		for i := range of.NumField() {
			if field := of.Field(i); !field.Anonymous {
				name := of.Name() + "." + field.Name
				decided(name, fields[name])
				delete(left, name)
			}
		}
	}
	for name := range left {
		t.Errorf("the API has no %s", name)
	}
	of := reflect.TypeOf(corev1.PodSpec{})
	for i := range of.NumField() {
		name := of.Field(i).Name
		if by, known := podFields[name]; known {
			decided(name, by)
		} else if strings.Contains(name, "DNS") || strings.Contains(name, "Host") && !slices.Contains([]string{"HostPID", "HostIPC", "HostUsers"}, name) {
			t.Errorf("what of the pods' %s?", name)
		}
	}
	for _, policy := range []corev1.DNSPolicy{corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet, corev1.DNSDefault, corev1.DNSNone} {
		for _, hostNetwork := range []bool{false, true} {
			spec := &corev1.PodSpec{DNSPolicy: policy, HostNetwork: hostNetwork}
			if own := ownResolver(spec); (own == "") != fromKubelet(spec) {
				t.Errorf("%s, hostNetwork %t: %q, yet from the kubelet: %t", policy, hostNetwork, own, fromKubelet(spec))
			}
		}
	}
}

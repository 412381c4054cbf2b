package objects

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestSelects(t *testing.T) {
	pod := map[string]string{"app": "web", "tier": "db"}
	for name, test := range map[string]struct {
		service corev1.ServiceSpec
		want    bool
		text    string
	}{
		"one label":       {corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}, true, "app=web"},
		"all labels":      {corev1.ServiceSpec{Selector: map[string]string{"tier": "db", "app": "web"}}, true, "app=web,tier=db"},
		"another value":   {corev1.ServiceSpec{Selector: map[string]string{"app": "mysql"}}, false, "app=mysql"},
		"one label more":  {corev1.ServiceSpec{Selector: map[string]string{"app": "web", "role": "primary"}}, false, "app=web,role=primary"},
		"no selector":     {corev1.ServiceSpec{}, false, "<none>"},
		"an empty one":    {corev1.ServiceSpec{Selector: map[string]string{}}, false, "<none>"},
		"an ExternalName": {corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, Selector: map[string]string{"app": "web"}}, true, "app=web"},
	} {
		service := &corev1.Service{Spec: test.service}
		if got := Selects(service, pod); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
		if got := SelectorOf(service); got != test.text {
			t.Errorf("%s: %q, want %q", name, got, test.text)
		}
	}
}

func TestHeadless(t *testing.T) {
	for name, test := range map[string]struct {
		service corev1.ServiceSpec
		want    bool
	}{
		"headless":           {corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}, true},
		"a cluster IP":       {corev1.ServiceSpec{ClusterIP: "10.96.0.10"}, false},
		"none assigned yet":  {corev1.ServiceSpec{}, false},
		"an ExternalName":    {corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName}, false},
		"of none, by a name": {corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ClusterIP: corev1.ClusterIPNone}, false},
	} {
		if got := Headless(&corev1.Service{Spec: test.service}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestHasClusterIP(t *testing.T) {
	service := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.10", ClusterIPs: []string{"10.96.0.10", "fd00::a"}}}
	for address, want := range map[string]bool{
		"10.96.0.10": true, "fd00::a": true, "fd00:0:0:0:0:0:0:a": true, "10.96.0.1": false, "": false, "web": false, "None": false,
	} {
		if got := HasClusterIP(service, address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
	if HasClusterIP(&corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "None", ClusterIPs: []string{"None"}}}, "None") {
		t.Error("a headless Service has an address")
	}
	if !HasClusterIP(&corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.10"}}, "10.96.0.10") {
		t.Error("one that has only clusterIP has none")
	}
}

func TestReaches(t *testing.T) {
	yes, no := true, false
	ready := func(b *bool) discoveryv1.EndpointConditions { return discoveryv1.EndpointConditions{Ready: b} }
	pod := func(name string) *corev1.ObjectReference {
		return &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: name}
	}
	for name, test := range map[string]struct {
		endpoint discoveryv1.Endpoint
		want     bool
		of       types.NamespacedName
	}{
		"ready":               {discoveryv1.Endpoint{Conditions: ready(&yes), TargetRef: pod("web-0")}, true, types.NamespacedName{Namespace: "shop", Name: "web-0"}},
		"nothing said of it":  {discoveryv1.Endpoint{TargetRef: pod("web-0")}, true, types.NamespacedName{Namespace: "shop", Name: "web-0"}},
		"not ready":           {discoveryv1.Endpoint{Conditions: ready(&no), TargetRef: pod("web-0"), Addresses: []string{"10.0.0.1"}}, false, types.NamespacedName{Namespace: "shop", Name: "web-0"}},
		"serving, and ending": {discoveryv1.Endpoint{Conditions: discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}, TargetRef: pod("web-0")}, false, types.NamespacedName{Namespace: "shop", Name: "web-0"}},
		"another pod":         {discoveryv1.Endpoint{TargetRef: pod("web-1"), Addresses: []string{"10.0.0.2"}}, false, types.NamespacedName{Namespace: "shop", Name: "web-1"}},
		"by hand, its IP":     {discoveryv1.Endpoint{Addresses: []string{"10.0.0.9", "10.0.0.1"}}, true, types.NamespacedName{}},
		"by hand, another IP": {discoveryv1.Endpoint{Addresses: []string{"10.0.0.9"}}, false, types.NamespacedName{}},
		"no pod":              {discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Kind: "Node", Name: "web-0"}}, false, types.NamespacedName{}},
	} {
		slice := &discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{Conditions: ready(&no)}, test.endpoint}}
		if got := Reaches(slice, "web-0", "10.0.0.1"); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
		if got := EndpointPod(&test.endpoint); got != test.of {
			t.Errorf("%s: of %s, want %s", name, got, test.of)
		}
	}
	if Reaches(&discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{""}}}}, "web-0", "") {
		t.Error("a pod without an IP is found by it")
	}
}

func TestGivesName(t *testing.T) {
	for name, test := range map[string]struct {
		pod  corev1.PodSpec
		want bool
	}{
		"of this Service":  {corev1.PodSpec{Hostname: "web-0", Subdomain: "web"}, true},
		"of another":       {corev1.PodSpec{Hostname: "web-0", Subdomain: "db"}, false},
		"without hostname": {corev1.PodSpec{Subdomain: "web"}, false},
		"of no set":        {corev1.PodSpec{}, false},
	} {
		if got := GivesName("web", &corev1.Pod{Spec: test.pod}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestServiceOf(t *testing.T) {
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: "web-x7k2p", Labels: map[string]string{"kubernetes.io/service-name": "web"}}}
	if got := ServiceOf(slice); got != "web" {
		t.Errorf("%q", got)
	}
	if got := ServiceOf(&discoveryv1.EndpointSlice{}); got != "" {
		t.Errorf("of none: %q", got)
	}
	if got := SlicesOf("web"); got != "kubernetes.io/service-name=web" {
		t.Errorf("%q", got)
	}
}

func TestHasTargetPort(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	ports := func(name string, protocol corev1.Protocol) []corev1.ContainerPort {
		return []corev1.ContainerPort{{Name: name, Protocol: protocol, ContainerPort: 1}}
	}
	pod := &corev1.PodSpec{
		Containers:     []corev1.Container{{Ports: ports("mysql", "")}, {Ports: ports("gossip", corev1.ProtocolUDP)}},
		InitContainers: []corev1.Container{{Ports: ports("setup", corev1.ProtocolTCP)}, {Ports: ports("metrics", corev1.ProtocolTCP), RestartPolicy: &always}},
	}
	for name, test := range map[string]struct {
		target   intstr.IntOrString
		protocol corev1.Protocol
		want     bool
	}{
		"a name":                              {intstr.FromString("mysql"), corev1.ProtocolTCP, true},
		"a name that there is not":            {intstr.FromString("mysqld"), corev1.ProtocolTCP, false},
		"a name with another protocol":        {intstr.FromString("gossip"), corev1.ProtocolTCP, false},
		"the protocol that it has":            {intstr.FromString("gossip"), corev1.ProtocolUDP, true},
		"of a sidecar":                        {intstr.FromString("metrics"), corev1.ProtocolTCP, true},
		"of an init container that ends":      {intstr.FromString("setup"), corev1.ProtocolTCP, false},
		"a number, which none has to declare": {intstr.FromInt32(9999), corev1.ProtocolTCP, true},
	} {
		if got := HasTargetPort(&corev1.ServicePort{TargetPort: test.target, Protocol: test.protocol}, pod); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

package endpoint

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

const eksHost = "0A1B2C3D4E5F60718293A4B5C6D7E8F9.gr7.ap-northeast-2.eks.amazonaws.com"

func TestProviderOfHost(t *testing.T) {
	for host, want := range map[string]string{
		eksHost:       "EKS ap-northeast-2",
		eksHost + ".": "EKS ap-northeast-2",
		"0a1b.yl4.us-gov-west-1.eks.amazonaws.com":                                "EKS us-gov-west-1",
		"0a1b.gr7.us-east-1.api.aws":                                              "EKS us-east-1",
		"0a1b.sk1.cn-north-1.eks.amazonaws.com.cn":                                "EKS cn-north-1",
		"0a1b.sk1.cn-northwest-1.api.amazonwebservices.com.cn":                    "EKS cn-northwest-1",
		"0a1b.sk1.cn-north-1.amazonwebservices.com.cn":                            "EKS cn-north-1",
		"0a1b.eks.amazonaws.com":                                                  "EKS ",
		"demo-dns-1a2b3c4d.hcp.koreacentral.azmk8s.io":                            "AKS koreacentral",
		"demo-1a2b.0f-0f.privatelink.westeurope.azmk8s.io":                        "AKS westeurope",
		"demo-1a2b.0f.privatelink.usgovvirginia.cx.aks.containerservice.azure.us": "AKS usgovvirginia",
		"demo-1a2b.hcp.chinaeast2.cx.prod.service.azk8s.cn":                       "AKS chinaeast2",
		"gke-0a1b-123.asia-northeast3.gke.goog":                                   "GKE asia-northeast3",
		"eks.amazonaws.com":                                                       " ",
		"eks.amazonaws.com.evil.example":                                          " ",
		"evileks.amazonaws.com":                                                   " ",
		"something.api.aws":                                                       " ",
		"api.example.com":                                                         " ",
		"localhost":                                                               " ",
		"":                                                                        " ",
	} {
		name, region, _ := providerOfHost(host)
		if got := name + " " + region; got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestIsPrivateName(t *testing.T) {
	for host, want := range map[string]bool{
		"demo-1a2b.0f-0f.privatelink.westeurope.azmk8s.io": true, "demo-1a2b.sub.PrivateLink.westeurope.azmk8s.io.": true, "demo-1a2b.private.westeurope.azmk8s.io": true,
		"demo-1a2b.hcp.westeurope.azmk8s.io": false, "privatelink-1a2b.hcp.westeurope.azmk8s.io": false, "private.example.com": false, "api.privatelink.example.com": true, "": false,
	} {
		if got := isPrivateName(host); got != want {
			t.Errorf("%s: %t", host, got)
		}
	}
}

func TestLoginOf(t *testing.T) {
	for line, want := range map[string]string{
		"aws --region ap-northeast-2 eks get-token --cluster-name demo --output json":           "demo ap-northeast-2",
		"/usr/local/bin/aws eks get-token --cluster-name=demo --region=us-east-1":               "demo us-east-1",
		"aws --profile eks --no-cli-pager eks get-token --cluster-id demo --role-arn arn:a:b:c": "demo ",
		`C:\Program_Files\Amazon\aws.exe eks get-token --cluster-name demo`:                     "demo ",
		"aws-iam-authenticator token -i demo":                                                   "demo ",
		"aws-iam-authenticator token --cluster-id demo -r arn:aws:iam::1:role/x":                "demo ",
		"aws-vault exec work -- aws eks get-token --cluster-name demo":                          "demo ",
		"env aws-iam-authenticator token -i demo":                                               "demo ",
		"aws eks get-token":                              " ",
		"aws eks get-token --cluster-name":               " ",
		"aws sts get-caller-identity --region us-east-1": "no",
		"gke-gcloud-auth-plugin":                         "no",
		"kubelogin get-token --server-id x":              "no",
	} {
		words := strings.Fields(line)
		got := "no"
		if cluster, region, eks := eksOf(baseName(words[0]), words[1:]); eks {
			got = cluster + " " + region
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestProvider(t *testing.T) {
	node := func(providerID string, labels ...string) corev1.Node {
		n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{}}, Spec: corev1.NodeSpec{ProviderID: providerID}}
		for _, label := range labels {
			key, value, _ := strings.Cut(label, "=")
			n.Labels[key] = value
		}
		return n
	}
	version := func(v string) *v1alpha1.ServerVersion { return &v1alpha1.ServerVersion{Version: v} }
	for name, test := range map[string]struct {
		s    Snapshot
		want string // name, region, cluster, sources of evidence
	}{
		"host, login, version": {Snapshot{
			Name: eksHost, Version: version("v1.33.1-eks-ae9a62a"),
			Login: loginOf(&kube.Login{Command: "aws", Args: []string{"--region", "us-east-1", "eks", "get-token", "--cluster-name", "demo"}}),
		}, "EKS/ap-northeast-2/demo/server name,server version,kubeconfig"},
		"an ARN": {Snapshot{
			Server: v1alpha1.EndpointServer{Cluster: "arn:aws-cn:eks:cn-north-1:123456789012:cluster/demo"}, Version: version("v1.33.1-eks-ae9a62a"),
		}, "EKS/cn-north-1/demo/server version"},
		"eksctl's name": {Snapshot{
			Server: v1alpha1.EndpointServer{Context: "me@demo.ap-northeast-2.eksctl.io", Cluster: "demo.ap-northeast-2.eksctl.io"}, Version: version("v1.33.1-eks-ae9a62a"),
		}, "EKS/ap-northeast-2/demo/server version"},
		"nodes' labels": {Snapshot{
			Version: version("v1.33.1-eks-ae9a62a"), Nodes: []corev1.Node{node("aws:///x", "topology.kubernetes.io/region=eu-west-1", "alpha.eksctl.io/cluster-name=demo")},
		}, "EKS/eu-west-1/demo/server version"},
		"the region of the environment": {Snapshot{
			Login: loginOf(&kube.Login{Command: "aws-iam-authenticator", Args: []string{"token", "-i", "demo"}, Env: map[string]string{"AWS_DEFAULT_REGION": "us-west-2"}}),
		}, "EKS/us-west-2/demo/kubeconfig"},
		"EKS nodes outside of EKS": {Snapshot{
			Version: version("v1.36.3"), Nodes: []corev1.Node{node("aws:///x", "topology.kubernetes.io/region=eu-west-1")},
		}, "///"},
		"GKE":      {Snapshot{Version: version("v1.33.2-gke.1111000")}, "GKE///server version"},
		"AKS":      {Snapshot{Version: version("v1.33.2"), Nodes: []corev1.Node{node("azure:///x", "kubernetes.azure.com/cluster=MC_x")}}, "AKS///nodes"},
		"k3s":      {Snapshot{Version: version("v1.33.1+k3s1")}, "k3s///server version"},
		"RKE2":     {Snapshot{Version: version("v1.33.1+rke2r1")}, "RKE2///server version"},
		"kind":     {Snapshot{Version: version("v1.33.1"), Nodes: []corev1.Node{node("kind://docker/kind/kind-control-plane"), node("kind://docker/kind/kind-worker")}}, "kind///nodes"},
		"minikube": {Snapshot{Version: version("v1.33.1"), Nodes: []corev1.Node{node("", "minikube.k8s.io/name=minikube")}}, "minikube//minikube/nodes"},
		"plain":    {Snapshot{Name: "api.example.com", Version: version("v1.33.1"), Nodes: []corev1.Node{node("")}}, "///"},
	} {
		p, evidence := provider(&test.s)
		var sources []string
		for _, e := range evidence {
			sources = append(sources, e.Source)
		}
		if got := p.Name + "/" + p.Region + "/" + p.ClusterName + "/" + strings.Join(sources, ","); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestNameOf(t *testing.T) {
	for _, test := range []struct{ host, tlsServerName, want string }{
		{"api.example.com", "", "api.example.com"},
		{eksHost, "", eksHost},
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", eksHost, eksHost},
		{"localhost", "api.example.com", "api.example.com"},
		{"::1", "api.example.com", "api.example.com"},
		{"127.0.0.1", "10.0.0.1", "127.0.0.1"},
		{"bastion.example.com", eksHost, eksHost},
		{"bastion.example.com", "kubernetes", "bastion.example.com"},
		{"10.0.0.1", "kubernetes", "10.0.0.1"},
		{eksHost, "other.gr7.us-east-1.eks.amazonaws.com", eksHost},
	} {
		if got := nameOf(v1alpha1.EndpointServer{Host: test.host, TLSServerName: test.tlsServerName}); got != test.want {
			t.Errorf("%s, tls-server-name %s: %s, want %s", test.host, test.tlsServerName, got, test.want)
		}
	}
}

// slicesOf is the EndpointSlice kubernetes with some addresses.
func slicesOf(addresses ...string) []discoveryv1.EndpointSlice {
	port := int32(443)
	return []discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{{Addresses: addresses}}, Ports: []discoveryv1.EndpointPort{{Port: &port}}}}
}

// TestZones places API servers among nodes.
func TestZones(t *testing.T) {
	nodes := func(places ...string) []corev1.Node { // address/zone
		var list []corev1.Node
		for _, place := range places {
			address, zone, _ := strings.Cut(place, "/")
			n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "ip-" + address, Labels: map[string]string{}}}
			if zone != "" {
				n.Labels[corev1.LabelTopologyZone] = zone
			}
			n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: n.Name}, {Type: corev1.NodeInternalIP, Address: address}}
			list = append(list, n)
		}
		return list
	}
	for _, test := range []struct {
		name, address string
		nodes         []corev1.Node
		want          string // zone, how it is known, which node
	}{
		{"in the subnet of a node", "10.0.1.5", nodes("10.0.1.9/a", "10.0.2.9/b"), "a Inferred ip-10.0.1.9"},
		{"far from every node", "10.0.3.5", nodes("10.0.1.9/a", "10.0.2.9/b"), "  "},
		{"large subnets, and still far", "10.0.3.5", nodes("10.0.2.9/a"), "  "},
		{"small subnets: nodes of two zones are near", "10.0.1.130", nodes("10.0.1.9/a", "10.0.1.140/b"), "b Inferred ip-10.0.1.140"},
		{"small subnets: between the nodes' ones", "10.0.1.70", nodes("10.0.1.9/a", "10.0.1.20/b", "10.0.1.140/b"), "  "},
		{"a node without a zone between", "10.0.1.5", nodes("10.0.1.4", "10.0.1.6/a", "10.0.1.7/b"), "  "},
		{"on a node", "10.0.1.9", nodes("10.0.1.9/a", "10.0.1.10/b"), "a Node ip-10.0.1.9"},
		{"on a node without a zone", "10.0.1.9", nodes("10.0.1.9", "10.0.1.10/b"), "  ip-10.0.1.9"},
		{"IPv6", "2406:da12:5:1::5", nodes("2406:da12:5:1::9/a", "2406:da12:5:2::9/b", "10.0.1.9/c"), "a Inferred ip-2406:da12:5:1::9"},
		{"IPv6, far", "2406:da12:5:3::5", nodes("2406:da12:5:1::9/a", "2406:da12:5:2::9/b"), "  "},
		{"no nodes", "10.0.1.5", nil, "  "},
	} {
		var s Snapshot
		s.Nodes = test.nodes
		s.Slices = slicesOf(test.address)
		a := apiServers(&s)[0]
		if got := a.Zone + " " + string(a.ZoneFrom) + " " + a.NearNode + a.Node; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

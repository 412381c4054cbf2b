//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/frontdoor"
	"github.com/kubectl-doik/kubectl-doik/test/nameserver"
)

const eksName = "0a1b2c3d4e5f60718293a4b5c6d7e8f9.gr7.ap-northeast-2.eks.amazonaws.com"

// endpoint is what kubectl doik endpoint reports with a kubeconfig.
func endpoint(n *cluster.Namespace, kubeconfig string, args ...string) v1alpha1.ClusterEndpoint {
	n.Helper()
	report := cluster.Report[v1alpha1.ClusterEndpointList](n, append([]string{"endpoint", "--kubeconfig=" + kubeconfig}, args...)...)
	if len(report.Items) != 1 {
		n.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0]
}

// endpointCodes are the codes of an endpoint's findings, in the order of the report, each with the beginning of its severity.
func endpointCodes(e v1alpha1.ClusterEndpoint) string {
	var list []string
	for _, f := range e.Findings {
		if code := fmt.Sprintf("%s(%.1s)", f.Code, f.Severity); !slices.Contains(list, code) {
			list = append(list, code)
		}
	}
	return strings.Join(list, " ")
}

// lookup is what a vantage point saw.
func lookup(e v1alpha1.ClusterEndpoint, from v1alpha1.ResolutionFrom) string {
	for _, r := range e.Resolutions {
		if r.From == from {
			words := []string{string(r.Result)}
			for _, a := range r.Addresses {
				words = append(words, a.IP)
			}
			return strings.Join(words, " ")
		}
	}
	return ""
}

// TestEndpointHere is the lab's own endpoint, in every form of output.
func TestEndpointHere(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	out := n.MustDoik("endpoint")
	for _, want := range []string{"lab   Local (confidence medium)   not EKS   v1.", "\nserver        kubeconfig  ", "\ncertificate   expires in 364d  ", "\npath          user → API server "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for format, want := range map[string]string{
		"name": "clusterendpoint/lab\n",
		"wide": "MORE",
		"json": `"kind": "ClusterEndpointList"`,
		"yaml": "kind: ClusterEndpointList",
		"jsonpath={.items[0].access.mode} {.items[0].certificate.trusted}":      "Local true",
		"go-template={{range .items}}{{.server.host}}{{end}}":                   "127.0.0.1",
		"custom-columns=ACCESS:.access.mode,VERSION:.version.skew.supported":    "ACCESS   VERSION\nLocal    true\n",
		"jsonpath={.items[0].resolutions[0].result}{.items[0].resolutions[1:]}": "Literal",
	} {
		if out := n.MustDoik("endpoint", "-o", format); !strings.Contains(out, want) {
			t.Errorf("-o %s: no %q in\n%s", format, want, out)
		}
	}
	if r := n.Doik("endpoint", "--no-headers"); r.Code != 0 || strings.Contains(r.Out, "PART") || strings.Contains(r.Out, "INFO") {
		t.Errorf("--no-headers: exit code %d\n%s", r.Code, r.Out)
	}
}

// TestEndpointNames gives the lab's API server the names of providers' servers, behind a proxy that knows the way, and asks a
// resolver of the test's for them.
func TestEndpointNames(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	const aks, plain = "demo-1a2b.hcp.koreacentral.azmk8s.io", "api.doik.invalid"
	door := frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{Names: []string{eksName, aks, plain}}, nil)
	proxy := frontdoor.OpenProxy(t, door.Address)
	zone := nameserver.Zone{eksName + ".": {"3.34.1.2", "13.125.3.4"}, aks + ".": {"10.224.0.4"}, plain + ".": {"elb.example."}, "elb.example.": {"52.1.2.3", "2406:da12::1"}}
	resolver := nameserver.Serve(t, "127.0.0.1:0", zone.Answer)
	kubeconfig := func(host string, user *clientcmdapi.AuthInfo) string {
		return frontdoor.Kubeconfig(t, "demo", &clientcmdapi.Cluster{Server: "https://" + host, ProxyURL: proxy.URL, CertificateAuthorityData: door.Authority}, user)
	}
	login := &clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode, Command: "sh",
		Args: []string{"-c", `echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "x"}}'`, "aws", "eks", "get-token", "--cluster-name", "shop", "--region", "us-east-1"},
	}}
	for _, test := range []struct {
		host, want string // provider, region, cluster; mode, confidence; what the resolver answered
		user       *clientcmdapi.AuthInfo
	}{
		{eksName, "EKS/ap-northeast-2/shop PublicAtLeast medium Answered 3.34.1.2 13.125.3.4", login},
		{aks, "AKS/koreacentral/ PrivateAtLeast low Answered 10.224.0.4", nil},
		{plain, "// PublicAtLeast medium Answered 52.1.2.3 2406:da12::1", nil},
	} {
		before := proxy.Tunnels.Load()
		e := endpoint(n, kubeconfig(test.host, test.user), "--local-only", "--resolver="+resolver, "--lookup-timeout=3s")
		p := e.Provider
		if test.host == plain { // then nodes tell, of which other tests make some
			p.Name = ""
		}
		if got := fmt.Sprintf("%s/%s/%s %s %s %s", p.Name, p.Region, p.ClusterName, e.Access.Mode, e.Access.Confidence, lookup(e, v1alpha1.FromResolver)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.host, got, test.want)
		}
		if c := e.Certificate; c == nil || !c.Trusted || !c.CoversName || c.Name != test.host || e.Version == nil || proxy.Tunnels.Load() == before {
			t.Errorf("%s: certificate %+v, version %+v", test.host, c, e.Version)
		}
		if got := endpointCodes(e); !strings.Contains(got, "ENDP007(i)") || strings.Contains(got, "(e)") {
			t.Errorf("%s: findings %s", test.host, got)
		}
		if lookup(e, v1alpha1.FromWorkstation) == "" || lookup(e, v1alpha1.FromCluster) != "" {
			t.Errorf("%s: %+v", test.host, e.Resolutions)
		}
	}

	t.Log("a tunnel: this machine, and the name in tls-server-name")
	file := frontdoor.Kubeconfig(t, "demo", &clientcmdapi.Cluster{Server: "https://" + door.Address, TLSServerName: eksName, CertificateAuthorityData: door.Authority}, nil)
	e := endpoint(n, file, "--local-only", "--resolver="+resolver)
	if got := endpointCodes(e); e.Access.Mode != v1alpha1.AccessPublicAtLeast || !strings.Contains(got, "ENDP015(i)") || strings.Contains(got, "(e)") || e.Certificate.Name != eksName {
		t.Errorf("a tunnel: %+v, findings %s", e.Access, got)
	}

	t.Log("resolvers that refuse, say nothing, are not there")
	for server, want := range map[string]string{
		nameserver.Serve(t, "127.0.0.1:0", nameserver.Refusal(dnsmessage.RCodeRefused)): "Failed",
		nameserver.Serve(t, "127.0.0.1:0", nameserver.Zone{}.Answer):                    "NotFound",
		nameserver.Serve(t, "127.0.0.1:0", nameserver.Silence):                          "Timeout",
		"127.0.0.1:1": "Failed",
	} {
		if got := lookup(endpoint(n, file, "--local-only", "--resolver="+server, "--lookup-timeout=1s"), v1alpha1.FromResolver); got != want {
			t.Errorf("%s: %s, want %s", server, got, want)
		}
	}
}

// TestEndpointProxyInEnvironment goes through a proxy that the environment asks for.
func TestEndpointProxyInEnvironment(t *testing.T) {
	n := cluster.NewNamespace(t)
	door := frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{Names: []string{"api.doik.invalid"}}, nil)
	proxy := frontdoor.OpenProxy(t, door.Address)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	file := frontdoor.Kubeconfig(t, "demo", &clientcmdapi.Cluster{Server: "https://api.doik.invalid", CertificateAuthorityData: door.Authority}, nil)
	e := endpoint(n, file, "--local-only", "--lookup-timeout=2s")
	if e.Server.Proxy == nil || e.Server.Proxy.Source != "HTTPS_PROXY" || e.Server.Proxy.URL != proxy.URL || proxy.Tunnels.Load() == 0 || e.Version == nil {
		t.Errorf("%+v, version %+v", e.Server, e.Version)
	}
	// The proxy finds the server; that the workstation does not is no error.
	if got := endpointCodes(e); !strings.Contains(got, "ENDP002(i)") || !strings.Contains(got, "ENDP007(i)") || strings.Contains(got, "(e)") {
		t.Errorf("findings %s", got)
	}
	t.Setenv("NO_PROXY", ".invalid")
	if e := endpoint(n, file, "--local-only", "--lookup-timeout=2s"); e.Server.Proxy != nil || !strings.Contains(endpointCodes(e), "ENDP002(e)") {
		t.Errorf("NO_PROXY: %+v, findings %s", e.Server, endpointCodes(e))
	}
}

// TestEndpointCertificates presents certificates that are not as they should be.
func TestEndpointCertificates(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	const day = 24 * time.Hour
	loopback := []string{"127.0.0.1"}
	for _, test := range []struct {
		name        string
		certificate *frontdoor.Certificate
		change      func(*clientcmdapi.Cluster)
		want, not   string // codes
		answers     bool
	}{
		{"valid", &frontdoor.Certificate{IPs: loopback}, nil, "", "ENDP003 ENDP004 ENDP005 ENDP006 ENDP001", true},
		{"ends soon", &frontdoor.Certificate{IPs: loopback, To: 10 * day}, nil, "ENDP003(w)", "ENDP004 ENDP005 ENDP001", true},
		{"has ended", &frontdoor.Certificate{IPs: loopback, From: -60 * day, To: -day}, nil, "ENDP003(e)", "ENDP004 ENDP005 ENDP001", false},
		{"is not valid yet", &frontdoor.Certificate{IPs: loopback, From: 2 * day}, nil, "ENDP003(e)", "ENDP004 ENDP005 ENDP001", false},
		{"for another name", &frontdoor.Certificate{Names: []string{"other.example"}}, nil, "ENDP004(e)", "ENDP005 ENDP001", false},
		{"of another authority", &frontdoor.Certificate{IPs: loopback}, func(c *clientcmdapi.Cluster) { c.CertificateAuthorityData = otherAuthority(t) }, "ENDP005(e)", "ENDP004 ENDP001", false},
		{"not verified", &frontdoor.Certificate{Names: []string{"other.example"}, From: -60 * day, To: -day}, func(c *clientcmdapi.Cluster) {
			c.CertificateAuthorityData, c.InsecureSkipTLSVerify = nil, true
		}, "ENDP003(w) ENDP004(w) ENDP006(w)", "ENDP001", true},
		{"no TLS", nil, func(c *clientcmdapi.Cluster) { c.Server = strings.Replace(c.Server, "https:", "http:", 1) }, "ENDP006(w)", "ENDP001 ENDP003 ENDP004 ENDP005", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			door := frontdoor.Open(t, "127.0.0.1:0", test.certificate, nil)
			c := &clientcmdapi.Cluster{Server: "https://" + door.Address, CertificateAuthorityData: door.Authority}
			if test.change != nil {
				test.change(c)
			}
			e := endpoint(n, frontdoor.Kubeconfig(t, "demo", c, nil), "--local-only")
			got := endpointCodes(e)
			for _, code := range strings.Fields(test.want) {
				if !strings.Contains(got, code) {
					t.Errorf("no %s in %s", code, got)
				}
			}
			for _, code := range strings.Fields(test.not) {
				if strings.Contains(got, code) {
					t.Errorf("%s in %s", code, got)
				}
			}
			if (e.Version != nil) != test.answers || (e.APIServersUnknown == "") != test.answers || (e.Certificate == nil) != (test.certificate == nil) {
				t.Errorf("version %+v, API servers unknown: %q", e.Version, e.APIServersUnknown)
			}
		})
	}
}

// otherAuthority is the certificate of an authority that has signed nothing that matters.
func otherAuthority(t *testing.T) []byte {
	t.Helper()
	return frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{}, nil).Authority
}

// TestEndpointUnreachable asks servers that refuse, say nothing, or say no.
func TestEndpointUnreachable(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, test := range []struct {
		args []string
		want string // in the table
	}{
		{[]string{"--server=https://127.0.0.1:1"}, "ENDP001   cannot reach the API server at https://127.0.0.1:1: connection refused"},
		{[]string{"--server=https://" + silent.Addr().String(), "--timeout=2s"}, "ENDP001   no answer from the API server"},
		{[]string{"--server=https://" + silent.Addr().String()}, "ENDP001   no answer from https://" + silent.Addr().String() + " within 10s"},
		{[]string{"--server=https://api.doik.invalid", "--lookup-timeout=2s"}, "ENDP002   the workstation can't resolve api.doik.invalid: "},
	} {
		started := time.Now()
		r := n.Doik(append([]string{"endpoint", "--color=never"}, test.args...)...)
		if r.Code != 0 || !strings.Contains(r.Out, test.want) || r.Err != "" || strings.Count(r.Out, "ERROR") != 1 || time.Since(started) > cluster.Patience(15*time.Second) {
			t.Errorf("%q after %s: exit code %d\n%s%s", test.args, time.Since(started), r.Code, r.Out, r.Err)
		}
		if !strings.Contains(r.Out, "\nversion      unknown ") || !strings.Contains(r.Out, "\napi-server   unknown ") {
			t.Errorf("%q:\n%s", test.args, r.Out)
		}
	}
	if r := n.Doik("endpoint", "--server=https://127.0.0.1:1", "--fail-on=error"); r.Code != 3 || r.Out == "" || r.Err != "error: 1 finding of severity error or worse (--fail-on)\n" {
		t.Errorf("--fail-on: exit code %d, %q", r.Code, r.Err)
	}
	if r := n.Doik("endpoint", "--fail-on=warning"); r.Code != 0 {
		t.Errorf("--fail-on=warning: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	r := n.Doik("endpoint", "--token=expired")
	if r.Code != 0 || !strings.Contains(r.Out, "version unknown") || r.Err != "warning: version, API servers, nodes, and the lookup in the cluster: the API server does not accept the credentials (401): they are wrong or have expired; log in again\n" {
		t.Errorf("expired credentials: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// TestEndpointLogin has a kubeconfig whose login program is not there: the server answers, but no request can be made.
func TestEndpointLogin(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	door := frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{IPs: []string{"127.0.0.1"}}, nil)
	file := frontdoor.Kubeconfig(t, "demo", &clientcmdapi.Cluster{Server: "https://" + door.Address, CertificateAuthorityData: door.Authority}, &clientcmdapi.AuthInfo{
		Exec: &clientcmdapi.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode, Command: "nosuch-aws", InstallHint: "Install it.\nSomehow."},
	})
	r := n.Doik("endpoint", "--kubeconfig="+file)
	want := "warning: version, API servers, nodes, and the lookup in the cluster: the kubeconfig's credential plugin failed: executable nosuch-aws not found\n"
	if r.Code != 0 || r.Err != want || strings.Contains(r.Out, "ENDP001") || !strings.Contains(r.Out, "\ncertificate   expires in 364d ") {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// TestEndpointServers puts API servers behind the Service kubernetes, near nodes and far from them.
func TestEndpointServers(t *testing.T) {
	n := cluster.NewNamespace(t)
	var node struct {
		Items []struct {
			Metadata struct {
				Name   string
				Labels map[string]string
			}
			Status struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	if err := json.Unmarshal([]byte(n.Kubectl("get", "nodes", "-o", "json")), &node); err != nil {
		t.Fatal(err)
	}
	one := node.Items[0]
	address := ""
	for _, a := range one.Status.Addresses {
		if a.Type == "InternalIP" {
			address = a.Address
		}
	}
	zone := one.Metadata.Labels["topology.kubernetes.io/zone"]
	near := address[:strings.LastIndexByte(address, '.')] + ".253"
	slice := func(endpoints ...string) {
		t.Helper()
		list := make([]string, len(endpoints))
		for i, e := range endpoints {
			list[i] = fmt.Sprintf(`{"addresses": [%q]}`, e)
		}
		r := cluster.Run(t, fmt.Sprintf(`{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
			"metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
			"endpoints": [%s], "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}`, strings.Join(list, ", ")), "kubectl", "apply", "-f", "-")
		if r.Code != 0 {
			t.Fatal(r.Err)
		}
	}
	t.Cleanup(func() {
		cluster.Run(t, "", "kubectl", "delete", "endpointslice", "kubernetes", "-n", "default", "--ignore-not-found")
	})
	here := func() v1alpha1.ClusterEndpoint {
		t.Helper()
		return cluster.Report[v1alpha1.ClusterEndpointList](n, "endpoint").Items[0]
	}

	slice(near, "10.9.9.9")
	e := here()
	var got []string
	for _, a := range e.APIServers {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s:%d %s %s %s", a.Address.IP, a.Port, a.Zone, a.ZoneFrom, a.NearNode)))
	}
	slices.Sort(got)
	want := []string{near + ":443 " + zone + " Inferred " + one.Metadata.Name, "10.9.9.9:443"}
	slices.Sort(want)
	if !slices.Equal(got, want) || strings.Contains(endpointCodes(e), "ENDP008") {
		t.Errorf("got %q, want %q, findings %s", got, want, endpointCodes(e))
	}
	slice(address)
	e = here()
	if len(e.APIServers) != 1 || e.APIServers[0].Node != one.Metadata.Name || e.APIServers[0].ZoneFrom != v1alpha1.ZoneFromNode || !strings.Contains(endpointCodes(e), "ENDP008(i)") {
		t.Errorf("%+v, findings %s", e.APIServers, endpointCodes(e))
	}
}

// TestEndpointVersions has an API server of EKS that is too old for the client and for its nodes: the version is the one answer
// that is not the lab's own.
func TestEndpointVersions(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	door := frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{IPs: []string{"127.0.0.1"}}, map[string]string{
		"/version": `{"major": "1", "minor": "33", "gitVersion": "v1.33.5-eks-113cf36", "platform": "linux/amd64"}`,
	})
	e := endpoint(n, frontdoor.Kubeconfig(t, "arn:aws:eks:ap-northeast-2:111122223333:cluster/shop", &clientcmdapi.Cluster{Server: "https://" + door.Address, CertificateAuthorityData: door.Authority}, nil))
	if got := endpointCodes(e); !strings.Contains(got, "ENDP009(w)") || !strings.Contains(got, "ENDP010(w)") {
		t.Errorf("findings %s", got)
	}
	if p := e.Provider; p.Name != "EKS" || p.Region != "ap-northeast-2" || p.ClusterName != "shop" || e.Metadata.Name != "shop" {
		t.Errorf("%+v", p)
	}
	if len(e.Version.Kubelets) == 0 || e.Version.Kubelets[0].Skew.Minor <= 0 {
		t.Errorf("%+v", e.Version)
	}
}

// TestEndpointRights takes away one right after the other; each costs its part and one line.
func TestEndpointRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	door := frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{Names: []string{"api.doik.invalid"}}, nil)
	file := frontdoor.Kubeconfig(t, "shop", &clientcmdapi.Cluster{Server: "https://" + door.Address, TLSServerName: "api.doik.invalid", CertificateAuthorityData: door.Authority}, nil)
	as := func(user string, args ...string) cluster.Result {
		return n.Doik(append([]string{"endpoint", "--kubeconfig=" + file, "--lookup-timeout=2s", "--as=" + user, "--as-group=system:authenticated"}, args...)...)
	}

	r := as("nobody")
	if r.Code != 0 || strings.Count(r.Err, "warning: ") != 3 || strings.Count(r.Err, "\n") != 3 {
		t.Errorf("without rights: exit code %d: %s", r.Code, r.Err)
	}
	for _, subject := range []string{"the EndpointSlices of the Service kubernetes in namespace default", "nodes", "looking api.doik.invalid up in the cluster"} {
		if !strings.Contains(r.Err, "warning: "+subject+": ") {
			t.Errorf("no word of %s:\n%s", subject, r.Err)
		}
	}
	for _, row := range []string{"\napi-server    unknown ", "\nkubelets      unknown ", "\nlookup        cluster                   unknown: creating the debug pod: pods is forbidden", "\ncertificate   expires in "} {
		if !strings.Contains(r.Out, row) {
			t.Errorf("no %q in\n%s", row, r.Out)
		}
	}
	if r := as("nobody", "--local-only"); strings.Count(r.Err, "warning: ") != 2 {
		t.Errorf("--local-only without rights: %s", r.Err)
	}

	n.Kubectl("create", "role", "slices-"+n.NS, "-n", "default", "--verb=list", "--resource=endpointslices.discovery.k8s.io")
	n.Kubectl("create", "rolebinding", "slices-"+n.NS, "-n", "default", "--role=slices-"+n.NS, "--user="+n.NS)
	n.Kubectl("create", "clusterrole", "nodes-"+n.NS, "--verb=list", "--resource=nodes")
	n.Kubectl("create", "clusterrolebinding", "nodes-"+n.NS, "--clusterrole=nodes-"+n.NS, "--user="+n.NS)
	t.Cleanup(func() {
		cluster.Run(t, "", "kubectl", "delete", "-n", "default", "role/slices-"+n.NS, "rolebinding/slices-"+n.NS)
		cluster.Run(t, "", "kubectl", "delete", "clusterrole/nodes-"+n.NS, "clusterrolebinding/nodes-"+n.NS)
	})
	cluster.Eventually(t, 10*time.Second, func() error { // the authorizer learns of new roles a moment later
		if r := as(n.NS, "--local-only"); r.Code != 0 || r.Err != "" {
			return fmt.Errorf("with the rights to read: exit code %d: %s", r.Code, r.Err)
		}
		return nil
	})

	// A pod that may be made and not be asked in: it is removed all the same.
	n.Kubectl("create", "role", "pods", "--verb=create,get,list,watch,delete", "--resource=pods")
	n.Kubectl("create", "rolebinding", "pods", "--role=pods", "--user="+n.NS)
	cluster.Eventually(t, 30*time.Second, func() error {
		r := as(n.NS)
		if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "warning: looking api.doik.invalid up in the cluster: ") || !strings.Contains(r.Err, `cannot create resource "pods/exec"`) && !strings.Contains(r.Err, `cannot get resource "pods/exec"`) {
			return fmt.Errorf("without pods/exec: exit code %d: %s", r.Code, r.Err)
		}
		return nil
	})
	cluster.Eventually(t, 20*time.Second, func() error {
		if left := n.Kubectl("get", "pods", "-o", "name"); left != "" {
			return fmt.Errorf("left: %s", left)
		}
		return nil
	})
}

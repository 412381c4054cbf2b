//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/frontdoor"
	"github.com/kubectl-doik/kubectl-doik/test/nameserver"
)

// Addresses of the world around the node. Its network namespace has no way out: addresses of the internet are free to use in it.
const (
	publicAddress = "3.34.1.2"     // where the API server's front door is, for the internet
	eniOne        = "10.0.1.5"     // and for the cluster's network
	eniTwo        = "10.0.2.7"     //
	internetDNS   = "1.1.1.1"      // a resolver on the internet
	homeDNS       = "127.77.77.77" // the resolver in the workstation's resolv.conf
)

// eksHost is a name as EKS gives them.
func eksHost(id string) string { return id + ".gr7.ap-northeast-2.eks.amazonaws.com" }

// world is a workstation, an internet and a cluster whose DNS servers a test controls.
type world struct {
	*cluster.Namespace
	resolvConf string
	door       *frontdoor.Door
}

// sight is what a name of the API server leads to, for each of those who are asked.
type sight struct{ home, internet, cluster []string }

// newWorld makes a world in the node's network, in which the API server has names.
func newWorld(t *testing.T, sights map[string]sight) *world {
	t.Helper()
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: on a foreign cluster tests must not change the DNS servers and the addresses of the network")
	}
	w := &world{Namespace: cluster.NewNamespace(t)}
	home, internet := nameserver.Zone{}, nameserver.Zone{}
	var names, hosts []string // for CoreDNS, as in a hosts file
	for name, s := range sights {
		names = append(names, name)
		for _, address := range s.cluster {
			hosts = append(hosts, address+" "+name)
		}
		if s.home != nil {
			home[name+"."] = s.home
		}
		if s.internet != nil {
			internet[name+"."] = s.internet
		}
	}
	for _, address := range []string{publicAddress, eniOne, eniTwo, internetDNS} {
		if r := cluster.Run(t, "", "ip", "address", "add", address+"/32", "dev", "lo"); r.Code != 0 {
			t.Fatalf("%s: %s", address, r.Err)
		}
		t.Cleanup(func() { cluster.Run(t, "", "ip", "address", "del", address+"/32", "dev", "lo") })
	}
	nameserver.Serve(t, homeDNS+":53", home.Answer)
	nameserver.Serve(t, internetDNS+":53", internet.Answer)
	w.resolvConf = filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(w.resolvConf, []byte("nameserver "+homeDNS+"\noptions timeout:1 attempts:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.door = frontdoor.Open(t, ":443", &frontdoor.Certificate{Names: names}, nil)
	teachCoreDNS(w.Namespace, hosts)
	return w
}

// teachCoreDNS has the cluster's DNS servers know names, until the test ends.
func teachCoreDNS(n *cluster.Namespace, hosts []string) {
	n.Helper()
	before := n.Kubectl("get", "configmap", "coredns", "-n", "kube-system", "-o", `jsonpath={.data.Corefile}`)
	set := func(corefile string) {
		n.Helper()
		text, err := yaml.Marshal(map[string]any{"data": map[string]string{"Corefile": corefile + "\n"}})
		if err != nil {
			n.Fatal(err)
		}
		n.Kubectl("patch", "configmap", "coredns", "-n", "kube-system", "--type=merge", "-p", string(text))
		n.Kubectl("rollout", "restart", "deployment/coredns", "-n", "kube-system")
		n.Kubectl("rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=300s")
		// Those of before answer questions until they have ended.
		cluster.Eventually(n, time.Minute, func() error {
			if pods := strings.Fields(n.Kubectl("get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "name")); len(pods) != 2 {
				return fmt.Errorf("%q", pods)
			}
			return nil
		})
	}
	n.Cleanup(func() { set(before) })
	at := strings.LastIndexByte(before, '}')
	set(before[:at] + "    hosts {\n        " + strings.Join(hosts, "\n        ") + "\n    }\n}")
}

// line is the plugin's command line on the workstation, with its resolv.conf. It stays one process.
func (w *world) line(kubeconfig string, args ...string) []string {
	return append([]string{"--mount", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec kubectl doik endpoint "$@"`, w.resolvConf, "-n", w.NS, "--kubeconfig=" + kubeconfig}, args...)
}

// run runs the plugin on the workstation.
func (w *world) run(kubeconfig string, args ...string) cluster.Result {
	w.Helper()
	return cluster.Run(w, "", "unshare", w.line(kubeconfig, args...)...)
}

// endpoint is what the plugin reports on the workstation.
func (w *world) endpoint(kubeconfig string, args ...string) v1alpha1.ClusterEndpoint {
	w.Helper()
	r := w.run(kubeconfig, append(args, "-o", "yaml")...)
	report := &v1alpha1.ClusterEndpointList{}
	if err := yaml.UnmarshalStrict([]byte(r.Out), report); err != nil || r.Code != 0 || len(report.Items) != 1 || len(report.Problems) > 0 {
		w.Fatalf("exit code %d, %v\n%s%s", r.Code, err, r.Out, r.Err)
	}
	return report.Items[0]
}

// kubeconfig leads to the door, through a proxy if there is one.
func (w *world) kubeconfig(host, proxy string) string {
	w.Helper()
	return frontdoor.Kubeconfig(w, "demo", &clientcmdapi.Cluster{Server: "https://" + host, ProxyURL: proxy, CertificateAuthorityData: w.door.Authority}, nil)
}

// nothingLeft looks for debug pods.
func (w *world) nothingLeft() {
	w.Helper()
	cluster.Eventually(w, 20*time.Second, func() error {
		if left := w.Kubectl("get", "pods", "-o", "name"); left != "" {
			return fmt.Errorf("left: %s", left)
		}
		return nil
	})
}

// TestEndpointAccess goes through the table of verdicts with real lookups: of the workstation's resolver, of one on the internet, and
// of CoreDNS through a debug pod.
func TestEndpointAccess(t *testing.T) {
	public, private := []string{publicAddress}, []string{eniOne, eniTwo}
	dualOutside, dualInside := []string{publicAddress, "2406:da12::1"}, []string{eniOne, "2406:da12:5::1"}
	w := newWorld(t, map[string]sight{
		eksHost("public"):  {public, public, public},
		eksHost("both"):    {public, public, private},
		eksHost("vpn"):     {private, public, private},
		eksHost("private"): {private, private, private},
		eksHost("odd"):     {private, private, public},
		eksHost("dual"):    {dualOutside, dualOutside, dualInside},
		eksHost("mixed"):   {public, public, []string{publicAddress, eniOne}},
		eksHost("inside"):  {nil, nil, private},
		eksHost("outside"): {public, public, nil},
		"api.doik.example": {public, public, private},
	})
	proxy := frontdoor.OpenProxy(t, w.door.Address)
	const asked = "--resolver=" + internetDNS
	for _, test := range []struct {
		host  string
		proxy string
		args  []string
		want  string // mode and confidence
		codes string // that must be there
	}{
		{eksHost("public"), "", nil, "Public high", "ENDP012"},
		{eksHost("both"), "", nil, "PublicAndPrivate high", "ENDP011 ENDP012"},
		{eksHost("both"), "", []string{"--local-only"}, "PublicAtLeast medium", "ENDP012"},
		{eksHost("both"), "", []string{"--image=nginx"}, "PublicAndPrivate high", ""}, // it has getent only
		{eksHost("vpn"), "", nil, "PrivateAtLeast low", "ENDP013"},
		{eksHost("vpn"), "", []string{asked}, "PublicAndPrivate high", "ENDP011 ENDP012"},
		{eksHost("private"), "", nil, "PrivateAtLeast low", "ENDP013"},
		{eksHost("private"), "", []string{asked}, "Private high", ""},
		{eksHost("private"), "", []string{asked, "--local-only"}, "Private medium", ""},
		{eksHost("odd"), "", nil, "Unknown low", "ENDP011"},
		{eksHost("dual"), "", nil, "PublicAndPrivate high", "ENDP011"},
		{eksHost("mixed"), "", nil, "PublicAtLeast low", "ENDP014"},
		{eksHost("inside"), proxy.URL, nil, "Private medium", "ENDP002 ENDP007"},
		{eksHost("outside"), "", nil, "PublicAtLeast medium", "ENDP016"},
		{"api.doik.example", "", nil, "PublicAndPrivate medium", "ENDP011"},
	} {
		e := w.endpoint(w.kubeconfig(test.host, test.proxy), test.args...)
		if got := string(e.Access.Mode) + " " + string(e.Access.Confidence); got != test.want {
			t.Errorf("%s %q: got %s, want %s: %+v", test.host, test.args, got, test.want, e.Resolutions)
		}
		var codes []string
		for _, f := range e.Findings {
			codes = append(codes, string(f.Code))
			if f.Severity == v1alpha1.SeverityError {
				t.Errorf("%s: %+v", test.host, f)
			}
		}
		for _, code := range strings.Fields(test.codes) {
			if !slices.Contains(codes, code) {
				t.Errorf("%s %q: no %s in %q", test.host, test.args, code, codes)
			}
		}
		if local := slices.Contains(test.args, "--local-only"); !local && e.Resolutions[len(e.Resolutions)-1].Server != "10.96.0.10" {
			t.Errorf("%s: %+v", test.host, e.Resolutions)
		}
	}
	w.nothingLeft()

	t.Logf("\n%s", w.run(w.kubeconfig(eksHost("both"), "")).Out)
	t.Logf("\n%s", w.run(w.kubeconfig(eksHost("vpn"), ""), asked).Out)
	r := w.run(w.kubeconfig(eksHost("vpn"), ""), "--image=registry.invalid/none")
	if r.Code != 0 || !strings.Contains(r.Err, "warning: looking "+eksHost("vpn")+" up in the cluster: the debug pod can't start on node doik-node: ErrImagePull") || strings.Count(r.Err, "\n") != 1 {
		t.Errorf("an image that is not there: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	r = w.run(w.kubeconfig(eksHost("vpn"), ""), "--image=registry.k8s.io/pause:3.10.1")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Out, "\nlookup        cluster                   unknown: ") {
		t.Errorf("an image without a shell: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	t.Logf("\n%s", r.Err)
	w.nothingLeft()
}

// TestEndpointInterrupted interrupts the command at random moments: it ends within a second or so, and nothing of it is left.
func TestEndpointInterrupted(t *testing.T) {
	sees := []string{publicAddress}
	w := newWorld(t, map[string]sight{eksHost("public"): {sees, sees, sees}})
	kubeconfig := w.kubeconfig(eksHost("public"), "")
	for i := range 20 {
		signal := []os.Signal{os.Interrupt, syscall.SIGTERM}[i%2]
		cmd := exec.Command("unshare", w.line(kubeconfig)...)
		var out, errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Before 100 ms it may not have become the plugin yet; a whole run takes 0.8 s or so.
		time.Sleep(100*time.Millisecond + rand.N(900*time.Millisecond))
		_ = cmd.Process.Signal(signal) // it may have ended
		signalled := time.Now()
		err := cmd.Wait()
		took := time.Since(signalled)
		interrupted := err != nil && out.Len() == 0 && (errOut.String() == "error: interrupted\n" || errOut.Len() == 0)
		if done := err == nil && out.Len() > 0; !done && !interrupted || took > cluster.Patience(3*time.Second) {
			t.Errorf("%s: %v after %s: %s%s", signal, err, took, out.String(), errOut.String())
		}
	}
	w.nothingLeft()
}

// TestEndpointOfNode is the node's own endpoint: a private address, one API server, on the node.
func TestEndpointOfNode(t *testing.T) {
	n := cluster.NewNamespace(t)
	e := cluster.Report[v1alpha1.ClusterEndpointList](n, "endpoint").Items[0]
	if e.Provider.Name != "" && os.Getenv("E2E_KUBECONFIG") == "" || e.Certificate == nil || !e.Certificate.Trusted || !e.Certificate.CoversName || e.Version == nil || len(e.Version.Kubelets) == 0 || len(e.APIServers) == 0 {
		t.Errorf("%+v", e)
	}
	for _, f := range e.Findings {
		if f.Severity == v1alpha1.SeverityError {
			t.Errorf("%+v", f)
		}
	}
	t.Logf("\n%s", n.Doik("endpoint").Out)
}

// TestEndpointRole runs as a user who has the roles of docs/rbac.md for it and nothing else.
func TestEndpointRole(t *testing.T) {
	n := cluster.NewNamespace(t)
	page, err := os.ReadFile("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## endpoint\n")
	_, section, _ = strings.Cut(section, "```yaml\n")
	roles, _, ok := strings.Cut(section, "```")
	if !ok {
		t.Fatal("there are no roles for endpoint in docs/rbac.md")
	}
	n.Apply(strings.Replace(roles, "name: kubectl-doik-endpoint", "name: "+n.NS, 1))
	n.Kubectl("create", "clusterrolebinding", n.NS, "--clusterrole="+n.NS, "--user="+n.NS)
	t.Cleanup(func() { n.TryKubectl("delete", "clusterrole,clusterrolebinding", n.NS) })
	n.Kubectl("create", "rolebinding", "debug-pod", "--role=kubectl-doik-debug-pod", "--user="+n.NS)

	door := frontdoor.Open(t, "127.0.0.1:0", &frontdoor.Certificate{Names: []string{"api.doik.invalid"}}, nil)
	file := frontdoor.Kubeconfig(t, "demo", &clientcmdapi.Cluster{Server: "https://" + door.Address, TLSServerName: "api.doik.invalid", CertificateAuthorityData: door.Authority}, nil)
	cluster.Eventually(t, time.Minute, func() error {
		r := n.Doik("endpoint", "--kubeconfig="+file, "--as="+n.NS, "--as-group=system:authenticated")
		if r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, "\nlookup        cluster ") || !strings.Contains(r.Out, "\nkubelets      v1.") || strings.Contains(r.Out, "\napi-server    unknown") {
			return fmt.Errorf("exit code %d: %s\n%s", r.Code, r.Err, r.Out)
		}
		return nil
	})
}

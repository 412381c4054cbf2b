//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// dnsPart is what check says of DNS for the one set of a namespace, and its health.
func dnsPart(n *cluster.Namespace, args ...string) (v1alpha1.Health, v1alpha1.CheckedPart, []string) {
	n.Helper()
	report := cluster.Report[v1alpha1.HealthCheckList](n, append([]string{"check", "--only=DNS", "--no-usage"}, args...)...)
	var found []string
	for _, item := range report.Items {
		for _, f := range item.Findings {
			found = append(found, fmt.Sprintf("%s %s %s", f.Severity, f.Code, f.Message))
		}
	}
	for _, item := range report.Items {
		for _, part := range item.Checked {
			if item.Subject == v1alpha1.SubjectStatefulSet && part.Part == v1alpha1.PartDNS {
				return item.Health, part, found
			}
		}
	}
	n.Fatalf("no part DNS: %+v", report)
	return "", v1alpha1.CheckedPart{}, nil
}

// gapsOf are the gaps of a kind, as "reason".
func gapsOf(part v1alpha1.CheckedPart, kind v1alpha1.GapKind) string {
	var list []string
	for _, gap := range part.Gaps {
		if gap.Kind == kind {
			list = append(list, gap.Reason)
		}
	}
	return strings.Join(list, "; ")
}

// TestDNSServiceElsewhere gives the cluster's DNS Service the names that it has in other distributions, and an unknown one, which
// has the address that kubelets give pods. None of it is a finding. Without any Service DNS is unknown, and not said to be gone.
func TestDNSServiceElsewhere(t *testing.T) {
	ownNode(t)
	n := cluster.NewNamespace(t)
	n.ApplyReady(cluster.Named(1, ""))
	cluster.Eventually(t, time.Minute, func() error {
		if health, part, found := dnsPart(n); health != v1alpha1.HealthOK || part.Number == 0 || part.Number != part.Of {
			return fmt.Errorf("%s %+v %v", health, part, found)
		}
		return nil
	})
	original := n.Kubectl("get", "service", "-n", "kube-system", "kube-dns", "-o", "yaml")
	var pods struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct{ PodIP string }
		}
	}
	if err := json.Unmarshal([]byte(n.Kubectl("get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "json")), &pods); err != nil || len(pods.Items) == 0 {
		t.Fatal(err)
	}
	var endpoints []string
	for _, pod := range pods.Items {
		endpoints = append(endpoints, fmt.Sprintf("{addresses: [%s], targetRef: {kind: Pod, namespace: kube-system, name: %s}}", pod.Status.PodIP, pod.Metadata.Name))
	}
	t.Cleanup(func() {
		cluster.Run(t, "", "kubectl", "delete", "service", "-n", "kube-system", "kube-dns", "coredns", "--ignore-not-found")
		cluster.Run(t, "", "kubectl", "delete", "namespace", "openshift-dns", "--ignore-not-found")
		cluster.Run(t, original, "kubectl", "create", "-f", "-")
		cluster.Eventually(t, time.Minute, func() error {
			if len(n.DNSServers()) < 2 {
				return fmt.Errorf("the DNS Service has %v", n.DNSServers())
			}
			return nil
		})
	})
	ports := "ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]"
	selecting := func(namespace, name, labels string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {namespace: %s, name: %s, labels: {%s}}, spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, %s}}", namespace, name, labels, ports)
	}
	elsewhere := func(namespace, name string) string { // with endpoints of its own: the pods are in another namespace
		return fmt.Sprintf(`{apiVersion: v1, kind: Service, metadata: {namespace: %[1]s, name: %[2]s}, spec: {clusterIP: 10.96.0.10, %[3]s}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: %[1]s, name: %[2]s-test, labels: {kubernetes.io/service-name: %[2]s}}, addressType: IPv4,
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}], endpoints: [%[4]s]}`, namespace, name, ports, strings.Join(endpoints, ", "))
	}
	before := "kube-system/kube-dns"
	for _, c := range []struct{ namespace, name, manifest string }{
		{"kube-system", "anything", selecting("kube-system", "anything", "k8s-app: kube-dns")},
		{"kube-system", "coredns", selecting("kube-system", "coredns", "")},
		{"openshift-dns", "dns-default", elsewhere("openshift-dns", "dns-default")},
		{n.NS, "resolver", elsewhere(n.NS, "resolver")}, // found by the address that the kubelet has
	} {
		namespace, name, _ := strings.Cut(before, "/")
		n.Kubectl("delete", "service", "-n", namespace, name)
		if c.namespace == "openshift-dns" {
			n.Kubectl("create", "namespace", "openshift-dns")
		}
		before = c.namespace + "/" + c.name
		cluster.Eventually(t, time.Minute, func() error { // the address may still be taken
			if r := cluster.Run(t, c.manifest, "kubectl", "apply", "-f", "-"); r.Code != 0 {
				return fmt.Errorf("%s", r.Err)
			}
			return nil
		})
		cluster.Eventually(t, time.Minute, func() error {
			health, part, found := dnsPart(n)
			if health != v1alpha1.HealthOK || part.Number != part.Of || part.Of == 0 || len(found) > 0 {
				return fmt.Errorf("%s: %s %+v %v", before, health, part, found)
			}
			if report := dnsReport(n, "--from=dns"); report.Vantage.Service != before {
				return fmt.Errorf("found %s, not %s", report.Vantage.Service, before)
			}
			return nil
		})
	}
	n.Kubectl("delete", "service", "-n", n.NS, "resolver")
	health, part, found := dnsPart(n)
	if unread := gapsOf(part, v1alpha1.GapUnread); health != v1alpha1.HealthUnknown || len(found) > 0 || part.Number > 0 ||
		!strings.Contains(unread, "looked for kube-system/kube-dns, k8s-app=kube-dns, ") || !strings.Contains(unread, "openshift-dns/dns-default, 10.96.0.10)") {
		t.Errorf("without a Service: %s %+v %v", health, part, found)
	}
	if r := n.Doik("check", "--only=DNS", "--no-usage", "--fail-on=error"); r.Code != 4 {
		t.Errorf("without a Service: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
}

// TestDNSGaps asks as users who may less and less: what could not be looked at is reported with its cause, and is not said to be ok.
func TestDNSGaps(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyReady(cluster.Named(1, ""))
	user := "--as=gaps-" + n.NS
	bind := func(kind, namespace, name, rules string) {
		t.Helper()
		role := fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: %[1]sRole, metadata: {name: gaps-%[2]s-%[3]s, namespace: %[4]q}, rules: [%[5]s]}\n---\n"+
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: %[1]sRoleBinding, metadata: {name: gaps-%[2]s-%[3]s, namespace: %[4]q}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: gaps-%[3]s}], roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %[1]sRole, name: gaps-%[2]s-%[3]s}}",
			kind, name, n.NS, namespace, rules)
		if r := cluster.Run(t, role, "kubectl", "apply", "-f", "-"); r.Code != 0 {
			t.Fatal(r.Err)
		}
		t.Cleanup(func() {
			cluster.Run(t, "", "kubectl", "delete", strings.ToLower(kind)+"role,"+strings.ToLower(kind)+"rolebinding", "gaps-"+name+"-"+n.NS, "-n", namespace, "--ignore-not-found")
		})
	}
	read := `{verbs: [get, list], apiGroups: ["", apps, discovery.k8s.io], resources: [services, pods, persistentvolumeclaims, statefulsets, endpointslices]}`
	bind("", n.NS, "read", read)
	stages := []struct {
		name           string
		grant          func()
		health         v1alpha1.Health
		number         int32
		unread, others string // of the gaps, others NotCovered
	}{
		{"nothing in kube-system", func() {}, v1alpha1.HealthUnknown, 0, "no permission to get Services in namespace kube-system", ""},
		{"no port-forward", func() { bind("", "kube-system", "servers", read) }, v1alpha1.HealthUnknown, 0, "no permission to create pods/portforward", "pods' resolv.conf: needs --debug-pod"},
		{"no resolv.conf", func() {
			bind("", "kube-system", "ask", `{verbs: [create, get], apiGroups: [""], resources: [pods/portforward]}`)
		}, v1alpha1.HealthOK, 4, "", "UDP: needs --debug-pod; pods' resolv.conf: needs --debug-pod"},
		{"the kubelet", func() { bind("Cluster", "", "kubelet", `{verbs: [get], apiGroups: [""], resources: [nodes/proxy]}`) }, v1alpha1.HealthOK, 4, "", "UDP: needs --debug-pod"},
	}
	for _, c := range stages {
		c.grant()
		cluster.Eventually(t, time.Minute, func() error {
			health, part, found := dnsPart(n, user)
			if unread, others := gapsOf(part, v1alpha1.GapUnread), gapsOf(part, v1alpha1.GapNotCovered); health != c.health || part.Number != c.number || unread != c.unread || others != c.others {
				return fmt.Errorf("%s: %s %+v %v", c.name, health, part, found)
			}
			return nil
		})
		want := 0
		if c.health == v1alpha1.HealthUnknown {
			want = 4
		}
		r := n.Doik("check", user, "--only=DNS", "--no-usage", "--fail-on=error")
		if r.Code != want || c.others != "" && !strings.Contains(r.Out, "Not covered: DNS ("+c.others+")") {
			t.Errorf("%s: exit code %d: %s%s", c.name, r.Code, r.Out, r.Err)
		}
		t.Logf("%s:\n%s%s", c.name, r.Out, r.Err)
	}
	report := dnsReport(n, user, "--from=dns")
	if p := report.Vantage.Pods; p == nil || !strings.HasPrefix(p.Source, "node/") || p.Service != "kube-system/kube-dns" || p.Domain != report.Vantage.ServedDomain {
		t.Errorf("%+v", report.Vantage)
	}
}

// TestDNSResolvConf reads resolv.conf of a pod where a user may run commands in it, and not read the kubelet's configuration.
func TestDNSResolvConf(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyReady(cluster.DigPod("") + strings.Replace(cluster.Named(1, ""), `image: "registry.k8s.io/pause:3.10.1"`, `image: nicolaka/netshoot, command: [sleep, "100000"]`, 1))
	role := fmt.Sprintf(`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: conf-%[1]s}, rules: [
  {verbs: [get, list], apiGroups: ["", apps, discovery.k8s.io], resources: [services, pods, statefulsets, endpointslices]},
  {verbs: [create, get], apiGroups: [""], resources: [pods/portforward, pods/exec]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: conf-%[1]s}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: conf-%[1]s}], roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: conf-%[1]s}}`, n.NS)
	if r := cluster.Run(t, role, "kubectl", "apply", "-f", "-"); r.Code != 0 {
		t.Fatal(r.Err)
	}
	t.Cleanup(func() {
		cluster.Run(t, "", "kubectl", "delete", "clusterrole,clusterrolebinding", "conf-"+n.NS)
	})
	cluster.Eventually(t, time.Minute, func() error {
		report := dnsReport(n, "--as=conf-"+n.NS, "--from=dns")
		p := report.Vantage.Pods
		if p == nil || p.Source != "pod/"+n.NS+"/db-0" || p.Domain != report.Vantage.ServedDomain || p.Service != report.Vantage.Service || len(dnsFindings(report)) > 0 {
			return fmt.Errorf("%+v %v", report.Vantage, dnsFindings(report))
		}
		return nil
	})
}

// TestDNSThroughAnUpdate asks once a second while pods are updated, added and taken away, and while the DNS servers themselves are
// replaced: nothing of it is an error, and nothing is unknown.
func TestDNSThroughAnUpdate(t *testing.T) {
	ownNode(t)
	n := cluster.NewNamespace(t)
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asked, progressing := 0, 0
	var mu sync.Mutex
	for _, args := range [][]string{{"dns", "--from=dns", "--fail-on=error"}, {"check", "--only=DNS", "--no-usage", "--fail-on=error"}} {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
				}
				r := n.Doik(args...)
				mu.Lock()
				asked++
				if strings.Contains(strings.ToLower(r.Out), "progressing") {
					progressing++
				}
				mu.Unlock()
				if r.Code != 0 {
					t.Errorf("%v: exit code %d: %s%s", args, r.Code, r.Out, r.Err)
				}
			}
		})
	}
	for _, step := range []func(){
		n.ApplyWeb,
		func() { n.Kubectl("scale", "sts/web", "--replicas=4") },
		func() { n.Kubectl("set", "env", "sts/web", "X=1") },
		func() { n.Kubectl("scale", "sts/web", "--replicas=2") },
		func() { n.Kubectl("rollout", "restart", "-n", "kube-system", "deployment/coredns") },
	} {
		step()
		n.Kubectl("rollout", "status", "sts/web", "--timeout=300s")
		n.Kubectl("rollout", "status", "-n", "kube-system", "deployment/coredns", "--timeout=300s")
		time.Sleep(5 * time.Second)
	}
	time.Sleep(40 * time.Second) // until what caches keep is due
	close(stop)
	asking.Wait()
	quiet(n, dnsReport(n, "--from=dns"))
	if asked < 40 || progressing == 0 {
		t.Errorf("asked %d times, %d of them something was progressing", asked, progressing)
	}
	t.Logf("asked %d times, %d of them something was progressing", asked, progressing)
}

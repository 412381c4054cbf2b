//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestDNSInLab: the lab's DNS servers know the pods of the study's set, and follow it when it is scaled.
func TestDNSInLab(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	resolve(n, "web-0", "web-1")
	n.Kubectl("scale", "sts/web", "--replicas=4")
	n.RolledOut()
	resolve(n, "web-0", "web-1", "web-2", "web-3")
	n.Kubectl("scale", "sts/web", "--replicas=1")
	n.Kubectl("wait", "--for=delete", "pod/web-1", "pod/web-2", "pod/web-3", "--timeout=300s")
	resolve(n, "web-0")

	r := n.Doik("check", "--exclude=NODE", "--fail-on=warning") // its nodes are spot
	if r.Code != 0 || !strings.Contains(r.Out, "web    1/1     ok ") || !strings.Contains(r.Out, "4 DNS records") || strings.Contains(r.Out, "Skipped: ") {
		t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
}

// resolve waits until every DNS server gives the set's headless Service, and these pods and no others, their names.
func resolve(n *cluster.Namespace, pods ...string) {
	n.Helper()
	cluster.Eventually(n, 10*time.Second, func() error {
		report := cluster.Report[v1alpha1.HeadlessDNSList](n, "dns", "--from=dns", "sts/web")
		if len(report.Items) != 1 || len(report.Vantage.Servers) != 2 || len(report.Problems) > 0 || len(report.Findings) > 0 {
			return fmt.Errorf("%+v", report)
		}
		var named []string
		for _, record := range report.Items[0].Records {
			if record.Verdict != v1alpha1.VerdictOK || len(record.Answers) != 2 {
				return fmt.Errorf("%s %s: %s %s", record.Type, record.Name, record.Verdict, record.Reason)
			}
			if record.Type == v1alpha1.RecordA && record.Pod != "" {
				named = append(named, record.Pod)
			}
		}
		if !slices.Equal(named, pods) {
			return fmt.Errorf("names of %s, want %s", named, pods)
		}
		return nil
	})
}

// TestNameServerDown: a DNS pod that is down leaves the endpoints of its Service, and answers again when it is back.
func TestNameServerDown(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	resolve(n, "web-0", "web-1")
	system := func(args ...string) string { return n.Kubectl(append([]string{"--namespace=kube-system"}, args...)...) }
	pod := system("get", "pods", "-l", "k8s-app=kube-dns", "-o", "jsonpath={.items[0].metadata.name}")
	const state = "lab.doik.dev/state"
	t.Cleanup(func() { n.TryKubectl("--namespace=kube-system", "delete", "pod", pod, "--ignore-not-found") }) // a new one has no restarts
	for _, down := range []string{"not-ready", "crash-loop"} {
		system("annotate", "--overwrite", "pod", pod, state+"="+down)
		cluster.Eventually(t, 20*time.Second, func() error {
			report := cluster.Report[v1alpha1.HeadlessDNSList](n, "dns", "--from=dns")
			for _, server := range report.Vantage.Servers {
				if server.Ready == strings.HasSuffix(server.Pod, pod) {
					return fmt.Errorf("%+v", report.Vantage)
				}
			}
			for _, record := range report.Items[0].Records {
				if record.Verdict != v1alpha1.VerdictOK || len(record.Answers) != 1 {
					return fmt.Errorf("%+v", record)
				}
			}
			return nil
		})
	}
	system("annotate", "pod", pod, state+"-")
	cluster.Eventually(t, 20*time.Second, func() error { // it answers again; that it has been restarted again and again is worth saying
		report := cluster.Report[v1alpha1.HeadlessDNSList](n, "dns", "--from=dns")
		if len(report.Findings) != 1 || report.Findings[0].Code != v1alpha1.CodeDNSServerRestarts || len(report.Items[0].Records[0].Answers) != 2 {
			return fmt.Errorf("%+v", report)
		}
		return nil
	})
	system("delete", "pod", pod)
	resolve(n, "web-0", "web-1")
}

// TestDNSOutOfTime is an error that says so where the time is over before anything was asked: a port-forward hangs. With more time there is a table.
func TestDNSOutOfTime(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	node := cluster.Machine{Name: "slow", Labels: "slow="}.Make(n)
	n.ApplyAll(cluster.Named(1, "") + cluster.Service("odd", "odd", "ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]") +
		fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: odd}, data: {Corefile: %q}}\n---\n", ".:53 {\nerrors\n}\n") +
		fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {name: odd, labels: {app: odd}}, spec: {nodeName: %s, tolerations: [{operator: Exists}], containers: [{name: coredns, image: registry.k8s.io/coredns/coredns:v1}], volumes: [{name: config, configMap: {name: odd}}]}}\n---\n", node))
	n.Kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
	n.Kubectl("annotate", "node", node, "lab.doik.dev/kubelet=hang")
	args := []string{"dns", "--from=dns", "--dns-service=" + n.NS + "/odd", "--cluster-domain=cluster.local"}
	cluster.Eventually(t, 30*time.Second, func() error {
		if r := n.Doik(append(args, "--timeout=1500ms")...); r.Code != 1 || r.Out != "" || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "--timeout=1.5s") || strings.Contains(r.Err, "image") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
}

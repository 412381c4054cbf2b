//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// checked are the codes above info that kubectl doik check finds about a set and about the cluster, each once, sorted, with those
// that they explain.
func checked(n *cluster.Namespace, set string) (codes string, report *v1alpha1.HealthCheckList) {
	n.Helper()
	return checkedAll(n, "sts/"+set)
}

// checkedAll is checked with arguments of its own.
func checkedAll(n *cluster.Namespace, args ...string) (codes string, report *v1alpha1.HealthCheckList) {
	n.Helper()
	report = cluster.Report[v1alpha1.HealthCheckList](n, append([]string{"check"}, args...)...)
	var list []string
	for _, item := range report.Items {
		for _, f := range item.Findings {
			if f.Severity == v1alpha1.SeverityInfo {
				continue
			}
			word := string(f.Code)
			if len(f.Also) > 0 {
				word += fmt.Sprint(f.Also)
			}
			list = append(list, word)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " "), report
}

// checks waits until check finds exactly the codes.
func checks(n *cluster.Namespace, set, want string) {
	n.Helper()
	checksAll(n, want, "sts/"+set)
}

// checksAll is checks with arguments of its own.
func checksAll(n *cluster.Namespace, want string, args ...string) {
	n.Helper()
	err := cluster.Poll(2*time.Minute, func() error {
		got, report := checkedAll(n, args...)
		if got != want {
			var messages []string
			for _, item := range report.Items {
				for _, f := range item.Findings {
					messages = append(messages, string(f.Code)+" "+f.Message)
				}
			}
			return fmt.Errorf("check found %q, want %q:\n%s", got, want, strings.Join(messages, "\n"))
		}
		return nil
	})
	if err != nil {
		n.Errorf("%v", err)
	}
}

// wrong is something that goes wrong with a set, the codes that check is to find then, and how it is mended. What brings faults of
// MySQL and MariaDB about is in their own tables (fault), which check is tried on too.
type wrong struct {
	name   string
	inject func(n *cluster.Namespace)
	codes  string
	mend   func(n *cluster.Namespace)
}

// tryAll brings each fault about, in turn on the same sets, which are to be healthy before and after it.
func tryAll(t *testing.T, n *cluster.Namespace, set string, faults []wrong) {
	for _, f := range faults {
		ok := t.Run(f.name, func(t *testing.T) {
			here := *n
			here.TB = t
			f.inject(&here)
			checks(&here, set, f.codes)
			f.mend(&here)
			checks(&here, set, "")
		})
		if !ok {
			t.Fatalf("the set is as %q has left it: the faults after it are not tried", f.name)
		}
	}
}

// kubectl makes a step of a fault from a command line.
func kubectl(line string) func(*cluster.Namespace) {
	return func(n *cluster.Namespace) { n.Helper(); n.Kubectl(strings.Fields(line)...) }
}

func apply(manifests string) func(*cluster.Namespace) {
	return func(n *cluster.Namespace) { n.Helper(); n.Apply(manifests) }
}

// TestCheckWeb finds nothing wrong with the study's StatefulSet, says what was looked at, and finds exactly what is wrong after each
// fault.
func TestCheckWeb(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	needsVolumeStatistics(n)
	checks(n, "web", "")
	table := n.MustDoik("check")
	for _, part := range []string{"web    2/2     ok ", "2 ordinals, 2 volumes, 6 DNS records, ", "Nothing is wrong with 1 StatefulSet; "} {
		if !strings.Contains(table, part) {
			t.Errorf("no %q in\n%s", part, table)
		}
	}
	t.Logf("\n%s\n%s", table, n.MustDoik("check", "--debug-pod", "-o", "wide"))

	service := `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nginx"}, "spec": {%s "selector": {"app": "nginx"}, "ports": [{"name": "web", "port": 80}]}}`
	headless := fmt.Sprintf(service, `"clusterIP": "None",`)
	anew := func(n *cluster.Namespace) { n.Kubectl("delete", "service", "nginx"); n.Apply(headless) }
	tryAll(t, n, "web", []wrong{
		{"the Service is gone", kubectl("delete service nginx"), "DNS001[STS020]", apply(headless)},
		{"the Service is not headless", func(n *cluster.Namespace) {
			n.Kubectl("delete", "service", "nginx")
			n.Apply(fmt.Sprintf(service, ""))
		}, "DNS002[DNS019 STS020]", anew},
		{"the Service selects nothing", kubectl(`patch service nginx -p {"spec":{"selector":{"app":"other"}}}`), "DNS007[STS020]", kubectl(`patch service nginx -p {"spec":{"selector":{"app":"nginx"}}}`)},
		{"a volume fills up", func(n *cluster.Namespace) {
			n.Kubectl("exec", "web-0", "--", "sh", "-c", "head -c 880M /dev/zero > /usr/share/nginx/html/fill && sync")
		}, "STS011", func(n *cluster.Namespace) {
			n.Kubectl("exec", "web-0", "--", "sh", "-c", "rm /usr/share/nginx/html/fill && sync")
		}},
		{"a new revision has no image", func(n *cluster.Namespace) {
			n.Kubectl("set", "image", "sts/web", "nginx=registry.k8s.io/none:1")
		}, "STS003[DNS005] STS021", func(n *cluster.Namespace) {
			n.Kubectl("rollout", "undo", "sts/web")
			n.Kubectl("delete", "pod", "web-1")
		}},
		{"a budget lets all pods go", apply(budget("web", "100%")), "CHECK006", kubectl("delete pdb web")},
		{"no node is left for a pod", func(n *cluster.Namespace) {
			n.Kubectl("patch", "sts", "web", "-p", `{"spec": {"template": {"spec": {"nodeSelector": {"nosuch": "node"}}}}}`)
		}, "STS006[DNS005] STS021", func(n *cluster.Namespace) {
			n.Kubectl("rollout", "undo", "sts/web")
			n.Kubectl("delete", "pod", "web-1")
		}},
	})

	t.Log("known and accepted")
	n.Apply(budget("web", "100%"))
	n.Kubectl("annotate", "pdb", "web", v1alpha1.IgnoreAnnotation+"=CHECK006: all at once is meant")
	got, report := checked(n, "web")
	if len(report.Items) != 1 || len(report.Items[0].Ignored) != 1 || got != "" || report.Items[0].Ignored[0].By != "poddisruptionbudget/web" || report.Items[0].Ignored[0].IgnoreReason != "all at once is meant" {
		t.Errorf("%s, %+v", got, report.Items)
	}
	if out := n.MustDoik("check"); !strings.Contains(out, "IGNORED   CHECK006 ") || !strings.Contains(out, "→ poddisruptionbudget/web: all at once is meant") || !strings.Contains(out, "Nothing is wrong") {
		t.Errorf("\n%s", out)
	}

	t.Log("a claim that is deleted under its pod can't be taken back")
	n.Kubectl("delete", "pdb", "web")
	n.Kubectl("delete", "pvc", "www-web-1", "--wait=false")
	checks(n, "web", "STS008")
	if r := n.Doik("check", "--fail-on=critical", "-o", "junit"); r.Code != 3 || !strings.Contains(r.Out, `failures="1"`) {
		t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
}

// budget is a PodDisruptionBudget of a set of the study.
func budget(set, maxUnavailable string) string {
	app := map[string]string{"web": "nginx"}[set]
	if app == "" {
		app = set
	}
	return fmt.Sprintf(`{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": %q}, "spec": {"maxUnavailable": %q, "selector": {"matchLabels": {"app": %q}}}}`, set, maxUnavailable, app)
}

// otherZone gives the node a zone, and the cluster a second node in another one, that takes pods. Its kubelet is said to be ready, for
// as long as the node controller waits for it to say so itself.
func otherZone(n *cluster.Namespace) {
	n.Helper()
	node := n.Kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	n.Kubectl("label", "node", node, "topology.kubernetes.io/zone=zone-a")
	n.Cleanup(func() {
		n.TryKubectl("label", "node", node, "topology.kubernetes.io/zone-")
		n.TryKubectl("delete", "node", "other-zone")
	})
	n.Apply(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "other-zone", "labels": {"topology.kubernetes.io/zone": "zone-b"}},
		"spec": {"taints": [{"key": "doik.dev/test", "effect": "NoSchedule"}]}}`)
}

// refresh keeps the second node ready.
func refresh(n *cluster.Namespace) {
	n.Helper()
	n.Kubectl("patch", "node", "other-zone", "--subresource=status", "--type=merge", "-p",
		fmt.Sprintf(`{"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Test", "lastHeartbeatTime": %q}]}}`, time.Now().UTC().Format(time.RFC3339)))
}

// TestCheckAcross brings about what shows only where the views are laid over each other, on real servers of MySQL: an
// asynchronous set and a group. It changes nodes, and so only those of test/node.
func TestCheckAcross(t *testing.T) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: it takes labels and taints on this cluster's nodes")
	}
	d := newMySQL(t)
	n := d.Namespace
	checks(n, "mysql", "")
	table := n.MustDoik("check")
	if !strings.Contains(table, "3 servers") || !strings.Contains(table, "Nothing is wrong with 1 StatefulSet; ") {
		t.Errorf("\n%s", table)
	}
	node := d.topology().Servers[0].Node
	going := "ToBeDeletedByClusterAutoscaler=1:PreferNoSchedule"
	tryAll(t, n, "mysql", []wrong{
		{"the source's node is going", kubectl("taint node " + node + " " + going), "CHECK001[NODE007]", kubectl("taint node " + node + " " + going + "-")},
		{"the source's volume fills up", func(*cluster.Namespace) {
			d.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", fillTo(85))
		}, "CHECK004[STS010]", func(*cluster.Namespace) {
			d.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", "rm /var/lib/mysql/fill; sync")
		}},
		{"a replica's volume fills up", func(*cluster.Namespace) {
			d.Kubectl("exec", "mysql-1", "-c", "mysql", "--", "sh", "-c", fillTo(85))
		}, "STS010", func(*cluster.Namespace) {
			d.Kubectl("exec", "mysql-1", "-c", "mysql", "--", "sh", "-c", "rm /var/lib/mysql/fill; sync")
		}},
		{"a budget lets all servers go", apply(strings.Replace(budget("mysql", "3"), `"3"`, "3", 1)), "CHECK006", kubectl("delete pdb mysql")},
		{"the source is on spot capacity", kubectl("label node " + node + " eks.amazonaws.com/capacityType=SPOT"),
			"MYSQL075 NODE002 NODE011[STS033]", kubectl("label node " + node + " eks.amazonaws.com/capacityType-")},
	})

	t.Log("a second zone, in which no server is")
	otherZone(n)
	all := "CHECK003 CHECK005[MYSQL076 NODE006 STS031]"
	cluster.Eventually(t, time.Minute, func() error {
		refresh(n)
		if got, report := checked(n, "mysql"); got != all {
			return fmt.Errorf("%q, want %q: %+v", got, all, report.Items)
		}
		return nil
	})
	t.Logf("\n%s", n.Doik("check").Out)

	t.Log("an operator's label and a Service send writes to a replica")
	n.Kubectl("label", "node", node, "topology.kubernetes.io/zone-")
	n.Kubectl("delete", "node", "other-zone")
	d.mislabelled(t)
}

// fillTo fills the volume of a server to a percentage.
func fillTo(percent int) string {
	return fmt.Sprintf(`set -e; cd /var/lib/mysql; df -B1 --output=used,avail . | tail -1 > /tmp/df; read used avail < /tmp/df; head -c $(((used + avail) * %d / 100 - used)) /dev/zero > fill; sync`, percent)
}

// mislabelled gives the pods the labels of Percona's operator, whose role says primary of a replica, and a Service that believes it.
func (d *database) mislabelled(t *testing.T) {
	m := &database{Namespace: d.Namespace, set: "mariadb", container: "mariadb", client: "mariadb"}
	m.Apply(m.Manifest("mariadb.yaml"))
	m.Kubectl("rollout", "status", "sts/mariadb", "--timeout=240s")
	m.sound(2)
	checks(m.Namespace, "mariadb", "")
	m.Kubectl("label", "pod", "mariadb-0", "app.kubernetes.io/name=mariadb", "k8s.mariadb.com/role=replica")
	m.Kubectl("label", "pod", "mariadb-1", "app.kubernetes.io/name=mariadb", "k8s.mariadb.com/role=primary")
	m.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mariadb-primary"}, "spec": {"selector": {"k8s.mariadb.com/role": "primary"}, "ports": [{"port": 3306}]}}`)
	checks(m.Namespace, "mariadb", "CHECK007[MYSQL071 MYSQL072] MYSQL071") // the other label is wrong as well
	t.Logf("\n%s", m.Doik("check", "mariadb").Out)
}

// TestCheckQuorum has a group of three real servers on capacity that goes, and a budget that lets its quorum go.
func TestCheckQuorum(t *testing.T) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: it takes labels and taints on this cluster's nodes")
	}
	d := &database{Namespace: cluster.NewNamespace(t), set: "group", container: "mysql", client: "mysql"}
	d.Apply(d.Manifest("mysql-group.yaml"))
	d.Kubectl("rollout", "status", "sts/group", "--timeout=240s")
	d.sound(3)
	n := d.Namespace
	checks(n, "group", "")
	node := d.topology().Servers[0].Node
	going := "ToBeDeletedByClusterAutoscaler=1:PreferNoSchedule"
	tryAll(t, n, "group", []wrong{
		{"all nodes are going", kubectl("taint node " + node + " " + going), "CHECK001[NODE007] CHECK002", kubectl("taint node " + node + " " + going + "-")},
		{"all nodes are spot", kubectl("label node " + node + " eks.amazonaws.com/capacityType=SPOT"), "CHECK002[MYSQL075 NODE002] NODE011[STS033]",
			kubectl("label node " + node + " eks.amazonaws.com/capacityType-")},
		{"a budget lets the quorum go", apply(strings.Replace(budget("group", "2"), `"2"`, "2", 1)), "CHECK006", kubectl("delete pdb group")},
	})
	otherZone(n)
	all := "CHECK002 CHECK005[MYSQL076 NODE006 STS031]"
	cluster.Eventually(t, time.Minute, func() error {
		refresh(n)
		if got, report := checked(n, "group"); got != all {
			return fmt.Errorf("%q, want %q: %+v", got, all, report.Items)
		}
		return nil
	})
}

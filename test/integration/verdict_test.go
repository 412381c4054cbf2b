//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// conditionOf is a report's condition Healthy, as STATUS/REASON.
func conditionOf(list []v1alpha1.Condition) string {
	i := slices.IndexFunc(list, func(c v1alpha1.Condition) bool { return c.Type == v1alpha1.ConditionHealthy })
	if i < 0 {
		return "none"
	}
	return string(list[i].Status) + "/" + string(list[i].Reason)
}

// TestVerdictOfWhatIsUnread: a user who may get StatefulSets and nothing else learns that nothing is known, and --fail-on says so.
func TestVerdictOfWhatIsUnread(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("create", "role", "sets", "--verb=get,list", "--resource=statefulsets.apps")
	n.Kubectl("create", "rolebinding", "sets", "--role=sets", "--user=sets-only")
	check := func(args ...string) cluster.Result {
		return n.Doik(append([]string{"check", "--as=sets-only"}, args...)...)
	}
	cluster.Eventually(t, 10*time.Second, func() error { // the authorizer learns of new roles a moment later
		if r := check(); r.Code != 0 || !strings.Contains(r.Out, "web    2/2     unknown ") || !strings.Contains(r.Out, "1 StatefulSet, 0 of them healthy, 1 unknown") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
	r := check("--fail-on=error")
	for _, part := range []string{"ordinals (2 of 2: ", "volumes (2 of 2: ", "DNS (", "nodes (", "servers ("} {
		if r.Code != 4 || !strings.Contains(r.Err, "error: not judged (--fail-on): could not be read: ordinals") || !strings.Contains(r.Err, part) {
			t.Errorf("no word of %s: exit code %d: %s", part, r.Code, r.Err)
		}
	}
	for args, code := range map[string]int{
		"--fail-on=error --allow-unknown":                                              0,
		"--fail-on=error --allow-unknown=ordinals,volumes,dns,nodes,servers":           0,
		"--fail-on=error --allow-unknown=ordinals,volumes,dns,servers":                 4,
		"--fail-on=error --allow-unknown=disks":                                        1,
		"--for=healthy --timeout=3s":                                                   1,
		"--fail-on=error --exclude=DNS,NODE,MYSQL,PG --allow-unknown=ordinals,volumes": 0,
	} {
		if r := check(strings.Fields(args)...); r.Code != code {
			t.Errorf("%s: exit code %d, want %d: %s%s", args, r.Code, code, r.Out, r.Err)
		}
	}
	report := cluster.Report[v1alpha1.HealthCheckList](n, "check", "--as=sets-only")
	if len(report.Items) == 0 || report.Items[0].Health != v1alpha1.HealthUnknown || conditionOf(report.Items[0].Conditions) != "Unknown/NotRead" || conditionOf(report.Conditions) != "Unknown/NotRead" {
		t.Errorf("%+v", report)
	}
	for _, part := range report.Items[0].Checked {
		if part.Number != 0 || len(part.Gaps) == 0 || part.Gaps[0].Kind != v1alpha1.GapUnread || part.Gaps[0].Reason == "" {
			t.Errorf("%+v", part)
		}
	}
	if r := n.Doik("sts-status", "--as=sets-only", "--fail-on=error"); r.Code != 4 || !strings.Contains(r.Err, "accept that with --allow-unknown=ordinals,volumes") {
		t.Errorf("sts-status: exit code %d: %s", r.Code, r.Err)
	}
	if r := n.Doik("nodes", "--as=sets-only", "--fail-on=error"); r.Code != 1 { // there is nothing that it could show
		t.Errorf("nodes: exit code %d: %s", r.Code, r.Err)
	}
}

// TestVerdictOfWhatIsLeftOut: what was not asked for, what can't be measured, and what only supports, changes no verdict, and is named.
func TestVerdictOfWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	all := []string{"check", "--exclude=DNS,NODE", "--fail-on=warning"} // DNS is what is left out here; the lab has nodes that are spot
	r := n.Doik(append(slices.Clone(all), "--no-usage")...)
	if want := "Skipped: volumes (disk usage was skipped (--no-usage)), DNS (excluded by --only or --exclude)"; r.Code != 0 || !strings.Contains(r.Out, want) || !strings.Contains(r.Out, "web    2/2     ok ") {
		t.Errorf("exit code %d, want %q: %s%s", r.Code, want, r.Out, r.Err)
	}
	t.Log("a volume that its driver does not measure")
	n.Kubectl("annotate", "pvc", "www-web-0", "lab.doik.dev/stats=missing")
	cluster.Eventually(t, 20*time.Second, func() error { // first it may be told of later
		r := n.Doik(all...)
		if r.Code != 0 || !strings.Contains(r.Out, "web    2/2     progressing ") || !strings.Contains(r.Out, "Not there yet: volumes (1 of 2: ") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
	if r := n.Doik("check", "--exclude=DNS,NODE", "--for=healthy", "--timeout=3s"); r.Code != 1 {
		t.Errorf("--for=healthy: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	n.Kubectl("annotate", "pvc", "www-web-0", "lab.doik.dev/stats-")

	t.Log("supporting lists can't be read")
	n.Kubectl("create", "role", "most", "--verb=get,list", "--resource=statefulsets.apps,pods,persistentvolumeclaims,services,endpointslices.discovery.k8s.io")
	n.Kubectl("create", "rolebinding", "most", "--role=most", "--user="+n.NS)
	n.Kubectl("create", "clusterrole", n.NS, "--verb=get,list", "--resource=nodes,nodes/proxy,csinodes.storage.k8s.io")
	n.Kubectl("create", "clusterrolebinding", n.NS, "--clusterrole="+n.NS, "--user="+n.NS)
	t.Cleanup(func() { n.TryKubectl("delete", "clusterrole,clusterrolebinding", n.NS) })
	cluster.Eventually(t, 10*time.Second, func() error {
		r := n.Doik(append(slices.Clone(all), "--as="+n.NS)...)
		if r.Code != 0 || !strings.Contains(r.Err, "warning: PodDisruptionBudgets in namespace "+n.NS) || !strings.Contains(r.Out, "web    2/2     ok ") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
}

// TestNoSuchNamespace: a namespace that does not exist is an error in every command, one without anything is none.
func TestNoSuchNamespace(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	run := func(namespace string, args ...string) cluster.Result {
		return cluster.Run(t, "", "kubectl", append([]string{"doik", "-n", namespace}, args...)...)
	}
	commands := [][]string{
		{"check"}, {"check", "--fail-on=error"}, {"check", "-o", "json"}, {"check", "--watch", "--timeout=10s"}, {"sts-status"}, {"sts-status", "-w", "--timeout=10s"}, {"sts-status", "-o", "name"},
		{"dns", "--from=dns"}, {"nodes"}, {"nodes", "-o", "yaml"}, {"nodes", "-w", "--timeout=10s"}, {"mysql-topology"}, {"mysql-topology", "-w", "--timeout=10s"}, {"mysql-query", "SELECT 1"},
	}
	for _, command := range commands {
		r := run(n.NS+"-typo", command...)
		if want := fmt.Sprintf("error: namespace %q does not exist\n", n.NS+"-typo"); r.Code != 1 || !strings.HasSuffix(r.Err, want) {
			t.Errorf("%v: exit code %d: %s%s", command, r.Code, r.Out, r.Err)
		}
	}
	for _, command := range [][]string{{"mysql-reads", "read"}, {"sts-status", "web"}, {"check", "web"}} {
		if r := run(n.NS+"-typo", command...); r.Code != 1 || !strings.Contains(r.Err, n.NS+"-typo") {
			t.Errorf("%v: exit code %d: %s%s", command, r.Code, r.Out, r.Err)
		}
	}
	for _, command := range [][]string{{"check"}, {"check", "--fail-on=error"}, {"sts-status"}, {"nodes"}, {"mysql-topology"}, {"dns", "--from=dns"}, {"check", "-l", "app=typo"}} {
		if r := n.Doik(command...); r.Code != 0 {
			t.Errorf("%v in an empty namespace: exit code %d: %s%s", command, r.Code, r.Out, r.Err)
		}
	}
	for _, command := range []string{"check", "sts-status", "mysql-topology"} {
		for _, format := range []string{"wide", "json"} {
			r := n.Doik(command, "-l", "app=typo", "--fail-on=error", "-o", format)
			if r.Code != 1 || !strings.Contains(r.Err, "error: -l app=typo selects no ") {
				t.Errorf("%s -l -o %s: exit code %d: %s%s", command, format, r.Code, r.Out, r.Err)
			}
		}
	}
	n.Kubectl("create", "role", "sets", "--verb=get,list", "--resource=statefulsets.apps,services")
	n.Kubectl("create", "rolebinding", "sets", "--role=sets", "--user=sets-only")
	cluster.Eventually(t, 10*time.Second, func() error {
		if r := n.Doik("check", "--as=sets-only"); r.Code != 0 || !strings.Contains(r.Err, "No StatefulSets found in namespace "+n.NS+" (can't verify that this namespace exists: ") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
}

// TestHealthyRollouts looks once and again at a start, a scale-up and a rolling update: nothing of them is an error. One that breaks is.
func TestHealthyRollouts(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	manifest := strings.NewReplacer("replicas: 2", "replicas: 3\n  minReadySeconds: 4").Replace(n.Manifest("web.yaml"))
	if !strings.Contains(manifest, "minReadySeconds") {
		t.Fatal("web.yaml has no replicas: 2")
	}
	args := []string{"check", "--exclude=DNS,NODE", "--fail-on=warning"}
	seen := map[string]bool{}
	through := func(what string, over func() bool) {
		t.Helper()
		t.Log(what)
		for end := time.Now().Add(time.Minute); !over() && time.Now().Before(end); {
			r := n.Doik(args...)
			if r.Code != 0 {
				t.Fatalf("%s: exit code %d: %s%s", what, r.Code, r.Out, r.Err)
			}
			for line := range strings.Lines(r.Out) {
				if words := strings.Fields(line); len(words) > 2 && words[0] == "PROGRESSING" {
					seen[words[1]] = true
					seen["minReadySeconds"] = seen["minReadySeconds"] || strings.Contains(line, "is ready, and counts as available in ")
				}
			}
		}
	}
	complete := func() bool {
		return n.TryKubectl("rollout", "status", "sts/web", "--watch=false").Out != "" && strings.Contains(n.TryKubectl("rollout", "status", "sts/web", "--watch=false").Out, "partitioned roll out complete") ||
			strings.Contains(n.TryKubectl("rollout", "status", "sts/web", "--watch=false").Out, "rolling update complete")
	}
	n.Apply(manifest)
	through("a start in which each pod has to be ready for 4 s", complete)
	n.Kubectl("scale", "sts/web", "--replicas=5")
	through("a scale-up", func() bool {
		return n.Kubectl("get", "sts", "web", "-o", "jsonpath={.status.availableReplicas}") == "5"
	})
	n.Kubectl("patch", "sts", "web", "-p", `{"spec": {"template": {"metadata": {"annotations": {"new": "revision"}}}}}`)
	through("a rolling update", complete)
	n.Kubectl("scale", "sts/web", "--replicas=3")
	through("a scale-down", func() bool { return n.Kubectl("get", "sts", "web", "-o", "jsonpath={.status.replicas}") == "3" })
	if !seen["STS002"] || !seen["STS003"] || !seen["minReadySeconds"] {
		t.Errorf("nothing was seen to be on its way: %v", seen)
	}
	if report := cluster.Report[v1alpha1.SetStatusList](n, "sts-status"); conditionOf(report.Conditions) != string(metav1.ConditionTrue)+"/"+string(v1alpha1.ReasonNothingFound) {
		t.Errorf("in the end: %+v %+v", report.Conditions, report.Checked)
	}
	n.Kubectl("patch", "sts", "web", "-p", `{"spec": {"template": {"metadata": {"annotations": {"lab.doik.dev/state": "image-pull"}}}}}`)
	cluster.Eventually(t, 30*time.Second, func() error {
		if r := n.Doik(args...); r.Code != 3 {
			return fmt.Errorf("a broken rollout: exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
}

//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestNames finds sets by name, by kind and name, and by selector, and says what it did not find.
func TestNames(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	if r := n.Doik("sts-status"); r.Code != 0 || r.Out != "" || r.Err != "No StatefulSets found in namespace "+n.NS+".\n" {
		t.Errorf("nothing there: exit code %d, %q, %q", r.Code, r.Out, r.Err)
	}
	n.Apply(n.Manifest("web.yaml"))
	n.Apply(strings.ReplaceAll(n.Manifest("web.yaml"), "name: web}", "name: other, labels: {tier: db}}"))
	n.RolledOut()
	n.Kubectl("rollout", "status", "sts/other", "--timeout=300s")
	for args, want := range map[string]string{
		"web": "web", "sts/web": "web", "statefulset.apps/web": "web", "web other": "other web", "": "other web", "-l tier=db": "other", "-l tier!=db": "web",
	} {
		out := n.MustDoik(append([]string{"sts-status", "-o", "jsonpath={.items[*].metadata.name}"}, strings.Fields(args)...)...)
		if out != want {
			t.Errorf("sts-status %s: %q, want %q", args, out, want)
		}
	}
	for args, want := range map[string]string{
		"nosuch":     fmt.Sprintf("error: StatefulSet \"nosuch\" not found in namespace %s\n", n.NS),
		"web nosuch": fmt.Sprintf("error: StatefulSet \"nosuch\" not found in namespace %s\n", n.NS),
		"wbe":        fmt.Sprintf("error: StatefulSet \"wbe\" not found in namespace %s: did you mean web?\n", n.NS),
		"web othr":   fmt.Sprintf("error: StatefulSet \"othr\" not found in namespace %s: did you mean other?\n", n.NS),
	} {
		r := n.Doik(append([]string{"sts-status"}, strings.Fields(args)...)...)
		if r.Code != 1 || r.Out != "" || r.Err != want {
			t.Errorf("sts-status %s: exit code %d, %q", args, r.Code, r.Err)
		}
	}
}

// TestFormats prints every form of output from a real set.
func TestFormats(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	for format, want := range map[string]string{
		"name":  "statefulset.apps/web\n",
		"wide":  "STORAGECLASS",
		"json":  `"apiVersion": "doik.dev/v1alpha1"`,
		"yaml":  "kind: SetStatusList",
		"kyaml": `kind: "SetStatusList"`,
		"jsonpath={.items[0].ordinals[*].pod.status}":                  "Running Running",
		"go-template={{range .items}}{{.replicas.ready}}{{end}}":       "2",
		"custom-columns=SET:.metadata.name,READY:.replicas.ready":      "SET   READY\nweb   2\n",
		"jsonpath={.items[0].ordinals[1].claims[0].usage.usedPercent}": "",
	} {
		if out := n.MustDoik("sts-status", "web", "-o", format); !strings.Contains(out, want) || out == "" {
			t.Errorf("-o %s: no %q in\n%s", format, want, out)
		}
	}
	if out := n.MustDoik("sts-status", "--chunk-size=1", "-o", "jsonpath={.items[0].ordinals[*].pod.status}"); out != "Running Running" {
		t.Errorf("in pages of one: %q", out)
	}
}

// TestRights takes away one right after the other; each costs its columns and one line.
func TestRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("create", "role", "sets", "--verb=get,list", "--resource=statefulsets.apps")
	n.Kubectl("create", "rolebinding", "sets", "--role=sets", "--user=sets-only")
	n.Kubectl("create", "role", "all", "--verb=get,list", "--resource=statefulsets.apps,pods,persistentvolumeclaims,services,events,poddisruptionbudgets.policy")
	n.Kubectl("create", "rolebinding", "all", "--role=all", "--user=no-kubelets")
	n.GrantKinds("no-kubelets")
	n.Cleanup(func() { n.TryKubectl("delete", "clusterrole,clusterrolebinding", n.NS, "--ignore-not-found") })
	n.Kubectl("create", "clusterrole", n.NS, "--verb=list", "--resource=persistentvolumes,storageclasses.storage.k8s.io")
	n.Kubectl("create", "clusterrolebinding", n.NS, "--clusterrole="+n.NS, "--user=no-kubelets")

	as := func(user string) cluster.Result { return n.Doik("sts-status", "--as="+user) }
	cluster.Eventually(t, 10*time.Second, func() error { // the authorizer learns of new roles a moment later
		if r := as("no-kubelets"); r.Code != 0 || strings.Count(r.Err, "\n") != 2 {
			return fmt.Errorf("exit code %d: %s", r.Code, r.Err)
		}
		return nil
	})
	r := as("no-kubelets")
	if want := fmt.Sprintf(`warning: disk usage: no permission to get nodes/proxy; ask for it (kubectl doik --print-rbac=kubelets prints the role), or skip disk usage with --no-usage
warning: disk usage of %[1]s/www-web-0, %[1]s/www-web-1: df in the container: no permission to create pods/exec
`, n.NS); r.Err != want {
		t.Errorf("without nodes/proxy: %q, want %q", r.Err, want)
	}
	if !strings.Contains(r.Out, "web-0   1/1     Running   0          www-web-0   Bound   1Gi        unknown   -") {
		t.Errorf("without nodes/proxy:\n%s", r.Out)
	}

	// One refusal stands for all the pods of the namespace: three questions (blocks, inodes, mounts) over two protocols.
	if requests := strings.Count(n.Doik("sts-status", "--as=no-kubelets", "-v=6").Err, "/exec?"); requests == 0 || requests > 6 {
		t.Errorf("%d requests for exec although the first was refused", requests)
	}

	// With the right to run df, nodes/proxy is not missed.
	n.Kubectl("create", "role", "exec", "--verb=create,get", "--resource=pods/exec")
	n.Kubectl("create", "rolebinding", "exec", "--role=exec", "--user=no-kubelets")
	cluster.Eventually(t, 10*time.Second, func() error {
		if r := as("no-kubelets"); r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, "%") || strings.Contains(r.Out, "unknown") {
			return fmt.Errorf("with pods/exec: exit code %d: %s\n%s", r.Code, r.Err, r.Out)
		}
		return nil
	})

	r = as("sets-only")
	if r.Code != 0 || !strings.Contains(r.Out, "web   2/2 ready") || !strings.Contains(r.Out, "web-0   unknown") || !strings.Contains(r.Out, "Service nginx: unknown") {
		t.Errorf("sets only: exit code %d\n%s", r.Code, r.Out)
	}
	for _, subject := range []string{"pods", "claims", "Services", "PodDisruptionBudgets"} {
		if !strings.Contains(r.Err, "warning: "+subject+" in namespace "+n.NS+": ") {
			t.Errorf("no word of %s:\n%s", subject, r.Err)
		}
	}

	r = n.Doik("sts-status", "--token=expired")
	if r.Code != 1 || r.Out != "" || r.Err != "error: the API server does not accept the credentials (401): they are wrong or have expired; log in again\n" {
		t.Errorf("expired credentials: exit code %d, %q", r.Code, r.Err)
	}

	r = as("nobody")
	if r.Code != 1 || r.Out != "" || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, `statefulsets.apps is forbidden: User "nobody" cannot list`) {
		t.Errorf("nothing at all: exit code %d, %q", r.Code, r.Err)
	}
}

// TestRole runs as a user who has what --print-rbac prints, with what disk usage takes, and nothing else; then without its rights to volumes, nodes and what
// explains, each of which costs its columns and one line.
func TestRole(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Grant(t, n.NS+"-reader", nil, "exec", "kubelets")
	n.Grant(t, n.NS+"-namespaced", strings.NewReplacer("[persistentvolumes]", "[nothing]", "[nodes]", "[nothing]", "[events]", "[nothing]", "[volumeattachments]", "[nothing]", "[storageclasses, csinodes]", "[nothing]").Replace, "exec", "kubelets")
	as := func(user string, args ...string) cluster.Result {
		return n.Doik(append([]string{"sts-status", "--as=" + n.NS + "-" + user}, args...)...)
	}
	// A claim that is pending, and a pod that is not scheduled: everything that explains is asked.
	n.Apply(strings.NewReplacer("name: web}", "name: other}", "accessModes", "storageClassName: nosuch, accessModes").Replace(n.Manifest("web.yaml")))
	cluster.Eventually(t, 20*time.Second, func() error {
		r := as("reader", "-o", "wide")
		if r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, "StorageClass nosuch does not exist") || strings.Contains(r.Out, "unknown") {
			return fmt.Errorf("with the role: exit code %d: %s\n%s", r.Code, r.Err, r.Out)
		}
		return nil
	})
	r := cluster.Run(t, "", "kubectl", "doik", "sts-status", "-A", "-o", "wide", "--as="+n.NS+"-reader")
	if r.Code != 0 || strings.Contains(r.Err, "forbidden") || strings.Contains(r.Err, "no right") {
		t.Errorf("-A with the role: exit code %d: %s", r.Code, r.Err)
	}
	cluster.Eventually(t, 20*time.Second, func() error {
		r := as("namespaced", "web", "-o", "wide")
		var subjects []string
		for line := range strings.Lines(r.Err) {
			subjects = append(subjects, strings.SplitN(line, ":", 3)[1])
		}
		slices.Sort(subjects)
		if got := strings.Join(subjects, ","); r.Code != 0 || got != " PersistentVolumes, StorageClasses, events, nodes" {
			return fmt.Errorf("namespaced: exit code %d, warnings of %q: %s", r.Code, got, r.Err)
		}
		// Reclaim policy and handle; the capacity type. The zone is a label of the pod.
		if row := strings.Fields(strings.Split(r.Out, "\n")[2]); strings.Count(strings.Join(row, " "), "unknown") != 3 {
			return fmt.Errorf("namespaced: %q", row)
		}
		return nil
	})
	r = as("namespaced", "other")
	if got := strings.Count(r.Err, "\n"); r.Code != 0 || got != 3 || !strings.Contains(r.Out, "www-other-0 is pending: it has no volume yet") {
		t.Errorf("namespaced, in trouble: exit code %d, %d warnings: %s\n%s", r.Code, got, r.Err, r.Out)
	}
}

// TestHostileText lets the cluster say what a terminal must not be told.
func TestHostileText(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	// A pod on no node: nothing else writes its status.
	n.Apply(strings.Replace(n.Manifest("web.yaml"), "containers:", "nodeSelector: {nosuch: node}\n      containers:", 1))
	n.Kubectl("wait", "--for=create", "pod/web-0", "--timeout=30s")
	n.Kubectl("patch", "pod", "web-0", "--subresource=status", "--type=merge", "-p", `{"status": {"conditions": [{"type": "PodScheduled", "status": "True"}],
		"containerStatuses": [{"name": "nginx", "image": "", "imageID": "", "ready": false, "restartCount": 0,
		"state": {"waiting": {"reason": "\u001b[2JCrash", "message": "one\ntwo \u001b]0;owned\u0007 한글"}}}]}}`)
	out := n.MustDoik("sts-status", "--color=never")
	if strings.ContainsAny(out, "\x1b\a\r") || !strings.Contains(out, `^[[2JCrash: one two ^[]0;owned\x07 한글`) {
		t.Errorf("%q", out)
	}
}

// TestVersion asks the real API server.
func TestVersion(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	server := n.Kubectl("get", "--raw", "/version")
	out := n.MustDoik("version", "-o", "jsonpath={.server.version} {.skew.supported}")
	version, skew, _ := strings.Cut(out, " ")
	if !strings.Contains(server, `"gitVersion": "`+version+`"`) || skew != "true" {
		t.Errorf("%q, the server says %s", out, server)
	}
	if table := n.MustDoik("version"); !strings.Contains(table, "\nskew               ") {
		t.Error(table)
	}
}

// TestCompletion goes the way of the shell: kubectl finds kubectl_complete-doik on PATH.
func TestCompletion(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Apply(n.Manifest("web.yaml"))
	n.Kubectl("wait", "--for=create", "pod/web-0", "--timeout=30s")
	complete := func(words ...string) string {
		r := cluster.Run(t, "", "kubectl", append([]string{"__complete", "doik"}, words...)...)
		if r.Code != 0 {
			t.Fatalf("%q: exit code %d: %s", words, r.Code, r.Err)
		}
		return r.Out
	}
	for _, test := range []struct {
		words []string
		want  string
	}{
		{[]string{"sts"}, "sts-status\t"},
		{[]string{"sts-status", "-n", n.NS, "w"}, "web\n"},
		{[]string{"sts-status", "-n", n.NS, "sts/"}, "sts/web\n"},
		{[]string{"sts-status", "-n", n.NS[:6]}, n.NS + "\n"},
		{[]string{"sts-status", "--context", ""}, "lab\n"},
		{[]string{"dns", "-n", n.NS, ""}, "sts/web\nsvc/nginx\n"},
		{[]string{"dns", "-n", n.NS, "svc/n"}, "svc/nginx\n"},
		{[]string{"dns", "-n", n.NS, "ng"}, "nginx\n"},
		{[]string{"dns", "--from", ""}, "debug-pod\ndns\npod/\nephemeral/\n"},
		{[]string{"dns", "-n", n.NS, "--from", "pod/w"}, "pod/web-0\n"},
		{[]string{"dns", "-n", n.NS, "--from-labels", ""}, "sts/web\n"},
	} {
		if out := complete(test.words...); !strings.Contains(out, test.want) {
			t.Errorf("%q: no %q in %q", test.words, test.want, out)
		}
	}
	if out := complete("sts-status", "-n", n.NS, "web", ""); strings.Contains(out, "web\n") {
		t.Errorf("a name that stands there already: %q", out)
	}
}

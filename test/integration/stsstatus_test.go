//go:build integration

// Package integration tests the plugin against the real control plane of test/lab: make test-integration.
package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// standing are informational findings of most small sets in the lab, which have tests of their own.
var standing = []v1alpha1.Code{v1alpha1.CodeReclaimDelete, v1alpha1.CodeSharedNode, v1alpha1.CodeSharedZone, v1alpha1.CodeNoDisruptionBudget}

// codes are the codes of a set's findings but the standing ones, each once, in the order of the report.
func codes(s v1alpha1.SetStatus) string {
	var list []string
	for _, f := range s.Findings {
		if code := string(f.Code); !slices.Contains(standing, f.Code) && (len(list) == 0 || list[len(list)-1] != code) {
			list = append(list, code)
		}
	}
	return strings.Join(list, " ")
}

// ordinals shows a set's ordinals as "0 Present, 1 Blocked".
func ordinals(s v1alpha1.SetStatus) string {
	list := make([]string, len(s.Ordinals))
	for i, o := range s.Ordinals {
		list[i] = fmt.Sprintf("%d %s", o.Ordinal, o.State)
	}
	return strings.Join(list, ", ")
}

// TestScaledDown is the study's exercise: up to five, down to three, and the claims of the other two are kept.
func TestScaledDown(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("scale", "sts/web", "--replicas=5")
	n.RolledOut()
	n.Kubectl("scale", "sts/web", "--replicas=3")
	n.Kubectl("wait", "--for=delete", "pod/web-3", "pod/web-4", "--timeout=300s")
	for i, used := range []string{"10%", "20Mi", "300Mi"} {
		n.Kubectl("annotate", "pvc", fmt.Sprintf("www-web-%d", i), "lab.doik.dev/used="+used)
	}

	cluster.Eventually(t, 10*time.Second, func() error {
		s := n.Web()
		if got, want := ordinals(s), "0 Present, 1 Present, 2 Present, 3 Retained, 4 Retained"; got != want {
			return fmt.Errorf("ordinals %s, want %s", got, want)
		}
		if got := codes(s); got != "STS030" {
			return fmt.Errorf("findings %s", got)
		}
		if s.Service.State != v1alpha1.ServiceSound || s.Service.Selects != 3 || !s.Rollout.Complete {
			return fmt.Errorf("service %+v, rollout %+v", s.Service, s.Rollout)
		}
		if u := s.Ordinals[1].Claims[0].Usage; u == nil || u.UsedBytes != 20<<20 {
			return fmt.Errorf("usage of www-web-1: %+v", u)
		}
		return nil
	})
	table := n.MustDoik("sts-status")
	for _, row := range []string{"web-0   1/1     Running    0 ", "web-4   -       retained   - ", "STS030   the claims of web-3, web-4 are kept"} {
		if !strings.Contains(table, row) {
			t.Errorf("no %q in\n%s", row, table)
		}
	}
}

// TestUsage sets what the kubelets report, and reads it back as numbers and words.
func TestUsage(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Apply(n.Manifest("web.yaml"))
	n.Kubectl("scale", "sts/web", "--replicas=5")
	n.RolledOut()
	for claim, annotation := range map[string]string{
		"www-web-0": "lab.doik.dev/stats=full", "www-web-1": "lab.doik.dev/stats=no-inodes", "www-web-2": "lab.doik.dev/stats=elastic",
		"www-web-3": "lab.doik.dev/stats=missing", "www-web-4": "lab.doik.dev/used=85% lab.doik.dev/inodes-used=85%",
	} {
		n.Kubectl(append([]string{"annotate", "pvc", claim}, strings.Fields(annotation)...)...)
	}
	cluster.Eventually(t, 10*time.Second, func() error {
		s := n.Web()
		claims := make([]v1alpha1.ClaimStatus, len(s.Ordinals))
		for i, o := range s.Ordinals {
			claims[i] = o.Claims[0]
		}
		switch {
		case claims[0].Usage == nil || claims[0].Usage.UsedPercent == nil || *claims[0].Usage.UsedPercent < 90:
			return fmt.Errorf("full: %+v", claims[0].Usage)
		case claims[1].Usage == nil || claims[1].Usage.InodesUsedPercent != nil:
			return fmt.Errorf("without inodes: %+v", claims[1].Usage)
		case claims[2].Usage == nil || !claims[2].Usage.Elastic || claims[2].Usage.UsedPercent != nil:
			return fmt.Errorf("elastic: %+v", claims[2].Usage)
		case claims[3].Usage != nil || !strings.Contains(claims[3].UsageUnknown, "does not report it"):
			return fmt.Errorf("missing: %+v, %q", claims[3].Usage, claims[3].UsageUnknown)
		case claims[4].Usage == nil || *claims[4].Usage.UsedPercent != 85:
			return fmt.Errorf("85 %%: %+v", claims[4].Usage)
		}
		return nil
	})
}

// TestDeadKubelets costs each its own time-out only, and hides nothing else.
func TestDeadKubelets(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	nodes := n.Fleet(
		cluster.Machine{Name: "hang", Labels: "set-hang=", Annotations: "lab.doik.dev/kubelet=hang"},
		cluster.Machine{Name: "dead", Labels: "set-dead=", Annotations: "lab.doik.dev/kubelet=dead"},
		cluster.Machine{Name: "slow", Labels: "set-slow=", Annotations: "lab.doik.dev/kubelet=slow=1s"})
	hang, dead := nodes[0], nodes[1]
	for _, set := range []string{"hang", "dead", "slow"} {
		n.ApplySpread(set, 1, false)
	}
	n.ApplyWeb()

	started := time.Now()
	r := n.Doik("sts-status", "--usage-from=kubelet", "--usage-timeout=3s", "-o", "json")
	took := time.Since(started)
	var report v1alpha1.SetStatusList
	if err := json.Unmarshal([]byte(r.Out), &report); err != nil || r.Code != 0 {
		t.Fatalf("exit code %d, %v: %s", r.Code, err, r.Err)
	}
	if took < 3*time.Second || took > cluster.Patience(9*time.Second) {
		t.Errorf("it took %s with a time-out of 3 s", took)
	}
	for _, s := range report.Items {
		c := s.Ordinals[0].Claims[0]
		want := map[string]string{"hang": "the kubelet did not answer within 3s", "dead": "the kubelet can't be queried: "}[s.Metadata.Name]
		switch {
		case want == "" && c.Usage == nil:
			t.Errorf("%s: usage unknown: %s", s.Metadata.Name, c.UsageUnknown)
		case want != "" && !strings.HasPrefix(c.UsageUnknown, want):
			t.Errorf("%s: %q, want %q", s.Metadata.Name, c.UsageUnknown, want)
		}
	}
	for _, want := range []string{
		"warning: disk usage on node " + hang + ": the kubelet did not answer within 3s; see kubectl describe node " + hang,
		"warning: disk usage on node " + dead + ": the kubelet can't be queried: ",
	} {
		if !strings.Contains(r.Err, want) {
			t.Errorf("no %q in\n%s", want, r.Err)
		}
	}
	if got := strings.Count(r.Err, "\n"); got != 2 {
		t.Errorf("%d lines on stderr:\n%s", got, r.Err)
	}
	// With df where a kubelet does not tell: through one that hangs it would hang, too.
	started = time.Now()
	r = n.Doik("sts-status", "--usage-timeout=5s")
	if took := time.Since(started); took > cluster.Patience(8*time.Second) || r.Code != 0 || !strings.Contains(r.Err, "warning: disk usage on node "+hang+": the kubelet did not answer within 5s") {
		t.Errorf("a kubelet that hangs cost %s with a time-out of 5 s: exit code %d: %s", took, r.Code, r.Err)
	}
	// Out of time altogether: what had answered by then is shown and is no problem.
	r = n.Doik("sts-status", "--usage-from=kubelet", "--usage-timeout=60s", "--timeout=5s")
	if want := "warning: disk usage on node " + hang + ": the kubelet did not answer before the timeout; raise --timeout\n"; r.Code != 0 ||
		!strings.Contains(r.Err, want) || strings.Count(r.Err, "\n") != 2 || strings.Count(r.Out, "unknown") != 2 {
		t.Errorf("out of time: exit code %d: %s\n%s", r.Code, r.Err, r.Out)
	}
	if text := n.MustDoik("sts-status", "--no-usage"); strings.Contains(text, "USED") {
		t.Errorf("usage although it was not requested:\n%s", text)
	}
}

// TestDF reads with df what the kubelets told, where they tell nothing, and says why df told nothing either.
func TestDF(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	broken := cluster.Machine{Name: "error", Labels: "set-told= set-crashed=", Annotations: "lab.doik.dev/kubelet=error"}.Make(n)
	n.ApplySpread("told", 1, false)
	n.ApplySpread("crashed", 1, false)
	n.Kubectl("annotate", "pvc", "data-told-0", "lab.doik.dev/used=83%", "lab.doik.dev/inodes=1000", "lab.doik.dev/inodes-used=91%")
	n.Kubectl("annotate", "pod", "crashed-0", "lab.doik.dev/state=crash-loop")
	n.Kubectl("wait", "--for=condition=Ready=false", "pod/crashed-0", "--timeout=30s")

	told := func(from string) (*v1alpha1.VolumeUsage, string) {
		report := cluster.Report[v1alpha1.SetStatusList](n, "sts-status", "told", "--usage-from="+from)
		c := report.Items[0].Ordinals[0].Claims[0]
		return c.Usage, c.UsageUnknown + codes(report.Items[0])
	}
	for _, from := range []string{"auto", "exec"} {
		u, rest := told(from)
		if u == nil || u.Source != "exec" || *u.UsedPercent != 83 || u.InodesUsedPercent == nil || *u.InodesUsedPercent != 91 || rest != "STS013 STS010" {
			t.Errorf("--usage-from=%s: %+v %s", from, u, rest)
		}
	}
	if u, reason := told("kubelet"); u != nil || !strings.HasPrefix(reason, "the kubelet can't be queried: Internal Error: ") {
		t.Errorf("--usage-from=kubelet: %+v %s", u, reason)
	}
	if u, reason := told("none"); u != nil || reason != "" {
		t.Errorf("--usage-from=none: %+v %s", u, reason)
	}

	r := n.Doik("sts-status", "crashed", "--usage-from=exec")
	if r.Code != 0 || r.Err != "warning: disk usage of "+n.NS+"/data-crashed-0: df: no running container has it mounted\n" {
		t.Errorf("crashed: exit code %d: %s", r.Code, r.Err)
	}
	r = n.Doik("sts-status", "crashed")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.HasPrefix(r.Err, "warning: disk usage on node "+broken+": the kubelet can't be queried: ") {
		t.Errorf("crashed: exit code %d: %s", r.Code, r.Err)
	}
}

// TestInterrupted ends within a second of Ctrl-C.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	cluster.Machine{Name: "hang", Labels: "set-hang=", Annotations: "lab.doik.dev/kubelet=hang"}.Make(n)
	n.ApplySpread("hang", 1, false)
	cmd := exec.Command("kubectl-doik", "-n", n.NS, "sts-status", "--usage-timeout=30s", "-v=6")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last string
	var signalled time.Time
	responses := 0
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		last = lines.Text()
		if strings.Contains(last, `"Response"`) {
			responses++
		}
		if responses == 3 && signalled.IsZero() { // sets, pods, claims; from here on it waits for the kubelet, for 30 s
			signalled = time.Now()
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if took := time.Since(signalled); took > cluster.Patience(time.Second) || cmd.ProcessState.ExitCode() != 1 || last != "error: interrupted" {
		t.Errorf("exit code %d after %s: %q", cmd.ProcessState.ExitCode(), took, last)
	}
}

// TestPodWords compares READY, STATUS and RESTARTS with what kubectl get pods prints, in every state that the lab can bring about.
func TestPodWords(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	states := []string{"", "not-ready", "crash-loop", "oom-killed", "image-pull", "stuck-terminating"}
	for i, state := range states {
		n.Apply(fmt.Sprintf(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s%[1]d}
spec:
  serviceName: ""
  selector: {matchLabels: {app: s%[1]d}}
  template:
    metadata: {labels: {app: s%[1]d}, annotations: {lab.doik.dev/state: %[2]q}}
    spec:
      initContainers: [{name: init, image: none}, {name: sidecar, image: none, restartPolicy: Always}]
      containers: [{name: main, image: none}, {name: second, image: none}]
`, i, state))
	}
	n.Apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: nowhere}
spec:
  serviceName: ""
  selector: {matchLabels: {app: nowhere}}
  template:
    metadata: {labels: {app: nowhere}}
    spec: {nodeSelector: {nosuch: node}, containers: [{name: main, image: none}]}
`)
	n.Kubectl("wait", "--for=condition=Ready", "pod/s0-0", "--timeout=300s")
	n.Kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/s5-0", "--timeout=300s")
	n.Cleanup(func() { // it does not terminate by itself, and would keep its namespace
		n.TryKubectl("delete", "sts", "s5", "--cascade=orphan")
		n.TryKubectl("annotate", "pods", "--all", "lab.doik.dev/state-")
	})
	n.Kubectl("delete", "pod", "s5-0", "--wait=false")
	seen := map[string]bool{}
	cluster.Eventually(t, 30*time.Second, func() error {
		seen = map[string]bool{}
		theirs := cells(n.Kubectl("get", "pods", "--no-headers"), 4)
		ours := map[string]string{}
		for line := range strings.Lines(n.MustDoik("sts-status", "--no-usage", "--no-headers")) {
			fields := strings.Fields(line)
			ours[fields[0]] = strings.Join(fields[1:4], " ")
			seen[fields[2]] = true
		}
		for pod, want := range theirs {
			if ours[pod] != want {
				return fmt.Errorf("%s: %q, kubectl says %q", pod, ours[pod], want)
			}
		}
		for _, word := range []string{"Running", "CrashLoopBackOff", "ImagePullBackOff", "Terminating", "Pending"} {
			if !seen[word] {
				return fmt.Errorf("no pod is %s: %v", word, ours)
			}
		}
		return nil
	})
}

// cells returns the second to the last wanted cell of each row by the first.
func cells(table string, last int) map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		rows[fields[0]] = strings.Join(fields[1:last], " ")
	}
	return rows
}

// TestBlocked has ordinals behind one that does not become ready, and exit codes by severity.
func TestBlocked(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("annotate", "pod", "web-1", "lab.doik.dev/state=crash-loop")
	n.Kubectl("wait", "--for=condition=Ready=false", "pod/web-1", "--timeout=30s")
	n.Kubectl("scale", "sts/web", "--replicas=4")
	cluster.Eventually(t, 20*time.Second, func() error {
		s := n.Web()
		if got, want := ordinals(s), "0 Present, 1 Present, 2 Blocked, 3 Blocked"; got != want {
			return fmt.Errorf("ordinals %s, want %s", got, want)
		}
		return nil
	})
	if r := n.Doik("sts-status", "--fail-on=error"); r.Code != 3 || !strings.HasSuffix(r.Err, "findings of severity error or worse (--fail-on)\n") || r.Out == "" {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
	if r := n.Doik("sts-status", "--fail-on=critical"); r.Code != 0 {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
}

// TestService breaks the governing Service in each way.
func TestService(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	for _, step := range []struct {
		service string
		want    v1alpha1.ServiceState
	}{
		{`{"clusterIP": "None", "selector": {"app": "other"}, "ports": [{"port": 80}]}`, v1alpha1.ServiceNotSelecting},
		{`{"selector": {"app": "nginx"}, "ports": [{"port": 80}]}`, v1alpha1.ServiceNotHeadless},
		{"", v1alpha1.ServiceMissing},
	} {
		n.Kubectl("delete", "service", "nginx", "--ignore-not-found")
		if step.service != "" {
			n.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nginx"}, "spec": ` + step.service + `}`)
		}
		if s := n.Web(); s.Service.State != step.want || codes(s) != "STS020" {
			t.Errorf("%s, findings %s, want %s", s.Service.State, codes(s), step.want)
		}
	}
}

// TestRequests counts what a healthy set costs: eight requests, and one for each of its nodes.
func TestRequests(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	log := n.Doik("sts-status", "web", "-v=6").Err
	if got := strings.Count(log, `"Response"`); got != 8+2 {
		t.Errorf("%d requests, want 8 and one for each of 2 nodes:\n%s", got, log)
	}
	for _, url := range []string{"/statefulsets/web", "/pods?", "/persistentvolumeclaims?", "/services/nginx", "/poddisruptionbudgets?", "/persistentvolumes?", "/storageclasses?", "/events?"} {
		if !strings.Contains(log, url) {
			t.Errorf("no %s in\n%s", url, log)
		}
	}
}

// TestKindsOfClaims has several templates, a raw block device, a generic ephemeral volume and ordinals that begin with 3.
func TestKindsOfClaims(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: mix}
spec:
  serviceName: ""
  replicas: 2
  ordinals: {start: 3}
  podManagementPolicy: Parallel
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Retain}
  selector: {matchLabels: {app: mix}}
  template:
    metadata: {labels: {app: mix}}
    spec:
      containers:
      - name: main
        image: none
        volumeMounts: [{name: data, mountPath: /data}, {name: scratch, mountPath: /scratch}]
        volumeDevices: [{name: raw, devicePath: /dev/raw}]
      volumes:
      - {name: scratch, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  - metadata: {name: raw}
    spec: {accessModes: [ReadWriteOnce], volumeMode: Block, resources: {requests: {storage: 2Gi}}}
`)
	n.Kubectl("rollout", "status", "sts/mix", "--timeout=300s")
	cluster.Eventually(t, 20*time.Second, func() error {
		var rows []string
		for line := range strings.Lines(n.MustDoik("sts-status", "mix", "--no-headers")) {
			fields := strings.Fields(line)
			used := "used"
			if fields[7] == "n/a" {
				used = "n/a"
			}
			rows = append(rows, fmt.Sprintf("%s %s %s %s", fields[0], fields[4], fields[6], used))
		}
		want := []string{
			"mix-3 data-mix-3 1Gi used", "mix-3 raw-mix-3 2Gi n/a", "mix-3 mix-3-scratch 1Gi used",
			"mix-4 data-mix-4 1Gi used", "mix-4 raw-mix-4 2Gi n/a", "mix-4 mix-4-scratch 1Gi used",
		}
		if !slices.Equal(rows, want) {
			return fmt.Errorf("%q, want %q", rows, want)
		}
		return nil
	})
	if text := n.MustDoik("sts-status", "mix"); !strings.HasPrefix(text, "mix   2/2 ready   rollout ") || !strings.Contains(text, "   Parallel   claims: delete when scaled, retain when deleted   no governing Service\n") {
		t.Error(text)
	}
}

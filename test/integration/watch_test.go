//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestWatch follows a set while it is scaled, its pods are deleted, and it is scaled back: every step once, in order.
func TestWatch(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	empty := cluster.Watch(n, "sts-status", "--watch")
	cluster.Eventually(t, 20*time.Second, func() error {
		if text := empty.Err(); text != "No StatefulSets found in namespace "+n.NS+".\n" {
			return fmt.Errorf("%q", text)
		}
		return nil
	})
	n.ApplyWeb()
	empty.Sees("web created with 2 replicas")
	empty.Sees("POD     READY   STATUS")
	empty.Interrupt()
	w := cluster.Watch(n, "sts-status", "--watch")
	w.Sees("web   2/2 ready")
	n.Kubectl("scale", "sts/web", "--replicas=3")
	w.Sees("web-2 ready")
	n.Kubectl("delete", "pod", "web-0")
	n.RolledOut()
	cluster.Eventually(t, 20*time.Second, func() error {
		if got := strings.Count(w.Text(), "web-0 ready"); got != 1 {
			return fmt.Errorf("web-0 was ready %d times", got)
		}
		return nil
	})
	n.Kubectl("scale", "sts/web", "--replicas=2")
	w.Sees("web-2 deleted")
	w.Interrupt()
	got := cluster.Happenings(w.Text())
	w.InOrder("web scaled 2 → 3", "web-2 created", "web-2 scheduled on NODE", "web-2 ready (TIME)", "web-0 Terminating", "web-0 deleted after TIME", "web-0 created", "web-0 ready (TIME)",
		"web scaled 3 → 2", "web-2 Terminating", "web-2 deleted after TIME")
	w.InOrder("www-web-2 created", "www-web-2 bound", "web-2 ready (TIME)")
	for _, once := range []string{"web-2 created", "web-2 ready (TIME)", "www-web-2 bound", "web-0 deleted after TIME", "web scaled 3 → 2"} {
		if strings.Count("\n"+got+"\n", "\n"+once+"\n") != 1 {
			t.Errorf("%q is not told once in\n%s", once, got)
		}
	}
	if !regexp.MustCompile(`(?m)^web-2 +- +retained +- +www-web-2 +Bound `).MatchString(w.Text()) {
		t.Errorf("no row of the retained claim in\n%s", w.Text())
	}
	if text := w.Err(); text != "" {
		t.Errorf("stderr: %s", text)
	}
}

// TestWatchJSON prints a document for each change.
func TestWatchJSON(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	w := cluster.Watch(n, "sts-status", "web", "-w", "-o", "json", "--no-usage")
	w.Sees(`"desired": 2`)
	n.Kubectl("scale", "sts/web", "--replicas=1")
	w.Sees(`"state": "Retained"`)
	w.Interrupt()
	documents := 0
	for decoder := json.NewDecoder(strings.NewReader(w.Text())); ; documents++ {
		var report v1alpha1.SetStatusList
		if err := decoder.Decode(&report); err == io.EOF {
			break
		} else if err != nil || len(report.Items) != 1 {
			t.Fatalf("document %d: %d items, %v", documents, len(report.Items), err)
		}
	}
	if documents < 2 { // changes that come together are one
		t.Errorf("%d documents", documents)
	}
}

// TestWaitFor ends when a set is ready or healthy, and fails when time runs out.
func TestWaitFor(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Apply(n.Manifest("web.yaml"))
	if r := n.Doik("sts-status", "web", "--for=ready", "--timeout=60s"); r.Code != 0 {
		t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	if r := n.Doik("sts-status", "--for=healthy", "--timeout=60s"); r.Code != 0 {
		t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	n.Kubectl("create", "role", "no-usage", "--verb=get,list,watch", "--resource=statefulsets.apps,pods,persistentvolumeclaims,services,poddisruptionbudgets.policy,events")
	n.Kubectl("create", "rolebinding", "no-usage", "--role=no-usage", "--user=no-usage")
	n.GrantKinds("no-usage")
	for flag, code := range map[string]int{"--usage-from=kubelet": 1, "--no-usage": 0} {
		if r := n.Doik("sts-status", "--for=healthy", "--timeout=6s", "--as=no-usage", flag); r.Code != code {
			t.Errorf("healthy without the right to usage, %s: exit code %d: %s%s", flag, r.Code, r.Out, r.Err)
		}
	}
	n.Kubectl("annotate", "pvc", "www-web-0", "lab.doik.dev/used=95%")
	cluster.Eventually(t, 20*time.Second, func() error { // the simulated kubelet learns of it a moment later
		if got := codes(n.Web()); got != "STS011" {
			return fmt.Errorf("findings %s", got)
		}
		return nil
	})
	if r := n.Doik("sts-status", "--for=ready", "--timeout=20s"); r.Code != 0 {
		t.Errorf("ready with a full volume: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	r := n.Doik("sts-status", "--for=healthy", "--timeout=4s", "--usage-interval=1s")
	if r.Code != 1 || r.Err != "error: timed out waiting for StatefulSets of namespace "+n.NS+" to be healthy\n" {
		t.Errorf("healthy with a full volume: exit code %d: %s", r.Code, r.Err)
	}
	for args, want := range map[string]string{
		"nosuch -w":           "error: StatefulSet \"nosuch\" not found in namespace " + n.NS + "\n",
		"--for=happy":         "error: invalid --for \"happy\": must be one of ready, healthy\n",
		"-w --fail-on=error":  "error: --fail-on can't be combined with --watch or --for\n",
		"-w --as=nobody-here": "",
	} {
		r := n.Doik(append([]string{"sts-status"}, strings.Fields(args)...)...)
		if r.Code != 1 || want != "" && r.Err != want || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", args, r.Code, r.Err)
		}
	}
}

// resident is the present memory of the command, in bytes.
func resident(w *cluster.Watching) int {
	w.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.Cmd.Process.Pid))
	if err != nil {
		w.Skipf("LEFT OUT: no /proc tells the memory of a process: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib := 0
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		w.Fatal(err)
	}
	return kib << 10
}

// TestWatchAtRest asks for nothing but watches while nothing changes, and goes through 10,000 changes without growing.
func TestWatchAtRest(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	w := cluster.Watch(n, "sts-status", "web", "--watch", "--no-usage", "-v=6")
	w.Sees("web   2/2 ready")
	requests := func() int { return strings.Count(w.Err(), `"Response"`) }
	time.Sleep(3 * time.Second) // what explains the start has been read
	before := requests()
	time.Sleep(8 * time.Second)
	if after := requests(); after != before {
		t.Errorf("%d requests at rest", after-before)
	}

	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	// Services are watched, and nothing else in the lab writes to them when they change.
	services := client.CoreV1().Services(n.NS)
	name := func(i int) string { return fmt.Sprintf("s-%d", i%(2*creators)) }
	for i := range 2 * creators {
		done(services.Create(context.Background(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name(i)}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone},
		}, metav1.CreateOptions{}))(t)
	}
	change := func(times int) {
		inParallel(times, func(i int) {
			patch := fmt.Sprintf(`{"metadata": {"annotations": {"changed": "%d"}}}`, i)
			done(services.Patch(context.Background(), name(i), types.MergePatchType, []byte(patch), metav1.PatchOptions{}))(t)
		})
	}
	change(1000)
	small := resident(w)
	change(9000)
	n.Kubectl("annotate", "pod", "web-1", "lab.doik.dev/state=not-ready")
	w.Sees("web-1 not ready")
	if large := resident(w); large > small+32<<20 {
		t.Errorf("%d MiB after 1,000 changes, %d MiB after 10,000", small>>20, large>>20)
	}
	w.Interrupt()
	t.Logf("CPU %s, %d requests in all", w.Cmd.ProcessState.UserTime()+w.Cmd.ProcessState.SystemTime(), requests())
}

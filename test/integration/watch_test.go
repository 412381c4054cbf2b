//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// watching is a command that goes on while the test does other things.
type watching struct {
	*cluster.Namespace
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
	err bytes.Buffer
}

func (w *watching) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

func (w *watching) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

func watch(n *cluster.Namespace, args ...string) *watching {
	n.Helper()
	w := &watching{Namespace: n, cmd: exec.Command("kubectl-doik", append([]string{"-n", n.NS, "sts-status"}, args...)...)}
	w.cmd.Stdout, w.cmd.Stderr = w, &w.err
	w.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // the race detector would sleep for a second
	if err := w.cmd.Start(); err != nil {
		n.Fatal(err)
	}
	n.Cleanup(func() { _ = w.cmd.Process.Kill() })
	return w
}

// sees waits until the output has a text.
func (w *watching) sees(text string) {
	w.Helper()
	cluster.Eventually(w, 60*time.Second, func() error {
		if !strings.Contains(w.text(), text) {
			return fmt.Errorf("no %q in\n%s%s", text, w.text(), w.err.String())
		}
		return nil
	})
}

// interrupt is Ctrl-C; the command must end within a second, with exit code 0.
func (w *watching) interrupt() {
	w.Helper()
	started := time.Now()
	if err := w.cmd.Process.Signal(syscall.SIGINT); err != nil {
		w.Fatal(err)
	}
	err := w.cmd.Wait()
	if took := time.Since(started); err != nil || took > time.Second {
		w.Errorf("ended after %s: %v: %s", took, err, w.err.String())
	}
}

// happenings are the lines of the timeline, without their times and with nodes and durations left out.
func happenings(text string) string {
	var list []string
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d (.*)$`)
	for _, l := range strings.Split(text, "\n") {
		match := line.FindStringSubmatch(l)
		if match == nil {
			continue
		}
		told := regexp.MustCompile(` (scheduled on .*|ready \(.*\)|deleted after .*|rolls out .*)$`).ReplaceAllStringFunc(match[1], func(s string) string {
			return " " + strings.Fields(s)[0]
		})
		list = append(list, told)
	}
	return strings.Join(list, "\n")
}

// TestWatch follows a set while it is scaled, its pods are deleted, and it is scaled back: every step once, in order.
func TestWatch(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	w := watch(n, "--watch")
	w.sees("web   2/2 ready")
	n.Kubectl("scale", "sts/web", "--replicas=3")
	w.sees("web-2 ready")
	n.Kubectl("delete", "pod", "web-0")
	n.RolledOut()
	cluster.Eventually(t, 20*time.Second, func() error {
		if got := strings.Count(w.text(), "web-0 ready"); got != 1 {
			return fmt.Errorf("web-0 was ready %d times", got)
		}
		return nil
	})
	n.Kubectl("scale", "sts/web", "--replicas=2")
	w.sees("web-2 deleted")
	w.interrupt()
	got := happenings(w.text())
	for _, order := range [][]string{
		{"web scaled 2 → 3", "web-2 created", "web-2 scheduled", "web-2 ready", "web-0 Terminating", "web-0 deleted", "web-0 created", "web-0 ready", "web scaled 3 → 2", "web-2 Terminating", "web-2 deleted"},
		{"www-web-2 created", "www-web-2 bound", "web-2 ready"},
	} {
		rest := "\n" + got + "\n"
		for _, step := range order {
			_, after, ok := strings.Cut(rest, "\n"+step+"\n")
			if !ok {
				t.Fatalf("no %q in its place in\n%s", step, got)
			}
			rest = "\n" + after
		}
	}
	for _, once := range []string{"web-2 created", "web-2 ready", "www-web-2 bound", "web-0 deleted", "web scaled 3 → 2"} {
		if strings.Count("\n"+got+"\n", "\n"+once+"\n") != 1 {
			t.Errorf("%q is not told once in\n%s", once, got)
		}
	}
	if !regexp.MustCompile(`(?m)^web-2 +- +retained +- +www-web-2 +Bound `).MatchString(w.text()) {
		t.Errorf("no row of the retained claim in\n%s", w.text())
	}
	if w.err.Len() > 0 {
		t.Errorf("stderr: %s", w.err.String())
	}
}

// TestWatchJSON prints a document for each change.
func TestWatchJSON(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	w := watch(n, "web", "-w", "-o", "json", "--no-usage")
	w.sees(`"desired": 2`)
	n.Kubectl("scale", "sts/web", "--replicas=1")
	w.sees(`"state": "Retained"`)
	w.interrupt()
	documents := 0
	for decoder := json.NewDecoder(strings.NewReader(w.text())); ; documents++ {
		var report v1alpha1.StatefulSetStatusList
		if err := decoder.Decode(&report); err == io.EOF {
			break
		} else if err != nil || len(report.Items) != 1 {
			t.Fatalf("document %d: %d items, %v", documents, len(report.Items), err)
		}
	}
	if documents < 3 {
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
	n.Kubectl("annotate", "pvc", "www-web-0", "lab.doik.dev/used=95%")
	if r := n.Doik("sts-status", "--for=ready", "--timeout=20s"); r.Code != 0 {
		t.Errorf("ready with a full volume: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	r := n.Doik("sts-status", "--for=healthy", "--timeout=4s", "--usage-interval=1s")
	if r.Code != 1 || r.Err != "error: timed out waiting for StatefulSets of namespace "+n.NS+" to be healthy\n" {
		t.Errorf("healthy with a full volume: exit code %d: %s", r.Code, r.Err)
	}
	for args, want := range map[string]string{
		"nosuch -w":           "error: StatefulSet \"nosuch\" not found in namespace " + n.NS + "\n",
		"--for=happy":         "error: --for=happy: it is one of ready, healthy\n",
		"-w --fail-on=error":  "error: --fail-on can't be combined with --watch and --for: a watch has no end to judge\n",
		"-w --as=nobody-here": "",
	} {
		r := n.Doik(append([]string{"sts-status"}, strings.Fields(args)...)...)
		if r.Code != 1 || want != "" && r.Err != want || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", args, r.Code, r.Err)
		}
	}
}

// Package cluster is what tests against a cluster share: namespaces of their own, the real kubectl, this checkout's plugin.
// The cluster is that of KUBECONFIG; test/lab/run and test/node/run set it, and put both programs on PATH.
package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// Result is how a command ended.
type Result struct {
	Out, Err string
	Code     int
}

// Run runs a command and returns how it ended; a program that can't be started fails the test.
func Run(t testing.TB, stdin, program string, args ...string) Result {
	t.Helper()
	cmd := exec.Command(program, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", program, err)
	}
	return Result{Out: out.String(), Err: errOut.String(), Code: cmd.ProcessState.ExitCode()}
}

// Namespace is a namespace of a test's own.
type Namespace struct {
	testing.TB
	NS string
}

// NewNamespace makes a namespace that is removed when the test ends, with what is in it.
func NewNamespace(t testing.TB) *Namespace {
	t.Helper()
	n := &Namespace{TB: t, NS: fmt.Sprintf("test-%08x", rand.Uint32())}
	must(t, Run(t, "", "kubectl", "create", "namespace", n.NS))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("namespace %s:\n%s", n.NS, Run(t, "", "kubectl", "get", "sts,pods,pvc,svc,events", "-n", n.NS).Out)
		}
		// The claims' volumes are removed in the background.
		Run(t, "", "kubectl", "delete", "namespace", n.NS, "--wait=false")
	})
	return n
}

// TryKubectl runs kubectl in the namespace.
func (n *Namespace) TryKubectl(args ...string) Result {
	n.Helper()
	return Run(n, "", "kubectl", append([]string{"-n", n.NS}, args...)...)
}

// Kubectl runs kubectl in the namespace and returns its stdout without white space around it; it must succeed.
func (n *Namespace) Kubectl(args ...string) string {
	n.Helper()
	return strings.TrimSpace(must(n, n.TryKubectl(args...)).Out)
}

// Apply applies manifests to the namespace.
func (n *Namespace) Apply(manifests string) {
	n.Helper()
	must(n, Run(n, manifests, "kubectl", "-n", n.NS, "apply", "-f", "-"))
}

// Doik runs the plugin through kubectl in the namespace.
func (n *Namespace) Doik(args ...string) Result {
	n.Helper()
	return Run(n, "", "kubectl", append([]string{"doik", "-n", n.NS}, args...)...)
}

// MustDoik is Doik with the expectation that it succeeds and says nothing on stderr.
func (n *Namespace) MustDoik(args ...string) string {
	n.Helper()
	r := must(n, n.Doik(args...))
	if r.Err != "" {
		n.Errorf("kubectl doik %s said: %s", strings.Join(args, " "), r.Err)
	}
	return r.Out
}

// Report runs the plugin with -o yaml and decodes what it prints, strictly.
func Report[T any](n *Namespace, args ...string) *T {
	n.Helper()
	report := new(T)
	r := n.Doik(append(args, "-o", "yaml")...)
	if err := yaml.UnmarshalStrict([]byte(r.Out), report); err != nil {
		n.Fatalf("kubectl doik %s: exit code %d, %v\n%s%s", strings.Join(args, " "), r.Code, err, r.Out, r.Err)
	}
	return report
}

// patience is by how much limits of waiting are stretched: in CI with cold caches, two cores compile Kubernetes meanwhile, and all takes a
// few times as long. Nothing waits longer than it has to.
func patience() time.Duration {
	if os.Getenv("CI") == "true" {
		return 3
	}
	return 1
}

// Patience is a limit of time as it holds on this machine: that of one with nothing else to do is stretched where others are at work.
func Patience(limit time.Duration) time.Duration { return patience() * limit }

// Poll waits until check returns nothing, and returns what it returned last. The limit is that of a machine with nothing else to do. Between two looks it waits for
// as long as a look takes, so that waiting leaves room for what is waited for.
func Poll(limit time.Duration, check func() error) error {
	for deadline := time.Now().Add(Patience(limit)); ; {
		begun := time.Now()
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(min(max(leastPause, time.Since(begun)), mostPause))
	}
}

// Poll's pauses.
const (
	leastPause = 200 * time.Millisecond
	mostPause  = 2 * time.Second
)

// Eventually is Poll for what must come true.
func Eventually(t testing.TB, limit time.Duration, check func() error) {
	t.Helper()
	if err := Poll(limit, check); err != nil {
		t.Fatalf("after %s: %v", patience()*limit, err)
	}
}

func must(t testing.TB, r Result) Result {
	t.Helper()
	if r.Code != 0 {
		t.Fatalf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	return r
}

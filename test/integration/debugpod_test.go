//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// connect connects to the lab, as another user if one is given.
func connect(t *testing.T, user string) *kube.Cluster {
	t.Helper()
	flags := kube.NewConnection()
	flags.Overrides.AuthInfo.Impersonate = user
	c, err := kube.Connect(flags, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// restrictedNamespace is one that admits only pods of the Pod Security level restricted.
func restrictedNamespace(t *testing.T) *cluster.Namespace {
	t.Helper()
	n := cluster.NewNamespace(t)
	n.Kubectl("label", "namespace", n.NS, "pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted")
	return n
}

// noDebugPods waits until there is no debug pod in the namespace.
func noDebugPods(n *cluster.Namespace) {
	n.Helper()
	cluster.Eventually(n, 20*time.Second, func() error {
		if left := n.Kubectl("get", "pods", "-l", "doik.dev/component=debug-pod", "-o", "name"); left != "" {
			return fmt.Errorf("left: %s", left)
		}
		return nil
	})
}

// TestDebugPod makes debug pods where only restricted ones are admitted, and finds nothing of them afterwards.
func TestDebugPod(t *testing.T) {
	t.Parallel()
	n := restrictedNamespace(t)
	c := connect(t, "")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	spec := func(change func(*kube.DebugPod)) kube.DebugPod {
		p := kube.DebugPod{Namespace: n.NS, Image: kube.DefaultDebugImage(), Lifetime: time.Minute}
		change(&p)
		return p
	}

	var steps []string
	err := c.WithDebugPod(ctx, spec(func(p *kube.DebugPod) {
		p.Labels = map[string]string{"app": "nginx"}
		p.PullSecret = "registry"
		p.Progress = func(text string) { steps = append(steps, text) }
	}), func(pod *corev1.Pod) error {
		if pod.Labels["app"] != "nginx" || pod.Spec.ImagePullSecrets[0].Name != "registry" || len(pod.Spec.ReadinessGates) == 0 || pod.Status.PodIP == "" {
			t.Errorf("%+v", pod)
		}
		out, err := c.Exec(ctx, kube.Container{Namespace: pod.Namespace, Pod: pod.Name, Name: kube.DebugContainer}, "hostname")
		if err != nil || strings.TrimSpace(out) != pod.Name {
			t.Errorf("hostname: %q, %v", out, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if len(steps) < 2 || steps[0] != "creating the debug pod" {
		t.Errorf("progress %q", steps)
	}
	noDebugPods(n)

	failure := errors.New("failure")
	if err := c.WithDebugPod(ctx, spec(func(*kube.DebugPod) {}), func(*corev1.Pod) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("of a use that fails: %v", err)
	}
	unused := func(*corev1.Pod) error { t.Error("used"); return nil }
	if err := c.WithDebugPod(ctx, spec(func(p *kube.DebugPod) { p.Node = "nosuch" }), unused); err == nil || !strings.Contains(err.Error(), "can't be scheduled: 0/") {
		t.Errorf("on a node that is not there: %v", err)
	}
	if err := c.WithDebugPod(ctx, spec(func(p *kube.DebugPod) { p.Namespace = "nosuch" }), unused); !apierrors.IsNotFound(err) {
		t.Errorf("in a namespace that is not there: %v", err)
	}
	if err := connect(t, "nobody").WithDebugPod(ctx, spec(func(*kube.DebugPod) {}), unused); !apierrors.IsForbidden(err) {
		t.Errorf("as nobody: %v", err)
	}
	var node string
	if err := c.WithDebugPod(ctx, spec(func(p *kube.DebugPod) { p.Node = n.Kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}") }), func(pod *corev1.Pod) error {
		node = pod.Spec.NodeName
		return nil
	}); err != nil || node == "" {
		t.Errorf("on node %q: %v", node, err)
	}
	noDebugPods(n)
}

// TestDebugPodInterrupted ends the context at random moments.
func TestDebugPodInterrupted(t *testing.T) {
	t.Parallel()
	n := restrictedNamespace(t)
	c := connect(t, "")
	var group sync.WaitGroup
	atOnce := make(chan struct{}, 10)
	for range 60 {
		group.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			ctx, cancel := context.WithTimeout(context.Background(), rand.N(1500*time.Millisecond))
			defer cancel()
			err := c.WithDebugPod(ctx, kube.DebugPod{Namespace: n.NS, Image: kube.DefaultDebugImage(), Lifetime: time.Minute}, func(*corev1.Pod) error {
				<-ctx.Done()
				return ctx.Err()
			})
			if err == nil {
				t.Error("no error")
			}
		})
	}
	group.Wait()
	noDebugPods(n)
}

// TestDebugPodLeftovers removes what a killed run has left when its time is over, and nothing else.
func TestDebugPodLeftovers(t *testing.T) {
	t.Parallel()
	n := restrictedNamespace(t)
	c := connect(t, "")
	pod := func(name, labels string, deadline int) string {
		return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": %q, "labels": {%s}}, "spec": {"activeDeadlineSeconds": %d,
			"securityContext": {"runAsNonRoot": true, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}}, "containers": [{"name": "debug", "image": "x",
			"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}`+"\n", name, labels, deadline)
	}
	n.Apply(pod("late", `"doik.dev/component": "debug-pod"`, 1) + "---\n" + pod("busy", `"doik.dev/component": "debug-pod"`, 600) + "---\n" + pod("foreign", "", 1))
	time.Sleep(12 * time.Second) // the deadline, and what is added to it
	run := func() {
		if err := c.WithDebugPod(t.Context(), kube.DebugPod{Namespace: n.NS, Image: kube.DefaultDebugImage(), Lifetime: time.Minute}, func(*corev1.Pod) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	run()
	cluster.Eventually(t, 10*time.Second, func() error {
		if got := n.Kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.name}"); got != "busy foreign" {
			return fmt.Errorf("pods: %s", got)
		}
		return nil
	})
}

// TestDNSSignals ends kubectl doik dns with real signals at random moments, 200 times: what could clean up has, and what was killed
// is gone after the next run that finds its time over.
func TestDNSSignals(t *testing.T) {
	n := restrictedNamespace(t)
	n.Apply("{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: db, port: 80}]}}")
	killed := n.Interrupt(200, 8, 2*time.Second, "dns", "--timeout=3s")
	left := func() []string {
		return strings.Fields(n.Kubectl("get", "pods", "-l", "doik.dev/component=debug-pod", "-o", "jsonpath={.items[*].metadata.name}"))
	}
	cluster.Eventually(t, 10*time.Second, func() error {
		if pods := left(); len(pods) > killed {
			return fmt.Errorf("%d pods are left of %d runs that were killed", len(pods), killed)
		}
		return nil
	})
	t.Logf("%d pods are left of %d runs that were killed", len(left()), killed)
	time.Sleep(25 * time.Second) // their deadline, and what is added to it
	n.Doik("dns")                // simulated containers know none of its programs
	noDebugPods(n)
}

//go:build e2e

package e2e

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestWatchStudy is the study's exercise with the plugin in place of watch kubectl get: up to five in ascending order, down to three
// in descending order, all pods deleted and attached again, an update that gets stuck; with the API server killed in between.
func TestWatchStudy(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	w := cluster.Watch(n, "sts-status", "web", "--watch")
	w.Sees("web   2/2 ready")
	n.Kubectl("scale", "sts/web", "--replicas=5")
	n.RolledOut()
	w.Sees("web-4 ready")
	if os.Getenv("E2E_KUBECONFIG") == "" {
		killAPIServer(n)
	}
	n.Kubectl("scale", "sts/web", "--replicas=3")
	n.Kubectl("wait", "--for=delete", "pod/web-3", "pod/web-4", "--timeout=120s")
	w.Sees("web-3 deleted")
	n.Kubectl("delete", "pod", "-l", "app=nginx")
	n.RolledOut()
	n.Kubectl("set", "image", "sts/web", "nginx=nosuch.invalid/image:1")
	w.Sees("ERROR STS021 the rollout of revision ")
	w.Interrupt()

	w.InOrder("web scaled 2 → 5", "www-web-2 bound", "web-2 ready", "www-web-3 bound", "web-3 ready", "www-web-4 bound", "web-4 ready",
		"web scaled 5 → 3", "web-4 deleted", "web-3 deleted") // what came between may be over when the watch is taken up again
	w.InOrder("web-0 deleted", "web-0 created", "web-0 ready", "web-1 created", "web-1 ready", "web-2 created", "web rolls", "web-2 deleted", "web-2 created")
	for _, claim := range []string{"www-web-0", "www-web-1", "www-web-2", "www-web-3"} {
		if strings.Contains(w.Text(), claim+" deleted") {
			t.Errorf("%s is said to be deleted", claim)
		}
	}
	t.Logf("\n%s%s", w.Text(), w.Err())
}

// killAPIServer kills the API server of test/node, which is started anew, and waits until it answers.
func killAPIServer(n *cluster.Namespace) {
	n.Helper()
	if r := cluster.Run(n, "", "../node/enter", "pkill", "-9", "-x", "kube-apiserver"); r.Code != 0 {
		n.Fatalf("killing the API server: %s%s", r.Out, r.Err)
	}
	cluster.Eventually(n, time.Minute, func() error {
		if r := n.TryKubectl("get", "--raw", "/readyz"); r.Code != 0 {
			return errors.New(r.Err)
		}
		return nil
	})
}

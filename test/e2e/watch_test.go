//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestWatchStudy is the study's exercise with the plugin in place of watch kubectl get: up to five in ascending order, down to three
// in descending order, all pods deleted and attached again, an update that gets stuck; with the API server killed in between.
func TestWatchStudy(t *testing.T) {
	n := cluster.NewNamespace(t)
	// Pods take their time to end, so that they are seen to.
	n.Apply(strings.Replace(n.Manifest("web.yaml"), "        image:", "        lifecycle: {preStop: {sleep: {seconds: 2}}}\n        image:", 1))
	n.RolledOut()
	w := cluster.Watch(n, "sts-status", "web", "--watch", "-v=6")
	w.Sees("web   2/2 ready")
	told := w.Timeline("watch-study")
	n.Kubectl("scale", "sts/web", "--replicas=5")
	told.Step(cluster.Step{Name: "scaled to 5", Lane: inTurn})
	if os.Getenv("E2E_KUBECONFIG") == "" {
		watches := func() int { return strings.Count(w.Err(), "watch=true") }
		before := watches()
		killAPIServer(n)
		cluster.Eventually(t, time.Minute, func() error {
			if now := watches(); now < before+5 { // of StatefulSets, pods, claims, Services and budgets
				return fmt.Errorf("%d watches are taken up again", now-before)
			}
			return nil
		})
	}
	told.Step(cluster.Step{Name: "the API server killed"})
	n.Kubectl("scale", "sts/web", "--replicas=3")
	told.Step(cluster.Step{Name: "scaled to 3", Lane: inTurn})
	n.Kubectl("delete", "pod", "-l", "app=nginx", "--wait=false")
	told.Step(cluster.Step{Name: "all pods deleted", Lane: atOnce})
	n.Kubectl("set", "image", "sts/web", "nginx=nosuch.invalid/image:1")
	told.Step(cluster.Step{Name: "an update without an image", Lane: inTurn})
	cluster.Eventually(t, time.Minute, func() error { // the kubelet waits, tries again, waits
		if status := n.Kubectl("get", "pod", "web-2", "--no-headers"); !strings.Contains(status, "ImagePullBackOff") {
			return errors.New(status)
		}
		return nil
	})
	told.Step(cluster.Step{Name: "it goes on trying"})
	n.Kubectl("rollout", "undo", "sts/web")
	n.Kubectl("delete", "pod", "web-2", "--wait=false")
	told.Step(cluster.Step{Name: "the update undone, and the pod that is stuck deleted", Lane: inTurn})
	told.End()
}

var webPod = regexp.MustCompile(`^web-\d (\w+)`)

// inTurn is the lane of a line where one pod waits for the other: all pods have one, as their watch brings them in their order. Which
// pods wait is known when the set is read, which has a watch of its own.
func inTurn(line string) string {
	if m := webPod.FindStringSubmatch(line); m != nil && m[1] != "blocked" {
		return "1 web-n"
	}
	return cluster.ByObject(line)
}

// atOnce is inTurn where pods end at the same time, and only then are made in turn.
func atOnce(line string) string {
	if m := webPod.FindStringSubmatch(line); m != nil && (m[1] == "Terminating" || m[1] == "deleted") {
		return cluster.ByObject(line)
	}
	return inTurn(line)
}

// killAPIServer kills the API server of test/node, which is restarted, and waits until it answers.
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

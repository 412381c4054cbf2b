package faults

import (
	"fmt"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// What is wrong with where a set runs, on a cluster of one node.

const (
	going      = "ToBeDeletedByClusterAutoscaler=1:PreferNoSchedule"
	spot       = "eks.amazonaws.com/capacityType=SPOT"
	spotNoMore = "eks.amazonaws.com/capacityType-"
	secondZone = "other-zone"
)

func theNode(s *Set) string {
	s.Helper()
	return s.Kubectl("get", "nodes", "-l", "kubernetes.io/os", "-o", "jsonpath={.items[0].metadata.name}") // others' tests make nodes without
}

// onNode runs kubectl VERB node NAME CHANGE, and takes the change back if the test ends before its fault is repaired.
func onNode(verb, change, back string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		node := theNode(s)
		s.Kubectl(verb, "node", node, change)
		s.Cleanup(func() { s.TryKubectl(verb, "node", node, back) })
	}
}

func taint(taint string) func(*Set) { return onNode("taint", taint, going+"-") }
func label(label string) func(*Set) { return onNode("label", label, spotNoMore) }

// budget is a PodDisruptionBudget for the pods app=APP, which lets so many go: a number or a quoted percentage.
func budget(name, app, maxUnavailable string) string {
	return fmt.Sprintf(`{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": %q}, "spec": {"maxUnavailable": %s, "selector": {"matchLabels": {"app": %q}}}}`, name, maxUnavailable, app)
}

// fill fills the volume of a database server to a percentage.
func fill(pod, percent int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Shell(pod, fmt.Sprintf(`set -e; cd /var/lib/mysql; df -B1 --output=used,avail . | tail -1 > /tmp/df; read used avail < /tmp/df; head -c $(((used + avail) * %d / 100 - used)) /dev/zero > fill; sync`, percent))
	}
}

func empty(pod int) func(*Set) {
	return func(s *Set) { s.Helper(); s.Shell(pod, "rm /var/lib/mysql/fill; sync") }
}

// otherZone gives the node a zone, and the cluster a second node in another one, that takes pods: but that it has no room for any, nothing is
// against them there. Its kubelet is said to be ready, again and again, as the node controller waits for it to say so itself.
func otherZone(s *Set) {
	s.Helper()
	node := theNode(s)
	s.Kubectl("label", "node", node, "topology.kubernetes.io/zone=zone-a")
	s.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q, "labels": {"topology.kubernetes.io/zone": "zone-b"}}}`, secondZone))
	ready := func() cluster.Result {
		return s.TryKubectl("patch", "node", secondZone, "--subresource=status", "--type=merge", "-p",
			fmt.Sprintf(`{"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Test", "lastHeartbeatTime": %q}]}}`, time.Now().UTC().Format(time.RFC3339)))
	}
	if r := ready(); r.Code != 0 {
		s.Fatal(r.Err)
	}
	s.background(func() { ready() })
	s.Cleanup(func() { leaveZone(s, node) })
}

func oneZone(s *Set) {
	s.Helper()
	leaveZone(s, theNode(s))
}

func leaveZone(s *Set, node string) {
	s.TryKubectl("label", "node", node, "topology.kubernetes.io/zone-")
	s.TryKubectl("delete", "node", secondZone, "--ignore-not-found")
}

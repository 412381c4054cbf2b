package objects

import corev1 "k8s.io/api/core/v1"

// NodeReady reports whether a node's condition Ready is true: its kubelet says so, and not too long ago.
func NodeReady(node *corev1.Node) bool {
	for i := range node.Status.Conditions {
		if c := &node.Status.Conditions[i]; c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// NodeSchedulable reports whether a node takes pods: it is ready, and not cordoned. Whether it stays is another question, which its taints
// and labels answer: see capacity.Going.
func NodeSchedulable(node *corev1.Node) bool { return NodeReady(node) && !node.Spec.Unschedulable }

package capacity

import "github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"

// Going says who is about to take a node away, by its taints, or that it has been deleted: terminating. It is empty for a node that stays.
func Going(class *v1alpha1.NodeClass, terminating bool) string {
	for _, d := range class.Disruptions {
		if d.Going {
			return d.Cause
		}
	}
	if terminating {
		return "deleted"
	}
	return ""
}

// Usable reports whether a node takes pods, and stays: it is ready, not cordoned, and nobody is about to take it away. objects.NodeSchedulable
// is the first half of it, of a node as the API has it.
func Usable(n *v1alpha1.NodeCapacity) bool {
	return n.Readiness == v1alpha1.NodeReady && !n.Cordoned && Going(&n.Class, n.Terminating) == ""
}

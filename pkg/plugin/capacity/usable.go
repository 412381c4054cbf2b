package capacity

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Going says who is about to take a node away, by its taints and what else announces it, or that it has been deleted: terminating. It is
// empty for a node that stays.
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

// Usable reports whether a node takes pods, and stays: it is ready, not cordoned, and nothing is about to take it away. objects.NodeSchedulable
// is the first half of it, of a node as the API has it. Whether it takes a certain pod is Refusal's question.
func Usable(n *v1alpha1.NodeCapacity) bool {
	return n.Readiness == v1alpha1.NodeReady && !n.Cordoned && Going(&n.Class, n.Terminating) == ""
}

// Refusal says in a word or two why a node would not be given a pod that runs elsewhere now; it is empty if nothing about the node is against
// it. Class is the node's.
func Refusal(node *corev1.Node, class *v1alpha1.NodeClass, pod *objects.Matcher) string {
	if own := reserved(node, class); own != "" {
		return own
	}
	return pod.Refusal(node)
}

// Barred is Refusal without what the pod itself asks for, its node selector and affinity.
func Barred(node *corev1.Node, class *v1alpha1.NodeClass, pod *objects.Requirements) string {
	if own := reserved(node, class); own != "" {
		return own
	}
	return pod.Barred(node)
}

// reserved says why a node takes no other pods at all, whatever they tolerate. A node of Fargate is made for one pod, and ends with it; EBS
// volumes can't be mounted there either.
func reserved(node *corev1.Node, class *v1alpha1.NodeClass) string {
	if going := Going(class, objects.Terminating(node)); going != "" {
		return going
	}
	if class.ComputeType == v1alpha1.ComputeFargate {
		return "Fargate"
	}
	return ""
}

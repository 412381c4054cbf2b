package stsstatus

import (
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of events: of kubelets, the scheduler and controllers.
const (
	reasonUnhealthy = "Unhealthy"
	reasonKilling   = "Killing"
	reasonPreempted = "Preempted"
	// reasonNodeNotReady is of the controller of nodes' lifecycles, about the pods of a node that it has not heard of.
	reasonNodeNotReady = "NodeNotReady"
	// reasonTaintEviction is of the controller that evicts pods from nodes whose NoExecute taints they do not tolerate.
	reasonTaintEviction = "TaintManagerEviction"
	// reasonUnmanaged is of the controller of PodDisruptionBudgets.
	reasonUnmanaged = "UnmanagedPods"
)

// normalReasons are those of normal events that tell of an end.
var normalReasons = [...]string{reasonKilling, reasonPreempted, reasonTaintEviction}

// failedCreate matches what the StatefulSet controller says when the API server refuses it a pod or a claim of one:
// Create Pod web-1 in StatefulSet web failed error: …, Create Claim www-web-1 for Pod web-1 in StatefulSet web failed error: …; events
// that are many are combined. Up to Kubernetes 1.34 they begin with a small letter.
var failedCreate = regexp.MustCompile(`^(?:\(combined from similar events\): )?[Cc]reate (?:Claim \S+ for )?Pod (\S+) in StatefulSet \S+ failed error: `)

// podOfFailure is the pod that could not be created; empty for other events.
func podOfFailure(e *corev1.Event) string {
	if match := failedCreate.FindStringSubmatch(e.Message); match != nil {
		return match[1]
	}
	return ""
}

// stillThere is what the API server says of a name whose last object is about to go: the controller tries again, and nothing is wrong.
const stillThere = "object is being deleted"

// refusal is why the API server refused a pod of a set, as the controller tells it.
func (x *index) refusal(set *metav1.ObjectMeta, pod string) string {
	e := x.Events.Newest("StatefulSet", set, func(e *corev1.Event) bool {
		return e.Reason == "FailedCreate" && podOfFailure(e) == pod && !strings.Contains(e.Message, stillThere)
	})
	if e == nil {
		return ""
	}
	return strings.TrimSpace(failedCreate.ReplaceAllString(e.Message, ""))
}

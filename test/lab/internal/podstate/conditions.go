package podstate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conditions are the pod's conditions as a kubelet words them; one that doesn't change keeps its time.
func (b builder) conditions(status corev1.PodStatus, stuckInInit bool) []corev1.PodCondition {
	initialized := condition(corev1.PodInitialized, !stuckInInit, "ContainersNotInitialized",
		"containers with incomplete status: "+list(notReady(status.InitContainerStatuses)))
	ready, reason, message := true, "", ""
	switch unready := notReady(status.ContainerStatuses); {
	case status.Phase == corev1.PodSucceeded:
		ready, reason = false, "PodCompleted"
	case status.Phase == corev1.PodFailed:
		ready, reason = false, "PodFailed"
	case len(unready) > 0:
		ready, reason, message = false, "ContainersNotReady", "containers with unready status: "+list(unready)
	}
	conditions := []corev1.PodCondition{
		condition(corev1.PodReadyToStartContainers, (status.Phase == corev1.PodRunning || status.Phase == corev1.PodPending) && b.state != Creating, "", ""),
		initialized,
		condition(corev1.PodReady, ready, reason, message),
		condition(corev1.ContainersReady, ready, reason, message),
	}
	for _, gate := range b.pod.Spec.ReadinessGates {
		conditions = append(conditions, condition(gate.ConditionType, true, "", ""))
	}
	for i := range conditions {
		conditions[i].LastTransitionTime = b.now
		conditions[i].ObservedGeneration = b.pod.Generation
		for _, before := range b.pod.Status.Conditions {
			if before.Type == conditions[i].Type && before.Status == conditions[i].Status {
				conditions[i].LastTransitionTime = before.LastTransitionTime
			}
		}
	}
	return conditions
}

// NodeLost returns the condition that changes when a pod's node no longer reports: the pod counts as not ready, whatever
// its containers do.
func NodeLost(pod *corev1.Pod, now time.Time) []corev1.PodCondition {
	ready := condition(corev1.PodReady, false, "", "")
	ready.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	for _, before := range pod.Status.Conditions {
		if before.Type == corev1.PodReady && before.Status == corev1.ConditionFalse {
			ready = before
		}
	}
	return []corev1.PodCondition{ready}
}

// condition is true or, with a reason, false.
func condition(kind corev1.PodConditionType, isTrue bool, reason, message string) corev1.PodCondition {
	if isTrue {
		return corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue}
	}
	return corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

func notReady(statuses []corev1.ContainerStatus) []string {
	var names []string
	for _, status := range statuses {
		if !status.Ready {
			names = append(names, status.Name)
		}
	}
	return names
}

func list(names []string) string { return fmt.Sprintf("[%s]", strings.Join(names, " ")) }

// digest makes up a container's or an image's identifier.
func digest(names ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	return hex.EncodeToString(sum[:])
}

package objects

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// PodReady reports whether a pod's condition Ready is true.
func PodReady(pod *corev1.Pod) bool {
	c := PodCondition(pod, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

// ReadySince is when a pod became ready; zero if it is not ready.
func ReadySince(pod *corev1.Pod) time.Time {
	if c := PodCondition(pod, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// PodCondition is a pod's condition of a type; nil if it has none.
func PodCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// PodFinished reports whether all containers of a pod have ended for good, with success or without: it runs nothing, is given no traffic,
// and holds no volume.
func PodFinished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

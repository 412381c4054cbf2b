package objects

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Terminating reports whether an object has been deleted, and is still there: a pod that ends, a claim or a node that finalizers hold.
func Terminating(o metav1.Object) bool { return o.GetDeletionTimestamp() != nil }

// BeingCreated reports whether a container waits for nothing but to be made: for volumes, network and images, or for init containers.
func BeingCreated(w *corev1.ContainerStateWaiting) bool {
	return w != nil && (w.Reason == "ContainerCreating" || w.Reason == "PodInitializing")
}

// IsSidecar reports whether an init container runs as long as its pod.
func IsSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// PodClaim is a claim that a pod mounts.
type PodClaim struct {
	// Volume is the name of the pod's volume, Name that of the claim in the pod's namespace.
	Volume, Name string
	// Ephemeral claims are made and deleted with the pod.
	Ephemeral bool
}

// ClaimsOf are the claims that a pod mounts, in the order of its volumes.
func ClaimsOf(pod *corev1.Pod) []PodClaim {
	var claims []PodClaim
	for i := range pod.Spec.Volumes {
		switch v := &pod.Spec.Volumes[i]; {
		case v.PersistentVolumeClaim != nil:
			claims = append(claims, PodClaim{Volume: v.Name, Name: v.PersistentVolumeClaim.ClaimName})
		case v.Ephemeral != nil:
			claims = append(claims, PodClaim{Volume: v.Name, Name: pod.Name + "-" + v.Name, Ephemeral: true})
		}
	}
	return claims
}

// Because puts what an object says of its state, a reason and a message, either of which may be empty, in one text: reason: message.
func Because(reason, message string) string {
	switch {
	case reason == "":
		return message
	case message == "":
		return reason
	}
	return reason + ": " + message
}

package stsstatus

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// podStatus describes a pod in the words of kubectl get pods. That table is made in the API server; the integration tests
// compare this with it.
func podStatus(pod *corev1.Pod) *v1alpha1.PodStatus {
	t := tally{word: string(pod.Status.Phase), total: int32(len(pod.Spec.Containers))}
	if pod.Status.Reason != "" {
		t.word = pod.Status.Reason
	}
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Reason == corev1.PodReasonSchedulingGated {
		t.word = corev1.PodReasonSchedulingGated
	}
	if initializing := t.initContainers(pod); !initializing || conditionTrue(pod, corev1.PodInitialized) {
		t.mainContainers(pod)
	}
	switch {
	case pod.DeletionTimestamp != nil && pod.Status.Reason == "NodeLost":
		t.word = "Unknown"
	case pod.DeletionTimestamp != nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed:
		t.word = "Terminating"
	}
	status := &v1alpha1.PodStatus{
		UID: string(pod.UID), Status: t.word, Ready: conditionTrue(pod, corev1.PodReady), ContainersReady: t.ready, Containers: t.total,
		Restarts: t.restarts, Node: pod.Spec.NodeName, IP: pod.Status.PodIP, Revision: revisionHash(pod.Labels[appsv1.StatefulSetRevisionLabel]),
		CreationTimestamp: pod.CreationTimestamp, DeletionTimestamp: pod.DeletionTimestamp,
	}
	if t.restarts > 0 && !t.lastEnd.IsZero() {
		status.LastRestart = &t.lastEnd
	}
	return status
}

// tally adds up a pod's containers.
type tally struct {
	word                   string
	ready, total, restarts int32
	// lastEnd is when a container ended for the last time before it was started again.
	lastEnd metav1.Time
	// The same of init containers that run as long as the pod.
	sidecarRestarts int32
	sidecarLastEnd  metav1.Time
}

// initContainers reports whether the pod is still initializing; word is then that of the first init container that is not done.
func (t *tally) initContainers(pod *corev1.Pod) (initializing bool) {
	sidecars := map[string]bool{}
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			sidecars[c.Name] = true
			t.total++
		}
	}
	for i := range pod.Status.InitContainerStatuses {
		c := &pod.Status.InitContainerStatuses[i]
		t.restarts += c.RestartCount
		t.lastEnd = later(t.lastEnd, c)
		if sidecars[c.Name] {
			t.sidecarRestarts += c.RestartCount
			t.sidecarLastEnd = later(t.sidecarLastEnd, c)
			if c.Started != nil && *c.Started {
				if c.Ready {
					t.ready++
				}
				continue
			}
		}
		switch state := c.State; {
		case state.Terminated != nil && state.Terminated.ExitCode == 0:
			continue
		case state.Terminated != nil:
			t.word = "Init:" + endWord(state.Terminated)
		case state.Waiting != nil && state.Waiting.Reason != "" && state.Waiting.Reason != "PodInitializing":
			t.word = "Init:" + state.Waiting.Reason
		default:
			t.word = fmt.Sprintf("Init:%d/%d", i, len(pod.Spec.InitContainers))
		}
		return true
	}
	return false
}

// mainContainers counts the containers that are ready; word is that of the first one that waits or has ended.
func (t *tally) mainContainers(pod *corev1.Pod) {
	t.restarts, t.lastEnd = t.sidecarRestarts, t.sidecarLastEnd // init containers that are done no longer count
	running := false
	for i := len(pod.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := &pod.Status.ContainerStatuses[i]
		t.restarts += c.RestartCount
		t.lastEnd = later(t.lastEnd, c)
		switch state := c.State; {
		case state.Waiting != nil && state.Waiting.Reason != "":
			t.word = state.Waiting.Reason
		case state.Terminated != nil:
			t.word = endWord(state.Terminated)
		case c.Ready && state.Running != nil:
			running = true
			t.ready++
		}
	}
	if t.word == "Completed" && running {
		t.word = "NotReady"
		if conditionTrue(pod, corev1.PodReady) {
			t.word = "Running"
		}
	}
}

// later returns the later one of a time and the time at which a container ended before its present state.
func later(t metav1.Time, c *corev1.ContainerStatus) metav1.Time {
	if end := c.LastTerminationState.Terminated; end != nil && t.Before(&end.FinishedAt) {
		return end.FinishedAt
	}
	return t
}

func endWord(end *corev1.ContainerStateTerminated) string {
	switch {
	case end.Reason != "":
		return end.Reason
	case end.Signal != 0:
		return fmt.Sprintf("Signal:%d", end.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", end.ExitCode)
}

// revisionHash takes the set's name off the name of a revision: web-6f9c7b is 6f9c7b.
func revisionHash(revision string) string {
	return revision[strings.LastIndexByte(revision, '-')+1:]
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

func conditionTrue(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	c := condition(pod, kind)
	return c != nil && c.Status == corev1.ConditionTrue
}

// podClaim is a claim that a pod mounts, and the name of the volume as which it does.
type podClaim struct {
	volume, name string
}

// claimsOf lists the claims that a pod mounts, those of generic ephemeral volumes included.
func claimsOf(pod *corev1.Pod) []podClaim {
	var claims []podClaim
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			claims = append(claims, podClaim{volume: v.Name, name: v.PersistentVolumeClaim.ClaimName})
		case v.Ephemeral != nil:
			claims = append(claims, podClaim{volume: v.Name, name: pod.Name + "-" + v.Name})
		}
	}
	return claims
}

// mounts reports whether a kubelet has a pod's volumes mounted: the pod is on a node and has not ended.
func mounts(pod *corev1.Pod) bool {
	return pod.Spec.NodeName != "" && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

package stsstatus

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// podStatus describes a pod in the words of kubectl get pods. That table is made in the API server; the integration tests
// compare this with it.
func podStatus(pod *corev1.Pod) *v1alpha1.PodStatus {
	t := tally{word: string(pod.Status.Phase), total: int32(len(pod.Spec.Containers))}
	if pod.Status.Reason != "" {
		t.word = pod.Status.Reason
	}
	if c := objects.PodCondition(pod, corev1.PodScheduled); c != nil && c.Reason == corev1.PodReasonSchedulingGated {
		t.word = corev1.PodReasonSchedulingGated
	}
	if initializing := t.initContainers(pod); !initializing || hasInitialized(pod) {
		t.mainContainers(pod)
	}
	switch {
	case objects.Terminating(pod) && pod.Status.Reason == "NodeLost":
		t.word = "Unknown"
	case objects.Terminating(pod) && !objects.PodFinished(pod):
		t.word = "Terminating"
	}
	status := &v1alpha1.PodStatus{
		UID: string(pod.UID), Status: t.word, Ready: objects.PodReady(pod), ContainersReady: t.ready, Containers: t.total,
		Restarts: t.restarts, Node: pod.Spec.NodeName, IP: pod.Status.PodIP, Revision: revisionHash(pod.Labels[appsv1.StatefulSetRevisionLabel]),
		CreationTimestamp: pod.CreationTimestamp, DeletionTimestamp: pod.DeletionTimestamp,
	}
	status.Role, _ = sets.RoleOf(pod.Labels)
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
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; objects.IsSidecar(c) {
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

// hasInitialized reports whether a pod's condition Initialized is true.
func hasInitialized(pod *corev1.Pod) bool {
	c := objects.PodCondition(pod, corev1.PodInitialized)
	return c != nil && c.Status == corev1.ConditionTrue
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
		if objects.PodReady(pod) {
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

// Package podstate says what a kubelet would write into the status of a simulated pod: that it runs and is ready or,
// where an annotation asks for it, one of the ways in which pods are unhappy. The stages of kwok (package kwok) decide when;
// this package what.
package podstate

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

// State is a way to be of a pod, the value of the annotation State.
type State string

// The states. StuckTerminating is not among those a status shows: it only keeps the pod from being deleted.
const (
	Ready            State = "ready"
	NotReady         State = "not-ready"
	CrashLoop        State = "crash-loop"
	OOMKilled        State = "oom-killed"
	ImagePull        State = "image-pull"
	Creating         State = "creating"
	Completed        State = "completed"
	Failed           State = "failed"
	StuckTerminating State = "stuck-terminating"
)

// Wanted is the state a pod's status should show. What isn't known counts as ready: kwok has no way to report it.
func Wanted(pod *corev1.Pod) State {
	switch state := State(pod.Annotations[annotation.State]); state {
	case NotReady, CrashLoop, OOMKilled, ImagePull, Creating, Completed, Failed:
		return state
	}
	if owner := metav1.GetControllerOf(pod); owner != nil && owner.Kind == "Job" {
		return Completed
	}
	return Ready
}

// Status returns the parts of a pod's status that follow from its wanted state and from what the status was before.
func Status(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	b := builder{pod: pod, state: Wanted(pod), now: metav1.NewTime(now.Truncate(time.Second))}
	if pod.Status.StartTime == nil && (b.state == Completed || b.state == Failed) {
		b.state = Ready // what ends has run before
	}
	b.target, b.inInit = target(pod)

	status := corev1.PodStatus{Phase: b.phase(), StartTime: pod.Status.StartTime}
	if status.StartTime == nil {
		status.StartTime = &b.now
	}
	stopped := b.state == Creating && len(pod.Spec.InitContainers) > 0 // a container that doesn't get past its own start keeps the later ones from starting
	for i := range pod.Spec.InitContainers {
		container := &pod.Spec.InitContainers[i]
		s := b.initContainer(container, stopped)
		stopped = stopped || b.inInit && container.Name == b.target && b.state != Ready
		status.InitContainerStatuses = append(status.InitContainerStatuses, s)
	}
	for i := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, b.container(&pod.Spec.Containers[i], stopped))
	}
	status.Conditions = b.conditions(status, stopped)
	return status
}

// target is the container that is unhappy: the one an annotation names, or the first.
func target(pod *corev1.Pod) (name string, init bool) {
	named := pod.Annotations[annotation.Container]
	for _, container := range pod.Spec.InitContainers {
		if container.Name == named {
			return named, true
		}
	}
	for _, container := range pod.Spec.Containers {
		if container.Name == named {
			return named, false
		}
	}
	return pod.Spec.Containers[0].Name, false
}

type builder struct {
	pod    *corev1.Pod
	state  State
	target string
	inInit bool
	now    metav1.Time
}

func (b builder) phase() corev1.PodPhase {
	switch {
	case b.state == Completed:
		return corev1.PodSucceeded
	case b.state == Failed:
		return corev1.PodFailed
	case b.state == ImagePull, b.state == Creating, b.state != Ready && b.inInit:
		return corev1.PodPending
	}
	return corev1.PodRunning
}

// initContainer is the status of an init container: through, or the one that the pod is stuck at.
func (b builder) initContainer(container *corev1.Container, stopped bool) corev1.ContainerStatus {
	status := b.carriedOver(container)
	sidecar := container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
	switch {
	case stopped:
		status.State = waiting("PodInitializing", "")
	case b.inInit && container.Name == b.target && b.state != Ready:
		b.makeUnhappy(&status, container)
	case sidecar && b.state != Completed && b.state != Failed:
		b.makeRunning(&status)
	default:
		status.Ready, status.Started = true, new(false)
		status.State = corev1.ContainerState{Terminated: b.terminated("Completed", 0)}
	}
	return status
}

func (b builder) container(container *corev1.Container, stopped bool) corev1.ContainerStatus {
	status := b.carriedOver(container)
	switch {
	case stopped:
		status.State = waiting("PodInitializing", "")
	case b.state == Creating: // the node gets volumes and network ready
		status.ImageID, status.ContainerID = "", ""
		status.State = waiting("ContainerCreating", "")
	case b.state == Completed, b.state == Failed && (b.inInit || container.Name != b.target):
		status.State = corev1.ContainerState{Terminated: b.terminated("Completed", 0)}
	case container.Name == b.target && !b.inInit && b.state != Ready:
		b.makeUnhappy(&status, container)
	default:
		b.makeRunning(&status)
	}
	return status
}

// carriedOver starts a container's status with what outlives its state: its restarts and how it ended last time.
func (b builder) carriedOver(container *corev1.Container) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name:    container.Name,
		Image:   container.Image,
		ImageID: container.Image + "@sha256:" + digest(container.Image),
		Started: new(false),
	}
	if before := b.before(container.Name); before != nil {
		status.RestartCount, status.LastTerminationState = before.RestartCount, before.LastTerminationState
		status.State, status.ContainerID = before.State, before.ContainerID
	}
	if container.Name == b.target {
		if n, err := strconv.ParseInt(b.pod.Annotations[annotation.Restarts], 10, 32); err == nil {
			status.RestartCount = int32(n)
		}
	}
	return status
}

func (b builder) before(name string) *corev1.ContainerStatus {
	for _, statuses := range [][]corev1.ContainerStatus{b.pod.Status.InitContainerStatuses, b.pod.Status.ContainerStatuses} {
		for i := range statuses {
			if statuses[i].Name == name {
				return &statuses[i]
			}
		}
	}
	return nil
}

func (b builder) makeRunning(status *corev1.ContainerStatus) {
	if status.State.Running == nil {
		status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: b.now}}
	}
	status.ContainerID = "containerd://" + digest(string(b.pod.UID), status.Name, strconv.Itoa(int(status.RestartCount)))
	status.Ready, status.Started = true, new(true)
}

// defaultRestarts is how often a crashing container has been restarted if no annotation says: enough for kubelet's
// longest back-off.
const defaultRestarts = 6

func (b builder) makeUnhappy(status *corev1.ContainerStatus, container *corev1.Container) {
	status.Ready = false
	switch b.state {
	case NotReady:
		b.makeRunning(status)
		status.Ready = false
	case ImagePull:
		status.ImageID, status.ContainerID = "", ""
		status.State = waiting("ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q", container.Image))
	case CrashLoop:
		b.makeCrashing(status, "Error", 1)
	case OOMKilled:
		b.makeCrashing(status, "OOMKilled", 137)
	case Failed:
		status.State = corev1.ContainerState{Terminated: b.terminated("Error", 1)}
	}
}

func (b builder) makeCrashing(status *corev1.ContainerStatus, reason string, code int32) {
	if _, set := b.pod.Annotations[annotation.Restarts]; !set {
		status.RestartCount = max(status.RestartCount, defaultRestarts)
	}
	status.LastTerminationState = corev1.ContainerState{Terminated: b.terminated(reason, code)}
	status.State = waiting("CrashLoopBackOff", fmt.Sprintf("back-off 5m0s restarting failed container=%s pod=%s_%s(%s)",
		status.Name, b.pod.Name, b.pod.Namespace, b.pod.UID))
}

// terminated ends a container now; it had run for three seconds, but not since before the pod started.
func (b builder) terminated(reason string, code int32) *corev1.ContainerStateTerminated {
	started := metav1.NewTime(b.now.Add(-3 * time.Second))
	if b.pod.Status.StartTime == nil || started.Before(b.pod.Status.StartTime) {
		started = b.now
	}
	return &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, StartedAt: started, FinishedAt: b.now,
		ContainerID: "containerd://" + digest(string(b.pod.UID), reason, b.now.String()),
	}
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// Ephemeral returns the statuses of the pod's ephemeral containers: they run from when they are first seen.
func Ephemeral(pod *corev1.Pod, now time.Time) []corev1.ContainerStatus {
	statuses := append([]corev1.ContainerStatus(nil), pod.Status.EphemeralContainerStatuses...)
	known := map[string]bool{}
	for _, status := range statuses {
		known[status.Name] = true
	}
	for _, container := range pod.Spec.EphemeralContainers {
		if known[container.Name] {
			continue
		}
		statuses = append(statuses, corev1.ContainerStatus{
			Name:        container.Name,
			Image:       container.Image,
			ImageID:     container.Image + "@sha256:" + digest(container.Image),
			ContainerID: "containerd://" + digest(string(pod.UID), container.Name),
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Truncate(time.Second))}},
		})
	}
	return statuses
}

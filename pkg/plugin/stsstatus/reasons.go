package stsstatus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// reasonOOMKilled is that of a container that was killed for want of memory.
const reasonOOMKilled = "OOMKilled"

// notReadyReason is what the first container that is not as it should be says, else the pod itself.
func notReadyReason(x *index, pod *corev1.Pod) string {
	text := containersReason(x, pod)
	if warning := x.Events.NewestWarning(kindPod, &pod.ObjectMeta); starting(pod) && warning != "" {
		text += "; " + warning
	}
	return text
}

func containersReason(x *index, pod *corev1.Pod) string {
	for i := range pod.Status.InitContainerStatuses {
		c := &pod.Status.InitContainerStatuses[i]
		spec := containerOf(pod, c.Name)
		if spec != nil && objects.IsSidecar(spec) {
			if reason := containerReason(c); reason != "" {
				return "sidecar " + reason
			}
			if !c.Ready && c.State.Running != nil && probed(spec) {
				return "sidecar " + notPassed(x, pod, c)
			}
			continue
		}
		if done := c.Ready || c.State.Terminated != nil && c.State.Terminated.ExitCode == 0; done {
			continue
		}
		if reason := containerReason(c); reason != "" {
			return "init " + reason
		}
		return fmt.Sprintf("init container %s has not finished", c.Name)
	}
	for i := range pod.Status.ContainerStatuses {
		c := &pod.Status.ContainerStatuses[i]
		switch reason := containerReason(c); {
		case reason != "":
			return reason
		case !c.Ready && c.State.Running != nil:
			return notPassed(x, pod, c)
		}
	}
	if pod.Status.Reason != "" || pod.Status.Message != "" {
		return objects.Because(pod.Status.Reason, pod.Status.Message)
	}
	if c := objects.PodCondition(pod, corev1.PodReady); c != nil && c.Message != "" {
		return c.Message
	}
	return "phase " + string(pod.Status.Phase)
}

// containerOf is a container of a pod's spec, by its name.
func containerOf(pod *corev1.Pod, name string) *corev1.Container {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// probed reports whether a container has a probe that makes it ready.
func probed(c *corev1.Container) bool { return c.StartupProbe != nil || c.ReadinessProbe != nil }

// notPassed tells which probe a container that runs has not passed, with what the kubelet says of it.
func notPassed(x *index, pod *corev1.Pod, c *corev1.ContainerStatus) string {
	spec := containerOf(pod, c.Name)
	kind := ""
	switch {
	case spec == nil || !probed(spec):
		return fmt.Sprintf("container %s is running, but not ready", c.Name)
	case spec.StartupProbe != nil && (c.Started == nil || !*c.Started):
		kind = "startup"
	case spec.ReadinessProbe != nil:
		kind = "readiness"
	default:
		return fmt.Sprintf("container %s is running, but not ready", c.Name)
	}
	text := fmt.Sprintf("container %s is running, but its %s probe has not succeeded", c.Name, kind)
	if said := x.probeSaid(pod, c.Name, kind, c.State.Running.StartedAt.Time, time.Time{}); said != "" {
		text += ": " + said
	}
	return text
}

// killedBy tells which probe made the kubelet kill a container, as its events say: the exit code alone is that of any kill.
func (x *index) killedBy(pod *corev1.Pod, container string, end *corev1.ContainerStateTerminated) string {
	for _, kind := range []string{"liveness", "startup"} {
		if said := x.probeSaid(pod, container, kind, end.StartedAt.Time, end.FinishedAt.Add(time.Second)); said != "" && x.killedFor(pod, container, kind) {
			return fmt.Sprintf("killed because its %s probe failed: %s", kind, said)
		}
	}
	return ""
}

// killedFor reports whether the kubelet says that it restarts a container for its probe.
func (x *index) killedFor(pod *corev1.Pod, container, kind string) bool {
	return x.Events.Newest(kindPod, &pod.ObjectMeta, func(e *corev1.Event) bool {
		return e.Reason == reasonKilling && ofContainer(e, container) && strings.Contains(e.Message, kind+" probe")
	}) != nil
}

// probeSaid is the newest that the kubelet says of a failing probe of a container in a time; zero means that it has not ended.
func (x *index) probeSaid(pod *corev1.Pod, container, kind string, from, to time.Time) string {
	probe := strings.ToUpper(kind[:1]) + kind[1:] + " probe "
	e := x.Events.Newest(kindPod, &pod.ObjectMeta, func(e *corev1.Event) bool {
		at := objects.EventTime(e).Time
		return e.Reason == reasonUnhealthy && strings.HasPrefix(e.Message, probe) && ofContainer(e, container) && !at.Before(from) && (to.IsZero() || !at.After(to))
	})
	if e == nil {
		return ""
	}
	_, said, found := strings.Cut(e.Message, ": ")
	if !found {
		said = e.Message
	}
	return objects.OneLine(said)
}

// ofContainer reports whether an event about a pod is about one of its containers.
func ofContainer(e *corev1.Event, container string) bool {
	path := e.InvolvedObject.FieldPath
	return slices.Contains([]string{"spec.containers{" + container + "}", "spec.initContainers{" + container + "}"}, path)
}

// containerReason tells why a container waits or how it ended; it is empty for one that runs.
func containerReason(c *corev1.ContainerStatus) string {
	switch {
	case c.State.Terminated != nil:
		return fmt.Sprintf("container %s ended with %s", c.Name, howEnded(c.State.Terminated))
	case c.State.Waiting != nil && c.State.Waiting.Reason != "":
		return fmt.Sprintf("container %s: %s", c.Name, objects.Because(c.State.Waiting.Reason, c.State.Waiting.Message))
	}
	return ""
}

func memoryLimit(pod *corev1.Pod, container string) string {
	if c := containerOf(pod, container); c != nil {
		if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
			return fmt.Sprintf(" (limit %s)", limit.String())
		}
	}
	return ""
}

func howEnded(end *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("exit code %d", end.ExitCode)
	if end.Signal != 0 {
		text = fmt.Sprintf("signal %d", end.Signal)
	}
	switch end.Reason {
	case "", "Error", "Completed", reasonOOMKilled: // they say no more than the code
	default:
		text += " (" + objects.Because(end.Reason, objects.OneLine(end.Message)) + ")"
	}
	return text
}

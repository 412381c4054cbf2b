// Package objects says what objects of Kubernetes' API mean where their fields alone do not: it is pure, and every subcommand uses it.
package objects

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// StartLimit is how long something may be on its way where the object itself sets no longer time: what Deployments have by default
	// (progressDeadlineSeconds).
	StartLimit = 10 * time.Minute
	// ProbeGrace is added to what probes allow: kubelets report a little later.
	ProbeGrace = 30 * time.Second
	// EndGrace is how long after its grace period a pod may still be there: killing and cleaning up take seconds.
	EndGrace = 30 * time.Second
)

// Stage is how far a pod is on its way, as seen from its object alone.
type Stage string

// The stages.
const (
	// StageReady means that the pod is Ready and not about to end.
	StageReady Stage = "Ready"
	// StageStarting means that it has not been ready since it, or its containers, were started, that nothing has failed, and that it is
	// not late.
	StageStarting Stage = "Starting"
	// StageSlow means the same, later than its limit: it runs on without restarts, as a clone or a long recovery does.
	StageSlow Stage = "Slow"
	// StageEnding means that it has been deleted and its grace period is not over.
	StageEnding Stage = "Ending"
	// StageBroken means anything else: it lost its readiness, a container failed, or its grace period is over.
	StageBroken Stage = "Broken"
)

// Progress is a pod's stage, since when it has been on its way, and how long that may take.
type Progress struct {
	Stage Stage
	Since time.Time
	Limit time.Duration
}

// InTime reports whether a pod is on its way and not late.
func (p Progress) InTime() bool { return p.Stage == StageStarting || p.Stage == StageEnding }

// ProgressOf judges a pod. Of its containers it reads the probes' times, of their statuses the states.
func ProgressOf(pod *corev1.Pod, now time.Time) Progress {
	switch {
	case Terminating(pod):
		p := Progress{Stage: StageEnding, Since: pod.DeletionTimestamp.Time, Limit: EndGrace} // the timestamp is the end of the grace period
		if now.Sub(p.Since) >= p.Limit {
			p.Stage = StageBroken
		}
		return p
	case PodReady(pod):
		return Progress{Stage: StageReady}
	}
	p := Progress{Stage: StageStarting, Since: pod.CreationTimestamp.Time, Limit: StartLimit}
	if failing(pod) || lostReadiness(pod) || Unschedulable(pod, now) {
		p.Stage = StageBroken
		return p
	}
	running := false
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if c.State.Running == nil {
			continue
		}
		running = true
		if c.State.Running.StartedAt.After(p.Since) {
			p.Since = c.State.Running.StartedAt.Time // the newest step forward
		}
	}
	p.Limit = max(p.Limit, probeTimes(pod)+ProbeGrace)
	switch late := now.Sub(p.Since) >= p.Limit; {
	case late && running:
		p.Stage = StageSlow
	case late:
		p.Stage = StageBroken
	}
	return p
}

// ProvisionPatience is how long a volume may take to be made until a pod that waits for it counts as one that no node takes.
const ProvisionPatience = time.Minute

// Unschedulable reports whether the scheduler found no node for a pod, for another reason than that its claims have only just been made:
// a scheduler that sees the pod before them says that they do not exist, or are unbound, and looks again in a moment.
func Unschedulable(pod *corev1.Pod, now time.Time) bool {
	c := PodCondition(pod, corev1.PodScheduled)
	return c != nil && c.Status == corev1.ConditionFalse && (!WaitsForClaims(c) || now.Sub(pod.CreationTimestamp.Time) >= ProvisionPatience)
}

// WaitsForClaims reports whether the scheduler did not look for a node at all, because of the pod's claims: "pod has unbound immediate
// PersistentVolumeClaims", "storageclass.storage.k8s.io … not found", "persistentvolumeclaim … not found".
func WaitsForClaims(unschedulable *corev1.PodCondition) bool {
	text := strings.ToLower(unschedulable.Message)
	return strings.Contains(text, "persistentvolumeclaim") || strings.Contains(text, "storageclass")
}

// failing reports whether a pod or one of its containers has failed, or waits for something else than to be created.
func failing(pod *corev1.Pod) bool {
	if PodFinished(pod) {
		return true
	}
	sidecar := map[string]bool{}
	for i := range pod.Spec.InitContainers {
		sidecar[pod.Spec.InitContainers[i].Name] = IsSidecar(&pod.Spec.InitContainers[i])
	}
	bad := func(c corev1.ContainerStatus, mayEnd bool) bool {
		if w := c.State.Waiting; w != nil && w.Reason != "" && !BeingCreated(w) {
			return true
		}
		if t := c.State.Terminated; t != nil && (t.ExitCode != 0 || !mayEnd) {
			return true
		}
		return c.RestartCount > 0 || c.LastTerminationState.Terminated != nil && c.LastTerminationState.Terminated.ExitCode != 0
	}
	return slices.ContainsFunc(pod.Status.InitContainerStatuses, func(c corev1.ContainerStatus) bool { return bad(c, !sidecar[c.Name]) }) ||
		slices.ContainsFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return bad(c, false) })
}

// lostReadiness reports whether a pod became not ready after all of its containers had been started: it had been ready.
func lostReadiness(pod *corev1.Pod) bool {
	c := PodCondition(pod, corev1.PodReady)
	if c == nil || len(pod.Status.ContainerStatuses) == 0 {
		return false
	}
	for i := range pod.Status.ContainerStatuses {
		running := pod.Status.ContainerStatuses[i].State.Running
		// Times are in seconds: a container may have been started in the one in which the condition changed.
		if running == nil || !c.LastTransitionTime.After(running.StartedAt.Time) {
			return false
		}
	}
	return true
}

// probeTimes is how long the probes of a pod's containers may fail until something is done about it: startup, then readiness.
func probeTimes(pod *corev1.Pod) time.Duration {
	var longest time.Duration
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			longest = max(longest, probeTime(containers[i].StartupProbe)+probeTime(containers[i].ReadinessProbe))
		}
	}
	return longest
}

// probeTime is the time until a probe that keeps failing has failed: the API's defaults are 10 seconds and 3 failures.
func probeTime(p *corev1.Probe) time.Duration {
	if p == nil {
		return 0
	}
	period, failures := p.PeriodSeconds, p.FailureThreshold
	if period == 0 {
		period = 10
	}
	if failures == 0 {
		failures = 3
	}
	return time.Duration(p.InitialDelaySeconds+period*failures) * time.Second
}

// LastWritten is when an object was last written, by anyone, as far as its managed fields tell; zero if they don't. Of
// StatefulSets and EndpointSlices kube keeps that time.
func LastWritten(o metav1.Object) time.Time {
	var last time.Time
	for _, entry := range o.GetManagedFields() {
		if entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}

// AvailableAt is when a pod of a set counts as available, for which its controller waits: minReadySeconds after it became ready. It is
// zero for a pod that is not ready.
func AvailableAt(set *appsv1.StatefulSet, pod *corev1.Pod) time.Time {
	since := ReadySince(pod)
	if since.IsZero() {
		return since
	}
	return since.Add(time.Duration(set.Spec.MinReadySeconds) * time.Second)
}

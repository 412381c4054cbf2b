package stsstatus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// recent is how far back what has happened counts: API servers keep events for an hour.
const recent = time.Hour

// restartFindings report containers that are ready and have ended not long ago: one that fails again and again is ready in most looks. Of
// several the worst is told.
func restartFindings(x *index, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	var worst *v1alpha1.Finding
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		end := c.LastTerminationState.Terminated
		if !c.Ready || c.State.Running == nil || end == nil || now.Sub(end.FinishedAt.Time) >= recent {
			continue
		}
		killed := x.killedBy(pod, c.Name, end)
		f := finding.New(v1alpha1.CodeCrashLoop, v1alpha1.SeverityInfo, []string{"pod/" + pod.Name},
			fmt.Sprintf("kubectl logs %s -c %s --previous -n %s", pod.Name, c.Name, pod.Namespace),
			"%s: container %s is ready, but was restarted %s, last %s after %s%s", pod.Name, c.Name, times(c.RestartCount), ago(end.FinishedAt.Time, now), howEnded(end), after(": ", killed))
		switch {
		case end.Reason == reasonOOMKilled:
			f.Code, f.Severity, f.Remedy.Explain = v1alpha1.CodeOOMKilled, v1alpha1.SeverityWarning, finding.Explain(v1alpha1.CodeOOMKilled)
			f.Message = fmt.Sprintf("%s: container %s is ready, but was OOM-killed %s%s, restarted %s", pod.Name, c.Name, ago(end.FinishedAt.Time, now), memoryLimit(pod, c.Name), times(c.RestartCount))
		case end.ExitCode == 0 && killed == "": // somebody has stopped the server, as for a change of its settings
		case c.RestartCount > 1 && now.Sub(end.FinishedAt.Time) < backoffReset:
			f.Severity = v1alpha1.SeverityWarning
		}
		if worst == nil || finding.Compare(f, *worst) < 0 {
			worst = &f
		}
	}
	if worst == nil {
		return nil
	}
	return []v1alpha1.Finding{*worst}
}

// readinessFindings report that a pod which is ready was not a while ago, though its containers have been running all the time, or that a
// readiness probe fails now and then: its clients were sent away, or will be.
func readinessFindings(x *index, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	ready, started := objects.ReadySince(pod), newestStart(pod)
	before := ready.Sub(started)
	failed := x.Events.Newest(kindPod, &pod.ObjectMeta, func(e *corev1.Event) bool {
		probe := e.Reason == reasonUnhealthy && strings.HasPrefix(e.Message, "Readiness probe ")
		return (probe || e.Reason == reasonNodeNotReady) && objects.EventTime(e).After(started)
	})
	f := finding.New(v1alpha1.CodePodNotReady, v1alpha1.SeverityInfo, []string{"pod/" + pod.Name}, "kubectl describe pod "+pod.Name+" -n "+pod.Namespace, "")
	switch {
	case started.IsZero():
		return nil
	case now.Sub(ready) < recent && before >= objects.StartLimit:
		f.Message = fmt.Sprintf("%s has been ready for only %s, although its containers have been running for %s", pod.Name, duration.HumanDuration(now.Sub(ready)), duration.HumanDuration(now.Sub(started)))
		if failed != nil {
			f.Message += "; " + objects.OneLine(failed.Message) + " (" + ago(objects.EventTime(failed).Time, now) + ")"
		}
		// What takes shorter than that may have been a long start.
		if before >= recent && now.Sub(ready) < backoffReset {
			f.Severity = v1alpha1.SeverityWarning
		}
	case failed != nil && failed.Reason == reasonUnhealthy && objects.EventTime(failed).After(ready.Add(time.Second)) && now.Sub(objects.EventTime(failed).Time) < backoffReset:
		f.Message = fmt.Sprintf("%s is ready, but a probe fails now and then, last %s: %s", pod.Name, ago(objects.EventTime(failed).Time, now), objects.OneLine(failed.Message))
	default:
		return nil
	}
	return []v1alpha1.Finding{f}
}

// newestStart is when the container of a pod that was started last was started; zero if there is none.
func newestStart(pod *corev1.Pod) time.Time {
	var newest time.Time
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if c.State.Running != nil && c.State.Running.StartedAt.After(newest) {
			newest = c.State.Running.StartedAt.Time
		}
	}
	return newest
}

// evictionFindings report that earlier pods of an ordinal were evicted, preempted, or rejected by their nodes: the pod of now looks as if it
// were a new one.
func evictionFindings(x *index, namespace, name string, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	gone := map[types.UID]bool{}
	var first, last time.Time
	var newest *corev1.Event
	for i := range x.Events {
		e := &x.Events[i]
		o := &e.InvolvedObject
		at := objects.EventTime(e).Time
		if o.Kind != kindPod || o.Namespace != namespace || o.Name != name || pod != nil && o.UID == pod.UID || !ends(e) || now.Sub(at) >= recent {
			continue
		}
		gone[o.UID] = true
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if newest == nil || at.After(last) {
			newest, last = e, at
		}
	}
	if newest == nil {
		return nil
	}
	f := finding.New(v1alpha1.CodePodEvicted, v1alpha1.SeverityWarning, []string{"pod/" + name}, "", "an earlier pod %s was taken away %s: %s", name, ago(last, now), objects.EventText(newest))
	switch {
	case len(gone) > 1:
		f.Severity = v1alpha1.SeverityError
		f.Message = fmt.Sprintf("%d pods %s were taken away in the last %s, the last one %s: %s", len(gone), name, duration.HumanDuration(now.Sub(first)), ago(last, now), objects.EventText(newest))
	case newest.Reason == reasonTaintEviction: // as is meant to be when a node is gone
		f.Severity = v1alpha1.SeverityInfo
	}
	return []v1alpha1.Finding{f}
}

// endReasons are those of events that tell that a pod was taken away, by its kubelet or for the sake of another pod.
var endReasons = [...]string{
	"Evicted", "Preempting", reasonPreempted, reasonTaintEviction,
	// What a kubelet says of a pod that it does not admit; beside these there is OutOf with a resource. docs/states.md has where they are from.
	"AppArmor", "InitContainerRestartPolicyForbidden", "InvalidNodeInfo", "NodeAffinity", "NodeShutdown", "PodLevelResourcesNotSupported", "PodOSNotSupported",
	"PodOSSelectorNodeLabelDoesNotMatch", "SupplementalGroupsPolicyNotSupported", "TopologyAffinityError", "UnexpectedAdmissionError", "UnexpectedPredicateFailureType", "UnknownReason",
}

// ends reports whether an event tells that a pod was taken away.
func ends(e *corev1.Event) bool {
	return slices.Contains(endReasons[:], e.Reason) && !strings.HasPrefix(e.Message, "Cancelling") || strings.HasPrefix(e.Reason, "OutOf")
}

// resizeOfPod reports resources that a pod asks for and does not get while it runs.
func resizeOfPod(pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	for _, kind := range []corev1.PodConditionType{corev1.PodResizePending, corev1.PodResizeInProgress} {
		c := objects.PodCondition(pod, kind)
		if c == nil || c.Status != corev1.ConditionTrue {
			continue
		}
		f := finding.New(v1alpha1.CodePodResize, v1alpha1.SeverityWarning, []string{"pod/" + pod.Name}, "kubectl describe pod "+pod.Name+" -n "+pod.Namespace,
			"%s: the resources that were changed are not applied yet: %s", pod.Name, objects.Because(c.Reason, c.Message))
		if kind == corev1.PodResizeInProgress && c.Reason != corev1.PodReasonError && now.Sub(c.LastTransitionTime.Time) < objects.StartLimit {
			f = finding.Progress(f)
		}
		return []v1alpha1.Finding{f}
	}
	return nil
}

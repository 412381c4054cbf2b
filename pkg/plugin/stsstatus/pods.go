package stsstatus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// podFindings tells why a pod is not ready. One cause is reported, the nearest to the root. What a healthy start or end looks like is
// progressing until it is late.
func podFindings(x *index, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	namespace := " -n " + pod.Namespace
	describe := "kubectl describe pod " + pod.Name + namespace
	tell := func(code v1alpha1.Code, remedy, format string, args ...any) v1alpha1.Finding {
		return finding.New(code, v1alpha1.SeverityError, []string{"pod/" + pod.Name}, remedy, format, args...)
	}
	switch {
	case objects.Terminating(pod):
		if stuck := stuckTerminating(x, pod, now); stuck != nil {
			return stuck
		}
		return []v1alpha1.Finding{finding.Progress(tell(v1alpha1.CodePodNotReady, describe, "%s is terminating%s", pod.Name, disruption(pod)))}
	case objects.PodReady(pod):
		return slices.Concat(disruptionFindings(pod), restartFindings(x, pod, now), readinessFindings(x, pod, now), resizeOfPod(pod, now))
	}
	c := objects.PodCondition(pod, corev1.PodScheduled)
	if c == nil && pod.Spec.NodeName == "" && !objects.PodFinished(pod) {
		return []v1alpha1.Finding{unseen(x, pod, now)}
	}
	if c != nil && c.Status == corev1.ConditionFalse {
		f := tell(v1alpha1.CodeUnschedulable, describe, "%s is not scheduled: %s%s%s", pod.Name, c.Message, gates(pod), unreachableVolumes(x, pod))
		if objects.WaitsForClaims(c) {
			f.Objects = append(f.Objects, finding.Refs(prefixed("persistentvolumeclaim/", unboundClaims(x, pod)))...)
		}
		if waitsForVolumes(x, pod, c, now) {
			f = finding.Progress(f)
		}
		return []v1alpha1.Finding{f}
	}
	if elsewhere := attachedElsewhere(x, pod, now); elsewhere != nil {
		return elsewhere
	}
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for i := range statuses {
		c := &statuses[i]
		logs := fmt.Sprintf("kubectl logs %s -c %s --previous%s", pod.Name, c.Name, namespace)
		end := cmp.Or(c.State.Terminated, c.LastTerminationState.Terminated)
		switch {
		case c.Ready:
			continue
		case end != nil && end.Reason == reasonOOMKilled && counts(pod, c, now):
			return []v1alpha1.Finding{tell(v1alpha1.CodeOOMKilled, logs, "%s: container %s was OOM-killed%s, restarted %s, last %s", pod.Name, c.Name,
				memoryLimit(pod, c.Name), times(c.RestartCount), ago(end.FinishedAt.Time, now))}
		case crashLoop(c, end, now):
			f := tell(v1alpha1.CodeCrashLoop, logs, "%s: container %s is crash-looping, restarted %s", pod.Name, c.Name, times(c.RestartCount))
			if end != nil {
				f.Message += fmt.Sprintf(", last %s with %s%s", ago(end.FinishedAt.Time, now), howEnded(end), after(": ", x.killedBy(pod, c.Name, end)))
			}
			return []v1alpha1.Finding{f}
		}
	}
	trouble := nodeTrouble(x, pod.Spec.NodeName, now)
	reason := trouble
	if trouble == "" {
		reason = notReadyReason(x, pod)
	}
	f := tell(v1alpha1.CodePodNotReady, describe, "%s is not ready: %s", pod.Name, reason)
	progress := objects.ProgressOf(pod, now)
	since := duration.HumanDuration(now.Sub(progress.Since))
	switch {
	case trouble != "":
		f.Objects = append(f.Objects, finding.Ref("node/"+pod.Spec.NodeName))
	case x.stalled(pod, progress, now):
	case progress.Stage == objects.StageStarting:
		f.Message = fmt.Sprintf("%s is starting (%s): %s", pod.Name, since, reason)
		f = finding.Progress(f)
	case progress.Stage == objects.StageSlow:
		f.Severity = v1alpha1.SeverityWarning
		f.Message = fmt.Sprintf("%s has been starting for %s and keeps running without restarts: %s", pod.Name, since, reason)
	}
	return []v1alpha1.Finding{f}
}

// counts reports whether how a container ended last may be why it is not ready: it has not been ready since, and does not run for long.
func counts(pod *corev1.Pod, c *corev1.ContainerStatus, now time.Time) bool {
	running := c.State.Running
	if running == nil {
		return true
	}
	ready := objects.PodCondition(pod, corev1.PodReady)
	hasBeenReady := ready != nil && ready.LastTransitionTime.After(running.StartedAt.Time)
	return !hasBeenReady && now.Sub(running.StartedAt.Time) < objects.StartLimit
}

// unseen reports a pod that its scheduler has said nothing of: it may not run.
func unseen(x *index, pod *corev1.Pod, now time.Time) v1alpha1.Finding {
	age := now.Sub(pod.CreationTimestamp.Time)
	f := finding.New(v1alpha1.CodeUnschedulable, v1alpha1.SeverityError, []string{"pod/" + pod.Name}, "kubectl describe pod "+pod.Name+" -n "+pod.Namespace,
		"%s has been waiting for %s, and the scheduler %s has said nothing of it: does it run?", pod.Name, duration.HumanDuration(age), pod.Spec.SchedulerName)
	for _, name := range unboundClaims(x, pod) {
		if claim := x.claims.ByName[types.NamespacedName{Namespace: pod.Namespace, Name: name}]; claim == nil || !x.claims.WaitsForPod(claim) {
			f.Objects = append(f.Objects, finding.Ref("persistentvolumeclaim/"+name))
		}
	}
	if age < objects.ProvisionPatience {
		f.Message = fmt.Sprintf("%s is waiting to be scheduled (%s)", pod.Name, duration.HumanDuration(age))
		return finding.Progress(f)
	}
	return f
}

// gates names what a pod's scheduling has been made to wait for.
func gates(pod *corev1.Pod) string {
	names := make([]string, 0, len(pod.Spec.SchedulingGates))
	for _, gate := range pod.Spec.SchedulingGates {
		names = append(names, gate.Name)
	}
	return after(": ", strings.Join(names, ", "))
}

// disruption tells why a pod is made to end, if something else than its set or a user does so.
func disruption(pod *corev1.Pod) string {
	c := objects.PodCondition(pod, corev1.DisruptionTarget)
	if c == nil || c.Status != corev1.ConditionTrue {
		return ""
	}
	return ": " + objects.Because(c.Reason, c.Message)
}

// disruptionFindings report a pod that is ready and about to be taken away.
func disruptionFindings(pod *corev1.Pod) []v1alpha1.Finding {
	why := disruption(pod)
	if why == "" {
		return nil
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodePodEvicted, v1alpha1.SeverityWarning, []string{"pod/" + pod.Name}, "", "%s is about to be taken away%s", pod.Name, why)}
}

// eventPatience is how long a starting pod may have warnings about its volumes, network or images: kubelets and controllers try again,
// and in a healthy start succeed soon.
const eventPatience = time.Minute

// stalled reports whether a warning about a pod that has not started anything says that it won't by waiting.
func (x *index) stalled(pod *corev1.Pod, p objects.Progress, now time.Time) bool {
	return starting(pod) && now.Sub(p.Since) >= eventPatience && x.Events.NewestWarning(kindPod, &pod.ObjectMeta) != ""
}

// listSkew is how long after a pod was made its claims may be missing where lists are read at the same time: the controller makes them
// first.
const listSkew = 10 * time.Second

// waitsForVolumes reports whether all that keeps a pod from being scheduled are claims that have only just been made: they are bound by
// now, or nothing says that they can't be.
func waitsForVolumes(x *index, pod *corev1.Pod, unschedulable *corev1.PodCondition, now time.Time) bool {
	age := now.Sub(pod.CreationTimestamp.Time)
	if !objects.WaitsForClaims(unschedulable) || age >= objects.ProvisionPatience {
		return false
	}
	return !slices.ContainsFunc(objects.ClaimsOf(pod), func(c objects.PodClaim) bool {
		claim := x.claims.ByName[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}]
		if claim == nil {
			return age >= listSkew
		}
		return claim.Status.Phase != corev1.ClaimBound && !x.claims.Provisioning(claim, now)
	})
}

// backoffReset is how long the kubelet lets a container run until it forgets that it has ended before.
const backoffReset = 10 * time.Minute

// crashLoop reports whether a container that is not ready keeps ending: it waits to be started again, or has been a moment ago, and not
// for the first time. In between it runs, as any that is about to become ready.
func crashLoop(c *corev1.ContainerStatus, end *corev1.ContainerStateTerminated, now time.Time) bool {
	if c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff" {
		return true
	}
	return c.RestartCount > 1 && end != nil && now.Sub(end.FinishedAt.Time) < backoffReset
}

// unboundClaims are the claims of a pod that have no volume, or do not exist.
func unboundClaims(x *index, pod *corev1.Pod) []string {
	var names []string
	for _, c := range objects.ClaimsOf(pod) {
		if claim := x.claims.ByName[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}]; claim == nil || claim.Status.Phase != corev1.ClaimBound {
			names = append(names, c.Name)
		}
	}
	return names
}

// stuckTerminating reports a pod that is still there after its grace period, and what may hold it.
func stuckTerminating(x *index, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	if !objects.Terminating(pod) {
		return nil
	}
	late := now.Sub(pod.DeletionTimestamp.Time) // the timestamp is the end of the grace period
	if late < objects.EndGrace {
		return nil
	}
	f := finding.New(v1alpha1.CodeStuckTerminating, v1alpha1.SeverityError, []string{"pod/" + pod.Name}, "",
		"%s is still terminating, %s after its grace period ended", pod.Name, duration.HumanDuration(late))
	if trouble := nodeTrouble(x, pod.Spec.NodeName, now); trouble != "" {
		f.Message += ": " + trouble
	} else if len(pod.Finalizers) > 0 {
		f.Message += ": it has the finalizers " + strings.Join(pod.Finalizers, ", ")
	}
	return []v1alpha1.Finding{f}
}

// nodeTrouble is what is wrong with a node as such, as far as nodes were read.
func nodeTrouble(x *index, name string, now time.Time) string {
	if name == "" || !x.read(subjectNodes) {
		return ""
	}
	node := x.nodes[name]
	if node == nil {
		return fmt.Sprintf("its node %s no longer exists", name)
	}
	for i := range node.Status.Conditions {
		if c := &node.Status.Conditions[i]; c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return fmt.Sprintf("its node %s has not been ready for %s (%s)", name, duration.HumanDuration(now.Sub(c.LastTransitionTime.Time)),
				cmp.Or(c.Message, c.Reason, string(c.Status)))
		}
	}
	return ""
}

// attachedElsewhere reports volumes that another node still has, so that the pod can't start: what the attach-detach
// controller calls a multi-attach error.
func attachedElsewhere(x *index, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	if !starting(pod) {
		return nil
	}
	var list []v1alpha1.Finding
	for _, c := range objects.ClaimsOf(pod) {
		claim := x.claims.ByName[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}]
		if claim == nil || !onOneNode(claim) {
			continue
		}
		for i := range x.Attachments {
			a := &x.Attachments[i]
			volume := a.Spec.Source.PersistentVolumeName
			if volume == nil || *volume != claim.Spec.VolumeName || a.Spec.NodeName == pod.Spec.NodeName || !a.Status.Attached {
				continue
			}
			f := finding.New(v1alpha1.CodeAttachedElsewhere, v1alpha1.SeverityError,
				[]string{"pod/" + pod.Name, "persistentvolumeclaim/" + claim.Name, "node/" + a.Spec.NodeName}, "",
				"%s can't start on %s: the volume of %s is still attached to node %s", pod.Name, pod.Spec.NodeName, claim.Name, a.Spec.NodeName)
			if objects.Terminating(a) {
				f.Message += ", and is being detached"
			}
			if a.Status.DetachError != nil {
				f.Message += "; detaching fails: " + a.Status.DetachError.Message
			}
			if warning := x.Events.NewestWarning(kindPod, &pod.ObjectMeta, "FailedAttachVolume", "FailedMount"); warning != "" {
				f.Message += "; " + warning
			}
			if objects.Terminating(a) && a.Status.DetachError == nil && now.Sub(pod.CreationTimestamp.Time) < objects.StartLimit {
				f = finding.Progress(f) // a pod that has moved waits for that
			}
			list = append(list, f)
		}
	}
	return list
}

// onOneNode reports whether a claim's volume can be attached to one node only.
func onOneNode(claim *corev1.PersistentVolumeClaim) bool {
	return !slices.ContainsFunc(claim.Spec.AccessModes, func(mode corev1.PersistentVolumeAccessMode) bool {
		return mode == corev1.ReadWriteMany || mode == corev1.ReadOnlyMany
	})
}

// rolloutFindings reports a rolling update that waits for a pod which will not become ready by itself. The controller goes on
// only when the pod is ready; with OrderedReady it does not even replace a broken pod after its template has been fixed.
func rolloutFindings(set *appsv1.StatefulSet, status *v1alpha1.SetStatus, pods map[string]*corev1.Pod, now time.Time) []v1alpha1.Finding {
	// A rollout that is undone goes back to the current revision, and pods of the revision between are still there.
	underWay := set.Status.CurrentRevision != set.Status.UpdateRevision || slices.ContainsFunc(slices.Collect(maps.Values(pods)), func(pod *corev1.Pod) bool {
		return pod.Labels[appsv1.StatefulSetRevisionLabel] != set.Status.UpdateRevision
	})
	if set.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType || status.Rollout.Complete || !underWay {
		return nil
	}
	ordered := set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
	var blocker *corev1.Pod
	for _, o := range status.Ordinals {
		pod := pods[o.PodName]
		if o.State != v1alpha1.OrdinalPresent || objects.PodReady(pod) || objects.Terminating(pod) {
			continue
		}
		if ordered && blocker != nil {
			break // in order, the lowest one that is not ready holds everything up
		}
		if ordered || o.Ordinal >= status.Rollout.Partition { // in parallel, updates go from the highest ordinal down
			blocker = pod
		}
	}
	if blocker == nil || !broken(blocker, now) {
		return nil
	}
	f := finding.New(v1alpha1.CodeRolloutStuck, v1alpha1.SeverityError, []string{"statefulset/" + set.Name, "pod/" + blocker.Name}, "",
		"the rollout of revision %s is stuck at %d of %d pods: it waits for %s, which is not ready", status.Rollout.Revision,
		status.Rollout.Updated, status.Replicas.Desired, blocker.Name)
	switch revision := blocker.Labels[appsv1.StatefulSetRevisionLabel]; {
	case !ordered || revisionHash(revision) == "":
	case revision == set.Status.UpdateRevision:
		f.Message += "; with OrderedReady, delete the pod after fixing the template"
	default: // the template has been changed since
		f.Message += "; with OrderedReady, it is only replaced once it has been deleted"
		f.Remedy.Command = "kubectl delete pod " + blocker.Name + " -n " + set.Namespace
	}
	return []v1alpha1.Finding{f}
}

// brokenReasons are those of containers that do not start by waiting.
var brokenReasons = [...]string{
	"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError",
	"CreateContainerError", "RunContainerError",
}

// broken reports whether a pod that is not ready is not going to be by waiting.
func broken(pod *corev1.Pod, now time.Time) bool {
	if pod.Status.Phase == corev1.PodFailed || objects.Unschedulable(pod, now) {
		return true
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && slices.Contains(brokenReasons[:], w.Reason) {
			return true
		}
	}
	since := pod.CreationTimestamp.Time
	if c := objects.PodCondition(pod, corev1.PodReady); c != nil {
		since = c.LastTransitionTime.Time
	}
	return now.Sub(since) > max(objects.StartLimit, objects.ProgressOf(pod, now).Limit)
}

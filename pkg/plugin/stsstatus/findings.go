package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// A volume or its inodes are filling and full from these percentages on.
const (
	fillingPercent = 80
	fullPercent    = 90
)

// findings are what is wrong with a set, the worst first.
func findings(x *index, set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	list = append(list, serviceFindings(status)...)
	list = append(list, ordinalFindings(status)...)
	start, end := ordinalRange(set)
	for _, pod := range x.podsBySet[set.UID] {
		if n, ok := ordinalOf(pod.Name, set.Name); ok && n >= start && n < end { // others are on their way out
			list = append(list, podFindings(pod, now)...)
		}
	}
	for i := range status.Ordinals {
		for j := range status.Ordinals[i].Claims {
			list = append(list, claimFindings(&status.Ordinals[i], &status.Ordinals[i].Claims[j])...)
		}
	}
	slices.SortStableFunc(list, func(a, b v1alpha1.Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(v1alpha1.Severities[:], b.Severity), slices.Index(v1alpha1.Severities[:], a.Severity)),
			cmp.Compare(a.Code, b.Code))
	})
	return list
}

func serviceFindings(status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	f := v1alpha1.Finding{
		Code: v1alpha1.CodeServiceUnsound, Severity: v1alpha1.SeverityError, Remedy: page(v1alpha1.CodeServiceUnsound),
		Objects: []string{"service/" + status.Service.Name},
	}
	switch status.Service.State {
	case v1alpha1.ServiceMissing:
		f.Message = fmt.Sprintf("the governing Service %s does not exist: the pods have no DNS names", status.Service.Name)
	case v1alpha1.ServiceNotHeadless:
		f.Message = fmt.Sprintf("the governing Service %s has a cluster IP (it is not headless): the pods have no DNS names", status.Service.Name)
	case v1alpha1.ServiceNotSelecting:
		f.Message = fmt.Sprintf("the selector of the governing Service %s does not match the pods' labels: the pods have no DNS names", status.Service.Name)
	default:
		return nil
	}
	return []v1alpha1.Finding{f}
}

// ordinalFindings tells of ordinals without a pod, and of claims without an ordinal.
func ordinalFindings(status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	var blocked, retained, retainedClaims []string
	blockedBy := ""
	for _, o := range status.Ordinals {
		switch o.State {
		case v1alpha1.OrdinalMissing:
			list = append(list, v1alpha1.Finding{
				Code: v1alpha1.CodeOrdinalMissing, Severity: v1alpha1.SeverityError, Objects: []string{"pod/" + o.PodName},
				Message: o.PodName + " has no pod", Remedy: "kubectl describe sts " + status.Metadata.Name + inNamespace(status),
			})
		case v1alpha1.OrdinalBlocked:
			blocked = append(blocked, o.PodName)
			blockedBy = o.Reason
		case v1alpha1.OrdinalRetained:
			retained = append(retained, o.PodName)
			for _, c := range o.Claims {
				retainedClaims = append(retainedClaims, "persistentvolumeclaim/"+c.Name)
			}
		}
	}
	if len(blocked) > 0 {
		list = append(list, v1alpha1.Finding{
			Code: v1alpha1.CodeOrdinalBlocked, Severity: v1alpha1.SeverityError, Objects: prefixed("pod/", blocked),
			Message: fmt.Sprintf("%s not created: %s %s", areThey(blocked), status.PodManagementPolicy, blockedBy),
		})
	}
	if len(retained) > 0 {
		list = append(list, v1alpha1.Finding{
			Code: v1alpha1.CodeClaimsRetained, Severity: v1alpha1.SeverityInfo, Objects: retainedClaims,
			Message: fmt.Sprintf("the claims of %s are kept: scaling up again brings their data back", strings.Join(retained, ", ")),
			Remedy:  page(v1alpha1.CodeClaimsRetained),
		})
	}
	return list
}

// podFindings tells why a pod is not ready. One cause is told, the nearest to the root.
func podFindings(pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	f := v1alpha1.Finding{Severity: v1alpha1.SeverityError, Objects: []string{"pod/" + pod.Name}}
	namespace := " -n " + pod.Namespace
	describe := "kubectl describe pod " + pod.Name + namespace
	switch {
	case pod.DeletionTimestamp != nil:
		f.Code, f.Severity, f.Remedy = v1alpha1.CodePodNotReady, v1alpha1.SeverityWarning, describe
		f.Message = pod.Name + " is terminating"
		if late := now.Sub(pod.DeletionTimestamp.Time); late > 0 { // the timestamp is the end of the grace period
			f.Message = fmt.Sprintf("%s is still terminating, %s after its grace period ended", pod.Name, duration.HumanDuration(late))
		}
		return []v1alpha1.Finding{f}
	case conditionTrue(pod, corev1.PodReady):
		return nil
	}
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		f.Code = v1alpha1.CodeUnschedulable
		f.Message = fmt.Sprintf("%s is on no node: %s", pod.Name, c.Message)
		f.Remedy = describe
		return []v1alpha1.Finding{f}
	}
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for i := range statuses {
		c := &statuses[i]
		logs := fmt.Sprintf("kubectl logs %s -c %s --previous%s", pod.Name, c.Name, namespace)
		end := cmp.Or(c.State.Terminated, c.LastTerminationState.Terminated)
		switch {
		case c.Ready:
			continue
		case end != nil && end.Reason == "OOMKilled":
			f.Code, f.Remedy = v1alpha1.CodeOOMKilled, logs
			f.Message = fmt.Sprintf("%s: container %s was OOM-killed%s, restarted %s, last %s", pod.Name, c.Name,
				memoryLimit(pod, c.Name), times(c.RestartCount), ago(end.FinishedAt.Time, now))
			return []v1alpha1.Finding{f}
		case c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff":
			f.Code, f.Remedy = v1alpha1.CodeCrashLoop, logs
			f.Message = fmt.Sprintf("%s: container %s keeps ending, restarted %s", pod.Name, c.Name, times(c.RestartCount))
			if end != nil {
				f.Message += fmt.Sprintf(", last %s with %s", ago(end.FinishedAt.Time, now), howEnded(end))
			}
			return []v1alpha1.Finding{f}
		}
	}
	f.Code = v1alpha1.CodePodNotReady
	f.Remedy = describe
	f.Message = fmt.Sprintf("%s is not ready: %s", pod.Name, notReadyReason(pod))
	return []v1alpha1.Finding{f}
}

// notReadyReason is what the first container that is not as it should be says, else the pod itself.
func notReadyReason(pod *corev1.Pod) string {
	for i := range pod.Status.InitContainerStatuses {
		c := &pod.Status.InitContainerStatuses[i]
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
			return fmt.Sprintf("container %s runs, but its readiness probe has not succeeded", c.Name)
		}
	}
	if pod.Status.Reason != "" || pod.Status.Message != "" {
		return joined(pod.Status.Reason, pod.Status.Message)
	}
	if c := condition(pod, corev1.PodReady); c != nil && c.Message != "" {
		return c.Message
	}
	return "phase " + string(pod.Status.Phase)
}

// containerReason tells why a container waits or how it ended; it is empty for one that runs.
func containerReason(c *corev1.ContainerStatus) string {
	switch {
	case c.State.Terminated != nil:
		return fmt.Sprintf("container %s ended with %s", c.Name, howEnded(c.State.Terminated))
	case c.State.Waiting != nil && c.State.Waiting.Reason != "":
		return fmt.Sprintf("container %s: %s", c.Name, joined(c.State.Waiting.Reason, c.State.Waiting.Message))
	}
	return ""
}

func joined(reason, message string) string {
	switch {
	case reason == "":
		return message
	case message == "":
		return reason
	}
	return reason + ": " + message
}

func claimFindings(o *v1alpha1.Ordinal, c *v1alpha1.ClaimStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, message string) {
		list = append(list, v1alpha1.Finding{
			Code: code, Severity: severity, Objects: []string{"persistentvolumeclaim/" + c.Name}, Message: message, Remedy: page(code),
		})
	}
	switch {
	case c.Phase == v1alpha1.ClaimPending && o.Pod != nil: // without a pod it is the pod that is missing
		add(v1alpha1.CodeClaimNotBound, v1alpha1.SeverityError, c.Name+" is pending: it has no volume yet")
	case c.Phase == v1alpha1.ClaimLost:
		add(v1alpha1.CodeClaimNotBound, v1alpha1.SeverityCritical, fmt.Sprintf("%s has lost its volume %s: the volume no longer exists", c.Name, c.Volume))
	case c.Phase == v1alpha1.ClaimTerminating && o.State == v1alpha1.OrdinalPresent: // of an ordinal to go it is what the retention policy says
		add(v1alpha1.CodeClaimTerminating, v1alpha1.SeverityCritical, fmt.Sprintf("%s has been deleted: it goes, with its data unless its volume is retained, as soon as %s ends", c.Name, o.PodName))
	case c.Phase == v1alpha1.ClaimMissing && o.Pod != nil:
		add(v1alpha1.CodeClaimNotBound, v1alpha1.SeverityError, fmt.Sprintf("%s does not exist, and %s is to mount it", c.Name, o.PodName))
	}
	if c.Usage == nil {
		return list
	}
	if p := c.Usage.UsedPercent; p != nil {
		switch message := fmt.Sprintf("%s is %d%% full", c.Name, *p); {
		case *p >= fullPercent:
			add(v1alpha1.CodeVolumeFull, v1alpha1.SeverityError, message)
		case *p >= fillingPercent:
			add(v1alpha1.CodeVolumeFilling, v1alpha1.SeverityWarning, message)
		}
	}
	if p := c.Usage.InodesUsedPercent; p != nil {
		switch message := fmt.Sprintf("%s has used %d%% of its inodes", c.Name, *p); {
		case *p >= fullPercent:
			add(v1alpha1.CodeInodesFull, v1alpha1.SeverityError, message)
		case *p >= fillingPercent:
			add(v1alpha1.CodeInodesFilling, v1alpha1.SeverityWarning, message)
		}
	}
	return list
}

// page is the place in the documentation that explains a code.
func page(code v1alpha1.Code) string {
	return "docs/findings.md#" + strings.ToLower(string(code))
}

func inNamespace(status *v1alpha1.StatefulSetStatus) string {
	return " -n " + status.Metadata.Namespace
}

func prefixed(prefix string, names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = prefix + name
	}
	return list
}

func areThey(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, ", ") + " are"
}

func times(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func ago(t, now time.Time) string {
	return duration.HumanDuration(now.Sub(t)) + " ago"
}

func memoryLimit(pod *corev1.Pod, container string) string {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok && c.Name == container {
			return fmt.Sprintf(" (limit %s)", limit.String())
		}
	}
	return ""
}

func howEnded(end *corev1.ContainerStateTerminated) string {
	if end.Signal != 0 {
		return fmt.Sprintf("signal %d", end.Signal)
	}
	return fmt.Sprintf("exit code %d", end.ExitCode)
}

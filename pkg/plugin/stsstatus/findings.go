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
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// findings are what is wrong with a set, the worst first.
func findings(x *index, set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	list = append(list, serviceFindings(status)...)
	pods := map[string]*corev1.Pod{}
	for _, pod := range x.podsBySet[set.UID] {
		pods[pod.Name] = pod
	}
	for i := range status.Ordinals {
		switch o := &status.Ordinals[i]; o.State {
		case v1alpha1.OrdinalPresent:
			list = append(list, podFindings(x, pods[o.PodName], now)...)
			list = append(list, availabilityFindings(set, pods[o.PodName], now)...)
		case v1alpha1.OrdinalSurplus: // it is on its way out, which may take too long
			if objects.Terminating(pods[o.PodName]) {
				list = append(list, podFindings(x, pods[o.PodName], now)...)
			}
		}
	}
	list = append(list, missingFindings(set, status, pods, now)...)
	list = append(list, blockedFindings(set, status, pods, list, now)...)
	list = append(list, retainedFindings(status)...)
	list = append(list, rolloutFindings(set, status, pods, now)...)
	list = append(list, claimsFindings(x, set, status, now)...)
	list = append(list, placementFindings(x, set, status)...)
	finding.Sort(list)
	return list
}

func serviceFindings(status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	name := status.Service.Name
	tell := func(format string) []v1alpha1.Finding {
		return []v1alpha1.Finding{finding.New(v1alpha1.CodeServiceUnsound, v1alpha1.SeverityError, []string{"service/" + name}, "", format, name)}
	}
	switch status.Service.State {
	case v1alpha1.ServiceMissing:
		return tell("the governing Service %s does not exist: the pods have no DNS names")
	case v1alpha1.ServiceNotHeadless:
		return tell("the governing Service %s has a cluster IP (it is not headless): the pods have no DNS names")
	case v1alpha1.ServiceNotSelecting:
		return tell("the selector of the governing Service %s does not match the pods' labels: the pods have no DNS names")
	}
	return nil
}

// availabilityFindings tells of a pod that is ready and does not count as available yet: it has to be ready for minReadySeconds.
func availabilityFindings(set *appsv1.StatefulSet, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	left := objects.AvailableAt(set, pod).Sub(now)
	if set.Spec.MinReadySeconds == 0 || objects.Terminating(pod) || left <= 0 {
		return nil
	}
	return []v1alpha1.Finding{finding.Progress(finding.New(v1alpha1.CodePodNotReady, v1alpha1.SeverityInfo, []string{"pod/" + pod.Name}, "",
		"%s is ready, and counts as available in %s (minReadySeconds)", pod.Name, duration.HumanDuration(left)))}
}

// missingFindings tells of ordinals without a pod. One that nobody has refused is made in a moment, unless nothing has happened for long.
func missingFindings(set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus, pods map[string]*corev1.Pod, now time.Time) []v1alpha1.Finding {
	var refused, awaited []string
	reason := ""
	for _, o := range status.Ordinals {
		switch {
		case o.State != v1alpha1.OrdinalMissing:
		case o.Reason == noPodReason:
			awaited = append(awaited, o.PodName)
		default:
			refused = append(refused, o.PodName)
			reason = cmp.Or(reason, o.Reason)
		}
	}
	missing := func(names []string, why string) v1alpha1.Finding {
		return finding.New(v1alpha1.CodeOrdinalMissing, v1alpha1.SeverityError, prefixed("pod/", names),
			"kubectl describe sts "+status.Metadata.Name+inNamespace(status), "%s not created%s", finding.Some(names), why)
	}
	var list []v1alpha1.Finding
	late := now.Sub(lastChange(set, pods)) >= objects.StartLimit
	if late && len(refused) > 0 { // the cause of some is taken for that of all
		refused, awaited = append(refused, awaited...), nil
		slices.SortFunc(refused, objects.CompareNames)
	}
	if len(refused) > 0 {
		list = append(list, missing(refused, ": "+reason))
	}
	switch {
	case len(awaited) == 0:
	case late:
		list = append(list, missing(awaited, ""))
	default:
		list = append(list, finding.Progress(missing(awaited, fmt.Sprintf(" yet (%s)", duration.HumanDuration(now.Sub(lastChange(set, pods)))))))
	}
	return list
}

// lastChange is when something happened to a set for the last time, as far as its objects tell: it was written, by whoever, or a pod of
// it was made or became available.
func lastChange(set *appsv1.StatefulSet, pods map[string]*corev1.Pod) time.Time {
	last := set.CreationTimestamp.Time
	if t := objects.LastWritten(set); t.After(last) {
		last = t
	}
	for _, pod := range pods {
		for _, t := range [...]time.Time{pod.CreationTimestamp.Time, objects.AvailableAt(set, pod)} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}

// blockedFindings tells of ordinals that wait for another one. They are as bad as what is wrong with that one.
func blockedFindings(set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus, pods map[string]*corev1.Pod, found []v1alpha1.Finding, now time.Time) []v1alpha1.Finding {
	var blocked []string
	reason, blocker := "", ""
	for _, o := range status.Ordinals {
		if o.State == v1alpha1.OrdinalBlocked {
			blocked = append(blocked, o.PodName)
			reason, blocker = o.Reason, o.WaitsFor
		}
	}
	if len(blocked) == 0 {
		return nil
	}
	f := finding.New(v1alpha1.CodeOrdinalBlocked, v1alpha1.SeverityInfo, prefixed("pod/", blocked), "",
		"%s not created: %s %s", areThey(blocked), status.PodManagementPolicy, reason)
	f.Remedy = v1alpha1.Remedy{} // that of what it waits for
	known := false
	for _, of := range found {
		if slices.Contains(of.Objects, finding.Ref("pod/"+blocker)) && finding.Compare(of, f) < 0 {
			f.Severity = of.Severity
		}
		known = known || slices.Contains(of.Objects, finding.Ref("pod/"+blocker))
	}
	pod := pods[blocker]
	switch available := pod != nil && objects.PodReady(pod) && now.Before(objects.AvailableAt(set, pod).Add(objects.ProbeGrace)); {
	case f.Severity != v1alpha1.SeverityInfo:
	case known || available:
		f = finding.Progress(f)
	default:
		f.Severity = v1alpha1.SeverityError
	}
	return []v1alpha1.Finding{f}
}

// retainedFindings tells of claims without an ordinal.
func retainedFindings(status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	var retained, claims []string
	for _, o := range status.Ordinals {
		if o.State != v1alpha1.OrdinalRetained {
			continue
		}
		retained = append(retained, o.PodName)
		for _, c := range o.Claims {
			claims = append(claims, "persistentvolumeclaim/"+c.Name)
		}
	}
	if len(retained) == 0 {
		return nil
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodeClaimsRetained, v1alpha1.SeverityInfo, claims, "",
		"the claims of %s are kept: scaling up again brings their data back", strings.Join(retained, ", "))}
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

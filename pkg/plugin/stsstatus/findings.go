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
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// findings are what is wrong with a set, the worst first.
func findings(x *index, set *appsv1.StatefulSet, status *v1alpha1.SetStatus, now time.Time) []v1alpha1.Finding {
	list := goingFindings(x, set, "statefulset/"+set.Name, now)
	going := len(list) > 0
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
	for i := range status.Ordinals {
		if o := &status.Ordinals[i]; o.State != v1alpha1.OrdinalRetained && o.State != v1alpha1.OrdinalUnknown {
			list = append(list, evictionFindings(x, set.Namespace, o.PodName, pods[o.PodName], now)...)
		}
	}
	if !going { // else there are to be no pods
		list = append(list, namesakeFindings(x, set, status)...)
		list = append(list, missingFindings(x, set, status, pods, now)...)
		list = append(list, blockedFindings(set, status, pods, list, now)...)
		list = append(list, behindFindings(set, now)...)
	}
	list = append(list, strangerFindings(x, set)...)
	list = append(list, sharedFindings(x, set, status)...)
	list = append(list, retainedFindings(x, status)...)
	list = append(list, rolloutFindings(set, status, pods, now)...)
	list = append(list, onDeleteFindings(set, status)...)
	list = append(list, budgetFindings(x, subjectOf(set), now)...)
	list = append(list, blockingFindings(x, subjectOf(set), status)...)
	list = append(list, claimsFindings(x, set, status, now)...)
	list = append(list, placementFindings(x, subjectOf(set), status)...)
	finding.Sort(list)
	return list
}

func serviceFindings(status *v1alpha1.SetStatus) []v1alpha1.Finding {
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

// availabilityFindings reports a pod that is ready and does not count as available yet: it has to be ready for minReadySeconds.
func availabilityFindings(set *appsv1.StatefulSet, pod *corev1.Pod, now time.Time) []v1alpha1.Finding {
	left := objects.AvailableAt(set, pod).Sub(now)
	if set.Spec.MinReadySeconds == 0 || objects.Terminating(pod) || left <= 0 {
		return nil
	}
	return []v1alpha1.Finding{finding.Progress(finding.New(v1alpha1.CodePodNotReady, v1alpha1.SeverityInfo, []string{"pod/" + pod.Name}, "",
		"%s is ready, and counts as available in %s (minReadySeconds)", pod.Name, duration.HumanDuration(left)))}
}

// missingFindings reports ordinals without a pod. One that was not rejected will be created in a moment, unless nothing has happened for long.
func missingFindings(x *index, set *appsv1.StatefulSet, status *v1alpha1.SetStatus, pods map[string]*corev1.Pod, now time.Time) []v1alpha1.Finding {
	var refused, awaited []string
	reason := ""
	for _, o := range status.Ordinals {
		switch {
		case o.State != v1alpha1.OrdinalMissing, x.namesake(set, o.PodName) != nil, waitsForClaim(&o): // the last two are told otherwise
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

// waitsForClaim reports whether an ordinal's pod can't be created before an old claim is gone.
func waitsForClaim(o *v1alpha1.Ordinal) bool {
	return slices.ContainsFunc(o.Claims, func(c v1alpha1.ClaimStatus) bool { return c.Phase == v1alpha1.ClaimTerminating })
}

// lastChange is when something happened to a set as far as its objects show: it was written, by anyone, or a pod of
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

// blockedFindings reports ordinals that wait for another one. They are as bad as what is wrong with that one.
func blockedFindings(set *appsv1.StatefulSet, status *v1alpha1.SetStatus, pods map[string]*corev1.Pod, found []v1alpha1.Finding, now time.Time) []v1alpha1.Finding {
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

// retainedFindings reports claims without an ordinal: what is kept, and what is not.
func retainedFindings(x *index, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	var retained, kept, others []string
	var list []v1alpha1.Finding
	for _, o := range status.Ordinals {
		if o.State != v1alpha1.OrdinalRetained {
			continue
		}
		for _, c := range o.Claims {
			switch c.Phase {
			case v1alpha1.ClaimBound:
				retained, kept = append(retained, o.PodName), append(kept, c.Name)
			case v1alpha1.ClaimTerminating:
				list = append(list, claims.On(v1alpha1.CodeClaimTerminating, v1alpha1.SeverityInfo, []string{c.Name},
					fmt.Sprintf("%s, of the former ordinal %s, has been deleted%s", c.Name, o.PodName, x.claims.HeldBy(status.Metadata.Namespace, c.Name))))
			default: // a lost one is told with its volume
				others = append(others, c.Name)
			}
		}
	}
	tell := func(names []string, format string, args ...any) {
		list = append(list, finding.New(v1alpha1.CodeClaimsRetained, v1alpha1.SeverityInfo, prefixed("persistentvolumeclaim/", names), "", format, args...))
	}
	if retained = sortedNames(retained); len(retained) > 0 {
		tell(kept, "the claims of %s are kept: scaling up again brings their data back", strings.Join(retained, ", "))
	}
	if len(others) > 0 {
		tell(others, "%s of former ordinals %s kept, without a volume", finding.Some(others), isOrAre(others))
	}
	return list
}

func isOrAre(names []string) string {
	if len(names) == 1 {
		return "is"
	}
	return "are"
}

func inNamespace(status *v1alpha1.SetStatus) string {
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

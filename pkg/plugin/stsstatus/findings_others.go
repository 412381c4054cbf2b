package stsstatus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// otherFindings are what is wrong with a set of another controller, the worst first.
func otherFindings(x *index, set *sets.Set, of subject, status *v1alpha1.SetStatus, now time.Time) []v1alpha1.Finding {
	list := goingFindings(x, &set.ObjectMeta, of.ref, now)
	going := len(list) > 0
	pods := map[string]*corev1.Pod{}
	for _, pod := range x.podsBySet[set.UID] {
		pods[pod.Name] = pod
	}
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		pod := pods[o.PodName]
		switch {
		case pod != nil && set.IsFenced(o.PodName): // its readiness is as it is meant to be
		case o.State == v1alpha1.OrdinalPresent, o.State == v1alpha1.OrdinalSurplus && objects.Terminating(pod):
			list = append(list, podFindings(x, pod, now)...)
		}
		if o.State != v1alpha1.OrdinalRetained && o.State != v1alpha1.OrdinalUnknown {
			list = append(list, evictionFindings(x, set.Namespace, o.PodName, pod, now)...)
		}
		for j := range o.Claims {
			list = append(list, x.claims.Findings(claims.OfSets(), set.Namespace, userOf(o), &o.Claims[j], now)...)
		}
	}
	list = append(list, stoppedFindings(set, status)...)
	if !going {
		list = append(list, absentFindings(x, set, status, pods, now)...)
		list = append(list, standingFindings(set, status, now)...)
		list = append(list, behindOther(set, now)...)
	}
	list = append(list, unusableFindings(set)...)
	list = append(list, sizeFindings(x, set, status)...)
	list = append(list, orphanFindings(set, status)...)
	list = append(list, retainedFindings(x, status)...)
	list = append(list, budgetFindings(x, of, now)...)
	list = append(list, blockingFindings(x, of, status)...)
	list = append(list, placementFindings(x, of, status)...)
	finding.Sort(list)
	return list
}

// absentFindings report pods that a set should have and does not, with what is known of why.
func absentFindings(x *index, set *sets.Set, status *v1alpha1.SetStatus, pods map[string]*corev1.Pod, now time.Time) []v1alpha1.Finding {
	if set.Wanted == nil || set.State.Hibernated {
		return nil
	}
	var names, refs []string
	reason := ""
	there, prepared := 0, 0
	for _, o := range status.Ordinals {
		switch o.State {
		case v1alpha1.OrdinalMissing:
			names, refs = append(names, o.PodName), append(refs, "pod/"+o.PodName)
			if works(x.worker(set, o.PodName), now) {
				prepared++
			}
			if o.Reason != noPodReason && reason == "" {
				reason = ": " + o.Reason
			}
		case v1alpha1.OrdinalPresent, v1alpha1.OrdinalSurplus, v1alpha1.OrdinalUnknown:
			there++
		}
	}
	unnamed := int(*set.Wanted) - there - len(names)
	if len(names) == 0 && unnamed <= 0 {
		return nil
	}
	what := finding.Some(names)
	if unnamed > 0 {
		what = fmt.Sprintf("%d of %d pods", len(names)+unnamed, *set.Wanted)
	}
	refs = append(refs, refOf(set))
	f := finding.New(v1alpha1.CodeOrdinalMissing, v1alpha1.SeverityError, refs, describe(set), "%s not created%s", what, reason)
	last := lastChangeOf(set, pods)
	if prepared > 0 && prepared == len(names) { // the others come after it
		f = finding.Progress(f)
	} else if age := now.Sub(last); reason == "" && set.State.Paused == "" && age < objects.StartLimit {
		f.Message = fmt.Sprintf("%s not created yet (%s)", what, duration.HumanDuration(age))
		f = finding.Progress(f)
	}
	return []v1alpha1.Finding{f}
}

// lastChangeOf is when something happened to a set as far as its objects show.
func lastChangeOf(set *sets.Set, pods map[string]*corev1.Pod) time.Time {
	last := set.CreationTimestamp.Time
	if t := objects.LastWritten(&set.ObjectMeta); t.After(last) {
		last = t
	}
	for _, pod := range pods {
		for _, t := range [...]time.Time{pod.CreationTimestamp.Time, objects.ReadySince(pod)} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}

// describe is a command that shows a set's object.
func describe(set *sets.Set) string {
	group, _, _ := strings.Cut(set.APIVersion, "/")
	return fmt.Sprintf("kubectl describe %s.%s %s -n %s", strings.ToLower(set.Kind), group, set.Name, set.Namespace)
}

// worker is the pod that is not the set's and works on the claims of one that it lacks, as those of CloudNativePG's Jobs do which make an instance;
// of many that have failed the newest. It is nil if there is none.
func (x *index) worker(set *sets.Set, name string) *corev1.Pod {
	var newest *corev1.Pod
	for _, pod := range x.othersByNS[set.Namespace] {
		mounts := slices.ContainsFunc(objects.ClaimsOf(pod), func(c objects.PodClaim) bool { return slices.Contains(set.ClaimsOf(name), c.Name) })
		if mounts && sets.UIDOf(pod) != set.UID && pod.Status.Phase != corev1.PodSucceeded && (newest == nil || newest.CreationTimestamp.Before(&pod.CreationTimestamp)) {
			newest = pod
		}
	}
	return newest
}

// works reports whether such a pod is at it: a Job's pod that runs is ready.
func works(pod *corev1.Pod, now time.Time) bool {
	return pod != nil && !objects.PodFinished(pod) && (objects.PodReady(pod) || objects.ProgressOf(pod, now).InTime())
}

// workOn tells what becomes of a pod that a set lacks, as far as another pod works on it; empty if none does.
func (x *index) workOn(set *sets.Set, name string, now time.Time) string {
	switch pod := x.worker(set, name); {
	case pod == nil:
		return ""
	case works(pod, now):
		return fmt.Sprintf("%s prepares %s (%s)", pod.Name, name, duration.HumanDuration(now.Sub(pod.CreationTimestamp.Time)))
	default:
		return fmt.Sprintf("%s is to prepare %s, and is not ready: %s", pod.Name, name, notReadyReason(x, pod))
	}
}

// warningOf is the newest warning about a set's object, of the last while.
func (x *index) warningOf(set *sets.Set, now time.Time) string {
	e := x.Events.Warning(set.Kind, &set.ObjectMeta)
	if e == nil || now.Sub(objects.EventTime(e).Time) >= objects.StartLimit {
		return ""
	}
	return objects.OneLine(objects.EventText(e))
}

// standingFindings report what the controller of a set, and of what it belongs to, says of them.
func standingFindings(set *sets.Set, status *v1alpha1.SetStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	tell := func(severity v1alpha1.Severity, ref, format string, args ...any) *v1alpha1.Finding {
		list = append(list, finding.New(v1alpha1.CodeOperatorReports, severity, []string{ref}, describe(set), format, args...))
		return &list[len(list)-1]
	}
	words := objects.OneLine(set.State.Phase) + after(": ", objects.OneLine(set.State.Reason))
	standing, since := set.Standing()
	if since.IsZero() {
		since = lastChangeOf(set, nil)
	}
	age := now.Sub(since)
	switch {
	case set.State.Hibernated: // what it says then is from before
	case standing == sets.StandingBroken:
		tell(v1alpha1.SeverityCritical, refOf(set), "the operator says: %s", words)
	case standing == sets.StandingFailing:
		tell(v1alpha1.SeverityError, refOf(set), "the operator says: %s", words)
	case standing == sets.StandingWaiting:
		tell(v1alpha1.SeverityWarning, refOf(set), "the operator waits for somebody to act: %s", words)
	case standing == sets.StandingMoving && age < objects.StartLimit:
		f := tell(v1alpha1.SeverityInfo, refOf(set), "the operator says: %s (%s)", words, duration.HumanDuration(age))
		*f = finding.Progress(*f)
	case standing == sets.StandingMoving:
		tell(v1alpha1.SeverityWarning, refOf(set), "the operator has been saying for %s: %s", duration.HumanDuration(age), words)
	case standing == sets.StandingUnknown && set.State.Phase != "" && isFalse(set.Condition("Ready")):
		tell(v1alpha1.SeverityWarning, refOf(set), "the operator says: %s", words)
	}
	if target := set.State.Target; target != set.State.Primary && target != "" && target != sets.TargetPending && set.State.Primary != "" && standing == sets.StandingFine && !set.State.Hibernated {
		tell(v1alpha1.SeverityWarning, refOf(set), "%s is to become the primary in the place of %s, and has not", set.State.Target, set.State.Primary)
	}
	add := func(conditions []metav1.Condition, ref string) {
		for i := range conditions {
			c := &conditions[i]
			rule := sets.RuleOf(c)
			if rule == nil || rule.Type == sets.ConditionLastBackup && lastFailed(status.Backups) { // the backup itself says more
				continue
			}
			severity := v1alpha1.SeverityWarning
			switch {
			case rule.Fatal:
				severity = v1alpha1.SeverityError
			case rule.Mild:
				severity = v1alpha1.SeverityInfo
			}
			tell(severity, ref, "%s: %s", rule.Says, objects.Because(c.Reason, objects.OneLine(c.Message)))
		}
	}
	add(set.State.Conditions, refOf(set))
	if p := set.Parent; p != nil {
		add(p.Conditions, p.Kind+"/"+p.Name)
	}
	return list
}

func isFalse(c *metav1.Condition) bool { return c != nil && c.Status == metav1.ConditionFalse }

// behindOther reports a set whose controller has not taken in its newest state: it may not run.
func behindOther(set *sets.Set, now time.Time) []v1alpha1.Finding {
	written := objects.LastWritten(&set.ObjectMeta)
	behind, ref, paused := set.State.Behind, refOf(set), set.State.Paused
	if p := set.Parent; p != nil && p.Behind && !behind {
		behind, ref, paused, written = true, p.Kind+"/"+p.Name, p.Paused, p.Written.Time
	}
	if !behind || paused != "" || written.IsZero() || now.Sub(written) < controllerPatience {
		return nil
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodeControllerBehind, v1alpha1.SeverityError, []string{ref}, "kubectl get pods -A",
		"the operator has not acted on the newest state of %s for %s: does it run?", strings.ToLower(ref), duration.HumanDuration(now.Sub(written)))}
}

// stoppedFindings report what was stopped on purpose: servers, pods, or the operator itself. It is worse if something is lacking that would come
// back otherwise.
func stoppedFindings(set *sets.Set, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	tell := func(severity v1alpha1.Severity, refs []string, command, format string, args ...any) {
		list = append(list, finding.New(v1alpha1.CodeStopped, severity, refs, command, format, args...))
	}
	var fenced, stopped []string
	for _, o := range status.Ordinals {
		switch {
		case o.State == v1alpha1.OrdinalStopped:
			stopped = append(stopped, o.PodName)
		case o.Pod != nil && set.IsFenced(o.PodName):
			fenced = append(fenced, o.PodName)
		}
	}
	if len(fenced) > 0 {
		severity := v1alpha1.SeverityWarning
		if slices.Contains(fenced, set.State.Primary) {
			severity = v1alpha1.SeverityError
		}
		tell(severity, append(prefixed("pod/", fenced), refOf(set)), fmt.Sprintf("kubectl annotate cluster.postgresql.cnpg.io %s -n %s cnpg.io/fencedInstances-", set.Name, set.Namespace),
			"%s fenced: the servers are stopped on purpose while their pods run", areThey(fenced))
		if len(fenced) == 1 {
			list[len(list)-1].Message = fenced[0] + " is fenced: its server is stopped on purpose while the pod runs"
		}
	}
	switch {
	case set.State.Hibernated:
		tell(v1alpha1.SeverityInfo, []string{refOf(set)}, fmt.Sprintf("kubectl annotate cluster.postgresql.cnpg.io %s -n %s --overwrite cnpg.io/hibernation=off", set.Name, set.Namespace),
			"the cluster is hibernated: it has no pods on purpose, and its claims are kept")
	case len(stopped) > 0:
		tell(v1alpha1.SeverityInfo, append(prefixed("pod/", stopped), refOf(set)), "", "%s stopped on purpose, and the claims are kept", areThey(stopped))
	}
	ref, paused := refOf(set), set.State.Paused
	if p := set.Parent; p != nil && p.Paused != "" && paused == "" {
		ref, paused = p.Kind+"/"+p.Name, p.Paused
	}
	if paused != "" {
		severity, then := v1alpha1.SeverityInfo, "nothing is mended and no change applied meanwhile"
		if r := &status.Replicas; r.Ready < r.Desired {
			severity, then = v1alpha1.SeverityWarning, fmt.Sprintf("of %d pods %d are ready, and nothing mends that meanwhile", r.Desired, r.Ready)
		}
		tell(severity, []string{ref}, "", "the operator leaves %s alone, as it was told to (%s): %s", strings.ToLower(ref), paused, then)
	}
	return list
}

// unusableFindings report claims of which the operator says that it can't use them.
func unusableFindings(set *sets.Set) []v1alpha1.Finding {
	if len(set.State.Unusable) == 0 {
		return nil
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodeClaimUnusable, v1alpha1.SeverityError, append(prefixed("persistentvolumeclaim/", set.State.Unusable), refOf(set)), describe(set),
		"the operator can't use %s: a claim of the same instance is missing, or its data is not complete", finding.Some(set.State.Unusable))}
}

// sizeFindings report claims that are smaller than what the set's object asks for: an operator can't make them larger, and its status says nothing
// of it.
func sizeFindings(x *index, set *sets.Set, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	smaller := groups[string]{}
	for _, m := range set.Members {
		at := slices.IndexFunc(status.Ordinals, func(o v1alpha1.Ordinal) bool { return o.PodName == m.Name })
		if at < 0 {
			continue
		}
		for i := range status.Ordinals[at].Claims {
			c := &status.Ordinals[at].Claims[i]
			wanted, err := resource.ParseQuantity(m.Sizes[c.Name])
			if err != nil || c.Requested == nil || c.Requested.Cmp(wanted) >= 0 {
				continue
			}
			_, obstacle := claims.Growth(x.Read, x.StorageClasses, set.Namespace, c)
			smaller.add(fmt.Sprintf("requested %s, less than the %s that %s asks for%s", c.Requested, m.Sizes[c.Name], strings.ToLower(refOf(set)), obstacle), c.Name)
		}
	}
	var list []v1alpha1.Finding
	for _, g := range smaller.sorted() {
		list = append(list, claims.On(v1alpha1.CodeClaimDiffers, v1alpha1.SeverityWarning, g.names, finding.Some(g.names)+" "+g.key))
	}
	return list
}

// orphanFindings report pods that a StatefulSet has left behind.
func orphanFindings(set *sets.Set, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	if set.Kind != sets.KindOrphans {
		return nil
	}
	var names []string
	for _, o := range status.Ordinals {
		names = append(names, o.PodName)
	}
	them, end := "them", "they end"
	if len(names) == 1 {
		them, end = "it", "it ends"
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodeOrphans, v1alpha1.SeverityWarning, prefixed("pod/", names), "kubectl get pods "+strings.Join(names, " ")+" -n "+set.Namespace+" --show-labels",
		"%s left of the StatefulSet %s, which is gone: nothing creates %s again when %s; a new StatefulSet of this name with the same selector takes %s over", areThey(names), set.Name, them, end, them)}
}

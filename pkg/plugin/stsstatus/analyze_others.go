package stsstatus

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// analyzeOther is analyzeSet for a set of another controller. What is the StatefulSet controller's own, its order, revisions and partition, is
// not claimed of it.
func analyzeOther(x *index, set *sets.Set, now time.Time) v1alpha1.SetStatus {
	status := v1alpha1.SetStatus{
		TypeMeta:        metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindSetStatus},
		Metadata:        v1alpha1.ObjectMeta{Namespace: set.Namespace, Name: set.Name, UID: string(set.UID), CreationTimestamp: set.CreationTimestamp},
		Controller:      v1alpha1.SetController{APIVersion: set.APIVersion, Kind: set.Kind, Title: sets.Titled(set.APIVersion, set.Kind), ByPods: set.ByPods},
		DatabaseCluster: cmp.Or(sets.ClusterOf(set.Labels), clusterOfPods(x, set)),
		Operator:        operatorStatus(set),
		Ordinals:        members(x, set, now),
	}
	count(set, &status)
	of := subject{namespace: set.Namespace, ref: refOf(set), labels: labelsOf(x, set)}
	for _, budget := range budgets(x, of) {
		status.DisruptionBudgets = append(status.DisruptionBudgets, budget.Name)
	}
	backed := x.backupsOf(set.APIVersion, set.Kind, &set.ObjectMeta)
	status.Backups = backed.status()
	status.Findings = finding.In(set.Namespace, append(otherFindings(x, set, of, &status, now), backed.findings(of.ref, now)...))
	finding.Sort(status.Findings)
	judge(x, &status)
	return status
}

// refOf names a set's object in findings.
func refOf(set *sets.Set) string { return set.Kind + "/" + set.Name }

// labelsOf are the labels of each of a set's pods.
func labelsOf(x *index, set *sets.Set) []map[string]string {
	var list []map[string]string
	for _, pod := range x.podsBySet[set.UID] {
		list = append(list, pod.Labels)
	}
	return list
}

func clusterOfPods(x *index, set *sets.Set) string {
	for _, labels := range labelsOf(x, set) {
		return sets.ClusterOf(labels)
	}
	return ""
}

// operatorStatus is what a set says of itself; nil if nothing.
func operatorStatus(set *sets.Set) *v1alpha1.OperatorStatus {
	s := &set.State
	o := &v1alpha1.OperatorStatus{
		Phase: s.Phase, Reason: s.Reason, Paused: s.Paused, Hibernated: s.Hibernated, Fenced: s.Fenced, Primary: s.Primary, TargetPrimary: s.Target,
	}
	for _, c := range conditionsOf(set) {
		o.Conditions = append(o.Conditions, v1alpha1.OperatorCondition{
			Type: c.Type, Status: string(c.Status), Reason: c.Reason, Message: c.Message, LastTransitionTime: c.LastTransitionTime,
		})
	}
	if p := set.Parent; p != nil {
		o.Paused = cmp.Or(o.Paused, p.Paused)
	}
	if o.Phase == "" && len(o.Conditions) == 0 && o.Paused == "" && !o.Hibernated && len(o.Fenced) == 0 {
		return nil
	}
	return o
}

// conditionsOf are a set's conditions, and those of what it belongs to.
func conditionsOf(set *sets.Set) []metav1.Condition {
	if set.Parent == nil {
		return set.State.Conditions
	}
	return slices.Concat(set.State.Conditions, set.Parent.Conditions)
}

// count counts a set's pods as they are: what its object counts may be behind. Those that are stopped on purpose are not wanted.
func count(set *sets.Set, status *v1alpha1.SetStatus) {
	r := &status.Replicas
	fenced := int32(0)
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		if o.Pod == nil {
			continue
		}
		r.Existing++
		if o.Pod.Ready {
			r.Ready++
		}
		if set.IsFenced(o.PodName) {
			fenced++
		}
	}
	r.Available = r.Ready
	switch {
	case set.Wanted != nil:
		r.Desired = max(0, *set.Wanted-fenced)
		r.Existing -= fenced
	case set.Kind == sets.KindOrphans:
		r.Desired = r.Existing
	case set.NoScale:
		r.Desired, r.DesiredUnknown = r.Existing, v1alpha1.GapNotCovered
	default:
		r.Desired, r.DesiredUnknown = r.Existing, v1alpha1.GapUnread
	}
	status.Rollout = v1alpha1.Rollout{Updated: set.Replicas.Updated, Complete: !set.State.Behind}
	if set.ByPods {
		status.Rollout.Updated = r.Existing
	}
}

// members are the pods that a set has, those that it should have, those that are stopped on purpose, and those whose claims were kept.
func members(x *index, set *sets.Set, now time.Time) []v1alpha1.Ordinal {
	pods := map[string]*corev1.Pod{}
	wanted, stopped := map[string]bool{}, map[string]bool{}
	var names []string
	for _, pod := range x.podsBySet[set.UID] {
		pods[pod.Name] = pod
		names = append(names, pod.Name)
	}
	for _, m := range set.Members {
		wanted[m.Name] = true
		names = append(names, m.Name)
	}
	for _, name := range set.Offline {
		stopped[name] = true
		names = append(names, name)
	}
	names = append(names, keptMembers(x, set)...)
	list := make([]v1alpha1.Ordinal, 0, len(names))
	for _, name := range sortedNames(names) {
		pod := pods[name]
		o := v1alpha1.Ordinal{Ordinal: numberIn(name), PodName: name}
		switch {
		case pod != nil && set.Named && !wanted[name]:
			o.State, o.Reason = v1alpha1.OrdinalSurplus, "the set no longer wants this pod; it is to be deleted"
		case pod != nil:
			o.State = v1alpha1.OrdinalPresent
		case x.unread(subjectPods):
			o.State, o.Reason = v1alpha1.OrdinalUnknown, "pods could not be read"
		case stopped[name]:
			o.State, o.Reason = v1alpha1.OrdinalStopped, "it is stopped on purpose; its claims are kept"
		case wanted[name]:
			o.State, o.Reason = v1alpha1.OrdinalMissing, cmp.Or(x.workOn(set, name, now), x.warningOf(set, now), noPodReason)
		default:
			o.State, o.Reason = v1alpha1.OrdinalRetained, "the set no longer has this pod; its claims were kept"
		}
		if pod != nil {
			o.Pod = podStatus(pod)
			place(x, o.Pod, pod)
		}
		o.Claims = memberClaims(x, set, &o, pod, now)
		list = append(list, o)
	}
	return list
}

// numberIn is the number at the end of a name; 0 if there is none.
func numberIn(name string) int32 {
	n, err := strconv.ParseInt(name[strings.LastIndexByte(name, '-')+1:], 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// keptMembers are the names of pods whose claims are there, by the templates of the set.
func keptMembers(x *index, set *sets.Set) []string {
	var names []string
	for _, claim := range x.claims.ByNamespace[set.Namespace] {
		if pod, ok := set.Kept(claim.Name); ok {
			names = append(names, pod)
		}
	}
	return names
}

// memberClaims are the claims that a pod should have, then what else it mounts.
func memberClaims(x *index, set *sets.Set, o *v1alpha1.Ordinal, pod *corev1.Pod, now time.Time) []v1alpha1.ClaimStatus {
	var list []v1alpha1.ClaimStatus
	seen := map[string]bool{}
	add := func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		list = append(list, x.claims.Status(set.Namespace, name, pod, now))
	}
	if pod != nil { // what it mounts counts, in the order in which it should have it
		for _, claim := range objects.ClaimsOf(pod) {
			add(claim.Name)
		}
		return list
	}
	for _, name := range set.ClaimsOf(o.PodName) {
		if c := x.claims.Status(set.Namespace, name, nil, now); c.Phase != v1alpha1.ClaimMissing || o.State == v1alpha1.OrdinalMissing {
			add(name)
		}
	}
	return list
}

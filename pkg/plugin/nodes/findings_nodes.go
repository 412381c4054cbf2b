package nodes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// attachedPercent is from how many of the volumes that can be attached on a node is nearly at its limit.
	attachedPercent = 80
	// longSince is from when on it is worth saying how long a node has been cordoned or about to go: nodes that are drained in order are
	// so for less.
	longSince = time.Hour
	// A node that has been there for settledAfter, and is ready only since freshWithin, was not ready before.
	settledAfter = 15 * time.Minute
	freshWithin  = 10 * time.Minute
)

// judged collects the findings about one node.
type judged struct {
	*node
	item *v1alpha1.NodeCapacity
	load Load
	now  time.Time
	list []v1alpha1.Finding
}

func (j *judged) add(code v1alpha1.Code, severity v1alpha1.Severity, objects []string, remedy, format string, args ...any) {
	j.list = append(j.list, finding.New(code, severity, append([]string{"node/" + j.Name}, objects...), remedy, format, args...))
}

// describe is the command that shows conditions, taints and the events of those who drain.
func (j *judged) describe() string { return "kubectl describe node " + j.Name }

// nodeFindings are about one node, the worst first.
func (x *index) nodeFindings(n *node, item *v1alpha1.NodeCapacity, now time.Time) []v1alpha1.Finding {
	j := &judged{node: n, item: item, load: x.Loads[n.Name], now: now}
	if len(n.pods) > 0 {
		j.outOfUse()
		j.taints()
		j.conditions()
	}
	x.zoneBound(j)
	for _, v := range item.Volumes {
		switch {
		case v.Limit <= 0 || v.Attached*100 < v.Limit*attachedPercent:
		case v.Attached >= v.Limit:
			j.add(v1alpha1.CodeAttachLimit, v1alpha1.SeverityWarning, nil, "", "%s can't attach any more volumes of %s: %d of %d are attached", n.Name, v.Driver, v.Attached, v.Limit)
		default:
			j.add(v1alpha1.CodeAttachLimit, v1alpha1.SeverityWarning, nil, "", "%s is close to the volume limit of %s: %d of %d are attached", n.Name, v.Driver, v.Attached, v.Limit)
		}
	}
	if len(n.class.Conflicts) > 0 {
		j.add(v1alpha1.CodeLabelsConflict, v1alpha1.SeverityInfo, nil, "", "labels of %s contradict each other: %s is used, %s is ignored", n.Name, n.class.Evidence, strings.Join(n.class.Conflicts, ", "))
	}
	finding.Sort(j.list)
	return j.list
}

// outOfUse reports a node that goes, is not ready, or is cordoned. The remedy is not to uncordon one: the process that drains or replaces it has
// cordoned it for that, and an eviction that a budget refuses leaves no trace.
func (j *judged) outOfUse() {
	pods, about := podNames(j.pods)
	switch {
	case j.going() != "":
		marked := ""
		if since := capacity.GoingSince(j.Node); !since.IsZero() && j.now.Sub(since) >= longSince {
			marked = "; marked " + duration.HumanDuration(j.now.Sub(since)) + " ago"
		}
		j.list = append(j.list, finding.New(v1alpha1.CodeNodeGoing, v1alpha1.SeverityError, append([]string{"node/" + j.Name}, about...), "",
			"%s is going away (%s%s) and runs %s", j.Name, j.going(), marked, finding.Some(pods)))
	case j.item.Readiness != v1alpha1.NodeReady:
		j.add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityError, about, j.describe(), "%s is not ready%s and runs %s", j.Name, notReady(j.item, j.now), finding.Some(pods))
	case j.item.Cordoned && !slices.ContainsFunc(j.pods, func(p *Pod) bool { return !p.Requires.ToleratesCordon() }):
		j.add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityInfo, about, j.describe(), "%s is cordoned%s and runs %s, which %s that", j.Name, j.cordonedFor(), finding.Some(pods), pronoun(j.pods, "tolerates", "tolerate"))
	case j.item.Cordoned && j.load.Evicted > 0:
		j.add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityWarning, about, j.describe(), "%s is being drained (%s) and runs %s: once evicted, they can't be scheduled there again",
			j.Name, evictedPods(j.load.Evicted), finding.Some(pods))
	case j.item.Cordoned:
		j.add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityWarning, about, j.describe(), "%s is cordoned%s and runs %s: once deleted, they can't be scheduled there again",
			j.Name, j.cordonedFor(), finding.Some(pods))
	}
	if since := j.readySince(); j.now.Sub(j.CreationTimestamp.Time) >= settledAfter && since >= 0 && since < freshWithin {
		j.add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityInfo, about, j.describe(), "%s became ready again %s ago and runs %s: it was not ready before", j.Name, duration.HumanDuration(since), finding.Some(pods))
	}
}

// readySince is for how long a node has been ready; negative if it is not, or does not say since when.
func (j *judged) readySince() time.Duration {
	for i := range j.Status.Conditions {
		if c := &j.Status.Conditions[i]; c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && !c.LastTransitionTime.IsZero() {
			return j.now.Sub(c.LastTransitionTime.Time)
		}
	}
	return -1
}

func evictedPods(n int32) string {
	if n == 1 {
		return "1 pod is being evicted"
	}
	return fmt.Sprintf("%d pods are being evicted", n)
}

// cordonedFor is how long a node has been cordoned, if that is long: the taint that goes with it was added then.
func (j *judged) cordonedFor() string {
	for _, t := range j.Spec.Taints {
		if t.Key == corev1.TaintNodeUnschedulable && t.TimeAdded != nil {
			if since := j.now.Sub(t.TimeAdded.Time); since >= longSince {
				return " for " + duration.HumanDuration(since)
			}
		}
	}
	return ""
}

func notReady(item *v1alpha1.NodeCapacity, now time.Time) string {
	text := ""
	if item.NotReadySince != nil {
		text = " for " + duration.HumanDuration(now.Sub(item.NotReadySince.Time))
	}
	if item.NotReadyReason != "" {
		text += " (" + strings.TrimSuffix(item.NotReadyReason, ".") + ")"
	}
	return text
}

// taintsOf are a node's taints that keep pods off for a reason of their own, with the pods there that do not tolerate them.
func taintsOf(n *node) []v1alpha1.NodeTaint {
	var list []v1alpha1.NodeTaint
	for _, t := range capacity.Repellents(n.Node, time.Time{}) {
		taint := v1alpha1.NodeTaint{Taint: t.ToString()}
		taint.Untolerated, _ = podNames(untolerating(n.pods, &t.Taint))
		list = append(list, taint)
	}
	return list
}

// untolerating are the pods that a taint keeps off, or evicts some time.
func untolerating(pods []*Pod, taint *corev1.Taint) []*Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p *Pod) bool {
		_, evicted := p.Requires.EvictedAfter(taint)
		return p.Requires.Tolerates(taint) && !evicted
	})
}

// taints reports taints that keep the node's own pods off, or evict them. Those that all of them tolerate are what makes a pool their own.
func (j *judged) taints() {
	for _, t := range capacity.Repellents(j.Node, j.now) {
		named := "the taint " + t.ToString()
		if t.Cause != "" {
			named += " (" + t.Cause + ")"
		}
		severity := v1alpha1.SeverityWarning
		pods := untolerating(j.pods, &t.Taint)
		about, refs := podNames(pods)
		switch {
		case len(pods) == 0:
			j.add(v1alpha1.CodeNodeTainted, v1alpha1.SeverityInfo, nil, "", "%s has %s, which its stateful pods tolerate", j.Name, named)
		case t.Effect == corev1.TaintEffectNoExecute:
			j.evictions(named, &t.Taint, pods)
		default:
			if t.Passing { // as while Cilium is updated: pods there run on
				severity = v1alpha1.SeverityInfo
			}
			j.add(v1alpha1.CodeNodeTainted, severity, refs, j.describe(), "%s has %s, which %s: once deleted, %s can't be scheduled there again", j.Name, named, notTolerated(about), pronoun(pods, "it", "they"))
		}
	}
}

func notTolerated(pods []string) string {
	if len(pods) == 1 {
		return pods[0] + " does not tolerate"
	}
	return finding.Some(pods) + " do not tolerate"
}

// pronoun is a word for one pod, or for several.
func pronoun(pods []*Pod, it, they string) string {
	if len(pods) == 1 {
		return it
	}
	return they
}

// evictions reports the pods that a taint drives away: those that do not tolerate it, and those that do so for a while.
func (j *judged) evictions(named string, taint *corev1.Taint, pods []*Pod) {
	var now, later []*Pod
	var most time.Duration // that one of the latter stays
	for _, p := range pods {
		left, _ := p.Requires.EvictedAfter(taint)
		if left > 0 && taint.TimeAdded != nil { // kubectl taint does not say when
			left = taint.TimeAdded.Add(left).Sub(j.now)
		}
		if left <= 0 {
			now = append(now, p)
			continue
		}
		later, most = append(later, p), max(most, left)
	}
	if about, refs := podNames(now); len(now) > 0 {
		j.add(v1alpha1.CodeNodeTainted, v1alpha1.SeverityWarning, refs, j.describe(), "%s has %s, which %s: %s being evicted", j.Name, named, notTolerated(about), pronoun(now, "it is", "they are"))
	}
	if about, refs := podNames(later); len(later) > 0 {
		more := "only"
		if taint.TimeAdded != nil {
			more = "more"
		}
		j.add(v1alpha1.CodeNodeTainted, v1alpha1.SeverityWarning, refs, j.describe(), "%s has %s, which %s for %s %s: %s evicted then",
			j.Name, named, finding.Some(about)+pronoun(later, " tolerates", " tolerate"), duration.HumanDuration(most), more, pronoun(later, "it is", "they are"))
	}
}

// conditions reports what the node, or who watches it, says is wrong with it.
func (j *judged) conditions() {
	pods, about := podNames(j.pods)
	for i := range j.Status.Conditions {
		c := &j.Status.Conditions[i]
		t := capacity.TroubleOf(c)
		if t == nil || t.Going != "" { // that it goes has been told
			continue
		}
		text := j.Name + " reports " + t.Describe(c)
		if since := j.now.Sub(c.LastTransitionTime.Time); !c.LastTransitionTime.IsZero() {
			text += " for " + duration.HumanDuration(since)
		}
		if why := strings.TrimSuffix(objects.OneLine(cmp.Or(c.Message, c.Reason)), "."); why != "" {
			text += " (" + why + ")"
		}
		text += " and runs " + finding.Some(pods)
		if t.Means != "" {
			text += ": " + t.Means
		}
		j.add(v1alpha1.CodeNodeTroubled, t.Severity, about, j.describe(), "%s", text)
	}
}

// zoneBound reports the volumes of a node's pods that no other node could take: those of pods that the node itself would take again, and
// those of pods that it would not.
func (x *index) zoneBound(j *judged) {
	n := j.node
	bound := map[demand][]string{}
	var order []demand
	for _, p := range n.pods {
		d := x.demandOf(p)
		for _, claim := range p.Claims {
			key := p.Namespace + "/" + claim
			zones := x.Volumes[key]
			if len(zones) == 0 || !x.alone(n, p) {
				continue
			}
			if slices.ContainsFunc(zones, func(zone string) bool { return zone != n.class.Zone && len(x.takersIn(zone, d)) > 0 }) {
				continue
			}
			if bound[d] == nil {
				order = append(order, d)
			}
			if !slices.Contains(bound[d], key) {
				bound[d] = append(bound[d], key)
			}
		}
	}
	byWhere := map[string][]string{}
	severity := map[string]v1alpha1.Severity{}
	var wheres []string
	for _, d := range order {
		where := x.onlyNode(n, d)
		if severity[where] = v1alpha1.SeverityWarning; x.soon(n, d, j.now) {
			severity[where] = v1alpha1.SeverityInfo
		}
		if byWhere[where] == nil {
			wheres = append(wheres, where)
		}
		byWhere[where] = append(byWhere[where], bound[d]...)
	}
	for _, where := range wheres {
		claims := byWhere[where]
		slices.Sort(claims)
		pods := "its pod"
		if len(claims) > 1 {
			pods = "their pods"
		}
		about := make([]string, len(claims))
		for i, claim := range claims {
			about[i] = "persistentvolumeclaim/" + claim
		}
		j.add(v1alpha1.CodeZoneBound, severity[where], about, "", "%s bound to zone %s, where %s", volumesAre(claims), n.class.Zone, strings.ReplaceAll(where, "PODS", pods))
	}
}

// onlyNode says which node of a zone takes the pods of a demand, if any does, and what follows for those that are bound to it. PODS stands
// for the pods.
func (x *index) onlyNode(n *node, d demand) string {
	refused := x.refusals(n.class.Zone, d)
	takes := x.refusal(d, n) == ""
	switch {
	case takes && refused == "":
		return n.Name + " is the only node that takes new pods: if it goes away, PODS can't start"
	case takes:
		return "only " + n.Name + " takes PODS, not " + refused + ": if it goes away, PODS can't start"
	case refused == "":
		return "no node takes new pods: PODS can't start again"
	}
	return "no node takes PODS, not " + refused + ": once deleted, PODS can't start again"
}

// volumesAre begins a sentence about the volumes of claims.
func volumesAre(claims []string) string {
	if len(claims) == 1 {
		return "the volume of " + claims[0] + " is"
	}
	return "the volumes of " + finding.Some(claims) + " are"
}

func podNames(pods []*Pod) (names, objects []string) {
	for _, p := range pods {
		names = append(names, p.Namespace+"/"+p.Name)
		objects = append(objects, "pod/"+p.Namespace+"/"+p.Name)
	}
	slices.Sort(names)
	slices.Sort(objects)
	return names, objects
}

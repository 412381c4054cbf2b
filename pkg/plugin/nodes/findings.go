package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// attachedPercent is from how many of the volumes that can be attached on a node is nearly at its limit.
const attachedPercent = 80

// nodeFindings are about one node, the worst first.
func (x *index) nodeFindings(n *node, item *v1alpha1.NodeCapacity, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, objects []string, remedy, format string, args ...any) {
		list = append(list, finding.New(code, severity, append([]string{"node/" + n.Name}, objects...), remedy, format, args...))
	}
	if len(n.pods) > 0 {
		pods, objects := podNames(n.pods)
		switch {
		case n.going() != "":
			add(v1alpha1.CodeNodeGoing, v1alpha1.SeverityError, objects, "", "%s is going (%s) and holds %s", n.Name, n.going(), finding.Some(pods))
		case item.Readiness != v1alpha1.NodeReady:
			add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityError, objects, "kubectl describe node "+n.Name, "%s is not ready%s and holds %s", n.Name, notReady(item, now), finding.Some(pods))
		case item.Cordoned:
			add(v1alpha1.CodeNodeOutOfUse, v1alpha1.SeverityWarning, objects, "kubectl uncordon "+n.Name, "%s is cordoned and holds %s: once they end they can't come back to it", n.Name, finding.Some(pods))
		}
	}
	if bound := x.zoneBound(n); len(bound) > 0 {
		var claims []string
		for _, claim := range bound {
			claims = append(claims, "persistentvolumeclaim/"+claim)
		}
		add(v1alpha1.CodeZoneBound, v1alpha1.SeverityWarning, claims, "", "%s takes new pods in zone %s, which the volumes of %s can't leave", onlyNode(n), n.class.Zone, finding.Some(bound))
	}
	for _, v := range item.Volumes {
		switch {
		case v.Limit <= 0 || v.Attached*100 < v.Limit*attachedPercent:
		case v.Attached >= v.Limit:
			add(v1alpha1.CodeAttachLimit, v1alpha1.SeverityWarning, nil, "", "%s can take no more volumes of %s: %d of %d are attached", n.Name, v.Driver, v.Attached, v.Limit)
		default:
			add(v1alpha1.CodeAttachLimit, v1alpha1.SeverityWarning, nil, "", "%s can take %d more of %s: %d of %d are attached", n.Name, v.Limit-v.Attached, v.Driver, v.Attached, v.Limit)
		}
	}
	if len(n.class.Conflicts) > 0 {
		add(v1alpha1.CodeLabelsConflict, v1alpha1.SeverityInfo, nil, "", "labels of %s contradict each other: %s is taken, %s is not", n.Name, n.class.Evidence, strings.Join(n.class.Conflicts, ", "))
	}
	finding.Sort(list)
	return list
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

// onlyNode says what there is in a node's zone.
func onlyNode(n *node) string {
	if n.usable {
		return "only " + n.Name
	}
	return "no node"
}

// zoneBound are the claims of a node's pods whose volumes no other node could take, as namespace/claim.
func (x *index) zoneBound(n *node) []string {
	if !x.alone(n) {
		return nil
	}
	var bound []string
	for _, p := range n.pods {
		for _, claim := range p.Claims {
			key := p.Namespace + "/" + claim
			zones := x.Volumes[key]
			elsewhere := slices.ContainsFunc(zones, func(zone string) bool { return zone != n.class.Zone && x.usable[zone] > 0 })
			if len(zones) > 0 && !elsewhere {
				bound = append(bound, key)
			}
		}
	}
	slices.Sort(bound)
	return slices.Compact(bound)
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

// set is pods that do one thing together.
type set struct {
	namespace, kind, name string
	uid                   types.UID
	pods                  []*Pod
}

// String is what people call the set.
func (s *set) String() string {
	if s.kind == objects.KindStatefulSet {
		return s.namespace + "/" + s.name
	}
	return fmt.Sprintf("%s %s/%s", s.kind, s.namespace, s.name)
}

func (s *set) object() string {
	return fmt.Sprintf("%s/%s/%s", strings.ToLower(s.kind), s.namespace, s.name)
}

// setFindings are about the sets that have pods on selected nodes, and about the stateful pods there that are of no set.
func (x *index) setFindings() []v1alpha1.Finding {
	sets := map[types.UID]*set{}
	var list []v1alpha1.Finding
	for i := range x.Snapshot.Pods {
		p := &x.Snapshot.Pods[i]
		if p.isMember() {
			if sets[p.UID] == nil {
				sets[p.UID] = &set{namespace: p.Namespace, kind: p.Kind, name: p.Set, uid: p.UID}
			}
			sets[p.UID].pods = append(sets[p.UID].pods, p)
			continue
		}
		if n := x.byName[p.Node]; n != nil && n.selected && n.class.Interruptible {
			list = append(list, finding.New(v1alpha1.CodeOnInterruptible, v1alpha1.SeverityWarning, []string{"pod/" + p.Namespace + "/" + p.Name}, "",
				"%s/%s mounts %s and is on interruptible capacity (%s)", p.Namespace, p.Name, finding.Some(p.Claims), n.class.CapacityType))
		}
	}
	for _, s := range sets {
		if !slices.ContainsFunc(s.pods, func(p *Pod) bool { n := x.byName[p.Node]; return n != nil && n.selected }) {
			continue
		}
		slices.SortFunc(s.pods, func(a, b *Pod) int { return cmp.Compare(a.Name, b.Name) })
		list = append(list, x.interruptible(s)...)
		list = append(list, x.concentrated(s)...)
	}
	slices.SortFunc(list, func(a, b v1alpha1.Finding) int {
		return cmp.Compare(finding.Object(a.Objects[0], ""), finding.Object(b.Objects[0], ""))
	})
	finding.Sort(list)
	return list
}

// interruptible tells how much of a set the provider may take away.
func (x *index) interruptible(s *set) []v1alpha1.Finding {
	byType := map[string][]*Pod{}
	var on []*Pod
	for _, p := range s.pods {
		if n := x.byName[p.Node]; n != nil && n.class.Interruptible {
			on = append(on, p)
			t := string(n.class.CapacityType)
			byType[t] = append(byType[t], p)
		}
	}
	if len(on) == 0 {
		return nil
	}
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, pods []*Pod, format string, args ...any) {
		_, about := podNames(pods)
		list = append(list, finding.New(code, severity, append([]string{s.object()}, about...), "", format, args...))
	}
	terms := strings.Join(slices.Sorted(maps.Keys(byType)), ", ")
	largest, most := largestOf(byType)
	switch {
	case len(on) == len(s.pods):
		add(v1alpha1.CodeAllInterruptible, v1alpha1.SeverityWarning, on, "%s: %s on interruptible capacity (%s)", s, allOf(on), terms)
	case most >= objects.Majority(len(s.pods)):
		add(v1alpha1.CodeMajorityInterruptible, v1alpha1.SeverityWarning, on, "%s", majorityLost(s, largest+" capacity", byType[largest]))
	default:
		add(v1alpha1.CodeOnInterruptible, v1alpha1.SeverityInfo, on, "%s: %d of %d pods on interruptible capacity (%s): %s", s, len(on), len(s.pods), terms, names(on))
	}
	if !x.unread(subjectBudgets) && !x.hasBudget(s) {
		add(v1alpha1.CodeNoBudgetOnSpot, v1alpha1.SeverityWarning, nil, "%s: on interruptible capacity (%s) without a PodDisruptionBudget: a drain may evict all its pods at once", s, terms)
	}
	return list
}

func allOf(pods []*Pod) string {
	if len(pods) == 1 {
		return "its only pod is"
	}
	if len(pods) == 2 {
		return "both pods are"
	}
	return fmt.Sprintf("all %d pods are", len(pods))
}

func majorityLost(s *set, with string, pods []*Pod) string {
	if len(pods) == len(s.pods) {
		return fmt.Sprintf("%s: %s lost with %s: %s", s, allOf(pods), with, names(pods))
	}
	return fmt.Sprintf("%s: a majority, %d of %d pods, is lost with %s: %s", s, len(pods), len(s.pods), with, names(pods))
}

func names(pods []*Pod) string {
	list := make([]string, len(pods))
	for i, p := range pods {
		list[i] = p.Name
	}
	return finding.Some(list)
}

func largestOf(groups map[string][]*Pod) (name string, size int) {
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		if len(groups[key]) > size {
			name, size = key, len(groups[key])
		}
	}
	return name, size
}

// hasBudget reports whether a PodDisruptionBudget selects the set's pods.
func (x *index) hasBudget(s *set) bool {
	return slices.ContainsFunc(x.Budgets[s.namespace], func(budget *metav1.LabelSelector) bool {
		return objects.Matches(budget, x.Labels[s.uid])
	})
}

// concentrated tells of the node, else the zone, and of the group of nodes that hold a majority of a set, where the cluster has
// others that could.
func (x *index) concentrated(s *set) []v1alpha1.Finding {
	if len(s.pods) < 2 {
		return nil
	}
	nodes, zones, owners := map[string][]*Pod{}, map[string][]*Pod{}, map[string][]*Pod{}
	onSpot := map[string]bool{} // by owner; what is lost with spot capacity has been told
	for _, p := range s.pods {
		n := x.byName[p.Node]
		if n == nil {
			continue
		}
		nodes[n.Name] = append(nodes[n.Name], p)
		if n.class.Zone != "" {
			zones[n.class.Zone] = append(zones[n.class.Zone], p)
		}
		if owner := n.class.Owner; owner != nil && owner.Name != "" && owner.Kind != v1alpha1.OwnerMachine {
			name := capacity.Describe(owner)
			owners[name] = append(owners[name], p)
			onSpot[name] = onSpot[name] || n.class.Interruptible
		}
	}
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, with string, pods []*Pod) {
		_, objects := podNames(pods)
		list = append(list, finding.New(code, severity, append([]string{s.object()}, objects...), "", "%s", majorityLost(s, with, pods)))
	}
	node, onNode := largestOf(nodes)
	if onNode >= objects.Majority(len(s.pods)) && x.otherUsable(node) {
		add(v1alpha1.CodeMajorityOnNode, v1alpha1.SeverityWarning, "node "+node, nodes[node])
	}
	// What is lost with the node is lost with its zone: that is told already.
	zone, inZone := largestOf(zones)
	if inZone >= objects.Majority(len(s.pods)) && inZone > onNode && another(x.usable, zone) {
		add(v1alpha1.CodeMajorityInZone, v1alpha1.SeverityWarning, "zone "+zone, zones[zone])
	}
	owner, ofOwner := largestOf(owners)
	if ofOwner >= objects.Majority(len(s.pods)) && ofOwner > onNode && !onSpot[owner] && another(x.usableByOwner, owner) {
		add(v1alpha1.CodeMajorityOfOwner, v1alpha1.SeverityInfo, owner, owners[owner])
	}
	return list
}

// another reports whether there are usable nodes in another zone, or of another owner, than a given one.
func another(usable map[string]int, than string) bool {
	for name, n := range usable {
		if name != "" && name != than && n > 0 {
			return true
		}
	}
	return false
}

// otherUsable reports whether there is a usable node beside one.
func (x *index) otherUsable(than string) bool {
	usable := 0
	for _, n := range x.usable {
		usable += n
	}
	if x.byName[than].usable {
		usable--
	}
	return usable > 0
}

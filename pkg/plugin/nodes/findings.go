package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// set is pods that do one thing together: those of one controller, or of all controllers of a database cluster.
type set struct {
	namespace, kind, name string
	// uids are those of the controllers.
	uids []types.UID
	pods []*Pod
	// cluster is the database cluster; empty for a set that stands alone.
	cluster string
	objects []string
}

// String is what people call the set.
func (s *set) String() string {
	switch {
	case len(s.uids) > 1:
		return fmt.Sprintf("database cluster %s/%s", s.namespace, s.cluster)
	case s.kind == objects.KindStatefulSet:
		return s.namespace + "/" + s.name
	}
	return fmt.Sprintf("%s %s/%s", s.kind, s.namespace, s.name)
}

// setsOf are the sets that pods are of: those of one database cluster are one.
func (x *index) setsOf(pods []*Pod) []*set {
	byKey, seen := map[string]*set{}, map[types.UID]bool{}
	var list []*set
	for _, p := range pods {
		cluster := sets.Group(x.Labels[p.UID])
		key := string(p.UID)
		if cluster != "" {
			key = p.Namespace + "/" + cluster
		}
		s := byKey[key]
		if s == nil {
			s = &set{namespace: p.Namespace, kind: p.Kind, name: p.Set, cluster: cluster}
			byKey[key] = s
			list = append(list, s)
		}
		if !seen[p.UID] {
			seen[p.UID] = true
			s.uids = append(s.uids, p.UID)
			s.objects = append(s.objects, fmt.Sprintf("%s/%s/%s", p.Kind, p.Namespace, p.Set))
		}
		s.pods = append(s.pods, p)
	}
	return list
}

// setFindings are about the sets that have pods on selected nodes, and about the stateful pods there that are of no set.
func (x *index) setFindings() []v1alpha1.Finding {
	var members []*Pod
	var list []v1alpha1.Finding
	for i := range x.Snapshot.Pods {
		p := &x.Snapshot.Pods[i]
		if p.isMember() {
			members = append(members, p)
			continue
		}
		if n := x.byName[p.Node]; n != nil && n.selected && n.class.Interruptible {
			list = append(list, finding.New(v1alpha1.CodeOnInterruptible, v1alpha1.SeverityWarning, []string{"pod/" + p.Namespace + "/" + p.Name}, "",
				"%s/%s mounts %s and is on interruptible capacity (%s)", p.Namespace, p.Name, finding.Some(p.Claims), n.class.CapacityType))
		}
	}
	for _, s := range x.setsOf(members) {
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
		list = append(list, finding.New(code, severity, slices.Concat(s.objects, about), "", format, args...))
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
		return fmt.Sprintf("%s: %s on %s, and losing it takes them all down: %s", s, allOf(pods), with, names(pods))
	}
	return fmt.Sprintf("%s: a majority, %d of %d pods, is on %s, and losing it loses the majority: %s", s, len(pods), len(s.pods), with, names(pods))
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

// hasBudget reports whether PodDisruptionBudgets select the set's pods.
func (x *index) hasBudget(s *set) bool {
	return !slices.ContainsFunc(s.uids, func(uid types.UID) bool {
		return !slices.ContainsFunc(x.Budgets[s.namespace], func(budget *metav1.LabelSelector) bool { return objects.Matches(budget, x.Labels[uid]) })
	})
}

// concentrated reports the node, else the zone, and the group of nodes that hold a majority of a set, where the cluster has
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
		list = append(list, finding.New(code, severity, slices.Concat(s.objects, objects), "", "%s", majorityLost(s, with, pods)))
	}
	node, onNode := largestOf(nodes)
	if onNode >= objects.Majority(len(s.pods)) && x.otherNode(node, nodes[node]) {
		add(v1alpha1.CodeMajorityOnNode, v1alpha1.SeverityWarning, "node "+node, nodes[node])
	}
	// What is lost with the node is lost with its zone: that is reported already.
	zone, inZone := largestOf(zones)
	if inZone >= objects.Majority(len(s.pods)) && inZone > onNode && x.otherZone(zone, zones[zone]) {
		add(v1alpha1.CodeMajorityInZone, v1alpha1.SeverityWarning, "zone "+zone, zones[zone])
	}
	owner, ofOwner := largestOf(owners)
	if ofOwner >= objects.Majority(len(s.pods)) && ofOwner > onNode && !onSpot[owner] && x.otherOwner(owner, owners[owner]) {
		add(v1alpha1.CodeMajorityOfOwner, v1alpha1.SeverityInfo, owner, owners[owner])
	}
	return list
}

package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// place fills in where a pod's node is and on what terms. API servers from 1.35 on copy the node's zone to the pod.
func place(x *index, status *v1alpha1.PodStatus, pod *corev1.Pod) {
	status.Zone = pod.Labels[corev1.LabelTopologyZone]
	if node := x.nodes[pod.Spec.NodeName]; node != nil {
		class := capacity.Classify(node)
		status.Zone, status.CapacityType = cmp.Or(class.Zone, status.Zone), class.CapacityType
	}
}

// placementFindings tell what a single node or zone would take with it, and whether anything limits evictions. They are worth
// knowing and no fault: a small cluster has no choice.
func placementFindings(x *index, set subject, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	if status.Replicas.Desired < 2 {
		return nil
	}
	nodes, zones := groups[string]{}, groups[string]{}
	pods := 0
	for _, o := range status.Ordinals {
		if o.State != v1alpha1.OrdinalPresent || o.Pod.Node == "" {
			continue
		}
		pods++
		nodes.add(o.Pod.Node, o.PodName)
		zones.add(o.Pod.Zone, o.PodName)
	}
	var list []v1alpha1.Finding
	for _, g := range nodes.sorted() {
		if len(g.names) > 1 {
			list = append(list, finding.New(v1alpha1.CodeSharedNode, v1alpha1.SeverityInfo, append(prefixed("pod/", g.names), "node/"+g.key), "",
				"%s are on one node: %s", finding.Some(g.names), g.key))
		}
	}
	if len(zones) == 1 && zones[""] == nil && len(nodes) > 1 { // all on one node has been told
		g := zones.sorted()[0]
		list = append(list, finding.New(v1alpha1.CodeSharedZone, v1alpha1.SeverityInfo, prefixed("pod/", g.names), "", "all %d pods are in one zone: %s", pods, g.key))
	}
	if x.read(subjectBudgets) && len(status.DisruptionBudgets) == 0 {
		list = append(list, finding.New(v1alpha1.CodeNoDisruptionBudget, v1alpha1.SeverityInfo, []string{set.ref}, "",
			"no PodDisruptionBudget selects the pods: a drain may evict all of them at once"))
	}
	return list
}

// subject is a set of whatever controller, as rules see it that hold for all of them.
type subject struct {
	namespace, ref string
	// labels are those that its pods have: of a template, or of each pod.
	labels []map[string]string
}

func subjectOf(set *appsv1.StatefulSet) subject {
	return subject{set.Namespace, "statefulset/" + set.Name, []map[string]string{set.Spec.Template.Labels}}
}

// budgets are the PodDisruptionBudgets that select the pods of a set, by name.
func budgets(x *index, set subject) []*policyv1.PodDisruptionBudget {
	var list []*policyv1.PodDisruptionBudget
	for i := range x.DisruptionBudgets {
		budget := &x.DisruptionBudgets[i]
		selects := func(labels map[string]string) bool { return objects.Matches(budget.Spec.Selector, labels) }
		if budget.Namespace == set.namespace && slices.ContainsFunc(set.labels, selects) {
			list = append(list, budget)
		}
	}
	slices.SortFunc(list, func(a, b *policyv1.PodDisruptionBudget) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// unreachableVolumes tells from where an unschedulable pod's volumes can be reached, if not from everywhere: a volume in a zone whose nodes
// are gone, on a node that is, or in one whose nodes have no room.
func unreachableVolumes(x *index, pod *corev1.Pod) string {
	if !x.read(subjectNodes) || !x.read(subjectVolumes) {
		return ""
	}
	text := ""
	for _, name := range boundVolumes(x, pod) {
		v := x.claims.Volume[name]
		if v == nil || v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
			continue
		}
		var usable, unusable []string
		for _, node := range x.nodes {
			if !reaches(node, v.Spec.NodeAffinity.Required) {
				continue
			}
			if objects.NodeSchedulable(node) {
				usable = append(usable, node.Name)
			} else {
				unusable = append(unusable, node.Name)
			}
		}
		text += fmt.Sprintf("; its volume %s can only be reached from %s", v.Name, describeAffinity(v.Spec.NodeAffinity.Required))
		if slices.Sort(usable); len(usable) > 0 {
			if len(usable) < len(x.nodes) {
				text += fmt.Sprintf(" (%s)", finding.Some(usable))
			}
			continue
		}
		text += ", and "
		if slices.Sort(unusable); len(unusable) > 0 {
			text += fmt.Sprintf("no node there is usable: %s not ready or cordoned", areThey(unusable))
		} else {
			text += "no node exists there"
		}
	}
	return text
}

// reaches reports whether a node satisfies a volume's affinity. Terms that can't be understood match no node.
func reaches(node *corev1.Node, affinity *corev1.NodeSelector) bool {
	selector, err := nodeaffinity.NewNodeSelector(affinity)
	return err == nil && selector.Match(node)
}

// describeAffinity names the places of a volume: zone a or b.
func describeAffinity(affinity *corev1.NodeSelector) string {
	var places []string
	for _, term := range affinity.NodeSelectorTerms {
		var parts []string
		for _, r := range slices.Concat(term.MatchExpressions, term.MatchFields) {
			values := strings.Join(r.Values, " or ")
			switch {
			case capacity.IsZoneLabel(r.Key):
				parts = append(parts, "zone "+values)
			case r.Key == corev1.LabelHostname || r.Key == "metadata.name":
				parts = append(parts, "node "+values)
			default:
				parts = append(parts, fmt.Sprintf("%s %s %s", r.Key, r.Operator, values))
			}
		}
		places = append(places, strings.Join(parts, " and "))
	}
	slices.Sort(places)
	return strings.Join(slices.Compact(places), " or ")
}

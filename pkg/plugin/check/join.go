package check

import (
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// join gives each finding to the items that it is about, and notes what was looked at of each.
func (x *index) join() {
	for _, i := range x.items {
		if i.set != nil {
			i.add(i.set.Findings...)
		}
	}
	x.joinDNS()
	x.joinNodes()
	x.joinMySQL()
}

// joinDNS gives what is found about a Service to the sets that name it, or to those among all that a finding names, by their pods too.
func (x *index) joinDNS() {
	if x.dns == nil || len(x.dns.Items) == 0 { // then nobody looked for DNS servers either
		return
	}
	x.cluster.add(x.dns.Findings...)
	for i := range x.dns.Items {
		service := &x.dns.Items[i]
		items := x.itemsOfService(service)
		part := dns.Checked(service)
		for _, gap := range x.dns.Gaps {
			finding.AddGap(&part, gap)
		}
		for _, it := range items {
			it.checked(part)
		}
		for j := range service.Findings {
			f := &service.Findings[j]
			for _, it := range x.concerned(items, f, service.Metadata.Namespace) {
				it.add(*f)
			}
		}
	}
}

// concerned are those that a finding about a Service belongs to, of which items are to do with the Service: whoever it names, else all
// of them. What it says of sets that nobody asked for is left out.
func (x *index) concerned(items []*item, f *v1alpha1.Finding, namespace string) []*item {
	if named := x.about(nil, f, namespace); len(named) > 0 {
		return named
	}
	if x.Chosen && len(ofKind("statefulset", f))+len(ofKind("pod", f)) > 0 {
		return nil
	}
	return items
}

func (x *index) itemsOfService(service *v1alpha1.HeadlessDNS) []*item {
	namespace := service.Metadata.Namespace
	var items []*item
	for _, name := range service.StatefulSets {
		if it := x.bySet[namespace+"/"+name]; it != nil {
			items = append(items, it)
		}
	}
	if len(items) == 0 {
		for i := range service.Findings {
			items = x.about(items, &service.Findings[i], namespace)
		}
	}
	if len(items) == 0 && !x.Chosen {
		items = append(items, x.newItem(v1alpha1.SubjectService, service.Metadata))
	}
	return items
}

// about adds the items that a finding's objects belong to.
func (x *index) about(items []*item, f *v1alpha1.Finding, namespace string) []*item {
	for _, object := range f.Objects {
		kind, of, name := parts(object)
		if of == "" {
			of = namespace
		}
		var it *item
		switch kind {
		case "statefulset":
			it = x.bySet[of+"/"+name]
		case "pod":
			it = x.byPod[of+"/"+name]
		case "persistentvolumeclaim":
			it = x.byClaim[of+"/"+name]
		}
		if it != nil && !slices.Contains(items, it) {
			items = append(items, it)
		}
	}
	return items
}

// joinNodes gives what is found about nodes to the sets that have pods there. What is about a node alone, or about pods of no set,
// concerns the cluster.
func (x *index) joinNodes() {
	if x.nodes == nil {
		return
	}
	for i := range x.nodes.Findings {
		f := &x.nodes.Findings[i]
		items := x.about(nil, f, "")
		if len(items) == 0 && !x.Chosen {
			x.cluster.add(*f)
		}
		for _, it := range items {
			it.add(*f)
		}
	}
	for i := range x.nodes.Items {
		node := &x.nodes.Items[i]
		for j := range node.Findings {
			f := &node.Findings[j]
			items := x.about(nil, f, "")
			ofOthers := slices.ContainsFunc(f.Objects, func(object string) bool { return !strings.HasPrefix(object, "node/") })
			switch {
			case len(items) > 0:
				for _, it := range items {
					it.add(*f)
				}
			case ofOthers && !x.Chosen, !ofOthers && len(x.onNode[node.Metadata.Name]) > 0, x.Nodes.AllPods && !x.Chosen:
				x.cluster.add(*f)
			}
		}
	}
	for node, items := range x.onNode {
		part := v1alpha1.CheckedPart{Part: v1alpha1.PartNodes, Number: 1, Of: 1}
		if x.byNode[node] == nil {
			part.Number = 0
			part.Gaps = []v1alpha1.Gap{{Kind: v1alpha1.GapUnread, Number: 1, Reason: "there is no such node any more"}}
		}
		for _, it := range items {
			it.checked(part)
		}
	}
}

// joinMySQL gives each set of servers to the StatefulSet that controls all of them, if there is one.
func (x *index) joinMySQL() {
	if x.mysql == nil {
		return
	}
	for i := range x.mysql.Items {
		t := &x.mysql.Items[i]
		part := dbtopology.Checked(t)
		var items []*item
		for _, s := range t.Servers {
			if it := x.byPod[t.Metadata.Namespace+"/"+s.Pod]; it == nil || !slices.Contains(items, it) {
				items = append(items, it)
			}
		}
		it := items[0]
		if x.Chosen && !slices.ContainsFunc(items, func(it *item) bool { return it != nil }) {
			continue // of a set that nobody asked for
		}
		if len(items) > 1 || it == nil {
			it = x.newItem(v1alpha1.SubjectServers, t.Metadata)
		}
		it.topologies = append(it.topologies, t)
		it.checked(part)
		it.add(t.Findings...)
	}
}

// checked adds to what was looked at.
func (i *item) checked(part v1alpha1.CheckedPart) {
	for j := range i.Checked {
		if p := &i.Checked[j]; p.Part == part.Part {
			p.Number += part.Number
			p.Of += part.Of
			p.Gaps = slices.Clone(p.Gaps)
			for _, gap := range part.Gaps {
				finding.AddGap(p, gap)
			}
			return
		}
	}
	i.Checked = append(i.Checked, part)
}

// explanation is codes whose findings say more than those of other codes about the same thing.
type explanation struct {
	by, codes []v1alpha1.Code
	// object is the kind of the objects that have to be the same; empty if it is enough that both are about the same set.
	object string
}

type codes = []v1alpha1.Code

// explanations are tried in their order: what explains something itself comes before what explains it.
var explanations = []explanation{
	// Of one zone or one node.
	{codes{v1alpha1.CodeReplicasTogether}, codes{v1alpha1.CodeMajorityOnNode, v1alpha1.CodeMajorityInZone, v1alpha1.CodeSharedNode, v1alpha1.CodeSharedZone}, ""},
	{codes{v1alpha1.CodeMajorityOnNode}, codes{v1alpha1.CodeSharedNode}, ""},
	{codes{v1alpha1.CodeMajorityInZone}, codes{v1alpha1.CodeSharedZone}, ""},
	{codes{v1alpha1.CodeZoneLoss}, codes{v1alpha1.CodeMajorityInZone, v1alpha1.CodeMajorityOnNode, v1alpha1.CodeReplicasTogether, v1alpha1.CodeSharedZone}, ""},
	// Of capacity.
	{codes{v1alpha1.CodeQuorumAtStake}, codes{v1alpha1.CodeAllInterruptible, v1alpha1.CodeMajorityInterruptible, v1alpha1.CodePrimaryOnSpot, v1alpha1.CodeMajorityOnNode}, "pod"},
	{codes{v1alpha1.CodeQuorumAtStake, v1alpha1.CodeWriterGoing}, codes{v1alpha1.CodeNodeGoing}, "node"},
	{codes{v1alpha1.CodeNoBudgetOnSpot}, codes{v1alpha1.CodeNoDisruptionBudget}, ""},
	// Of volumes.
	{codes{v1alpha1.CodeWriterVolume}, codes{v1alpha1.CodeVolumeFilling, v1alpha1.CodeVolumeFull}, "persistentvolumeclaim"},
	// Of roles.
	{codes{v1alpha1.CodeRolesContradict}, codes{v1alpha1.CodeRoleLabelWrong, v1alpha1.CodeWriteServiceReachesReplica}, "pod"},
	// Of a source that is gone: the pods of its replicas are Ready all the same.
	{codes{v1alpha1.CodeSourceUnreachable}, codes{v1alpha1.CodeReadyButBroken}, "pod"},
	// Of pods that there are not: a Service can't select them, and with such a name of the set there can be none.
	{codes{v1alpha1.CodeOrdinalMissing, v1alpha1.CodeOrdinalBlocked}, codes{v1alpha1.CodeDNSSelectsNothing}, "pod"},
	{codes{v1alpha1.CodeDNSNameTooLong}, codes{v1alpha1.CodeOrdinalMissing}, ""},
	// Of names.
	{codes{v1alpha1.CodeDNSServiceMissing, v1alpha1.CodeDNSNotHeadless, v1alpha1.CodeDNSSelectsNothing}, codes{v1alpha1.CodeServiceUnsound}, "service"},
	// DNS servers give pods names through other Services too, which nobody promises.
	{codes{v1alpha1.CodeDNSNotHeadless}, codes{v1alpha1.CodeDNSExtra}, "service"},
	// A pod that is not ready has no address in DNS: that is told with the pod.
	{codes{v1alpha1.CodePodNotReady, v1alpha1.CodeOOMKilled, v1alpha1.CodeCrashLoop, v1alpha1.CodeUnschedulable, v1alpha1.CodeStuckTerminating}, codes{v1alpha1.CodeDNSNotReady}, "pod"},
	// Of a server that does not answer: why its container does not run says more, and that its pod is not ready says less.
	{codes{v1alpha1.CodeOOMKilled, v1alpha1.CodeCrashLoop, v1alpha1.CodeUnschedulable, v1alpha1.CodeStuckTerminating, v1alpha1.CodeAttachedElsewhere}, codes{v1alpha1.CodeServerSilent}, "pod"},
	{codes{v1alpha1.CodeServerSilent}, codes{v1alpha1.CodePodNotReady}, "pod"},
	// What is not ready because of its node, or on no node because of its claims, says so by naming them.
	{codes{v1alpha1.CodeNodeOutOfUse}, codes{v1alpha1.CodePodNotReady}, "node"},
	{codes{v1alpha1.CodeClaimNotBound}, codes{v1alpha1.CodeUnschedulable}, "persistentvolumeclaim"},
}

// explained leaves findings out that others explain, which then name their codes.
func explained(list []v1alpha1.CheckFinding) []v1alpha1.CheckFinding {
	gone := make([]bool, len(list))
	for _, e := range explanations {
		for j := range list {
			if gone[j] || !slices.Contains(e.codes, list[j].Code) {
				continue
			}
			var by []int
			for i := range list {
				if !gone[i] && slices.Contains(e.by, list[i].Code) && e.concern(&list[i].Finding, &list[j].Finding) {
					by = append(by, i)
				}
			}
			if len(by) == 0 || !e.cover(list, by, &list[j].Finding) {
				continue
			}
			gone[j] = true
			explainer := &list[by[0]]
			for _, code := range append(codes{list[j].Code}, list[j].Also...) {
				if !slices.Contains(explainer.Also, code) {
					explainer.Also = append(explainer.Also, code)
				}
			}
			if finding.CompareSeverity(list[j].Severity, explainer.Severity) > 0 {
				explainer.Severity, explainer.Progressing = list[j].Severity, list[j].Progressing
			}
		}
	}
	var kept []v1alpha1.CheckFinding
	for i := range list {
		if !gone[i] {
			slices.Sort(list[i].Also)
			kept = append(kept, list[i])
		}
	}
	return kept
}

// concern tells whether two findings are about an object of the kind that counts together.
func (e *explanation) concern(by, f *v1alpha1.Finding) bool {
	return e.object == "" || slices.ContainsFunc(ofKind(e.object, by), func(name string) bool { return slices.Contains(ofKind(e.object, f), name) })
}

// cover tells whether all objects that count of a finding are among those of the ones that would explain it.
func (e *explanation) cover(list []v1alpha1.CheckFinding, by []int, f *v1alpha1.Finding) bool {
	return e.object == "" || !slices.ContainsFunc(ofKind(e.object, f), func(name string) bool {
		return !slices.ContainsFunc(by, func(i int) bool { return slices.Contains(ofKind(e.object, &list[i].Finding), name) })
	})
}

// ofKind are the names of a finding's objects of a kind.
func ofKind(kind string, f *v1alpha1.Finding) []string {
	var names []string
	for _, object := range f.Objects {
		if k, _, name := parts(object); k == kind {
			names = append(names, name)
		}
	}
	return names
}

package check

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/volumes"
)

// join gives each finding to the items that it is about, and notes what was looked at of each.
func (x *index) join() {
	for _, i := range x.items {
		if i.set != nil {
			i.add(i.set.Findings...)
		}
	}
	x.joinVolumes()
	x.joinDNS()
	x.joinNodes()
	x.joinServers()
}

// joinVolumes makes an item of each namespace that has claims of no set, or volumes that are left of them.
func (x *index) joinVolumes() {
	if x.volumes == nil {
		return
	}
	byNamespace := map[string][]v1alpha1.VolumeStatus{}
	for i := range x.volumes.Items {
		if v := &x.volumes.Items[i]; v.Set == nil { // a set's that is gone may still have its name
			byNamespace[v.Metadata.Namespace] = append(byNamespace[v.Metadata.Namespace], *v)
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(byNamespace)) {
		it := x.newItem(v1alpha1.SubjectVolumes, v1alpha1.ObjectMeta{Namespace: namespace})
		it.checked(volumes.Checked(x.Volumes, byNamespace[namespace]))
		for _, f := range x.volumes.Findings {
			if finding.Family(f.Code) == familyVolumes && slices.ContainsFunc(f.Objects, func(o v1alpha1.ObjectReference) bool { return o.Namespace == namespace }) {
				it.add(f)
			}
		}
	}
}

// freeClaims counts the claims that belong to no set.
func (x *index) freeClaims() int32 {
	n := int32(0)
	if x.volumes != nil {
		for i := range x.volumes.Items {
			if v := &x.volumes.Items[i]; v.Set == nil && v.Claim.UID != "" && v.Claim.Phase != v1alpha1.ClaimReleased && v.Claim.Phase != v1alpha1.ClaimFailed {
				n++
			}
		}
	}
	return n
}

// joinDNS gives what is found about a Service to the sets that name it, or to those among all that a finding names, by their pods too.
func (x *index) joinDNS() {
	if x.dns == nil || len(x.dns.Items) == 0 { // then DNS servers were not looked for either
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

// concerned are those that a finding about a Service belongs to, of which items are to do with the Service: the set that it names, else all
// of them. What it says of sets that were not asked for is left out.
func (x *index) concerned(items []*item, f *v1alpha1.Finding, namespace string) []*item {
	if named := x.about(nil, f, namespace); len(named) > 0 {
		return named
	}
	if x.Chosen && len(ofKind("StatefulSet", f))+len(ofKind("Pod", f)) > 0 {
		return nil
	}
	return items
}

func (x *index) itemsOfService(service *v1alpha1.HeadlessDNS) []*item {
	namespace := service.Metadata.Namespace
	var items []*item
	for _, name := range service.StatefulSets {
		if it := x.bySet[objects.KindStatefulSet+"/"+namespace+"/"+name]; it != nil {
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
		key := cmp.Or(object.Namespace, namespace) + "/" + object.Name
		var it *item
		switch object.Kind {
		case "Pod":
			it = x.byPod[key]
		case "PersistentVolumeClaim":
			it = x.byClaim[key]
		default:
			it = x.bySet[object.Kind+"/"+key]
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
		items := x.firsts(x.about(nil, f, ""))
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
			ofOthers := slices.ContainsFunc(f.Objects, func(object v1alpha1.ObjectReference) bool { return object.Kind != "Node" })
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
			part.Gaps = []v1alpha1.Gap{{Kind: v1alpha1.GapUnread, Number: 1, Reason: "the node no longer exists"}}
		}
		for _, it := range items {
			it.checked(part)
		}
	}
}

// firsts leaves out items of a database cluster of which another is there: what is found of all of them is told of the first.
func (x *index) firsts(items []*item) []*item {
	return slices.DeleteFunc(slices.Clone(items), func(i *item) bool {
		first := x.together(i)[0]
		return first != i && slices.Contains(items, first)
	})
}

// joinServers gives each set of servers to the StatefulSet that controls all of them, if there is one.
func (x *index) joinServers() {
	if x.servers == nil {
		return
	}
	for i := range x.servers.Items {
		t := &x.servers.Items[i]
		part := dbtopology.Checked(t)
		var items []*item
		for _, s := range t.Servers {
			if it := x.byPod[t.Metadata.Namespace+"/"+s.Pod]; it == nil || !slices.Contains(items, it) {
				items = append(items, it)
			}
		}
		it := items[0]
		if x.Chosen && !slices.ContainsFunc(items, func(it *item) bool { return it != nil }) {
			continue // of a set that was not asked for
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

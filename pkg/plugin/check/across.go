package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"

	policyv1 "k8s.io/api/policy/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// across adds what shows only where the parts are laid over each other.
func (x *index) across() {
	for _, i := range x.items {
		for _, t := range i.topologies {
			x.writerGoing(i, t)
			x.quorum(i, t)
			x.readersOnOneNode(i, t)
			x.writerVolume(i, t)
			x.roles(i, t)
		}
		x.labelledWriters(i)
		x.zoneLoss(i)
		x.budget(i)
	}
}

func (i *item) cross(code v1alpha1.Code, severity v1alpha1.Severity, objects []string, format string, args ...any) {
	i.add(finding.In(i.Metadata.Namespace, []v1alpha1.Finding{finding.New(code, severity, objects, "", format, args...)})...)
}

// writes reports whether a server takes the writes of its set. All nodes of a Galera cluster may.
func writes(s *v1alpha1.DatabaseServer) bool {
	switch s.Role {
	case v1alpha1.RoleSource, v1alpha1.RolePrimary:
		return true
	case v1alpha1.RoleStandalone:
		return s.ReadOnly == nil || !*s.ReadOnly
	}
	return false
}

// votes reports whether the servers of a set decide by majority.
func votes(t *v1alpha1.DatabaseTopology) bool {
	return t.Replication == v1alpha1.ReplicationGroup || t.Replication == v1alpha1.ReplicationGalera
}

// writerGoing reports a source that will be gone with its node.
func (x *index) writerGoing(i *item, t *v1alpha1.DatabaseTopology) {
	for j := range t.Servers {
		s := &t.Servers[j]
		node := x.byNode[s.Node]
		if node == nil || !writes(s) {
			continue
		}
		if cause := capacity.Going(&node.Class, node.Terminating); cause != "" {
			i.cross(v1alpha1.CodeWriterGoing, v1alpha1.SeverityError, []string{"pod/" + s.Pod, "node/" + s.Node},
				"%s takes the writes, and its node %s is about to go away (%s): switch over to a healthy replica now", s.Pod, s.Node, cause)
		}
	}
}

// quorum tells what would take the majority of a group away: nodes that are about to go, capacity that the provider takes back, one node.
func (x *index) quorum(i *item, t *v1alpha1.DatabaseTopology) {
	if !votes(t) || len(t.Servers) < 3 || x.nodes == nil {
		return
	}
	var onGoing, onSpot []*v1alpha1.DatabaseServer
	byNode := map[string][]*v1alpha1.DatabaseServer{}
	types := map[string]bool{}
	for j := range t.Servers {
		s := &t.Servers[j]
		node := x.byNode[s.Node]
		if node == nil {
			continue
		}
		byNode[s.Node] = append(byNode[s.Node], s)
		switch {
		case capacity.Going(&node.Class, node.Terminating) != "":
			onGoing = append(onGoing, s)
		case node.Class.Interruptible:
			onSpot = append(onSpot, s)
			types[string(node.Class.CapacityType)] = true
		}
	}
	lost := func(servers []*v1alpha1.DatabaseServer) bool {
		return len(t.Servers)-len(servers) < objects.Majority(len(t.Servers))
	}
	tell := func(severity v1alpha1.Severity, servers []*v1alpha1.DatabaseServer, where string) {
		names, about := podsAndNodes(servers)
		i.cross(v1alpha1.CodeQuorumAtStake, severity, about, "the quorum is %s: without %s, %d of %d servers are left, and %d are needed",
			where, finding.Some(names), len(t.Servers)-len(servers), len(t.Servers), objects.Majority(len(t.Servers)))
	}
	if lost(onGoing) {
		tell(v1alpha1.SeverityError, onGoing, "on nodes that are about to go away")
	}
	if lost(onSpot) {
		tell(v1alpha1.SeverityWarning, onSpot, fmt.Sprintf("on interruptible capacity (%s)", strings.Join(slices.Sorted(maps.Keys(types)), ", ")))
	}
	for _, node := range slices.Sorted(maps.Keys(byNode)) {
		if lost(byNode[node]) && x.room.OtherNode(node, t.Metadata.Namespace+"/"+byNode[node][0].Pod) {
			tell(v1alpha1.SeverityWarning, byNode[node], "on one node, "+node)
			break
		}
	}
}

func podsAndNodes(servers []*v1alpha1.DatabaseServer) (names, objects []string) {
	var nodes []string
	for _, s := range servers {
		names = append(names, s.Pod)
		objects = append(objects, "pod/"+s.Pod)
		if node := "node/" + s.Node; !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return names, append(objects, nodes...)
}

// readersOnOneNode reports Services for reading that are gone with one node, though there are others.
func (x *index) readersOnOneNode(i *item, t *v1alpha1.DatabaseTopology) {
	nodeOf := map[string]string{}
	for _, s := range t.Servers {
		nodeOf[s.Pod] = s.Node
	}
	for _, service := range t.Services {
		if service.Purpose != v1alpha1.ServiceForReading || len(service.Reaches) < 2 {
			continue
		}
		node := nodeOf[service.Reaches[0]]
		if node == "" || slices.ContainsFunc(service.Reaches, func(pod string) bool { return nodeOf[pod] != node }) || x.room == nil || !x.room.OtherNode(node, t.Metadata.Namespace+"/"+service.Reaches[0]) {
			continue
		}
		objects := []string{"service/" + service.Name, "node/" + node}
		for _, pod := range service.Reaches {
			objects = append(objects, "pod/"+pod)
		}
		i.cross(v1alpha1.CodeReadersOneNode, v1alpha1.SeverityWarning, objects, "all %d servers behind the read Service %s are on the node %s: %s",
			len(service.Reaches), service.Name, node, finding.Some(service.Reaches))
	}
}

// writerVolume reports a source whose volume fills up: when it is full, all writes stop.
func (x *index) writerVolume(i *item, t *v1alpha1.DatabaseTopology) {
	for j := range t.Servers {
		s := &t.Servers[j]
		of := x.byPod[t.Metadata.Namespace+"/"+s.Pod] // an operator may have a StatefulSet for each server
		if !writes(s) || of == nil {
			continue
		}
		for _, o := range of.set.Ordinals {
			if o.PodName != s.Pod {
				continue
			}
			for k := range o.Claims {
				x.writersClaim(i, t.Metadata.Namespace, &o.Claims[k], s.Pod, s.Node, "takes the writes")
			}
		}
	}
}

// roles reports a replica that its label and a Service take for the source.
func (x *index) roles(i *item, t *v1alpha1.DatabaseTopology) {
	writer := "no server takes writes"
	for j := range t.Servers {
		if writes(&t.Servers[j]) {
			writer = t.Servers[j].Pod + " does"
			break
		}
	}
	for j := range t.Servers {
		s := &t.Servers[j]
		isReplica := s.Role == v1alpha1.RoleReplica || s.Role == v1alpha1.RoleRelay || s.Role == v1alpha1.RoleSecondary
		if s.LabelledRole != v1alpha1.LabelledPrimary || !isReplica {
			continue
		}
		for _, service := range t.Services {
			if service.Purpose == v1alpha1.ServiceForWriting && slices.Contains(service.Reaches, s.Pod) {
				i.cross(v1alpha1.CodeRolesContradict, v1alpha1.SeverityError, []string{"pod/" + s.Pod, "service/" + service.Name},
					"%s is labelled primary and the Service %s sends writes to it, but the server is a %s: %s",
					s.Pod, service.Name, strings.ToLower(string(s.Role)), writer)
			}
		}
	}
}

// place is a member of a set, and whether the set could go on with it.
type place struct {
	pod, zone string
	// survives says that the set goes on if this one is left: a source, or a replica that could become one.
	survives bool
	unfit    string // why not
}

// labelledWriters reports what is wrong around the pod that an operator's label calls the primary, where servers do not tell who takes the writes: a
// node that is about to go, a volume that fills up.
func (x *index) labelledWriters(i *item) {
	answered := map[string]bool{}
	for _, t := range i.topologies {
		for j := range t.Servers {
			s := &t.Servers[j]
			if writes(s) {
				return
			}
			answered[s.Pod] = s.Unreachable == ""
		}
	}
	if i.set == nil {
		return
	}
	for j := range i.set.Ordinals {
		o := &i.set.Ordinals[j]
		if o.Pod == nil || o.Pod.Role != v1alpha1.LabelledPrimary || answered[o.PodName] {
			continue
		}
		if node := x.byNode[o.Pod.Node]; node != nil {
			if cause := capacity.Going(&node.Class, node.Terminating); cause != "" {
				i.cross(v1alpha1.CodeWriterGoing, v1alpha1.SeverityError, []string{"pod/" + o.PodName, "node/" + o.Pod.Node},
					"%s is labelled primary, and its node %s is about to go away (%s): switch over to a healthy replica now", o.PodName, o.Pod.Node, cause)
			}
		}
		for k := range o.Claims {
			x.writersClaim(i, i.set.Metadata.Namespace, &o.Claims[k], o.PodName, o.Pod.Node, "is labelled primary")
		}
	}
}

// writersClaim reports a volume that fills up of a server that takes the writes, as far as is known: when it is full, all writes stop.
func (x *index) writersClaim(i *item, namespace string, c *v1alpha1.ClaimStatus, pod, node, writes string) {
	if c.Usage == nil || c.Usage.UsedPercent == nil || *c.Usage.UsedPercent < claims.FillingPercent {
		return
	}
	severity, then := v1alpha1.SeverityError, "it will stop when it is full"
	if *c.Usage.UsedPercent >= claims.FullPercent {
		severity, then = v1alpha1.SeverityCritical, "all writes stop when it is full"
	}
	full := c.Name
	grow, obstacle := claims.Growth(x.Sets.Read, x.Sets.StorageClasses, namespace, c)
	if c.OnNodeDisk { // a larger claim changes nothing
		full, grow, obstacle = "the disk of node "+node+" that holds "+c.Name, "", ""
	}
	i.cross(v1alpha1.CodeWriterVolume, severity, []string{"persistentvolumeclaim/" + c.Name, "pod/" + pod},
		"%s is %d%% full, and %s %s: %s%s", full, *c.Usage.UsedPercent, pod, writes, then, obstacle)
	i.found[len(i.found)-1].Remedy.Command = grow
}

// together are the items whose sets are of one database cluster with an item's, that one among them, as labels of their pods say.
func (x *index) together(i *item) []*item {
	if i.set == nil || i.set.DatabaseCluster == "" || !hasRoles(i.set) {
		return []*item{i}
	}
	var list []*item
	for _, other := range x.items {
		if other.set != nil && other.set.DatabaseCluster == i.set.DatabaseCluster && other.Metadata.Namespace == i.Metadata.Namespace && hasRoles(other.set) {
			list = append(list, other)
		}
	}
	return list
}

// hasRoles reports whether labels tell roles of a set's pods: what has none is no server of its cluster.
func hasRoles(set *v1alpha1.SetStatus) bool {
	return slices.ContainsFunc(set.Ordinals, func(o v1alpha1.Ordinal) bool { return o.Pod != nil && o.Pod.Role != "" })
}

// zoneLoss reports sets that would not survive the loss of the zone that holds most of their pods, where there are other zones.
func (x *index) zoneLoss(i *item) {
	if x.nodes == nil || len(i.topologies) > 1 || i.onItsWay() {
		return
	}
	together := x.together(i)
	if together[0] != i { // that is told of the first
		return
	}
	places, needed := x.places(i)
	for _, other := range together[1:] {
		if other.onItsWay() || len(other.topologies) > 0 {
			return
		}
		more, _ := x.places(other)
		places = append(places, more...)
	}
	if len(places) < 2 {
		return
	}
	byZone := map[string]int{}
	for _, p := range places {
		if p.zone == "" {
			return // what is not known can't be lost
		}
		byZone[p.zone]++
	}
	fullest := ""
	for _, zone := range slices.Sorted(maps.Keys(byZone)) {
		if byZone[zone] > byZone[fullest] {
			fullest = zone
		}
	}
	if at := slices.IndexFunc(places, func(p place) bool { return p.zone == fullest }); !x.room.OtherZone(fullest, i.Metadata.Namespace+"/"+places[at].pod) {
		return
	}
	var objects, gone, unfit []string
	left := 0
	for _, p := range places {
		switch {
		case p.zone == fullest:
			gone = append(gone, p.pod)
			objects = append(objects, "pod/"+p.pod)
		case p.survives:
			left++
		default:
			unfit = append(unfit, p.pod+" "+p.unfit)
		}
	}
	if left >= needed {
		return
	}
	remains := fmt.Sprintf("%d of %d pods are left", len(places)-len(gone), len(places))
	if needed > 1 {
		remains += fmt.Sprintf(", and %d are needed", needed)
	}
	if len(unfit) > 0 {
		remains += ", of which " + finding.Some(unfit)
	}
	i.cross(v1alpha1.CodeZoneLoss, v1alpha1.SeverityWarning, objects, "would not survive the loss of zone %s (%s): %s", fullest, finding.Some(gone), remains)
}

// places are the members of a set with their zones, and how many have to be left for it to go on.
func (x *index) places(i *item) (places []place, needed int) {
	zoneOf := func(node string) string {
		if n := x.byNode[node]; n != nil {
			return n.Class.Zone
		}
		return ""
	}
	if len(i.topologies) == 1 {
		t := i.topologies[0]
		if t.Replication == v1alpha1.ReplicationNone || t.Replication == v1alpha1.ReplicationUnknown {
			return nil, 0
		}
		needed = 1
		if votes(t) {
			needed = objects.Majority(len(t.Servers))
		}
		for j := range t.Servers {
			s := &t.Servers[j]
			p := place{pod: s.Pod, zone: zoneOf(s.Node)}
			p.survives, p.unfit = fit(s)
			places = append(places, p)
		}
		return places, needed
	}
	if i.set == nil {
		return nil, 0
	}
	for _, o := range i.set.Ordinals {
		if o.State == v1alpha1.OrdinalPresent && o.Pod != nil && o.Pod.Node != "" {
			places = append(places, place{pod: o.PodName, zone: zoneOf(o.Pod.Node), survives: o.Pod.Ready, unfit: "is not ready"})
		}
	}
	return places, 1
}

// fit reports whether a set could go on with a server: it takes writes, or could.
func fit(s *v1alpha1.DatabaseServer) (ok bool, why string) {
	switch {
	case s.Unreachable != "":
		return false, "does not answer"
	case s.MySQL != nil && s.MySQL.Group != nil && s.MySQL.Group.State != v1alpha1.GroupOnline:
		return false, "is " + string(s.MySQL.Group.State)
	case s.MySQL != nil && s.MySQL.Galera != nil && (s.MySQL.Galera.ClusterStatus != v1alpha1.GaleraPrimary || !s.MySQL.Galera.Ready):
		return false, "is not in the primary component"
	}
	for _, c := range s.Channels {
		switch {
		case c.ApplierError != nil && c.ApplierError.Number != 0, c.ReceiverError != nil && c.ReceiverError.Number != 0:
			return false, "has broken replication"
		case c.Receiver == v1alpha1.ThreadStopped || c.Applier == v1alpha1.ThreadStopped:
			return false, "does not replicate"
		case c.LagMilliseconds != nil && *c.LagMilliseconds >= dbstate.StaleMilliseconds:
			return false, fmt.Sprintf("is %d s late", *c.LagMilliseconds/1000)
		}
	}
	return true, ""
}

// budget reports a PodDisruptionBudget that protects nothing: it lets so many pods be evicted at the same time that no majority, or
// no pod, is left.
func (x *index) budget(i *item) {
	if i.set == nil || i.set.Replicas.Desired < 2 || len(i.set.DisruptionBudgets) != 1 {
		return
	}
	n := int(i.set.Replicas.Desired)
	name := i.set.DisruptionBudgets[0]
	at := slices.IndexFunc(x.Sets.DisruptionBudgets, func(b policyv1.PodDisruptionBudget) bool {
		return b.Name == name && b.Namespace == i.set.Metadata.Namespace
	})
	if at < 0 {
		return
	}
	spec := &x.Sets.DisruptionBudgets[at].Spec
	allowed, rule := objects.Evictions(spec, n)
	needed, what := 1, "no pod is left"
	if len(i.topologies) == 1 && votes(i.topologies[0]) {
		needed, what = objects.Majority(n), fmt.Sprintf("%d are left of the %d that a quorum needs", n-allowed, objects.Majority(n))
	}
	if n-allowed >= needed {
		return
	}
	i.cross(v1alpha1.CodeBudgetTooLoose, v1alpha1.SeverityWarning, []string{"poddisruptionbudget/" + name, i.set.Controller.Kind + "/" + i.set.Metadata.Name},
		"the PodDisruptionBudget %s (%s) allows evicting %d of %d pods at the same time: %s", name, rule, allowed, n, what)
}

// onItsWay reports whether pods of a set are starting or being replaced, and not late: where they will be shows when they are there.
func (i *item) onItsWay() bool {
	return slices.ContainsFunc(i.found, func(f v1alpha1.CheckFinding) bool { return f.Progressing && finding.Family(f.Code) == familySets })
}

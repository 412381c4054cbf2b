package dbtopology

import (
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// placement reports what one machine's end would take away.
func (j *Judge) placement() {
	var primary *server
	var others []*server
	for _, s := range j.Set.Servers {
		switch s.Role() {
		case v1alpha1.RolePrimary, v1alpha1.RoleSource, v1alpha1.RoleStandalone:
			if primary == nil || len(s.Replicas) > len(primary.Replicas) {
				primary = s
			}
		}
	}
	if primary == nil && j.Report.Replication == v1alpha1.ReplicationGalera {
		primary = j.Set.Servers[0]
	}
	if primary == nil {
		return
	}
	if node := j.nodeOf(primary); node != nil && j.Report.Replication != v1alpha1.ReplicationGalera {
		if class := j.classOf(node); capacity.Interruptible(class.CapacityType) {
			j.add(finding.RulePrimaryOnSpot, v1alpha1.SeverityWarning, PodNames([]*server{primary}), nil,
				"%s, which takes the writes, runs on %s, a %s node (%s): the provider may take it away", primary.Pod.Name, node.Name, class.CapacityType, class.Evidence)
			f := &j.list[len(j.list)-1]
			f.Objects = append(f.Objects, finding.Ref("node/"+node.Name))
		}
	}
	for _, s := range j.Set.Servers {
		if s != primary && s.Pod.Spec.NodeName != "" {
			others = append(others, s)
		}
	}
	if len(others) == 0 || primary.Pod.Spec.NodeName == "" {
		return
	}
	// Where the primary's pod could be: nodes that no pod of these is given leave no choice.
	requires := objects.RequirementsOf(&primary.Pod.Spec)
	zones, nodes := map[string]bool{}, 0
	for i := range j.Nodes {
		class := j.classOf(&j.Nodes[i])
		if own := j.Nodes[i].Name == primary.Pod.Spec.NodeName; own || class.ComputeType != v1alpha1.ComputeFargate && len(requires.Untolerated(&j.Nodes[i])) == 0 {
			zones[class.Zone] = true
			nodes++
		}
	}
	sameNode := !slices.ContainsFunc(others, func(s *server) bool { return s.Pod.Spec.NodeName != primary.Pod.Spec.NodeName })
	zone := j.zoneOf(primary)
	sameZone := zone != "" && !slices.ContainsFunc(others, func(s *server) bool { return j.zoneOf(s) != zone })
	names := PodNames(append([]*server{primary}, others...))
	switch { // a cluster that has one node, or one zone, leaves no choice
	case sameNode && nodes > 1:
		j.add(finding.RuleReplicasTogether, v1alpha1.SeverityWarning, names, nil, "all of %s run on the node %s: losing it loses every copy", strings.Join(names, ", "), primary.Pod.Spec.NodeName)
	case sameZone && len(zones) > 1:
		j.add(finding.RuleReplicasTogether, v1alpha1.SeverityWarning, names, nil, "all of %s run in the zone %s, although the cluster has %d", strings.Join(names, ", "), zone, len(zones))
	}
}

// zoneOf is the zone of a server's node; empty if it is unknown.
func (j *Judge) zoneOf(s *server) string {
	if node := j.nodeOf(s); node != nil {
		return j.classOf(node).Zone
	}
	return ""
}

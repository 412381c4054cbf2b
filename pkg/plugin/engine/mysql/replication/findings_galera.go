package replication

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// A Galera node holds the others up from these on.
const (
	flowControlShare = 0.1
	receiveQueue     = 0.5
)

// fromDonor names the nodes that give their data to a joiner, as far as they say so.
func fromDonor(set *dbstate.Set) string {
	var donors []*dbstate.Server
	for _, s := range set.Servers {
		if Of(s.State).InGalera() && strings.HasPrefix(Of(s.State).Status.Text("wsrep_local_state_comment"), "Donor") {
			donors = append(donors, s)
		}
	}
	if len(donors) == 0 {
		return ""
	}
	return " from " + strings.Join(dbtopology.PodNames(donors), ", ")
}

// galera reports a Galera cluster.
func galera(j *dbtopology.Judge) {
	columns := []string{
		"wsrep_cluster_status", "wsrep_cluster_size", "wsrep_cluster_state_uuid", "wsrep_ready", "wsrep_connected", "wsrep_local_state",
		"wsrep_local_state_comment", "wsrep_flow_control_paused", "wsrep_local_recv_queue", "wsrep_local_recv_queue_avg",
	}
	const synced = 4
	uuids := map[string][]*dbstate.Server{}
	var order []string
	for _, s := range j.Set.Servers {
		if !Of(s.State).InGalera() {
			continue
		}
		one := dbtopology.PodNames([]*dbstate.Server{s})
		evidence := quote(s, mysql.SubjectStatus, columns...)
		status := Of(s.State).Status.Text("wsrep_cluster_status")
		ready := IsOn(Of(s.State).Status, "wsrep_ready")
		state, hasState := Of(s.State).Status.Int("wsrep_local_state")
		switch {
		case Of(s.State).joins():
			j.Add(v1alpha1.CodeGaleraNotSynced, v1alpha1.SeverityWarning, one, evidence, "%s%s is joining the cluster, and answers no queries yet: %s%s",
				s.Pod.Name, dbtopology.Readiness(s), Of(s.State).Status.Text("wsrep_local_state_comment"), fromDonor(j.Set))
			j.OnItsWay(s)
			continue
		case status != "Primary":
			j.Add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s is not in the primary component (%s): it refuses queries (error 1047)", s.Pod.Name, dbtopology.Readiness(s), cmp.Or(status, "no status"))
			j.Joins(s)
			continue
		case !ready && (!hasState || state == synced):
			j.Add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s refuses queries (wsrep_ready=OFF)", s.Pod.Name, dbtopology.Readiness(s))
			j.Joins(s)
		case hasState && state != synced:
			j.Add(v1alpha1.CodeGaleraNotSynced, v1alpha1.SeverityWarning, one, evidence, "%s%s is not synced: %s", s.Pod.Name, dbtopology.Readiness(s), Of(s.State).Status.Text("wsrep_local_state_comment"))
			j.OnItsWay(j.Changing()...) // a joiner, and the donor that it gets the data from
		}
		paused, _ := strconv.ParseFloat(Of(s.State).Status.Text("wsrep_flow_control_paused"), 64) // 0 if the server does not tell
		queue, _ := strconv.ParseFloat(Of(s.State).Status.Text("wsrep_local_recv_queue_avg"), 64)
		if paused > flowControlShare || queue > receiveQueue {
			severity := v1alpha1.SeverityWarning
			// The average counts write sets, not time: a node that has caught up keeps that of its start until others are written.
			if waiting, ok := Of(s.State).Status.Int("wsrep_local_recv_queue"); ok && waiting == 0 && paused <= flowControlShare {
				severity = v1alpha1.SeverityInfo
			}
			j.Add(v1alpha1.CodeGaleraFlowControl, severity, one, evidence,
				"%s: flow control has paused the cluster for %.0f%% of the time since the last FLUSH STATUS; %.2f write sets wait to be applied on average", s.Pod.Name, paused*100, queue)
		}
		if uuid := Of(s.State).Status.Text("wsrep_cluster_state_uuid"); uuid != "" {
			if len(uuids[uuid]) == 0 {
				order = append(order, uuid)
			}
			uuids[uuid] = append(uuids[uuid], s)
		}
	}
	split := components(j)
	if !split {
		clusterSize(j)
	}
	if len(order) > 1 {
		var parts []string
		var evidence []v1alpha1.Evidence
		for _, uuid := range order {
			parts = append(parts, fmt.Sprintf("%s in %s", strings.Join(dbtopology.PodNames(uuids[uuid]), ", "), uuid))
			evidence = append(evidence, quote(uuids[uuid][0], mysql.SubjectStatus, "wsrep_cluster_state_uuid")...)
		}
		j.Add(v1alpha1.CodeGaleraSplitUUID, v1alpha1.SeverityCritical, dbtopology.PodNames(j.Set.Servers), evidence, "the nodes belong to different clusters: %s", strings.Join(parts, "; "))
	}
}

// galeraView is what a node sees of its component: nodes of one component agree in it.
type galeraView struct {
	cluster string // wsrep_cluster_state_uuid
	id      int64  // wsrep_cluster_conf_id
	size    int64
}

// galeraViews are the servers that are in a primary component, by what they see of it, and the views in the order of servers' names.
func galeraViews(servers []*dbstate.Server) (order []galeraView, seenBy map[galeraView][]*dbstate.Server) {
	seenBy = map[galeraView][]*dbstate.Server{}
	for _, s := range servers {
		status := Of(s.State).Status
		size, ok := status.Int("wsrep_cluster_size")
		if !Of(s.State).InGalera() || status.Text("wsrep_cluster_status") != "Primary" || !ok {
			continue
		}
		id, _ := status.Int("wsrep_cluster_conf_id")
		view := galeraView{status.Text("wsrep_cluster_state_uuid"), id, size}
		if seenBy[view] == nil {
			order = append(order, view)
		}
		seenBy[view] = append(seenBy[view], s)
	}
	return order, seenBy
}

// components reports nodes of one cluster in several primary components, each of which takes writes. A change of members is seen by one node
// after the other: only a view that as many nodes have as it has members is a component.
func components(j *dbtopology.Judge) bool {
	order, seenBy := galeraViews(j.Set.Servers)
	whole := slices.DeleteFunc(order, func(v galeraView) bool { return int64(len(seenBy[v])) != v.size })
	for i, v := range whole {
		others := slices.DeleteFunc(slices.Clone(whole[i+1:]), func(o galeraView) bool { return o.cluster != v.cluster })
		if len(others) == 0 {
			continue
		}
		var parts, pods []string
		var evidence []v1alpha1.Evidence
		for _, o := range append([]galeraView{v}, others...) {
			names := dbtopology.PodNames(seenBy[o])
			parts, pods = append(parts, strings.Join(names, ", ")), append(pods, names...)
			evidence = append(evidence, quote(seenBy[o][0], mysql.SubjectStatus, "wsrep_cluster_status", "wsrep_cluster_size", "wsrep_cluster_conf_id", "wsrep_cluster_state_uuid")...)
		}
		j.Add(v1alpha1.CodeGaleraSplitUUID, v1alpha1.SeverityCritical, pods, evidence,
			"the cluster is split into %d primary components, each of which takes writes that the others never get: %s", len(parts), strings.Join(parts, "; "))
		return true
	}
	return false
}

// clusterSize reports a cluster that has not the nodes of the set. Nodes elsewhere, an arbitrator or a backup's, are no fault.
func clusterSize(j *dbtopology.Judge) {
	order, seenBy := galeraViews(j.Set.Servers)
	_, everywhere := galeraViews(j.Graph.Servers)
	missing := j.Set.Missing()
	wanted, without := int64(len(j.Set.Servers)+len(missing)), ""
	if len(missing) > 0 {
		without = ", without " + strings.Join(missing, ", ")
	}
	for _, v := range order {
		nodes := seenBy[v]
		pods := dbtopology.PodNames(nodes)
		evidence := quote(nodes[0], mysql.SubjectStatus, "wsrep_cluster_size", "wsrep_cluster_state_uuid", "wsrep_incoming_addresses")
		elsewhere := int64(len(everywhere[v]) - len(nodes)) // nodes of other sets that were found here
		switch have := v.size - elsewhere; {
		case have < wanted:
			j.Add(v1alpha1.CodeGaleraSizeMismatch, v1alpha1.SeverityError, pods, evidence, "%s a cluster of %d, but the set has %s%s", see(pods), v.size, dbtopology.Count(len(j.Set.Servers), "pod"), without)
			if len(missing) > 0 && j.Replacing() {
				j.Progress()
			}
			j.OnItsWay(j.Changing()...)
		case have > wanted:
			j.Add(v1alpha1.CodeGaleraSizeMismatch, v1alpha1.SeverityInfo, pods, evidence, "%s a cluster of %d, of which the set has %s: the others are elsewhere (an arbitrator, a backup, another site), or pods that have just gone", see(pods), v.size, dbtopology.Count(len(j.Set.Servers), "pod"))
		}
	}
}

func see(pods []string) string {
	if len(pods) == 1 {
		return pods[0] + " sees"
	}
	return strings.Join(pods, ", ") + " see"
}

package replication

import (
	"cmp"
	"fmt"
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

// galera tells of a Galera cluster.
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
		case status != "Primary":
			j.Add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s belongs to no primary component (%s): it refuses queries (error 1047)", s.Pod.Name, dbtopology.Readiness(s), cmp.Or(status, "no status"))
			j.OnItsWay(s)
			continue
		case !ready && (!hasState || state == synced):
			j.Add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s refuses queries (wsrep_ready=OFF)", s.Pod.Name, dbtopology.Readiness(s))
			j.OnItsWay(s)
		case hasState && state != synced:
			j.Add(v1alpha1.CodeGaleraNotSynced, v1alpha1.SeverityWarning, one, evidence, "%s%s is not synced: %s", s.Pod.Name, dbtopology.Readiness(s), Of(s.State).Status.Text("wsrep_local_state_comment"))
			j.OnItsWay(j.Changing()...) // a joiner, and the donor that it gets the data from
		}
		if size, ok := Of(s.State).Status.Int("wsrep_cluster_size"); ok && int(size) != len(j.Set.Servers) {
			j.Add(v1alpha1.CodeGaleraSizeMismatch, v1alpha1.SeverityError, one, evidence, "%s sees a cluster of %d, and the set has %s", s.Pod.Name, size, dbtopology.Count(len(j.Set.Servers), "pod"))
			if int(size) > len(j.Set.Servers) && j.Replacing() {
				j.Progress()
			} else {
				j.OnItsWay(j.Changing()...)
			}
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

package mysqltopology

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
)

// A Galera node holds the others up from these on.
const (
	flowControlShare = 0.1
	receiveQueue     = 0.5
)

// galera tells of a Galera cluster.
func (j *judge) galera() {
	columns := []string{
		"wsrep_cluster_status", "wsrep_cluster_size", "wsrep_cluster_state_uuid", "wsrep_ready", "wsrep_connected", "wsrep_local_state",
		"wsrep_local_state_comment", "wsrep_flow_control_paused", "wsrep_local_recv_queue", "wsrep_local_recv_queue_avg",
	}
	const synced = 4
	uuids := map[string][]*server{}
	var order []string
	for _, s := range j.set.Servers {
		if !s.InGalera() {
			continue
		}
		one := podNames([]*server{s})
		evidence := quote(s, mysql.SubjectStatus, columns...)
		status := s.Status.Text("wsrep_cluster_status")
		ready := replication.IsOn(s.Status, "wsrep_ready")
		state, hasState := s.Status.Int("wsrep_local_state")
		switch {
		case status != "Primary":
			j.add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s belongs to no primary component (%s): it refuses queries (error 1047)", s.Pod.Name, readiness(s), cmp.Or(status, "no status"))
			j.onItsWay(s)
			continue
		case !ready && (!hasState || state == synced):
			j.add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s refuses queries (wsrep_ready=OFF)", s.Pod.Name, readiness(s))
			j.onItsWay(s)
		case hasState && state != synced:
			j.add(v1alpha1.CodeGaleraNotSynced, v1alpha1.SeverityWarning, one, evidence, "%s%s is not synced: %s", s.Pod.Name, readiness(s), s.Status.Text("wsrep_local_state_comment"))
			j.onItsWay(changing(j.set)...) // a joiner, and the donor that it gets the data from
		}
		if size, ok := s.Status.Int("wsrep_cluster_size"); ok && int(size) != len(j.set.Servers) {
			j.add(v1alpha1.CodeGaleraSizeMismatch, v1alpha1.SeverityError, one, evidence, "%s sees a cluster of %d, and the set has %s", s.Pod.Name, size, count(len(j.set.Servers), "pod"))
			if int(size) > len(j.set.Servers) && j.replacing() {
				j.progress()
			} else {
				j.onItsWay(changing(j.set)...)
			}
		}
		paused, _ := strconv.ParseFloat(s.Status.Text("wsrep_flow_control_paused"), 64) // 0 if the server does not tell
		queue, _ := strconv.ParseFloat(s.Status.Text("wsrep_local_recv_queue_avg"), 64)
		if paused > flowControlShare || queue > receiveQueue {
			severity := v1alpha1.SeverityWarning
			// The average counts write sets, not time: a node that has caught up keeps that of its start until others are written.
			if waiting, ok := s.Status.Int("wsrep_local_recv_queue"); ok && waiting == 0 && paused <= flowControlShare {
				severity = v1alpha1.SeverityInfo
			}
			j.add(v1alpha1.CodeGaleraFlowControl, severity, one, evidence,
				"%s: flow control has paused the cluster for %.0f%% of the time since the last FLUSH STATUS; %.2f write sets wait to be applied on average", s.Pod.Name, paused*100, queue)
		}
		if uuid := s.Status.Text("wsrep_cluster_state_uuid"); uuid != "" {
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
			parts = append(parts, fmt.Sprintf("%s in %s", strings.Join(podNames(uuids[uuid]), ", "), uuid))
			evidence = append(evidence, quote(uuids[uuid][0], mysql.SubjectStatus, "wsrep_cluster_state_uuid")...)
		}
		j.add(v1alpha1.CodeGaleraSplitUUID, v1alpha1.SeverityCritical, podNames(j.set.Servers), evidence, "the nodes belong to different clusters: %s", strings.Join(parts, "; "))
	}
}

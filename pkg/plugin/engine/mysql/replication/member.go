package replication

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// InGroup reports whether a server is configured for Group Replication, whether or not it is in its group.
func (d *Detail) InGroup() bool {
	return d.Version.Product == mysql.MySQL && d.Variables.Text("group_replication_group_name") != ""
}

// self is a member's row about itself; it is OFFLINE before it has ever been in the group.
func self(s *dbstate.State, d *Detail) mysql.Row {
	for _, m := range d.Members {
		if strings.EqualFold(m.Text("MEMBER_ID"), s.UUID) {
			return m
		}
	}
	offline := string(v1alpha1.GroupOffline)
	return mysql.Row{"MEMBER_STATE": &offline}
}

// groupState and groupRole are those in a row about a member.
func groupState(member mysql.Row) v1alpha1.GroupState {
	return v1alpha1.GroupState(member.Text("MEMBER_STATE"))
}

func groupRole(member mysql.Row) v1alpha1.GroupRole {
	return v1alpha1.GroupRole(member.Text("MEMBER_ROLE"))
}

// groupMember is what a server says of its part in its group; nil if it is configured for none.
func groupMember(s *dbstate.State) *v1alpha1.MySQLGroupMember {
	d := Of(s)
	if !d.InGroup() {
		return nil
	}
	self := self(s, d)
	m := &v1alpha1.MySQLGroupMember{
		GroupName: d.Variables.Text("group_replication_group_name"), State: groupState(self), Role: groupRole(self), Members: int32(len(d.Members)),
	}
	for _, row := range d.Members {
		if groupState(row) == v1alpha1.GroupUnreachable {
			m.Unreachable++
		}
	}
	for _, row := range rows(answer(s, mysql.SubjectMemberStats)) {
		if strings.EqualFold(row.Text("MEMBER_ID"), s.UUID) {
			certify, ok := row.Int("COUNT_TRANSACTIONS_IN_QUEUE")
			apply, _ := row.Int("COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE")
			if ok {
				queue := certify + apply
				m.Queue = &queue
			}
		}
	}
	return m
}

// InGalera reports whether a server is a node of a Galera cluster.
func (d *Detail) InGalera() bool { return IsOn(d.Variables, "wsrep_on") }

// joins reports whether a Galera node is on its way into a cluster: it asks for the data, gets it, or catches up. Until a state transfer is over it
// does not see itself in the primary component.
func (d *Detail) joins() bool {
	comment := d.Status.Text("wsrep_local_state_comment")
	return d.InGalera() && !IsOn(d.Status, "wsrep_ready") && (strings.HasPrefix(comment, "Joining") || comment == "Joiner" || comment == "Joined")
}

// galeraNode is what a node says of its cluster; nil if it is none.
func (d *Detail) galeraNode() *v1alpha1.GaleraNode {
	if !d.InGalera() {
		return nil
	}
	n := &v1alpha1.GaleraNode{
		ClusterStatus: v1alpha1.GaleraStatus(d.Status.Text("wsrep_cluster_status")), ClusterUUID: d.Status.Text("wsrep_cluster_state_uuid"),
		State: v1alpha1.GaleraState(d.Status.Text("wsrep_local_state_comment")), Ready: IsOn(d.Status, "wsrep_ready"),
		FlowControlPaused: number(d.Status, "wsrep_flow_control_paused"), ReceiveQueueAvg: number(d.Status, "wsrep_local_recv_queue_avg"),
	}
	if size, ok := d.Status.Int("wsrep_cluster_size"); ok {
		n.ClusterSize = &size
	}
	return n
}

// member is a server's part in a group or a Galera cluster; nil if it is configured for neither.
func member(s *dbstate.State, d *Detail) *dbstate.Member {
	switch {
	case d.InGalera():
		m := &dbstate.Member{Role: v1alpha1.RoleNode}
		if d.joins() {
			m.Broken = "it is joining its cluster"
		} else if n := d.galeraNode(); n.ClusterStatus != v1alpha1.GaleraPrimary || !n.Ready {
			m.Broken = "it is not in the primary component"
		}
		return m
	case d.InGroup():
		self := self(s, d)
		m := &dbstate.Member{Role: v1alpha1.RoleSecondary}
		switch state := groupState(self); {
		case state == v1alpha1.GroupOffline:
			m.Role = v1alpha1.RoleOutside
		case groupRole(self) == v1alpha1.GroupPrimary, groupRole(self) == "" && s.TakesWrites: // 5.7 has no column for it
			m.Role = v1alpha1.RolePrimary
		}
		if state := groupState(self); state != v1alpha1.GroupOnline {
			m.Broken = "it is " + string(state) + " in its group"
		} else if g := groupMember(s); g.Unreachable > 0 && g.Unreachable*2 >= g.Members {
			m.Broken = "its group has no majority"
		}
		return m
	}
	return nil
}

// replicationOf is how the servers of a set replicate.
func replicationOf(set *dbstate.Set) v1alpha1.DatabaseReplication {
	has := func(test func(*dbstate.Server) bool) bool { return slices.ContainsFunc(set.Servers, test) }
	switch {
	case has(func(o *dbstate.Server) bool { return Of(o.State).InGalera() }):
		return v1alpha1.ReplicationGalera
	case has(func(o *dbstate.Server) bool { return Of(o.State).InGroup() }):
		return v1alpha1.ReplicationGroup
	case has(func(o *dbstate.Server) bool { return len(o.Channels) > 0 }):
		if has(func(o *dbstate.Server) bool { return semiSync(o) && len(o.Replicas) > 0 }) {
			return v1alpha1.ReplicationSemiSync
		}
		return v1alpha1.ReplicationAsynchronous
	case has(func(o *dbstate.Server) bool { return !o.Answered || o.ChannelsUnknown }):
		return v1alpha1.ReplicationUnknown
	}
	return v1alpha1.ReplicationNone
}

// semiSync reports whether a server, as a source, is to wait for replicas.
func semiSync(s *dbstate.Server) bool {
	return IsOn(Of(s.State).Variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled")
}

// number is a status that is a number; nil where there is none.
func number(row mysql.Row, name string) *float64 {
	n, err := strconv.ParseFloat(row.Text(name), 64)
	if err != nil {
		return nil
	}
	return &n
}

package replication

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	timeutil "k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// A replica is late, and stale, from these lags on, in milliseconds, beyond its delay.
const (
	LateMilliseconds  = 10_000
	StaleMilliseconds = 60_000 // nobody would promote it without loss
)

// Words of Group Replication.
const (
	StateOnline      = "ONLINE"
	StateOffline     = "OFFLINE"
	StateUnreachable = "UNREACHABLE"
)

// StateSynced is that of a Galera node that takes part.
const StateSynced = "Synced"

// Role is the part that a server plays.
func (s *Server) Role() v1alpha1.MySQLRole {
	switch {
	case !s.Answered:
		return v1alpha1.RoleUnknown
	case s.InGalera():
		return v1alpha1.RoleNode
	case s.InGroup():
		switch self := s.Self(); {
		case self.Text("MEMBER_STATE") == StateOffline:
			return v1alpha1.RoleOutside
		case self.Text("MEMBER_ROLE") == "PRIMARY", self.Text("MEMBER_ROLE") == "" && s.Writable(): // 5.7 has no column for it
			return v1alpha1.RolePrimary
		}
		return v1alpha1.RoleSecondary
	case s.ChannelsUnknown:
		return v1alpha1.RoleUnknown
	case len(s.Channels) > 0 && len(s.Replicas) > 0:
		return v1alpha1.RoleRelay
	case len(s.Channels) > 0:
		return v1alpha1.RoleReplica
	case len(s.Replicas) == 0 && len(s.Set.Servers) == 1:
		return v1alpha1.RoleStandalone
	}
	return v1alpha1.RoleSource
}

// InGroup reports whether a server is configured for Group Replication, whether or not it is in its group.
func (s *State) InGroup() bool {
	return s.Answered && s.Version.Product == mysql.MySQL && s.Variables.Text("group_replication_group_name") != ""
}

// Self is a member's row about itself; it is OFFLINE before it has ever been in the group.
func (s *State) Self() mysql.Row {
	for _, m := range s.Members {
		if strings.EqualFold(m.Text("MEMBER_ID"), s.UUID) {
			return m
		}
	}
	offline := StateOffline
	return mysql.Row{"MEMBER_STATE": &offline}
}

// GroupMember is what a server says of its part in its group; nil if it is configured for none.
func (s *State) GroupMember() *v1alpha1.MySQLGroupMember {
	if !s.InGroup() {
		return nil
	}
	self := s.Self()
	m := &v1alpha1.MySQLGroupMember{
		GroupName: s.Variables.Text("group_replication_group_name"), State: self.Text("MEMBER_STATE"), Role: self.Text("MEMBER_ROLE"),
		Members: int32(len(s.Members)),
	}
	for _, row := range s.Members {
		if row.Text("MEMBER_STATE") == StateUnreachable {
			m.Unreachable++
		}
	}
	for _, row := range rows(s.Answer(mysql.SubjectMemberStats)) {
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
func (s *State) InGalera() bool { return s.Answered && IsOn(s.Variables, "wsrep_on") }

// GaleraNode is what a node says of its cluster; nil if it is none.
func (s *State) GaleraNode() *v1alpha1.GaleraNode {
	if !s.InGalera() {
		return nil
	}
	n := &v1alpha1.GaleraNode{
		ClusterStatus: s.Status.Text("wsrep_cluster_status"), ClusterUUID: s.Status.Text("wsrep_cluster_state_uuid"),
		State: s.Status.Text("wsrep_local_state_comment"), Ready: IsOn(s.Status, "wsrep_ready"),
		FlowControlPaused: s.Status.Text("wsrep_flow_control_paused"), ReceiveQueueAvg: s.Status.Text("wsrep_local_recv_queue_avg"),
	}
	if size, ok := s.Status.Int("wsrep_cluster_size"); ok {
		n.ClusterSize = &size
	}
	return n
}

// GroupPrimary is the one primary of a group of the set; nil where there is none, or more.
func (s *Set) GroupPrimary() *Server {
	return Only(s.Servers, func(o *Server) bool { return o.InGroup() && o.Role() == v1alpha1.RolePrimary })
}

// Replication is how the servers of a set replicate.
func (s *Set) Replication() v1alpha1.MySQLReplication {
	has := func(test func(*Server) bool) bool { return slices.ContainsFunc(s.Servers, test) }
	switch {
	case has(func(o *Server) bool { return o.InGalera() }):
		return v1alpha1.ReplicationGalera
	case has(func(o *Server) bool { return o.InGroup() }):
		return v1alpha1.ReplicationGroup
	case has(func(o *Server) bool { return len(o.Channels) > 0 }):
		if has(func(o *Server) bool { return o.SemiSync() && len(o.Replicas) > 0 }) {
			return v1alpha1.ReplicationSemiSync
		}
		return v1alpha1.ReplicationAsynchronous
	case has(func(o *Server) bool { return !o.Answered || o.ChannelsUnknown }):
		return v1alpha1.ReplicationUnknown
	}
	return v1alpha1.ReplicationNone
}

// SemiSync reports whether a server, as a source, is to wait for replicas.
func (s *State) SemiSync() bool {
	return IsOn(s.Variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled")
}

// Broken says what is wrong with a server's part in replication, for which readers should not be sent to it; it is empty if nothing is, or
// nobody knows.
func (s *State) Broken() string {
	switch {
	case !s.Answered:
		return ""
	case s.InGalera():
		if n := s.GaleraNode(); n.ClusterStatus != "Primary" || !n.Ready {
			return "it is in no primary component"
		}
	case s.InGroup():
		if state := s.Self().Text("MEMBER_STATE"); state != StateOnline {
			return "it is " + state + " in its group"
		}
		if m := s.GroupMember(); m.Unreachable > 0 && m.Unreachable*2 >= m.Members {
			return "its group has no majority"
		}
	}
	for _, c := range s.Channels {
		if !c.Sound() && c.Receiver != "" {
			return fmt.Sprintf("receiver %s, applier %s", c.Receiver, cmp.Or(c.Applier, "unknown"))
		}
	}
	return ""
}

// Stale is how late a server is if that is too late for readers, beyond what is on purpose.
func (s *State) Stale() string {
	for _, c := range s.Channels {
		if ms := c.LagMilliseconds; ms != nil && *ms >= StaleMilliseconds {
			return Duration(*ms) + " late"
		}
	}
	return ""
}

// Delayed is how late a server is on purpose; empty if it is not.
func (s *State) Delayed() string {
	var most int64
	for _, c := range s.Channels {
		most = max(most, c.DelaySeconds)
	}
	if most == 0 {
		return ""
	}
	return Duration(most*1000) + " late on purpose"
}

// Duration prints milliseconds: 0s, 12ms, 6.1s, 3m5s.
func Duration(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d == 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", ms)
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return timeutil.HumanDuration(d)
}

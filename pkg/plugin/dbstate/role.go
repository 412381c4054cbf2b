package dbstate

import (
	"cmp"
	"fmt"
	"time"

	timeutil "k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// A replica is late, and stale, from these lags on, in milliseconds, beyond its delay.
const (
	LateMilliseconds  = 10_000
	StaleMilliseconds = 60_000 // promoting it would lose data
)

// Role is the part that a server plays.
func (s *Server) Role() v1alpha1.DatabaseRole {
	switch {
	case !s.Answered:
		return v1alpha1.RoleUnknown
	case s.Member != nil:
		return s.Member.Role
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

// GroupPrimary is the one primary of a group of the set; nil where there is none, or more.
func (s *Set) GroupPrimary() *Server {
	return Only(s.Servers, func(o *Server) bool { return o.Member != nil && o.Member.Role == v1alpha1.RolePrimary })
}

// Broken says what is wrong with a server's part in replication, for which readers should not be sent to it; it is empty if nothing is, or
// nobody knows.
func (s *State) Broken() string {
	switch {
	case !s.Answered:
		return ""
	case s.Member != nil && s.Member.Broken != "":
		return s.Member.Broken
	}
	for _, c := range s.Channels {
		if !c.Working() && c.Receiver != "" {
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

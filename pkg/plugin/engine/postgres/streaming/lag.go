package streaming

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
)

// LinkDetail is what is known of a standby's link to its source beyond what is true of every engine's.
type LinkDetail struct {
	// Sender is what the source says of it, nil where it says nothing.
	Sender *Sender
	// Slot is that of the source through which it receives, nil where none is known.
	Slot *Slot
	// Behind is what the source had written, when all had been asked, and the standby had not replayed, in bytes; nil if it is unknown.
	Behind *int64
}

// ofLink is a link's detail.
func ofLink(l *dbstate.Link) *LinkDetail {
	if d, ok := l.Detail.(*LinkDetail); ok {
		return d
	}
	return &LinkDetail{}
}

// relate is a standby's channel with what its source says of it: a standby can't see its own lag, and an account without rights sees of its
// receiver only that there is one.
func relate(s *dbstate.Server, l *dbstate.Link) *dbstate.Channel {
	d, c := Of(s.State), *l.Channel
	link := &LinkDetail{}
	c.Detail = link
	c.Kept = isKept(s)
	if l.Source != nil && l.Source.Answered {
		source := Of(l.Source.State)
		if source.SystemID == d.SystemID && source.Later != 0 {
			behind := max(0, source.Later.Since(d.Position))
			link.Behind = &behind
		}
		link.Sender, link.Slot = senderOf(source, s), slotOf(source, d, s)
		switch x := link.Sender; {
		case x == nil || x.State == "":
		case c.Receiver == "" && x.State == "streaming":
			c.Receiver = v1alpha1.ThreadRuns
		case c.Receiver == "":
			c.Receiver = v1alpha1.ThreadConnecting
		}
	}
	c.LagMilliseconds, c.LagFrom, c.LagUnknown = lag(d, &c, link)
	return &c
}

// isKept reports whether an operator, or Patroni, tells the standby where its source is. Patroni writes what it knows of a member into its pod.
func isKept(s *dbstate.Server) bool {
	return s.Flavour != &s.Engine.Image && !strings.HasPrefix(s.Flavour.Name, "Bitnami") || strings.Contains(s.Pod.Annotations["status"], `"conn_url"`)
}

// senderOf is what a source says of a standby; nil without a row. Base backups and logical subscribers are not standbys.
func senderOf(source *Detail, s *dbstate.Server) *Sender {
	for i := range source.Senders {
		x := &source.Senders[i]
		byAddress := slices.ContainsFunc(s.Pod.Status.PodIPs, func(ip corev1.PodIP) bool { return ip.IP == x.Address })
		if x.State != "backup" && (x.Name == s.Pod.Name || byAddress && x.Name != "pg_basebackup") {
			return x
		}
	}
	return nil
}

// slotOf is the slot of a source that a standby uses, by the standby's word.
func slotOf(source, d *Detail, s *dbstate.Server) *Slot {
	name := d.Receiver.Text("slot_name")
	if name == "" {
		name = d.Settings.Text("primary_slot_name")
	}
	for i := range source.Slots {
		x := &source.Slots[i]
		if !x.Logical && (x.Name == name && name != "" || name == "" && slices.Contains(slotNames(s), x.Name)) {
			return x
		}
	}
	return nil
}

// slotNames are what operators call a member's slot: Patroni takes the pod's name, CloudNativePG puts a prefix before it.
func slotNames(s *dbstate.Server) []string {
	name := strings.ReplaceAll(s.Pod.Name, "-", "_")
	return []string{name, "_cnpg_" + name}
}

// lag is how late a standby is beyond what is on purpose, in milliseconds, and what that is taken from; else why it is unknown. A standby that has
// replayed all that it received knows nothing of what it did not receive, and the time of its last commit says nothing while nothing is written.
func lag(d *Detail, c *dbstate.Channel, link *LinkDetail) (ms *int64, from v1alpha1.LagSource, unknown string) {
	known := func(late time.Duration, from v1alpha1.LagSource) (*int64, v1alpha1.LagSource, string) {
		n := max(0, late.Milliseconds()-c.DelaySeconds*1000)
		return &n, from, ""
	}
	stuck := d.Later < d.Received && !d.waitsForWAL() // still, when it was asked once more
	switch {
	case link.Behind != nil && *link.Behind == 0:
		return known(0, v1alpha1.LagFromPositions)
	case stuck && d.Paused != "": // since when is unknown: the last commit may have been long before
		return nil, "", "its replay is paused"
	case stuck && !d.LastReplayed.IsZero() && !d.Now.IsZero():
		return known(d.Now.Sub(d.LastReplayed), v1alpha1.LagFromReplayed)
	case stuck:
		return nil, "", "it holds changes that it has not replayed, and has replayed no commit since it started"
	case c.Receiver == v1alpha1.ThreadRuns && link.Sender != nil:
		return known(link.Sender.ReplayLag, v1alpha1.LagFromSource)
	case c.Receiver == v1alpha1.ThreadRuns && reached(d):
		return known(0, v1alpha1.LagFromPositions)
	case c.Receiver == v1alpha1.ThreadRuns:
		return nil, "", "its source does not tell how far it is"
	case c.Receiver == "":
		return nil, "", "the account may not see whether it receives"
	case link.Behind != nil:
		return nil, "", fmt.Sprintf("it receives nothing, and lacks %s of its source's write-ahead log", size(*link.Behind))
	}
	return nil, "", "it receives nothing, and what its source has written since is unknown"
}

// waitsForWAL reports whether replay has come to the end of what there is: the rest may be the beginning of a record whose end has not come.
func (d *Detail) waitsForWAL() bool {
	switch d.Activity.Text("startup_waits_for") {
	case "RecoveryWalStream", "RecoveryWalAll", "RecoveryRetrieveRetryInterval":
		return true
	}
	return false
}

// reached reports whether a standby has replayed what its source said that it had written, when it said something last.
func reached(d *Detail) bool {
	end, ok := postgres.ParseLSN(d.Receiver.Text("latest_end_lsn"))
	return ok && d.Later >= end
}

// lacks reports whether a standby lacks something that its source has; nil where that is unknown.
func lacks(s *dbstate.Server) *bool {
	some, known := false, false
	for _, l := range s.Links {
		if behind := ofLink(l).Behind; behind != nil {
			known, some = true, some || *behind > 0
		}
	}
	if !known {
		return nil
	}
	return &some
}

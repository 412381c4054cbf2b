package streaming

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
)

// defaultSegment is the size of a segment of the write-ahead log where a server does not tell, and of nearly all.
const defaultSegment = 16 << 20

// someSegments is how many segments a slot may keep before it is worth a word: a receiver that is restarted leaves one or two.
const someSegments = 4

// slotRules report slots of a primary that keep what nobody fetches, or have lost it. On standbys slots are copies that are inactive by design.
func slotRules(j *dbtopology.Judge, s *dbstate.Server) {
	d := Of(s.State)
	if d.InRecovery {
		return
	}
	segment := int64(defaultSegment)
	if n, ok := d.Settings.Int("wal_segment_size"); ok && n > 0 {
		segment = n
	}
	for i := range d.Slots {
		x := &d.Slots[i]
		user := userOf(s, x)
		one := dbtopology.PodNames([]*dbstate.Server{s})
		switch {
		case x.Status == "lost" && user != nil: // that standby has a finding of its own
		case x.Status == "lost":
			reason := x.Text("invalidation_reason")
			if reason != "" {
				reason = " (" + reason + ")"
			}
			j.Add(v1alpha1.CodePostgresSlotLost, v1alpha1.SeverityError, one, quoteSlot(s, x), "%s: the slot %s has lost what it kept%s: its receiver can't continue; drop it, and set the receiver up again", s.Pod.Name, x.Name, reason)
		case x.Status == "unreserved":
			j.Add(v1alpha1.CodePostgresSlotLost, v1alpha1.SeverityError, one, quoteSlot(s, x), "%s: the slot %s is about to lose what it keeps (%s): the next checkpoint may remove that%s", s.Pod.Name, x.Name, size(x.Held), whose(user))
		case !x.Active && x.HeldFrom != 0 && x.Held >= someSegments*segment:
			severity := v1alpha1.SeverityWarning
			if x.Held >= largeShare(d) {
				severity = v1alpha1.SeverityError
			}
			limit := "without limit (max_slot_wal_keep_size is -1)"
			if mb, ok := d.Settings.Int("max_slot_wal_keep_size"); ok && mb >= 0 {
				limit = fmt.Sprintf("up to %s (max_slot_wal_keep_size)", size(mb<<20))
			}
			j.Add(v1alpha1.CodePostgresSlotHoldsWAL, severity, one, append(quoteSlot(s, x), quote(s, postgres.SubjectSettings, "max_slot_wal_keep_size")...),
				"%s: the slot %s is unused and keeps %s of write-ahead log, %s%s", s.Pod.Name, x.Name, size(x.Held), limit, whose(user))
			j.OnItsWay(user)
		}
		heldRows(j, s, x)
	}
}

// largeShare is from how much on what a slot keeps is large: many times what a server keeps for itself.
func largeShare(d *Detail) int64 {
	const times = 4
	if mb, ok := d.Settings.Int("max_wal_size"); ok {
		return times * (mb << 20)
	}
	return times << 30
}

// userOf is the standby that uses a slot; nil if none is known.
func userOf(s *dbstate.Server, x *Slot) *dbstate.Server {
	for _, o := range s.Set.Servers {
		if o == s {
			continue
		}
		if slices.ContainsFunc(o.Links, func(l *dbstate.Link) bool { return l.Source == s && ofLink(l).Slot == x }) || slices.Contains(slotNames(o), x.Name) {
			return o
		}
	}
	return nil
}

func whose(user *dbstate.Server) string {
	if user == nil {
		return ""
	}
	return "; it is that of " + user.Pod.Name
}

// oldRows is from which age on, in transaction ids, what holds dead rows is worth a word: autovacuum_freeze_max_age, after which vacuum must remove
// them.
const oldRows = 200_000_000

// heldRows reports slots that keep dead rows from being removed.
func heldRows(j *dbtopology.Judge, s *dbstate.Server, x *Slot) {
	for _, column := range []string{"xmin_age", "catalog_xmin_age"} {
		if n, ok := x.Int(column); ok && n >= oldRows {
			j.Add(v1alpha1.CodePostgresVacuumHeld, v1alpha1.SeverityWarning, dbtopology.PodNames([]*dbstate.Server{s}), quoteRow(s, answer(s.State, postgres.SubjectSlots).Statement, x.Row, "slot_name", "active", column),
				"%s: the slot %s keeps dead rows of the last %d transactions from being removed (%s)", s.Pod.Name, x.Name, n, strings.TrimSuffix(column, "_age"))
		}
	}
}

// size prints bytes: 0B, 64Mi, 1.2Gi.
func size(bytes int64) string {
	const step = 1024
	units := []string{"B", "Ki", "Mi", "Gi", "Ti", "Pi"}
	value, unit := float64(bytes), 0
	for value >= step && unit+1 < len(units) {
		value /= step
		unit++
	}
	text := strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0")
	if value >= 10 { //nolint:mnd // two digits are enough
		text = fmt.Sprintf("%.0f", value)
	}
	return text + units[unit]
}

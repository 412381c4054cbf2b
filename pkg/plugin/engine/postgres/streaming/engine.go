package streaming

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// States is PostgreSQL as an engine whose answers are understood.
var States = dbstate.Engine{Engine: &postgres.Engine, Decode: Decode, Relate: relate, Lacks: lacks}

// Engine is PostgreSQL in a topology.
var Engine = dbtopology.Engine{
	Engine: &States, Replication: replicationOf, Equal: func(*dbstate.Set) bool { return false }, Related: related,
	Describe: describe, DescribeChannel: describeChannel, Evidence: proof,
	Rules: rules, ServerRules: serverRules, ChannelRules: channelRules,
	Unread: unread, Refusal: refusal, MemberState: memberState, Identity: identity, Mode: mode, Columns: columns, Wide: wide,
	Happenings: happenings,
}

// replicationOf is how the servers of a set replicate.
func replicationOf(set *dbstate.Set) v1alpha1.DatabaseReplication {
	has := func(test func(*dbstate.Server) bool) bool { return slices.ContainsFunc(set.Servers, test) }
	switch {
	case has(func(o *dbstate.Server) bool { return !Of(o.State).InRecovery && Of(o.State).waitsForStandbys() }):
		return v1alpha1.ReplicationSynchronous
	case has(func(o *dbstate.Server) bool { return len(o.Channels) > 0 }):
		return v1alpha1.ReplicationAsynchronous
	case has(func(o *dbstate.Server) bool { return !o.Answered }):
		return v1alpha1.ReplicationUnknown
	}
	return v1alpha1.ReplicationNone
}

// related reports whether two servers come from the same data folder.
func related(a, b *dbstate.Server) (related, known bool) {
	x, y := Of(a.State).SystemID, Of(b.State).SystemID
	return x == y, x != "" && y != ""
}

// describe adds what only PostgreSQL has.
func describe(s *dbstate.Server, r *v1alpha1.DatabaseServer) {
	d := Of(s.State)
	r.Product, r.Version = v1alpha1.ProductPostgreSQL, d.VersionText
	readOnly := !s.TakesWrites
	r.ReadOnly = &readOnly
	r.Postgres = &v1alpha1.PostgresServer{SystemIdentifier: d.SystemID, Timeline: d.Timeline, InRecovery: d.InRecovery, LSN: lsnText(d.Position)}
	if d.InRecovery {
		r.Postgres.ReceivedLSN = lsnText(d.Received)
	}
	for _, x := range d.Slots {
		r.Postgres.Slots = append(r.Postgres.Slots, v1alpha1.PostgresSlot{Name: x.Name, Logical: x.Logical, Active: x.Active, HeldBytes: x.Held, WALStatus: x.Status, Synced: x.Synced})
	}
	if a := archivingOf(s.State); a.on {
		r.Postgres.Archiving = &v1alpha1.PostgresArchiving{Waiting: a.waiting}
		if !a.archived.IsZero() {
			r.Postgres.Archiving.LastArchived = &metav1.Time{Time: a.archived}
		}
		if !a.failed.IsZero() {
			r.Postgres.Archiving.LastFailed = &metav1.Time{Time: a.failed}
		}
	}
}

func describeChannel(_ *dbstate.Server, l *dbstate.Link, r *v1alpha1.DatabaseChannel) {
	link := ofLink(l)
	r.BehindBytes = link.Behind
	r.Postgres = &v1alpha1.PostgresChannel{}
	if x := link.Sender; x != nil {
		r.Postgres.SentLSN, r.Postgres.FlushedLSN, r.Postgres.ReplayedLSN = lsnText(x.Sent), lsnText(x.Flushed), lsnText(x.Replayed)
		r.Postgres.State, r.Postgres.SyncState = x.State, x.Text("sync_state")
	}
	if x := link.Slot; x != nil {
		r.Postgres.Slot, r.Postgres.HeldBytes = x.Name, &x.Held
	}
}

func lsnText(at postgres.LSN) string {
	if at == 0 {
		return ""
	}
	return at.String()
}

// memberState is for groups that choose their primary among themselves, of which PostgreSQL knows none.
func memberState(*v1alpha1.DatabaseServer) (state string, healthy, member bool) {
	return "", true, false
}

// identity is by what a server's data is known.
func identity(s *v1alpha1.DatabaseServer) (name, value string) {
	if s.Postgres == nil {
		return "system identifier", ""
	}
	return "system identifier", s.Postgres.SystemIdentifier
}

// mode is rw or ro.
func mode(s *v1alpha1.DatabaseServer) string {
	switch {
	case s.Postgres == nil || s.ReadOnly == nil:
		return ""
	case *s.ReadOnly:
		return "ro"
	}
	return "rw"
}

// happenings are what a server does otherwise than before.
func happenings(was, is *v1alpha1.DatabaseServer, tell func(level printers.Level, text string)) {
	a, b := was.Postgres, is.Postgres
	if a == nil || b == nil {
		return
	}
	if a.InRecovery && !b.InRecovery {
		tell(printers.Plain, fmt.Sprintf(" has been promoted: timeline %d", b.Timeline))
	} else if a.Timeline != b.Timeline && a.Timeline != 0 && b.Timeline != 0 {
		tell(printers.Plain, fmt.Sprintf(" is on timeline %d (was %d)", b.Timeline, a.Timeline))
	}
}

// refusal is why a server did not answer a question. What an account may not see is told once, where a verdict rests on it, see unread.
func refusal(a *v1alpha1.DatabaseAnswer) (v1alpha1.Problem, bool) {
	if a.Error == nil {
		return v1alpha1.Problem{}, false
	}
	p := v1alpha1.Problem{Reason: v1alpha1.ReasonUnavailable, Message: a.Error.Message}
	if postgres.IsMissingPrivilege(&postgres.ServerError{State: a.Error.State}) {
		p.Reason, p.Remedy = v1alpha1.ReasonForbidden, "grant the role pg_monitor to the account"
	}
	return p, true
}

// unread are what a server did not tell, for want of a right, of what a verdict rests on: who receives from it, what it receives, and what its
// sessions wait for.
func unread(s *dbstate.Server) []string {
	var list []string
	if first(s.State, postgres.SubjectServer) == nil {
		list = append(list, fmt.Sprintf("%s of %s: it did not tell whether it is in recovery", postgres.SubjectServer, s.Pod.Name))
	}
	for _, subject := range [...]postgres.Subject{postgres.SubjectReceiver, postgres.SubjectSenders, postgres.SubjectSlots, postgres.SubjectActivity, postgres.SubjectArchiver, postgres.SubjectArchive} {
		if a := answer(s.State, subject); a != nil && a.Error != nil {
			list = append(list, fmt.Sprintf("%s of %s: %s", subject, s.Pod.Name, a.Error.Message))
		}
	}
	d := Of(s.State)
	hidden := func(row postgres.Row, column string) bool { return row != nil && row.Text(column) == "" }
	if hidden(d.Receiver, "status") || slices.ContainsFunc(d.Senders, func(x Sender) bool { return x.State == "" }) {
		list = append(list, fmt.Sprintf("%s of %s: the account lacks pg_monitor", postgres.SubjectSenders, s.Pod.Name))
	}
	if a := answer(s.State, postgres.SubjectActivity); a != nil && a.Error == nil && d.Activity == nil {
		list = append(list, fmt.Sprintf("%s of %s: the account lacks pg_monitor", postgres.SubjectActivity, s.Pod.Name))
	}
	return list
}

package streaming

import (
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// quote is what a server answered to the statement of a subject: the columns that it has of those named. Settings are one row.
func quote(s *dbstate.Server, subject postgres.Subject, columns ...string) []v1alpha1.Evidence {
	a := answer(s.State, subject)
	switch {
	case a == nil:
		return nil
	case subject == postgres.SubjectSettings:
		return quoteRow(s, a.Statement, Of(s.State).Settings, columns...)
	case len(a.Rows) == 0:
		return []v1alpha1.Evidence{{Object: finding.Ref("pod/" + s.Pod.Name), Query: a.Statement, Values: map[string]string{"rows": "0"}}}
	}
	return quoteRow(s, a.Statement, a.Rows[0], columns...)
}

// quoteRow is a row, without the columns that it does not have; nothing if it has none of them.
func quoteRow(s *dbstate.Server, statement string, row postgres.Row, columns ...string) []v1alpha1.Evidence {
	e := v1alpha1.Evidence{Object: finding.Ref("pod/" + s.Pod.Name), Query: statement, Values: map[string]string{}}
	for _, column := range columns {
		if value, ok := row[column]; ok {
			e.Values[column] = "NULL"
			if value != nil {
				e.Values[column] = objects.OneLine(*value)
			}
		}
	}
	if len(e.Values) == 0 {
		return nil
	}
	return []v1alpha1.Evidence{e}
}

// quoteSender is what a source says of a standby.
func quoteSender(l *dbstate.Link, columns ...string) []v1alpha1.Evidence {
	x := ofLink(l).Sender
	if x == nil || l.Source == nil {
		return nil
	}
	return quoteRow(l.Source, answer(l.Source.State, postgres.SubjectSenders).Statement, x.Row, append([]string{"application_name"}, columns...)...)
}

// quoteSlot is a row about a slot.
func quoteSlot(s *dbstate.Server, x *Slot) []v1alpha1.Evidence {
	return quoteRow(s, answer(s.State, postgres.SubjectSlots).Statement, x.Row, "slot_name", "slot_type", "active", "restart_lsn", "held_bytes", "wal_status", "safe_wal_size", "invalidation_reason")
}

// proof is what a general rule rests on.
func proof(of dbtopology.Proof, s *dbstate.Server, l *dbstate.Link) []v1alpha1.Evidence {
	switch of {
	case dbtopology.ProofOfWrites, dbtopology.ProofOfRole:
		return append(quote(s, postgres.SubjectServer, "in_recovery", "timeline"), quote(s, postgres.SubjectSettings, "default_transaction_read_only")...)
	case dbtopology.ProofOfReceiver:
		return append(quote(s, postgres.SubjectReceiver, "status", "sender_host", "slot_name", "received_tli"), quote(s, postgres.SubjectUpstream, "host", "port")...)
	case dbtopology.ProofOfCycle, dbtopology.ProofOfSource:
		return append(quote(s, postgres.SubjectReceiver, "sender_host", "sender_port"), quote(s, postgres.SubjectUpstream, "host", "port")...)
	case dbtopology.ProofOfLag:
		evidence := append(quote(s, postgres.SubjectServer, "receive_lsn", "replay_lsn", "last_replayed", "now"), quoteSender(l, "state", "sent_lsn", "replay_lsn", "replay_lag")...)
		if l.Source != nil {
			evidence = append(evidence, quote(l.Source, postgres.SubjectPosition, "lsn")...)
		}
		return evidence
	}
	return nil
}

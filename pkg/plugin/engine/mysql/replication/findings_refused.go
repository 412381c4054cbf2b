package replication

import (
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Channels of a group: a member gets what it lacks through the first when it joins, and what the others write through the second.
const (
	recoveryChannel = groupChannels + "recovery"
	applierChannel  = groupChannels + "applier"
)

// notOnline is why a member is not ONLINE, as far as its channels tell.
type notOnline struct {
	text, command string
	evidence      []v1alpha1.Evidence
	// lasts is true if waiting does not help.
	lasts bool
}

// recoveryCures are what to change where a recovery channel has other options than a replica's.
var recoveryCures = map[int64]string{2061: "SET GLOBAL group_replication_recovery_use_ssl=ON"}

// whyNotOnline finds the error of the channel through which a member recovers, or of its applier.
func whyNotOnline(s *dbstate.Server, state v1alpha1.GroupState) notOnline {
	if state == v1alpha1.GroupOffline { // errors of before
		return notOnline{}
	}
	columns := []string{"CHANNEL_NAME", "SERVICE_STATE", "LAST_ERROR_NUMBER", "LAST_ERROR_MESSAGE", "LAST_ERROR_TIMESTAMP"}
	if e, row, statement := channelError(s.State, mysql.SubjectConnection, recoveryChannel); e != nil && state == v1alpha1.GroupRecovering {
		m := meaningOf(receiverMeanings, e)
		w := notOnline{text: ": it can't get what it lacks from another member: " + m.said(receiverError(e)) + ago(row, Of(s.State)), lasts: refused(e)}
		w.evidence = []v1alpha1.Evidence{quoteRow(s, statement, row, columns)}
		if change := recoveryCures[e.Number]; change != "" {
			w.command = run(s, "STOP GROUP_REPLICATION", change, "START GROUP_REPLICATION")
		}
		return w
	}
	for _, channel := range [...]string{applierChannel, recoveryChannel} {
		if e, row, statement := channelError(s.State, mysql.SubjectWorkers, channel); e != nil {
			return notOnline{
				text:     ": its applier has failed: " + meaningOf(applierMeanings, e).said(applierError(e)) + ago(row, Of(s.State)),
				evidence: []v1alpha1.Evidence{quoteRow(s, statement, row, columns)}, lasts: true,
			}
		}
	}
	return notOnline{}
}

// channelError is the last error of a channel of a group; nil without one.
func channelError(s *dbstate.State, subject mysql.Subject, channel string) (e *v1alpha1.DatabaseError, row mysql.Row, statement string) {
	a := answer(s, subject)
	for _, row := range rows(a) {
		if n, ok := row.Int("LAST_ERROR_NUMBER"); ok && n != 0 && row.Text("CHANNEL_NAME") == channel {
			return &v1alpha1.DatabaseError{Number: n, Message: objects.OneLine(row.Text("LAST_ERROR_MESSAGE"))}, row, a.Statement
		}
	}
	return nil, nil, ""
}

// ago is how long ago the error of a row was, by the server's clock.
func ago(row mysql.Row, d *Detail) string {
	at, ok := parseTime(row.Text("LAST_ERROR_TIMESTAMP"))
	if !ok || d.Now.IsZero() || at.After(d.Now) {
		return ""
	}
	return ", " + dbstate.Duration(d.Now.Sub(at).Milliseconds()/1000*1000) + " ago"
}

// errantMembers reports servers with transactions that their group lacks: it does not let them in.
func errantMembers(j *dbtopology.Judge, online []*dbstate.Server) {
	theirs := mysql.GTIDSet{}
	for _, o := range online {
		if !Of(o.State).Again.Known {
			return
		}
		theirs = theirs.Union(Of(o.State).Again.Executed)
		for _, row := range rows(answer(o.State, mysql.SubjectConnection)) { // a server that has just left may have applied what others have only received
			if received, err := mysql.ParseGTIDSet(row.Text("RECEIVED_TRANSACTION_SET")); err == nil && row.Text("CHANNEL_NAME") == applierChannel {
				theirs = theirs.Union(received)
			}
		}
	}
	if len(online) == 0 {
		return
	}
	for _, s := range j.Set.Servers {
		if !s.Answered || !Of(s.State).InGroup() || !Of(s.State).First.Known || groupState(self(s.State, Of(s.State))) == v1alpha1.GroupOnline {
			continue
		}
		if extra := Of(s.State).First.Executed.Subtract(theirs); extra.Count() > 0 {
			errant(j, s, online, "keep it out of its group, as they are not on "+strings.Join(dbtopology.PodNames(online), ", "), extra.String())
		}
	}
}

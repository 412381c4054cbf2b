// Package replication is what MySQL and MariaDB servers' answers mean: the state of each, who replicates from whom, what part each plays, and
// whether that works. A state is decoded once, and nothing writes to it afterwards; whatever command asks is told the same.
package replication

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// State is a server with what it said, decoded.
type State struct {
	dbserver.Server
	Said     dbserver.Said
	Answered bool
	// Progress is how far its pod is on its way.
	Progress objects.Progress
	// Variables and Status are SHOW VARIABLES and SHOW STATUS, as far as they were asked for.
	Variables, Status mysql.Row
	Version           mysql.Version
	ID                int64 // 0 if unknown
	UUID              string
	// Now is the server's clock at the end of its answers; zero if unknown.
	Now time.Time
	// First and Again are what it had when it was asked and when all had been asked.
	First, Again Transactions
	Channels     []*Channel
	// ChannelsUnknown is true if nobody may tell whether it has any.
	ChannelsUnknown bool
	// Members is its view of its group.
	Members []mysql.Row
}

// Transactions is what a server has committed or applied.
type Transactions struct {
	Known bool
	// MySQL
	Executed, Purged mysql.GTIDSet
	// MariaDB
	Current, SlavePos, BinlogPos, BinlogState mysql.MariaDBPosition
}

// Decode reads what a server said. Columns that it does not have stay empty.
func Decode(server dbserver.Server, said dbserver.Said, now time.Time) *State {
	s := &State{
		Server: server, Said: said, Answered: said.Failure == nil && len(said.Answers) > 0, Progress: objects.ProgressOf(server.Pod, now),
	}
	if !s.Answered {
		return s
	}
	s.Variables, s.Status = pairs(s.Answer(mysql.SubjectVariables)), pairs(s.Answer(mysql.SubjectStatus))
	s.Version, _ = mysql.ParseVersion(s.Variables.Text("version"), s.Variables.Text("version_comment"))
	s.ID, _ = s.Variables.Int("server_id")
	s.UUID = strings.ToLower(s.Variables.Text("server_uuid"))
	s.First = decodeTransactions(s.Answer(mysql.SubjectGTID))
	if s.Again = decodeTransactions(s.Answer(mysql.SubjectGTIDAgain)); !s.Again.Known {
		s.Again = s.First
	}
	if a := s.Answer(mysql.SubjectGTID); a != nil && len(a.Rows) > 0 {
		s.Now, _ = ParseTime(mysql.Row(a.Rows[0]).Text("now"))
	}
	s.Members = rows(s.Answer(mysql.SubjectMembers))
	s.decodeChannels()
	return s
}

// Answer is that on a subject; nil without one.
func (s *State) Answer(subject mysql.Subject) *v1alpha1.MySQLAnswer {
	for i := range s.Said.Answers {
		if s.Said.Answers[i].Subject == string(subject) {
			return &s.Said.Answers[i]
		}
	}
	return nil
}

// Row is the first row of the answer on a subject, with its statement; rows of variables and of statuses are one row. Ok is false without one.
func (s *State) Row(subject mysql.Subject) (row mysql.Row, statement string, ok bool) {
	a := s.Answer(subject)
	switch {
	case a == nil || len(a.Rows) == 0:
		return nil, "", false
	case subject == mysql.SubjectVariables || subject == mysql.SubjectStatus:
		return pairs(a), a.Statement, true
	}
	return a.Rows[0], a.Statement, true
}

func rows(a *v1alpha1.MySQLAnswer) []mysql.Row {
	if a == nil {
		return nil
	}
	list := make([]mysql.Row, len(a.Rows))
	for i, row := range a.Rows {
		list[i] = row
	}
	return list
}

// pairs are the rows of SHOW VARIABLES and SHOW STATUS as one row.
func pairs(a *v1alpha1.MySQLAnswer) mysql.Row {
	all := mysql.Row{}
	for _, row := range rows(a) {
		all[row.Text("Variable_name")] = row["Value"]
	}
	return all
}

func decodeTransactions(a *v1alpha1.MySQLAnswer) Transactions {
	var t Transactions
	if a == nil || len(a.Rows) == 0 {
		return t
	}
	row := mysql.Row(a.Rows[0])
	var errs [6]error
	t.Executed, errs[0] = mysql.ParseGTIDSet(row.Text("gtid_executed"))
	t.Purged, errs[1] = mysql.ParseGTIDSet(row.Text("gtid_purged"))
	t.Current, errs[2] = mysql.ParseMariaDBPosition(row.Text("gtid_current_pos"))
	t.SlavePos, errs[3] = mysql.ParseMariaDBPosition(row.Text("gtid_slave_pos"))
	t.BinlogPos, errs[4] = mysql.ParseMariaDBPosition(row.Text("gtid_binlog_pos"))
	t.BinlogState, errs[5] = mysql.ParseMariaDBPosition(row.Text("gtid_binlog_state"))
	t.Known = cmp.Or(errs[0], errs[1], errs[2], errs[3], errs[4], errs[5]) == nil
	return t
}

// applied is what a MariaDB server has, from its source or of its own.
func (t Transactions) applied() mysql.MariaDBPosition {
	return slices.Concat(t.Current, t.SlavePos, t.BinlogPos)
}

// OnOff is a variable that is ON or OFF, 1 or 0, by whichever of its names the server has; nil if it has none. MariaDB 11 and later have further
// words, all of which are a kind of ON.
func OnOff(row mysql.Row, names ...string) *bool {
	var on bool
	switch value := row.First(names...); strings.ToUpper(value) {
	case "":
		return nil
	case "OFF", "0", "NO", "FALSE":
	default:
		on = true
	}
	return &on
}

// IsOn reports whether a variable is ON; one that a server does not have is not.
func IsOn(row mysql.Row, names ...string) bool {
	value := OnOff(row, names...)
	return value != nil && *value
}

// Writable reports whether a server says that it takes the writes of ordinary accounts.
func (s *State) Writable() bool { return s.Answered && !IsOn(s.Variables, "read_only") }

// GTIDOn reports whether a MySQL server writes GTIDs.
func (s *State) GTIDOn() bool { return strings.HasPrefix(s.Variables.Text("gtid_mode"), "ON") }

// Silent reports whether a server was reached, as far as the way there tells, and does not answer, or does not run.
func (s *State) Silent() bool { return !s.Answered && s.Said.Silent() }

// Starting reports whether a server that has answered may not have been set up yet: its pod is not ready, and not late.
func (s *State) Starting() bool { return s.Answered && s.Progress.Stage == objects.StageStarting }

// StartedAt is when a server's container was started, or its pod became ready if that was later; zero if it does not run.
func (s *State) StartedAt() time.Time {
	var started time.Time
	for i := range s.Pod.Status.ContainerStatuses {
		if c := &s.Pod.Status.ContainerStatuses[i]; c.Name == s.Container && c.State.Running != nil {
			started = c.State.Running.StartedAt.Time
		}
	}
	if ready := objects.ReadySince(s.Pod); !started.IsZero() && ready.After(started) {
		return ready
	}
	return started
}

// ParseTime reads a timestamp of the session's time zone; ok is false for none.
func ParseTime(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02 15:04:05.999999", text)
	return t, err == nil && t.Year() > 0
}

// Package replication is what MySQL's and MariaDB's servers say of replication: their answers decoded into states, the rules and the columns
// that only they have.
package replication

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// Detail is what is known of a MySQL or MariaDB server beyond what is true of every engine's.
type Detail struct {
	// Variables and Status are SHOW VARIABLES and SHOW STATUS, as far as they were asked for.
	Variables, Status mysql.Row
	Version           mysql.Version
	// Now is the server's clock at the end of its answers; zero if unknown.
	Now time.Time
	// First and Again are what it had when it was asked and when all had been asked.
	First, Again Transactions
	// Members is its view of its group.
	Members []mysql.Row
	// NoWrites is the setting for which it takes no writes of ordinary accounts; empty if it does.
	NoWrites string
}

// Of is a server's detail; empty if it did not answer.
func Of(s *dbstate.State) *Detail {
	if d, ok := s.Detail.(*Detail); ok {
		return d
	}
	return &Detail{}
}

// Transactions is what a server has committed or applied.
type Transactions struct {
	Known bool
	// MySQL
	Executed, Purged mysql.GTIDSet
	// MariaDB
	Current, SlavePos, BinlogPos, BinlogState mysql.MariaDBPosition
}

// Decode is the engine's dbstate.Decoder.
func Decode(s *dbstate.State) {
	d := &Detail{Variables: pairs(answer(s, mysql.SubjectVariables)), Status: pairs(answer(s, mysql.SubjectStatus))}
	s.Detail = d
	d.Version, _ = mysql.ParseVersion(d.Variables.Text("version"), d.Variables.Text("version_comment"))
	s.ID, _ = d.Variables.Int("server_id")
	s.UUID = strings.ToLower(d.Variables.Text("server_uuid"))
	s.Hostname = d.Variables.Text("hostname")
	d.NoWrites = noWrites(d.Variables)
	s.TakesWrites = d.NoWrites == ""
	d.First = decodeTransactions(answer(s, mysql.SubjectGTID))
	if d.Again = decodeTransactions(answer(s, mysql.SubjectGTIDAgain)); !d.Again.Known {
		d.Again = d.First
	}
	if a := answer(s, mysql.SubjectGTID); a != nil && len(a.Rows) > 0 {
		d.Now, _ = parseTime(mysql.Row(a.Rows[0]).Text("now"))
	}
	d.Members = rows(answer(s, mysql.SubjectMembers))
	s.Member = member(s, d)
	decodeChannels(s, d)
}

// innodbStopsWriting is the innodb_force_recovery from which on InnoDB is read-only (MySQL 5.6.15 and MariaDB 10.1 on).
const innodbStopsWriting = 4

// noWrites is the setting for which a server takes no writes of ordinary accounts; empty if there is none.
func noWrites(variables mysql.Row) string {
	switch level, _ := variables.Int("innodb_force_recovery"); {
	case IsOn(variables, "read_only"):
		return "read_only=1"
	case IsOn(variables, "innodb_read_only"):
		return "innodb_read_only=1"
	case level >= innodbStopsWriting:
		return fmt.Sprintf("innodb_force_recovery=%d", level)
	}
	return ""
}

func answer(s *dbstate.State, subject mysql.Subject) *v1alpha1.DatabaseAnswer {
	return s.Answer(string(subject))
}

// rowOf is the first row of the answer on a subject, with its statement; rows of variables and of statuses are one row. Ok is false without one.
func rowOf(s *dbstate.State, subject mysql.Subject) (row mysql.Row, statement string, ok bool) {
	a := answer(s, subject)
	switch {
	case a == nil || len(a.Rows) == 0:
		return nil, "", false
	case subject == mysql.SubjectVariables || subject == mysql.SubjectStatus:
		return pairs(a), a.Statement, true
	}
	return a.Rows[0], a.Statement, true
}

func rows(a *v1alpha1.DatabaseAnswer) []mysql.Row {
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
func pairs(a *v1alpha1.DatabaseAnswer) mysql.Row {
	all := mysql.Row{}
	for _, row := range rows(a) {
		all[row.Text("Variable_name")] = row["Value"]
	}
	return all
}

func decodeTransactions(a *v1alpha1.DatabaseAnswer) Transactions {
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

// gtidOn reports whether a MySQL server writes GTIDs.
func (d *Detail) gtidOn() bool { return strings.HasPrefix(d.Variables.Text("gtid_mode"), "ON") }

// parseTime reads a timestamp of the session's time zone; ok is false for none.
func parseTime(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02 15:04:05.999999", text)
	return t, err == nil && t.Year() > 0
}

package replication

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

const (
	// crowded is the share of max_connections from which on new clients will soon be refused.
	crowded = 0.9
	// waitsTooLong and waitsForTable are how many seconds a write may wait: for a lock on all tables, as a backup takes it for a moment, or
	// its commit; and for a lock on one table, behind an ALTER TABLE.
	waitsTooLong  = 10
	waitsForTable = 60
)

// clients reports a server that lets the plugin in and turns others away, or lets them wait: the plugin's account often has privileges that
// theirs have not.
func clients(j *dbtopology.Judge, s *dbstate.Server) {
	if !s.Answered {
		return
	}
	refusals(j, s)
	hangs(j, s)
}

// refusals report settings and limits for which ordinary accounts are refused.
func refusals(j *dbtopology.Judge, s *dbstate.Server) {
	variables := Of(s.State).Variables
	refuse := func(severity v1alpha1.Severity, evidence []v1alpha1.Evidence, format string, args ...any) {
		j.Add(v1alpha1.CodeRefusesClients, severity, dbtopology.PodNames([]*dbstate.Server{s}), evidence, "%s%s %s", s.Pod.Name, dbtopology.Readiness(s), fmt.Sprintf(format, args...))
		j.SendsClients(s, severity)
		j.OnItsWay(s)
	}
	if IsOn(variables, "offline_mode") {
		refuse(severityFor(s), quote(s, mysql.SubjectVariables, "offline_mode"), "is in offline mode (offline_mode=ON): it refuses all clients but administrators (error 3032)")
	}
	if mode := variables.Text("wsrep_reject_queries"); mode != "" && !strings.EqualFold(mode, "NONE") {
		refuse(v1alpha1.SeverityError, quote(s, mysql.SubjectVariables, "wsrep_reject_queries"), "refuses queries (wsrep_reject_queries=%s, error 1047)", mode)
	}
	if where := listensOnlyOn(s); where != "" {
		refuse(v1alpha1.SeverityError, quote(s, mysql.SubjectVariables, "bind_address", "skip_networking"),
			"%s: clients in other pods can't connect, unless something in its pod passes their connections on", where)
	}
	limit, limited := variables.Int("max_connections")
	connected, known := Of(s.State).Status.Int("Threads_connected")
	others := connected - 1 // without the plugin's own
	evidence := append(quote(s, mysql.SubjectVariables, "max_connections"), quote(s, mysql.SubjectStatus, "Threads_connected")...)
	switch {
	case !limited || !known:
	case others >= limit:
		refuse(severityFor(s), evidence, "has all its %d connections in use (max_connections): new clients are refused (error 1040), all but administrators", limit)
	case float64(others) >= crowded*float64(limit):
		refuse(v1alpha1.SeverityWarning, evidence, "has %d of %d connections in use (max_connections): when all are, new clients are refused (error 1040)", others, limit)
	}
	most, counted := accountRow(s).Int("sessions")
	each, _ := variables.Int("max_user_connections")
	if counted && each > 0 && most >= each {
		refuse(v1alpha1.SeverityWarning, append(quote(s, mysql.SubjectVariables, "max_user_connections"), quote(s, mysql.SubjectAccount, "sessions")...),
			"has %d connections of one account, and lets each have %d (max_user_connections): the account's next client is refused (error 1226)", most, each)
	}
}

// accountRow is what a server says of the account with most sessions; nil without an answer.
func accountRow(s *dbstate.Server) mysql.Row {
	row, _, _ := rowOf(s.State, mysql.SubjectAccount)
	return row
}

// severityFor is how bad it is that a server serves no clients: worst for the one that takes the writes.
func severityFor(s *dbstate.Server) v1alpha1.Severity {
	switch s.Role() {
	case v1alpha1.RoleSource, v1alpha1.RolePrimary, v1alpha1.RoleStandalone:
		return v1alpha1.SeverityCritical
	}
	return v1alpha1.SeverityError
}

// listensOnlyOn says where a server listens if that is not where clients of other pods come in; it is empty otherwise, and for servers that
// are for a program beside them, which knows their socket.
func listensOnlyOn(s *dbstate.Server) string {
	variables := Of(s.State).Variables
	if slices.ContainsFunc(s.Flavour.Logins, func(l dbserver.Login) bool { return l.SocketOnly }) {
		return ""
	}
	if IsOn(variables, "skip_networking") {
		return "listens on its socket only (skip_networking=ON)"
	}
	list := variables.Text("bind_address")
	if list == "" {
		return ""
	}
	for part := range strings.SplitSeq(list, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(part), "/") // behind it may stand a network namespace
		address, err := netip.ParseAddr(name)
		if name != "localhost" && (err != nil || !address.IsLoopback()) {
			return ""
		}
	}
	return "listens on the loopback address only (bind_address=" + list + ")"
}

// hangs report sessions that wait and do not go on.
func hangs(j *dbtopology.Judge, s *dbstate.Server) {
	a := answer(s.State, mysql.SubjectSessions)
	if a == nil {
		return
	}
	kinds := []struct {
		states   []string
		least    int64
		severity v1alpha1.Severity
		text     string
	}{
		{mysql.WaitsForReadLock, waitsTooLong, severityFor(s), "for the end of a lock on all tables (FLUSH TABLES WITH READ LOCK, or a backup's)"},
		{mysql.WaitsForCommit, waitsTooLong, severityFor(s), "for the end of a commit: is the volume of its binary logs full, or its disk slow?"},
		{mysql.WaitsForMetadata, waitsForTable, v1alpha1.SeverityWarning, "for a lock on a table, behind an ALTER TABLE, a LOCK TABLES or a transaction that is left open"},
	}
	for _, kind := range kinds {
		var sessions, longest int64
		var evidence []v1alpha1.Evidence
		for _, row := range rows(a) {
			if !slices.Contains(kind.states, row.Text("state")) {
				continue
			}
			n, _ := row.Int("sessions")
			seconds, _ := row.Int("seconds")
			sessions, longest = sessions+n, max(longest, seconds)
			evidence = append(evidence, quoteRow(s, a.Statement, row, []string{"state", "sessions", "seconds"}))
		}
		if sessions == 0 || longest < kind.least {
			continue
		}
		j.Add(v1alpha1.CodeWritesHang, kind.severity, dbtopology.PodNames([]*dbstate.Server{s}), evidence,
			"%s%s: %s, the longest for %s, %s", s.Pod.Name, dbtopology.Readiness(s), wait(sessions), dbstate.Duration(longest*1000), kind.text)
		j.OnItsWay(s)
	}
}

func wait(sessions int64) string {
	if sessions == 1 {
		return "1 session waits"
	}
	return fmt.Sprintf("%d sessions wait", sessions)
}

// sessionsUnseen is why a server's answer about sessions has not all of them; it is empty if it has.
func sessionsUnseen(s *dbstate.Server) string {
	a := answer(s.State, mysql.SubjectSessions)
	if a == nil || a.Error != nil {
		return ""
	}
	var seen int64
	for _, row := range rows(a) {
		n, _ := row.Int("sessions")
		seen += n
	}
	connected, _ := Of(s.State).Status.Int("Threads_connected")
	switch {
	case seen == 0: // not even the plugin's own
		return "performance_schema is off"
	case Of(s.State).Version.Product == mysql.MariaDB && seen == 1 && connected > 1:
		return "the account sees only its own: GRANT PROCESS ON *.*"
	}
	return ""
}

// filters report what a replica leaves out, and what its source does not log.
func filters(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	row := OfChannel(c.Channel).Row
	columns := []string{
		"Replicate_Do_DB", "Replicate_Ignore_DB", "Replicate_Do_Table", "Replicate_Ignore_Table", "Replicate_Wild_Do_Table", "Replicate_Wild_Ignore_Table",
		"Replicate_Rewrite_DB", "Replicate_Do_Domain_Ids", "Replicate_Ignore_Domain_Ids",
	}
	filtered(j, s, row, quoteChannel(c, s, columns...), columns, s.Pod.Name+dbtopology.ChannelName(c)+" does not apply all that it receives")
}

// loggedOnly reports a source whose binary log lacks changes.
func loggedOnly(j *dbtopology.Judge, s *dbstate.Server) {
	row, _, ok := rowOf(s.State, mysql.SubjectBinlog)
	if !ok || len(s.Replicas) == 0 {
		return
	}
	columns := []string{"Binlog_Do_DB", "Binlog_Ignore_DB"}
	filtered(j, s, row, quote(s, mysql.SubjectBinlog, columns...), columns, s.Pod.Name+" does not log all changes for its replicas")
}

func filtered(j *dbtopology.Judge, s *dbstate.Server, row mysql.Row, evidence []v1alpha1.Evidence, columns []string, text string) {
	var parts []string
	severity := v1alpha1.SeverityInfo
	for _, column := range columns {
		value := row.Text(column)
		if value == "" {
			continue
		}
		parts = append(parts, column+"="+value)
		if leavesOutData(column, value) {
			severity = v1alpha1.SeverityWarning
		}
	}
	if len(parts) == 0 {
		return
	}
	what := " by its filters: "
	if severity != v1alpha1.SeverityInfo {
		what = " by its filters, so that it lacks data although its GTIDs look complete: "
		if len(s.Replicas) > 0 && len(s.Links) == 0 {
			what = " by its filters: they lack data: "
		}
	}
	j.Add(v1alpha1.CodeReplicationFilter, severity, dbtopology.PodNames([]*dbstate.Server{s}), evidence, "%s%s%s", text, what, strings.Join(parts, ", "))
}

// leavesOutData reports whether a filter keeps data of users from a replica: not one that leaves out the server's own schemas, renames, or
// chooses among the sources of several.
func leavesOutData(column, value string) bool {
	switch {
	case strings.HasSuffix(column, "_Domain_Ids"), strings.HasSuffix(column, "_Rewrite_DB"):
		return false
	case !strings.Contains(column, "_Ignore_"):
		return true
	}
	return slices.ContainsFunc(strings.Split(value, ","), func(name string) bool {
		schema, _, _ := strings.Cut(strings.TrimSpace(name), ".")
		return !slices.Contains(ownSchemas, cmp.Or(strings.ToLower(schema), "mysql"))
	})
}

// ownSchemas are a server's own.
var ownSchemas = []string{"mysql", "sys", "information_schema", "performance_schema"}

package replication

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// States is MySQL and MariaDB as an engine whose answers are understood.
var States = dbstate.Engine{Engine: &mysql.Engine, Decode: Decode, Relate: relate, Lacks: lacks}

// Engine is MySQL and MariaDB in a topology.
var Engine = dbtopology.Engine{
	Engine: &States, Replication: replicationOf, Equal: equal, Related: related,
	Describe: describe, DescribeChannel: describeChannel, Evidence: proof,
	Rules: rules, ServerRules: serverRules, ChannelRules: channelRules,
	Hasty: []v1alpha1.Code{v1alpha1.CodeGaleraSizeMismatch}, Unread: unread, Refusal: refusal, MemberState: memberState, Identity: identity, Mode: mode, Columns: columns, Wide: wide, Happenings: happenings,
}

// equal reports whether a set is a Galera cluster: any node takes reads and writes.
func equal(set *dbstate.Set) bool { return replicationOf(set) == v1alpha1.ReplicationGalera }

// rules are those about a set.
func rules(j *dbtopology.Judge) {
	identities(j)
	switch j.Report.Replication {
	case v1alpha1.ReplicationGroup:
		group(j)
	case v1alpha1.ReplicationGalera:
		galera(j)
	}
}

func serverRules(j *dbtopology.Judge, s *dbstate.Server) {
	server(j, s)
	semiSyncRules(j, s)
	clients(j, s)
	loggedOnly(j, s)
}

func channelRules(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	threads(j, s, c)
	channelSettings(j, s, c)
	filters(j, s, c)
	stalled(j, s, c)
}

// describe adds what only MySQL and MariaDB have.
func describe(s *dbstate.Server, r *v1alpha1.DatabaseServer) {
	d := Of(s.State)
	r.Product, r.Distribution = v1alpha1.DatabaseProduct(d.Version.Product), v1alpha1.DatabaseDistribution(d.Version.Distribution)
	r.Version = d.Version.String()
	if r.ReadOnly = OnOff(d.Variables, "read_only"); r.ReadOnly != nil {
		*r.ReadOnly = d.NoWrites != ""
	}
	r.MySQL = &v1alpha1.MySQLServer{
		ServerUUID: s.UUID, SuperReadOnly: OnOff(d.Variables, "super_read_only"), GTIDMode: v1alpha1.GTIDMode(d.Variables.Text("gtid_mode")),
		Group: groupMember(s.State), Galera: d.galeraNode(),
	}
	if d.Version.Product == mysql.MariaDB {
		r.MySQL.GTIDMode = v1alpha1.GTIDMariaDB
	}
	if s.ID != 0 {
		r.MySQL.ServerID = &s.ID
	}
	if d.Again.Known {
		r.MySQL.GTIDExecuted = cmp.Or(d.Again.Executed.String(), d.Again.Current.String(), d.Again.BinlogPos.String())
	}
}

func describeChannel(s *dbstate.Server, c *dbstate.Link, r *v1alpha1.DatabaseChannel) {
	r.MySQL = &v1alpha1.MySQLChannel{AutoPosition: OfChannel(c.Channel).AutoPosition, SecondsBehind: OfChannel(c.Channel).SecondsBehind}
	r.MySQL.BehindTransactions, r.BehindBytes = behind(s, c)
	if canCompare(s, c) {
		r.MySQL.ErrantGTIDs = errantOf(s)
	}
}

// memberState is what a server says of its part in a group or a Galera cluster.
func memberState(s *v1alpha1.DatabaseServer) (state string, healthy, member bool) {
	switch m := own(s); {
	case m.Group != nil:
		return string(m.Group.State), m.Group.State == v1alpha1.GroupOnline, true
	case m.Galera != nil:
		return cmp.Or(string(m.Galera.State), "unknown"), m.Galera.State == v1alpha1.GaleraSynced, true
	}
	return "", true, false
}

// happenings are what a member does otherwise than before.
func happenings(was, is *v1alpha1.DatabaseServer, tell func(level printers.Level, text string)) {
	told := func(healthy bool, format string, args ...any) {
		level := printers.Alarm
		if healthy {
			level = printers.Plain
		}
		tell(level, fmt.Sprintf(format, args...))
	}
	before, now := own(was), own(is)
	if before.Group != nil && now.Group != nil && before.Group.State != now.Group.State {
		told(now.Group.State == v1alpha1.GroupOnline, " is %s in its group (was %s)", now.Group.State, before.Group.State)
	}
	if before.Galera != nil && now.Galera != nil {
		if before.Galera.ClusterStatus != now.Galera.ClusterStatus {
			told(now.Galera.ClusterStatus == v1alpha1.GaleraPrimary, ": its component is %s (was %s)", orNone(string(now.Galera.ClusterStatus)), orNone(string(before.Galera.ClusterStatus)))
		}
		if before.Galera.State != now.Galera.State {
			told(now.Galera.State == v1alpha1.GaleraSynced, " is %s (was %s)", orNone(string(now.Galera.State)), orNone(string(before.Galera.State)))
		}
	}
}

// own is what a server's report has of MySQL and MariaDB alone; empty for another engine's.
func own(s *v1alpha1.DatabaseServer) *v1alpha1.MySQLServer {
	if s.MySQL == nil {
		return &v1alpha1.MySQLServer{}
	}
	return s.MySQL
}

// ownChannel is what a channel's report has of MySQL and MariaDB alone.
func ownChannel(c *v1alpha1.DatabaseChannel) *v1alpha1.MySQLChannel {
	if c.MySQL == nil {
		return &v1alpha1.MySQLChannel{}
	}
	return c.MySQL
}

// identity is by what a server is known to others.
func identity(s *v1alpha1.DatabaseServer) (name, value string) {
	return "server_uuid", own(s).ServerUUID
}

// mode is rw, ro or sro (super_read_only).
func mode(s *v1alpha1.DatabaseServer) string {
	switch m := own(s); {
	case s.ReadOnly == nil:
		return ""
	case m.SuperReadOnly != nil && *m.SuperReadOnly:
		return "sro"
	case *s.ReadOnly:
		return "ro"
	}
	return "rw"
}

func orNone(text string) string { return cmp.Or(text, "<none>") }

// refusal is why a server did not answer a question.
func refusal(a *v1alpha1.DatabaseAnswer) (v1alpha1.Problem, bool) {
	if a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady {
		return v1alpha1.Problem{}, false
	}
	p := v1alpha1.Problem{Reason: v1alpha1.ReasonUnavailable, Message: a.Error.Message}
	forbidden := mysql.IsMissingPrivilege(&mysql.ServerError{Number: int(a.Error.Number)})
	if forbidden {
		p.Reason, p.Remedy = v1alpha1.ReasonForbidden, "grant this privilege to the account"
		p.Message = withoutTable(p.Message)
	}
	if a.Error.Number != 0 {
		p.Message = fmt.Sprintf("error %d: %s", a.Error.Number, p.Message)
	}
	return p, true
}

// withoutTable makes the refusals of a schema's tables alike: SELECT command denied … for table 'x'.
func withoutTable(message string) string {
	before, _, found := strings.Cut(message, " for table ")
	if !found {
		return message
	}
	return before + " for tables of performance_schema"
}

// unread are what a server did not tell, for want of a privilege, of what a verdict rests on: what it replicates from, what it sees of its
// group, and whether its clients wait.
func unread(s *dbstate.Server) []string {
	var list []string
	for _, subject := range [...]mysql.Subject{mysql.SubjectReplica, mysql.SubjectMembers, mysql.SubjectStatus, mysql.SubjectSessions} {
		a := answer(s.State, subject)
		switch {
		case a == nil || a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady:
		case subject == mysql.SubjectReplica && !s.ChannelsUnknown, subject == mysql.SubjectMembers && !Of(s.State).InGroup():
		default:
			list = append(list, fmt.Sprintf("%s of %s: %s", subject, s.Pod.Name, a.Error.Message))
		}
	}
	if why := sessionsUnseen(s); why != "" {
		list = append(list, fmt.Sprintf("%s of %s: %s", mysql.SubjectSessions, s.Pod.Name, why))
	}
	return list
}

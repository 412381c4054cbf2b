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
var States = dbstate.Engine{Engine: &mysql.Engine, Decode: Decode}

// Engine is MySQL and MariaDB in a topology.
var Engine = dbtopology.Engine{
	Engine: &States, Replication: replicationOf, Equal: equal,
	Describe: describe, DescribeChannel: describeChannel, Evidence: proof,
	Rules: rules, ServerRules: serverRules, ChannelRules: channelRules,
	Unread: unread, Refusal: refusal, MemberState: memberState, Columns: columns, Wide: wide, Happenings: happenings,
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
}

func channelRules(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	threads(j, s, c)
	channelSettings(j, s, c)
}

// describe adds what only MySQL and MariaDB have.
func describe(s *dbstate.Server, r *v1alpha1.MySQLServer) {
	d := Of(s.State)
	r.Product, r.Distribution = v1alpha1.MySQLProduct(d.Version.Product), v1alpha1.MySQLDistribution(d.Version.Distribution)
	r.Version = d.Version.String()
	r.ReadOnly, r.SuperReadOnly = OnOff(d.Variables, "read_only"), OnOff(d.Variables, "super_read_only")
	r.GTIDMode = v1alpha1.GTIDMode(d.Variables.Text("gtid_mode"))
	if d.Version.Product == mysql.MariaDB {
		r.GTIDMode = v1alpha1.GTIDMariaDB
	}
	if d.Again.Known {
		r.GTIDExecuted = cmp.Or(d.Again.Executed.String(), d.Again.Current.String(), d.Again.BinlogPos.String())
	}
	r.Group, r.Galera = groupMember(s.State), d.galeraNode()
}

func describeChannel(s *dbstate.Server, c *dbstate.Link, r *v1alpha1.MySQLChannel) {
	r.AutoPosition = OfChannel(c.Channel).AutoPosition
	r.BehindTransactions, r.BehindBytes = behind(s, c)
	if canCompare(s, c) {
		r.ErrantGTIDs = errantOf(s)
	}
}

// memberState is what a server says of its part in a group or a Galera cluster.
func memberState(s *v1alpha1.MySQLServer) (state string, sound, member bool) {
	switch {
	case s.Group != nil:
		return string(s.Group.State), s.Group.State == v1alpha1.GroupOnline, true
	case s.Galera != nil:
		return cmp.Or(string(s.Galera.State), "unknown"), s.Galera.State == v1alpha1.GaleraSynced, true
	}
	return "", true, false
}

// happenings are what a member does otherwise than before.
func happenings(was, is *v1alpha1.MySQLServer, tell func(level printers.Level, text string)) {
	told := func(sound bool, format string, args ...any) {
		level := printers.Alarm
		if sound {
			level = printers.Plain
		}
		tell(level, fmt.Sprintf(format, args...))
	}
	if was.Group != nil && is.Group != nil && was.Group.State != is.Group.State {
		told((is.Group.State == v1alpha1.GroupOnline), " is %s in its group (was %s)", is.Group.State, was.Group.State)
	}
	if was.Galera != nil && is.Galera != nil {
		if was.Galera.ClusterStatus != is.Galera.ClusterStatus {
			told((is.Galera.ClusterStatus == v1alpha1.GaleraPrimary), ": its component is %s (was %s)", orNone(string(is.Galera.ClusterStatus)), orNone(string(was.Galera.ClusterStatus)))
		}
		if was.Galera.State != is.Galera.State {
			told((is.Galera.State == v1alpha1.GaleraSynced), " is %s (was %s)", orNone(string(is.Galera.State)), orNone(string(was.Galera.State)))
		}
	}
}

func orNone(text string) string { return cmp.Or(text, "<none>") }

// refusal is why a server did not answer a question.
func refusal(a *v1alpha1.MySQLAnswer) (v1alpha1.Problem, bool) {
	if a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady {
		return v1alpha1.Problem{}, false
	}
	p := v1alpha1.Problem{Reason: v1alpha1.ReasonUnavailable, Message: a.Error.Message}
	forbidden := mysql.IsMissingPrivilege(&mysql.ServerError{Number: int(a.Error.Number)})
	if forbidden {
		p.Reason, p.Remedy = v1alpha1.ReasonForbidden, "grant this privilege, see docs/rbac.md"
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

// unread are what a server did not tell, for want of a privilege, of what a verdict rests on: what it replicates from, and what
// it sees of its group.
func unread(s *dbstate.Server) []string {
	var list []string
	for _, subject := range [...]mysql.Subject{mysql.SubjectReplica, mysql.SubjectMembers, mysql.SubjectStatus} {
		a := answer(s.State, subject)
		switch {
		case a == nil || a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady:
		case subject == mysql.SubjectReplica && !s.ChannelsUnknown, subject == mysql.SubjectMembers && !Of(s.State).InGroup():
		default:
			list = append(list, fmt.Sprintf("%s of %s: %s", subject, s.Pod.Name, a.Error.Message))
		}
	}
	return list
}

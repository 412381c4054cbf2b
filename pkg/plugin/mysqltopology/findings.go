package mysqltopology

import (
	"cmp"
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// judge collects the findings of one set.
type judge struct {
	*index
	set      *set
	topology *v1alpha1.MySQLTopology
	list     []v1alpha1.Finding
	// sourceGone are the unreachable or missing sources that a finding tells of: their replicas' receivers need none of their own.
	sourceGone map[string]bool
	// silenced are the servers that do not answer, and that a finding of their own tells of.
	silenced map[string]bool
}

// findings are what is wrong with a set, the worst first.
func (x *index) findings(set *set, t *v1alpha1.MySQLTopology) []v1alpha1.Finding {
	j := &judge{index: x, set: set, topology: t, sourceGone: map[string]bool{}, silenced: map[string]bool{}}
	j.unreachableSources()
	j.silentServers()
	j.sources()
	j.identities()
	switch t.Replication {
	case v1alpha1.ReplicationGroup:
		j.group()
	case v1alpha1.ReplicationGalera:
		j.galera()
	}
	for _, s := range set.Servers {
		for _, c := range s.Links {
			j.threads(s, c)
			j.lag(s, c)
			j.channelSettings(s, c)
		}
		j.server(s)
		j.semiSync(s)
	}
	j.readiness()
	j.services()
	j.placement()
	finding.Sort(j.list)
	return j.list
}

// add adds a finding about pods, with the place in the documentation that explains it.
func (j *judge) add(code v1alpha1.Code, severity v1alpha1.Severity, pods []string, evidence []v1alpha1.Evidence, format string, args ...any) {
	objects := make([]string, len(pods))
	for i, pod := range pods {
		objects[i] = "pod/" + pod
	}
	f := finding.New(code, severity, objects, "", format, args...)
	f.Evidence = evidence
	j.list = append(j.list, f)
}

// quote is what a server answered to the statement of a subject: the columns that it has of those named. Variables and
// statuses are rows of their answers.
func quote(s *server, subject mysql.Subject, columns ...string) []v1alpha1.Evidence {
	row, statement, ok := s.Row(subject)
	if !ok {
		return nil
	}
	return unlessEmpty(quoteRow(s, statement, row, columns))
}

// quoteChannel is that of a channel's row, with the channel's name where it has one.
func quoteChannel(c *channel, s *server, columns ...string) []v1alpha1.Evidence {
	if c.Name != "" {
		columns = append([]string{"Channel_Name", "Connection_name"}, columns...)
	}
	return unlessEmpty(quoteRow(s, c.Statement, c.Row, columns))
}

// unlessEmpty leaves out what has none of the columns.
func unlessEmpty(e v1alpha1.Evidence) []v1alpha1.Evidence {
	if len(e.Values) == 0 {
		return nil
	}
	return []v1alpha1.Evidence{e}
}

// quoteRow is a row, without the columns that it does not have.
func quoteRow(s *server, statement string, row mysql.Row, columns []string) v1alpha1.Evidence {
	e := v1alpha1.Evidence{Object: "pod/" + s.Pod.Name, Query: statement, Values: map[string]string{}}
	for _, column := range columns {
		if value, ok := row[column]; ok {
			e.Values[column] = "NULL"
			if value != nil {
				e.Values[column] = objects.OneLine(*value)
			}
		}
	}
	return e
}

// Columns of the two threads, in the words of all versions.
var (
	receiverColumns = []string{"Replica_IO_Running", "Slave_IO_Running", "Last_IO_Errno", "Last_IO_Error", "Source_Host", "Master_Host"}
	applierColumns  = []string{"Replica_SQL_Running", "Slave_SQL_Running", "Last_SQL_Errno", "Last_SQL_Error"}
	lagColumns      = []string{"Seconds_Behind_Source", "Seconds_Behind_Master", "SQL_Delay", "SQL_Remaining_Delay"}
)

// readiness is what Kubernetes thinks of a broken server: readers are sent to it.
func readiness(s *server) string {
	if objects.PodReady(s.Pod) {
		return " (the pod is Ready)"
	}
	return ""
}

func podNames(list []*server) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Pod.Name
	}
	return names
}

func channelName(c *channel) string {
	if c.Name == "" {
		return ""
	}
	return fmt.Sprintf(" (channel %s)", c.Name)
}

func sourceName(ref replication.SourceRef) string {
	name := cmp.Or(ref.Host, "a source")
	if ref.Port != 0 && ref.Port != mysql.DefaultPort {
		name = fmt.Sprintf("%s:%d", name, ref.Port)
	}
	if ref.UUID != "" {
		name += " (" + ref.UUID + ")"
	}
	return name
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

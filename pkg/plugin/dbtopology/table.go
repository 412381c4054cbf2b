package dbtopology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	timeutil "k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Engines are those whose columns are shown.
	Engines []*Engine
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Show is which rows are shown.
	Show printers.Show
	// Now is the moment that ages are counted from.
	Now time.Time
}

// Row is what a line of the table is about: a server and one of its channels, which is nil if it has none.
type Row struct {
	Set     *v1alpha1.DatabaseTopology
	Server  *v1alpha1.DatabaseServer
	Channel *v1alpha1.DatabaseChannel
	engines []*Engine
	branch  string
	now     time.Time
}

func columns(v View) printers.Columns[Row] {
	all := printers.Columns[Row]{
		printers.Narrow("POD", pod),
		printers.Narrow("READY", ready),
		printers.Narrow("ROLE", role),
		printers.Narrow("MODE", mode),
		printers.Narrow("THREADS", threads),
		printers.Narrow("LAG", lag),
	}
	for _, e := range v.Engines {
		all = append(all, e.Columns...)
	}
	all = append(all,
		printers.Narrow("VERSION", Known(version)).GivesWay(2),
		printers.Wide("SOURCE", source),
		printers.Wide("NODE", place(func(s *v1alpha1.DatabaseServer) string { return s.Node })),
		printers.Wide("ZONE", place(func(s *v1alpha1.DatabaseServer) string { return s.Zone })),
		printers.Wide("CAPACITYTYPE", place(func(s *v1alpha1.DatabaseServer) string { return string(s.CapacityType) })),
	)
	for _, e := range v.Engines {
		all = append(all, e.Wide...)
	}
	all = append(all,
		printers.Wide("VIA", Known(func(s *v1alpha1.DatabaseServer) string { return string(s.Via) })),
		printers.Narrow("AGE", age).GivesWay(3),
	)
	if v.Namespaces {
		all = append(printers.Columns[Row]{printers.Narrow("NAMESPACE", func(r Row) printers.Cell { return printers.Text(r.Set.Metadata.Namespace) })}, all...)
	}
	return all
}

// Table lays a report out: a block for each set, a row for each server and channel, in the order of the tree. Columns of an engine of which
// there is no set are left out.
func Table(report *v1alpha1.DatabaseTopologyList, v View) printers.Table {
	if len(report.Items) > 0 {
		v.Engines = slices.DeleteFunc(slices.Clone(v.Engines), func(e *Engine) bool {
			return !slices.ContainsFunc(report.Items, func(t v1alpha1.DatabaseTopology) bool { return t.Engine == e.Name })
		})
	}
	cols := columns(v)
	t := printers.Table{Columns: cols.Heads(), Blocks: make([]printers.Block, 0, len(report.Items))}
	for i := range report.Items {
		set := &report.Items[i]
		block := printers.Block{Heading: heading(set, v), Findings: finding.Join(set.Findings)}
		fine := fineServers(set)
		entries := entriesOf(set)
		branches := branchesOf(entries, v.Show, fine)
		for j, e := range entries {
			row := Row{Set: set, Server: &set.Servers[e.server], engines: v.Engines, branch: branches[j], now: v.Now}
			if len(e.channels) == 0 {
				block.Add(v.Show, fine[e.server], cols.Cells(row))
			}
			for _, row.Channel = range e.channels {
				block.Add(v.Show, fine[e.server], cols.Cells(row))
			}
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// fineServers reports, server by server, whether nothing is wrong with it nor with those below it, which would stand in the air without it.
func fineServers(set *v1alpha1.DatabaseTopology) []bool {
	troubled := finding.TroubledBy(set.Findings)
	fine := make([]bool, len(set.Servers))
	for i := range set.Servers {
		s := &set.Servers[i]
		if fine[i] = s.Unreachable == "" && s.Ready && !troubled.Has("Pod", set.Metadata.Namespace, s.Pod); fine[i] {
			continue
		}
		depth := s.Depth
		for j := i - 1; j >= 0 && depth > 0; j-- {
			if above := &set.Servers[j]; above.Depth < depth {
				fine[j], depth = false, above.Depth
			}
		}
	}
	return fine
}

// RowKey tells rows apart: servers by namespace and pod, with their channels. The tree's branches are no part of a name.
func RowKey(v View) func(Row []printers.Cell) string {
	key := printers.RowKey(Table(&v1alpha1.DatabaseTopologyList{}, v).Columns, "NAMESPACE", "POD")
	branches := strings.NewReplacer("│", "", "├─", "", "└─", "", " ", "")
	return func(Row []printers.Cell) string { return branches.Replace(key(Row)) }
}

// Names are what -o name prints: the sets' owners, else the pods.
func Names(report *v1alpha1.DatabaseTopologyList) []string {
	groups := map[string]string{"statefulset": "statefulset.apps", "deployment": "deployment.apps"}
	var list []string
	for i := range report.Items {
		set := &report.Items[i]
		kind, name, owned := strings.Cut(owner(set), "/")
		if owned {
			list = append(list, cmp.Or(groups[kind], kind)+"/"+name)
			continue
		}
		for j := range set.Servers {
			list = append(list, "pod/"+set.Servers[j].Pod)
		}
	}
	return list
}

// replicationWords are for people.
var replicationWords = map[v1alpha1.DatabaseReplication]string{
	v1alpha1.ReplicationNone: "no replication", v1alpha1.ReplicationAsynchronous: "asynchronous", v1alpha1.ReplicationSemiSync: "semi-synchronous",
	v1alpha1.ReplicationSynchronous: "synchronous", v1alpha1.ReplicationGroup: "Group Replication", v1alpha1.ReplicationGalera: "Galera", v1alpha1.ReplicationUnknown: "replication unknown",
}

func heading(set *v1alpha1.DatabaseTopology, v View) []printers.Cell {
	name := set.Metadata.Name
	if v.Namespaces {
		name = set.Metadata.Namespace + "/" + name
	}
	answered := 0
	for i := range set.Servers {
		if set.Servers[i].Unreachable == "" {
			answered++
		}
	}
	answers := printers.Text(fmt.Sprintf("%d/%d answered", answered, len(set.Servers)))
	if answered < len(set.Servers) {
		answers.Level = printers.Alarm
	}
	cells := []printers.Cell{printers.Text(name), printers.Text(set.Flavour), printers.Text(replicationWords[set.Replication]), answers}
	for i := range set.Services {
		s := &set.Services[i]
		text := fmt.Sprintf("Service %s: reaches %d", s.Name, len(s.Reaches))
		if s.ReachesUnknown {
			text = fmt.Sprintf("Service %s: unknown", s.Name)
		}
		if s.Purpose != v1alpha1.ServiceForAny {
			text += fmt.Sprintf(" (for %s)", map[v1alpha1.ServicePurpose]string{v1alpha1.ServiceForReading: "reading", v1alpha1.ServiceForWriting: "writing"}[s.Purpose])
		}
		cells = append(cells, printers.Text(text))
	}
	return cells
}

func pod(r Row) printers.Cell {
	text := r.branch + r.Server.Pod
	if r.Channel != nil && r.Channel.Name != "" {
		text += fmt.Sprintf(" (%s)", r.Channel.Name)
	}
	return printers.Text(text)
}

func ready(r Row) printers.Cell {
	if r.Server.Ready {
		return printers.Text("yes")
	}
	return printers.Cell{Text: "no", Level: printers.Alarm}
}

// Unknown reports whether a server did not answer: nothing is known of it but what Kubernetes says.
func (r Row) Unknown() bool { return r.Server.Unreachable != "" }

// Known is a column of what a server reports itself.
func Known(text func(*v1alpha1.DatabaseServer) string) func(Row) printers.Cell {
	return func(r Row) printers.Cell {
		switch value := text(r.Server); {
		case r.Unknown():
			return printers.Unknown
		case value == "":
			return printers.None
		default:
			return printers.Text(value)
		}
	}
}

func place(text func(*v1alpha1.DatabaseServer) string) func(Row) printers.Cell {
	return func(r Row) printers.Cell {
		switch value := text(r.Server); value {
		case "":
			return printers.None
		case string(v1alpha1.CapacityUnknown):
			return printers.Unknown
		default:
			return printers.Text(value)
		}
	}
}

func role(r Row) printers.Cell {
	if r.Server.Role == v1alpha1.RoleUnknown {
		return printers.Unknown
	}
	return printers.Text(strings.ToLower(string(r.Server.Role)))
}

// mode says who may write to a server.
func mode(r Row) printers.Cell {
	if !r.Unknown() {
		for _, e := range r.engines {
			if word := e.Mode(r.Server); word != "" {
				return printers.Text(word)
			}
		}
	}
	return printers.Unknown
}

// threads are the receiver and the applier of a channel, or the state of a member of a group.
func threads(r Row) printers.Cell {
	s := r.Server
	switch {
	case r.Unknown(), s.Role == v1alpha1.RoleUnknown:
		return printers.Unknown
	case r.Channel != nil:
		c := printers.Text(cmp.Or(string(r.Channel.Receiver), "unknown") + "/" + cmp.Or(string(r.Channel.Applier), "unknown"))
		if r.Channel.Receiver != v1alpha1.ThreadRuns || r.Channel.Applier != v1alpha1.ThreadRuns {
			c.Level = printers.Alarm
		}
		return c
	}
	for _, e := range r.engines {
		if state, healthy, member := e.MemberState(s); member {
			c := printers.Text(state)
			if !healthy {
				c.Level = printers.Alarm
			}
			return c
		}
	}
	return printers.None
}

func lag(r Row) printers.Cell {
	switch c := r.Channel; {
	case r.Unknown(), r.Server.Role == v1alpha1.RoleUnknown:
		return printers.Unknown
	case c == nil:
		return printers.None
	case c.LagMilliseconds == nil:
		return printers.Unknown
	default:
		cell := printers.Text(dbstate.Duration(*c.LagMilliseconds))
		if c.DelaySeconds > 0 {
			cell.Text += fmt.Sprintf(" (+%s)", dbstate.Duration(c.DelaySeconds*1000))
		}
		switch {
		case *c.LagMilliseconds >= dbstate.StaleMilliseconds:
			cell.Level = printers.Alarm
		case *c.LagMilliseconds >= dbstate.LateMilliseconds:
			cell.Level = printers.Warn
		}
		return cell
	}
}

func version(s *v1alpha1.DatabaseServer) string {
	return strings.TrimSpace(cmp.Or(string(s.Distribution), string(s.Product)) + " " + s.Version)
}

func source(r Row) printers.Cell {
	c := r.Channel
	switch {
	case r.Unknown():
		return printers.Unknown
	case c == nil:
		return printers.None
	case c.Source.Set != "":
		return printers.Text(fmt.Sprintf("%s of %s", c.Source.Pod, c.Source.Set))
	case c.Source.Pod != "":
		return printers.Text(c.Source.Pod)
	}
	return printers.Cell{Text: cmp.Or(c.Source.Host, "unknown") + " (outside)", Level: printers.Warn}
}

func age(r Row) printers.Cell {
	since := r.Server.CreationTimestamp
	if since.IsZero() {
		return printers.None
	}
	return printers.Text(timeutil.HumanDuration(r.now.Sub(since.Time)))
}

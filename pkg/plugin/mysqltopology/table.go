package mysqltopology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	timeutil "k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Now is the moment that ages are counted from.
	Now time.Time
}

// row is what a line of the table is about: a server and one of its channels, which is nil if it has none.
type row struct {
	set     *v1alpha1.MySQLTopology
	server  *v1alpha1.MySQLServer
	channel *v1alpha1.MySQLChannel
	branch  string
	now     time.Time
}

func columns(v View) printers.Columns[row] {
	all := printers.Columns[row]{
		printers.Narrow("POD", pod),
		printers.Narrow("READY", ready),
		printers.Narrow("ROLE", role),
		printers.Narrow("MODE", mode),
		printers.Narrow("THREADS", threads),
		printers.Narrow("LAG", lag),
		printers.Narrow("GTID", gtid),
		printers.Narrow("ID", known(func(s *v1alpha1.MySQLServer) string {
			if s.ServerID == nil {
				return ""
			}
			return fmt.Sprint(*s.ServerID)
		})),
		printers.Narrow("VERSION", known(version)),
		printers.Wide("SOURCE", source),
		printers.Wide("NODE", place(func(s *v1alpha1.MySQLServer) string { return s.Node })),
		printers.Wide("ZONE", place(func(s *v1alpha1.MySQLServer) string { return s.Zone })),
		printers.Wide("CAPACITY", place(func(s *v1alpha1.MySQLServer) string { return string(s.CapacityType) })),
		printers.Wide("UUID", known(func(s *v1alpha1.MySQLServer) string { return s.ServerUUID })),
		printers.Wide("VIA", known(func(s *v1alpha1.MySQLServer) string { return s.Via })),
		printers.Narrow("AGE", age),
	}
	if v.Namespaces {
		all = append(printers.Columns[row]{printers.Narrow("NAMESPACE", func(r row) printers.Cell { return printers.Text(r.set.Metadata.Namespace) })}, all...)
	}
	return all
}

// Table lays a report out: a block for each set, a row for each server and channel, in the order of the tree.
func Table(report *v1alpha1.MySQLTopologyList, v View) printers.Table {
	cols := columns(v)
	t := printers.Table{Columns: cols.Heads(), Blocks: make([]printers.Block, 0, len(report.Items))}
	for i := range report.Items {
		set := &report.Items[i]
		block := printers.Block{Heading: heading(set, v), Findings: set.Findings}
		depths := make([]int, len(set.Servers))
		for j := range set.Servers {
			depths[j] = int(set.Servers[j].Depth)
		}
		branches := printers.Branches(depths)
		for j := range set.Servers {
			s := &set.Servers[j]
			rows := []row{{set: set, server: s, branch: branches[j], now: v.Now}}
			for k := range s.Channels {
				if k > 0 {
					rows = append(rows, rows[0])
				}
				rows[k].channel = &s.Channels[k]
			}
			for _, r := range rows {
				block.Rows = append(block.Rows, cols.Cells(r))
			}
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// RowKey tells rows apart: servers by namespace and pod, with their channels. The tree's branches are no part of a name.
func RowKey(v View) func(row []printers.Cell) string {
	key := printers.RowKey(Table(&v1alpha1.MySQLTopologyList{}, v).Columns, "NAMESPACE", "POD")
	branches := strings.NewReplacer("│", "", "├─", "", "└─", "", " ", "")
	return func(row []printers.Cell) string { return branches.Replace(key(row)) }
}

// Names are what -o name prints: the sets' owners, else the pods.
func Names(report *v1alpha1.MySQLTopologyList) []string {
	groups := map[string]string{"statefulset": "statefulset.apps", "deployment": "deployment.apps"}
	var list []string
	for i := range report.Items {
		set := &report.Items[i]
		kind, name, owned := strings.Cut(set.Owner, "/")
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
var replicationWords = map[v1alpha1.MySQLReplication]string{
	v1alpha1.ReplicationNone: "no replication", v1alpha1.ReplicationAsynchronous: "asynchronous", v1alpha1.ReplicationSemiSync: "semi-synchronous",
	v1alpha1.ReplicationGroup: "Group Replication", v1alpha1.ReplicationGalera: "Galera", v1alpha1.ReplicationUnknown: "replication unknown",
}

func heading(set *v1alpha1.MySQLTopology, v View) []printers.Cell {
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
			text += fmt.Sprintf(" (for %s)", map[v1alpha1.MySQLServicePurpose]string{v1alpha1.ServiceForReading: "reading", v1alpha1.ServiceForWriting: "writing"}[s.Purpose])
		}
		cells = append(cells, printers.Text(text))
	}
	return cells
}

func pod(r row) printers.Cell {
	text := r.branch + r.server.Pod
	if r.channel != nil && r.channel.Name != "" {
		text += fmt.Sprintf(" (%s)", r.channel.Name)
	}
	return printers.Text(text)
}

func ready(r row) printers.Cell {
	if r.server.Ready {
		return printers.Text("yes")
	}
	return printers.Cell{Text: "no", Level: printers.Alarm}
}

// isUnknown tells a server that did not answer: nothing is known of it but what Kubernetes says.
func isUnknown(r row) bool { return r.server.Unreachable != "" }

func known(text func(*v1alpha1.MySQLServer) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		switch value := text(r.server); {
		case isUnknown(r):
			return printers.Unknown
		case value == "":
			return printers.None
		default:
			return printers.Text(value)
		}
	}
}

func place(text func(*v1alpha1.MySQLServer) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		switch value := text(r.server); value {
		case "":
			return printers.None
		case string(v1alpha1.CapacityUnknown):
			return printers.Unknown
		default:
			return printers.Text(value)
		}
	}
}

func role(r row) printers.Cell {
	if r.server.Role == v1alpha1.RoleUnknown {
		return printers.Unknown
	}
	return printers.Text(strings.ToLower(string(r.server.Role)))
}

// mode is rw, ro or sro (super_read_only).
func mode(r row) printers.Cell {
	s := r.server
	switch {
	case isUnknown(r) || s.ReadOnly == nil:
		return printers.Unknown
	case s.SuperReadOnly != nil && *s.SuperReadOnly:
		return printers.Text("sro")
	case *s.ReadOnly:
		return printers.Text("ro")
	}
	return printers.Text("rw")
}

// threads are the receiver and the applier of a channel, or the state of a member of a group.
func threads(r row) printers.Cell {
	s := r.server
	switch {
	case isUnknown(r), s.Role == v1alpha1.RoleUnknown:
		return printers.Unknown
	case r.channel != nil:
		c := printers.Text(cmp.Or(r.channel.Receiver, "unknown") + "/" + cmp.Or(r.channel.Applier, "unknown"))
		if r.channel.Receiver != "Yes" || r.channel.Applier != "Yes" {
			c.Level = printers.Alarm
		}
		return c
	case s.Group != nil:
		return state(s.Group.State, replication.StateOnline)
	case s.Galera != nil:
		return state(cmp.Or(s.Galera.State, "unknown"), replication.StateSynced)
	}
	return printers.None
}

func state(text, sound string) printers.Cell {
	c := printers.Text(text)
	if text != sound {
		c.Level = printers.Alarm
	}
	return c
}

func lag(r row) printers.Cell {
	switch c := r.channel; {
	case isUnknown(r), r.server.Role == v1alpha1.RoleUnknown:
		return printers.Unknown
	case c == nil:
		return printers.None
	case c.LagMilliseconds == nil:
		return printers.Unknown
	default:
		cell := printers.Text(replication.Duration(*c.LagMilliseconds))
		if c.DelaySeconds > 0 {
			cell.Text += fmt.Sprintf(" (+%s)", replication.Duration(c.DelaySeconds*1000))
		}
		switch {
		case *c.LagMilliseconds >= replication.StaleMilliseconds:
			cell.Level = printers.Alarm
		case *c.LagMilliseconds >= replication.LateMilliseconds:
			cell.Level = printers.Warn
		}
		return cell
	}
}

// gtid is what a source has, and how far a replica is from it: = or -2 trx.
func gtid(r row) printers.Cell {
	c := r.channel
	switch {
	case isUnknown(r):
		return printers.Unknown
	case c == nil && r.server.GTIDExecuted == "":
		return printers.None
	case c == nil:
		return printers.Text(abbreviated(r.server.GTIDExecuted))
	case c.BehindTransactions == nil && c.BehindBytes == nil && c.ErrantGTIDs == "":
		return printers.Unknown
	}
	var cell printers.Cell
	switch {
	case c.BehindTransactions != nil && *c.BehindTransactions > 0:
		cell.Text = fmt.Sprintf("-%d trx", *c.BehindTransactions)
	case c.BehindBytes != nil && *c.BehindBytes > 0:
		cell.Text = fmt.Sprintf("-%d B", *c.BehindBytes)
	default:
		cell.Text = "="
	}
	if c.ErrantGTIDs != "" {
		cell.Level = printers.Alarm
		if set, err := mysql.ParseGTIDSet(c.ErrantGTIDs); err == nil {
			cell.Text += fmt.Sprintf(", errant %d", set.Count())
		} else {
			cell.Text += ", errant " + c.ErrantGTIDs
		}
	}
	return cell
}

// abbreviated shortens UUIDs to their beginnings, and a set of many servers to its first.
func abbreviated(executed string) string {
	set, err := mysql.ParseGTIDSet(executed)
	if err != nil {
		return executed // MariaDB's are short
	}
	sources := slices.Sorted(maps.Keys(set))
	if len(sources) == 0 {
		return "-"
	}
	first, _, _ := strings.Cut(set.String(), ",")
	uuid, rest, _ := strings.Cut(first, ":")
	text := uuid[:min(4, len(uuid))] + "…:" + rest
	if n := len(set.UUIDs()); n > 1 {
		text += fmt.Sprintf(" +%d", n-1)
	}
	return text
}

func version(s *v1alpha1.MySQLServer) string {
	return strings.TrimSpace(cmp.Or(s.Distribution, s.Product) + " " + s.Version)
}

func source(r row) printers.Cell {
	c := r.channel
	switch {
	case isUnknown(r):
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

func age(r row) printers.Cell {
	since := r.server.CreationTimestamp
	if since.IsZero() {
		return printers.None
	}
	return printers.Text(timeutil.HumanDuration(r.now.Sub(since.Time)))
}

// Graph draws a report: an arrow from each source to its replicas.
func Graph(report *v1alpha1.MySQLTopologyList) printers.Graph {
	var g printers.Graph
	outside := map[string]bool{}
	for i := range report.Items {
		set := &report.Items[i]
		group := printers.GraphGroup{Title: fmt.Sprintf("%s (%s)", set.Metadata.Name, replicationWords[set.Replication])}
		worst := levels(set)
		for j := range set.Servers {
			s := &set.Servers[j]
			r := row{set: set, server: s}
			group.Nodes = append(group.Nodes, printers.GraphNode{
				ID:    set.Metadata.Namespace + "/" + s.Pod,
				Label: []string{s.Pod, strings.ToLower(string(s.Role)) + " " + mode(r).Text, known(version)(r).Text}, Level: worst[s.Pod],
			})
			for k := range s.Channels {
				c := &s.Channels[k]
				r.channel = c
				from := c.Source.Pod
				switch {
				case from == "":
					from = cmp.Or(c.Source.Host, "unknown")
					outside[from] = true
				case !strings.Contains(from, "/"):
					from = set.Metadata.Namespace + "/" + from
				}
				g.Edges = append(g.Edges, printers.GraphEdge{
					From: from, To: set.Metadata.Namespace + "/" + s.Pod,
					Label: strings.TrimSpace(c.Name + " " + threads(r).Text + " " + lag(r).Text), Level: threads(r).Level,
				})
			}
		}
		// A group's members are no channels' ends; the primary sends to each.
		if set.Replication == v1alpha1.ReplicationGroup && set.Servers[0].Role == v1alpha1.RolePrimary {
			for j := 1; j < len(set.Servers); j++ {
				g.Edges = append(g.Edges, printers.GraphEdge{
					From: set.Metadata.Namespace + "/" + set.Servers[0].Pod, To: set.Metadata.Namespace + "/" + set.Servers[j].Pod,
					Label: threads(row{set: set, server: &set.Servers[j]}).Text,
				})
			}
		}
		g.Groups = append(g.Groups, group)
	}
	var strangers printers.GraphGroup
	for _, host := range slices.Sorted(maps.Keys(outside)) {
		strangers.Nodes = append(strangers.Nodes, printers.GraphNode{ID: host, Label: []string{host, "outside"}, Level: printers.Dim})
	}
	if len(strangers.Nodes) > 0 {
		g.Groups = append(g.Groups, strangers)
	}
	return g
}

// levels are the pods that findings are about, by how bad they are.
func levels(set *v1alpha1.MySQLTopology) map[string]printers.Level {
	list := map[string]printers.Level{}
	for _, f := range set.Findings {
		level := printers.Plain
		switch f.Severity {
		case v1alpha1.SeverityError, v1alpha1.SeverityCritical:
			level = printers.Alarm
		case v1alpha1.SeverityWarning:
			level = printers.Warn
		}
		for _, o := range f.Objects {
			if name, ok := strings.CutPrefix(o, "pod/"); ok {
				list[name] = max(list[name], level)
			}
		}
	}
	return list
}

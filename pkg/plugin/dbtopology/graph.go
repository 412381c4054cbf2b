package dbtopology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Graph draws a report: an arrow from each source to its replicas.
func Graph(engines []*Engine, report *v1alpha1.DatabaseTopologyList) printers.Graph {
	var g printers.Graph
	outside := map[string]bool{}
	for i := range report.Items {
		set := &report.Items[i]
		group := printers.GraphGroup{Title: fmt.Sprintf("%s (%s)", set.Metadata.Name, replicationWords[set.Replication])}
		worst := levels(set)
		for j := range set.Servers {
			s := &set.Servers[j]
			r := Row{Set: set, Server: s, engines: engines}
			group.Nodes = append(group.Nodes, printers.GraphNode{
				ID:    set.Metadata.Namespace + "/" + s.Pod,
				Label: []string{s.Pod, strings.ToLower(string(s.Role)) + " " + mode(r).Text, Known(version)(r).Text}, Level: worst[s.Pod],
			})
			for k := range s.Channels {
				c := &s.Channels[k]
				r.Channel = c
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
					Label: threads(Row{Set: set, Server: &set.Servers[j], engines: engines}).Text,
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
func levels(set *v1alpha1.DatabaseTopology) map[string]printers.Level {
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
			if o.Kind == "Pod" {
				list[o.Name] = max(list[o.Name], level)
			}
		}
	}
	return list
}

package printers

import (
	"fmt"
	"io"
	"strings"
)

// Forms of output that show a graph.
const (
	dotFormat     = "dot"
	mermaidFormat = "mermaid"
)

// Graph is a report as nodes and arrows, for Graphviz and for Mermaid. Its text may come from the cluster: it is escaped when it
// is printed.
type Graph struct {
	Groups []GraphGroup
	Edges  []GraphEdge
}

// GraphGroup is nodes with a frame around them; a group without a title has none.
type GraphGroup struct {
	Title string
	Nodes []GraphNode
}

// GraphNode is a node. IDs are unique in the graph; lines of a label stand below each other.
type GraphNode struct {
	ID    string
	Label []string
	Level Level
}

// GraphEdge is an arrow.
type GraphEdge struct {
	From, To string
	Label    string
	Level    Level
}

// colours of what calls for attention, in both languages.
var graphColors = map[Level]string{Dim: "#888888", Warn: "#b8860b", Alarm: "#c00000"}

func (g Graph) printDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph {\n  rankdir=LR\n  node [shape=box]\n")
	for i, group := range g.Groups {
		indent := "  "
		if group.Title != "" {
			fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s\n", i, dotString(group.Title))
			indent = "    "
		}
		for _, n := range group.Nodes {
			fmt.Fprintf(&b, "%s%s [label=%s%s]\n", indent, dotString(n.ID), dotString(n.Label...), dotColor(n.Level))
		}
		if group.Title != "" {
			b.WriteString("  }\n")
		}
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s]\n", dotString(e.From), dotString(e.To), dotString(e.Label), dotColor(e.Level))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotString quotes lines for DOT, which knows two escapes.
func dotString(lines ...string) string {
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Escape(line))
	}
	return `"` + strings.Join(quoted, `\n`) + `"`
}

func dotColor(l Level) string {
	if c := graphColors[l]; c != "" {
		return fmt.Sprintf(`, color="%s"`, c)
	}
	return ""
}

func (g Graph) printMermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[string]string{}
	id := func(node string) string { // names may have characters that Mermaid's identifiers may not
		if ids[node] == "" {
			ids[node] = fmt.Sprintf("n%d", len(ids))
		}
		return ids[node]
	}
	var styles []string
	for i, group := range g.Groups {
		indent := "  "
		if group.Title != "" {
			fmt.Fprintf(&b, "  subgraph g%d[%s]\n", i, mermaidString(group.Title))
			indent = "    "
		}
		for _, n := range group.Nodes {
			fmt.Fprintf(&b, "%s%s[%s]\n", indent, id(n.ID), mermaidString(n.Label...))
			if c := graphColors[n.Level]; c != "" {
				styles = append(styles, fmt.Sprintf("  style %s stroke:%s\n", id(n.ID), c))
			}
		}
		if group.Title != "" {
			b.WriteString("  end\n")
		}
	}
	for i, e := range g.Edges {
		arrow := "-->"
		if e.Label != "" {
			arrow = "-->|" + mermaidString(e.Label) + "|"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", id(e.From), arrow, id(e.To))
		if c := graphColors[e.Level]; c != "" {
			styles = append(styles, fmt.Sprintf("  linkStyle %d stroke:%s\n", i, c))
		}
	}
	b.WriteString(strings.Join(styles, ""))
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidString quotes lines for Mermaid, where entities stand for what would end a text or be markup.
func mermaidString(lines ...string) string {
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;").Replace(Escape(line))
	}
	return `"` + strings.Join(quoted, "<br/>") + `"`
}

package printers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBranches(t *testing.T) {
	got := strings.Join(Branches([]int{0, 1, 2, 2, 1, 0, 1, 2}), "|")
	if want := "|├─ |│  ├─ |│  └─ |└─ ||└─ |   └─ "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestGraph(t *testing.T) {
	hostile := "a\"b\\n<i>\x1b[31m`#"
	g := Graph{
		Groups: []GraphGroup{{Title: hostile, Nodes: []GraphNode{{ID: "a", Label: []string{"a", hostile}, Level: Alarm}, {ID: "b", Label: []string{"b"}}}}, {Nodes: []GraphNode{{ID: "c", Label: []string{"c"}, Level: Dim}}}},
		Edges:  []GraphEdge{{From: "a", To: "b", Label: hostile, Level: Warn}, {From: "c", To: "a"}},
	}
	var dot, mermaid strings.Builder
	if err := g.printDOT(&dot); err != nil {
		t.Fatal(err)
	}
	if err := g.printMermaid(&mermaid); err != nil {
		t.Fatal(err)
	}
	wantDOT := `digraph {
  rankdir=LR
  node [shape=box]
  subgraph cluster_0 {
    label="a\"b\\n<i>^[[31m` + "`" + `#"
    "a" [label="a\na\"b\\n<i>^[[31m` + "`" + `#", color="#c00000"]
    "b" [label="b"]
  }
  "c" [label="c", color="#888888"]
  "a" -> "b" [label="a\"b\\n<i>^[[31m` + "`" + `#", color="#b8860b"]
  "c" -> "a" [label=""]
}
`
	if diff := cmp.Diff(wantDOT, dot.String()); diff != "" {
		t.Errorf("DOT (-want +got):\n%s", diff)
	}
	text := `a#quot;b\n#lt;i#gt;^[[31m#96;#35;`
	wantMermaid := `flowchart LR
  subgraph g0["` + text + `"]
    n0["a<br/>` + text + `"]
    n1["b"]
  end
  n2["c"]
  n0 -->|"` + text + `"| n1
  n2 --> n0
  style n0 stroke:#c00000
  style n2 stroke:#888888
  linkStyle 0 stroke:#b8860b
`
	if diff := cmp.Diff(wantMermaid, mermaid.String()); diff != "" {
		t.Errorf("Mermaid (-want +got):\n%s", diff)
	}
}

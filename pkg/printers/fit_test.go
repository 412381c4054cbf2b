package printers

import (
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// fleetTable is nodes as EKS names them.
func fleetTable() Table {
	const end = ".ap-northeast-2.compute.internal"
	row := func(name, status, zone, load string) []Cell {
		return []Cell{Text(name + end), {Text: status, Level: Warn}, Text(zone), Text("amd64"), Text("ManagedNodeGroup/on-demand"), Text(load), Text("5d")}
	}
	return Table{
		Columns: []ColumnHead{
			{Title: "NAME", Dotted: true}, {Title: "STATUS", Shrink: Cut}, {Title: "ZONE", GivesWay: 1}, {Title: "ARCH", GivesWay: 3}, {Title: "OWNER", GivesWay: 2},
			{Title: "LOAD", Shrink: Wrap}, {Title: "AGE"},
		},
		Blocks: []Block{{
			Rows: [][]Cell{
				row("ip-10-0-0-10", "Ready", "ap-northeast-2a", "3 of 12 pods, 1 of 4 volumes"),
				row("ip-10-1-0-10", "Ready,aws-node-termination-handler/spot-itn", "ap-northeast-2b", "none"),
			},
			Findings: []v1alpha1.Finding{
				{Code: "NODE007", Severity: v1alpha1.SeverityError, Message: "ip-10-1-0-10 is going (spot interruption) and holds shop/web-1, shop/web-2, shop/web-3", Remedy: v1alpha1.Remedy{Command: "kubectl doik explain NODE007"}},
				{Code: "NODE001", Severity: v1alpha1.SeverityInfo, Message: "shop/web: 1 of 2 pods", Remedy: v1alpha1.Remedy{Command: "kubectl doik explain NODE001"}},
			},
			Heading: []Cell{Text("fleet"), {Text: "2 nodes", Level: Alarm}, Text("Service fleet: headless, selects 2"), Text("asked from a pod that is somewhere else")},
		}},
	}
}

// TestFit has columns give way at several widths, in their order, and says what does not stand in the rows; at any width that is not
// too narrow for names no line is longer than the terminal.
func TestFit(t *testing.T) {
	table := fleetTable()
	for width, want := range map[int]string{
		0: `fleet   2 nodes   Service fleet: headless, selects 2   asked from a pod that is somewhere else
NAME                                           STATUS                                        ZONE              ARCH    OWNER                        LOAD                           AGE
ip-10-0-0-10.ap-northeast-2.compute.internal   Ready                                         ap-northeast-2a   amd64   ManagedNodeGroup/on-demand   3 of 12 pods, 1 of 4 volumes   5d
ip-10-1-0-10.ap-northeast-2.compute.internal   Ready,aws-node-termination-handler/spot-itn   ap-northeast-2b   amd64   ManagedNodeGroup/on-demand   none                           5d

ERROR   NODE007   ip-10-1-0-10 is going (spot interruption) and holds shop/web-1, shop/web-2, shop/web-3   → kubectl doik explain NODE007
INFO    NODE001   shop/web: 1 of 2 pods                                                                    → kubectl doik explain NODE001
`,
		170: `fleet   2 nodes   Service fleet: headless, selects 2   asked from a pod that is somewhere else
every row has ARCH amd64, OWNER ManagedNodeGroup/on-demand
NAME                                           STATUS                                        ZONE              LOAD                           AGE
ip-10-0-0-10.ap-northeast-2.compute.internal   Ready                                         ap-northeast-2a   3 of 12 pods, 1 of 4 volumes   5d
ip-10-1-0-10.ap-northeast-2.compute.internal   Ready,aws-node-termination-handler/spot-itn   ap-northeast-2b   none                           5d

ERROR   NODE007   ip-10-1-0-10 is going (spot interruption) and holds shop/web-1, shop/web-2, shop/web-3   → kubectl doik explain NODE007
INFO    NODE001   shop/web: 1 of 2 pods                                                                    → kubectl doik explain NODE001
`,
		120: `fleet   2 nodes   Service fleet: headless, selects 2   asked from a pod that is somewhere else
every row has ARCH amd64, OWNER ManagedNodeGroup/on-demand; NAME ends in .ap-northeast-2.compute.internal
NAME           STATUS                                        ZONE              LOAD                           AGE
ip-10-0-0-10   Ready                                         ap-northeast-2a   3 of 12 pods, 1 of 4 volumes   5d
ip-10-1-0-10   Ready,aws-node-termination-handler/spot-itn   ap-northeast-2b   none                           5d

ERROR   NODE007   ip-10-1-0-10 is going (spot interruption) and holds shop/web-1, shop/web-2, shop/web-3
                  → kubectl doik explain NODE007
INFO    NODE001   shop/web: 1 of 2 pods   → kubectl doik explain NODE001
`,
		80: `fleet   2 nodes   Service fleet: headless, selects 2
  asked from a pod that is somewhere else
every row has ARCH amd64, OWNER ManagedNodeGroup/on-demand; NAME ends in
.ap-northeast-2.compute.internal; not shown: ZONE; cut: STATUS (-o wide has all)
NAME           STATUS                         LOAD                           AGE
ip-10-0-0-10   Ready                          3 of 12 pods, 1 of 4 volumes   5d
ip-10-1-0-10   Ready,aws-node-termination-…   none                           5d

ERROR   NODE007   ip-10-1-0-10 is going (spot interruption) and holds
                  shop/web-1, shop/web-2, shop/web-3
                  → kubectl doik explain NODE007
INFO    NODE001   shop/web: 1 of 2 pods   → kubectl doik explain NODE001
`,
		60: `fleet   2 nodes   Service fleet: headless, selects 2
  asked from a pod that is somewhere else
every row has ARCH amd64, OWNER ManagedNodeGroup/on-demand;
NAME ends in .ap-northeast-2.compute.internal; not shown:
ZONE; cut: STATUS (-o wide has all)
NAME           STATUS               LOAD                 AGE
ip-10-0-0-10   Ready                3 of 12 pods, 1 of   5d
                                    4 volumes
ip-10-1-0-10   Ready,aws-node-te…   none                 5d

ERROR   NODE007   ip-10-1-0-10 is going (spot interruption)
                  and holds shop/web-1, shop/web-2,
                  shop/web-3
                  → kubectl doik explain NODE007
INFO    NODE001   shop/web: 1 of 2 pods
                  → kubectl doik explain NODE001
`,
	} {
		var out strings.Builder
		if err := table.Print(&out, TableOptions{Width: width, Fit: width > 0}); err != nil || out.String() != want {
			t.Errorf("%d, %v: got\n%s\nwant\n%s", width, err, out.String(), want)
		}
	}
	for width := 50; width < 200; width++ {
		for _, o := range []TableOptions{{}, {Color: true}, {ASCII: true}, {Pages: "https://example.com/#"}} {
			o.Width, o.Fit = width, true
			var out strings.Builder
			if err := table.Print(&out, o); err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(out.String(), "\n") {
				if w := twwidth.Width(line); w > width {
					t.Errorf("%d: %d wide: %q", width, w, line)
				}
			}
		}
	}
	if table.Columns[0].Title != "NAME" || len(table.Columns) != 7 || !strings.Contains(table.Blocks[0].Rows[0][0].Text, "internal") {
		t.Error("the table itself was changed")
	}
}

// TestFitNot leaves rows as they are with -o wide, without headers, and where the width is not known.
func TestFitNot(t *testing.T) {
	table := fleetTable()
	for name, o := range map[string]TableOptions{"wide": {Width: 40, Fit: true, Wide: true}, "no headers": {Width: 40, Fit: true, NoHeaders: true}, "live": {Width: 40}, "a pipe": {Fit: true}} {
		var out strings.Builder
		if err := table.Print(&out, o); err != nil || !strings.Contains(out.String(), "ip-10-0-0-10.ap-northeast-2.compute.internal   Ready  ") || !strings.Contains(out.String(), "   amd64   ") {
			t.Errorf("%s, %v:\n%s", name, err, out.String())
		}
	}
}

// TestSharedEnd leaves out the end that most names have, and marks where it was if some have another.
func TestSharedEnd(t *testing.T) {
	table := func(names ...string) Table {
		t := Table{Columns: []ColumnHead{{Title: "NAME", Dotted: true}}, Blocks: []Block{{}}}
		for _, name := range names {
			t.Blocks[0].Rows = append(t.Blocks[0].Rows, []Cell{Text(name)})
		}
		return t
	}
	for _, test := range []struct {
		names []string
		want  string
	}{
		{[]string{"a.x.internal", "b.x.internal"}, "NAME ends in .x.internal|NAME|a|b"},
		{[]string{"a.y.x.internal", "b.x.internal", "<none>"}, "NAME ends in .x.internal|NAME|a.y|b|<none>"},
		{[]string{"a.shop.svc.local.", "a", "b.shop.svc.local."}, "….… in NAME is .shop.svc.local.|NAME|a.…|a|b.…"},
		{[]string{"a.one.internal"}, "NAME ends in .one.internal|NAME|a"},
		{[]string{"abc.one.two", "def.three.four"}, "NAME|abc.one.two|def.three.four"},
		{[]string{"v1.36.3", "v1.36.3"}, "NAME|v1.36.3|v1.36.3"},
	} {
		var out strings.Builder
		if err := table(test.names...).Print(&out, TableOptions{Width: 4, Fit: true}); err != nil {
			t.Fatal(err)
		}
		o := TableOptions{Width: 4}
		f := o.fit(table(test.names...).Columns, table(test.names...).Blocks[0].Rows)
		lines := []string{"NAME"}
		if f.note != "" {
			lines = []string{f.note, "NAME"}
		}
		for _, row := range f.rows {
			lines = append(lines, row[0].Text)
		}
		if got := strings.Join(lines, "|"); got != strings.ReplaceAll(test.want, "….…", ".…") {
			t.Errorf("%q: %q", test.names, got)
		}
	}
}

// TestShow leaves out what is fine and says how much, and mentions that this is possible where all of many rows are.
func TestShow(t *testing.T) {
	table := func(show Show, rows, wrong int) Table {
		fine := Block{Heading: []Cell{Text("all fine")}}
		mixed := Block{Heading: []Cell{Text("mixed")}}
		for range rows {
			fine.Add(show, true, []Cell{Text("ok")})
			mixed.Add(show, true, []Cell{Text("ok")})
		}
		for range wrong {
			mixed.Add(show, false, []Cell{Text("wrong")})
		}
		return Table{
			Columns: []ColumnHead{{Title: "A"}}, Blocks: []Block{fine, mixed, {Heading: []Cell{Text("the end")}, Apart: true}},
			Below: []Table{{Columns: []ColumnHead{{Title: "B"}}, Blocks: []Block{{Rows: [][]Cell{{Text("sum")}}}}}},
		}
	}
	for _, test := range []struct {
		table   Table
		options TableOptions
		want    string
	}{
		{table(ShowProblems, 2, 1), TableOptions{}, "mixed\nA\nwrong\n\n4 rows without problems are not shown (--show=all shows them)\n\nthe end\n\nB\nsum\n"},
		{table(ShowProblems, 2, 1), TableOptions{SortBy: "A"}, "A\nwrong\n\n4 rows without problems are not shown (--show=all shows them)\n\nthe end\n\nB\nsum\n"},
		{table(ShowProblems, 1, 0), TableOptions{}, "2 rows without problems are not shown (--show=all shows them)\n\nthe end\n\nB\nsum\n"},
		{table(ShowProblems, 2, 1), TableOptions{NoHeaders: true}, "wrong\n"},
		{table(ShowAll, 1, 1), TableOptions{}, "all fine\nA\nok\n\nmixed\nA\nok\nwrong\n\nthe end\n\nB\nsum\n"},
	} {
		var out strings.Builder
		if err := test.table.Print(&out, test.options); err != nil || out.String() != test.want {
			t.Errorf("%+v, %v:\n%s\nwant\n%s", test.options, err, out.String(), test.want)
		}
	}
	const hint = "\n\nNone of these 42 rows has a problem (--show=problems leaves them out)\n\nthe end\n"
	for rows, wrong := range map[int]int{21: 0, 22: 1, 20: 0} {
		var out strings.Builder
		if err := table(ShowAll, rows, wrong).Print(&out, TableOptions{}); err != nil || strings.Contains(out.String(), hint) != (rows == 21) {
			t.Errorf("%d rows, %v:\n%s", rows, err, out.String())
		}
	}
}

// TestLinks makes links of codes where the terminal is known to show them, and of nothing else.
func TestLinks(t *testing.T) {
	for _, test := range []struct {
		env  string
		tty  bool
		want bool
	}{
		{"TERM=xterm-256color", true, false},
		{"TERM=xterm-256color VTE_VERSION=7600", true, true},
		{"TERM=xterm-256color VTE_VERSION=4800", true, false},
		{"TERM=xterm-256color VTE_VERSION=7600", false, false},
		{"TERM=xterm-256color VTE_VERSION=7600 CI=true", true, false},
		{"TERM=dumb VTE_VERSION=7600", true, false},
		{"VTE_VERSION=7600", true, false},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app", true, true},
		{"TERM=xterm-256color TERM_PROGRAM=Apple_Terminal", true, false},
		{"TERM=xterm-kitty KITTY_WINDOW_ID=1", true, true},
		{"TERM=xterm-256color WT_SESSION=x", true, true},
		{"TERM=screen-256color STY=1.x VTE_VERSION=7600", true, false},
		{"TERM=tmux-256color TMUX=/tmp/x TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.4 VTE_VERSION=7600", true, true},
		{"TERM=tmux-256color TMUX=/tmp/x TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.3a VTE_VERSION=7600", true, false},
		{"TERM=xterm TMUX=/tmp/x VTE_VERSION=7600", true, false},
		{"FORCE_HYPERLINK=1", false, true},
		{"TERM=xterm-256color VTE_VERSION=7600 FORCE_HYPERLINK=0", true, false},
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(test.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		if got := knowsLinks(test.tty, func(name string) string { return env[name] }); got != test.want {
			t.Errorf("%s, terminal %t: %t", test.env, test.tty, got)
		}
	}
	for version, want := range map[string]string{
		"v1.2.3": "v1.2.3", "v1.2.3-rc.1": "v1.2.3-rc.1", "v1.2.3-5-gabcdef": "main", "v1.2.3-dirty": "main", "(devel)": "main", "": "main", "v1/../x": "main",
		"v0.0.0-20260101000000-abcdefabcdef": "main",
	} {
		if got := pagesOf(version); got != "https://github.com/kubectl-doik/kubectl-doik/blob/"+want+"/docs/findings.md#" {
			t.Errorf("%q: %s", version, got)
		}
	}
	o := TableOptions{Pages: pagesOf("v1.2.3")}
	if got := o.link("STS003"); got != "\x1b]8;;https://github.com/kubectl-doik/kubectl-doik/blob/v1.2.3/docs/findings.md#sts003\x1b\\STS003\x1b]8;;\x1b\\" {
		t.Errorf("%q", got)
	}
	for _, code := range []v1alpha1.Code{"", "x", "STS003\x1b\\", "STS 003", "../STS003"} {
		if got := o.link(code); got != string(code) {
			t.Errorf("%q became %q", code, got)
		}
	}
	// Nothing but the codes differs, and the live screen has none.
	var plain, linked strings.Builder
	if err := twoBlocks.Print(&plain, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := twoBlocks.Print(&linked, o); err != nil {
		t.Fatal(err)
	}
	without := strings.NewReplacer(o.link("STS003"), "STS003", o.link("STS030"), "STS030").Replace(linked.String())
	if without != plain.String() || strings.Count(linked.String(), "\x1b]8;;\x1b\\") != 2 {
		t.Errorf("%q", linked.String())
	}
	f := Frame{Title: "t", Table: twoBlocks, Width: 80, Height: 30, Options: o}
	if lines, err := f.Lines(); err != nil || strings.Contains(strings.Join(lines, ""), "\x1b]8") {
		t.Errorf("%v: %q", err, lines)
	}
}

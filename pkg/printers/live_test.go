package printers

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func liveTable(rows ...string) Table {
	t := Table{Columns: []ColumnHead{{Title: "POD"}, {Title: "STATUS"}, {Title: "ZONE", Wide: true}, {Title: "AGE"}}, Blocks: []Block{{}}}
	for _, row := range rows {
		var cells []Cell
		for _, text := range strings.Fields(row) {
			cells = append(cells, Text(text))
		}
		t.Blocks[0].Rows = append(t.Blocks[0].Rows, cells)
	}
	return t
}

func firstCell(row []Cell) string { return row[0].Text }

// TestChanges marks cells that change, for a while, and tells which rows they are in.
func TestChanges(t *testing.T) {
	var c Changes
	update := func(at time.Time, rows ...string) (Table, string) {
		table := liveTable(rows...)
		changed := c.Update(&table, firstCell, at, false, "AGE")
		var out strings.Builder
		if err := table.WriteRows(&out, TableOptions{}, firstCell, changed); err != nil {
			t.Fatal(err)
		}
		return table, out.String()
	}
	table, changed := update(noon, "a Running x 1s", "b Running x 1s")
	if changed != "a     Running   1s\nb     Running   1s\n" || table.Blocks[0].Rows[0][1].Changed {
		t.Errorf("at first: %q", changed)
	}
	if table, changed = update(noon.Add(time.Second), "a Running y 2s", "b Failed x 2s", "c Pending x 0s"); changed != "b     Failed    2s\nc     Pending   0s\n" {
		t.Errorf("then: %q", changed)
	}
	if rows := table.Blocks[0].Rows; rows[0][1].Changed || !rows[1][1].Changed || rows[1][0].Changed || !rows[2][0].Changed {
		t.Errorf("marks: %+v", rows)
	}
	if table, changed = update(noon.Add(3*time.Second), "a Running y 2s", "b Failed x 2s", "c Pending x 0s"); changed != "" || !table.Blocks[0].Rows[1][1].Changed {
		t.Errorf("a little later: %q", changed)
	}
	if table, _ = update(noon.Add(10*time.Second), "a Running y 2s", "b Failed x 2s", "c Pending x 0s"); table.Blocks[0].Rows[1][1].Changed {
		t.Error("still marked")
	}
}

// TestFrame fills the screen exactly, whatever its size, and scrolls.
func TestFrame(t *testing.T) {
	table := liveTable("웹-0 Running x 1s", "웹-1 Running x 1s", "웹-2 Running x 1s", "웹-3 Running x 1s", "웹-4 Running x 1s")
	var timeline []Happening
	for i := range 30 {
		timeline = append(timeline, Happening{Time: noon.Add(time.Duration(i) * time.Second), Text: "웹-0 restarted", Level: Warn})
	}
	for _, size := range [][2]int{{80, 24}, {80, 10}, {20, 5}, {5, 3}, {1, 1}, {200, 100}} {
		for _, color := range []bool{false, true} {
			f := Frame{Title: "StatefulSets of 가나다", Table: table, Timeline: timeline, Width: size[0], Height: size[1], Scroll: 1 << 30, Options: TableOptions{Color: color}}
			lines, err := f.Lines()
			if err != nil || len(lines) > size[1] || size[1] < 40 && len(lines) != size[1] {
				t.Errorf("%v: %d lines, %v", size, len(lines), err)
			}
			for _, line := range lines {
				if width := twwidth.Width(line); width > size[0] {
					t.Errorf("%v: %d wide: %q", size, width, line)
				}
			}
		}
	}
	f := Frame{Title: "t", Table: table, Timeline: timeline, Width: 70, Height: 8, Scroll: 2}
	lines, err := f.Lines()
	want := "t\nPOD    STATUS    AGE\n웹-1   Running   1s\n웹-2   Running   1s\n웹-3   Running   1s\n12:00:28 웹-0 restarted\n12:00:29 웹-0 restarted\n" +
		"lines 3 to 5 of 6; ↑ ↓ PgUp PgDn scroll; ? help; q or Ctrl-C ends"
	if got := strings.Join(lines, "\n"); err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestFrameEnd reaches the last line under the titles, and shows at the top no titles twice.
func TestFrameEnd(t *testing.T) {
	table := liveTable("web-0 Running x 1s", "web-1 Running x 1s", "web-2 Running x 1s", "web-3 Running x 1s")
	for scroll, want := range map[int]string{
		0:       "t|POD     STATUS    AGE|web-0   Running   1s|web-1   Running   1s|",
		1:       "t|POD     STATUS    AGE|web-0   Running   1s|web-1   Running   1s|",
		2:       "t|POD     STATUS    AGE|web-1   Running   1s|web-2   Running   1s|",
		1 << 30: "t|POD     STATUS    AGE|web-2   Running   1s|web-3   Running   1s|",
	} {
		f := Frame{Title: "t", Table: table, Width: 80, Height: 5, Scroll: scroll}
		lines, err := f.Lines()
		if got := strings.Join(lines[:4], "|") + "|"; err != nil || got != want {
			t.Errorf("%d: %v\n%s\n%s", scroll, err, got, want)
		}
	}
}

// TestFrameNarrow cuts and shifts columns at a width, marks where, keeps what names the rows, and wraps findings.
func TestFrameNarrow(t *testing.T) {
	table := Table{
		Columns: []ColumnHead{{Title: "NAMESPACE"}, {Title: "POD"}, {Title: "STATUS"}, {Title: "NODE"}},
		Blocks: []Block{{
			Heading: []Cell{Text("web")},
			Rows:    [][]Cell{{Text("shop"), Text("web-0"), {Text: "CrashLoopBackOff", Level: Alarm}, Text("ip-10-0-0-10.internal")}},
			Findings: []v1alpha1.Finding{{
				Code: "STS010", Severity: v1alpha1.SeverityWarning, Message: "a claim is 91% full, and would be more so if this went on for much longer", Remedy: v1alpha1.Remedy{Command: "kubectl describe pvc data"},
			}},
		}},
	}
	frame := func(shift int, o TableOptions) (*Frame, string) {
		f := &Frame{Title: "t", Table: table, Width: 50, Height: 12, Shift: shift, Options: o}
		lines, err := f.Lines()
		if err != nil {
			t.Fatal(err)
		}
		return f, strings.Join(lines, "\n")
	}
	want := `t
web
NAMESPACE   POD     STATUS             NODE
shop        web-0   CrashLoopBackOff   ip-10-0-0-…

WARNING   STS010   a claim is 91% full, and would
                   be more so if this went on for
                   much longer
                   → kubectl describe pvc data


← → scroll; ? help; q or Ctrl-C ends`
	if _, got := frame(0, TableOptions{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	f, got := frame(1<<30, TableOptions{Color: true})
	if !strings.Contains(got, "NAMESPACE   POD     …        NODE\n") || !strings.Contains(got, "shop        web-0   \x1b[31m…ckOff\x1b[0m   \x1b[0mip-10-0-0-10.internal\x1b[0m\n") || f.Shift != 10 {
		t.Errorf("shifted by %d:\n%s", f.Shift, got)
	}
	_, got = frame(0, TableOptions{ASCII: true})
	if !strings.Contains(got, "ip-10-0-0->\n") || !strings.Contains(got, "-> kubectl describe pvc data\n") || !strings.Contains(got, "Left Right scroll") {
		t.Errorf("ASCII:\n%s", got)
	}
	f.Help, f.Width, f.Height = true, 80, 24
	lines, err := f.Lines()
	if got := strings.Join(lines, "\n"); err != nil || !strings.Contains(got, "Ctrl-Z") || len(lines) != 24 {
		t.Errorf("%v: %s", err, got)
	}
}

// TestDraw erases before it writes: after a line as wide as the screen the cursor stands on its last character.
func TestDraw(t *testing.T) {
	var out strings.Builder
	s := &Screen{writer: &out}
	for _, lines := range [][]string{{"0123456789", "abc"}, {"012345678…", "abc"}} {
		out.Reset()
		if err := s.Draw(lines, 10, 2); err != nil {
			t.Fatal(err)
		}
	}
	if want := "\x1b[1;1H\x1b[K012345678…\x1b[0m"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestKeys tells keys apart that arrive together or in pieces.
func TestKeys(t *testing.T) {
	for text, want := range map[string][]Key{
		"jq":               {KeyDown, KeyQuit},
		"\x03\x03":         {KeyQuit},
		"\x1b[A\x1b[Bj":    {KeyUp, KeyDown, KeyDown},
		"\x1b[1;5Cl\x1bOD": {KeyOther, KeyRight, KeyLeft},
		"가?\xff\x1a":       {KeyOther, KeyHelp, KeyOther, KeySuspend},
		"\x1bq":            {KeyOther, KeyQuit},
		"\x1b[200~hq":      {KeyOther, KeyLeft, KeyQuit},
	} {
		for size := 1; size <= len(text); size++ {
			keys, quit := make(chan Key, 64), make(chan struct{})
			readKeys(&pieces{text, size}, keys, quit)
			close(keys)
			var got []Key
			for key := range keys {
				got = append(got, key)
			}
			select {
			case <-quit:
				got = append(got, KeyQuit)
			default:
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q in pieces of %d: %v, want %v", text, size, got, want)
			}
		}
	}
}

// pieces reads some bytes at a time.
type pieces struct {
	text string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

package printers

import (
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func liveTable(rows ...string) Table {
	t := Table{Columns: []Column{{Title: "POD"}, {Title: "STATUS"}, {Title: "ZONE", Wide: true}, {Title: "AGE"}}, Blocks: []Block{{}}}
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
	f := Frame{Title: "t", Table: table, Timeline: timeline, Width: 60, Height: 8, Scroll: 2}
	lines, err := f.Lines()
	want := "t\n웹-1   Running   1s\n웹-2   Running   1s\n웹-3   Running   1s\n웹-4   Running   1s\n12:00:28 웹-0 restarted\n12:00:29 웹-0 restarted\n" +
		"lines 3 to 6 of 6; ↑ ↓ PgUp PgDn scroll; q or Ctrl-C ends"
	if got := strings.Join(lines, "\n"); err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}

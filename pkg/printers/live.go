package printers

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Happening is a line of a timeline.
type Happening struct {
	Time  time.Time
	Text  string
	Level Level
}

// line is a happening as it is printed: the time of day and what happened.
func (h Happening) line(color bool) string {
	return h.Time.Format("15:04:05") + " " + paint(Cell{Text: h.Text, Level: h.Level}, color)
}

// WriteTimeline writes happenings, one a line.
func WriteTimeline(w io.Writer, list []Happening, o TableOptions) error {
	var out bytes.Buffer
	for _, h := range list {
		writeLines(&out, []string{h.line(o.Color)})
	}
	_, err := w.Write(out.Bytes())
	return err
}

// RowKey tells a table's rows apart by the columns with the given titles, those of them that there are.
func RowKey(columns []Column, titles ...string) func(row []Cell) string {
	var indexes []int
	for i, c := range columns {
		if slices.Contains(titles, c.Title) {
			indexes = append(indexes, i)
		}
	}
	return func(row []Cell) string {
		key := ""
		for _, i := range indexes {
			key += row[i].Text + "/"
		}
		return key
	}
}

// markFor is how long a changed cell stays marked.
const markFor = 4 * time.Second

// Changes remembers a table's cells, to mark those that change.
type Changes struct {
	cells  map[string][]string
	marked map[string]map[int]time.Time
}

// Update compares a table with the one before, marks the cells that have changed in the last seconds, and returns the keys of rows that
// are new or have changed now. Columns that are not shown, and those whose titles are in volatile, such as ages, do not count. A row is
// known by its key.
func (c *Changes) Update(t *Table, key func(row []Cell) string, now time.Time, wide bool, volatile ...string) map[string]bool {
	first := c.cells == nil
	if c.marked == nil {
		c.marked = map[string]map[int]time.Time{}
	}
	cells, changed := map[string][]string{}, map[string]bool{}
	for i := range t.Blocks {
		for _, row := range t.Blocks[i].Rows {
			k := key(row)
			texts := make([]string, len(row))
			for j, cell := range row {
				texts[j] = cell.Text
			}
			before, known := c.cells[k]
			for j, text := range texts {
				if t.Columns[j].Wide && !wide || slices.Contains(volatile, t.Columns[j].Title) || known && j < len(before) && before[j] == text {
					continue
				}
				changed[k] = true
				if !first {
					c.mark(k, j, now)
				}
			}
			for j, at := range c.marked[k] {
				if now.Sub(at) < markFor && j < len(row) {
					row[j].Changed = true
				}
			}
			cells[k] = texts
		}
	}
	c.cells = cells
	return changed
}

func (c *Changes) mark(key string, column int, now time.Time) {
	if c.marked[key] == nil {
		c.marked[key] = map[int]time.Time{}
	}
	c.marked[key][column] = now
}

// Marked tells whether any mark is still to be taken away.
func (c *Changes) Marked(now time.Time) bool {
	for _, columns := range c.marked {
		for _, at := range columns {
			if now.Sub(at) < markFor+time.Second {
				return true
			}
		}
	}
	return false
}

// WriteRows writes the rows with the given keys, aligned as they stand in the whole table.
func (t Table) WriteRows(w io.Writer, o TableOptions, key func([]Cell) string, keys map[string]bool) error {
	titles, rows := t.layout(o)
	lines, err := align(append([][]Cell{titles}, rows...), o.Color)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	next := 1
	for i := range t.Blocks {
		for _, row := range t.Blocks[i].Rows {
			if keys[key(row)] {
				writeLines(&out, lines[next:next+1])
			}
			next++
		}
	}
	_, err = w.Write(out.Bytes())
	return err
}

// Frame is a picture of the live screen: the table's lines from a first one on, as many as fit, and below them the newest of the
// timeline and a line that says how to go on.
type Frame struct {
	Title string
	Table Table
	// Notes are lines below the table, of what could not be read.
	Notes     []string
	Timeline  []Happening
	Width     int
	Height    int
	Scroll    int
	Options   TableOptions
	Reachable int // how far it can be scrolled; set by Lines
}

// timelineShare is the part of the screen that the timeline may have, if the table needs the rest.
const timelineShare = 3

// Lines lays the frame out in exactly Height lines of at most Width columns.
func (f *Frame) Lines() ([]string, error) {
	var out bytes.Buffer
	if err := f.Table.Print(&out, f.Options); err != nil {
		return nil, err
	}
	table := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	for _, note := range f.Notes {
		table = append(table, paint(Cell{Text: note, Level: Warn}, f.Options.Color))
	}
	below := max(0, min(len(f.Timeline), max(f.Height/timelineShare, f.Height-3-len(table))))
	room := max(1, f.Height-2-below)
	f.Reachable = max(0, len(table)-room)
	f.Scroll = min(max(0, f.Scroll), f.Reachable)
	lines := []string{f.Title}
	shown := table[f.Scroll:min(len(table), f.Scroll+room)]
	lines = append(lines, shown...)
	for len(lines) < 1+room {
		lines = append(lines, "")
	}
	for _, h := range f.Timeline[len(f.Timeline)-below:] {
		lines = append(lines, h.line(f.Options.Color))
	}
	hint := "q or Ctrl-C ends"
	if f.Reachable > 0 {
		hint = fmt.Sprintf("lines %d to %d of %d; ↑ ↓ PgUp PgDn scroll; %s", f.Scroll+1, f.Scroll+len(shown), len(table), hint)
	}
	lines = append(lines, hint)
	for i := range lines {
		lines[i] = crop(lines[i], f.Width)
	}
	return lines[:min(len(lines), f.Height)], nil
}

// crop cuts a line to a width. Colour has none, and is ended where it is cut.
func crop(line string, width int) string {
	if twwidth.Width(line) <= width {
		return line
	}
	var b strings.Builder
	used, escaping, coloured := 0, false, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escaping, coloured = true, true
		case escaping:
			escaping = r != 'm'
		default:
			w := twwidth.Width(string(r))
			if used+w > width-1 {
				b.WriteRune('…')
				if coloured {
					b.WriteString("\x1b[0m")
				}
				return b.String()
			}
			used += w
		}
		b.WriteRune(r)
	}
	return b.String()
}

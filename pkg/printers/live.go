package printers

import (
	"bytes"
	"io"
	"slices"
	"time"
)

// Happening is a line of a timeline.
type Happening struct {
	Time  time.Time
	Text  string
	Level Level
}

// line is a happening as it is printed: the time of day and what happened.
func (h Happening) line(o TableOptions) string {
	return h.Time.Format("15:04:05") + " " + o.paint(Cell{Text: h.Text, Level: h.Level})
}

// WriteTimeline writes happenings, one a line.
func WriteTimeline(w io.Writer, list []Happening, o TableOptions) error {
	var out bytes.Buffer
	for _, h := range list {
		writeLines(&out, []string{h.line(o)})
	}
	_, err := w.Write(out.Bytes())
	return err
}

// RowKey tells a table's rows apart by the columns with the given titles, those of them that there are.
func RowKey(columns []ColumnHead, titles ...string) func(row []Cell) string {
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

// Marked reports whether any mark is still to be taken away.
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
	o.Fit = false // rows are aligned as they stand in a table that was printed before
	f := t.layout(o)
	lines, err := o.align(append([][]Cell{f.titles()}, f.rows...))
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

package printers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// A Shrink says how the cells of a column become narrower where the table is wider than the terminal.
type Shrink int

const (
	// Whole cells stay as they are: names, so that they can be pasted.
	Whole Shrink = iota
	// Cut cells end with a mark where they are cut.
	Cut
	// Wrap has cells go on in lines below.
	Wrap
)

const (
	// leastColumn is the width that a column keeps which is made narrower, and handyColumn that to which it is made narrower before others
	// leave the table.
	leastColumn = 12
	handyColumn = 20
	// leastEnd is the length from which on it pays to leave out the end that names have in common.
	leastEnd = 8
	// headingIndent is that of a heading which goes on in a second line.
	headingIndent = 2
)

// fitted is a table made to fit: what is left of its columns and rows. Every row has one line or, where a cell is wrapped, several.
type fitted struct {
	heads []ColumnHead
	rows  [][]Cell
	// widths are those of the columns.
	widths []int
	// lines are, by row, the cells of each of its lines.
	lines [][][]Cell
	// note says what does not stand in the rows; empty if all does.
	note string
}

// fit makes a table as narrow as the terminal, as far as it can: columns that may give way leave it where all rows have the same, which
// is said once; the end that names have in common is said once; other columns that may give way are left out, and cells shrink.
func (o TableOptions) fit(heads []ColumnHead, rows [][]Cell) fitted {
	f := fitted{heads: slices.Clone(heads), rows: make([][]Cell, len(rows))}
	for i, row := range rows {
		f.rows[i] = slices.Clone(row)
	}
	for i := range heads {
		f.widths = append(f.widths, f.width(o, i))
	}
	var notes []string
	if !f.fits(o) && len(rows) > 1 {
		var same []string
		for _, title := range f.givingWay() {
			if text, ok := f.same(title); ok && !f.fits(o) {
				same = append(same, title+" "+text)
				f.remove(title)
			}
		}
		if len(same) > 0 {
			notes = append(notes, "every row has "+strings.Join(same, ", "))
		}
	}
	for i := range f.heads {
		if f.heads[i].Dotted && !f.fits(o) {
			if note := f.shortenNames(o, i); note != "" {
				notes = append(notes, note)
			}
		}
	}
	var left []string
	for _, title := range f.givingWay() {
		if !f.fitsShrunk(o) {
			left = append(left, title)
			f.remove(title)
		}
	}
	if len(left) > 0 {
		notes = append(notes, "not shown: "+strings.Join(left, ", "))
	}
	cut := f.shrink(o)
	if len(cut) > 0 {
		notes = append(notes, "cut: "+strings.Join(cut, ", "))
	}
	if f.note = strings.Join(notes, "; "); len(left)+len(cut) > 0 {
		f.note += " (-o wide has all)"
	}
	return f
}

// width is that of a column.
func (f *fitted) width(o TableOptions, column int) int {
	widest := twwidth.Width(f.heads[column].Title)
	for _, row := range f.rows {
		widest = max(widest, twwidth.Width(o.text(row[column].Text)))
	}
	return widest
}

// total is the width of all columns.
func (f *fitted) total() int {
	total := -len(gap)
	for _, width := range f.widths {
		total += width + len(gap)
	}
	return total
}

func (f *fitted) fits(o TableOptions) bool { return f.total() <= o.Width }

// fitsShrunk reports whether the columns fit once those that can shrink have done so, as far as they can still be read well.
func (f *fitted) fitsShrunk(o TableOptions) bool {
	total := f.total()
	for i, head := range f.heads {
		if head.Shrink != Whole {
			total -= max(0, f.widths[i]-max(handyColumn, len(head.Title)))
		}
	}
	return total <= o.Width
}

// givingWay are the titles of the columns that may leave the table, the least important first, of equal ones the last.
func (f *fitted) givingWay() []string {
	var list []ColumnHead
	for _, head := range slices.Backward(f.heads) {
		if head.GivesWay > 0 {
			list = append(list, head)
		}
	}
	slices.SortStableFunc(list, func(a, b ColumnHead) int { return b.GivesWay - a.GivesWay })
	titles := make([]string, len(list))
	for i, head := range list {
		titles[i] = head.Title
	}
	return titles
}

func (f *fitted) index(title string) int {
	return slices.IndexFunc(f.heads, func(h ColumnHead) bool { return h.Title == title })
}

// same is what all rows have in a column.
func (f *fitted) same(title string) (text string, ok bool) {
	column := f.index(title)
	for i, row := range f.rows {
		if i > 0 && row[column].Text != text {
			return "", false
		}
		text = row[column].Text
	}
	return text, true
}

func (f *fitted) remove(title string) {
	column := f.index(title)
	f.heads, f.widths = slices.Delete(f.heads, column, column+1), slices.Delete(f.widths, column, column+1)
	for i := range f.rows {
		f.rows[i] = slices.Delete(f.rows[i], column, column+1)
	}
}

// shortenNames leaves out of a column's names the end, from a dot on, with which most is saved, and says which it is. Where some names
// have another end, a mark stands for it in the others.
func (f *fitted) shortenNames(o TableOptions, column int) string {
	times, names := map[string]int{}, 0
	for _, row := range f.rows {
		text := row[column].Text
		if !hasValue(text) {
			continue
		}
		names++
		for i, r := range text {
			if r == '.' && i > 0 && len(text)-i >= leastEnd {
				times[text[i:]]++
			}
		}
	}
	end, saved := "", 0
	for text, n := range times {
		if s := n * len(text); (n > 1 || names == 1) && (s > saved || s == saved && text < end) {
			end, saved = text, s
		}
	}
	if end == "" {
		return ""
	}
	title, mark := f.heads[column].Title, ""
	if times[end] < names {
		mark = "." + o.mark()
	}
	for _, row := range f.rows {
		if short, ok := strings.CutSuffix(row[column].Text, end); ok && short != "" {
			row[column].Text = short + mark
		}
	}
	f.widths[column] = f.width(o, column)
	if mark != "" {
		return fmt.Sprintf("%s in %s is %s", mark, title, end)
	}
	return fmt.Sprintf("%s ends in %s", title, end)
}

// shrink makes the widest of the columns that can be made narrower, until all fit or none can. It returns the titles of those of which
// cells were cut.
func (f *fitted) shrink(o TableOptions) (cut []string) {
	limits := slices.Clone(f.widths)
	for total := f.total(); total > o.Width; total-- {
		widest := -1
		for i, head := range f.heads {
			if head.Shrink != Whole && limits[i] > max(leastColumn, len(head.Title)) && (widest < 0 || limits[i] > limits[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		limits[widest]--
	}
	f.lines = make([][][]Cell, len(f.rows))
	for i, row := range f.rows {
		f.lines[i] = [][]Cell{row}
	}
	for column, head := range f.heads {
		if limits[column] == f.widths[column] {
			continue
		}
		if head.Shrink == Cut {
			cut = append(cut, head.Title)
		}
		for i, row := range f.rows {
			text := o.text(row[column].Text)
			if twwidth.Width(text) <= limits[column] {
				continue
			}
			if head.Shrink == Cut {
				mark := o.mark()
				row[column].Text = firstPart(text, limits[column]-twwidth.Width(mark)) + mark
				continue
			}
			for n, part := range wrap(text, limits[column]) {
				if n == len(f.lines[i]) {
					f.lines[i] = append(f.lines[i], make([]Cell, len(f.heads)))
				}
				f.lines[i][n][column] = Cell{Text: part, Level: row[column].Level}
			}
		}
	}
	return cut
}

// firstPart is as much of a text as fits into a width, at least one character.
func firstPart(text string, width int) string { return head(text, max(1, width)) }

// wrapHeading lays the parts of a heading out in lines: where they do not fit side by side, further ones stand below, indented.
func (o TableOptions) wrapHeading(parts []Cell) []string {
	var lines []string
	line, used := "", 0
	for i, part := range parts {
		text := o.text(part.Text)
		width := twwidth.Width(text)
		switch {
		case i == 0:
		case o.Width == 0 || used+len(gap)+width <= o.Width:
			line, used = line+gap, used+len(gap)
		default:
			lines = append(lines, line)
			line, used = strings.Repeat(" ", headingIndent), headingIndent
		}
		if o.Width == 0 || used+width <= o.Width {
			line, used = line+o.paint(part), used+width
			continue
		}
		indent := used // a part that is wider than a line is wrapped below itself
		for n, piece := range wrap(text, o.Width-indent) {
			if n > 0 {
				lines = append(lines, line)
				line = strings.Repeat(" ", indent)
			}
			line, used = line+o.paint(Cell{Text: piece, Level: part.Level, Changed: part.Changed}), indent+twwidth.Width(piece)
		}
	}
	return append(lines, line)
}

package printers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Frame is a picture of the live screen: the table's lines from a first one on, as many as fit, and below them the newest of the
// timeline and a line that says how to go on.
type Frame struct {
	Title string
	// Alarms stand below the title, of what makes all the rest doubtful.
	Alarms []string
	Table  Table
	// Empty stands in the place of a table without rows.
	Empty string
	// Notes are lines below the table, of what could not be read.
	Notes    []string
	Timeline []Happening
	Width    int
	Height   int
	// Scroll and Shift are the first line of the table that is shown, and how many columns of its rows are left out at the left; Lines
	// bounds them.
	Scroll, Shift int
	// Help has the keys explained in the place of all else.
	Help    bool
	Options TableOptions
}

const (
	// timelineShare is the part of the screen that the timeline may have, if the table needs the rest.
	timelineShare = 3
	// maxAlarmLines is how many lines the alarms may have.
	maxAlarmLines = 3
)

// Lines lays the frame out in exactly Height lines of at most Width columns.
func (f *Frame) Lines() ([]string, error) {
	o := f.Options
	o.Width, o.Fit, o.Pages = f.Width, false, "" // rows scroll sideways
	head := []string{o.text(f.Title)}
	for _, alarm := range f.Alarms {
		for _, part := range wrap(o.text(alarm), f.Width) {
			head = append(head, o.paint(Cell{Text: part, Level: Alarm}))
		}
	}
	head = head[:min(len(head), 1+maxAlarmLines)]
	if f.Help {
		return f.fill(append(head, helpLines(o)...), "press any key to go back"), nil
	}
	table, err := f.Table.lines(o)
	if err != nil {
		return nil, err
	}
	if f.Empty != "" {
		table = append([]line{{text: o.text(f.Empty)}}, table...)
	}
	for _, note := range f.Notes {
		for _, part := range wrap(o.text(note), f.Width) {
			table = append(table, line{text: o.paint(Cell{Text: part, Level: Warn})})
		}
	}
	below := max(0, min(len(f.Timeline), max(f.Height/timelineShare, f.Height-2-len(head)-len(table))))
	room := max(1, f.Height-1-len(head)-below)
	shown, last := f.scroll(table, room)
	lines := slices.Concat(head, f.columns(shown))
	for len(lines) < len(head)+room {
		lines = append(lines, "")
	}
	for _, h := range f.Timeline[len(f.Timeline)-below:] {
		lines = append(lines, h.line(o))
	}
	hint := "? help; q or Ctrl-C ends"
	keys := ""
	if len(shown) < len(table) {
		keys = o.arrows("↑ ↓ ", "Up Down ") + "PgUp PgDn "
	}
	if f.widest(shown) > f.Width {
		keys = o.arrows("← → ", "Left Right ") + keys
	}
	if keys != "" {
		hint = keys + "scroll; " + hint
	}
	if len(shown) < len(table) {
		hint = fmt.Sprintf("lines %d to %d of %d; ", f.Scroll+1, last, len(table)) + hint
	}
	return f.fill(lines, hint), nil
}

func (o TableOptions) arrows(signs, words string) string {
	if o.ASCII {
		return words
	}
	return signs
}

// fill makes the picture as high and at most as wide as the screen, with a last line.
func (f *Frame) fill(lines []string, last string) []string {
	lines = lines[:min(len(lines), max(0, f.Height-1))]
	for len(lines) < f.Height-1 {
		lines = append(lines, "")
	}
	lines = append(lines, last)[:min(len(lines)+1, f.Height)]
	for i := range lines {
		lines[i] = cut(lines[i], 0, 0, f.Width, f.Options.mark())
	}
	return lines
}

// scroll returns the lines of a table that are shown, and how many there are up to the last of them. Where they begin in the middle of
// rows, the titles of these come first.
func (f *Frame) scroll(table []line, room int) (shown []line, last int) {
	titled := func(first int) bool {
		return room > 1 && first < len(table) && table[first].kind == lineRow && table[first].titles != "" && !f.Options.NoHeaders
	}
	most := max(0, len(table)-room)
	if titled(most) { // they take a line
		most++
	}
	f.Scroll = min(max(0, f.Scroll), most)
	first := f.Scroll
	if !titled(first) || first == 0 {
		last = min(len(table), first+room)
		return table[first:last], last
	}
	titles := table[first]
	titles.text = titles.titles
	last = min(len(table), first+room-1)
	return append([]line{titles}, table[first:last]...), last
}

// columns are lines of which rows and titles are shifted, as far as there is something to be seen.
func (f *Frame) columns(shown []line) []string {
	f.Shift = min(max(0, f.Shift), max(0, f.widest(shown)-f.Width))
	texts := make([]string, len(shown))
	for i, l := range shown {
		if texts[i] = l.text; l.kind != lineText {
			pinned := l.pinned
			if pinned > f.Width/2 {
				pinned = 0
			}
			texts[i] = cut(l.text, pinned, f.Shift, f.Width, f.Options.mark())
		}
	}
	return texts
}

// widest is the width of the widest line that can be shifted.
func (f *Frame) widest(shown []line) int {
	widest := 0
	for _, l := range shown {
		if l.kind != lineText {
			widest = max(widest, twwidth.Width(l.text))
		}
	}
	return widest
}

// helpLines explain keys and signs.
func helpLines(o TableOptions) []string {
	keys := [][2]string{
		{o.arrows("↑ ↓", "Up Down"), "one line up or down; also k and j"},
		{"PgUp PgDn", "half a screen up or down; also b and space"},
		{"Home End", "first or last line; also g and G"},
		{o.arrows("← →", "Left Right"), "scroll to columns that do not fit; also h and l"},
		{"?", "this help"},
		{"Ctrl-Z", "suspend; resume with fg"},
		{"q", "end; also Ctrl-C and Ctrl-D"},
	}
	lines := []string{""}
	for _, key := range keys {
		lines = append(lines, key[0]+strings.Repeat(" ", max(0, len("Left Right")-twwidth.Width(key[0])))+gap+key[1])
	}
	return append(lines, "", "Cells that have just changed are marked for four seconds.", o.mark()+" at an edge means that there is more in that direction.")
}

// mark is where a line has been cut.
func (o TableOptions) mark() string {
	if o.ASCII {
		return ">"
	}
	return "…"
}

// cut shows a line within a width, less a number of columns behind the first pinned ones. What is cut off is marked. Colour has no
// width, and is ended where the line is.
func cut(text string, pinned, shift, width int, mark string) string {
	whole := twwidth.Width(text)
	if shift == 0 && whole <= width {
		return text
	}
	if width < 1 {
		return ""
	}
	leftMark := mark
	if mark == ">" {
		leftMark = "<"
	}
	var b strings.Builder
	fits := whole-shift <= width
	at, used := 0, 0 // columns of the line, and of what is shown
	escaping, coloured, left := false, false, false
	for _, r := range text {
		switch {
		case r == '\x1b':
			escaping, coloured = true, true
			b.WriteRune(r)
			continue
		case escaping:
			b.WriteRune(r)
			escaping = r != 'm'
			continue
		}
		w := twwidth.Width(string(r))
		from := at
		at += w
		if from >= pinned && from < pinned+shift { // left out
			continue
		}
		if shift > 0 && from >= pinned && !left { // its place is the mark's
			left = true
			b.WriteString(leftMark)
			b.WriteString(strings.Repeat(" ", max(0, w-1)))
			used += max(1, w)
			continue
		}
		if !fits && used+w > width-1 {
			b.WriteString(mark)
			break
		}
		b.WriteRune(r)
		used += w
	}
	if coloured {
		b.WriteString(colorOff)
	}
	return b.String()
}

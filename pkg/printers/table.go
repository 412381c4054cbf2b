package printers

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Level is how much a cell calls for attention. It shows as colour where colour is on, and is never the only sign.
type Level int

const (
	// Plain is ordinary text.
	Plain Level = iota
	// Dim is text that stands for something absent.
	Dim
	// Warn is text about something that will become a problem.
	Warn
	// Alarm is text about something that is a problem.
	Alarm
)

// Cell is one cell of a table. Its text may come from the cluster: it is escaped when it is printed.
type Cell struct {
	Text  string
	Level Level
	// Changed marks a cell of a live table whose text has just changed.
	Changed bool
}

// Text is a cell without emphasis.
func Text(text string) Cell { return Cell{Text: text} }

// None and Unknown are the two ways to show that there is no value: there can't be one here, and it could not be read.
var (
	None    = Cell{Text: "-", Level: Dim}
	Unknown = Cell{Text: "unknown", Level: Warn}
)

// ColumnHead is what stands above a column of a table. Its title has no spaces, so that a row can be split at white space.
type ColumnHead struct {
	Title string
	// Wide columns are printed with -o wide only.
	Wide bool
	// GivesWay is more than 0 for columns that leave a table which is wider than the terminal, the largest number first.
	GivesWay int
	// Dotted columns have names such as nodes' that may share their end, from a dot on: it is said once where the terminal is too narrow.
	Dotted bool
	// Shrink is how cells become narrower when nothing else is left.
	Shrink Shrink
}

// Block is a group of rows with a heading above and findings below. The blocks of a table share their columns' widths.
type Block struct {
	// Heading are the parts of the line above the rows; the first is the name of what they are about.
	Heading  []Cell
	Rows     [][]Cell
	Findings []v1alpha1.Finding
	// Fine is how many rows there is nothing wrong with; LeftOut those of them that are not among Rows because of that.
	Fine, LeftOut int
	// Apart blocks have no rows, and stay as they are when the rows of the others are sorted.
	Apart bool
}

// Add adds a row, unless it is a fine one and only problems are to be shown.
func (b *Block) Add(show Show, fine bool, row []Cell) {
	if fine {
		b.Fine++
		if show == ShowProblems {
			b.LeftOut++
			return
		}
	}
	b.Rows = append(b.Rows, row)
}

// isLeftOut reports whether all of a block is fine and left out.
func (b *Block) isLeftOut() bool { return b.LeftOut > 0 && len(b.Rows)+len(b.Findings) == 0 }

// Table is what a report looks like to people.
type Table struct {
	// Title, which may be empty, are the parts of a line above everything else.
	Title   []Cell
	Columns []ColumnHead
	Blocks  []Block
	// Below are smaller tables that sum this one up, with columns of their own. They are left out with --no-headers.
	Below []Table
	// Problems are printed to stderr, one line each.
	Problems []v1alpha1.Problem
}

// TableOptions say how a table is printed.
type TableOptions struct {
	// Wide prints the wide columns too.
	Wide bool
	// NoHeaders prints the rows only: no headings, no titles, no findings.
	NoHeaders bool
	// Color paints cells by their level.
	Color bool
	// ASCII prints no other characters.
	ASCII bool
	// Width is that within which headings and findings are wrapped, in columns; 0 for any.
	Width int
	// Fit has the rows give way too, so that they are no wider than Width. With Wide and NoHeaders they do not.
	Fit bool
	// Pages is where the pages of codes are, up to and with the #; empty if codes are not to be links.
	Pages string
	// SortBy is the title of a column, with - in front for the largest first; empty for the order of the report.
	SortBy string
}

const gap = "   "

// A lineKind says how a line of a table is laid out on a live screen: columns scroll sideways, and their titles stay.
type lineKind int

const (
	lineText lineKind = iota
	lineTitles
	lineRow
)

// line is one of a printed table.
type line struct {
	text string
	kind lineKind
	// titles is the line above rows; pinned is the width of the columns that name them.
	titles string
	pinned int
}

// Print writes the table.
func (t Table) Print(w io.Writer, o TableOptions) error {
	lines, err := t.lines(o)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for _, l := range lines {
		writeLines(&out, []string{l.text})
	}
	_, err = w.Write(out.Bytes())
	return err
}

// lines are those that are printed.
func (t Table) lines(o TableOptions) ([]line, error) {
	if o.SortBy != "" {
		var err error
		if t, err = t.sorted(o.SortBy); err != nil {
			return nil, err
		}
	}
	f := t.layout(o)
	laidOut, err := o.align(slices.Concat([][]Cell{f.titles()}, slices.Concat(f.lines...)))
	if err != nil {
		return nil, err
	}
	pinned := f.pinned(o)
	var out []line
	text := func(texts ...string) {
		for _, t := range texts {
			out = append(out, line{text: t})
		}
	}
	if len(t.Title) > 0 && !o.NoHeaders {
		text(o.wrapHeading(t.Title)...)
	}
	next, row := 1, 0
	for i, block := range t.Blocks {
		if block.isLeftOut() {
			text(t.showNote(o, i, len(out) > 0)...)
			continue
		}
		var body []string
		for range block.Rows {
			body = append(body, laidOut[next:next+len(f.lines[row])]...)
			next, row = next+len(f.lines[row]), row+1
		}
		if len(out) > 0 && !o.NoHeaders {
			text("")
		}
		if len(block.Heading) > 0 && !o.NoHeaders {
			text(o.wrapHeading(block.Heading)...)
		}
		if len(body) > 0 && !o.NoHeaders {
			text(o.dimLines(f.note)...)
			f.note = "" // it stands above the first of all rows
			out = append(out, line{text: laidOut[0], kind: lineTitles, pinned: pinned})
		}
		for _, row := range body {
			out = append(out, line{text: row, kind: lineRow, titles: laidOut[0], pinned: pinned})
		}
		if len(block.Findings) > 0 && !o.NoHeaders {
			text("")
			text(o.findingLines(block.Findings)...)
		}
		text(t.showNote(o, i, len(out) > 0)...)
	}
	if o.NoHeaders {
		return out, nil
	}
	for _, below := range t.Below {
		if len(out) > 0 {
			text("")
		}
		its := o
		its.SortBy = ""
		lines, err := below.lines(its)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}

// dimLines are a remark in the table's own words, wrapped.
func (o TableOptions) dimLines(text string) []string {
	if text == "" {
		return nil
	}
	return o.wrapHeading([]Cell{{Text: text, Level: Dim}})
}

// pinned is the width of the columns that name a row: the first, and the namespace before it.
func (f *fitted) pinned(o TableOptions) int {
	width := 0
	for i, head := range f.heads {
		width += f.width(o, i) + len(gap)
		if head.Title != "NAMESPACE" {
			break
		}
	}
	return width
}

func (f *fitted) titles() []Cell {
	titles := make([]Cell, len(f.heads))
	for i, head := range f.heads {
		titles[i] = Text(head.Title)
	}
	return titles
}

// layout leaves out the columns that are not asked for and, if the table is to fit, what does not fit.
func (t Table) layout(o TableOptions) fitted {
	var keep []int
	var f fitted
	for i, c := range t.Columns {
		if !c.Wide || o.Wide {
			keep = append(keep, i)
			f.heads = append(f.heads, c)
		}
	}
	for _, block := range t.Blocks {
		for _, all := range block.Rows {
			row := make([]Cell, len(keep))
			for j, i := range keep {
				row[j] = all[i]
			}
			f.rows = append(f.rows, row)
		}
	}
	if o.Fit && o.Width > 0 && !o.Wide && !o.NoHeaders {
		return o.fit(f.heads, f.rows)
	}
	for _, row := range f.rows {
		f.lines = append(f.lines, [][]Cell{row})
	}
	return f
}

const (
	// longMessage is the width from which on a message no longer moves the remedies of the others to the right.
	longMessage = 100
	// maxMessage is how much of a message a table shows, in characters: a program's log may be in one.
	maxMessage = 1000
)

// findingLines lays findings out: severity, code, message, and the remedy in a column of its own as far as messages are short. Where
// the width is limited, what does not fit goes on below, under the message, and its remedy has lines of its own.
func (o TableOptions) findingLines(findings []v1alpha1.Finding) []string {
	var severity, code, message int // widths
	for _, f := range findings {
		severity, code = max(severity, len(wordOf(&f))), max(code, len(f.Code))
	}
	arrow := o.signs("→ ")
	indent := severity + code + 2*len(gap)
	for _, f := range findings {
		width, remedy := twwidth.Width(o.text(f.Message)), twwidth.Width(o.text(remedyOf(&f)))
		fits := o.Width == 0 || indent+width+len(gap)+twwidth.Width(arrow)+remedy <= o.Width
		if remedy > 0 && width <= longMessage && fits {
			message = max(message, width)
		}
	}
	pad := func(text string, width int) string {
		return strings.Repeat(" ", max(0, width-twwidth.Width(text))) + gap
	}
	var lines []string
	for _, f := range findings {
		word, text, remedy := strings.ToUpper(wordOf(&f)), o.text(f.Message), o.text(remedyOf(&f))
		head := o.paint(Cell{Text: word, Level: LevelOf(f.Severity)}) + pad(word, severity) + o.link(f.Code) + pad(string(f.Code), code)
		if remedy != "" {
			remedy = arrow + remedy
		}
		whole := text
		if remedy != "" {
			whole += pad(text, message) + remedy
		}
		if o.Width == 0 || indent+twwidth.Width(whole) <= o.Width {
			lines = append(lines, head+whole)
			continue
		}
		hanging := indent
		if o.Width-hanging < leastHanging { // a narrow screen
			lines, hanging = append(lines, strings.TrimRight(head, " ")), 2
			head = strings.Repeat(" ", hanging)
		}
		parts := wrap(text, o.Width-hanging)
		whole = ""
		switch {
		case !o.Fit: // nothing else wraps the lines of a screen
			parts = append(parts, wrap(remedy, o.Width-hanging)...)
		case hanging+twwidth.Width(remedy) <= o.Width:
			whole = strings.Repeat(" ", hanging) + remedy
		case remedy != "": // the terminal wraps it, so that it can be copied as one line
			whole = "  " + remedy
		}
		for i, part := range parts {
			if i > 0 {
				head = strings.Repeat(" ", hanging)
			}
			lines = append(lines, head+part)
		}
		if whole != "" {
			lines = append(lines, whole)
		}
	}
	return lines
}

func remedyOf(f *v1alpha1.Finding) string { return cmp.Or(f.Remedy.Command, f.Remedy.Explain) }

// wordOf is what stands in front of a finding: its severity, or that it is on its way.
func wordOf(f *v1alpha1.Finding) string {
	if f.Progressing {
		return string(v1alpha1.HealthProgressing)
	}
	return string(f.Severity)
}

// LevelOf is how much a finding of a severity calls for attention.
func LevelOf(s v1alpha1.Severity) Level {
	switch s {
	case v1alpha1.SeverityError, v1alpha1.SeverityCritical:
		return Alarm
	case v1alpha1.SeverityWarning:
		return Warn
	case v1alpha1.SeverityInfo:
		return Dim
	}
	return Plain
}

// align lays rows of equal length out in columns, one line a row, without spaces at the ends of lines. Widths are what a
// terminal shows: Hangul is two wide, colour none.
func (o TableOptions) align(rows [][]Cell) ([]string, error) {
	// Ambiguous characters count as one in every locale; what is two wide everywhere stays so.
	twwidth.SetEastAsian(false)
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: gap, Overwrite: true}},
	}
	var out bytes.Buffer
	table := tablewriter.NewTable(&out,
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell, Behavior: tw.Behavior{TrimSpace: tw.Off}}),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})))
	for _, row := range rows {
		texts := make([]string, len(row))
		for i, c := range row {
			texts[i] = o.paint(c)
		}
		if err := table.Append(texts); err != nil {
			return nil, fmt.Errorf("laying out the table: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return nil, fmt.Errorf("laying out the table: %w", err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(rows) {
		return nil, fmt.Errorf("laying out the table: %d lines for %d rows", len(lines), len(rows))
	}
	for i := range lines {
		lines[i] = trimEnd(lines[i])
	}
	return lines, nil
}

// colorOff ends a colour.
const colorOff = "\x1b[0m"

// trimEnd takes the spaces off the end of a line. After those of a coloured cell, which has ended its colour, tablewriter ends it
// once more.
func trimEnd(line string) string {
	line = strings.TrimRight(line, " ")
	if rest, ok := strings.CutSuffix(line, colorOff); ok && strings.HasSuffix(rest, " ") {
		return strings.TrimRight(rest, " ")
	}
	return line
}

// warnColor is an ochre that can be read on white and on black alike, which the yellow of most terminals can't.
const warnColor = "38;5;130"

func (o TableOptions) paint(c Cell) string {
	text := o.text(c.Text)
	if !o.Color || text == "" {
		return text
	}
	style := map[Level]string{Dim: "2", Warn: warnColor, Alarm: "31"}[c.Level]
	if c.Changed {
		style = strings.Trim(style+";7", ";")
	}
	if style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + colorOff
}

// text is a text of a table as it is printed.
func (o TableOptions) text(text string) string { return o.signs(Escape(shorten(text, maxMessage))) }

// signs puts ASCII in the place of other signs where the terminal's locale has no others.
func (o TableOptions) signs(text string) string {
	if o.ASCII {
		return ASCII(text)
	}
	return text
}

func writeLines(out *bytes.Buffer, lines []string) {
	for _, line := range lines {
		out.WriteString(line)
		out.WriteByte('\n')
	}
}

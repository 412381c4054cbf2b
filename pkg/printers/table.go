package printers

import (
	"bytes"
	"fmt"
	"io"
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

// Column is a column of a table. Its title has no spaces, so that a row can be split at white space.
type Column struct {
	Title string
	// Wide columns are printed with -o wide only.
	Wide bool
}

// Block is a group of rows with a heading above and findings below. The blocks of a table share their columns' widths.
type Block struct {
	// Heading are the parts of the line above the rows; the first is the name of what they are about.
	Heading  []Cell
	Rows     [][]Cell
	Findings []v1alpha1.Finding
	// Apart blocks have no rows, and stay as they are when the rows of the others are sorted.
	Apart bool
}

// Table is what a report looks like to people.
type Table struct {
	Columns []Column
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
	// SortBy is the title of a column, with - in front for the largest first; empty for the order of the report.
	SortBy string
}

const gap = "   "

// Print writes the table.
func (t Table) Print(w io.Writer, o TableOptions) error {
	if o.SortBy != "" {
		var err error
		if t, err = t.sorted(o.SortBy); err != nil {
			return err
		}
	}
	titles, rows := t.layout(o)
	lines, err := align(append([][]Cell{titles}, rows...), o.Color)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	next := 1
	for i, block := range t.Blocks {
		body := lines[next : next+len(block.Rows)]
		next += len(block.Rows)
		if o.NoHeaders {
			writeLines(&out, body)
			continue
		}
		if i > 0 {
			out.WriteByte('\n')
		}
		if len(block.Heading) > 0 {
			parts := make([]string, len(block.Heading))
			for j, cell := range block.Heading {
				parts[j] = paint(cell, o.Color)
			}
			writeLines(&out, []string{strings.Join(parts, gap)})
		}
		if len(body) > 0 {
			writeLines(&out, lines[:1])
			writeLines(&out, body)
		}
		if len(block.Findings) > 0 {
			out.WriteByte('\n')
			writeLines(&out, findingLines(block.Findings, o.Color))
		}
	}
	if !o.NoHeaders {
		for _, below := range t.Below {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			if err := below.Print(&out, TableOptions{Wide: o.Wide, Color: o.Color}); err != nil {
				return err
			}
		}
	}
	_, err = w.Write(out.Bytes())
	return err
}

// layout leaves out the columns that are not asked for.
func (t Table) layout(o TableOptions) (titles []Cell, rows [][]Cell) {
	var keep []int
	for i, c := range t.Columns {
		if !c.Wide || o.Wide {
			keep = append(keep, i)
			titles = append(titles, Text(c.Title))
		}
	}
	for _, block := range t.Blocks {
		for _, all := range block.Rows {
			row := make([]Cell, len(keep))
			for j, i := range keep {
				row[j] = all[i]
			}
			rows = append(rows, row)
		}
	}
	return titles, rows
}

// longMessage is the width from which on a message no longer moves the remedies of the others to the right.
const longMessage = 100

// findingLines lays findings out: severity, code, message, and the remedy in a column of its own as far as messages are short.
func findingLines(findings []v1alpha1.Finding, color bool) []string {
	var severity, code, message int // widths
	for _, f := range findings {
		severity, code = max(severity, len(wordOf(&f))), max(code, len(f.Code))
		if width := twwidth.Width(Escape(f.Message)); f.Remedy != "" && width <= longMessage {
			message = max(message, width)
		}
	}
	pad := func(text string, width int) string {
		return strings.Repeat(" ", max(0, width-twwidth.Width(text))) + gap
	}
	lines := make([]string, len(findings))
	for i, f := range findings {
		word, text := strings.ToUpper(wordOf(&f)), Escape(f.Message)
		lines[i] = paint(Cell{Text: word, Level: LevelOf(f.Severity)}, color) + pad(word, severity) + string(f.Code) + pad(string(f.Code), code) + text
		if f.Remedy != "" {
			lines[i] += pad(text, message) + "→ " + Escape(f.Remedy)
		}
	}
	return lines
}

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
func align(rows [][]Cell, color bool) ([]string, error) {
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
			texts[i] = paint(c, color)
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

func paint(c Cell, color bool) string {
	text := Escape(c.Text)
	if !color || text == "" {
		return text
	}
	style := map[Level]string{Dim: "2", Warn: "33", Alarm: "31"}[c.Level]
	if c.Changed {
		style = strings.Trim(style+";7", ";")
	}
	if style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + colorOff
}

func writeLines(out *bytes.Buffer, lines []string) {
	for _, line := range lines {
		out.WriteString(line)
		out.WriteByte('\n')
	}
}

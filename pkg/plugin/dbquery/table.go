package dbquery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// equalSign marks rows that are the same on each server.
const equalSign = "="

// Table lays a report out: a block for each set, a row for each server and row, with the statement's own columns. Rows that are the same on
// each server are fine.
func Table(report *v1alpha1.DatabaseQueryList, namespaces bool, show printers.Show) printers.Table {
	t := printers.Table{Blocks: make([]printers.Block, 0, len(report.Items))}
	if namespaces {
		t.Columns = append(t.Columns, printers.ColumnHead{Title: "NAMESPACE"})
	}
	t.Columns = append(t.Columns, printers.ColumnHead{Title: "POD"}, printers.ColumnHead{Title: "DIFF"})
	own := columns(report)
	for _, name := range own {
		t.Columns = append(t.Columns, printers.ColumnHead{Title: title(name)})
	}
	for i := range report.Items {
		set := &report.Items[i]
		block := printers.Block{Heading: heading(set, namespaces), Findings: finding.Join(set.Findings)}
		for j := range set.Servers {
			s := &set.Servers[j]
			for _, cells := range rowsOf(s, own, set.Same) {
				fine := cells[1].Text == equalSign && s.Error == ""
				if namespaces {
					cells = slices.Insert(cells, 0, printers.Text(set.Metadata.Namespace))
				}
				block.Add(show, fine, cells)
			}
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// Names are what -o name prints: the pods that answered.
func Names(report *v1alpha1.DatabaseQueryList) []string {
	var list []string
	for i := range report.Items {
		for _, s := range report.Items[i].Servers {
			if s.Answered && s.Error == "" {
				list = append(list, "pod/"+s.Pod)
			}
		}
	}
	return list
}

// columns are those of the first answer with the most: servers of several versions may have more than others.
func columns(report *v1alpha1.DatabaseQueryList) []string {
	var most []string
	for i := range report.Items {
		for _, s := range report.Items[i].Servers {
			if len(s.Columns) > len(most) {
				most = s.Columns
			}
		}
	}
	if most == nil {
		return []string{"ANSWER"}
	}
	return most
}

// title is a column's name without spaces, so that a row can be split at white space as far as its values allow it.
func title(name string) string { return strings.Join(strings.Fields(name), "_") }

func heading(set *v1alpha1.DatabaseQuery, namespaces bool) []printers.Cell {
	name := set.Metadata.Name
	if namespaces {
		name = set.Metadata.Namespace + "/" + name
	}
	answered, failed := 0, 0
	for _, s := range set.Servers {
		if s.Answered {
			answered++
		}
		if s.Answered && s.Error != "" {
			failed++
		}
	}
	answers := printers.Text(fmt.Sprintf("%d/%d answered", answered, len(set.Servers)))
	if answered < len(set.Servers) {
		answers.Level = printers.Alarm
	}
	cells := []printers.Cell{printers.Text(name), answers}
	switch {
	case set.Same == nil:
		cells = append(cells, printers.Cell{Text: "more rows than shown (--max-rows): not compared", Level: printers.Warn})
	case answered < 2:
	case *set.Same && failed > 0:
		cells = append(cells, printers.Cell{Text: "the same error on all", Level: printers.Alarm})
	case *set.Same:
		cells = append(cells, printers.Text("the same rows on all"))
	default:
		cells = append(cells, printers.Cell{Text: "rows differ", Level: printers.Warn})
	}
	return cells
}

func rowsOf(s *v1alpha1.DatabaseQueryAnswer, own []string, same *bool) [][]printers.Cell {
	line := func(diff printers.Cell, first printers.Cell) []printers.Cell {
		cells := []printers.Cell{printers.Text(s.Pod), diff, first}
		for len(cells) < len(own)+2 {
			cells = append(cells, printers.None)
		}
		return cells
	}
	switch {
	case s.Answered && s.Error != "":
		diff := printers.Cell{Text: "≠", Level: printers.Warn}
		if same == nil {
			diff = printers.Unknown
		} else if *same {
			diff = printers.Text(equalSign)
		}
		return [][]printers.Cell{line(diff, printers.Cell{Text: s.Error, Level: printers.Alarm})}
	case s.Error != "":
		return [][]printers.Cell{line(printers.Unknown, printers.Unknown)}
	case len(s.Rows) == 0:
		diff := printers.None
		if same != nil && !*same { // the others have some
			diff = printers.Cell{Text: "≠", Level: printers.Warn}
		}
		return [][]printers.Cell{line(diff, printers.Cell{Text: "<no rows>", Level: printers.Dim})}
	}
	var rows [][]printers.Cell
	for _, r := range s.Rows {
		level, diff := printers.Plain, printers.Text(equalSign)
		switch {
		case same == nil:
			diff = printers.Unknown
		case r.Differs:
			level, diff = printers.Warn, printers.Cell{Text: "≠", Level: printers.Warn}
		}
		cells := []printers.Cell{printers.Text(s.Pod), diff}
		for i := range own {
			switch {
			case i >= len(r.Values):
				cells = append(cells, printers.None)
			case r.Values[i] == nil:
				cells = append(cells, printers.Cell{Text: "NULL", Level: printers.Dim})
			default:
				cells = append(cells, printers.Cell{Text: *r.Values[i], Level: level})
			}
		}
		rows = append(rows, cells)
	}
	return rows
}

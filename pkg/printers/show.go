package printers

import "fmt"

// Show is which rows of a table are shown.
type Show string

// The values of --show.
const (
	// ShowAll shows all rows.
	ShowAll Show = "all"
	// ShowProblems leaves out rows with which nothing is wrong.
	ShowProblems Show = "problems"
)

// showFlag is the name of the flag that chooses rows.
const showFlag = "show"

// manyFine is the number of rows from which on --show=problems is mentioned if all of them are fine.
const manyFine = 40

// checkShow is an error for a value that --show does not have, and for forms of output that have no rows.
func (f *Flags) checkShow(table bool) error {
	switch {
	case f.show != "" && f.show != string(ShowAll) && f.show != string(ShowProblems):
		return fmt.Errorf("--show=%s: it must be one of %s, %s", f.show, ShowAll, ShowProblems)
	case f.show == string(ShowProblems) && !table:
		return fmt.Errorf("--show=%s and -o %s can't be combined: it chooses the table's rows", f.show, f.output)
	}
	return nil
}

// showNote says, after the last block that has rows, how many are left out, or how many could be.
func (t Table) showNote(o TableOptions, block int, apart bool) []string {
	if o.NoHeaders {
		return nil
	}
	rows, fine, leftOut := 0, 0, 0
	for i := range t.Blocks {
		b := &t.Blocks[i]
		if i > block && len(b.Rows)+b.LeftOut > 0 {
			return nil
		}
		rows, fine, leftOut = rows+len(b.Rows)+b.LeftOut, fine+b.Fine, leftOut+b.LeftOut
	}
	if b := &t.Blocks[block]; len(b.Rows)+b.LeftOut == 0 {
		return nil
	}
	var note []string
	switch {
	case leftOut == 1:
		note = o.dimLines("1 row without problems is not shown (--show=all shows it)")
	case leftOut > 1:
		note = o.dimLines(fmt.Sprintf("%d rows without problems are not shown (--show=all shows them)", leftOut))
	case rows > manyFine && fine == rows:
		note = o.dimLines(fmt.Sprintf("None of these %d rows has a problem (--show=problems leaves them out)", rows))
	}
	if len(note) > 0 && apart {
		note = append([]string{""}, note...)
	}
	return note
}

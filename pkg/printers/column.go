package printers

// Column is a column of a table whose rows are about Rs: what stands above it, and where its cells come from.
type Column[R any] struct {
	ColumnHead
	Cell func(row R) Cell
}

// Narrow is a column that every table has.
func Narrow[R any](title string, cell func(row R) Cell) Column[R] {
	return Column[R]{ColumnHead{Title: title}, cell}
}

// Wide is a column that -o wide adds.
func Wide[R any](title string, cell func(row R) Cell) Column[R] {
	return Column[R]{ColumnHead{Title: title, Wide: true}, cell}
}

// GivesWay makes a column one that leaves a table which is wider than the terminal: those with the largest number first.
func (c Column[R]) GivesWay(rank int) Column[R] {
	c.ColumnHead.GivesWay = rank
	return c
}

// Dotted makes a column one of names that may share their end, from a dot on.
func (c Column[R]) Dotted() Column[R] {
	c.ColumnHead.Dotted = true
	return c
}

// Shrinks makes a column one whose cells become narrower when nothing else is left.
func (c Column[R]) Shrinks(how Shrink) Column[R] {
	c.Shrink = how
	return c
}

// Columns are the columns of a table, from left to right.
type Columns[R any] []Column[R]

// Heads are what stands above the columns.
func (c Columns[R]) Heads() []ColumnHead {
	list := make([]ColumnHead, len(c))
	for i, column := range c {
		list[i] = column.ColumnHead
	}
	return list
}

// Cells are those of a row.
func (c Columns[R]) Cells(row R) []Cell {
	list := make([]Cell, len(c))
	for i, column := range c {
		list[i] = column.Cell(row)
	}
	return list
}

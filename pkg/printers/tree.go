package printers

import "strings"

// Branches are the lines that stand before the rows of a tree, from each row's depth: a row is below the nearest one before it
// that is less deep. Rows of depth 0 have none.
func Branches(depths []int) []string {
	list := make([]string, len(depths))
	for i, depth := range depths {
		var b strings.Builder
		for level := 1; level <= depth; level++ {
			switch goesOn := hasSibling(depths[i+1:], level); {
			case level == depth && goesOn:
				b.WriteString("├─ ")
			case level == depth:
				b.WriteString("└─ ")
			case goesOn:
				b.WriteString("│  ")
			default:
				b.WriteString("   ")
			}
		}
		list[i] = b.String()
	}
	return list
}

// hasSibling reports whether another row of a level comes before a less deep one.
func hasSibling(rest []int, level int) bool {
	for _, depth := range rest {
		if depth <= level {
			return depth == level
		}
	}
	return false
}

package finding

import (
	"slices"
	"strings"
)

// mostSuggested bounds the names in an error.
const mostSuggested = 3

// Nearest returns the names that are a few typing errors away, or that begin with the name, the nearest first.
func Nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var list []candidate
	for _, other := range names {
		switch d := editDistance(name, other); {
		case d <= max(1, len(name)/3):
			list = append(list, candidate{other, d})
		case strings.HasPrefix(other, name), strings.HasPrefix(name, other):
			list = append(list, candidate{other, len(name) + len(other)})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return a.distance - b.distance })
	var near []string
	for _, c := range list[:min(len(list), mostSuggested)] {
		near = append(near, c.name)
	}
	return near
}

// editDistance counts the insertions, deletions, substitutions and swaps of neighbours that make one name of another (optimal
// string alignment).
func editDistance(a, b string) int {
	previous, current, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range current {
		current[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(current[j]+cost, current[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], previous[j-1]+1)
			}
		}
		previous, current, next = current, next, previous
	}
	return current[len(b)]
}

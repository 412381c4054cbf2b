package printers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// sorted returns the table as one block with the rows of all, ordered by a column: its title, with a - in front for the largest
// first. Rows without a value come last. Headings, which say what the rows of a block have in common, are left out; blocks apart come
// after it.
func (t Table) sorted(by string) (Table, error) {
	title, descending := strings.CutPrefix(by, "-")
	index := slices.IndexFunc(t.Columns, func(c ColumnHead) bool { return strings.EqualFold(c.Title, title) })
	if index < 0 {
		titles := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			titles[i] = c.Title
		}
		return Table{}, fmt.Errorf("invalid --sort-by %q: must be one of %s", by, strings.Join(titles, ", "))
	}
	var all Block
	var apart []Block
	for _, b := range t.Blocks {
		if b.Apart {
			apart = append(apart, b)
			continue
		}
		all.Rows = append(all.Rows, b.Rows...)
		all.Findings = append(all.Findings, b.Findings...)
		all.Fine, all.LeftOut = all.Fine+b.Fine, all.LeftOut+b.LeftOut
	}
	slices.SortStableFunc(all.Rows, func(a, b []Cell) int {
		x, y := a[index].Text, b[index].Text
		switch {
		case !hasValue(x) && !hasValue(y):
			return 0
		case !hasValue(y):
			return -1
		case !hasValue(x):
			return 1
		case descending:
			return compareCells(y, x)
		}
		return compareCells(x, y)
	})
	slices.SortStableFunc(all.Findings, func(a, b v1alpha1.Finding) int {
		return cmp.Compare(slices.Index(v1alpha1.Severities[:], b.Severity), slices.Index(v1alpha1.Severities[:], a.Severity))
	})
	t.Blocks = append([]Block{all}, apart...)
	return t, nil
}

func hasValue(text string) bool {
	return text != "" && text != None.Text && text != Unknown.Text && text != "<none>"
}

// compareCells compares what cells mean: numbers, percentages, sizes, times since; else names, in which 10 comes after 9.
func compareCells(a, b string) int {
	x, xOK := amount(a)
	y, yOK := amount(b)
	if xOK && yOK {
		return cmp.Compare(x, y)
	}
	return compareNames(a, b)
}

// amount reads the number that a cell begins with: 3, 12 (2d ago), 84%, 1.2Gi, 2/3, 5d2h.
func amount(text string) (float64, bool) {
	word, _, _ := strings.Cut(text, " ")
	word, _, _ = strings.Cut(strings.TrimSuffix(word, "%"), "/")
	if since, ok := parseSince(word); ok {
		return since.Seconds(), true
	}
	q, err := resource.ParseQuantity(word)
	if err != nil {
		return 0, false
	}
	return q.AsApproximateFloat64(), true
}

// parseSince reads what duration.HumanDuration writes: 5d2h, 120m, 3y40d.
func parseSince(text string) (time.Duration, bool) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'y': 365 * 24 * time.Hour}
	var total time.Duration
	for text != "" {
		digits := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
		if digits <= 0 {
			return 0, false
		}
		unit, ok := units[text[digits]]
		n, err := strconv.ParseInt(text[:digits], 10, 32)
		if !ok || err != nil {
			return 0, false
		}
		total += time.Duration(n) * unit
		text = text[digits+1:]
	}
	return total, total > 0
}

// compareNames compares names piece by piece: runs of digits by their values, what is between them by its letters.
func compareNames(a, b string) int {
	for a != "" && b != "" {
		x, restA := piece(a)
		y, restB := piece(b)
		n, errX := strconv.ParseUint(x, 10, 64)
		m, errY := strconv.ParseUint(y, 10, 64)
		c := strings.Compare(x, y)
		if errX == nil && errY == nil {
			c = cmp.Compare(n, m)
		}
		if c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// piece cuts off the first run of digits, or of anything else.
func piece(text string) (first, rest string) {
	digit := isDigit(text[0])
	end := strings.IndexFunc(text, func(r rune) bool { return (r < 0x80 && isDigit(byte(r))) != digit })
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

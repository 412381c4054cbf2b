package printers

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestCompareCells(t *testing.T) {
	for _, ordered := range []string{
		"0% 9% 29% 100%", "0 24Ki 1.2Mi 270Mi 1.1Gi 10Gi 1Ti", "9s 59s 2m 120m 3h 5d1h 5d2h 400d 2y", "0/2 1/2 2/2", "web-1 web-2 web-10 web-100",
		"ip-10-0-1-9 ip-10-0-1-10 ip-10-0-2-1", "Bound Pending", "a a1 b", "가 나",
	} {
		cells := strings.Fields(ordered)
		shuffled := slices.Clone(cells)
		slices.Reverse(shuffled)
		slices.SortFunc(shuffled, compareCells)
		if got := strings.Join(shuffled, " "); got != ordered {
			t.Errorf("%s: sorted %s", ordered, got)
		}
	}
	if compareCells("12 (2d ago)", "2 (5m ago)") <= 0 {
		t.Error("12 restarts come before 2")
	}
}

func TestSorted(t *testing.T) {
	row := func(cells ...string) []Cell {
		list := make([]Cell, len(cells))
		for i, c := range cells {
			list[i] = Text(c)
		}
		return list
	}
	table := Table{Columns: []ColumnHead{{Title: "POD"}, {Title: "USE%"}}, Blocks: []Block{
		{Heading: row("a"), Rows: [][]Cell{row("a-0", "12%"), row("a-1", "unknown")}, Findings: []v1alpha1.Finding{{Severity: v1alpha1.SeverityInfo, Code: "X1"}}},
		{Heading: row("b"), Rows: [][]Cell{row("b-0", "-"), row("b-1", "84%")}, Findings: []v1alpha1.Finding{{Severity: v1alpha1.SeverityError, Code: "X2"}}},
	}}
	for by, want := range map[string]string{
		"-use%": "POD   USE%\nb-1   84%\na-0   12%\na-1   unknown\nb-0   -\n\nERROR   X2   \nINFO    X1   \n",
		"USE%":  "POD   USE%\na-0   12%\nb-1   84%\na-1   unknown\nb-0   -\n\nERROR   X2   \nINFO    X1   \n",
	} {
		var out strings.Builder
		if err := table.Print(&out, TableOptions{SortBy: by}); err != nil || out.String() != want {
			t.Errorf("%s: %v\n%s", by, err, out.String())
		}
	}
	if err := table.Print(&strings.Builder{}, TableOptions{SortBy: "nosuch"}); err == nil || !strings.HasSuffix(err.Error(), "must be one of POD, USE%") {
		t.Error(err)
	}
}

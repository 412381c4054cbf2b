package objects

import (
	"slices"
	"testing"
)

func TestCompareNames(t *testing.T) {
	want := []string{"", "db", "db-0", "db-02", "db-2", "db-10", "db-a", "db-a-1", "web", "web-1", "web-2", "web-10", "web-1-0", "web-1-1", "web-1x", "web-99999999999999999999"}
	got := slices.Clone(want)
	for range got { // whatever order they come in
		got = append(got[1:], got[0])
		sorted := slices.Clone(got)
		slices.SortFunc(sorted, CompareNames)
		if !slices.Equal(sorted, want) {
			t.Fatalf("%q\nsorted: %q\nwant:   %q", got, sorted, want)
		}
	}
}

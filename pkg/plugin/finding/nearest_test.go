package finding

import (
	"regexp"
	"slices"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/docs"
)

func TestNearest(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"web", "wbe", 1}, {"kitten", "sitting", 3}, {"mysql", "mysql", 0}} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
	if got := Nearest("STS999", []string{"DNS001", "STS009", "STS019", "STS029", "STS039", "NODE001"}); !slices.Equal(got, []string{"STS009", "STS019", "STS029"}) {
		t.Error(got)
	}
}

// TestCatalogue: every code that the page has a section for is in a table of it, with a title.
func TestCatalogue(t *testing.T) {
	sections := regexp.MustCompile(`(?m)^### ([A-Z]+[0-9]{3})$`).FindAllStringSubmatch(docs.Findings, -1)
	list := Catalogue()
	if len(sections) == 0 || len(list) != len(sections) {
		t.Errorf("%d sections, %d rows", len(sections), len(list))
	}
	for _, section := range sections {
		i := slices.IndexFunc(list, func(k Kind) bool { return string(k.Code) == section[1] })
		if i < 0 || list[i].Title == "" {
			t.Errorf("%s is in no table", section[1])
		}
	}
}

package postgres

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// names is the list of a statement that names settings.
var names = regexp.MustCompile(`name IN \([^)]*\)`)

// TestSentIsDocumented compares the statements of this package with the block of docs/security.md, in both directions.
func TestSentIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for i, block := range strings.Split(string(page), "```") {
		if sql, ok := strings.CutPrefix(block, "postgresql\n"); ok && i%2 == 1 {
			documented = append(documented, strings.Split(strings.TrimSpace(sql), "\n")...)
		}
	}
	sent := []string{readOnly, FirstStatement().Text, positionAgain.Text}
	for _, version := range []int{12_00_00, 13_00_00, 14_00_00, 15_00_00, 16_00_00, 17_00_00, 18_00_00} {
		for _, s := range Statements(version) {
			if form := names.ReplaceAllString(s.Text, "name IN (…)"); !slices.Contains(sent, form) {
				sent = append(sent, form)
			}
		}
	}
	for _, s := range sent {
		if !slices.Contains(documented, s) {
			t.Errorf("docs/security.md does not list\n%s", s)
		}
	}
	for _, s := range documented {
		if !slices.Contains(sent, s) {
			t.Errorf("docs/security.md lists what is not sent\n%s", s)
		}
	}
}

package mysql

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// inList is the list of a statement that names variables.
var inList = regexp.MustCompile(`IN \([^)]*\)|=\d+(\.\d+)?$|0x[0-9a-f]+|'%s'|ROLE '.*'$`)

// TestSentIsDocumented compares the statements of this package with the blocks of docs/security.md, in both directions.
func TestSentIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for i, block := range strings.Split(string(page), "```") {
		if sql, ok := strings.CutPrefix(block, "sql\n"); ok && i%2 == 1 {
			documented = append(documented, strings.Split(strings.TrimSpace(sql), "\n")...)
		}
	}
	sent := []string{FirstStatement().Text, selectLimit(1), end, DefaultSchema, TypeOf, DefinitionOf, OwnFunctions}
	sent = append(sent, Encoded("SELECT 1")...)
	for _, v := range []Version{{Product: MySQL, Major: 5, Minor: 7, Patch: 44}, {Product: MySQL, Major: 8, Minor: 4}, {Product: MySQL, Major: 9, Minor: 7}, {Product: MariaDB, Major: 10, Minor: 11}} {
		for _, s := range Statements(v) {
			sent = append(sent, s.Text)
		}
		sent = append(sent, ReadStatements(v, Limits{Rows: 1, Time: time.Second, Role: "a@b"})...)
	}
	query, _, _ := strings.Cut(probeScript, "\n")
	sent = append(sent, strings.Trim(strings.TrimPrefix(query, "query="), "'"))
	found := map[string]bool{}
	for _, s := range sent {
		form := inList.ReplaceAllStringFunc(s, func(part string) string {
			switch {
			case strings.HasPrefix(part, "IN "):
				return "IN (…)"
			case strings.HasPrefix(part, "="):
				return "=…"
			case strings.HasPrefix(part, "0x"):
				return "0x…"
			case strings.HasPrefix(part, "ROLE"):
				return "ROLE …"
			}
			return "'…'"
		})
		if !slices.Contains(documented, form) && !slices.Contains(documented, s) {
			t.Errorf("docs/security.md does not list %s", form)
		}
		found[form], found[s] = true, true
	}
	for _, s := range documented {
		if !found[s] && s != "select @@version_comment limit 1" { // the client's own
			t.Errorf("docs/security.md lists %s, which is not sent", s)
		}
	}
}

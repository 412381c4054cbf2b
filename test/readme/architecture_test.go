package readme

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture holds docs/architecture.md to the code: its table of codes has every code, in a file that names the code or its general
// rule; its ten places are still there; and so is every file that it names.
func TestArchitecture(t *testing.T) {
	text := read(t, "docs/architecture.md")
	names := namesOfCodes(t)
	told := map[string]bool{}
	for row := range rowsOf(t, text, "Where each code is made") {
		file := read(t, fileIn(t, row[1]))
		for _, code := range codesIn(t, row[0]) {
			told[code] = true
			if !slices.ContainsFunc(names[code], func(name string) bool { return regexp.MustCompile(`\b` + name + `\b`).MatchString(file) }) {
				t.Errorf("%s: none of %q is in the file", code, names[code])
			}
		}
	}
	for code := range names {
		if !told[code] {
			t.Errorf("%s is not in the table of codes", code)
		}
	}
	places := 0
	for row := range rowsOf(t, text, "Ten places") {
		places++
		for _, m := range regexp.MustCompile("\\]\\(\\.\\./([^)]+)\\) `([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			if !strings.Contains(read(t, m[1]), m[2]) {
				t.Errorf("%s: %s has no %s", row[0], m[1], m[2])
			}
		}
	}
	if places != 10 {
		t.Errorf("%d places", places)
	}
	for _, m := range regexp.MustCompile("`((?:[a-z0-9_]+/)+[a-z0-9_*]+\\.(?:go|sh|md))`").FindAllStringSubmatch(text, -1) {
		here := slices.ContainsFunc([]string{"", "pkg/plugin", "pkg"}, func(folder string) bool {
			found, err := filepath.Glob(filepath.Join(Root(), folder, m[1]))
			return err == nil && len(found) > 0
		})
		if !here {
			t.Errorf("there is no %s", m[1])
		}
	}
}

// rowsOf are the rows, as their cells, of the first table below a heading.
func rowsOf(t *testing.T, text, heading string) func(yield func([]string) bool) {
	t.Helper()
	_, below, ok := strings.Cut(text, "\n## "+heading+"\n")
	_, table, isTable := strings.Cut(below, "|---|")
	if !ok || !isTable {
		t.Fatalf("there is no table below %q", heading)
	}
	return func(yield func([]string) bool) {
		for i, line := range strings.Split(table, "\n") {
			if i == 0 {
				continue // the rest of the line below the titles
			}
			if !strings.HasPrefix(line, "| ") || !yield(strings.Split(strings.Trim(line, "| "), " | ")) {
				return
			}
		}
	}
}

// fileIn is the file that the first link of a cell leads to.
func fileIn(t *testing.T, cell string) string {
	t.Helper()
	m := regexp.MustCompile(`\]\(\.\./([^)]+)\)`).FindStringSubmatch(cell)
	if m == nil {
		t.Fatalf("no link in %q", cell)
	}
	return m[1]
}

// codesIn are the codes of a cell; STS003–STS006 stands for all from one to the other.
func codesIn(t *testing.T, cell string) (codes []string) {
	t.Helper()
	for _, word := range strings.Fields(cell) {
		first, last, isRange := strings.Cut(word, "–")
		codes = append(codes, first)
		for isRange && codes[len(codes)-1] != last {
			digits := strings.TrimLeft(codes[len(codes)-1], "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
			var n int
			if _, err := fmt.Sscan(strings.TrimLeft(digits, "0"), &n); err != nil || n > 999 {
				t.Fatalf("%s: %v", word, err)
			}
			codes = append(codes, fmt.Sprintf("%s%03d", strings.TrimSuffix(first, first[len(first)-3:]), n+1))
		}
	}
	return codes
}

// namesOfCodes are, by code, the constants of the API and of general rules that stand for it.
func namesOfCodes(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	files, err := filepath.Glob(filepath.Join(Root(), "pkg/plugin/api/v1alpha1/*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\b(Code\w+) +Code = "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			names[m[2]] = append(names[m[2]], m[1])
		}
	}
	rules := regexp.MustCompile(`\b(Rule\w+) +Rule = "(\d+)"`).FindAllStringSubmatch(read(t, "pkg/plugin/finding/rules.go"), -1)
	for _, code := range slices.Sorted(maps.Keys(names)) {
		for _, m := range rules {
			if engines := regexp.MustCompile("^(MYSQL|PG)" + m[2] + "$"); engines.MatchString(code) {
				names[code] = append(names[code], m[1])
			}
		}
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

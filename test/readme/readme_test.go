package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestSameCommands: what the READMEs run is the same in both languages, block by block.
func TestSameCommands(t *testing.T) {
	var lists [][]string
	for _, name := range Files {
		blocks, err := Blocks(name)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, b := range blocks {
			for _, c := range b.Commands {
				list = append(list, b.Bed+": "+c.Line)
			}
		}
		lists = append(lists, list)
	}
	if len(lists[0]) == 0 || !slices.Equal(lists[0], lists[1]) {
		t.Errorf("%s:\n%s\n%s:\n%s", Files[0], strings.Join(lists[0], "\n"), Files[1], strings.Join(lists[1], "\n"))
	}
}

// TestCheckout runs the commands that need no cluster, such as those with a snapshot, and compares all that they print: the READMEs' first look
// is what a newcomer sees.
func TestCheckout(t *testing.T) {
	t.Chdir(Root())
	done := map[string]bool{}
	for _, name := range Files {
		blocks, err := Blocks(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			for _, c := range b.Commands {
				if b.Bed != "checkout" || done[c.Line] {
					continue
				}
				done[c.Line] = true
				r := cluster.Run(t, "", "bash", "-c", "KUBECONFIG= "+c.Line)
				if got := strings.TrimSpace(r.Out); r.Code != 0 || c.Output != "" && got != strings.TrimSpace(c.Output) {
					t.Errorf("%s:%d: %s: exit code %d, %s\n%s", b.File, b.Line, c.Line, r.Code, r.Err, r.Out)
				}
			}
		}
	}
	if len(done) == 0 {
		t.Error("the READMEs run nothing without a cluster")
	}
}

// TestLinks: every file that the READMEs and the pages of docs link to is there.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(Root(), "docs/*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, name := range append(Files, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md") {
		pages = append(pages, filepath.Join(Root(), name))
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", filepath.Base(page), err)
			}
		}
	}
}

func TestCommands(t *testing.T) {
	got := commands(strings.Split("$ kubectl doik nodes\nNAME   AGE\na      1d\n$ make demo", "\n"))
	if len(got) != 2 || got[0].Line != "kubectl doik nodes" || got[1].Line != "make demo" {
		t.Fatalf("%+v", got)
	}
	if err := got[0].Compare("NAME      AGE\nother 2d\n"); err != nil {
		t.Error(err)
	}
	if err := got[0].Compare("NAME   ROLE   AGE\n"); err == nil {
		t.Error("another heading is no difference")
	}
	if got := commands([]string{"make install     # into a folder", "kubectl doik version"}); len(got) != 2 || got[0].Line != "make install" {
		t.Errorf("%+v", got)
	}
}

// TestFindingsPage: docs/findings.md has a section for every code of v1alpha1, and for no other.
func TestFindingsPage(t *testing.T) {
	codes, err := Codes()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(Root(), "docs/findings.md"))
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(page), -1) {
		sections = append(sections, m[1])
	}
	slices.Sort(sections)
	if len(codes) == 0 || !slices.Equal(codes, sections) {
		t.Errorf("codes %v\nsections of docs/findings.md %v", codes, sections)
	}
}

package mysqlquery

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/snapshot.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			report := Analyze(load(t, file))
			text, err := yaml.Marshal(report)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(folder, "report.golden.yaml"), string(text))
			golden(t, filepath.Join(folder, "table.golden.txt"), print(t, Table(report, false), printers.TableOptions{}))
			golden(t, filepath.Join(folder, "wide.golden.txt"), print(t, Table(report, true), printers.TableOptions{Wide: true}))
		})
	}
}

func load(t *testing.T, file string) *Snapshot {
	t.Helper()
	var s Snapshot
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func print(t *testing.T, table printers.Table, o printers.TableOptions) string {
	t.Helper()
	var out strings.Builder
	if err := table.Print(&out, o); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if strings.HasSuffix(line, " ") || strings.ContainsAny(line, "\x1b\r\a\t") {
			t.Errorf("line %q", line)
		}
	}
	return out.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; make golden writes it anew):\n%s", file, diff)
	}
}

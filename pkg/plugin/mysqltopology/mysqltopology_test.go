package mysqltopology

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table. The servers' answers are those of real MySQL 9.7,
// MariaDB 10.11 and 11.8, except in cases whose names begin with synthetic. Reports are compared without their raw answers.
func TestGolden(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	cases, err := filepath.Glob("testdata/*/snapshot.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			report := Analyze(load(t, file))
			raw := false
			for i := range report.Items {
				for j := range report.Items[i].Servers {
					raw = raw || len(report.Items[i].Servers[j].Answers) > 0
					report.Items[i].Servers[j].Answers = nil
				}
				checkFindings(t, report.Items[i].Findings)
			}
			if !raw {
				t.Error("no raw answers in the report")
			}
			text, err := yaml.Marshal(report)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(folder, "report.golden.yaml"), string(text))
			golden(t, filepath.Join(folder, "table.golden.txt"), print(t, Table(report, View{Now: now}), printers.TableOptions{}))
			golden(t, filepath.Join(folder, "wide.golden.txt"), print(t, Table(report, View{Namespaces: true, Now: now}), printers.TableOptions{Wide: true}))
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

// checkFindings checks what is true of each finding about replication: it names objects, and the answers that it rests on.
func checkFindings(t *testing.T, findings []v1alpha1.Finding) {
	t.Helper()
	for _, f := range findings {
		other := f.Code >= v1alpha1.CodeReadyButBroken && f.Code != v1alpha1.CodeRoleLabelWrong || f.Code == v1alpha1.CodeLagUnknown
		if len(f.Objects) == 0 || f.Message == "" || f.Remedy == "" || !other && len(f.Evidence) == 0 {
			t.Errorf("%+v", f)
		}
		for _, e := range f.Evidence {
			if e.Query == "" || len(e.Values) == 0 {
				t.Errorf("%s: evidence %+v", f.Code, e)
			}
		}
	}
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

// Package golden is what tests with golden files share: cases in folders of testdata, and comparing with -update, which make golden
// gives.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Cases runs a test for every snapshot.yaml of testdata. It gets the snapshot, and the folder in which it and its golden files are.
func Cases[S any](t *testing.T, run func(t *testing.T, snapshot *S, folder string)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*/snapshot.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) { run(t, Read[S](t, file), folder) })
	}
}

// Read reads a YAML file that must have no fields that its type has not.
func Read[S any](t *testing.T, file string) *S {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	snapshot := new(S)
	if err := yaml.UnmarshalStrict(content, snapshot); err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// origin is the metadata of golden reports; Analyze leaves it to whoever prints them.
var origin = v1alpha1.ReportMeta{
	Time: metav1.NewTime(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)), Version: "v1.2.3", Context: "admin@study", Cluster: "study",
}

// Report compares a report, given its metadata, with the folder's report.golden.yaml.
func Report(t *testing.T, folder string, report any, metadata *v1alpha1.ReportMeta) {
	t.Helper()
	*metadata = origin
	text, err := yaml.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	Compare(t, filepath.Join(folder, "report.golden.yaml"), string(text))
}

// Tables compares a table with the folder's table.golden.txt, and one as -o wide prints it with its wide.golden.txt.
func Tables(t *testing.T, folder string, table, wide printers.Table) {
	t.Helper()
	Compare(t, filepath.Join(folder, "table.golden.txt"), Print(t, table, printers.TableOptions{}))
	Compare(t, filepath.Join(folder, "wide.golden.txt"), Print(t, wide, printers.TableOptions{Wide: true}))
}

// Print prints a table, whose lines must not end in spaces nor have anything that moves a terminal's cursor.
func Print(t *testing.T, table printers.Table, o printers.TableOptions) string {
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

// Updating reports whether -update was given.
func Updating() bool { return *update }

// Compare compares a text with a golden file or, with -update, writes the file.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
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
		t.Errorf("%s (-want +got; -update writes it anew, as make golden does for files of pkg):\n%s", file, diff)
	}
}

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
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/snapshot"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var update = flag.Bool("update", false, "update the golden files")

// Cases runs a test for every snapshot.yaml of testdata. It gets the snapshot as --save-snapshot writes and --snapshot reads it, its time, and
// the folder in which it and its golden files are. A case is a file of --save-snapshot, or, where it had to be made up, the data of one alone:
// then now is its time.
func Cases[S any](t *testing.T, now time.Time, run func(t *testing.T, snapshot *S, now time.Time, folder string)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*/snapshot.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			s, taken := read[S](t, file)
			if taken.IsZero() {
				taken = now
			}
			run(t, s, taken, folder)
		})
	}
}

// Read reads a case's snapshot; fields that its type does not have are an error.
func Read[S any](t *testing.T, file string) *S {
	t.Helper()
	s, _ := read[S](t, file)
	return s
}

// kindOfCases is what made-up cases are saved as.
const kindOfCases = "Case"

// read returns a case's snapshot and its time, which is zero for one that was made up.
func read[S any](t *testing.T, file string) (*S, time.Time) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := snapshot.Decode(text)
	if err != nil { // made up: saved here
		madeUp := new(S)
		if err := yaml.UnmarshalStrict(text, madeUp); err != nil {
			t.Fatal(err)
		}
		if text, err = snapshot.Encode(snapshot.Header{Of: kindOfCases}, madeUp); err == nil {
			saved, err = snapshot.Decode(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := new(S)
	if err := saved.Into(saved.Of, "", s); err != nil {
		t.Fatal(err)
	}
	return s, saved.Metadata.Time.Time
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

// Fitted compares a table, as a terminal of 80 columns shows it, with the folder's narrow.golden.txt, and what --show=problems leaves of it
// with its problems.golden.txt: in those folders that have such files.
func Fitted(t *testing.T, folder string, table func(printers.Show) printers.Table) {
	t.Helper()
	for name, text := range map[string]func() string{
		"narrow.golden.txt":   func() string { return Print(t, table(printers.ShowAll), printers.TableOptions{Width: 80, Fit: true}) },
		"problems.golden.txt": func() string { return Print(t, table(printers.ShowProblems), printers.TableOptions{}) },
	} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			Compare(t, filepath.Join(folder, name), text())
		}
	}
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
		t.Errorf("%s (-want +got; -update rewrites it, as make golden does for files of pkg):\n%s", file, diff)
	}
}

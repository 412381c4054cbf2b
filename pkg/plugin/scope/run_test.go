package scope

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// steps are options that note what is done with them.
type steps struct {
	done    *[]string
	invalid error
}

func (s steps) Validate() error {
	*s.done = append(*s.done, "validate")
	return s.invalid
}

func (s steps) Run(context.Context) error {
	*s.done = append(*s.done, "run")
	return nil
}

func TestRunE(t *testing.T) {
	bad := errors.New("bad")
	for _, test := range []struct {
		unreadable, invalid error
		want                string
	}{{nil, nil, "options validate run"}, {bad, nil, "options"}, {nil, bad, "options validate"}} {
		var done []string
		run := RunE(func([]string) (steps, error) {
			done = append(done, "options")
			return steps{done: &done, invalid: test.invalid}, test.unreadable
		})
		err := run(&cobra.Command{}, nil)
		if got := strings.Join(done, " "); got != test.want || (err != nil) != (test.unreadable != nil || test.invalid != nil) {
			t.Errorf("%s, %v; want %s", got, err, test.want)
		}
	}
}

// TestRun: the report is printed before anything in it is an error.
func TestRun(t *testing.T) {
	failed := errors.New("no answer")
	whole := Report[int, int]{
		Collect: func(context.Context, func(string)) (int, error) { return 1, nil },
		Analyze: func(snapshot int, _ time.Time) int { return snapshot + 1 },
		Document: func(int, time.Time) printers.Document {
			return printers.Document{Table: func() printers.Table {
				return printers.Table{Columns: []printers.ColumnHead{{Title: "THINGS"}}, Blocks: []printers.Block{{Rows: [][]printers.Cell{{{Text: "one"}}}}}}
			}}
		},
		Empty:    func(report int) bool { return report == 0 },
		Things:   "things",
		Problems: func(int) []v1alpha1.Problem { return []v1alpha1.Problem{{Subject: "pods", Message: "no"}} },
		Findings: func(int) []v1alpha1.Finding { return []v1alpha1.Finding{{Severity: v1alpha1.SeverityError}} },
		Checked:  func(int) []v1alpha1.CheckedPart { return nil },
	}
	for name, test := range map[string]struct {
		change      func(*Report[int, int])
		out, errOut string
		err         string
	}{
		"findings": {func(*Report[int, int]) {}, "THINGS\none", "warning: pods: no\n", "1 finding of severity"},
		"failed":   {func(r *Report[int, int]) { r.Failed = func(int) error { return failed } }, "THINGS\none", "warning: pods: no\n", "no answer"},
		"nothing":  {func(r *Report[int, int]) { r.Analyze = func(int, time.Time) int { return 0 } }, "", "No things found.\n", ""},
		"not read": {func(r *Report[int, int]) {
			r.Collect = func(context.Context, func(string)) (int, error) { return 0, failed }
		}, "", "", "no answer"},
		"not as wanted": {func(r *Report[int, int]) { r.Verify = func(context.Context, int) error { return failed } }, "", "", "no answer"},
	} {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		printer, err := printers.NewFlags().ToPrinter(out)
		if err != nil {
			t.Fatal(err)
		}
		r := whole
		test.change(&r)
		err = Run(t.Context(), &Scope{Streams: streams, Printer: printer, AllNamespaces: true, failOn: v1alpha1.SeverityError}, r, nil)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if strings.TrimSpace(out.String()) != test.out || errOut.String() != test.errOut || !strings.HasPrefix(said, test.err) || said != "" && test.err == "" {
			t.Errorf("%s: %q, %q, %v", name, out.String(), errOut.String(), err)
		}
	}
}

// TestOrigin: a report says when, by which version and of which cluster it was made.
func TestOrigin(t *testing.T) {
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	printer, err := printers.NewFlags().ToPrinter(out)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	report := &v1alpha1.SetStatusList{}
	document := printers.Document{Report: report, Metadata: &report.Metadata, Table: func() printers.Table { return printers.Table{} }}
	s := &Scope{Streams: streams, Printer: printer, origin: v1alpha1.ReportMeta{Version: "v1.2.3", Context: "admin@study", Cluster: "study"}}
	if err := s.Print(document, nil, now); err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.ReportMeta{Time: metav1.NewTime(now), Version: "v1.2.3", Context: "admin@study", Cluster: "study"}
	if report.Metadata != want {
		t.Errorf("%+v", report.Metadata)
	}
}

// follower is a snapshot that is counted up by each look at it.
type follower struct {
	looks  int
	closed *bool
}

func (f *follower) Settled() bool { return true }

func (f *follower) Snapshot(context.Context, time.Time) (int, error) {
	f.looks++
	return f.looks, nil
}

func (f *follower) Close() { *f.closed = true }

// TestWatch shows rows that change until the goal is reached, then ends what it began.
func TestWatch(t *testing.T) {
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer server.Close()
	connection := kube.NewConnection()
	connection.Overrides.ClusterInfo.Server = server.URL
	cluster, err := kube.Connect(connection, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	printer, err := printers.NewFlags().ToPrinter(out)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	columns := printers.Columns[int]{
		printers.Narrow("NAME", func(int) printers.Cell { return printers.Text("one") }),
		printers.Narrow("LOOKS", func(n int) printers.Cell { return printers.Text(fmt.Sprint(n)) }),
	}
	s := &Scope{Streams: streams, Printer: printer, Cluster: cluster, AllNamespaces: true, Timeout: 10 * time.Second, Watch: true, Goal: GoalReady}
	err = Watch(t.Context(), s, Report[int, int]{
		Analyze: func(snapshot int, _ time.Time) int { return snapshot },
		Document: func(report int, _ time.Time) printers.Document {
			return printers.Document{Table: func() printers.Table {
				return printers.Table{Columns: columns.Heads(), Blocks: []printers.Block{{Rows: [][]printers.Cell{columns.Cells(report)}}}}
			}}
		},
		Empty:  func(int) bool { return false },
		Things: "things",
		Problems: func(int) []v1alpha1.Problem {
			return []v1alpha1.Problem{{Subject: "a", Passing: true}, {Subject: "b", Message: "no"}}
		},
	}, Watched[int, int]{
		Title: "things",
		Follow: func(ctx context.Context, changed func()) (Follower[int], error) {
			go func() {
				for ctx.Err() == nil {
					changed()
					time.Sleep(10 * time.Millisecond)
				}
			}()
			return &follower{closed: &closed}, nil
		},
		Key:      printers.RowKey(columns.Heads(), "NAME"),
		Timeline: func(int, int, time.Time) []printers.Happening { return nil },
		Ready:    func(report int) bool { return report == 3 },
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || !closed || len(lines) != 4 || !strings.HasPrefix(lines[0], "NAME") || !strings.HasSuffix(lines[3], "3") || errOut.String() != "warning: b: no\n" {
		t.Errorf("%v, ended: %t\n%s\n%s", err, closed, out.String(), errOut.String())
	}
}

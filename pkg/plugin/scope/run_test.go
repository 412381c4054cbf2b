package scope

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
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

// TestRunOnce: the report is printed before anything in it is an error.
func TestRunOnce(t *testing.T) {
	failed := errors.New("nobody answered")
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
		"failed":   {func(r *Report[int, int]) { r.Failed = func(int) error { return failed } }, "THINGS\none", "warning: pods: no\n", "nobody answered"},
		"nothing":  {func(r *Report[int, int]) { r.Analyze = func(int, time.Time) int { return 0 } }, "", "No things found.\n", ""},
		"not read": {func(r *Report[int, int]) {
			r.Collect = func(context.Context, func(string)) (int, error) { return 0, failed }
		}, "", "", "nobody answered"},
		"not as wanted": {func(r *Report[int, int]) { r.Verify = func(context.Context, int) error { return failed } }, "", "", "nobody answered"},
	} {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		printer, err := printers.NewFlags().ToPrinter(out)
		if err != nil {
			t.Fatal(err)
		}
		r := whole
		test.change(&r)
		err = RunOnce(t.Context(), &Scope{Streams: streams, Printer: printer, AllNamespaces: true, failOn: v1alpha1.SeverityError}, r)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if strings.TrimSpace(out.String()) != test.out || errOut.String() != test.errOut || !strings.HasPrefix(said, test.err) || said != "" && test.err == "" {
			t.Errorf("%s: %q, %q, %v", name, out.String(), errOut.String(), err)
		}
	}
}

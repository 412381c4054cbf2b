package scope

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Options are what the flags and arguments of a subcommand mean.
type Options interface {
	// Validate checks values against limits and against each other. It is pure: it reads nothing and changes nothing.
	Validate() error
	// Run does what they say, until the context ends.
	Run(ctx context.Context) error
}

// RunE is what every subcommand does, in this order: toOptions makes options of flags and arguments, of its own and then of the shared ones,
// which also reads the kubeconfig; what can't be read at all is an error of it. The options are validated, then run.
func RunE[O Options](toOptions func(args []string) (O, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		o, err := toOptions(args)
		if err != nil {
			return err
		}
		if err := o.Validate(); err != nil {
			return err
		}
		return o.Run(cmd.Context())
	}
}

// Report is how a subcommand gets from the cluster, by a snapshot S, to a report R, and what there is in a report.
type Report[S, R any] struct {
	// Collect reads the cluster once. It tells progress what is being waited for.
	Collect func(ctx context.Context, progress func(step string)) (S, error)
	// Verify, which may be nil, looks at what Collect read, and may ask and warn; an error is one of the command.
	Verify func(ctx context.Context, snapshot S) error
	// Analyze is pure.
	Analyze func(snapshot S, now time.Time) R
	// Document is the report in all its forms.
	Document func(report R, now time.Time) printers.Document
	// Empty, which may be nil, reports whether there is none of Things, which is then said in place of a table without rows.
	Empty  func(report R) bool
	Things string
	// Problems are what could not be read; Findings and Checked are what --fail-on judges.
	Problems func(report R) []v1alpha1.Problem
	Findings func(report R) []v1alpha1.Finding
	Checked  func(report R) []v1alpha1.CheckedPart
	// Failed, which may be nil, is an error though there is a report, which has been printed.
	Failed func(report R) error
}

// RunOnce collects, analyzes and prints, within the scope's time, and judges the report if --fail-on says so.
func RunOnce[S, R any](ctx context.Context, s *Scope, r Report[S, R]) error {
	ctx, cancel := s.Context(ctx)
	defer cancel()
	progress := s.StartProgress("connecting")
	snapshot, err := r.Collect(ctx, progress.Step)
	progress.End()
	if err != nil {
		return err
	}
	if r.Verify != nil {
		if err := r.Verify(ctx, snapshot); err != nil {
			return err
		}
	}
	now := time.Now()
	report := r.Analyze(snapshot, now)
	if r.Empty != nil && r.Empty(report) {
		if err := s.NothingFound(ctx, r.Things); err != nil || s.Printer.IsTable() {
			return err
		}
	}
	if err := s.Print(r.Document(report, now), r.Problems(report), now); err != nil {
		return err
	}
	if r.Failed != nil {
		if err := r.Failed(report); err != nil {
			return err
		}
	}
	return s.FailOn(r.Findings(report), r.Checked(report))
}

// Title names what a watch shows: the names after named; else things, and of which namespace.
func (s *Scope) Title(named, things string) string {
	switch {
	case len(s.Names) > 0:
		return named + " " + strings.Join(s.Names, ", ")
	case s.AllNamespaces:
		return things + " of all namespaces"
	}
	return things + " of namespace " + printers.Escape(s.Namespace)
}

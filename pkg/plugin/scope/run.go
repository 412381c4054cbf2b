package scope

import (
	"cmp"
	"context"
	"fmt"
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
	// Kind is that of the report without List; InCheck is the field of check's snapshot that holds the same as this one's, empty for none.
	// A saved snapshot is recognized by them. Kind is empty for a command whose snapshots can't be saved.
	Kind, InCheck string
	// Before, which may be nil, is what has to be known before the cluster can be read, such as a password that is asked for.
	Before func(ctx context.Context) error
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

// Run shows a report: once, of a saved snapshot or of the cluster, or as it changes. watched, which may be nil, is called for a watch.
func Run[S, R any](ctx context.Context, s *Scope, r Report[S, R], watched func() Watched[S, R]) error {
	if r.Before != nil && !s.Offline() {
		if err := r.Before(ctx); err != nil {
			return err
		}
	}
	if s.Watch {
		return Watch(ctx, s, r, watched())
	}
	return runOnce(ctx, s, r)
}

// take returns a snapshot and its time: a saved one, or what is read of the cluster now, which is saved if the user asks for it. notSaved is why
// that failed: what was read can be shown all the same.
func take[S, R any](ctx context.Context, s *Scope, r Report[S, R]) (snapshot S, now time.Time, notSaved, err error) {
	if s.Offline() {
		now, err = s.load(r.Kind, r.InCheck, &snapshot)
		return snapshot, now, nil, err
	}
	saving, err := s.beginSaving()
	if err != nil {
		return snapshot, now, nil, err
	}
	defer saving.abandon()
	progress := s.StartProgress("connecting")
	snapshot, err = r.Collect(ctx, progress.Step)
	progress.End()
	if err == nil && r.Verify != nil {
		err = r.Verify(ctx, snapshot)
	}
	now = time.Now()
	if err != nil || saving == nil {
		return snapshot, now, nil, err
	}
	// What is shown is what was saved, so that no one sees anything different later.
	var saved S
	at, err := saving.finish(r.Kind, snapshot, now, &saved)
	if err != nil {
		return snapshot, now, err, nil
	}
	return saved, at, nil, nil
}

// runOnce collects, analyzes and prints, within the scope's time, and judges the report if --fail-on says so.
func runOnce[S, R any](ctx context.Context, s *Scope, r Report[S, R]) (err error) {
	ctx, cancel := s.Context(ctx)
	defer cancel()
	if s.Offline() {
		// A file that was edited may lack what every cluster has.
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("--snapshot %s: it is damaged: %v", s.snapshotFile, fault)
			}
		}()
	}
	snapshot, now, notSaved, err := take(ctx, s, r)
	if err != nil {
		return err
	}
	report := r.Analyze(snapshot, now)
	if r.Empty != nil && r.Empty(report) {
		if err := s.NothingFound(ctx, r.Things); err != nil || s.Printer.IsTable() {
			return cmp.Or(err, notSaved)
		}
	}
	if err := s.Print(r.Document(report, now), r.Problems(report), now); err != nil {
		return err
	}
	if notSaved != nil {
		return notSaved
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

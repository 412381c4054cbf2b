package stsstatus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	defaultUsageTimeout = 5 * time.Second
	// defaultUsageInterval is how often kubelets measure volumes.
	defaultUsageInterval = time.Minute
)

var (
	long = templates.LongDesc(`
		Show every ordinal of StatefulSets with its pod, its claims and their real disk usage, and say what is wrong.

		Rows are ordinals and claims. Ordinals that have no pod are rows that say why, and so are claims that were kept when a
		set was scaled down. Disk usage comes from the kubelets through the API server, or from df in the containers where they do
		not tell; the percentage is that of df.`)

	examples = templates.Examples(`
		# The StatefulSets of the current namespace
		kubectl doik sts-status

		# Two of them, with volumes, storage classes, inodes, addresses and revisions
		kubectl doik sts-status mysql sts/web -n shop -o wide

		# Watch what happens while a set is scaled; wait until it is ready
		kubectl doik sts-status web --watch
		kubectl doik sts-status web --for=ready --timeout=5m

		# All of the cluster without asking the kubelets; exit code 3 if something does not work
		kubectl doik sts-status -A --no-usage --fail-on=error`)
)

// Flags are the flags of the command.
type Flags struct {
	shared       *scope.Flags
	noUsage      bool
	usageFrom    string
	usageTimeout time.Duration
	usageEvery   time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query Query
}

// NewCommand makes kubectl doik sts-status.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usageFrom: string(UsageAuto), usageTimeout: defaultUsageTimeout, usageEvery: defaultUsageInterval}
	cmd := &cobra.Command{
		Use:                   "sts-status [NAME | sts/NAME ...]",
		Aliases:               []string{"sts"},
		DisableFlagsInUseLine: true,
		Short:                 "Ordinals, claims and disk usage of StatefulSets",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "StatefulSets")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.StatefulSetStatusList{}, View{Usage: true}) })
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	cmd.Flags().StringVar(&f.usageFrom, "usage-from", f.usageFrom, "Where disk usage comes from. One of: (auto, kubelet, exec, none). kubelet takes the right to get nodes/proxy; exec runs df in the containers, which takes pods/exec; auto runs df where a kubelet does not tell.")
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "Leave disk usage out: --usage-from=none.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "The time that each kubelet, and each df, has to tell disk usage.")
	cmd.Flags().DurationVar(&f.usageEvery, "usage-interval", f.usageEvery, "How often --watch reads disk usage anew.")
	cmd.MarkFlagsMutuallyExclusive("usage-from", "no-usage")
	_ = cmd.RegisterFlagCompletionFunc("usage-from", cobra.FixedCompletions(usageSources(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	s, err := f.shared.ToScope(args, objects.StatefulSetKinds()...)
	if err != nil {
		return nil, err
	}
	o := &Options{Scope: s, Query: Query{
		Namespace: s.Namespace, Names: s.Names, Selector: s.Selector, ChunkSize: s.ChunkSize, Details: s.Printer.Detailed(),
		UsageFrom: UsageSource(f.usageFrom), UsageTimeout: f.usageTimeout, UsageInterval: f.usageEvery,
	}}
	if f.noUsage {
		o.Query.UsageFrom = UsageNone
	}
	return o, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	switch q := &o.Query; {
	case !slices.Contains(usageSources(), string(q.UsageFrom)):
		return fmt.Errorf("--usage-from=%s: it is one of %s", q.UsageFrom, strings.Join(usageSources(), ", "))
	case q.UsageFrom != UsageNone && q.UsageTimeout <= 0:
		return fmt.Errorf("--usage-timeout=%s: it must be positive; --no-usage leaves usage out", q.UsageTimeout)
	case q.UsageInterval < time.Second:
		return fmt.Errorf("--usage-interval=%s: it must be a second or more", q.UsageInterval)
	}
	return nil
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	if o.Watch {
		return scope.Watch(ctx, o.Scope, o.report(), o.watched())
	}
	return scope.RunOnce(ctx, o.Scope, o.report())
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.StatefulSetStatusList] {
	return scope.Report[*Snapshot, *v1alpha1.StatefulSetStatusList]{
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze:  Analyze,
		Document: o.document,
		Empty:    func(report *v1alpha1.StatefulSetStatusList) bool { return len(report.Items) == 0 },
		Things:   "StatefulSets",
		Problems: func(report *v1alpha1.StatefulSetStatusList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.StatefulSetStatusList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

func (o *Options) document(report *v1alpha1.StatefulSetStatusList, now time.Time) printers.Document {
	return printers.Document{Report: report, Metadata: &report.Metadata, Names: Names(report), Table: func() printers.Table {
		return Table(report, View{Namespaces: o.AllNamespaces, Usage: o.Query.UsageFrom != UsageNone, Now: now})
	}}
}

package stsstatus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const defaultUsageTimeout = 5 * time.Second

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

		# All of the cluster without asking the kubelets; exit code 3 if something does not work
		kubectl doik sts-status -A --no-usage --fail-on=error`)
)

// Kinds are what a StatefulSet may be called in an argument kind/name.
var Kinds = []string{"sts", "statefulset", "statefulsets", "statefulset.apps", "statefulsets.apps"}

// Flags are the flags of the command.
type Flags struct {
	shared       *scope.Flags
	noUsage      bool
	usageFrom    string
	usageTimeout time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	UsageFrom    UsageSource
	UsageTimeout time.Duration
}

// NewCommand makes kubectl doik sts-status.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usageFrom: string(UsageAuto), usageTimeout: defaultUsageTimeout}
	cmd := &cobra.Command{
		Use:                   "sts-status [NAME | sts/NAME ...]",
		Aliases:               []string{"sts"},
		DisableFlagsInUseLine: true,
		Short:                 "Ordinals, claims and disk usage of StatefulSets",
		Long:                  long,
		Example:               examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.ToOptions(args)
			if err != nil {
				return err
			}
			if err := o.Validate(); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	shared.AddFlags(cmd, "StatefulSets")
	cmd.Flags().StringVar(&f.usageFrom, "usage-from", f.usageFrom, "Where disk usage comes from. One of: (auto, kubelet, exec, none). kubelet takes the right to get nodes/proxy; exec runs df in the containers, which takes pods/exec; auto runs df where a kubelet does not tell.")
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "Leave disk usage out: --usage-from=none.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "The time that each kubelet, and each df, has to tell disk usage.")
	cmd.MarkFlagsMutuallyExclusive("usage-from", "no-usage")
	_ = cmd.RegisterFlagCompletionFunc("usage-from", cobra.FixedCompletions(usageSources(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	s, err := f.shared.ToScope(args, Kinds...)
	if err != nil {
		return nil, err
	}
	o := &Options{Scope: s, UsageFrom: UsageSource(f.usageFrom), UsageTimeout: f.usageTimeout}
	if f.noUsage {
		o.UsageFrom = UsageNone
	}
	return o, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if !slices.Contains(usageSources(), string(o.UsageFrom)) {
		return fmt.Errorf("--usage-from=%s: it is one of %s", o.UsageFrom, strings.Join(usageSources(), ", "))
	}
	if o.UsageFrom != UsageNone && o.UsageTimeout <= 0 {
		return fmt.Errorf("--usage-timeout=%s: it must be positive; --no-usage leaves usage out", o.UsageTimeout)
	}
	return nil
}

// Run collects, analyzes and prints.
func (o *Options) Run(ctx context.Context) error {
	ctx, cancel := o.Context(ctx)
	defer cancel()
	progress := o.StartProgress("connecting")
	snapshot, err := Collect(ctx, o.Cluster, Query{
		Namespace: o.Namespace, Names: o.Names, Selector: o.Selector, ChunkSize: o.ChunkSize,
		Details: o.Printer.Detailed(), UsageFrom: o.UsageFrom, UsageTimeout: o.UsageTimeout, Progress: progress.Step,
	})
	progress.End()
	if err != nil {
		return err
	}
	now := time.Now()
	report := Analyze(snapshot, now)
	if len(report.Items) == 0 && o.Printer.IsTable() {
		o.NothingFound("StatefulSets")
		return nil
	}
	err = o.Print(printers.Document{
		Report: report, Names: Names(report),
		Table: func() printers.Table {
			return Table(report, View{Namespaces: o.AllNamespaces, Usage: o.UsageFrom != UsageNone, Now: now})
		},
	}, report.Problems)
	if err != nil {
		return err
	}
	return o.FailOn(Findings(report))
}

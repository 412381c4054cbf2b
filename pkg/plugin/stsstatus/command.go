package stsstatus

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const defaultUsageTimeout = 5 * time.Second

var (
	long = templates.LongDesc(`
		Show every ordinal of StatefulSets with its pod, its claims and their real disk usage, and say what is wrong.

		Rows are ordinals and claims. Ordinals that have no pod are rows that say why, and so are claims that were kept when a
		set was scaled down. Disk usage comes from the kubelets through the API server, which takes the right to get
		nodes/proxy; the percentage is that of df.`)

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
	usageTimeout time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Usage        bool
	UsageTimeout time.Duration
}

// NewCommand makes kubectl doik sts-status.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usageTimeout: defaultUsageTimeout}
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
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "Don't ask the kubelets for disk usage.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "The time that each kubelet has to tell its disk usage.")
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	s, err := f.shared.ToScope(args, Kinds...)
	if err != nil {
		return nil, err
	}
	return &Options{Scope: s, Usage: !f.noUsage, UsageTimeout: f.usageTimeout}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if o.Usage && o.UsageTimeout <= 0 {
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
		Usage: o.Usage, UsageTimeout: o.UsageTimeout, Progress: progress.Step,
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
		Report: report, Names: names(report),
		Table: func() printers.Table {
			return Table(report, View{Namespaces: o.AllNamespaces, Usage: o.Usage, Now: now})
		},
	}, report.Problems)
	if err != nil {
		return err
	}
	return o.FailOn(allFindings(report))
}

func names(report *v1alpha1.StatefulSetStatusList) []string {
	list := make([]string, 0, len(report.Items))
	for i := range report.Items {
		list = append(list, "statefulset.apps/"+report.Items[i].Metadata.Name)
	}
	return list
}

func allFindings(report *v1alpha1.StatefulSetStatusList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

package stsstatus

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var (
	long = templates.LongDesc(`
		Show every ordinal of a StatefulSet with its pod, its claims and their real disk usage, and report what is wrong.

		The same of what operators use in the place of StatefulSets: CloudNativePG's Cluster, Strimzi's StrimziPodSet, KubeBlocks' InstanceSet,
		OpenKruise's StatefulSet, and any other controller of pods with claims.

		Rows are ordinals and claims. An ordinal without a pod has a row that says why, and so do claims that were kept when the set was
		scaled down. Disk usage comes from the kubelets through the API server, or from df in the containers where they don't report it;
		the percentage is the one df shows.`)

	examples = templates.Examples(`
		# The StatefulSets of the current namespace
		kubectl doik sts-status

		# Two of them, with volumes, storage classes, inodes, addresses and revisions
		kubectl doik sts-status mysql sts/web -n shop -o wide

		# A CloudNativePG cluster
		kubectl doik sts-status cluster/shop

		# Watch a set while it is scaled; wait until it is ready
		kubectl doik sts-status web --watch
		kubectl doik sts-status web --for=ready --timeout=5m

		# The whole cluster without querying the kubelets; exit code 3 if something does not work
		kubectl doik sts-status -A --no-usage --fail-on=error`)
)

// Flags are the flags of the command.
type Flags struct {
	shared *scope.Flags
	usage  *claims.UsageFlags
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query Query
}

// NewCommand makes kubectl doik sts-status.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usage: claims.NewUsageFlags()}
	cmd := &cobra.Command{
		Use:                   "sts-status [NAME | KIND/NAME ...]",
		Aliases:               []string{"sets", "sts"},
		DisableFlagsInUseLine: true,
		Short:                 "Ordinals, claims and disk usage of StatefulSets and other sets",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "StatefulSets")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.SetStatusList{}, View{Usage: true}) })
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	shared.AddSnapshotFlags(cmd)
	f.usage.AddFlags(cmd)
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	s, err := f.shared.ToScope(args, sets.ArgumentKinds()...)
	if err != nil {
		return nil, err
	}
	o := &Options{Scope: s, Query: Query{
		Namespace: s.Namespace, Selector: s.Selector, ChunkSize: s.ChunkSize, Details: s.Printer.Detailed() || s.Saving(),
		Usage: f.usage.ToQuery(),
	}}
	for _, a := range s.Arguments {
		o.Query.Names = append(o.Query.Names, sets.Named(a.Kind, a.Name))
	}
	return o, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error { return o.Query.Usage.Validate() }

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), o.watched)
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.SetStatusList] {
	return scope.Report[*Snapshot, *v1alpha1.SetStatusList]{
		Kind: v1alpha1.KindSetStatus, InCheck: "sets",
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze:  o.analyze,
		Document: o.document,
		Empty:    func(report *v1alpha1.SetStatusList) bool { return len(report.Items) == 0 },
		Things:   "StatefulSets",
		Problems: func(report *v1alpha1.SetStatusList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.SetStatusList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

// analyze shows no usage of a saved snapshot for which none was asked for.
func (o *Options) analyze(s *Snapshot, now time.Time) *v1alpha1.SetStatusList {
	if o.Offline() && !s.UsageAsked {
		o.Query.Usage.From = claims.UsageNone
	}
	return Analyze(s, now)
}

func (o *Options) document(report *v1alpha1.SetStatusList, now time.Time) printers.Document {
	return printers.Document{Report: report, Metadata: &report.Metadata, Names: Names(report), Table: func() printers.Table {
		return Table(report, View{Namespaces: o.AllNamespaces, Usage: o.Query.Usage.From != claims.UsageNone, Show: o.Printer.Show(), Now: now})
	}}
}

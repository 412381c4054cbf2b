package nodes

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
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
		Show the capacity type of each node (spot, on-demand, reserved …), what it belongs to, and which stateful pods it puts at risk.

		A stateful pod is one that a StatefulSet controls, or that mounts a PersistentVolumeClaim. Totals, and which pods you would lose
		with each node, zone or group, follow below the table. A node without any known label is unknown, never on-demand.`)

	examples = templates.Examples(`
		# All nodes
		kubectl doik nodes

		# Spot nodes that run stateful pods, with these pods, their claims and disk usage
		kubectl doik nodes --capacity-type=spot --stateful --pods

		# With the deciding label, requests and attached volumes; spot nodes carry a custom label in this cluster
		kubectl doik nodes -o wide --spot-label example.com/lifecycle=cheap

		# Watch nodes come and go, and stateful pods move; wait until a node group is ready
		kubectl doik nodes --watch
		kubectl doik nodes -l eks.amazonaws.com/nodegroup=db --for=ready --timeout=10m

		# Exit code 3 if stateful pods are on a node that is not ready or about to go away
		kubectl doik nodes --fail-on=error`)
)

// Kinds are what a node may be called in an argument kind/name.
var Kinds = []string{"node", "nodes", "no"}

// Flags are the flags of the command.
type Flags struct {
	shared        *scope.Flags
	capacityTypes []string
	stateful      bool
	pods          bool
	labels        LabelFlags
	noUsage       bool
	usageTimeout  time.Duration
	usageEvery    time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Selection
	Query Query
}

// NewCommand makes kubectl doik nodes.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usageTimeout: defaultUsageTimeout, usageEvery: defaultUsageInterval}
	cmd := &cobra.Command{
		Use:                   "nodes [NAME | node/NAME ...]",
		Aliases:               []string{"node", "no"},
		DisableFlagsInUseLine: true,
		Short:                 "Capacity types of nodes, and the stateful pods on them",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddClusterFlags(cmd, "nodes", "pods")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.NodeCapacityList{}, View{}) })
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	shared.AddSnapshotFlags(cmd, append([]string{"selector", "capacity-type", "stateful", "pods"}, LabelFlagNames()...)...)
	cmd.Flags().StringSliceVar(&f.capacityTypes, "capacity-type", nil, fmt.Sprintf("Show only nodes of these capacity types. Any of: (%s).", strings.Join(capacity.Types(), ", ")))
	cmd.Flags().BoolVar(&f.stateful, "stateful", false, "Show only nodes that run stateful pods.")
	cmd.Flags().BoolVar(&f.pods, "pods", false, "Show the stateful pods of each node, with their claims and disk usage.")
	f.labels.AddFlags(cmd)
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "With --pods: don't read disk usage.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "With --pods: timeout for reading disk usage from each kubelet.")
	cmd.Flags().DurationVar(&f.usageEvery, "usage-interval", f.usageEvery, "With --pods: how often --watch reads disk usage again.")
	_ = cmd.RegisterFlagCompletionFunc("capacity-type", cobra.FixedCompletions(capacity.Types(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ToOptions checks the flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	o := &Options{Selection: Selection{Stateful: f.stateful, Pods: f.pods}}
	usage := f.pods && !f.noUsage
	var err error
	if o.CapacityTypes, err = capacity.ParseTypes(f.capacityTypes); err != nil {
		return nil, fmt.Errorf("--capacity-type: %w", err)
	}
	if o.OwnLabels, err = f.labels.ToLabels(); err != nil {
		return nil, err
	}
	if o.Scope, err = f.shared.ToScope(args, Kinds...); err != nil {
		return nil, err
	}
	o.Selection.Names = o.Scope.Names
	o.Selection.Selector, err = labels.Parse(o.Scope.Selector)
	o.Query = Query{
		Namespace: o.Namespace, Selection: o.Selection, Everything: o.Saving(), ChunkSize: o.ChunkSize, Usage: usage || o.Saving() && !f.noUsage, UsageTimeout: f.usageTimeout, UsageInterval: f.usageEvery,
	}
	return o, err
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	switch q := &o.Query; {
	case q.Usage && q.UsageTimeout <= 0:
		return fmt.Errorf("invalid --usage-timeout %q: must be positive; --no-usage skips disk usage", q.UsageTimeout)
	case q.Usage && q.UsageInterval < time.Second:
		return fmt.Errorf("invalid --usage-interval %q: must be at least 1s", q.UsageInterval)
	}
	return nil
}

// verifyNamespace is an error if the namespace whose pods are to count does not exist; if that can't be known, a warning says so.
func (o *Options) verifyNamespace(ctx context.Context) error {
	unverified, err := o.CheckNamespace(ctx)
	if unverified != "" {
		fmt.Fprintf(o.Streams.ErrOut, "warning: no pods found in namespace %s%s\n", printers.Escape(o.Namespace), unverified)
	}
	return err
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), o.watched)
}

func (o *Options) report() scope.Report[*Snapshot, State] {
	return scope.Report[*Snapshot, State]{
		Kind: v1alpha1.KindNodeCapacity, InCheck: "nodes",
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Verify: func(ctx context.Context, s *Snapshot) error {
			if len(s.Loads) == 0 { // is it a namespace at all?
				return o.verifyNamespace(ctx)
			}
			return nil
		},
		Analyze:  o.analyze,
		Document: func(s State, now time.Time) printers.Document { return o.document(s.Report, now) },
		Empty:    func(s State) bool { return len(s.Report.Items) == 0 },
		Things:   "nodes",
		Problems: func(s State) []v1alpha1.Problem { return s.Report.Problems },
		Findings: func(s State) []v1alpha1.Finding { return Findings(s.Report) },
		Checked:  func(s State) []v1alpha1.CheckedPart { return s.Report.Checked },
	}
}

// analyze shows no usage of a saved snapshot for which none was asked for.
func (o *Options) analyze(s *Snapshot, now time.Time) State {
	o.Query.Usage = o.Query.Usage && (s.UsageAsked || !o.Offline())
	return StateOf(s, o.Selection, now)
}

func (o *Options) view(now time.Time) View {
	return View{Pods: o.Pods, Usage: o.Query.Usage, Show: o.Printer.Show(), Now: now}
}

func (o *Options) document(report *v1alpha1.NodeCapacityList, now time.Time) printers.Document {
	return printers.Document{
		Report: report, Metadata: &report.Metadata, Names: Names(report),
		Table: func() printers.Table { return Table(report, o.view(now)) },
	}
}

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
		Show on what terms each node runs (spot, on-demand, reserved …), what it belongs to, and what is at stake on it.

		A stateful pod is one that a StatefulSet controls, or that mounts a PersistentVolumeClaim. What the nodes have together and
		which pods would be lost with what is told below. A node that no label tells of is unknown, never on-demand.`)

	examples = templates.Examples(`
		# All nodes
		kubectl doik nodes

		# Spot nodes that hold stateful pods, with these pods, their claims and disk usage
		kubectl doik nodes --capacity-type=spot --stateful --pods

		# With the label that decided, requests, attached volumes; spot nodes have a label of this cluster's own
		kubectl doik nodes -o wide --spot-label example.com/lifecycle=cheap

		# Watch nodes come and go, and stateful pods move; wait until the nodes of a group are ready
		kubectl doik nodes --watch
		kubectl doik nodes -l eks.amazonaws.com/nodegroup=db --for=ready --timeout=10m

		# Exit code 3 if stateful pods are on a node that is not ready or about to go
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
	spotLabels    []string
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
	cmd.Flags().StringSliceVar(&f.capacityTypes, "capacity-type", nil, fmt.Sprintf("Show nodes of these capacity types only. Any of: (%s).", strings.Join(capacity.Types(), ", ")))
	cmd.Flags().BoolVar(&f.stateful, "stateful", false, "Show nodes with stateful pods only.")
	cmd.Flags().BoolVar(&f.pods, "pods", false, "Show the stateful pods of each node, with their claims and disk usage.")
	cmd.Flags().StringArrayVar(&f.spotLabels, "spot-label", nil, "A label, key=value, with which this cluster marks spot nodes. It decides before all others; can be given several times.")
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "With --pods: leave disk usage out.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "With --pods: the time that each kubelet has to tell disk usage.")
	cmd.Flags().DurationVar(&f.usageEvery, "usage-interval", f.usageEvery, "With --pods: how often --watch reads disk usage anew.")
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
	if o.SpotLabels, err = capacity.ParseSpotLabels(f.spotLabels); err != nil {
		return nil, fmt.Errorf("--spot-label: %w", err)
	}
	if o.Scope, err = f.shared.ToScope(args, Kinds...); err != nil {
		return nil, err
	}
	o.Selection.Names = o.Scope.Names
	o.Selection.Selector, err = labels.Parse(o.Scope.Selector)
	o.Query = Query{
		Namespace: o.Namespace, Selection: o.Selection, ChunkSize: o.ChunkSize, Usage: usage, UsageTimeout: f.usageTimeout, UsageInterval: f.usageEvery,
	}
	return o, err
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	switch q := &o.Query; {
	case q.Usage && q.UsageTimeout <= 0:
		return fmt.Errorf("--usage-timeout=%s: it must be positive; --no-usage leaves usage out", q.UsageTimeout)
	case q.Usage && q.UsageInterval < time.Second:
		return fmt.Errorf("--usage-interval=%s: it must be a second or more", q.UsageInterval)
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
	if o.Watch {
		return scope.Watch(ctx, o.Scope, o.report(), o.watched())
	}
	return scope.RunOnce(ctx, o.Scope, o.report())
}

func (o *Options) report() scope.Report[*Snapshot, State] {
	return scope.Report[*Snapshot, State]{
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
		Analyze:  func(s *Snapshot, now time.Time) State { return StateOf(s, o.Selection, now) },
		Document: func(s State, now time.Time) printers.Document { return o.document(s.Report, now) },
		Empty:    func(s State) bool { return len(s.Report.Items) == 0 },
		Things:   "nodes",
		Problems: func(s State) []v1alpha1.Problem { return s.Report.Problems },
		Findings: func(s State) []v1alpha1.Finding { return Findings(s.Report) },
		Checked:  func(s State) []v1alpha1.CheckedPart { return s.Report.Checked },
	}
}

func (o *Options) view(now time.Time) View { return View{Pods: o.Pods, Usage: o.Query.Usage, Now: now} }

func (o *Options) document(report *v1alpha1.NodeCapacityList, now time.Time) printers.Document {
	return printers.Document{
		Report: report, Metadata: &report.Metadata, Names: Names(report),
		Table: func() printers.Table { return Table(report, o.view(now)) },
	}
}

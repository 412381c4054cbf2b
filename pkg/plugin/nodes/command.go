package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

const defaultUsageTimeout = 5 * time.Second

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
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Selection
	Usage        bool
	UsageTimeout time.Duration
}

// NewCommand makes kubectl doik nodes.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usageTimeout: defaultUsageTimeout}
	cmd := &cobra.Command{
		Use:                   "nodes [NAME | node/NAME ...]",
		Aliases:               []string{"node", "no"},
		DisableFlagsInUseLine: true,
		Short:                 "Capacity types of nodes, and the stateful pods on them",
		Long:                  long,
		Example:               examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.ToOptions(args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	shared.AddClusterFlags(cmd, "nodes", "pods")
	cmd.Flags().StringSliceVar(&f.capacityTypes, "capacity-type", nil, fmt.Sprintf("Show nodes of these capacity types only. Any of: (%s).", strings.Join(capacityTypes(), ", ")))
	cmd.Flags().BoolVar(&f.stateful, "stateful", false, "Show nodes with stateful pods only.")
	cmd.Flags().BoolVar(&f.pods, "pods", false, "Show the stateful pods of each node, with their claims and disk usage.")
	cmd.Flags().StringArrayVar(&f.spotLabels, "spot-label", nil, "A label, key=value, with which this cluster marks spot nodes. It decides before all others; can be given several times.")
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "With --pods: leave disk usage out.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "With --pods: the time that each kubelet has to tell disk usage.")
	_ = cmd.RegisterFlagCompletionFunc("capacity-type", cobra.FixedCompletions(capacityTypes(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func capacityTypes() []string {
	var list []string
	for _, t := range v1alpha1.CapacityTypes {
		list = append(list, string(t))
	}
	return list
}

// ToOptions checks the flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	o := &Options{Selection: Selection{Stateful: f.stateful, Pods: f.pods}, Usage: f.pods && !f.noUsage, UsageTimeout: f.usageTimeout}
	for _, name := range f.capacityTypes {
		if !slices.Contains(capacityTypes(), name) {
			return nil, fmt.Errorf("--capacity-type=%s: it is one of %s", name, strings.Join(capacityTypes(), ", "))
		}
		o.CapacityTypes = append(o.CapacityTypes, v1alpha1.CapacityType(name))
	}
	for _, text := range f.spotLabels {
		label, err := capacity.ParseSpotLabel(text)
		if err != nil {
			return nil, fmt.Errorf("--spot-label: %w", err)
		}
		o.SpotLabels = append(o.SpotLabels, label)
	}
	if o.Usage && o.UsageTimeout <= 0 {
		return nil, fmt.Errorf("--usage-timeout=%s: it must be positive; --no-usage leaves usage out", o.UsageTimeout)
	}
	s, err := f.shared.ToScope(args, Kinds...)
	if err != nil {
		return nil, err
	}
	o.Scope, o.Selection.Names = s, s.Names
	if o.Selection.Selector, err = labels.Parse(s.Selector); err != nil {
		return nil, fmt.Errorf("-l %s: %w", s.Selector, err)
	}
	return o, nil
}

// Run collects, analyzes and prints.
func (o *Options) Run(ctx context.Context) error {
	ctx, cancel := o.Context(ctx)
	defer cancel()
	progress := o.StartProgress("connecting")
	snapshot, err := Collect(ctx, o.Cluster, Query{
		Namespace: o.Namespace, Selection: o.Selection, ChunkSize: o.ChunkSize,
		Usage: o.Usage, UsageTimeout: o.UsageTimeout, Progress: progress.Step,
	})
	progress.End()
	if err != nil {
		return err
	}
	if problem, failed := snapshot.Problems[subjectPods]; failed && o.Stateful {
		return errors.New("--stateful needs to know the pods: " + problem.Message)
	}
	now := time.Now()
	report := Analyze(snapshot, o.Selection, now)
	if len(report.Items) == 0 && o.Printer.IsTable() {
		o.NothingFound("nodes")
		return nil
	}
	err = o.Print(printers.Document{
		Report: report, Names: Names(report),
		Table: func() printers.Table { return Table(report, View{Pods: o.Pods, Usage: o.Usage, Now: now}) },
	}, report.Problems)
	if err != nil {
		return err
	}
	return o.FailOn(Findings(report))
}

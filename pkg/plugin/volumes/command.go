package volumes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var (
	long = templates.LongDesc(`
		Show every PersistentVolumeClaim with its real disk usage and the pods that mount it, and report what is wrong.

		Claims that nothing mounts have a row too, and so do volumes that are left of deleted claims. Disk usage comes from the kubelets through
		the API server, or from df in the containers where they don't report it; the percentage is the one df shows. A volume that is a directory
		on its node's disk, as those of local-path are, is recognized: the disk is counted once.`)

	examples = templates.Examples(`
		# The claims of the current namespace, the fullest first
		kubectl doik volumes --sort-by=-USE%

		# Claims of the whole cluster that are at least 80% full
		kubectl doik volumes -A --min-use=80

		# What nothing uses: claims that nothing mounts, and volumes of deleted claims
		kubectl doik volumes -A --unused

		# Two claims with their volumes, access modes, file systems, mount paths and handles
		kubectl doik volumes data-mysql-0 pvc/backup -n shop -o wide

		# Watch volumes fill up
		kubectl doik volumes --watch`)
)

// Kinds are what a claim may be called in an argument kind/name.
func Kinds() []string { return []string{"pvc", "persistentvolumeclaim", "persistentvolumeclaims"} }

// Flags are the flags of the command.
type Flags struct {
	shared *scope.Flags
	usage  *claims.UsageFlags
	unused bool
	minUse int32
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Selection
	Query Query
}

// NewCommand makes kubectl doik volumes.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, usage: claims.NewUsageFlags()}
	cmd := &cobra.Command{
		Use:                   "volumes [NAME | pvc/NAME ...]",
		Aliases:               []string{"volume", "pvc"},
		DisableFlagsInUseLine: true,
		Short:                 "Claims and volumes, how full they are and what mounts them",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "claims")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.VolumeStatusList{}, View{Usage: true}) })
	shared.AddWatchFlags(cmd)
	shared.AddSnapshotFlags(cmd, "unused", "min-use")
	cmd.Flags().BoolVar(&f.unused, "unused", false, "Show only claims that nothing mounts, and volumes of deleted claims.")
	cmd.Flags().Int32Var(&f.minUse, "min-use", 0, "Show only claims whose volume, or whose inodes, are used by at least this percentage.")
	f.usage.AddFlags(cmd)
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	s, err := f.shared.ToScope(args, Kinds()...)
	if err != nil {
		return nil, err
	}
	return &Options{Scope: s, Selection: Selection{Unused: f.unused, MinUse: f.minUse}, Query: Query{
		Namespace: s.Namespace, Names: s.Names, Selector: s.Selector, ChunkSize: s.ChunkSize, Usage: f.usage.ToQuery(),
	}}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	switch {
	case o.MinUse < 0 || o.MinUse > 100:
		return fmt.Errorf("invalid --min-use \"%d\": must be a percentage from 0 to 100", o.MinUse)
	case o.MinUse > 0 && o.Unused:
		return errors.New("--min-use and --unused can't be combined: the usage of a volume that nothing mounts is unknown")
	case o.MinUse > 0 && o.Query.Usage.From == claims.UsageNone:
		return errors.New("--min-use needs disk usage, which --no-usage skips")
	}
	return o.Query.Usage.Validate()
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), o.watched)
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.VolumeStatusList] {
	return scope.Report[*Snapshot, *v1alpha1.VolumeStatusList]{
		Kind: v1alpha1.KindVolumeStatus, InCheck: "volumes",
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze:  o.analyze,
		Document: o.document,
		Empty:    func(report *v1alpha1.VolumeStatusList) bool { return len(report.Items) == 0 },
		Things:   o.things(),
		Problems: func(report *v1alpha1.VolumeStatusList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.VolumeStatusList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

// things is what there may be none of.
func (o *Options) things() string {
	switch {
	case o.Unused:
		return "unused claims or volumes"
	case o.MinUse > 0:
		return fmt.Sprintf("volumes that are at least %d%% full", o.MinUse)
	}
	return "claims"
}

// analyze shows no usage of a saved snapshot for which none was asked for.
func (o *Options) analyze(s *Snapshot, now time.Time) *v1alpha1.VolumeStatusList {
	if o.Offline() && !s.UsageAsked {
		o.Query.Usage.From = claims.UsageNone
	}
	return Analyze(s, o.Selection, now)
}

func (o *Options) document(report *v1alpha1.VolumeStatusList, now time.Time) printers.Document {
	return printers.Document{Report: report, Metadata: &report.Metadata, Names: Names(report), Table: func() printers.Table {
		return Table(report, View{Namespaces: o.AllNamespaces, Usage: o.Query.Usage.From != claims.UsageNone, Show: o.Printer.Show(), Now: now})
	}}
}

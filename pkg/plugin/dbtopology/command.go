package dbtopology

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	defaultPollInterval = 2 * time.Second
	// leastPollInterval keeps a watch from being a load.
	leastPollInterval = 200 * time.Millisecond
)

// long and examples are the help; KINDS stands for what servers are shown, COMMAND for the command's name, SET for that of a set.
const (
	long = `
		Show which of the KINDS of a namespace replicates from which, how far behind it is, and what is wrong.

		Servers are recognized by the labels that operators and charts set, or else by their image. Each is queried over a port-forward,
		or with the client in its container, using the password found there; no Secret is read unless nothing else works. Each server is a
		row, with its replicas below it. What servers report is shown next to what Kubernetes reports about their pods: a pod that is Ready
		although its replication is broken is a finding.

		--user is the account on the servers, not the kubeconfig's user: choose that one with --context.`

	examples = `
		# The servers of the current namespace
		kubectl doik COMMAND

		# One set, with sources, nodes, zones and capacity types
		kubectl doik COMMAND sts/SET -n shop -o wide

		# With an account of your own, whose password is in a Secret of the namespace, or prompted for
		kubectl doik COMMAND --user=monitor --password-from=secret/SET-monitor:password
		kubectl doik COMMAND sts/SET --user=monitor --password-from=prompt

		# Follow a failover; wait until everything is healthy
		kubectl doik COMMAND sts/SET --watch
		kubectl doik COMMAND sts/SET --for=healthy --timeout=5m

		# As an image
		kubectl doik COMMAND -o dot | dot -Tsvg > topology.svg

		# Exit code 3 if something does not work
		kubectl doik COMMAND -A --fail-on=error`
)

// Flags are the flags of the command.
type Flags struct {
	engines      []*Engine
	shared       *scope.Flags
	login        *dbserver.Flags
	pollInterval time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query Query
}

// NewCommand makes kubectl doik NAME, which is about the servers of some engines: kinds and short say which.
func NewCommand(shared *scope.Flags, name, kinds, short string, engines ...*Engine) *cobra.Command {
	words := strings.NewReplacer("COMMAND", name, "KINDS", kinds, "SET", engines[0].PortNames[0])
	f := &Flags{engines: engines, shared: shared, login: dbserver.NewFlags(), pollInterval: defaultPollInterval}
	cmd := &cobra.Command{
		Use:                   name + " [NAME | sts/NAME | pod/NAME ...]",
		DisableFlagsInUseLine: true,
		Short:                 short,
		Long:                  templates.LongDesc(words.Replace(long)),
		Example:               templates.Examples(words.Replace(examples)),
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.OfferGraphs()
	shared.AddFlags(cmd, "pods")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.DatabaseTopologyList{}, View{Engines: engines}) })
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	shared.AddSnapshotFlags(cmd)
	f.login.AddFlags(cmd)
	cmd.Flags().DurationVar(&f.pollInterval, "poll-interval", f.pollInterval, "How often --watch queries each server.")
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	access, err := f.login.ToAccess()
	if err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args, dbserver.Kinds...)
	if err != nil {
		return nil, err
	}
	if access, err = access.Naming(len(s.Names) > 0); err != nil {
		return nil, err
	}
	return &Options{Scope: s, Query: Query{
		Engines: f.engines, Namespace: s.Namespace, Names: s.Names, Selector: s.Selector, ChunkSize: s.ChunkSize,
		Access: access, PollInterval: f.pollInterval,
	}}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if q := &o.Query; q.PollInterval < leastPollInterval {
		return fmt.Errorf("invalid --poll-interval %q: must be at least %s", q.PollInterval, leastPollInterval)
	}
	return nil
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), o.watched)
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.DatabaseTopologyList] {
	return scope.Report[*Snapshot, *v1alpha1.DatabaseTopologyList]{
		Kind: v1alpha1.KindDatabaseTopology, InCheck: "servers",
		Before: func(ctx context.Context) (err error) {
			o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams)
			return err
		},
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze: func(s *Snapshot, now time.Time) *v1alpha1.DatabaseTopologyList {
			return Analyze(o.Query.Engines, s, now)
		},
		Document: o.document,
		Empty:    func(report *v1alpha1.DatabaseTopologyList) bool { return len(report.Items) == 0 },
		Things:   servers(o.Query.Engines).Servers(),
		Problems: func(report *v1alpha1.DatabaseTopologyList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.DatabaseTopologyList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

func (o *Options) document(report *v1alpha1.DatabaseTopologyList, now time.Time) printers.Document {
	return printers.Document{
		Report: report, Metadata: &report.Metadata, Names: Names(report),
		Table: func() printers.Table {
			return Table(report, View{Engines: o.Query.Engines, Namespaces: o.AllNamespaces, Show: o.Printer.Show(), Now: now})
		},
		Graph: func() printers.Graph { return Graph(o.Query.Engines, report) },
	}
}

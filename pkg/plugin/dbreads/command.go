package dbreads

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	defaultConnections = 100
	defaultConcurrency = 4
)

// long and examples are the help; COMMAND stands for the command's name.
const (
	long = `
		Show how a Service spreads reads: make fresh connections to it from inside a pod, and count which server answered each.

		The connections are made with the client in a server's container, which knows its password; a port-forward would show nothing,
		as it leads to one pod. Beside each server's share stand its role, the ready endpoints, and how long it took.`

	examples = `
		# 100 connections to the Service mysql-read
		kubectl doik COMMAND svc/mysql-read

		# For half a minute, ten at once, from another pod
		kubectl doik COMMAND mysql-read --duration=30s --concurrency=10 --from=mysql-2

		# Until Ctrl-C, while a StatefulSet is scaled
		kubectl doik COMMAND mysql-read --watch`
)

// Flags are the flags of the command.
type Flags struct {
	engines     []*dbstate.Engine
	name        string
	shared      *scope.Flags
	login       *dbserver.Flags
	connections int
	duration    time.Duration
	concurrency int
	from        string
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query Query
}

// NewCommand makes kubectl doik NAME, which is about the servers of some engines.
func NewCommand(shared *scope.Flags, name string, engines ...*dbstate.Engine) *cobra.Command {
	words := strings.NewReplacer("COMMAND", name)
	f := &Flags{engines: engines, name: name, shared: shared, login: dbserver.NewFlags(), connections: defaultConnections, concurrency: defaultConcurrency}
	cmd := &cobra.Command{
		Use:                   name + " (NAME | svc/NAME)",
		DisableFlagsInUseLine: true,
		Short:                 "How a Service spreads reads over " + dbstate.Servers(engines).Servers(),
		Long:                  templates.LongDesc(words.Replace(long)),
		Example:               templates.Examples(words.Replace(examples)),
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "Services")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.DatabaseReadsList{}) })
	for _, name := range []string{"all-namespaces", "selector"} { // it is about one Service
		_ = cmd.Flags().MarkHidden(name)
	}
	f.login.AddFlags(cmd)
	_ = cmd.Flags().MarkHidden("via") // for what the servers are asked beside the connections
	cmd.Flags().IntVarP(&f.connections, "connections", "c", f.connections, "Make this many connections.")
	cmd.Flags().DurationVar(&f.duration, "duration", 0, "Make connections for this time, however many there will be.")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", f.concurrency, "Make this many connections at once.")
	cmd.Flags().StringVar(&f.from, "from", "", "The pod in which the connections are made: one with a server; by default the first that the Service reaches.")
	shared.AddWatchFlags(cmd)
	cmd.MarkFlagsMutuallyExclusive("connections", "duration", "watch")
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	access, err := f.login.ToAccess()
	if err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args, objects.ServiceKinds()...)
	if err != nil {
		return nil, err
	}
	if len(s.Names) != 1 || s.Selector != "" {
		return nil, fmt.Errorf("one Service is needed: kubectl doik %s svc/NAME", f.name)
	}
	// The Service is named, and with it the servers that it selects.
	if access, err = access.Naming(true); err != nil {
		return nil, err
	}
	return &Options{Scope: s, Query: Query{
		Engines: f.engines, Namespace: s.Namespace, Service: s.Names[0], From: f.from, Connections: f.connections, For: f.duration, Concurrency: f.concurrency,
		Access: access, ChunkSize: s.ChunkSize,
	}}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	const most = 64
	switch q := o.Query; {
	case q.Connections <= 0:
		return fmt.Errorf("--connections=%d: it must be positive", q.Connections)
	case q.For < 0:
		return fmt.Errorf("--duration=%s: it must not be negative", q.For)
	case q.Concurrency <= 0 || q.Concurrency > most:
		return fmt.Errorf("--concurrency=%d: it is 1 to %d", q.Concurrency, most)
	case o.Timeout > 0 && q.For >= o.Timeout:
		return fmt.Errorf("--duration=%s is longer than --timeout=%s", q.For, o.Timeout)
	}
	return nil
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	var err error
	if o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams); err != nil {
		return err
	}
	if o.Watch {
		return scope.Watch(ctx, o.Scope, o.report(), o.watched())
	}
	return scope.RunOnce(ctx, o.Scope, o.report())
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.DatabaseReadsList] {
	return scope.Report[*Snapshot, *v1alpha1.DatabaseReadsList]{
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			reader, err := NewReader(ctx, o.Cluster, q)
			if err != nil {
				return nil, err
			}
			return reader.Collect(ctx)
		},
		Analyze:  func(s *Snapshot, now time.Time) *v1alpha1.DatabaseReadsList { return Analyze(o.Query.Engines, s, now) },
		Document: document,
		Empty:    func(report *v1alpha1.DatabaseReadsList) bool { return len(report.Items[0].Servers) == 0 },
		Things:   dbstate.Servers(o.Query.Engines).Servers(),
		Problems: func(report *v1alpha1.DatabaseReadsList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.DatabaseReadsList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

func document(report *v1alpha1.DatabaseReadsList, _ time.Time) printers.Document {
	return printers.Document{Report: report, Metadata: &report.Metadata, Names: Names(report), Table: func() printers.Table { return Table(report) }}
}

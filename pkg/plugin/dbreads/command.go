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
		Show how a Service distributes reads: open new connections to it from inside a pod, and count which server answers each.

		The connections are made with the client in a server's container, using the password found there; a port-forward would not help,
		because it always leads to one pod. Where the Service leads to HAProxy, MySQL Router, ProxySQL or MaxScale, the servers behind it are counted.

		Each server's share is shown with its role, whether it is a ready endpoint, and response times.`

	examples = `
		# 100 connections to the Service mysql-read
		kubectl doik COMMAND svc/mysql-read

		# For half a minute, ten at once, from another pod
		kubectl doik COMMAND mysql-read --duration=30s --concurrency=10 --from=mysql-2

		# Through HAProxy, MySQL Router, ProxySQL or MaxScale: which servers its port for reading leads to
		kubectl doik COMMAND shop-haproxy --port=mysql-replicas

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
	from, port  string
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
		Short:                 "How a Service distributes reads across " + dbstate.Servers(engines).Servers(),
		Long:                  templates.LongDesc(words.Replace(long)),
		Example:               templates.Examples(words.Replace(examples)),
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "Services")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.DatabaseReadsList{}, printers.ShowAll) })
	for _, name := range []string{"all-namespaces", "selector"} { // it is about one Service
		_ = cmd.Flags().MarkHidden(name)
	}
	f.login.AddFlags(cmd)
	_ = cmd.Flags().MarkHidden("via") // for what the servers are asked beside the connections
	cmd.Flags().IntVarP(&f.connections, "connections", "c", f.connections, "Number of connections to make.")
	cmd.Flags().DurationVar(&f.duration, "duration", 0, "Keep making connections for this long, instead of a fixed number.")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", f.concurrency, "Number of connections to make at the same time.")
	cmd.Flags().StringVar(&f.from, "from", "", "The pod to connect from, which must run a server; by default the first one behind the Service.")
	cmd.Flags().StringVar(&f.port, "port", "", "The Service's port, by name or number; by default the database's own.")
	shared.AddWatchFlags(cmd)
	shared.AddSnapshotFlags(cmd)
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
	if !s.Offline() && (len(s.Names) != 1 || s.Selector != "") {
		return nil, fmt.Errorf("exactly one Service is required: kubectl doik %s svc/NAME", f.name)
	}
	// The Service is named, and with it the servers that it selects.
	if access, err = access.Naming(true); err != nil {
		return nil, err
	}
	return &Options{Scope: s, Query: Query{
		Engines: f.engines, Namespace: s.Namespace, Service: s.Names[0], From: f.from, Port: f.port, Connections: f.connections, For: f.duration, Concurrency: f.concurrency,
		Access: access, ChunkSize: s.ChunkSize,
	}}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	const most = 64
	switch q := o.Query; {
	case q.Connections <= 0:
		return fmt.Errorf("invalid --connections \"%d\": must be positive", q.Connections)
	case q.For < 0:
		return fmt.Errorf("invalid --duration %q: must not be negative", q.For)
	case q.Concurrency <= 0 || q.Concurrency > most:
		return fmt.Errorf("invalid --concurrency \"%d\": must be between 1 and %d", q.Concurrency, most)
	case o.Timeout > 0 && q.For >= o.Timeout:
		return fmt.Errorf("--duration=%s is longer than --timeout=%s", q.For, o.Timeout)
	}
	return nil
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), o.watched)
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.DatabaseReadsList] {
	return scope.Report[*Snapshot, *v1alpha1.DatabaseReadsList]{
		Kind: v1alpha1.KindDatabaseReads,
		Before: func(ctx context.Context) (err error) {
			o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams)
			return err
		},
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
		Document: o.document,
		Empty:    func(report *v1alpha1.DatabaseReadsList) bool { return len(report.Items[0].Servers) == 0 },
		Things:   dbstate.Servers(o.Query.Engines).Servers(),
		Problems: func(report *v1alpha1.DatabaseReadsList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.DatabaseReadsList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

func (o *Options) document(report *v1alpha1.DatabaseReadsList, _ time.Time) printers.Document {
	return printers.Document{
		Report: report, Metadata: &report.Metadata, Names: Names(report), Table: func() printers.Table { return Table(report, o.Printer.Show()) },
	}
}

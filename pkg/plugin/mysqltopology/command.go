package mysqltopology

import (
	"context"
	"fmt"
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

var (
	long = templates.LongDesc(`
		Show who replicates from whom among the MySQL and MariaDB servers of a namespace, how late, and say what is wrong.

		Servers are found by what their pods are: the labels of operators and charts, else the image. Each is asked over a port-forward,
		or with the client in its container, which knows its own password; no Secret is read unless nothing else works. A row is a
		server, its replicas are below it. Beside the servers' own words stands what Kubernetes thinks of the pods: a pod that is
		Ready while its replication is broken is a finding.

		--user is the servers' account here, not the kubeconfig's user: choose that with --context.`)

	examples = templates.Examples(`
		# The servers of the current namespace
		kubectl doik mysql-topology

		# One set, with sources, nodes, zones and capacity types
		kubectl doik mysql-topology sts/mysql -n shop -o wide

		# With an account of your own: its password in a Secret of the namespace, or known to you alone
		kubectl doik mysql-topology --user=monitor --password-from=secret/mysql-monitor:password
		kubectl doik mysql-topology sts/mysql --user=monitor --password-from=prompt

		# Follow a failover; wait until all is well
		kubectl doik mysql-topology sts/mysql --watch
		kubectl doik mysql-topology sts/mysql --for=healthy --timeout=5m

		# A picture
		kubectl doik mysql-topology -o dot | dot -Tsvg > topology.svg

		# Exit code 3 if something does not work
		kubectl doik mysql-topology -A --fail-on=error`)
)

// things are what the command lists.
const things = "MySQL or MariaDB servers"

// Flags are the flags of the command.
type Flags struct {
	shared       *scope.Flags
	login        *dbserver.Flags
	pollInterval time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query Query
}

// NewCommand makes kubectl doik mysql-topology.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, login: dbserver.NewFlags(), pollInterval: defaultPollInterval}
	cmd := &cobra.Command{
		Use:                   "mysql-topology [NAME | sts/NAME | pod/NAME ...]",
		DisableFlagsInUseLine: true,
		Short:                 "Replication between MySQL or MariaDB servers",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.OfferGraphs()
	shared.AddFlags(cmd, "pods")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.MySQLTopologyList{}, View{}) })
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	f.login.AddFlags(cmd)
	cmd.Flags().DurationVar(&f.pollInterval, "poll-interval", f.pollInterval, "How often --watch asks each server.")
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
		Namespace: s.Namespace, Names: s.Names, Selector: s.Selector, ChunkSize: s.ChunkSize,
		Access: access, PollInterval: f.pollInterval,
	}}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if q := &o.Query; q.PollInterval < leastPollInterval {
		return fmt.Errorf("--poll-interval=%s: it must be %s or more", q.PollInterval, leastPollInterval)
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

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.MySQLTopologyList] {
	return scope.Report[*Snapshot, *v1alpha1.MySQLTopologyList]{
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze:  Analyze,
		Document: o.document,
		Empty:    func(report *v1alpha1.MySQLTopologyList) bool { return len(report.Items) == 0 },
		Things:   things,
		Problems: func(report *v1alpha1.MySQLTopologyList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.MySQLTopologyList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

func (o *Options) document(report *v1alpha1.MySQLTopologyList, now time.Time) printers.Document {
	return printers.Document{
		Report: report, Names: Names(report),
		Table: func() printers.Table { return Table(report, View{Namespaces: o.AllNamespaces, Now: now}) },
		Graph: func() printers.Graph { return Graph(report) },
	}
}

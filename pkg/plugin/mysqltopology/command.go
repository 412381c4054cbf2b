package mysqltopology

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const defaultServerTimeout = 10 * time.Second

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

		# With an account of your own, whose password is in a Secret
		kubectl doik mysql-topology --user=monitor --password-from=secret/mysql-monitor:password

		# A picture
		kubectl doik mysql-topology -o dot | dot -Tsvg > topology.svg

		# Exit code 3 if something does not work
		kubectl doik mysql-topology -A --fail-on=error`)
)

// Kinds are what an argument kind/name may be of: a set or one of its pods.
var Kinds = []string{"sts", "statefulset", "statefulsets", "statefulset.apps", "statefulsets.apps", "deployment", "deploy", "po", "pod", "pods"}

// Flags are the flags of the command.
type Flags struct {
	shared        *scope.Flags
	login         *mysql.Flags
	serverTimeout time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Access        mysql.Access
	ServerTimeout time.Duration
}

// NewCommand makes kubectl doik mysql-topology.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, login: mysql.NewFlags(), serverTimeout: defaultServerTimeout}
	cmd := &cobra.Command{
		Use:                   "mysql-topology [NAME | sts/NAME | pod/NAME ...]",
		DisableFlagsInUseLine: true,
		Short:                 "Replication between MySQL or MariaDB servers",
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
	shared.OfferGraphs()
	shared.AddFlags(cmd, "pods")
	f.login.AddFlags(cmd)
	cmd.Flags().DurationVar(&f.serverTimeout, "server-timeout", f.serverTimeout, "The time that each server has to let the plugin in and to answer.")
	return cmd
}

// ToOptions checks the shared flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	access, err := f.login.ToAccess()
	if err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args, Kinds...)
	if err != nil {
		return nil, err
	}
	return &Options{Scope: s, Access: access, ServerTimeout: f.serverTimeout}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if o.ServerTimeout <= 0 {
		return fmt.Errorf("--server-timeout=%s: it must be positive", o.ServerTimeout)
	}
	return nil
}

// Run collects, analyzes and prints.
func (o *Options) Run(ctx context.Context) error {
	access, err := o.Access.Resolve(ctx, o.Streams)
	if err != nil {
		return err
	}
	ctx, cancel := o.Context(ctx)
	defer cancel()
	progress := o.StartProgress("connecting")
	snapshot, err := Collect(ctx, o.Cluster, Query{
		Namespace: o.Namespace, Names: o.Names, Selector: o.Selector, ChunkSize: o.ChunkSize,
		Access: access, ServerTimeout: o.ServerTimeout, Progress: progress.Step,
	})
	progress.End()
	if err != nil {
		return err
	}
	report := Analyze(snapshot)
	if len(report.Items) == 0 && o.Printer.IsTable() {
		o.NothingFound("MySQL or MariaDB servers")
		return nil
	}
	err = o.Print(printers.Document{
		Report: report, Names: Names(report),
		Table: func() printers.Table { return Table(report, View{Namespaces: o.AllNamespaces, Now: time.Now()}) },
		Graph: func() printers.Graph { return Graph(report) },
	}, report.Problems)
	if err != nil {
		return err
	}
	return o.FailOn(Findings(report))
}

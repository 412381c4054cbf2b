package mysqlquery

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const defaultMaxRows = 100

var (
	long = templates.LongDesc(`
		Run the same statement that only reads on every server of a set, and show the answers side by side. Rows that not all servers
		have are marked: after a scale-out one sees whether the new ordinals have the data.

		SELECT, SHOW, EXPLAIN, DESCRIBE, WITH, TABLE and VALUES are taken, one at a time; they run in a read-only transaction, within
		limits of time and rows. The servers are found and logged in to as by mysql-topology.`)

	examples = templates.Examples(`
		# On every server of the namespace
		kubectl doik mysql-query 'SELECT * FROM test.messages'

		# On one set, as JSON
		kubectl doik mysql-query sts/mysql 'SELECT @@server_id, COUNT(*) FROM shop.orders' -o json

		# On one pod, which need not be ready
		kubectl doik mysql-query pod/mysql-1 'SHOW DATABASES'`)
)

// Flags are the flags of the command.
type Flags struct {
	shared  *scope.Flags
	login   *mysql.Flags
	maxRows int
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Statement string
	Access    mysql.Access
	MaxRows   int
}

// NewCommand makes kubectl doik mysql-query.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, login: mysql.NewFlags(), maxRows: defaultMaxRows}
	cmd := &cobra.Command{
		Use:                   "mysql-query [NAME | sts/NAME | pod/NAME ...] STATEMENT",
		DisableFlagsInUseLine: true,
		Short:                 "The same SELECT on every MySQL or MariaDB server, side by side",
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
	shared.AddFlags(cmd, "pods")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.MySQLQueryList{}, false) })
	f.login.AddFlags(cmd)
	cmd.Flags().IntVar(&f.maxRows, "max-rows", f.maxRows, "Show this many rows of each server at most.")
	return cmd
}

// ToOptions checks the statement and the shared flags, and connects to the cluster. The last argument is the statement.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	if len(args) == 0 {
		return nil, errors.New("there is no statement: kubectl doik mysql-query 'SELECT …'")
	}
	statement, err := mysql.CheckReadOnly(args[len(args)-1])
	if err != nil {
		return nil, fmt.Errorf("the statement is refused: %w", err)
	}
	access, err := f.login.ToAccess()
	if err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args[:len(args)-1], mysql.Kinds...)
	if err != nil {
		return nil, err
	}
	if access, err = access.Naming(len(s.Names) > 0); err != nil {
		return nil, err
	}
	return &Options{Scope: s, Statement: statement, Access: access, MaxRows: f.maxRows}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if o.MaxRows <= 0 {
		return fmt.Errorf("--max-rows=%d: it must be positive", o.MaxRows)
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
		Scope:     mysql.Scope{Namespace: o.Namespace, Names: o.Names, Selector: o.Selector, ChunkSize: o.ChunkSize},
		Statement: o.Statement, MaxRows: o.MaxRows, Access: access, Progress: progress.Step,
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
		Table: func() printers.Table { return Table(report, o.AllNamespaces) },
	}, report.Problems)
	switch {
	case err != nil:
		return err
	case len(report.Items) > 0 && Answered(report) == 0:
		return errors.New("no server answered the statement")
	}
	return o.FailOn(Findings(report))
}

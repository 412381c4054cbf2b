package dbquery

import (
	"context"
	"errors"
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

const defaultMaxRows = 100

// long and examples are the help; COMMAND stands for the command's name, TOPOLOGY for that of topology, STATEMENTS for what engines take.
const (
	long = `
		Run one read-only statement on every server of a set, and show the answers side by side. Rows that are not the same on all servers
		are marked, which shows, for example, whether new ordinals have the data after a scale-out.

		STATEMENTS

		Servers are found and logged in to as in TOPOLOGY. pod/NAME queries that pod only. If a server returns an error, its row shows it.`

	examples = `
		# On every server of the namespace
		kubectl doik COMMAND 'SELECT * FROM test.messages'

		# On one set, as JSON
		kubectl doik COMMAND sts/mysql 'SELECT @@server_id, COUNT(*) FROM shop.orders' -o json

		# On one pod, even if it is not ready
		kubectl doik COMMAND pod/mysql-1 'SHOW DATABASES'

		# With a function of your own that you know only reads
		kubectl doik COMMAND --allow-functions 'SELECT shop.open_orders()'`
)

// Flags are the flags of the command.
type Flags struct {
	engines dbserver.Engines
	name    string
	shared  *scope.Flags
	login   *dbserver.Flags
	maxRows int
	// allowFunctions and role are about what the statement may do.
	allowFunctions bool
	role           string
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query Query
}

// NewCommand makes kubectl doik NAME, which is about the servers of some engines; topology is the name of the command that reports their
// replication.
func NewCommand(shared *scope.Flags, name, topology string, engines ...*dbserver.Engine) *cobra.Command {
	taken := make([]string, len(engines))
	for i, e := range engines {
		taken[i] = e.Statements.Help
	}
	words := strings.NewReplacer("COMMAND", name, "TOPOLOGY", topology, "STATEMENTS", strings.ReplaceAll(strings.Join(taken, "\n\n"), "\n", "\n\t\t"))
	f := &Flags{engines: engines, name: name, shared: shared, login: dbserver.NewFlags(), maxRows: defaultMaxRows}
	cmd := &cobra.Command{
		Use:                   name + " [NAME | sts/NAME | pod/NAME ...] STATEMENT",
		DisableFlagsInUseLine: true,
		Short:                 "The same SELECT on every " + dbserver.Engines(engines).Kind() + ", side by side",
		Long:                  templates.LongDesc(words.Replace(long)),
		Example:               templates.Examples(words.Replace(examples)),
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "pods")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.DatabaseQueryList{}, false, printers.ShowAll) })
	f.login.AddFlags(cmd)
	cmd.Flags().IntVar(&f.maxRows, "max-rows", f.maxRows, "Maximum number of rows to show for each server.")
	cmd.Flags().BoolVar(&f.allowFunctions, "allow-functions", false, "Also run stored, loadable and unknown functions, including those in views. They can do anything: servers do not enforce READS SQL DATA, and a read-only transaction does not prevent SET GLOBAL, locks or file access.")
	cmd.Flags().StringVar(&f.role, "role", "", "Activate only this role, given as NAME or NAME@HOST, for accounts that have several; privileges granted to the account itself stay active.")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.NoFileCompletions)
	return cmd
}

// ToOptions checks the statement and the shared flags, and connects to the cluster. The last argument is the statement.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("a statement is required: kubectl doik %s 'SELECT …'", f.name)
	}
	access, err := f.login.ToAccess()
	if err != nil {
		return nil, err
	}
	text, statements := args[len(args)-1], Statements{}
	for _, e := range f.engines {
		// One row more, to know whether there are more.
		statements[e], err = e.Statements.Check(text, dbserver.Reading{AllowFunctions: f.allowFunctions, Role: f.role, Rows: f.maxRows + 1, Time: access.ServerTimeout})
		if err != nil {
			return nil, err
		}
	}
	s, err := f.shared.ToScope(args[:len(args)-1], dbserver.Kinds...)
	if err != nil {
		return nil, err
	}
	if access, err = access.Naming(len(s.Names) > 0); err != nil {
		return nil, err
	}
	return &Options{Scope: s, Query: Query{
		Scope:   dbserver.Scope{Namespace: s.Namespace, Names: s.Names, Selector: s.Selector, PodsAlone: true, ChunkSize: s.ChunkSize},
		Engines: f.engines, Text: text, Statements: statements, MaxRows: f.maxRows, Access: access,
	}}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	if n := o.Query.MaxRows; n <= 0 {
		return fmt.Errorf("invalid --max-rows \"%d\": must be positive", n)
	}
	return nil
}

// Run shows the answers.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), nil)
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.DatabaseQueryList] {
	return scope.Report[*Snapshot, *v1alpha1.DatabaseQueryList]{
		Before: func(ctx context.Context) (err error) {
			o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams)
			return err
		},
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze: func(s *Snapshot, _ time.Time) *v1alpha1.DatabaseQueryList { return Analyze(o.Query.Engines, s) },
		Document: func(report *v1alpha1.DatabaseQueryList, _ time.Time) printers.Document {
			return printers.Document{
				Report: report, Metadata: &report.Metadata, Names: Names(report),
				Table: func() printers.Table { return Table(report, o.AllNamespaces, o.Printer.Show()) },
			}
		},
		Empty:    func(report *v1alpha1.DatabaseQueryList) bool { return len(report.Items) == 0 },
		Things:   o.Query.Engines.Servers(),
		Problems: func(report *v1alpha1.DatabaseQueryList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.DatabaseQueryList) []v1alpha1.CheckedPart { return report.Checked },
		Failed: func(report *v1alpha1.DatabaseQueryList) error {
			if len(report.Items) > 0 && Answered(report) == 0 {
				return errors.New("no server answered the statement")
			}
			return nil
		},
	}
}

package mysqlquery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const defaultMaxRows = 100

// role is what --role may be: nothing in it has a meaning in a string of any server.
var role = regexp.MustCompile(`^[A-Za-z0-9_.-]+(@[A-Za-z0-9_.%-]+)?$`)

var (
	long = templates.LongDesc(`
		Run the same statement that only reads on every server of a set, and show the answers side by side. Rows that not all servers
		have are marked: after a scale-out one sees whether the new ordinals have the data.

		SELECT, TABLE, VALUES, WITH … SELECT, SHOW, DESCRIBE, EXPLAIN of these and CHECKSUM TABLE are taken, one at a time, with the
		built-in functions that neither write, wait nor read files. Stored, loadable and unknown functions are refused, in views too,
		unless --allow-functions is given. Text in double quotes is a string, names are quoted in backticks. The statement runs in a
		read-only transaction, within limits of time and rows. docs/security.md says what of this guards against what.

		The servers are found and logged in to as by mysql-topology. pod/NAME asks that pod alone. An error of a server is its answer.`)

	examples = templates.Examples(`
		# On every server of the namespace
		kubectl doik mysql-query 'SELECT * FROM test.messages'

		# On one set, as JSON
		kubectl doik mysql-query sts/mysql 'SELECT @@server_id, COUNT(*) FROM shop.orders' -o json

		# On one pod, which need not be ready
		kubectl doik mysql-query pod/mysql-1 'SHOW DATABASES'

		# With a function of your own, which is known to only read
		kubectl doik mysql-query --allow-functions 'SELECT shop.open_orders()'`)
)

// Flags are the flags of the command.
type Flags struct {
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
	Statement *readonly.Statement
	Access    dbserver.Access
	MaxRows   int
	// Role is empty for the account's default roles.
	Role string
}

// NewCommand makes kubectl doik mysql-query.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, login: dbserver.NewFlags(), maxRows: defaultMaxRows}
	cmd := &cobra.Command{
		Use:                   "mysql-query [NAME | sts/NAME | pod/NAME ...] STATEMENT",
		DisableFlagsInUseLine: true,
		Short:                 "The same SELECT on every MySQL or MariaDB server, side by side",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "pods")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.MySQLQueryList{}, false) })
	f.login.AddFlags(cmd)
	cmd.Flags().IntVar(&f.maxRows, "max-rows", f.maxRows, "Show this many rows of each server at most.")
	cmd.Flags().BoolVar(&f.allowFunctions, "allow-functions", false, "Also run stored, loadable and unknown functions, in views too. What they do is up to them: servers do not enforce READS SQL DATA, and a read-only transaction does not stop SET GLOBAL, locks or files.")
	cmd.Flags().StringVar(&f.role, "role", "", "The only role to activate, as NAME or NAME@HOST, for accounts that have several; what is granted to the account itself stays.")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.NoFileCompletions)
	return cmd
}

// ToOptions checks the statement and the shared flags, and connects to the cluster. The last argument is the statement.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	if len(args) == 0 {
		return nil, errors.New("there is no statement: kubectl doik mysql-query 'SELECT …'")
	}
	statement, err := readonly.Check(args[len(args)-1], f.allowFunctions)
	if err != nil {
		return nil, fmt.Errorf("the statement is refused: %w", err)
	}
	access, err := f.login.ToAccess()
	if err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args[:len(args)-1], dbserver.Kinds...)
	if err != nil {
		return nil, err
	}
	if access, err = access.Naming(len(s.Names) > 0); err != nil {
		return nil, err
	}
	return &Options{Scope: s, Statement: statement, Access: access, MaxRows: f.maxRows, Role: f.role}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	switch {
	case o.Role != "" && !role.MatchString(o.Role):
		return fmt.Errorf("invalid --role %q: must be NAME or NAME@HOST, of letters, digits, and the signs - _ . (%% in HOST)", o.Role)
	case o.MaxRows <= 0:
		return fmt.Errorf("--max-rows=%d: it must be positive", o.MaxRows)
	}
	return nil
}

// Run shows the answers.
func (o *Options) Run(ctx context.Context) error {
	var err error
	if o.Access, err = o.Access.Resolve(ctx, o.Streams); err != nil {
		return err
	}
	return scope.RunOnce(ctx, o.Scope, o.report())
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.MySQLQueryList] {
	return scope.Report[*Snapshot, *v1alpha1.MySQLQueryList]{
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			return Collect(ctx, o.Cluster, Query{
				Scope:     dbserver.Scope{Namespace: o.Namespace, Names: o.Names, Selector: o.Selector, PodsAlone: true, ChunkSize: o.ChunkSize},
				Statement: o.Statement, MaxRows: o.MaxRows, Role: o.Role, Access: o.Access, Progress: progress,
			})
		},
		Analyze: func(s *Snapshot, _ time.Time) *v1alpha1.MySQLQueryList { return Analyze(s) },
		Document: func(report *v1alpha1.MySQLQueryList, _ time.Time) printers.Document {
			return printers.Document{
				Report: report, Names: Names(report),
				Table: func() printers.Table { return Table(report, o.AllNamespaces) },
			}
		},
		Empty:    func(report *v1alpha1.MySQLQueryList) bool { return len(report.Items) == 0 },
		Things:   "MySQL or MariaDB servers",
		Problems: func(report *v1alpha1.MySQLQueryList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.MySQLQueryList) []v1alpha1.CheckedPart { return report.Checked },
		Failed: func(report *v1alpha1.MySQLQueryList) error {
			if len(report.Items) > 0 && Answered(report) == 0 {
				return errors.New("no server answered the statement")
			}
			return nil
		},
	}
}

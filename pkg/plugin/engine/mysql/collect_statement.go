package mysql

import (
	"context"
	"fmt"
	"regexp"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
)

// statementsOfUsers are those that are run for users.
var statementsOfUsers = dbserver.Statements{
	Help: "SELECT, TABLE, VALUES, WITH … SELECT, SHOW, DESCRIBE, EXPLAIN of these and CHECKSUM TABLE are allowed, one at a time, with the\n" +
		"built-in functions that neither write, wait nor read files. Stored, loadable and unknown functions are refused, also in views,\n" +
		"unless --allow-functions is given. Text in double quotes is a string; quote names in backticks. The statement runs in a\n" +
		"read-only transaction, with limits on time and rows.",
	Check: checkStatement,
}

// roleName is what a role may be called: nothing in it has a meaning in a string of any server.
var roleName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(@[A-Za-z0-9_.%-]+)?$`)

func checkStatement(text string, how dbserver.Reading) (dbserver.Statement, error) {
	checked, err := readonly.Check(text, how.AllowFunctions)
	if err != nil {
		return nil, fmt.Errorf("statement refused: %w", err)
	}
	if how.Role != "" && !roleName.MatchString(how.Role) {
		return nil, fmt.Errorf("invalid --role %q: must be NAME or NAME@HOST, of letters, digits, and the signs - _ . (%% in HOST)", how.Role)
	}
	return reading{checked, how}, nil
}

// reading is a user's statement.
type reading struct {
	checked *readonly.Statement
	how     dbserver.Reading
}

// Text implements dbserver.Statement.
func (r reading) Text() string { return r.checked.Text }

// Ask implements dbserver.Statement.
func (r reading) Ask(ctx context.Context, c *dbserver.Connector, s dbserver.Server) (dbserver.Rows, error) {
	session, err := (&Connector{c}).OpenReader(ctx, s)
	if err != nil {
		return dbserver.Rows{}, err
	}
	defer session.Close()
	answer, err := session.Read(ctx, r.checked, Limits{Rows: r.how.Rows, Time: r.how.Time, Role: r.how.Role})
	if IsTimeout(err) { // a moment before this context's end
		err = context.DeadlineExceeded
	}
	return dbserver.Rows{Via: session.Via, Columns: answer.Columns, Values: answer.Rows}, err
}

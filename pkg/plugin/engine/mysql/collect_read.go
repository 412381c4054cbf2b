package mysql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
)

// Limits bound a statement that a user gives.
type Limits struct {
	// Rows is the number of rows that a SELECT returns at most.
	Rows int
	// Time is what a statement may take in the server; MySQL's holds for SELECT alone.
	Time time.Duration
	// Role is the one role that is active, besides what the account itself may do; empty for the account's default roles.
	Role string
}

// RefusedError says why a statement is not sent to a server.
type RefusedError struct{ Reason error }

func (e *RefusedError) Error() string { return "statement refused: " + e.Reason.Error() }

func (e *RefusedError) Unwrap() error { return e.Reason }

// Reader runs statements of a user's in one read-only transaction. With ViaExec each Run has a transaction, and a client, of its own.
type Reader struct {
	session *Session
	limits  Limits
	before  []string
}

// BeginRead prepares a session for a user's statements and begins the transaction. The session must be one of OpenReader's.
func (s *Session) BeginRead(ctx context.Context, limits Limits) (*Reader, error) {
	if !s.single {
		return nil, errors.New("a session that accepts several statements at once must not run a user's statement")
	}
	r := &Reader{session: s, limits: limits, before: ReadStatements(s.Version, limits)}
	if s.Via == dbserver.ViaExec {
		return r, nil
	}
	return r, preparing(s.AskInOrder(ctx, r.before...))
}

func preparing(answers []Answer) error {
	for _, a := range answers {
		if a.Err != nil {
			return fmt.Errorf("preparing the session: %w", a.Err)
		}
	}
	return nil
}

// pinMode leaves nothing in sql_mode that changes how a statement is split and what its words mean.
const pinMode = "SET SESSION sql_mode = IF(FIND_IN_SET('ONLY_FULL_GROUP_BY', @@SESSION.sql_mode) > 0, 'ONLY_FULL_GROUP_BY', '')"

// ReadStatements are what a session begins with before a user's statement: how texts are read, that reads lock and store nothing, a limit
// of time, and the transaction.
func ReadStatements(v Version, limits Limits) []string {
	list := []string{"SET NAMES utf8mb4", pinMode, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"}
	milliseconds := max(1, limits.Time.Milliseconds())
	list = append(list, fmt.Sprintf("SET SESSION lock_wait_timeout=%d", max(1, milliseconds/1000)))
	switch {
	case v.Product == MariaDB:
		list = append(list, fmt.Sprintf("SET SESSION max_statement_time=%.3f", float64(milliseconds)/1000))
	case v.Compare(Version{Major: 5, Minor: 7, Patch: 8}) >= 0:
		list = append(list, fmt.Sprintf("SET SESSION max_execution_time=%d", min(milliseconds, math.MaxInt32)))
	}
	if v.Product == MySQL && v.Compare(Version{Major: 8}) >= 0 {
		// Else reading information_schema stores statistics.
		list = append(list, "SET SESSION information_schema_stats_expiry=0")
	}
	if limits.Role != "" {
		name, host, hasHost := strings.Cut(limits.Role, "@")
		role := "'" + name + "'"
		if hasHost {
			role += "@'" + host + "'"
		}
		list = append(list, "SET ROLE "+role)
	}
	return append(list, "START TRANSACTION READ ONLY")
}

// end is what a transaction ends with: it has nothing to commit.
const end = "ROLLBACK"

// selectLimit bounds a SELECT's rows.
func selectLimit(rows int) string { return fmt.Sprintf("SET SESSION sql_select_limit=%d", rows) }

// ask runs statements that have something of a user's in them; an error is the first of those before them.
func (r *Reader) ask(ctx context.Context, before []string, statements ...string) ([]Answer, error) {
	if r.session.Via != dbserver.ViaExec {
		if err := preparing(r.session.AskInOrder(ctx, before...)); err != nil {
			return nil, err
		}
		return r.session.AskInOrder(ctx, statements...), nil
	}
	all := append(append([]string(nil), r.before...), before...)
	prepared := len(all)
	for _, statement := range statements {
		all = append(all, Encoded(statement)...)
	}
	answers := r.session.AskInOrder(ctx, append(all, end)...)
	if err := preparing(answers[:prepared]); err != nil {
		return nil, err
	}
	results := make([]Answer, len(statements))
	const each = 3 // statements of encoded
	for i := range statements {
		of := answers[prepared+i*each : prepared+(i+1)*each]
		results[i] = of[each-1] // the error of one before it is its own too
		results[i].Statement = statements[i]
	}
	return results, nil
}

// Encoded are the statements with which the client in a container runs one that it must not read itself: it has commands of its own, and
// one of them runs programs.
func Encoded(statement string) []string {
	return []string{"SET @doik = _utf8mb4 0x" + hex.EncodeToString([]byte(statement)), "PREPARE doik FROM @doik", "EXECUTE doik"}
}

// Run looks up what a statement's tables are, and runs it if they are no more than read. An error is a *RefusedError, a *ServerError, or why
// there was no answer.
func (r *Reader) Run(ctx context.Context, statement *readonly.Statement) (Answer, error) {
	if err := r.lookUp(ctx, statement); err != nil {
		return Answer{Statement: statement.Text}, err
	}
	answers, err := r.ask(ctx, []string{selectLimit(r.limits.Rows)}, statement.Text)
	if err != nil {
		return Answer{Statement: statement.Text}, err
	}
	return answers[0], answers[0].Err
}

// End ends the transaction.
func (r *Reader) End(ctx context.Context) {
	if r.session.Via != dbserver.ViaExec {
		r.session.AskInOrder(ctx, end) // what fails here ends with the connection
	}
}

// Read runs one statement of a user's, see Reader.
func (s *Session) Read(ctx context.Context, statement *readonly.Statement, limits Limits) (Answer, error) {
	r, err := s.BeginRead(ctx, limits)
	if err != nil {
		return Answer{Statement: statement.Text}, err
	}
	defer r.End(ctx)
	return r.Run(ctx, statement)
}

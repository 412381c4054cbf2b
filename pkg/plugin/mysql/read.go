package mysql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits bound a statement that a user gives.
type Limits struct {
	// Rows is the number of rows that a SELECT returns at most.
	Rows int
	// Time is what a SELECT may take in the server.
	Time time.Duration
}

// plainQuotes takes from sql_mode what changes the meaning of quotes, so that the server reads a statement as CheckReadOnly did.
const plainQuotes = "SET SESSION sql_mode = REPLACE(REPLACE(REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''), 'ANSI_QUOTES', ''), 'ANSI', '')"

// Read runs a statement that only reads, in a read-only transaction and within limits. It refuses others, see CheckReadOnly. The
// session must be one of OpenReader's.
func (s *Session) Read(ctx context.Context, statement string, limits Limits) (Answer, error) {
	if !s.single {
		return Answer{}, errors.New("a session that takes several statements at a time is not for a user's")
	}
	statement, err := CheckReadOnly(statement)
	if err != nil {
		return Answer{}, err
	}
	before := []string{plainQuotes, fmt.Sprintf("SET SESSION sql_select_limit=%d", limits.Rows)}
	milliseconds := max(1, limits.Time.Milliseconds())
	switch {
	case s.Version.Product == MariaDB:
		before = append(before, fmt.Sprintf("SET SESSION max_statement_time=%.3f", float64(milliseconds)/1000))
	case s.Version.Compare(Version{Major: 5, Minor: 7, Patch: 8}) >= 0:
		before = append(before, fmt.Sprintf("SET SESSION max_execution_time=%d", min(milliseconds, math.MaxInt32)))
	}
	before = append(before, "START TRANSACTION READ ONLY")
	run := []string{statement}
	if s.Via == ViaExec {
		// The client must not read a user's text: it has commands of its own, and one of them runs programs.
		run = []string{"SET @doik = _utf8mb4 0x" + hex.EncodeToString([]byte(statement)), "PREPARE doik FROM @doik", "EXECUTE doik"}
	}
	all := append(append(before, run...), "ROLLBACK")
	answers := s.AskInOrder(ctx, all...)
	for i, a := range answers[:len(answers)-1] {
		if a.Err != nil {
			a.Statement = statement
			if i < len(before) {
				return a, fmt.Errorf("preparing the session: %w", a.Err)
			}
			return a, a.Err
		}
	}
	a := answers[len(answers)-2]
	a.Statement = statement
	return a, nil
}

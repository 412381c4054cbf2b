package mysql

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// Row is a row of an answer by its columns' names.
type Row = dbserver.Row

// Answer is what a server said to a statement: rows, or an error.
type Answer struct {
	Statement string
	// Columns may be empty where there are no rows.
	Columns []string
	// Rows have a value for each column; nil is NULL.
	Rows [][]*string
	Err  error
}

// Maps are the rows by column name.
func (a Answer) Maps() []Row {
	list := make([]Row, len(a.Rows))
	for i, values := range a.Rows {
		list[i] = make(Row, len(values))
		for j, value := range values {
			list[i][a.Columns[j]] = value
		}
	}
	return list
}

// Pairs are the rows of an answer of two columns, such as SHOW VARIABLES, as one.
func (a Answer) Pairs() Row {
	row := Row{}
	for _, values := range a.Rows {
		if len(values) == 2 && values[0] != nil {
			row[*values[0]] = values[1]
		}
	}
	return row
}

// Numbers of errors that the plugin knows. Source: the servers' own lists.
const (
	errTooManyConnections = 1040 // max_connections
	ErrAccessDenied       = 1045 // wrong password, or no such account
	ErrWSREPNotReady      = 1047 // a Galera node refuses queries
	ErrCommandDenied      = 1142 // no privilege on a table
	ErrSpecificAccess     = 1227 // no global privilege
	errHostBlocked        = 1129 // too many failed connections from this host
	ErrHostNotPrivi       = 1130 // no account for this host
	ErrDBAccessDenied     = 1044
	ErrAccessDeniedNoPW   = 1698 // an account of another way in: auth_socket
	errTooManyOfAccount   = 1203 // max_user_connections
	errAccountLimit       = 1226 // the account's own limit, or max_user_connections
	errQueryTimeout       = 3024 // max_execution_time of MySQL is over
	errStatementTimeout   = 1969 // max_statement_time of MariaDB is over
	errOfflineMode        = 3032 // offline_mode: administrators only
	errNoSocket           = 2002 // the client's own: it found no server at the socket
	errNoHost             = 2003 // or at the port
)

// ServerError is an error that a server, or the client's library, gave.
type ServerError struct {
	Number  int
	State   string
	Message string
}

func (e *ServerError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("error %d: %s", e.Number, e.Message)
	}
	return fmt.Sprintf("error %d (%s): %s", e.Number, e.State, e.Message)
}

// NumberOf is the server's number of an error, 0 for errors of another kind.
func NumberOf(err error) int {
	var e *ServerError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// IsMissingPrivilege reports whether an account may not run a statement. Others it may.
func IsMissingPrivilege(err error) bool {
	switch NumberOf(err) {
	case ErrSpecificAccess, ErrCommandDenied, ErrDBAccessDenied:
		return true
	}
	return false
}

// IsTimeout reports whether a server has ended a statement whose time was over.
func IsTimeout(err error) bool {
	n := NumberOf(err)
	return n == errQueryTimeout || n == errStatementTimeout
}

// RefusesLogin reports whether an account can't come in this way; it may in another.
func (e *ServerError) RefusesLogin() bool {
	switch e.Number {
	case ErrAccessDenied, ErrAccessDeniedNoPW, ErrHostNotPrivi, errHostBlocked, errTooManyOfAccount, errAccountLimit:
		return true
	}
	return false
}

// RefusesClients reports whether a server has no place for another client, or serves administrators only.
func (e *ServerError) RefusesClients() bool {
	return e.Number == errTooManyConnections || e.Number == errOfflineMode
}

// FoundNobody reports whether a client found no server at the socket, or at the port.
func (e *ServerError) FoundNobody() bool { return e.Number == errNoSocket || e.Number == errNoHost }

// clientError is an error as the command-line clients print it: ERROR 1227 (42000) at line 3: Access denied …
var clientError = regexp.MustCompile(`^ERROR (\d+)(?: \(([0-9A-Z]{5})\))?(?: at line (\d+))?[^:]*: (.*)$`)

// parseClientError reads a line of a client's stderr; line is 0 where the error is not of a statement.
func parseClientError(text string) (e *ServerError, line int, ok bool) {
	m := clientError.FindStringSubmatch(text)
	if m == nil {
		return nil, 0, false
	}
	number, _ := strconv.Atoi(m[1]) // digits only
	line, _ = strconv.Atoi(m[3])
	return &ServerError{Number: number, State: m[2], Message: m[4]}, line, true
}

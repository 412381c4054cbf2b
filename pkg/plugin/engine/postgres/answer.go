package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

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
			if j < len(a.Columns) {
				list[i][a.Columns[j]] = value
			}
		}
	}
	return list
}

// SQLSTATEs that the plugin knows. Source: appendix A of the manual.
const (
	invalidPassword       = "28P01"
	invalidAuthorization  = "28000" // no line in pg_hba.conf, another method, NOLOGIN, no such role
	invalidCatalogName    = "3D000" // no such database
	tooManyConnections    = "53300"
	cannotConnectNow      = "57P03" // it starts, stops, or is a standby that takes no clients
	insufficientPrivilege = "42501"
	queryCanceled         = "57014" // statement_timeout is over
	protocolViolation     = "08P01"
)

// ServerError is an error that a server, or the client's library, gave. State is its SQLSTATE, empty where the client does not tell.
type ServerError struct {
	State, Message string
}

func (e *ServerError) Error() string {
	if e.State == "" || e.State == noServer {
		return e.Message
	}
	return fmt.Sprintf("%s: %s", e.State, e.Message)
}

// StateOf is the SQLSTATE of an error, empty for errors of another kind.
func StateOf(err error) string {
	var e *ServerError
	if errors.As(err, &e) {
		return e.State
	}
	return ""
}

// IsMissingPrivilege reports whether an account may not run a statement. Others it may.
func IsMissingPrivilege(err error) bool { return StateOf(err) == insufficientPrivilege }

// IsTimeout reports whether a server has ended a statement whose time was over.
func IsTimeout(err error) bool { return StateOf(err) == queryCanceled }

// RefusesLogin reports whether an account can't come in this way; it may in another.
func (e *ServerError) RefusesLogin() bool {
	return slices.Contains([]string{invalidPassword, invalidAuthorization, invalidCatalogName}, e.State)
}

// RefusesClients reports whether a server has no place for another client, or takes none now.
func (e *ServerError) RefusesClients() bool {
	return e.State == tooManyConnections || e.State == cannotConnectNow
}

// FoundNobody reports whether the client in the container found no server.
func (e *ServerError) FoundNobody() bool { return e.State == noServer }

// noServer stands for what the client says of a socket or a port on which nobody listens: it has no SQLSTATE.
const noServer = "nobody"

// loginRefusals are what the client prints before there is a session, when SQLSTATEs are not known: a server's words before it has learnt the
// language of its client are those of lc_messages, English unless somebody has set another. Source: the servers' sources, and what 15, 17 and 18
// answered.
var loginRefusals = []struct {
	words *regexp.Regexp
	state string
}{
	{regexp.MustCompile(`password authentication failed|no password supplied`), invalidPassword},
	{regexp.MustCompile(`no pg_hba\.conf entry|authentication failed|role ".*" does not exist|is not permitted to log in|pg_hba\.conf rejects`), invalidAuthorization},
	{regexp.MustCompile(`database ".*" does not exist`), invalidCatalogName},
	{regexp.MustCompile(`remaining connection slots are reserved|too many (clients|connections)`), tooManyConnections},
	{regexp.MustCompile(`database system is (starting up|shutting down|in recovery mode|not (yet )?accepting connections)|Hot standby mode is disabled`), cannotConnectNow},
	{regexp.MustCompile(`No such file or directory|Connection refused`), noServer},
}

// refusalOf is the error in a line that the client printed because it got no session.
func refusalOf(line string) *ServerError {
	e := &ServerError{Message: clientPrefix.ReplaceAllString(line, "")}
	for _, r := range loginRefusals {
		if r.words.MatchString(line) {
			e.State = r.state
			break
		}
	}
	return e
}

// clientPrefix is what stands before a server's words in the client's.
var clientPrefix = regexp.MustCompile(`^psql: (error: )?(connection to server .* failed: |could not connect to server: )?(FATAL: +)?`)

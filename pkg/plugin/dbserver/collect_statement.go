package dbserver

import (
	"context"
	"time"
)

// Statements is what an engine takes as a statement of a user's.
type Statements struct {
	// Help says in a paragraph which statements are taken.
	Help string
	// Check returns an error for a statement that may do more than read, or for limits that mean nothing.
	Check func(text string, how Reading) (Statement, error)
}

// Reading bounds a statement of a user's.
type Reading struct {
	// AllowFunctions also allows functions whose effects are unknown.
	AllowFunctions bool
	// Role is the one role that is active while it runs; empty for the account's default roles.
	Role string
	// Rows is the number of rows that a server returns at most, Time what it may take.
	Rows int
	Time time.Duration
}

// Statement is one that was found to only read.
type Statement interface {
	// Text is the statement as it is shown.
	Text() string
	// Ask runs it on a server, within the context's time. An error that is an Answerer is the server's own.
	Ask(ctx context.Context, c *Connector, s Server) (Rows, error)
}

// Rows are a server's answer.
type Rows struct {
	Via     Via
	Columns []string
	// Values have a value for each column; nil is NULL.
	Values [][]*string
}

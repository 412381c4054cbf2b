// Package dbquery is kubectl doik query: the same statement that only reads on every server of a set, side by side.
package dbquery

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Query says what to query, and where.
type Query struct {
	dbserver.Scope
	Engines dbserver.Engines
	// Text is the statement, Statements what the engines have made of it.
	Text       string
	Statements Statements
	// MaxRows is the number of rows of each server that are shown.
	MaxRows int
	Access  dbserver.Access
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Statements are the statement as each engine takes it.
type Statements map[*dbserver.Engine]dbserver.Statement

// Snapshot is what the servers answered.
type Snapshot struct {
	Statement string           `json:"statement"`
	MaxRows   int              `json:"maxRows"`
	Servers   []ServerSnapshot `json:"servers"`
}

// ServerSnapshot is what one server answered.
type ServerSnapshot struct {
	Namespace string `json:"namespace"`
	// Group is the set that the server belongs to, as kind/name where an object controls it.
	Group string `json:"group"`
	// Engine is the name of the server's engine; empty for the only one.
	Engine  string      `json:"engine,omitempty"`
	Pod     string      `json:"pod"`
	Via     string      `json:"via,omitempty"`
	Columns []string    `json:"columns,omitempty"`
	Rows    [][]*string `json:"rows,omitempty"`
	// Error is the server's answer, where it is one; Failure is why there is none.
	Error   string            `json:"error,omitempty"`
	Failure *v1alpha1.Problem `json:"failure,omitempty"`
	// Cause is what is alike about it where others fail for the same reason, see dbserver.Said.
	Cause string `json:"cause,omitempty"`
}

// Collect asks all servers of the scope at once. It fails only if pods can't be read or a name is of nothing.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	progress := q.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress("reading pods")
	servers, err := q.Engines.Find(ctx, cluster, q.Scope)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Statement: q.Text, MaxRows: q.MaxRows, Servers: make([]ServerSnapshot, len(servers))}
	connector := dbserver.NewConnector(cluster, q.Access)
	none := make([]bool, len(servers))
	var mu sync.Mutex
	answered := 0
	report := func() { progress(fmt.Sprintf("querying servers: %d of %d have answered", answered, len(servers))) }
	report()
	var group errgroup.Group
	for i, server := range servers {
		s.Servers[i] = ServerSnapshot{Namespace: server.Pod.Namespace, Group: server.Group(), Engine: server.Engine.Name, Pod: server.Pod.Name}
		group.Go(func() error {
			ask(ctx, connector, server, q, &s.Servers[i])
			none[i] = server.IsNone(dbserver.Said{Failure: s.Servers[i].Failure})
			mu.Lock()
			defer mu.Unlock()
			answered++
			report()
			return nil
		})
	}
	_ = group.Wait() // errors are in the snapshot
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, kube.Explain(ctx.Err())
	}
	kept := s.Servers[:0]
	for i := range s.Servers {
		if !none[i] {
			kept = append(kept, s.Servers[i])
		}
	}
	s.Servers = kept
	return s, nil
}

func ask(ctx context.Context, connector *dbserver.Connector, server dbserver.Server, q Query, result *ServerSnapshot) {
	ctx, cancel := context.WithTimeout(ctx, q.Access.ServerTimeout)
	defer cancel()
	answer, err := q.Statements[server.Engine].Ask(ctx, connector, server)
	result.Via = string(answer.Via)
	var said dbserver.Answerer
	var login *dbserver.LoginError
	switch {
	case err != nil && !errors.As(err, &login) && errors.As(err, &said):
		result.Error = objects.OneLine(err.Error())
	case err != nil:
		problem := dbserver.ProblemOf(server, err, q.Access.ServerTimeout)
		result.Failure, result.Cause = &problem, dbserver.CauseOf(err)
	default:
		result.Columns, result.Rows = answer.Columns, answer.Values
	}
}

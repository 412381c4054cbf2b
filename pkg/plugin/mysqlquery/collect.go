// Package mysqlquery is kubectl doik mysql-query: the same statement that only reads on every server of a set, side by side.
package mysqlquery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Query says what to ask whom.
type Query struct {
	dbserver.Scope
	Statement *readonly.Statement
	// MaxRows is the number of rows of each server that are shown.
	MaxRows int
	// Role is the one that is active while the statement runs; empty for the account's default roles.
	Role   string
	Access dbserver.Access
	// Progress is told what is being waited for. It may be nil.
	Progress func(text string)
}

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
	Group   string      `json:"group"`
	Pod     string      `json:"pod"`
	Via     string      `json:"via,omitempty"`
	Columns []string    `json:"columns,omitempty"`
	Rows    [][]*string `json:"rows,omitempty"`
	// Error is the server's answer, where it is one; Failure is why there is none.
	Error   string            `json:"error,omitempty"`
	Failure *v1alpha1.Problem `json:"failure,omitempty"`
}

// Collect asks all servers of the scope at once. It fails only if pods can't be read or a name is of nothing.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	progress := q.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress("reading pods")
	servers, err := mysql.Engine.Find(ctx, cluster, q.Scope)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Statement: q.Statement.Text, MaxRows: q.MaxRows, Servers: make([]ServerSnapshot, len(servers))}
	connector := mysql.NewConnector(cluster, q.Access)
	var mu sync.Mutex
	answered := 0
	report := func() { progress(fmt.Sprintf("asking servers: %d of %d have answered", answered, len(servers))) }
	report()
	var group errgroup.Group
	for i, server := range servers {
		s.Servers[i] = ServerSnapshot{Namespace: server.Pod.Namespace, Group: server.Group(), Pod: server.Pod.Name}
		group.Go(func() error {
			ask(ctx, connector, server, q, &s.Servers[i])
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
	return s, nil
}

func ask(ctx context.Context, connector *mysql.Connector, server dbserver.Server, q Query, result *ServerSnapshot) {
	ctx, cancel := context.WithTimeout(ctx, q.Access.ServerTimeout)
	defer cancel()
	session, err := connector.OpenReader(ctx, server)
	if err != nil {
		problem := dbserver.ProblemOf(server, err, q.Access.ServerTimeout)
		result.Failure = &problem
		return
	}
	defer session.Close()
	result.Via = string(session.Via)
	// One row more, to know whether there are more.
	answer, err := session.Read(ctx, q.Statement, mysql.Limits{Rows: q.MaxRows + 1, Time: q.Access.ServerTimeout, Role: q.Role})
	if mysql.IsTimeout(err) { // a moment before this context's end
		err = context.DeadlineExceeded
	}
	var said *mysql.ServerError
	switch {
	case errors.As(err, &said):
		result.Error = strings.Join(strings.Fields(err.Error()), " ")
	case err != nil:
		problem := dbserver.ProblemOf(server, err, q.Access.ServerTimeout)
		result.Failure = &problem
	default:
		result.Columns, result.Rows = answer.Columns, answer.Rows
	}
}

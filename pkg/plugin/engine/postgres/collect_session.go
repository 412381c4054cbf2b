// Package postgres logs in to the PostgreSQL servers of pods and asks them: Engine finds servers in pods, Connector.Open makes a Session with psql
// in a server's container or over a port-forward, and Session.Ask runs statements. It knows what differs between versions, operators and charts as
// tables.
package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Connector opens sessions.
type Connector struct{ *dbserver.Connector }

// NewConnector makes a connector; it sends nothing yet.
func NewConnector(cluster *kube.Cluster, access dbserver.Access) *Connector {
	return &Connector{dbserver.NewConnector(cluster, access)}
}

// Session is a connection to one server, or the right to run psql in its container. It is not for use by several goroutines at once.
type Session struct {
	Server dbserver.Server
	// Via is the way that was taken: dbserver.ViaPortForward or ViaExec. User is the account, empty where a variable of the container names it.
	Via  dbserver.Via
	User string
	// Version is server_version_num.
	Version int
	// First is the answer to FirstStatement.
	First Answer

	back backend
}

// backend runs statements one after the other in one session, each whatever became of those before it.
type backend interface {
	ask(ctx context.Context, statements []string) []Answer
	close()
}

// Open logs in to a server, by the ways that the access allows, the next where one fails. An error is a *dbserver.LoginError or a
// *dbserver.NotRunningError.
func (c *Connector) Open(ctx context.Context, s dbserver.Server) (*Session, error) {
	return dbserver.Open(ctx, c.Connector, s, func(ctx context.Context, w dbserver.Way) (*Session, error) { return c.try(ctx, s, w) })
}

func (c *Connector) try(ctx context.Context, s dbserver.Server, w dbserver.Way) (*Session, error) {
	back, err := c.connect(ctx, s, w)
	if err != nil {
		return nil, err
	}
	session := &Session{Server: s, Via: w.Via, User: w.Credentials.User, back: back}
	if w.Login != nil && w.Login.UserEnv == "" {
		session.User = w.Login.User
	}
	if err := session.start(ctx); err != nil {
		session.Close()
		return nil, err
	}
	return session, nil
}

// start asks a server what it is.
func (s *Session) start(ctx context.Context) error {
	s.First = s.Ask(ctx, FirstStatement().Text)[0]
	if s.First.Err != nil {
		return s.First.Err
	}
	rows := s.First.Maps()
	if len(rows) != 1 {
		return fmt.Errorf("%w: %d rows about itself", dbserver.ErrOtherProtocol, len(rows))
	}
	var err error
	if s.Version, err = strconv.Atoi(rows[0].Text("server_version_num")); err != nil {
		return fmt.Errorf("%w: server_version_num is %q", dbserver.ErrOtherProtocol, rows[0].Text("server_version_num"))
	}
	return nil
}

func (c *Connector) connect(ctx context.Context, s dbserver.Server, w dbserver.Way) (backend, error) {
	if w.Via == dbserver.ViaExec {
		return c.clientFor(ctx, s, w)
	}
	credentials, mode, err := c.Prepare(ctx, s, w)
	if err != nil {
		return nil, err
	}
	return dial(ctx, c.Cluster, s, credentials, mode)
}

// Ask runs statements one after the other in one session. There is an answer for each.
func (s *Session) Ask(ctx context.Context, statements ...string) []Answer {
	return s.back.ask(ctx, statements)
}

// Close ends the session; nothing of it is left in the cluster.
func (s *Session) Close() { s.back.close() }

package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// connection is a backend that speaks PostgreSQL's protocol through a port-forward.
type connection struct {
	tunnel *kube.Tunnel
	conn   *pgconn.PgConn
}

// closing is how long a server may take to hear that a session is over.
const closing = time.Second

// dial opens a port-forward and logs in through it.
func dial(ctx context.Context, cluster *kube.Cluster, s dbserver.Server, as dbserver.Credentials, t dbserver.TLS) (*connection, error) {
	tunnel, err := cluster.OpenTunnel(ctx, s.Pod.Namespace, s.Pod.Name)
	if err != nil {
		return nil, err
	}
	seen := &failure{}
	config, err := configFor(as, t)
	if err == nil {
		config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"pod"}, nil }
		config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := tunnel.Dial(ctx, s.Port)
			if err != nil {
				seen.note(err)
				return nil, err
			}
			return &watchedConn{Conn: conn, seen: seen}, nil
		}
		var conn *pgconn.PgConn
		if conn, err = pgconn.ConnectConfig(ctx, config); err == nil {
			c := &connection{tunnel: tunnel, conn: conn}
			if err = c.ask(ctx, []string{readOnly})[0].Err; err == nil {
				return c, nil
			}
			c.close()
			return nil, err
		}
		err = serverError(err, seen)
	}
	_ = tunnel.Close()
	return nil, err
}

// configFor is how to log in. What the user's environment and files say about other servers is not used: only what is set here counts.
func configFor(as dbserver.Credentials, t dbserver.TLS) (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=pod port=5432 user=postgres password=none dbname=" + clientDatabase + " passfile='' sslmode=disable require_auth='!password' channel_binding=prefer target_session_attrs=any")
	if err != nil {
		return nil, err
	}
	config.User, config.Password = as.User, as.Password
	config.ConnectTimeout, config.Fallbacks, config.TLSConfig, config.SSLNegotiation = 0, nil, nil, ""
	config.KerberosSrvName, config.KerberosSpn = "", ""
	config.RuntimeParams = map[string]string{"application_name": "kubectl-doik", "client_encoding": "UTF8"}
	for _, setting := range sessionSettings {
		name, value, _ := strings.Cut(setting, "=")
		config.RuntimeParams[name] = value
	}
	if t.Mode == dbserver.TLSDisabled {
		return config, nil
	}
	if config.TLSConfig, err = t.Config(); err != nil {
		return nil, err
	}
	if t.Mode == dbserver.TLSPreferred || t.Mode == "" {
		config.Fallbacks = []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port}}
	}
	return config, nil
}

func (c *connection) ask(ctx context.Context, statements []string) []Answer {
	answers := make([]Answer, len(statements))
	for i, s := range statements {
		answers[i].Statement = s
	}
	pipeline := c.conn.StartPipeline(ctx)
	for _, s := range statements { // each between two syncs, so that an error is that of one statement
		pipeline.SendQueryParams(s, nil, nil, nil, nil)
		pipeline.SendPipelineSync()
	}
	err := pipeline.Flush()
	left := maxAnswer
	for i := range answers {
		if err == nil {
			err = read(pipeline, &answers[i], &left)
		}
		if err != nil { // the connection is of no more use
			answers[i] = Answer{Statement: answers[i].Statement, Err: cmpError(ctx.Err(), serverError(err, nil))}
		}
	}
	if closed := pipeline.Close(); closed != nil && err == nil && len(answers) > 0 {
		answers[len(answers)-1].Err = cmpError(ctx.Err(), serverError(closed, nil))
	}
	return answers
}

// read reads what came of one statement, up to its sync. An error is the connection's.
func read(pipeline *pgconn.Pipeline, a *Answer, left *int) error {
	for {
		results, err := pipeline.GetResults()
		var said *pgconn.PgError
		switch {
		case errors.As(err, &said):
			a.Err = serverError(err, nil)
			continue
		case err != nil:
			return err
		}
		switch r := results.(type) {
		case *pgconn.ResultReader:
			if err := rows(r, a, left); err != nil && !errors.As(err, &said) {
				return err
			} else if err != nil {
				a.Err, a.Rows = serverError(err, nil), nil
			}
		case *pgconn.PipelineSync:
			return nil
		case nil:
			return errors.New("the server has ended the session")
		}
	}
}

// rows reads the rows of one result.
func rows(r *pgconn.ResultReader, a *Answer, left *int) error {
	for _, f := range r.FieldDescriptions() {
		a.Columns = append(a.Columns, f.Name)
	}
	for r.NextRow() {
		row := make([]*string, len(a.Columns))
		for i, value := range r.Values() {
			if value != nil {
				text := string(value)
				row[i] = &text
				*left -= len(text)
			}
		}
		if *left < 0 {
			return fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
		}
		a.Rows = append(a.Rows, row)
	}
	_, err := r.Close()
	return err
}

func (c *connection) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	_ = c.conn.Close(ctx)
	_ = c.tunnel.Close()
}

func cmpError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// serverError is the driver's error in the form that the client's has too; what the driver hides has been seen on the connection.
func serverError(err error, seen *failure) error {
	var e *pgconn.PgError
	var alert tls.AlertError
	switch {
	case errors.As(err, &e):
		return &ServerError{State: e.Code, Message: e.Message}
	case seen != nil && seen.get() != nil:
		return dbserver.Unreached(seen.get())
	case errors.As(err, &alert), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case strings.Contains(err.Error(), "unexpected message"), strings.Contains(err.Error(), "unknown message type"), strings.Contains(err.Error(), "invalid message"), strings.Contains(err.Error(), "failed to receive message"):
		return fmt.Errorf("%w (%w)", dbserver.ErrOtherProtocol, err)
	}
	return err
}

// failure is why a connection could not be read, which the driver does not tell.
type failure struct {
	mu  sync.Mutex
	err error
}

func (f *failure) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && f.err == nil && !dbserver.IsEnd(err) {
		f.err = err
	}
}

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

type watchedConn struct {
	net.Conn
	seen *failure
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.seen.note(err)
	return n, err
}

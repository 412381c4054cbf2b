package mysql

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// connection is a backend that speaks MySQL's protocol through a port-forward.
type connection struct {
	tunnel *kube.Tunnel
	conn   driver.Conn
	seen   *seen
	// batches is true if the server may be sent several statements in one packet.
	batches bool
}

// dial opens a port-forward and logs in through it.
func dial(ctx context.Context, cluster *kube.Cluster, s dbserver.Server, c dbserver.Credentials, t dbserver.TLS, batches bool) (*connection, error) {
	tunnel, err := cluster.OpenTunnel(ctx, s.Pod.Namespace, s.Pod.Name)
	if err != nil {
		return nil, err
	}
	connection := &connection{tunnel: tunnel, batches: batches}
	err = connection.authenticate(ctx, s.Port, c, t)
	if isHandshakeFailure(err) && t.Mode == dbserver.TLSPreferred {
		// Servers of the age of MySQL 5.7 offer TLS that Go no longer speaks: https://github.com/go-sql-driver/mysql/issues/1635
		err = connection.authenticate(ctx, s.Port, c, dbserver.TLS{Mode: dbserver.TLSDisabled})
	}
	if err != nil {
		_ = tunnel.Close()
		return nil, err
	}
	return connection, nil
}

func (c *connection) authenticate(ctx context.Context, port int, as dbserver.Credentials, t dbserver.TLS) error {
	config := mysqldriver.NewConfig()
	config.User, config.Passwd = as.User, as.Password
	config.Net, config.Addr = "pod", net.JoinHostPort("localhost", strconv.Itoa(port))
	config.Logger = &mysqldriver.NopLogger{}
	config.ConnectionAttributes = "program_name:kubectl-doik"
	config.MultiStatements = c.batches
	if err := encrypt(config, t); err != nil {
		return err
	}
	c.seen = &seen{}
	config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := c.tunnel.Dial(ctx, port)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, seen: c.seen}, nil
	}
	connector, err := mysqldriver.NewConnector(config)
	if err != nil {
		return err
	}
	if c.conn, err = connector.Connect(ctx); err != nil {
		return serverError(err, c.seen)
	}
	return nil
}

// version is what the server said that it is before it was asked.
func (c *connection) version() (Version, bool) {
	v, err := ParseVersion(c.seen.version(), "")
	return v, err == nil
}

// encrypt sets the driver's mode.
func encrypt(config *mysqldriver.Config, t dbserver.TLS) error {
	if t.Mode == dbserver.TLSDisabled {
		return nil
	}
	config.AllowFallbackToPlaintext = t.Mode == dbserver.TLSPreferred
	var err error
	if config.TLS, err = t.Config(); err != nil {
		return err
	}
	// What MySQL's servers choose. Without it they ask for another key first, and the way there and back is gone once more.
	config.TLS.CurvePreferences = []tls.CurveID{tls.CurveP256, tls.CurveP384, tls.CurveP521}
	return nil
}

// offersNoTLS reports whether a server could not be encrypted to.
func offersNoTLS(err error) bool { return errors.Is(err, mysqldriver.ErrNoTLS) }

func isHandshakeFailure(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "handshake failure"))
}

func (c *connection) ask(ctx context.Context, statements []string, stopAtError bool) []Answer {
	answers := make([]Answer, len(statements))
	for i, s := range statements {
		answers[i].Statement = s
	}
	left := maxAnswer
	for next := 0; next < len(answers); {
		asked := answers[next : next+1]
		if c.batches && !stopAtError {
			asked = answers[next:]
		}
		answered, err := c.query(ctx, asked, &left)
		next += answered
		switch {
		case err == nil && answered < len(asked): // one of them had no result, so it is unknown which the others belong to
			c.batches, next = false, next-answered
		case err == nil:
		case ctx.Err() != nil, stopAtError, errors.Is(err, driver.ErrBadConn): // nothing more will come
			for ; next < len(answers); next++ {
				answers[next].Columns, answers[next].Rows, answers[next].Err = nil, nil, firstError(ctx.Err(), err)
			}
		default:
			answers[next].Columns, answers[next].Rows, answers[next].Err = nil, nil, err
			next++
		}
	}
	return answers
}

// query sends statements in one packet, for which the way to the server is gone there and back once, and reads their results. It
// returns how many have been answered; an error is that of the next.
func (c *connection) query(ctx context.Context, asked []Answer, left *int) (answered int, err error) {
	texts := make([]string, len(asked))
	for i := range asked {
		texts[i] = asked[i].Statement
	}
	result, err := c.conn.(driver.QueryerContext).QueryContext(ctx, strings.Join(texts, ";"), nil)
	if err != nil {
		return 0, serverError(err, nil)
	}
	defer result.Close()
	rows := result.(driver.RowsNextResultSet)
	for {
		if err := read(rows, &asked[answered], left); err != nil {
			return answered, serverError(err, nil)
		}
		answered++
		switch {
		case answered == len(asked):
			return answered, nil
		case !rows.HasNextResultSet():
			return answered, nil
		}
		if err := rows.NextResultSet(); errors.Is(err, io.EOF) {
			return answered, nil
		} else if err != nil {
			return answered, serverError(err, nil)
		}
	}
}

// read reads the rows of one result.
func read(rows driver.Rows, a *Answer, left *int) error {
	a.Columns, a.Rows = rows.Columns(), nil
	for {
		values := make([]driver.Value, len(a.Columns))
		if err := rows.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		row := make([]*string, len(values))
		for i, v := range values {
			row[i] = text(v)
			if row[i] != nil {
				*left -= len(*row[i])
			}
		}
		if *left < 0 {
			return fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
		}
		a.Rows = append(a.Rows, row)
	}
}

func (c *connection) close() {
	_ = c.conn.Close()
	_ = c.tunnel.Close()
}

// text is a value as the command-line client prints it.
func text(v driver.Value) *string {
	var s string
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		s = string(v)
	case float32:
		s = strconv.FormatFloat(float64(v), 'g', -1, 32)
	case float64:
		s = strconv.FormatFloat(v, 'g', -1, 64)
	default:
		s = fmt.Sprint(v)
	}
	return &s
}

// serverError is the driver's error in the form that the client's has too; what the driver hides has been seen on the connection.
func serverError(err error, seen *seen) error {
	var e *mysqldriver.MySQLError
	switch {
	case errors.As(err, &e):
		return &ServerError{Number: int(e.Number), State: string(e.SQLState[:]), Message: e.Message}
	case seen != nil && seen.failure() != nil:
		return dbserver.Unreached(seen.failure())
	case errors.Is(err, mysqldriver.ErrMalformPkt), errors.Is(err, mysqldriver.ErrPktSync), errors.Is(err, mysqldriver.ErrPktSyncMul), errors.Is(err, mysqldriver.ErrOldProtocol):
		return fmt.Errorf("%w (%w)", dbserver.ErrOtherProtocol, err)
	}
	return err
}

// seen is what has come in a connection and what the driver does not tell: the beginning of the server's greeting, and why the
// connection could not be read.
type seen struct {
	mu       sync.Mutex
	greeting []byte
	err      error
}

// greetingHead is the length of a greeting's header and protocol version, before the server's version; greetingKept is more than any
// version has.
const (
	greetingHead = 5
	greetingKept = greetingHead + 255
)

func (s *seen) add(p []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greeting = append(s.greeting, p[:min(len(p), greetingKept-len(s.greeting))]...)
	if err != nil && !dbserver.IsEnd(err) {
		s.err = err
	}
}

func (s *seen) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// version is that of the greeting, empty where there was none. Source: MySQL's protocol, Protocol::HandshakeV10.
func (s *seen) version() string {
	const protocol = 10
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.greeting) < greetingHead || s.greeting[greetingHead-1] != protocol {
		return ""
	}
	version, _, ended := bytes.Cut(s.greeting[greetingHead:], []byte{0})
	if !ended {
		return ""
	}
	return string(version)
}

type watchedConn struct {
	net.Conn
	seen *seen
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.seen.add(p[:n], err)
	return n, err
}

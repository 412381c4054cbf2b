package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// TLS says how connections through the port-forward are encrypted, in the words of MySQL's --ssl-mode. All of it runs inside the
// API server's own TLS up to the node.
type TLS struct {
	Mode TLSMode
	// CA is that of VERIFY_CA, in PEM.
	CA []byte
}

// TLSMode is one of MySQL's.
type TLSMode string

// The modes of MySQL's clients; VERIFY_IDENTITY is not among them: a port-forward has no host name to verify.
const (
	TLSPreferred TLSMode = "PREFERRED"
	TLSDisabled  TLSMode = "DISABLED"
	TLSRequired  TLSMode = "REQUIRED"
	TLSVerifyCA  TLSMode = "VERIFY_CA"
)

// connection is a backend that speaks MySQL's protocol through a port-forward.
type connection struct {
	tunnel *kube.Tunnel
	conn   driver.Conn
}

// dial opens a port-forward and logs in through it.
func dial(ctx context.Context, cluster *kube.Cluster, s Server, c Credentials, t TLS) (*connection, error) {
	tunnel, err := cluster.OpenTunnel(ctx, s.Pod.Namespace, s.Pod.Name)
	if err != nil {
		return nil, err
	}
	conn, err := authenticate(ctx, tunnel, s.Port, c, t)
	if isHandshakeFailure(err) && t.Mode == TLSPreferred {
		// Servers of the age of MySQL 5.7 offer TLS that Go no longer speaks: https://github.com/go-sql-driver/mysql/issues/1635
		conn, err = authenticate(ctx, tunnel, s.Port, c, TLS{Mode: TLSDisabled})
	}
	if err != nil {
		_ = tunnel.Close()
		return nil, err
	}
	return &connection{tunnel: tunnel, conn: conn}, nil
}

func authenticate(ctx context.Context, tunnel *kube.Tunnel, port int, c Credentials, t TLS) (driver.Conn, error) {
	config := mysqldriver.NewConfig()
	config.User, config.Passwd = c.User, c.Password
	config.Net, config.Addr = "pod", net.JoinHostPort("localhost", strconv.Itoa(port))
	config.Logger = &mysqldriver.NopLogger{}
	config.ConnectionAttributes = "program_name:kubectl-doik"
	if err := t.apply(config); err != nil {
		return nil, err
	}
	reason := &readFailure{}
	config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := tunnel.Dial(ctx, port)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, failure: reason}, nil
	}
	connector, err := mysqldriver.NewConnector(config)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, serverError(err, reason)
	}
	return conn, nil
}

// apply sets the driver's mode.
func (t TLS) apply(config *mysqldriver.Config) error {
	switch t.Mode {
	case TLSDisabled:
		config.TLSConfig = "false"
	case TLSRequired:
		config.TLSConfig = "skip-verify"
	case TLSVerifyCA:
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(t.CA) {
			return errors.New("--ssl-ca: there is no certificate in it")
		}
		config.TLS = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // the chain is verified below; a port-forward has no host name
			VerifyConnection: func(state tls.ConnectionState) error {
				return verifyChain(state, pool)
			},
		}
	default:
		config.TLSConfig = "preferred"
	}
	return nil
}

func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	others := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others})
	return err
}

func isHandshakeFailure(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "handshake failure"))
}

func (c *connection) ask(ctx context.Context, statements []string, stopAtError bool) []Answer {
	answers := make([]Answer, len(statements))
	var stopped error
	left := maxAnswer
	for i, s := range statements {
		answers[i].Statement = s
		if stopped != nil && stopAtError {
			answers[i].Err = stopped
			continue
		}
		if answers[i].Err = c.query(ctx, &answers[i], &left); answers[i].Err != nil {
			stopped = answers[i].Err
			if ctx.Err() != nil {
				answers[i].Err = ctx.Err()
			}
		}
	}
	return answers
}

func (c *connection) query(ctx context.Context, a *Answer, left *int) error {
	rows, err := c.conn.(driver.QueryerContext).QueryContext(ctx, a.Statement, nil)
	if err != nil {
		return serverError(err, nil)
	}
	defer rows.Close()
	a.Columns = rows.Columns()
	for {
		values := make([]driver.Value, len(a.Columns))
		if err := rows.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return serverError(err, nil)
		}
		row := make([]*string, len(values))
		for i, v := range values {
			row[i] = text(v)
			if row[i] != nil {
				*left -= len(*row[i])
			}
		}
		if *left < 0 {
			return fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
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

// serverError is the driver's error in the form that the client's has too; what the driver hides is in reason.
func serverError(err error, reason *readFailure) error {
	var e *mysqldriver.MySQLError
	switch {
	case errors.As(err, &e):
		return &ServerError{Number: int(e.Number), State: string(e.SQLState[:]), Message: e.Message}
	case reason != nil && reason.get() != nil:
		return refusal(reason.get())
	}
	return err
}

// refusal is what a node says of a refused connection, without the names that it has for the pod's namespaces.
func refusal(err error) error {
	if strings.Contains(err.Error(), "connection refused") {
		return errors.New("connection refused: nothing listens at the port")
	}
	return err
}

// readFailure is why a connection could not be read: the driver tells only that it is invalid.
type readFailure struct {
	mu  sync.Mutex
	err error
}

func (r *readFailure) get() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

type watchedConn struct {
	net.Conn
	failure *readFailure
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, net.ErrClosed) {
		c.failure.mu.Lock()
		c.failure.err = err
		c.failure.mu.Unlock()
	}
	return n, err
}

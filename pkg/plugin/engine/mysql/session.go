// Package mysql logs in to the MySQL and MariaDB servers of pods and asks them: Detect finds a server in a pod, Connector.Open
// makes a Session with it over a port-forward or with the client in its container, and Session.Ask runs statements. It knows
// what differs between products, versions, operators and charts as tables, and the two kinds of transaction identifiers.
package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Via is the way to a server.
type Via string

const (
	// ViaAuto takes the port-forward where no Secret has to be read for it, then the client in the container, then the
	// port-forward with a password from a Secret.
	ViaAuto Via = "auto"
	// ViaPortForward is a connection to the pod's port through the API server.
	ViaPortForward Via = "port-forward"
	// ViaExec is the client inside the server's container, which knows its password.
	ViaExec Via = "exec"
)

// Access is how to log in.
type Access struct {
	Via Via
	// User is empty for the account that the server's flavour has.
	User string
	// PasswordFrom is where the password of User is; the zero value is none.
	PasswordFrom PasswordSource
	// SendToAll lets a password of the user's own go to servers that are not named, too.
	SendToAll bool
	TLS       TLS
	// named is true if the servers' sets stand on the command line, see Naming.
	named bool
	// ServerTimeout is the time that each server has to let the plugin in and to answer. Who asks keeps to it, with a context.
	ServerTimeout time.Duration
}

// Connector opens sessions.
type Connector struct {
	cluster *kube.Cluster
	access  Access

	mu      sync.Mutex
	secrets map[string]secretAnswer // by namespace/name: read once for all pods
}

type secretAnswer struct {
	data map[string][]byte
	err  error
}

// NewConnector makes a connector; it sends nothing yet.
func NewConnector(cluster *kube.Cluster, access Access) *Connector {
	return &Connector{cluster: cluster, access: access, secrets: map[string]secretAnswer{}}
}

// Session is a connection to one server, or the right to run its client. It is not for use by several goroutines at once.
type Session struct {
	Server Server
	// Via is the way that was taken: ViaPortForward or ViaExec. User is the account, empty where an options file names it.
	Via  Via
	User string
	// Version is what the server says that it is.
	Version Version
	// Variables is the answer to FirstStatement.
	Variables Answer
	// Answers are those about the subjects that Open was given, which not every server has.
	Answers []SubjectAnswer

	back backend
	// single is true if the server takes no more than one statement at a time.
	single bool
}

// SubjectAnswer is what a server said about a subject.
type SubjectAnswer struct {
	Subject Subject
	Answer
}

// backend runs statements one after the other in one connection.
type backend interface {
	ask(ctx context.Context, statements []string, stopAtError bool) []Answer
	// version is the server's where it is known before any statement.
	version() (v Version, ok bool)
	close()
}

// way is one try to log in.
type way struct {
	via         Via
	credentials Credentials // for the port-forward, and for the client where the user has given an account
	login       *login      // for the client, where the container knows the password
}

// LoginError says that no way led to a server, and why each did not.
type LoginError struct {
	Reason []error // at least one
}

func (e *LoginError) Error() string {
	texts := make([]string, 0, len(e.Reason))
	for _, err := range e.Reason {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (e *LoginError) Unwrap() []error { return e.Reason }

// Open logs in to a server, by the ways that the access allows, the next where one fails, and asks it about subjects. An error is a
// *LoginError or a *NotRunningError. The session is for statements of the plugin's own.
func (c *Connector) Open(ctx context.Context, s Server, subjects ...Subject) (*Session, error) {
	return c.open(ctx, s, false, subjects)
}

// OpenReader is Open for a statement that a user gives, see Session.Read: the server takes one at a time.
func (c *Connector) OpenReader(ctx context.Context, s Server) (*Session, error) {
	return c.open(ctx, s, true, nil)
}

func (c *Connector) open(ctx context.Context, s Server, single bool, subjects []Subject) (*Session, error) {
	if err := checkRunning(s); err != nil {
		return nil, err
	}
	failed := &LoginError{}
	ways := c.ways(s)
	if len(ways) == 0 {
		failed.Reason = []error{&noAccountError{flavour: s.Flavour.Name, via: c.access.Via}}
		return nil, failed
	}
	for _, w := range ways {
		session, err := c.try(ctx, s, w, single, subjects)
		if err == nil {
			return session, nil
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		failed.Reason = append(failed.Reason, fmt.Errorf("%s: %w", w.via, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, failed
}

// ways are in the order in which they are tried.
func (c *Connector) ways(s Server) []way {
	var network, inside, bySecret []way
	if c.access.User != "" {
		credentials := Credentials{User: c.access.User}
		network = append(network, way{via: ViaPortForward, credentials: credentials})
		// Who wants certificates verified is not served by a container that has none to show.
		if c.access.Via == ViaExec || c.access.TLS.Mode != TLSVerifyCA || !c.access.PasswordFrom.isOwn() {
			inside = append(inside, way{via: ViaExec, credentials: credentials})
		}
	} else {
		for i := range s.Flavour.logins {
			l := &s.Flavour.logins[i]
			inside = append(inside, way{via: ViaExec, login: l})
			if credentials, free, ok := l.overNetwork(s); ok && free {
				network = append(network, way{via: ViaPortForward, credentials: credentials})
			} else if ok {
				bySecret = append(bySecret, way{via: ViaPortForward, credentials: credentials})
			}
		}
	}
	switch c.access.Via {
	case ViaPortForward:
		return append(network, bySecret...)
	case ViaExec:
		return inside
	}
	return append(append(network, inside...), bySecret...)
}

func (c *Connector) try(ctx context.Context, s Server, w way, single bool, subjects []Subject) (*Session, error) {
	back, err := c.connect(ctx, s, &w, single)
	if err != nil {
		return nil, err
	}
	session := &Session{Server: s, Via: w.via, User: w.credentials.User, back: back, single: single}
	if w.login != nil && w.login.optionFile == "" {
		session.User = w.login.user
	}
	if err := session.start(ctx, subjects); err != nil {
		session.Close()
		return nil, err
	}
	return session, nil
}

// start asks a server what it is, and about the subjects: at once where its version is known, so that the way there and back is gone
// once.
func (s *Session) start(ctx context.Context, subjects []Subject) error {
	var statements []Statement
	if v, known := s.back.version(); known {
		statements = about(v, subjects)
	}
	answers := s.Ask(ctx, texts(append([]Statement{FirstStatement()}, statements...))...)
	s.Variables = answers[0]
	if s.Variables.Err != nil {
		return s.Variables.Err
	}
	row := s.Variables.Pairs()
	var err error
	if s.Version, err = ParseVersion(row.Text("version"), row.Text("version_comment")); err != nil {
		return err
	}
	answers = answers[1:]
	if want := about(s.Version, subjects); !slices.Equal(want, statements) {
		statements = want
		answers = s.Ask(ctx, texts(statements)...)
	}
	for i := range statements {
		s.Answers = append(s.Answers, SubjectAnswer{statements[i].Subject, answers[i]})
	}
	return nil
}

// about are a version's statements about subjects.
func about(v Version, subjects []Subject) []Statement {
	return slices.DeleteFunc(Statements(v), func(s Statement) bool { return !slices.Contains(subjects, s.Subject) })
}

func texts(statements []Statement) []string {
	list := make([]string, len(statements))
	for i := range statements {
		list[i] = statements[i].Text
	}
	return list
}

func (c *Connector) connect(ctx context.Context, s Server, w *way, single bool) (backend, error) {
	if w.via == ViaExec && w.login != nil {
		return &client{cluster: c.cluster, in: containerOf(s), command: w.login.command}, nil
	}
	mode := c.access.TLS
	if c.access.User != "" {
		password, err := c.password(ctx, s, w.via)
		if err != nil {
			return nil, err
		}
		w.credentials.Password = password
		if c.access.PasswordFrom.isOwn() {
			mode = mode.insisting()
		}
	} else if w.credentials.Secret != "" {
		password, err := c.secret(ctx, s.Pod.Namespace, w.credentials.Secret, w.credentials.Key)
		if err != nil {
			return nil, err
		}
		w.credentials.Password = password
	}
	if w.via == ViaExec {
		if strings.ContainsAny(w.credentials.Password, "\r\n") {
			return nil, errors.New("a password of several lines can't be given to the client: use --via=port-forward")
		}
		user := w.credentials.User
		return &client{cluster: c.cluster, in: containerOf(s), stdin: w.credentials.Password + "\n",
			command: func(seconds int, stopAtError bool) []string { return commandWithPassword(user, seconds, stopAtError) }}, nil
	}
	back, err := dial(ctx, c.cluster, s, w.credentials, mode, !single)
	if c.access.PasswordFrom.isOwn() && offersNoTLS(err) {
		return nil, dbserver.Handing{Origin: dbserver.OfUser, Channel: dbserver.Clear}.Check()
	}
	if err != nil {
		return nil, err
	}
	return back, nil
}

func containerOf(s Server) kube.Container {
	return kube.Container{Namespace: s.Pod.Namespace, Pod: s.Pod.Name, Name: s.Container}
}

// password is that of --user, for a server that it is given to on a way.
func (c *Connector) password(ctx context.Context, s Server, via Via) (string, error) {
	from := c.access.PasswordFrom
	if from.kind == fromSecret {
		return c.secret(ctx, s.Pod.Namespace, from.name, from.key)
	}
	if from.isOwn() {
		if err := c.access.handing(via).Check(); err != nil {
			return "", err
		}
	}
	return from.value, nil
}

// handing is a password of the user's own on a way to a server.
func (a Access) handing(via Via) dbserver.Handing {
	h := dbserver.Handing{Origin: dbserver.OfUser, Named: a.named, ToAll: a.SendToAll}
	switch {
	case via == ViaExec:
		h.Channel = dbserver.Inside
	case a.TLS.Mode == TLSVerifyCA:
		h.Channel = dbserver.Verified
	case a.TLS.insisting().Mode == TLSRequired:
		h.Channel = dbserver.Encrypted
	}
	return h
}

// secret reads a key of a Secret of the server's own namespace, each Secret once.
func (c *Connector) secret(ctx context.Context, namespace, name, key string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := namespace + "/" + name
	answer, known := c.secrets[id]
	if !known {
		object, err := c.cluster.Secret(ctx, namespace, name)
		if err == nil {
			answer.data = object.Data
		}
		answer.err = err
		c.secrets[id] = answer
	}
	if answer.err != nil {
		return "", fmt.Errorf("reading Secret %s: %w", name, answer.err)
	}
	value, ok := answer.data[key]
	if !ok {
		return "", fmt.Errorf("reading Secret %s: it has no key %s", name, key)
	}
	return string(value), nil
}

// Ask runs statements one after the other in one connection, each whatever became of those before it. There is an answer for
// each. A statement is one line.
func (s *Session) Ask(ctx context.Context, statements ...string) []Answer {
	return s.back.ask(ctx, statements, false)
}

// AskInOrder is Ask that ends at the first statement that fails: those after it have the same error.
func (s *Session) AskInOrder(ctx context.Context, statements ...string) []Answer {
	return s.back.ask(ctx, statements, true)
}

// Query runs one statement.
func (s *Session) Query(ctx context.Context, statement string) (Answer, error) {
	a := s.Ask(ctx, statement)[0]
	return a, a.Err
}

// Close ends the session; nothing of it is left in the cluster.
func (s *Session) Close() { s.back.close() }

// IsForbidden tells whether the user lacks a right in the cluster, for each way that was tried.
func (e *LoginError) IsForbidden() bool {
	for _, err := range e.Reason {
		if !apierrors.IsForbidden(err) {
			return false
		}
	}
	return true
}

// IsRefused reports whether a server was reached and did not accept the account, or there is no account to try.
func (e *LoginError) IsRefused() bool {
	return slices.ContainsFunc(e.Reason, func(err error) bool {
		var none *noAccountError
		return isRefusedLogin(err) || errors.As(err, &none)
	})
}

// IsNotListening reports whether the way led into the pod and nothing listens there.
func (e *LoginError) IsNotListening() bool {
	return !e.IsRefused() && slices.ContainsFunc(e.Reason, func(err error) bool {
		n := NumberOf(err)
		return errors.Is(err, errNotListening) || n == errNoSocket || n == errNoHost
	})
}

// Numbers of the client's own errors: it found no server at the socket, or at the port.
const (
	errNoSocket = 2002
	errNoHost   = 2003
)

// noAccountError says that there is no account to try.
type noAccountError struct {
	flavour string
	via     Via
}

func (e *noAccountError) Error() string {
	return fmt.Sprintf("no account of %s is known for --via=%s: give one with --user and --password-from", e.flavour, e.via)
}

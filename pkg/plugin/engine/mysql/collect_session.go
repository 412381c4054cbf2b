// Package mysql logs in to the MySQL and MariaDB servers of pods and asks them: Engine finds servers in pods, Connector.Open
// makes a Session with it over a port-forward or with the client in its container, and Session.Ask runs statements. It knows
// what differs between products, versions, operators and charts as tables, and the two kinds of transaction identifiers.
package mysql

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Connector opens sessions.
type Connector struct{ *dbserver.Connector }

// NewConnector makes a connector; it sends nothing yet.
func NewConnector(cluster *kube.Cluster, access dbserver.Access) *Connector {
	return &Connector{dbserver.NewConnector(cluster, access)}
}

// Session is a connection to one server, or the right to run its client. It is not for use by several goroutines at once.
type Session struct {
	Server dbserver.Server
	// Via is the way that was taken: dbserver.ViaPortForward or ViaExec. User is the account, empty where an options file names it.
	Via  dbserver.Via
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

// Open logs in to a server, by the ways that the access allows, the next where one fails, and asks it about subjects. An error is a
// *dbserver.LoginError or a *dbserver.NotRunningError. The session is for statements of the plugin's own.
func (c *Connector) Open(ctx context.Context, s dbserver.Server, subjects ...Subject) (*Session, error) {
	return c.open(ctx, s, false, subjects)
}

// OpenReader is Open for a statement that a user gives, see Session.Read: the server takes one at a time.
func (c *Connector) OpenReader(ctx context.Context, s dbserver.Server) (*Session, error) {
	return c.open(ctx, s, true, nil)
}

func (c *Connector) open(ctx context.Context, s dbserver.Server, single bool, subjects []Subject) (*Session, error) {
	return dbserver.Open(ctx, c.Connector, s, func(ctx context.Context, w dbserver.Way) (*Session, error) {
		return c.try(ctx, s, w, single, subjects)
	})
}

func (c *Connector) try(ctx context.Context, s dbserver.Server, w dbserver.Way, single bool, subjects []Subject) (*Session, error) {
	back, err := c.connect(ctx, s, w, single)
	if err != nil {
		return nil, err
	}
	session := &Session{Server: s, Via: w.Via, User: w.Credentials.User, back: back, single: single}
	if w.Login != nil && w.Login.OptionFile == "" {
		session.User = w.Login.User
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

func (c *Connector) connect(ctx context.Context, s dbserver.Server, w dbserver.Way, single bool) (backend, error) {
	if w.Login != nil {
		return &client{cluster: c.Cluster, in: containerOf(s),
			command: func(seconds int, stopAtError bool) []string { return commandFor(*w.Login, seconds, stopAtError) }}, nil
	}
	credentials, mode, err := c.Prepare(ctx, s, w)
	if err != nil {
		return nil, err
	}
	if w.Via == dbserver.ViaExec {
		if strings.ContainsAny(credentials.Password, "\r\n") {
			return nil, errors.New("a multi-line password can't be passed to the client: use --via=port-forward")
		}
		return &client{cluster: c.Cluster, in: containerOf(s), stdin: credentials.Password + "\n",
			command: func(seconds int, stopAtError bool) []string {
				return commandWithPassword(credentials.User, seconds, stopAtError)
			}}, nil
	}
	back, err := dial(ctx, c.Cluster, s, credentials, mode, !single)
	if c.Access.PasswordFrom.IsOwn() && offersNoTLS(err) {
		return nil, dbserver.Handing{Origin: dbserver.OfUser, Channel: dbserver.Clear}.Check()
	}
	if err != nil {
		return nil, err
	}
	return back, nil
}

func containerOf(s dbserver.Server) kube.Container {
	return kube.Container{Namespace: s.Pod.Namespace, Pod: s.Pod.Name, Name: s.Container}
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

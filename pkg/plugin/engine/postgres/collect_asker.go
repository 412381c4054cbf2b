package postgres

import (
	"context"
	"errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// NewAsker makes what asks servers all that the plugin asks of itself: FirstStatement, and what Statements has.
func NewAsker(cluster *kube.Cluster, access dbserver.Access) dbserver.Asker {
	return asker{NewConnector(cluster, access)}
}

type asker struct{ connector *Connector }

// Open implements dbserver.Asker.
func (a asker) Open(ctx context.Context, s dbserver.Server, said *dbserver.Said) (dbserver.Session, error) {
	session, err := a.connector.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	rest, err := ask(ctx, session, Statements(session.Version))
	if err != nil {
		session.Close()
		return nil, err
	}
	said.Via, said.User, said.Answers = string(session.Via), session.User, append([]v1alpha1.DatabaseAnswer{reported(SubjectServer, session.First)}, rest...)
	return asked{session}, nil
}

// Alike implements dbserver.Asker: the servers are at the same position.
func (asker) Alike(said []dbserver.Said) bool {
	first := ""
	for i := range said {
		for _, a := range said[i].Answers {
			if a.Subject != string(SubjectServer) || len(a.Rows) != 1 {
				continue
			}
			lsn := Row(a.Rows[0]).Text("lsn")
			if first == "" {
				first = lsn
			}
			if lsn != first {
				return false
			}
		}
	}
	return true
}

// Compared implements dbserver.Asker.
func (asker) Compared(a v1alpha1.DatabaseAnswer) bool { return a.Subject == string(SubjectPosition) }

// asked is a session in which a server is asked what the plugin asks of itself.
type asked struct{ session *Session }

func (a asked) Via() dbserver.Via { return a.session.Via }

func (a asked) Close() { a.session.Close() }

func (a asked) Ask(ctx context.Context, said *dbserver.Said) error {
	said.Via, said.User = string(a.session.Via), a.session.User
	var err error
	said.Answers, err = ask(ctx, a.session, append([]Statement{FirstStatement()}, Statements(a.session.Version)...))
	if first := said.Answers[0].Error; err == nil && first != nil { // every server answers this, unless it is shutting down
		return &ServerError{State: first.State, Message: first.Message}
	}
	return err
}

func (a asked) Compares() bool { return true }

func (a asked) AskAgain(ctx context.Context) (v1alpha1.DatabaseAnswer, error) {
	answer := a.session.Ask(ctx, positionAgain.Text)[0]
	return reported(SubjectPosition, answer), broken(answer)
}

// ask asks all statements. An error is not a server's answer: then the session has ended.
func ask(ctx context.Context, session *Session, statements []Statement) ([]v1alpha1.DatabaseAnswer, error) {
	texts := make([]string, len(statements))
	for i := range statements {
		texts[i] = statements[i].Text
	}
	var list []v1alpha1.DatabaseAnswer
	var failed error
	for i, answer := range session.Ask(ctx, texts...) {
		list = append(list, reported(statements[i].Subject, answer))
		failed = cmpError(failed, broken(answer))
	}
	return list, failed
}

// broken is an answer's error if it is not the server's.
func broken(a Answer) error {
	var said *ServerError
	if a.Err != nil && !errors.As(a.Err, &said) {
		return a.Err
	}
	return nil
}

// reported is an answer as reports have it.
func reported(subject Subject, a Answer) v1alpha1.DatabaseAnswer {
	out := v1alpha1.DatabaseAnswer{Subject: string(subject), Statement: a.Statement}
	for _, row := range a.Maps() {
		out.Rows = append(out.Rows, row)
	}
	if a.Err != nil {
		out.Error = &v1alpha1.DatabaseError{Message: objects.OneLine(a.Err.Error())}
		var e *ServerError
		if errors.As(a.Err, &e) {
			out.Error.State, out.Error.Message = e.State, objects.OneLine(e.Message)
		} else if errors.Is(a.Err, context.DeadlineExceeded) {
			out.Error.Message = "no answer in time"
		}
	}
	return out
}

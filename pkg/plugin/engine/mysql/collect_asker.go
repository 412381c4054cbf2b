package mysql

import (
	"context"
	"errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// SubjectGTIDAgain is the second answer about transactions: all servers give it after all have given the first. What a source has
// then includes what its replicas had at first, unless they have it from somewhere else.
const SubjectGTIDAgain Subject = "transactions again"

// NewAsker makes what asks servers all that the plugin asks of itself: FirstStatement, and what Subjects has.
func NewAsker(cluster *kube.Cluster, access dbserver.Access) dbserver.Asker {
	return asker{NewConnector(cluster, access)}
}

type asker struct{ connector *Connector }

// Open implements dbserver.Asker.
func (a asker) Open(ctx context.Context, s dbserver.Server, said *dbserver.Said) (dbserver.Session, error) {
	session, err := a.connector.Open(ctx, s, Subjects...)
	if err != nil {
		return nil, err
	}
	said.Via, said.User = string(session.Via), session.User
	said.Answers = append(said.Answers, reported(SubjectVariables, session.Variables))
	for _, answer := range session.Answers {
		said.Answers = append(said.Answers, reported(answer.Subject, answer.Answer))
	}
	return asked{session}, nil
}

// Alike implements dbserver.Asker: the servers have the same transactions.
func (asker) Alike(said []dbserver.Said) bool {
	var first Row
	for i := range said {
		for _, a := range said[i].Answers {
			switch {
			case a.Subject != string(SubjectGTID):
			case len(a.Rows) != 1:
				return false
			case first == nil:
				first = a.Rows[0]
			default:
				for _, column := range []string{"gtid_executed", "gtid_binlog_state"} {
					if Row(a.Rows[0]).Text(column) != first.Text(column) {
						return false
					}
				}
			}
		}
	}
	return true
}

// Compared implements dbserver.Asker.
func (asker) Compared(a v1alpha1.DatabaseAnswer) bool {
	return a.Subject == string(SubjectGTID) || a.Subject == string(SubjectGTIDAgain)
}

// asked is a session in which a server is asked what the plugin asks of itself.
type asked struct{ session *Session }

func (a asked) Via() dbserver.Via { return a.session.Via }

func (a asked) Close() { a.session.Close() }

func (a asked) Ask(ctx context.Context, said *dbserver.Said) error {
	said.Via, said.User = string(a.session.Via), a.session.User
	statements := append([]Statement{FirstStatement()}, Statements(a.session.Version)...)
	answers := a.session.Ask(ctx, texts(statements)...)
	for i, answer := range answers {
		said.Answers = append(said.Answers, reported(statements[i].Subject, answer))
	}
	if err := answers[0].Err; err != nil { // every server answers this
		return err
	}
	// What waits for the lock on the binary log, and is asked for last, keeps nothing else from being known. The session has ended with it:
	// the next question finds that out.
	if last := len(answers) - 1; statements[last].Subject == SubjectBinlog && errors.Is(answers[last].Err, context.DeadlineExceeded) {
		answers = answers[:last]
	}
	return broken(answers)
}

func (a asked) Compares() bool { return StatementFor(a.session.Version, SubjectGTID).Text != "" }

func (a asked) AskAgain(ctx context.Context) (v1alpha1.DatabaseAnswer, error) {
	answer, _ := a.session.Query(ctx, StatementFor(a.session.Version, SubjectGTID).Text) // the error is in the answer
	return reported(SubjectGTIDAgain, answer), broken([]Answer{answer})
}

// broken returns the first error that is not a server's answer: then the session has ended.
func broken(answers []Answer) error {
	for _, a := range answers {
		var said *ServerError
		if a.Err != nil && !errors.As(a.Err, &said) {
			return a.Err
		}
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
		out.Error = &v1alpha1.DatabaseError{Number: int64(NumberOf(a.Err)), Message: objects.OneLine(a.Err.Error())}
		var e *ServerError
		if errors.As(a.Err, &e) {
			out.Error.Message = objects.OneLine(e.Message)
		} else if errors.Is(a.Err, context.DeadlineExceeded) {
			out.Error.Message = "no answer in time"
		}
	}
	return out
}

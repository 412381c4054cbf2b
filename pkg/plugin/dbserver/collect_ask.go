package dbserver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Asker logs in to servers of one engine and asks them all that the plugin asks of itself.
type Asker interface {
	// Open logs in to a server and asks it everything, within the context's time; what it says is in said, its Failure aside. The session,
	// which is nil with an error, stays open.
	Open(ctx context.Context, s Server, said *Said) (Session, error)
	// Alike reports whether all servers that answered have the same data, as far as their answers tell: then AskAgain would tell nothing.
	Alike(said []Said) bool
	// Compared reports whether an answer is to the question that AskAgain asks: the first to it, or the second.
	Compared(answer v1alpha1.DatabaseAnswer) bool
}

// Asker makes what asks servers of any of the engines.
func (e Engines) Asker(cluster *kube.Cluster, access Access) Asker {
	all := askers{}
	for _, engine := range e {
		all[engine] = engine.NewAsker(cluster, access)
	}
	return all
}

// askers ask each server in the way of its engine.
type askers map[*Engine]Asker

// Open implements Asker.
func (a askers) Open(ctx context.Context, s Server, said *Said) (Session, error) {
	return a[s.Engine].Open(ctx, s, said)
}

// Alike implements Asker: an engine passes over answers that are not to its questions.
func (a askers) Alike(said []Said) bool {
	for _, asker := range a {
		if !asker.Alike(said) {
			return false
		}
	}
	return true
}

// Compared implements Asker.
func (a askers) Compared(answer v1alpha1.DatabaseAnswer) bool {
	for _, asker := range a {
		if asker.Compared(answer) {
			return true
		}
	}
	return false
}

// Session is a server that has let the plugin in. It is not for use by several goroutines at once.
type Session interface {
	// Via is the way that was taken: ViaPortForward or ViaExec.
	Via() Via
	// Ask asks everything once more. An error means that the session is of no more use.
	Ask(ctx context.Context, said *Said) error
	// Compares reports whether there is something to ask again.
	Compares() bool
	// AskAgain asks for what has to be compared between servers, when all have answered: what one has then includes what others had
	// before. An error means that the session is of no more use; the answer then says why.
	AskAgain(ctx context.Context) (v1alpha1.DatabaseAnswer, error)
	// Close ends the session; nothing of it is left in the cluster.
	Close()
}

// AskAll asks servers once, all at the same time, and those whose answers have to be compared once more when each has answered or has had
// its time. It returns what they said by namespace/pod. Progress is called with how many have answered.
func AskAll(ctx context.Context, asker Asker, servers []Server, timeout time.Duration, progress func(text string)) map[string]Said {
	said := make([]Said, len(servers))
	sessions := make([]Session, len(servers))
	var mu sync.Mutex
	answered := 0
	report := func() { progress(fmt.Sprintf("querying servers: %d of %d have answered", answered, len(servers))) }
	report()
	var group errgroup.Group
	for i := range servers {
		group.Go(func() error {
			sessions[i], _ = open(ctx, asker, servers[i], timeout, &said[i]) // the error is in what it said
			mu.Lock()
			defer mu.Unlock()
			answered++
			report()
			return nil
		})
	}
	_ = group.Wait()
	alike := asker.Alike(said)
	for i, session := range sessions {
		if session == nil {
			continue
		}
		group.Go(func() error {
			defer session.Close()
			if !session.Compares() || alike {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			answer, _ := session.AskAgain(ctx) // the error is in the answer
			said[i].Answers = append(said[i].Answers, answer)
			return nil
		})
	}
	_ = group.Wait()
	all := make(map[string]Said, len(servers))
	for i, server := range servers {
		all[server.Name()] = said[i]
	}
	return all
}

// open logs in to a server within its time and asks it everything.
func open(ctx context.Context, asker Asker, s Server, timeout time.Duration, said *Said) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	session, err := asker.Open(ctx, s, said)
	if err != nil {
		*said = failed(s, err, timeout)
		return nil, err
	}
	return session, nil
}

// failed is what is known of a server that did not answer within its time.
func failed(s Server, err error, timeout time.Duration) Said {
	problem := ProblemOf(s, err, timeout)
	return Said{Failure: &problem, Cause: CauseOf(err)}
}

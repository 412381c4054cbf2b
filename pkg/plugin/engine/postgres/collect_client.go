package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// maxAnswer bounds what is kept of a server's answers to one Ask, in bytes.
const maxAnswer = 16 << 20

// defaultClientSeconds bounds a client in a container where the context has no deadline.
const defaultClientSeconds = 60

// client is a backend that runs psql inside the server's container, once for each Ask. Passwords come from the container, or from stdin.
type client struct {
	cluster *kube.Cluster
	in      kube.Container
	stdin   string // what the command reads before psql does
	command func(mark string, seconds int) []string
}

func (c *client) ask(ctx context.Context, statements []string) []Answer {
	mark := rand.Text() // what the cluster's text can't contain
	seconds := defaultClientSeconds
	if deadline, ok := ctx.Deadline(); ok {
		seconds = int(time.Until(deadline)/time.Second) + 1
	}
	out, errOut := kube.NewOutput(maxAnswer), kube.NewOutput(maxAnswer)
	in := strings.NewReader(c.stdin + clientInput(mark, statements))
	err := c.cluster.Stream(ctx, c.in, kube.Streams{In: in, Out: out, Err: errOut}, c.command(mark, seconds)...)
	if out.Cut() {
		err = fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
	}
	return assign(statements, mark, out.String(), explainClient(err, errOut.String()))
}

func (c *client) close() {}

// timedOut is timeout(1)'s exit code.
const timedOut = 124

// explainClient says why the client did not run to its end.
func explainClient(failure error, stderr string) error {
	var exit *kube.ExitError
	if !errors.As(failure, &exit) {
		return failure
	}
	if exit.Code == timedOut {
		return context.DeadlineExceeded
	}
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if e := refusalOf(line); strings.HasPrefix(line, "psql: ") {
			return e
		} else if line != "" {
			exit.Stderr = line
			break
		}
	}
	exit.Program = "psql in the container"
	return exit
}

// clientFor is the client on a way to a server.
func (c *Connector) clientFor(ctx context.Context, s dbserver.Server, w dbserver.Way) (*client, error) {
	in := kube.Container{Namespace: s.Pod.Namespace, Pod: s.Pod.Name, Name: s.Container}
	if w.Login != nil {
		if w.Login.Container != "" {
			in.Name = w.Login.Container
		}
		return &client{cluster: c.Cluster, in: in, command: func(mark string, seconds int) []string { return commandFor(s, *w.Login, mark, seconds) }}, nil
	}
	credentials, _, err := c.Prepare(ctx, s, w)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(credentials.Password, "\r\n") {
		return nil, errors.New("a multi-line password can't be passed to the client: use --via=port-forward")
	}
	return &client{cluster: c.Cluster, in: in, stdin: credentials.Password + "\n",
		command: func(mark string, seconds int) []string {
			return commandWithPassword(s, credentials.User, mark, seconds)
		}}, nil
}

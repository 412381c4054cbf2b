package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// maxAnswer bounds what is kept of a server's answers to one Ask, in bytes.
const maxAnswer = 16 << 20

// defaultClientSeconds bounds a client in a container where the context has no deadline.
const defaultClientSeconds = 60

// client is a backend that runs the client inside the server's container, once for each Ask. Passwords come from the container, or
// from stdin.
type client struct {
	cluster *kube.Cluster
	in      kube.Container
	stdin   string // what the command reads before the statements
	command func(seconds int, stopAtError bool) []string
}

func (c *client) ask(ctx context.Context, statements []string, stopAtError bool) []Answer {
	var script strings.Builder
	script.WriteString(c.stdin)
	for _, s := range statements {
		script.WriteString(s + ";\n")
	}
	seconds := defaultClientSeconds
	if deadline, ok := ctx.Deadline(); ok {
		seconds = int(time.Until(deadline)/time.Second) + 1
	}
	out, errOut := kube.NewOutput(maxAnswer), kube.NewOutput(maxAnswer)
	err := c.cluster.Stream(ctx, c.in, kube.Streams{In: strings.NewReader(script.String()), Out: out, Err: errOut}, c.command(seconds, stopAtError)...)
	if out.Cut() {
		err = fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
	}
	return assign(statements, out.String(), errOut.String(), err, stopAtError)
}

func (c *client) version() (v Version, ok bool) { return Version{}, false }

func (c *client) close() {}

// assign tells which statement each result and each error of the client's output belongs to.
func assign(statements []string, stdout, stderr string, failure error, stopAtError bool) []Answer {
	answers := make([]Answer, len(statements))
	done := make([]bool, len(statements))
	for i, s := range statements {
		answers[i].Statement = s
	}
	var general error // not of one statement
	numbered := false
	for line := range strings.Lines(stderr) {
		e, number, ok := parseClientError(strings.TrimSpace(line))
		switch {
		case !ok:
		case number < 1 || number > len(statements):
			general = firstError(general, e)
		default:
			answers[number-1].Err, done[number-1] = e, true
			numbered = true
		}
	}
	results, err := parseXML(stdout)
	var exit *kube.ExitError
	if numbered && errors.As(failure, &exit) && exit.Code != timedOut {
		failure = nil // the statement's error is why the client failed
	}
	general = firstError(general, explainClient(failure, stderr, results), err)
	next := 0
	for _, r := range results {
		for i := next; i < len(statements); i++ {
			if strings.TrimSpace(statements[i]) == strings.TrimSpace(r.Statement) && !done[i] {
				r.Statement = statements[i]
				answers[i], done[i], next = r, true, i+1
				break
			}
		}
	}
	var stopped error
	for i := range answers {
		if stopAtError && stopped != nil {
			answers[i].Err = stopped
		} else if !done[i] && general != nil {
			answers[i].Err = general
		}
		stopped = firstError(stopped, answers[i].Err)
	}
	return answers
}

// timedOut is timeout(1)'s exit code.
const timedOut = 124

// explainClient says why the client did not run to its end. A client that printed results has told the rest in its errors.
func explainClient(failure error, stderr string, results []Answer) error {
	var exit *kube.ExitError
	if !errors.As(failure, &exit) {
		return failure
	}
	switch {
	case exit.Code == timedOut:
		return context.DeadlineExceeded
	case len(results) > 0:
		return nil
	}
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "[Warning]") {
			exit.Stderr = line
			break
		}
	}
	exit.Program = "the client in the container"
	return exit
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

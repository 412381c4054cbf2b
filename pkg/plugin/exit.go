package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Exit codes. scope.ExitFindings and scope.ExitNotJudged are the others.
const (
	exitDone  = 0
	exitError = 1
)

// Main runs the command line and returns the exit code. An error is one line on stderr.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	cmd, connection := newCommand(genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut})
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if ctx.Err() != nil && err != nil {
		err = errors.New("interrupted")
	}
	return exitCode(err, scope.Given(connection), errOut)
}

func exitCode(err error, given finding.Given, errOut io.Writer) int {
	if err == nil {
		return exitDone
	}
	text := given.Paste(message(err))
	if printers.LacksUTF8(errOut, os.Getenv) {
		text = printers.ASCII(text)
	}
	fmt.Fprintln(errOut, text)
	var found *scope.FindingsError
	if errors.As(err, &found) {
		return scope.ExitFindings
	}
	var notJudged *scope.NotJudgedError
	if errors.As(err, &notJudged) {
		return scope.ExitNotJudged
	}
	return exitError
}

// message is an error as kubectl prints it, with a hint where cobra's own errors have one in a line of its own.
func message(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = printers.Escape(line); line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "; ")
	if !strings.HasPrefix(text, "error:") {
		text = "error: " + text
	}
	return text
}

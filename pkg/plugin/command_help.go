package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// question is a user's question, and the subcommands that answer it.
type question struct {
	text     string
	commands []answer
}

// answer is a subcommand with an example of it.
type answer struct {
	*cobra.Command
	example string
}

const rootIntroduction = `kubectl doik checks databases on Kubernetes: what runs, what is missing, and why.

It is read-only, except for one short-lived debug pod that dns and endpoint create to resolve names and always delete.
`

const rootClosing = `
Exit codes: 0 completed, regardless of findings; 1 failed; with --fail-on: 3 for a finding that severe, 4 if not everything could be read.
kubectl doik --print-rbac prints a role for everything that only reads; --print-rbac=exec,port-forward,… adds more powerful ones, -n NAMESPACE limits them to it.
Use "kubectl doik <command> --help" for more information and examples.
Use "kubectl doik options" for a list of global command-line options (applies to all commands).
`

// writeOverview is the help of the root command.
func writeOverview(w io.Writer, questions []question) {
	var b strings.Builder
	b.WriteString(rootIntroduction)
	width := 0
	for _, q := range questions {
		for _, a := range q.commands {
			width = max(width, len(a.Name()))
		}
	}
	for _, q := range questions {
		fmt.Fprintf(&b, "\n%s\n", q.text)
		for _, a := range q.commands {
			fmt.Fprintf(&b, "  %-*s %s\n", width, a.Name(), a.Short)
			if a.example != "" {
				fmt.Fprintf(&b, "  %-*s   %s\n", width, "", a.example)
			}
		}
	}
	b.WriteString(rootClosing)
	_, _ = io.WriteString(w, b.String())
}

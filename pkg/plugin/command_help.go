package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// question is what somebody wants to know, and the subcommands that tell.
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

It only reads the cluster; the one thing it makes is the short-lived pod in which dns and endpoint ask, and which they remove.
`

const rootClosing = `
Exit codes: 0 done, whatever the health; 1 it could not be done; 3 with --fail-on and a finding that severe.
kubectl doik --print-rbac prints the role for what only reads; --print-rbac=exec,port-forward,… adds strong ones, -n NAMESPACE binds them to it.
Use "kubectl doik <command> --help" for more information and examples.
Use "kubectl doik options" for a list of global command-line options (applies to all commands).
`

// writeOverview is the help of the root command.
func writeOverview(w io.Writer, questions []question) {
	var b strings.Builder
	b.WriteString(rootIntroduction)
	for _, q := range questions {
		fmt.Fprintf(&b, "\n%s\n", q.text)
		for _, a := range q.commands {
			fmt.Fprintf(&b, "  %-16s %s\n", a.Name(), a.Short)
			if a.example != "" {
				fmt.Fprintf(&b, "  %-16s   %s\n", "", a.example)
			}
		}
	}
	b.WriteString(rootClosing)
	_, _ = io.WriteString(w, b.String())
}

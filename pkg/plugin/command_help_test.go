package plugin

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func newRoot() (*cobra.Command, *bytes.Buffer) {
	out := &bytes.Buffer{}
	return NewCommand(genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: out, ErrOut: out}), out
}

var (
	commandLine = regexp.MustCompile(`kubectl doik [^|>&)\n]+`)
	word        = regexp.MustCompile(`(?:'[^']*'|[^' ])+`)
)

// parses reports whether a command line of the help is one: --help beside its words reads all flags and runs nothing.
func parses(t *testing.T, line string) {
	t.Helper()
	var args []string
	for _, w := range word.FindAllString(strings.TrimPrefix(line, "kubectl doik "), -1) {
		args = append(args, strings.ReplaceAll(w, "'", ""))
	}
	root, out := newRoot()
	found, _, err := root.Find(args)
	if err != nil || found == root {
		t.Errorf("%s: there is no such command", line)
		return
	}
	root.SetArgs(append(args, "--help"))
	if err := root.Execute(); err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
}

// TestExamples reads every example of every help text.
func TestExamples(t *testing.T) {
	root, out := newRoot()
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		examples := commandLine.FindAllString(cmd.Example, -1)
		if len(examples) < 3 {
			t.Errorf("%s has %d examples", cmd.Name(), len(examples))
		}
		for _, e := range examples {
			if !strings.HasPrefix(e, "kubectl doik "+cmd.Name()) {
				t.Errorf("an example of %s: %s", cmd.Name(), e)
			}
			parses(t, e)
		}
	}
	root.SetArgs(nil)
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^ +kubectl doik .*$`).FindAllString(out.String(), -1) {
		parses(t, strings.TrimSpace(line))
	}
	for _, cmd := range root.Commands() {
		if !cmd.Hidden && cmd.Name() != "help" && !strings.Contains(out.String(), "\n  "+cmd.Name()+" ") {
			t.Errorf("%s is not in the overview", cmd.Name())
		}
	}
}

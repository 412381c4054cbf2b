package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// shownWith are those flags that a saved snapshot is analyzed with; the others say what is read.
var shownWith = []string{"--only=", "--exclude=", "--capacity-type=", "--stateful", "--pods", "--spot-label=", "-l", "--selector="}

// Saved runs a command of the plugin with --save-snapshot, and then analyzes the file without any cluster: both reports must be the same. It
// returns the file's content.
func Saved(n *Namespace, command string, args ...string) string {
	n.Helper()
	file := filepath.Join(n.TempDir(), "snapshot.yaml")
	live := n.Doik(append(append([]string{command}, args...), "-o", "yaml", "--save-snapshot", file)...)
	offline := []string{"doik", command, "--snapshot", file, "-o", "yaml", "--kubeconfig=/nonexistent"}
	offline = append(offline, slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		return !slices.ContainsFunc(shownWith, func(flag string) bool { return strings.HasPrefix(arg, flag) })
	})...)
	later := Run(n, "", "kubectl", offline...)
	if live.Code != 0 || later.Code != 0 {
		n.Fatalf("kubectl doik %s %s: exit code %d, %s; of its snapshot: exit code %d, %s", command, strings.Join(args, " "), live.Code, live.Err, later.Code, later.Err)
	}
	if diff := cmp.Diff(withoutOrigin(n, live.Out), withoutOrigin(n, later.Out)); diff != "" {
		n.Errorf("kubectl doik %s %s: the snapshot shows something else (-live +snapshot):\n%s", command, strings.Join(args, " "), diff)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		n.Fatal(err)
	}
	return string(text)
}

// withoutOrigin decodes a report and takes off it what differs by nature: where it comes from, and with which flags commands are to be pasted.
func withoutOrigin(n *Namespace, text string) any {
	n.Helper()
	var report map[string]any
	if err := yaml.Unmarshal([]byte(text), &report); err != nil {
		n.Fatalf("%v:\n%s", err, text)
	}
	delete(report, "metadata")
	var without func(any)
	without = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "command")
			delete(v, "remedy") // of a problem; a finding's is explain and command
			for _, value := range v {
				without(value)
			}
		case []any:
			for _, value := range v {
				without(value)
			}
		}
	}
	without(report)
	return report
}

package readme

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// Run runs the commands that the READMEs show for a bed, in a namespace, as a user with the roles of --print-rbac and no others. Each
// must succeed, and print the tables that the README shows. What both READMEs show is run once.
func Run(t *testing.T, n *cluster.Namespace, bed string) {
	t.Setenv("KUBECONFIG", kubeconfig(t, n))
	done := map[string]bool{}
	for _, file := range Files {
		blocks, err := Blocks(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			if b.Bed != bed {
				continue
			}
			for _, c := range b.Commands {
				if key := c.Line + c.Output; done[key] {
					continue
				} else {
					done[key] = true
				}
				r := cluster.Run(t, "", "bash", "-o", "pipefail", "-c", c.Line)
				if r.Code != 0 || r.Err != "" {
					t.Errorf("%s:%d: %s: exit code %d: %s", b.File, b.Line, c.Line, r.Code, r.Err)
				} else if err := c.Compare(r.Out); err != nil {
					t.Errorf("%s:%d: %v", b.File, b.Line, err)
				}
			}
		}
	}
	if len(done) == 0 {
		t.Error("the READMEs run nothing here")
	}
}

// parts are those of --print-rbac that the READMEs' commands need beside reading.
var parts = []string{"exec", "port-forward", "debug-pod", "kubelets"}

// kubeconfig grants the printed roles to a user of the test's own, and writes a kubeconfig of the current cluster for that user in
// the test's namespace.
func kubeconfig(t *testing.T, n *cluster.Namespace) string {
	t.Helper()
	n.Grant(t, n.NS, nil, parts...)
	var config map[string]any
	if err := yaml.Unmarshal([]byte(n.Kubectl("config", "view", "--raw", "--flatten", "--minify")), &config); err != nil {
		t.Fatal(err)
	}
	user := config["users"].([]any)[0].(map[string]any)["user"].(map[string]any)
	user["as"], user["as-groups"] = n.NS, []string{"system:authenticated"}
	config["contexts"].([]any)[0].(map[string]any)["context"].(map[string]any)["namespace"] = n.NS
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, 20*time.Second, func() error { // the authorizer learns of the role a moment later
		if r := cluster.Run(t, "", "kubectl", "--kubeconfig="+path, "get", "statefulsets"); r.Code != 0 {
			return fmt.Errorf("as the user: %s", r.Err)
		}
		return nil
	})
	return path
}

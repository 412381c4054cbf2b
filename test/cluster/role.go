package cluster

import (
	"strings"
	"testing"
)

// Grant gives a user of a test's own what kubectl doik --print-rbac prints with the parts, and whatever change makes of it, in the whole
// cluster; nil leaves it as it is. Roles and bindings are removed when the test ends.
func (n *Namespace) Grant(t *testing.T, user string, change func(string) string, parts ...string) {
	t.Helper()
	flag := "--print-rbac"
	if len(parts) > 0 {
		flag += "=" + strings.Join(parts, ",")
	}
	printed := Run(t, "", "kubectl", "doik", flag)
	if printed.Code != 0 {
		t.Fatal(printed.Err)
	}
	text := strings.ReplaceAll(printed.Out, "name: kubectl-doik", "name: "+user)
	if change != nil {
		text = change(text)
	}
	n.Apply(text)
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "name: "+user); ok {
			n.Kubectl("create", "clusterrolebinding", user+name, "--clusterrole="+user+name, "--user="+user)
			t.Cleanup(func() { n.TryKubectl("delete", "clusterrole,clusterrolebinding", user+name) })
		}
	}
}

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

// GrantKinds lets a user of a test's own list what operators have of sets and backups, in the namespace: whether the API has those kinds depends on the tests that
// run beside it, and with them there would be refusals of their own.
func (n *Namespace) GrantKinds(user string) {
	n.Helper()
	n.Apply(`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: kinds}, rules: [{verbs: [list, watch], resources: ["*"], apiGroups: [
  postgresql.cnpg.io, core.strimzi.io, kafka.strimzi.io, workloads.kubeblocks.io, apps.kruise.io, k8s.mariadb.com, mysql.oracle.com, ps.percona.com, pxc.percona.com]}]}`)
	n.Kubectl("create", "rolebinding", "kinds-"+user, "--role=kinds", "--user="+user)
}

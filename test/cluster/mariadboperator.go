package cluster

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// mariaDBOperatorScripts bring mariadb-operator up on the project's node, and take it away.
const mariaDBOperatorScripts = "../node/mariadb-operator/"

// MariaDBOperator brings mariadb-operator up. When the test ends, however it does, the operator goes, with its CRDs and webhooks and all its sets:
// other tests find the node as they expect it.
func MariaDBOperator(t testing.TB) {
	t.Helper()
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: the operator and its images are made for the project's own node")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("mariadb-operator:\n%s\n%s", Run(t, "", "kubectl", "get", "mariadbs.k8s.mariadb.com", "-A", "-o", "yaml").Out,
				Run(t, "", "kubectl", "logs", "-n", "mariadb-system", "deployment/mariadb-operator", "--tail=30").Out)
		}
		if r := Run(t, "", mariaDBOperatorScripts+"down"); r.Code != 0 {
			t.Errorf("the operator is not gone: %s", r.Err)
		}
	})
	t.Log(must(t, Run(t, "", mariaDBOperatorScripts+"up")).Err)
}

// ApplyMariaDBs makes the sets of manifests, and waits until they are ready.
func (n *Namespace) ApplyMariaDBs(files ...string) {
	n.Helper()
	for _, file := range files {
		n.Apply(n.Manifest(file))
	}
	for set := range strings.FieldsSeq(n.Kubectl("get", "mariadbs", "-o", "jsonpath={.items[*].metadata.name}")) {
		n.MariaDBReady(set)
	}
}

// MariaDBReady waits until the operator calls a set ready, all its pods are, and each has the label of its role.
func (n *Namespace) MariaDBReady(set string) {
	n.Helper()
	Eventually(n, 5*time.Minute, n.MariaDBIsReady(set))
}

// MariaDBIsReady returns what tells why a set is not ready.
func (n *Namespace) MariaDBIsReady(set string) func() error {
	return func() error {
		ready := n.Kubectl("get", "mariadb/"+set, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status} {.spec.replicas} {.status.replicas} {.status.currentPrimary}`)
		pods := n.Kubectl("get", "pods", "-l", "app.kubernetes.io/instance="+set+",k8s.mariadb.com/role", "-o", `jsonpath={range .items[*]}{.metadata.name}={.metadata.labels.k8s\.mariadb\.com/role}={.status.conditions[?(@.type=="Ready")].status} {end}`)
		words := strings.Fields(ready)
		if len(words) != 4 || words[0] != "True" || words[1] != words[2] || fmt.Sprint(strings.Count(pods, "=True")) != words[1] || !strings.Contains(pods, words[3]+"=primary=") {
			return fmt.Errorf("%s: ready, wanted, there, primary: %s; pods %s", set, ready, pods)
		}
		return nil
	}
}

// MariaDBPrimary is the pod that the operator sends a set's writes to.
func (n *Namespace) MariaDBPrimary(set string) string {
	n.Helper()
	return n.Kubectl("get", "mariadb/"+set, "-o", "jsonpath={.status.currentPrimary}")
}

// MariaDBReplica is the first pod of a set that has the role.
func (n *Namespace) MariaDBReplica(set string) string {
	n.Helper()
	return n.Kubectl("get", "pods", "-l", "app.kubernetes.io/instance="+set+",k8s.mariadb.com/role=replica", "-o", "jsonpath={.items[0].metadata.name}")
}

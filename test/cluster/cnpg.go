package cluster

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// cnpgScripts bring the CloudNativePG operator up on the project's node, and take it away.
const cnpgScripts = "../node/cnpg/"

// CloudNativePG brings the operator up. When the test ends, however it does, the operator goes, with its CRDs and webhooks and all Clusters:
// other tests find the node as they expect it.
func CloudNativePG(t testing.TB) {
	t.Helper()
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: the operator and its images are made for the project's own node")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("CloudNativePG:\n%s\n%s", Run(t, "", "kubectl", "get", "clusters.postgresql.cnpg.io", "-A", "-o", "yaml").Out,
				Run(t, "", "kubectl", "logs", "-n", "cnpg-system", "deployment/cnpg-controller-manager", "--tail=30").Out)
		}
		if r := Run(t, "", cnpgScripts+"down"); r.Code != 0 {
			t.Errorf("the operator is not gone: %s", r.Err)
		}
	})
	t.Log(must(t, Run(t, "", cnpgScripts+"up")).Err)
}

// ApplyPostgres makes the Cluster shop and waits until it is healthy.
func (n *Namespace) ApplyPostgres() {
	n.Helper()
	n.Apply(n.Manifest("cnpg.yaml"))
	n.PostgresHealthy()
}

// Postgres is what the Cluster shop has at a path: .status.phase.
func (n *Namespace) Postgres(path string) string {
	n.Helper()
	return n.Kubectl("get", "cluster/shop", "-o", "jsonpath={"+path+"}")
}

// PostgresHealthy waits until the operator calls the Cluster healthy, all instances are ready, and no claim or pod is on its way.
func (n *Namespace) PostgresHealthy() {
	n.Helper()
	Eventually(n, 5*time.Minute, func() error {
		const want = "Cluster in healthy state"
		if phase := n.Postgres(".status.phase"); phase != want {
			return fmt.Errorf("%s: %s", phase, n.Postgres(".status.phaseReason"))
		}
		counts := strings.Fields(n.Postgres(".spec.instances} {.status.instances} {.status.readyInstances"))
		pods, claims := strings.Fields(n.Instances("")), strings.Fields(n.Postgres(".status.healthyPVC[*]"))
		if len(counts) != 3 || counts[0] != counts[1] || counts[0] != counts[2] || fmt.Sprint(len(pods)) != counts[0] || len(claims) != 2*len(pods) {
			return fmt.Errorf("instances wanted, with claims, ready: %v; pods %v, claims %v", counts, pods, claims)
		}
		if primary := n.Instances("primary"); primary != n.Postgres(".status.targetPrimary") {
			return fmt.Errorf("primary %q", primary)
		}
		return nil
	})
}

// Instances are the names of the pods of the Cluster shop that have a role: primary or replica. Without one, of all.
func (n *Namespace) Instances(role string) string {
	n.Helper()
	selector := "cnpg.io/cluster=shop,cnpg.io/podRole=instance"
	if role != "" {
		selector += ",cnpg.io/instanceRole=" + role
	}
	return n.Kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}")
}

// Replica is one of its replicas.
func (n *Namespace) Replica() string {
	n.Helper()
	all := strings.Fields(n.Instances("replica"))
	if len(all) == 0 {
		n.Fatal("no replica")
	}
	return all[0]
}

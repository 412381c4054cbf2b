//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestCNPG has a Cluster of the real CloudNativePG: what the API says of it while it is healthy, and what the plugin does. What can happen to it is
// in the table of faults.
func TestCNPG(t *testing.T) {
	cluster.CloudNativePG(t)
	n := cluster.NewNamespace(t)
	n.ApplyPostgres()

	if got := n.Kubectl("get", "deployment", "-n", "cnpg-system", "-o", "jsonpath={.items[*].metadata.name} {.items[*].status.readyReplicas}"); got != "cnpg-controller-manager 1" {
		t.Errorf("operator: %s", got)
	}
	pods, replicas, primary := strings.Fields(n.Instances("")), strings.Fields(n.Instances("replica")), n.Instances("primary")
	if fmt.Sprint(pods) != "[shop-1 shop-2 shop-3]" || len(replicas) != 2 || !slices.Contains(pods, primary) {
		t.Errorf("pods %v, replicas %v, primary %s", pods, replicas, primary)
	}
	if got, want := n.Postgres(".status.readyInstances} {.status.instanceNames} {.status.currentPrimary"), `3 ["shop-1","shop-2","shop-3"] `+primary; got != want {
		t.Errorf("status %s, want %s", got, want)
	}
	if got, want := n.Kubectl("get", "pvc", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.labels.cnpg\\.io/pvcRole} {.status.phase}, {end}"),
		"shop-1 PG_DATA Bound, shop-1-wal PG_WAL Bound, shop-2 PG_DATA Bound, shop-2-wal PG_WAL Bound, shop-3 PG_DATA Bound, shop-3-wal PG_WAL Bound,"; got != want {
		t.Errorf("claims %s, want %s", got, want)
	}
	for _, args := range [][]string{{"sts-status"}, {"check"}, {"nodes"}} {
		r := n.Doik(args...)
		if r.Code != 0 {
			t.Errorf("%s: exit code %d", args, r.Code)
		}
		t.Logf("kubectl doik %s:\n%s%s", args[0], r.Out, r.Err)
	}
}

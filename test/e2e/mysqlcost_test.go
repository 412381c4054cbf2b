//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/frontdoor"
)

// BenchmarkMySQLTopology measures what 20 servers cost beside one of them, and beside one statement on each of the 20 by hand: with
// everything on this machine, where plugin, API server, kubelet and all servers share its cores, and with an API server as far away
// as those of clouds are.
func BenchmarkMySQLTopology(b *testing.B) {
	const servers = 20
	d := newSet(cluster.NewNamespace(b), "mysql")
	d.Apply(strings.NewReplacer("replicas: 3", fmt.Sprintf("replicas: %d\n  podManagementPolicy: Parallel", servers)).Replace(d.Manifest("mysql.yaml")))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	d.Answering(servers)
	for _, far := range []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond} {
		b.Run(fmt.Sprintf("away=%s", far), func(b *testing.B) {
			way := "--kubeconfig=" + frontdoor.Distance(b, far)
			all := []string{"kubectl-doik", way, "-n", d.NS, "mysql-topology", "sts/mysql"}
			one := []string{"kubectl-doik", way, "-n", d.NS, "mysql-topology", "-l", "statefulset.kubernetes.io/pod-name=mysql-1"}
			loop := fmt.Sprintf("for i in $(seq 0 %d); do kubectl %s -n %s exec mysql-$i -c mysql -- mysql -uroot -h127.0.0.1 -e 'SHOW REPLICA STATUS'; done", servers-1, way, d.NS)
			b.Run("beside=one", func(b *testing.B) { cluster.Compare(b, all, one) })
			b.Run("beside=loop", func(b *testing.B) { cluster.Compare(b, all, []string{"bash", "-c", loop}) })
		})
	}
}

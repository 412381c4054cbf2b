//go:build integration

package integration

import (
	"fmt"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// BenchmarkStart is what every run pays: loading the program and making its commands.
func BenchmarkStart(b *testing.B) {
	cluster.Compare(b, []string{"kubectl-doik", "version", "--client"}, []string{"kubectl", "version", "--client"})
}

// BenchmarkOneSet looks at one set of five with usage, beside what one would type to see half of it.
func BenchmarkOneSet(b *testing.B) {
	n := cluster.NewNamespace(b)
	n.Apply(n.Manifest("web.yaml"))
	n.Kubectl("scale", "sts/web", "--replicas=5")
	n.RolledOut()
	b.Run("usage", func(b *testing.B) {
		cluster.Compare(b, []string{"kubectl-doik", "-n", n.NS, "sts-status", "web"}, []string{"kubectl", "-n", n.NS, "get", "sts,pods,pvc,svc"})
	})
	b.Run("no-usage", func(b *testing.B) {
		cluster.Compare(b, []string{"kubectl-doik", "-n", n.NS, "sts-status", "web", "--no-usage"}, []string{"kubectl", "-n", n.NS, "get", "sts,pods,pvc,svc"})
	})
}

// BenchmarkManySets looks at all namespaces.
func BenchmarkManySets(b *testing.B) {
	n := cluster.NewNamespace(b)
	for i := range 20 {
		set := fmt.Sprintf("s%d", i)
		n.Apply(fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": %[1]q}, "spec": {"serviceName": "", "replicas": 3,
			"podManagementPolicy": "Parallel", "selector": {"matchLabels": {"app": %[1]q}}, "template": {"metadata": {"labels": {"app": %[1]q}},
			"spec": {"containers": [{"name": "main", "image": "none"}]}}, "volumeClaimTemplates": [{"metadata": {"name": "data"},
			"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}`, set))
	}
	for i := range 20 {
		n.Kubectl("rollout", "status", fmt.Sprintf("sts/s%d", i), "--timeout=300s")
	}
	cluster.Compare(b, []string{"kubectl-doik", "sts-status", "-A", "--no-usage"}, []string{"kubectl", "get", "sts,pods,pvc,pv", "-A"})
}

//go:build e2e

package e2e

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/readme"
)

// TestReadmeNode runs the commands of the READMEs on real servers: the study's web and MySQL.
func TestReadmeNode(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.Apply(n.Manifest("mysql.yaml"))
	n.ApplyWeb()
	n.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	readme.Run(t, n, "node")
}

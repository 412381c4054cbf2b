//go:build integration

package integration

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/readme"
)

// TestReadmeLab runs the commands of the READMEs after those of make demo: a set that was scaled up and down again.
func TestReadmeLab(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("scale", "sts/web", "--replicas=5")
	n.RolledOut()
	n.Kubectl("scale", "sts/web", "--replicas=3")
	n.Kubectl("wait", "--for=delete", "pod/web-3", "pod/web-4", "--timeout=300s")
	readme.Run(t, n, "lab")
}

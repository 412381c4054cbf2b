//go:build e2e

package e2e

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// TestFaults brings about, on the real node, each fault that the table has for it: the command of its subject finds it with its
// evidence, and check exactly its codes.
func TestFaults(t *testing.T) { faults.Run(t, faults.Node) }

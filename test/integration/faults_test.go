//go:build integration

package integration

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// TestFaults brings about, in the lab, each fault that the table has for it: the command of its subject finds it, and check exactly
// its codes.
func TestFaults(t *testing.T) { t.Parallel(); faults.Run(t, faults.Lab) }

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// TestCheckWeb finds nothing wrong with the study's StatefulSet, says what was looked at, and what has been accepted. What goes wrong
// is in the table of test/faults.
func TestCheckWeb(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	needsVolumeStatistics(n)
	cluster.Eventually(t, time.Minute, func() error {
		if got, report := faults.Checked(n, "sts/web"); got != "" {
			return fmt.Errorf("%s: %+v", got, report.Items)
		}
		return nil
	})
	table := n.MustDoik("check")
	for _, part := range []string{"web    2/2     ok ", "2 ordinals, 2 volumes, 6 DNS records, ", "Nothing is wrong with 1 StatefulSet; "} {
		if !strings.Contains(table, part) {
			t.Errorf("no %q in\n%s", part, table)
		}
	}
	t.Logf("\n%s\n%s", table, n.MustDoik("check", "--debug-pod", "-o", "wide"))

	t.Log("known and accepted")
	n.Kubectl("create", "pdb", "web", "--selector=app=nginx", "--max-unavailable=100%")
	n.Kubectl("annotate", "pdb", "web", v1alpha1.IgnoreAnnotation+"=CHECK006: all at once is meant")
	got, report := faults.Checked(n, "sts/web")
	if len(report.Items) != 1 || len(report.Items[0].Ignored) != 1 || got != "" || report.Items[0].Ignored[0].By.Name != "web" || report.Items[0].Ignored[0].IgnoreReason != "all at once is meant" {
		t.Errorf("%s, %+v", got, report.Items)
	}
	if out := n.MustDoik("check"); !strings.Contains(out, "IGNORED   CHECK006 ") || !strings.Contains(out, "→ poddisruptionbudget/web: all at once is meant") || !strings.Contains(out, "Nothing is wrong") {
		t.Errorf("\n%s", out)
	}
}

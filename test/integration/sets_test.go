//go:build integration

package integration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// TestSetsOfOperators names sets of other controllers in every way, and follows one.
func TestSetsOfOperators(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	faults.CloudNativePG(n)
	faults.Strimzi(n)
	for args, want := range map[string]string{
		"":                                    "strimzipodset.core.strimzi.io/events-broker cluster.postgresql.cnpg.io/pg statefulset.apps/web",
		"web":                                 "statefulset.apps/web",
		"pg":                                  "cluster.postgresql.cnpg.io/pg",
		"clusters.postgresql.cnpg.io/pg":      "cluster.postgresql.cnpg.io/pg",
		"strimzipodset/events-broker sts/web": "strimzipodset.core.strimzi.io/events-broker statefulset.apps/web",
		"-l cnpg.io/cluster=pg":               "cluster.postgresql.cnpg.io/pg",
	} {
		for _, command := range []string{"sts-status", "sets", "check"} {
			if got := strings.Join(strings.Fields(n.MustDoik(append([]string{command, "-o", "name"}, strings.Fields(args)...)...)), " "); !sameNames(got, want) {
				t.Errorf("%s %s: %s, want %s", command, args, got, want)
			}
		}
	}
	for args, want := range map[string]string{
		"cluster/web": `error: Cluster "web" not found in namespace ` + n.NS,
		"sts/pg":      `error: StatefulSet "pg" not found in namespace ` + n.NS,
		"pgg":         `error: StatefulSet "pgg" not found in namespace ` + n.NS + ": did you mean pg?",
	} {
		if r := n.Doik("sts-status", args); r.Code != 1 || strings.TrimSpace(r.Err) != want {
			t.Errorf("%s: exit code %d, %s", args, r.Code, r.Err)
		}
	}

	t.Log("what it costs: one request for the API's groups, and one for each kind that it has, and none for a StatefulSet that is named")
	log := n.Doik("sts-status", "--no-usage", "-v=6").Err
	if strings.Count(log, `/apis"`) != 1 || strings.Count(log, "/clusters?") != 1 || strings.Count(log, "/strimzipodsets?") != 1 {
		t.Errorf("requests:\n%s", log)
	}
	if log := n.Doik("sts-status", "web", "--no-usage", "-v=6").Err; strings.Contains(log, `/apis"`) {
		t.Errorf("requests:\n%s", log)
	}

	w := cluster.Watch(n, "sts-status", "cluster/pg", "--watch", "--usage-interval=1s")
	w.Sees("Cluster in healthy state")
	n.Kubectl("delete", "pod", "pg-3")
	w.Sees("missing")
	n.Kubectl("patch", "clusters.postgresql.cnpg.io", "pg", "--subresource=status", "--type=merge", "-p", `{"status": {"phase": "Failing over", "phaseReason": "pg-1 is gone"}}`)
	cluster.Eventually(t, 20*time.Second, func() error {
		if !regexp.MustCompile(`ERROR STS038 the operator says: Failing over: pg-1 is gone`).MatchString(w.Text()) {
			return fmt.Errorf("%s", w.Text())
		}
		return nil
	})
	w.Interrupt()
}

func sameNames(a, b string) bool {
	one, other := strings.Fields(a), strings.Fields(b)
	slices.Sort(one)
	slices.Sort(other)
	return slices.Equal(one, other)
}

// TestSetsWithoutRights may not read the objects of operators: their pods still tell that there are such sets, and what is not known is said.
func TestSetsWithoutRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	faults.CloudNativePG(n)
	user := n.NS + "-reader"
	n.Grant(t, user, strings.NewReplacer("[clusters]", "[nothing]").Replace)
	cluster.Eventually(t, 15*time.Second, func() error { // the authorizer learns of new roles a moment later
		report := cluster.Report[v1alpha1.SetStatusList](n, "sts-status", "--no-usage", "--as="+user)
		if len(report.Items) != 1 || !report.Items[0].Controller.ByPods || report.Items[0].Replicas.DesiredUnknown != v1alpha1.GapUnread || report.Items[0].Replicas.Ready != 3 || report.Items[0].Health != v1alpha1.HealthUnknown {
			return fmt.Errorf("%+v, problems %+v", report.Items, report.Problems)
		}
		return nil
	})
	if r := n.Doik("sts-status", "--no-usage", "--as="+user); !strings.Contains(r.Err, "clusters.postgresql.cnpg.io in namespace "+n.NS) || !strings.Contains(r.Out, "3 ready of 3 that there are") {
		t.Errorf("said: %s%s", r.Out, r.Err)
	}
}

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// TestHealthyRollouts lets check judge again and again while web and MySQL start, are rolled out, and are scaled up: nothing of it is an
// error. What is broken is.
func TestHealthyRollouts(t *testing.T) {
	n := cluster.NewNamespace(t)
	last := ""
	judged := func(what string) {
		t.Helper()
		r := n.Doik("check", "--fail-on=error")
		if r.Code != 0 {
			t.Errorf("%s: exit code %d: %s%s\n%s", what, r.Code, r.Out, r.Err, n.Kubectl("get", "pods"))
		}
		last = r.Out
	}
	through := func(what string, sets ...string) {
		t.Helper()
		t.Log(what)
		looks := 0
		for end := time.Now().Add(5 * time.Minute); !t.Failed(); looks++ {
			judged(what)
			over := strings.Contains(last, "Nothing is wrong with 2 StatefulSets")
			for _, set := range sets {
				over = over && strings.Contains(n.TryKubectl("rollout", "status", set, "--watch=false").Out, "complete")
			}
			if over {
				break
			}
			if time.Now().After(end) {
				t.Errorf("%s: it does not end:\n%s", what, last)
			}
		}
		t.Logf("%s: judged %d times", what, looks)
	}
	n.Apply(n.Manifest("mysql.yaml"))
	n.Apply(n.Manifest("web.yaml"))
	through("a start", "sts/web", "sts/mysql")
	n.Kubectl("rollout", "restart", "sts/web", "sts/mysql")
	through("a rolling update", "sts/web", "sts/mysql")
	n.Kubectl("scale", "sts/web", "--replicas=3")
	through("a scale-up", "sts/web")
	n.Kubectl("set", "image", "sts/mysql", "mysql=registry.k8s.io/none:1")
	cluster.Eventually(t, time.Minute, func() error {
		if r := n.Doik("check", "--fail-on=error"); r.Code != 3 {
			return fmt.Errorf("a broken rolling update: exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
}

// TestNoWayIn: servers of which none lets the plugin in are unknown, and no server is blamed for it.
func TestNoWayIn(t *testing.T) {
	s := &faults.Set{Namespace: cluster.NewNamespace(t)}
	faults.MySQL(s)
	for _, command := range []string{"check", "mysql-topology"} {
		r := s.Doik(command, "sts/mysql", "--user=nosuch")
		if r.Code != 0 || strings.Contains(r.Out, "MYSQL006") {
			t.Errorf("%s: exit code %d: %s%s", command, r.Code, r.Out, r.Err)
		}
		if command == "check" && !strings.Contains(r.Out, "mysql   3/3     unknown ") {
			t.Errorf("%s", r.Out)
		}
		r = s.Doik(command, "sts/mysql", "--user=nosuch", "--fail-on=error")
		if r.Code != 4 || !strings.Contains(r.Err, "error: not judged (--fail-on): could not be read: servers (") || !strings.Contains(r.Err, "accept that with --allow-unknown=servers") {
			t.Errorf("%s: exit code %d: %s", command, r.Code, r.Err)
		}
		if r := s.Doik(command, "sts/mysql", "--user=nosuch", "--fail-on=error", "--allow-unknown=servers"); r.Code != 0 {
			t.Errorf("%s: exit code %d: %s", command, r.Code, r.Err)
		}
	}
}

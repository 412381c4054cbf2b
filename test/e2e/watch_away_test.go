//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/frontdoor"
)

// TestWatchMySQLAway cuts the way to the API server while real servers are followed: none is blamed, what they said stays, and they are
// followed again when it is back.
func TestWatchMySQLAway(t *testing.T) {
	d := newSet(cluster.NewNamespace(t), "mysql")
	d.Apply(d.Manifest("mysql.yaml"))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	d.Answering(3)
	way := frontdoor.OpenWay(t)
	var watches []*cluster.Watching
	for _, args := range []string{"mysql-topology", "mysql-reads svc/mysql-read", "check --exclude=DNS"} {
		watches = append(watches, cluster.Watch(d.Namespace, append(strings.Fields(args), "--watch", "--kubeconfig="+way.Kubeconfig)...))
	}
	for _, w := range watches {
		w.Sees("mysql")
	}
	watches[0].Sees("mysql-2")
	watches[1].Sees("mysql-2")
	time.Sleep(15 * time.Second) // mysql-reads counts ten
	for _, test := range []struct {
		reason string
		cut    func()
	}{{"connection refused", way.Refuse}, {"no answer", way.Silence}} {
		var out, errOut []string
		for _, w := range watches {
			out, errOut = append(out, cluster.Happenings(w.Text())), append(errOut, w.Err())
		}
		test.cut()
		for i, w := range watches {
			cluster.Eventually(t, 30*time.Second, func() error {
				if !regexp.MustCompile(`^warning: API server unreachable since [0-9:]+ \(` + test.reason + `\); the data shown is from then\n$`).MatchString(strings.TrimPrefix(w.Err(), errOut[i])) {
					return fmt.Errorf("%s", w.Err())
				}
				return nil
			})
		}
		time.Sleep(12 * time.Second) // as long as servers have to answer, and more
		for i, w := range watches {
			if got := cluster.Happenings(w.Text()); got != out[i] {
				t.Errorf("%s: %v tells of what it can't know:\n%s", test.reason, w.Cmd.Args, strings.TrimPrefix(got, out[i]))
			}
		}
		way.Restore()
		for i, w := range watches {
			cluster.Eventually(t, 30*time.Second, func() error {
				if !regexp.MustCompile(`\nAPI server reachable again after [0-9a-z]+, at [0-9:]+\n$`).MatchString(strings.TrimPrefix(w.Err(), errOut[i])) {
					return fmt.Errorf("%s", w.Err())
				}
				return nil
			})
		}
		time.Sleep(15 * time.Second)
		for _, w := range watches {
			if text := w.Text() + w.Err(); strings.Contains(text, "does not answer") || strings.Contains(text, "port-forward") || strings.Contains(text, "MYSQL090") {
				t.Errorf("%s: %v blames a server:\n%s", test.reason, w.Cmd.Args, text)
			}
		}
	}
	d.SQL(1, "STOP REPLICA SQL_THREAD")
	watches[0].Sees("mysql-1")
	cluster.Eventually(t, 30*time.Second, func() error {
		if !regexp.MustCompile(`mysql-1.*(applier|SQL thread|stopped)`).MatchString(cluster.Happenings(watches[0].Text())) {
			return fmt.Errorf("nothing is followed any more: %s", watches[0].Text())
		}
		return nil
	})
	for _, w := range watches {
		w.Interrupt()
	}
}

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysqltopology"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestWatchMySQL follows three real servers: through a failover, and through connections that break.
func TestWatchMySQL(t *testing.T) {
	d := newSet(cluster.NewNamespace(t), "mysql")
	// A process that is a container's first can't be stopped from inside.
	d.Apply(strings.Replace(d.Manifest("mysql.yaml"), "      terminationGracePeriodSeconds:", "      shareProcessNamespace: true\n      terminationGracePeriodSeconds:", 1))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=240s")
	d.Answering(3)
	t.Run("sessions", func(t *testing.T) { d.in(t).sessionsStay(t) })
	d.Answering(3)
	t.Run("failover", func(t *testing.T) { d.in(t).failover(t) })
}

// ourSessions are the numbers of the plugin's connections to a server.
func (d *database) ourSessions(pod int) []string {
	d.Helper()
	return strings.Fields(d.SQL(pod, "SELECT PROCESSLIST_ID FROM performance_schema.session_connect_attrs WHERE ATTR_NAME='program_name' AND ATTR_VALUE='kubectl-doik'"))
}

// sessionsStay breaks connections, servers and pods while they are followed: there is always one session with each, and in the end
// none, and nothing of them stays behind in the plugin.
func (d *database) sessionsStay(t *testing.T) {
	connected, err := kube.Connect(kube.NewConnection(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	atFirst := runtime.NumGoroutine()
	follower := mysqltopology.Follow(ctx, connected, mysqltopology.Query{
		Namespace: d.NS, Names: []string{"mysql"}, Access: mysql.Access{Via: mysql.ViaAuto, ServerTimeout: 10 * time.Second}, PollInterval: 200 * time.Millisecond,
	}, func() {})
	answer := func() error {
		if !follower.Settled() {
			return fmt.Errorf("not settled")
		}
		snapshot, err := follower.Snapshot(ctx, time.Now())
		if err != nil {
			return err
		}
		for _, s := range mysqltopology.Analyze(snapshot).Items[0].Servers {
			if s.Unreachable != "" || s.Via != string(mysql.ViaPortForward) || s.GTIDExecuted == "" && s.Role == "Replica" && s.Channels[0].BehindTransactions == nil {
				return fmt.Errorf("%s: %q, via %s", s.Pod, s.Unreachable, s.Via)
			}
		}
		return nil
	}
	// Sessions that end take a moment to be gone from the servers.
	one := func(than map[int]string) map[int]string {
		t.Helper()
		ids := map[int]string{}
		cluster.Eventually(t, time.Minute, func() error {
			if err := answer(); err != nil {
				return err
			}
			for pod := range 3 {
				list := d.ourSessions(pod)
				if len(list) != 1 || list[0] == than[pod] {
					return fmt.Errorf("sessions with %s: %q, before %q", d.Pod(pod), list, than[pod])
				}
				ids[pod] = list[0]
			}
			return nil
		})
		return ids
	}
	ids := one(nil)
	started := runtime.NumGoroutine()
	for range 6 {
		for pod, id := range ids {
			d.SQL(pod, "KILL "+id)
		}
		ids = one(ids)
	}
	time.Sleep(2 * time.Second) // ten polls more
	if again := one(nil); fmt.Sprint(again) != fmt.Sprint(ids) {
		t.Errorf("sessions %v have become %v", ids, again)
	}
	if os.Getenv("E2E_KUBECONFIG") == "" {
		killAPIServer(d.Namespace) // with it go all watches and tunnels
		ids = one(ids)
	}
	d.TryKubectl("exec", d.Pod(1), "-c", d.Container, "--", "mysqladmin", "-uroot", "-h127.0.0.1", "shutdown")
	d.Kubectl("delete", "pod", d.Pod(2))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=120s")
	ids[0] = ""
	one(ids)
	cluster.Eventually(t, 20*time.Second, func() error {
		if now := runtime.NumGoroutine(); now > started+3 {
			return fmt.Errorf("%d goroutines, %d at first\n%s", now, started, goroutines())
		}
		return nil
	})
	begun := time.Now()
	follower.Close()
	if took := time.Since(begun); took > time.Second {
		t.Errorf("closing took %s", took)
	}
	cluster.Eventually(t, 20*time.Second, func() error {
		for pod := range 3 {
			if list := d.ourSessions(pod); len(list) > 0 {
				return fmt.Errorf("sessions with %s: %q", d.Pod(pod), list)
			}
		}
		// Idle connections to the API server stay.
		if now := runtime.NumGoroutine(); now > atFirst+8 {
			return fmt.Errorf("%d goroutines, %d before\n%s", now, atFirst, goroutines())
		}
		return nil
	})
	t.Logf("goroutines: %d before, %d while three servers are followed, %d after", atFirst, started, runtime.NumGoroutine())
}

// goroutines are the stacks of all.
func goroutines() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}

// failover hangs the source, promotes a replica, and makes the old source a replica of the new one.
func (d *database) failover(t *testing.T) {
	follow := func(host string) string {
		return fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s.mysql', SOURCE_USER='root', SOURCE_PASSWORD='', SOURCE_AUTO_POSITION=1, "+
			"SOURCE_CONNECT_RETRY=5, GET_SOURCE_PUBLIC_KEY=1; START REPLICA", host)
	}
	w := cluster.Watch(d.Namespace, "mysql-topology", "sts/mysql", "--watch", "--poll-interval=1s", "--server-timeout=3s", "-v=6")
	w.Sees("3/3 answered")
	requests := func() int { return strings.Count(w.Err(), `"Response"`) }
	time.Sleep(time.Second) // what was asked for at the start has been answered
	before, rows := requests(), w.Text()
	time.Sleep(5 * time.Second)
	if after := requests(); after != before || w.Text() != rows {
		t.Errorf("at rest: %d requests, and\n%s", after-before, strings.TrimPrefix(w.Text(), rows))
	}

	d.SQL(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY)")
	busy := cluster.Watch(d.Namespace, "mysql-topology", "sts/mysql", "--watch", "--poll-interval=200ms", "-o", "wide")
	busy.Sees("3/3 answered")
	shown := busy.Text()
	for range 4 { // some dozen polls, each while transactions are on their way
		d.SQL(0, strings.Repeat("INSERT INTO app.t VALUES (); ", 1000))
	}
	busy.Interrupt()
	if told := strings.TrimPrefix(busy.Text(), shown); told != "" || busy.Err() != "" {
		t.Errorf("while transactions are on their way:\n%s%s", told, busy.Err())
	}
	if told := strings.TrimPrefix(w.Text(), rows); told != "" {
		t.Errorf("while transactions are on their way:\n%s", told)
	}

	d.Signal("STOP", 0)
	w.Sees("mysql-0, the source, does not answer")
	if r := d.Doik("mysql-topology", "sts/mysql", "--for=healthy", "--server-timeout=2s", "--timeout=8s"); r.Code != 1 || !strings.Contains(r.Err, "error: timed out waiting for MySQL servers of mysql to be healthy\n") {
		t.Errorf("--for=healthy: exit code %d: %s", r.Code, r.Err)
	}
	hung := cluster.Watch(d.Namespace, "mysql-topology", "sts/mysql", "--watch", "--server-timeout=30s") // a server hangs while it begins, and ends
	hung.Sees("2/3 answered")
	hung.Interrupt()
	d.SQL(1, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0")
	w.Sees("mysql-1 is source (was replica)") // though mysql-0 still hangs
	d.SQL(2, "STOP REPLICA; "+follow("mysql-1"))
	w.Sees("mysql-2 follows mysql-1 (was mysql-0)")
	// The kubelet may have restarted it, for its liveness probe hung too.
	d.TryKubectl("exec", d.Pod(0), "-c", d.Container, "--", "pkill", "-CONT", "-x", "mysqld")
	w.Sees("mysql-0 answers")
	w.Sees("CRITICAL MYSQL004 ")
	cluster.Eventually(t, time.Minute, func() error { // it may have been restarted a moment ago
		if r := d.TrySQL(0, "SET GLOBAL super_read_only=1"); r.Code != 0 {
			return fmt.Errorf("%s", r.Err)
		}
		return nil
	})
	d.SQL(0, follow("mysql-1"))
	w.Sees("mysql-0 follows mysql-1")
	if r := d.Doik("mysql-topology", "sts/mysql", "--for=healthy", "--timeout=60s"); r.Code != 0 {
		t.Errorf("--for=healthy: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	d.SQL(2, "STOP REPLICA SQL_THREAD")
	w.Sees("mysql-2: the applier has stopped")
	d.SQL(2, "START REPLICA SQL_THREAD")
	w.Sees("mysql-2 replicates again")
	w.Interrupt()

	w.InOrder("mysql-0, the source, does not answer: no answer within 3s", "mysql-1 takes writes (read_only=0)", "mysql-2 follows mysql-1 (was mysql-0)",
		"mysql-0 answers: source, takes writes", "mysql-0 takes no writes any more (read_only=1)", "mysql-0 follows mysql-1", "mysql-2: the applier has stopped", "mysql-2 replicates again")
	w.InOrder("mysql-1 is source (was replica)", "mysql-2 follows mysql-1 (was mysql-0)")
	w.InOrder("mysql-1 follows mysql-0 no longer", "mysql-2 follows mysql-1 (was mysql-0)")
	w.InOrder("mysql-0 answers: source, takes writes", "mysql-0 is replica (was source)", "mysql-2: the applier has stopped")
	for _, once := range []string{"mysql-1 is source (was replica)", "mysql-0 is replica (was source)", "mysql-0 follows mysql-1", "mysql-2 follows mysql-1 (was mysql-0)"} {
		if got := strings.Count("\n"+cluster.Happenings(w.Text())+"\n", "\n"+once+"\n"); got != 1 {
			t.Errorf("%q is told %d times", once, got)
		}
	}
	for pod := range 3 {
		cluster.Eventually(t, 10*time.Second, func() error {
			if list := d.ourSessions(pod); len(list) > 0 {
				return fmt.Errorf("sessions with %s: %q", d.Pod(pod), list)
			}
			return nil
		})
	}
	t.Logf("\n%s", w.Text())
}

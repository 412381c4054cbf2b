//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// TestWatchMySQL follows three real servers: through a failover, and through connections that break.
func TestWatchMySQL(t *testing.T) {
	d := newSet(cluster.NewNamespace(t), "mysql")
	// A process that is a container's first can't be stopped from inside. A server that hangs is not to be restarted: it may take as
	// long as the machine needs for what is done meanwhile.
	d.Apply(strings.NewReplacer(
		"      terminationGracePeriodSeconds:", "      shareProcessNamespace: true\n      terminationGracePeriodSeconds:",
		"initialDelaySeconds: 30\n", "initialDelaySeconds: 3600\n",
	).Replace(d.Manifest("mysql.yaml")))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
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
	follower := dbtopology.Follow(ctx, connected, dbtopology.Query{
		Engines:   engines.Topologies(),
		Namespace: d.NS, Names: []string{"mysql"}, Access: dbserver.Access{Via: dbserver.ViaAuto, ServerTimeout: 10 * time.Second}, PollInterval: 200 * time.Millisecond,
	}, func() {})
	answer := func() error {
		if !follower.Settled() {
			return fmt.Errorf("not settled")
		}
		snapshot, err := follower.Snapshot(ctx, time.Now())
		if err != nil {
			return err
		}
		servers := dbtopology.Analyze(engines.Topologies(), snapshot, time.Now()).Items[0].Servers
		if len(servers) != 3 {
			return fmt.Errorf("%d servers", len(servers))
		}
		for _, s := range servers {
			if s.Unreachable != "" || s.Via != v1alpha1.ViaPortForward || s.MySQL.GTIDExecuted == "" && s.Role == "Replica" && s.Channels[0].MySQL.BehindTransactions == nil {
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
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=300s")
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
	if took := time.Since(begun); took > cluster.Patience(time.Second) {
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

// failover hangs the source, promotes a replica, and makes the old source a replica of the new one; then a replica is late.
func (d *database) failover(t *testing.T) {
	cluster.Eventually(t, time.Minute, func() error { // one has just been started
		for _, service := range d.Topology().Services {
			if len(service.Reaches) != 3 {
				return fmt.Errorf("Service %s reaches %q", service.Name, service.Reaches)
			}
		}
		return nil
	})
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
		d.SQL(0, strings.Repeat("INSERT INTO app.t VALUES (); ", 250))
	}
	busy.Interrupt()
	late := regexp.MustCompile(`(?m)^.* (is \S+ late|has caught up)\n`) // which replicas on a busy machine are
	if told := late.ReplaceAllString(strings.TrimPrefix(busy.Text(), shown), ""); told != "" || busy.Err() != "" {
		t.Errorf("while transactions are on their way:\n%s%s", told, busy.Err())
	}
	if told := late.ReplaceAllString(strings.TrimPrefix(w.Text(), rows), ""); told != "" {
		t.Errorf("while transactions are on their way:\n%s", told)
	}

	told := w.Timeline("watch-failover")
	d.Signal("STOP", 0)
	told.Step(cluster.Step{Name: "the source hangs"})
	if r := d.Doik("mysql-topology", "sts/mysql", "--for=healthy", "--server-timeout=2s", "--timeout=8s"); r.Code != 1 || !strings.Contains(r.Err, "error: timed out waiting for MySQL servers of mysql to be healthy\n") {
		t.Errorf("--for=healthy: exit code %d: %s", r.Code, r.Err)
	}
	hung := cluster.Watch(d.Namespace, "mysql-topology", "sts/mysql", "--watch", "--server-timeout=30s") // a server hangs while it begins, and ends
	hung.Sees("2/3 answered")
	hung.Interrupt()
	w.Unseen(func() {
		d.SQL(1, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0")
	})
	told.Step(cluster.Step{Name: "a replica is promoted"})
	w.Unseen(func() { d.replicates(2, "mysql-1") })
	told.Step(cluster.Step{Name: "the other replica follows it"})
	d.Signal("CONT", 0)
	told.Step(cluster.Step{Name: "the old source answers"})
	w.Unseen(func() { d.SQL(0, "SET GLOBAL super_read_only=1"); d.replicates(0, "mysql-1") })
	told.Step(cluster.Step{Name: "it rejoins as a replica"})
	if r := d.Doik("mysql-topology", "sts/mysql", "--for=healthy", "--timeout=60s"); r.Code != 0 {
		t.Errorf("--for=healthy: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	d.SQL(2, "STOP REPLICA SQL_THREAD")
	told.Step(cluster.Step{Name: "an applier is stopped"})
	d.SQL(2, "START REPLICA SQL_THREAD")
	told.Step(cluster.Step{Name: "and started"})
	over := d.InBackground(2, "LOCK TABLES app.t READ; SELECT SLEEP(300)")
	d.Sleeps(2)
	d.SQL(1, "INSERT INTO app.t VALUES ()")
	told.Step(cluster.Step{Name: "a replica can't apply what it receives"})
	d.SQL(2, "KILL "+d.SQL(2, "SELECT ID FROM performance_schema.processlist WHERE STATE='User sleep'"))
	over()
	told.Step(cluster.Step{Name: "and can again"})
	told.End()
	for pod := range 3 {
		cluster.Eventually(t, 10*time.Second, func() error {
			if list := d.ourSessions(pod); len(list) > 0 {
				return fmt.Errorf("sessions with %s: %q", d.Pod(pod), list)
			}
			return nil
		})
	}
}

// replicates makes a server replicate from another one, and waits until it does.
func (d *database) replicates(pod int, from string) {
	d.Helper()
	d.SQL(pod, "STOP REPLICA; "+faults.From(from+".mysql", "")+"; START REPLICA")
	cluster.Eventually(d, time.Minute, func() error {
		if state := d.SQL(pod, "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status"); state != "ON" {
			return fmt.Errorf("the receiver is %s", state)
		}
		return nil
	})
}

//go:build e2e

package e2e

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysql"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// database is a set of servers in a namespace of a test's own.
type database struct {
	*cluster.Namespace
	// set is the StatefulSet's name, container and client those of its servers.
	set, container, client string
}

// sql runs statements in a pod's server, as root, and returns what it prints without column names.
func (d *database) sql(pod int, statements string) string {
	d.Helper()
	r := d.trySQL(pod, statements)
	if r.Code != 0 {
		d.Fatalf("%s-%d: %s: %s", d.set, pod, statements, r.Err)
	}
	return strings.TrimSpace(r.Out)
}

func (d *database) trySQL(pod int, statements string) cluster.Result {
	d.Helper()
	return d.TryKubectl("exec", d.pod(pod), "-c", d.container, "--", d.client, "-uroot", "-h127.0.0.1", "-N", "-e", statements)
}

// inBackground runs statements that wait for something, and returns what waits for their end.
func (d *database) inBackground(pod int, statements string) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.trySQL(pod, statements)
	}()
	return func() { <-done }
}

// sleeps waits until a session of a pod's server is in SLEEP: it has what it locked before.
func (d *database) sleeps(pod int) {
	d.Helper()
	cluster.Eventually(d, 10*time.Second, func() error {
		if list := d.sql(pod, "SHOW PROCESSLIST"); !strings.Contains(list, "User sleep") {
			return fmt.Errorf("nobody sleeps: %s", list)
		}
		return nil
	})
}

func (d *database) pod(n int) string { return fmt.Sprintf("%s-%d", d.set, n) }

// topology is what the plugin reports of the set.
func (d *database) topology(args ...string) v1alpha1.MySQLTopology {
	d.Helper()
	report := cluster.Report[v1alpha1.MySQLTopologyList](d.Namespace, append([]string{"mysql-topology", "sts/" + d.set}, args...)...)
	if len(report.Items) != 1 {
		d.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0]
}

// findings prints a topology's findings, one a line.
func findings(t v1alpha1.MySQLTopology) string {
	var b strings.Builder
	for _, f := range t.Findings {
		fmt.Fprintf(&b, "%s %s %v %s\n", f.Severity, f.Code, f.Objects, f.Message)
	}
	return b.String()
}

// sound waits until the set has its servers, and nothing above info is found.
func (d *database) sound(servers int) {
	d.Helper()
	cluster.Eventually(d, 2*time.Minute, func() error {
		t := d.topology()
		answered := 0
		for _, s := range t.Servers {
			if s.Unreachable == "" {
				answered++
			}
		}
		for _, f := range t.Findings {
			if f.Severity != v1alpha1.SeverityInfo {
				return fmt.Errorf("findings\n%s", findings(t))
			}
		}
		if answered != servers || t.Replication == v1alpha1.ReplicationUnknown {
			return fmt.Errorf("%d servers answered, %s", answered, t.Replication)
		}
		return nil
	})
}

// expect is a finding that a fault must bring: its object, words of its message, and what its evidence must have, as column=value.
type expect struct {
	code     v1alpha1.Code
	severity v1alpha1.Severity
	object   string
	words    string
	evidence string
}

// finds waits until all that is expected has been found.
func (d *database) finds(args []string, all ...expect) v1alpha1.MySQLTopology {
	d.Helper()
	var t v1alpha1.MySQLTopology
	cluster.Eventually(d, time.Minute, func() error {
		t = d.topology(args...)
		for _, e := range all {
			if !slices.ContainsFunc(t.Findings, e.matches) {
				return fmt.Errorf("no finding %+v among\n%s", e, findings(t))
			}
		}
		return nil
	})
	return t
}

func (e expect) matches(f v1alpha1.Finding) bool {
	if f.Code != e.code || f.Severity != e.severity || !slices.Contains(f.Objects, e.object) || !strings.Contains(f.Message, e.words) {
		return false
	}
	column, value, _ := strings.Cut(e.evidence, "=")
	return e.evidence == "" || slices.ContainsFunc(f.Evidence, func(v v1alpha1.Evidence) bool { return v.Query != "" && v.Values[column] == value })
}

// fault is something that goes wrong with a set of servers, and how it is mended.
type fault struct {
	name   string
	inject func(d *database)
	want   []expect
	// check are the codes above info that check is to find, unless the fault does not last.
	check    string
	unsteady bool
	mend     func(d *database)
}

// each brings every fault about, in turn on the same servers.
func (d *database) each(t *testing.T, servers int, faults []fault) {
	for _, f := range faults {
		ok := t.Run(f.name, func(t *testing.T) {
			n := *d.Namespace
			n.TB = t
			here := *d
			here.Namespace = &n
			f.inject(&here)
			here.finds(nil, f.want...)
			if !f.unsteady {
				checks(here.Namespace, here.set, f.check)
			}
			f.mend(&here)
			here.sound(servers)
		})
		if !ok {
			t.Fatalf("the servers are as %s has left them: the faults after it are not tried", f.name)
		}
	}
}

const (
	info     = v1alpha1.SeverityInfo
	warning  = v1alpha1.SeverityWarning
	bad      = v1alpha1.SeverityError
	critical = v1alpha1.SeverityCritical
)

func newMySQL(t *testing.T) *database {
	d := &database{Namespace: cluster.NewNamespace(t), set: "mysql", container: "mysql", client: "mysql"}
	d.Apply(d.Manifest("mysql.yaml"))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=240s")
	d.sound(3)
	d.sql(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO app.t VALUES (1, 'a')")
	return d
}

// from makes a server replicate from a host, once it is started.
func from(host, channel string) string {
	return "CHANGE REPLICATION SOURCE TO SOURCE_HOST='" + host + "', SOURCE_USER='root', SOURCE_PASSWORD='', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=5, GET_SOURCE_PUBLIC_KEY=1" + channel
}

// follow makes a server replicate from mysql-0, as at first.
var follow = "STOP REPLICA; RESET REPLICA ALL; " + from("mysql-0.mysql", "") + "; START REPLICA; SET GLOBAL super_read_only=1"

// unlogged lets a statement through on a read-only server without a trace in its log.
func unlogged(statement string) string {
	return "SET sql_log_bin=0; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0; " + statement + "; SET GLOBAL super_read_only=1"
}

// TestMySQLFaults brings about what can go wrong with asynchronous replication, on real MySQL servers.
func TestMySQLFaults(t *testing.T) {
	d := newMySQL(t)
	healthy := d.topology()
	if healthy.Servers[0].Role != v1alpha1.RoleSource || healthy.Servers[2].Depth != 1 || healthy.Servers[1].Channels[0].LagMilliseconds == nil || healthy.Servers[0].Via != "port-forward" {
		t.Errorf("%+v", healthy)
	}
	t.Logf("\n%s", d.MustDoik("mysql-topology"))
	d.finds(nil, expect{code: v1alpha1.CodeReadServiceReachesSource, severity: info, object: "service/mysql-read"})
	var purged string
	d.each(t, 3, []fault{{
		name: "the applier is stopped", check: "MYSQL011 MYSQL070 MYSQL073",
		inject: func(d *database) { d.sql(1, "STOP REPLICA SQL_THREAD") },
		want: []expect{
			{v1alpha1.CodeApplierStopped, critical, "pod/mysql-1", "the pod is Ready", "Replica_SQL_Running=No"},
			{v1alpha1.CodeLagUnknown, info, "pod/mysql-1", "the applier is stopped", ""},
			{v1alpha1.CodeReadyButBroken, warning, "pod/mysql-1", "receiver Yes, applier No", ""},
			{v1alpha1.CodeReadServiceReachesBroken, bad, "service/mysql-read", "mysql-1 (receiver Yes, applier No)", ""},
		},
		mend: func(d *database) { d.sql(1, "START REPLICA") },
	}, {
		name: "the receiver is stopped", check: "MYSQL014 MYSQL070 MYSQL073",
		inject: func(d *database) { d.sql(2, "STOP REPLICA IO_THREAD") },
		want:   []expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-2", "nothing comes from mysql-0.mysql", "Replica_IO_Running=No"}},
		mend:   func(d *database) { d.sql(2, "START REPLICA") },
	}, {
		name: "a row is there already", check: "MYSQL010 MYSQL070 MYSQL073",
		inject: func(d *database) {
			d.sql(1, unlogged("INSERT INTO app.t VALUES (110, 'mine')"))
			d.sql(0, "INSERT INTO app.t VALUES (110, 'source')")
		},
		want: []expect{{v1alpha1.CodeApplierError, critical, "pod/mysql-1", "table app.t: Duplicate entry '110' for key 't.PRIMARY'", "LAST_ERROR_NUMBER=1062"}},
		mend: func(d *database) { d.sql(1, unlogged("DELETE FROM app.t WHERE id=110")+"; START REPLICA") },
	}, {
		name: "the password is wrong", check: "MYSQL013 MYSQL070 MYSQL073",
		inject: func(d *database) {
			d.sql(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='wrong', SOURCE_CONNECT_RETRY=60; START REPLICA")
		},
		want: []expect{{v1alpha1.CodeReceiverConnecting, warning, "pod/mysql-2", "1045: Access denied", "Last_IO_Errno=1045"}},
		mend: func(d *database) { d.sql(2, follow) },
	}, {
		name: "the receiver gives up", check: "MYSQL012 MYSQL070 MYSQL073",
		inject: func(d *database) {
			d.sql(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='wrong', SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=2; START REPLICA")
		},
		want: []expect{{v1alpha1.CodeReceiverGaveUp, critical, "pod/mysql-2", "attempt 2/2", "Last_IO_Errno=1045"}},
		mend: func(d *database) { d.sql(2, follow) },
	}, {
		name: "the source is about to lack a log", check: "MYSQL011 MYSQL014 MYSQL015 MYSQL070 MYSQL073",
		inject: func(d *database) {
			d.sql(2, "STOP REPLICA")
			d.sql(0, "INSERT INTO app.t VALUES (200, 'purged'); FLUSH BINARY LOGS")
			file := strings.Fields(d.sql(0, "SHOW BINARY LOG STATUS"))[0]
			d.sql(0, "PURGE BINARY LOGS TO '"+file+"'")
		},
		want: []expect{{v1alpha1.CodeSourcePurgedNeededLogs, warning, "pod/mysql-2", "lacks 1 transaction that mysql-0 has purged", ""}},
		mend: func(d *database) { // and then it happens
			d.sql(2, "START REPLICA")
			d.finds(nil, expect{v1alpha1.CodeSourcePurgedNeededLogs, critical, "pod/mysql-2", "it has to be made anew", "Replica_IO_Running=No"})
			purged = d.sql(2, fmt.Sprintf("SELECT GTID_SUBTRACT('%s', @@gtid_executed)", strings.ReplaceAll(d.sql(0, "SELECT @@gtid_purged"), `\n`, "")))
			d.sql(2, "SET GLOBAL super_read_only=0; SET GTID_NEXT='"+purged+"'; INSERT INTO app.t VALUES (200, 'purged'); SET GTID_NEXT='AUTOMATIC'; START REPLICA; SET GLOBAL super_read_only=1")
		},
	}, {
		name: "somebody writes to a replica", check: "MYSQL020 MYSQL021",
		inject: func(d *database) {
			d.sql(1, "SET GLOBAL read_only=0; INSERT INTO app.t VALUES (300, 'errant')")
		},
		want: []expect{
			{v1alpha1.CodeErrantTransactions, bad, "pod/mysql-1", ":1 (1 transaction, written on mysql-1)", ""},
			{v1alpha1.CodeReplicaWritable, bad, "pod/mysql-1", "takes writes (read_only=0)", "read_only=OFF"},
		},
		mend: func(d *database) {
			errant := d.sql(1, "SELECT CONCAT(@@server_uuid, ':1')")
			d.sql(1, unlogged("DELETE FROM app.t WHERE id=300"))
			d.sql(0, "SET GTID_NEXT='"+errant+"'; BEGIN; COMMIT")
		},
	}, {
		name:   "only super_read_only is off",
		inject: func(d *database) { d.sql(1, "SET GLOBAL super_read_only=0") },
		want:   []expect{{v1alpha1.CodeReplicaWritable, info, "pod/mysql-1", "CONNECTION_ADMIN", "super_read_only=OFF"}},
		mend:   func(d *database) { d.sql(1, "SET GLOBAL super_read_only=1") },
	}, {
		name: "the source is read-only", check: "MYSQL022",
		inject: func(d *database) { d.sql(0, "SET GLOBAL read_only=1") },
		want:   []expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/mysql-0", "takes no writes", "read_only=ON"}},
		mend:   func(d *database) { d.sql(0, "SET GLOBAL read_only=0") },
	}, {
		name: "a replica has lost its channel", check: "MYSQL014",
		inject: func(d *database) { d.sql(2, "STOP REPLICA; RESET REPLICA ALL") },
		want:   []expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-2", "it has no channel", "read_only=ON"}},
		mend: func(d *database) { // and then takes writes
			d.sql(2, "SET GLOBAL read_only=0")
			d.finds(nil, expect{v1alpha1.CodeSeveralSources, critical, "pod/mysql-2", "mysql-0 (writable, 1 replica), mysql-2 (writable)", "read_only=OFF"})
			d.sql(2, follow)
		},
	}, {
		name: "nobody takes writes", check: "MYSQL003",
		inject: func(d *database) {
			d.sql(0, "SET GLOBAL read_only=1")
			d.sql(1, "STOP REPLICA; RESET REPLICA ALL")
			d.sql(2, "STOP REPLICA; RESET REPLICA ALL")
		},
		want: []expect{{v1alpha1.CodeNoSource, critical, "pod/mysql-0", "no server takes writes", "read_only=ON"}},
		mend: func(d *database) {
			d.sql(0, "SET GLOBAL read_only=0")
			d.sql(1, follow)
			d.sql(2, follow)
		},
	}, {
		name: "servers replicate from each other", check: "MYSQL005",
		inject: func(d *database) {
			d.sql(0, strings.ReplaceAll(strings.ReplaceAll(follow, "mysql-0", "mysql-1"), "super_read_only=1", "read_only=0"))
		},
		want: []expect{{v1alpha1.CodeReplicationCycle, warning, "pod/mysql-1", "mysql-0, mysql-1 replicate from each other; one of them takes writes", ""}},
		mend: func(d *database) { // and both take writes
			d.sql(1, "SET GLOBAL read_only=0")
			d.finds(nil, expect{v1alpha1.CodeReplicationCycle, critical, "pod/mysql-0", "2 of them take writes", ""})
			d.sql(1, "SET GLOBAL super_read_only=1")
			d.sql(0, "STOP REPLICA; RESET REPLICA ALL")
		},
	}, {
		name: "the source is elsewhere", check: "MYSQL013 MYSQL023 MYSQL070 MYSQL073",
		inject: func(d *database) { d.sql(2, strings.ReplaceAll(follow, "mysql-0.mysql", "db.example.com")) },
		want: []expect{
			{v1alpha1.CodeReplicatesFromOutside, warning, "pod/mysql-2", "db.example.com", "Source_Host=db.example.com"},
			{v1alpha1.CodeReceiverConnecting, warning, "pod/mysql-2", "db.example.com", ""},
		},
		mend: func(d *database) { d.sql(2, follow) },
	}, {
		name: "two replicas have one server id", check: "MYSQL025",
		inject: func(d *database) { d.sql(2, "SET GLOBAL server_id=101") },
		want:   []expect{{v1alpha1.CodeDuplicateServerID, bad, "pod/mysql-2", "mysql-1, mysql-2 have the same server_id 101", "server_id=101"}},
		mend:   func(d *database) { d.sql(2, "SET GLOBAL server_id=102") },
	}, {
		name: "a replica has its source's server id", check: "MYSQL016 MYSQL025 MYSQL070 MYSQL073",
		inject: func(d *database) { d.sql(2, "STOP REPLICA; SET GLOBAL server_id=100; START REPLICA") },
		want:   []expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "equal MySQL server ids", "Replica_IO_Running=No"}},
		mend:   func(d *database) { d.sql(2, "SET GLOBAL server_id=102; START REPLICA") },
	}, {
		name: "a replica is late on purpose",
		inject: func(d *database) {
			d.sql(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY=3600; START REPLICA")
			d.sql(0, "INSERT INTO app.t VALUES (400, 'delayed')")
		},
		want: []expect{{v1alpha1.CodeDelayedReplica, info, "pod/mysql-1", "60m late on purpose; the next transaction is applied in", "SQL_Delay=3600"}},
		mend: func(d *database) {
			d.sql(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY=0; START REPLICA")
		},
	}, {
		name: "commits wait for semi-synchronous replicas", check: "MYSQL033",
		inject: func(d *database) {
			d.sql(0, "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'; SET GLOBAL rpl_semi_sync_source_enabled=1; SET GLOBAL rpl_semi_sync_source_timeout=100000000")
			d.inBackground(0, "INSERT INTO app.t VALUES (600, 'waits')")
		},
		want: []expect{{v1alpha1.CodeSemiSyncBlocked, critical, "pod/mysql-0", "commits wait for 1 semi-synchronous replica, and 0 are connected: 1 session hangs", "Rpl_semi_sync_source_wait_sessions=1"}},
		mend: func(d *database) { // and then no longer
			d.sql(0, "SET GLOBAL rpl_semi_sync_source_timeout=1; SET GLOBAL rpl_semi_sync_source_enabled=0; SET GLOBAL rpl_semi_sync_source_enabled=1; SET sql_log_bin=0; ")
			d.sql(0, "INSERT INTO app.t VALUES (601, 'does not wait')")
			d.finds(nil, expect{v1alpha1.CodeSemiSyncFellBack, bad, "pod/mysql-0", "enabled and off", "Rpl_semi_sync_source_status=OFF"})
			d.sql(0, "SET GLOBAL rpl_semi_sync_source_enabled=0; UNINSTALL PLUGIN rpl_semi_sync_source")
		},
	}, {
		name: "gtid_mode differs", check: "MYSQL040",
		inject: func(d *database) { d.sql(2, "SET GLOBAL gtid_mode=ON_PERMISSIVE") },
		want:   []expect{{v1alpha1.CodeGTIDModeMixed, warning, "pod/mysql-2", "ON_PERMISSIVE on mysql-2", "gtid_mode=ON_PERMISSIVE"}},
		mend:   func(d *database) { d.sql(2, "SET GLOBAL gtid_mode=ON") },
	}, {
		name: "a channel goes by file and position", check: "MYSQL041",
		inject: func(d *database) {
			d.sql(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=0; START REPLICA")
		},
		want: []expect{{v1alpha1.CodeNotAutoPosition, warning, "pod/mysql-2", "goes by file and position", "Auto_Position=0"}},
		mend: func(d *database) { d.sql(2, follow) },
	}, {
		name: "data was copied with its auto.cnf, and log_replica_updates is off", unsteady: true,
		inject: func(d *database) {
			auto := d.Kubectl("exec", "mysql-1", "-c", "mysql", "--", "cat", "/var/lib/mysql/auto.cnf")
			d.Kubectl("exec", "mysql-2", "-c", "mysql", "--", "sh", "-c", "cp /var/lib/mysql/auto.cnf /var/lib/mysql/auto.old; printf '%s\\n' \"$1\" > /var/lib/mysql/auto.cnf; printf '[mysqld]\\nlog_replica_updates=OFF\\n' > /etc/mysql/conf.d/z.cnf; kill 1", "sh", auto)
		},
		want: []expect{
			{v1alpha1.CodeDuplicateServerUUID, critical, "pod/mysql-2", "mysql-1, mysql-2 have the same server_uuid", ""},
			{v1alpha1.CodeCannotBePromoted, info, "pod/mysql-2", "log_replica_updates=0", "log_replica_updates=OFF"},
		},
		mend: func(d *database) {
			d.Kubectl("exec", "mysql-2", "-c", "mysql", "--", "sh", "-c", "mv /var/lib/mysql/auto.old /var/lib/mysql/auto.cnf; rm /etc/mysql/conf.d/z.cnf; kill 1")
			d.Kubectl("wait", "pod/mysql-2", "--for=condition=Ready", "--timeout=60s")
			cluster.Eventually(d, 30*time.Second, func() error {
				if r := d.trySQL(1, "START REPLICA"); r.Code != 0 { // the source has dropped one of two with the same UUID
					return fmt.Errorf("%s", r.Err)
				}
				return nil
			})
		},
	}, {
		name: "a replica has several sources", check: "MYSQL011 MYSQL070 MYSQL073",
		inject: func(d *database) {
			d.sql(1, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only=0; INSERT INTO app.t VALUES (700, 'of mysql-1')")
			d.sql(2, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=1; "+from("mysql-0.mysql", " FOR CHANNEL 'a'")+"; "+from("mysql-1.mysql", " FOR CHANNEL 'b'")+"; START REPLICA; STOP REPLICA SQL_THREAD FOR CHANNEL 'b'")
		},
		want: []expect{
			{v1alpha1.CodeSeveralSources, info, "pod/mysql-1", "mysql-0 (writable, 1 replica), mysql-1 (writable, 1 replica); mysql-2 gets what is written to each", "read_only=OFF"},
			{v1alpha1.CodeApplierStopped, critical, "pod/mysql-2", "mysql-2 (channel b)", "Channel_Name=b"},
		},
		mend: func(d *database) {
			d.sql(2, "START REPLICA SQL_THREAD FOR CHANNEL 'b'")
			d.sound(3)
			s := d.topology().Servers
			if c := s[1].Channels; len(c) != 2 || c[0].Name != "a" || c[0].Source.Pod != "mysql-0" || c[1].Name != "b" || c[1].Source.Pod != "mysql-1" || c[1].Source.FoundBy != "uuid" || c[1].ErrantGTIDs != "" {
				d.Errorf("%+v", s)
			}
			if out := d.MustDoik("mysql-topology", "sts/mysql"); !strings.Contains(out, "mysql-2 (a) ") || !strings.Contains(out, "mysql-2 (b) ") {
				d.Errorf("%s", out)
			}
			errant := d.sql(1, "SELECT GTID_SUBTRACT(@@gtid_executed, '"+strings.ReplaceAll(d.sql(0, "SELECT @@gtid_executed"), `\n`, "")+"')")
			d.sql(1, unlogged("DELETE FROM app.t WHERE id=700"))
			d.sql(2, unlogged("DELETE FROM app.t WHERE id=700"))
			d.sql(0, "SET GTID_NEXT='"+errant+"'; BEGIN; COMMIT")
			d.sql(1, follow)
			d.sql(2, follow)
		},
	}, {
		name: "Services stand between replicas and their source", check: "MYSQL011 MYSQL014 MYSQL070 MYSQL073",
		inject: func(d *database) {
			d.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql-front"}, "spec": {"selector": {"statefulset.kubernetes.io/pod-name": "mysql-0"}, "ports": [{"port": 3306}]}}`)
			d.sql(1, "STOP REPLICA; RESET REPLICA ALL; "+from("mysql-front", ""))
			d.sql(2, "STOP REPLICA; RESET REPLICA ALL; "+from(d.Kubectl("get", "service", "mysql-front", "-o", "jsonpath={.spec.clusterIP}"), ""))
		},
		want: []expect{
			{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-1", "nothing comes from mysql-front", "Source_Host=mysql-front"},
			{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-2", "nothing comes from ", "Replica_IO_Running=No"},
		},
		mend: func(d *database) {
			// They have not connected yet: no UUID tells.
			foundBy := func(how string) {
				d.Helper()
				for _, s := range d.topology().Servers[1:] {
					if c := s.Channels[0]; c.Source.Pod != "mysql-0" || c.Source.FoundBy != how || s.Depth != 1 {
						d.Errorf("%s: %+v", s.Pod, c)
					}
				}
			}
			foundBy("Service")
			d.sql(1, "START REPLICA")
			d.sql(2, "START REPLICA")
			d.sound(3)
			foundBy("uuid")
			// Of several servers behind a Service, one can be a source. A name may be a full one.
			d.sql(1, "STOP REPLICA; RESET REPLICA ALL; "+from("mysql-read", ""))
			d.sql(2, "STOP REPLICA; RESET REPLICA ALL; "+from("mysql-front."+d.NS+".svc.cluster.local", ""))
			foundBy("Service")
			d.Kubectl("delete", "service", "mysql-front")
			d.sql(1, follow)
			d.sql(2, follow)
		},
	}, {
		name: "a Service for writing selects replicas", check: "MYSQL072",
		inject: func(d *database) {
			d.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql-write"}, "spec": {"selector": {"app": "mysql"}, "ports": [{"port": 3306}]}}`)
		},
		want: []expect{{v1alpha1.CodeWriteServiceReachesReplica, bad, "service/mysql-write", "reaches mysql-1, mysql-2, which are replicas", ""}},
		mend: func(d *database) { d.Kubectl("delete", "service", "mysql-write") },
	}})
	d.newAccounts(t)
	late := d.late()
	d.accounts(t)
	d.placed(t)
	late()
	d.sourceGone(t)
}

// late begins to make mysql-2 late, by a lock, and returns what waits until it is late by a minute, and lets it go on.
func (d *database) late() (wait func()) {
	d.Helper()
	d.inBackground(2, "LOCK TABLES app.t READ; SELECT SLEEP(300)")
	d.sleeps(2)
	d.sql(0, "INSERT INTO app.t VALUES (500, 'late')")
	return func() {
		d.finds(nil, expect{v1alpha1.CodeReplicationLag, warning, "pod/mysql-2", "mysql-2 (the pod is Ready) is ", ""})
		cluster.Eventually(d, 75*time.Second, func() error {
			age := d.sql(2, "SELECT TIMESTAMPDIFF(SECOND, MAX(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), NOW(6)) FROM performance_schema.replication_applier_status_by_worker")
			if seconds, err := strconv.Atoi(age); err != nil || seconds < 61 {
				return fmt.Errorf("it is late by %s s", age)
			}
			return nil
		})
		d.finds(nil,
			expect{v1alpha1.CodeReplicationLag, bad, "pod/mysql-2", "mysql-2 (the pod is Ready) is 6", ""},
			expect{v1alpha1.CodeReadServiceReachesBroken, bad, "service/mysql-read", "mysql-2 (6", ""})
		d.readsFind("mysql-read", expect{v1alpha1.CodeReadsBroken, bad, "pod/mysql-2", "s late), ", ""})
		d.sql(2, "KILL "+d.sql(2, "SELECT ID FROM performance_schema.processlist WHERE STATE='User sleep'"))
		d.sound(3)
	}
}

const accountPassword = `p w'"$\`

// newAccounts makes accounts that may do less and less, and looks from one that only the replicas have: their source answers them, and
// not the plugin.
func (d *database) newAccounts(t *testing.T) {
	t.Helper()
	d.sql(0, `CREATE USER mon@'%' IDENTIFIED BY 'p w\'"$\\'; GRANT REPLICATION CLIENT ON *.* TO mon@'%'; GRANT SELECT ON performance_schema.* TO mon@'%';
		CREATE USER client@'%' IDENTIFIED BY 'p w\'"$\\'; GRANT REPLICATION CLIENT ON *.* TO client@'%';
		CREATE USER nopriv@'%' IDENTIFIED BY 'p w\'"$\\'`)
	d.sound(3)
	for _, replica := range []int{1, 2} {
		d.sql(replica, unlogged("CREATE USER here@'%' IDENTIFIED BY ''; GRANT REPLICATION CLIENT ON *.* TO here@'%'"))
	}
	d.finds([]string{"--user=here"}, expect{v1alpha1.CodeSourceUnreachableFromHere, warning, "pod/mysql-0", "mysql-1, mysql-2 still receives", ""})
	for _, replica := range []int{1, 2} {
		d.sql(replica, unlogged("DROP USER here@'%'"))
	}
}

// accounts logs in as users that may do less and less.
func (d *database) accounts(t *testing.T) {
	const password = accountPassword
	t.Setenv("DOIK_E2E_PASSWORD", password)
	file := t.TempDir() + "/password"
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Kubectl("create", "secret", "generic", "mon", "--from-literal=pw="+password)
	for _, from := range []string{"env:DOIK_E2E_PASSWORD", "file:" + file, "secret/mon:pw"} {
		for _, via := range []string{"port-forward", "exec"} {
			r := d.Doik("mysql-topology", "sts/mysql", "--user=mon", "--password-from="+from, "--via="+via)
			if r.Code != 0 || r.Err != "" || strings.Contains(r.Out, "unknown") || !strings.Contains(r.Out, "Yes/Yes") {
				t.Errorf("mon, %s, %s: %s%s", from, via, r.Out, r.Err)
			}
			if strings.Contains(r.Out+r.Err, password) {
				t.Errorf("the password shows: %s%s", r.Out, r.Err)
			}
		}
	}
	for _, via := range []string{"port-forward", "exec"} {
		flags := []string{"mysql-topology", "sts/mysql", "--password-from=env:DOIK_E2E_PASSWORD", "--via=" + via}
		r := d.Doik(append(flags, "--user=client")...)
		if r.Code != 0 || !strings.Contains(r.Out, "Yes/Yes") || strings.Contains(r.Out, "unknown") || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "error 1142") {
			t.Errorf("client, %s: %s%s", via, r.Out, r.Err)
		}
		r = d.Doik(append(flags, "--user=nopriv")...)
		if r.Code != 0 || strings.Contains(r.Out, "Yes/Yes") || strings.Count(r.Err, "\n") != 2 || !strings.Contains(r.Err, "error 1227") || strings.Contains(r.Out, "CRITICAL") {
			t.Errorf("nopriv, %s: %s%s", via, r.Out, r.Err)
		}
	}
	t.Setenv("DOIK_E2E_PASSWORD", "wrong")
	r := d.Doik("mysql-topology", "sts/mysql", "--user=mon", "--password-from=env:DOIK_E2E_PASSWORD")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "error 1045") || !strings.Contains(r.Out, "0/3 answered") {
		t.Errorf("with a wrong password: %s%s", r.Out, r.Err)
	}
}

// placed tells of where servers run. It changes nodes, and so only those of test/node.
func (d *database) placed(t *testing.T) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Log("LEFT OUT: where servers run, which takes labels on this cluster's nodes")
		return
	}
	node := d.topology().Servers[0].Node
	d.Apply(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "empty-node"}}`)
	d.Kubectl("label", "node", node, "eks.amazonaws.com/capacityType=SPOT")
	defer func() {
		d.Kubectl("label", "node", node, "eks.amazonaws.com/capacityType-")
		d.Kubectl("delete", "node", "empty-node")
	}()
	d.finds(nil,
		expect{v1alpha1.CodePrimaryOnSpot, warning, "pod/mysql-0", "a spot node (eks.amazonaws.com/capacityType=SPOT)", ""},
		expect{v1alpha1.CodeReplicasTogether, warning, "pod/mysql-2", "run on the node " + node, ""})
	if r := d.Doik("mysql-topology", "sts/mysql", "-o", "wide"); !strings.Contains(r.Out, " spot ") {
		t.Errorf("%s", r.Out)
	}
}

// sourceGone breaks the source's configuration, so that it does not start again.
func (d *database) sourceGone(t *testing.T) {
	d.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", "printf '[mysqld]\\nno-such-option=1\\n' > /etc/mysql/conf.d/z.cnf; kill 1")
	report := d.finds([]string{"--server-timeout=5s"}, expect{v1alpha1.CodeSourceUnreachable, critical, "pod/mysql-0", "no replica receives from it", "Replica_IO_Running=Connecting"})
	if s := report.Servers[0]; s.Pod != "mysql-0" || s.Unreachable == "" || s.Role != v1alpha1.RoleUnknown || report.Servers[1].Depth != 1 {
		t.Errorf("%+v", report.Servers)
	}
	var r cluster.Result
	cluster.Eventually(t, time.Minute, func() error { // it is started a few times before the kubelet waits
		r = d.Doik("mysql-topology", "sts/mysql", "--fail-on=critical")
		if r.Code != 3 || !strings.Contains(r.Err, "server mysql-0: its container mysql does not run") {
			return fmt.Errorf("exit code %d: %s", r.Code, r.Err)
		}
		return nil
	})
	t.Logf("\n%s%s", r.Out, r.Err)
	d.Kubectl("delete", "pod", "mysql-0") // its configuration is made anew
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=120s")
	for _, replica := range []int{1, 2} {
		d.sql(replica, "STOP REPLICA; START REPLICA") // it would wait for its next attempt
	}
	d.sound(3)
}

// TestMariaDBFaults is TestMySQLFaults for what MariaDB says in other words.
func TestMariaDBFaults(t *testing.T) {
	d := &database{Namespace: cluster.NewNamespace(t), set: "mariadb", container: "mariadb", client: "mariadb"}
	d.Apply(d.Manifest("mariadb.yaml"))
	d.Kubectl("rollout", "status", "sts/mariadb", "--timeout=240s")
	d.sound(2)
	d.sql(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO app.t VALUES (1, 'a')")
	d.sound(2)
	if s := d.topology("--via=exec").Servers; s[1].Role != v1alpha1.RoleReplica || s[1].Channels[0].Source.FoundBy != "server id" || *s[1].Channels[0].BehindTransactions != 0 || s[1].Via != "exec" {
		t.Errorf("%+v", s)
	}
	const follow = "STOP REPLICA; CHANGE MASTER TO MASTER_HOST='mariadb-0.mariadb', MASTER_USER='root', MASTER_PASSWORD='', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=5, MASTER_DELAY=0; START REPLICA"
	d.each(t, 2, []fault{{
		name: "the applier is stopped", check: "MYSQL011 MYSQL070",
		inject: func(d *database) { d.sql(1, "STOP SLAVE SQL_THREAD") },
		want:   []expect{{v1alpha1.CodeApplierStopped, critical, "pod/mariadb-1", "the pod is Ready", "Slave_SQL_Running=No"}},
		mend:   func(d *database) { d.sql(1, "START SLAVE") },
	}, {
		name: "the receiver is stopped", check: "MYSQL014 MYSQL070",
		inject: func(d *database) { d.sql(1, "STOP SLAVE IO_THREAD") },
		want:   []expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mariadb-1", "nothing comes from", "Slave_IO_Running=No"}},
		mend:   func(d *database) { d.sql(1, "START SLAVE") },
	}, {
		name: "a row is there already", check: "MYSQL010 MYSQL070",
		inject: func(d *database) {
			d.sql(1, "SET sql_log_bin=0; INSERT INTO app.t VALUES (110, 'mine')")
			d.sql(0, "INSERT INTO app.t VALUES (110, 'source')")
		},
		want: []expect{{v1alpha1.CodeApplierError, critical, "pod/mariadb-1", "Duplicate entry '110'", "Last_SQL_Errno=1062"}},
		mend: func(d *database) { d.sql(1, "SET sql_log_bin=0; DELETE FROM app.t WHERE id=110; START SLAVE") },
	}, {
		name: "the password is wrong", check: "MYSQL013 MYSQL070",
		inject: func(d *database) { d.sql(1, "STOP SLAVE; CHANGE MASTER TO MASTER_PASSWORD='wrong'; START SLAVE") },
		want:   []expect{{v1alpha1.CodeReceiverConnecting, warning, "pod/mariadb-1", "1045: Access denied", "Last_IO_Errno=1045"}},
		mend:   func(d *database) { d.sql(1, follow) },
	}, {
		name: "a replica takes writes", check: "MYSQL021",
		inject: func(d *database) {
			d.sql(1, "SET GLOBAL read_only=0")
		},
		want: []expect{{v1alpha1.CodeReplicaWritable, bad, "pod/mariadb-1", "read_only=0", "read_only=OFF"}},
		mend: func(d *database) { d.sql(1, "SET GLOBAL read_only=1") },
	}, {
		name: "the source is read-only", check: "MYSQL022",
		inject: func(d *database) { d.sql(0, "SET GLOBAL read_only=1") },
		want:   []expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/mariadb-0", "takes no writes", "read_only=ON"}},
		mend:   func(d *database) { d.sql(0, "SET GLOBAL read_only=0") },
	}, {
		name: "a channel goes by file and position", check: "MYSQL041",
		inject: func(d *database) { d.sql(1, "STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID=no; START SLAVE") },
		want:   []expect{{v1alpha1.CodeNotAutoPosition, warning, "pod/mariadb-1", "goes by file and position", "Using_Gtid=No"}},
		mend:   func(d *database) { d.sql(1, follow) },
	}, {
		name:   "a replica is late on purpose",
		inject: func(d *database) { d.sql(1, "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=3600; START SLAVE") },
		want:   []expect{{v1alpha1.CodeDelayedReplica, info, "pod/mariadb-1", "60m late on purpose", "SQL_Delay=3600"}},
		mend:   func(d *database) { d.sql(1, follow) },
	}, {
		name: "two servers have one server id", check: "MYSQL025",
		inject: func(d *database) { d.sql(1, "SET GLOBAL server_id=100") },
		want:   []expect{{v1alpha1.CodeDuplicateServerID, bad, "pod/mariadb-1", "the same server_id 100", "server_id=100"}},
		mend:   func(d *database) { d.sql(1, "SET GLOBAL server_id=101") },
	}, {
		name: "semi-synchronous replication has fallen back", check: "MYSQL034",
		inject: func(d *database) {
			d.sql(0, "SET GLOBAL rpl_semi_sync_master_timeout=1; SET GLOBAL rpl_semi_sync_master_enabled=1; INSERT INTO app.t VALUES (600, 'x')")
		},
		want: []expect{{v1alpha1.CodeSemiSyncFellBack, bad, "pod/mariadb-0", "enabled and off", "Rpl_semi_sync_master_status=OFF"}},
		mend: func(d *database) { d.sql(0, "SET GLOBAL rpl_semi_sync_master_enabled=0") },
	}, {
		name: "an operator's label says the wrong role", check: "MYSQL071",
		inject: func(d *database) {
			d.Kubectl("label", "pod", "mariadb-0", "mariadb-1", "app.kubernetes.io/name=mariadb", "k8s.mariadb.com/role=primary")
		},
		want: []expect{{v1alpha1.CodeRoleLabelWrong, bad, "pod/mariadb-1", "k8s.mariadb.com/role=primary, and the server is replica and read-only", "read_only=ON"}},
		mend: func(d *database) {
			d.Kubectl("label", "pod", "mariadb-0", "mariadb-1", "app.kubernetes.io/name-", "k8s.mariadb.com/role-")
		},
	}, {
		name: "a Service stands between a replica and its source", check: "MYSQL011 MYSQL014 MYSQL070",
		inject: func(d *database) {
			d.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mariadb-front"}, "spec": {"selector": {"statefulset.kubernetes.io/pod-name": "mariadb-0"}, "ports": [{"port": 3306}]}}`)
			d.sql(1, "STOP SLAVE; RESET SLAVE ALL; CHANGE MASTER 'front' TO MASTER_HOST='"+d.Kubectl("get", "service", "mariadb-front", "-o", "jsonpath={.spec.clusterIP}")+"', MASTER_USER='root', MASTER_USE_GTID=slave_pos")
		},
		want: []expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mariadb-1", "nothing comes from ", "Slave_IO_Running=No"}},
		mend: func(d *database) {
			foundBy := func(how string) { // its id is known once a connection of this name has been made
				d.Helper()
				if c := d.topology().Servers[1].Channels[0]; c.Source.Pod != "mariadb-0" || c.Source.FoundBy != how {
					d.Errorf("%+v", c)
				}
			}
			foundBy("Service")
			d.sql(1, "START SLAVE 'front'")
			d.sound(2)
			foundBy("server id")
			d.Kubectl("delete", "service", "mariadb-front")
			d.sql(1, "STOP SLAVE 'front'; RESET SLAVE 'front' ALL; "+follow)
		},
	}})
	d.mariaDBAccounts(t)
	d.namedConnections()
	d.sql(1, "SET GLOBAL read_only=0; INSERT INTO app.t VALUES (300, 'errant'); SET GLOBAL read_only=1")
	d.finds(nil, expect{v1alpha1.CodeErrantTransactions, bad, "pod/mariadb-1", "(written on mariadb-1)", ""})
}

// mariaDBAccounts logs in as users with what docs/rbac.md says is enough, with less, and with nothing.
func (d *database) mariaDBAccounts(t *testing.T) {
	d.sql(0, "CREATE USER mon@'%' IDENTIFIED BY 'pw'; GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO mon@'%'; CREATE USER slave@'%' IDENTIFIED BY 'pw'; GRANT SLAVE MONITOR ON *.* TO slave@'%'; CREATE USER nopriv@'%' IDENTIFIED BY 'pw'")
	d.sound(2)
	t.Setenv("DOIK_E2E_PASSWORD", "pw")
	for _, via := range []string{"port-forward", "exec"} {
		for user, want := range map[string]struct {
			threads  bool
			warnings int
			contains string
		}{
			"mon":    {true, 0, ""},
			"slave":  {true, 1, "BINLOG MONITOR"},
			"nopriv": {false, 2, "SLAVE MONITOR"},
		} {
			r := d.Doik("mysql-topology", "sts/mariadb", "--user="+user, "--password-from=env:DOIK_E2E_PASSWORD", "--via="+via)
			if r.Code != 0 || strings.Contains(r.Out, "Yes/Yes") != want.threads || strings.Contains(r.Out, "unknown") == want.threads ||
				strings.Count(r.Err, "\n") != want.warnings || !strings.Contains(r.Err, want.contains) || strings.Contains(r.Out, "CRITICAL") {
				t.Errorf("%s, %s: exit code %d: %s%s", user, via, r.Code, r.Out, r.Err)
			}
		}
	}
}

// namedConnections makes a third server a source of its own, and the second a replica of both.
func (d *database) namedConnections() {
	d.Helper()
	d.Kubectl("scale", "sts/mariadb", "--replicas=3")
	d.Kubectl("rollout", "status", "sts/mariadb", "--timeout=120s")
	d.sound(3)
	d.sql(2, "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0, GLOBAL gtid_domain_id=2")
	d.sql(2, "CREATE DATABASE two")
	to := " TO MASTER_HOST='mariadb-%d.mariadb', MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=5"
	d.sql(1, "STOP SLAVE; RESET SLAVE ALL; CHANGE MASTER 'a'"+fmt.Sprintf(to, 0)+"; CHANGE MASTER 'b'"+fmt.Sprintf(to, 2)+", IGNORE_DOMAIN_IDS=(0); START ALL SLAVES; STOP SLAVE 'b' SQL_THREAD")
	d.finds(nil,
		expect{v1alpha1.CodeSeveralSources, info, "pod/mariadb-2", "mariadb-1 gets what is written to each", "read_only=OFF"},
		expect{v1alpha1.CodeApplierStopped, critical, "pod/mariadb-1", "mariadb-1 (channel b)", "Connection_name=b"})
	d.sql(1, "START SLAVE 'b' SQL_THREAD")
	d.sound(3)
	s := d.topology().Servers
	if c := s[1].Channels; len(c) != 2 || c[0].Name != "a" || c[0].Source.Pod != "mariadb-0" || c[1].Name != "b" || c[1].Source.Pod != "mariadb-2" || c[1].Source.FoundBy != "server id" || c[1].ErrantGTIDs != "" {
		d.Errorf("%+v", s)
	}
}

// TestGTIDAgreesWithServer checks the arithmetic of GTID sets against a real server's GTID_SUBTRACT, on random sets with tags.
func TestGTIDAgreesWithServer(t *testing.T) {
	const pairs = 400
	n := cluster.NewNamespace(t)
	n.Apply(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"securityContext": {"runAsUser": 999, "runAsGroup": 999}, "containers": [{"name": "mysql", "image": "mysql:9.7",
		"command": ["sh", "-c", "mysqld --no-defaults --initialize-insecure --datadir=/tmp/d && exec mysqld --datadir=/tmp/d --mysqlx=OFF"],
		"readinessProbe": {"exec": {"command": ["mysql", "-uroot", "-e", "SELECT 1"]}, "periodSeconds": 1}}]}}`)
	n.Kubectl("wait", "pod/one", "--for=condition=Ready", "--timeout=120s")
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewSource(seed))
	var script strings.Builder
	var sets [][2]string
	for range pairs {
		pair := [2]string{randomGTIDs(r), randomGTIDs(r)}
		sets = append(sets, pair)
		fmt.Fprintf(&script, "SELECT CONCAT('=', REPLACE(GTID_SUBTRACT('%s', '%s'), '\\n', ''));\n", pair[0], pair[1])
	}
	out := cluster.Run(t, script.String(), "kubectl", "-n", n.NS, "exec", "-i", "one", "--", "mysql", "-uroot", "-N")
	lines := strings.Split(strings.TrimSpace(out.Out), "\n")
	if len(lines) != pairs {
		t.Fatalf("%d answers: %s", len(lines), out.Err)
	}
	parse := func(text string) mysql.GTIDSet {
		set, err := mysql.ParseGTIDSet(text)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	for i, pair := range sets {
		want := strings.TrimPrefix(lines[i], "=")
		if got := parse(pair[0]).Subtract(parse(pair[1])).String(); got != want {
			t.Errorf("%s - %s = %s, the server says %s", pair[0], pair[1], got, want)
		}
	}
}

func randomGTIDs(r *rand.Rand) string {
	var parts []string
	for _, source := range []string{"3e11fa47-71ca-11e1-9e33-c80aa9429562", "3e11fa47-71ca-11e1-9e33-c80aa9429562:tag_1", "ae11fa47-71ca-11e1-9e33-c80aa9429562:b"} {
		var intervals []string
		for range r.Intn(4) {
			low := r.Intn(20) + 1
			intervals = append(intervals, fmt.Sprintf("%d-%d", low, low+r.Intn(5)))
		}
		if len(intervals) > 0 {
			parts = append(parts, source+":"+strings.Join(intervals, ":"))
		}
	}
	return strings.Join(parts, ",")
}

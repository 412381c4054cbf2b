package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// MySQL makes the study's MySQL: a source and two replicas, with a table.
func MySQL(s *Set) {
	s.Helper()
	s.StatefulSet, s.Container, s.Client = "mysql", "mysql", "mysql"
	s.Apply(s.Manifest("mysql.yaml"))
	s.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	s.Answering(3)
	s.SQL(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO app.t VALUES (1, 'a')")
}

// From makes a MySQL server replicate from a host, once it is started.
func From(host, channel string) string {
	return "CHANGE REPLICATION SOURCE TO SOURCE_HOST='" + host + "', SOURCE_USER='root', SOURCE_PASSWORD='', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=5, GET_SOURCE_PUBLIC_KEY=1" + channel
}

// follow makes a server replicate from mysql-0, as at first.
var follow = "STOP REPLICA; RESET REPLICA ALL; " + From("mysql-0.mysql", "") + "; START REPLICA; SET GLOBAL super_read_only=1"

// Unlogged lets a statement through on a read-only server without a trace in its log.
func Unlogged(statement string) string {
	return "SET sql_log_bin=0; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0; " + statement + "; SET GLOBAL super_read_only=1"
}

// mySQL has what can go wrong with asynchronous replication, on real MySQL servers.
var mySQL = Bed{
	Name: "mysql", Machine: Node,
	New: func(s *Set) {
		MySQL(s)
		if servers := s.Topology().Servers; servers[0].Role != v1alpha1.RoleSource || servers[2].Depth != 1 || servers[1].Channels[0].LagMilliseconds == nil || servers[0].Via != "port-forward" {
			s.Errorf("%+v", servers)
		}
		if table := s.MustDoik("check"); !strings.Contains(table, "3 servers") || !strings.Contains(table, "Nothing is wrong with 1 StatefulSet; ") {
			s.Errorf("\n%s", table)
		}
	},
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: append(withoutOperator, []Fault{{
		Name: "a replica follows another source than the rest", Always: true, Check: "MYSQL004 MYSQL022 MYSQL024",
		// New servers can be set up as long as no log has been purged.
		Inject: inTurn(kubectl("scale sts/mysql --replicas=5"), kubectl("rollout status sts/mysql --timeout=300s"), func(s *Set) { s.Answering(5) },
			sql(3, "STOP REPLICA; RESET REPLICA ALL"), sql(4, strings.ReplaceAll(follow, "mysql-0", "mysql-3"))),
		Want:   []Expect{{v1alpha1.CodeWrongSource, warning, "pod/mysql-4", "follows mysql-3, but the rest of the set follows mysql-0", ""}},
		Repair: inTurn(kubectl("scale sts/mysql --replicas=3"), kubectl("wait --for=delete pod/mysql-3 pod/mysql-4 --timeout=300s"), kubectl("delete pvc data-mysql-3 data-mysql-4")),
	}, {
		Name: "the applier is stopped", Always: true, Check: "MYSQL011 MYSQL070 MYSQL073",
		Inject: sql(1, "STOP REPLICA SQL_THREAD"),
		Want: []Expect{
			{v1alpha1.CodeApplierStopped, critical, "pod/mysql-1", "the pod is Ready", "Replica_SQL_Running=No"},
			{v1alpha1.CodeLagUnknown, info, "pod/mysql-1", "the applier is stopped", ""},
			{v1alpha1.CodeReadServiceReachesSource, info, "service/mysql-read", "", ""}, // as the study's does
			{v1alpha1.CodeReadyButBroken, warning, "pod/mysql-1", "receiver Yes, applier No", ""},
			{v1alpha1.CodeReadServiceReachesBroken, warning, "service/mysql-read", "mysql-1 (receiver Yes, applier No): the data is still that of the source", ""},
		},
		Repair: sql(1, "START REPLICA"),
	}, {
		Name: "the receiver is stopped", Check: "MYSQL014 MYSQL070 MYSQL073",
		Inject: sql(2, "STOP REPLICA IO_THREAD"),
		Want:   []Expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-2", "nothing arrives from mysql-0.mysql", "Replica_IO_Running=No"}},
		Then: []Step{{ // and the source goes on
			Do: sql(0, "INSERT INTO app.t VALUES (2, 'b')"), Check: "MYSQL014 MYSQL070 MYSQL073",
			Want:  []Expect{{v1alpha1.CodeReadServiceReachesBroken, bad, "service/mysql-read", "mysql-2 (receiver No, applier Yes): clients get stale data", ""}},
			Reads: Reads{Service: "mysql-read", Want: []Expect{{v1alpha1.CodeReadsBroken, bad, "pod/mysql-2", "stale data was read from mysql-2", ""}}},
		}},
		Repair: sql(2, "START REPLICA"),
	}, {
		Name: "a row is there already", Check: "MYSQL010 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(1, Unlogged("INSERT INTO app.t VALUES (110, 'mine')"))
			s.SQL(0, "INSERT INTO app.t VALUES (110, 'source')")
		},
		Want:   []Expect{{v1alpha1.CodeApplierError, critical, "pod/mysql-1", "table app.t: Duplicate entry '110' for key 't.PRIMARY'", "LAST_ERROR_NUMBER=1062"}},
		Repair: func(s *Set) { s.SQL(1, Unlogged("DELETE FROM app.t WHERE id=110")+"; START REPLICA") },
	}, {
		Name: "the password is wrong", Check: "MYSQL013 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='wrong', SOURCE_CONNECT_RETRY=60; START REPLICA")
		},
		Want: []Expect{{v1alpha1.CodeReceiverConnecting, warning, "pod/mysql-2", "1045: Access denied", "Last_IO_Errno=1045"}},
		Then: []Step{{ // what it lacks is no worse than why
			Do: sql(0, "INSERT INTO app.t VALUES (3, 'c')"), Check: "MYSQL013 MYSQL070 MYSQL073",
			Want:  []Expect{{v1alpha1.CodeReadServiceReachesBroken, warning, "service/mysql-read", "mysql-2 (receiver Connecting, applier Yes): clients get stale data", ""}},
			Reads: Reads{Service: "mysql-read", Want: []Expect{{v1alpha1.CodeReadsBroken, warning, "pod/mysql-2", "stale data was read from mysql-2", ""}}},
		}},
		Repair: sql(2, follow),
	}, {
		Name: "the receiver gives up", Check: "MYSQL012 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='wrong', SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=2; START REPLICA")
		},
		Want:   []Expect{{v1alpha1.CodeReceiverGaveUp, critical, "pod/mysql-2", "attempt 2/2", "Last_IO_Errno=1045"}},
		Repair: sql(2, follow),
	}, {
		Name: "the source is about to lack a log", Check: "MYSQL011 MYSQL014 MYSQL015 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA")
			s.SQL(0, "INSERT INTO app.t VALUES (200, 'purged'); FLUSH BINARY LOGS")
			file := strings.Fields(s.SQL(0, "SHOW BINARY LOG STATUS"))[0]
			s.SQL(0, "PURGE BINARY LOGS TO '"+file+"'")
		},
		Want: []Expect{{v1alpha1.CodeSourcePurgedNeededLogs, warning, "pod/mysql-2", "lacks 1 transaction that mysql-0 has purged", ""}},
		Then: []Step{{ // it happens
			Do: sql(2, "START REPLICA"), Check: "MYSQL015 MYSQL070 MYSQL073",
			Want: []Expect{{v1alpha1.CodeSourcePurgedNeededLogs, critical, "pod/mysql-2", "it must be rebuilt", "Replica_IO_Running=No"}},
		}},
		Repair: func(s *Set) {
			purged := s.SQL(2, fmt.Sprintf("SELECT GTID_SUBTRACT('%s', @@gtid_executed)", strings.ReplaceAll(s.SQL(0, "SELECT @@gtid_purged"), `\n`, "")))
			s.SQL(2, "SET GLOBAL super_read_only=0; SET GTID_NEXT='"+purged+"'; INSERT INTO app.t VALUES (200, 'purged'); SET GTID_NEXT='AUTOMATIC'; START REPLICA; SET GLOBAL super_read_only=1")
		},
	}, {
		Name: "a replica is written to", Check: "MYSQL020 MYSQL021",
		Inject: func(s *Set) {
			s.SQL(1, "SET GLOBAL read_only=0; INSERT INTO app.t VALUES (300, 'errant')")
		},
		Want: []Expect{
			{v1alpha1.CodeErrantTransactions, bad, "pod/mysql-1", ":1 (1 transaction, written on mysql-1)", ""},
			{v1alpha1.CodeReplicaWritable, bad, "pod/mysql-1", "takes writes (read_only=0)", "read_only=OFF"},
		},
		Repair: func(s *Set) {
			errant := s.SQL(1, "SELECT CONCAT(@@server_uuid, ':1')")
			s.SQL(1, Unlogged("DELETE FROM app.t WHERE id=300"))
			s.SQL(0, "SET GTID_NEXT='"+errant+"'; BEGIN; COMMIT")
		},
	}, {
		Name:   "only super_read_only is off",
		Inject: sql(1, "SET GLOBAL super_read_only=0"),
		Want:   []Expect{{v1alpha1.CodeReplicaWritable, info, "pod/mysql-1", "CONNECTION_ADMIN", "super_read_only=OFF"}},
		Repair: sql(1, "SET GLOBAL super_read_only=1"),
	}, {
		Name: "the source is read-only", Check: "MYSQL022",
		Inject: sql(0, "SET GLOBAL read_only=1"),
		Want:   []Expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/mysql-0", "takes no writes", "read_only=ON"}},
		Repair: sql(0, "SET GLOBAL read_only=0"),
	}, {
		Name: "a replica has lost its channel", Check: "MYSQL014",
		Inject: sql(2, "STOP REPLICA; RESET REPLICA ALL"),
		Want:   []Expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-2", "has no replication channel", "read_only=ON"}},
		Then: []Step{{ // and takes writes
			Do: sql(2, "SET GLOBAL read_only=0"), Check: "MYSQL004",
			Want: []Expect{{v1alpha1.CodeSeveralSources, critical, "pod/mysql-2", "mysql-0 (writable, 1 replica), mysql-2 (writable)", "read_only=OFF"}},
		}},
		Repair: sql(2, follow),
	}, {
		Name: "no server takes writes", Check: "MYSQL003",
		Inject: func(s *Set) {
			s.SQL(0, "SET GLOBAL read_only=1")
			s.SQL(1, "STOP REPLICA; RESET REPLICA ALL")
			s.SQL(2, "STOP REPLICA; RESET REPLICA ALL")
		},
		Want: []Expect{{v1alpha1.CodeNoSource, critical, "pod/mysql-0", "no server takes writes", "read_only=ON"}},
		Repair: func(s *Set) {
			s.SQL(0, "SET GLOBAL read_only=0")
			s.SQL(1, follow)
			s.SQL(2, follow)
		},
	}, {
		Name: "servers replicate from each other", Check: "MYSQL005",
		Inject: func(s *Set) {
			s.SQL(0, strings.ReplaceAll(strings.ReplaceAll(follow, "mysql-0", "mysql-1"), "super_read_only=1", "read_only=0"))
		},
		Want: []Expect{{v1alpha1.CodeReplicationCycle, warning, "pod/mysql-1", "mysql-0, mysql-1 replicate from each other; one of them takes writes", ""}},
		Then: []Step{{ // and both take writes
			Do: sql(1, "SET GLOBAL read_only=0"), Check: "MYSQL005",
			Want: []Expect{{v1alpha1.CodeReplicationCycle, critical, "pod/mysql-0", "2 of them take writes", ""}},
		}},
		Repair: func(s *Set) {
			s.SQL(1, "SET GLOBAL super_read_only=1")
			s.SQL(0, "STOP REPLICA; RESET REPLICA ALL")
		},
	}, {
		Name: "the source is elsewhere", Check: "MYSQL013 MYSQL023 MYSQL070 MYSQL073",
		Inject: func(s *Set) { s.SQL(2, strings.ReplaceAll(follow, "mysql-0.mysql", "db.example.com")) },
		Want: []Expect{
			{v1alpha1.CodeReplicatesFromOutside, warning, "pod/mysql-2", "db.example.com", "Source_Host=db.example.com"},
			{v1alpha1.CodeReceiverConnecting, warning, "pod/mysql-2", "db.example.com and keeps retrying: its host name does not resolve in the pod: 2005…kubectl doik dns -n NS", "Last_IO_Errno=2005"},
		},
		Repair: sql(2, follow),
	}, {
		Name: "two replicas have one server id", Check: "MYSQL025",
		Inject: sql(2, "SET GLOBAL server_id=101"),
		Want:   []Expect{{v1alpha1.CodeDuplicateServerID, bad, "pod/mysql-2", "mysql-1, mysql-2 have the same server_id 101", "server_id=101"}},
		Repair: sql(2, "SET GLOBAL server_id=102"),
	}, {
		Name: "a replica has its source's server id", Check: "MYSQL016 MYSQL025 MYSQL070 MYSQL073",
		Inject: sql(2, "STOP REPLICA; SET GLOBAL server_id=100; START REPLICA"),
		Want:   []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "equal MySQL server ids", "Replica_IO_Running=No"}},
		Repair: sql(2, "SET GLOBAL server_id=102; START REPLICA"),
	}, {
		Name: "a replica is late on purpose", Always: true,
		Inject: func(s *Set) {
			s.SQL(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY=3600; START REPLICA")
			s.SQL(0, "INSERT INTO app.t VALUES (400, 'delayed')")
		},
		Want:  []Expect{{v1alpha1.CodeDelayedReplica, info, "pod/mysql-1", "60m late on purpose; the next transaction is applied in", "SQL_Delay=3600"}},
		Reads: Reads{Service: "mysql-read", Want: []Expect{{v1alpha1.CodeDelayedReplica, info, "pod/mysql-1", "60m late on purpose but answers reads", ""}}},
		Repair: func(s *Set) {
			s.SQL(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY=0; START REPLICA")
		},
	}, {
		Name: "commits wait for semi-synchronous replicas", Check: "MYSQL033",
		Inject: func(s *Set) {
			s.SQL(0, "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'; SET GLOBAL rpl_semi_sync_source_enabled=1; SET GLOBAL rpl_semi_sync_source_timeout=100000000")
			s.InBackground(0, "INSERT INTO app.t VALUES (600, 'waits')")
		},
		Want: []Expect{{v1alpha1.CodeSemiSyncBlocked, critical, "pod/mysql-0", "commits wait for 1 semi-synchronous replica, but 0 are connected: 1 session hangs", "Rpl_semi_sync_source_wait_sessions=1"}},
		Then: []Step{{ // and no longer
			Do: inTurn(sql(0, "SET GLOBAL rpl_semi_sync_source_timeout=1; SET GLOBAL rpl_semi_sync_source_enabled=0; SET GLOBAL rpl_semi_sync_source_enabled=1"),
				sql(0, "INSERT INTO app.t VALUES (601, 'does not wait')")),
			Check: "MYSQL034",
			Want:  []Expect{{v1alpha1.CodeSemiSyncFellBack, bad, "pod/mysql-0", "is enabled but has fallen back", "Rpl_semi_sync_source_status=OFF"}},
		}},
		Repair: sql(0, "SET GLOBAL rpl_semi_sync_source_enabled=0; UNINSTALL PLUGIN rpl_semi_sync_source"),
	}, {
		Name: "gtid_mode differs", Always: true, Check: "MYSQL040",
		Inject: sql(2, "SET GLOBAL gtid_mode=ON_PERMISSIVE"),
		Want:   []Expect{{v1alpha1.CodeGTIDModeMixed, warning, "pod/mysql-2", "ON_PERMISSIVE on mysql-2", "gtid_mode=ON_PERMISSIVE"}},
		Repair: sql(2, "SET GLOBAL gtid_mode=ON"),
	}, {
		Name: "a channel goes by file and position", Check: "MYSQL041",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=0; START REPLICA")
		},
		Want:   []Expect{{v1alpha1.CodeNotAutoPosition, warning, "pod/mysql-2", "replicates by file and position", "Auto_Position=0"}},
		Repair: sql(2, follow),
	}, {
		Name: "data was copied with its auto.cnf, and log_replica_updates is off", Check: "MYSQL016 MYSQL026 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			auto := s.Kubectl("exec", "mysql-1", "-c", "mysql", "--", "cat", "/var/lib/mysql/auto.cnf")
			s.Kubectl("exec", "mysql-2", "-c", "mysql", "--", "sh", "-c", "cp /var/lib/mysql/auto.cnf /var/lib/mysql/auto.old; printf '%s\\n' \"$1\" > /var/lib/mysql/auto.cnf; printf '[mysqld]\\nlog_replica_updates=OFF\\n' > /etc/mysql/conf.d/z.cnf; kill 1", "sh", auto)
		},
		Want: []Expect{
			{v1alpha1.CodeDuplicateServerUUID, critical, "pod/mysql-2", "mysql-1, mysql-2 have the same server_uuid", ""},
			{v1alpha1.CodeCannotBePromoted, info, "pod/mysql-2", "log_replica_updates=0", "log_replica_updates=OFF"},
		},
		Repair: func(s *Set) {
			s.Kubectl("exec", "mysql-2", "-c", "mysql", "--", "sh", "-c", "mv /var/lib/mysql/auto.old /var/lib/mysql/auto.cnf; rm /etc/mysql/conf.d/z.cnf; kill 1")
			s.Kubectl("wait", "pod/mysql-2", "--for=condition=Ready", "--timeout=300s")
			cluster.Eventually(s, 30*time.Second, func() error {
				if r := s.TrySQL(1, "START REPLICA"); r.Code != 0 { // the source has dropped one of two with the same UUID
					return fmt.Errorf("%s", r.Err)
				}
				return nil
			})
		},
	}, {
		Name: "a replica has several sources", Check: "MYSQL011 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(1, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only=0; INSERT INTO app.t VALUES (700, 'of mysql-1')")
			s.SQL(2, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=1; "+From("mysql-0.mysql", " FOR CHANNEL 'a'")+"; "+From("mysql-1.mysql", " FOR CHANNEL 'b'")+"; START REPLICA; STOP REPLICA SQL_THREAD FOR CHANNEL 'b'")
		},
		Want: []Expect{
			{v1alpha1.CodeSeveralSources, info, "pod/mysql-1", "mysql-0 (writable, 1 replica), mysql-1 (writable, 1 replica); mysql-2 replicates from all of them", "read_only=OFF"},
			{v1alpha1.CodeApplierStopped, critical, "pod/mysql-2", "mysql-2 (channel b)", "Channel_Name=b"},
		},
		Repair: func(s *Set) {
			s.SQL(2, "START REPLICA SQL_THREAD FOR CHANNEL 'b'")
			s.Answering(3)
			servers := s.Topology().Servers
			if c := servers[1].Channels; len(c) != 2 || c[0].Name != "a" || c[0].Source.Pod != "mysql-0" || c[1].Name != "b" || c[1].Source.Pod != "mysql-1" || c[1].Source.FoundBy != "uuid" || c[1].MySQL.ErrantGTIDs != "" {
				s.Errorf("%+v", servers)
			}
			if out := s.MustDoik("mysql-topology", "sts/mysql"); !below(out, "\nmysql-0 ", "\n└─ mysql-2 (a) ", "\nmysql-1 ", "\n└─ mysql-2 (b) ") {
				s.Errorf("%s", out)
			}
			errant := s.SQL(1, "SELECT GTID_SUBTRACT(@@gtid_executed, '"+strings.ReplaceAll(s.SQL(0, "SELECT @@gtid_executed"), `\n`, "")+"')")
			s.SQL(1, Unlogged("DELETE FROM app.t WHERE id=700"))
			s.SQL(2, Unlogged("DELETE FROM app.t WHERE id=700"))
			s.SQL(0, "SET GTID_NEXT='"+errant+"'; BEGIN; COMMIT")
			s.SQL(1, follow)
			s.SQL(2, follow)
		},
	}, {
		Name: "Services stand between replicas and their source", Check: "MYSQL011 MYSQL014 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql-front"}, "spec": {"selector": {"statefulset.kubernetes.io/pod-name": "mysql-0"}, "ports": [{"port": 3306}]}}`)
			s.SQL(1, "STOP REPLICA; RESET REPLICA ALL; "+From("mysql-front", ""))
			s.SQL(2, "STOP REPLICA; RESET REPLICA ALL; "+From(s.Kubectl("get", "service", "mysql-front", "-o", "jsonpath={.spec.clusterIP}"), ""))
		},
		Want: []Expect{
			{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-1", "nothing arrives from mysql-front", "Source_Host=mysql-front"},
			{v1alpha1.CodeReceiverStopped, critical, "pod/mysql-2", "nothing arrives from ", "Replica_IO_Running=No"},
		},
		Repair: func(s *Set) {
			// They have not connected yet: no UUID tells.
			foundBy := func(how v1alpha1.SourceClue) {
				s.Helper()
				for _, server := range s.Topology().Servers[1:] {
					if c := server.Channels[0]; c.Source.Pod != "mysql-0" || c.Source.FoundBy != how || server.Depth != 1 {
						s.Errorf("%s: %+v", server.Pod, c)
					}
				}
			}
			foundBy("Service")
			s.SQL(1, "START REPLICA")
			s.SQL(2, "START REPLICA")
			s.Answering(3)
			foundBy("uuid")
			// Of several servers behind a Service, one can be a source. A name may be a full one.
			s.SQL(1, "STOP REPLICA; RESET REPLICA ALL; "+From("mysql-read", ""))
			s.SQL(2, "STOP REPLICA; RESET REPLICA ALL; "+From("mysql-front."+s.NS+".svc.cluster.local", ""))
			foundBy("Service")
			s.Kubectl("delete", "service", "mysql-front")
			s.SQL(1, follow)
			s.SQL(2, follow)
		},
	}, {
		Name: "a Service for writing selects replicas", Check: "MYSQL072",
		Inject: func(s *Set) {
			s.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql-write"}, "spec": {"selector": {"app": "mysql"}, "ports": [{"port": 3306}]}}`)
		},
		Want:   []Expect{{v1alpha1.CodeWriteServiceReachesReplica, bad, "service/mysql-write", "reaches mysql-1, mysql-2, which are replicas", ""}},
		Repair: kubectl("delete service mysql-write"),
	}, {
		// Its replicas have an account that it has not: they receive from it, and it does not answer the plugin.
		Name: "the source lets others in than the plugin", Check: "MYSQL002",
		Inject: func(s *Set) {
			for _, replica := range []int{1, 2} {
				s.SQL(replica, Unlogged("CREATE USER here@'%' IDENTIFIED BY ''; GRANT REPLICATION CLIENT ON *.* TO here@'%'"))
			}
		},
		Args: []string{"--user=here"},
		Want: []Expect{{v1alpha1.CodeSourceUnreachableFromHere, warning, "pod/mysql-0", "mysql-1, mysql-2 still receive from it", ""}},
		Repair: func(s *Set) {
			for _, replica := range []int{1, 2} {
				s.SQL(replica, Unlogged("DROP USER here@'%'"))
			}
		},
	}, {
		Name: "a replica is late", Check: "MYSQL030 | MYSQL030 MYSQL073",
		Inject: func(s *Set) {
			s.InBackground(2, "LOCK TABLES app.t READ; SELECT SLEEP(300)")
			s.Sleeps(2)
			s.SQL(0, "INSERT INTO app.t VALUES (500, 'late')")
		},
		Want: []Expect{{v1alpha1.CodeReplicationLag, warning, "pod/mysql-2", "mysql-2 (the pod is Ready) is ", ""}},
		Then: []Step{{
			Do: func(s *Set) {
				cluster.Eventually(s, 75*time.Second, func() error {
					age := s.SQL(2, "SELECT TIMESTAMPDIFF(SECOND, MAX(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), NOW(6)) FROM performance_schema.replication_applier_status_by_worker")
					if seconds, err := strconv.Atoi(age); err != nil || seconds < 61 {
						return fmt.Errorf("it is late by %s s", age)
					}
					return nil
				})
			},
			Want: []Expect{
				{v1alpha1.CodeReplicationLag, bad, "pod/mysql-2", "mysql-2 (the pod is Ready) is 6", ""},
				{v1alpha1.CodeReadServiceReachesBroken, bad, "service/mysql-read", "mysql-2 (6", ""},
			},
			Check: "MYSQL030 MYSQL073",
		}},
		Repair: wake(2),
	}, {
		Name: "the source's node is going", Always: true, OwnCluster: true, Check: "CHECK001[NODE007]",
		Inject: taint(going),
		Want:   []Expect{{Code: v1alpha1.CodeNodeGoing, Severity: bad, Words: "is going away (removed by the cluster autoscaler) and runs"}},
		Repair: taint(going + "-"),
	}, {
		Name: "the source is on spot capacity", Always: true, OwnCluster: true, Check: "MYSQL075 NODE002 NODE011[STS033]",
		Inject: label(spot),
		Want: []Expect{
			{v1alpha1.CodePrimaryOnSpot, warning, "pod/mysql-0", "a spot node (eks.amazonaws.com/capacityType=SPOT)", ""},
			{Code: v1alpha1.CodeAllInterruptible, Severity: warning, Words: "all 3 pods are on interruptible capacity (spot)"},
			{Code: v1alpha1.CodeNoBudgetOnSpot, Severity: warning, Words: "without a PodDisruptionBudget"},
		},
		Repair: label(spotNoMore),
	}, {
		Name: "the source's volume fills up", Check: "CHECK004[STS010]",
		Inject: fill(0, 85),
		Want:   []Expect{{Code: v1alpha1.CodeVolumeFilling, Severity: warning, Words: "data-mysql-0 is 8"}},
		Repair: empty(0),
	}, {
		Name: "a replica's volume fills up", Check: "STS010",
		Inject: fill(1, 85),
		Want:   []Expect{{Code: v1alpha1.CodeVolumeFilling, Severity: warning, Words: "data-mysql-1 is 8"}},
		Repair: empty(1),
	}, {
		Name: "a budget lets all servers go", Check: "CHECK006",
		Inject: apply(budget("mysql", "mysql", "3")),
		Want:   []Expect{{Code: v1alpha1.CodeBudgetTooLoose, Severity: warning, Object: "poddisruptionbudget/mysql"}},
		Repair: kubectl("delete pdb mysql"),
	}, {
		Name: "there is a second zone, in which no server is", OwnCluster: true, Check: "CHECK003 CHECK005[MYSQL076 NODE006 STS031]",
		Inject: otherZone,
		Want: []Expect{
			{v1alpha1.CodeReplicasTogether, warning, "pod/mysql-2", "run on the node ", ""},
			{Code: v1alpha1.CodeReadersOneNode, Severity: warning, Object: "service/mysql-read"},
			{Code: v1alpha1.CodeMajorityOnNode, Severity: warning, Words: "NS/mysql: all 3 pods are on node "},
		},
		Repair: oneZone,
	}, {
		Name: "the source does not start", Check: "MYSQL001[MYSQL070] MYSQL073 STS005[DNS005]",
		Inject: func(s *Set) { // its configuration is recreated with the pod
			s.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", "printf '[mysqld]\nno-such-option=1\n' > /etc/mysql/conf.d/z.cnf; kill 1")
		},
		Args: []string{"--server-timeout=5s"},
		Want: []Expect{{v1alpha1.CodeSourceUnreachable, critical, "pod/mysql-0", "no replica receives from it", "Replica_IO_Running=Connecting"}},
		Then: []Step{{ // its replicas try to connect ten times
			Do: func(s *Set) {
				report := s.Topology()
				if server := report.Servers[0]; server.Pod != "mysql-0" || server.Unreachable == "" || server.Role != v1alpha1.RoleUnknown || report.Servers[1].Depth != 1 {
					s.Errorf("%+v", report.Servers)
				}
				cluster.Eventually(s, time.Minute, func() error { // it is started a few times before the kubelet waits
					r := s.Doik("mysql-topology", "sts/mysql", "--fail-on=critical")
					if r.Code != 3 || !strings.Contains(r.Err, "server mysql-0: its container mysql does not run") {
						return fmt.Errorf("exit code %d: %s", r.Code, r.Err)
					}
					return nil
				})
			},
			Check: "MYSQL001[MYSQL070] MYSQL012 MYSQL073 STS005[DNS005]",
		}},
		Repair: func(s *Set) {
			s.Kubectl("delete", "pod", "mysql-0")
			s.Kubectl("rollout", "status", "sts/mysql", "--timeout=300s")
			for _, replica := range []int{1, 2} {
				s.SQL(replica, "STOP REPLICA; START REPLICA") // it would wait for its next attempt
			}
		},
	}}...),
}

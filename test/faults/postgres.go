package faults

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// PSQL runs statements in a pod's server, each by itself, as its administrator, and returns what they print.
func (s *Set) PSQL(pod int, statements ...string) string {
	s.Helper()
	r := s.tryPSQL(pod, statements...)
	if r.Code != 0 {
		s.Fatalf("%s: %q: %s", s.Pod(pod), statements, r.Err)
	}
	return strings.TrimSpace(r.Out)
}

func (s *Set) tryPSQL(pod int, statements ...string) cluster.Result {
	s.Helper()
	args := []string{"exec", s.Pod(pod), "-c", s.Container, "--", "timeout", "60", "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres"}
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	return s.TryKubectl(args...)
}

func psql(pod int, statements ...string) func(*Set) {
	return func(s *Set) { s.Helper(); s.PSQL(pod, statements...) }
}

// configured sets a setting of a server, or takes it back where the value is empty.
func configured(pod int, setting, value string) func(*Set) {
	statement := "ALTER SYSTEM RESET " + setting
	if value != "" {
		statement = fmt.Sprintf("ALTER SYSTEM SET %s = '%s'", setting, strings.ReplaceAll(value, "'", "''"))
	}
	return psql(pod, statement, "SELECT pg_reload_conf()")
}

// load has the primary write so much write-ahead log.
func load(pod, megabytes int) func(*Set) {
	return psql(pod, "CREATE TABLE IF NOT EXISTS load (n bigserial, filler text)",
		fmt.Sprintf("INSERT INTO load (filler) SELECT repeat(md5(g::text), 30) FROM generate_series(1, %d) g", megabytes*1000), "TRUNCATE load")
}

// follows points a standby to another host, by the account and the password of the manifest.
func follows(pod int, host, more string) func(*Set) {
	return configured(pod, "primary_conninfo", fmt.Sprintf("host=%s user=replicator password=replication-1 application_name=pg-%d %s", host, pod, more))
}

// Streaming waits until standbys receive.
func (s *Set) Streaming(pods ...int) {
	s.Helper()
	for _, pod := range pods {
		cluster.Eventually(s, time.Minute, func() error {
			if status := s.PSQL(pod, "SELECT status FROM pg_stat_wal_receiver"); status != "streaming" {
				return fmt.Errorf("%s: %q", s.Pod(pod), status)
			}
			return nil
		})
	}
}

// reclone throws a standby's data away: its init container clones it again.
func reclone(pod int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.TryKubectl("exec", s.Pod(pod), "-c", s.Container, "--", "sh", "-c", `rm -rf "$PGDATA"`)
		s.Kubectl("delete", "pod", s.Pod(pod), "--grace-period=1")
		s.Kubectl("rollout", "status", "sts/pg", "--timeout=180s")
	}
}

// signal sends a signal to a server's processes.
func signal(pod int, name string) func(*Set) {
	return func(s *Set) { s.Helper(); s.Shell(pod, "pkill -"+name+" -x postgres") }
}

// ends ends a server, and with it the container, which is started again; what does that may end with it.
func (s *Set) ends(pod int) {
	s.Helper()
	s.TryKubectl("exec", s.Pod(pod), "-c", s.Container, "--", "pkill", "-INT", "-o", "-x", "postgres")
}

// inRecovery waits until a server is in recovery, or not, and its pod is ready.
func (s *Set) inRecovery(pod int, want string) {
	s.Helper()
	cluster.Eventually(s, time.Minute, func() error {
		if r := s.tryPSQL(pod, "SELECT pg_is_in_recovery()"); strings.TrimSpace(r.Out) != want {
			return fmt.Errorf("%q %s", r.Out, r.Err)
		}
		return nil
	})
	s.Kubectl("wait", "--for=condition=Ready", "pod/"+s.Pod(pod), "--timeout=60s")
}

// guests opens sessions of the application's account, which last until leave ends them.
func guests(pod, sessions int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Shell(pod, fmt.Sprintf("for i in $(seq %d); do psql -X -U app -d app -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 & done", sessions))
		cluster.Eventually(s, time.Minute, func() error {
			if n := s.PSQL(pod, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"); n != fmt.Sprint(sessions) {
				return fmt.Errorf("%s sessions", n)
			}
			return nil
		})
	}
}

func leave(pod int) func(*Set) {
	return psql(pod, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
}

// Postgres makes three servers of a StatefulSet by hand: pg-0 the primary, the others its standbys.
func Postgres(s *Set) {
	s.Helper()
	if os.Getenv("E2E_KUBECONFIG") == "" {
		if r := cluster.Run(s, "", "../node/add", "postgres"); r.Code != 0 {
			s.Fatal(r.Err)
		}
	}
	s.StatefulSet, s.Container = "pg", "postgres"
	s.Apply(s.Manifest("postgres.yaml"))
	s.Kubectl("rollout", "status", "sts/pg", "--timeout=300s")
	s.Streaming(1, 2)
}

// postgres has what can go wrong with streaming replication, on real servers that nothing fails over.
var postgres = Bed{
	Name: "postgres", Machine: Node,
	New: func(s *Set) {
		Postgres(s)
		servers := cluster.Report[v1alpha1.DatabaseTopologyList](s.Namespace, "postgres-topology", "sts/pg").Items[0].Servers
		if len(servers) != 3 || servers[0].Role != v1alpha1.RoleSource || servers[2].Depth != 1 {
			s.Fatal(s.MustDoik("postgres-topology", "-o", "wide"))
		}
		if c := servers[1].Channels[0]; c.Postgres.State != "streaming" || c.Source.FoundBy != v1alpha1.ClueReceiver {
			s.Errorf("%+v %+v", c, c.Postgres)
		}
		s.Logf("\n%s\n%s", s.MustDoik("postgres-topology"), s.MustDoik("check"))
	},
	Healthy: func(s *Set) { s.Streaming(1, 2) },
	Faults: []Fault{{
		Name: "replay is paused", Always: true, Check: "PG011 PG070 PG073",
		Inject: inTurn(psql(1, "SELECT pg_wal_replay_pause()"), load(0, 2)),
		Want: []Expect{
			{v1alpha1.CodePostgresReplayPaused, critical, "pod/pg-1", "pg-1 (the pod is Ready): replay is paused; ", "replay_paused=t"},
			{v1alpha1.CodePostgresReadyButBroken, warning, "pod/pg-1", "receiver Yes, applier No", ""},
			{v1alpha1.CodePostgresReadReachesBroken, bad, "service/pg-read", "pg-1 (receiver Yes, applier No): clients get stale data", ""},
			{v1alpha1.CodePostgresReadReachesPrimary, info, "service/pg-read", "", ""},
		},
		Then: []Step{{ // a receiver that is lost is not started again
			Do:    psql(0, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = 'pg-1'"),
			Want:  []Expect{{Code: v1alpha1.CodePostgresReceiverStopped, Severity: critical, Object: "pod/pg-1", Words: "while replay is paused a receiver that was lost is not started again"}},
			Check: "PG011 PG014 PG070 PG073",
		}},
		Repair: psql(1, "SELECT pg_wal_replay_resume()"),
	}, {
		Name: "replay waits for a query", Check: "PG030 PG052 | PG052",
		Inject: inTurn(configured(1, "max_standby_streaming_delay", "-1"), psql(0, "CREATE TABLE held (n int)", "INSERT INTO held SELECT generate_series(1, 1000)"), func(s *Set) {
			s.Streaming(1)
			go s.tryPSQL(1, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*), pg_sleep(50) FROM held")
			cluster.Eventually(s, 30*time.Second, func() error {
				if n := s.PSQL(1, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(50)%' AND state = 'active' AND pid <> pg_backend_pid()"); n != "1" {
					return fmt.Errorf("%s queries", n)
				}
				return nil
			})
			s.PSQL(0, "DELETE FROM held", "VACUUM held")
		}),
		Want:   []Expect{{v1alpha1.CodePostgresReplayWaits, warning, "pod/pg-1", "replay waits for a query on the standby (RecoveryConflict", "max_standby_streaming_delay=-1"}},
		Repair: inTurn(psql(1, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(50)%' AND pid <> pg_backend_pid()"), configured(1, "max_standby_streaming_delay", ""), psql(0, "DROP TABLE held")),
	}, {
		Name: "the replication password is wrong", Always: true, Check: "PG013 PG070 PG073",
		Inject: inTurn(configured(1, "primary_conninfo", "host=pg-0.pg user=replicator password=wrong application_name=pg-1"), load(0, 2)),
		Want: []Expect{
			{v1alpha1.CodePostgresReceiverConnecting, critical, "pod/pg-1", "pg-1 (the pod is Ready) receives nothing from pg-0, and lacks …Mi of its write-ahead log: its receiver does not get a connection; its log says why → kubectl logs pg-1 -c postgres -n NS --since=2m", ""},
			{v1alpha1.CodePostgresLagUnknown, info, "pod/pg-1", "it receives nothing, and lacks", ""},
		},
		Repair: follows(1, "pg-0.pg", ""),
	}, {
		Name: "the source is a pod's address", Check: "PG105",
		Inject: func(s *Set) { follows(1, podIP(s, 0), "")(s); s.Streaming(1) },
		Want:   []Expect{{Code: v1alpha1.CodePostgresSourceByAddress, Severity: warning, Object: "pod/pg-1", Words: "pg-1 replicates from pg-0 by its pod's address"}},
		Then: []Step{{ // and one that no pod has
			Do:    follows(1, "10.244.0.250", "connect_timeout=2"),
			Want:  []Expect{{Code: v1alpha1.CodePostgresSourceByAddress, Severity: bad, Object: "pod/pg-1", Words: "10.244.0.250, an address of pods that none of the servers found here has"}},
			Check: "PG013 PG070 PG073 PG105",
		}},
		Repair: follows(1, "pg-0.pg", ""),
	}, {
		Name: "the source is elsewhere", Check: "PG013 PG023 PG070 PG073",
		Inject: follows(2, "pg-0.other", "connect_timeout=2"),
		Want:   []Expect{{Code: v1alpha1.CodePostgresFromOutside, Severity: warning, Object: "pod/pg-2", Words: "pg-2 replicates from pg-0.other, which is not among the servers found here"}},
		Repair: follows(2, "pg-0.pg", ""),
	}, {
		Name: "a standby receives from another one", // which is no fault
		Want: []Expect{{Code: v1alpha1.CodePostgresReadReachesPrimary, Severity: info, Object: "service/pg-read"}},
		Inject: func(s *Set) {
			s.PSQL(1, "SELECT pg_create_physical_replication_slot('pg_2')")
			follows(2, "pg-1.pg", "")(s)
			cluster.Eventually(s, time.Minute, func() error {
				servers := cluster.Report[v1alpha1.DatabaseTopologyList](s.Namespace, "postgres-topology", "sts/pg").Items[0].Servers
				if servers[2].Pod != "pg-2" || servers[2].Depth != 2 || servers[1].Role != v1alpha1.RoleRelay || servers[2].Channels[0].Receiver != v1alpha1.ThreadRuns {
					return fmt.Errorf("%+v", servers)
				}
				return nil
			})
		},
		Repair: inTurn(follows(2, "pg-0.pg", ""), func(s *Set) {
			s.Streaming(2)
			cluster.Eventually(s, time.Minute, func() error {
				if r := s.tryPSQL(1, "SELECT pg_drop_replication_slot('pg_2')"); r.Code != 0 {
					return fmt.Errorf("%s", r.Err)
				}
				return nil
			})
		}),
	}, {
		Name:   "a standby is late on purpose",
		Inject: inTurn(configured(1, "recovery_min_apply_delay", "1h"), load(0, 2)),
		Want:   []Expect{{v1alpha1.CodePostgresDelayedStandby, info, "pod/pg-1", "pg-1 is 60m late on purpose", ""}},
		Repair: configured(1, "recovery_min_apply_delay", ""),
	}, {
		Name: "an unused slot keeps write-ahead log", Always: true, Check: "PG053",
		Inject: inTurn(psql(0, "SELECT pg_create_physical_replication_slot('gone', true)"), load(0, 80)),
		Want: []Expect{{v1alpha1.CodePostgresSlotHoldsWAL, warning, "pod/pg-0",
			"pg-0: the slot gone is unused and keeps …Mi of write-ahead log, without limit (max_slot_wal_keep_size is -1)", "slot_name=gone"}},
		Repair: psql(0, "SELECT pg_drop_replication_slot('gone')", "CHECKPOINT"),
	}, {
		Name: "slots have lost write-ahead log", Check: "PG015 PG054 PG070 PG073",
		Inject: inTurn(configured(0, "max_slot_wal_keep_size", "16MB"), configured(0, "wal_keep_size", "0"), psql(0, "SELECT pg_create_physical_replication_slot('gone', true)"),
			follows(2, "192.0.2.1", "connect_timeout=2"), func(s *Set) {
				cluster.Eventually(s, time.Minute, func() error { // the old receiver is gone
					if n := s.PSQL(0, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pg_2' AND active"); n != "0" {
						return fmt.Errorf("the slot is in use")
					}
					return nil
				})
			}, load(0, 160), psql(0, "CHECKPOINT"), load(0, 40), psql(0, "CHECKPOINT"), follows(2, "pg-0.pg", "")),
		Want: []Expect{
			{v1alpha1.CodePostgresWALRemoved, critical, "pod/pg-2", "pg-2 (the pod is Ready) can't go on: its slot pg_2 on pg-0 has lost write-ahead log that it needs; unless an archive has that, it must be cloned again", "wal_status=lost"},
			{v1alpha1.CodePostgresSlotLost, bad, "pod/pg-0", "pg-0: the slot gone has lost what it kept (wal_removed)", "wal_status=lost"},
		},
		Repair: inTurn(configured(0, "max_slot_wal_keep_size", ""), configured(0, "wal_keep_size", ""), psql(0, "SELECT pg_drop_replication_slot('gone')"), reclone(2)),
	}, {
		Name: "a synchronous standby is missing", Always: true, Check: "PG033",
		Inject: inTurn(psql(0, "CREATE TABLE IF NOT EXISTS t (n int)"), configured(0, "synchronous_standby_names", "FIRST 1 (away)"), func(s *Set) {
			go s.tryPSQL(0, "INSERT INTO t VALUES (1)")
			cluster.Eventually(s, 30*time.Second, func() error {
				if n := s.PSQL(0, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"); n != "1" {
					return fmt.Errorf("%s sessions wait", n)
				}
				return nil
			})
		}),
		Want: []Expect{{v1alpha1.CodePostgresSyncMissing, critical, "pod/pg-0", "pg-0: commits wait for 1 synchronous standby of away, but 0 are streaming: 1 session has been waiting for ", "synchronous_standby_names=FIRST 1 (away)"}},
		Then: []Step{{ // they are there
			Do:   configured(0, "synchronous_standby_names", `ANY 1 ("pg-1", "pg-2")`),
			Want: []Expect{{Code: v1alpha1.CodePostgresReadReachesPrimary, Severity: info, Object: "service/pg-read"}},
		}},
		Repair: configured(0, "synchronous_standby_names", ""),
	}, {
		Name: "archiving fails", Check: "PG055",
		Inject: inTurn(configured(0, "archive_command", "/bin/false"), load(0, 2), psql(0, "SELECT pg_switch_wal()")),
		Want:   []Expect{{Code: v1alpha1.CodePostgresArchivingFails, Severity: bad, Object: "pod/pg-0", Words: "pg-0 can't archive its write-ahead log: 0000…; it is kept until it is archived → kubectl logs pg-0 -c postgres -n NS --since=2m"}},
		Repair: inTurn(configured(0, "archive_command", "/bin/true"), func(s *Set) {
			cluster.Eventually(s, 90*time.Second, func() error {
				if ok := s.PSQL(0, "SELECT last_archived_time > last_failed_time FROM pg_stat_archiver"); ok != "t" {
					return fmt.Errorf("nothing archived yet")
				}
				return nil
			})
		}),
	}, {
		Name: "connections are used up", Always: true, Check: "PG100",
		Inject: guests(0, 34),
		Want:   []Expect{{Code: v1alpha1.CodePostgresRefusesClients, Severity: warning, Object: "pod/pg-0", Words: "soon has no place for another client: …of 37 (max_connections 40, 3 of them reserved)"}},
		Then: []Step{{
			Do: func(s *Set) {
				s.Shell(0, "for i in 1 2 3; do psql -X -U app -d app -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 & done; sleep 2")
			},
			Want:  []Expect{{Code: v1alpha1.CodePostgresRefusesClients, Severity: bad, Object: "service/pg-read", Words: "pg-0 (the pod is Ready) refuses clients other than superusers: "}},
			Check: "PG100",
		}},
		Repair: leave(0),
	}, {
		Name: "the primary is read-only", Always: true, Check: "PG022",
		Inject: configured(0, "default_transaction_read_only", "on"),
		Want:   []Expect{{v1alpha1.CodePostgresReadOnly, bad, "pod/pg-0", "pg-0 (the pod is Ready) is not in recovery, but takes no writes", "default_transaction_read_only=on"}},
		Repair: configured(0, "default_transaction_read_only", ""),
	}, {
		Name: "a standby hangs", Always: true, Check: "PG006 | PG006[STS003]",
		Inject: signal(1, "STOP"),
		Args:   impatient,
		Want:   []Expect{{Code: v1alpha1.CodePostgresServerSilent, Severity: bad, Object: "pod/pg-1", Words: "does not answer: no answer within 3s"}},
		Repair: signal(1, "CONT"),
	}, {
		Name: "a standby's receiver hangs", Check: "PG104",
		Inject: func(s *Set) {
			s.Shell(1, "pkill -STOP -f walreceiver")
			cluster.Eventually(s, time.Minute, func() error {
				if ok := s.PSQL(0, "SELECT clock_timestamp() - reply_time > interval '31s' FROM pg_stat_replication WHERE application_name = 'pg-1'"); ok != "t" {
					return fmt.Errorf("%q", ok)
				}
				return nil
			})
		},
		Want:   []Expect{{Code: v1alpha1.CodePostgresStreamStalled, Severity: warning, Object: "pod/pg-1", Words: "pg-0 has heard nothing from pg-1 for …, although its connection is open: standbys report every 10.0s"}},
		Repair: func(s *Set) { s.Shell(1, "pkill -CONT -f walreceiver") },
	}, {
		Name: "the primary does not start", Check: "PG001[PG070] PG073 STS005",
		Inject: func(s *Set) { // until its pod is recreated
			s.Shell(0, `chmod 777 "$PGDATA"`)
			s.ends(0)
		},
		Args:   []string{"--server-timeout=5s"},
		Want:   []Expect{{Code: v1alpha1.CodePostgresSourceUnreachable, Severity: critical, Object: "pod/pg-0", Words: "no replica receives from it"}},
		Repair: inTurn(kubectl("delete pod pg-0"), kubectl("rollout status sts/pg --timeout=180s")),
	}, {
		Name: "the primary has been started as a standby", Check: "PG003 PG014 PG070 PG073",
		Inject: func(s *Set) {
			s.Shell(0, `touch "$PGDATA/standby.signal"`)
			s.ends(0)
			s.inRecovery(0, "t")
		},
		Want: []Expect{{v1alpha1.CodePostgresNoPrimary, critical, "pod/pg-0", "no server takes writes: all of pg-0, pg-1, pg-2 are in recovery", "in_recovery=t"}},
		Repair: func(s *Set) {
			s.Shell(0, `rm "$PGDATA/standby.signal"`)
			s.ends(0)
			s.inRecovery(0, "f")
		},
	}, {
		Name: "a standby has another cluster's data", Check: "PG051 PG070 PG073",
		Inject: func(s *Set) {
			s.Shell(1, `set -e; initdb -D "$PGDATA.new" -U postgres >/dev/null 2>&1; echo 'CHECKPOINT' | postgres --single -D "$PGDATA.new" -c config_file=/etc/pg/postgresql.conf postgres >/dev/null 2>&1; cp "$PGDATA/postgresql.auto.conf" "$PGDATA.new/"; touch "$PGDATA.new/standby.signal"
mv "$PGDATA" "$PGDATA.old"; mv "$PGDATA.new" "$PGDATA"`)
			s.TryKubectl("exec", "pg-1", "-c", "postgres", "--", "pkill", "-QUIT", "-o", "-x", "postgres") // which writes nothing any more
			s.inRecovery(1, "t")
			s.Shell(1, `rm -rf "$PGDATA.old"`)
		},
		Want:   []Expect{{v1alpha1.CodePostgresOtherCluster, critical, "pod/pg-1", "pg-1 (the pod is Ready) should receive from pg-0, but its data is another cluster's", ""}},
		Repair: reclone(1),
	}, {
		Name: "a subscription is off", Check: "PG057",
		Inject: psql(0, "CREATE SUBSCRIPTION orders CONNECTION 'dbname=app' PUBLICATION orders WITH (connect = false)"),
		Want:   []Expect{{v1alpha1.CodePostgresSubscriptionDown, warning, "pod/pg-0", "pg-0: the subscription orders of the database postgres is off: its tables no longer change", "subname=orders"}},
		Repair: psql(0, "ALTER SUBSCRIPTION orders SET (slot_name = NONE)", "DROP SUBSCRIPTION orders"),
	}, {
		Name: "roles are labelled as Spilo does, and wrongly", Check: "PG071",
		Inject: inTurn(kubectl("label pod pg-0 pg-1 pg-2 application=spilo cluster-name=pg"), kubectl("label pod pg-0 pg-2 spilo-role=replica"), kubectl("label pod pg-1 spilo-role=master")),
		Want: []Expect{
			{v1alpha1.CodePostgresRoleLabelWrong, bad, "pod/pg-0", "pg-0 has the label spilo-role=replica, but the server is source and writable", "in_recovery=f"},
			{v1alpha1.CodePostgresRoleLabelWrong, bad, "pod/pg-1", "pg-1 has the label spilo-role=master, but the server is replica and read-only", "in_recovery=t"},
		},
		Repair: kubectl("label pod pg-0 pg-1 pg-2 application- cluster-name- spilo-role-"),
	}, {
		Name: "all servers are in one zone of two", Check: "CHECK003 CHECK005[NODE006 PG076 STS031]",
		Inject: otherZone,
		Want:   []Expect{{Code: v1alpha1.CodePostgresStandbysTogether, Severity: warning, Object: "pod/pg-2", Words: "run on the node "}},
		Repair: oneZone,
	}, {
		Name: "a Service for writing selects a role that no pod has", Check: "PG079[STS042] | PG079",
		Inject: apply(`{apiVersion: v1, kind: Service, metadata: {name: pg-primary}, spec: {selector: {app: pg, role: master}, ports: [{port: 5432}]}}`),
		Want:   []Expect{{v1alpha1.CodePostgresWriteReachesNothing, bad, "service/pg-primary", "is for writing but reaches no server (it selects app=pg,role=master, which no server of the set has): writes through it fail", ""}},
		Then: []Step{{ // then a standby has it
			Do:    kubectl("label pod pg-1 role=master"),
			Want:  []Expect{{v1alpha1.CodePostgresWriteReachesStandby, bad, "service/pg-primary", "is for writing but reaches pg-1, which is a replica", ""}},
			Check: "PG072",
		}},
		Repair: inTurn(kubectl("label pod pg-1 role-"), kubectl("delete service pg-primary")),
	}, {
		Name: "the primary is on spot capacity", Check: "NODE002 NODE011[STS033] PG075",
		Inject: label(spot),
		Want:   []Expect{{Code: v1alpha1.CodePostgresPrimaryOnSpot, Severity: warning, Object: "pod/pg-0"}},
		Repair: onNode("label", spotNoMore, spotNoMore),
	}, {
		Name: "a standby has been promoted", Check: "PG004",
		Inject: psql(1, "SELECT pg_promote()"),
		Want:   []Expect{{Code: v1alpha1.CodePostgresSeveralPrimaries, Severity: critical, Object: "pod/pg-1", Words: "2 servers of the set have no source: pg-0 (writable, 1 replica), pg-1 (writable); writes to one never reach the others"}},
		Then: []Step{{ // and the other one is to follow it, and may not
			Do: inTurn(psql(1, "CHECKPOINT"), load(1, 1), psql(2, "ALTER SYSTEM SET recovery_target_timeline = 'current'", "ALTER SYSTEM SET primary_slot_name = ''", // from its next start on
				"ALTER SYSTEM SET primary_conninfo = 'host=pg-1.pg user=replicator password=replication-1 application_name=pg-2'"),
				kubectl("delete pod pg-2"), kubectl("rollout status sts/pg --timeout=180s")),
			Want:  []Expect{{Code: v1alpha1.CodePostgresOldTimeline, Severity: critical, Object: "pod/pg-2", Words: "stays on timeline 1 while pg-1 is on 2: recovery_target_timeline is current, not latest"}},
			Check: "PG004 PG050 PG070 PG073",
		}},
	}},
}

package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// damage overwrites the last bytes of a server's file: of its binary or relay log.
func (s *Set) damage(pod int, file string) {
	s.Helper()
	s.Shell(pod, `f=/var/lib/mysql/$1; head -c 40 /dev/zero | tr '\0' X | dd of=$f bs=1 seek=$(($(stat -c %s $f) - 60)) conv=notrunc`, file)
}

// receives waits until a replica has received all that its source has committed.
func (s *Set) receives(source, replica int) {
	s.Helper()
	all := strings.ReplaceAll(s.SQL(source, "SELECT @@gtid_executed"), `\n`, "")
	cluster.Eventually(s, 30*time.Second, func() error {
		missing := s.SQL(replica, "SELECT GTID_SUBTRACT(GTID_SUBTRACT('"+all+"', RECEIVED_TRANSACTION_SET), @@gtid_executed) FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME=''")
		if missing != "" {
			return fmt.Errorf("it lacks %s", missing)
		}
		return nil
	})
}

// remedied runs the statements of a remedy, which is to be one for that pod.
func (s *Set) remedied(pod int, code v1alpha1.Code) {
	s.Helper()
	for _, f := range s.Topology().Findings {
		if _, statements, ok := strings.Cut(f.Remedy.Command, " -e "); ok && f.Code == code {
			if !strings.Contains(f.Remedy.Command, "exec -it "+s.Pod(pod)+" ") {
				s.Errorf("%s", f.Remedy.Command)
			}
			s.SQL(pod, strings.Trim(statements, "'"))
			return
		}
	}
	s.Fatalf("%s has no command", code)
}

// below reports whether texts stand in another one, in this order.
func below(text string, parts ...string) bool {
	for _, part := range parts {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// mySQLErrors has errors of replication that need advice of their own.
var mySQLErrors = Bed{
	Name: "replication errors", Machine: Node,
	New:     MySQL,
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: []Fault{{
		Name: "the account needs TLS", Check: "MYSQL013 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(0, "CREATE USER sha@'%' IDENTIFIED WITH caching_sha2_password BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO sha@'%'")
			s.SQL(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_USER='sha', SOURCE_PASSWORD='secret', SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=0, SOURCE_CONNECT_RETRY=60; START REPLICA")
		},
		Want: []Expect{{v1alpha1.CodeReceiverConnecting, warning, "pod/mysql-2", "over TLS only (caching_sha2_password): 2061: Authentication plugin …SOURCE_SSL=1", "Last_IO_Errno=2061"}},
		Repair: func(s *Set) {
			s.remedied(2, v1alpha1.CodeReceiverConnecting)
			s.Answering(3)
			s.SQL(2, strings.ReplaceAll(follow, "GET_SOURCE", "SOURCE_SSL=0, GET_SOURCE"))
		},
	}, {
		Name: "the relay log is damaged", Always: true, Check: "MYSQL010 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(1, "STOP REPLICA SQL_THREAD")
			s.SQL(0, strings.Repeat("INSERT INTO app.t SELECT MAX(id) + 1, 'relayed' FROM app.t; ", 3))
			s.receives(0, 1)
			s.SQL(1, "STOP REPLICA IO_THREAD")
			s.damage(1, strings.TrimSpace(s.Shell(1, "cd /var/lib/mysql && ls *relay-bin.0* | tail -1")))
			s.SQL(1, "START REPLICA")
		},
		Want:   []Expect{{v1alpha1.CodeApplierError, critical, "pod/mysql-1", "its relay log is damaged and must be fetched again; its data need no repair: 13121: …'STOP REPLICA; RESET REPLICA; START REPLICA'", "Last_SQL_Errno=13121"}},
		Repair: func(s *Set) { s.remedied(1, v1alpha1.CodeApplierError) },
	}, {
		// As mysqlbinlog's output has it: the statements and the transactions are an hour old.
		Name: "what comes from a dump is stuck", Check: "MYSQL030 | MYSQL030 MYSQL073 | MYSQL030 MYSQL101 | MYSQL030 MYSQL073 MYSQL101", // the applier is among what waits for the lock
		Inject: func(s *Set) {
			s.InBackground(2, "LOCK TABLES app.t READ; SELECT SLEEP(300)")
			s.Sleeps(2)
			s.SQL(0, "SET original_commit_timestamp=(UNIX_TIMESTAMP() - 3600) * 1000000; SET timestamp=UNIX_TIMESTAMP() - 3600; INSERT INTO app.t VALUES (500, 'old')")
		},
		Want:   []Expect{{v1alpha1.CodeReplicationLag, warning, "pod/mysql-2", "mysql-2 (the pod is Ready) is 1", ""}},
		Repair: wake(2),
	}, {
		Name: "a replica waits for replicas of its own", Check: "MYSQL033 | MYSQL030 MYSQL033 | MYSQL030 MYSQL033 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(1, Unlogged("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")+"; SET GLOBAL rpl_semi_sync_source_enabled=1; SET GLOBAL rpl_semi_sync_source_timeout=100000000")
			s.SQL(0, "INSERT INTO app.t VALUES (600, 'waits')")
		},
		Want: []Expect{{v1alpha1.CodeSemiSyncBlocked, bad, "pod/mysql-1", "is a semi-synchronous source as well: what it applies waits for 1 semi-synchronous replica, but 0 are connected…SET GLOBAL rpl_semi_sync_source_enabled=OFF", "Rpl_semi_sync_source_wait_sessions=1"}},
		Repair: func(s *Set) {
			s.remedied(1, v1alpha1.CodeSemiSyncBlocked)
			s.Answering(3)
			s.SQL(1, Unlogged("UNINSTALL PLUGIN rpl_semi_sync_source"))
		},
	}, {
		Name: "a row is missing", Check: "MYSQL010 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(1, Unlogged("DELETE FROM app.t WHERE id=1"))
			s.SQL(0, "UPDATE app.t SET v='b' WHERE id=1")
		},
		Want:   []Expect{{v1alpha1.CodeApplierError, critical, "pod/mysql-1", "a row that the source changed or deleted is missing: 1032 at …, table app.t", "LAST_ERROR_NUMBER=1032"}},
		Repair: func(s *Set) { s.SQL(1, Unlogged("INSERT INTO app.t VALUES (1, 'a')")+"; START REPLICA") },
	}, {
		Name: "an account is there already", Check: "MYSQL010 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(1, Unlogged("CREATE USER twice@'%' IDENTIFIED BY ''"))
			s.SQL(0, "CREATE USER twice@'%' IDENTIFIED BY ''")
		},
		Want:   []Expect{{v1alpha1.CodeApplierError, critical, "pod/mysql-1", "an account that the source created is there already, or one that it changed is missing: 1396", "LAST_ERROR_NUMBER=1396"}},
		Repair: func(s *Set) { s.SQL(1, Unlogged("DROP USER twice@'%'")+"; START REPLICA") },
	}, {
		Name: "an event is larger than the replica takes", Check: "MYSQL016 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA IO_THREAD; SET GLOBAL replica_max_allowed_packet=4096")
			s.SQL(0, "CREATE TABLE app.large (v MEDIUMTEXT); INSERT INTO app.large VALUES (REPEAT('x', 1000000))")
			s.SQL(2, "START REPLICA")
		},
		Want:   []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "an event is larger than its replica_max_allowed_packet: 13125…replica_max_allowed_packet=1073741824", "Last_IO_Errno=13125"}},
		Repair: func(s *Set) { s.remedied(2, v1alpha1.CodeReceiverError) },
	}, {
		Name: "the account lacks a privilege", Check: "MYSQL016 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(0, "CREATE USER none@'%' IDENTIFIED BY ''")
			s.SQL(2, "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_USER='none', SOURCE_PASSWORD=''; START REPLICA")
		},
		Want:   []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "its account lacks the privilege REPLICATION SLAVE: 13120", "Last_IO_Errno=13120"}},
		Repair: sql(2, follow),
	}, {
		Name: "the source's log is damaged", Check: "MYSQL016 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA IO_THREAD")
			s.SQL(0, "INSERT INTO app.t VALUES (800, 'damaged')")
			s.receives(0, 1)
			s.SQL(1, "STOP REPLICA IO_THREAD")
			file := strings.Fields(s.SQL(0, "SHOW BINARY LOG STATUS"))[0]
			s.SQL(0, "FLUSH BINARY LOGS")
			s.damage(0, file)
			s.SQL(1, "START REPLICA")
			s.SQL(2, "START REPLICA")
		},
		Want: []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "an event of the source could not be put into its relay log: the event is damaged, or the disk is full: 13122", "Last_IO_Errno=13122"}},
		Then: []Step{{ // the source checks what it sends
			Do: inTurn(sql(0, "SET GLOBAL source_verify_checksum=ON"), sql(2, "START REPLICA")), Check: "MYSQL016 MYSQL070 MYSQL073",
			Want: []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "the source's binary log is damaged there: 13114", "Last_IO_Errno=13114"}},
		}},
		Repair: func(s *Set) {
			s.SQL(0, "SET GLOBAL source_verify_checksum=OFF")
			lost := s.SQL(2, "SELECT GTID_SUBTRACT('"+strings.ReplaceAll(s.SQL(0, "SELECT @@gtid_executed"), `\n`, "")+"', @@gtid_executed)")
			s.SQL(2, "STOP REPLICA; SET GLOBAL super_read_only=0; SET GTID_NEXT='"+lost+"'; INSERT INTO app.t VALUES (800, 'damaged'); SET GTID_NEXT='AUTOMATIC'; START REPLICA; SET GLOBAL super_read_only=1")
		},
	}, {
		Name: "the source has lost its log", Check: "MYSQL016 MYSQL020 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA IO_THREAD")
			s.SQL(0, "RESET BINARY LOGS AND GTIDS")
			s.SQL(2, "START REPLICA")
		},
		Want: []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mysql-2", "the source lacks transactions of its own that this replica has: its binary logs were reset, or it has lost their end: 13114", "Last_IO_Errno=13114"}},
		Repair: func(s *Set) {
			s.SQL(0, "SET GLOBAL gtid_purged='"+strings.ReplaceAll(s.SQL(2, "SELECT @@gtid_executed"), `\n`, "")+"'")
			s.SQL(1, "STOP REPLICA; START REPLICA")
			s.SQL(2, "START REPLICA")
		},
	}},
}

// groupErrors has why members do not come back into their group.
var groupErrors = []Fault{{
	Name: "a member has transactions of its own", Check: "MYSQL020 MYSQL051 MYSQL070",
	Inject: func(s *Set) {
		s.SQL(2, "STOP GROUP_REPLICATION; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0; INSERT INTO app.t VALUES (300); SET GLOBAL super_read_only=1")
		if r := s.TrySQL(2, "START GROUP_REPLICATION"); !strings.Contains(r.Err, "3092") {
			s.Errorf("it was let in: %s", r.Err)
		}
	},
	Want: []Expect{
		{v1alpha1.CodeErrantTransactions, bad, "pod/group-2", "has transactions that keep it out of its group, as they are not on group-0, group-1: …:1 (1 transaction, written on group-2)", ""},
		{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "", ""},
	},
	Repair: func(s *Set) {
		errant := s.SQL(2, "SELECT CONCAT(@@server_uuid, ':1')")
		s.SQL(2, Unlogged("DELETE FROM app.t WHERE id=300"))
		s.SQL(0, "SET GTID_NEXT='"+errant+"'; BEGIN; COMMIT")
		s.SQL(2, "START GROUP_REPLICATION")
	},
}, {
	Name: "a member recovers without end", Check: "MYSQL051 MYSQL070",
	Inject: func(s *Set) {
		s.SQL(2, "STOP GROUP_REPLICATION; CHANGE REPLICATION SOURCE TO SOURCE_USER='root', SOURCE_PASSWORD='wrong' FOR CHANNEL 'group_replication_recovery'")
		s.SQL(0, "INSERT INTO app.t VALUES (301)")
		s.SQL(2, "START GROUP_REPLICATION")
	},
	Want:   []Expect{{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "is RECOVERING in its group: it can't get what it lacks from another member: the source refuses its account or password: 1045: …s ago", "LAST_ERROR_NUMBER=1045"}},
	Repair: sql(2, "STOP GROUP_REPLICATION; CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='' FOR CHANNEL 'group_replication_recovery'; START GROUP_REPLICATION"),
}}

// mariaDBErrors has those that MariaDB tells in other words.
var mariaDBErrors = []Fault{{
	Name: "the source's log was reset", Check: "MYSQL020",
	Inject: func(s *Set) { // as long as its log is empty, it lets the replica in
		s.SQL(1, "STOP SLAVE IO_THREAD")
		s.SQL(0, "RESET MASTER")
		s.SQL(1, "START SLAVE")
	},
	Want: []Expect{{v1alpha1.CodeErrantTransactions, bad, "pod/mariadb-1", "has transactions that mariadb-0 lacks: …(written on mariadb-0)", ""}},
	Then: []Step{{
		Do: func(s *Set) {
			s.SQL(1, "STOP SLAVE IO_THREAD")
			s.SQL(0, "INSERT INTO app.t VALUES (900, 'again')")
			s.SQL(1, "START SLAVE")
		},
		Check: "MYSQL016 MYSQL020 MYSQL070",
		Want:  []Expect{{v1alpha1.CodeReceiverError, critical, "pod/mariadb-1", "mariadb-0 is behind its replica, in domain 0 at 1 against …: its binary logs were reset (RESET MASTER), or its data is older: 1236", "Last_IO_Errno=1236"}},
	}},
	Repair: func(s *Set) {
		s.SQL(0, "SET sql_log_bin=0; DELETE FROM app.t WHERE id=900; RESET MASTER; SET GLOBAL gtid_binlog_state='"+s.SQL(1, "SELECT @@gtid_slave_pos")+"'")
		s.SQL(1, "START SLAVE")
	},
}, {
	Name: "the relay log is damaged", Check: "MYSQL010 MYSQL070",
	Inject: func(s *Set) {
		s.SQL(1, "STOP SLAVE SQL_THREAD")
		s.SQL(0, strings.Repeat("INSERT INTO app.t SELECT MAX(id) + 1, 'relayed' FROM app.t; ", 3))
		cluster.Eventually(s, 30*time.Second, func() error {
			if has, wants := s.SQL(1, "SHOW ALL SLAVES STATUS"), s.SQL(0, "SELECT @@gtid_binlog_pos"); !strings.Contains(has, wants) {
				return fmt.Errorf("%s, not %s", has, wants)
			}
			return nil
		})
		file := strings.TrimSpace(s.Shell(1, "cd /var/lib/mysql && ls *relay-bin.0* | tail -1"))
		s.SQL(1, "FLUSH RELAY LOGS") // what is written to last is read from memory
		s.damage(1, file)
		s.SQL(1, "START SLAVE SQL_THREAD")
	},
	Want:   []Expect{{v1alpha1.CodeApplierError, critical, "pod/mariadb-1", "its relay log is damaged and must be fetched again; its data need no repair: 1594: …'STOP SLAVE; START SLAVE'", "Last_SQL_Errno=1594"}},
	Repair: func(s *Set) { s.remedied(1, v1alpha1.CodeApplierError) },
}}

// lookalikes has what is taken for a server by its port until it has been asked.
var lookalikes = Bed{
	Name: "lookalikes", Machine: Node,
	Faults: []Fault{{
		Name: "what looks like a server is none", Always: true, Check: "",
		Inject: func(s *Set) {
			s.StatefulSet = "db"
			s.Apply(`apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: nicolaka/netshoot
        imagePullPolicy: IfNotPresent
        ports: [{name: mysql, containerPort: 3306}]
        command: [sh, -c, "while [ $HOSTNAME = db-0 ]; do printf 'SSH-2.0-other\r\n' | nc -lN 3306; done; sleep infinity"]
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: mysql, port: 3306}]}
`)
			s.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
			if items := cluster.Report[v1alpha1.DatabaseTopologyList](s.Namespace, "mysql-topology").Items; len(items) > 0 {
				s.Errorf("%+v", items[0].Servers)
			}
		},
		Want: []Expect{{Code: v1alpha1.CodeNoDisruptionBudget, Severity: info, Object: "statefulset/db"}}, // no more than of any set
	}},
}

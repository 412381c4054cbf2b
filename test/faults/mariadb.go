package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

const followMariaDB = "STOP REPLICA; CHANGE MASTER TO MASTER_HOST='mariadb-0.mariadb', MASTER_USER='root', MASTER_PASSWORD='', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=5, MASTER_DELAY=0; START REPLICA"

// MariaDB makes a source and a replica, with a table.
func MariaDB(s *Set) {
	s.Helper()
	s.StatefulSet, s.Container, s.Client = "mariadb", "mariadb", "mariadb"
	s.Apply(s.Manifest("mariadb.yaml"))
	s.Kubectl("rollout", "status", "sts/mariadb", "--timeout=600s")
	s.Answering(2)
	s.SQL(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO app.t VALUES (1, 'a')")
}

// mariaDB has what MariaDB says in other words than MySQL.
var mariaDB = Bed{
	Name: "mariadb", Machine: Node,
	New: func(s *Set) {
		MariaDB(s)
		s.Answering(2)
		cluster.Eventually(s, 30*time.Second, func() error { // its receiver may be connecting once more
			servers := s.Topology("--via=exec").Servers
			if servers[1].Role != v1alpha1.RoleReplica || servers[1].Via != "exec" {
				return fmt.Errorf("%s is %s, asked via %s", servers[1].Pod, servers[1].Role, servers[1].Via)
			}
			if c := servers[1].Channels[0]; c.Source.FoundBy != "server id" || c.MySQL.BehindTransactions == nil || *c.MySQL.BehindTransactions != 0 {
				return fmt.Errorf("%+v %+v", c, c.MySQL)
			}
			return nil
		})
	},
	Healthy: func(s *Set) { s.Answering(2) },
	Faults: slices.Concat(mariaDBErrors, []Fault{{
		Name: "the applier is stopped", Always: true, Check: "MYSQL011 MYSQL070",
		Inject: sql(1, "STOP SLAVE SQL_THREAD"),
		Want:   []Expect{{v1alpha1.CodeApplierStopped, critical, "pod/mariadb-1", "the pod is Ready", "Slave_SQL_Running=No"}},
		Repair: sql(1, "START SLAVE"),
	}, {
		Name: "the receiver is stopped", Check: "MYSQL014 MYSQL070",
		Inject: sql(1, "STOP SLAVE IO_THREAD"),
		Want:   []Expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mariadb-1", "nothing arrives from", "Slave_IO_Running=No"}},
		Repair: sql(1, "START SLAVE"),
	}, {
		Name: "a row is there already", Check: "MYSQL010 MYSQL070",
		Inject: func(s *Set) {
			s.SQL(1, "SET sql_log_bin=0; INSERT INTO app.t VALUES (110, 'mine')")
			s.SQL(0, "INSERT INTO app.t VALUES (110, 'source')")
		},
		Want:   []Expect{{v1alpha1.CodeApplierError, critical, "pod/mariadb-1", "Duplicate entry '110'", "Last_SQL_Errno=1062"}},
		Repair: sql(1, "SET sql_log_bin=0; DELETE FROM app.t WHERE id=110; START SLAVE"),
	}, {
		Name: "the password is wrong", Check: "MYSQL013 MYSQL070",
		Inject: sql(1, "STOP SLAVE; CHANGE MASTER TO MASTER_PASSWORD='wrong'; START SLAVE"),
		Want:   []Expect{{v1alpha1.CodeReceiverConnecting, warning, "pod/mariadb-1", "1045: Access denied", "Last_IO_Errno=1045"}},
		Repair: sql(1, followMariaDB),
	}, {
		Name: "a replica takes writes", Check: "MYSQL021",
		Inject: func(s *Set) {
			s.SQL(1, "SET GLOBAL read_only=0")
		},
		Want:   []Expect{{v1alpha1.CodeReplicaWritable, bad, "pod/mariadb-1", "read_only=0", "read_only=OFF"}},
		Repair: sql(1, "SET GLOBAL read_only=1"),
	}, {
		Name: "the source is read-only", Check: "MYSQL022",
		Inject: sql(0, "SET GLOBAL read_only=1"),
		Want:   []Expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/mariadb-0", "takes no writes", "read_only=ON"}},
		Repair: sql(0, "SET GLOBAL read_only=0"),
	}, {
		Name: "a channel goes by file and position", Check: "MYSQL041",
		Inject: sql(1, "STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID=no; START SLAVE"),
		Want:   []Expect{{v1alpha1.CodeNotAutoPosition, warning, "pod/mariadb-1", "replicates by file and position", "Using_Gtid=No"}},
		Repair: sql(1, followMariaDB),
	}, {
		Name:   "a replica is late on purpose",
		Inject: sql(1, "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=3600; START SLAVE"),
		Want:   []Expect{{v1alpha1.CodeDelayedReplica, info, "pod/mariadb-1", "60m late on purpose", "SQL_Delay=3600"}},
		Repair: sql(1, followMariaDB),
	}, {
		Name: "two servers have one server id", Check: "MYSQL025",
		Inject: sql(1, "SET GLOBAL server_id=100"),
		Want:   []Expect{{v1alpha1.CodeDuplicateServerID, bad, "pod/mariadb-1", "the same server_id 100", "server_id=100"}},
		Repair: sql(1, "SET GLOBAL server_id=101"),
	}, {
		Name: "semi-synchronous replication has fallen back", Check: "MYSQL034",
		Inject: func(s *Set) {
			s.SQL(0, "SET GLOBAL rpl_semi_sync_master_timeout=1; SET GLOBAL rpl_semi_sync_master_enabled=1; INSERT INTO app.t VALUES (600, 'x')")
		},
		Want:   []Expect{{v1alpha1.CodeSemiSyncFellBack, bad, "pod/mariadb-0", "is enabled but has fallen back", "Rpl_semi_sync_master_status=OFF"}},
		Repair: sql(0, "SET GLOBAL rpl_semi_sync_master_enabled=0"),
	}, {
		Name: "an operator's label says the wrong role", Check: "MYSQL071",
		Inject: func(s *Set) {
			s.Kubectl("label", "pod", "mariadb-0", "mariadb-1", "app.kubernetes.io/name=mariadb", "k8s.mariadb.com/role=primary")
		},
		Want: []Expect{{v1alpha1.CodeRoleLabelWrong, bad, "pod/mariadb-1", "k8s.mariadb.com/role=primary, but the server is replica and read-only", "read_only=ON"}},
		Repair: func(s *Set) {
			s.Kubectl("label", "pod", "mariadb-0", "mariadb-1", "app.kubernetes.io/name-", "k8s.mariadb.com/role-")
		},
	}, {
		Name: "a Service stands between a replica and its source", Check: "MYSQL011 MYSQL014 MYSQL070",
		Inject: func(s *Set) {
			s.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mariadb-front"}, "spec": {"selector": {"statefulset.kubernetes.io/pod-name": "mariadb-0"}, "ports": [{"port": 3306}]}}`)
			s.SQL(1, "STOP SLAVE; RESET SLAVE ALL; CHANGE MASTER 'front' TO MASTER_HOST='"+s.Kubectl("get", "service", "mariadb-front", "-o", "jsonpath={.spec.clusterIP}")+"', MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=5")
		},
		Want: []Expect{{v1alpha1.CodeReceiverStopped, critical, "pod/mariadb-1", "nothing arrives from ", "Slave_IO_Running=No"}},
		Repair: func(s *Set) {
			foundBy := func(how v1alpha1.SourceClue) { // its id is known once a connection of this name has been made
				s.Helper()
				cluster.Eventually(s, 30*time.Second, func() error {
					if c := s.Topology().Servers[1].Channels[0]; c.Source.Pod != "mariadb-0" || c.Source.FoundBy != how {
						return fmt.Errorf("%+v", c)
					}
					return nil
				})
			}
			foundBy("Service")
			s.SQL(1, "START SLAVE 'front'")
			s.Answering(2)
			foundBy("server id")
			s.Kubectl("delete", "service", "mariadb-front")
			s.SQL(1, "STOP SLAVE 'front'; RESET SLAVE 'front' ALL; "+followMariaDB)
		},
	}, {
		Name: "a source keeps the channel of a replica",
		Inject: func(s *Set) { // as mysql-1 does when it is promoted with RESET REPLICA
			s.SQL(0, "SET GLOBAL read_only=1")
			s.SQL(1, "STOP SLAVE; RESET SLAVE; SET GLOBAL read_only=0")
			s.SQL(0, "SET GLOBAL gtid_slave_pos=@@gtid_current_pos; "+strings.ReplaceAll(followMariaDB, "mariadb-0", "mariadb-1"))
		},
		Want: []Expect{{v1alpha1.CodeLeftoverChannel, info, "pod/mariadb-1", "has an unused channel to mariadb-0.mariadb (stopped, nothing received)", "Slave_IO_Running=No"}},
		Then: []Step{{
			Do: sql(1, "SET GLOBAL read_only=1"), Check: "MYSQL003",
			Want: []Expect{{v1alpha1.CodeNoSource, critical, "pod/mariadb-1", "no server takes writes: mariadb-1, which mariadb-0 replicates from, is read-only", "read_only=ON"}},
		}},
		Repair: func(s *Set) {
			s.SQL(0, "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0")
			s.SQL(1, followMariaDB)
		},
	}, {
		Name: "an operator's labels and a Service send writes to a replica", Check: "CHECK007[MYSQL071 MYSQL072] MYSQL071", // the source's label is wrong as well
		Inject: func(s *Set) {
			s.Kubectl("label", "pod", "mariadb-0", "mariadb-1", "app.kubernetes.io/name=mariadb")
			s.Kubectl("label", "pod", "mariadb-0", "k8s.mariadb.com/role=replica")
			s.Kubectl("label", "pod", "mariadb-1", "k8s.mariadb.com/role=primary")
			s.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mariadb-primary"}, "spec": {"selector": {"k8s.mariadb.com/role": "primary"}, "ports": [{"port": 3306}]}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeRolesContradict, Severity: bad, Object: "service/mariadb-primary"}},
		Repair: func(s *Set) {
			s.Kubectl("label", "pod", "mariadb-0", "mariadb-1", "app.kubernetes.io/name-", "k8s.mariadb.com/role-")
			s.Kubectl("delete", "service", "mariadb-primary")
		},
	}, {
		Name: "a replica has several sources", Check: "MYSQL011 MYSQL070",
		Inject: func(s *Set) {
			s.Kubectl("scale", "sts/mariadb", "--replicas=3")
			s.Kubectl("rollout", "status", "sts/mariadb", "--timeout=300s")
			s.Answering(3)
			// mariadb-1 goes on from there, and a source that has not got so far refuses it.
			if got := s.SQL(2, "SELECT MASTER_GTID_WAIT('"+s.SQL(0, "SELECT @@gtid_binlog_pos")+"', 60)"); got != "0" {
				s.Fatalf("mariadb-2 is late: %s", got)
			}
			s.SQL(2, "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0, GLOBAL gtid_domain_id=2")
			s.SQL(2, "CREATE DATABASE two")
			to := " TO MASTER_HOST='mariadb-%d.mariadb', MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=5"
			s.SQL(1, "STOP SLAVE; RESET SLAVE ALL; CHANGE MASTER 'a'"+fmt.Sprintf(to, 0)+"; CHANGE MASTER 'b'"+fmt.Sprintf(to, 2)+", IGNORE_DOMAIN_IDS=(0); START ALL SLAVES; STOP SLAVE 'b' SQL_THREAD")
		},
		Want: []Expect{
			{v1alpha1.CodeSeveralSources, info, "pod/mariadb-2", "mariadb-1 replicates from all of them", "read_only=OFF"},
			{v1alpha1.CodeApplierStopped, critical, "pod/mariadb-1", "mariadb-1 (channel b)", "Connection_name=b"},
		},
		Then: []Step{{
			Do: func(s *Set) {
				s.SQL(1, "START SLAVE 'b' SQL_THREAD")
				s.Answering(3)
				servers := s.Topology().Servers
				if c := servers[1].Channels; len(c) != 2 || c[0].Name != "a" || c[0].Source.Pod != "mariadb-0" || c[1].Name != "b" || c[1].Source.Pod != "mariadb-2" || c[1].Source.FoundBy != "server id" || c[1].MySQL.ErrantGTIDs != "" {
					s.Errorf("%+v", servers)
				}
				// And one of the replica's own.
				s.SQL(1, "SET GLOBAL read_only=0; INSERT INTO app.t VALUES (300, 'errant'); SET GLOBAL read_only=1")
			},
			Want:  []Expect{{v1alpha1.CodeErrantTransactions, bad, "pod/mariadb-1", "(written on mariadb-1)", ""}},
			Check: "MYSQL020",
		}},
	}}),
}

// versions has a replica that is older than its source.
var versions = Bed{
	Name: "versions", Machine: Node,
	New: func(s *Set) {
		s.StatefulSet, s.Container, s.Client = "mariadb", "mariadb", "mariadb"
		newer := strings.ReplaceAll(s.Manifest("mariadb.yaml"), "mariadb:10.11", "mariadb:11.8")
		s.Apply(newer)
		s.Kubectl("rollout", "status", "sts/mariadb", "--timeout=600s")
		s.Answering(2)
	},
	Faults: []Fault{{
		Name: "a replica is older than its source", Always: true, Check: "MYSQL043",
		Inject: func(s *Set) {
			s.Kubectl("scale", "sts/mariadb", "--replicas=1")
			s.Kubectl("wait", "--for=delete", "pod/mariadb-1", "--timeout=300s")
			s.Kubectl("delete", "pvc", "data-mariadb-1")
			// From ordinal 1 on the older image.
			s.Apply(strings.Replace(s.Manifest("mariadb.yaml"), "  replicas: 2\n", "  replicas: 2\n  updateStrategy: {rollingUpdate: {partition: 1}}\n", 1))
			s.Kubectl("wait", "pod/mariadb-1", "--for=create", "--timeout=300s")
			s.Kubectl("wait", "pod/mariadb-1", "--for=condition=Ready", "--timeout=300s")
			s.SQL(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")
		},
		Want: []Expect{{v1alpha1.CodeReplicaOlder, warning, "pod/mariadb-1", "10.11.", ""}},
	}},
}

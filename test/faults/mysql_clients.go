package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// sleepers opens so many sessions to a server, which last until wake ends them.
func sleepers(pod, sessions int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		for range sessions {
			s.InBackground(pod, "SELECT SLEEP(300)")
		}
		sleep(s, pod, sessions)
	}
}

// crowd is sleepers of an account that has nothing but the right to come in.
func crowd(pod, sessions int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		cluster.Eventually(s, 30*time.Second, func() error {
			if n := s.SQL(pod, "SELECT COUNT(*) FROM mysql.user WHERE User='crowd'"); n != "1" {
				return fmt.Errorf("%s accounts", n)
			}
			return nil
		})
		s.Shell(pod, fmt.Sprintf("for i in $(seq %d); do %s -ucrowd -h127.0.0.1 -e 'SELECT SLEEP(300)' >/dev/null 2>&1 & done", sessions, s.Client))
		sleep(s, pod, sessions)
	}
}

// sleep waits until so many sessions sleep.
func sleep(s *Set, pod, sessions int) {
	s.Helper()
	cluster.Eventually(s, 30*time.Second, func() error {
		if n := strings.Count(s.SQL(pod, "SELECT STATE FROM information_schema.processlist"), "User sleep"); n < sessions {
			return fmt.Errorf("%d of %d sessions sleep", n, sessions)
		}
		return nil
	})
}

// small is how many rows are written to a full volume.
const small = 1500

// waitsFor waits until a session of a pod's server has been in a state, by words in small letters that all versions have in it, for so many
// seconds.
func waitsFor(s *Set, pod int, state string, seconds int) {
	s.Helper()
	cluster.Eventually(s, time.Minute, func() error {
		list := s.SQL(pod, "SHOW PROCESSLIST") // which needs no temporary table
		for line := range strings.Lines(list) {
			const time, words = 5, 6
			columns := strings.Split(line, "\t")
			if len(columns) <= words || !strings.Contains(strings.ToLower(columns[words]), state) {
				continue
			}
			if n, err := strconv.Atoi(columns[time]); err == nil && n >= seconds {
				return nil
			}
		}
		return fmt.Errorf("no session has been in %q for %d s:\n%s", state, seconds, list)
	})
}

// podIP is the address of a pod.
func podIP(s *Set, pod int) string {
	s.Helper()
	return s.Kubectl("get", "pod", s.Pod(pod), "-o", "jsonpath={.status.podIP}")
}

// cut drops what a pod sends to others and they to it, the kubelet and the plugin aside.
func cut(pod int, others ...int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		var rules []string
		for _, other := range others {
			one, two := podIP(s, pod), podIP(s, other)
			rules = append(rules, "ip saddr "+one+" ip daddr "+two, "ip saddr "+two+" ip daddr "+one)
		}
		drop(rules...)(s)
	}
}

// joined ends what cut does.
func joined(s *Set) {
	s.Helper()
	inNode(s, "nft", "delete", "table", "inet", "doik_test")
}

// mySQLClients are servers that let the plugin in and not their clients, and replicas that lack what their source has, on real MySQL servers.
var mySQLClients = Bed{
	Name: "mysql clients", Machine: Node,
	New:     MySQL,
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: []Fault{{
		Name: "the source is in offline mode", Always: true, Check: "MYSQL100",
		Inject: sql(0, "SET GLOBAL offline_mode=ON"),
		Want:   []Expect{{v1alpha1.CodeRefusesClients, critical, "service/mysql", "mysql-0 (the pod is Ready) is in offline mode (offline_mode=ON): it refuses all clients but administrators (error 3032); the Services mysql, mysql-read send clients to it", "offline_mode=ON"}},
		Repair: sql(0, "SET GLOBAL offline_mode=OFF"),
	}, {
		Name: "all connections of a replica are in use", Check: "MYSQL100",
		Inject: inTurn(sleepers(2, 12), sql(2, "SET GLOBAL max_connections=12")),
		Want:   []Expect{{Code: v1alpha1.CodeRefusesClients, Severity: bad, Object: "pod/mysql-2", Words: "mysql-2 (the pod is Ready)…the Services mysql, mysql-read send clients to it"}},
		Then: []Step{{ // nearly all
			Do: sql(2, "SET GLOBAL max_connections=13"), Check: "MYSQL100",
			Want: []Expect{{v1alpha1.CodeRefusesClients, warning, "pod/mysql-2", "of 13 connections in use (max_connections)", "max_connections=13"}},
		}},
		Repair: inTurn(sql(2, "SET GLOBAL max_connections=151"), wake(2)),
	}, {
		Name: "an account has all the connections that it may have", Check: "MYSQL100",
		Inject: inTurn(sql(0, "CREATE USER crowd@'%' IDENTIFIED BY ''"), crowd(2, 20), sql(2, "SET GLOBAL max_user_connections=20")),
		Want: []Expect{{v1alpha1.CodeRefusesClients, warning, "pod/mysql-2",
			"mysql-2 (the pod is Ready) has 20 connections of one account, and lets each have 20 (max_user_connections): the account's next client is refused (error 1226); the Services mysql, mysql-read send clients to it", "max_user_connections=20"}},
		Repair: inTurn(sql(2, "SET GLOBAL max_user_connections=0"), wake(2), sql(0, "DROP USER crowd@'%'")),
	}, {
		Name: "writes wait behind a lock on all tables", Check: "MYSQL101",
		Inject: func(s *Set) {
			s.InBackground(0, "FLUSH TABLES WITH READ LOCK; SELECT SLEEP(300)")
			s.Sleeps(0)
			s.InBackground(0, "INSERT INTO app.t VALUES (800, 'waits')")
			waitsFor(s, 0, "waiting for global read lock", 10)
		},
		Want:   []Expect{{v1alpha1.CodeWritesHang, critical, "pod/mysql-0", "1 session waits, the longest for 1…s, for the end of a lock on all tables", "state=waiting for global read lock"}},
		Repair: wake(0),
	}, {
		Name: "writes wait for room on a full volume", Check: "CHECK004[STS011] MYSQL101",
		Inject: func(s *Set) {
			s.Shell(0, "cat /dev/zero > /var/lib/mysql/fill || true; sync")
			// The table has room for them, and the binary log has not.
			s.InBackground(0, strings.Repeat("INSERT INTO app.t SELECT MAX(id) + 1, 'small' FROM app.t; ", small))
			waitsFor(s, 0, "waiting for handler commit", 10)
		},
		Want: []Expect{{v1alpha1.CodeWritesHang, critical, "pod/mysql-0", "for the end of a commit: is the volume of its binary logs full", "state=waiting for handler commit"}},
		Repair: inTurn(empty(0), func(s *Set) { // the server looks again every minute
			cluster.Eventually(s, 2*time.Minute, func() error {
				if n := s.SQL(0, "SELECT COUNT(*) FROM app.t WHERE v = 'small'"); n != strconv.Itoa(small) {
					return fmt.Errorf("%s rows", n)
				}
				return nil
			})
		}),
	}, {
		Name: "a replica leaves a database out", Check: "MYSQL103",
		Inject: sql(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE=('app2.%'); START REPLICA SQL_THREAD"),
		Want:   []Expect{{v1alpha1.CodeReplicationFilter, warning, "pod/mysql-1", "lacks data although its GTIDs look complete: Replicate_Wild_Ignore_Table=app2.%", "Replicate_Wild_Ignore_Table=app2.%"}},
		Then: []Step{{ // its own schemas only
			Do:   sql(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE=('mysql.%'); START REPLICA SQL_THREAD"),
			Want: []Expect{{v1alpha1.CodeReplicationFilter, info, "pod/mysql-1", "Replicate_Wild_Ignore_Table=mysql.%", ""}},
		}},
		Repair: sql(1, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE=(); START REPLICA SQL_THREAD"),
	}, {
		Name: "what a source sends is lost on the way", OwnCluster: true, Check: "MYSQL104",
		Inject: func(s *Set) {
			s.SQL(2, "STOP REPLICA; SET GLOBAL replica_net_timeout=1800; CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD=1; SET GLOBAL replica_net_timeout=20; START REPLICA")
			s.Answering(3)
			cut(2, 0)(s)
			s.SQL(0, "INSERT INTO app.t VALUES (90000, 'lost')")
		},
		Want:   []Expect{{v1alpha1.CodeStreamStalled, bad, "pod/mysql-2", "counts as connected to mysql-0, but has received nothing from it for 1…lacks 1 transaction", "Replica_IO_Running=Yes"}},
		Repair: inTurn(joined, sql(2, "STOP REPLICA; SET GLOBAL replica_net_timeout=60; CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD=30; START REPLICA")),
	}, {
		Name: "a replica knows its source by its pod's address", Check: "MYSQL105",
		Inject: func(s *Set) { s.SQL(2, strings.ReplaceAll(follow, "mysql-0.mysql", podIP(s, 0))) },
		Want:   []Expect{{v1alpha1.CodeSourceByAddress, warning, "pod/mysql-2", "replicates from mysql-0 by its pod's address 10.", ""}},
		Then: []Step{{ // which then has another one
			Do: func(s *Set) {
				s.Kubectl("delete", "pod", "mysql-0")
				s.Kubectl("wait", "pod/mysql-0", "--for=create", "--timeout=300s")
				s.Kubectl("wait", "pod/mysql-0", "--for=condition=Ready", "--timeout=300s")
			},
			Want:  []Expect{{Code: v1alpha1.CodeSourceByAddress, Severity: bad, Object: "pod/mysql-2", Words: "replicates from mysql-0 by 10.…, an address that its pod no longer has (it has 10."}},
			Check: "MYSQL012 MYSQL070 MYSQL073 MYSQL105 | MYSQL013 MYSQL070 MYSQL073 MYSQL105",
		}},
		Repair: sql(2, follow),
	}, {
		Name: "InnoDB is in its recovery mode", Check: "MYSQL022",
		Inject: func(s *Set) {
			s.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", "printf '[mysqld]\\ninnodb_force_recovery=4\\n' > /etc/mysql/conf.d/z.cnf; kill 1")
		},
		Want: []Expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/mysql-0", "takes no writes (innodb_force_recovery=4)", "innodb_force_recovery=4"}},
		Then: []Step{{ // in a milder one
			Do: func(s *Set) {
				s.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", "printf '[mysqld]\\ninnodb_force_recovery=1\\n' > /etc/mysql/conf.d/z.cnf; kill 1")
			},
			Want:  []Expect{{v1alpha1.CodeInRecoveryMode, warning, "pod/mysql-0", "innodb_force_recovery=1", "innodb_force_recovery=1"}},
			Check: "MYSQL102",
		}},
		Repair: func(s *Set) {
			s.Kubectl("exec", "mysql-0", "-c", "mysql", "--", "sh", "-c", "rm /etc/mysql/conf.d/z.cnf; kill 1")
			s.Kubectl("wait", "--for=condition=Ready=False", "pod/mysql-0", "--timeout=60s")
			s.Kubectl("rollout", "status", "sts/mysql", "--timeout=300s")
			for _, replica := range []int{1, 2} { // they may have given up: its container was started later each time
				s.SQL(replica, "STOP REPLICA; START REPLICA")
			}
		},
	}},
}

package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// impatient are arguments that don't wait long for servers that hang.
var impatient = []string{"--server-timeout=3s"}

// GroupReplication makes a group of three MySQL servers. Edits are pairs of a text of its manifest and another one.
func GroupReplication(s *Set, edits ...string) {
	s.Helper()
	s.StatefulSet, s.Container, s.Client = "group", "mysql", "mysql"
	s.Apply(strings.NewReplacer(edits...).Replace(s.Manifest("mysql-group.yaml")))
	s.Kubectl("rollout", "status", "sts/group", "--timeout=600s")
	s.Answering(3)
	cluster.Eventually(s, 2*time.Minute, func() error { // pods are ready before their servers have joined
		for pod := range 3 {
			if members := s.SQL(pod, "SELECT GROUP_CONCAT(MEMBER_STATE) FROM performance_schema.replication_group_members"); members != "ONLINE,ONLINE,ONLINE" {
				return fmt.Errorf("%s sees %s", s.Pod(pod), members)
			}
		}
		return nil
	})
	s.SQL(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")
}

// group has what can go wrong with a group.
var group = Bed{
	Name: "group", Machine: Node,
	New: func(s *Set) {
		GroupReplication(s)
		cluster.Eventually(s, time.Minute, func() error { // the last one recovers first
			if servers := s.Topology().Servers; servers[0].Role != v1alpha1.RolePrimary || servers[1].Role != v1alpha1.RoleSecondary || servers[2].MySQL.Group.State != "ONLINE" || servers[2].Depth != 1 {
				return fmt.Errorf("roles %s, %s, %s; the last one is %s", servers[0].Role, servers[1].Role, servers[2].Role, servers[2].MySQL.Group.State)
			}
			return nil
		})
	},
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: slices.Concat(groupErrors, []Fault{{
		Name: "a member has left", Always: true, Check: "MYSQL051 MYSQL070",
		// A headless Service spreads nothing: who asks takes the first address.
		Inject: inTurn(apply("apiVersion: v1\nkind: Service\nmetadata: {name: all}\nspec: {selector: {app: group}, ports: [{name: mysql, port: 3306}]}\n"), sql(2, "STOP GROUP_REPLICATION")),
		Want: []Expect{
			{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "(the pod is Ready) is OFFLINE in its group", "MEMBER_STATE=OFFLINE"},
			{v1alpha1.CodeReadyButBroken, warning, "pod/group-2", "OFFLINE", ""},
		},
		Reads: Reads{Service: "all", Want: []Expect{{v1alpha1.CodeReadsBroken, bad, "pod/group-2", "it is OFFLINE in its group", ""}}},
		Then: []Step{{ // and takes writes
			Do:    sql(2, "SET GLOBAL super_read_only=0; SET GLOBAL read_only=0"),
			Want:  []Expect{{v1alpha1.CodeGRMemberOutsideWritable, critical, "pod/group-2", "takes writes, which never reach the group", "read_only=OFF"}},
			Check: "MYSQL052 MYSQL070",
		}},
		Repair: inTurn(sql(2, "START GROUP_REPLICATION"), kubectl("delete service all")),
	}, {
		Name: "the majority hangs", Check: "MYSQL006[STS003] MYSQL050 MYSQL070",
		Inject: func(s *Set) { s.Signal("STOP", 1, 2) },
		Args:   impatient,
		Want:   []Expect{{v1alpha1.CodeGRNoQuorum, critical, "pod/group-0", "2 of its 3 members are UNREACHABLE", "MEMBER_STATE=UNREACHABLE"}},
		Repair: func(s *Set) { s.Signal("CONT", 1, 2) },
	}, {
		Name: "all nodes are going", OwnCluster: true, Check: "CHECK001[NODE007] CHECK002",
		Inject: taint(going),
		Want:   []Expect{{Code: v1alpha1.CodeWriterGoing, Severity: bad}},
		Repair: taint(going + "-"),
	}, {
		Name: "all nodes are spot", OwnCluster: true, Check: "CHECK002[MYSQL075 NODE002] NODE011[STS033]",
		Inject: label(spot),
		Want:   []Expect{{Code: v1alpha1.CodeQuorumAtStake, Severity: warning, Words: "spot"}},
		Repair: label(spotNoMore),
	}, {
		Name: "a budget lets the quorum go", Check: "CHECK006",
		Inject: apply(budget("group", "group", "2")),
		Want:   []Expect{{Code: v1alpha1.CodeBudgetTooLoose, Severity: warning, Object: "poddisruptionbudget/group"}},
		Repair: kubectl("delete pdb group"),
	}, {
		Name: "there is a second zone, in which no member is", OwnCluster: true, Check: "CHECK002 CHECK005[MYSQL076 NODE006 STS031]",
		Inject: otherZone,
		Want:   []Expect{{Code: v1alpha1.CodeZoneLoss, Severity: warning}},
		Repair: oneZone,
	}, {
		Name: "a member can't be reached by the others, which keep it", OwnCluster: true, Check: "MYSQL050 MYSQL051 MYSQL053 MYSQL070 | MYSQL050 MYSQL051 MYSQL070",
		Inject: func(s *Set) {
			for pod := range 3 {
				s.SQL(pod, "SET GLOBAL group_replication_member_expel_timeout=3600")
			}
			cut(2, 0, 1)(s)
		},
		Want:   []Expect{{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "is UNREACHABLE for group-0, group-1, which keep it in the group", "MEMBER_STATE=UNREACHABLE"}},
		Repair: joined,
	}, {
		Name: "a member hangs until the others expel it", Check: "MYSQL006[STS003] MYSQL051",
		Inject: func(s *Set) { s.Signal("STOP", 2) },
		Args:   impatient,
		Want:   []Expect{{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "is missing from the group as group-0 sees it", ""}},
		Then: []Step{{ // and comes back with a group of its own
			Do: func(s *Set) {
				s.Signal("CONT", 2)
				cluster.Eventually(s, 30*time.Second, func() error {
					if r := s.TrySQL(2, "STOP GROUP_REPLICATION; SET GLOBAL group_replication_bootstrap_group=ON; START GROUP_REPLICATION"); r.Code != 0 {
						return fmt.Errorf("%s", r.Err)
					}
					return nil
				})
			},
			Want:  []Expect{{v1alpha1.CodeGRSplitView, critical, "pod/group-2", "group-0, group-1 see group-0 (primary), group-1; group-2 see group-2 (primary)", ""}},
			Check: "MYSQL053",
		}},
	}}),
}

// Galera makes a cluster of three MariaDB servers. Edits are as those of GroupReplication.
func Galera(s *Set, edits ...string) {
	s.Helper()
	s.StatefulSet, s.Container, s.Client = "galera", "mariadb", "mariadb"
	s.Apply(strings.NewReplacer(edits...).Replace(s.Manifest("mariadb-galera.yaml")))
	s.Kubectl("rollout", "status", "sts/galera", "--timeout=600s")
	calm(s)
	s.Answering(3)
	s.SQL(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY)")
}

// wake ends the sessions of a server that sleep, and what they have locked.
func wake(pod int) func(*Set) {
	return func(s *Set) {
		s.Helper()
		for id := range strings.FieldsSeq(s.SQL(pod, "SELECT ID FROM information_schema.processlist WHERE STATE='User sleep'")) {
			s.SQL(pod, "KILL "+id)
		}
	}
}

// calm begins to count averages: on a busy machine nodes have had to catch up.
func calm(s *Set) {
	s.Helper()
	for pod := range 3 {
		s.SQL(pod, "FLUSH STATUS")
	}
}

// galera has what can go wrong with a Galera cluster.
var galera = Bed{
	Name: "galera", Machine: Node,
	New: func(s *Set) {
		Galera(s)
		if servers := s.Topology().Servers; servers[0].Role != v1alpha1.RoleNode || servers[2].MySQL == nil || servers[2].MySQL.Galera == nil || servers[2].MySQL.Galera.State != "Synced" || *servers[2].MySQL.Galera.ClusterSize != 3 {
			s.Errorf("%+v", servers)
		}
	},
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: []Fault{{
		Name: "a node is desynced", Always: true, Check: "MYSQL063",
		Inject: sql(2, "SET GLOBAL wsrep_desync=ON"),
		Want:   []Expect{{v1alpha1.CodeGaleraNotSynced, warning, "pod/galera-2", "Donor/Desynced", "wsrep_local_state=2"}},
		Repair: sql(2, "SET GLOBAL wsrep_desync=OFF"),
	}, {
		Name: "a node refuses queries", Check: "MYSQL100",
		Inject: sql(1, "SET GLOBAL wsrep_reject_queries=ALL"),
		Want:   []Expect{{v1alpha1.CodeRefusesClients, bad, "pod/galera-1", "refuses queries (wsrep_reject_queries=ALL, error 1047); the Service galera sends clients to it", "wsrep_reject_queries=ALL"}},
		Repair: sql(1, "SET GLOBAL wsrep_reject_queries=NONE"),
	}, {
		Name: "a node takes no writes", Check: "MYSQL022",
		Inject: sql(1, "SET GLOBAL read_only=1"),
		Want:   []Expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/galera-1", "is a Galera node but takes no writes (read_only=1); the Service galera sends clients to it", "read_only=ON"}},
		Repair: sql(1, "SET GLOBAL read_only=0"),
	}, {
		Name: "the cluster has a node elsewhere",
		Inject: func(s *Set) {
			all := s.Manifest("mariadb-galera.yaml")
			set := all[strings.LastIndex(all, "---"):]
			s.Apply(strings.NewReplacer("metadata: {name: galera}", "metadata: {name: elsewhere}", "app: galera", "app: elsewhere", "replicas: 3", "replicas: 1").Replace(set))
			s.Kubectl("rollout", "status", "sts/elsewhere", "--timeout=600s")
		},
		Want:   []Expect{{v1alpha1.CodeGaleraSizeMismatch, info, "pod/galera-2", "galera-0, galera-1, galera-2 see a cluster of 4, of which the set has 3 pods", "wsrep_cluster_size=4"}},
		Repair: inTurn(kubectl("delete sts elsewhere"), kubectl("wait --for=delete pod/elsewhere-0 --timeout=300s")),
	}, {
		Name: "a node is slow", Check: "MYSQL063 MYSQL064", // a lock on all tables desyncs it
		Inject: func(s *Set) {
			calm(s)
			s.InBackground(2, "FLUSH TABLES WITH READ LOCK; SELECT SLEEP(300)")
			s.Sleeps(2)
			s.SQL(0, strings.Repeat("INSERT INTO app.t VALUES (); ", 20)) // fewer than flow control lets wait: it would pause them
		},
		Want: []Expect{{v1alpha1.CodeGaleraFlowControl, warning, "pod/galera-2", "write sets wait to be applied", ""}},
		Then: []Step{{ // and has caught up: what is left is the average
			Do: wake(2), Check: "",
			Want: []Expect{{v1alpha1.CodeGaleraFlowControl, info, "pod/galera-2", "write sets wait to be applied", "wsrep_local_recv_queue=0"}},
		}},
		Repair: calm,
	}, {
		Name: "each of two parts takes writes", OwnCluster: true, Check: "MYSQL062",
		Inject: func(s *Set) {
			cut(2, 0, 1)(s)
			cluster.Eventually(s, time.Minute, func() error {
				if status := s.SQL(2, "SHOW STATUS LIKE 'wsrep_cluster_status'"); !strings.Contains(status, "non-Primary") {
					return fmt.Errorf("%s", status)
				}
				return nil
			})
			s.SQL(2, "SET GLOBAL wsrep_provider_options='pc.bootstrap=1'")
		},
		Want: []Expect{{v1alpha1.CodeGaleraSplitUUID, critical, "pod/galera-2", "the cluster is split into 2 primary components, each of which takes writes that the others never get: galera-0, galera-1; galera-2", "wsrep_cluster_size=2"}},
		Repair: func(s *Set) { // the part of one begins again
			joined(s)
			s.Kubectl("delete", "pod", "galera-2")
			s.Kubectl("rollout", "status", "sts/galera", "--timeout=300s")
			calm(s)
		},
	}, {
		Name: "a node hangs until the others go on without it", Check: "MYSQL006[STS003] MYSQL061",
		Inject: func(s *Set) { s.Signal("STOP", 2) },
		Args:   impatient,
		Want:   []Expect{{v1alpha1.CodeGaleraSizeMismatch, bad, "pod/galera-0", "galera-0, galera-1 see a cluster of 2, but the set has 3 pods", "wsrep_cluster_size=2"}},
		Then: []Step{{ // then another, without which there is no majority
			Do:    func(s *Set) { s.Signal("STOP", 1) },
			Args:  impatient,
			Want:  []Expect{{v1alpha1.CodeGaleraNonPrimary, critical, "pod/galera-0", "it refuses queries (error 1047)", "wsrep_cluster_status=non-Primary"}},
			Check: "MYSQL006[STS003] MYSQL060 MYSQL070",
		}, { // they come back, each as the first of a new cluster
			Do: func(s *Set) {
				for pod := range 3 {
					s.Kubectl("exec", s.Pod(pod), "-c", s.Container, "--", "sh", "-c",
						"printf '[mysqld]\\nwsrep_cluster_address=gcomm://\\n' > /etc/mysql/conf.d/z.cnf; rm -f /var/lib/mysql/grastate.dat /var/lib/mysql/gvwstate.dat; pkill -KILL -x mariadbd")
				}
			},
			Want: []Expect{
				{v1alpha1.CodeGaleraSplitUUID, critical, "pod/galera-1", "the nodes belong to different clusters", ""},
				{v1alpha1.CodeGaleraSizeMismatch, bad, "pod/galera-1", "sees a cluster of 1", ""},
			},
			Check: "MYSQL061 MYSQL062",
		}},
	}},
}

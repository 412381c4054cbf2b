package faults

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// mariaDBOperator has both kinds of sets of the real mariadb-operator: shop with replication, stock with Galera. What the operator does to them is
// watched; what goes wrong is brought about while it is away, for it repairs much within seconds.
var mariaDBOperator = Bed{
	Name: "mariadb-operator", Machine: Node, OwnCluster: true,
	New: func(s *Set) {
		cluster.MariaDBOperator(s)
		s.ApplyMariaDBs("mariadb-operator.yaml", "mariadb-operator-galera.yaml")
		for _, view := range []string{"sts-status", "mysql-topology"} {
			for _, f := range s.findings(view, nil) {
				if f.Severity != v1alpha1.SeverityInfo {
					s.Errorf("%s finds of healthy sets: %s", view, lines([]v1alpha1.Finding{f}))
				}
			}
		}
		s.reads(Reads{Service: "shop-secondary"})
		s.reads(Reads{Service: "stock-secondary"})
		if text := s.MustDoik("mysql-query", "shop", "SELECT @@port"); strings.Count(text, "3306") != 3 {
			s.Errorf("\n%s", text)
		}
	},
	Healthy: func(s *Set) {
		s.MariaDBReady("shop")
		s.MariaDBReady("stock")
	},
	Faults: []Fault{{
		Name: "the primary is switched over", Always: true,
		Inject: func(s *Set) {
			was, is := s.MariaDBPrimary("shop"), s.MariaDBReplica("shop")
			told := s.watched("shop", func() { s.makePrimary("shop", "replication", is) }, s.isPrimary("shop", is))
			told.has(
				was+" labelled replica (was primary)", is+" labelled primary (was replica)",
				was+" no longer takes writes (read_only=1)", was+" is replica (was source)", was+" follows "+is,
				is+" takes writes (read_only=0)", is+" is source (was replica)", is+" no longer follows "+was,
				"Service shop-primary reaches "+is+" (was "+was+")",
			)
			// A watch that looks while the operator is at it sees replicas stopped, some that follow the old source, and labels before the servers are so.
			told.findings(v1alpha1.CodeSourceReadOnly, v1alpha1.CodeReadyButBroken, v1alpha1.CodeReadServiceReachesBroken, v1alpha1.CodeSeveralSources,
				v1alpha1.CodeRoleLabelWrong, v1alpha1.CodeWriteServiceReachesReplica)
		},
		Want:   noLog,
		Repair: asItIs,
	}, {
		Name: "the primary's pod is deleted", Always: true,
		Inject: func(s *Set) {
			was := s.MariaDBPrimary("shop")
			told := s.watched("shop", func() { s.Kubectl("delete", "pod", was, "--wait=false") }, s.replaced(was))
			told.has(
				"Service shop-primary reaches no server (was "+was+")", was+" answers: source, takes writes", was+": its pod is ready",
				was+" labelled replica (was <none>)", was+" is replica (was source)", was+" replicates",
			)
			// Its pod may be gone for a second before there is a new one; it comes back writable, until the operator looks again.
			told.findings(v1alpha1.CodeSourceUnreachable, v1alpha1.CodeSeveralSources, v1alpha1.CodeRoleLabelWrong, v1alpha1.CodeWriteServiceReachesReplica)
		},
		Want:   noLog,
		Repair: asItIs,
	}, {
		Name: "the pods are rolled out",
		Inject: func(s *Set) {
			told := s.watched("shop", func() {
				s.Kubectl("patch", "mariadb/shop", "--type=merge", "-p", `{"spec": {"podMetadata": {"annotations": {"rolled": "out"}}}}`)
			}, s.replaced("shop-0", "shop-1", "shop-2"))
			told.has("shop-0: its pod is ready", "shop-1: its pod is ready", "shop-2: its pod is ready")
			// Restarted servers are writable and share a server id until the operator looks again; then the source ignores one of two. And the
			// operator resets logs, so that a source that becomes a replica has transactions that the others lack.
			told.findings(v1alpha1.CodeReplicaWritable, v1alpha1.CodeDuplicateServerID, v1alpha1.CodeReadServiceReachesBroken, v1alpha1.CodeReadyButBroken,
				v1alpha1.CodeErrantTransactions, v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.CodeSeveralSources)
		},
		Want:   noLog,
		Repair: asItIs,
	}, {
		Name: "the primary of Galera is switched over",
		Inject: func(s *Set) {
			was, is := s.MariaDBPrimary("stock"), s.MariaDBReplica("stock")
			told := s.watched("stock", func() { s.makePrimary("stock", "galera", is) }, s.isPrimary("stock", is))
			told.has(was+" labelled replica (was primary)", is+" labelled primary (was replica)", "Service stock-primary reaches "+is+" (was "+was+")")
			told.findings()
		},
		Want:   noLog,
		Repair: asItIs,
	}, {
		Name: "the pod of Galera's primary is deleted", Always: true,
		Inject: func(s *Set) {
			was := s.MariaDBPrimary("stock")
			told := s.watched("stock", func() { s.Kubectl("delete", "pod", was, "--wait=false") }, s.replaced(was))
			told.has("Service stock-primary reaches no server (was "+was+")", was+": its pod is ready", was+" labelled replica (was <none>)")
			told.findings() // it joins, with a donor, while its pod starts
		},
		Want:   noLog,
		Repair: asItIs,
	}, {
		Name: "a backup fails, and the next succeeds", Check: "STS045",
		Inject: func(s *Set) { s.mariaDBBackup("broken", "databases: [nosuch], ", "JobFailed") },
		Want:   []Expect{{Code: v1alpha1.CodeBackupFailed, Severity: warning, Object: "statefulset/shop", Words: "the backup broken failed … ago; none has succeeded that is known of → kubectl describe backup.k8s.mariadb.com broken -n NS"}},
		Then: []Step{{
			Do:   func(s *Set) { s.mariaDBBackup("whole", "", "JobComplete") },
			Want: []Expect{{Code: v1alpha1.CodeNoBackup, Severity: info, Object: "statefulset/shop", Words: "its operator has no schedule for backups of mariadb/shop; the last that succeeded is …s old"}},
		}},
		Repair: func(s *Set) { s.Kubectl("delete", "backups.k8s.mariadb.com", "--all") },
	}, {
		Name: "the operator is away, and a replica's applier is stopped", Check: "MYSQL011 MYSQL070 MYSQL073",
		Inject: func(s *Set) {
			s.scaleMariaDBOperator(0)
			s.inMariaDB(s.MariaDBReplica("shop"), "STOP REPLICA SQL_THREAD")
			s.inMariaDB(s.MariaDBPrimary("shop"), "CREATE OR REPLACE DATABASE lacking")
		},
		Want:  []Expect{{Code: v1alpha1.CodeReadServiceReachesBroken, Severity: bad, Object: "service/shop-secondary", Words: "(receiver Yes, applier No): clients get stale data"}},
		Reads: Reads{Service: "shop-secondary", Want: []Expect{{Code: v1alpha1.CodeReadsBroken, Severity: bad, Words: "stale data was read from shop-"}}},
		Then: []Step{{ // its pod is deleted: it is a replica again, and writable
			Do: func(s *Set) {
				pod := s.MariaDBReplica("shop")
				s.Kubectl("delete", "pod", pod)
				s.Kubectl("wait", "--for=create", "pod/"+pod, "--timeout=60s")
				s.Kubectl("wait", "--for=condition=Ready", "pod/"+pod, "--timeout=120s")
			},
			Want:  []Expect{{Code: v1alpha1.CodeReplicaWritable, Severity: bad, Words: "is a replica but takes writes (read_only=0)"}},
			Check: "MYSQL021",
		}},
		Repair: func(s *Set) { s.scaleMariaDBOperator(1) },
	}},
}

// noLog is what there is to say of its replicas when all is well.
var noLog = []Expect{{Code: v1alpha1.CodeCannotBePromoted, Severity: info, Words: "does not log what it applies (log_replica_updates=0)"}}

// asItIs repairs nothing: the operator has.
func asItIs(*Set) {}

// inMariaDB runs statements as root in a pod of the operator's, which knows the password.
func (s *Set) inMariaDB(pod, statements string) {
	s.Helper()
	s.Kubectl("exec", pod, "-c", "mariadb", "--", "sh", "-c", `exec mariadb -uroot -p"$MARIADB_ROOT_PASSWORD" -N -e "$1"`, "sh", statements)
}

// mariaDBBackup has the operator back shop up, and waits until its Job has ended as it should. To the operator a limit of 0 retries is none, which is 6.
func (s *Set) mariaDBBackup(name, spec, reason string) {
	s.Helper()
	s.Apply(fmt.Sprintf(`{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, metadata: {name: %s}, spec: {mariaDbRef: {name: shop}, %sbackoffLimit: 1, restartPolicy: Never,
  storage: {persistentVolumeClaim: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Mi}}}}}}`, name, spec))
	s.Kubectl("wait", "backups.k8s.mariadb.com/"+name, "--timeout=180s", `--for=jsonpath={.status.conditions[?(@.type=="Complete")].reason}=`+reason)
}

// scaleMariaDBOperator stops the operator, or starts it, and waits for that.
func (s *Set) scaleMariaDBOperator(replicas int) {
	s.Helper()
	s.Kubectl("-n", "mariadb-system", "scale", "deployment/mariadb-operator", fmt.Sprintf("--replicas=%d", replicas))
	if replicas == 0 {
		s.none("-n", "mariadb-system", "pods")
		return
	}
	s.Kubectl("-n", "mariadb-system", "rollout", "status", "deployment/mariadb-operator", "--timeout=120s")
}

// makePrimary has the operator switch over.
func (s *Set) makePrimary(set, kind, pod string) {
	s.Helper()
	s.Kubectl("patch", "mariadb/"+set, "--type=merge", "-p", fmt.Sprintf(`{"spec": {%q: {"primary": {"podIndex": %s}}}}`, kind, pod[strings.LastIndex(pod, "-")+1:]))
}

// told is what a watch has told of a set, without what differs by nature.
type told struct {
	*Set
	lines []string
	// late is true if the operator did not get on by itself: then more can be told meanwhile.
	late bool
}

// watched watches a set while something is done to it, until that has begun, the operator calls the set ready, and nothing above info is found.
func (s *Set) watched(set string, do func(), begun func() error) told {
	s.Helper()
	w := cluster.Watch(s.Namespace, "mysql-topology", set, "--watch", "--poll-interval=1s")
	w.Sees("3/3 answered")
	do()
	cluster.Eventually(s, 5*time.Minute, begun)
	// Once in a while this version of the operator waits for ever for the address of a pod that is gone.
	restarted := false
	if err := cluster.Poll(time.Minute, s.MariaDBIsReady(set)); err != nil {
		s.Logf("the operator is restarted, because it does not get on: %v", err)
		s.scaleMariaDBOperator(0)
		s.scaleMariaDBOperator(1)
		s.Kubectl("annotate", "statefulset/"+set, "doik.dev/test=restarted", "--overwrite") // else it may wait a quarter of an hour after errors of its webhook
		restarted = true
	}
	s.MariaDBReady(set)
	s.MustDoik("mysql-topology", set, "--for=healthy", "--timeout=120s")
	w.Sees("Service " + set + "-primary reaches " + s.MariaDBPrimary(set)) // the last that a switchover changes
	w.Interrupt()
	s.Logf("\n%s", w.Text())
	return told{s, strings.Split(cluster.Happenings(w.Text()), "\n"), restarted}
}

// isPrimary is whether the operator has made a pod the primary.
func (s *Set) isPrimary(set, pod string) func() error {
	return func() error {
		if is := s.MariaDBPrimary(set); is != pod {
			return fmt.Errorf("%s is primary", is)
		}
		return nil
	}
}

// replaced is whether other pods have the names of pods that there are now.
func (s *Set) replaced(pods ...string) func() error {
	s.Helper()
	uid := func(pod string) string {
		return s.Kubectl("get", "pod", pod, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
	}
	before := map[string]string{}
	for _, pod := range pods {
		before[pod] = uid(pod)
	}
	return func() error {
		for _, pod := range pods {
			if now := uid(pod); now == "" || now == before[pod] {
				return fmt.Errorf("pod %s is not replaced", pod)
			}
		}
		return nil
	}
}

// has checks that all of some lines were told.
func (t told) has(want ...string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(t.lines, line) {
			t.Errorf("not told: %s", line)
		}
	}
}

// findings checks that findings above info were told of no other codes than some, and that each of them is over.
func (t told) findings(codes ...v1alpha1.Code) {
	t.Helper()
	begun, over := regexp.MustCompile(`^(?:WARNING|ERROR|CRITICAL) (\S+) `), regexp.MustCompile(`^(\S+) resolved: `)
	open := map[string]int{}
	for _, line := range t.lines {
		if m := begun.FindStringSubmatch(line); m != nil {
			if open[m[1]]++; !t.late && !slices.Contains(codes, v1alpha1.Code(m[1])) {
				t.Errorf("told: %s", line)
			}
		} else if m := over.FindStringSubmatch(line); m != nil {
			open[m[1]]--
		}
	}
	for code, n := range open {
		if n > 0 {
			t.Errorf("%s is not over", code)
		}
	}
}

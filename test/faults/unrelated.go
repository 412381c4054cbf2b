package faults

import (
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Apart makes two sets of MariaDB servers that have nothing to do with each other: shards, of two servers, and old, of one.
func Apart(s *Set) {
	s.Helper()
	s.Container, s.Client = "mariadb", "mariadb"
	manifest := s.Manifest("mariadb.yaml")
	begin := strings.Index(manifest, "  replicate.sh: |")
	end := strings.Index(manifest[begin:], "---")
	// Its configuration is that of servers of which each is a source, with ids and domains of their own.
	shards := strings.NewReplacer("[ $ordinal -eq 0 ] || printf", "false && printf").Replace(manifest[:begin]) + "  replicate.sh: |\n    trap 'exit 0' TERM\n    sleep infinity & wait\n" + manifest[begin+end:]
	shards = strings.ReplaceAll(shards, "name: mariadb}", "name: shards}")
	shards = strings.NewReplacer("app: mariadb", "app: shards", "serviceName: mariadb", "serviceName: shards", "configMap: {name: mariadb", "configMap: {name: shards").Replace(shards)
	s.Apply(shards)
	s.Apply(strings.NewReplacer("shards", "old", "replicas: 2", "replicas: 1", "$((100 + ordinal))", "$((200 + ordinal))").Replace(shards))
	s.Kubectl("rollout", "status", "sts/shards", "--timeout=600s")
	s.Kubectl("rollout", "status", "sts/old", "--timeout=600s")
	for _, pod := range []string{"shards-0", "shards-1", "old-0"} {
		s.Kubectl("exec", pod, "-c", s.Container, "--", s.Client, "-uroot", "-h127.0.0.1", "-e", "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")
	}
}

// old is the set old, whose server statements are for.
func old(s *Set) *Set {
	o := *s
	o.StatefulSet = "old"
	return &o
}

// onOld runs statements in the server of the set old.
func onOld(statements string) func(*Set) {
	return func(s *Set) { s.Helper(); old(s).SQL(0, statements) }
}

// unrelated has what can go wrong with servers that do not replicate. Commands are asked of the whole namespace.
var unrelated = Bed{
	Name: "unrelated", Machine: Node,
	New: Apart,
	Faults: []Fault{{
		Name: "servers that are independent are healthy", Always: true,
		Want:   []Expect{{v1alpha1.CodeSeveralSources, info, "pod/shards-1", "the 2 servers of the set are independent: each takes writes, and none has ever had data of another", "read_only=OFF"}},
		Repair: func(*Set) {},
	}, {
		Name: "a Service sends clients to any of them", Check: "MYSQL004",
		Inject: apply("apiVersion: v1\nkind: Service\nmetadata: {name: any}\nspec: {selector: {app: shards}, ports: [{name: mysql, port: 3306}]}\n"),
		Want:   []Expect{{Code: v1alpha1.CodeSeveralSources, Severity: critical, Object: "service/any", Words: "the Service any sends clients to any of shards-0, shards-1"}},
		Repair: kubectl("delete service any"),
	}, {
		Name: "a Service sends clients to two sets", Check: "MYSQL106",
		Inject: inTurn(kubectl("label pods shards-0 old-0 tier=db"), apply("apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {selector: {tier: db}, ports: [{name: mysql, port: 3306}]}\n")),
		Want:   []Expect{{Code: v1alpha1.CodeServiceMixesSets, Severity: bad, Object: "service/db", Words: "the Service db sends clients to servers of different sets, which have no data in common: old-0 of old; shards-0 of shards"}},
		Repair: inTurn(kubectl("delete service db"), kubectl("label pods shards-0 old-0 tier-")),
	}, {
		Name: "the only server of a set takes no writes", Check: "MYSQL022",
		Inject: onOld("SET GLOBAL read_only=1"),
		Want:   []Expect{{v1alpha1.CodeSourceReadOnly, bad, "pod/old-0", "old-0 is the only server of its set but takes no writes (read_only=1); the Service old sends clients to it", "read_only=ON"}},
		Repair: onOld("SET GLOBAL read_only=0"),
	}, {
		Name: "writes wait behind a lock on all tables", Check: "MYSQL101",
		Inject: func(s *Set) {
			o := old(s)
			o.InBackground(0, "FLUSH TABLES WITH READ LOCK; SELECT SLEEP(300)")
			o.Sleeps(0)
			o.InBackground(0, "INSERT INTO app.t VALUES (800)")
			waitsFor(o, 0, "waiting for", 10)
		},
		Want:   []Expect{{v1alpha1.CodeWritesHang, critical, "pod/old-0", "for the end of a lock on all tables", "state=waiting for backup lock"}},
		Repair: func(s *Set) { wake(0)(old(s)) },
	}, {
		Name: "a server listens on the loopback address only", Check: "MYSQL100",
		Inject: func(s *Set) {
			s.Kubectl("exec", "old-0", "-c", s.Container, "--", "sh", "-c", "printf '[mysqld]\\nbind-address=127.0.0.1\\n' > /etc/mysql/conf.d/z.cnf; kill 1")
		},
		Want: []Expect{{v1alpha1.CodeRefusesClients, bad, "pod/old-0", "listens on the loopback address only (bind_address=127.0.0.1)", "bind_address=127.0.0.1"}},
	}},
}

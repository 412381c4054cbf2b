package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// promoteKeeping makes mysql-1 the source as MOCO does: it forgets what it received, and keeps from where. mysql-0 and mysql-2 follow it.
func promoteKeeping(s *Set) {
	s.Helper()
	other := strings.ReplaceAll(follow, "mysql-0", "mysql-1")
	s.SQL(0, "SET GLOBAL super_read_only=1")
	s.SQL(1, "STOP REPLICA; RESET REPLICA; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0")
	s.SQL(0, other)
	s.SQL(2, other)
}

// restoreSource makes mysql-0 the source again, as at first.
func restoreSource(s *Set) {
	s.Helper()
	s.SQL(0, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0")
	s.SQL(1, follow)
	s.SQL(2, follow)
}

// leftover is what is said of the channel that mysql-1 keeps.
var leftover = Expect{
	v1alpha1.CodeLeftoverChannel, info, "pod/mysql-1", "has an unused channel to mysql-0.mysql (stopped, nothing received): START REPLICA would make it a replica again", "Replica_IO_Running=No",
}

// inService makes endpoints of pods, as a controller does that gives its Service no selector.
func (s *Set) inService(name string, ready bool, pods ...int) {
	s.Helper()
	var endpoints []string
	for _, pod := range pods {
		ip := s.Kubectl("get", "pod", s.Pod(pod), "-o", "jsonpath={.status.podIP}")
		endpoints = append(endpoints, fmt.Sprintf(`{addresses: [%s], conditions: {ready: %t}, targetRef: {kind: Pod, name: %s, namespace: %s}}`, ip, ready, s.Pod(pod), s.NS))
	}
	s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Service, metadata: {name: %[1]s}, spec: {ports: [{name: mysql, port: 3306}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: %[1]s, labels: {kubernetes.io/service-name: %[1]s}}, addressType: IPv4, ports: [{name: mysql, port: 3306}], endpoints: [%[2]s]}`,
		name, strings.Join(endpoints, ", ")))
}

// withoutOperator is what operators do to replication and Services, on the study's MySQL.
var withoutOperator = []Fault{{
	Name: "a source keeps the channel of a replica", Always: true,
	Inject: promoteKeeping,
	Want:   []Expect{leftover},
	Reads:  Reads{Service: "mysql-read"},
	Then: []Step{{ // and is read-only, as after a restart: that is no cycle, and no replica that is stopped
		Do: func(s *Set) {
			s.MustDoik("mysql-topology", "sts/mysql", "--for=healthy", "--timeout=60s")
			s.SQL(1, "SET GLOBAL super_read_only=1")
		},
		Want:  []Expect{{v1alpha1.CodeNoSource, critical, "pod/mysql-1", "no server takes writes: mysql-1, which mysql-0, mysql-2 replicate from, is read-only", "read_only=ON"}, leftover},
		Check: "MYSQL003",
	}},
	Repair: restoreSource,
}, {
	Name: "servers replicate from each other, and all are read-only", Check: "MYSQL003 MYSQL005",
	Inject: sql(0, strings.ReplaceAll(follow, "mysql-0", "mysql-1")),
	Want: []Expect{
		{v1alpha1.CodeNoSource, critical, "pod/mysql-0", "no server takes writes: all of mysql-0, mysql-1, mysql-2 are read-only", "read_only=ON"},
		{v1alpha1.CodeReplicationCycle, warning, "pod/mysql-1", "mysql-0, mysql-1 replicate from each other; none of them takes writes", ""},
	},
	Repair: sql(0, "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=0; SET GLOBAL read_only=0"),
}, {
	Name: "a Service for writing selects a role that no pod has", Check: "MYSQL079[STS042]",
	Inject: apply(`{apiVersion: v1, kind: Service, metadata: {name: mysql-primary}, spec: {selector: {app: mysql, role: master}, ports: [{port: 3306}]}}`),
	Want:   []Expect{{v1alpha1.CodeWriteServiceReachesNothing, bad, "service/mysql-primary", "is for writing but reaches no server (it selects app=mysql,role=master, which no server of the set has): writes through it fail", ""}},
	Repair: func(s *Set) {
		s.Kubectl("label", "pod", "mysql-0", "role=master")
		s.checks("") // it reaches that one
		s.Kubectl("label", "pod", "mysql-0", "role-")
		s.Kubectl("delete", "service", "mysql-primary")
	},
}, {
	Name: "a Service without a selector reads from a broken replica", Check: "MYSQL011 MYSQL070 MYSQL073",
	Inject: func(s *Set) {
		s.inService("mysql-secondary", true, 1, 2)
		s.SQL(1, "STOP REPLICA SQL_THREAD")
		s.SQL(0, "INSERT INTO app.t VALUES (700, 'lacking')")
	},
	Want:  []Expect{{v1alpha1.CodeReadServiceReachesBroken, bad, "service/mysql-secondary", "sends reads to mysql-1 (receiver Yes, applier No)", ""}},
	Reads: Reads{Service: "mysql-secondary", Want: []Expect{{v1alpha1.CodeReadsBroken, bad, "pod/mysql-1", "stale data was read from mysql-1", ""}}},
	Then: []Step{{ // one for writing has endpoints that are not ready
		Do: func(s *Set) {
			s.SQL(1, "START REPLICA")
			s.inService("mysql-primary", false, 0)
		},
		Want:  []Expect{{v1alpha1.CodeWriteServiceReachesNothing, bad, "service/mysql-primary", "reaches no server (none of its endpoints is ready)", ""}},
		Check: "MYSQL079",
	}},
	Repair: kubectl("delete service,endpointslice mysql-primary mysql-secondary"),
}, {
	Name: "HAProxy leads readers to a broken replica", Always: true, Check: "MYSQL011 MYSQL070 MYSQL073",
	Inject: func(s *Set) {
		s.Apply(haproxy)
		s.Kubectl("rollout", "status", "deployment/haproxy", "--timeout=60s")
		for port, want := range map[string]string{"mysql": "mysql-0", "mysql-replicas": "mysql-1 mysql-2"} {
			s.reads(Reads{Service: "mysql-haproxy", Args: []string{"--port=" + port, "--connections=20"}})
			item := cluster.Report[v1alpha1.DatabaseReadsList](s.Namespace, "mysql-reads", "mysql-haproxy", "--port="+port, "--connections=20").Items[0]
			var answered []string
			for _, server := range item.Servers {
				if server.Answers > 0 {
					answered = append(answered, server.Pod)
				}
			}
			if got := strings.Join(answered, " "); got != want || item.Router != "HAProxy" || item.ReadyEndpoints != 1 || item.Failed > 0 {
				s.Errorf("port %s: %s, want %s: %+v", port, got, want, item)
			}
		}
		s.SQL(1, "STOP REPLICA SQL_THREAD")
		s.SQL(0, "INSERT INTO app.t VALUES (701, 'lacking')")
	},
	Want:  []Expect{{v1alpha1.CodeReadServiceReachesBroken, bad, "service/mysql-read", "sends reads to mysql-1 (receiver Yes, applier No)", ""}},
	Reads: Reads{Service: "mysql-haproxy", Args: []string{"--port=mysql-replicas", "--connections=20"}, Want: []Expect{{v1alpha1.CodeReadsBroken, bad, "pod/mysql-1", "stale data was read from mysql-1", ""}}},
	Repair: func(s *Set) {
		s.SQL(1, "START REPLICA")
		s.Kubectl("delete", "deployment,service,configmap", "-l", "app=haproxy")
	},
}, {
	Name: "a headless Service is read from",
	Want: []Expect{{v1alpha1.CodeReadServiceReachesSource, info, "service/mysql-read", "", ""}},
	Reads: Reads{Service: "mysql", Want: []Expect{
		{v1alpha1.CodeReadsSticky, info, "service/mysql", "the Service is headless: each client picks one of its addresses itself", ""},
	}},
	Repair: func(*Set) {},
}}

// haproxy passes connections on: of one port to the source, of another to the replicas in turn. Neither it nor a probe checks them: after some checks
// that end before the handshake, a server blocks the address (error 1129).
const haproxy = `{apiVersion: v1, kind: ConfigMap, metadata: {name: haproxy, labels: {app: haproxy}}, data: {haproxy.cfg: "
  defaults\n mode tcp\n timeout connect 2s\n timeout client 30s\n timeout server 30s\n
  listen writes\n bind :3306\n server mysql-0 mysql-0.mysql:3306\n
  listen reads\n bind :3307\n balance roundrobin\n server mysql-1 mysql-1.mysql:3306\n server mysql-2 mysql-2.mysql:3306\n"}}
---
{apiVersion: v1, kind: Service, metadata: {name: mysql-haproxy, labels: {app: haproxy}}, spec: {selector: {app: haproxy}, ports: [{name: mysql, port: 3306}, {name: mysql-replicas, port: 3307}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: haproxy, labels: {app: haproxy}}, spec: {selector: {matchLabels: {app: haproxy}}, template: {metadata: {labels: {app: haproxy}},
  spec: {terminationGracePeriodSeconds: 1, volumes: [{name: config, configMap: {name: haproxy}}], containers: [{name: haproxy, image: "haproxy:2.6", imagePullPolicy: IfNotPresent,
  ports: [{name: mysql, containerPort: 3306}, {name: mysql-replicas, containerPort: 3307}], volumeMounts: [{name: config, mountPath: /etc/haproxy}]}]}}}}`

const (
	mocoLabels = "app: mysql, app.kubernetes.io/name: mysql, app.kubernetes.io/instance: shop, app.kubernetes.io/created-by: moco"
	mocoRole   = "moco.cybozu.com/role"
	// mocoOptions is the file that MOCO mounts for its account moco-readonly.
	mocoOptions = "[client]\nuser=moco-readonly\npassword=of-moco\n"
)

// mocoServices select by role.
const mocoServices = `{apiVersion: v1, kind: Service, metadata: {name: moco-shop-primary, labels: {` + mocoLabels + `}}, spec: {selector: {` + mocoLabels + `, ` + mocoRole + `: primary}, ports: [{name: mysql, port: 3306}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: moco-shop-replica, labels: {` + mocoLabels + `}}, spec: {selector: {` + mocoLabels + `, ` + mocoRole + `: replica}, ports: [{name: mysql, port: 3306}]}}`

// roles labels pods as MOCO does.
func roles(s *Set, primary int) {
	s.Helper()
	for pod := range 3 {
		role := "replica"
		if pod == primary {
			role = "primary"
		}
		s.Kubectl("label", "pod", s.Pod(pod), mocoRole+"="+role, "--overwrite")
	}
}

// moco is the study's MySQL with the labels, the Secrets, the Services and the account of MOCO, which itself does not run this version of MySQL.
var moco = Bed{
	Name: "moco", Machine: Node,
	New: func(s *Set) {
		s.StatefulSet, s.Container, s.Client = "mysql", "mysqld", "mysql"
		s.Kubectl("create", "secret", "generic", "moco-my-cnf-shop", "--from-literal=moco-readonly-my.cnf="+mocoOptions)
		s.Kubectl("create", "secret", "generic", "moco-shop", "--from-literal=READONLY_PASSWORD=of-moco")
		s.Apply(strings.NewReplacer(
			"app: mysql, app.kubernetes.io/name: mysql", mocoLabels,
			"      - name: mysql\n        image", "      - name: mysqld\n        image",
			"        - {name: conf, mountPath: /etc/mysql/conf.d}\n", "        - {name: conf, mountPath: /etc/mysql/conf.d}\n        - {name: credentials, mountPath: /mysql-credentials}\n",
			"      - name: conf\n", "      - name: credentials\n        secret: {secretName: moco-my-cnf-shop}\n      - name: conf\n",
		).Replace(s.Manifest("mysql.yaml")))
		s.Apply(mocoServices)
		s.Kubectl("delete", "service", "mysql-read")
		s.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
		roles(s, 0)
		s.SQL(0, "CREATE USER 'moco-readonly'@'%' IDENTIFIED BY 'of-moco'; GRANT SELECT, PROCESS, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'moco-readonly'@'%'")
		s.Answering(3)
		if t := s.Topology(); t.Flavour != "MOCO" || t.Servers[0].LabelledRole != v1alpha1.LabelledPrimary {
			s.Errorf("%+v", t)
		}
	},
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: []Fault{{
		Name: "it has switched over", Always: true,
		Inject: func(s *Set) {
			s.Kubectl("label", "pods", "-l", mocoRole, mocoRole+"-") // it takes the labels off first
			promoteKeeping(s)
			roles(s, 1)
		},
		Want:  []Expect{leftover},
		Reads: Reads{Service: "moco-shop-replica"},
		Then: []Step{{ // its controller is away, and the new source was restarted
			Do: sql(1, "SET GLOBAL super_read_only=1"),
			Want: []Expect{
				{v1alpha1.CodeNoSource, critical, "pod/mysql-1", "no server takes writes: mysql-1, which mysql-0, mysql-2 replicate from, is read-only", "read_only=ON"},
				{v1alpha1.CodeRoleLabelWrong, bad, "pod/mysql-1", mocoRole + "=primary, but the server is source and read-only", ""},
			},
			Check: "MYSQL003 MYSQL071",
		}},
		Repair: inTurn(restoreSource, func(s *Set) { roles(s, 0) }),
	}, {
		Name: "no pod is labelled primary", Check: "MYSQL079[STS042]",
		Inject: func(s *Set) {
			s.Kubectl("label", "pod", "mysql-0", mocoRole+"-")
			cluster.Eventually(s, time.Minute, func() error {
				if got := s.Kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=moco-shop-primary", "-o", "jsonpath={.items[*].endpoints[*].addresses}"); got != "" {
					return fmt.Errorf("endpoints %s", got)
				}
				return nil
			})
		},
		Want:   []Expect{{v1alpha1.CodeWriteServiceReachesNothing, bad, "service/moco-shop-primary", "is for writing but reaches no server (it selects ", ""}},
		Repair: func(s *Set) { roles(s, 0) },
	}},
}

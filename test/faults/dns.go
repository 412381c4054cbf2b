package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// names has what can be wrong with names: a Service, what it selects, and how pods resolve.
var names = Bed{
	Name: "dns", Machine: Node,
	Faults: []Fault{{
		Name: "no Service", Always: true, Check: "DNS001[STS020]",
		Inject: ready(cluster.IdleSet("db", "db", "nosuch", 1, "")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSServiceMissing, Severity: bad, Object: "service/nosuch", Words: "Service nosuch, which StatefulSet db names, does not exist"}},
	}, {
		Name: "not headless", Check: "DNS002[STS020]",
		Inject: ready(cluster.Service("db", "db", "ports: [{name: web, port: 80}]") + cluster.IdleSet("db", "db", "db", 1, "")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSNotHeadless, Severity: bad, Object: "service/db", Words: "has the cluster IP …it promises its pods no DNS names, though these DNS servers give them some"}},
	}, {
		Name: "external name", Check: "DNS002[STS020]",
		Inject: ready("{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {type: ExternalName, externalName: db.example.com}}\n---\n" + cluster.IdleSet("db", "db", "db", 1, "")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSNotHeadless, Severity: bad, Object: "service/db", Words: "ExternalName (db.example.com)"}},
	}, {
		Name:   "another Service", // beside the one that gives names, as for readers
		Inject: ready(cluster.Named(2, "") + cluster.Service("other", "db", cluster.Headless)),
		Want:   []Expect{{Code: v1alpha1.CodeDNSOtherService, Severity: info, Object: "service/other", Words: "Service other selects the pods of StatefulSet db"}},
	}, {
		Name: "serviceName empty", Check: "DNS003",
		Inject: ready(cluster.Service("db", "db", cluster.Headless) + cluster.IdleSet("db", "db", "", 2, "")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSOtherService, Severity: bad, Object: "statefulset/db", Words: "serviceName is empty"}},
	}, {
		Name: "neither", Check: "DNS003",
		Inject: ready(cluster.IdleSet("db", "db", "", 1, "")),
		Args:   []string{"sts/db"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSOtherService, Severity: bad, Object: "statefulset/db", Words: "no headless Service selects its pods"}},
	}, {
		Name: "Deployment", // whose pods should have no names of their own
		Inject: inTurn(apply(strings.TrimSuffix(cluster.Service("db", "db", cluster.Headless), "---\n")), apply(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: db}, spec: {replicas: 2, selector: {matchLabels: {app: db}},
			template: {metadata: {labels: {app: db}}, spec: {containers: [{name: main, image: "registry.k8s.io/pause:3.10.1"}]}}}}`), kubectl("rollout status deployment/db --timeout=300s")),
		Want: []Expect{{Code: v1alpha1.CodeDNSNoHostname, Severity: info, Words: "pods without a hostname"}},
	}, {
		// With another update strategy the set replaces it at once, as it has no revision.
		Name: "adopted pod", Check: "DNS004",
		Inject: inTurn(
			ready(`{apiVersion: v1, kind: Pod, metadata: {name: db-0, labels: {app: db}}, spec: {containers: [{name: main, image: "registry.k8s.io/pause:3.10.1"}]}}`),
			applyAll(strings.Replace(cluster.Named(1, ""), "podManagementPolicy:", "updateStrategy: {type: OnDelete}, podManagementPolicy:", 1)),
			kubectl("wait --for=jsonpath={.metadata.ownerReferences[0].name}=db pod/db-0 --timeout=30s")),
		Want: []Expect{{Code: v1alpha1.CodeDNSNoHostname, Severity: bad, Object: "pod/db-0", Words: "pods of the set have no DNS names of their own"}},
	}, {
		// As long as they are starting in time that is no fault; it is one once they were ready and are not any more.
		Name: "not ready",
		Inject: inTurn(applyAll(cluster.Named(2, "readinessGates: [{conditionType: example.com/gate}],")),
			kubectl("wait --for=create pod/db-0 pod/db-1 --timeout=30s"),
			kubectl("wait --for=jsonpath={.status.phase}=Running pod/db-0 pod/db-1 --timeout=300s")),
		Want: []Expect{{Code: v1alpha1.CodeDNSNotReady, Severity: info, Object: "pod/db-1", Words: "db-0, db-1 are not ready…publishNotReadyAddresses…in progress for"}},
		Then: []Step{{
			Do:    inTurn(gate("True"), kubectl("wait --for=condition=Ready pod/db-0 pod/db-1 --timeout=30s"), gate("False")),
			Want:  []Expect{{Code: v1alpha1.CodeDNSNotReady, Severity: warning, Object: "pod/db-1", Words: "db-0, db-1 are not ready…publishNotReadyAddresses"}},
			Check: "STS003 STS003[DNS005]",
		}},
	}, {
		Name:   "unnamed port",
		Inject: ready(cluster.Service("db", "db", "clusterIP: None, ports: [{port: 80}]") + cluster.IdleSet("db", "db", "db", 1, "")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSUnnamedPort, Severity: info, Object: "service/db", Words: "port 80"}},
	}, {
		Name: "selector", Check: "DNS007[STS020]",
		Inject: ready(cluster.Service("db", "typo", cluster.Headless) + cluster.IdleSet("db", "db", "db", 1, "")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSSelectsNothing, Severity: bad, Object: "service/db", Words: "(app=typo) matches no pod…have app=db"}},
	}, {
		// Of a pod that is of no set. check asks the DNS servers, which know nothing of clients' resolv.conf.
		Name: "search path",
		Inject: client(func(s *Set) string {
			return fmt.Sprintf("dnsPolicy: None, dnsConfig: {nameservers: [%s]},", dnsAddress(s))
		}),
		Args: []string{"--from=pod/client"},
		Want: []Expect{{Code: v1alpha1.CodeDNSSearchPath, Severity: bad, Object: "pod/client", Words: "short names do not resolve, although the full names do: db, db-0.db…search none"}},
	}, {
		// To a Service of the same name in another namespace: of the client again.
		Name: "search path elsewhere",
		Inject: func(s *Set) {
			other := cluster.NewNamespace(s)
			other.ApplyReady(cluster.Named(1, ""))
			client(func(s *Set) string {
				return fmt.Sprintf("dnsPolicy: None, dnsConfig: {nameservers: [%s], searches: [%s.svc.cluster.local, %s.svc.cluster.local], options: [{name: ndots, value: \"5\"}]},", dnsAddress(s), other.NS, s.NS)
			})(s)
		},
		Args: []string{"--from=pod/client", "--cluster-domain=cluster.local"},
		Want: []Expect{{Code: v1alpha1.CodeDNSSearchPath, Severity: warning, Object: "pod/client", Words: "leads to other names: db resolves as db.test-"}},
	}, {
		// The pod that asks has the name servers of its node: they say nothing of the cluster's, which are fine.
		Name:   "the pod that asks is on the network of its node",
		Inject: client(func(*Set) string { return "hostNetwork: true," }),
		Args:   []string{"--from=pod/client"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSPodPolicy, Severity: warning, Object: "pod/NS/client", Words: "pod client does not use the cluster's DNS (hostNetwork without dnsPolicy ClusterFirstWithHostNet)…where no name of the cluster resolves"}},
	}, {
		Name: "ndots", Check: "DNS013",
		Inject: ready(cluster.Named(1, `dnsConfig: {options: [{name: ndots, value: "1"}]},`)),
		Want:   []Expect{{Code: v1alpha1.CodeDNSSearchPath, Severity: warning, Object: "statefulset/db", Words: "db-0.db…ndots:1"}},
	}, {
		Name: "long name", Check: "DNS018[DNS007 STS001]",
		Inject: applyAll(cluster.Service("db", "db", cluster.Headless) + cluster.IdleSet(strings.Repeat("long-", 11)+"x", "db", "db", 1, "")),
		Want: []Expect{
			{Code: v1alpha1.CodeDNSNameTooLong, Severity: bad, Words: "has 56 characters"},
			{Code: v1alpha1.CodeDNSSelectsNothing, Severity: bad, Object: "service/db", Words: "matches no pod; StatefulSet long-…has no pods"},
		},
	}, {
		Name: "dnsPolicy", Always: true, Check: "DNS021",
		Inject: ready(cluster.Named(1, "dnsPolicy: Default,")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSPodPolicy, Severity: warning, Object: "statefulset/db", Words: "dnsPolicy Default"}},
	}, {
		Name: "hostNetwork", Check: "DNS021",
		Inject: ready(cluster.Named(1, "hostNetwork: true,")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSPodPolicy, Severity: warning, Object: "statefulset/db", Words: "ClusterFirstWithHostNet"}},
	}, {
		Name: "own name servers", Check: "DNS021",
		Inject: ready(cluster.Named(1, "dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.1]},")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSPodPolicy, Severity: warning, Object: "statefulset/db", Words: "use custom name servers (dnsPolicy None)"}},
	}, {
		// A pod finds the names all the same. check, which asks the DNS servers, does not know which servers to query: DNS is unknown.
		Name:   "no DNS Service",
		Inject: ready(cluster.Named(1, "")),
		Args:   []string{"--dns-service=default/nosuch"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSNoServer, Severity: info, Object: "service/default/nosuch", Words: "the DNS Service default/nosuch does not exist, yet names resolve"}},
	}, {
		Name: "policy", Check: "DNS011",
		Inject: ready(cluster.Named(1, "") + policy("[{ports: [{port: 443}]}]")),
		Want: []Expect{{
			Code: v1alpha1.CodeDNSNetworkPolicy, Severity: warning, Object: "statefulset/db",
			Words: "NetworkPolicy closed blocks UDP and TCP to port 53 from the pods of StatefulSet db…--from-labels=sts/db",
		}},
	}, {
		Name: "policy not enforced", Check: "DNS011", OwnCluster: true, // others enforce it
		Inject: ready(cluster.Named(1, "") + policy("[{ports: [{port: 53}]}]")),
		Args:   []string{"--from-labels=sts/db"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSNetworkPolicy, Severity: warning, Object: "networkpolicy/closed", Words: "NetworkPolicy closed should block UDP to port 53 from …it is not enforced"}},
	}},
}

// gate opens or closes the readiness gate of the two pods of the set. Times are in seconds: it is not done in the one in which they start.
func gate(status string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		time.Sleep(2 * time.Second)
		for _, pod := range []string{"db-0", "db-1"} {
			s.Kubectl("patch", "pod", pod, "--subresource=status", "-p", `{"status":{"conditions":[{"type":"example.com/gate","status":"`+status+`"}]}}`)
		}
	}
}

// applyAll applies documents that end with ---.
func applyAll(documents string) func(*Set) {
	return func(s *Set) { s.Helper(); s.ApplyAll(documents) }
}

// ready is applyAll, and waits until all pods are ready.
func ready(documents string) func(*Set) {
	return func(s *Set) { s.Helper(); s.ApplyReady(documents) }
}

// client makes the set db and a pod beside it that resolves names in its own way.
func client(spec func(*Set) string) func(*Set) {
	return func(s *Set) { s.Helper(); s.ApplyReady(cluster.Named(1, "") + cluster.DigPod(spec(s))) }
}

// dnsAddress is that of the cluster's DNS Service.
func dnsAddress(s *Set) string {
	s.Helper()
	return s.Kubectl("get", "svc", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "jsonpath={.items[0].spec.clusterIP}")
}

// policy lets the pods of db out to nothing but what its rules say.
func policy(egress string) string {
	return fmt.Sprintf("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: closed}, spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Egress], egress: %s}}\n---\n", egress)
}

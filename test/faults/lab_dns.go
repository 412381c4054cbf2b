package faults

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

const (
	fromDNS = "--from=dns"
	// namedPort gives the containers of the set of namedSet a port with a name.
	noPorts, namedPort = "image: none,", "image: none, ports: [{name: kafka, containerPort: 9092}],"
	servicePort        = "ports: [{name: main, port: 80}]"
	headless           = "clusterIP: None,"
)

// namesInLab has what can be wrong with names as the API has them, and with DNS servers that answer over TCP. Unlike on the node, no pod asks.
var namesInLab = Bed{
	Name: "names", Machine: Lab,
	Faults: []Fault{{
		// coredns/coredns#1338: None in the wrong field, so that the Service has an address.
		Name: "loadBalancerIP None", Check: "DNS002[STS020]",
		Inject: namedSet(headless, "loadBalancerIP: None,"),
		Args:   []string{fromDNS},
		Want: []Expect{{
			Code: v1alpha1.CodeDNSNotHeadless, Severity: bad, Object: "service/db",
			Words: "has the cluster IP …its loadBalancerIP is None, which does nothing: clusterIP: None makes a Service headless…though these DNS servers give them some",
		}},
	}, {
		Name: "loadBalancerIP None, of no set", Check: "DNS002",
		Inject: apply("{apiVersion: v1, kind: Service, metadata: {name: speaker}, spec: {selector: {app: speaker}, loadBalancerIP: None, ports: [{name: monitoring, port: 7472}]}}"),
		Args:   []string{fromDNS},
		Want:   []Expect{{Code: v1alpha1.CodeDNSNotHeadless, Severity: warning, Object: "service/speaker", Words: "its name does not resolve to its pods"}},
	}, {
		Name: "a target port that no container has", Check: "DNS025", Always: true,
		Inject: namedSet(noPorts, namedPort, servicePort, "ports: [{name: kafka, port: 9092, targetPort: brokers}]"),
		Args:   []string{fromDNS},
		Want: []Expect{{
			Code: v1alpha1.CodeDNSTargetPort, Severity: bad, Object: "service/db",
			Words: `port kafka of Service db leads to the container port "brokers", which no container of its pods has (they have kafka): it has no SRV record`,
		}},
		Then: []Step{{ // and one of another protocol
			Do:    kubectl(`patch service db --type=merge -p {"spec":{"ports":[{"name":"kafka","port":9092,"protocol":"UDP","targetPort":"kafka"}]}}`),
			Args:  []string{fromDNS},
			Want:  []Expect{{Code: v1alpha1.CodeDNSTargetPort, Severity: bad, Object: "service/db", Words: "(no UDP port of theirs has a name)"}},
			Check: "DNS025",
		}},
	}, {
		// To which clients connect: DNS has its address and its SRV record all the same.
		Name: "a target port of another Service", Check: "DNS025",
		Inject: inTurn(namedSet(noPorts, namedPort), apply("{apiVersion: v1, kind: Service, metadata: {name: db-read}, spec: {selector: {app: db}, ports: [{name: kafka, port: 9092, targetPort: brokers}]}}")),
		Args:   []string{fromDNS},
		Want:   []Expect{{Code: v1alpha1.CodeDNSTargetPort, Severity: bad, Object: "service/db-read", Words: "port kafka of Service db-read…connections to it reach no pod"}},
	}, {
		// kubernetes/kubernetes#80175: DNS servers go by the names that the ports of EndpointSlices have.
		Name: "endpoints by hand, without the name of the port", Check: "DNS025",
		Inject: apply(`{apiVersion: v1, kind: Service, metadata: {name: mongodb}, spec: {clusterIP: None, ports: [{name: mongodb, port: 27017}]}}
---
` + slice("mongodb", "mongodb", "ports: [{port: 27017, protocol: TCP}]", "{addresses: [192.0.2.2]}")),
		Args: []string{fromDNS},
		Want: []Expect{{Code: v1alpha1.CodeDNSTargetPort, Severity: warning, Object: "service/mongodb", Words: "port mongodb of Service mongodb is in none of the Service's EndpointSlices"}},
	}, {
		Name: "the Service selects other pods", Check: "DNS007[STS020]",
		Inject: inTurn(namedSet("spec: {clusterIP: None, selector: {app: db}", "spec: {clusterIP: None, selector: {app: other}"),
			apply("{apiVersion: v1, kind: Pod, metadata: {name: other, labels: {app: other}}, spec: {containers: [{name: main, image: none}]}}")),
		Args: []string{fromDNS},
		Want: []Expect{{Code: v1alpha1.CodeDNSSelectsNothing, Severity: bad, Object: "service/db", Words: "(app=other) does not match the pods of StatefulSet db, which names it and whose pods have app=db"}},
	}, {
		Name: "the Service has no selector", Check: "DNS007[STS020]",
		Inject: namedSet(" selector: {app: db},", ""),
		Args:   []string{fromDNS},
		Want:   []Expect{{Code: v1alpha1.CodeDNSSelectsNothing, Severity: bad, Object: "service/db", Words: "Service db has no selector, and none of its EndpointSlices lists the pods of StatefulSet db"}},
	}, {
		// As after kubernetes/kubernetes#103804: what is left of another time is given out beside what there is.
		Name: "an EndpointSlice lists a pod that is gone", Check: "DNS026",
		Inject: inTurn(namedSet(), func(s *Set) {
			s.Apply(slice("db-old", "db", "ports: [{name: main, port: 80, protocol: TCP}]", "{addresses: [192.0.2.9], hostname: db-9, conditions: {ready: true}, targetRef: {kind: Pod, namespace: "+s.NS+", name: db-9}}"))
		}),
		Args: []string{fromDNS},
		Want: []Expect{{Code: v1alpha1.CodeDNSSliceWrong, Severity: bad, Object: "service/db", Words: "EndpointSlice db-old of Service db lists as ready 192.0.2.9, but there is no pod db-9"}},
	}, {
		// In its grace period. No word of readiness: it may still serve.
		Name: "a pod is terminating",
		Inject: inTurn(namedSet(), func(s *Set) {
			s.Cleanup(func() { s.TryKubectl("annotate", "pod", "db-1", "lab.doik.dev/state-") })
		}, state("db-1", "stuck-terminating"), kubectl("delete pod db-1 --wait=false")),
		Args: []string{fromDNS},
		Want: []Expect{{Code: v1alpha1.CodeDNSNotReady, Severity: info, Object: "pod/db-1", Words: "db-1 is terminating and therefore left out of Service db"}},
	}, {
		// ytsaurus/ytsaurus-k8s-operator#295
		Name: "a full name that is too long for a hostname", Check: "DNS018",
		Inject: func(s *Set) {
			testNodes(s)
			s.ApplyAll(cluster.Service("db", "db", cluster.Headless) + strings.Replace(cluster.IdleSet("a-name-that-says-what-it-is-for", "db", "db", 1, "setHostnameAsFQDN: true, "+onTestNodes(s)),
				"template: {metadata: {", "template: {metadata: {annotations: {lab.doik.dev/state: creating}, ", 1))
			s.Kubectl("wait", "--for=create", "pod/a-name-that-says-what-it-is-for-0", "--timeout=60s")
		},
		Args: []string{fromDNS},
		Want: []Expect{{Code: v1alpha1.CodeDNSNameTooLong, Severity: bad, Object: "pod/a-name-that-says-what-it-is-for-0", Words: "(setHostnameAsFQDN), and a-name-that-says-what-it-is-for-0.db.…beyond 64, kubelets don't start them"}},
	}, {
		Name: "own name servers without a search path", Check: "DNS013",
		Inject: namedSet("containers:", "dnsPolicy: None\n      dnsConfig: {nameservers: [10.96.0.10]}\n      containers:"),
		Args:   []string{fromDNS},
		Want:   []Expect{{Code: v1alpha1.CodeDNSSearchPath, Severity: warning, Object: "statefulset/db", Words: "short names such as db are not completed with NS.svc.cluster.local (dnsPolicy None, searches: none)"}},
	}, {
		// kubernetes/kubernetes#16534: some programs ask all of them at once.
		Name:   "a name server beside the cluster's",
		Inject: namedSet("containers:", "dnsConfig: {nameservers: [192.0.2.1]}\n      containers:"),
		Args:   []string{fromDNS},
		Want:   []Expect{{Code: v1alpha1.CodeDNSPodPolicy, Severity: info, Object: "statefulset/db", Words: "also ask 192.0.2.1 (dnsConfig)"}},
	}, {
		Name:   "the namespace is being deleted",
		Inject: inTurn(namedSet(), endless),
		Args:   []string{fromDNS},
		Want:   []Expect{{Code: v1alpha1.CodeDNSNamespaceEnding, Severity: info, Object: "service/db", Words: "is being deleted: what its names still resolve to is not judged"}},
	}, {
		// While all namespaces are asked about. What is found there for sure is that a port has no name.
		Name: "another namespace is deleted meanwhile",
		Inject: inTurn(apply("{apiVersion: v1, kind: Service, metadata: {name: unnamed}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}}\n---\n"+
			"{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: main, image: none}]}}"), deletedMeanwhile),
		Args: []string{fromDNS},
		Want: []Expect{{Code: v1alpha1.CodeDNSUnnamedPort, Severity: info, Object: "service/unnamed", Words: "port 80"}},
	}, {
		// Its kubelets have cluster.local, and a name server outside has an address for every name: "found" is no proof.
		Name: "the servers serve another domain, and found is found outside", Check: "DNS022",
		Inject: servers(asks("prod.example") + templated("IN A svc.cluster.local", `answer "{{ .Name }} 30 IN A 192.0.2.7"`)),
		Args:   []string{fromDNS, "--dns-service=NS/odd"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSDomainDiffers, Severity: bad, Words: "pods look up names in the domain cluster.local (the kubelet of node …the DNS servers serve the domain prod.example"}},
	}, {
		Name: "one of two servers has an old zone", Check: "DNS009", Always: true,
		Inject: servers(asks("cluster.local"), address("db", "30", "192.0.2.9")+asks("cluster.local")),
		Args:   []string{fromDNS, "--dns-service=NS/odd"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSServersDisagree, Severity: bad, Object: "pod/NS/odd-1", Words: "the DNS server NS/odd-1 (…) says 192.0.2.9 to A db.…where the API and the other DNS servers have "}},
	}, {
		Name: "NXDOMAIN for AAAA", Check: "DNS027",
		Inject: servers(templated("IN AAAA svc.cluster.local", "rcode NXDOMAIN") + asks("cluster.local")),
		Args:   []string{fromDNS, "--dns-service=NS/odd"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSOtherFamily, Severity: warning, Words: "asked for AAAA, NS/odd-0 (…) says that there is no such name as db.…(NXDOMAIN), although it has"}},
	}, {
		// No pod of the set is on its node.
		Name: "the DNS Service stays on the node", Check: "DNS029",
		Inject: inTurn(servers(asks("cluster.local")), kubectl(`patch service odd -p {"spec":{"internalTrafficPolicy":"Local"}}`)),
		Args:   []string{fromDNS, "--dns-service=NS/odd"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSNodeWithout, Severity: bad, Object: "pod/NS/db-1", Words: "(internalTrafficPolicy: Local), and there is none on NS-a1, NS-b1: NS/db-0, NS/db-1 get no answer from it"}},
	}, {
		// coredns/coredns#4082, kubernetes/kubernetes#111888
		Name: "the DNS cache of a node crashes", Check: "DNS029",
		Inject: inTurn(servers(asks("cluster.local")), func(s *Set) {
			s.Kubectl("patch", "service", "odd", "-p", `{"spec":{"selector":{"app":null,"k8s-app":"odd"}}}`)
			s.Kubectl("label", "pod", "odd-0", "k8s-app=odd")
			s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: node-local-dns, labels: {k8s-app: node-local-dns}, annotations: {lab.doik.dev/state: crash-loop}},
				spec: {nodeName: %s-a1, tolerations: [{operator: Exists}], containers: [{name: node-cache, image: none}]}}`, s.NS))
		}),
		Args: []string{fromDNS, "--dns-service=NS/odd"},
		Want: []Expect{{Code: v1alpha1.CodeDNSNodeWithout, Severity: warning, Object: "pod/NS/node-local-dns", Words: "the DNS cache of node NS-a1 is not ready: NS/node-local-dns (CrashLoopBackOff); pods there, such as NS/db-"}},
	}, {
		Name: "a DNS server is restarted again and again", Always: true, Check: "DNS030",
		Inject: inTurn(servers(asks("cluster.local")), hasRun("odd-0"), state("odd-0", "oom-killed"), kubectl("wait --for=condition=Ready=false pod/odd-0 --timeout=60s"),
			kubectl("annotate pod odd-0 lab.doik.dev/state-"), kubectl("wait --for=condition=Ready pod/odd-0 --timeout=60s")),
		Args: []string{fromDNS, "--dns-service=NS/odd"},
		Want: []Expect{{Code: v1alpha1.CodeDNSServerRestarts, Severity: warning, Object: "pod/NS/odd-0", Words: "the DNS server NS/odd-0 is ready, but has been restarted 6 times…(exit code 137, out of memory)"}},
	}},
}

// testNodes makes two nodes for the pods of a set, each with another in its zone, and one for DNS servers.
func testNodes(s *Set) {
	s.Helper()
	var machines []cluster.Machine
	for _, zone := range []string{"a", "b"} {
		label := "topology.kubernetes.io/zone=" + s.NS + "-" + zone
		machines = append(machines, cluster.Machine{Name: zone + "1", Labels: label + " set-db="}, cluster.Machine{Name: zone + "2", Labels: label})
	}
	machines = append(machines, cluster.Machine{Name: "c1", Labels: "topology.kubernetes.io/zone=" + s.NS + "-c set-odd="})
	s.Fleet(machines...)
}

// onTestNodes is the part of a pod's spec that puts it on the nodes for the set.
func onTestNodes(s *Set) string {
	return fmt.Sprintf(`nodeSelector: {test: %s, set-db: ""}, tolerations: [{key: test, operator: Exists}],`, s.NS)
}

// namedSet makes the set db of two pods, each on a node of its own, and its headless Service, with pairs of a text of the manifest and another.
func namedSet(edits ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		testNodes(s)
		s.Apply(strings.NewReplacer(edits...).Replace(s.Spread("db", 2, true)))
		s.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
		s.Kubectl("label", "node", s.NS+"-a2", s.NS+"-b2", "set-db=") // which would take them, too
	}
}

// servers makes the same and DNS servers odd-0, odd-1… on another node, with Corefiles of their own, behind the Service odd. They may read what
// the cluster's may.
func servers(plugins ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		namedSet()(s)
		binding := s.NS + "-odd"
		s.Cleanup(func() { s.TryKubectl("delete", "clusterrolebinding", binding, "--ignore-not-found") })
		documents := fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: %s}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"system:coredns\"}, subjects: [{kind: ServiceAccount, name: default, namespace: %s}]}\n---\n", binding, s.NS) +
			cluster.Service("odd", "odd", "ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]")
		for i, plugin := range plugins {
			where := fmt.Sprintf(`nodeSelector: {test: %s, set-odd: ""}, tolerations: [{key: test, operator: Exists}],`, s.NS)
			documents += dnsServer(fmt.Sprintf("odd-%d", i), "labels: {app: odd}", where, strings.ReplaceAll(plugin, "NS", s.NS))
		}
		s.ApplyAll(documents)
		s.Kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=odd", "--timeout=300s")
	}
}

// asks is a line of a Corefile by which the API is asked for the names of a domain, and for those of addresses.
func asks(domain string) string {
	return "kubernetes " + domain + " in-addr.arpa ip6.arpa {\npods insecure\nttl 30\n}\n"
}

// slice is an EndpointSlice that a person writes.
func slice(name, service, ports, endpoints string) string {
	return fmt.Sprintf("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: %s, labels: {kubernetes.io/service-name: %s}}, addressType: IPv4, %s, endpoints: [%s]}\n", name, service, ports, endpoints)
}

// endless begins to delete the namespace, which a finalizer of its Service holds.
func endless(s *Set) {
	s.Helper()
	s.Kubectl("patch", "service", "db", "--type=merge", "-p", `{"metadata":{"finalizers":["doik.dev/test"]}}`)
	s.Cleanup(func() {
		s.TryKubectl("patch", "service", "db", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	})
	s.Kubectl("delete", "namespace", s.NS, "--wait=false")
	s.Kubectl("wait", "--for=delete", "pod/db-0", "pod/db-1", "sts/db", "--timeout=120s")
}

// deletedMeanwhile deletes a namespace with many names while dns looks at all of them, and expects nothing above info of it.
func deletedMeanwhile(s *Set) {
	s.Helper()
	other := cluster.NewNamespace(s)
	other.ApplyAll(cluster.Named(40, ""))
	other.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
	other.Kubectl("delete", "namespace", other.NS, "--wait=false")
	for {
		report := cluster.Report[v1alpha1.HeadlessDNSList](s.Namespace, "dns", "-A", fromDNS)
		seen := false
		for _, item := range report.Items {
			if item.Metadata.Namespace != other.NS {
				continue
			}
			seen = true
			for _, f := range item.Findings {
				if f.Severity != v1alpha1.SeverityInfo {
					s.Errorf("%s %s %s", f.Severity, f.Code, f.Message)
				}
			}
		}
		if !seen {
			return
		}
	}
}

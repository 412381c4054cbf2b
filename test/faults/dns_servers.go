package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// odd are the arguments that ask DNS servers of the fault's own, behind the Service odd.
var odd = []string{"--from=dns", "--dns-service=NS/odd", "--cluster-domain=cluster.local"}

// nameServers has what can be wrong with the servers of DNS, and with the way to them.
var nameServers = Bed{
	Name: "dns servers", Machine: Node, OwnCluster: true,
	Faults: []Fault{{
		Name: "missing", Always: true, Check: "DNS014", // the servers have another domain
		Inject: oddServers(all("rcode NXDOMAIN", `authority "{{ .Zone }} 11 IN SOA ns.example. host.example. 1 2 3 4 11"`)),
		Args:   odd,
		Want:   []Expect{{Code: v1alpha1.CodeDNSMissing, Severity: bad, Object: "service/db", Words: "missing: A db.…NXDOMAIN…cached for another 11 s…--retry-negative"}},
	}, {
		Name: "stale", Check: "DNS015",
		Inject: oddServers(address("db-1.db", "17", "192.0.2.7")),
		Args:   odd,
		Want:   []Expect{{Code: v1alpha1.CodeDNSStale, Severity: warning, Object: "service/db", Words: "A db-1.db.…192.0.2.7 does not belong to any pod…another 17 s"}},
	}, {
		Name: "an address of another pod", Check: "DNS019",
		Inject: func(s *Set) {
			s.ApplyReady(cluster.DigPod(""))
			oddServers(address("db-1.db", "30", s.Kubectl("get", "pod", "client", "-o", "jsonpath={.status.podIP}")))(s)
		},
		Args: odd,
		Want: []Expect{{Code: v1alpha1.CodeDNSExtra, Severity: warning, Object: "service/db", Words: "A db-1.db.…is that of pod client"}},
	}, {
		Name: "SERVFAIL", Check: "DNS017",
		Inject: oddServers(all("rcode SERVFAIL")),
		Args:   odd,
		Want:   []Expect{{Code: v1alpha1.CodeDNSFailure, Severity: bad, Words: "SERVFAIL"}},
	}, {
		Name: "REFUSED", Check: "DNS017",
		Inject: oddServers(all("rcode REFUSED")),
		Args:   odd,
		Want:   []Expect{{Code: v1alpha1.CodeDNSFailure, Severity: bad, Words: "REFUSED"}},
	}, {
		// One of two gives out what was: the API says which.
		Name: "servers disagree", Check: "DNS009",
		Inject: oddServers("", address("db-1.db", "30", "192.0.2.9")),
		Args:   odd,
		Want:   []Expect{{Code: v1alpha1.CodeDNSServersDisagree, Severity: bad, Object: "pod/NS/odd-1", Words: "the DNS server NS/odd-1 (…says 192.0.2.9 to A db-1.db.…kubectl delete pod odd-1 -n"}},
	}, {
		// Neither has what the API has: which is right can't be told.
		Name: "servers disagree, and both are wrong", Check: "DNS009 DNS015",
		Inject: oddServers(address("db-1.db", "30", "192.0.2.8"), address("db-1.db", "30", "192.0.2.9")),
		Args:   odd,
		Want: []Expect{
			{Code: v1alpha1.CodeDNSServersDisagree, Severity: warning, Words: "db-1.db.…odd-0…says 192.0.2.8…odd-1…says 192.0.2.9"},
			{Code: v1alpha1.CodeDNSStale, Severity: warning, Object: "service/db", Words: "does not belong to any pod"},
		},
	}, {
		// From a pod, whose resolver is another one, the servers behind the Service are asked for the Service's name alone.
		Name: "servers disagree about the Service", Check: "DNS009",
		Inject: oddServers("", address("db", "30", "192.0.2.9")),
		Args:   []string{"--dns-service=NS/odd"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSServersDisagree, Severity: bad, Words: "odd-1…says 192.0.2.9"}},
	}, {
		// ocp-power-automation/ocp4-upi-powervs#228: full names as programs write them, without a dot at their end, go through the search path.
		Name: "a wildcard in the search path",
		Inject: inTurn(oddServers(templated("IN A wild.example", `answer "{{ .Name }} 30 IN A 192.0.2.7"`)), func(s *Set) {
			address := s.Kubectl("get", "service", "odd", "-o", "jsonpath={.spec.clusterIP}")
			s.ApplyReady(cluster.DigPod(fmt.Sprintf("dnsPolicy: None, dnsConfig: {nameservers: [%s], searches: [%s.svc.cluster.local, svc.cluster.local, cluster.local, wild.example], options: [{name: ndots, value: \"5\"}]},", address, s.NS)))
		}),
		Args: []string{"--from=pod/client", "--dns-service=NS/odd"},
		Want: []Expect{{Code: v1alpha1.CodeDNSSearchPath, Severity: bad, Object: "pod/client", Words: "db.NS.svc.cluster.local resolves as db.NS.svc.cluster.local.wild.example."}},
	}, {
		// As in an update: the server has ended, and is among the endpoints as one that is terminating.
		Name:   "a server ends",
		Inject: inTurn(oddServers("", ""), unnamedPort, ending("odd-1"), nothingWrong("--dns-service=NS/odd", "--cluster-domain=cluster.local")),
		Args:   []string{"--dns-service=NS/odd", "--cluster-domain=cluster.local"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSUnnamedPort, Severity: info, Object: "service/unnamed", Words: "port 80"}},
	}, {
		// As long as the caches keep it no name is found. As it will be in a moment, that is no fault. That it was a cache shows only when
		// it is over.
		Name:   "negative answers in caches",
		Inject: inTurn(ready(cluster.Service("db", "db", cluster.Headless)+cluster.DigPod("")), tooEarly("db-0.db"), ready(cluster.IdleSet("db", "db", "db", 1, ""))),
		Want:   []Expect{{Code: v1alpha1.CodeDNSMissing, Severity: info, Object: "service/db", Words: "not there yet: A db-0.db.…endpoints changed…s ago"}},
		Then: []Step{{
			Do:   inTurn(tooEarly("db-1.db"), kubectl("scale sts/db --replicas=2"), kubectl("rollout status sts/db --timeout=300s")),
			Args: []string{"--retry-negative", "--timeout=90s"},
			Want: []Expect{{Code: v1alpha1.CodeDNSNegativeCache, Severity: warning, Object: "service/db", Words: "A db-1.db."}},
		}},
	}, {
		Name: "no DNS server", Check: "DNS012",
		Inject: func(s *Set) {
			s.ApplyReady(cluster.Named(1, ""))
			s.Cleanup(func() {
				s.Kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=2")
				s.Kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=300s")
			})
			s.Kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=0")
			s.Kubectl("-n", "kube-system", "wait", "--for=delete", "pod", "-l", "k8s-app=kube-dns", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodeDNSNoServer, Severity: critical, Words: "no DNS server is behind Service kube-system/kube-dns"}},
		Then: []Step{{
			Args: []string{"--from=dns"}, CheckArgs: []string{"--debug-pod"}, Check: "DNS012",
			Want: []Expect{{Code: v1alpha1.CodeDNSNoServer, Severity: critical, Words: "no DNS server is behind Service kube-system/kube-dns"}},
		}},
	}, {
		// Of two. It runs, and its readiness probe is not answered.
		Name: "a server is not ready", Check: "DNS024",
		Inject: func(s *Set) {
			s.ApplyReady(cluster.Named(1, ""))
			dropAt("output", "ip daddr "+s.DNSServers()[0]+" tcp dport 8181")(s)
		},
		Args: []string{"--from=dns"},
		Want: []Expect{{Code: v1alpha1.CodeDNSServerNotReady, Severity: warning, Object: "", Words: "1 of 2 DNS servers is not ready: kube-system/coredns-…(not ready for …kubectl describe pod coredns-"}},
	}, {
		// Pods have another domain in their search path than the DNS servers serve. Pods that run keep theirs.
		Name: "another domain", Check: "DNS022",
		Inject: inTurn(kubelet("clusterDomain", "corp.example"), ready(cluster.Named(1, ""))),
		Args:   []string{"--from=dns"},
		Want: []Expect{{
			Code: v1alpha1.CodeDNSDomainDiffers, Severity: bad, Object: "node/doik-node",
			Words: "pods look up names in the domain corp.example (the kubelet of node doik-node), but the DNS servers serve the domain cluster.local",
		}},
		Then: []Step{{
			Args: []string{"--from=debug-pod"}, CheckArgs: []string{"--debug-pod"}, Check: "DNS022",
			Want: []Expect{{Code: v1alpha1.CodeDNSDomainDiffers, Severity: bad, Words: "domain corp.example (resolv.conf of pod kubectl-doik-…the domain cluster.local"}},
		}},
	}, {
		Name: "an address that no Service has", Check: "DNS023",
		Inject: inTurn(kubelet("clusterDNS", "[10.96.0.11]"), ready(cluster.Named(1, ""))),
		Args:   []string{"--from=dns"},
		Want: []Expect{{
			Code: v1alpha1.CodeDNSAsksElsewhere, Severity: bad, Object: "node/doik-node",
			Words: "pods query 10.96.0.11 (the kubelet of node doik-node), which is not the address of any Service: the DNS Service kube-system/kube-dns is at 10.96.0.10",
		}},
	}, {
		Name: "an address of another Service", Check: "DNS023",
		Inject: inTurn(kubelet("clusterDNS", "[10.96.0.12]"), ready(cluster.Named(1, "")+cluster.Service("old", "old", "clusterIP: 10.96.0.12, ports: [{name: dns, port: 53, protocol: UDP}]"))),
		Args:   []string{"--from=dns"},
		Want:   []Expect{{Code: v1alpha1.CodeDNSAsksElsewhere, Severity: bad, Words: "pods query 10.96.0.12 (the kubelet of node doik-node), the address of Service NS/old, which has no ready DNS server"}},
	}, {
		// A cache on the node, as NodeLocal DNSCache is.
		Name: "a cache in between",
		Inject: inTurn(nodeLocal, client(func(s *Set) string {
			return fmt.Sprintf("dnsPolicy: None, dnsConfig: {nameservers: [169.254.20.10], searches: [%s.svc.cluster.local, svc.cluster.local, cluster.local], options: [{name: ndots, value: \"5\"}]},", s.NS)
		}), allFound("--from=pod/client")),
		Args: []string{"--from=pod/client"},
		Want: []Expect{{Code: v1alpha1.CodeDNSNodeLocalCache, Severity: info, Object: "pod/kube-system/node-local-dns", Words: "169.254.20.10"}},
	}, {
		// A firewall, or a network plugin, drops TCP on pods' way to the servers. check sees that way from a debug pod only, and says
		// nothing without: names are found.
		Name:   "TCP is dropped",
		Inject: inTurn(ready(cluster.Named(30, "")), drop("tcp dport 53")), // thirty SRV records are too long for UDP
		Want:   []Expect{{Code: v1alpha1.CodeDNSTCP, Severity: bad, Words: "answers over UDP but not over TCP (timed out)…do not fit into UDP"}},
		Then:   []Step{{Do: longAnswersFail, CheckArgs: []string{"--debug-pod"}, Check: "DNS020"}},
	}, {
		// What asks over TCP does not see it, and says so.
		Name:   "UDP is dropped",
		Inject: inTurn(ready(cluster.Named(2, "")), drop("udp dport 53"), notCovered("UDP: needs --debug-pod")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSNoAnswer, Severity: bad, Words: "over UDP: timed out"}},
		Then:   []Step{{CheckArgs: []string{"--debug-pod"}, Check: "DNS016"}},
	}, {
		Name:   "all is dropped",
		Inject: inTurn(ready(cluster.Named(2, "")), drop("udp dport 53", "tcp dport 53")),
		Want:   []Expect{{Code: v1alpha1.CodeDNSNoAnswer, Severity: critical, Words: "over UDP: timed out"}},
		Then: []Step{{
			CheckArgs: []string{"--debug-pod"}, Check: "DNS016",
		}, {
			// As by a NetworkPolicy, which then is the cause.
			Do:    applyAll(policy("[{ports: [{port: 443}]}]")),
			Args:  []string{"--from-labels=sts/db"},
			Want:  []Expect{{Code: v1alpha1.CodeDNSNetworkPolicy, Severity: bad, Object: "networkpolicy/closed", Words: "NetworkPolicy closed blocks …, and the DNS servers did not answer"}},
			Check: "DNS011",
		}},
	}, {
		// kubernetes/kubernetes#50083: the servers answer, and what leads from the Service to them does not work.
		Name: "the Service is out of reach",
		Inject: func(s *Set) {
			s.ApplyReady(cluster.Named(2, ""))
			drop("ct original ip daddr "+dnsAddress(s)+" udp dport 53", "ct original ip daddr "+dnsAddress(s)+" tcp dport 53")(s)
		},
		Want: []Expect{{Code: v1alpha1.CodeDNSNoAnswer, Severity: critical, Words: "no answer from …the DNS servers themselves answer, so it is lost between the Service and them"}},
		Then: []Step{{CheckArgs: []string{"--debug-pod"}, Check: "DNS016"}},
	}, {
		// Of the questions to the Service a part gets lost, and it is reported of which server.
		Name: "one server is out of reach",
		Inject: func(s *Set) {
			s.ApplyReady(cluster.Named(2, ""))
			drop("ip daddr " + s.DNSServers()[0] + " udp dport 53")(s)
		},
		Want: []Expect{{Code: v1alpha1.CodeDNSNoAnswer, Severity: bad, Words: "the DNS server kube-system/coredns-…does not answer: timed out"}},
		Then: []Step{{CheckArgs: []string{"--debug-pod"}, Check: "DNS016"}},
	}},
}

// longAnswersFail expects that records need TCP whose answer is too long for UDP, and that they alone are not found.
func longAnswersFail(s *Set) {
	s.Helper()
	for _, record := range s.records() {
		if want := record.TCP || record.Type == "SRV"; (record.Verdict == v1alpha1.VerdictError) != want {
			s.Errorf("%+v", record)
		}
	}
}

// allFound expects that every record is as it should be.
func allFound(args ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		for _, record := range s.records(args...) {
			if record.Verdict != v1alpha1.VerdictOK {
				s.Errorf("%+v", record)
			}
		}
	}
}

// records are those of the one Service of the namespace.
func (s *Set) records(args ...string) []v1alpha1.DNSRecord {
	s.Helper()
	report := cluster.Report[v1alpha1.HeadlessDNSList](s.Namespace, append([]string{"dns"}, args...)...)
	if len(report.Items) != 1 || len(report.Items[0].Records) == 0 {
		s.Fatalf("%+v", report)
	}
	return report.Items[0].Records
}

// all are the lines of a Corefile that answer all questions in one way.
func all(answer ...string) string { return templated("ANY ANY .", answer...) }

// address gives a name, db or db-1.db, an address. NS becomes the namespace.
func address(name, ttl, address string) string {
	return templated("IN A "+name+".NS.svc.cluster.local", "match ^"+name+"[.]NS[.]", fmt.Sprintf(`answer "{{ .Name }} %s IN A %s"`, ttl, address), "fallthrough")
}

func templated(question string, lines ...string) string {
	return "template " + question + " {\n" + strings.Join(lines, "\n") + "\n}\n"
}

// oddServers makes the set db, and DNS servers odd-0, odd-1… with plugins of their own, which ask the cluster's DNS servers for the rest.
func oddServers(plugins ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		documents := cluster.Named(2, "") + cluster.Service("odd", "odd", "ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]")
		for i, plugin := range plugins {
			documents += dnsServer(fmt.Sprintf("odd-%d", i), "labels: {app: odd}", "", strings.ReplaceAll(plugin, "NS", s.NS)+"forward . "+strings.Join(s.DNSServers(), " ")+"\n")
		}
		s.ApplyReady(documents)
	}
}

// dnsServer is a pod with CoreDNS, and with its ConfigMap.
func dnsServer(name, metadata, podSpec, plugins string) string {
	corefile, err := json.Marshal(".:53 {\n" + plugins + "}\n")
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: %[1]s, %[2]s}, data: {Corefile: %[4]s}}
---
{apiVersion: v1, kind: Pod, metadata: {name: %[1]s, %[2]s}, spec: {terminationGracePeriodSeconds: 0, %[3]s containers: [{name: coredns, image: "registry.k8s.io/coredns/coredns:doik",
  args: [-conf, /etc/coredns/Corefile], volumeMounts: [{name: config, mountPath: /etc/coredns}]}], volumes: [{name: config, configMap: {name: %[1]s}}]}}
---
`, name, metadata, podSpec, corefile)
}

// nodeLocal puts a cache on the node.
func nodeLocal(s *Set) {
	s.Helper()
	cluster.Run(s, "", "ip", "address", "add", "169.254.20.10/32", "dev", "lo")
	s.Cleanup(func() {
		cluster.Run(s, "", "ip", "address", "delete", "169.254.20.10/32", "dev", "lo")
		s.Kubectl("-n", "kube-system", "delete", "pod,configmap", "node-local-dns", "--now", "--ignore-not-found")
	})
	system := &cluster.Namespace{TB: s.TB, NS: "kube-system"}
	system.ApplyAll(dnsServer("node-local-dns", "labels: {k8s-app: node-local-dns}", "hostNetwork: true, dnsPolicy: Default,",
		"cache 30\nforward . "+strings.Join(s.DNSServers(), " ")+" {\nforce_tcp\n}\n"))
	system.Kubectl("wait", "--for=condition=Ready", "pod/node-local-dns", "--timeout=300s")
}

// tooEarly asks for a name that there is not yet.
func tooEarly(name string) func(*Set) {
	return func(s *Set) { s.Helper(); s.AskTooEarly(name) }
}

// drop drops packets of pods that rules match, until the test ends: as a firewall does, or a network plugin.
func drop(rules ...string) func(*Set) { return dropAt("forward", rules...) }

// dropAt drops them at a hook: output is that of the node itself.
func dropAt(hook string, rules ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		nft := func(args ...string) cluster.Result { return inNode(s, append([]string{"nft"}, args...)...) }
		remove := func() { nft("delete", "table", "inet", "doik_test") }
		remove()
		s.Cleanup(remove)
		commands := []string{"add table inet doik_test", "add chain inet doik_test drops { type filter hook " + hook + " priority -10; }"}
		for _, rule := range rules {
			commands = append(commands, "add rule inet doik_test drops "+rule+" drop")
		}
		if r := nft(strings.Join(commands, "\n")); r.Code != 0 {
			s.Fatal(r.Err)
		}
	}
}

// inNode runs a command on the node. Tests run in their package's folder.
func inNode(s *Set, command ...string) cluster.Result {
	return cluster.Run(s, "", "../node/enter", command...)
}

// kubelet changes a setting of the kubelet's configuration, which has one line, until the test ends.
func kubelet(setting, value string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		configured := func() string {
			return s.Kubectl("get", "--raw", "/api/v1/nodes/doik-node/proxy/configz")
		}
		change := func(value string) {
			inNode(s, "sed", "-i", "s/^"+setting+":.*/"+setting+": "+value+"/", "/etc/kubelet.yaml")
			inNode(s, "pkill", "-x", "kubelet")
			want := strings.Trim(value, "[]")
			cluster.Eventually(s, time.Minute, func() error {
				if r := s.TryKubectl("get", "--raw", "/api/v1/nodes/doik-node/proxy/configz"); r.Code != 0 || !strings.Contains(r.Out, want) {
					return fmt.Errorf("the kubelet has not %s %s: %s", setting, value, r.Err)
				}
				return nil
			})
			s.Kubectl("wait", "--for=condition=Ready", "node/doik-node", "--timeout=300s")
		}
		before := map[bool]string{true: "cluster.local", false: "[10.96.0.10]"}[setting == "clusterDomain"]
		if !strings.Contains(configured(), strings.Trim(before, "[]")) {
			s.Fatalf("the kubelet has not %s %s", setting, before)
		}
		s.Cleanup(func() { change(before) })
		change(value)
	}
}

// notCovered waits until check says what it did not cover of DNS.
func notCovered(reason string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		cluster.Eventually(s, time.Minute, func() error {
			codes, report := Checked(s.Namespace, "--only=DNS", "--no-usage")
			for _, part := range report.Checked {
				if codes == "" && part.Part == v1alpha1.PartDNS && slices.ContainsFunc(part.Gaps, func(g v1alpha1.Gap) bool {
					return g.Kind == v1alpha1.GapNotCovered && g.Reason == reason
				}) {
					return nil
				}
			}
			return fmt.Errorf("%s: %+v", codes, report.Checked)
		})
	}
}

// unnamedPort makes a Service of the pods of db about which there is something to say, and nothing wrong.
func unnamedPort(s *Set) {
	s.Helper()
	s.ApplyAll(cluster.Service("unnamed", "db", "clusterIP: None, ports: [{port: 80}]"))
}

// ending replaces a DNS server by one that ends slowly, whose packets get lost, and deletes it: as in an update of which other nodes have heard.
func ending(server string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Kubectl("delete", "pod", server)
		s.ApplyReady(strings.NewReplacer("terminationGracePeriodSeconds: 0", "terminationGracePeriodSeconds: 120", "{name: coredns,", "{name: coredns, lifecycle: {preStop: {sleep: {seconds: 100}}},").
			Replace(dnsServer(server, "labels: {app: odd}", "", "forward . "+strings.Join(s.DNSServers(), " ")+"\n")))
		s.Cleanup(func() { s.TryKubectl("delete", "pod", server, "--force", "--grace-period=0") })
		address := s.Kubectl("get", "pod", server, "-o", "jsonpath={.status.podIP}")
		drop("ip daddr "+address+" udp dport 53", "ip daddr "+address+" tcp dport 53")(s)
		s.Kubectl("delete", "pod", server, "--wait=false")
		cluster.Eventually(s, time.Minute, func() error {
			if list := s.Kubectl("get", "endpointslices", "-o", "jsonpath={.items[*].endpoints[?(@.conditions.terminating==true)].targetRef.name}"); !strings.Contains(list, server) {
				return fmt.Errorf("endpoints that are terminating: %q", list)
			}
			return nil
		})
	}
}

// nothingWrong expects that dns finds nothing above info, each of a few times.
func nothingWrong(args ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		args := slices.Clone(args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "=NS/", "="+s.NS+"/")
		}
		for range 3 {
			for _, f := range s.findings("dns", args) {
				if f.Severity != v1alpha1.SeverityInfo {
					s.Errorf("%s %s %s", f.Severity, f.Code, f.Message)
				}
			}
		}
	}
}

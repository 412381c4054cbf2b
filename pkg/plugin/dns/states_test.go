package dns

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// dbSet is db with the set db of two pods, which have been ready for an hour, at 10.1.0.5 and 10.1.0.6; all names are as they should be.
func dbSet() *Snapshot {
	const pods = 2
	s := db(time.Hour, "10.1.0.5")
	replicas, yes := int32(pods), true
	service := &s.Services[0]
	service.Spec.Selector, service.Spec.IPFamilies = map[string]string{"app": "db"}, []corev1.IPFamily{corev1.IPv4Protocol}
	service.Spec.Ports = []corev1.ServicePort{{Name: "mysql", Port: 3306, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString("mysql")}}
	set := appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "db", UID: "set", CreationTimestamp: before(time.Hour)}, Spec: appsv1.StatefulSetSpec{ServiceName: "db", Replicas: &replicas}}
	set.Spec.Template.Labels = map[string]string{"app": "db"}
	set.Spec.Template.Spec.Containers = []corev1.Container{{Name: "db", Ports: []corev1.ContainerPort{{Name: "mysql", ContainerPort: 3306, Protocol: corev1.ProtocolTCP}}}}
	slice := &s.EndpointSlices[0]
	slice.Name, slice.AddressType, slice.Endpoints = "db-abc", discoveryv1.AddressTypeIPv4, nil
	slice.Labels[discoveryv1.LabelManagedBy] = sliceController
	slice.Ports = []discoveryv1.EndpointPort{{Name: new("mysql"), Port: new(int32(3306)), Protocol: new(corev1.ProtocolTCP)}}
	for i := range pods {
		pod := serverPod(fmt.Sprintf("db-%d", i), time.Hour, corev1.ConditionTrue, time.Hour)
		pod.Namespace, pod.Labels, pod.Spec = "x", map[string]string{"app": "db", appsv1.ControllerRevisionHashLabelKey: "one"}, set.Spec.Template.Spec
		pod.Spec.Hostname, pod.Spec.Subdomain, pod.Spec.NodeName = pod.Name, "db", fmt.Sprintf("node-%d", i)
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: KindStatefulSet, Name: "db", UID: types.UID("set"), Controller: &yes}}
		pod.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.1.0.%d", 5+i)}}
		pod.Status.PodIP = pod.Status.PodIPs[0].IP
		s.Pods = append(s.Pods, pod)
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{pod.Status.PodIP}, Hostname: new(pod.Name), NodeName: new(pod.Spec.NodeName), TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "x", Name: pod.Name},
			Conditions: discoveryv1.EndpointConditions{Ready: &yes},
		})
	}
	s.StatefulSets = []appsv1.StatefulSet{set}
	answerAll(s)
	return s
}

// answerAll has each server, or the resolver of the pod that asks, give all records that are expected, and of the other family none.
func answerAll(s *Snapshot) {
	s.Answers, s.OtherFamily = nil, nil
	servers := []string{"10.96.0.10"}
	if s.Vantage.Kind == v1alpha1.VantageServers {
		servers = []string{"10.0.0.2", "10.0.0.3"}
	}
	for _, server := range servers {
		for _, e := range expectations(newIndex(s)) {
			a := resolve.Answer{Question: e.question, Status: resolve.StatusNXDomain, Server: server}
			for _, data := range e.data {
				if e.question.Type == resolve.TypeSRV {
					data = "0 50 " + data
				}
				a.Status, a.Records = resolve.StatusNoError, append(a.Records, resolve.Record{Type: e.question.Type, Data: data})
			}
			s.Answers = append(s.Answers, a)
		}
		for _, q := range s.otherFamily() {
			s.OtherFamily = append(s.OtherFamily, resolve.Answer{Question: q, Status: resolve.StatusNoError, Server: server})
		}
	}
}

// fromPod makes a pod ask in place of port-forwards.
func fromPod(s *Snapshot) {
	v := &s.Vantage
	v.Kind, v.Pods, v.Namespace, v.Pod, v.Nameservers, v.Search = v1alpha1.VantagePod, nil, "x", "client", []string{"10.96.0.10"}, []string{"x.svc.cluster.local", "svc.cluster.local", "cluster.local"}
	answerAll(s)
	for _, a := range s.Answers[:len(s.Answers):len(s.Answers)] {
		if q := a.Question; q.Name == "db.x.svc.cluster.local." && q.Type == resolve.TypeA && !q.TCP {
			for _, server := range v.Servers {
				a.Question.Server, a.Server = server.Address, server.Address
				s.ServerAnswers = append(s.ServerAnswers, a)
			}
		}
	}
}

// edited changes the answers to questions of a type whose name begins with a text, of a server or, without one, of all.
func edited(list []resolve.Answer, kind resolve.Type, name, server string, change func(*resolve.Answer)) {
	n := 0
	for i := range list {
		if a := &list[i]; a.Question.Type == kind && strings.HasPrefix(a.Question.Name, name) && (server == "" || a.Server == server) {
			change(a)
			n++
		}
	}
	if n == 0 {
		panic("no such answer: " + name)
	}
}

// longDomain gives the cluster a domain of so many characters, and db-1, which is to have its full name as hostname, the time to start.
func longDomain(s *Snapshot, n int) {
	domain := strings.Repeat("d", n-8) + ".example"
	yes := true
	s.StatefulSets[0].Spec.Template.Spec.SetHostnameAsFQDN = &yes
	s.Vantage.ClusterDomain, s.Vantage.ServedDomain, s.Vantage.Pods.Domain = domain, domain, domain
	pod := &s.Pods[1]
	pod.Status, pod.CreationTimestamp = corev1.PodStatus{Phase: corev1.PodPending}, before(time.Second)
	s.EndpointSlices[0].Endpoints = s.EndpointSlices[0].Endpoints[:1]
	answerAll(s)
}

// TestStates has a state of Services, EndpointSlices, pods or DNS servers in each row, and what is found: codes with severities, and, after a
// colon, words of one message that must be there, or after a ! must not.
func TestStates(t *testing.T) {
	no, yes := false, true
	ends := func(s *Snapshot, i int, stamp time.Duration) { // a pod, whose grace period ended so long ago
		s.Pods[i].DeletionTimestamp = new(before(stamp))
		s.EndpointSlices[0].Endpoints[i].Conditions = discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}
		answerAll(s)
	}
	doubt := func(s *Snapshot) { s.Doubted = newIndex(s).contradictions() }
	cache := func(node string, isReady corev1.ConditionStatus, made, changed time.Duration) corev1.Pod {
		pod := serverPod("node-local-dns-"+node, made, isReady, changed)
		pod.Spec.NodeName = node
		return pod
	}
	for name, c := range map[string]struct {
		change func(s *Snapshot)
		want   string
	}{
		"as it should be":            {func(*Snapshot) {}, ""},
		"as it should be from a pod": {fromPod, ""},

		// Services.
		"loadBalancerIP None": {func(s *Snapshot) {
			s.Services[0].Spec.ClusterIP, s.Services[0].Spec.LoadBalancerIP = "10.96.1.1", "None"
			answerAll(s)
			edited(s.Answers, resolve.TypeA, "db-", "", func(a *resolve.Answer) {
				a.Status = resolve.StatusNoError
				a.Records = []resolve.Record{{Type: resolve.TypeA, Data: map[string]string{"db-0": "10.1.0.5", "db-1": "10.1.0.6"}[a.Question.Name[:4]]}}
			})
		}, "DNS002 error: its loadBalancerIP is None, which does nothing…promises its pods no DNS names, though these DNS servers give them some"},
		"not headless, and without names": {func(s *Snapshot) { s.Services[0].Spec.ClusterIP = "10.96.1.1"; answerAll(s) }, "DNS002 error: (it is not headless): the pods have no DNS names"},
		"loadBalancerIP None without a set": {func(s *Snapshot) {
			s.Services[0].Spec.ClusterIP, s.Services[0].Spec.LoadBalancerIP, s.StatefulSets = "10.96.1.1", "None", nil
			answerAll(s)
		}, "DNS002 warning: its name does not resolve to its pods"},
		"a named target port": {func(s *Snapshot) {
			s.Services[0].Spec.Ports[0].TargetPort = intstr.FromString("mysqld")
			s.EndpointSlices[0].Ports = nil
			answerAll(s)
		}, `DNS025 error: port mysql of Service db leads to the container port "mysqld", which no container of its pods has (they have mysql): it has no SRV record`},
		"a named target port of another protocol": {func(s *Snapshot) {
			for i := range s.Pods {
				s.Pods[i].Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "mysql", Protocol: corev1.ProtocolUDP}}}}
			}
			s.EndpointSlices[0].Ports = nil
			answerAll(s)
		}, "DNS025 error: (no TCP port of theirs has a name)"},
		"a target port that none declares": {func(s *Snapshot) { s.Services[0].Spec.Ports[0].TargetPort = intstr.FromInt32(9999) }, ""},
		"a target port during a rollout": {func(s *Snapshot) {
			s.StatefulSets[0].Status.UpdateRevision = "two"
			s.Pods[1].Labels = map[string]string{"app": "db", appsv1.ControllerRevisionHashLabelKey: "two"}
			s.Pods[1].Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "mysqld"}}}}
		}, "DNS025 progressing: no container of db-1 has (they have mysqld): other pods have it"},
		"a target port of one pod": {func(s *Snapshot) { s.Pods[1].Spec.Containers = nil }, "DNS025 error: no container of db-1 has"},
		"a target port that the next revision has": {func(s *Snapshot) {
			s.Services[0].Spec.Ports[0].TargetPort = intstr.FromString("mysqld")
			s.StatefulSets[0].Spec.Template.Spec.Containers, s.StatefulSets[0].Generation = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "mysqld"}}}}, 2
			s.EndpointSlices[0].Ports = nil
			answerAll(s)
		}, "DNS025 progressing"},
		"a target port that only the next revision has, with OnDelete": {func(s *Snapshot) {
			s.Services[0].Spec.Ports[0].TargetPort = intstr.FromString("mysqld")
			s.StatefulSets[0].Spec.Template.Spec.Containers, s.StatefulSets[0].Generation = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "mysqld"}}}}, 2
			s.StatefulSets[0].Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
			s.EndpointSlices[0].Ports = nil
			answerAll(s)
		}, "DNS025 error"},
		"a target port of another Service": {func(s *Snapshot) {
			other := s.Services[0].DeepCopy()
			other.Name, other.Spec.ClusterIP = "db-read", "10.96.1.1"
			other.Spec.Ports[0].TargetPort = intstr.FromString("mysqld")
			s.Services = append(s.Services, *other)
		}, "DNS025 error: port mysql of Service db-read…connections to it reach no pod"},
		"a port that EndpointSlices don't name": {func(s *Snapshot) { // kubernetes/kubernetes#80175
			s.Services[0].Spec.Selector, s.EndpointSlices[0].Ports = nil, []discoveryv1.EndpointPort{{Port: new(int32(3306))}}
			s.Services[0].Spec.Ports[0].TargetPort = intstr.FromInt32(3306)
			answerAll(s)
		}, "DNS025 warning: port mysql of Service db is in none of the Service's EndpointSlices: it has no SRV record"},
		"a selector of other pods": {func(s *Snapshot) {
			s.Services[0].Spec.Selector = map[string]string{"app": "other"}
			s.Pods = append(s.Pods, *s.Pods[0].DeepCopy())
			other := &s.Pods[2]
			other.Name, other.Labels, other.OwnerReferences = "other", map[string]string{"app": "other"}, nil
			other.Status.PodIPs = []corev1.PodIP{{IP: "10.1.0.9"}}
			s.EndpointSlices[0].Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.1.0.9"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "x", Name: "other"}}}
			answerAll(s)
		}, "DNS007 error: does not match the pods of StatefulSet db, which names it and whose pods have app=db"},
		"no selector": {func(s *Snapshot) {
			s.Services[0].Spec.Selector, s.EndpointSlices = nil, nil
			answerAll(s)
		}, "DNS007 error: Service db has no selector, and none of its EndpointSlices lists the pods of StatefulSet db"},
		"no selector, and endpoints by hand": {func(s *Snapshot) { s.Services[0].Spec.Selector = nil }, ""},

		// Endpoints.
		"a pod ends": {func(s *Snapshot) { ends(s, 1, -20*time.Second) }, "DNS005 progressing: db-1 is terminating and therefore left out of Service db!not ready"},
		"a pod does not end": {func(s *Snapshot) { ends(s, 1, 5*time.Minute) },
			"DNS005 warning: db-1 is terminating and therefore left out of Service db, for longer than its grace period"},
		"a pod that is gone":            {func(s *Snapshot) { s.Pods = s.Pods[:1]; doubt(s) }, "DNS026 error: EndpointSlice db-abc of Service db lists as ready 10.1.0.6, but there is no pod db-1"},
		"a pod that is gone, seen once": {func(s *Snapshot) { s.Pods = s.Pods[:1] }, ""},
		"a pod that has just gone":      {func(s *Snapshot) { s.Pods = s.Pods[:1]; doubt(s); s.Moved = s.Subjects }, "DNS026 progressing"},
		"a pod with another address": {func(s *Snapshot) { s.Pods[1].Status.PodIPs[0].IP = "10.1.0.9"; doubt(s) },
			"DNS026 error: lists as ready 10.1.0.6, but db-1 has the address 10.1.0.9"},
		"a pod that is ready and left out": {func(s *Snapshot) { // kubernetes/kubernetes#117193
			s.EndpointSlices[0].Endpoints[1].Conditions.Ready = &no
			answerAll(s)
			doubt(s)
		}, "DNS026 error: selects pods that are ready and gives them no DNS records: db-1 is in none of its EndpointSlices as ready"},
		"a pod that has just become ready": {func(s *Snapshot) {
			s.Pods[1].Status.Conditions[0].LastTransitionTime = before(10 * time.Second)
			s.EndpointSlices[0].Endpoints = s.EndpointSlices[0].Endpoints[:1]
			answerAll(s)
			doubt(s)
		}, ""},
		"a pod without an address of the family": {func(s *Snapshot) {
			s.Services[0].Spec.IPFamilies, s.EndpointSlices = []corev1.IPFamily{corev1.IPv6Protocol}, nil
			answerAll(s)
			doubt(s)
		}, "DNS026 error: db-0 has no address of the Service's family (IPv6)"},
		"a pod that is not ready, published": {func(s *Snapshot) {
			s.Services[0].Spec.PublishNotReadyAddresses = true
			s.Pods[1].Status.Conditions[0].Status = corev1.ConditionFalse
			doubt(s)
		}, ""},

		"an address that endpoints of another namespace have too": {func(s *Snapshot) {
			edited(s.Answers, resolve.TypePTR, "5.0.1.10.", "", func(a *resolve.Answer) {
				a.Records = append(a.Records, resolve.Record{Type: resolve.TypePTR, Data: "db-0.db.y.svc.cluster.local."})
			})
		}, ""},
		"a name that nothing in the namespace has": {func(s *Snapshot) {
			edited(s.Answers, resolve.TypePTR, "5.0.1.10.", "", func(a *resolve.Answer) {
				a.Records = append(a.Records, resolve.Record{Type: resolve.TypePTR, Data: "db-7.db.x.svc.cluster.local."})
			})
		}, "DNS015 warning"},

		// Pods.
		"a full hostname that is too long": {func(s *Snapshot) {
			longDomain(s, 51)
		}, "DNS018 error, DNS005 progressing: (setHostnameAsFQDN), and db-1.db.x.svc.ddd"},
		"a full hostname that just fits": {func(s *Snapshot) { longDomain(s, 50) }, "DNS005 progressing"},
		"own name servers without a search path": {func(s *Snapshot) {
			spec := &s.StatefulSets[0].Spec.Template.Spec
			spec.DNSPolicy, spec.DNSConfig = corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"10.96.0.10"}}
		}, "DNS013 warning: are not completed with x.svc.cluster.local (dnsPolicy None, searches: none)"},
		"own name servers with the search path": {func(s *Snapshot) {
			spec := &s.StatefulSets[0].Spec.Template.Spec
			spec.DNSPolicy, spec.DNSConfig = corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"10.96.0.10"}, Searches: []string{"x.svc.cluster.local"}}
		}, ""},
		"a name server beside the cluster's": {func(s *Snapshot) { // kubernetes/kubernetes#16534
			s.StatefulSets[0].Spec.Template.Spec.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1"}}
		}, "DNS021 info: also ask 192.0.2.1"},
		"the pod that asks has its node's name servers": {func(s *Snapshot) {
			fromPod(s)
			s.OwnResolver, s.Vantage.Nameservers, s.Vantage.Search = "hostNetwork without dnsPolicy ClusterFirstWithHostNet", []string{"192.0.2.1"}, nil
			for i := range s.Answers {
				s.Answers[i].Status, s.Answers[i].Records, s.Answers[i].Server = resolve.StatusTimeout, nil, "192.0.2.1"
			}
		}, "DNS021 warning: pod client does not use the cluster's DNS (hostNetwork without dnsPolicy ClusterFirstWithHostNet): it asks 192.0.2.1"},

		// DNS servers.
		"CoreDNS is updated": {func(s *Snapshot) { // one of two has ended since, and did not answer
			fromPod(s)
			s.Vantage.Servers = append(s.Vantage.Servers[:1:1], v1alpha1.DNSServer{Pod: "kube-system/b", Address: "10.0.0.3", Port: 53, Terminating: true}, v1alpha1.DNSServer{Pod: "kube-system/c", Address: "10.0.0.4", Port: 53, Ready: true})
			edited(s.ServerAnswers, resolve.TypeA, "db.", "10.0.0.3", func(a *resolve.Answer) { a.Status, a.Records = resolve.StatusTimeout, nil })
			a := &s.Answers[0] // was routed to it
			a.Status, a.Records = resolve.StatusTimeout, nil
		}, "DNS016 progressing"},
		"one of several is silent": {func(s *Snapshot) {
			fromPod(s)
			edited(s.ServerAnswers, resolve.TypeA, "db.", "10.0.0.3", func(a *resolve.Answer) { a.Status, a.Records = resolve.StatusTimeout, nil })
		}, "DNS016 error: the DNS server kube-system/b (10.0.0.3) does not answer"},
		"the Service is silent, and the servers are not": {func(s *Snapshot) { // kubernetes/kubernetes#50083
			fromPod(s)
			s.Vantage.Node, s.OtherFamily = "node-7", nil
			for i := range s.Answers {
				s.Answers[i].Status, s.Answers[i].Records = resolve.StatusTimeout, nil
			}
		}, "DNS016 critical, DNS016 critical: the DNS servers themselves answer, so it is lost between the Service and them (kube-proxy or what does its work) on node node-7"},
		"one of two has an old zone": {func(s *Snapshot) {
			fromPod(s)
			old := func(a *resolve.Answer) { a.Records = []resolve.Record{{Type: resolve.TypeA, Data: "10.1.0.99"}} }
			edited(s.ServerAnswers, resolve.TypeA, "db.", "10.0.0.3", old)
			for i := range s.Answers {
				if a := &s.Answers[i]; i%2 == 1 {
					a.Status, a.Records = resolve.StatusNXDomain, nil
				}
			}
		}, "DNS009 error: the DNS server kube-system/b (10.0.0.3) says 10.1.0.99 to A db.x.svc.cluster.local., where the API and the other DNS servers have 10.1.0.5, 10.1.0.6"},
		"which of two is wrong can't be told": {func(s *Snapshot) {
			for _, server := range []string{"10.0.0.2", "10.0.0.3"} {
				edited(s.Answers, resolve.TypeA, "db.", server, func(a *resolve.Answer) {
					a.Records = []resolve.Record{{Type: resolve.TypeA, Data: "10.9" + server[4:]}}
				})
			}
		}, "DNS009 warning, DNS015 warning"},
		"NXDOMAIN for the other family": {func(s *Snapshot) {
			for i := range s.OtherFamily {
				s.OtherFamily[i].Status = resolve.StatusNXDomain
			}
		}, "DNS027 warning: asked for AAAA, kube-system/a (10.0.0.2), kube-system/b (10.0.0.3) say that there is no such name as db.x.svc.cluster.local. (NXDOMAIN), although it has"},
		"SERVFAIL for the other family": {func(s *Snapshot) {
			for i := range s.OtherFamily {
				s.OtherFamily[i].Status = resolve.StatusServFail
			}
		}, "DNS017 error"},
		"a wildcard in the search path": {func(s *Snapshot) { // ocp-power-automation/ocp4-upi-powervs#228
			fromPod(s)
			s.Vantage.Search = append(s.Vantage.Search, "wild.example")
			q := s.undotted()[0]
			s.Undotted = []resolve.Answer{{Question: q, Status: resolve.StatusNoError, FullName: q.Name + ".wild.example.", Records: []resolve.Record{{Type: resolve.TypeA, Data: "192.0.2.7"}}}}
		}, "DNS013 error: db.x.svc.cluster.local resolves as db.x.svc.cluster.local.wild.example."},
		"a full name without a dot at its end": {func(s *Snapshot) {
			fromPod(s)
			q := s.undotted()[0]
			s.Undotted = []resolve.Answer{{Question: q, Status: resolve.StatusNoError, FullName: q.Name + ".", Records: []resolve.Record{{Type: resolve.TypeA, Data: "10.1.0.5"}}}}
		}, ""},
		"another domain, by pods' addresses": {func(s *Snapshot) { // of who may not read the DNS Service
			fromPod(s)
			s.DNSService, s.Vantage.ServedDomain, s.ServerAnswers, s.Vantage.Servers = nil, "", nil, nil
			s.Problems = map[string]v1alpha1.Problem{subjectServers: {}}
			for i := range s.Answers {
				if a := &s.Answers[i]; a.Question.Type == resolve.TypePTR {
					a.Records[0].Data = strings.Replace(a.Records[0].Data, "cluster.local", "prod.example", 1)
				} else {
					a.Status, a.Records = resolve.StatusNXDomain, nil
				}
			}
			s.OtherFamily = nil
		}, "DNS022 error: in the domain cluster.local (resolv.conf of pod client), but the DNS servers serve the domain prod.example"},
		"a cache on a node is not ready": {func(s *Snapshot) {
			s.NodeCaches = []corev1.Pod{cache("node-0", corev1.ConditionTrue, time.Hour, time.Hour), cache("node-1", corev1.ConditionFalse, time.Hour, time.Minute)}
			s.NodeLocalPods = []string{"kube-system/node-local-dns-node-0", "kube-system/node-local-dns-node-1"}
		}, "DNS029 warning: the DNS cache of node node-1 is not ready: kube-system/node-local-dns-node-1 (not ready for 60s); pods there, such as x/db-1,"},
		"a cache on a node starts": {func(s *Snapshot) {
			s.NodeCaches, s.NodeLocalPods = []corev1.Pod{cache("node-1", corev1.ConditionFalse, time.Second, time.Second)}, []string{"kube-system/node-local-dns-node-1"}
		}, "DNS029 progressing"},
		"internalTrafficPolicy Local": {func(s *Snapshot) {
			local := corev1.ServiceInternalTrafficPolicyLocal
			s.DNSService.Spec.InternalTrafficPolicy = &local
			s.Vantage.Servers[0].Node, s.Vantage.Servers[1].Node = "node-0", "node-9"
		}, "DNS029 error: (internalTrafficPolicy: Local), and there is none on node-1: x/db-1 get no answer from it"},
		"internalTrafficPolicy Local with a server on each node": {func(s *Snapshot) {
			local := corev1.ServiceInternalTrafficPolicyLocal
			s.DNSService.Spec.InternalTrafficPolicy = &local
			s.Vantage.Servers[0].Node, s.Vantage.Servers[1].Node = "node-0", "node-1"
		}, ""},
		"a server is restarted again and again": {func(s *Snapshot) {
			pod := serverPod("a", time.Hour, corev1.ConditionTrue, 10*time.Minute)
			pod.Status.ContainerStatuses[0].RestartCount = 6
			pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", FinishedAt: before(2 * time.Minute)}
			s.DNSPods, s.DNSPodsRead = []corev1.Pod{pod}, true
		}, "DNS030 warning: has been restarted 6 times, the last time 2m ago (exit code 137, out of memory)"},
		"no UDP port": {func(s *Snapshot) { s.DNSService.Spec.Ports[0].Protocol = corev1.ProtocolTCP }, "DNS012 critical: has no UDP port 53"},

		// What comes and goes.
		"a namespace is being deleted": {func(s *Snapshot) {
			s.Ending, s.EndpointSlices = []string{"x"}, nil
		}, "DNS028 progressing"},
		"endpoints changed while names were asked for": {func(s *Snapshot) {
			s.EndpointSlices[0].Endpoints, s.Pods, s.Moved = s.EndpointSlices[0].Endpoints[:1], s.Pods[:1], s.Subjects
		}, "DNS015 progressing"},
	} {
		s := dbSet()
		c.change(s)
		report := Analyze(s, time.Time{})
		var codes, texts []string
		for _, f := range Findings(report) {
			word := fmt.Sprintf("%s %s", f.Code, f.Severity)
			switch {
			case f.Progressing:
				word = fmt.Sprintf("%s progressing", f.Code)
			case f.Severity == v1alpha1.SeverityInfo && !strings.Contains(c.want, word):
				continue
			}
			codes, texts = append(codes, word), append(texts, f.Message)
		}
		want, words, _ := strings.Cut(c.want, ": ")
		words, never, _ := strings.Cut(words, "!")
		text := strings.Join(texts, "\n")
		if got := strings.Join(codes, ", "); got != want || never != "" && strings.Contains(text, never) {
			t.Errorf("%s:\n got %s\nwant %s\n%s", name, got, c.want, text)
		}
		rest := text
		for part := range strings.SplitSeq(words, "…") {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("%s: no %q in\n%s", name, part, text)
			}
			rest = after
		}
	}
}

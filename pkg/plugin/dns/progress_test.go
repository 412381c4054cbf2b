package dns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-d)) }

// db is a headless Service with one endpoint, db-0, that changed so long ago; two servers were asked through port-forwards, as of noon,
// and said what there is.
func db(changed time.Duration, found ...string) *Snapshot {
	s := &Snapshot{
		AskedAt:        new(metav1.NewTime(noon)),
		Subjects:       []Subject{{Namespace: "x", Service: "db"}},
		Services:       []corev1.Service{{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "db", CreationTimestamp: before(time.Hour)}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}}},
		DNSServiceName: "kube-system/kube-dns",
		DNSService:     &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kube-dns"}, Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.10", Ports: []corev1.ServicePort{{Port: 53, Protocol: corev1.ProtocolUDP}}}},
		DebugPodFlag:   "--debug-pod",
		Vantage: v1alpha1.DNSVantage{
			Kind: v1alpha1.VantageServers, ClusterDomain: "cluster.local", ServedDomain: "cluster.local", Service: "kube-system/kube-dns",
			Servers: []v1alpha1.DNSServer{{Pod: "kube-system/a", Address: "10.0.0.2", Port: 53, Ready: true}, {Pod: "kube-system/b", Address: "10.0.0.3", Port: 53, Ready: true}},
			Pods:    &v1alpha1.PodResolution{Source: "node/n", Nameservers: []string{"10.96.0.10"}, Domain: "cluster.local", Service: "kube-system/kube-dns"},
		},
	}
	slice := discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Labels: map[string]string{discoveryv1.LabelServiceName: "db"}, ManagedFields: []metav1.ManagedFieldsEntry{{Time: new(before(changed))}}}}
	slice.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.1.0.5"}}}
	s.EndpointSlices = []discoveryv1.EndpointSlice{slice}
	for _, server := range s.Vantage.Servers {
		a := resolve.Answer{Question: resolve.Question{Name: "db.x.svc.cluster.local.", Type: resolve.TypeA}, Status: resolve.StatusNXDomain, Server: server.Address, OverTCP: true}
		for _, address := range found {
			a.Status, a.Records = resolve.StatusNoError, append(a.Records, resolve.Record{Type: resolve.TypeA, Data: address})
		}
		s.Answers = append(s.Answers, a)
	}
	return s
}

// said is the health of a report, what was looked at, and its findings above info or progressing.
func said(report *v1alpha1.HeadlessDNSList) string {
	var words []string
	for _, f := range Findings(report) {
		if f.Severity != v1alpha1.SeverityInfo || f.Progressing {
			word := fmt.Sprintf("%s %s", f.Code, f.Severity)
			if f.Progressing {
				word = fmt.Sprintf("%s progressing", f.Code)
			}
			words = append(words, word)
		}
	}
	for _, part := range report.Checked {
		words = append(words, fmt.Sprintf("%d of %d", part.Number, part.Of))
		for _, gap := range part.Gaps {
			words = append(words, fmt.Sprintf("%s: %s", gap.Kind, gap.Reason))
		}
	}
	for _, c := range report.Conditions {
		if c.Type == v1alpha1.ConditionHealthy {
			words = append(words, string(c.Status))
		}
	}
	return strings.Join(words, ", ")
}

const udp = "NotCovered: UDP: needs --debug-pod"

// serverPod is a DNS server's pod that was made and became ready, or not, so long ago.
func serverPod(name string, made time.Duration, isReady corev1.ConditionStatus, changed time.Duration) corev1.Pod {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name, CreationTimestamp: before(made)}}
	pod.Spec.Containers = []corev1.Container{{Name: "coredns"}}
	pod.Status = corev1.PodStatus{
		Phase:             corev1.PodRunning,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: isReady, LastTransitionTime: before(changed)}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "coredns", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: before(made)}}}},
	}
	return pod
}

// TestVerdicts has one situation in each row, and what is said of it.
func TestVerdicts(t *testing.T) {
	with := func(s *Snapshot, change func(*Snapshot)) *Snapshot {
		change(s)
		return s
	}
	servers := func(pods ...corev1.Pod) func(*Snapshot) { // those that are not ready were not asked
		return func(s *Snapshot) {
			s.DNSPods, s.DNSPodsRead = pods, true
			var kept []resolve.Answer
			for i, pod := range pods {
				s.Vantage.Servers[i].Ready = objects.PodReady(&pod)
				if objects.PodReady(&pod) {
					kept = append(kept, s.Answers[i])
				}
			}
			s.Answers, s.Vantage.Servers = kept, s.Vantage.Servers[:len(pods)]
		}
	}
	unanswered := func(i int) func(*Snapshot) {
		return func(s *Snapshot) {
			s.Answers[i].Status, s.Answers[i].Records = resolve.StatusUnreachable, nil
		}
	}
	nothing := func(s *Snapshot) { s.Answers = nil }
	noService := func(s *Snapshot) {
		s.DNSService, s.Answers, s.Vantage.Servers, s.Vantage.Service = nil, nil, nil, ""
		s.Sought = []string{"kube-system/kube-dns", "k8s-app=kube-dns"}
		s.Vantage.Pods.Service = ""
	}
	for name, c := range map[string]struct {
		s    *Snapshot
		want string
	}{
		"as it should be":         {db(time.Hour, "10.1.0.5"), "1 of 1, " + udp + ", True"},
		"missing":                 {db(time.Hour), "DNS014 error, 1 of 1, " + udp + ", False"},
		"not there yet":           {db(34 * time.Second), "DNS014 progressing, 0 of 1, Pending: endpoints changed a moment ago, " + udp + ", False"},
		"late":                    {db(36 * time.Second), "DNS014 error, 1 of 1, " + udp + ", False"},
		"of a pod that went":      {db(time.Second, "10.1.0.5", "10.1.0.9"), "DNS015 progressing, 0 of 1, Pending: endpoints changed a moment ago, " + udp + ", False"},
		"of one that went before": {db(time.Minute, "10.1.0.5", "10.1.0.9"), "DNS015 warning, 1 of 1, " + udp + ", False"},
		"a new Service":           {with(db(time.Hour), func(s *Snapshot) { s.Services[0].CreationTimestamp = before(time.Second) }), "DNS014 progressing, 0 of 1, Pending: endpoints changed a moment ago, " + udp + ", False"},
		"servers differ for a moment": {with(db(time.Second, "10.1.0.5"), func(s *Snapshot) { s.Answers[1].Records[0].Data = "10.1.0.9" }),
			"DNS009 progressing, DNS014 progressing, 0 of 1, Pending: endpoints changed a moment ago, " + udp + ", False"},
		"servers differ": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Answers[1].Records[0].Data = "10.1.0.9" }), "DNS009 error, 1 of 1, " + udp + ", False"},

		"a server is silent":                  {with(db(time.Hour, "10.1.0.5"), unanswered(1)), "DNS016 error, 1 of 1, " + udp + ", False"},
		"a server ended while it was asked":   {with(with(db(time.Hour, "10.1.0.5"), unanswered(1)), func(s *Snapshot) { s.Vantage.Servers = s.Vantage.Servers[:1] }), "1 of 1, " + udp + ", True"},
		"all servers ended while being asked": {with(with(with(db(time.Hour), unanswered(0)), unanswered(1)), func(s *Snapshot) { s.Vantage.Servers[0].Address, s.Vantage.Servers[1].Address = "10.0.0.4", "10.0.0.5" }), "0 of 1, Pending: pods or DNS servers have changed since the query, " + udp + ", False"},

		"a server starts":            {with(db(time.Hour, "10.1.0.5"), servers(serverPod("a", time.Hour, "True", time.Hour), serverPod("b", time.Second, "False", time.Second))), "DNS024 progressing, 1 of 1, " + udp + ", False"},
		"a server starts and starts": {with(db(time.Hour, "10.1.0.5"), servers(serverPod("a", time.Hour, "True", time.Hour), serverPod("b", 20*time.Minute, "False", 20*time.Minute))), "DNS024 warning, 1 of 1, " + udp + ", False"},
		"a server was ready":         {with(db(time.Hour, "10.1.0.5"), servers(serverPod("a", time.Hour, "True", time.Hour), serverPod("b", time.Hour, "False", time.Second))), "DNS024 warning, 1 of 1, " + udp + ", False"},
		"a server ends": {with(db(time.Hour, "10.1.0.5"), servers(serverPod("a", time.Hour, "True", time.Hour), func() corev1.Pod {
			pod := serverPod("b", time.Hour, "False", time.Second)
			pod.DeletionTimestamp = new(before(0))
			return pod
		}())), "1 of 1, " + udp + ", True"},
		"all start":              {with(db(time.Hour), servers(serverPod("a", time.Second, "False", time.Second))), "DNS012 progressing, 0 of 1, Pending: the DNS servers are starting, False"},
		"all start for too long": {with(db(time.Hour), servers(serverPod("a", 2*time.Minute, "False", 2*time.Minute))), "DNS012 critical, 0 of 1, Unread: no DNS server is ready, False"},
		"all were ready":         {with(db(time.Hour), servers(serverPod("a", time.Hour, "False", time.Second))), "DNS012 critical, 0 of 1, Unread: no DNS server is ready, False"},
		"none is there":          {with(db(time.Hour), servers()), "DNS012 critical, 0 of 1, Unread: no DNS server is ready, False"},
		"pods could not be read": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Servers[1].Ready, s.Answers = false, s.Answers[:1] }), "DNS024 warning, 1 of 1, " + udp + ", False"},
		"one of them is to end": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) {
			s.Vantage.Servers[1].Ready, s.Vantage.Servers[1].Terminating, s.Answers = false, true, s.Answers[:1]
		}), "1 of 1, " + udp + ", True"},
		"servers that are no pods": {with(with(db(time.Hour), nothing), func(s *Snapshot) { s.Vantage.Servers[0].Pod, s.Vantage.Servers[1].Pod = "", "" }), "0 of 1, NotCovered: the DNS servers are not pods: needs --debug-pod, True"},
		"the cloud's servers": {with(with(db(time.Hour), servers()), func(s *Snapshot) {
			s.Vantage.Pods.Nameservers, s.Vantage.Pods.Service = []string{"169.254.169.254"}, ""
		}),
			"0 of 1, NotCovered: the DNS servers are not pods, and pods query 169.254.169.254: needs --debug-pod, True"},
		"the cloud's servers beside pods": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) {
			s.Vantage.Pods.Nameservers, s.Vantage.Pods.Service = []string{"169.254.169.254"}, ""
		}),
			"1 of 1, " + udp + ", NotCovered: the cloud's 169.254.169.254, which pods query: needs --debug-pod, True"},
		"no Service": {with(db(time.Hour), noService), "0 of 1, Unread: no DNS Service was found (looked for kube-system/kube-dns, k8s-app=kube-dns, 10.96.0.10): name it with --dns-service, or use --debug-pod, Unknown"},
		"no Service, and no pods of DNS": {with(with(db(time.Hour), noService), func(s *Snapshot) { s.PodsServiceRead, s.DNSPodsRead = true, true }),
			"0 of 1, Unread: no DNS Service was found (looked for kube-system/kube-dns, k8s-app=kube-dns, 10.96.0.10): name it with --dns-service, or use --debug-pod, Unknown"},
		"no Service before its pods": {with(with(db(time.Hour), noService), func(s *Snapshot) {
			s.PodsServiceRead, s.DNSPodsRead, s.DNSPods = true, true, []corev1.Pod{serverPod("a", time.Hour, "True", time.Hour)}
		}), "0 of 1, Unread: no DNS Service was found (looked for kube-system/kube-dns, k8s-app=kube-dns, 10.96.0.10): name it with --dns-service, or use --debug-pod, Unknown"},
		"no right": {with(with(db(time.Hour), nothing), func(s *Snapshot) { s.NotAsked, s.Vantage.Pods = "no permission to create pods/portforward", nil }),
			"0 of 1, Unread: no permission to create pods/portforward, NotCovered: pods' resolv.conf: needs --debug-pod, Unknown"},

		"another domain": {with(db(time.Hour), func(s *Snapshot) { s.Vantage.ServedDomain = "corp.example" }), "DNS022 error, 1 of 1, " + udp + ", False"},
		"another domain, without upstream": {with(db(time.Hour), func(s *Snapshot) {
			s.Vantage.ServedDomain, s.Vantage.ClusterDomain, s.Vantage.Pods.Domain = "cluster.local", "corp.example", "corp.example"
			for i := range s.Answers {
				s.Answers[i].Question.Name, s.Answers[i].Status = "db.x.svc.corp.example.", resolve.StatusServFail
			}
		}), "DNS022 error, 1 of 1, " + udp + ", False"},
		"no domain":            {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Domain = "" }), "DNS022 error, 1 of 1, " + udp + ", False"},
		"the same domain":      {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Domain = "Cluster.local" }), "1 of 1, " + udp + ", True"},
		"a cache on the node":  {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Nameservers = []string{"169.254.20.10"} }), "1 of 1, " + udp + ", True"},
		"no name servers":      {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Nameservers = nil }), "DNS023 error, 1 of 1, " + udp + ", False"},
		"no Service's address": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Nameservers, s.PodsServiceRead = []string{"10.96.0.11"}, true }), "DNS023 error, 1 of 1, " + udp + ", False"},
		"beside the cluster":   {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Nameservers, s.PodsServiceRead = []string{"192.0.2.53"}, true }), "DNS023 warning, 1 of 1, " + udp + ", False"},
		"the node's": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) {
			s.Vantage.Pods.Nameservers, s.PodsServiceRead, s.Pods = []string{"192.0.2.53"}, true, []corev1.Pod{{Status: corev1.PodStatus{HostIP: "192.0.2.53"}}}
		}), "1 of 1, " + udp + ", True"},
		"a server's":               {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Nameservers, s.PodsServiceRead = []string{"10.0.0.2"}, true }), "1 of 1, " + udp + ", True"},
		"which Service is unknown": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) { s.Vantage.Pods.Nameservers = []string{"10.96.0.11"} }), "1 of 1, " + udp + ", True"},
		"another Service": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) {
			s.Vantage.Pods.Nameservers, s.PodsServiceRead, s.PodsService, s.PodsServers = []string{"10.96.0.11"}, true, s.DNSService, []v1alpha1.DNSServer{{Address: "10.0.0.9", Ready: true}}
		}), "1 of 1, " + udp + ", True"},
		"another Service without servers": {with(db(time.Hour, "10.1.0.5"), func(s *Snapshot) {
			s.Vantage.Pods.Nameservers, s.PodsServiceRead, s.PodsService = []string{"10.96.0.11"}, true, s.DNSService
		}), "DNS023 error, 1 of 1, " + udp + ", False"},
	} {
		if got := said(Analyze(c.s, time.Time{})); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

// TestNodeLocalIsSlower gives the cache on the node its time, where a pod asked through it.
func TestNodeLocalIsSlower(t *testing.T) {
	for changed, want := range map[time.Duration]v1alpha1.DNSVerdict{64 * time.Second: v1alpha1.VerdictPending, 66 * time.Second: v1alpha1.VerdictMissing} {
		s := db(changed)
		s.Vantage.Kind, s.NodeLocalPods = v1alpha1.VantageDebugPod, []string{"kube-system/node-local-dns-x"}
		if r := Analyze(s, time.Time{}).Items[0].Records[0]; r.Verdict != want {
			t.Errorf("after %s: %s", changed, r.Verdict)
		}
	}
}

// TestTimeOfAsking judges at the time of the answers, however late that is looked at.
func TestTimeOfAsking(t *testing.T) {
	s := db(time.Second)
	if r := Analyze(s, noon.Add(time.Hour)).Items[0].Records[0]; r.Verdict != v1alpha1.VerdictPending {
		t.Errorf("%+v", r)
	}
	s.AskedAt = nil
	if r := Analyze(s, noon.Add(time.Hour)).Items[0].Records[0]; r.Verdict != v1alpha1.VerdictMissing {
		t.Errorf("%+v", r)
	}
}

// TestNotReadyInTime tells a pod that starts from one that is late, or was ready before.
func TestNotReadyInTime(t *testing.T) {
	s := db(time.Hour)
	s.Services[0].Spec.Selector = map[string]string{"app": "db"}
	s.EndpointSlices[0].Endpoints = nil
	for _, c := range []struct {
		name          string
		made, changed time.Duration
	}{{"db-0", time.Hour, time.Minute}, {"db-1", time.Minute, time.Minute}, {"db-2", 20 * time.Minute, 20 * time.Minute}} {
		pod := serverPod(c.name, c.made, "False", c.changed)
		pod.Namespace, pod.Labels = "x", map[string]string{"app": "db"}
		s.Pods = append(s.Pods, pod)
		no := false
		s.EndpointSlices[0].Endpoints = append(s.EndpointSlices[0].Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.1.0.7"}, Conditions: discoveryv1.EndpointConditions{Ready: &no}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: c.name},
		})
	}
	var got []string
	for _, f := range Findings(Analyze(s, time.Time{})) {
		if f.Code == v1alpha1.CodeDNSNotReady {
			got = append(got, fmt.Sprintf("%s %v %v", f.Severity, f.Progressing, finding.Objects(f.Objects, "x")))
		}
	}
	if want := "warning false [pod/db-0 pod/db-2], info true [pod/db-1]"; strings.Join(got, ", ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestFirstPods gives a new Service, and one whose set is new or being changed, the time to have pods, unless its selector is wrong.
func TestFirstPods(t *testing.T) {
	for name, c := range map[string]struct {
		service, set, changed time.Duration
		app                   string
		observed              int64
		progressing           bool
	}{
		"all is old":          {service: time.Hour, set: time.Hour, changed: time.Hour, app: "db", observed: 2},
		"a new Service":       {service: time.Second, set: time.Hour, changed: time.Hour, app: "db", observed: 2, progressing: true},
		"a new set":           {service: time.Hour, set: time.Second, changed: time.Hour, app: "db", observed: 2, progressing: true},
		"scaled up":           {service: time.Hour, set: time.Hour, changed: time.Hour, app: "db", observed: 1, progressing: true},
		"its pod has gone":    {service: time.Hour, set: time.Hour, changed: time.Second, app: "db", observed: 2, progressing: true},
		"a selector is wrong": {service: time.Second, set: time.Second, changed: time.Second, app: "typo", observed: 1},
	} {
		s := db(c.changed)
		s.EndpointSlices[0].Endpoints = nil
		s.Services[0].CreationTimestamp, s.Services[0].Spec.Selector = before(c.service), map[string]string{"app": "db"}
		set := appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "db", UID: "u", Generation: 2, CreationTimestamp: before(c.set)}}
		set.Spec.ServiceName, set.Spec.Template.Labels, set.Status.ObservedGeneration = "db", map[string]string{"app": c.app}, c.observed
		s.StatefulSets = []appsv1.StatefulSet{set}
		found := false
		for _, f := range Findings(Analyze(s, time.Time{})) {
			if f.Code == v1alpha1.CodeDNSSelectsNothing {
				found = true
				if f.Progressing != c.progressing {
					t.Errorf("%s: %+v", name, f)
				}
			}
		}
		if !found {
			t.Errorf("%s: nothing", name)
		}
	}
}

// TestKnownDNSServices knows the Service by its label, by its names, and not what exports metrics of DNS servers.
func TestKnownDNSServices(t *testing.T) {
	service := func(namespace, name, app, ip string, port int32) corev1.Service {
		return corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{appLabel: app}}, Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: port}}}}
	}
	for want, list := range map[string][]corev1.Service{
		"rke2-coredns-rke2-coredns": {service("kube-system", "rke2-coredns-metrics", dnsApp, "None", 9153), service("kube-system", "rke2-coredns-rke2-coredns", dnsApp, "10.43.0.10", 53)},
		"coredns":                   {service("kube-system", "metrics", dnsApp, "10.43.0.11", 9153), service("kube-system", "coredns", "", "10.43.0.10", 53)},
		"":                          {service("kube-system", "other", "", "10.43.0.10", 53), service("x", "coredns", "", "10.43.0.10", 53), service("kube-system", "headless", dnsApp, "None", 53)},
	} {
		got := ""
		if found := likely(list); found != nil {
			got = found.Name
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestTooEarly leaves out the names that a pod which is starting will have: asking for them makes caches answer that there are
// none. A pod that does not start any more is asked for.
func TestTooEarly(t *testing.T) {
	pod := func(name string, age time.Duration, change func(*corev1.Pod)) corev1.Pod {
		p := serverPod(name, age, corev1.ConditionFalse, age)
		p.Namespace, p.Labels, p.Spec.Hostname, p.Spec.Subdomain = "x", map[string]string{"app": "db"}, name, "db"
		if change != nil {
			change(&p)
		}
		return p
	}
	s := db(time.Hour)
	s.Services[0].Spec.Selector = map[string]string{"app": "db"}
	s.EndpointSlices[0].Endpoints = nil
	s.Pods = []corev1.Pod{
		pod("db-0", 20*time.Second, nil),
		pod("db-1", time.Hour, nil),
		pod("db-2", 20*time.Second, func(p *corev1.Pod) { p.Spec.Subdomain = "other" }),
		pod("db-3", 20*time.Second, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount = 2 }),
	}
	if got, want := strings.Join(tooEarly(s, noon), " "), "db.x.svc.cluster.local. db-0.db.x.svc.cluster.local."; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	s.TooEarly = tooEarly(s, noon)
	s.Answers = slices.DeleteFunc(s.Answers, func(a resolve.Answer) bool { return slices.Contains(s.TooEarly, a.Question.Name) })
	item := Analyze(s, noon).Items[0]
	for _, r := range item.Records {
		if early := slices.Contains(s.TooEarly, r.Name); early != (r.Verdict == v1alpha1.VerdictPending) || early && r.Reason != comesSoon {
			t.Errorf("%s: %s, %s", r.Name, r.Verdict, r.Reason)
		}
	}
	if part := Checked(&item); !slices.ContainsFunc(part.Gaps, func(g v1alpha1.Gap) bool {
		return g.Kind == v1alpha1.GapPending && g.Number == 2 && g.Reason == comesSoon
	}) {
		t.Errorf("%+v", part)
	}
	s.Pods = s.Pods[1:2]
	if got := tooEarly(s, noon); len(got) > 0 {
		t.Errorf("of a pod that is not starting any more: %q", got)
	}
}

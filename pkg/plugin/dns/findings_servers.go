package dns

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// clusterFindings are about DNS itself and the place from which it was asked.
func clusterFindings(x *index, servers []serverState, items []v1alpha1.HeadlessDNS) []v1alpha1.Finding {
	var f findings
	answers := x.counting(slices.Concat(x.Answers, x.Again, x.OtherFamily))
	if x.outside {
		answers = nil // they say nothing about the cluster's DNS servers
	}
	answered := slices.ContainsFunc(answers, func(a resolve.Answer) bool { return a.Status == resolve.StatusNoError })
	none := noServer(x, servers, answered, &f)
	if !none {
		notReadyServers(x, servers, &f)
	}
	restarts(x, &f)
	nodeServers(x, &f)
	outsider(x, items, &f)
	foreign := podResolution(x, items, &f)
	nodeLocal(x, &f)
	blocked := networkPolicies(x, answers, &f)
	if !none && !blocked {
		noAnswers(x, answers, answered, &f)
	}
	failures(answers, foreign, &f)
	disagreement(x, &f)
	otherFamily(x, &f)
	if !x.outside && len(x.wrong) == 0 { // else that is why names are not found
		searchPath(x, items, &f)
	}
	return f.sorted()
}

// noServer reports a DNS Service without servers, and one that was not found although names are: DNS is somewhere else then. It
// reports whether that accounts for answers that did not come.
func noServer(x *index, servers []serverState, answered bool, f *findings) (none bool) {
	if x.unread(subjectServers) {
		return false
	}
	service := "service/" + x.DNSServiceName
	elsewhere, _ := x.asksElsewhere()
	switch {
	case x.DNSService == nil && answered:
		f.add(v1alpha1.CodeDNSNoServer, v1alpha1.SeverityInfo, []string{service}, "kubectl doik dns --dns-service=NAMESPACE/NAME",
			"the DNS Service %s does not exist, yet names resolve: something else serves them", x.DNSServiceName)
		return false
	case x.DNSService == nil, slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Ready }), elsewhere && !answered:
		withoutUDP(x, f)
		return false
	}
	remedy := fmt.Sprintf("kubectl get pods,endpointslices -n %s", x.DNSService.Namespace)
	of := fmt.Sprintf("none of the %d DNS servers behind Service %s is ready", len(servers), x.DNSServiceName)
	if len(servers) == 0 {
		of = fmt.Sprintf("no DNS server is behind Service %s", x.DNSServiceName)
	}
	if why := troubles(servers); why != "" {
		of += ": " + why
	}
	switch {
	case answered:
		f.add(v1alpha1.CodeDNSNoServer, v1alpha1.SeverityInfo, []string{service}, remedy, "%s, yet names resolve: something else serves them", of)
	case x.starting:
		f.progress(v1alpha1.CodeDNSNoServer, []string{service}, remedy, "%s", of)
	default:
		f.add(v1alpha1.CodeDNSNoServer, v1alpha1.SeverityCritical, []string{service}, remedy, "%s", of)
	}
	return !answered
}

// withoutUDP reports a DNS Service that takes no questions over UDP, over which pods ask first, where they ask it and nothing in between. It shows
// nowhere else where the servers were asked over TCP.
func withoutUDP(x *index, f *findings) {
	p := x.Vantage.Pods
	if x.DNSService == nil || p == nil || p.Service != x.DNSServiceName || len(x.NodeLocalPods) > 0 || len(x.DNSService.Spec.Ports) == 0 ||
		slices.ContainsFunc(x.DNSService.Spec.Ports, func(port corev1.ServicePort) bool { return port.Port == dnsPort && port.Protocol != corev1.ProtocolTCP }) {
		return
	}
	f.add(v1alpha1.CodeDNSNoServer, v1alpha1.SeverityCritical, []string{"service/" + x.DNSServiceName}, "kubectl describe service "+x.DNSService.Name+" -n "+x.DNSService.Namespace,
		"Service %s has no UDP port %d, over which pods query it first", x.DNSServiceName, dnsPort)
}

// troubles says of the first few servers why they are not ready.
func troubles(servers []serverState) string {
	var list []string
	for _, s := range servers {
		if !s.ready && s.why != "" {
			list = append(list, s.name+" ("+s.why+")")
		}
	}
	return finding.Some(list)
}

// notReadyServers reports servers that are not ready while others are: the others have all the work, and the next that fails is the last.
func notReadyServers(x *index, servers []serverState, f *findings) {
	var late, inTime []serverState
	ready := 0
	for _, s := range servers {
		switch {
		case s.ready:
			ready++
		case s.InTime():
			inTime = append(inTime, s)
		default:
			late = append(late, s)
		}
	}
	if ready == 0 || x.DNSService == nil {
		return
	}
	tell := func(list []serverState) (objects []string, remedy, message string) {
		var names []string
		for _, s := range list {
			name := s.name
			if s.why != "" {
				name += " (" + s.why + ")"
			}
			names, objects = append(names, name), append(objects, "pod/"+s.name)
		}
		namespace, pod, isPod := strings.Cut(list[0].name, "/")
		if isPod {
			remedy = fmt.Sprintf("kubectl describe pod %s -n %s", pod, namespace)
		} else {
			objects = nil
		}
		return objects, remedy, fmt.Sprintf("%d of %d DNS servers %s not ready: %s", len(list), len(servers), isAre(len(list)), finding.Some(names))
	}
	if len(late) > 0 {
		objects, remedy, message := tell(late)
		f.add(v1alpha1.CodeDNSServerNotReady, v1alpha1.SeverityWarning, objects, remedy, "%s", message)
	}
	if len(inTime) > 0 {
		objects, remedy, message := tell(inTime)
		f.progress(v1alpha1.CodeDNSServerNotReady, objects, remedy, "%s", message)
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// nodeLocal reports a cache on each node: what it holds outlives what the DNS servers know.
func nodeLocal(x *index, f *findings) {
	nameservers := slices.Clone(x.Vantage.Nameservers)
	if x.Vantage.Pods != nil {
		nameservers = append(nameservers, x.Vantage.Pods.Nameservers...)
	}
	message := ""
	for _, nameserver := range nameservers {
		if linkLocal(nameserver) && !cloudResolver(nameserver) {
			message = fmt.Sprintf("pods query %s, a cache on their node", nameserver)
		}
	}
	switch {
	case len(x.NodeLocalPods) > 0 && message == "":
		message = fmt.Sprintf("pods query a cache on their node (%s)", finding.Some(x.NodeLocalPods))
	case len(x.NodeLocalPods) > 0:
		message += fmt.Sprintf(" (%s)", finding.Some(x.NodeLocalPods))
	}
	if message != "" {
		f.add(v1alpha1.CodeDNSNodeLocalCache, v1alpha1.SeverityInfo, prefixed("pod/", x.NodeLocalPods), "", "%s, which caches answers in addition to the DNS servers' own caches", message)
	}
}

// noAnswers tells which servers did not answer, over what.
func noAnswers(x *index, answers []resolve.Answer, answered bool, f *findings) {
	type silent struct {
		server string
		tcp    bool
	}
	counts, details := map[silent]int{}, map[silent]string{}
	overUDP, truncated := false, false
	for i := range answers {
		a := &answers[i]
		truncated = truncated || a.Truncated
		if !a.OverTCP && !a.Question.TCP && a.Status == resolve.StatusNoError {
			overUDP = true
		}
		if a.Unanswered() {
			key := silent{a.Server, a.OverTCP || a.Question.TCP}
			counts[key]++
			details[key] = strings.ToLower(cmp.Or(a.Detail, string(a.Status)))
		}
	}
	remedy := "kubectl get pods -A -l " + dnsServices + " -o wide"
	ofServers := x.counting(x.ServerAnswers)
	direct := slices.ContainsFunc(ofServers, func(a resolve.Answer) bool { return a.Status == resolve.StatusNoError })
	past := ""
	if direct && !answered {
		past = "; the DNS servers themselves answer, so it is lost between the Service and them (kube-proxy or what does its work)"
		if x.Vantage.Node != "" {
			past += " on node " + x.Vantage.Node
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b silent) int {
		return cmp.Or(cmp.Compare(a.server, b.server), boolOrder(a.tcp)-boolOrder(b.tcp))
	}) {
		who := x.serverName(key.server)
		if key.tcp && overUDP {
			severity, consequence := v1alpha1.SeverityWarning, "long answers, such as those of large sets, need TCP"
			if truncated {
				severity, consequence = v1alpha1.SeverityError, "some answers do not fit into UDP"
			}
			f.add(v1alpha1.CodeDNSTCP, severity, nil, "", "%s answers over UDP but not over TCP (%s): %s", who, details[key], consequence)
			continue
		}
		if x.changing && x.answered(key.tcp) { // the network of a node may be a moment late
			f.progress(v1alpha1.CodeDNSNoAnswer, nil, remedy, "no answer from %s to %s over %s: %s", who, questions(counts[key]), transport(key.tcp), serversChanging)
			continue
		}
		severity := v1alpha1.SeverityError
		if !answered {
			severity = v1alpha1.SeverityCritical
		}
		f.add(v1alpha1.CodeDNSNoAnswer, severity, nil, remedy, "no answer from %s to %s over %s: %s%s", who, questions(counts[key]), transport(key.tcp), details[key], past)
	}
	asked := map[string]string{}
	for i := range ofServers {
		if a := &ofServers[i]; a.Unanswered() {
			asked[a.Question.Server] = strings.ToLower(cmp.Or(a.Detail, string(a.Status)))
		}
	}
	if !answered && !direct {
		return // no server answers at all
	}
	for _, server := range slices.Sorted(maps.Keys(asked)) {
		f.add(v1alpha1.CodeDNSNoAnswer, v1alpha1.SeverityError, nil, remedy,
			"the DNS server %s does not answer: %s; some queries to the DNS Service are routed to it", x.serverName(server), asked[server])
	}
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

func transport(tcp bool) string {
	if tcp {
		return "TCP"
	}
	return "UDP"
}

func questions(n int) string {
	if n == 1 {
		return "one question"
	}
	return fmt.Sprintf("%d questions", n)
}

// serverName is a server's address with the pod that has it.
func (x *index) serverName(address string) string {
	switch pod := x.serverPod(address); {
	case address == "":
		return "the DNS servers"
	case pod != "":
		return fmt.Sprintf("%s (%s)", pod, address)
	case x.DNSService != nil && objects.HasClusterIP(x.DNSService, address):
		return fmt.Sprintf("Service %s (%s)", x.DNSService.Name, address)
	}
	return address
}

// failures reports answers that are errors, but not to names in a domain that the servers don't have. Names that go through the search path are at last asked for outside the cluster, where a
// failure is no surprise.
func failures(answers []resolve.Answer, foreign string, f *findings) {
	names := map[string][]string{}
	for i := range answers {
		a := &answers[i]
		failed := a.Status == resolve.StatusServFail || a.Status == resolve.StatusRefused || a.Status == resolve.StatusInvalid || strings.HasPrefix(string(a.Status), "RCODE ")
		if !failed || a.Question.Search || foreign != "" && strings.HasSuffix(strings.ToLower(a.Question.Name), foreign) {
			continue
		}
		key := string(a.Status)
		if a.Status == resolve.StatusInvalid {
			key = joined(key, a.Detail)
		}
		names[key] = append(names[key], a.Question.Name)
	}
	for _, status := range slices.Sorted(maps.Keys(names)) {
		list := names[status]
		slices.Sort(list)
		f.add(v1alpha1.CodeDNSFailure, v1alpha1.SeverityError, nil, "kubectl logs -n kube-system -l "+dnsServices,
			"the DNS servers answer with %s to %s", status, finding.Some(slices.Compact(list)))
	}
}

// searchPath reports short names that are not found although the full name is, or that are found as something else.
func searchPath(x *index, items []v1alpha1.HeadlessDNS, f *findings) {
	var notFound, elsewhere []string
	for i := range items {
		full := map[string]v1alpha1.DNSRecord{}
		for _, r := range items[i].Records {
			if !r.Search && !r.TCP {
				full[string(r.Type)+" "+r.Name] = r
			}
		}
		for _, r := range items[i].Records {
			if !r.Search || len(r.Answers) == 0 {
				continue
			}
			fullName := r.Name + ".svc." + x.domain() + "."
			if items[i].Metadata.Namespace == x.Vantage.Namespace {
				fullName = r.Name + "." + items[i].Metadata.Namespace + ".svc." + x.domain() + "."
			}
			found := r.Answers[len(r.Answers)-1].FullName
			switch {
			case len(r.Observed) > 0 && found != "" && found != fullName:
				elsewhere = append(elsewhere, fmt.Sprintf("%s resolves as %s", r.Name, found))
			case r.Verdict == v1alpha1.VerdictMissing && full[string(r.Type)+" "+fullName].Verdict == v1alpha1.VerdictOK:
				notFound = append(notFound, r.Name)
			}
		}
	}
	for i := range x.Undotted {
		if a := &x.Undotted[i]; len(a.Records) > 0 && a.FullName != "" && a.FullName != a.Question.Name+"." {
			f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityError, podObject(x.Vantage.Pod), "",
				"full names without a dot at their end lead elsewhere: %s resolves as %s: a domain of the search path has an address for any name (resolv.conf of %s: search %s)",
				a.Question.Name, a.FullName, x.Vantage.Pod, strings.Join(x.Vantage.Search, " "))
		}
	}
	config := fmt.Sprintf("search %s, options %s", cmp.Or(strings.Join(x.Vantage.Search, " "), "none"), cmp.Or(strings.Join(x.Vantage.Options, " "), "none"))
	if len(notFound) > 0 {
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityError, podObject(x.Vantage.Pod), "",
			"short names do not resolve, although the full names do: %s (resolv.conf of %s: %s)", finding.Some(notFound), x.Vantage.Pod, config)
	}
	if len(elsewhere) > 0 {
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityWarning, podObject(x.Vantage.Pod), "",
			"the search path leads to other names: %s (resolv.conf of %s: %s)", finding.Some(elsewhere), x.Vantage.Pod, config)
	}
}

func podObject(name string) []string {
	if name == "" {
		return nil
	}
	return []string{"pod/" + name}
}

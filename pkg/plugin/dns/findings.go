package dns

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// longestSetName is the longest name of a StatefulSet whose revisions, with a dash and a hash of ten, still make a label's value.
const longestSetName = 63 - 11

// findings collects findings.
type findings []v1alpha1.Finding

func (f *findings) add(code v1alpha1.Code, severity v1alpha1.Severity, objects []string, remedy, format string, args ...any) {
	*f = append(*f, v1alpha1.Finding{Code: code, Severity: severity, Objects: objects, Message: fmt.Sprintf(format, args...), Remedy: cmp.Or(remedy, finding.Page(code))})
}

// sorted are the worst first.
func (f findings) sorted() []v1alpha1.Finding {
	finding.Sort(f)
	return f
}

// clusterFindings are about DNS itself and the place from which it was asked.
func clusterFindings(x *index, items []v1alpha1.HeadlessDNS) []v1alpha1.Finding {
	var f findings
	answers := slices.Concat(x.Answers, x.Again)
	answered := slices.ContainsFunc(answers, func(a resolve.Answer) bool { return a.Status == resolve.StatusNoError })
	none := noServer(x, answered, &f)
	nodeLocal(x, &f)
	blocked := networkPolicies(x, answers, &f)
	if !none && !blocked {
		noAnswers(x, answers, answered, &f)
	}
	failures(answers, &f)
	disagreement(x, &f)
	searchPath(x, items, &f)
	return f.sorted()
}

// noServer tells of a cluster without a DNS Service, or of one without servers. Where names are found all the same, DNS is
// somewhere else. It reports whether that accounts for answers that did not come.
func noServer(x *index, answered bool, f *findings) (none bool) {
	if x.unread(subjectServers) {
		return false
	}
	severity := v1alpha1.SeverityCritical
	elsewhere := ""
	if answered {
		severity, elsewhere = v1alpha1.SeverityInfo, "; names are found all the same: from somewhere else"
	}
	service := "service/" + x.DNSServiceName
	_, name, _ := strings.Cut(x.DNSServiceName, "/")
	namespace := strings.TrimSuffix(x.DNSServiceName, "/"+name)
	isReady := func(s v1alpha1.DNSServer) bool { return s.Ready }
	switch {
	case x.DNSService == nil:
		f.add(v1alpha1.CodeDNSNoServer, severity, []string{service}, "name it with --dns-service=NAMESPACE/NAME",
			"there is no DNS Service %s%s", x.DNSServiceName, elsewhere)
	case !slices.ContainsFunc(x.Vantage.Servers, isReady):
		f.add(v1alpha1.CodeDNSNoServer, severity, []string{service}, "kubectl get pods,endpointslices -n "+namespace,
			"none of the %d DNS servers behind Service %s is ready%s", len(x.Vantage.Servers), x.DNSServiceName, elsewhere)
		return !answered
	}
	return false
}

// nodeLocal tells of a cache on each node: what it holds outlives what the DNS servers know.
func nodeLocal(x *index, f *findings) {
	message := ""
	for _, nameserver := range x.Vantage.Nameservers {
		if address, err := netip.ParseAddr(nameserver); err == nil && address.IsLinkLocalUnicast() {
			message = fmt.Sprintf("pods ask %s, a cache on their node", nameserver)
		}
	}
	switch {
	case len(x.NodeLocalPods) > 0 && message == "":
		message = fmt.Sprintf("pods ask a cache on their node (%s)", finding.Some(x.NodeLocalPods))
	case len(x.NodeLocalPods) > 0:
		message += fmt.Sprintf(" (%s)", finding.Some(x.NodeLocalPods))
	}
	if message != "" {
		f.add(v1alpha1.CodeDNSNodeLocalCache, v1alpha1.SeverityInfo, prefixed("pod/", x.NodeLocalPods), "", "%s, which keeps answers beside the DNS servers' own caches", message)
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
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b silent) int {
		return cmp.Or(cmp.Compare(a.server, b.server), boolOrder(a.tcp)-boolOrder(b.tcp))
	}) {
		who := x.serverName(key.server)
		if key.tcp && overUDP {
			severity, consequence := v1alpha1.SeverityWarning, "long answers, such as those of large sets, need TCP"
			if truncated {
				severity, consequence = v1alpha1.SeverityError, "there are answers that do not fit into UDP"
			}
			f.add(v1alpha1.CodeDNSTCP, severity, nil, "", "%s answers over UDP and not over TCP (%s): %s", who, details[key], consequence)
			continue
		}
		severity := v1alpha1.SeverityError
		if !answered {
			severity = v1alpha1.SeverityCritical
		}
		f.add(v1alpha1.CodeDNSNoAnswer, severity, nil, remedy, "no answer from %s to %s over %s: %s", who, questions(counts[key]), transport(key.tcp), details[key])
	}
	asked := map[string]string{}
	for i := range x.ServerAnswers {
		if a := &x.ServerAnswers[i]; a.Unanswered() {
			asked[a.Question.Server] = strings.ToLower(cmp.Or(a.Detail, string(a.Status)))
		}
	}
	if !answered {
		return // nobody answers at all
	}
	for _, server := range slices.Sorted(maps.Keys(asked)) {
		f.add(v1alpha1.CodeDNSNoAnswer, v1alpha1.SeverityError, nil, remedy,
			"the DNS server %s does not answer: %s; of the questions to the DNS Service a part goes to it", x.serverName(server), asked[server])
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
	case x.DNSService != nil && slices.Contains(append(x.DNSService.Spec.ClusterIPs, x.DNSService.Spec.ClusterIP), address):
		return fmt.Sprintf("Service %s (%s)", x.DNSService.Name, address)
	}
	return address
}

// failures tells of answers that are errors. Names that go through the search path are at last asked for outside the cluster, where a
// failure is no surprise.
func failures(answers []resolve.Answer, f *findings) {
	names := map[string][]string{}
	for i := range answers {
		a := &answers[i]
		failed := a.Status == resolve.StatusServFail || a.Status == resolve.StatusRefused || a.Status == resolve.StatusInvalid || strings.HasPrefix(string(a.Status), "RCODE ")
		if !failed || a.Question.Search {
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

// disagreement tells of servers that give different answers to the same question.
func disagreement(x *index, f *findings) {
	type view struct{ data, server string }
	views := map[resolve.Question][]view{}
	take := func(a *resolve.Answer) {
		q := a.Question
		if a.Unanswered() || a.Status == resolve.StatusUnsupported || a.Status == resolve.StatusNotAsked || q.Search {
			return
		}
		q.Server = ""
		text := string(a.Status)
		if data := x.observedData(&expectation{question: q}, a); len(data) > 0 {
			text = strings.Join(data, ", ")
		}
		if !slices.ContainsFunc(views[q], func(v view) bool { return v.server == a.Server }) {
			views[q] = append(views[q], view{text, a.Server})
		}
	}
	if x.Vantage.Kind == v1alpha1.VantageServers {
		for i := range x.Answers {
			take(&x.Answers[i])
		}
	}
	for i := range x.ServerAnswers {
		take(&x.ServerAnswers[i])
	}
	var differing []resolve.Question
	for q, list := range views {
		if slices.ContainsFunc(list, func(v view) bool { return v.data != list[0].data }) {
			differing = append(differing, q)
		}
	}
	if len(differing) == 0 {
		return
	}
	slices.SortFunc(differing, func(a, b resolve.Question) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	first := differing[0]
	var said []string
	for _, v := range views[first] {
		said = append(said, fmt.Sprintf("%s says %s", x.serverName(v.server), v.data))
	}
	more := ""
	if len(differing) > 1 {
		more = fmt.Sprintf(" and %d more", len(differing)-1)
	}
	f.add(v1alpha1.CodeDNSServersDisagree, v1alpha1.SeverityWarning, nil, "",
		"the DNS servers disagree about %s %s%s: %s", first.Type, first.Name, more, strings.Join(said, "; "))
}

// searchPath tells of short names that are not found although the full name is, or that are found as something else.
func searchPath(x *index, items []v1alpha1.HeadlessDNS, f *findings) {
	var notFound, elsewhere []string
	for i := range items {
		full := map[string]v1alpha1.DNSRecord{}
		for _, r := range items[i].Records {
			if !r.Search && !r.TCP {
				full[r.Type+" "+r.Name] = r
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
				elsewhere = append(elsewhere, fmt.Sprintf("%s is found as %s", r.Name, found))
			case r.Verdict == v1alpha1.VerdictMissing && full[r.Type+" "+fullName].Verdict == v1alpha1.VerdictOK:
				notFound = append(notFound, r.Name)
			}
		}
	}
	config := fmt.Sprintf("search %s, options %s", cmp.Or(strings.Join(x.Vantage.Search, " "), "none"), cmp.Or(strings.Join(x.Vantage.Options, " "), "none"))
	if len(notFound) > 0 {
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityError, podObject(x.Vantage.Pod), "",
			"short names are not found although the full ones are: %s (resolv.conf of %s: %s)", finding.Some(notFound), x.Vantage.Pod, config)
	}
	if len(elsewhere) > 0 {
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityWarning, podObject(x.Vantage.Pod), "",
			"the search path leads elsewhere: %s (resolv.conf of %s: %s)", finding.Some(elsewhere), x.Vantage.Pod, config)
	}
}

func podObject(name string) []string {
	if name == "" {
		return nil
	}
	return []string{"pod/" + name}
}

// subjectFindings are about one Service and the pods that it is to give names to.
func subjectFindings(x *index, subject Subject, item *v1alpha1.HeadlessDNS, cluster []v1alpha1.Finding) []v1alpha1.Finding {
	var f findings
	service := x.services[subject]
	governing(x, subject, service, &f)
	for _, set := range x.sets[subject] {
		setFindings(x, set, &f)
	}
	if service != nil && headless(service) {
		otherSets(x, service, &f)
		selection(x, subject, service, &f)
		notReady(x, subject, service, item, &f)
		hostnames(x, subject, service, &f)
		for _, port := range service.Spec.Ports {
			if port.Name == "" {
				f.add(v1alpha1.CodeDNSUnnamedPort, v1alpha1.SeverityInfo, []string{"service/" + service.Name}, "",
					"port %d of Service %s has no name, and so no SRV records", port.Port, service.Name)
			}
		}
	}
	recordFindings(item, cluster, &f)
	return f.sorted()
}

// governing are the three conditions of a Service that gives a set's pods their names: it exists, has the name that the set gives,
// and is headless.
func governing(x *index, subject Subject, service *corev1.Service, f *findings) {
	sets := x.sets[subject]
	if len(sets) == 0 {
		return
	}
	var names []string
	for _, set := range sets {
		names = append(names, set.Name)
	}
	who := finding.Some(names)
	objects := prefixed("statefulset/", names)
	switch {
	case subject.Service == "":
		f.add(v1alpha1.CodeDNSOtherService, v1alpha1.SeverityError, objects, "",
			"StatefulSet %s names no Service (serviceName is empty), and no headless Service selects its pods: they have no DNS names", who)
	case service == nil:
		f.add(v1alpha1.CodeDNSServiceMissing, v1alpha1.SeverityError, append(objects, "service/"+subject.Service),
			"make a headless Service "+subject.Service+" that selects the pods: "+finding.Page(v1alpha1.CodeDNSServiceMissing),
			"Service %s, which StatefulSet %s names, does not exist: its pods have no DNS names", subject.Service, who)
	case service.Spec.Type == corev1.ServiceTypeExternalName:
		f.add(v1alpha1.CodeDNSNotHeadless, v1alpha1.SeverityError, append(objects, "service/"+subject.Service), "",
			"Service %s, which StatefulSet %s names, is an ExternalName (%s): the pods have no DNS names", subject.Service, who, service.Spec.ExternalName)
	case !headless(service):
		f.add(v1alpha1.CodeDNSNotHeadless, v1alpha1.SeverityError, append(objects, "service/"+subject.Service), "",
			"Service %s, which StatefulSet %s names, has the cluster IP %s (it is not headless): the pods have no DNS names", subject.Service, who, service.Spec.ClusterIP)
	}
}

// setFindings are about a set's own name and about how its pods resolve names.
func setFindings(x *index, set *appsv1.StatefulSet, f *findings) {
	object := []string{"statefulset/" + set.Name}
	if len(set.Name) > longestSetName {
		f.add(v1alpha1.CodeDNSNameTooLong, v1alpha1.SeverityError, object, "",
			"the name of StatefulSet %s has %d characters: with more than %d its revisions make no label, and pods can't be created", set.Name, len(set.Name), longestSetName)
	}
	template := &set.Spec.Template.Spec
	switch policy := cmp.Or(template.DNSPolicy, corev1.DNSClusterFirst); {
	case policy == corev1.DNSDefault, policy == corev1.DNSClusterFirst && template.HostNetwork:
		why := "dnsPolicy " + string(policy)
		if template.HostNetwork && policy == corev1.DNSClusterFirst {
			why = "hostNetwork without dnsPolicy ClusterFirstWithHostNet"
		}
		f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityWarning, object, "",
			"the pods of StatefulSet %s use their node's resolv.conf (%s): they find no name of the cluster", set.Name, why)
	case policy == corev1.DNSNone && !usesClusterDNS(x, template.DNSConfig):
		f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityWarning, object, "",
			"the pods of StatefulSet %s use name servers of their own (dnsPolicy None), not the cluster's", set.Name)
	}
	if ndots, low := lowNdots(template.DNSConfig); low {
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityWarning, object, "",
			"in the pods of StatefulSet %s names with a dot, such as %s-0.%s, are asked for outside the cluster first (dnsConfig: ndots:%d)",
			set.Name, set.Name, cmp.Or(set.Spec.ServiceName, "SERVICE"), ndots)
	}
}

func usesClusterDNS(x *index, config *corev1.PodDNSConfig) bool {
	if config == nil || x.DNSService == nil {
		return x.DNSService == nil
	}
	return slices.ContainsFunc(config.Nameservers, func(nameserver string) bool {
		address, err := netip.ParseAddr(nameserver)
		return slices.Contains(append(x.DNSService.Spec.ClusterIPs, x.DNSService.Spec.ClusterIP), nameserver) || err == nil && address.IsLinkLocalUnicast()
	})
}

// lowNdots reads ndots where it is so low that POD.SERVICE counts as a full name.
func lowNdots(config *corev1.PodDNSConfig) (int, bool) {
	if config == nil {
		return 0, false
	}
	for _, option := range config.Options {
		if option.Name == "ndots" && option.Value != nil {
			n, err := strconv.Atoi(*option.Value)
			return n, err == nil && n <= 1
		}
	}
	return 0, false
}

// otherSets tells of sets whose pods a headless Service selects although they name another one.
func otherSets(x *index, service *corev1.Service, f *findings) {
	for i := range x.StatefulSets {
		set := &x.StatefulSets[i]
		if set.Namespace != service.Namespace || set.Spec.ServiceName == service.Name || !selects(service, set.Spec.Template.Labels) {
			continue
		}
		named := x.services[Subject{Namespace: set.Namespace, Service: set.Spec.ServiceName}]
		severity := v1alpha1.SeverityInfo
		other := fmt.Sprintf("names Service %s", set.Spec.ServiceName)
		switch {
		case set.Spec.ServiceName == "":
			severity, other = v1alpha1.SeverityError, "names no Service (serviceName is empty)"
		case named == nil:
			severity, other = v1alpha1.SeverityError, other+", which does not exist"
		case !headless(named):
			severity, other = v1alpha1.SeverityError, other+", which is not headless"
		}
		f.add(v1alpha1.CodeDNSOtherService, severity, []string{"service/" + service.Name, "statefulset/" + set.Name}, "",
			"Service %s selects the pods of StatefulSet %s and gives them no names of their own: the set %s", service.Name, set.Name, other)
	}
}

// selection tells of a selector that matches nothing: it is wrong, or there are no pods, which then are named.
func selection(x *index, subject Subject, service *corev1.Service, f *findings) {
	if len(service.Spec.Selector) == 0 || x.unread(subjectPods) {
		return
	}
	for _, pod := range x.pods[subject.Namespace] {
		if selects(service, pod.Labels) {
			return
		}
	}
	selector := metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: service.Spec.Selector})
	wrong, none := "", ""
	var noPods []string
	for _, set := range x.sets[subject] {
		switch {
		case !selects(service, set.Spec.Template.Labels):
			wrong = fmt.Sprintf("; the pods of StatefulSet %s have %s", set.Name, metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: set.Spec.Template.Labels}))
		case replicas(set) == 0:
			return // nothing is what is wanted
		case slices.ContainsFunc(x.pods[subject.Namespace], func(pod *corev1.Pod) bool { return metav1.IsControlledBy(pod, set) }):
			wrong = fmt.Sprintf("; the pods of StatefulSet %s don't have the labels of its template", set.Name)
		default:
			none = fmt.Sprintf("; StatefulSet %s has no pods", set.Name)
			noPods = append(noPods, podNames(set)...)
		}
	}
	if wrong != "" {
		noPods = nil
	}
	f.add(v1alpha1.CodeDNSSelectsNothing, v1alpha1.SeverityError, append([]string{"service/" + service.Name}, prefixed("pod/", noPods)...),
		"kubectl get pods --show-labels -n "+subject.Namespace,
		"the selector of Service %s (%s) matches no pod%s", service.Name, selector, cmp.Or(wrong, none))
}

// replicas is how many pods a set is to have.
func replicas(set *appsv1.StatefulSet) int32 {
	if set.Spec.Replicas == nil {
		return 1
	}
	return *set.Spec.Replicas
}

// podNames are the names of the pods that a set is to have.
func podNames(set *appsv1.StatefulSet) []string {
	start := int32(0)
	if set.Spec.Ordinals != nil {
		start = set.Spec.Ordinals.Start
	}
	names := make([]string, replicas(set))
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", set.Name, start+int32(i))
	}
	return names
}

// notReady tells of pods that are left out until they are ready.
func notReady(x *index, subject Subject, service *corev1.Service, item *v1alpha1.HeadlessDNS, f *findings) {
	if service.Spec.PublishNotReadyAddresses {
		return
	}
	left := map[string]bool{}
	for _, r := range item.Records {
		if r.NoneExpected == "the pod is not ready" {
			left[r.Pod] = true
		}
	}
	for _, e := range x.endpoints(subject) {
		if !e.ready && e.pod != "" {
			left[e.pod] = true
		}
	}
	if len(left) == 0 {
		return
	}
	pods := slices.SortedFunc(maps.Keys(left), compareNames)
	verb := "are"
	if len(pods) == 1 {
		verb = "is"
	}
	f.add(v1alpha1.CodeDNSNotReady, v1alpha1.SeverityWarning, prefixed("pod/", pods), "kubectl describe pod "+pods[0]+" -n "+subject.Namespace,
		"%s %s not ready and therefore left out of Service %s (publishNotReadyAddresses is false)", finding.Some(pods), verb, service.Name)
}

// hostnames tells of pods that a headless Service lists without a name of their own.
func hostnames(x *index, subject Subject, service *corev1.Service, f *findings) {
	var nameless, owned []string
	for _, e := range x.endpoints(subject) {
		if e.hostname != "" || e.pod == "" {
			continue
		}
		i := slices.IndexFunc(x.pods[subject.Namespace], func(pod *corev1.Pod) bool { return pod.Name == e.pod })
		if i < 0 {
			continue
		}
		owner := metav1.GetControllerOfNoCopy(x.pods[subject.Namespace][i])
		switch {
		case owner == nil || owner.Kind != KindStatefulSet:
			nameless = append(nameless, e.pod)
		case slices.ContainsFunc(x.sets[subject], func(set *appsv1.StatefulSet) bool { return set.UID == owner.UID }):
			owned = append(owned, e.pod)
		}
	}
	slices.SortFunc(nameless, compareNames)
	slices.SortFunc(owned, compareNames)
	nameless, owned = slices.Compact(nameless), slices.Compact(owned)
	if len(nameless) > 0 {
		f.add(v1alpha1.CodeDNSNoHostname, v1alpha1.SeverityInfo, prefixed("pod/", nameless), "",
			"pods without hostname, or with another subdomain than %s, have no names of their own: %s", service.Name, finding.Some(nameless))
	}
	if len(owned) > 0 {
		f.add(v1alpha1.CodeDNSNoHostname, v1alpha1.SeverityError, prefixed("pod/", owned), "kubectl delete pod "+owned[0]+" -n "+subject.Namespace+" lets the set make it anew",
			"pods of the set have no names of their own, because their hostname is empty or their subdomain is not %s: %s", service.Name, finding.Some(owned))
	}
}

// recordFindings are what the comparison found, as far as nothing else explains it. Short names have a finding of their own.
func recordFindings(item *v1alpha1.HeadlessDNS, cluster []v1alpha1.Finding, f *findings) {
	names := map[v1alpha1.DNSVerdict][]string{}
	reasons := map[v1alpha1.DNSVerdict]string{}
	var cached []string
	kept := int64(0)
	again := false
	ttl := int64(-1)
	for _, r := range item.Records {
		if r.Search {
			continue
		}
		name := r.Type + " " + r.Name
		if r.TCP {
			name = r.Type + "/TCP " + r.Name
		}
		if foundLater(&r) {
			cached = append(cached, name)
		}
		if r.Verdict == v1alpha1.VerdictOK {
			continue
		}
		names[r.Verdict] = append(names[r.Verdict], name)
		reasons[r.Verdict] = cmp.Or(reasons[r.Verdict], r.Reason)
		for _, a := range r.Answers {
			again = again || a.Again
			if a.NegativeTTLSeconds != nil {
				kept = max(kept, *a.NegativeTTLSeconds)
			}
			if r.Verdict == v1alpha1.VerdictStale && a.TTLSeconds != nil {
				ttl = max(ttl, *a.TTLSeconds)
			}
		}
	}
	object := []string{"service/" + item.Metadata.Name}
	if len(cached) > 0 {
		f.add(v1alpha1.CodeDNSNegativeCache, v1alpha1.SeverityWarning, object, "",
			"a cache said that there is no %s; past its time they are there: whoever asks too early waits that long", finding.Some(cached))
	}
	if list := names[v1alpha1.VerdictMissing]; len(list) > 0 && !explained(cluster) {
		hint, remedy := "", ""
		switch {
		case again:
			hint = "; asked again past the caches' time, so it is no cached answer"
		case kept > 0:
			hint = fmt.Sprintf("; it may be a negative answer that caches keep for %d s more", kept)
			remedy = "ask again with --retry-negative"
		}
		f.add(v1alpha1.CodeDNSMissing, v1alpha1.SeverityError, object, remedy, "missing: %s (%s)%s", finding.Some(list), reasons[v1alpha1.VerdictMissing], hint)
	}
	if list := names[v1alpha1.VerdictStale]; len(list) > 0 {
		hint := ""
		if ttl >= 0 {
			hint = fmt.Sprintf("; caches keep it for %d s more", ttl)
		}
		f.add(v1alpha1.CodeDNSStale, v1alpha1.SeverityWarning, object, "", "still given out: %s (%s)%s", finding.Some(list), reasons[v1alpha1.VerdictStale], hint)
	}
	if list := names[v1alpha1.VerdictExtra]; len(list) > 0 {
		f.add(v1alpha1.CodeDNSExtra, v1alpha1.SeverityWarning, object, "kubectl get configmap coredns -n kube-system -o yaml",
			"nothing in the API accounts for what is found beside it: %s (%s)", finding.Some(list), reasons[v1alpha1.VerdictExtra])
	}
}

// foundLater tells whether a record was missing first and there when it was asked for again.
func foundLater(r *v1alpha1.DNSRecord) bool {
	missedFirst := slices.ContainsFunc(r.Answers, func(a v1alpha1.DNSAnswer) bool { return !a.Again && len(a.Data) == 0 })
	return missedFirst && len(r.Expected) > 0 && r.Verdict == v1alpha1.VerdictOK &&
		slices.ContainsFunc(r.Answers, func(a v1alpha1.DNSAnswer) bool { return a.Again && len(a.Data) > 0 })
}

// explained tells whether a finding about DNS itself accounts for missing records.
func explained(cluster []v1alpha1.Finding) bool {
	return slices.ContainsFunc(cluster, func(f v1alpha1.Finding) bool {
		return f.Code == v1alpha1.CodeDNSNoServer && f.Severity == v1alpha1.SeverityCritical
	})
}

func prefixed(prefix string, names []string) []string {
	if len(names) == 0 {
		return nil
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = prefix + name
	}
	return list
}

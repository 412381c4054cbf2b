package dns

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// expectation is a question and what the API promises for it, by the specification of DNS in Kubernetes (kubernetes/dns,
// docs/specification.md) and, where that leaves it open, by what CoreDNS does.
type expectation struct {
	subject  Subject
	question resolve.Question
	// pod is the pod that it is about; empty for a Service's own name.
	pod string
	// data is sorted. Of SRV it is port and target.
	data []string
	// none says why there is no record.
	none string
}

// index finds objects by what refers to them.
type index struct {
	*Snapshot
	services map[Subject]*corev1.Service
	slices   map[Subject][]*discoveryv1.EndpointSlice
	sets     map[Subject][]*appsv1.StatefulSet // that name a Service
	pods     map[string][]*corev1.Pod          // by namespace
	own      map[string]bool                   // addresses of debug pods
	known    map[Subject][]endpoint            // what has been computed once
}

func newIndex(s *Snapshot) *index {
	x := &index{
		Snapshot: s, services: map[Subject]*corev1.Service{}, slices: map[Subject][]*discoveryv1.EndpointSlice{},
		sets: map[Subject][]*appsv1.StatefulSet{}, pods: map[string][]*corev1.Pod{}, own: map[string]bool{}, known: map[Subject][]endpoint{},
	}
	for i := range s.Services {
		service := &s.Services[i]
		x.services[Subject{Namespace: service.Namespace, Service: service.Name}] = service
	}
	for i := range s.EndpointSlices {
		slice := &s.EndpointSlices[i]
		key := Subject{Namespace: slice.Namespace, Service: slice.Labels[discoveryv1.LabelServiceName]}
		x.slices[key] = append(x.slices[key], slice)
	}
	for i := range s.StatefulSets {
		set := &s.StatefulSets[i]
		key := Subject{Namespace: set.Namespace, Service: set.Spec.ServiceName}
		if key.Service == "" {
			key.Set = set.Name
		}
		x.sets[key] = append(x.sets[key], set)
	}
	for i := range s.Pods {
		x.pods[s.Pods[i].Namespace] = append(x.pods[s.Pods[i].Namespace], &s.Pods[i])
	}
	for _, list := range x.pods {
		slices.SortFunc(list, func(a, b *corev1.Pod) int { return compareNames(a.Name, b.Name) })
	}
	for _, address := range s.OwnAddresses {
		x.own[address] = true
	}
	return x
}

// defaultDomain is the cluster's domain where nothing tells another.
const defaultDomain = "cluster.local"

func (x *index) domain() string { return cmp.Or(x.Vantage.ClusterDomain, defaultDomain) }

// compareNames orders names that end with a number by it: web-2 before web-10.
func compareNames(a, b string) int {
	prefixA, numberA := cutOrdinal(a)
	prefixB, numberB := cutOrdinal(b)
	return cmp.Or(cmp.Compare(prefixA, prefixB), cmp.Compare(numberA, numberB), cmp.Compare(a, b))
}

func cutOrdinal(name string) (prefix string, ordinal int) {
	i := strings.LastIndexByte(name, '-')
	n, err := strconv.Atoi(name[i+1:])
	if i < 0 || err != nil || n < 0 {
		return name, -1
	}
	return name[:i], n
}

// unread reports whether objects of a kind could not be read, so that their absence means nothing.
func (x *index) unread(subject string) bool {
	_, failed := x.Problems[subject]
	return failed
}

// selects tells whether a Service's selector matches labels.
func selects(service *corev1.Service, l map[string]string) bool {
	return len(service.Spec.Selector) > 0 && labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(l))
}

// headless tells whether a Service gives out its endpoints' addresses in place of one of its own.
func headless(service *corev1.Service) bool {
	return service.Spec.ClusterIP == corev1.ClusterIPNone && service.Spec.Type != corev1.ServiceTypeExternalName
}

// ready tells whether an endpoint is given out: where nothing is said it is.
func ready(endpoint *discoveryv1.Endpoint) bool {
	return endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
}

// endpoint is an address of an EndpointSlice.
type endpoint struct {
	address  netip.Addr
	hostname string
	pod      string
	ready    bool
	ports    []discoveryv1.EndpointPort
}

// endpoints are those of a Service, each once, ready or not. The debug pod is none of them.
func (x *index) endpoints(service Subject) []endpoint {
	if list, ok := x.known[service]; ok {
		return list
	}
	var list []endpoint
	for _, slice := range x.slices[service] {
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			for _, text := range e.Addresses {
				address, err := netip.ParseAddr(text)
				if err != nil || x.own[text] { // FQDN is no type that DNS servers give out
					continue
				}
				found := endpoint{address: address, ready: ready(e), ports: slice.Ports}
				if e.Hostname != nil {
					found.hostname = *e.Hostname
				}
				if e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
					found.pod = e.TargetRef.Name
				}
				list = append(list, found)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b endpoint) int { return a.address.Compare(b.address) })
	x.known[service] = list
	return list
}

// expectations are all that is to be asked, subject by subject: the Service's own names, then pod by pod, then PTR.
func expectations(x *index) []expectation {
	s := x.Snapshot
	hostnames := x.namesByAddress()
	var list []expectation
	for _, subject := range s.Subjects {
		b := &builder{index: x, subject: subject, service: x.services[subject], hostnames: hostnames}
		if subject.Service != "" {
			b.fullName = subject.Service + "." + subject.Namespace + ".svc." + x.domain() + "."
			b.build()
		}
		list = append(list, b.list...)
	}
	return list
}

// questionsOf are the questions of all expectations, each once.
func questionsOf(s *Snapshot) []resolve.Question {
	var list []resolve.Question
	seen := map[resolve.Question]bool{}
	for _, e := range expectations(newIndex(s)) {
		if !seen[e.question] {
			seen[e.question] = true
			list = append(list, e.question)
		}
	}
	return list
}

// namesByAddress are the names of PTR records: those of all headless Services that give the address a hostname.
func (x *index) namesByAddress() map[Subject]map[netip.Addr][]string {
	domain := x.domain()
	all := map[Subject]map[netip.Addr][]string{}
	for key := range x.slices {
		namespace := Subject{Namespace: key.Namespace}
		if all[namespace] == nil {
			all[namespace] = map[netip.Addr][]string{}
		}
		for _, e := range x.endpoints(key) {
			if e.ready && e.hostname != "" {
				name := e.hostname + "." + key.Service + "." + key.Namespace + ".svc." + domain + "."
				all[namespace][e.address] = append(all[namespace][e.address], name)
			}
		}
	}
	return all
}

// builder collects the expectations of one Service.
type builder struct {
	*index
	subject   Subject
	service   *corev1.Service // nil if there is none
	fullName  string
	hostnames map[Subject]map[netip.Addr][]string
	list      []expectation
}

func (b *builder) build() {
	switch {
	case b.service == nil:
		b.noPodNames("there is no Service " + b.subject.Service)
	case b.service.Spec.Type == corev1.ServiceTypeExternalName:
		b.noPodNames(fmt.Sprintf("Service %s is an ExternalName", b.service.Name))
	case headless(b.service):
		b.headless()
	default:
		b.clusterIP()
		b.noPodNames(fmt.Sprintf("Service %s is not headless", b.service.Name))
	}
}

// add adds a question; without data there is a reason.
func (b *builder) add(name string, kind resolve.Type, pod string, data []string, none string) {
	slices.SortFunc(data, resolve.CompareData)
	data = slices.Compact(data)
	if len(data) > 0 {
		none = ""
	}
	e := expectation{subject: b.subject, pod: pod, data: data, none: none, question: resolve.Question{Name: name, Type: kind}}
	b.list = append(b.list, e)
}

// variant adds the last question once more, asked in another way, where the vantage point can.
func (b *builder) variant(change func(*resolve.Question)) {
	if b.Vantage.Kind == v1alpha1.VantageServers {
		return // over TCP already, and without a search path
	}
	e := b.list[len(b.list)-1]
	change(&e.question)
	b.list = append(b.list, e)
}

// short makes a question one for the name as a program in the pod that asks would write it.
func (b *builder) short(q *resolve.Question) {
	suffix := ".svc." + b.domain() + "."
	if b.subject.Namespace == b.Vantage.Namespace {
		suffix = "." + b.subject.Namespace + suffix
	}
	q.Name, q.Search = strings.TrimSuffix(q.Name, suffix), true
}

// serviceNames adds a Service's own name with its addresses.
func (b *builder) serviceNames(addresses []netip.Addr, none string) {
	for i, kind := range addressTypes(b.service, addresses) {
		b.add(b.fullName, kind, "", ofType(addresses, kind), none)
		if i == 0 {
			b.variant(func(q *resolve.Question) { q.TCP = true })
			b.variant(func(q *resolve.Question) { q.TCP = false; b.short(q) })
		}
	}
}

// addressTypes are the types of a Service's IP families: asking for AAAA makes sense only where there is IPv6.
func addressTypes(service *corev1.Service, addresses []netip.Addr) []resolve.Type {
	var list []resolve.Type
	for _, family := range service.Spec.IPFamilies {
		if family == corev1.IPv6Protocol {
			list = append(list, resolve.TypeAAAA)
		} else {
			list = append(list, resolve.TypeA)
		}
	}
	for _, address := range addresses {
		if kind := typeOf(address); !slices.Contains(list, kind) {
			list = append(list, kind)
		}
	}
	if len(list) == 0 {
		list = append(list, resolve.TypeA)
	}
	return list
}

func typeOf(address netip.Addr) resolve.Type {
	if address.Is4() {
		return resolve.TypeA
	}
	return resolve.TypeAAAA
}

func ofType(addresses []netip.Addr, kind resolve.Type) []string {
	var list []string
	for _, address := range addresses {
		if typeOf(address) == kind {
			list = append(list, address.String())
		}
	}
	return list
}

func (b *builder) headless() {
	endpoints := b.endpoints(b.subject)
	var addresses []netip.Addr
	for _, e := range endpoints {
		if e.ready {
			addresses = append(addresses, e.address)
		}
	}
	none := "there is no endpoint"
	if len(endpoints) > 0 {
		none = "no endpoint is ready"
	}
	b.serviceNames(addresses, none)
	b.srv(endpoints, none)
	b.podNames(endpoints)
	for _, e := range endpoints {
		if e.ready && e.hostname != "" {
			b.add(resolve.ReverseName(e.address), resolve.TypePTR, cmp.Or(e.pod, e.hostname), slices.Clone(b.hostnames[Subject{Namespace: b.subject.Namespace}][e.address]), "")
		}
	}
}

// srv adds the SRV records of named ports. Their port is the endpoints', which need not be the Service's.
func (b *builder) srv(endpoints []endpoint, none string) {
	var names []string
	data := map[string][]string{}
	for _, port := range b.service.Spec.Ports {
		if port.Name != "" {
			name := srvName(port.Name, port.Protocol, b.fullName)
			names, data[name] = append(names, name), nil
		}
	}
	for _, e := range endpoints {
		for _, port := range e.ports {
			if !e.ready || port.Name == nil || *port.Name == "" || port.Port == nil {
				continue
			}
			protocol := corev1.ProtocolTCP
			if port.Protocol != nil {
				protocol = *port.Protocol
			}
			name := srvName(*port.Name, protocol, b.fullName)
			if _, known := data[name]; !known {
				names = append(names, name)
			}
			data[name] = append(data[name], fmt.Sprintf("%d %s.%s", *port.Port, cmp.Or(e.hostname, dashed(e.address)), b.fullName))
		}
	}
	for _, name := range names {
		b.add(name, resolve.TypeSRV, "", data[name], none)
	}
}

func srvName(port string, protocol corev1.Protocol, fullName string) string {
	return "_" + strings.ToLower(port) + "._" + strings.ToLower(cmp.Or(string(protocol), "tcp")) + "." + fullName
}

// dashed is the name that CoreDNS gives an endpoint without a hostname.
func dashed(address netip.Addr) string {
	return strings.NewReplacer(".", "-", ":", "-").Replace(address.String())
}

// podNames adds the names of pods: those of endpoints with a hostname, and those of other pods that should have one.
func (b *builder) podNames(endpoints []endpoint) {
	type named struct {
		pod       string
		addresses []netip.Addr
		none      string
	}
	all := map[string]*named{} // by hostname
	for _, e := range endpoints {
		if !e.ready || e.hostname == "" {
			continue
		}
		if all[e.hostname] == nil {
			all[e.hostname] = &named{pod: cmp.Or(e.pod, e.hostname)}
		}
		all[e.hostname].addresses = append(all[e.hostname].addresses, e.address)
	}
	for _, pod := range b.pods[b.subject.Namespace] {
		hostname := cmp.Or(pod.Spec.Hostname, pod.Name)
		if all[hostname] == nil && b.shouldHaveName(pod) {
			all[hostname] = &named{pod: pod.Name, none: noName(b.service, pod)}
		}
	}
	for _, hostname := range slices.SortedFunc(maps.Keys(all), compareNames) {
		n := all[hostname]
		for i, kind := range addressTypes(b.service, n.addresses) {
			b.add(hostname+"."+b.fullName, kind, n.pod, ofType(n.addresses, kind), n.none)
			if i == 0 {
				b.variant(b.short)
			}
		}
	}
}

// shouldHaveName tells whether a pod's owner wants a name for it under this Service.
func (b *builder) shouldHaveName(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return false
	}
	if b.governs(pod) {
		return true
	}
	return pod.Spec.Hostname != "" && pod.Spec.Subdomain == b.subject.Service && b.service != nil && selects(b.service, pod.Labels)
}

// governs tells whether the pod belongs to a set that names this Service.
func (b *builder) governs(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOfNoCopy(pod)
	return owner != nil && slices.ContainsFunc(b.sets[b.subject], func(set *appsv1.StatefulSet) bool { return set.UID == owner.UID })
}

// noName says why a pod has no record under a headless Service.
func noName(service *corev1.Service, pod *corev1.Pod) string {
	switch {
	case !selects(service, pod.Labels):
		return "the Service does not select the pod"
	case pod.Spec.Hostname == "":
		return "the pod has no hostname"
	case pod.Spec.Subdomain != service.Name:
		return fmt.Sprintf("the pod's subdomain is %q", pod.Spec.Subdomain)
	case !podReady(pod):
		return "the pod is not ready"
	}
	return "the pod is in no EndpointSlice"
}

func podReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// noPodNames adds the names of pods of sets that name this Service, which gives them none.
func (b *builder) noPodNames(why string) {
	for _, pod := range b.pods[b.subject.Namespace] {
		if b.governs(pod) && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			b.add(cmp.Or(pod.Spec.Hostname, pod.Name)+"."+b.fullName, resolve.TypeA, pod.Name, nil, why)
		}
	}
}

// clusterIP adds the names of a Service with addresses of its own.
func (b *builder) clusterIP() {
	var addresses []netip.Addr
	for _, text := range slices.Compact(append([]string{b.service.Spec.ClusterIP}, b.service.Spec.ClusterIPs...)) {
		if address, err := netip.ParseAddr(text); err == nil {
			addresses = append(addresses, address)
		}
	}
	b.serviceNames(addresses, "it has no cluster IP")
	for _, port := range b.service.Spec.Ports {
		if port.Name != "" {
			b.add(srvName(port.Name, port.Protocol, b.fullName), resolve.TypeSRV, "", []string{fmt.Sprintf("%d %s", port.Port, b.fullName)}, "")
		}
	}
	for _, address := range addresses {
		b.add(resolve.ReverseName(address), resolve.TypePTR, "", []string{b.fullName}, "")
	}
}

// observedData is what an answer has, in the form of expectations. Addresses of the debug pod don't count, and a target that is
// named after its pod, as CoreDNS does with endpoint_pod_names, is taken for the address that it stands for.
func (x *index) observedData(e *expectation, a *resolve.Answer) []string {
	var list []string
	for _, record := range a.Records {
		data := record.Data
		if record.Type != e.question.Type || x.own[data] {
			continue
		}
		if record.Type == resolve.TypeSRV {
			fields := strings.Fields(data)
			data = fields[2] + " " + x.byAddress(e, fields[3])
		}
		if record.Type == resolve.TypePTR && !slices.Contains(e.data, data) && x.namedByAddress(e.question.Name, data) {
			continue
		}
		if !slices.Contains(list, data) {
			list = append(list, data)
		}
	}
	slices.SortFunc(list, resolve.CompareData)
	return list
}

// namedByAddress tells whether a PTR record gives the name that DNS servers make up for an endpoint without a hostname: some
// versions of CoreDNS give it beside the others.
func (x *index) namedByAddress(question, data string) bool {
	address, ok := resolve.AddressOf(question)
	label, _, _ := strings.Cut(data, ".")
	if !ok || label == dashed(address) {
		return ok
	}
	return slices.ContainsFunc(x.Pods, func(pod corev1.Pod) bool {
		return pod.Name == label && pod.Spec.Hostname == "" && pod.Status.PodIP == address.String()
	})
}

// byAddress gives a target that is named after a pod without a hostname its other name.
func (x *index) byAddress(e *expectation, target string) string {
	label, rest, _ := strings.Cut(target, ".")
	for _, other := range x.endpoints(e.subject) {
		if other.hostname == "" && other.pod == label {
			return dashed(other.address) + "." + rest
		}
	}
	return target
}

// missed are the questions whose answers were negative although there are to be records, and the longest time that any of these
// answers is kept.
func missed(s *Snapshot) (again []resolve.Question, wait time.Duration) {
	x := newIndex(s)
	byQuestion := answersByQuestion(s.Answers)
	seen := map[resolve.Question]bool{}
	for _, e := range expectations(x) {
		for _, a := range byQuestion[e.question] {
			if len(e.data) == 0 || !a.Negative() && (!e.question.Search || len(x.observedData(&e, a)) > 0 || a.Unanswered()) {
				continue
			}
			if !seen[e.question] {
				seen[e.question] = true
				again = append(again, e.question)
			}
			kept := defaultNegativeTTL
			if a.NegativeTTL != nil {
				kept = time.Duration(*a.NegativeTTL) * time.Second
			}
			wait = max(wait, kept)
		}
	}
	return again, wait
}

func answersByQuestion(list []resolve.Answer) map[resolve.Question][]*resolve.Answer {
	byQuestion := map[resolve.Question][]*resolve.Answer{}
	for i := range list {
		byQuestion[list[i].Question] = append(byQuestion[list[i].Question], &list[i])
	}
	return byQuestion
}

// surprising tells whether any answer is not what is expected.
func (s *Snapshot) surprising() bool {
	for _, item := range records(newIndex(s)) {
		for i := range item {
			if item[i].Verdict != v1alpha1.VerdictOK {
				return true
			}
		}
	}
	return false
}

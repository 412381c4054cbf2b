package dns

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
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
	// tolerated are data that DNS servers may give out, though nothing promises them.
	tolerated []string
}

// expectations are everything to query, subject by subject: the Service's own names, then pod by pod, then PTR.
func expectations(x *index) []expectation {
	s := x.Snapshot
	hostnames := x.namesByAddress()
	var list []expectation
	for _, subject := range s.Subjects {
		if slices.Contains(s.Ending, subject.Namespace) {
			continue
		}
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
		b.noPodNames("no Service " + b.subject.Service)
	case b.service.Spec.Type == corev1.ServiceTypeExternalName:
		b.noPodNames(fmt.Sprintf("Service %s is an ExternalName", b.service.Name))
	case objects.Headless(b.service):
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
	none := "no endpoints"
	switch {
	case len(endpoints) > 0 && !slices.ContainsFunc(endpoints, func(e endpoint) bool { return !e.terminating }):
		none = "all endpoints are terminating"
	case len(endpoints) > 0:
		none = "no endpoint is ready"
	}
	b.serviceNames(addresses, none)
	b.srv(endpoints, none)
	b.podNames(endpoints)
	reversed := map[netip.Addr]bool{} // an address may be in several EndpointSlices
	for _, e := range endpoints {
		if e.ready && e.hostname != "" && !reversed[e.address] {
			reversed[e.address] = true
			b.add(resolve.ReverseName(e.address), resolve.TypePTR, cmp.Or(e.pod, e.hostname), slices.Clone(b.hostnames[Subject{Namespace: b.subject.Namespace}][e.address]), "")
		}
	}
}

// srv adds the SRV records of named ports. Their port is the endpoints', which need not be the Service's.
func (b *builder) srv(endpoints []endpoint, none string) {
	var names []string
	data, why := map[string][]string{}, map[string]string{}
	for i := range b.service.Spec.Ports {
		if port := &b.service.Spec.Ports[i]; port.Name != "" {
			name := srvName(port.Name, port.Protocol, b.fullName)
			names, data[name] = append(names, name), nil
			why[name] = b.portNone(b.service, port)
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
		b.add(name, resolve.TypeSRV, "", data[name], cmp.Or(why[name], none))
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
	for _, hostname := range slices.SortedFunc(maps.Keys(all), objects.CompareNames) {
		n := all[hostname]
		for i, kind := range addressTypes(b.service, n.addresses) {
			b.add(hostname+"."+b.fullName, kind, n.pod, ofType(n.addresses, kind), n.none)
			if i == 0 {
				b.variant(b.short)
			}
		}
	}
}

// shouldHaveName reports whether a pod's owner wants a name for it under this Service.
func (b *builder) shouldHaveName(pod *corev1.Pod) bool {
	if objects.PodFinished(pod) {
		return false
	}
	if b.governs(pod) {
		return true
	}
	return b.service != nil && objects.GivesName(b.subject.Service, pod) && objects.Selects(b.service, pod.Labels)
}

// governs reports whether the pod belongs to a set that names this Service.
func (b *builder) governs(pod *corev1.Pod) bool {
	return slices.ContainsFunc(b.sets[b.subject], func(set *appsv1.StatefulSet) bool { return metav1.IsControlledBy(pod, set) })
}

// noName says why a pod has no record under a headless Service.
func noName(service *corev1.Service, pod *corev1.Pod) string {
	switch {
	case !objects.Selects(service, pod.Labels):
		return "the Service does not select the pod"
	case pod.Spec.Hostname == "":
		return "the pod has no hostname"
	case pod.Spec.Subdomain != service.Name:
		return fmt.Sprintf("the pod's subdomain is %q", pod.Spec.Subdomain)
	case objects.Terminating(pod):
		return podTerminating
	case !objects.PodReady(pod):
		return podNotReady
	}
	return "the pod is in no EndpointSlice"
}

// Reasons for which a pod is left out.
const (
	podNotReady    = "the pod is not ready"
	podTerminating = "the pod is terminating"
)

// noPodNames adds the names of pods of sets that name this Service, which promises them none. CoreDNS gives endpoints their names all the
// same, under a Service with an address of its own too.
func (b *builder) noPodNames(why string) {
	for _, pod := range b.pods[b.subject.Namespace] {
		if b.governs(pod) && !objects.PodFinished(pod) {
			hostname := cmp.Or(pod.Spec.Hostname, pod.Name)
			b.add(hostname+"."+b.fullName, resolve.TypeA, pod.Name, nil, why)
			last := &b.list[len(b.list)-1]
			for _, e := range b.endpoints(b.subject) {
				if e.ready && e.hostname == hostname && e.address.Is4() {
					last.tolerated = append(last.tolerated, e.address.String())
				}
			}
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

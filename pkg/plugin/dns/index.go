package dns

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// index finds objects by what refers to them.
type index struct {
	*Snapshot
	services map[Subject]*corev1.Service
	slices   map[Subject][]*discoveryv1.EndpointSlice
	sets     map[Subject][]*appsv1.StatefulSet // that name a Service
	pods     map[string][]*corev1.Pod          // by namespace
	own      map[string]bool                   // addresses of debug pods
	byName   map[Subject]*corev1.Pod           // by namespace and, as Set, name
	known    map[Subject][]endpoint            // what has been computed once
	selected map[Subject][]*corev1.Pod         // the same of selects
	// at is the time of which things are said; zero for none.
	at time.Time
	// starting says that no DNS server is ready, and that they are on their way; changing that some come and go, as in an update.
	starting, changing bool
	// wrong are the addresses of DNS servers that are known to have other records than the API and the servers beside them.
	wrong []string
	// outside says that the pod that asks does not use the cluster's DNS servers.
	outside bool
}

func newIndex(s *Snapshot) *index {
	x := &index{
		Snapshot: s, services: map[Subject]*corev1.Service{}, slices: map[Subject][]*discoveryv1.EndpointSlice{},
		sets: map[Subject][]*appsv1.StatefulSet{}, pods: map[string][]*corev1.Pod{}, own: map[string]bool{}, byName: map[Subject]*corev1.Pod{}, known: map[Subject][]endpoint{}, selected: map[Subject][]*corev1.Pod{},
	}
	if s.AskedAt != nil {
		x.at = s.AskedAt.Time
	}
	for i := range s.Services {
		service := &s.Services[i]
		x.services[Subject{Namespace: service.Namespace, Service: service.Name}] = service
	}
	for i := range s.EndpointSlices {
		slice := &s.EndpointSlices[i]
		key := Subject{Namespace: slice.Namespace, Service: objects.ServiceOf(slice)}
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
		pod := &s.Pods[i]
		x.pods[pod.Namespace] = append(x.pods[pod.Namespace], pod)
		x.byName[Subject{Namespace: pod.Namespace, Set: pod.Name}] = pod
	}
	for _, list := range x.pods {
		slices.SortFunc(list, func(a, b *corev1.Pod) int { return objects.CompareNames(a.Name, b.Name) })
	}
	for _, address := range s.OwnAddresses {
		x.own[address] = true
	}
	return x
}

// defaultDomain is the cluster's domain where nothing tells another.
const defaultDomain = "cluster.local"

func (x *index) domain() string { return cmp.Or(x.Vantage.ClusterDomain, defaultDomain) }

// unread reports whether objects of a kind could not be read, so that their absence means nothing.
func (x *index) unread(subject string) bool {
	_, failed := x.Problems[subject]
	return failed
}

// endpoint is an address of an EndpointSlice.
type endpoint struct {
	address  netip.Addr
	hostname string
	pod      string
	ready    bool
	// terminating says that its pod is about to end.
	terminating bool
	ports       []discoveryv1.EndpointPort
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
				found := endpoint{address: address, pod: objects.EndpointPod(e).Name, ready: objects.EndpointReady(e), terminating: objects.EndpointTerminating(e), ports: slice.Ports}
				if e.Hostname != nil {
					found.hostname = *e.Hostname
				}
				list = append(list, found)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b endpoint) int { return a.address.Compare(b.address) })
	x.known[service] = list
	return list
}

// pod is one of a name; nil if there is none.
func (x *index) pod(namespace, name string) *corev1.Pod {
	return x.byName[Subject{Namespace: namespace, Set: name}]
}

// selects are the pods that a Service's selector matches.
func (x *index) selects(service *corev1.Service) []*corev1.Pod {
	key := subjectOf(service)
	list, known := x.selected[key]
	if !known && len(service.Spec.Selector) > 0 {
		selector := labels.SelectorFromSet(service.Spec.Selector) // made once: there may be thousands of pods
		for _, pod := range x.pods[service.Namespace] {
			if selector.Matches(labels.Set(pod.Labels)) {
				list = append(list, pod)
			}
		}
		x.selected[key] = list
	}
	return list
}

// concerns reports whether a pod is one that a Service selects, or of a set that names it.
func (x *index) concerns(subject Subject, pod *corev1.Pod) bool {
	service := x.services[subject]
	b := builder{index: x, subject: subject}
	return subject.Namespace == pod.Namespace && (b.governs(pod) || service != nil && objects.Selects(service, pod.Labels))
}

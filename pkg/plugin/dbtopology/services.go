package dbtopology

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// servicesOf are the Services that select servers of a set, by name.
func (x *index) servicesOf(set *set) []v1alpha1.DatabaseService {
	var list []v1alpha1.DatabaseService
	for i := range x.Services {
		service := &x.Services[i]
		if service.Namespace != set.Namespace {
			continue
		}
		v := v1alpha1.DatabaseService{Name: service.Name, Purpose: purposeOf(service, set.Name(), set.Servers[0].Flavour.Role), Headless: objects.Headless(service)}
		for _, o := range set.Servers {
			if objects.Selects(service, o.Pod.Labels) {
				v.Selects = append(v.Selects, o.Pod.Name)
			}
		}
		reaches, known := x.reached(service, set)
		v.Reaches, v.ReachesUnknown = reaches, !known
		if len(v.Selects) > 0 || len(v.Reaches) > 0 || v.Purpose == v1alpha1.ServiceForWriting && x.isMeant(service, set) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b v1alpha1.DatabaseService) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// isMeant reports whether a Service that neither selects nor reaches a server of a set is for that set all the same: but for what tells its servers
// apart, a role or a pod's name, its selector is that of the set's pods; without a selector, its endpoints are the set's pods, none of them ready.
func (x *index) isMeant(service *corev1.Service, set *set) bool {
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return false
	}
	others := maps.Clone(service.Spec.Selector)
	label, _ := objects.RoleLabel(others)
	delete(others, label)
	if role := set.Servers[0].Flavour.Role; role != nil {
		delete(others, role.Key)
	}
	pod := others[appsv1.StatefulSetPodNameLabel]
	delete(others, appsv1.StatefulSetPodNameLabel)
	if pod != "" {
		if _, isOrdinal := objects.OrdinalOf(pod, set.Name()); !isOrdinal {
			return false
		}
	}
	matches := func(o *server) bool { return len(others) > 0 && objects.HasLabels(o.Pod.Labels, others) }
	if len(others) < len(service.Spec.Selector) {
		return (pod != "" || slices.ContainsFunc(set.Servers, matches)) && !x.leads(service)
	}
	return slices.ContainsFunc(x.EndpointSlices, func(slice discoveryv1.EndpointSlice) bool {
		return slice.Namespace == service.Namespace && objects.ServiceOf(&slice) == service.Name && slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
			return slices.ContainsFunc(set.Servers, func(o *server) bool { return objects.EndpointPod(&e).Name == o.Pod.Name })
		})
	})
}

// leads reports whether a Service has a ready endpoint, whatever that is.
func (x *index) leads(service *corev1.Service) bool {
	return slices.ContainsFunc(x.EndpointSlices, func(slice discoveryv1.EndpointSlice) bool {
		return slice.Namespace == service.Namespace && objects.ServiceOf(&slice) == service.Name && slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
			return objects.EndpointReady(&e)
		})
	})
}

// reached are the pods of a set that a Service reaches.
func (x *index) reached(service *corev1.Service, set *set) (pods []string, known bool) {
	if _, failed := x.Problems[subjectEndpoints]; failed {
		return nil, false
	}
	reached := map[string]bool{}
	for i := range x.EndpointSlices {
		slice := &x.EndpointSlices[i]
		if slice.Namespace != service.Namespace || objects.ServiceOf(slice) != service.Name {
			continue
		}
		for _, o := range set.Servers {
			if objects.Reaches(slice, o.Pod.Name, o.Pod.Status.PodIP) {
				reached[o.Pod.Name] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(reached), objects.CompareNames), true
}

// Words at the end of a name by which Services for writing and for reading are known, behind the set's own name; further ones may follow that
// say who can reach it.
var (
	writeWords = []string{"primary", "master", "write", "writer", "rw", "leader", "source"}
	readWords  = []string{"read", "reader", "readonly", "ro", "r", "replica", "replicas", "repl", "secondary", "slave", "slaves", "follower", "followers", "readers", "secondaries"}
	whereWords = []string{"headless", "svc", "service", "internal", "external", "public", "private", "lb", "loadbalancer", "nodeport", "hs", "cs", "only"}
)

// purposeOf tells what a Service is for: by the role in its selector, by the label readonly, by the words with which its name ends once
// the set's own name is taken from it.
func purposeOf(service *corev1.Service, set string, role *dbserver.RoleLabel) v1alpha1.ServicePurpose {
	if role != nil {
		switch service.Spec.Selector[role.Key] {
		case role.Primary:
			return v1alpha1.ServiceForWriting
		case role.Replica:
			return v1alpha1.ServiceForReading
		}
	}
	if service.Labels["readonly"] == "true" {
		return v1alpha1.ServiceForReading
	}
	inName := func(r rune) bool { return r == '-' || r == '.' }
	words := slices.DeleteFunc(strings.FieldsFunc(withoutName(service.Name, set), inName), func(w string) bool { return slices.Contains(whereWords, w) })
	if len(words) == 0 {
		return v1alpha1.ServiceForAny
	}
	last, before := words[len(words)-1], words[:len(words)-1]
	switch {
	case slices.Contains(readWords, last) && slices.Contains(before, "write"), last == "write" && slices.Contains(before, "read"): // read-write
		return v1alpha1.ServiceForWriting
	case slices.Contains(readWords, last):
		return v1alpha1.ServiceForReading
	case slices.Contains(writeWords, last):
		return v1alpha1.ServiceForWriting
	}
	return v1alpha1.ServiceForAny
}

// withoutName takes a set's name from that of a Service, with what stands between them.
func withoutName(service, set string) string {
	switch {
	case service == set:
		return ""
	case strings.HasPrefix(service, set+"-"):
		return service[len(set)+1:]
	case strings.HasSuffix(service, "-"+set):
		return service[:len(service)-len(set)-1]
	}
	return service
}

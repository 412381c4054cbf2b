package dbtopology

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

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
		v := v1alpha1.DatabaseService{Name: service.Name, Purpose: purposeOf(service, set.Servers[0].Flavour.Role), Headless: objects.Headless(service)}
		for _, o := range set.Servers {
			if objects.Selects(service, o.Pod.Labels) {
				v.Selects = append(v.Selects, o.Pod.Name)
			}
		}
		reaches, known := x.reached(service, set)
		v.Reaches, v.ReachesUnknown = reaches, !known
		if len(v.Selects) > 0 || len(v.Reaches) > 0 {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b v1alpha1.DatabaseService) int { return cmp.Compare(a.Name, b.Name) })
	return list
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

// Parts of the names by which Services for writing and for reading are known.
var (
	writeWords = []string{"primary", "master", "write", "writer", "rw", "leader", "source"}
	readWords  = []string{"read", "reader", "readonly", "ro", "replica", "replicas", "secondary", "slave", "follower", "readers"}
)

// purposeOf tells what a Service is for: by the role in its selector, by the label readonly, by the words of its name.
func purposeOf(service *corev1.Service, role *dbserver.RoleLabel) v1alpha1.ServicePurpose {
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
	words := strings.FieldsFunc(service.Name, func(r rune) bool { return r == '-' || r == '.' })
	contains := func(list []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	switch {
	case contains([]string{"read", "readonly", "ro"}) && !contains([]string{"write"}):
		return v1alpha1.ServiceForReading
	case contains(writeWords):
		return v1alpha1.ServiceForWriting
	case contains(readWords):
		return v1alpha1.ServiceForReading
	}
	return v1alpha1.ServiceForAny
}

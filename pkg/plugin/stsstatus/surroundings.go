package stsstatus

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// surroundings tell which pods of a namespace have to do with its sets.
type surroundings struct {
	sets map[types.UID]bool
	byNS map[string][]selecting
	// others reports whether a pod is of a set of another controller that counts; nil if there is none. claims are those of their members.
	others func(pod *corev1.Pod) bool
	claims map[types.NamespacedName]bool
}

// selecting is a set with its selector, ready to be compared with thousands of pods.
type selecting struct {
	*appsv1.StatefulSet
	selector labels.Selector
}

func newSurroundings(of *Snapshot, left *remaining) *surroundings {
	list := of.StatefulSets
	s := &surroundings{sets: make(map[types.UID]bool, len(list)), byNS: map[string][]selecting{}, others: left.takes(of.Sets, of.StatefulSets), claims: memberClaimsOf(of.Sets)}
	for i := range list {
		set := &list[i]
		selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
		if err != nil { // the API server takes none that can't be understood
			selector = labels.Nothing()
		}
		s.sets[set.UID] = true
		s.byNS[set.Namespace] = append(s.byNS[set.Namespace], selecting{set, selector})
	}
	return s
}

// concern reports whether a pod has to do with the sets, and whether one of them controls it.
func (s *surroundings) concern(pod *corev1.Pod) (ours, concerned bool) {
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && s.sets[owner.UID] {
		return true, true
	}
	if s.others != nil && s.others(pod) {
		return true, true
	}
	for _, c := range objects.ClaimsOf(pod) {
		if s.claims[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}] {
			return false, true
		}
	}
	return false, slices.ContainsFunc(s.byNS[pod.Namespace], func(set selecting) bool {
		if _, named := objects.OrdinalOf(pod.Name, set.Name); named || set.selector.Matches(labels.Set(pod.Labels)) {
			return true
		}
		return slices.ContainsFunc(objects.ClaimsOf(pod), func(c objects.PodClaim) bool {
			_, _, templated := objects.ClaimOf(set.StatefulSet, c.Name)
			return templated
		})
	})
}

// memberClaimsOf are the claims that the members of sets should have, as far as their objects tell.
func memberClaimsOf(list []sets.Set) map[types.NamespacedName]bool {
	names := map[types.NamespacedName]bool{}
	for i := range list {
		set := &list[i]
		for _, m := range set.Members {
			for _, claim := range set.ClaimsOf(m.Name) {
				names[types.NamespacedName{Namespace: set.Namespace, Name: claim}] = true
			}
		}
	}
	return names
}

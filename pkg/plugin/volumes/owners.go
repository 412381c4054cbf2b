package volumes

import (
	"cmp"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// owners tell which claims belong to sets: by the names that templates give, and by the pods that mount them, as sts-status does.
type owners struct {
	sets     map[string][]*appsv1.StatefulSet
	others   map[string][]*sets.Set
	byMounts map[types.NamespacedName]owned
}

// owned is a claim that belongs to a set.
type owned struct {
	ref v1alpha1.ObjectReference
	// set is nil if only a pod of it is known.
	set *appsv1.StatefulSet
	// ordinal is that of the pod it is for; of claims of templates alone.
	ordinal   int32
	templated bool
}

func newOwners(s *Snapshot) *owners {
	o := &owners{sets: map[string][]*appsv1.StatefulSet{}, others: map[string][]*sets.Set{}, byMounts: map[types.NamespacedName]owned{}}
	for i := range s.StatefulSets {
		set := &s.StatefulSets[i]
		o.sets[set.Namespace] = append(o.sets[set.Namespace], set)
	}
	for i := range s.Sets {
		set := &s.Sets[i]
		o.others[set.Namespace] = append(o.others[set.Namespace], set)
	}
	for _, pod := range s.Pods {
		owner := cmp.Or(objects.StatefulSetOf(pod), sets.Owner(pod))
		if owner == nil || objects.PodFinished(pod) {
			continue
		}
		for _, c := range objects.ClaimsOf(pod) {
			o.byMounts[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}] = owned{ref: v1alpha1.ObjectReference{Kind: owner.Kind, Namespace: pod.Namespace, Name: owner.Name}}
		}
	}
	return o
}

// setOf is the set that a claim belongs to; nil if it belongs to none.
func (o *owners) setOf(namespace, claim string) *owned {
	for _, set := range o.sets[namespace] {
		if _, ordinal, ok := objects.ClaimOf(set, claim); ok {
			return &owned{ref: v1alpha1.ObjectReference{Kind: objects.KindStatefulSet, Namespace: namespace, Name: set.Name}, set: set, ordinal: ordinal, templated: true}
		}
	}
	if by, ok := o.byMounts[types.NamespacedName{Namespace: namespace, Name: claim}]; ok {
		return &by
	}
	for _, set := range o.others[namespace] {
		if set.Has(claim) {
			return &owned{ref: v1alpha1.ObjectReference{Kind: set.Kind, Namespace: namespace, Name: set.Name}}
		}
	}
	return nil
}

// userOf is the pod that has a claim, as rules about it see it.
func (x *index) userOf(set *owned, pod *corev1.Pod) claims.User {
	u := claims.User{}
	if pod != nil {
		u.Name, u.Pod = pod.Name, &v1alpha1.PodStatus{UID: string(pod.UID), Node: pod.Spec.NodeName}
	}
	switch {
	case set == nil:
		u.Any = pod == nil && x.podsRead()
	case set.templated:
		start, end := objects.OrdinalRange(set.set)
		wanted := set.ordinal >= start && set.ordinal < end
		u.Name = objects.PodName(set.set, set.ordinal)
		u.Awaited, u.Kept, u.Ending = pod == nil && wanted && x.podsRead(), pod == nil && !wanted, pod != nil && !wanted
	}
	return u
}

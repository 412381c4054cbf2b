package stsstatus

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// needs are what is read beside sets, pods, claims and Services. Volumes, StorageClasses and events are of every set: they tell what its own
// objects don't, that a volume has been deleted or that pods of the same name come and go. The rest is read to explain what is wrong or,
// where all details are asked for, to show every row's node.
type needs struct {
	// volumes, nodes and namespaces are names. With allNodes, others are needed whose names are not known yet.
	volumes, nodes, namespaces map[string]bool
	allNodes, attachments      bool
	// events are those of these objects.
	events map[object]bool
	// concerns reports whether a volume is needed: a claim of the sets has it, had it, or may get it.
	concerns func(*corev1.PersistentVolume) bool
}

// object names what an event is about.
type object struct {
	kind, namespace, name string
}

// Kinds of objects that events are about, beside objects.KindStatefulSet.
const (
	kindPod    = "Pod"
	kindClaim  = "PersistentVolumeClaim"
	kindBudget = "PodDisruptionBudget"
)

func needsOf(s *Snapshot, details bool) *needs {
	n := &needs{nodes: map[string]bool{}, volumes: map[string]bool{}, namespaces: map[string]bool{}, events: map[object]bool{}}
	x := newIndex(s)
	mounted := map[types.NamespacedName]bool{}
	for i := range s.DisruptionBudgets {
		n.events[object{kindBudget, s.DisruptionBudgets[i].Namespace, s.DisruptionBudgets[i].Name}] = true
	}
	for i := range s.StatefulSets {
		set := &s.StatefulSets[i]
		n.events[object{objects.KindStatefulSet, set.Namespace, set.Name}] = true
		if objects.Terminating(set) || !x.unread(subjectPods) && len(x.podsBySet[set.UID]) < int(objects.DesiredReplicas(set)) {
			n.namespaces[set.Namespace] = true // is it being deleted with all that is in it?
		}
		for _, name := range objects.PodNames(set) {
			n.events[object{kindPod, set.Namespace, name}] = true
		}
		for _, pod := range x.podsBySet[set.UID] {
			n.addPod(x, pod, details)
			for _, c := range objects.ClaimsOf(pod) {
				mounted[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}] = true
			}
		}
	}
	for i := range s.Sets {
		n.addOther(x, &s.Sets[i], mounted, details)
	}
	classes := map[string]bool{} // of claims that a volume which is free may be for
	for _, claim := range s.Claims {
		if mounted[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] || belongsTo(x, claim.Namespace, claim.Name) {
			n.addClaim(claim)
			if claim.Status.Phase == corev1.ClaimPending && claim.Spec.StorageClassName != nil {
				classes[*claim.Spec.StorageClassName] = true
			}
		}
	}
	n.concerns = func(volume *corev1.PersistentVolume) bool {
		claim := volume.Spec.ClaimRef
		return n.volumes[volume.Name] || claim == nil && classes[volume.Spec.StorageClassName] ||
			claim != nil && (mounted[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] || belongsTo(x, claim.Namespace, claim.Name))
	}
	return n
}

// none reports whether nothing is needed beside what is always read.
func (n *needs) none() bool {
	return len(n.nodes) == 0 && len(n.namespaces) == 0 && !n.allNodes && !n.attachments
}

// covers reports whether what was read for n is all that other needs beside what is always read.
func (n *needs) covers(other *needs) bool {
	return (n.allNodes || contains(n.nodes, other.nodes) && !other.allNodes) && (n.attachments || !other.attachments) && contains(n.namespaces, other.namespaces)
}

func contains[K comparable](set, subset map[K]bool) bool {
	for key := range subset {
		if !set[key] {
			return false
		}
	}
	return true
}

func (n *needs) addPod(x *index, pod *corev1.Pod, details bool) {
	node := pod.Spec.NodeName
	if details && node != "" {
		n.nodes[node] = true
	}
	n.events[object{kindPod, pod.Namespace, pod.Name}] = true
	if ready := objects.PodReady(pod) && !objects.Terminating(pod); ready {
		return
	}
	switch c := objects.PodCondition(pod, corev1.PodScheduled); {
	case node != "":
		n.nodes[node] = true // is the node the cause?
	case c != nil && c.Reason == corev1.PodReasonUnschedulable:
		n.allNodes = n.allNodes || len(boundVolumes(x, pod)) > 0 // is there a node that they can be reached from?
	}
	if objects.Terminating(pod) {
		n.namespaces[pod.Namespace] = true
	}
	n.attachments = n.attachments || starting(pod) && len(boundVolumes(x, pod)) > 0
}

// addOther adds what is needed of a set of another controller, and its claims to those that are mounted or should be.
func (n *needs) addOther(x *index, set *sets.Set, mounted map[types.NamespacedName]bool, details bool) {
	n.events[object{set.Kind, set.Namespace, set.Name}] = true
	if objects.Terminating(set) || set.Wanted != nil && !x.unread(subjectPods) && len(x.podsBySet[set.UID]) < int(*set.Wanted) {
		n.namespaces[set.Namespace] = true
	}
	for _, pod := range x.podsBySet[set.UID] {
		n.addPod(x, pod, details)
		for _, c := range objects.ClaimsOf(pod) {
			mounted[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}] = true
		}
	}
	for _, m := range set.Members {
		n.events[object{kindPod, set.Namespace, m.Name}] = true
	}
	for claim := range memberClaimsOf([]sets.Set{*set}) {
		mounted[claim] = true
		for _, pod := range x.claims.Mounting[claim] {
			n.events[object{kindPod, pod.Namespace, pod.Name}] = true
		}
	}
	for _, name := range keptMembers(x, set) {
		for _, claim := range set.ClaimsOf(name) {
			mounted[types.NamespacedName{Namespace: set.Namespace, Name: claim}] = true
		}
	}
}

func (n *needs) addClaim(claim *corev1.PersistentVolumeClaim) {
	n.events[object{kindClaim, claim.Namespace, claim.Name}] = true
	if objects.Terminating(claim) {
		n.namespaces[claim.Namespace] = true
	}
	if claim.Spec.VolumeName != "" {
		n.volumes[claim.Spec.VolumeName] = true
	}
}

// belongsTo reports whether a claim has the name that a template of one of the sets gives.
func belongsTo(x *index, namespace, name string) bool {
	return slices.ContainsFunc(x.setsByNS[namespace], func(set *appsv1.StatefulSet) bool {
		_, _, ok := objects.ClaimOf(set, name)
		return ok
	})
}

// boundVolumes are the volumes of the claims that a pod mounts.
func boundVolumes(x *index, pod *corev1.Pod) []string {
	var list []string
	for _, c := range objects.ClaimsOf(pod) {
		claim := x.claims.ByName[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}]
		if claim != nil && claim.Spec.VolumeName != "" {
			list = append(list, claim.Spec.VolumeName)
		}
	}
	return list
}

// starting reports whether a pod is on a node and none of its containers has started: the node gets the volumes, network and
// images ready.
func starting(pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" || pod.Status.Phase != corev1.PodPending {
		return false
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if !objects.BeingCreated(c.State.Waiting) {
			return false
		}
	}
	return true
}

// setsByNamespace finds the sets of a namespace.
func setsByNamespace(sets []appsv1.StatefulSet) map[string][]*appsv1.StatefulSet {
	by := map[string][]*appsv1.StatefulSet{}
	for i := range sets {
		by[sets[i].Namespace] = append(by[sets[i].Namespace], &sets[i])
	}
	return by
}

// addEvent keeps an event that is about one of the objects: the newest of each object, reason and, where one reason stands for several
// things, of each of them.
func (n *needs) addEvent(events map[string]corev1.Event, e *corev1.Event) {
	if e == nil || !n.events[object{e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name}] {
		return
	}
	probe, _, _ := strings.Cut(e.Message, ":")
	if e.Reason != reasonUnhealthy {
		probe = ""
	}
	key := strings.Join([]string{string(e.InvolvedObject.UID), e.Reason, e.InvolvedObject.FieldPath, podOfFailure(e), probe}, "/")
	at := objects.EventTime(e)
	if kept, ok := events[key]; ok {
		if before := objects.EventTime(&kept); at.Before(&before) {
			return
		}
	}
	events[key] = *e
}

// namespacesOf are those of a list of objects, each once.
func namespacesOf(objects map[object]bool) []string {
	var list []string
	for o := range objects {
		if !slices.Contains(list, o.namespace) {
			list = append(list, o.namespace)
		}
	}
	slices.SortFunc(list, strings.Compare)
	return list
}

package stsstatus

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// needs are what must be read beside sets, pods, claims and Services: to explain what is wrong with them or, where all details
// are asked for, to show every row's volume and node. A healthy set without details needs nothing.
type needs struct {
	// volumes and nodes are names. With allVolumes and allNodes, others are needed that nobody can name yet.
	volumes, nodes       map[string]bool
	allVolumes, allNodes bool
	classes, attachments bool
	// events are those of these objects.
	events map[object]bool
	// concerns reports whether a volume is needed although nobody named it: one that a claim of the sets had.
	concerns func(*corev1.PersistentVolume) bool
}

// object names what an event is about.
type object struct {
	kind, namespace, name string
}

func needsOf(s *Snapshot, details bool) *needs {
	n := &needs{volumes: map[string]bool{}, nodes: map[string]bool{}, events: map[object]bool{}}
	x := newIndex(s)
	mounted := map[types.NamespacedName]bool{}
	for i := range s.StatefulSets {
		set := &s.StatefulSets[i]
		if !x.unread(subjectPods) && len(x.podsBySet[set.UID]) < int(objects.DesiredReplicas(set)) {
			n.events[object{"StatefulSet", set.Namespace, set.Name}] = true // why it makes no more
		}
		for _, pod := range x.podsBySet[set.UID] {
			n.addPod(x, pod, details)
			for _, c := range objects.ClaimsOf(pod) {
				mounted[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}] = true
			}
		}
	}
	for _, claim := range s.Claims {
		if mounted[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] || belongsTo(x, claim.Namespace, claim.Name) {
			n.addClaim(claim, details)
		}
	}
	n.concerns = func(volume *corev1.PersistentVolume) bool {
		if n.volumes[volume.Name] {
			return true
		}
		claim := volume.Spec.ClaimRef
		return claim != nil && (mounted[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] || belongsTo(x, claim.Namespace, claim.Name))
	}
	return n
}

func (n *needs) none() bool {
	return len(n.volumes) == 0 && len(n.nodes) == 0 && !n.allVolumes && !n.allNodes && !n.classes && !n.attachments && len(n.events) == 0
}

// covers reports whether what was read for n is all that other needs.
func (n *needs) covers(other *needs) bool {
	return (n.allVolumes || contains(n.volumes, other.volumes) && !other.allVolumes) && (n.allNodes || contains(n.nodes, other.nodes) && !other.allNodes) &&
		(n.classes || !other.classes) && (n.attachments || !other.attachments) && contains(n.events, other.events)
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
	if ready := objects.PodReady(pod) && !objects.Terminating(pod); ready {
		return
	}
	switch c := objects.PodCondition(pod, corev1.PodScheduled); {
	case node != "":
		n.nodes[node] = true // is the node the cause?
	case c != nil && c.Reason == corev1.PodReasonUnschedulable:
		if volumes := boundVolumes(x, pod); len(volumes) > 0 { // is there a node that they can be reached from?
			n.allNodes = true
			for _, v := range volumes {
				n.volumes[v] = true
			}
		}
	}
	if starting(pod) {
		n.events[object{"Pod", pod.Namespace, pod.Name}] = true
		n.attachments = n.attachments || len(boundVolumes(x, pod)) > 0
	}
}

func (n *needs) addClaim(claim *corev1.PersistentVolumeClaim, details bool) {
	about := object{"PersistentVolumeClaim", claim.Namespace, claim.Name}
	switch {
	case claim.Status.Phase == corev1.ClaimPending:
		n.events[about], n.classes, n.allVolumes = true, true, true
	case objects.Terminating(claim) && claim.Spec.VolumeName != "": // what becomes of the data?
		n.volumes[claim.Spec.VolumeName] = true
	}
	if resize(claim) != nil {
		n.events[about] = true
	}
	if details && claim.Spec.VolumeName != "" {
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
		claim := x.claimsByName[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}]
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

// wantsBudget reports whether a set has several pods, so that one may go while the others serve.
func wantsBudget(set appsv1.StatefulSet) bool { return objects.DesiredReplicas(&set) > 1 }

// setsByNamespace finds the sets of a namespace.
func setsByNamespace(sets []appsv1.StatefulSet) map[string][]*appsv1.StatefulSet {
	by := map[string][]*appsv1.StatefulSet{}
	for i := range sets {
		by[sets[i].Namespace] = append(by[sets[i].Namespace], &sets[i])
	}
	return by
}

// keepsEvent reports whether an event is needed: of an object that is, and newer than what is kept of the same reason.
func (n *needs) keepsEvent(e *corev1.Event) bool {
	return n.events[object{e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name}]
}

// eventTime is when an event happened for the last time; the different generations of clients fill different fields.
func eventTime(e *corev1.Event) metav1.Time {
	switch {
	case e.Series != nil:
		return metav1.Time(e.Series.LastObservedTime)
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return metav1.Time(e.EventTime)
	}
	return e.CreationTimestamp
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

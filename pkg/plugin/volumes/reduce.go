package volumes

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// reduceSet keeps of a set what tells which claims are its own: how many pods it has, and its templates' names.
func reduceSet(set *appsv1.StatefulSet) *appsv1.StatefulSet {
	kept := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: set.Namespace, Name: set.Name, UID: set.UID},
		Spec:       appsv1.StatefulSetSpec{Replicas: set.Spec.Replicas, Ordinals: set.Spec.Ordinals},
	}
	for i := range set.Spec.VolumeClaimTemplates {
		kept.Spec.VolumeClaimTemplates = append(kept.Spec.VolumeClaimTemplates, corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: set.Spec.VolumeClaimTemplates[i].Name}})
	}
	return kept
}

// reducePod keeps of a pod which one it is and whose, where it is, and what it mounts where; nil for a pod without claims.
func reducePod(pod *corev1.Pod) *corev1.Pod {
	if len(objects.ClaimsOf(pod)) == 0 {
		return nil
	}
	meta, spec, status := pod.ObjectMeta, pod.Spec, pod.Status
	kept := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: meta.Namespace, Name: meta.Name, UID: meta.UID, CreationTimestamp: meta.CreationTimestamp, DeletionTimestamp: meta.DeletionTimestamp,
		Labels: meta.Labels, OwnerReferences: meta.OwnerReferences,
	}, Spec: corev1.PodSpec{NodeName: spec.NodeName, RestartPolicy: spec.RestartPolicy}}
	for i := range spec.Volumes {
		if v := &spec.Volumes[i]; v.PersistentVolumeClaim != nil || v.Ephemeral != nil {
			kept.Spec.Volumes = append(kept.Spec.Volumes, *v)
		}
	}
	kept.Spec.InitContainers, kept.Spec.Containers = reduceContainers(spec.InitContainers), reduceContainers(spec.Containers)
	kept.Status = corev1.PodStatus{Phase: status.Phase, StartTime: status.StartTime, Conditions: status.Conditions, VolumeHealth: status.VolumeHealth}
	kept.Status.InitContainerStatuses, kept.Status.ContainerStatuses = reduceStatuses(status.InitContainerStatuses), reduceStatuses(status.ContainerStatuses)
	return kept
}

func reduceContainers(containers []corev1.Container) []corev1.Container {
	list := make([]corev1.Container, len(containers))
	for i := range containers {
		list[i] = corev1.Container{Name: containers[i].Name, VolumeMounts: containers[i].VolumeMounts, VolumeDevices: containers[i].VolumeDevices}
	}
	return list
}

func reduceStatuses(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	list := make([]corev1.ContainerStatus, len(statuses))
	for i := range statuses {
		list[i] = corev1.ContainerStatus{Name: statuses[i].Name, State: statuses[i].State, LastTerminationState: statuses[i].LastTerminationState}
	}
	return list
}

// reduceEvent keeps of an event what it says and of what: of claims, and of pods what is about their volumes. It is nil for others.
func reduceEvent(e *corev1.Event) *corev1.Event {
	about := &e.InvolvedObject
	if about.Kind != "PersistentVolumeClaim" && (about.Kind != "Pod" || e.Reason != "VolumeConditionAbnormal") || e.Type == corev1.EventTypeNormal {
		return nil
	}
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{CreationTimestamp: e.CreationTimestamp},
		InvolvedObject: corev1.ObjectReference{Kind: about.Kind, Namespace: about.Namespace, Name: about.Name, UID: about.UID},
		Type:           e.Type, Reason: e.Reason, Message: e.Message, LastTimestamp: e.LastTimestamp, EventTime: e.EventTime, Series: e.Series,
	}
}

// keepPods leaves out the pods that mount none of the claims, where only some are looked at.
func (s *Snapshot) keepPods() {
	if len(s.Names) == 0 && !s.Selected {
		return
	}
	ours := map[types.NamespacedName]bool{}
	for _, claim := range s.Claims {
		ours[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = true
	}
	s.Pods = slices.DeleteFunc(s.Pods, func(pod *corev1.Pod) bool {
		return !slices.ContainsFunc(objects.ClaimsOf(pod), func(c objects.PodClaim) bool {
			return ours[types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}]
		})
	})
}

// dropOfSets leaves out the claims and the pods of sets.
func (s *Snapshot) dropOfSets(o *owners) {
	s.Claims = slices.DeleteFunc(s.Claims, func(claim *corev1.PersistentVolumeClaim) bool { return o.setOf(claim.Namespace, claim.Name) != nil })
	s.Pods = slices.DeleteFunc(s.Pods, func(pod *corev1.Pod) bool {
		return !slices.ContainsFunc(objects.ClaimsOf(pod), func(c objects.PodClaim) bool { return o.setOf(pod.Namespace, c.Name) == nil })
	})
}

// concernedVolumes reports which volumes have to do with the claims: one of them has it, had it, or may get it. Namespace is
// empty if all are looked at; of a selector's claims those that were deleted are not known.
func (s *Snapshot) concernedVolumes(namespace string) func(*corev1.PersistentVolume) bool {
	bound, classes, namespaces := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, claim := range s.Claims {
		namespaces[claim.Namespace] = true
		if claim.Spec.VolumeName != "" {
			bound[claim.Spec.VolumeName] = true
		}
		if claim.Status.Phase == corev1.ClaimPending && claim.Spec.StorageClassName != nil {
			classes[*claim.Spec.StorageClassName] = true
		}
	}
	return func(v *corev1.PersistentVolume) bool {
		ref := v.Spec.ClaimRef
		switch {
		case bound[v.Name]:
			return true
		case ref == nil:
			return classes[v.Spec.StorageClassName]
		case s.Selected, namespace != "" && ref.Namespace != namespace:
			return false
		case len(s.Names) > 0:
			return namespaces[ref.Namespace] && slices.Contains(s.Names, ref.Name)
		}
		return true
	}
}

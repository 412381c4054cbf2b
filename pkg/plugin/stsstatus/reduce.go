package stsstatus

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A cluster may have thousands of pods: of each object only what analysis reads is kept.

// reduceSet keeps of a set's template its labels.
func reduceSet(set *appsv1.StatefulSet) {
	set.Spec.Template = corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: set.Spec.Template.Labels}}
}

// reducePod keeps of a pod's metadata what tells which one it is and whose, of its containers their names, memory limits and mounts, and of its volumes the claims.
func reducePod(pod *corev1.Pod) {
	meta, spec, status := pod.ObjectMeta, pod.Spec, pod.Status
	pod.ObjectMeta = metav1.ObjectMeta{
		Namespace: meta.Namespace, Name: meta.Name, UID: meta.UID, CreationTimestamp: meta.CreationTimestamp, DeletionTimestamp: meta.DeletionTimestamp,
		Labels: meta.Labels, OwnerReferences: meta.OwnerReferences, Finalizers: meta.Finalizers,
	}
	pod.Spec = corev1.PodSpec{
		RestartPolicy: spec.RestartPolicy, NodeName: spec.NodeName, Hostname: spec.Hostname, Subdomain: spec.Subdomain,
		SchedulerName: spec.SchedulerName, SchedulingGates: spec.SchedulingGates, ReadinessGates: spec.ReadinessGates,
		InitContainers: reduceContainers(spec.InitContainers), Containers: reduceContainers(spec.Containers), Volumes: claimVolumes(spec.Volumes),
	}
	pod.Status = corev1.PodStatus{
		Phase: status.Phase, StartTime: status.StartTime, Reason: status.Reason, Message: status.Message, PodIP: status.PodIP, Conditions: status.Conditions, VolumeHealth: status.VolumeHealth,
		InitContainerStatuses: reduceStatuses(status.InitContainerStatuses), ContainerStatuses: reduceStatuses(status.ContainerStatuses),
	}
}

func reduceContainers(containers []corev1.Container) []corev1.Container {
	list := make([]corev1.Container, len(containers))
	for i := range containers {
		c := &containers[i]
		list[i] = corev1.Container{
			Name: c.Name, RestartPolicy: c.RestartPolicy, VolumeMounts: c.VolumeMounts,
			StartupProbe: reduceProbe(c.StartupProbe), ReadinessProbe: reduceProbe(c.ReadinessProbe), LivenessProbe: reduceProbe(c.LivenessProbe),
		}
		if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
			list[i].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: limit}
		}
	}
	return list
}

// reduceProbe keeps a probe's times.
func reduceProbe(p *corev1.Probe) *corev1.Probe {
	if p == nil {
		return nil
	}
	return &corev1.Probe{InitialDelaySeconds: p.InitialDelaySeconds, PeriodSeconds: p.PeriodSeconds, FailureThreshold: p.FailureThreshold}
}

func reduceStatuses(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	list := make([]corev1.ContainerStatus, len(statuses))
	for i := range statuses {
		s := &statuses[i]
		list[i] = corev1.ContainerStatus{
			Name: s.Name, State: s.State, LastTerminationState: s.LastTerminationState, Ready: s.Ready, RestartCount: s.RestartCount, Started: s.Started,
		}
	}
	return list
}

func claimVolumes(volumes []corev1.Volume) []corev1.Volume {
	var list []corev1.Volume
	for _, v := range volumes {
		if v.PersistentVolumeClaim != nil || v.Ephemeral != nil {
			list = append(list, v)
		}
	}
	return list
}

// reduceNode drops by far the most of a node: a list of images.
func reduceNode(node *corev1.Node) {
	node.Status = corev1.NodeStatus{Conditions: node.Status.Conditions, NodeInfo: node.Status.NodeInfo}
}

// reduceEvent keeps of an event what it says and of what. Of the normal ones only those that tell of an end are kept; it is nil for others.
func reduceEvent(e *corev1.Event) *corev1.Event {
	if e.Type == corev1.EventTypeNormal && !slices.Contains(normalReasons[:], e.Reason) {
		return nil
	}
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: e.CreationTimestamp},
		InvolvedObject: corev1.ObjectReference{
			Kind: e.InvolvedObject.Kind, Namespace: e.InvolvedObject.Namespace, Name: e.InvolvedObject.Name, UID: e.InvolvedObject.UID, FieldPath: e.InvolvedObject.FieldPath,
		},
		Type: e.Type, Reason: e.Reason, Message: e.Message, Count: e.Count, LastTimestamp: e.LastTimestamp, EventTime: e.EventTime, Series: e.Series,
	}
}

package claims

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// selectedNode is the annotation with which the scheduler tells a claim's provisioner for which node it wants a volume.
const selectedNode = "volume.kubernetes.io/selected-node"

// ReduceClaim drops a claim's labels, and its annotations but one.
func ReduceClaim(claim *corev1.PersistentVolumeClaim) {
	meta := claim.ObjectMeta
	claim.ObjectMeta = metav1.ObjectMeta{
		Namespace: meta.Namespace, Name: meta.Name, UID: meta.UID, CreationTimestamp: meta.CreationTimestamp, DeletionTimestamp: meta.DeletionTimestamp, Finalizers: meta.Finalizers,
	}
	if node, ok := meta.Annotations[selectedNode]; ok {
		claim.Annotations = map[string]string{selectedNode: node}
	}
}

// ReduceVolume drops a volume's annotations.
func ReduceVolume(volume *corev1.PersistentVolume) { volume.Annotations = nil }

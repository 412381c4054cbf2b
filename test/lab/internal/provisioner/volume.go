// Package provisioner makes and deletes the lab's volumes the way a CSI driver's external provisioner does. Nothing is
// behind them: a volume of the lab is an object in its API server, and no file of the machine.
package provisioner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

// Driver is the name of the lab's CSI driver, the provisioner of its storage classes.
const Driver = "csi.lab.doik.dev"

// The annotations by which the control plane and a provisioner speak to each other.
const (
	annProvisioner     = "volume.kubernetes.io/storage-provisioner"
	annProvisionerBeta = "volume.beta.kubernetes.io/storage-provisioner"
	annSelectedNode    = "volume.kubernetes.io/selected-node"
	annProvisionedBy   = "pv.kubernetes.io/provisioned-by"
)

// wantsVolume reports whether it is the provisioner's turn: the claim is ours, has no volume and, if its class waits for
// the first consumer, a node.
func wantsVolume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) bool {
	if claim.Annotations[annProvisioner] != Driver && claim.Annotations[annProvisionerBeta] != Driver {
		return false
	}
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return false
	}
	return !waits(class) || claim.Annotations[annSelectedNode] != ""
}

func waits(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// wantsDeletion reports whether a volume has been released and its class says that it goes with its claim.
func wantsDeletion(volume *corev1.PersistentVolume) bool {
	return volume.Annotations[annProvisionedBy] == Driver &&
		volume.Status.Phase == corev1.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete &&
		volume.DeletionTimestamp == nil
}

// failure is the reason why a claim must not get a volume, set by a test on the claim or on its class.
func failure(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) error {
	reason := claim.Annotations[annotation.ProvisioningFailure]
	if reason == "" {
		reason = class.Parameters[annotation.ProvisioningFailure]
	}
	if reason == "" {
		return nil
	}
	return fmt.Errorf("rpc error: code = Internal desc = Could not create volume %q: %s", volumeName(claim), reason)
}

func volumeName(claim *corev1.PersistentVolumeClaim) string { return "pvc-" + string(claim.UID) }

// newVolume builds the volume for a claim, reachable only in its node's zone, as an EBS volume is.
func newVolume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, zone string) *corev1.PersistentVolume {
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	mode := corev1.PersistentVolumeFilesystem
	if claim.Spec.VolumeMode != nil {
		mode = *claim.Spec.VolumeMode
	}
	source := &corev1.CSIPersistentVolumeSource{
		Driver:           Driver,
		VolumeHandle:     handle(claim),
		VolumeAttributes: map[string]string{"storage.kubernetes.io/csiProvisionerIdentity": "1-8081-" + Driver},
	}
	if mode == corev1.PersistentVolumeFilesystem {
		source.FSType = "ext4"
	}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        volumeName(claim),
			Annotations: map[string]string{annProvisionedBy: Driver},
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    &mode,
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: reclaim,
			MountOptions:                  class.MountOptions,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: source},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
		},
	}
	if zone != "" {
		volume.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{zone},
				}},
			}},
		}}
	}
	return volume
}

// handle makes up the volume's name on the storage's side, in the form that EBS uses.
func handle(claim *corev1.PersistentVolumeClaim) string {
	sum := sha256.Sum256([]byte(claim.UID))
	return "vol-0" + hex.EncodeToString(sum[:8])
}

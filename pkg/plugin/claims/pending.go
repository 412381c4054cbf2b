package claims

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// pendingReason tells why a claim has no volume yet; waits is true if that is as it should be until its pod is scheduled.
func (x *Index) pendingReason(namespace string, u User, c *v1alpha1.ClaimStatus) (why string, waits bool) {
	claim := x.ByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]
	class := x.Class[c.StorageClass]
	switch {
	case claim.Spec.VolumeName != "":
		return x.wantedVolume(claim), false
	case claim.Spec.StorageClassName == nil:
		return "it names no StorageClass, and the cluster has no default", false
	case c.StorageClass == "":
		return "it has an empty StorageClass, and no volume of its size and access modes is available", false
	case class == nil && x.read(SubjectClasses):
		return fmt.Sprintf("StorageClass %s does not exist", c.StorageClass), false
	}
	if warning := x.Events.NewestWarning(kindClaim, &claim.ObjectMeta); warning != "" {
		return warning, false
	}
	if why := x.unprovided(claim, class); why != "" {
		return why, false
	}
	node := claim.Annotations[selectedNode]
	if u.Pod == nil && class == nil { // it may wait for one
		return "it has no volume yet", true
	}
	if x.WaitsForPod(claim) && u.Pod == nil && node == "" {
		return "it waits for a pod that mounts it (WaitForFirstConsumer)", true
	}
	if x.WaitsForPod(claim) && u.Pod != nil && u.Pod.Node == "" && node == "" {
		return fmt.Sprintf("it waits for %s to be scheduled (WaitForFirstConsumer)", u.Name), true
	}
	if class != nil && node != "" {
		return fmt.Sprintf("the provisioner %s has not created its volume yet, which is to be reached from %s", class.Provisioner, node), false
	}
	if class != nil {
		return fmt.Sprintf("the provisioner %s has not created its volume yet", class.Provisioner), false
	}
	return "it has no volume yet", false
}

// WaitsForPod reports whether a claim is to get a volume only where its pod is scheduled.
func (x *Index) WaitsForPod(claim *corev1.PersistentVolumeClaim) bool {
	if claim.Spec.StorageClassName == nil || claim.Spec.VolumeName != "" {
		return false
	}
	class := x.Class[*claim.Spec.StorageClassName]
	return class != nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// Provisioning reports whether a claim that has no volume was made a moment ago and has a StorageClass that can make one, as far as is
// known, and no warning.
func (x *Index) Provisioning(claim *corev1.PersistentVolumeClaim, now time.Time) bool {
	if claim.Status.Phase != corev1.ClaimPending || objects.Terminating(claim) || claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName == "" {
		return false
	}
	class := x.Class[*claim.Spec.StorageClassName]
	return (class != nil || !x.read(SubjectClasses)) && now.Sub(claim.CreationTimestamp.Time) < objects.ProvisionPatience &&
		x.Events.NewestWarning(kindClaim, &claim.ObjectMeta) == ""
}

// wantedVolume tells why a claim that asks for a volume by its name does not get it; empty if nothing speaks against it.
func (x *Index) wantedVolume(claim *corev1.PersistentVolumeClaim) string {
	if !x.read(SubjectVolumes) {
		return "it waits for the volume " + claim.Spec.VolumeName
	}
	v := x.Volume[claim.Spec.VolumeName]
	if v == nil {
		return fmt.Sprintf("it asks for the volume %s, which does not exist", claim.Spec.VolumeName)
	}
	ask := "it asks for the volume " + v.Name + ", which "
	ref := v.Spec.ClaimRef
	wanted, has := claim.Spec.Resources.Requests.Storage(), v.Spec.Capacity.Storage()
	class := ""
	if claim.Spec.StorageClassName != nil {
		class = *claim.Spec.StorageClassName
	}
	lacking := slices.DeleteFunc(slices.Clone(claim.Spec.AccessModes), func(m corev1.PersistentVolumeAccessMode) bool { return slices.Contains(v.Spec.AccessModes, m) })
	switch {
	case objects.Terminating(v):
		return ask + "has been deleted"
	case ref != nil && (ref.Namespace != claim.Namespace || ref.Name != claim.Name):
		return fmt.Sprintf("%sis another claim's: %s/%s", ask, ref.Namespace, ref.Name)
	case ref != nil && ref.UID != "" && ref.UID != claim.UID:
		return ask + "is still that of an earlier claim of this name: its claimRef has the UID of that one"
	case class != v.Spec.StorageClassName:
		return fmt.Sprintf("%sis of StorageClass %q, not %q", ask, v.Spec.StorageClassName, class)
	case wanted.Cmp(*has) > 0:
		return fmt.Sprintf("%shas %s, less than the %s that it requests", ask, has, wanted)
	case len(lacking) > 0:
		return fmt.Sprintf("%sdoes not have the access mode %s", ask, lacking[0])
	case v.Spec.VolumeMode != nil && *v.Spec.VolumeMode != ModeOf(claim):
		return fmt.Sprintf("%sis of volume mode %s, not %s", ask, *v.Spec.VolumeMode, ModeOf(claim))
	}
	return "it waits for the volume " + v.Name
}

// noProvisioner is the provisioner of classes whose volumes are made by hand.
const noProvisioner = "kubernetes.io/no-provisioner"

// unprovided tells that a class has no provisioner and no volume is free that would do; empty if there is one, or that is not known.
func (x *Index) unprovided(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) string {
	if class == nil || class.Provisioner != noProvisioner || !x.read(SubjectVolumes) {
		return ""
	}
	wanted := claim.Spec.Resources.Requests.Storage()
	for i := range x.Volumes {
		v := &x.Volumes[i]
		if v.Spec.StorageClassName == class.Name && v.Spec.ClaimRef == nil && v.Status.Phase == corev1.VolumeAvailable && wanted.Cmp(*v.Spec.Capacity.Storage()) <= 0 {
			return ""
		}
	}
	return fmt.Sprintf("StorageClass %s has no provisioner, and no volume of at least %s is available", class.Name, wanted)
}

// ModeOf is what a container gets of a claim's volume.
func ModeOf(claim *corev1.PersistentVolumeClaim) corev1.PersistentVolumeMode {
	if claim.Spec.VolumeMode == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *claim.Spec.VolumeMode
}

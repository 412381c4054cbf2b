package claims

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// firstPodDelay is how long after a claim its first pod is made at most: controllers make one right after the other.
const firstPodDelay = 5 * time.Second

// Status is what there is of a claim, for a pod that mounts it; nil if none does.
func (x *Index) Status(namespace, name string, pod *corev1.Pod, now time.Time) v1alpha1.ClaimStatus {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	c := v1alpha1.ClaimStatus{Name: name, Phase: v1alpha1.ClaimMissing}
	if x.unread(SubjectClaims) {
		c.Phase = v1alpha1.ClaimUnknown
	}
	if claim := x.ByName[key]; claim != nil {
		c.UID, c.CreationTimestamp, c.Volume = string(claim.UID), claim.CreationTimestamp, claim.Spec.VolumeName
		c.Phase = v1alpha1.ClaimPhase(claim.Status.Phase)
		if objects.Terminating(claim) {
			c.Phase = v1alpha1.ClaimTerminating
		}
		if q, ok := claim.Spec.Resources.Requests[corev1.ResourceStorage]; ok {
			c.Requested = &q
		}
		if q, ok := claim.Status.Capacity[corev1.ResourceStorage]; ok {
			c.Capacity = &q
		}
		if claim.Spec.StorageClassName != nil {
			c.StorageClass = *claim.Spec.StorageClassName
		}
		if claim.Spec.VolumeMode != nil {
			c.VolumeMode = v1alpha1.VolumeMode(*claim.Spec.VolumeMode)
		}
		for _, mode := range claim.Spec.AccessModes {
			c.AccessModes = append(c.AccessModes, v1alpha1.ClaimAccessMode(mode))
		}
		c.Details = Details(x.Volume[c.Volume])
		c.Resize = resize(claim)
		if pod != nil && !claim.CreationTimestamp.IsZero() {
			older := pod.CreationTimestamp.Sub(claim.CreationTimestamp.Time) > firstPodDelay
			c.Reattached = &older
		}
	}
	if x.unread(SubjectPods) && x.Usage.UsageAsked {
		c.UsageUnknown, c.UsageGap = podsUnread, v1alpha1.GapUnread
	}
	if pod != nil && HasMounted(pod) && c.VolumeMode != v1alpha1.VolumeBlock {
		c.Usage, c.UsageUnknown, c.UsageGap = x.usage(key, pod, now)
		c.OnNodeDisk = x.onNodeDisk(key, &c, pod.Spec.NodeName)
		if earlier, ok := x.Usage.Earlier[key.String()]; ok && c.Usage != nil {
			c.FullAt = fullAt(&earlier, c.Usage)
		}
	}
	return c
}

// resize reports whether a claim asks for more than it has, and how far the growing is.
func resize(claim *corev1.PersistentVolumeClaim) *v1alpha1.VolumeResize {
	r := v1alpha1.VolumeResize{}
	if requested, capacity := claim.Spec.Resources.Requests.Storage(), claim.Status.Capacity.Storage(); claim.Status.Phase == corev1.ClaimBound && requested.Cmp(*capacity) > 0 {
		r.State = v1alpha1.ResizePending
	}
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		r.State = v1alpha1.ResizeFailed
	case corev1.PersistentVolumeClaimControllerResizeInProgress, corev1.PersistentVolumeClaimNodeResizeInProgress, corev1.PersistentVolumeClaimNodeResizePending:
		r.State = v1alpha1.ResizeInProgress
	}
	for i := range claim.Status.Conditions {
		c := &claim.Status.Conditions[i]
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case corev1.PersistentVolumeClaimControllerResizeError, corev1.PersistentVolumeClaimNodeResizeError:
			return &v1alpha1.VolumeResize{State: v1alpha1.ResizeFailed, Message: objects.Because(c.Reason, c.Message)}
		case corev1.PersistentVolumeClaimResizing, corev1.PersistentVolumeClaimFileSystemResizePending:
			if r.State != v1alpha1.ResizeFailed {
				r.State = v1alpha1.ResizeInProgress
			}
			r.Message = objects.Because(string(c.Type), c.Message)
		}
	}
	if r.State == "" {
		return nil
	}
	return &r
}

// Details are what a volume tells beyond its claim; nil without a volume.
func Details(v *corev1.PersistentVolume) *v1alpha1.VolumeDetails {
	if v == nil {
		return nil
	}
	d := &v1alpha1.VolumeDetails{
		Phase: v1alpha1.VolumePhase(v.Status.Phase), ReclaimPolicy: v1alpha1.ReclaimPolicy(v.Spec.PersistentVolumeReclaimPolicy), Zones: capacity.VolumeZones(v),
	}
	switch source := &v.Spec.PersistentVolumeSource; {
	case source.CSI != nil:
		d.Driver, d.Handle = source.CSI.Driver, source.CSI.VolumeHandle
	case source.Local != nil:
		d.Driver, d.Handle = "local", source.Local.Path
	case source.HostPath != nil:
		d.Driver, d.Handle = "hostPath", source.HostPath.Path
	case source.NFS != nil:
		d.Driver, d.Handle = "nfs", source.NFS.Server+":"+source.NFS.Path
	case source.AWSElasticBlockStore != nil:
		d.Driver, d.Handle = "awsElasticBlockStore", source.AWSElasticBlockStore.VolumeID
	case source.GCEPersistentDisk != nil:
		d.Driver, d.Handle = "gcePersistentDisk", source.GCEPersistentDisk.PDName
	case source.AzureDisk != nil:
		d.Driver, d.Handle = "azureDisk", source.AzureDisk.DataDiskURI
	case source.FC != nil:
		d.Driver, d.Handle = "fc", strings.Join(source.FC.TargetWWNs, ",")
	case source.ISCSI != nil:
		d.Driver, d.Handle = "iscsi", source.ISCSI.IQN
	}
	return d
}

// HasMounted reports whether a kubelet has a pod's volumes mounted: the pod is on a node and has not ended.
func HasMounted(pod *corev1.Pod) bool {
	return pod.Spec.NodeName != "" && !objects.PodFinished(pod)
}

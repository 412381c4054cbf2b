package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClaimPhase is the phase of a PersistentVolumeClaim, or what stands in its place.
type ClaimPhase string

const (
	// ClaimBound means that it has a volume.
	ClaimBound ClaimPhase = "Bound"
	// ClaimPending means that it has none yet.
	ClaimPending ClaimPhase = "Pending"
	// ClaimLost means that its volume is gone.
	ClaimLost ClaimPhase = "Lost"
	// ClaimTerminating means that it has been deleted and waits for its pod to end.
	ClaimTerminating ClaimPhase = "Terminating"
	// ClaimMissing means there is no such claim (yet).
	ClaimMissing ClaimPhase = "Missing"
	// ClaimUnknown means claims could not be read.
	ClaimUnknown ClaimPhase = "Unknown"
	// ClaimReleased means that it has been deleted, and the volume that it had is still there.
	ClaimReleased ClaimPhase = "Released"
	// ClaimFailed means the same of a volume that could not be deleted or emptied.
	ClaimFailed ClaimPhase = "Failed"
)

// VolumeMode says what a container gets of a volume.
type VolumeMode string

const (
	// VolumeFilesystem means a file system.
	VolumeFilesystem VolumeMode = "Filesystem"
	// VolumeBlock means a device without one: how full it is can't be measured.
	VolumeBlock VolumeMode = "Block"
)

// ClaimAccessMode says from where a volume can be mounted at the same time.
type ClaimAccessMode string

const (
	// AccessReadWriteOnce means from one node.
	AccessReadWriteOnce ClaimAccessMode = "ReadWriteOnce"
	// AccessReadOnlyMany means from many nodes, for reading.
	AccessReadOnlyMany ClaimAccessMode = "ReadOnlyMany"
	// AccessReadWriteMany means from many nodes.
	AccessReadWriteMany ClaimAccessMode = "ReadWriteMany"
	// AccessReadWriteOncePod means in one pod.
	AccessReadWriteOncePod ClaimAccessMode = "ReadWriteOncePod"
)

// ClaimStatus is one PersistentVolumeClaim.
type ClaimStatus struct {
	// Name is the claim's.
	Name string `json:"name"`
	// Template is the volumeClaimTemplate of a StatefulSet that it was made from; empty for other claims.
	Template string `json:"template,omitempty"`
	// UID is missing where there is no such claim.
	UID string `json:"uid,omitempty"`
	// Phase is the claim's, or what stands in its place.
	Phase ClaimPhase `json:"phase"`
	// Requested is .spec.resources.requests.storage, in bytes when printed in full.
	Requested *resource.Quantity `json:"requested,omitempty"`
	// Capacity is the volume's size as the claim's status tells it.
	Capacity *resource.Quantity `json:"capacity,omitempty"`
	// Volume is the name of the PersistentVolume; it is missing where the claim has none.
	Volume string `json:"volume,omitempty"`
	// VolumeMode says what a container gets; it is missing where there is no such claim.
	VolumeMode VolumeMode `json:"volumeMode,omitempty"`
	// StorageClass is the name of the class of storage that the claim asks for.
	StorageClass string `json:"storageClass,omitempty"`
	// AccessModes are those that the claim asks for.
	AccessModes []ClaimAccessMode `json:"accessModes,omitempty"`
	// CreationTimestamp is the claim's.
	CreationTimestamp metav1.Time `json:"creationTimestamp,omitzero"`
	// Reattached is true if the claim is older than its pod: the pod found the data of an earlier one. It is missing where
	// either of the two is.
	Reattached *bool `json:"reattached,omitempty"`
	// Resize says how far a change of size is; it is missing where the claim has the size that it asks for.
	Resize *VolumeResize `json:"resize,omitempty"`
	// Details are what the volume tells beyond its claim; they are missing where volumes were not read.
	Details *VolumeDetails `json:"volumeDetails,omitempty"`
	// OnNodeDisk is true for a volume that is a directory on a disk of its node. Its usage is that of the whole disk, which others share.
	OnNodeDisk bool `json:"onNodeDisk,omitempty"`
	// FullAt is when the volume will be full if it goes on to fill up as it did between two measurements. It is missing where there are no
	// two, where it does not grow, and where that is further off than 30 days.
	FullAt *metav1.Time `json:"fullAt,omitempty"`
	// Usage is how full the volume is; it is missing where nothing mounts the claim, and where it could not be read (UsageUnknown says why).
	Usage *VolumeUsage `json:"usage,omitempty"`
	// UsageUnknown is the reason why the usage of a mounted claim is not known.
	UsageUnknown string `json:"usageUnknown,omitempty"`
	// UsageGap says what it means that the usage is not known: it could not be read, is not there yet, or can't be measured.
	UsageGap GapKind `json:"usageGap,omitempty"`
}

// ResizeState says how far the resizing of a volume is.
type ResizeState string

const (
	// ResizePending means that expansion has not started.
	ResizePending ResizeState = "Pending"
	// ResizeInProgress means the storage or the node is at it.
	ResizeInProgress ResizeState = "InProgress"
	// ResizeFailed means the storage or the node has refused or failed.
	ResizeFailed ResizeState = "Failed"
)

// VolumeResize is a claim that asks for another size than it has.
type VolumeResize struct {
	// State says how far the resizing is.
	State ResizeState `json:"state"`
	// Message is what the controller or the kubelet says of it.
	Message string `json:"message,omitempty"`
}

// VolumePhase is the phase of a PersistentVolume.
type VolumePhase string

const (
	// VolumePending means that it is being made.
	VolumePending VolumePhase = "Pending"
	// VolumeAvailable means that no claim has it.
	VolumeAvailable VolumePhase = "Available"
	// VolumeBound means that a claim has it.
	VolumeBound VolumePhase = "Bound"
	// VolumeReleased means that its claim has been deleted, and nothing has become of it yet.
	VolumeReleased VolumePhase = "Released"
	// VolumeFailed means that it could not be deleted or emptied.
	VolumeFailed VolumePhase = "Failed"
)

// ReclaimPolicy is what becomes of a volume when its claim is deleted.
type ReclaimPolicy string

const (
	// ReclaimDelete means that it is deleted, with its data.
	ReclaimDelete ReclaimPolicy = "Delete"
	// ReclaimRetain means that it is kept.
	ReclaimRetain ReclaimPolicy = "Retain"
	// ReclaimRecycle means that it is emptied and given to another claim.
	ReclaimRecycle ReclaimPolicy = "Recycle"
)

// VolumeDetails is what a PersistentVolume tells beyond its claim.
type VolumeDetails struct {
	// Phase is the volume's.
	Phase VolumePhase `json:"phase,omitempty"`
	// ReclaimPolicy is what becomes of the volume when its claim is deleted.
	ReclaimPolicy ReclaimPolicy `json:"reclaimPolicy,omitempty"`
	// Handle is the name of the volume in the storage: of an EBS volume vol-0…, of a local volume its path.
	Handle string `json:"handle,omitempty"`
	// Driver is the CSI driver, or the kind of volume where there is none.
	Driver string `json:"driver,omitempty"`
	// Zones are those from which the volume can be reached; empty if it does not say.
	Zones []string `json:"zones,omitempty"`
}

// UsageSource is who measured how full a volume is.
type UsageSource string

const (
	// UsageFromKubelet is the kubelet, by its statistics.
	UsageFromKubelet UsageSource = "kubelet"
	// UsageFromExec is df in a container.
	UsageFromExec UsageSource = "exec"
)

// ReadOnlyMount is how the kernel has a file system mounted that is to be written to, and can't be. The values are the kernel's options.
type ReadOnlyMount string

const (
	// MountReadOnly means mounted for reading alone: kernels do that to a file system after an error of it or of its disk.
	MountReadOnly ReadOnlyMount = "ro"
	// MountEmergencyReadOnly means that the file system has stopped writing after an error (ext4).
	MountEmergencyReadOnly ReadOnlyMount = "emergency_ro"
)

// VolumeUsage is what the file system of a mounted volume reports. Sizes are in bytes.
type VolumeUsage struct {
	// CapacityBytes is the size of the file system: less than the claim's capacity, by what the file system needs for itself.
	CapacityBytes int64 `json:"capacityBytes,omitempty"`
	// UsedBytes is what is written.
	UsedBytes int64 `json:"usedBytes"`
	// AvailableBytes is what an ordinary user may still write.
	AvailableBytes int64 `json:"availableBytes"`
	// UsedPercent is used / (used + available), rounded up, as df prints it. It is missing on elastic file systems.
	UsedPercent *int32 `json:"usedPercent,omitempty"`
	// Elastic is true for file systems that grow on demand, such as EFS, which reports 8 EiB.
	Elastic bool `json:"elastic,omitempty"`
	// Inodes, InodesUsed and InodesUsedPercent are the inodes that there are and those in use; they are missing where the file system has no
	// fixed number of inodes.
	Inodes            *int64 `json:"inodes,omitempty"`
	InodesUsed        *int64 `json:"inodesUsed,omitempty"`
	InodesUsedPercent *int32 `json:"inodesUsedPercent,omitempty"`
	// ReadOnly is how the file system is mounted in a container that is to write to it, if it can't. It is known only where df runs.
	ReadOnly ReadOnlyMount `json:"readOnly,omitempty"`
	// Source is who measured it.
	Source UsageSource `json:"source"`
	// Time is when it was measured.
	Time metav1.Time `json:"time,omitzero"`
}

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kinds of the report of kubectl doik sts-status.
const (
	KindStatefulSetStatus     = "StatefulSetStatus"
	KindStatefulSetStatusList = "StatefulSetStatusList"
)

// StatefulSetStatusList is the report of kubectl doik sts-status.
type StatefulSetStatusList struct {
	metav1.TypeMeta `json:",inline"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the selected StatefulSets by namespace and name.
	Items []StatefulSetStatus `json:"items"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// StatefulSetStatus is one StatefulSet with all its ordinals: those that it has, those that it lacks, and those that it
// had and whose claims are kept.
type StatefulSetStatus struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the StatefulSet.
	Metadata ObjectMeta `json:"metadata"`
	// Replicas counts pods.
	Replicas ReplicaCounts `json:"replicas"`
	// Rollout tells how far the newest revision is.
	Rollout Rollout `json:"rollout"`
	// PodManagementPolicy is OrderedReady or Parallel.
	PodManagementPolicy string `json:"podManagementPolicy"`
	// ClaimRetentionPolicy says what becomes of claims.
	ClaimRetentionPolicy ClaimRetentionPolicy `json:"claimRetentionPolicy"`
	// Service is the governing Service, which gives the pods their DNS names.
	Service GoverningService `json:"service"`
	// DisruptionBudgets are the names of the PodDisruptionBudgets that select the pods.
	DisruptionBudgets []string `json:"disruptionBudgets,omitempty"`
	// Ordinals are in ascending order.
	Ordinals []Ordinal `json:"ordinals"`
	// Health is ok, progressing, unknown, or the severity of the worst finding above info.
	Health Health `json:"health"`
	// Conditions are Ready and Healthy.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at: ordinals and volumes.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// ObjectMeta is the part of an object's metadata that tells which one it is.
type ObjectMeta struct {
	// Namespace is missing for what has none.
	Namespace string `json:"namespace,omitempty"`
	// Name is empty for the cluster as such.
	Name string `json:"name"`
	// UID is missing for what is no object of the API.
	UID string `json:"uid,omitempty"`
	// CreationTimestamp is missing for what is no object of the API.
	CreationTimestamp metav1.Time `json:"creationTimestamp,omitzero"`
}

// ReplicaCounts counts the pods of a StatefulSet.
type ReplicaCounts struct {
	// Desired, Existing, Ready and Available count the pods that the set is to have, that there are, that are ready, and that have been
	// so for minReadySeconds.
	Desired   int32 `json:"desired"`
	Existing  int32 `json:"existing"`
	Ready     int32 `json:"ready"`
	Available int32 `json:"available"`
}

// Rollout tells which revisions the pods have.
type Rollout struct {
	// Strategy is RollingUpdate or OnDelete.
	Strategy string `json:"strategy"`
	// Revision is the hash of the newest revision of the template.
	Revision string `json:"revision,omitempty"`
	// Updated is the number of pods that have it.
	Updated int32 `json:"updated"`
	// Partition is the lowest ordinal that is to be updated (RollingUpdate only).
	Partition int32 `json:"partition,omitempty"`
	// Complete is true if every ordinal that is to have the newest revision has it.
	Complete bool `json:"complete"`
}

// ClaimRetentionPolicy is Retain or Delete for the two occasions.
type ClaimRetentionPolicy struct {
	// WhenDeleted and WhenScaled are what becomes of claims when the set is deleted, and when it is scaled down.
	WhenDeleted string `json:"whenDeleted"`
	WhenScaled  string `json:"whenScaled"`
}

// ServiceState says whether a governing Service does its work.
type ServiceState string

const (
	// ServiceSound means headless, and its selector matches the template's labels.
	ServiceSound ServiceState = "Sound"
	// ServiceUnnamed means the set names no Service.
	ServiceUnnamed ServiceState = "Unnamed"
	// ServiceMissing means there is no Service of that name.
	ServiceMissing ServiceState = "Missing"
	// ServiceNotHeadless means the Service has a cluster IP.
	ServiceNotHeadless ServiceState = "NotHeadless"
	// ServiceNotSelecting means the Service's selector does not match the template's labels.
	ServiceNotSelecting ServiceState = "NotSelecting"
	// ServiceUnknown means the Service could not be read.
	ServiceUnknown ServiceState = "Unknown"
)

// GoverningService is the Service that .spec.serviceName names.
type GoverningService struct {
	// Name is missing where the set names no Service.
	Name string `json:"name,omitempty"`
	// State says whether it does its work.
	State ServiceState `json:"state"`
	// Selects is the number of the set's pods that its selector matches.
	Selects int32 `json:"selects"`
}

// OrdinalState says what there is of an ordinal.
type OrdinalState string

const (
	// OrdinalPresent means the ordinal has a pod.
	OrdinalPresent OrdinalState = "Present"
	// OrdinalMissing means the set is to have this ordinal, and it has no pod.
	OrdinalMissing OrdinalState = "Missing"
	// OrdinalBlocked means like missing, because a lower ordinal is not ready (OrderedReady).
	OrdinalBlocked OrdinalState = "Blocked"
	// OrdinalRetained means the set has been scaled below this ordinal; its claims are kept.
	OrdinalRetained OrdinalState = "Retained"
	// OrdinalSurplus means the set has been scaled below this ordinal; its pod is still there.
	OrdinalSurplus OrdinalState = "Surplus"
	// OrdinalUnknown means pods could not be read.
	OrdinalUnknown OrdinalState = "Unknown"
)

// Ordinal is one place in a StatefulSet.
type Ordinal struct {
	// Ordinal is its number.
	Ordinal int32 `json:"ordinal"`
	// PodName is the name that the ordinal's pod has or would have.
	PodName string `json:"podName"`
	// State says what there is of it.
	State OrdinalState `json:"state"`
	// Reason explains a state other than Present.
	Reason string `json:"reason,omitempty"`
	// WaitsFor is the pod that has to be ready, or available, before this ordinal's is made (Blocked only).
	WaitsFor string `json:"waitsFor,omitempty"`
	// Pod is the ordinal's pod; it is missing where the ordinal has none.
	Pod *PodStatus `json:"pod,omitempty"`
	// Claims are those of the set's templates in their order, then the others that the pod mounts.
	Claims []ClaimStatus `json:"claims,omitempty"`
}

// PodStatus is the pod of an ordinal.
type PodStatus struct {
	// UID is the pod's.
	UID string `json:"uid"`
	// Status is what kubectl get pods prints in its column STATUS.
	Status string `json:"status"`
	// Ready is the pod's condition.
	Ready bool `json:"ready"`
	// ContainersReady and Containers count those that are ready, and all.
	ContainersReady int32 `json:"containersReady"`
	Containers      int32 `json:"containers"`
	// Restarts is the sum of the containers' restarts.
	Restarts int32 `json:"restarts"`
	// LastRestart is the time at which a container ended for the last time, if one did.
	LastRestart *metav1.Time `json:"lastRestart,omitempty"`
	// Node is missing where the pod has not been scheduled.
	Node string `json:"node,omitempty"`
	// Zone is that of the node, as topology.kubernetes.io/zone of the pod or of the node tells it.
	Zone string `json:"zone,omitempty"`
	// CapacityType is that of the node; it is missing where nodes were not read.
	CapacityType CapacityType `json:"capacityType,omitempty"`
	// IP is the pod's first address.
	IP string `json:"ip,omitempty"`
	// DNSName is the name that the governing Service gives the pod, without the cluster's domain.
	DNSName string `json:"dnsName,omitempty"`
	// Revision is the hash of the revision of the template that the pod was made from.
	Revision string `json:"revision,omitempty"`
	// CreationTimestamp is the pod's.
	CreationTimestamp metav1.Time `json:"creationTimestamp"`
	// DeletionTimestamp is the end of the grace period of a pod that has been deleted.
	DeletionTimestamp *metav1.Time `json:"deletionTimestamp,omitempty"`
}

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
)

// ClaimStatus is one PersistentVolumeClaim of an ordinal.
type ClaimStatus struct {
	// Name is the claim's.
	Name string `json:"name"`
	// Template is the volumeClaimTemplate that it was made from; empty for other claims that the pod mounts.
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
	// VolumeMode is Filesystem or Block.
	VolumeMode string `json:"volumeMode,omitempty"`
	// StorageClass is the name of the class of storage that the claim asks for.
	StorageClass string `json:"storageClass,omitempty"`
	// AccessModes are those that the claim asks for.
	AccessModes []string `json:"accessModes,omitempty"`
	// CreationTimestamp is the claim's.
	CreationTimestamp metav1.Time `json:"creationTimestamp,omitzero"`
	// Reattached is true if the claim is older than its pod: the pod found the data of an earlier one. It is missing where
	// either of the two is.
	Reattached *bool `json:"reattached,omitempty"`
	// Resize says how far a change of size is; it is missing where the claim has the size that it asks for.
	Resize *VolumeResize `json:"resize,omitempty"`
	// Details are what the volume tells beyond its claim; they are missing where volumes were not read.
	Details *VolumeDetails `json:"volumeDetails,omitempty"`
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
	// ResizePending means that nobody has begun yet.
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

// VolumeDetails is what a PersistentVolume tells beyond its claim.
type VolumeDetails struct {
	// Phase is Available, Bound, Released or Failed.
	Phase string `json:"phase,omitempty"`
	// ReclaimPolicy is Delete, Retain or Recycle: what becomes of the volume when its claim is deleted.
	ReclaimPolicy string `json:"reclaimPolicy,omitempty"`
	// Handle is the name of the volume in the storage: of an EBS volume vol-0…, of a local volume its path.
	Handle string `json:"handle,omitempty"`
	// Driver is the CSI driver, or the kind of volume where there is none.
	Driver string `json:"driver,omitempty"`
	// Zones are those from which the volume can be reached; empty if it does not say.
	Zones []string `json:"zones,omitempty"`
}

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
	// Source is kubelet, or exec for what df in a container told.
	Source string `json:"source"`
	// Time is when it was measured.
	Time metav1.Time `json:"time,omitzero"`
}

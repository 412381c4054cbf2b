package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The codes of kubectl doik volumes, of claims that belong to no set. Those of a number that STS has too say the same of such a claim.
const (
	CodeVolumeUnused       Code = "VOL001" // nothing has mounted a claim for long
	CodeNodeDiskFilling    Code = "VOL002" // the disk of a node that holds volumes as directories is at least 80 % full
	CodeNodeDiskFull       Code = "VOL003" // the disk of a node that holds volumes as directories is at least 90 % full
	CodeFreeNotBound       Code = "VOL007" // a claim is pending or has lost its volume
	CodeFreeTerminating    Code = "VOL008" // a claim has been deleted and is still there
	CodeFreeFilling        Code = "VOL010" // a volume is at least 80 % full
	CodeFreeFull           Code = "VOL011" // a volume is at least 90 % full
	CodeFreeInodesFilling  Code = "VOL012" // a volume's inodes are at least 80 % used
	CodeFreeInodesFull     Code = "VOL013" // a volume's inodes are at least 90 % used
	CodeFreeResizePending  Code = "VOL014" // a claim asks for a larger volume than it has
	CodeFreeResizeFailed   Code = "VOL015" // a volume could not be made larger
	CodeFreeVolumeNotBound Code = "VOL017" // a volume with the data of a deleted claim is released or failed
	CodeFreeVolumeAtRisk   Code = "VOL022" // the volume of a claim has been deleted, is another claim's, can't be written to, or is unhealthy
	CodeFreeVolumeModify   Code = "VOL037" // a claim does not get the VolumeAttributesClass that it asks for
)

// Kinds of the report of kubectl doik volumes.
const (
	KindVolumeStatus     = "VolumeStatus"
	KindVolumeStatusList = "VolumeStatusList"
)

// VolumeStatusList is the report of kubectl doik volumes.
type VolumeStatusList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at: volumes.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the selected claims by namespace and name, and with them the volumes that are left of deleted claims.
	Items []VolumeStatus `json:"items"`
	// Disks are those of nodes that hold volumes as directories, each once.
	Disks []NodeDisk `json:"disks,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// VolumeStatus is one PersistentVolumeClaim with its volume, or a volume whose claim has been deleted.
type VolumeStatus struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the claim. Of a released volume it is the claim that there was.
	Metadata ObjectMeta `json:"metadata"`
	// Claim is what there is of it, and how full its volume is.
	Claim ClaimStatus `json:"claim"`
	// Set is the StatefulSet that the claim belongs to, if it does.
	Set *ObjectReference `json:"set,omitempty"`
	// MountedBy are the pods that mount it and have not ended, by name.
	MountedBy []VolumeUser `json:"mountedBy,omitempty"`
	// Unused says since when nothing mounts it; it is missing while something does, and where pods could not be read.
	Unused *VolumeUnused `json:"unused,omitempty"`
	// Released is when the volume of a deleted claim was released; missing where that is not known.
	Released *metav1.Time `json:"released,omitempty"`
}

// VolumeUser is a pod that mounts a claim.
type VolumeUser struct {
	// Pod is its name.
	Pod string `json:"pod"`
	// Ready is the pod's condition.
	Ready bool `json:"ready"`
	// Node is missing where the pod has not been scheduled.
	Node string `json:"node,omitempty"`
	// Owner is what controls it: a StatefulSet, a Deployment, a Job. It is missing where nothing does.
	Owner *ObjectReference `json:"owner,omitempty"`
	// Role is the pod's, as a label of its operator has it: primary, replica, broker.
	Role string `json:"role,omitempty"`
	// MountPaths are where its containers find the volume, each once.
	MountPaths []string `json:"mountPaths,omitempty"`
}

// UnusedSource is where it is known from since when nothing mounts a claim.
type UnusedSource string

const (
	// UnusedByCondition is the condition Unused of the claim, which Kubernetes keeps from 1.37 on, and from 1.36 where it has been enabled.
	UnusedByCondition UnusedSource = "Condition"
	// UnusedByPod is the end of the last pod that is still known.
	UnusedByPod UnusedSource = "LastPod"
	// UnusedUnknown means that it is not known.
	UnusedUnknown UnusedSource = "Unknown"
)

// VolumeUnused says since when nothing mounts a claim.
type VolumeUnused struct {
	// Source is where that is known from.
	Source UnusedSource `json:"source"`
	// Since is missing where it is not known.
	Since *metav1.Time `json:"since,omitempty"`
	// LastPod is the last pod that is known, which has ended.
	LastPod string `json:"lastPod,omitempty"`
}

// NodeDisk is a disk of a node that holds volumes as directories.
type NodeDisk struct {
	// Node is its name.
	Node string `json:"node"`
	// Usage is that of the disk's file system.
	Usage VolumeUsage `json:"usage"`
	// FullAt is when it will be full at the present rate, as that of a claim.
	FullAt *metav1.Time `json:"fullAt,omitempty"`
	// Claims are those whose volumes are directories on it.
	Claims []ObjectReference `json:"claims"`
}

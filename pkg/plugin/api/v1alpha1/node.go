package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CapacityType says on what terms a provider gives a machine.
type CapacityType string

const (
	// CapacitySpot is surplus capacity, which the provider takes back at any time.
	CapacitySpot CapacityType = "spot"
	// CapacityOnDemand is paid for by the hour and kept as long as it is wanted.
	CapacityOnDemand CapacityType = "on-demand"
	// CapacityReserved is on-demand capacity that has been set aside or paid for in advance.
	CapacityReserved CapacityType = "reserved"
	// CapacityBlock is reserved for a time that ends (AWS Capacity Blocks for ML).
	CapacityBlock CapacityType = "capacity-block"
	// CapacityPreemptible is surplus capacity that lasts 24 hours at most (GKE, OKE, Yandex).
	CapacityPreemptible CapacityType = "preemptible"
	// CapacityFlex comes when there is some and lasts seven days at most (GKE flex-start).
	CapacityFlex CapacityType = "flex"
	// CapacityFargate is a machine made for one pod, which stays as long as the pod does.
	CapacityFargate CapacityType = "fargate"
	// CapacityUnknown means that the node has no known label.
	CapacityUnknown CapacityType = "unknown"
)

// CapacityTypes lists every capacity type in the order in which reports sum them up.
var CapacityTypes = [...]CapacityType{
	CapacityOnDemand, CapacityReserved, CapacityBlock, CapacitySpot, CapacityPreemptible, CapacityFlex, CapacityFargate, CapacityUnknown,
}

// ComputeType says what kind of thing a node is.
type ComputeType string

const (
	// ComputeInstance is an ordinary machine of a provider.
	ComputeInstance ComputeType = "instance"
	// ComputeAuto is a machine that EKS Auto Mode looks after.
	ComputeAuto ComputeType = "auto"
	// ComputeFargate is a machine of AWS Fargate, made for one pod.
	ComputeFargate ComputeType = "fargate"
	// ComputeHybrid is a machine of one's own that EKS has as a node.
	ComputeHybrid ComputeType = "hybrid"
	// ComputeVirtual is no machine: pods run in a service behind it (virtual kubelet).
	ComputeVirtual ComputeType = "virtual"
	// ComputeUnknown means that neither labels nor a provider ID tell.
	ComputeUnknown ComputeType = "unknown"
)

// PlatformUnknown is the platform of a node that has neither a provider ID nor a label that a platform gives.
const PlatformUnknown = "unknown"

// OwnerKind is the kind of what a node belongs to: what makes it and would make another in its place. Others are possible: Cluster API names
// kinds of its own here, such as MachineSet.
type OwnerKind string

const (
	// OwnerManagedNodeGroup is a managed node group of EKS.
	OwnerManagedNodeGroup OwnerKind = "ManagedNodeGroup"
	// OwnerNodeGroup is a node group that eksctl or a provider made.
	OwnerNodeGroup OwnerKind = "NodeGroup"
	// OwnerNodePool is a node pool: of Karpenter, EKS Auto Mode or a provider.
	OwnerNodePool OwnerKind = "NodePool"
	// OwnerAgentPool is a node pool of AKS.
	OwnerAgentPool OwnerKind = "AgentPool"
	// OwnerNodeClass is a class of nodes: of EKS Auto Mode, Karpenter or GKE.
	OwnerNodeClass OwnerKind = "NodeClass"
	// OwnerProvisioner is what Karpenter called a node pool before v1beta1.
	OwnerProvisioner OwnerKind = "Provisioner"
	// OwnerFargateProfile is a Fargate profile.
	OwnerFargateProfile OwnerKind = "FargateProfile"
	// OwnerInstanceGroup is an instance group of kOps.
	OwnerInstanceGroup OwnerKind = "InstanceGroup"
	// OwnerVirtualNodeGroup is a virtual node group of Spot Ocean.
	OwnerVirtualNodeGroup OwnerKind = "VirtualNodeGroup"
	// OwnerMachine is a Machine of Cluster API or OpenShift.
	OwnerMachine OwnerKind = "Machine"
	// OwnerCastAI is CAST AI, which owns nodes itself.
	OwnerCastAI OwnerKind = "CastAI"
	// OwnerSelfManaged is an instance of AWS that nothing known has labelled.
	OwnerSelfManaged OwnerKind = "SelfManaged"
)

// NodeOwner is what a node belongs to.
type NodeOwner struct {
	// Kind is what kind of thing it is.
	Kind OwnerKind `json:"kind"`
	// Name is the owner's; it is missing where the node does not tell it.
	Name string `json:"name,omitempty"`
}

// NodeClass is what a node's labels, annotations, taints and provider ID report it.
type NodeClass struct {
	// CapacityType is on what terms the provider gives the node.
	CapacityType CapacityType `json:"capacityType"`
	// Interruptible is true if the provider takes the node away without being asked: at any time, or when its time is up.
	Interruptible bool `json:"interruptible"`
	// Evidence is the label that decided the capacity type, as key=value, or what the platform documents for its absence.
	Evidence string `json:"evidence,omitempty"`
	// UnknownReason says why the capacity type is unknown.
	UnknownReason string `json:"unknownReason,omitempty"`
	// Conflicts are labels, as key=value, that contradict the evidence.
	Conflicts []string `json:"conflicts,omitempty"`
	// Platform is the service or software that the cluster runs on: EKS, GKE, kOps; else the scheme of the provider ID.
	Platform string `json:"platform"`
	// Owner is what the node belongs to; it is missing where that is nothing known.
	Owner *NodeOwner `json:"owner,omitempty"`
	// ComputeType is what kind of thing the node is.
	ComputeType ComputeType `json:"computeType"`
	// InstanceType is the label node.kubernetes.io/instance-type.
	InstanceType string `json:"instanceType,omitempty"`
	// Architecture is GOARCH: amd64, arm64.
	Architecture string `json:"architecture,omitempty"`
	// Zone and Region are the labels topology.kubernetes.io/zone and region.
	Zone   string `json:"zone,omitempty"`
	Region string `json:"region,omitempty"`
	// OS is GOOS: linux, windows.
	OS string `json:"os,omitempty"`
	// Disruptions are taints, labels, annotations and conditions that say that the node is going, or that it is not to be used.
	Disruptions []NodeDisruption `json:"disruptions,omitempty"`
}

// NodeDisruption is a taint, or something else on a node, that announces a disruption.
type NodeDisruption struct {
	// Taint is key=value:effect, as kubectl describe node prints it; it is missing where something else says so.
	Taint string `json:"taint,omitempty"`
	// Mark is the label or annotation, as key=value, or the type of the condition that says so, where it is no taint.
	Mark string `json:"mark,omitempty"`
	// Cause says in a word or two what it means.
	Cause string `json:"cause"`
	// Going is true if the node is about to be taken away; false if the node is out of use or a candidate only.
	Going bool `json:"going"`
}

// Kinds of the report of kubectl doik nodes.
const (
	KindNodeCapacity     = "NodeCapacity"
	KindNodeCapacityList = "NodeCapacityList"
)

// The codes of kubectl doik nodes.
const (
	CodeOnInterruptible       Code = "NODE001" // stateful pods run on interruptible capacity
	CodeAllInterruptible      Code = "NODE002" // all pods of a set do
	CodeMajorityInterruptible Code = "NODE003" // a majority of a set does, of one capacity type
	CodeMajorityInZone        Code = "NODE004" // a majority of a set is in one zone
	CodeMajorityOfOwner       Code = "NODE005" // a majority of a set is on nodes of one group
	CodeMajorityOnNode        Code = "NODE006" // a majority of a set is on one node
	CodeNodeGoing             Code = "NODE007" // a node that is about to be disrupted holds stateful pods
	CodeZoneBound             Code = "NODE008" // volumes are bound to a zone in which no other node could take them
	CodeAttachLimit           Code = "NODE009" // a node can take few volumes more, or none
	CodeNodeOutOfUse          Code = "NODE010" // a cordoned node, or one that is not ready, holds stateful pods
	CodeNoBudgetOnSpot        Code = "NODE011" // a set on interruptible capacity has no PodDisruptionBudget
	CodeLabelsConflict        Code = "NODE012" // labels of a node contradict each other
	CodeNodeTainted           Code = "NODE013" // a node with stateful pods has a taint that keeps pods off, or evicts them
	CodeNodeTroubled          Code = "NODE014" // a condition of a node with stateful pods says that something is wrong with it
)

// NodeCapacityList is the report of kubectl doik nodes.
type NodeCapacityList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the selected nodes by name.
	Items []NodeCapacity `json:"items"`
	// Summary sums the selected nodes up.
	Summary NodeSummary `json:"summary"`
	// Findings are those about sets of pods, the worst first; those about one node are with it.
	Findings []Finding `json:"findings,omitempty"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// NodeReadiness says whether a node takes part.
type NodeReadiness string

const (
	// NodeReady means that the kubelet says that it is ready.
	NodeReady NodeReadiness = "Ready"
	// NodeNotReady means that it says that it is not, or says nothing any more.
	NodeNotReady NodeReadiness = "NotReady"
	// NodeReadinessUnknown means that it has not said anything yet.
	NodeReadinessUnknown NodeReadiness = "Unknown"
)

// NodeCapacity is one node: on what terms it runs, and what is at stake on it.
type NodeCapacity struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the node.
	Metadata ObjectMeta `json:"metadata"`
	// Readiness says whether the node takes part.
	Readiness NodeReadiness `json:"readiness"`
	// NotReadyReason is what the condition Ready says of a node that is not.
	NotReadyReason string `json:"notReadyReason,omitempty"`
	// NotReadySince is when it became so.
	NotReadySince *metav1.Time `json:"notReadySince,omitempty"`
	// Cordoned is true if no new pods are scheduled to it.
	Cordoned bool `json:"cordoned,omitempty"`
	// Terminating is true if the node has been deleted and something holds it until its pods are gone.
	Terminating bool `json:"terminating,omitempty"`
	// Pressures are the conditions, other than Ready, that say that something is wrong: DiskPressure, KernelDeadlock, StorageReady=False.
	Pressures []string `json:"pressures,omitempty"`
	// Taints are those that keep pods off for a reason of their own: not because the node is going, is cordoned, or has a condition.
	Taints []NodeTaint `json:"taints,omitempty"`
	// Class is what the node's labels tell.
	Class NodeClass `json:"class"`
	// KubeletVersion is as the node tells it: v1.35.1.
	KubeletVersion string `json:"kubeletVersion,omitempty"`
	// ProviderID is the provider's name of the machine.
	ProviderID string `json:"providerID,omitempty"`
	// InternalIP is the first of the node's internal addresses.
	InternalIP string `json:"internalIP,omitempty"`
	// CPU and Memory are in cores and in bytes.
	CPU    NodeResource `json:"cpu"`
	Memory NodeResource `json:"memory"`
	// Volumes tell how many volumes each CSI driver has attached, where it has a limit.
	Volumes []AttachedVolumes `json:"volumes,omitempty"`
	// VolumesUnknown is why the limits are not known.
	VolumesUnknown string `json:"volumesUnknown,omitempty"`
	// Pods counts those on the node; it is missing where pods could not be read.
	Pods *NodePods `json:"pods,omitempty"`
	// StatefulPods are the pods that have something to lose; they are there with --pods only.
	StatefulPods []StatefulPod `json:"statefulPods,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// NodeTaint is a taint with the effect NoSchedule or NoExecute.
type NodeTaint struct {
	// Taint is key=value:effect, as kubectl describe node prints it.
	Taint string `json:"taint"`
	// Untolerated are the node's stateful pods, as namespace/name, that do not tolerate it: they can't be scheduled there again, or are evicted.
	Untolerated []string `json:"untolerated,omitempty"`
}

// NodeResource is how much of something a node has.
type NodeResource struct {
	// Capacity and Allocatable are what the machine has, and what is left of it for pods; of a Fargate node what its pod is given.
	Capacity    *resource.Quantity `json:"capacity,omitempty"`
	Allocatable *resource.Quantity `json:"allocatable,omitempty"`
	// Requested is the sum of the pods' requests. It is missing where not all pods were read.
	Requested *resource.Quantity `json:"requested,omitempty"`
	// RequestedPercent is requested / allocatable.
	RequestedPercent *int32 `json:"requestedPercent,omitempty"`
}

// AttachedVolumes are the volumes of one CSI driver on one node.
type AttachedVolumes struct {
	// Driver is the name of the CSI driver.
	Driver string `json:"driver"`
	// Attached is the number in the node's status.volumesAttached.
	Attached int32 `json:"attached"`
	// Limit is what the driver says in the CSINode.
	Limit int32 `json:"limit"`
}

// NodePods counts the pods on a node that have not ended.
type NodePods struct {
	// Total counts all of them.
	Total int32 `json:"total"`
	// Stateful are those that a StatefulSet controls and those that mount a PersistentVolumeClaim.
	Stateful int32 `json:"stateful"`
}

// StatefulPod is a pod that has something to lose.
type StatefulPod struct {
	// Namespace and Name are the pod's.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Controller is what made it; missing for a pod that nothing would make again.
	Controller *Controller `json:"controller,omitempty"`
	// Ordinal is that of a StatefulSet's pod.
	Ordinal *int32 `json:"ordinal,omitempty"`
	// ContainersReady and Containers count those that are ready, and all.
	ContainersReady int32 `json:"containersReady"`
	Containers      int32 `json:"containers"`
	// CreationTimestamp is the pod's.
	CreationTimestamp metav1.Time `json:"creationTimestamp,omitzero"`
	// Claims are those that it mounts.
	Claims []PodClaim `json:"claims,omitempty"`
}

// Controller is what controls a pod.
type Controller struct {
	// Kind and Name are those of the pod's owner reference: StatefulSet, Job, and what operators have.
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// PodClaim is a claim that a pod mounts.
type PodClaim struct {
	// Name is the claim's.
	Name string `json:"name"`
	// Usage is how full the volume is; it is missing where it could not be read (UsageUnknown says why).
	Usage *VolumeUsage `json:"usage,omitempty"`
	// UsageUnknown is the reason why the usage is not known.
	UsageUnknown string `json:"usageUnknown,omitempty"`
}

// NodeSummary sums nodes up.
type NodeSummary struct {
	// Total is of all selected nodes.
	Total NodeSum `json:"total"`
	// Interruptible is of those whose capacity is interruptible.
	Interruptible NodeSum `json:"interruptible"`
	// InterruptiblePercent is the share of the stateful pods on interruptible capacity. It is missing where there are none or
	// pods could not be read.
	InterruptiblePercent *int32 `json:"interruptiblePercent,omitempty"`
	// ByCapacityType, ByZone and ByOwner are sums by the name of each: a capacity type, a zone, an owner as kind/name.
	ByCapacityType []NodeSum `json:"byCapacityType,omitempty"`
	ByZone         []NodeSum `json:"byZone,omitempty"`
	ByOwner        []NodeSum `json:"byOwner,omitempty"`
}

// NodeSum is what some nodes are and have together.
type NodeSum struct {
	// Name is that of the capacity type, zone or owner; empty for all nodes, and for those without a zone or an owner.
	Name string `json:"name,omitempty"`
	// Nodes and Ready count all of them, and those that are ready.
	Nodes int32 `json:"nodes"`
	Ready int32 `json:"ready"`
	// CPU and Memory are the machines' capacity; virtual nodes count for nothing.
	CPU    resource.Quantity `json:"cpu"`
	Memory resource.Quantity `json:"memory"`
	// Pods counts those on the nodes; it is missing where pods could not be read.
	Pods *NodePods `json:"pods,omitempty"`
}

package v1alpha1

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
	// CapacityUnknown means that no label tells.
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

// OwnerKind is the kind of what a node belongs to: what makes it and would make another in its place. Cluster API names
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
	Kind OwnerKind `json:"kind"`
	// Name is missing where the node does not tell it.
	Name string `json:"name,omitempty"`
}

// NodeClass is what a node's labels, annotations, taints and provider ID tell of it.
type NodeClass struct {
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
	// Owner is missing where the node belongs to nothing known.
	Owner        *NodeOwner  `json:"owner,omitempty"`
	ComputeType  ComputeType `json:"computeType"`
	InstanceType string      `json:"instanceType,omitempty"`
	// Architecture is GOARCH: amd64, arm64.
	Architecture string `json:"architecture,omitempty"`
	Zone         string `json:"zone,omitempty"`
	Region       string `json:"region,omitempty"`
	// Disruptions are taints that say that the node is going, or that it is not to be used.
	Disruptions []NodeDisruption `json:"disruptions,omitempty"`
}

// NodeDisruption is a taint that tells of a disruption.
type NodeDisruption struct {
	// Taint is key=value:effect, as kubectl describe node prints it.
	Taint string `json:"taint"`
	// Cause says in a word or two what it means.
	Cause string `json:"cause"`
	// Going is true if somebody is about to take the node away; false if the node is out of use or a candidate only.
	Going bool `json:"going"`
}

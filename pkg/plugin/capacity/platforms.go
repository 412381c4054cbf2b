package capacity

import "github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"

// source says where a key is looked up.
type source int

const (
	label source = iota
	annotation
)

// platform is what one service, or one piece of software that looks after nodes, writes on them. Rows in front decide before
// rows behind.
type platform struct {
	// row names the row in tests and documentation.
	row string
	// name is what the report calls the platform; empty for software that runs on any.
	name string
	// marks are keys of labels and annotations that only this platform gives; one that ends in / stands for all that begin so.
	marks []string
	// providers are beginnings of the provider ID.
	providers []string
	// version is a part of the kubelet's version.
	version string
	// capacity are the labels that tell the capacity type, the more specific first.
	capacity []capacityLabel
	// absent is what it means that none of them is there, where the platform documents it.
	absent *absence
	// owners are tried in this order.
	owners []ownerKey
}

// capacityLabel tells a capacity type by its value. Values are compared without regard to case; anyValue stands for all.
type capacityLabel struct {
	key    string
	values map[string]v1alpha1.CapacityType
	// overrules are keys that are there all the same, and mean nothing beside this one.
	overrules []string
	// silent are values that say nothing about the capacity type; anyValue where others use the key for purposes of their own.
	silent []string
	// tainted is what a taint of this key tells, whatever its value; without it taints are read by the values of the label.
	tainted v1alpha1.CapacityType
}

// absence is what no label means.
type absence struct {
	capacity v1alpha1.CapacityType
	// key is the label whose absence it is, mark the one that a node must have for that, and word what the platform calls it.
	key, mark, word string
}

type ownerKey struct {
	source source
	key    string
	kind   v1alpha1.OwnerKind
	// kindKey is the key of the kind, where nodes tell that too.
	kindKey string
	// nameless owners are known by the value of the key alone.
	nameless string
}

// anyValue matches every value of a label, the empty one too.
const anyValue = "*"

type values = map[string]v1alpha1.CapacityType

var (
	isSpot        = values{"true": v1alpha1.CapacitySpot}
	isOnDemand    = values{"true": v1alpha1.CapacityOnDemand}
	isPreemptible = values{"true": v1alpha1.CapacityPreemptible}
	// lifecycles are the words of those who label nodes by hand.
	lifecycles = values{
		"spot": v1alpha1.CapacitySpot, "ec2spot": v1alpha1.CapacitySpot, "preemptible": v1alpha1.CapacityPreemptible,
		"normal": v1alpha1.CapacityOnDemand, "on-demand": v1alpha1.CapacityOnDemand, "ondemand": v1alpha1.CapacityOnDemand, "od": v1alpha1.CapacityOnDemand,
	}
)

// platforms: software that makes the machines comes first, for it knows on what terms; then the managed services; labels that
// people give come last. The keys and values are those of the vendors' documentation and of the open controllers.
var platforms = [...]platform{
	{
		row: "Karpenter",
		capacity: []capacityLabel{
			{key: "karpenter.k8s.aws/capacity-reservation-type", values: values{"default": v1alpha1.CapacityReserved, "capacity-block": v1alpha1.CapacityBlock}},
			{key: "karpenter.sh/capacity-type", values: values{"spot": v1alpha1.CapacitySpot, "on-demand": v1alpha1.CapacityOnDemand, "reserved": v1alpha1.CapacityReserved}},
		},
		owners: []ownerKey{
			{key: "karpenter.sh/nodepool", kind: v1alpha1.OwnerNodePool},
			{key: "karpenter.sh/provisioner-name", kind: v1alpha1.OwnerProvisioner},
			{key: "karpenter.k8s.aws/ec2nodeclass", kind: v1alpha1.OwnerNodeClass},
		},
	},
	{
		row: "Spot Ocean",
		capacity: []capacityLabel{
			{key: "spotinst.io/node-lifecycle", values: values{"od": v1alpha1.CapacityOnDemand, "spot": v1alpha1.CapacitySpot}},
		},
		owners: []ownerKey{{key: "spotinst.io/ocean-vng-id", kind: v1alpha1.OwnerVirtualNodeGroup}},
	},
	{
		// A fallback is an on-demand machine in place of a spot one: it keeps the label of spot for the pods that select it.
		row: "CAST AI",
		capacity: []capacityLabel{
			{key: "scheduling.cast.ai/spot-fallback", values: isOnDemand, overrules: []string{"scheduling.cast.ai/spot"}},
			{key: "scheduling.cast.ai/spot", values: isSpot, tainted: v1alpha1.CapacitySpot}, // CAST AI taints its spot nodes so too
			{key: "scheduling.cast.ai/on-demand", values: isOnDemand},
		},
		owners: []ownerKey{{key: "provisioner.cast.ai/managed-by", kind: v1alpha1.OwnerCastAI, nameless: "cast.ai"}},
	},
	{
		row: "EKS", name: "EKS", marks: []string{"eks.amazonaws.com/"}, providers: []string{"eks-hybrid:///"}, version: "-eks-",
		capacity: []capacityLabel{
			{key: "eks.amazonaws.com/compute-type", values: values{"fargate": v1alpha1.CapacityFargate}, silent: []string{"auto", "hybrid", "ec2"}},
			{key: "eks.amazonaws.com/capacityType", values: values{"on_demand": v1alpha1.CapacityOnDemand, "spot": v1alpha1.CapacitySpot, "capacity_block": v1alpha1.CapacityBlock}},
		},
		owners: []ownerKey{
			{key: "eks.amazonaws.com/nodegroup", kind: v1alpha1.OwnerManagedNodeGroup},
			{key: "eks.amazonaws.com/fargate-profile", kind: v1alpha1.OwnerFargateProfile},
			{key: "eks.amazonaws.com/nodeclass", kind: v1alpha1.OwnerNodeClass},
		},
	},
	{
		row: "GKE", name: "GKE", marks: []string{"cloud.google.com/gke-"}, version: "-gke.",
		capacity: []capacityLabel{
			{key: "cloud.google.com/gke-flex-start", values: values{"true": v1alpha1.CapacityFlex}},
			// Node auto-provisioning taints spot nodes with the key of the label, and GKE's pages advise to do so by hand.
			{key: "cloud.google.com/gke-spot", values: isSpot, tainted: v1alpha1.CapacitySpot},
			{key: "cloud.google.com/gke-preemptible", values: isPreemptible, tainted: v1alpha1.CapacityPreemptible},
			{key: "cloud.google.com/reservation-name", values: values{anyValue: v1alpha1.CapacityReserved}},
			{key: "cloud.google.com/gke-provisioning", values: values{
				"standard": v1alpha1.CapacityOnDemand, "spot": v1alpha1.CapacitySpot, "preemptible": v1alpha1.CapacityPreemptible, "flex-start": v1alpha1.CapacityFlex,
			}},
		},
		absent: &absence{v1alpha1.CapacityOnDemand, "cloud.google.com/gke-provisioning", "cloud.google.com/gke-nodepool", "standard"},
		owners: []ownerKey{
			{key: "cloud.google.com/gke-nodepool", kind: v1alpha1.OwnerNodePool},
			{key: "cloud.google.com/compute-class", kind: v1alpha1.OwnerNodeClass},
		},
	},
	{
		row: "AKS", name: "AKS", marks: []string{"kubernetes.azure.com/"},
		capacity: []capacityLabel{
			// Spot pools have the label and a taint of the same key and value: learn.microsoft.com/azure/aks/spot-node-pool. Either may be
			// taken away.
			{key: "kubernetes.azure.com/scalesetpriority", values: values{"spot": v1alpha1.CapacitySpot, "regular": v1alpha1.CapacityOnDemand}},
			{key: "kubernetes.azure.com/priority", values: values{"spot": v1alpha1.CapacitySpot, "regular": v1alpha1.CapacityOnDemand}},
		},
		absent: &absence{v1alpha1.CapacityOnDemand, "kubernetes.azure.com/scalesetpriority", "kubernetes.azure.com/agentpool", "regular"},
		owners: []ownerKey{
			{key: "kubernetes.azure.com/agentpool", kind: v1alpha1.OwnerAgentPool},
			{key: "agentpool", kind: v1alpha1.OwnerAgentPool},
		},
	},
	{
		row: "OKE", name: "OKE", marks: []string{"oci.oraclecloud.com/"},
		// The label is true, the taint present: docs.oracle.com, Using Preemptible Capacity for Worker Nodes.
		capacity: []capacityLabel{{key: "oci.oraclecloud.com/oke-is-preemptible", values: isPreemptible, tainted: v1alpha1.CapacityPreemptible}},
		owners:   []ownerKey{{source: annotation, key: "oci.oraclecloud.com/node-pool-id", kind: v1alpha1.OwnerNodePool}},
	},
	{
		// PostPaid is what spot instances are too: it tells nothing.
		row: "Alibaba ACK", name: "ACK", marks: []string{"node.alibabacloud.com/", "alibabacloud.com/"},
		capacity: []capacityLabel{
			{key: "node.alibabacloud.com/instance-charge-type", values: values{"prepaid": v1alpha1.CapacityReserved}, silent: []string{"postpaid"}},
			{key: "node.alibabacloud.com/spot-strategy", values: values{
				"nospot": v1alpha1.CapacityOnDemand, "spotaspricego": v1alpha1.CapacitySpot, "spotwithpricelimit": v1alpha1.CapacitySpot,
			}},
		},
		owners: []ownerKey{
			{key: "node.alibabacloud.com/nodepool-id", kind: v1alpha1.OwnerNodePool},
			{key: "alibabacloud.com/nodepool-id", kind: v1alpha1.OwnerNodePool},
		},
	},
	{
		row: "Yandex", name: "Yandex", marks: []string{"yandex.cloud/"},
		capacity: []capacityLabel{{key: "yandex.cloud/preemptible", values: values{"true": v1alpha1.CapacityPreemptible, "false": v1alpha1.CapacityOnDemand}}},
		owners:   []ownerKey{{key: "yandex.cloud/node-group-id", kind: v1alpha1.OwnerNodeGroup}},
	},
	{
		row: "DigitalOcean", name: "DOKS", marks: []string{"doks.digitalocean.com/"},
		owners: []ownerKey{{key: "doks.digitalocean.com/node-pool", kind: v1alpha1.OwnerNodePool}},
	},
	{
		row: "Civo", name: "Civo", marks: []string{"kubernetes.civo.com/"},
		owners: []ownerKey{{key: "kubernetes.civo.com/civo-node-pool", kind: v1alpha1.OwnerNodePool}},
	},
	{
		row: "Scaleway", name: "Scaleway", marks: []string{"k8s.scaleway.com/"},
		owners: []ownerKey{{key: "k8s.scaleway.com/pool-name", kind: v1alpha1.OwnerNodePool}},
	},
	{
		row: "CoreWeave", name: "CoreWeave", marks: []string{"compute.coreweave.com/"},
		owners: []ownerKey{{key: "compute.coreweave.com/node-pool", kind: v1alpha1.OwnerNodePool}},
	},
	{
		row: "OpenShift", name: "OpenShift", marks: []string{"machine.openshift.io/", "node.openshift.io/"},
		capacity: []capacityLabel{{key: "machine.openshift.io/interruptible-instance", values: values{anyValue: v1alpha1.CapacitySpot}}},
		owners:   []ownerKey{{source: annotation, key: "machine.openshift.io/machine", kind: v1alpha1.OwnerMachine}},
	},
	{
		row: "kOps", name: "kOps", marks: []string{"kops.k8s.io/"},
		capacity: []capacityLabel{{key: "node-role.kubernetes.io/spot-worker", values: values{"true": v1alpha1.CapacitySpot, "": v1alpha1.CapacitySpot}}},
		owners:   []ownerKey{{key: "kops.k8s.io/instancegroup", kind: v1alpha1.OwnerInstanceGroup}},
	},
	{
		row:      "Cluster API",
		capacity: []capacityLabel{{key: "cluster.x-k8s.io/interruptible", values: values{anyValue: v1alpha1.CapacitySpot}}},
		owners: []ownerKey{
			{source: annotation, key: "cluster.x-k8s.io/owner-name", kindKey: "cluster.x-k8s.io/owner-kind", kind: v1alpha1.OwnerMachine},
			{source: annotation, key: "cluster.x-k8s.io/machine", kind: v1alpha1.OwnerMachine},
		},
	},
	{
		row:      "eksctl",
		capacity: []capacityLabel{{key: "node-lifecycle", values: lifecycles, silent: []string{anyValue}}},
		owners:   []ownerKey{{key: "alpha.eksctl.io/nodegroup-name", kind: v1alpha1.OwnerNodeGroup}},
	},
	{
		row: "Legacy",
		capacity: []capacityLabel{
			{key: "node.kubernetes.io/lifecycle", values: lifecycles, silent: []string{anyValue}},
			{key: "kubernetes.io/lifecycle", values: lifecycles, silent: []string{anyValue}},
			{key: "lifecycle", values: lifecycles, silent: []string{anyValue}},
		},
	},
}

// providers are clouds that are recognized by a provider ID, where nothing else shows the platform.
var providers = [...]struct{ scheme, name string }{
	{"aws", "AWS"}, {"gce", "GCE"}, {"azure", "Azure"}, {"oci", "OCI"}, {"yandex", "Yandex"}, {"digitalocean", "DigitalOcean"},
	{"civo", "Civo"}, {"scaleway", "Scaleway"}, {"openstack", "OpenStack"}, {"vsphere", "vSphere"},
}

package capacity

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// words are labels or annotations: "key=value key=value".
func words(text string) map[string]string {
	m := map[string]string{}
	for _, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(word, "=")
		m[key] = value
	}
	return m
}

func TestClassify(t *testing.T) {
	type want struct {
		capacity, evidence, conflicts, unknown, platform, owner, compute string
	}
	tests := []struct {
		name string
		// row is the row of the table that the case is about.
		row                                  string
		labels, annotations, provider, taint string
		version                              string
		own                                  []OwnLabel
		interruptible                        bool
		want                                 want
	}{
		{name: "EKS managed on-demand, made by eksctl", row: "EKS", provider: "aws:///ap-northeast-2a/i-0a",
			labels: "eks.amazonaws.com/capacityType=ON_DEMAND eks.amazonaws.com/nodegroup=od alpha.eksctl.io/nodegroup-name=od alpha.eksctl.io/cluster-name=lab",
			want:   want{"on-demand", "eks.amazonaws.com/capacityType=ON_DEMAND", "", "", "EKS", "ManagedNodeGroup/od", "instance"}},
		{name: "EKS managed spot", row: "EKS", provider: "aws:///a/i-0a", interruptible: true,
			labels: "eks.amazonaws.com/capacityType=SPOT eks.amazonaws.com/nodegroup=spot",
			want:   want{"spot", "eks.amazonaws.com/capacityType=SPOT", "", "", "EKS", "ManagedNodeGroup/spot", "instance"}},
		{name: "EKS capacity block", row: "EKS", provider: "aws:///a/i-0a", interruptible: true,
			labels: "eks.amazonaws.com/capacityType=CAPACITY_BLOCK eks.amazonaws.com/nodegroup=gpu",
			want:   want{"capacity-block", "eks.amazonaws.com/capacityType=CAPACITY_BLOCK", "", "", "EKS", "ManagedNodeGroup/gpu", "instance"}},
		{name: "EKS Fargate", row: "EKS", provider: "aws:///a/6f/fargate-ip-10-0-0-1", taint: "eks.amazonaws.com/compute-type=fargate:NoSchedule",
			labels: "eks.amazonaws.com/compute-type=fargate",
			want:   want{"fargate", "eks.amazonaws.com/compute-type=fargate", "", "", "EKS", "FargateProfile", "fargate"}},
		{name: "EKS Auto Mode", row: "EKS", provider: "aws:///a/i-0a", interruptible: true,
			labels: "eks.amazonaws.com/compute-type=auto eks.amazonaws.com/nodeclass=default karpenter.sh/nodepool=general-purpose karpenter.sh/capacity-type=spot",
			want:   want{"spot", "karpenter.sh/capacity-type=spot", "", "", "EKS", "NodePool/general-purpose", "auto"}},
		{name: "EKS Auto Mode without a pool", row: "EKS", provider: "aws:///a/i-0a",
			labels: "eks.amazonaws.com/compute-type=auto eks.amazonaws.com/nodeclass=default",
			want:   want{"unknown", "", "", "no known label", "EKS", "NodeClass/default", "auto"}},
		{name: "EKS hybrid", row: "EKS", provider: "eks-hybrid:///eu-west-1/lab/mi-0a",
			labels: "eks.amazonaws.com/compute-type=hybrid eks.amazonaws.com/hybrid-credential-provider=ssm",
			want:   want{"unknown", "", "", "a hybrid node: its machine does not belong to the provider", "EKS", "", "hybrid"}},
		{name: "EKS hybrid by its provider ID", row: "EKS", provider: "eks-hybrid:///eu-west-1/lab/mi-0a",
			want: want{"unknown", "", "", "a hybrid node: its machine does not belong to the provider", "EKS", "", "hybrid"}},
		{name: "EKS self-managed", row: "EKS", provider: "aws:///a/i-0a", version: "v1.34.1-eks-113cf36",
			want: want{"unknown", "", "", "no known label", "EKS", "SelfManaged", "instance"}},
		{name: "AWS without EKS", row: "EKS", provider: "aws:///a/i-0a", version: "v1.34.1",
			want: want{"unknown", "", "", "no known label", "AWS", "SelfManaged", "instance"}},
		{name: "eksctl, unmanaged, spot", row: "eksctl", provider: "aws:///a/i-0a", version: "v1.34.1-eks-113cf36", interruptible: true,
			labels: "node-lifecycle=spot alpha.eksctl.io/nodegroup-name=ng alpha.eksctl.io/cluster-name=lab",
			want:   want{"spot", "node-lifecycle=spot", "", "", "EKS", "NodeGroup/ng", "instance"}},
		{name: "eksctl, unmanaged, on-demand", row: "eksctl", provider: "aws:///a/i-0a", version: "v1.34.1-eks-113cf36",
			labels: "node-lifecycle=on-demand alpha.eksctl.io/nodegroup-name=ng",
			want:   want{"on-demand", "node-lifecycle=on-demand", "", "", "EKS", "NodeGroup/ng", "instance"}},
		{name: "Karpenter spot", row: "Karpenter", provider: "aws:///a/i-0a", version: "v1.34.1-eks-113cf36", interruptible: true,
			labels: "karpenter.sh/capacity-type=spot karpenter.sh/nodepool=db karpenter.k8s.aws/ec2nodeclass=default",
			want:   want{"spot", "karpenter.sh/capacity-type=spot", "", "", "EKS", "NodePool/db", "instance"}},
		{name: "Karpenter before v1beta1", row: "Karpenter", provider: "aws:///a/i-0a",
			labels: "karpenter.sh/capacity-type=on-demand karpenter.sh/provisioner-name=default",
			want:   want{"on-demand", "karpenter.sh/capacity-type=on-demand", "", "", "AWS", "Provisioner/default", "instance"}},
		{name: "Karpenter reserved", row: "Karpenter", provider: "aws:///a/i-0a",
			labels: "karpenter.sh/capacity-type=reserved karpenter.k8s.aws/capacity-reservation-type=default karpenter.k8s.aws/capacity-reservation-id=cr-1 karpenter.k8s.aws/ec2nodeclass=default",
			want:   want{"reserved", "karpenter.k8s.aws/capacity-reservation-type=default", "", "", "AWS", "NodeClass/default", "instance"}},
		{name: "Karpenter, a capacity block", row: "Karpenter", provider: "aws:///a/i-0a", interruptible: true,
			labels: "karpenter.sh/capacity-type=reserved karpenter.k8s.aws/capacity-reservation-type=capacity-block karpenter.sh/nodepool=gpu",
			want:   want{"capacity-block", "karpenter.k8s.aws/capacity-reservation-type=capacity-block", "", "", "AWS", "NodePool/gpu", "instance"}},
		{name: "Karpenter, a lent reservation", row: "Karpenter", provider: "aws:///a/i-0a", interruptible: true,
			labels: "karpenter.sh/capacity-type=reserved karpenter.k8s.aws/capacity-reservation-interruptible=true karpenter.sh/nodepool=db",
			want:   want{"reserved", "karpenter.k8s.aws/capacity-reservation-interruptible=true", "", "", "AWS", "NodePool/db", "instance"}},
		{name: "Karpenter on Azure", row: "Karpenter", provider: "azure:///subscriptions/x/vm", interruptible: true,
			labels: "karpenter.sh/capacity-type=spot karpenter.sh/nodepool=default kubernetes.azure.com/scalesetpriority=spot kubernetes.azure.com/agentpool=np",
			want:   want{"spot", "karpenter.sh/capacity-type=spot", "", "", "AKS", "NodePool/default", "instance"}},
		{name: "GKE spot", row: "GKE", provider: "gce://p/z/n", interruptible: true,
			labels: "cloud.google.com/gke-spot=true cloud.google.com/gke-provisioning=spot cloud.google.com/gke-nodepool=pool-1",
			want:   want{"spot", "cloud.google.com/gke-spot=true", "", "", "GKE", "NodePool/pool-1", "instance"}},
		{name: "GKE preemptible", row: "GKE", provider: "gce://p/z/n", interruptible: true,
			labels: "cloud.google.com/gke-preemptible=true cloud.google.com/gke-nodepool=pool-1",
			want:   want{"preemptible", "cloud.google.com/gke-preemptible=true", "", "", "GKE", "NodePool/pool-1", "instance"}},
		{name: "GKE flex-start", row: "GKE", provider: "gce://p/z/n", interruptible: true,
			labels: "cloud.google.com/gke-provisioning=flex-start cloud.google.com/gke-nodepool=pool-1",
			want:   want{"flex", "cloud.google.com/gke-provisioning=flex-start", "", "", "GKE", "NodePool/pool-1", "instance"}},
		{name: "GKE flex-start by its own label", row: "GKE", provider: "gce://p/z/n", interruptible: true,
			labels: "cloud.google.com/gke-flex-start=true cloud.google.com/gke-provisioning=standard cloud.google.com/gke-nodepool=pool-1",
			want:   want{"flex", "cloud.google.com/gke-flex-start=true", "cloud.google.com/gke-provisioning=standard", "", "GKE", "NodePool/pool-1", "instance"}},
		{name: "GKE standard", row: "GKE", provider: "gce://p/z/n",
			labels: "cloud.google.com/gke-provisioning=standard cloud.google.com/gke-nodepool=pool-1",
			want:   want{"on-demand", "cloud.google.com/gke-provisioning=standard", "", "", "GKE", "NodePool/pool-1", "instance"}},
		{name: "GKE reservation", row: "GKE", provider: "gce://p/z/n",
			labels: "cloud.google.com/gke-provisioning=standard cloud.google.com/reservation-name=r1 cloud.google.com/compute-class=db",
			want:   want{"reserved", "cloud.google.com/reservation-name=r1", "", "", "GKE", "NodeClass/db", "instance"}},
		{name: "GKE, absence is documented", row: "GKE", provider: "gce://p/z/n",
			labels: "cloud.google.com/gke-nodepool=pool-1 cloud.google.com/gke-spot=false",
			want:   want{"on-demand", "no cloud.google.com/gke-provisioning: standard", "", "", "GKE", "NodePool/pool-1", "instance"}},
		{name: "GCE without GKE", row: "GKE", provider: "gce://p/z/n",
			want: want{"unknown", "", "", "no known label", "GCE", "", "instance"}},
		{name: "AKS spot", row: "AKS", provider: "azure:///subscriptions/x/vm", interruptible: true,
			labels: "kubernetes.azure.com/scalesetpriority=spot kubernetes.azure.com/agentpool=spot agentpool=spot kubernetes.azure.com/mode=user",
			want:   want{"spot", "kubernetes.azure.com/scalesetpriority=spot", "", "", "AKS", "AgentPool/spot", "instance"}},
		{name: "AKS regular", row: "AKS", provider: "azure:///subscriptions/x/vm",
			labels: "kubernetes.azure.com/priority=regular kubernetes.azure.com/agentpool=sys",
			want:   want{"on-demand", "kubernetes.azure.com/priority=regular", "", "", "AKS", "AgentPool/sys", "instance"}},
		{name: "AKS, absence is documented", row: "AKS", provider: "azure:///subscriptions/x/vm",
			labels: "kubernetes.azure.com/agentpool=sys kubernetes.azure.com/mode=system lifecycle=production",
			want:   want{"on-demand", "no kubernetes.azure.com/scalesetpriority: regular", "", "", "AKS", "AgentPool/sys", "instance"}},
		{name: "AKS, the pool's older label", row: "AKS", provider: "azure:///subscriptions/x/vm",
			labels: "agentpool=old kubernetes.azure.com/role=agent",
			want:   want{"unknown", "", "", "no known label", "AKS", "AgentPool/old", "instance"}},
		{name: "AKS virtual node", row: "AKS", taint: "virtual-kubelet.io/provider=azure:NoSchedule",
			labels: "type=virtual-kubelet kubernetes.azure.com/agentpool=vn",
			want:   want{"unknown", "", "", "a virtual node, not backed by a machine", "AKS", "AgentPool/vn", "virtual"}},
		{name: "virtual node by its taint", row: "AKS", taint: "virtual-kubelet.io/provider=tensile:NoSchedule",
			want: want{"unknown", "", "", "a virtual node, not backed by a machine", "unknown", "", "virtual"}},
		{name: "kOps spot", row: "kOps", provider: "aws:///a/i-0a", interruptible: true,
			labels: "node-role.kubernetes.io/spot-worker=true kops.k8s.io/instancegroup=nodes-a",
			want:   want{"spot", "node-role.kubernetes.io/spot-worker=true", "", "", "kOps", "InstanceGroup/nodes-a", "instance"}},
		{name: "kOps", row: "kOps", provider: "aws:///a/i-0a",
			labels: "kops.k8s.io/instancegroup=nodes-a",
			want:   want{"unknown", "", "", "no known label", "kOps", "InstanceGroup/nodes-a", "instance"}},
		{name: "Cluster API", row: "Cluster API", provider: "openstack:///u", interruptible: true,
			labels: "cluster.x-k8s.io/interruptible=", annotations: "cluster.x-k8s.io/owner-kind=MachineSet cluster.x-k8s.io/owner-name=md-0 cluster.x-k8s.io/machine=md-0-x cluster.x-k8s.io/cluster-name=c",
			want: want{"spot", "cluster.x-k8s.io/interruptible=", "", "", "OpenStack", "MachineSet/md-0", "instance"}},
		{name: "Cluster API, a machine alone", row: "Cluster API", provider: "metal3://u",
			annotations: "cluster.x-k8s.io/machine=m0",
			want:        want{"unknown", "", "", "no known label", "metal3", "Machine/m0", "instance"}},
		{name: "OpenShift", row: "OpenShift", provider: "aws:///a/i-0a", interruptible: true,
			labels: "machine.openshift.io/interruptible-instance= node.openshift.io/os_id=rhel", annotations: "machine.openshift.io/machine=openshift-machine-api/w-0",
			want: want{"spot", "machine.openshift.io/interruptible-instance=", "", "", "OpenShift", "Machine/openshift-machine-api/w-0", "instance"}},
		{name: "OKE", row: "OKE", provider: "oci://ocid1.instance", interruptible: true,
			labels: "oci.oraclecloud.com/oke-is-preemptible=true", annotations: "oci.oraclecloud.com/node-pool-id=ocid1.nodepool",
			want: want{"preemptible", "oci.oraclecloud.com/oke-is-preemptible=true", "", "", "OKE", "NodePool/ocid1.nodepool", "instance"}},
		{name: "ACK on-demand", row: "Alibaba ACK", provider: "cn-hangzhou.i-1",
			labels: "node.alibabacloud.com/spot-strategy=NoSpot node.alibabacloud.com/instance-charge-type=PostPaid alibabacloud.com/nodepool-id=np1",
			want:   want{"on-demand", "node.alibabacloud.com/spot-strategy=NoSpot", "", "", "ACK", "NodePool/np1", "instance"}},
		{name: "ACK subscription", row: "Alibaba ACK", provider: "cn-hangzhou.i-1",
			labels: "node.alibabacloud.com/spot-strategy=NoSpot node.alibabacloud.com/instance-charge-type=PrePaid node.alibabacloud.com/nodepool-id=np1",
			want:   want{"reserved", "node.alibabacloud.com/instance-charge-type=PrePaid", "", "", "ACK", "NodePool/np1", "instance"}},
		{name: "ACK spot", row: "Alibaba ACK", provider: "cn-hangzhou.i-1", interruptible: true,
			labels: "node.alibabacloud.com/spot-strategy=SpotAsPriceGo node.alibabacloud.com/instance-charge-type=PostPaid",
			want:   want{"spot", "node.alibabacloud.com/spot-strategy=SpotAsPriceGo", "", "", "ACK", "", "instance"}},
		{name: "ACK spot with a limit", row: "Alibaba ACK", provider: "cn-hangzhou.i-1", interruptible: true,
			labels: "node.alibabacloud.com/spot-strategy=SpotWithPriceLimit",
			want:   want{"spot", "node.alibabacloud.com/spot-strategy=SpotWithPriceLimit", "", "", "ACK", "", "instance"}},
		{name: "Spot Ocean", row: "Spot Ocean", provider: "aws:///a/i-0a", version: "v1.34.1-eks-113cf36", interruptible: true,
			labels: "spotinst.io/node-lifecycle=spot spotinst.io/ocean-vng-id=ols-1",
			want:   want{"spot", "spotinst.io/node-lifecycle=spot", "", "", "EKS", "VirtualNodeGroup/ols-1", "instance"}},
		{name: "Spot Ocean on-demand", row: "Spot Ocean", provider: "aws:///a/i-0a",
			labels: "spotinst.io/node-lifecycle=od spotinst.io/ocean-vng-id=ols-1",
			want:   want{"on-demand", "spotinst.io/node-lifecycle=od", "", "", "AWS", "VirtualNodeGroup/ols-1", "instance"}},
		{name: "CAST AI spot", row: "CAST AI", provider: "gce://p/z/n", interruptible: true,
			labels: "scheduling.cast.ai/spot=true provisioner.cast.ai/managed-by=cast.ai",
			want:   want{"spot", "scheduling.cast.ai/spot=true", "", "", "GCE", "CastAI", "instance"}},
		{name: "CAST AI on-demand", row: "CAST AI", provider: "gce://p/z/n",
			labels: "scheduling.cast.ai/on-demand=true provisioner.cast.ai/managed-by=cast.ai",
			want:   want{"on-demand", "scheduling.cast.ai/on-demand=true", "", "", "GCE", "CastAI", "instance"}},
		{name: "CAST AI fallback", row: "CAST AI", provider: "gce://p/z/n",
			labels: "scheduling.cast.ai/spot=true scheduling.cast.ai/spot-fallback=true provisioner.cast.ai/managed-by=cast.ai",
			want:   want{"on-demand", "scheduling.cast.ai/spot-fallback=true", "", "", "GCE", "CastAI", "instance"}},
		{name: "Yandex preemptible", row: "Yandex", provider: "yandex://fhm", interruptible: true,
			labels: "yandex.cloud/preemptible=true yandex.cloud/node-group-id=cat1",
			want:   want{"preemptible", "yandex.cloud/preemptible=true", "", "", "Yandex", "NodeGroup/cat1", "instance"}},
		{name: "Yandex", row: "Yandex", provider: "yandex://fhm",
			labels: "yandex.cloud/preemptible=false yandex.cloud/node-group-id=cat1",
			want:   want{"on-demand", "yandex.cloud/preemptible=false", "", "", "Yandex", "NodeGroup/cat1", "instance"}},
		{name: "DigitalOcean", row: "DigitalOcean", provider: "digitalocean://1", labels: "doks.digitalocean.com/node-pool=p",
			want: want{"unknown", "", "", "no known label", "DOKS", "NodePool/p", "instance"}},
		{name: "Civo", row: "Civo", provider: "civo://1", labels: "kubernetes.civo.com/civo-node-pool=p",
			want: want{"unknown", "", "", "no known label", "Civo", "NodePool/p", "instance"}},
		{name: "Scaleway", row: "Scaleway", provider: "scaleway://1", labels: "k8s.scaleway.com/pool-name=p",
			want: want{"unknown", "", "", "no known label", "Scaleway", "NodePool/p", "instance"}},
		{name: "CoreWeave", row: "CoreWeave", labels: "compute.coreweave.com/node-pool=p",
			want: want{"unknown", "", "", "no known label", "CoreWeave", "NodePool/p", "unknown"}},
		{name: "AKS spot, its label taken away", row: "AKS", provider: "azure:///s", interruptible: true, taint: "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
			labels: "kubernetes.azure.com/agentpool=sp",
			want:   want{"spot", "taint kubernetes.azure.com/scalesetpriority=spot:NoSchedule", "", "", "AKS", "AgentPool/sp", "instance"}},
		{name: "AKS, a taint against the label", row: "AKS", provider: "azure:///s", taint: "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
			labels: "kubernetes.azure.com/scalesetpriority=regular kubernetes.azure.com/agentpool=sp",
			want:   want{"on-demand", "kubernetes.azure.com/scalesetpriority=regular", "taint kubernetes.azure.com/scalesetpriority=spot:NoSchedule", "", "AKS", "AgentPool/sp", "instance"}},
		{name: "GKE spot by its taint", row: "GKE", provider: "gce://p/z/n", interruptible: true, taint: "cloud.google.com/gke-spot=true:NoSchedule",
			labels: "cloud.google.com/gke-nodepool=p",
			want:   want{"spot", "taint cloud.google.com/gke-spot=true:NoSchedule", "", "", "GKE", "NodePool/p", "instance"}},
		{name: "OKE preemptible by its taint", row: "OKE", provider: "oci://ocid1.instance", interruptible: true, taint: "oci.oraclecloud.com/oke-is-preemptible=present:NoSchedule",
			want: want{"preemptible", "taint oci.oraclecloud.com/oke-is-preemptible=present:NoSchedule", "", "", "OCI", "", "instance"}},
		{name: "CAST AI spot by its taint", row: "CAST AI", provider: "gce://p/z/n", interruptible: true, taint: "scheduling.cast.ai/spot=:NoSchedule",
			labels: "provisioner.cast.ai/managed-by=cast.ai",
			want:   want{"spot", "taint scheduling.cast.ai/spot:NoSchedule", "", "", "GCE", "CastAI", "instance"}},
		{name: "CAST AI fallback, tainted as spot", row: "CAST AI", provider: "gce://p/z/n", taint: "scheduling.cast.ai/spot=true:NoSchedule",
			labels: "scheduling.cast.ai/spot=true scheduling.cast.ai/spot-fallback=true",
			want:   want{"on-demand", "scheduling.cast.ai/spot-fallback=true", "", "", "GCE", "", "instance"}},
		{name: "Karpenter spot by a taint of the pool", row: "Karpenter", provider: "aws:///a/i-0a", interruptible: true, taint: "karpenter.sh/capacity-type=spot:NoSchedule",
			labels: "karpenter.sh/nodepool=db",
			want:   want{"spot", "taint karpenter.sh/capacity-type=spot:NoSchedule", "", "", "AWS", "NodePool/db", "instance"}},
		{name: "EKS Fargate by its taint", row: "EKS", provider: "aws:///a/6f/fargate-ip-10-0-0-1", taint: "eks.amazonaws.com/compute-type=fargate:NoSchedule",
			want: want{"fargate", "taint eks.amazonaws.com/compute-type=fargate:NoSchedule", "", "", "AWS", "FargateProfile", "fargate"}},
		{name: "the workshops' label", row: "Legacy", provider: "aws:///a/i-0a", interruptible: true, labels: "lifecycle=Ec2Spot",
			want: want{"spot", "lifecycle=Ec2Spot", "", "", "AWS", "SelfManaged", "instance"}},
		{name: "the workshops' label, on-demand", row: "Legacy", provider: "aws:///a/i-0a", labels: "lifecycle=OnDemand",
			want: want{"on-demand", "lifecycle=OnDemand", "", "", "AWS", "SelfManaged", "instance"}},
		{name: "terraform's label", row: "Legacy", interruptible: true, labels: "node.kubernetes.io/lifecycle=spot",
			want: want{"spot", "node.kubernetes.io/lifecycle=spot", "", "", "unknown", "", "unknown"}},
		{name: "terraform's label, on-demand", row: "Legacy", labels: "node.kubernetes.io/lifecycle=normal",
			want: want{"on-demand", "node.kubernetes.io/lifecycle=normal", "", "", "unknown", "", "unknown"}},
		{name: "the oldest label", row: "Legacy", interruptible: true, labels: "kubernetes.io/lifecycle=spot",
			want: want{"spot", "kubernetes.io/lifecycle=spot", "", "", "unknown", "", "unknown"}},

		{name: "no label at all", want: want{"unknown", "", "", "no known label", "unknown", "", "unknown"}},
		{name: "an unknown provider", provider: "k3s://n1",
			want: want{"unknown", "", "", "no known label", "k3s", "", "instance"}},
		{name: "a word that others use", labels: "lifecycle=production",
			want: want{"unknown", "", "", "no known label", "unknown", "", "unknown"}},
		{name: "an unknown value", labels: "karpenter.sh/capacity-type=borrowed karpenter.sh/nodepool=p",
			want: want{"unknown", "", "", "unknown value: karpenter.sh/capacity-type=borrowed", "unknown", "NodePool/p", "unknown"}},
		{name: "an unknown value beside a known one", labels: "eks.amazonaws.com/capacityType=SPOT karpenter.sh/capacity-type=borrowed", interruptible: true,
			want: want{"spot", "eks.amazonaws.com/capacityType=SPOT", "", "", "EKS", "", "unknown"}},
		{name: "labels that contradict each other", provider: "aws:///a/i-0a", interruptible: true,
			labels: "karpenter.sh/capacity-type=spot eks.amazonaws.com/capacityType=ON_DEMAND lifecycle=OnDemand node.kubernetes.io/lifecycle=spot",
			want:   want{"spot", "karpenter.sh/capacity-type=spot", "eks.amazonaws.com/capacityType=ON_DEMAND lifecycle=OnDemand", "", "EKS", "SelfManaged", "instance"}},
		{name: "a private label", provider: "aws:///a/i-0a", interruptible: true, own: []OwnLabel{{"tier", "cheap", v1alpha1.CapacitySpot}}, labels: "tier=cheap",
			want: want{"spot", "tier=cheap", "", "", "AWS", "SelfManaged", "instance"}},
		{name: "a private label decides", interruptible: true, own: []OwnLabel{{"other", "x", v1alpha1.CapacitySpot}, {"tier", "cheap", v1alpha1.CapacitySpot}},
			labels: "tier=cheap eks.amazonaws.com/capacityType=ON_DEMAND",
			want:   want{"spot", "tier=cheap", "eks.amazonaws.com/capacityType=ON_DEMAND", "", "EKS", "", "unknown"}},
		{name: "a private label of on-demand nodes", own: []OwnLabel{{"tier", "dear", v1alpha1.CapacityOnDemand}},
			labels: "tier=dear karpenter.sh/capacity-type=spot",
			want:   want{"on-demand", "tier=dear", "karpenter.sh/capacity-type=spot", "", "unknown", "", "unknown"}},
		{name: "another value of a private label", own: []OwnLabel{{"tier", "cheap", v1alpha1.CapacitySpot}}, labels: "tier=dear",
			want: want{"unknown", "", "", "no known label", "unknown", "", "unknown"}},
	}
	covered := map[string]bool{}
	for _, test := range tests {
		covered[test.row] = true
		t.Run(test.name, func(t *testing.T) {
			node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: words(test.labels), Annotations: words(test.annotations)}, Spec: corev1.NodeSpec{ProviderID: test.provider}}
			node.Status.NodeInfo.KubeletVersion = test.version
			if key, rest, ok := strings.Cut(test.taint, "="); ok {
				value, effect, _ := strings.Cut(rest, ":")
				node.Spec.Taints = []corev1.Taint{{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}}
			}
			c := Classify(node, test.own...)
			got := want{
				string(c.CapacityType), c.Evidence, strings.Join(c.Conflicts, " "), c.UnknownReason, c.Platform, Describe(c.Owner), string(c.ComputeType),
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if c.Interruptible != test.interruptible {
				t.Errorf("interruptible: %v", c.Interruptible)
			}
			if (c.Evidence == "") != (c.CapacityType == v1alpha1.CapacityUnknown) || (c.UnknownReason == "") == (c.CapacityType == v1alpha1.CapacityUnknown) {
				t.Errorf("%s with evidence %q and reason %q", c.CapacityType, c.Evidence, c.UnknownReason)
			}
		})
	}
	for i := range platforms {
		if !covered[platforms[i].row] {
			t.Errorf("no case for the row %s", platforms[i].row)
		}
	}
}

// TestMachine reads what says where a node is and what it has, from today's labels, else from yesterday's.
func TestMachine(t *testing.T) {
	for _, labels := range []string{
		"node.kubernetes.io/instance-type=m5.large kubernetes.io/arch=arm64 topology.kubernetes.io/zone=a topology.kubernetes.io/region=r",
		"beta.kubernetes.io/instance-type=m5.large beta.kubernetes.io/arch=arm64 failure-domain.beta.kubernetes.io/zone=a failure-domain.beta.kubernetes.io/region=r",
	} {
		c := Classify(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: words(labels)}})
		if c.InstanceType != "m5.large" || c.Architecture != "arm64" || c.Zone != "a" || c.Region != "r" {
			t.Errorf("%s: %+v", labels, c)
		}
	}
	node := &corev1.Node{}
	node.Status.NodeInfo.Architecture = "amd64"
	if c := Classify(node); c.Architecture != "amd64" || c.Zone != "" {
		t.Errorf("%+v", c)
	}
}

func TestParse(t *testing.T) {
	labels, err := ParseOwnLabels(v1alpha1.CapacitySpot, []string{"a=b", "a.io/b=", "a=b=c"})
	if want := []OwnLabel{{"a", "b", v1alpha1.CapacitySpot}, {"a.io/b", "", v1alpha1.CapacitySpot}, {"a", "b=c", v1alpha1.CapacitySpot}}; err != nil || !slices.Equal(labels, want) {
		t.Errorf("%+v, %v", labels, err)
	}
	for _, text := range []string{"", "a", "=b"} {
		if _, err := ParseOwnLabels(v1alpha1.CapacitySpot, []string{"a=b", text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	types, err := ParseTypes(Types())
	if err != nil || !slices.Equal(types, v1alpha1.CapacityTypes[:]) {
		t.Errorf("%q, %v", types, err)
	}
	if _, err := ParseTypes([]string{"spot", "Spot"}); err == nil {
		t.Error("Spot is taken")
	}
}

func TestAnnotations(t *testing.T) {
	keys := Annotations()
	for _, key := range []string{"weave.works/kured-reboot-in-progress", "cluster.x-k8s.io/owner-kind", "cluster.x-k8s.io/owner-name", "machine.openshift.io/machine", "oci.oraclecloud.com/node-pool-id"} {
		if !slices.Contains(keys, key) {
			t.Errorf("no %s in %q", key, keys)
		}
	}
}

// BenchmarkClassify is the cost of one node.
func BenchmarkClassify(b *testing.B) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: words("eks.amazonaws.com/capacityType=SPOT eks.amazonaws.com/nodegroup=spot kubernetes.io/arch=amd64 kubernetes.io/os=linux")}}
	b.ReportAllocs()
	for b.Loop() {
		Classify(node)
	}
}

func TestVolumeZones(t *testing.T) {
	in := func(key string, zones ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: corev1.LabelArchStable, Operator: corev1.NodeSelectorOpIn, Values: []string{"amd64"}}, {Key: key, Operator: corev1.NodeSelectorOpIn, Values: zones},
		}}
	}
	for want, terms := range map[string][]corev1.NodeSelectorTerm{
		"a":   {in("topology.ebs.csi.aws.com/zone", "a"), in("topology.kubernetes.io/zone", "a")},
		"b c": {in("topology.gke.io/zone", "c", "b")},
		"d":   {in("failure-domain.beta.kubernetes.io/zone", "d")},
		"":    {in("kubernetes.io/hostname", "n1"), in("example.com/zone", "x")},
	} {
		v := &corev1.PersistentVolume{}
		v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: terms}}
		if got := strings.Join(VolumeZones(v), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if zones := VolumeZones(&corev1.PersistentVolume{}); zones != nil {
		t.Error(zones)
	}
}

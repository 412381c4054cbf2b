package capacity

import (
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// disruption is a taint whose meaning is known. A key that ends in / stands for all that begin so, one that begins with / for all that end
// so.
type disruption struct {
	key, cause string
	// going taints announce that the node is taken away, or drained.
	going bool
	// starting taints are those of a node that has just come, and go when it is set up; passing ones come back when what they tell of is
	// updated.
	starting, passing bool
}

// disruptions are taints by who gives them. What is not among them is told as what it is.
var disruptions = [...]disruption{
	// Karpenter: pkg/apis/v1/taints.go, before v1 karpenter.sh/disruption; it takes unregistered away when it knows the node.
	{key: "karpenter.sh/disrupted", cause: "disrupted by Karpenter", going: true},
	{key: "karpenter.sh/disruption", cause: "disrupted by Karpenter", going: true},
	{key: "karpenter.sh/unregistered", cause: "not registered by Karpenter", starting: true},
	// The cluster autoscaler: utils/taints/taints.go. A candidate has PreferNoSchedule, which repels nothing.
	{key: toBeDeleted, cause: "removed by the cluster autoscaler", going: true},
	{key: "DeletionCandidateOfClusterAutoscaler", cause: "candidate of the cluster autoscaler"},
	{key: "startup-taint.cluster-autoscaler.kubernetes.io/", cause: "starting", starting: true},
	{key: "ignore-taint.cluster-autoscaler.kubernetes.io/", cause: "starting", starting: true},
	// aws-node-termination-handler: pkg/node/node.go.
	{key: "aws-node-termination-handler/spot-itn", cause: "spot interruption", going: true},
	{key: "aws-node-termination-handler/rebalance-recommendation", cause: "rebalance recommendation", going: true},
	{key: "aws-node-termination-handler/", cause: "terminated by AWS", going: true},
	// GKE, and GoogleCloudPlatform/k8s-node-termination-handler.
	{key: "cloud.google.com/impending-node-termination", cause: "terminated by GCE", going: true},
	{key: "cloud.google.com/maintenance-window-started", cause: "maintained by GKE", going: true},
	// AKS: learn.microsoft.com/azure/aks/node-auto-drain. Its release notes of 2024 renamed the older key.
	{key: "remediator.kubernetes.azure.com/unschedulable", cause: "remediated by AKS", going: true},
	{key: "remediator.aks.microsoft.com/unschedulable", cause: "remediated by AKS", going: true},
	// CAST AI: castai/spot-handler, and what its rebalancing does; the reason is the value of a label of the same key.
	{key: castDraining, cause: "drained by CAST AI", going: true},
	// Medik8s: node-maintenance-operator (controllers/taint.go; before it kubevirt.io/drain), and what its remediators fence with.
	{key: "medik8s.io/drain", cause: "drained for maintenance", going: true},
	{key: "kubevirt.io/drain", cause: "drained for maintenance", going: true},
	{key: "medik8s.io/remediation", cause: "remediated by Medik8s", going: true},
	// Cluster API: api/core/v1beta2, common_types.go. An outdated node has PreferNoSchedule until it is replaced.
	{key: "node.cluster.x-k8s.io/outdated-revision", cause: "outdated, to be replaced by Cluster API"},
	{key: "node.cluster.x-k8s.io/uninitialized", cause: "not initialized by Cluster API", starting: true},
	// Kubernetes: k8s.io/api/core/v1/well_known_taints.go and k8s.io/cloud-provider/api. Pressures and the network are conditions too.
	{key: "node.cloudprovider.kubernetes.io/shutdown", cause: "shut down", going: true},
	{key: "node.cloudprovider.kubernetes.io/uninitialized", cause: "not initialized by the cloud provider", starting: true},
	{key: corev1.TaintNodeOutOfService, cause: "out of service", going: true},
	{key: corev1.TaintNodeUnschedulable, cause: "cordoned"},
	{key: corev1.TaintNodeNotReady, cause: "not ready"},
	{key: corev1.TaintNodeUnreachable, cause: "unreachable"},
	{key: corev1.TaintNodeMemoryPressure, cause: "MemoryPressure"},
	{key: corev1.TaintNodeDiskPressure, cause: "DiskPressure"},
	{key: corev1.TaintNodePIDPressure, cause: "PIDPressure"},
	{key: corev1.TaintNodeNetworkUnavailable, cause: "NetworkUnavailable"},
	// What runs on each node, and says so when it does not: Cilium's agent (also while it is updated), drivers of EBS, EFS, S3 and others.
	{key: "node.cilium.io/agent-not-ready", cause: "Cilium's agent is not ready", passing: true},
	{key: "/agent-not-ready", cause: "a driver's agent is not ready", starting: true},
	{key: "node.gardener.cloud/critical-components-not-ready", cause: "components of Gardener are not ready", starting: true},
	// Storage that does not work there: the in-tree driver of EBS (kubernetes/kubernetes#55558), DRBD (piraeus-ha-controller).
	{key: "NodeWithImpairedVolumes", cause: "a volume of EBS is stuck there"},
	{key: "drbd.linbit.com/lost-quorum", cause: "a volume of DRBD has lost its quorum there"},
	{key: "drbd.linbit.com/force-io-error", cause: "a volume of DRBD fails there"},
}

const (
	toBeDeleted  = "ToBeDeletedByClusterAutoscaler"
	castDraining = "autoscaling.cast.ai/draining"
)

// mark is a label or an annotation that announces that a node is drained.
type mark struct {
	source source
	key    string
	// prefix is what the value begins with.
	prefix, cause string
}

var marks = [...]mark{
	{label, castDraining, "", "drained by CAST AI"},
	{label, "cloud.google.com/active-node-maintenance", "ONGOING", "maintained by GKE"},
	// kured annotates with --annotate-nodes: cmd/kured/main.go.
	{annotation, "weave.works/kured-reboot-in-progress", "", "rebooted by kured"},
	{annotation, "kured.dev/kured-reboot-in-progress", "", "rebooted by kured"},
	// OpenShift's machine config daemon wants a node drained or uncordoned: pkg/daemon/constants.
	{annotation, "machineconfiguration.openshift.io/desiredDrain", "drain-", "drained by OpenShift for a new configuration"},
	// Gardener's machine-controller-manager.
	{annotation, "node.machine.sapcloud.io/trigger-deletion-by-mcm", "true", "removed by Gardener"},
}

// matches compares a key with one of the table.
func (d *disruption) matches(key string) bool {
	if suffix, ok := strings.CutPrefix(d.key, "/"); ok {
		return strings.HasSuffix(key, "/"+suffix)
	}
	return matches(key, d.key)
}

// disruptionOf is what a taint is known to mean; nil if its key is unknown.
func disruptionOf(taint *corev1.Taint) *disruption {
	for i := range disruptions {
		if d := &disruptions[i]; d.matches(taint.Key) {
			return d
		}
	}
	return nil
}

// Disruptions are what of a node's taints, labels, annotations and conditions says that it is going or not to be used.
func Disruptions(node *corev1.Node) []v1alpha1.NodeDisruption {
	var list []v1alpha1.NodeDisruption
	for i := range node.Spec.Taints {
		if d := disruptionOf(&node.Spec.Taints[i]); d != nil {
			list = append(list, v1alpha1.NodeDisruption{Taint: node.Spec.Taints[i].ToString(), Cause: d.cause, Going: d.going})
		}
	}
	add := func(mark, cause string) {
		if !slices.ContainsFunc(list, func(d v1alpha1.NodeDisruption) bool { return d.Cause == cause }) {
			list = append(list, v1alpha1.NodeDisruption{Mark: mark, Cause: cause, Going: true})
		}
	}
	for _, m := range marks {
		from := node.Labels
		if m.source == annotation {
			from = node.Annotations
		}
		if value, ok := from[m.key]; ok && strings.HasPrefix(value, m.prefix) {
			add(m.key+"="+value, m.cause)
		}
	}
	for i := range node.Status.Conditions {
		if t := TroubleOf(&node.Status.Conditions[i]); t != nil && t.Going != "" {
			add(string(t.Type), t.Going)
		}
	}
	return list
}

// Repelling is a taint NoSchedule or NoExecute that nothing else tells of.
type Repelling struct {
	corev1.Taint
	// Cause is what it is known to mean; empty for an unknown key.
	Cause string
	// Passing taints go by themselves: those of a node that has just come, and of an agent that is updated.
	Passing bool
}

// startsWithin is how long a node takes to be set up: a taint of its start that is there later is stuck.
const startsWithin = 15 * time.Minute

func (d *disruption) passes(node *corev1.Node, now time.Time) bool {
	return d.passing || d.starting && now.Sub(node.CreationTimestamp.Time) < startsWithin
}

// Settled is a node without the taints that go by themselves.
func Settled(node *corev1.Node, now time.Time) *corev1.Node {
	settled := *node
	settled.Spec.Taints = slices.DeleteFunc(slices.Clone(node.Spec.Taints), func(t corev1.Taint) bool {
		d := disruptionOf(&t)
		return d != nil && d.passes(node, now)
	})
	return &settled
}

// Repellents are a node's taints that keep pods off for a reason of their own: not those that say that it is going, or that repeat a
// condition or that it is cordoned.
func Repellents(node *corev1.Node, now time.Time) []Repelling {
	var list []Repelling
	for i := range node.Spec.Taints {
		t := &node.Spec.Taints[i]
		d := disruptionOf(t)
		switch {
		case !objects.Repels(t):
		case t.Key == computeTypeKey: // Fargate's own scheduler puts its pods there, which do not tolerate it
		case d == nil:
			list = append(list, Repelling{Taint: *t})
		case !d.going && !repeats(node, t, d):
			list = append(list, Repelling{Taint: *t, Cause: d.cause, Passing: d.passes(node, now)})
		}
	}
	return list
}

// repeats reports whether a taint of Kubernetes' own says no more than the node's state does. By hand it can be given without that, and with
// another effect (kubernetes/kubernetes#107543).
func repeats(node *corev1.Node, t *corev1.Taint, d *disruption) bool {
	switch t.Key {
	case corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable: // they linger for a moment after the condition, and Ready is told anyway
		return true
	case corev1.TaintNodeUnschedulable:
		return node.Spec.Unschedulable && t.Effect == corev1.TaintEffectNoSchedule
	case corev1.TaintNodeMemoryPressure, corev1.TaintNodeDiskPressure, corev1.TaintNodePIDPressure, corev1.TaintNodeNetworkUnavailable:
		return t.Effect == corev1.TaintEffectNoSchedule && slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return string(c.Type) == d.cause && c.Status == corev1.ConditionTrue
		})
	}
	return false
}

// GoingSince is when a node was marked as going, as far as its taints tell: when one that evicts was added, or what the cluster autoscaler
// writes as its value. It is zero where nothing tells.
func GoingSince(node *corev1.Node) time.Time {
	for i := range node.Spec.Taints {
		t := &node.Spec.Taints[i]
		if d := disruptionOf(t); d == nil || !d.going {
			continue
		}
		if t.TimeAdded != nil {
			return t.TimeAdded.Time
		}
		if seconds, err := strconv.ParseInt(t.Value, 10, 64); err == nil && t.Key == toBeDeleted && seconds > firstOfAutoscaler {
			return time.Unix(seconds, 0)
		}
	}
	return time.Time{}
}

// firstOfAutoscaler is a time, in seconds, before which there was no cluster autoscaler.
const firstOfAutoscaler = 1_400_000_000

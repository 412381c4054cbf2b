package capacity

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Trouble is a condition of a node, other than Ready, that says something of those who run there.
type Trouble struct {
	Type     corev1.NodeConditionType
	Severity v1alpha1.Severity
	// Means is what follows for pods; it is empty where only who wrote the condition knows.
	Means string
	// Going is who is about to take the node away or drain it, if the condition says that.
	Going string
}

// condition is one that is known. It is bad where it is True, those of ready where it is False.
type condition struct {
	kind     corev1.NodeConditionType
	severity v1alpha1.Severity
	means    string
	going    string
	// begins are beginnings of the message with which alone the row is meant.
	begins []string
}

const evicts = "pods may be evicted from it"

// conditions by who writes them. Rows in front decide before rows behind.
var conditions = [...]condition{
	// The kubelet, and what sets up the network: k8s.io/api/core/v1, NodeConditionType.
	{kind: corev1.NodeMemoryPressure, severity: v1alpha1.SeverityWarning, means: evicts},
	{kind: corev1.NodeDiskPressure, severity: v1alpha1.SeverityWarning, means: evicts + ", and none is scheduled there meanwhile"},
	{kind: corev1.NodePIDPressure, severity: v1alpha1.SeverityWarning, means: evicts + ", and none is scheduled there meanwhile"},
	{kind: corev1.NodeNetworkUnavailable, severity: v1alpha1.SeverityError, means: "its network is not set up: pods there may be out of reach, and no pod is scheduled there"},
	// Names of the API for whoever drains, shuts down or maintains a node to say so.
	{kind: corev1.NodeDrainInProgress, severity: v1alpha1.SeverityError, going: "drained"},
	{kind: corev1.NodeDrained, severity: v1alpha1.SeverityError, going: "drained"},
	{kind: corev1.NodeGracefulNodeShutdownInProgress, severity: v1alpha1.SeverityError, going: "shutting down"},
	{kind: corev1.NodeMaintenanceInProgress, severity: v1alpha1.SeverityWarning, means: "it is being maintained"},
	{kind: corev1.NodeMaintenancePlanned, severity: v1alpha1.SeverityInfo, means: "maintenance is planned: it should be drained first"},
	// Gardener's machine-controller-manager, OpenShift's termination handler, GKE: the machine is about to go.
	{kind: "Terminating", severity: v1alpha1.SeverityError, going: "terminated"},
	// Azure's scheduled events, as AKS writes them: learn.microsoft.com/azure/aks/node-auto-drain says which drain the node.
	{kind: "PreemptScheduled", severity: v1alpha1.SeverityError, going: "preempted by Azure"},
	{kind: "TerminateScheduled", severity: v1alpha1.SeverityError, going: "terminated by Azure"},
	{kind: "RedeployScheduled", severity: v1alpha1.SeverityError, going: "redeployed by Azure"},
	{kind: "RebootScheduled", severity: v1alpha1.SeverityWarning, means: "Azure will restart its machine"},
	{kind: "FreezeScheduled", severity: v1alpha1.SeverityInfo, means: "Azure will pause its machine for some seconds"},
	{kind: "VMEventScheduled", severity: v1alpha1.SeverityError, going: "preempted by Azure", begins: []string{"Preempt"}},
	{kind: "VMEventScheduled", severity: v1alpha1.SeverityError, going: "terminated by Azure", begins: []string{"Terminate"}},
	{kind: "VMEventScheduled", severity: v1alpha1.SeverityError, going: "redeployed by Azure", begins: []string{"Redeploy"}},
	{kind: "VMEventScheduled", severity: v1alpha1.SeverityWarning, means: "Azure will restart its machine", begins: []string{"Reboot"}},
	{kind: "VMEventScheduled", severity: v1alpha1.SeverityInfo, means: "Azure has an event for its machine"},
	// node-problem-detector: config/*.json of kubernetes/node-problem-detector, and what clouds add.
	{kind: "KernelDeadlock", severity: v1alpha1.SeverityError, means: "processes hang in its kernel"},
	{kind: "ReadonlyFilesystem", severity: v1alpha1.SeverityError, means: "a file system of it is read-only: pods there can't write, or can't start"},
	{kind: "XfsShutdown", severity: v1alpha1.SeverityError, means: "a file system of it has been shut down: pods there can't write"},
	{kind: "FilesystemCorruptionProblem", severity: v1alpha1.SeverityError, means: "a file system of it is damaged"},
	{kind: "CperHardwareErrorFatal", severity: v1alpha1.SeverityError, means: "its hardware reports a fatal error"},
	{kind: "FrequentKubeletRestart", severity: v1alpha1.SeverityWarning, means: "its kubelet keeps restarting: pods there may not be started or ended"},
	{kind: "FrequentContainerdRestart", severity: v1alpha1.SeverityWarning, means: "containerd keeps restarting: pods there may not be started or ended"},
	{kind: "FrequentDockerRestart", severity: v1alpha1.SeverityWarning, means: "Docker keeps restarting: pods there may not be started or ended"},
	{kind: "FrequentUnregisterNetDevice", severity: v1alpha1.SeverityWarning, means: "network devices hang when they are removed: pods take long to end"},
	{kind: "NTPProblem", severity: v1alpha1.SeverityWarning, means: "its clock may be wrong"},
}

// ready are conditions that are True while all is well, and what it means that they are False: those of EKS' node monitoring agent, for
// which it repairs the node (docs.aws.amazon.com/eks/latest/userguide/node-health-nma.html).
var ready = [...]condition{
	{kind: "StorageReady", severity: v1alpha1.SeverityError, means: "its storage does not work"},
	{kind: "NetworkingReady", severity: v1alpha1.SeverityError, means: "its network does not work"},
	{kind: "KernelReady", severity: v1alpha1.SeverityError, means: "its kernel is in trouble"},
	{kind: "ContainerRuntimeReady", severity: v1alpha1.SeverityError, means: "its container runtime does not work: pods there may not be started or ended"},
	{kind: "AcceleratedHardwareReady", severity: v1alpha1.SeverityWarning, means: "its accelerators do not work"},
	// k3s and RKE2: a learner, or no member of etcd. True is as it should be (k3s-io/k3s#8997).
	{kind: "EtcdIsVoter", severity: v1alpha1.SeverityInfo, means: "it is no voting member of etcd"},
}

// goodWords end the names of other conditions that are True while all is well; badWords are in those that are not.
var (
	goodWords = []string{"ready", "healthy", "available", "ok", "voter", "running", "initialized", "connected", "synced", "schedulable"}
	badWords  = []string{
		"problem", "deadlock", "readonly", "frequent", "corrupt", "pressure", "unhealthy", "fail", "error", "unavailable", "notready", "degraded",
		"lost", "oomkill", "hung", "stuck", "exhaust", "missing", "broken", "unregister", "throttl", "leak", "shutdown", "expired", "unreachable",
		"flapping", "xid", "disconnected", "offline", "overload", "insufficient", "impaired",
	}
)

// TroubleOf judges a condition; nil if it says that all is well. Ready is judged elsewhere. A condition of an unknown type that is True is a
// problem by the convention of node-problem-detector, if its name does not say otherwise; whether it is bad, its name must tell.
func TroubleOf(c *corev1.NodeCondition) *Trouble {
	if c.Type == corev1.NodeReady || c.Status == corev1.ConditionUnknown { // who writes it could not tell; a silent kubelet shows in Ready
		return nil
	}
	bad := c.Status == corev1.ConditionTrue
	for _, known := range ready {
		if known.kind == c.Type && bad {
			return nil
		}
		if known.kind == c.Type {
			return &Trouble{Type: c.Type, Severity: known.severity, Means: known.means}
		}
	}
	for _, known := range conditions {
		if known.kind != c.Type {
			continue
		}
		if !bad {
			return nil
		}
		if len(known.begins) == 0 || slices.ContainsFunc(known.begins, func(word string) bool { return strings.HasPrefix(c.Message, word) }) {
			return &Trouble{Type: c.Type, Severity: known.severity, Means: known.means, Going: known.going}
		}
	}
	name := strings.ToLower(string(c.Type))
	isBad := slices.ContainsFunc(badWords, func(word string) bool { return strings.Contains(name, word) })
	isGood := !isBad && slices.ContainsFunc(goodWords, func(word string) bool { return strings.HasSuffix(name, word) })
	switch {
	case bad && isBad, !bad && isGood:
		return &Trouble{Type: c.Type, Severity: v1alpha1.SeverityWarning}
	case bad && !isGood:
		return &Trouble{Type: c.Type, Severity: v1alpha1.SeverityInfo}
	}
	return nil
}

// Describe names a condition as people do: DiskPressure, KernelReady=False.
func (t *Trouble) Describe(c *corev1.NodeCondition) string {
	if c.Status == corev1.ConditionTrue {
		return string(t.Type)
	}
	return string(t.Type) + "=" + string(c.Status)
}

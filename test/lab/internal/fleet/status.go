package fleet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/kubelet"
)

// Status is what a node's kubelet reports. Address is used if the node has none yet; what the node says about itself
// already, such as its capacity, stays as it is.
func Status(node *corev1.Node, address, kubeletVersion string) corev1.NodeStatus {
	status := *node.Status.DeepCopy()
	if len(status.Addresses) == 0 {
		status.Addresses = []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: address},
			{Type: corev1.NodeHostName, Address: node.Name},
		}
	}
	status.DaemonEndpoints.KubeletEndpoint.Port = kubelet.Port
	if len(status.Capacity) == 0 {
		status.Capacity = resources("8", "32Gi", "110", "80Gi")
	}
	if len(status.Allocatable) == 0 {
		status.Allocatable = status.Capacity
	}
	if status.NodeInfo.KubeletVersion == "" {
		status.NodeInfo = corev1.NodeSystemInfo{
			Architecture:            "amd64",
			BootID:                  uuid("boot", node.Name),
			ContainerRuntimeVersion: "containerd://2.1.5",
			KernelVersion:           "6.12.46-66.121.amzn2023.x86_64",
			KubeletVersion:          kubeletVersion,
			MachineID:               "ec2" + id(node.Name)[3:32],
			OperatingSystem:         "linux",
			OSImage:                 "Amazon Linux 2023.9.20250929",
			SystemUUID:              uuid("system", node.Name),
		}
	}
	status.Conditions = conditions(node, time.Now())
	return status
}

func uuid(names ...string) string {
	var all string
	for _, name := range names {
		all += name + "\x00"
	}
	h := id(all)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

func conditions(node *corev1.Node, now time.Time) []corev1.NodeCondition {
	list := []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	at := metav1.NewTime(now.Truncate(time.Second))
	for i := range list {
		if node.Annotations[annotation.NodeState] == annotation.NodeNotReady {
			list[i].Status, list[i].Reason, list[i].Message = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
		}
		list[i].LastHeartbeatTime, list[i].LastTransitionTime = at, at
		for _, before := range node.Status.Conditions {
			if before.Type == list[i].Type && before.Status == list[i].Status {
				list[i].LastTransitionTime = before.LastTransitionTime
			}
		}
	}
	return list
}

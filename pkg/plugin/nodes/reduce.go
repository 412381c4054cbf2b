package nodes

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/resource"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
)

const kindStatefulSet = "StatefulSet"

// isMember tells whether a pod is one of several that do one thing together, so that it matters how many of them are lost. The
// pods of Deployments, Jobs and DaemonSets can be stateful, but need no majority.
func (p *Pod) isMember() bool {
	switch p.Kind {
	case "", "ReplicaSet", "ReplicationController", "Job", "DaemonSet", "Node":
		return false
	}
	return true
}

// fargateProfileLabel is what EKS writes on pods that run on Fargate.
const fargateProfileLabel = "eks.amazonaws.com/fargate-profile"

// reducer takes pods in and keeps what matters of them.
type reducer struct {
	*Snapshot
	// requests is used again for every pod.
	requests corev1.ResourceList
	// names has one string for the many pods that name the same node, kind or set.
	names map[string]string
}

func newReducer(s *Snapshot) *reducer {
	s.Loads, s.Labels = map[string]Load{}, map[types.UID]map[string]string{}
	return &reducer{Snapshot: s, requests: corev1.ResourceList{}, names: map[string]string{}}
}

func (r *reducer) one(name string) string {
	if same, ok := r.names[name]; ok {
		return same
	}
	r.names[name] = name
	return name
}

func (r *reducer) addPod(pod *corev1.Pod) {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return
	}
	if node := pod.Spec.NodeName; node != "" {
		r.addLoad(r.one(node), pod)
	}
	claims := claimsOf(pod)
	owner := metav1.GetControllerOfNoCopy(pod)
	if len(claims) == 0 && (owner == nil || owner.Kind != kindStatefulSet) {
		return
	}
	p := Pod{
		Namespace: r.one(pod.Namespace), Name: pod.Name, Node: r.one(pod.Spec.NodeName), Claims: claims,
		Containers: int32(len(pod.Spec.Containers)), Created: pod.CreationTimestamp,
	}
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Ready {
			p.ContainersReady++
		}
	}
	if owner != nil {
		p.Kind, p.Set, p.UID = r.one(owner.Kind), r.one(owner.Name), types.UID(r.one(string(owner.UID)))
		if _, known := r.Labels[p.UID]; !known && p.isMember() {
			r.Labels[p.UID] = pod.Labels
		}
	}
	r.Pods = append(r.Pods, p)
}

func (r *reducer) addLoad(node string, pod *corev1.Pod) {
	load := r.Loads[node]
	load.Pods++
	r.requests = resource.PodRequests(pod, resource.PodResourcesOptions{Reuse: r.requests, UseStatusResources: true})
	load.CPU += r.requests.Cpu().MilliValue()
	load.Memory += r.requests.Memory().Value()
	if profile := pod.Labels[fargateProfileLabel]; profile != "" {
		load.FargateProfile = r.one(profile)
	}
	r.Loads[node] = load
}

// claimsOf are the claims that a pod mounts by name. Those of generic ephemeral volumes end with the pod: nothing is lost with
// them that the pod does not lose anyway.
func claimsOf(pod *corev1.Pod) []string {
	var claims []string
	for i := range pod.Spec.Volumes {
		if claim := pod.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			claims = append(claims, claim.ClaimName)
		}
	}
	return claims
}

// csiPrefix begins the names under which a node's status has the volumes of CSI drivers: kubernetes.io/csi/DRIVER^HANDLE.
const csiPrefix = "kubernetes.io/csi/"

// addNode keeps of a node what analysis reads. Image lists alone would be most of its memory.
func (s *Snapshot) addNode(node *corev1.Node, annotations []string) {
	for _, v := range node.Status.VolumesAttached {
		name, isCSI := strings.CutPrefix(string(v.Name), csiPrefix)
		driver, _, ok := strings.Cut(name, "^")
		if !isCSI || !ok {
			continue
		}
		if s.Attached == nil {
			s.Attached = map[string]map[string]int32{}
		}
		if s.Attached[node.Name] == nil {
			s.Attached[node.Name] = map[string]int32{}
		}
		s.Attached[node.Name][driver]++
	}
	kept := corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: node.Name, UID: node.UID, CreationTimestamp: node.CreationTimestamp, DeletionTimestamp: node.DeletionTimestamp, Labels: node.Labels,
	}}
	for _, key := range annotations {
		if value, ok := node.Annotations[key]; ok {
			metav1.SetMetaDataAnnotation(&kept.ObjectMeta, key, value)
		}
	}
	kept.Spec = corev1.NodeSpec{ProviderID: node.Spec.ProviderID, Taints: node.Spec.Taints, Unschedulable: node.Spec.Unschedulable}
	kept.Status.Capacity, kept.Status.Allocatable = cpuAndMemory(node.Status.Capacity), cpuAndMemory(node.Status.Allocatable)
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady || c.Status == corev1.ConditionTrue {
			kept.Status.Conditions = append(kept.Status.Conditions, c)
		}
	}
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			kept.Status.Addresses = append(kept.Status.Addresses, a)
		}
	}
	kept.Status.NodeInfo.KubeletVersion, kept.Status.NodeInfo.Architecture = node.Status.NodeInfo.KubeletVersion, node.Status.NodeInfo.Architecture
	s.Nodes = append(s.Nodes, kept)
}

func cpuAndMemory(list corev1.ResourceList) corev1.ResourceList {
	kept := corev1.ResourceList{}
	for _, name := range [...]corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if q, ok := list[name]; ok {
			kept[name] = q
		}
	}
	return kept
}

func (s *Snapshot) addLimits(node *storagev1.CSINode) {
	for _, d := range node.Spec.Drivers {
		if d.Allocatable == nil || d.Allocatable.Count == nil {
			continue
		}
		if s.Limits[node.Name] == nil {
			s.Limits[node.Name] = map[string]int32{}
		}
		s.Limits[node.Name][d.Name] = *d.Allocatable.Count
	}
}

// addVolume keeps the zones of a volume if it is of one of the wanted claims and bound to zones.
func (s *Snapshot) addVolume(v *corev1.PersistentVolume, wanted map[string]bool) {
	if v.Spec.ClaimRef == nil {
		return
	}
	claim := v.Spec.ClaimRef.Namespace + "/" + v.Spec.ClaimRef.Name
	if zones := capacity.VolumeZones(v); wanted[claim] && len(zones) > 0 {
		s.Volumes[claim] = zones
	}
}

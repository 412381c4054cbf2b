package nodes

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/resource"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// isMember reports whether a pod is one of several that do one thing together, so that it matters how many of them are lost. The
// pods of Deployments, Jobs and DaemonSets can be stateful, but need no majority.
func (p *Pod) isMember() bool {
	switch p.Kind {
	case "", "ReplicaSet", "ReplicationController", "Job", "DaemonSet", "Node":
		return false
	}
	return true
}

const (
	// fargateProfileLabel is what EKS writes on pods that run on Fargate.
	fargateProfileLabel = "eks.amazonaws.com/fargate-profile"
	// provisionedAnnotation is what Fargate writes there: "0.25vCPU 0.5GB". Its GB are powers of two, as the sizes of ECS are.
	provisionedAnnotation = "CapacityProvisioned"
	// evictionReason is that of the condition DisruptionTarget of a pod that the eviction API, as a drain uses it, has let go.
	evictionReason = "EvictionByEvictionAPI"
)

// keptPod is what is kept of a pod: what it adds to its node's load, and the pod itself if it has something to lose.
type keptPod struct {
	node           string
	fargateProfile string
	provisioned    *Provisioned
	evicted        bool
	// cpu is in thousandths of a core, memory in bytes.
	cpu, memory int64
	// pod is nil for most; labels are those of the members of sets.
	pod    *Pod
	labels map[string]string
}

// reducer cuts pods down, one at a time.
type reducer struct {
	// requests is used again for every pod.
	requests corev1.ResourceList
}

// reduce is nil for a pod that has ended.
func (r *reducer) reduce(pod *corev1.Pod) *keptPod {
	if objects.PodFinished(pod) {
		return nil
	}
	kept := &keptPod{node: pod.Spec.NodeName, fargateProfile: pod.Labels[fargateProfileLabel]}
	if kept.fargateProfile != "" {
		kept.provisioned = provisioned(pod.Annotations[provisionedAnnotation])
	}
	if c := objects.PodCondition(pod, corev1.DisruptionTarget); c != nil && c.Status == corev1.ConditionTrue && c.Reason == evictionReason {
		kept.evicted = true
	}
	if kept.node != "" {
		r.requests = resource.PodRequests(pod, resource.PodResourcesOptions{Reuse: r.requests, UseStatusResources: true})
		kept.cpu, kept.memory = r.requests.Cpu().MilliValue(), r.requests.Memory().Value()
	}
	claims := claimsOf(pod)
	if len(claims) == 0 && objects.StatefulSetOf(pod) == nil {
		return kept
	}
	p := &Pod{
		Namespace: pod.Namespace, Name: pod.Name, Node: pod.Spec.NodeName, Claims: claims,
		Containers: int32(len(pod.Spec.Containers)), Created: pod.CreationTimestamp, Requires: objects.RequirementsOf(&pod.Spec), CPU: kept.cpu, Memory: kept.memory,
	}
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Ready {
			p.ContainersReady++
		}
	}
	kept.pod = p
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		p.Kind, p.Set, p.UID = owner.Kind, owner.Name, owner.UID
		if p.isMember() {
			kept.labels = pod.Labels
		}
	}
	return kept
}

// provisioned reads what Fargate writes on a pod; nil for anything else.
func provisioned(text string) *Provisioned {
	cpu, memory, ok := strings.Cut(text, "vCPU ")
	memory, isGB := strings.CutSuffix(strings.TrimSpace(memory), "GB")
	if !ok || !isGB {
		return nil
	}
	cores, err := strconv.ParseFloat(cpu, 64)
	gigabytes, otherErr := strconv.ParseFloat(memory, 64)
	if err != nil || otherErr != nil || cores <= 0 || gigabytes <= 0 {
		return nil
	}
	return &Provisioned{CPU: int64(cores * 1000), Memory: int64(gigabytes * (1 << 30))}
}

// adder puts a snapshot together from what is kept of pods.
type adder struct {
	*Snapshot
	// names has one string for the many pods that name the same node, kind or set.
	names map[string]string
	// requires has, by set, one copy of what its pods require.
	requires map[types.UID]*objects.Requirements
}

func newAdder(s *Snapshot) *adder {
	s.Loads, s.Labels = map[string]Load{}, map[types.UID]map[string]string{}
	return &adder{Snapshot: s, names: map[string]string{}, requires: map[types.UID]*objects.Requirements{}}
}

func (a *adder) one(name string) string {
	if same, ok := a.names[name]; ok {
		return same
	}
	a.names[name] = name
	return name
}

// add takes a pod in; nil adds nothing.
func (a *adder) add(kept *keptPod) {
	if kept == nil {
		return
	}
	if kept.node != "" {
		node := a.one(kept.node)
		load := a.Loads[node]
		load.Pods++
		load.CPU += kept.cpu
		load.Memory += kept.memory
		if kept.fargateProfile != "" {
			load.FargateProfile, load.Provisioned = a.one(kept.fargateProfile), kept.provisioned
		}
		if kept.evicted {
			load.Evicted++
		}
		a.Loads[node] = load
	}
	if kept.pod == nil {
		return
	}
	p := *kept.pod
	p.Namespace, p.Node, p.Kind, p.Set, p.UID = a.one(p.Namespace), a.one(p.Node), a.one(p.Kind), a.one(p.Set), types.UID(a.one(string(p.UID)))
	if p.Requires != nil && p.UID != "" {
		if shared := a.requires[p.UID]; equality.Semantic.DeepEqual(shared, p.Requires) {
			p.Requires = shared
		}
		a.requires[p.UID] = p.Requires
	}
	if _, known := a.Labels[p.UID]; !known && p.isMember() {
		a.Labels[p.UID] = kept.labels
	}
	a.Pods = append(a.Pods, p)
}

// claimsOf are the claims that a pod mounts by name. Those of generic ephemeral volumes end with the pod: nothing is lost with
// them that the pod does not lose anyway.
func claimsOf(pod *corev1.Pod) []string {
	var claims []string
	for _, claim := range objects.ClaimsOf(pod) {
		if !claim.Ephemeral {
			claims = append(claims, claim.Name)
		}
	}
	return claims
}

// csiPrefix begins the names under which a node's status has the volumes of CSI drivers: kubernetes.io/csi/DRIVER^HANDLE.
const csiPrefix = "kubernetes.io/csi/"

// keptNode is what is kept of a node.
type keptNode struct {
	node corev1.Node
	// attached counts its volumes by CSI driver.
	attached map[string]int32
}

// reduceNode keeps of a node what analysis reads. Image lists alone would be most of its memory.
func reduceNode(node *corev1.Node, annotations []string) *keptNode {
	m := &keptNode{}
	for _, v := range node.Status.VolumesAttached {
		name, isCSI := strings.CutPrefix(string(v.Name), csiPrefix)
		driver, _, ok := strings.Cut(name, "^")
		if !isCSI || !ok {
			continue
		}
		if m.attached == nil {
			m.attached = map[string]int32{}
		}
		m.attached[driver]++
	}
	kept := &m.node
	kept.ObjectMeta = metav1.ObjectMeta{
		Name: node.Name, UID: node.UID, CreationTimestamp: node.CreationTimestamp, DeletionTimestamp: node.DeletionTimestamp, Labels: node.Labels,
	}
	for _, key := range annotations {
		if value, ok := node.Annotations[key]; ok {
			metav1.SetMetaDataAnnotation(&kept.ObjectMeta, key, value)
		}
	}
	kept.Spec = corev1.NodeSpec{ProviderID: node.Spec.ProviderID, Taints: node.Spec.Taints, Unschedulable: node.Spec.Unschedulable}
	kept.Status.Capacity, kept.Status.Allocatable = cpuAndMemory(node.Status.Capacity), cpuAndMemory(node.Status.Allocatable)
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady || capacity.TroubleOf(&c) != nil {
			c.LastHeartbeatTime = metav1.Time{} // it changes all the time, and says nothing
			kept.Status.Conditions = append(kept.Status.Conditions, c)
		}
	}
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			kept.Status.Addresses = append(kept.Status.Addresses, a)
		}
	}
	info := &node.Status.NodeInfo
	kept.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: info.KubeletVersion, Architecture: info.Architecture, OperatingSystem: info.OperatingSystem}
	return m
}

func (s *Snapshot) addNode(kept *keptNode) {
	s.Nodes = append(s.Nodes, kept.node)
	if kept.attached != nil {
		if s.Attached == nil {
			s.Attached = map[string]map[string]int32{}
		}
		s.Attached[kept.node.Name] = kept.attached
	}
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

// keptLimits is what is kept of a CSINode: how many volumes each driver can attach.
type keptLimits struct {
	node     string
	byDriver map[string]int32
}

// reduceLimits is nil where no driver has a limit.
func reduceLimits(node *storagev1.CSINode) *keptLimits {
	kept := &keptLimits{node: node.Name, byDriver: map[string]int32{}}
	for _, d := range node.Spec.Drivers {
		if d.Allocatable != nil && d.Allocatable.Count != nil {
			kept.byDriver[d.Name] = *d.Allocatable.Count
		}
	}
	if len(kept.byDriver) == 0 {
		return nil
	}
	return kept
}

func (s *Snapshot) addLimits(kept *keptLimits) {
	if kept != nil {
		s.Limits[kept.node] = kept.byDriver
	}
}

// keptBudget is what is kept of a PodDisruptionBudget.
type keptBudget struct {
	namespace string
	selector  *metav1.LabelSelector
}

func reduceBudget(b *policyv1.PodDisruptionBudget) *keptBudget {
	return &keptBudget{namespace: b.Namespace, selector: b.Spec.Selector}
}

// addBudget keeps a budget if it is of one of the wanted namespaces, which are sorted.
func (s *Snapshot) addBudget(kept *keptBudget, wanted []string) {
	if _, ok := slices.BinarySearch(wanted, kept.namespace); ok {
		s.Budgets[kept.namespace] = append(s.Budgets[kept.namespace], kept.selector)
	}
}

// keptVolume is what is kept of a volume that is bound to zones: the zones, and its namespace/claim.
type keptVolume struct {
	claim string
	zones []string
}

// reduceVolume is nil for a volume without a claim or zones.
func reduceVolume(v *corev1.PersistentVolume) *keptVolume {
	zones := capacity.VolumeZones(v)
	if v.Spec.ClaimRef == nil || len(zones) == 0 {
		return nil
	}
	return &keptVolume{claim: v.Spec.ClaimRef.Namespace + "/" + v.Spec.ClaimRef.Name, zones: zones}
}

// addVolume keeps a volume if it is of one of the wanted claims.
func (s *Snapshot) addVolume(kept *keptVolume, wanted map[string]bool) {
	if kept != nil && wanted[kept.claim] {
		s.Volumes[kept.claim] = kept.zones
	}
}

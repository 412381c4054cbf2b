package nodes

import (
	"cmp"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Selection says which nodes are shown, and how they are looked at.
type Selection struct {
	// Names and Selector choose nodes; at most one of the two is set. A nil Selector chooses all.
	Names    []string
	Selector labels.Selector
	// CapacityTypes are those that are shown; none for all.
	CapacityTypes []v1alpha1.CapacityType
	// Stateful leaves out nodes without stateful pods.
	Stateful bool
	// OwnLabels are private labels that mark spot and on-demand nodes.
	OwnLabels []capacity.OwnLabel
	// Pods lists each node's stateful pods.
	Pods bool
}

// Analyze turns a snapshot into the report: the selected nodes by name, and what is at stake on them.
func Analyze(s *Snapshot, o Selection, now time.Time) *v1alpha1.NodeCapacityList {
	report := &v1alpha1.NodeCapacityList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindNodeCapacityList},
		Items:    []v1alpha1.NodeCapacity{},
	}
	x := newIndex(s, o)
	for _, n := range x.nodes {
		if !n.selected {
			continue
		}
		item := x.node(n)
		item.Findings = x.nodeFindings(n, &item, now)
		report.Items = append(report.Items, item)
	}
	slices.SortFunc(report.Items, func(a, b v1alpha1.NodeCapacity) int { return cmp.Compare(a.Metadata.Name, b.Metadata.Name) })
	report.Summary = summarize(report.Items)
	report.Findings = x.setFindings()
	x.conclude(report, now)
	report.Problems = x.problems(report)
	return report
}

// Findings are those of all nodes and sets, the worst first.
func Findings(report *v1alpha1.NodeCapacityList) []v1alpha1.Finding {
	list := slices.Clone(report.Findings)
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	finding.Sort(list)
	return list
}

// Ready reports whether there are nodes, and all are ready and take new pods.
func Ready(report *v1alpha1.NodeCapacityList) bool {
	return len(report.Items) > 0 && !slices.ContainsFunc(report.Items, func(n v1alpha1.NodeCapacity) bool {
		return !capacity.Usable(&n)
	})
}

// node is a node with what the others' stakes depend on.
type node struct {
	*corev1.Node
	class v1alpha1.NodeClass
	// usable nodes are ready, and take new pods.
	usable   bool
	selected bool
	pods     []*Pod
}

// going says what is about to take the node away.
func (n *node) going() string { return capacity.Going(&n.class, objects.Terminating(n)) }

// index finds nodes and pods by what refers to them.
type index struct {
	*Snapshot
	Selection
	nodes  []*node
	byName map[string]*node
	byZone map[string][]*node
	takers map[zoned][]*node // see takersIn
	// matchers are made once: every pod may be held against every node.
	matchers map[*objects.Requirements]*objects.Matcher
}

func newIndex(s *Snapshot, o Selection) *index {
	x := &index{
		Snapshot: s, Selection: o, nodes: make([]*node, len(s.Nodes)), byName: make(map[string]*node, len(s.Nodes)),
		byZone: map[string][]*node{}, takers: map[zoned][]*node{}, matchers: map[*objects.Requirements]*objects.Matcher{},
	}
	for i := range s.Nodes {
		n := &node{Node: &s.Nodes[i], class: capacity.Classify(&s.Nodes[i], o.OwnLabels...)}
		if owner := n.class.Owner; owner != nil && owner.Kind == v1alpha1.OwnerFargateProfile && owner.Name == "" {
			owner.Name = s.Loads[n.Name].FargateProfile
		}
		n.usable = objects.NodeSchedulable(n.Node) && n.going() == ""
		x.nodes[i], x.byName[n.Name] = n, n
		x.byZone[n.class.Zone] = append(x.byZone[n.class.Zone], n)
	}
	for i := range s.Pods {
		if n := x.byName[s.Pods[i].Node]; n != nil {
			n.pods = append(n.pods, &s.Pods[i])
		}
	}
	for _, n := range x.nodes {
		n.selected = o.selects(n)
	}
	return x
}

func (o *Selection) selects(n *node) bool {
	switch {
	case len(o.Names) > 0 && !slices.Contains(o.Names, n.Name),
		o.Selector != nil && !o.Selector.Matches(labels.Set(n.Labels)),
		len(o.CapacityTypes) > 0 && !slices.Contains(o.CapacityTypes, n.class.CapacityType),
		o.Stateful && len(n.pods) == 0:
		return false
	}
	return true
}

// unread reports whether objects of a kind could not be read, so that their absence means nothing.
func (x *index) unread(subject string) bool {
	_, failed := x.Problems[subject]
	return failed
}

// needed is what must be read beside nodes and pods.
type needed struct {
	// budgets are the namespaces of the sets on interruptible capacity that have pods on selected nodes, sorted.
	budgets []string
	// volumes are the namespace/claim of pods on nodes in whose zone no other node could take them.
	volumes map[string]bool
	// usage has the node of every namespace/claim that is mounted on a selected node.
	usage map[string]string
}

func needs(s *Snapshot, o Selection) needed {
	x := newIndex(s, o)
	need := needed{volumes: map[string]bool{}, usage: map[string]string{}}
	onSpot, shown := map[types.UID]string{}, map[types.UID]bool{} // sets; the namespaces of those on spot
	for _, n := range x.nodes {
		for _, p := range n.pods {
			alone := n.selected && len(p.Claims) > 0 && x.alone(n, p)
			if n.class.Interruptible && p.isMember() {
				onSpot[p.UID] = p.Namespace
			}
			shown[p.UID] = shown[p.UID] || n.selected
			for _, claim := range p.Claims {
				key := p.Namespace + "/" + claim
				if alone {
					need.volumes[key] = true
				}
				if n.selected {
					need.usage[key] = n.Name
				}
			}
		}
	}
	maps.DeleteFunc(onSpot, func(set types.UID, _ string) bool { return !shown[set] })
	need.budgets = slices.Compact(slices.Sorted(maps.Values(onSpot)))
	return need
}

func (x *index) node(n *node) v1alpha1.NodeCapacity {
	item := v1alpha1.NodeCapacity{
		TypeMeta:       metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindNodeCapacity},
		Metadata:       v1alpha1.ObjectMeta{Name: n.Name, UID: string(n.UID), CreationTimestamp: n.CreationTimestamp},
		Readiness:      readiness(n.Node),
		Cordoned:       n.Spec.Unschedulable,
		Terminating:    objects.Terminating(n),
		Class:          n.class,
		KubeletVersion: n.Status.NodeInfo.KubeletVersion,
		ProviderID:     n.Spec.ProviderID,
		CPU:            nodeResource(n.Node, corev1.ResourceCPU),
		Memory:         nodeResource(n.Node, corev1.ResourceMemory),
	}
	if n.class.ComputeType == v1alpha1.ComputeFargate {
		item.CPU, item.Memory = ofFargate(x.Loads[n.Name].Provisioned)
	}
	for _, c := range n.Status.Conditions {
		trouble := capacity.TroubleOf(&c)
		switch {
		case trouble != nil && trouble.Severity != v1alpha1.SeverityInfo && trouble.Going == "":
			item.Pressures = append(item.Pressures, trouble.Describe(&c))
		case c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue:
			item.NotReadyReason = cmp.Or(c.Message, c.Reason)
			if since := c.LastTransitionTime; !since.IsZero() {
				item.NotReadySince = &since
			}
		}
	}
	if len(n.Status.Addresses) > 0 {
		item.InternalIP = n.Status.Addresses[0].Address
	}
	item.Taints = taintsOf(n)
	item.Volumes = x.attached(n)
	if problem, failed := x.Problems[subjectLimits]; failed {
		item.VolumesUnknown = problem.Message
	}
	if x.unread(subjectPods) {
		return item
	}
	load := x.Loads[n.Name]
	item.Pods = &v1alpha1.NodePods{Total: load.Pods, Stateful: int32(len(n.pods))}
	if x.AllPods {
		request(&item.CPU, resource.NewMilliQuantity(load.CPU, resource.DecimalSI))
		request(&item.Memory, resource.NewQuantity(load.Memory, resource.BinarySI))
	}
	if x.Selection.Pods {
		item.StatefulPods = x.statefulPods(n)
	}
	return item
}

func readiness(n *corev1.Node) v1alpha1.NodeReadiness {
	for _, c := range n.Status.Conditions {
		switch {
		case c.Type != corev1.NodeReady:
		case c.Status == corev1.ConditionTrue:
			return v1alpha1.NodeReady
		default:
			return v1alpha1.NodeNotReady
		}
	}
	return v1alpha1.NodeReadinessUnknown
}

func nodeResource(n *corev1.Node, name corev1.ResourceName) v1alpha1.NodeResource {
	var r v1alpha1.NodeResource
	if q, ok := n.Status.Capacity[name]; ok {
		r.Capacity = &q
	}
	if q, ok := n.Status.Allocatable[name]; ok {
		r.Allocatable = &q
	}
	return r
}

// ofFargate is what a pod on Fargate has been given; nothing where that is not known, for what its node says is the machine's.
func ofFargate(p *Provisioned) (cpu, memory v1alpha1.NodeResource) {
	if p == nil {
		return cpu, memory
	}
	cores, bytes := resource.NewMilliQuantity(p.CPU, resource.DecimalSI), resource.NewQuantity(p.Memory, resource.BinarySI)
	return v1alpha1.NodeResource{Capacity: cores, Allocatable: cores}, v1alpha1.NodeResource{Capacity: bytes, Allocatable: bytes}
}

func request(r *v1alpha1.NodeResource, q *resource.Quantity) {
	r.Requested = q
	if r.Allocatable == nil || r.Allocatable.IsZero() {
		return
	}
	p := int32(100 * q.AsApproximateFloat64() / r.Allocatable.AsApproximateFloat64())
	r.RequestedPercent = &p
}

// attached are the drivers that have a limit on the node, by name.
func (x *index) attached(n *node) []v1alpha1.AttachedVolumes {
	var list []v1alpha1.AttachedVolumes
	for _, driver := range slices.Sorted(maps.Keys(x.Limits[n.Name])) {
		list = append(list, v1alpha1.AttachedVolumes{Driver: driver, Attached: x.Attached[n.Name][driver], Limit: x.Limits[n.Name][driver]})
	}
	return list
}

func (x *index) statefulPods(n *node) []v1alpha1.StatefulPod {
	list := make([]v1alpha1.StatefulPod, 0, len(n.pods))
	for _, p := range n.pods {
		pod := v1alpha1.StatefulPod{
			Namespace: p.Namespace, Name: p.Name, Containers: p.Containers, ContainersReady: p.ContainersReady, CreationTimestamp: p.Created,
		}
		if p.Kind != "" {
			pod.Controller = &v1alpha1.Controller{Kind: p.Kind, Name: p.Set}
		}
		if ordinal, ok := objects.OrdinalOf(p.Name, p.Set); ok && p.Kind == objects.KindStatefulSet {
			pod.Ordinal = &ordinal
		}
		for _, claim := range p.Claims {
			c := v1alpha1.PodClaim{Name: claim}
			c.Usage, c.UsageUnknown = x.usageOf(p.Namespace+"/"+claim, n.Name)
			pod.Claims = append(pod.Claims, c)
		}
		list = append(list, pod)
	}
	slices.SortFunc(list, func(a, b v1alpha1.StatefulPod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// notReported is why usage is unknown that a kubelet answered without.
const notReported = "the kubelet reports nothing for it: a raw device, or mounted a moment ago"

// usageOf returns the usage of a claim, or why it isn't known; neither if usage was not requested.
func (x *index) usageOf(claim, node string) (*v1alpha1.VolumeUsage, string) {
	if !x.UsageAsked {
		return nil, ""
	}
	if u, ok := x.Usage[claim]; ok {
		return &u, ""
	}
	if x.UsagePending {
		return nil, notReadYet
	}
	if problem, failed := x.UsageFailed[node]; failed {
		return nil, problem.Message
	}
	return nil, notReported
}

// problems are why something is unknown, each cause once.
func (x *index) problems(report *v1alpha1.NodeCapacityList) []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(x.Problems)) {
		list = append(list, x.Problems[key])
	}
	for _, node := range slices.Sorted(maps.Keys(x.UsageFailed)) {
		if p := x.UsageFailed[node]; !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	var silent []string
	for i := range report.Items {
		for _, pod := range report.Items[i].StatefulPods {
			for _, c := range pod.Claims {
				if c.UsageUnknown == notReported {
					silent = append(silent, pod.Namespace+"/"+c.Name)
				}
			}
		}
	}
	if slices.Sort(silent); len(silent) > 0 {
		list = append(list, v1alpha1.Problem{
			Subject: "disk usage of " + finding.Some(slices.Compact(silent)), Reason: v1alpha1.ReasonUnavailable, Message: notReported, Passing: true,
		})
	}
	return list
}

// summarize sums nodes up by what they have in common.
func summarize(items []v1alpha1.NodeCapacity) v1alpha1.NodeSummary {
	var s v1alpha1.NodeSummary
	types, zones, owners := map[string]*v1alpha1.NodeSum{}, map[string]*v1alpha1.NodeSum{}, map[string]*v1alpha1.NodeSum{}
	for i := range items {
		n := &items[i]
		add(&s.Total, n)
		if n.Class.Interruptible {
			add(&s.Interruptible, n)
		}
		addTo(types, string(n.Class.CapacityType), n)
		addTo(zones, n.Class.Zone, n)
		addTo(owners, group(n.Class.Owner), n)
	}
	for _, t := range v1alpha1.CapacityTypes {
		if sum := types[string(t)]; sum != nil {
			s.ByCapacityType = append(s.ByCapacityType, *sum)
		}
	}
	s.ByZone, s.ByOwner = sorted(zones), sorted(owners)
	if pods := s.Total.Pods; pods != nil && pods.Stateful > 0 {
		p := int32(0)
		if s.Interruptible.Pods != nil {
			p = percent(s.Interruptible.Pods.Stateful, pods.Stateful)
		}
		s.InterruptiblePercent = &p
	}
	return s
}

// percent is n of a total that is not 0, rounded.
func percent(n, total int32) int32 { return (200*n + total) / (2 * total) }

// group is the owner that nodes have in common: a Machine has one node only.
func group(owner *v1alpha1.NodeOwner) string {
	if owner != nil && owner.Kind == v1alpha1.OwnerMachine {
		return string(owner.Kind)
	}
	return capacity.Describe(owner)
}

func addTo(sums map[string]*v1alpha1.NodeSum, name string, n *v1alpha1.NodeCapacity) {
	if sums[name] == nil {
		sums[name] = &v1alpha1.NodeSum{Name: name}
	}
	add(sums[name], n)
}

func add(sum *v1alpha1.NodeSum, n *v1alpha1.NodeCapacity) {
	sum.Nodes++
	if n.Readiness == v1alpha1.NodeReady {
		sum.Ready++
	}
	virtual := n.Class.ComputeType == v1alpha1.ComputeVirtual // what it says it has is made up
	if n.CPU.Capacity != nil && !virtual {
		sum.CPU.Add(*n.CPU.Capacity)
	}
	if n.Memory.Capacity != nil && !virtual {
		sum.Memory.Add(*n.Memory.Capacity)
	}
	if n.Pods != nil {
		if sum.Pods == nil {
			sum.Pods = &v1alpha1.NodePods{}
		}
		sum.Pods.Total += n.Pods.Total
		sum.Pods.Stateful += n.Pods.Stateful
	}
}

// sorted are sums by name, the one of nodes without any last.
func sorted(sums map[string]*v1alpha1.NodeSum) []v1alpha1.NodeSum {
	var list []v1alpha1.NodeSum
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if name != "" {
			list = append(list, *sums[name])
		}
	}
	if none := sums[""]; none != nil {
		list = append(list, *none)
	}
	return list
}

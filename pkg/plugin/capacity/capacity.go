// Package capacity tells from a node alone on what terms its machine is given, by which platform, what it belongs to, and
// whether it is about to go. It knows the labels of the platforms as a table, and takes no label for on-demand only where the
// platform documents that.
package capacity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// OwnLabel is a label with which the people of a cluster mark their nodes, and what it means.
type OwnLabel struct {
	Key, Value string
	Capacity   v1alpha1.CapacityType
}

// ParseOwnLabels reads labels key=value that mean a capacity type; a value may be empty.
func ParseOwnLabels(capacity v1alpha1.CapacityType, texts []string) ([]OwnLabel, error) {
	var list []OwnLabel
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%q is not a label of the form key=value", text)
		}
		list = append(list, OwnLabel{Key: key, Value: value, Capacity: capacity})
	}
	return list, nil
}

// Types are the names of all capacity types.
func Types() []string {
	names := make([]string, len(v1alpha1.CapacityTypes))
	for i, t := range v1alpha1.CapacityTypes {
		names[i] = string(t)
	}
	return names
}

// ParseTypes reads names of capacity types.
func ParseTypes(names []string) ([]v1alpha1.CapacityType, error) {
	var list []v1alpha1.CapacityType
	for _, name := range names {
		t := v1alpha1.CapacityType(name)
		if !slices.Contains(v1alpha1.CapacityTypes[:], t) {
			return nil, fmt.Errorf("%q is none of %s", name, strings.Join(Types(), ", "))
		}
		list = append(list, t)
	}
	return list, nil
}

// Classify tells what a node's labels, annotations, taints, conditions, provider ID and kubelet version say. Labels of the people of the
// cluster decide before those of platforms.
func Classify(node *corev1.Node, own ...OwnLabel) v1alpha1.NodeClass {
	class := v1alpha1.NodeClass{
		Platform:     platformOf(node),
		Owner:        ownerOf(node),
		ComputeType:  computeTypeOf(node),
		InstanceType: cmp.Or(node.Labels[corev1.LabelInstanceTypeStable], node.Labels[corev1.LabelInstanceType]),
		Architecture: cmp.Or(node.Labels[corev1.LabelArchStable], node.Labels["beta.kubernetes.io/arch"], node.Status.NodeInfo.Architecture),
		Zone:         cmp.Or(node.Labels[corev1.LabelTopologyZone], node.Labels[corev1.LabelFailureDomainBetaZone]),
		Region:       cmp.Or(node.Labels[corev1.LabelTopologyRegion], node.Labels[corev1.LabelFailureDomainBetaRegion]),
		OS:           objects.NodeOS(node),
		Disruptions:  Disruptions(node),
	}
	decide(&class, node, own)
	return class
}

// Interruptible reports whether the provider takes such a machine away without being asked: at any time, or at the end of a time
// that was fixed when it was given.
func Interruptible(t v1alpha1.CapacityType) bool {
	switch t {
	case v1alpha1.CapacitySpot, v1alpha1.CapacityPreemptible, v1alpha1.CapacityFlex, v1alpha1.CapacityBlock:
		return true
	}
	return false
}

// Describe is an owner in one word: kind/name.
func Describe(owner *v1alpha1.NodeOwner) string {
	switch {
	case owner == nil:
		return ""
	case owner.Name == "":
		return string(owner.Kind)
	}
	return string(owner.Kind) + "/" + owner.Name
}

// Annotations are the keys of the annotations that Classify reads: others need not be kept.
func Annotations() []string {
	var keys []string
	for i := range platforms {
		for _, o := range platforms[i].owners {
			if o.source == annotation {
				keys = append(keys, o.key)
			}
			if o.kindKey != "" {
				keys = append(keys, o.kindKey)
			}
		}
	}
	for _, m := range marks {
		if m.source == annotation {
			keys = append(keys, m.key)
		}
	}
	return keys
}

// interruptibleReservation is a label of Karpenter on AWS: capacity that another part of the organization has reserved, lent
// until they want it back.
const interruptibleReservation = "karpenter.k8s.aws/capacity-reservation-interruptible"

// statement is what one label or taint says of the capacity type.
type statement struct {
	// key is that of a label; a taint of the same key may contradict it.
	key, text string
	capacity  v1alpha1.CapacityType
}

// taintStatement is what a taint of a label's key says, if there is one. Its value is often not the label's.
func (l *capacityLabel) taintStatement(node *corev1.Node) (statement, bool) {
	for i := range node.Spec.Taints {
		t := &node.Spec.Taints[i]
		if t.Key != l.key {
			continue
		}
		capacity := l.tainted
		if capacity == "" {
			capacity = l.values[strings.ToLower(t.Value)]
		}
		if capacity != "" {
			return statement{"taint " + l.key, "taint " + t.ToString(), capacity}, true
		}
	}
	return statement{}, false
}

// decide sets the capacity type with its evidence, the first label or taint of the table that tells one, and those that contradict it.
func decide(class *v1alpha1.NodeClass, node *corev1.Node, own []OwnLabel) {
	var said []statement
	var overruled, unknown []string
	for _, s := range own {
		if value, ok := node.Labels[s.Key]; ok && value == s.Value {
			said = append(said, statement{s.Key, s.Key + "=" + value, s.Capacity})
		}
	}
	for i := range platforms {
		for j := range platforms[i].capacity {
			l := &platforms[i].capacity[j]
			if slices.Contains(overruled, l.key) {
				continue
			}
			if value, ok := node.Labels[l.key]; ok {
				word := strings.ToLower(value)
				capacity, ok := l.values[word]
				if !ok {
					capacity, ok = l.values[anyValue]
				}
				switch {
				case ok:
					said = append(said, statement{l.key, l.key + "=" + value, capacity})
					overruled = append(overruled, l.overrules...)
				case word == "false", slices.Contains(l.silent, word), slices.Contains(l.silent, anyValue): // it tells what the node is not, or something else
				default:
					unknown = append(unknown, l.key+"="+value)
				}
			}
			if s, ok := l.taintStatement(node); ok {
				said = append(said, s)
			}
		}
	}
	switch {
	case len(said) > 0:
		class.CapacityType, class.Evidence = said[0].capacity, said[0].text
		for _, s := range said[1:] {
			if s.key != said[0].key && !agree(s.capacity, class.CapacityType) {
				class.Conflicts = append(class.Conflicts, s.text)
			}
		}
	case len(unknown) > 0:
		class.CapacityType, class.UnknownReason = v1alpha1.CapacityUnknown, "unknown value: "+strings.Join(unknown, ", ")
	case class.ComputeType == v1alpha1.ComputeVirtual:
		class.CapacityType, class.UnknownReason = v1alpha1.CapacityUnknown, "a virtual node, not backed by a machine"
	case class.ComputeType == v1alpha1.ComputeHybrid:
		class.CapacityType, class.UnknownReason = v1alpha1.CapacityUnknown, "a hybrid node: its machine does not belong to the provider"
	default:
		class.CapacityType, class.UnknownReason = v1alpha1.CapacityUnknown, "no known label"
		for i := range platforms {
			absent := platforms[i].absent
			if absent == nil {
				continue
			}
			if _, ok := node.Labels[absent.mark]; ok {
				class.CapacityType, class.UnknownReason = absent.capacity, ""
				class.Evidence = fmt.Sprintf("no %s: %s", absent.key, absent.word)
				break
			}
		}
	}
	class.Interruptible = Interruptible(class.CapacityType)
	if class.CapacityType == v1alpha1.CapacityReserved && node.Labels[interruptibleReservation] == "true" {
		class.Interruptible = true
		class.Evidence = interruptibleReservation + "=true"
	}
}

// agree reports whether two types can be said of one machine: a reservation is on-demand, and a capacity block a reservation.
func agree(a, b v1alpha1.CapacityType) bool {
	term := func(t v1alpha1.CapacityType) v1alpha1.CapacityType {
		switch t {
		case v1alpha1.CapacityReserved, v1alpha1.CapacityBlock:
			return v1alpha1.CapacityOnDemand
		case v1alpha1.CapacityPreemptible:
			return v1alpha1.CapacitySpot
		}
		return t
	}
	return term(a) == term(b)
}

// platformOf goes by the keys that only one platform gives, then by the kubelet's version, then by the provider ID.
func platformOf(node *corev1.Node) string {
	version := node.Status.NodeInfo.KubeletVersion
	for _, tells := range [...]func(*platform) bool{
		func(p *platform) bool { return marked(node, p.marks) },
		func(p *platform) bool { return p.version != "" && strings.Contains(version, p.version) },
		func(p *platform) bool {
			return slices.ContainsFunc(p.providers, func(prefix string) bool { return strings.HasPrefix(node.Spec.ProviderID, prefix) })
		},
	} {
		for i := range platforms {
			if platforms[i].name != "" && tells(&platforms[i]) {
				return platforms[i].name
			}
		}
	}
	scheme, _, ok := strings.Cut(node.Spec.ProviderID, "://")
	if !ok || scheme == "" {
		return v1alpha1.PlatformUnknown
	}
	for _, p := range providers {
		if scheme == p.scheme {
			return p.name
		}
	}
	return scheme
}

func marked(node *corev1.Node, marks []string) bool {
	for _, mark := range marks {
		for _, keys := range [...]map[string]string{node.Labels, node.Annotations} {
			for key := range keys {
				if matches(key, mark) {
					return true
				}
			}
		}
	}
	return false
}

// matches compares a key with one of the table, which may end in / or - to stand for all that begin so.
func matches(key, pattern string) bool {
	if strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, "-") {
		return strings.HasPrefix(key, pattern)
	}
	return key == pattern
}

func ownerOf(node *corev1.Node) *v1alpha1.NodeOwner {
	for i := range platforms {
		for _, o := range platforms[i].owners {
			from := node.Labels
			if o.source == annotation {
				from = node.Annotations
			}
			name := from[o.key]
			if name == "" || o.nameless != "" && name != o.nameless {
				continue
			}
			owner := &v1alpha1.NodeOwner{Kind: o.kind, Name: name}
			if o.nameless != "" {
				owner.Name = ""
			}
			if kind := from[o.kindKey]; kind != "" {
				owner.Kind = v1alpha1.OwnerKind(kind)
			}
			return owner
		}
	}
	switch {
	case computeTypeOf(node) == v1alpha1.ComputeFargate: // its profile is a label of the pod
		return &v1alpha1.NodeOwner{Kind: v1alpha1.OwnerFargateProfile}
	case strings.HasPrefix(node.Spec.ProviderID, "aws:///"):
		return &v1alpha1.NodeOwner{Kind: v1alpha1.OwnerSelfManaged}
	}
	return nil
}

// computeTypeKey is a label of EKS, and of Fargate nodes a taint.
const computeTypeKey = "eks.amazonaws.com/compute-type"

func computeTypeOf(node *corev1.Node) v1alpha1.ComputeType {
	switch strings.ToLower(node.Labels[computeTypeKey]) {
	case "fargate":
		return v1alpha1.ComputeFargate
	case "auto":
		return v1alpha1.ComputeAuto
	case "hybrid":
		return v1alpha1.ComputeHybrid
	}
	switch {
	case slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == computeTypeKey && t.Value == "fargate" }):
		return v1alpha1.ComputeFargate
	case node.Labels["type"] == "virtual-kubelet", slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == "virtual-kubelet.io/provider" }):
		return v1alpha1.ComputeVirtual
	case strings.HasPrefix(node.Spec.ProviderID, "eks-hybrid:///"), node.Labels["eks.amazonaws.com/hybrid-credential-provider"] != "":
		return v1alpha1.ComputeHybrid
	case node.Spec.ProviderID != "":
		return v1alpha1.ComputeInstance
	}
	return v1alpha1.ComputeUnknown
}

// VolumeZones are the zones from which a volume can be reached; none if it is not bound to any.
func VolumeZones(v *corev1.PersistentVolume) []string {
	if v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return nil
	}
	var zones []string
	for _, term := range v.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, r := range term.MatchExpressions {
			if IsZoneLabel(r.Key) && r.Operator == corev1.NodeSelectorOpIn {
				zones = append(zones, r.Values...)
			}
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// IsZoneLabel knows the labels of zones: Kubernetes' own, and those of CSI drivers, such as topology.ebs.csi.aws.com/zone.
func IsZoneLabel(key string) bool {
	return key == corev1.LabelFailureDomainBetaZone || strings.HasPrefix(key, "topology.") && strings.HasSuffix(key, "/zone")
}

// Package sets knows what numbers stateful pods beside StatefulSets: the controllers of CloudNativePG, Strimzi, KubeBlocks and OpenKruise, how
// many pods each wants, how it calls them and their claims, and what it says of itself; and any other controller of pods with claims, by
// its pods alone.
package sets

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Set is a controller of numbered pods with claims, as far as its object tells.
type Set struct {
	// APIVersion and Kind are the object's.
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// ObjectMeta has names, times, finalizers and labels.
	metav1.ObjectMeta `json:"metadata"`
	// ByPods is true for a controller that is known by its pods alone: its object was not read.
	ByPods bool `json:"byPods,omitempty"`
	// Wanted is how many pods there should be; nil if that is not known. NoScale is true if that is because its kind does not tell.
	Wanted  *int32 `json:"wanted,omitempty"`
	NoScale bool   `json:"noScale,omitempty"`
	// Members are the pods that there should be, if the object names them. With Named, there should be no others.
	Members []Member `json:"members,omitempty"`
	Named   bool     `json:"named,omitempty"`
	// Offline are pods that are stopped on purpose, and whose claims are kept.
	Offline []string `json:"offline,omitempty"`
	// Templates are the names of templates of claims, which are called TEMPLATE-POD.
	Templates []string `json:"templates,omitempty"`
	// Service is the headless Service that names the pods, if the object tells.
	Service string `json:"service,omitempty"`
	// Replicas is what the controller counts.
	Replicas Replicas `json:"replicas,omitzero"`
	// State is what it says of itself.
	State State `json:"state,omitzero"`
	// Parent is what it belongs to; nil if that is not known.
	Parent *Parent `json:"parent,omitempty"`
}

// Member is a pod that a set should have.
type Member struct {
	Name string `json:"name"`
	// Claims are the names of its claims.
	Claims []string `json:"claims,omitempty"`
	// Sizes are how large the set's object wants claims to be, by their names, as quantities; those that it does not tell are missing.
	Sizes map[string]string `json:"sizes,omitempty"`
}

// add adds a claim, of a size if that is told.
func (m *Member) add(claim, size string) {
	m.Claims = append(m.Claims, claim)
	if size == "" {
		return
	}
	if m.Sizes == nil {
		m.Sizes = map[string]string{}
	}
	m.Sizes[claim] = size
}

// Replicas are counts of pods, in the words of the set's own status.
type Replicas struct {
	Existing int32 `json:"existing,omitempty"`
	Ready    int32 `json:"ready,omitempty"`
	Updated  int32 `json:"updated,omitempty"`
}

// State is what a set says of itself.
type State struct {
	// Phase and Reason are words of its controller.
	Phase  string `json:"phase,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Conditions are those that matter: those of other types are not kept.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Behind is true if its controller has not taken in the newest generation.
	Behind bool `json:"behind,omitempty"`
	// Paused tells what stops the controller from acting on the set, as it was asked to; empty if nothing does.
	Paused string `json:"paused,omitempty"`
	// Hibernated is true if all pods are stopped on purpose.
	Hibernated bool `json:"hibernated,omitempty"`
	// Fenced are pods whose server is stopped on purpose, while they run; * stands for all.
	Fenced []string `json:"fenced,omitempty"`
	// Primary takes the writes, and Target is to take them; they differ during a switchover.
	Primary string `json:"primary,omitempty"`
	Target  string `json:"target,omitempty"`
	// Dangling are claims that no pod has and the controller counts, Unusable those that it can't use, Resizing those that grow.
	Dangling []string `json:"dangling,omitempty"`
	Unusable []string `json:"unusable,omitempty"`
	Resizing []string `json:"resizing,omitempty"`
}

// Ref is kind/name, as findings and arguments have it: cluster/shop.
func (s *Set) Ref() string { return RefOf(s.Kind, s.Name) }

// Argument names the set for a command: cluster/shop, statefulset.apps.kruise.io/web.
func (s *Set) Argument() string {
	kind := strings.ToLower(s.Kind)
	if group, _, ok := strings.Cut(s.APIVersion, "/"); ok && s.Kind == objects.KindStatefulSet {
		kind += "." + group
	}
	return kind + "/" + s.Name
}

// IsFenced reports whether a pod's server is stopped on purpose.
func (s *Set) IsFenced(pod string) bool {
	for _, name := range s.State.Fenced {
		if name == pod || name == "*" {
			return true
		}
	}
	return false
}

// ClaimsOf are the names of the claims that a pod of the set should have, as far as that is known without the pod.
func (s *Set) ClaimsOf(pod string) []string {
	for _, m := range s.Members {
		if m.Name == pod && len(m.Claims) > 0 {
			return m.Claims
		}
	}
	names := make([]string, len(s.Templates))
	for i, template := range s.Templates {
		names[i] = objects.ClaimName(template, pod)
	}
	return names
}

// Kept is the pod whose claim a name is by the set's templates, whether or not the set still wants it.
func (s *Set) Kept(claim string) (pod string, ok bool) {
	for _, template := range s.Templates {
		pod, cut := strings.CutPrefix(claim, template+"-")
		if _, numbered := objects.OrdinalOf(pod, s.Name); cut && numbered {
			return pod, true
		}
	}
	return "", false
}

// Has reports whether a claim is the set's, as far as its object and names tell.
func (s *Set) Has(claim string) bool {
	if _, kept := s.Kept(claim); kept {
		return true
	}
	has := func(pod string) bool { return slices.Contains(s.ClaimsOf(pod), claim) }
	return slices.ContainsFunc(s.Members, func(m Member) bool { return has(m.Name) }) || slices.ContainsFunc(s.Offline, has) ||
		slices.Contains(slices.Concat(s.State.Dangling, s.State.Unusable, s.State.Resizing), claim)
}

// Owner is the controller of a pod that numbers it: it is nil if nothing controls the pod, or if what does has pods that are alike, or come
// to an end.
func Owner(pod *corev1.Pod) *metav1.OwnerReference {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || pod.Spec.RestartPolicy != corev1.RestartPolicyAlways && pod.Spec.RestartPolicy != "" {
		return nil // pipelines and runners
	}
	switch owner.Kind {
	case "ReplicaSet", "ReplicationController", "Job", "DaemonSet", "Node":
		return nil
	case objects.KindStatefulSet:
		if owner.APIVersion == statefulSets {
			return nil // which is another matter
		}
	}
	return owner
}

// statefulSets is the API that StatefulSets of Kubernetes itself are of.
const statefulSets = "apps/v1"

// Known are sets by the UIDs of their objects.
type Known map[types.UID]*Set

// NewKnown are sets by the UIDs of their objects.
func NewKnown(list []Set) Known {
	k := make(Known, len(list))
	for i := range list {
		k[list[i].UID] = &list[i]
	}
	return k
}

// KindOrphans is that of a set that is no more than pods which a StatefulSet has left behind, as after kubectl delete --cascade=orphan.
const KindOrphans = "Pod"

// UIDOf is the UID of the set that a pod is of: that of its controller, or one made of the set's name for pods that were left behind; empty
// for a pod of no set.
func UIDOf(pod *corev1.Pod) types.UID {
	if owner := Owner(pod); owner != nil {
		return owner.UID
	}
	if name := Former(pod); name != "" {
		return types.UID("of/" + pod.Namespace + "/" + name)
	}
	return ""
}

// Former is the name of the StatefulSet that made a pod which nothing controls any more; empty for other pods.
func Former(pod *corev1.Pod) string {
	if metav1.GetControllerOfNoCopy(pod) != nil || pod.Labels[appsv1.StatefulSetPodNameLabel] != pod.Name || objects.PodFinished(pod) {
		return ""
	}
	at := strings.LastIndexByte(pod.Name, '-')
	if at <= 0 {
		return ""
	}
	return pod.Name[:at]
}

// Claimed reports whether a pod that nothing controls has the name of one of a StatefulSet's: that says itself what it thinks of the pod.
func Claimed(pod *corev1.Pod, statefulSets []appsv1.StatefulSet) bool {
	former := Former(pod)
	return former != "" && slices.ContainsFunc(statefulSets, func(set appsv1.StatefulSet) bool { return set.Namespace == pod.Namespace && set.Name == former })
}

// By makes sets of the controllers that are not among those that are known, of pods with claims, without those that
// a StatefulSet has something to say of.
func (k Known) By(pods []*corev1.Pod, statefulSets []appsv1.StatefulSet) []Set {
	var list []Set
	at := map[types.UID]int{}
	for _, pod := range pods {
		uid := UIDOf(pod)
		if uid == "" || k[uid] != nil || len(objects.ClaimsOf(pod)) == 0 {
			continue
		}
		if Claimed(pod, statefulSets) {
			continue
		}
		i, ok := at[uid]
		if !ok {
			i = len(list)
			at[uid] = i
			list = append(list, byPods(pod, uid))
		}
		if set := &list[i]; pod.CreationTimestamp.Before(&set.CreationTimestamp) {
			set.CreationTimestamp = pod.CreationTimestamp // the object is older than its oldest pod
		}
	}
	slices.SortFunc(list, compare)
	return list
}

// byPods is the set of a pod.
func byPods(pod *corev1.Pod, uid types.UID) Set {
	s := Set{APIVersion: "v1", Kind: KindOrphans, ByPods: true, ObjectMeta: metav1.ObjectMeta{
		Namespace: pod.Namespace, Name: Former(pod), UID: uid, CreationTimestamp: pod.CreationTimestamp,
	}}
	if owner := Owner(pod); owner != nil {
		s.APIVersion, s.Kind, s.Name = owner.APIVersion, owner.Kind, owner.Name
	}
	return s
}

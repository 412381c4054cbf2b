package objects

import (
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// Requirements are what a pod requires of the node that it is put on, as far as the node alone decides: not what other pods there leave
// of it, nor where its volumes are.
type Requirements struct {
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Affinity is the required node affinity.
	Affinity *corev1.NodeSelector `json:"affinity,omitempty"`
	// Tolerations are without those that every pod is given for five minutes, for nodes that are not ready or can't be reached: such a
	// node takes no pod anyway.
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// OS is spec.os.name: kubelets of another system refuse the pod.
	OS corev1.OSName `json:"os,omitempty"`
}

// RequirementsOf are those of a pod; nil if any node will do.
func RequirementsOf(spec *corev1.PodSpec) *Requirements {
	r := &Requirements{NodeSelector: spec.NodeSelector}
	if spec.Affinity != nil && spec.Affinity.NodeAffinity != nil {
		r.Affinity = spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	if spec.OS != nil {
		r.OS = spec.OS.Name
	}
	for _, t := range spec.Tolerations {
		if t.TolerationSeconds == nil || t.Key != corev1.TaintNodeNotReady && t.Key != corev1.TaintNodeUnreachable {
			r.Tolerations = append(r.Tolerations, t)
		}
	}
	if len(r.NodeSelector) == 0 && r.Affinity == nil && r.OS == "" && len(r.Tolerations) == 0 {
		return nil
	}
	return r
}

// Matcher is requirements made ready for many nodes. It and what it is made of may be nil: then any node will do.
type Matcher struct {
	*Requirements
	affinity nodeaffinity.RequiredNodeAffinity
}

// Matcher makes requirements ready.
func (r *Requirements) Matcher() *Matcher {
	m := &Matcher{Requirements: r}
	if r != nil && r.Affinity != nil {
		m.affinity = nodeaffinity.NewRequiredNodeAffinity(nil, &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: r.Affinity}})
	}
	return m
}

// Refusal says in a word or two why a node would not be given a pod; it is empty if nothing about the node is against it.
func (m *Matcher) Refusal(node *corev1.Node) string {
	if r := m.Requirements; r != nil {
		for _, key := range slices.Sorted(maps.Keys(r.NodeSelector)) {
			if value, ok := node.Labels[key]; !ok || value != r.NodeSelector[key] {
				return "not " + key + "=" + r.NodeSelector[key]
			}
		}
		if r.Affinity != nil {
			if matches, err := m.affinity.Match(node); err != nil || !matches { // a term that can't be understood matches no node
				return "node affinity"
			}
		}
	}
	return m.Barred(node)
}

// Refusal is Matcher's, of one node.
func (r *Requirements) Refusal(node *corev1.Node) string { return r.Matcher().Refusal(node) }

// Barred is Refusal without what the pod itself asks for, its node selector and affinity: why the node would refuse it even if it asked for
// nothing.
func (r *Requirements) Barred(node *corev1.Node) string {
	switch {
	case !NodeReady(node):
		return "not ready"
	case node.Spec.Unschedulable && !r.ToleratesCordon(): // before the taint that goes with it
		return "cordoned"
	}
	if r != nil && r.OS != "" && string(r.OS) != NodeOS(node) {
		return NodeOS(node)
	}
	if taints := r.Untolerated(node); len(taints) > 0 {
		return "taint " + taints[0].ToString()
	}
	return ""
}

// Untolerated are the taints of a node that keep a pod from being scheduled there, or drive it away. Those that repeat that it is not ready
// are left out: its condition says so first, and they linger for a moment after it.
func (r *Requirements) Untolerated(node *corev1.Node) []corev1.Taint {
	var list []corev1.Taint
	for i := range node.Spec.Taints {
		if t := &node.Spec.Taints[i]; Repels(t) && t.Key != corev1.TaintNodeNotReady && t.Key != corev1.TaintNodeUnreachable && !r.Tolerates(t) {
			list = append(list, *t)
		}
	}
	return list
}

// Tolerates reports whether a pod tolerates a taint, if only for a while. Comparisons (Gt, Lt) count: a cluster that does not know them has
// none.
func (r *Requirements) Tolerates(taint *corev1.Taint) bool {
	return r != nil && scheduling.TolerationsTolerateTaint(logr.Discard(), r.Tolerations, taint, true)
}

// ToleratesCordon reports whether a pod is put on cordoned nodes too: if it tolerates the taint that goes with that, the scheduler does not
// look at the field.
func (r *Requirements) ToleratesCordon() bool {
	return r.Tolerates(&corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
}

// Repels reports whether a taint keeps pods off: PreferNoSchedule only makes the scheduler look elsewhere first.
func Repels(taint *corev1.Taint) bool {
	return taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
}

// EvictedAfter is how long after a taint NoExecute has been added a pod is evicted: at once if it does not tolerate it, after the shortest
// of the times for which it does. It is false for a pod that stays.
func (r *Requirements) EvictedAfter(taint *corev1.Taint) (after time.Duration, evicted bool) {
	if taint.Effect != corev1.TaintEffectNoExecute {
		return 0, false
	}
	if !r.Tolerates(taint) {
		return 0, true
	}
	for i := range r.Tolerations {
		one := &Requirements{Tolerations: r.Tolerations[i : i+1]}
		seconds := r.Tolerations[i].TolerationSeconds
		if seconds == nil || !one.Tolerates(taint) {
			continue
		}
		if limit := time.Duration(max(*seconds, 0)) * time.Second; !evicted || limit < after {
			after, evicted = limit, true
		}
	}
	return after, evicted
}

// NodeOS is a node's operating system, as Go names it: linux, windows. It is empty where the node does not tell.
func NodeOS(node *corev1.Node) string {
	for _, key := range [...]string{corev1.LabelOSStable, "beta.kubernetes.io/os"} {
		if os := node.Labels[key]; os != "" {
			return os
		}
	}
	return node.Status.NodeInfo.OperatingSystem
}

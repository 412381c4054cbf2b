package objects

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindStatefulSet is the kind of a StatefulSet, as references to owners have it.
const KindStatefulSet = "StatefulSet"

// StatefulSetKinds are what a StatefulSet may be called in an argument kind/name.
func StatefulSetKinds() []string {
	return []string{"sts", "statefulset", "statefulsets", "statefulset.apps", "statefulsets.apps"}
}

// StatefulSetOf is the reference to the StatefulSet that controls a pod; nil if something else does, or nothing.
func StatefulSetOf(pod *corev1.Pod) *metav1.OwnerReference {
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && owner.Kind == KindStatefulSet {
		return owner
	}
	return nil
}

// DesiredReplicas is how many pods a set should have: 1 where it does not say, which is the API's default.
func DesiredReplicas(set *appsv1.StatefulSet) int32 {
	if set.Spec.Replicas == nil {
		return 1
	}
	return *set.Spec.Replicas
}

// OrdinalRange is the ordinals that a set should have: from start up to, and without, end.
func OrdinalRange(set *appsv1.StatefulSet) (start, end int32) {
	if set.Spec.Ordinals != nil {
		start = set.Spec.Ordinals.Start
	}
	return start, start + DesiredReplicas(set)
}

// OrdinalOf reads the ordinal off the name of a pod of a set: of web, web-2 is 2. It is not ok for other names, such as web-02.
func OrdinalOf(pod, set string) (ordinal int32, ok bool) {
	digits, ok := strings.CutPrefix(pod, set+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != digits {
		return 0, false
	}
	return int32(n), true
}

// PodName is the name of the pod of an ordinal.
func PodName(set *appsv1.StatefulSet, ordinal int32) string {
	return set.Name + "-" + strconv.Itoa(int(ordinal))
}

// PodNames are the names of the pods that a set should have, ordinals ascending.
func PodNames(set *appsv1.StatefulSet) []string {
	start, end := OrdinalRange(set)
	names := make([]string, 0, DesiredReplicas(set))
	for n := start; n < end; n++ {
		names = append(names, PodName(set, n))
	}
	return names
}

// ClaimName is the name of the claim that is made from a template of a set for one of its pods.
func ClaimName(template, pod string) string { return template + "-" + pod }

// ClaimOf tells which template of a set, and which ordinal, a claim's name is from. It is not ok for a name that none gives.
func ClaimOf(set *appsv1.StatefulSet, claim string) (template string, ordinal int32, ok bool) {
	for i := range set.Spec.VolumeClaimTemplates {
		template = set.Spec.VolumeClaimTemplates[i].Name
		if ordinal, ok = OrdinalOf(claim, ClaimName(template, set.Name)); ok {
			return template, ordinal, true
		}
	}
	return "", 0, false
}

// Majority is how many of n members have to be left for them to go on where they decide by majority: 2 of 3, 3 of 4.
func Majority(n int) int { return n/2 + 1 }

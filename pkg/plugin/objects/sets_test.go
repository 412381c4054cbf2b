package objects

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func aSet(replicas *int32, start int32, templates ...string) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.StatefulSetSpec{Replicas: replicas}}
	if start != 0 {
		set.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: start}
	}
	for _, name := range templates {
		set.Spec.VolumeClaimTemplates = append(set.Spec.VolumeClaimTemplates, corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	return set
}

func TestPodNames(t *testing.T) {
	for name, test := range map[string]struct {
		set        *appsv1.StatefulSet
		replicas   int32
		start, end int32
		want       []string
	}{
		"three":             {aSet(new(int32(3)), 0), 3, 0, 3, []string{"web-0", "web-1", "web-2"}},
		"nothing said":      {aSet(nil, 0), 1, 0, 1, []string{"web-0"}},
		"none":              {aSet(new(int32(0)), 0), 0, 0, 0, []string{}},
		"none, from five":   {aSet(new(int32(0)), 5), 0, 5, 5, []string{}},
		"two, from five on": {aSet(new(int32(2)), 5), 2, 5, 7, []string{"web-5", "web-6"}},
	} {
		start, end := OrdinalRange(test.set)
		if got := PodNames(test.set); !slices.Equal(got, test.want) || start != test.start || end != test.end || DesiredReplicas(test.set) != test.replicas {
			t.Errorf("%s: %q, %d from %d to %d", name, got, DesiredReplicas(test.set), start, end)
		}
	}
}

func TestStatefulSetOf(t *testing.T) {
	pod := func(kind string, controls bool) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "Node", Name: "a"}, {Kind: kind, Name: "web", Controller: &controls}}}}
	}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"of a set":              {pod("StatefulSet", true), "web"},
		"owned, not controlled": {pod("StatefulSet", false), ""},
		"of something else":     {pod("ReplicaSet", true), ""},
		"on its own":            {&corev1.Pod{}, ""},
	} {
		got := ""
		if owner := StatefulSetOf(test.pod); owner != nil {
			got = owner.Name
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestClaimOf(t *testing.T) {
	set := aSet(nil, 0, "data", "data-web")
	for claim, want := range map[string]struct {
		template string
		ordinal  int32
		ok       bool
	}{
		"data-web-0": {"data", 0, true}, "data-web-12": {"data", 12, true}, "data-web-web-3": {"data-web", 3, true},
		"data-web": {}, "data-web-x": {}, "data-web-01": {}, "logs-web-0": {}, "data-db-0": {}, "web-0": {},
	} {
		if template, ordinal, ok := ClaimOf(set, claim); template != want.template || ordinal != want.ordinal || ok != want.ok {
			t.Errorf("%s: %q, %d, %t", claim, template, ordinal, ok)
		}
	}
	if template, ordinal, ok := ClaimOf(set, ClaimName("data", PodName(set, 7))); template != "data" || ordinal != 7 || !ok {
		t.Errorf("of the pod of ordinal 7: %q, %d, %t", template, ordinal, ok)
	}
}

func TestOrdinalOf(t *testing.T) {
	for pod, want := range map[string]int32{
		"web-0": 0, "web-10": 10, "web-2147483647": 2147483647,
		"web": -1, "web-": -1, "web-02": -1, "web-+2": -1, "web--2": -1, "web-2147483648": -1, "web-a": -1, "web-1-0": -1, "website-0": -1, "db-0": -1,
	} {
		if got, ok := OrdinalOf(pod, "web"); ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %d, %t", pod, got, ok)
		}
	}
}

func TestMajority(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3} {
		if got := Majority(n); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
}

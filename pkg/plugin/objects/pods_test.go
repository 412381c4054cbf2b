package objects

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodReady(t *testing.T) {
	for name, test := range map[string]struct {
		pod   *corev1.Pod
		want  bool
		since time.Time
	}{
		"ready":             {aPod(time.Hour, readySince(corev1.ConditionTrue, time.Minute)), true, now.Add(-time.Minute)},
		"not ready":         {aPod(time.Hour, readySince(corev1.ConditionFalse, time.Minute)), false, time.Time{}},
		"its node is away":  {aPod(time.Hour, readySince(corev1.ConditionUnknown, time.Minute)), false, time.Time{}},
		"nothing said":      {&corev1.Pod{}, false, time.Time{}},
		"another condition": {&corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}}}, false, time.Time{}},
	} {
		if got, since := PodReady(test.pod), ReadySince(test.pod); got != test.want || !since.Equal(test.since) {
			t.Errorf("%s: %t since %s, want %t since %s", name, got, since, test.want, test.since)
		}
	}
}

func TestPodFinished(t *testing.T) {
	for phase, want := range map[corev1.PodPhase]bool{
		corev1.PodPending: false, corev1.PodRunning: false, corev1.PodUnknown: false, "": false, corev1.PodSucceeded: true, corev1.PodFailed: true,
	} {
		if got := PodFinished(&corev1.Pod{Status: corev1.PodStatus{Phase: phase}}); got != want {
			t.Errorf("%q: %t", phase, got)
		}
	}
}

func TestTerminating(t *testing.T) {
	if Terminating(aPod(time.Hour)) {
		t.Error("a pod that was not deleted")
	}
	if !Terminating(aPod(time.Hour, func(pod *corev1.Pod) { pod.DeletionTimestamp = &metav1.Time{Time: now.Add(time.Minute)} })) {
		t.Error("a pod in its grace period")
	}
}

func TestBeingCreated(t *testing.T) {
	for reason, want := range map[string]bool{"ContainerCreating": true, "PodInitializing": true, "ImagePullBackOff": false, "": false} {
		if got := BeingCreated(&corev1.ContainerStateWaiting{Reason: reason}); got != want {
			t.Errorf("%q: %t", reason, got)
		}
	}
	if BeingCreated(nil) {
		t.Error("a container that does not wait")
	}
}

func TestIsSidecar(t *testing.T) {
	if IsSidecar(&corev1.Container{}) || IsSidecar(&corev1.Container{RestartPolicy: new(corev1.ContainerRestartPolicyOnFailure)}) {
		t.Error("an init container that ends")
	}
	if !IsSidecar(&corev1.Container{RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}) {
		t.Error("one that is always restarted")
	}
}

func TestClaimsOf(t *testing.T) {
	pod := aPod(time.Hour, func(pod *corev1.Pod) {
		pod.Spec.Volumes = []corev1.Volume{
			{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-web-0"}}},
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}},
			{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
		}
	})
	want := []PodClaim{{Volume: "data", Name: "data-web-0"}, {Volume: "scratch", Name: "web-0-scratch", Ephemeral: true}}
	if got := ClaimsOf(pod); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := ClaimsOf(&corev1.Pod{}); got != nil {
		t.Errorf("of no volumes: %+v", got)
	}
}

func TestBecause(t *testing.T) {
	for _, test := range [][3]string{
		{"Evicted", "the node was low on memory", "Evicted: the node was low on memory"}, {"Evicted", "", "Evicted"},
		{"", "the node was low on memory", "the node was low on memory"}, {"", "", ""},
	} {
		if got := Because(test[0], test[1]); got != test[2] {
			t.Errorf("%q", got)
		}
	}
}

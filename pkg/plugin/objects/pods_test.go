package objects

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
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

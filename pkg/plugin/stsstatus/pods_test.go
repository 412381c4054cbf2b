package stsstatus

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestCrashLoop goes on telling of a container that keeps ending while it runs in between.
func TestCrashLoop(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ended := func(ago time.Duration) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{ExitCode: 1, FinishedAt: metav1.NewTime(now.Add(-ago))}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for _, test := range []struct {
		name     string
		state    corev1.ContainerState
		restarts int32
		end      *corev1.ContainerStateTerminated
		want     bool
	}{
		{"it waits to be started again", corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}, 1, ended(time.Second), true},
		{"it has been started again", running, 2, ended(12 * time.Second), true},
		{"it has ended and is not yet started", corev1.ContainerState{Terminated: ended(0)}, 3, ended(0), true},
		{"it has ended once", running, 1, ended(12 * time.Second), false},
		{"it has run for long since", running, 7, ended(11 * time.Minute), false},
		{"it has never ended", running, 0, nil, false},
		{"its image is pulled", corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}, 0, nil, false},
	} {
		if got := crashLoop(&corev1.ContainerStatus{State: test.state, RestartCount: test.restarts}, test.end, now); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

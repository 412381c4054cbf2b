package kube

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestStarted tells a pod that is on its way from one that won't start.
func TestStarted(t *testing.T) {
	waiting := func(reason, message string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: DebugContainer, Image: "example.com/tools", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		}}}
	}
	for name, test := range map[string]struct {
		status  corev1.PodStatus
		running bool
		err     string
	}{
		"new":            {},
		"being created":  {status: waiting("ContainerCreating", "")},
		"no such image":  {status: waiting("ErrImagePull", "not found"), err: "can't start on node n1: ErrImagePull: not found (image example.com/tools)"},
		"pull again":     {status: waiting("ImagePullBackOff", "Back-off"), err: "ImagePullBackOff"},
		"bad name":       {status: waiting("InvalidImageName", ""), err: "InvalidImageName (image"},
		"bad config":     {status: waiting("CreateContainerConfigError", "container has runAsNonRoot"), err: "runAsNonRoot"},
		"another's wait": {status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "sidecar", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}}}}},
		"running":        {status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: DebugContainer, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}, running: true},
		"no shell":       {status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: DebugContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "StartError", ExitCode: 128}}}}}, err: "StartError (exit code 128"},
		"on no node":     {status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes"}}}, err: "0/3 nodes"},
		"evicted":        {status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "disk pressure"}, err: "Evicted: disk pressure"},
	} {
		running, err := started(&corev1.Pod{Spec: corev1.PodSpec{NodeName: "n1"}, Status: test.status})
		if running != test.running || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %t, %v", name, running, err)
		}
	}
}

// TestOutlived takes only pods that have ended, or that should have, for leftovers.
func TestOutlived(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		age   time.Duration
		phase corev1.PodPhase
		limit *int64
		want  bool
	}{
		"busy":                 {10 * time.Second, corev1.PodRunning, new(int64(60)), false},
		"a moment late":        {65 * time.Second, corev1.PodRunning, new(int64(60)), false},
		"late":                 {75 * time.Second, corev1.PodRunning, new(int64(60)), true},
		"never scheduled":      {time.Hour, corev1.PodPending, new(int64(60)), true},
		"ended":                {time.Second, corev1.PodFailed, new(int64(60)), true},
		"of another's making":  {time.Hour, corev1.PodRunning, nil, false},
		"made in the future":   {-time.Hour, corev1.PodRunning, new(int64(60)), false},
		"ended in good health": {time.Second, corev1.PodSucceeded, nil, true},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-test.age))}}
		pod.Spec.ActiveDeadlineSeconds, pod.Status.Phase = test.limit, test.phase
		if got := outlived(pod, now); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestDebugImage: the image has a tag, a release's linker flags name the variable that pins it, and what the release asks for is the image.
func TestDebugImage(t *testing.T) {
	if got := DefaultDebugImage(); got != debugImageTag || !strings.Contains(got, ":v") {
		t.Error(got)
	}
	debugImageDigest = "sha256:1"
	defer func() { debugImageDigest = "" }()
	if got := DefaultDebugImage(); got != debugImageTag+"@sha256:1" {
		t.Error(got)
	}
	release, err := os.ReadFile("../../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(release), "-X "+reflect.TypeFor[DebugPod]().PkgPath()+".debugImageDigest=") {
		t.Error("a release does not set debugImageDigest")
	}
}

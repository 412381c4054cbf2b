package stsstatus

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func at(ago time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-ago)) }

// dbPod is db-0, made a week ago, whose one container runs since it was started; its condition Ready is of then.
func dbPod(ready corev1.ConditionStatus, since time.Duration, status corev1.ContainerStatus, changes ...func(*corev1.Pod)) *corev1.Pod {
	status.Name, status.Ready = "main", ready == corev1.ConditionTrue
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db-0", UID: "now", CreationTimestamp: at(7 * 24 * time.Hour)},
		Spec:       corev1.PodSpec{NodeName: "a", Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: ready, LastTransitionTime: at(since)},
		}, ContainerStatuses: []corev1.ContainerStatus{status}},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

func running(since time.Duration) corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(since)}}
}

func endedWith(code int32, reason string, ago time.Duration) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: at(ago + time.Minute), FinishedAt: at(ago)}}
}

// about is an event about a pod db-0.
func about(uid types.UID, reason, message string, ago time.Duration) corev1.Event {
	return corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: kindPod, Namespace: "default", Name: "db-0", UID: uid, FieldPath: "spec.containers{main}"},
		Type:           corev1.EventTypeWarning, Reason: reason, Message: message, LastTimestamp: at(ago),
	}
}

// TestPast tells causes of today from what is long past, and sees what went wrong before a look at a moment when all is well.
func TestPast(t *testing.T) {
	crash := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	withProbe := func(pod *corev1.Pod) { pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{} }
	startup := func(pod *corev1.Pod) { pod.Spec.Containers[0].StartupProbe = &corev1.Probe{} }
	for name, test := range map[string]struct {
		pod    *corev1.Pod
		events []corev1.Event
		want   string // the first finding
	}{
		"killed for its memory three days ago, unready since a moment": {
			dbPod(corev1.ConditionFalse, time.Minute, corev1.ContainerStatus{State: running(72 * time.Hour), LastTerminationState: endedWith(137, reasonOOMKilled, 72*time.Hour), RestartCount: 1}, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Readiness probe failed: connection\nrefused", 3*time.Second)},
			"error STS003 db-0 is not ready: container main is running, but its readiness probe has not succeeded: connection refused",
		},
		"killed for its memory a moment ago": {
			dbPod(corev1.ConditionFalse, 10*time.Second, corev1.ContainerStatus{State: running(5 * time.Second), LastTerminationState: endedWith(137, reasonOOMKilled, 6*time.Second), RestartCount: 37}),
			nil, "error STS004 db-0: container main was OOM-killed, restarted 37 times, last 6s ago",
		},
		"the same, and ready": {
			dbPod(corev1.ConditionTrue, 2*time.Second, corev1.ContainerStatus{State: running(5 * time.Second), LastTerminationState: endedWith(137, reasonOOMKilled, 6*time.Second), RestartCount: 37}),
			nil, "warning STS004 db-0: container main is ready, but was OOM-killed 6s ago, restarted 37 times",
		},
		"restarted yesterday": {
			dbPod(corev1.ConditionTrue, 24*time.Hour, corev1.ContainerStatus{State: running(24 * time.Hour), LastTerminationState: endedWith(1, "Error", 24*time.Hour), RestartCount: 9}), nil, "",
		},
		"restarted once, a while ago": {
			dbPod(corev1.ConditionTrue, 20*time.Minute, corev1.ContainerStatus{State: running(21 * time.Minute), LastTerminationState: endedWith(1, "Error", 21*time.Minute), RestartCount: 1}),
			nil, "info STS005 db-0: container main is ready, but was restarted once, last 21m ago after exit code 1",
		},
		"stopped and started by somebody": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute), LastTerminationState: endedWith(0, "Completed", time.Minute), RestartCount: 4}),
			nil, "info STS005 db-0: container main is ready, but was restarted 4 times, last 60s ago after exit code 0",
		},
		"shut down in order for its liveness probe, and ready": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute), LastTerminationState: endedWith(0, "Completed", time.Minute), RestartCount: 4}),
			[]corev1.Event{
				about("now", reasonUnhealthy, "Liveness probe failed: it hangs", time.Minute),
				{InvolvedObject: about("now", "", "", 0).InvolvedObject, Type: corev1.EventTypeNormal, Reason: reasonKilling, Message: "Container main failed liveness probe, will be restarted", LastTimestamp: at(time.Minute)},
			},
			"warning STS005 db-0: container main is ready, but was restarted 4 times, last 60s ago after exit code 0: killed because its liveness probe failed: it hangs",
		},
		"killed by its liveness probe": {
			dbPod(corev1.ConditionFalse, time.Minute, corev1.ContainerStatus{State: crash, LastTerminationState: endedWith(137, "Error", time.Minute), RestartCount: 4}),
			[]corev1.Event{
				about("now", reasonUnhealthy, "Liveness probe failed: it hangs", time.Minute),
				{InvolvedObject: about("now", "", "", 0).InvolvedObject, Type: corev1.EventTypeNormal, Reason: reasonKilling, Message: "Container main failed liveness probe, will be restarted", LastTimestamp: at(time.Minute)},
			},
			"error STS005 db-0: container main is crash-looping, restarted 4 times, last 60s ago with exit code 137: killed because its liveness probe failed: it hangs",
		},
		"killed by somebody else": {
			dbPod(corev1.ConditionFalse, time.Minute, corev1.ContainerStatus{State: crash, LastTerminationState: endedWith(137, "Error", time.Minute), RestartCount: 4}),
			[]corev1.Event{about("now", reasonUnhealthy, "Liveness probe failed: it hangs", time.Minute)},
			"error STS005 db-0: container main is crash-looping, restarted 4 times, last 60s ago with exit code 137",
		},
		"not started, with a startup probe": {
			dbPod(corev1.ConditionFalse, 7*24*time.Hour, corev1.ContainerStatus{State: running(time.Minute), Started: new(bool)}, startup, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Startup probe failed: no socket", time.Second)},
			"info STS003 db-0 is starting (60s): container main is running, but its startup probe has not succeeded: no socket",
		},
		"lost its readiness a while ago": {
			dbPod(corev1.ConditionTrue, 2*time.Minute, corev1.ContainerStatus{State: running(72 * time.Hour)}, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Readiness probe failed: connection\nrefused", 3*time.Minute)},
			"warning STS003 db-0 has been ready for only 2m, although its containers have been running for 3d; Readiness probe failed: connection refused (3m ago)",
		},
		"lost its readiness with its node": {
			dbPod(corev1.ConditionTrue, 20*time.Minute, corev1.ContainerStatus{State: running(72 * time.Hour)}),
			[]corev1.Event{about("now", reasonNodeNotReady, "Node is not ready", 25*time.Minute)},
			"info STS003 db-0 has been ready for only 20m, although its containers have been running for 3d; Node is not ready (25m ago)",
		},
		"lost its readiness, and no event says why": {
			dbPod(corev1.ConditionTrue, 2*time.Minute, corev1.ContainerStatus{State: running(72 * time.Hour)}),
			[]corev1.Event{about("before", reasonUnhealthy, "Readiness probe failed: of a pod before", time.Minute)},
			"warning STS003 db-0 has been ready for only 2m, although its containers have been running for 3d",
		},
		"a long start": {
			dbPod(corev1.ConditionTrue, 2*time.Minute, corev1.ContainerStatus{State: running(22 * time.Minute)}, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Readiness probe failed: copying", 2*time.Minute)},
			"info STS003 db-0 has been ready for only 2m, although its containers have been running for 22m; Readiness probe failed: copying (2m ago)",
		},
		"a probe that fails now and then": {
			dbPod(corev1.ConditionTrue, 71*time.Hour, corev1.ContainerStatus{State: running(71 * time.Hour)}, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Readiness probe failed: command timed out", time.Minute)},
			"info STS003 db-0 is ready, but a probe fails now and then, last 60s ago: Readiness probe failed: command timed out",
		},
		"a probe that failed until it was ready": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(2 * time.Minute)}, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Readiness probe failed: not yet", time.Minute)}, "",
		},
		"lost its readiness long ago": {
			dbPod(corev1.ConditionTrue, 2*time.Hour, corev1.ContainerStatus{State: running(72 * time.Hour)}, withProbe),
			[]corev1.Event{about("now", reasonUnhealthy, "Readiness probe failed: connection refused", 2*time.Hour)}, "",
		},
		"evicted once": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute)}),
			[]corev1.Event{about("before", "Evicted", "The node was low on resource: ephemeral-storage.", 2*time.Minute)},
			"warning STS027 an earlier pod db-0 was taken away 2m ago: Evicted: The node was low on resource: ephemeral-storage.",
		},
		"evicted again and again": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute)}),
			[]corev1.Event{about("before", "OutOfcpu", "Node didn't have enough resource: cpu", 2*time.Minute), about("earlier", "OutOfcpu", "no cpu", 5*time.Minute)},
			"error STS027 2 pods db-0 were taken away in the last 5m, the last one 2m ago: OutOfcpu: Node didn't have enough resource: cpu",
		},
		"moved away from a node that is gone": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute)}),
			[]corev1.Event{about("before", reasonTaintEviction, "Marking for deletion Pod default/db-0", 2*time.Minute)},
			"info STS027 an earlier pod db-0 was taken away 2m ago: TaintManagerEviction: Marking for deletion Pod default/db-0",
		},
		"evicted long ago": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute)}),
			[]corev1.Event{about("before", "Evicted", "The node was low on resource: memory.", 61*time.Minute)}, "",
		},
		"about to be evicted": {
			dbPod(corev1.ConditionTrue, time.Minute, corev1.ContainerStatus{State: running(time.Minute)}, func(pod *corev1.Pod) {
				pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "DeletionByTaintManager", Message: "Taint manager: deleting due to NoExecute taint"})
			}),
			nil, "warning STS027 db-0 is about to be taken away: DeletionByTaintManager: Taint manager: deleting due to NoExecute taint",
		},
	} {
		x := newIndex(&Snapshot{Events: test.events, Read: []string{subjectEvents}})
		found := append(podFindings(x, test.pod, noon), evictionFindings(x, "default", "db-0", test.pod, noon)...)
		got := ""
		if len(found) > 0 {
			got = string(found[0].Severity) + " " + string(found[0].Code) + " " + found[0].Message
		}
		if got != test.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, test.want)
		}
	}
}

// TestRefusals understands the controller as each version of Kubernetes writes: up to 1.34 with a small letter.
func TestRefusals(t *testing.T) {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}}
	for _, text := range []string{
		"Create Pod db-0 in StatefulSet db failed error: no quota", "create Pod db-0 in StatefulSet db failed error: no quota",
		"create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: no quota",
		"(combined from similar events): create Pod db-0 in StatefulSet db failed error: no quota",
	} {
		x := newIndex(&Snapshot{Events: []corev1.Event{{InvolvedObject: corev1.ObjectReference{Kind: "StatefulSet", Namespace: "default", Name: "db"}, Reason: "FailedCreate", Message: text}}})
		if got := x.refusal(&set.ObjectMeta, "db-0"); got != "no quota" {
			t.Errorf("%s: %q", text, got)
		}
	}
}

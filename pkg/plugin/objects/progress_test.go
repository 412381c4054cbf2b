package objects

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// aPod was made an age ago; its one container was started then, and it has not become ready.
func aPod(age time.Duration, changes ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web-0", CreationTimestamp: before(age)},
		Spec:       corev1.PodSpec{NodeName: "a", Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: before(age)}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: before(age)}}}},
		},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

func waiting(reason string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	}
}

func readySince(status corev1.ConditionStatus, age time.Duration) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions[0].Status, pod.Status.Conditions[0].LastTransitionTime = status, before(age)
	}
}

func TestProgressOf(t *testing.T) {
	deleted := func(graceEnds time.Duration) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.DeletionTimestamp = &metav1.Time{Time: now.Add(graceEnds)} }
	}
	unscheduled := func(message string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: message})
		}
	}
	probe := func(pod *corev1.Pod) {
		pod.Spec.Containers[0].StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 360}
	}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want Stage
	}{
		"ready":                                     {aPod(time.Hour, readySince(corev1.ConditionTrue, time.Minute)), StageReady},
		"started a moment ago":                      {aPod(20 * time.Second), StageStarting},
		"being created":                             {aPod(20*time.Second, waiting("ContainerCreating")), StageStarting},
		"its init containers run":                   {aPod(20*time.Second, waiting("PodInitializing")), StageStarting},
		"started long ago":                          {aPod(11 * time.Minute), StageSlow},
		"started long ago, as its probe lets":       {aPod(50*time.Minute, probe), StageStarting},
		"longer than its probe lets":                {aPod(62*time.Minute, probe), StageSlow},
		"created for too long":                      {aPod(11*time.Minute, waiting("ContainerCreating")), StageBroken},
		"no image":                                  {aPod(20*time.Second, waiting("ImagePullBackOff")), StageBroken},
		"keeps ending":                              {aPod(20*time.Second, waiting("CrashLoopBackOff")), StageBroken},
		"was ready a minute ago":                    {aPod(time.Hour, readySince(corev1.ConditionFalse, time.Minute)), StageBroken},
		"became unready a second after":             {aPod(30*time.Second, readySince(corev1.ConditionFalse, 29*time.Second)), StageBroken},
		"ending":                                    {aPod(time.Hour, deleted(20*time.Second)), StageEnding},
		"its grace period has just ended":           {aPod(time.Hour, deleted(-20*time.Second)), StageEnding},
		"its grace period ended long ago":           {aPod(time.Hour, deleted(-40*time.Second)), StageBroken},
		"ready, and ending":                         {aPod(time.Hour, readySince(corev1.ConditionTrue, time.Minute), deleted(20*time.Second)), StageEnding},
		"restarted":                                 {aPod(20*time.Second, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].RestartCount = 1 }), StageBroken},
		"evicted":                                   {aPod(20*time.Second, func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed }), StageBroken},
		"no node takes it":                          {aPod(20*time.Second, unscheduled("0/3 nodes are available: 3 Insufficient cpu.")), StageBroken},
		"the scheduler has not seen its claims yet": {aPod(time.Second, unscheduled(`0/1 nodes are available: persistentvolumeclaim "data-db-0" not found. not found`)), StageStarting},
		"its claims do not come":                    {aPod(time.Minute, unscheduled(`0/1 nodes are available: persistentvolumeclaim "data-db-0" not found. not found`)), StageBroken},
		"an init container has ended as it should": {aPod(20*time.Second, func(pod *corev1.Pod) {
			pod.Spec.InitContainers = []corev1.Container{{Name: "init"}}
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
		}), StageStarting},
		"an init container has failed": {aPod(20*time.Second, waiting("PodInitializing"), func(pod *corev1.Pod) {
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}}}
		}), StageBroken},
		"its second container came later": {aPod(12*time.Minute, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: "late", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: before(time.Minute)}}})
		}), StageStarting},
	} {
		if got := ProgressOf(test.pod, now); got.Stage != test.want {
			t.Errorf("%s: %+v, want %s", name, got, test.want)
		}
	}
}

func TestAvailableAt(t *testing.T) {
	set := &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{MinReadySeconds: 90}}
	if got := AvailableAt(set, aPod(time.Hour)); !got.IsZero() {
		t.Errorf("not ready: %s", got)
	}
	if got, want := AvailableAt(set, aPod(time.Hour, readySince(corev1.ConditionTrue, time.Minute))), now.Add(30*time.Second); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

package podstate

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// mysql is a pod of two containers after an init container and a sidecar.
func mysql(annotations ...string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "mysql-0", UID: "42", Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{
				{Name: "init-mysql", Image: "mysql:5.7"},
				{Name: "sidecar", Image: "s", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)},
			},
			Containers: []corev1.Container{{Name: "mysql", Image: "mysql:5.7"}, {Name: "xtrabackup", Image: "x"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	annotate(pod, annotations...)
	return pod
}

func annotate(pod *corev1.Pod, annotations ...string) {
	for i := 0; i < len(annotations); i += 2 {
		pod.Annotations["lab.doik.dev/"+annotations[i]] = annotations[i+1]
	}
}

// describe puts a status into one line: phase, Ready and Initialized, and each container's name, state and restarts.
func describe(status corev1.PodStatus) string {
	text := string(status.Phase)
	for _, c := range status.Conditions {
		if c.Type == corev1.PodReady || c.Type == corev1.PodInitialized {
			text += fmt.Sprintf(" %s=%s", c.Type, c.Status)
		}
	}
	for _, c := range append(status.InitContainerStatuses, status.ContainerStatuses...) {
		state := "running"
		switch {
		case c.State.Waiting != nil:
			state = c.State.Waiting.Reason
		case c.State.Terminated != nil:
			state = fmt.Sprintf("%s(%d)", c.State.Terminated.Reason, c.State.Terminated.ExitCode)
		}
		if c.Ready {
			state += "+"
		}
		if last := c.LastTerminationState.Terminated; last != nil {
			state += fmt.Sprintf(",%s(%d)", last.Reason, last.ExitCode)
		}
		text += fmt.Sprintf(" %s:%s,%d", c.Name, state, c.RestartCount)
	}
	return text
}

func TestStatus(t *testing.T) {
	const through = "init-mysql:Completed(0)+,0 sidecar:running+,0 "
	for _, test := range []struct {
		annotations []string
		want        string
	}{
		{nil, "Running Initialized=True Ready=True " + through + "mysql:running+,0 xtrabackup:running+,0"},
		{[]string{"state", "stuck-terminating"}, "Running Initialized=True Ready=True " + through + "mysql:running+,0 xtrabackup:running+,0"},
		{[]string{"state", "unknown"}, "Running Initialized=True Ready=True " + through + "mysql:running+,0 xtrabackup:running+,0"},
		{[]string{"state", "not-ready"}, "Running Initialized=True Ready=False " + through + "mysql:running,0 xtrabackup:running+,0"},
		{[]string{"state", "not-ready", "container", "xtrabackup"}, "Running Initialized=True Ready=False " + through + "mysql:running+,0 xtrabackup:running,0"},
		{[]string{"state", "crash-loop"}, "Running Initialized=True Ready=False " + through + "mysql:CrashLoopBackOff,Error(1),6 xtrabackup:running+,0"},
		{[]string{"state", "oom-killed", "restarts", "12"}, "Running Initialized=True Ready=False " + through + "mysql:CrashLoopBackOff,OOMKilled(137),12 xtrabackup:running+,0"},
		{[]string{"state", "image-pull"}, "Pending Initialized=True Ready=False " + through + "mysql:ImagePullBackOff,0 xtrabackup:running+,0"},
		{[]string{"state", "creating"}, "Pending Initialized=False Ready=False init-mysql:PodInitializing,0 sidecar:PodInitializing,0 mysql:PodInitializing,0 xtrabackup:PodInitializing,0"},
		{[]string{"state", "completed"}, "Succeeded Initialized=True Ready=False init-mysql:Completed(0)+,0 sidecar:Completed(0)+,0 mysql:Completed(0),0 xtrabackup:Completed(0),0"},
		{[]string{"state", "failed"}, "Failed Initialized=True Ready=False init-mysql:Completed(0)+,0 sidecar:Completed(0)+,0 mysql:Error(1),0 xtrabackup:Completed(0),0"},
		{[]string{"state", "crash-loop", "container", "init-mysql"}, "Pending Initialized=False Ready=False init-mysql:CrashLoopBackOff,Error(1),6 sidecar:PodInitializing,0 mysql:PodInitializing,0 xtrabackup:PodInitializing,0"},
		{[]string{"restarts", "3"}, "Running Initialized=True Ready=True " + through + "mysql:running+,3 xtrabackup:running+,0"},
	} {
		pod := mysql(test.annotations...)
		if state := Wanted(pod); state == Completed || state == Failed {
			pod.Status.StartTime = new(metav1.NewTime(now))
		}
		if got := describe(Status(pod, now)); got != test.want {
			t.Errorf("%v:\n got %s\nwant %s", test.annotations, got, test.want)
		}
	}
}

func TestStatusRecovers(t *testing.T) {
	pod := mysql()
	pod.Status = Status(pod, now)
	started := pod.Status.ContainerStatuses[0].State.Running.StartedAt

	annotate(pod, "state", "oom-killed")
	pod.Status = Status(pod, now.Add(time.Minute))
	if *pod.Status.StartTime != started || !pod.Status.ContainerStatuses[1].State.Running.StartedAt.Equal(&started) {
		t.Error("the pod or the container that is well has started again")
	}

	delete(pod.Annotations, annotation.State)
	pod.Status = Status(pod, now.Add(2*time.Minute))
	want := "Running Initialized=True Ready=True init-mysql:Completed(0)+,0 sidecar:running+,0 mysql:running+,OOMKilled(137),6 xtrabackup:running+,0"
	if got := describe(pod.Status); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, c := range pod.Status.Conditions {
		changed := c.Type == corev1.PodReady || c.Type == corev1.ContainersReady
		if at := c.LastTransitionTime.Sub(now); changed && at != 2*time.Minute || !changed && at != 0 {
			t.Errorf("condition %s has changed after %s", c.Type, at)
		}
	}
}

func TestWantedOfJob(t *testing.T) {
	pod := mysql()
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Controller: new(true)}}
	if got := Wanted(pod); got != Completed {
		t.Errorf("got %s", got)
	}
	annotate(pod, "state", "failed")
	if got := Wanted(pod); got != Failed {
		t.Errorf("got %s", got)
	}
}

func TestEphemeral(t *testing.T) {
	pod := mysql()
	for _, name := range []string{"first", "second"} {
		pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers,
			corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: name, Image: "busybox"}})
		pod.Status.EphemeralContainerStatuses = Ephemeral(pod, now.Add(time.Duration(len(pod.Spec.EphemeralContainers))*time.Minute))
	}
	for i, status := range pod.Status.EphemeralContainerStatuses {
		if want := now.Add(time.Duration(i+1) * time.Minute); status.State.Running == nil || !status.State.Running.StartedAt.Time.Equal(want) {
			t.Errorf("%s: got %+v, want running since %s", status.Name, status.State, want)
		}
	}
}

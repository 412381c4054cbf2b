package kwok

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

// player plays stages on an object the way kwok's controllers do, without an API server.
type player[T any] struct {
	t         *testing.T
	lifecycle lifecycle.Lifecycle
	renderer  gotpl.Renderer
}

func newPlayer[T any](t *testing.T, kind string) *player[T] {
	t.Helper()
	all, err := stages()
	if err != nil {
		t.Fatal(err)
	}
	of, err := lifecycle.NewLifecycle(all[internalversion.StageResourceRef{APIGroup: "v1", Kind: kind}])
	if err != nil {
		t.Fatal(err)
	}
	functions := functions(Options{KubeletVersion: "v1", Address: func(string) string { return "10.32.0.1" }})
	addresses := func(string) []string { return []string{"10.0.0.1"} }
	maps.Copy(functions, gotpl.FuncMap{
		"NodeIPsWith": addresses,
		"PodIPsWith":  func(string, bool, string, string, string) []string { return addresses("") },
	})
	return &player[T]{t: t, lifecycle: of, renderer: gotpl.NewRenderer(functions)}
}

// play plays the stage that matches the object, checks that it is the expected one, and returns the changed object.
func (p *player[T]) play(object *T, meta metav1.ObjectMeta, want string) *T {
	p.t.Helper()
	event := &lifecycle.Event{Labels: meta.Labels, Annotations: meta.Annotations, Data: object}
	matching, err := p.lifecycle.ListAllPossible(context.Background(), event)
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, stage := range matching {
		names = append(names, stage.Name())
	}
	if want == "" && len(names) > 0 || want != "" && !slices.Equal(names, []string{want}) {
		p.t.Fatalf("%s: stages %q match, want %q", meta.Name, names, want)
	}
	if want == "" {
		return object
	}
	changed := object
	_, err = matching[0].DoSteps(0, nil, object, p.renderer, nil,
		func() error { changed = nil; return nil },
		func(patch *lifecycle.Patch) error {
			before, err := json.Marshal(object)
			if err != nil {
				return err
			}
			after, err := strategicpatch.StrategicMergePatch(before, patch.Data, object)
			if err != nil {
				return err
			}
			changed = new(T)
			return json.Unmarshal(after, changed)
		}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return changed
}

func TestPodStages(t *testing.T) {
	pods := newPlayer[corev1.Pod](t, "Pod")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-0"},
		Spec: corev1.PodSpec{
			NodeName:       "n",
			InitContainers: []corev1.Container{{Name: "init"}},
			Containers:     []corev1.Container{{Name: "nginx"}, {Name: "exporter"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}},
	}
	play := func(want string) { t.Helper(); pod = pods.play(pod, pod.ObjectMeta, want) }

	play("pod-start")
	play("")
	if pod.Status.PodIP != "10.0.0.1" || pod.Status.Phase != corev1.PodRunning || len(pod.Status.Conditions) != 5 {
		t.Errorf("started: got %+v", pod.Status)
	}
	// Every state leads into every other one, and none is played twice.
	states := []string{"", "not-ready", "crash-loop", "oom-killed", "image-pull", "creating"}
	shown := ""
	for _, container := range []string{"", "exporter", "init"} {
		for _, from := range states {
			for _, to := range states {
				for _, state := range []string{from, to, ""} {
					metav1.SetMetaDataAnnotation(&pod.ObjectMeta, annotation.State, state)
					metav1.SetMetaDataAnnotation(&pod.ObjectMeta, annotation.Container, container)
					if state != shown {
						play("pod-change")
					}
					play("")
					shown = state
				}
			}
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Status != corev1.ConditionTrue || condition.Reason != "" || condition.Message != "" {
			t.Errorf("recovered, but %+v", condition)
		}
	}

	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}}
	play("pod-ephemeral")
	play("")

	pod.DeletionTimestamp = new(metav1.NewTime(time.Now()))
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, annotation.State, "stuck-terminating")
	play("")
	delete(pod.Annotations, annotation.State)
	play("pod-delete")
	if pod != nil {
		t.Errorf("not deleted: %+v", pod)
	}
}

func TestJobStages(t *testing.T) {
	pods := newPlayer[corev1.Pod](t, "Pod")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "job", OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Controller: new(true)}}},
		Spec:       corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "main"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	pod = pods.play(pod, pod.ObjectMeta, "pod-start")
	if pod.Status.Phase != corev1.PodRunning {
		t.Errorf("started: got %s", pod.Status.Phase)
	}
	pod = pods.play(pod, pod.ObjectMeta, "pod-change")
	pod = pods.play(pod, pod.ObjectMeta, "")
	if pod.Status.Phase != corev1.PodSucceeded {
		t.Errorf("got %s", pod.Status.Phase)
	}
}

func TestNodeStages(t *testing.T) {
	nodes := newPlayer[corev1.Node](t, "Node")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "foreign"}}
	play := func(want string) { t.Helper(); node = nodes.play(node, node.ObjectMeta, want) }
	ready := func() corev1.ConditionStatus {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status
			}
		}
		return ""
	}

	play("node-ready")
	play("")
	if ready() != corev1.ConditionTrue || node.Status.Addresses[0].Address != "10.32.0.1" || node.Status.DaemonEndpoints.KubeletEndpoint.Port != 10250 {
		t.Errorf("got %+v", node.Status)
	}
	metav1.SetMetaDataAnnotation(&node.ObjectMeta, annotation.NodeState, annotation.NodeNotReady)
	play("node-not-ready")
	play("")
	if ready() != corev1.ConditionUnknown {
		t.Errorf("got %+v", node.Status.Conditions)
	}
	delete(node.Annotations, annotation.NodeState)
	play("node-ready")
	play("")
}

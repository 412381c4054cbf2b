package sets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestDecode reads objects of each kind.
func TestDecode(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.yaml") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		object := map[string]any{}
		if err := yaml.Unmarshal(text, &object); err != nil {
			t.Fatal(err)
		}
		kind := KindOf(object["apiVersion"].(string), object["kind"].(string))
		set, err := Decode(kind, object)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got, err := yaml.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".golden.yaml", string(got))
	}
}

// TestOwner tells the pods of sets from others.
func TestOwner(t *testing.T) {
	controlledBy := func(apiVersion, kind string, policy corev1.RestartPolicy) *corev1.Pod {
		yes := true
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a-0", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: apiVersion, Kind: kind, Name: "a", UID: "u", Controller: &yes},
		}}, Spec: corev1.PodSpec{RestartPolicy: policy, Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-a-0"},
		}}}}}
	}
	for _, test := range []struct {
		pod  *corev1.Pod
		want bool
	}{
		{controlledBy("postgresql.cnpg.io/v1", "Cluster", corev1.RestartPolicyAlways), true},
		{controlledBy("apps.kruise.io/v1beta1", "StatefulSet", corev1.RestartPolicyAlways), true},
		{controlledBy("example.com/v1", "Thing", corev1.RestartPolicyAlways), true},
		{controlledBy("example.com/v1", "Pipeline", corev1.RestartPolicyNever), false},
		{controlledBy("apps/v1", "StatefulSet", corev1.RestartPolicyAlways), false},
		{controlledBy("apps/v1", "ReplicaSet", corev1.RestartPolicyAlways), false},
		{controlledBy("batch/v1", "Job", corev1.RestartPolicyOnFailure), false},
		{&corev1.Pod{}, false},
	} {
		if got := Owner(test.pod) != nil; got != test.want {
			t.Errorf("%v: %v", test.pod.OwnerReferences, got)
		}
	}
	thing := controlledBy("example.com/v1", "Thing", corev1.RestartPolicyAlways)
	without := controlledBy("example.com/v1", "Cache", corev1.RestartPolicyAlways)
	without.Spec.Volumes = nil
	if list := (Known{}).By([]*corev1.Pod{thing, thing, without}, nil); len(list) != 1 || list[0].Ref() != "thing/a" || !list[0].ByPods {
		t.Errorf("%+v", list)
	}
	if list := (Known{"u": {}}).By([]*corev1.Pod{thing}, nil); len(list) != 0 {
		t.Errorf("%+v", list)
	}

	left := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a-0", Labels: map[string]string{appsv1.StatefulSetPodNameLabel: "a-0"}}, Spec: thing.Spec}
	if list := (Known{}).By([]*corev1.Pod{left}, []appsv1.StatefulSet{{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "a"}}}); len(list) != 1 || list[0].Kind != KindOrphans || list[0].Name != "a" {
		t.Errorf("%+v", list)
	}
	if list := (Known{}).By([]*corev1.Pod{left}, []appsv1.StatefulSet{{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}}}); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

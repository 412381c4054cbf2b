package claims

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestVolumeHealth takes over what a driver says of a volume, which no server of the beds does.
func TestVolumeHealth(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db-0"}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-db-0"}}}}
	pod.Status.VolumeHealth = []corev1.PodVolumeHealth{{Name: "data", HealthConditions: []corev1.VolumeHealthCondition{{Status: corev1.VolumeHealthInaccessible, Reason: "PathLost"}}}}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "data-db-0"}, Status: corev1.PersistentVolumeClaimStatus{
		HealthStatus: &corev1.VolumeHealthStatus{HealthConditions: []corev1.VolumeHealthCondition{{Status: corev1.VolumeHealthDataLoss, Reason: "BadBlocks", Message: "3 extents"}, {Status: corev1.VolumeHealthDegraded, Reason: "MirrorLost"}}},
	}}
	x := NewIndex(Facts{Pods: []*corev1.Pod{pod}, Claims: []*corev1.PersistentVolumeClaim{claim}})
	var got []string
	for _, f := range x.healthFindings(OfSets(), "default", User{Name: "db-0"}, &v1alpha1.ClaimStatus{Name: "data-db-0"}, time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)) {
		got = append(got, string(f.Severity)+" "+f.Message)
	}
	want := []string{"critical the driver of data-db-0 says: DataLoss: BadBlocks: 3 extents", "warning the driver of data-db-0 says: Degraded: MirrorLost", "error the driver of data-db-0 says: Inaccessible: PathLost"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
}

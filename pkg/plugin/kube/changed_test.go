package kube

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTrim keeps of an EndpointSlice's managed fields the latest time and nothing else, and of other objects none.
func TestTrim(t *testing.T) {
	at := func(minute int) *metav1.Time {
		return &metav1.Time{Time: time.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC)}
	}
	fields := []metav1.ManagedFieldsEntry{{Manager: "a", Time: at(1)}, {Manager: "b", Time: at(5), FieldsV1: &metav1.FieldsV1{}}, {Manager: "c"}}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{ManagedFields: fields}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ManagedFields: fields}}
	for range 2 {
		trim(slice)
		trim(pod)
		if f := slice.ManagedFields; len(f) != 1 || !f[0].Time.Equal(at(5)) || f[0].FieldsV1 != nil || f[0].Manager != "" {
			t.Errorf("%+v", f)
		}
		if pod.ManagedFields != nil {
			t.Errorf("%+v", pod.ManagedFields)
		}
	}
}

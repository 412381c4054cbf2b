package kube

import (
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// TestChangedAnnotation keeps of an EndpointSlice's managed fields the latest time, and writes into no map that others have.
func TestChangedAnnotation(t *testing.T) {
	at := func(minute int) *metav1.Time { return new(metav1.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC)) }
	annotations := map[string]string{"a": "b"}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Annotations: annotations, ManagedFields: []metav1.ManagedFieldsEntry{{Time: at(3)}, {}, {Time: at(5)}, {Time: at(4)}}}}
	trim(slice)
	if got := slice.Annotations[objects.ChangedAnnotation]; got != "2026-11-24T12:05:00Z" || slice.ManagedFields != nil || len(annotations) != 1 {
		t.Errorf("%q, %v", got, annotations)
	}
	trim(slice) // once more, without them
	if got := slice.Annotations[objects.ChangedAnnotation]; got != "2026-11-24T12:05:00Z" {
		t.Errorf("%q", got)
	}
	bare := &discoveryv1.EndpointSlice{}
	if trim(bare); bare.Annotations != nil {
		t.Errorf("%v", bare.Annotations)
	}
}

package kube

import (
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// TestChanged keeps of an EndpointSlice's managed fields the times, and finds the latest.
func TestChanged(t *testing.T) {
	at := func(minute int) *metav1.Time { return new(metav1.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC)) }
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{
		{Time: at(3)}, {}, {Time: at(5), FieldsV1: &metav1.FieldsV1{Raw: []byte("{}")}}, {Time: at(4)},
	}}}
	trim(slice)
	if got := objects.Changed(slice); !got.Equal(at(5).Time) || slice.ManagedFields[2].FieldsV1 != nil {
		t.Errorf("%s, %v", got, slice.ManagedFields)
	}
	if got := objects.Changed(&discoveryv1.EndpointSlice{}); !got.IsZero() {
		t.Errorf("%s", got)
	}
}

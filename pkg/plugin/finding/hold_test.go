package finding

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestHold keeps back what comes and goes between two looks, and nothing that stays.
func TestHold(t *testing.T) {
	at := func(seconds int) time.Time { return time.Date(2026, 1, 1, 0, 0, seconds, 0, time.UTC) }
	label := New(v1alpha1.CodeRoleLabelWrong, v1alpha1.SeverityError, []string{"pod/a"}, "", "x")
	other := New(v1alpha1.CodeRoleLabelWrong, v1alpha1.SeverityError, []string{"pod/b"}, "", "x")
	lag := New(v1alpha1.CodeReplicationLag, v1alpha1.SeverityError, []string{"pod/a"}, "", "x")
	h := NewHold(2*time.Second, []Rule{RuleRoleLabelWrong})
	for i, step := range []struct {
		second int
		found  []v1alpha1.Finding
		held   []bool
	}{
		{0, []v1alpha1.Finding{label}, []bool{false}}, // it was there at first
		{1, []v1alpha1.Finding{label, other, lag}, []bool{false, true, false}},
		{2, nil, nil},
		{3, []v1alpha1.Finding{label, other}, []bool{true, true}}, // for the first time since
		{4, []v1alpha1.Finding{label, other}, []bool{true, true}},
		{5, []v1alpha1.Finding{label, other}, []bool{false, false}},
	} {
		h.Next(step.found, at(step.second))
		for j, f := range step.found {
			if got := h.Held(f); got != step.held[j] {
				t.Errorf("step %d: %s %v is held: %v", i, f.Code, f.Objects, got)
			}
		}
	}
}

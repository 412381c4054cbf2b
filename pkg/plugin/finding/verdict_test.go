package finding

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func gap(kind v1alpha1.GapKind) []v1alpha1.CheckedPart {
	return []v1alpha1.CheckedPart{{Part: v1alpha1.PartDNS, Of: 3, Gaps: []v1alpha1.Gap{{Kind: kind, Number: 2, Reason: "why"}}}}
}

// TestVerdict claims ok only of what was seen.
func TestVerdict(t *testing.T) {
	info, late := v1alpha1.Finding{Severity: v1alpha1.SeverityInfo}, v1alpha1.Finding{Severity: v1alpha1.SeverityInfo, Progressing: true}
	warning, bad := v1alpha1.Finding{Severity: v1alpha1.SeverityWarning}, v1alpha1.Finding{Severity: v1alpha1.SeverityError}
	type findings = []v1alpha1.Finding
	for _, test := range []struct {
		findings []v1alpha1.Finding
		parts    []v1alpha1.CheckedPart
		want     v1alpha1.Health
		healthy  metav1.ConditionStatus
		reason   v1alpha1.ConditionReason
	}{
		{nil, nil, v1alpha1.HealthOK, metav1.ConditionTrue, v1alpha1.ReasonNothingFound},
		{findings{info}, gap(v1alpha1.GapNotAsked), v1alpha1.HealthOK, metav1.ConditionTrue, v1alpha1.ReasonNothingFound},
		{nil, gap(v1alpha1.GapNotCovered), v1alpha1.HealthOK, metav1.ConditionTrue, v1alpha1.ReasonNothingFound},
		{nil, gap(v1alpha1.GapPending), v1alpha1.HealthProgressing, metav1.ConditionFalse, v1alpha1.ReasonProgressing},
		{findings{info, late}, nil, v1alpha1.HealthProgressing, metav1.ConditionFalse, v1alpha1.ReasonProgressing},
		{findings{late}, gap(v1alpha1.GapUnread), v1alpha1.HealthUnknown, metav1.ConditionUnknown, v1alpha1.ReasonNotRead},
		{findings{late, warning}, gap(v1alpha1.GapUnread), v1alpha1.HealthWarning, metav1.ConditionFalse, v1alpha1.ReasonFindings},
		{findings{warning, bad, info}, nil, v1alpha1.HealthError, metav1.ConditionFalse, v1alpha1.ReasonFindings},
	} {
		c := Healthy(true, test.findings, test.parts)
		if got := Health(test.findings, test.parts); got != test.want || c.Status != test.healthy || c.Reason != test.reason {
			t.Errorf("%+v %+v: %s %+v", test.findings, test.parts, got, c)
		}
	}
	if c := Healthy(false, nil, nil); c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonNoneSelected {
		t.Errorf("of nothing: %+v", c)
	}
	if c := Healthy(true, nil, Allow(gap(v1alpha1.GapUnread), []v1alpha1.CheckPart{v1alpha1.PartDNS})); c.Status != metav1.ConditionTrue {
		t.Errorf("what is allowed to be unknown: %+v", c)
	}
}

func TestParts(t *testing.T) {
	volumes := []v1alpha1.CheckedPart{{Part: v1alpha1.PartVolumes, Number: 1, Of: 2, Gaps: []v1alpha1.Gap{{Kind: v1alpha1.GapUnread, Number: 1, Reason: "hangs"}}}}
	sum := Merge(gap(v1alpha1.GapUnread), volumes, gap(v1alpha1.GapUnread), volumes)
	if got := Gaps(sum, v1alpha1.GapUnread); got != "volumes (2 of 4: hangs), DNS (4 of 6: why)" || len(sum) != 2 || sum[0].Number != 2 {
		t.Errorf("%s %+v", got, sum)
	}
	if volumes[0].Gaps[0].Number != 1 {
		t.Error("an item's own part has been written to")
	}
	if left := Unread(sum, []v1alpha1.CheckPart{v1alpha1.PartDNS}); len(left) != 1 || left[0].Part != v1alpha1.PartVolumes {
		t.Errorf("%+v", left)
	}
	long := []v1alpha1.CheckedPart{{Part: v1alpha1.PartServers, Gaps: []v1alpha1.Gap{{Kind: v1alpha1.GapUnread, Reason: strings.Repeat("ä", 500)}}}}
	if got := []rune(Gaps(long, v1alpha1.GapUnread)); len(got) != len("servers ()")+longReason || !strings.HasSuffix(string(got), "ä…)") {
		t.Errorf("%d characters", len(got))
	}
}

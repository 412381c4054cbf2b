package volumes

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// conclude fills in what was looked at, and the conditions: Ready means that all claims have their volumes.
func conclude(x *index, report *v1alpha1.VolumeStatusList) {
	part := Checked(x.Snapshot, report.Items)
	report.Checked = []v1alpha1.CheckedPart{part}
	some := len(report.Items) > 0
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(some, some && !slices.ContainsFunc(report.Items, lacksVolume), false), finding.Healthy(some, report.Findings, report.Checked),
	}
}

// Checked is what was looked at of claims: the volumes that pods have mounted.
func Checked(s *Snapshot, items []v1alpha1.VolumeStatus) v1alpha1.CheckedPart {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartVolumes}
	for i := range items {
		s.AddChecked(&part, nodeOf(&items[i]) != "", &items[i].Claim)
	}
	return part
}

// lacksVolume reports whether a claim has no volume. What is left of a deleted one lacks nothing.
func lacksVolume(v v1alpha1.VolumeStatus) bool {
	switch v.Claim.Phase {
	case v1alpha1.ClaimPending, v1alpha1.ClaimLost, v1alpha1.ClaimMissing, v1alpha1.ClaimUnknown:
		return true
	}
	return false
}

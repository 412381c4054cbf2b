package dns

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// conclude fills in what was looked at, and the verdict.
func conclude(report *v1alpha1.HeadlessDNSList) {
	parts := [][]v1alpha1.CheckedPart{}
	for i := range report.Items {
		parts = append(parts, []v1alpha1.CheckedPart{Checked(&report.Items[i])})
	}
	if len(report.Gaps) > 0 {
		parts = append(parts, []v1alpha1.CheckedPart{{Part: v1alpha1.PartDNS, Gaps: report.Gaps}})
	}
	report.Checked = finding.Merge(parts...)
	selected := len(report.Items) > 0
	ready := !slices.ContainsFunc(report.Items, func(h v1alpha1.HeadlessDNS) bool { return h.ReadyEndpoints < h.Endpoints })
	report.Conditions = []v1alpha1.Condition{finding.Ready(selected, ready, false), finding.Healthy(selected, Findings(report), report.Checked)}
}

// Checked is what was looked at of a Service: records that were resolved.
func Checked(h *v1alpha1.HeadlessDNS) v1alpha1.CheckedPart {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartDNS, Of: int32(len(h.Records)), Gaps: slices.Clone(h.Gaps)}
	for _, r := range h.Records {
		switch r.Verdict {
		case v1alpha1.VerdictUnknown:
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: r.Reason})
		case v1alpha1.VerdictPending:
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapPending, Number: 1, Reason: r.Reason})
		default:
			part.Number++
		}
	}
	return part
}

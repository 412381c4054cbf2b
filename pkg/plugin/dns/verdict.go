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

// Checked is what was looked at of a Service: records that were resolved. Those that were not asked for are counted by its gaps.
func Checked(h *v1alpha1.HeadlessDNS) v1alpha1.CheckedPart {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartDNS, Of: int32(len(h.Records)), Gaps: slices.Clone(h.Gaps)}
	for i := range h.Records {
		r := &h.Records[i]
		switch {
		case len(r.Answers) == 0 && r.Reason != comesSoon: // among the gaps
		case r.Verdict == v1alpha1.VerdictUnknown && toolLimit(r):
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapNotCovered, Number: 1, Reason: r.Reason})
		case r.Verdict == v1alpha1.VerdictUnknown:
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: r.Reason})
		case r.Verdict == v1alpha1.VerdictPending:
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapPending, Number: 1, Reason: r.Reason})
		default:
			part.Number++
		}
	}
	return part
}

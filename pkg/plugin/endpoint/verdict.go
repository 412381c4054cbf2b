package endpoint

import (
	"maps"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// conclude fills in what was looked at, and the verdict.
func conclude(s *Snapshot, report *v1alpha1.ClusterEndpointList) {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartEndpoint, Number: 1, Of: 1}
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		problem := s.Problems[key]
		finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: problem.Subject + ": " + finding.Why(problem)})
	}
	report.Checked = []v1alpha1.CheckedPart{part}
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(true, s.Unreachable == "", false), finding.Healthy(true, Findings(report), report.Checked),
	}
}

package dbquery

import (
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// conclude fills in which servers were asked, and the verdict. A server's error is its answer.
func conclude(s *Snapshot, report *v1alpha1.DatabaseQueryList) {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartServers, Of: int32(len(s.Servers))}
	for i := range s.Servers {
		if f := s.Servers[i].Failure; f != nil {
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: f.Message})
			continue
		}
		part.Number++
	}
	report.Checked = []v1alpha1.CheckedPart{part}
	selected := len(report.Items) > 0
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(selected, part.Number == part.Of, false), finding.Healthy(selected, Findings(report), report.Checked),
	}
}

package dbreads

import (
	"maps"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// conclude fills in what was looked at, and the verdict: the servers behind the Service, which were asked of their dbstate.
func conclude(s *Snapshot, behind []*dbstate.Server, report *v1alpha1.DatabaseReadsList) {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartServers, Of: int32(len(behind))}
	for _, server := range behind {
		switch failure := server.Said.Failure; {
		case server.Answered:
			part.Number++
		case failure == nil:
		case failure.Message == dbserver.NotYetAnswered || server.Progress.InTime():
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapPending, Number: 1, Reason: failure.Message})
		default:
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: failure.Message})
		}
		if server.ChannelsUnknown {
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: "replication of " + server.Pod.Name + ": not allowed to query it"})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		gap := v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: s.Problems[key].Message}
		if key == subjectEndpoints {
			gap.Number, gap.Reason = 0, "which servers are ready endpoints: "+gap.Reason
		}
		finding.AddGap(&part, gap)
	}
	report.Checked = []v1alpha1.CheckedPart{part}
	ready := part.Number == part.Of && report.Items[0].Failed == 0
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(true, ready, false), finding.Healthy(true, Findings(report), report.Checked),
	}
}

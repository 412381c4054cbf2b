package dbtopology

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Checked is what was looked at of a set: the servers that answered.
func Checked(t *v1alpha1.DatabaseTopology) v1alpha1.CheckedPart {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartServers, Of: int32(len(t.Servers))}
	if len(t.Checked) > 0 {
		part.Gaps = slices.Clone(t.Checked[0].Gaps)
	}
	for i := range t.Servers {
		if t.Servers[i].Unreachable == "" {
			part.Number++
		}
	}
	return part
}

// judge fills in what was looked at of a set, its health and its conditions. A server that is starting or ending is on its way; what
// Services reach counts among what should be known about servers.
func (x *index) judge(e *Engine, set *set, t *v1alpha1.DatabaseTopology) {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartServers, Of: int32(len(t.Servers))}
	for _, s := range set.Servers {
		switch {
		case s.Answered:
			part.Number++
			for _, text := range e.Unread(s) {
				finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: text})
			}
		case s.Unreachable() == dbserver.NotYetAnswered, s.Progress.InTime():
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapPending, Number: 1, Reason: s.Unreachable()})
		default:
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: s.Unreachable()})
		}
	}
	for _, subject := range [...]string{subjectServices, subjectEndpoints} {
		if problem, failed := x.Problems[subject]; failed {
			finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: "which servers each Service reaches: " + finding.Why(problem)})
		}
	}
	t.Checked = []v1alpha1.CheckedPart{part}
	t.Health = finding.Health(t.Findings, t.Checked)
	ready := e.Ready(t)
	t.Conditions = []v1alpha1.Condition{
		finding.Ready(true, ready, !ready && unseen(t)), finding.Healthy(true, t.Findings, t.Checked),
	}
}

// unseen reports whether it is unknown if a set is ready: its pods are, and servers could not be asked.
func unseen(t *v1alpha1.DatabaseTopology) bool {
	unread := slices.ContainsFunc(t.Checked, func(p v1alpha1.CheckedPart) bool { return len(finding.GapsOf(p, v1alpha1.GapUnread)) > 0 })
	return unread && !slices.ContainsFunc(t.Servers, func(s v1alpha1.DatabaseServer) bool { return !s.Ready })
}

// conclude fills in the verdict on all sets together.
func conclude(report *v1alpha1.DatabaseTopologyList) {
	parts := make([][]v1alpha1.CheckedPart, 0, len(report.Items))
	for i := range report.Items {
		parts = append(parts, report.Items[i].Checked)
	}
	report.Checked = finding.Merge(parts...)
	some, ready := len(report.Items) > 0, Ready(report)
	unknown := slices.ContainsFunc(report.Items, func(t v1alpha1.DatabaseTopology) bool { return unseen(&t) })
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(some, ready, !ready && unknown), finding.Healthy(some, Findings(report), report.Checked),
	}
}

// Ready reports whether all servers of a set answer, their pods are ready and replication runs, and one takes writes or gets them
// from elsewhere.
func (e *Engine) Ready(t *v1alpha1.DatabaseTopology) bool {
	written := false
	for i := range t.Servers {
		s := &t.Servers[i]
		if s.Unreachable != "" || !s.Ready || !e.replicates(s) {
			return false
		}
		fromElsewhere := slices.ContainsFunc(s.Channels, func(c v1alpha1.DatabaseChannel) bool { return c.Source.Pod == "" || c.Source.Set != "" })
		written = written || s.ReadOnly != nil && !*s.ReadOnly || fromElsewhere
	}
	return written
}

// Ready reports whether there are servers, and all sets are ready.
func Ready(report *v1alpha1.DatabaseTopologyList) bool {
	return len(report.Items) > 0 && !slices.ContainsFunc(report.Items, func(t v1alpha1.DatabaseTopology) bool {
		return !slices.ContainsFunc(t.Conditions, func(c v1alpha1.Condition) bool {
			return c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue
		})
	})
}

// replicates reports whether all that a server should do to replicate runs.
func (e *Engine) replicates(s *v1alpha1.DatabaseServer) bool {
	_, healthy, member := e.MemberState(s)
	stopped := func(c v1alpha1.DatabaseChannel) bool {
		return c.Receiver != v1alpha1.ThreadRuns || c.Applier != v1alpha1.ThreadRuns
	}
	return s.Role != v1alpha1.RoleUnknown && s.Role != v1alpha1.RoleOutside && (healthy || !member) && !slices.ContainsFunc(s.Channels, stopped)
}

// Healthy reports whether everything is ready, nothing is wrong or on its way, and everything could be read but what is allowed to be
// unknown.
func Healthy(report *v1alpha1.DatabaseTopologyList, allowed []v1alpha1.CheckPart) bool {
	return Ready(report) && finding.Healthy(true, Findings(report), finding.Allow(report.Checked, allowed)).Status == metav1.ConditionTrue
}

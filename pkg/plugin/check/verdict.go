package check

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
)

// leftOut is why a part was not looked at that --only or --exclude leave out.
const leftOut = "excluded by --only or --exclude"

// gaps adds to an item what was not looked at of parts as a whole: they were left out, or could not be read at all.
func (x *index) gaps(i *item) {
	if i.set == nil {
		return
	}
	for _, part := range [...]struct {
		name    v1alpha1.CheckPart
		subject string
		missing bool
		applies bool
	}{
		{v1alpha1.PartDNS, subjectDNS, x.dns == nil, i.set.Service.State != v1alpha1.ServiceUnnamed},
		{v1alpha1.PartNodes, subjectNodes, x.nodes == nil, i.set.Replicas.Desired > 0},
		{v1alpha1.PartServers, subjectServers, x.servers == nil, true},
	} {
		if !part.missing || !part.applies {
			continue
		}
		gap := v1alpha1.Gap{Kind: v1alpha1.GapNotAsked, Reason: leftOut}
		if problem, failed := x.Problems[part.subject]; failed {
			gap = v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: finding.Why(problem)}
		}
		i.checked(v1alpha1.CheckedPart{Part: part.name, Gaps: []v1alpha1.Gap{gap}})
	}
}

// familyOf is whose findings a part is looked at for; those of servers are each engine's.
var familyOf = map[v1alpha1.CheckPart]string{
	v1alpha1.PartOrdinals: familySets, v1alpha1.PartVolumes: familySets, v1alpha1.PartDNS: familyDNS, v1alpha1.PartNodes: familyNodes,
}

// leaveOut takes what could not be read, or is not there yet, of parts whose findings are not wanted for left out: they are looked at only
// for findings across parts.
func (i *item) leaveOut(selection Selection) {
	for j := range i.Checked {
		p := &i.Checked[j]
		if i.Subject == v1alpha1.SubjectVolumes && selection.wants(familyVolumes) || i.Subject != v1alpha1.SubjectVolumes && selection.wantsOf(p.Part) {
			continue
		}
		gaps := slices.DeleteFunc(slices.Clone(p.Gaps), func(g v1alpha1.Gap) bool { return g.Kind == v1alpha1.GapUnread || g.Kind == v1alpha1.GapPending })
		if len(gaps) < len(p.Gaps) {
			gaps = append(gaps, v1alpha1.Gap{Kind: v1alpha1.GapNotAsked, Reason: leftOut})
			p.Gaps = gaps
		}
	}
}

// judge fills in an item's health and conditions. Findings that are ignored do not count.
func (i *item) judge() {
	findings := make([]v1alpha1.Finding, 0, len(i.Findings))
	for _, f := range i.Findings {
		findings = append(findings, f.Finding)
	}
	i.Health = finding.Health(findings, i.Checked)
	i.Conditions = []v1alpha1.Condition{readyOf(&i.HealthCheck), finding.Healthy(true, findings, i.Checked)}
}

// readyOf is an item's condition Ready: all pods of a set are, and available, of the newest revision and none too many, and all servers answer.
func readyOf(c *v1alpha1.HealthCheck) v1alpha1.Condition {
	ready := setReady(c)
	for _, p := range c.Checked {
		if p.Part == v1alpha1.PartServers && p.Number < p.Of {
			unread := len(finding.GapsOf(p, v1alpha1.GapUnread)) > 0
			return finding.Ready(true, false, ready && unread)
		}
	}
	return finding.Ready(true, ready, false)
}

// setReady reports whether a set has all its pods, ready and of the newest revision; what is no set has none to lack.
func setReady(c *v1alpha1.HealthCheck) bool {
	r := c.Replicas
	return (r == nil || r.Ready >= r.Desired && r.Available >= r.Desired && r.Existing <= r.Desired) && (c.Rollout == nil || c.Rollout.Complete)
}

// conclude fills in the verdict on all items together.
func conclude(report *v1alpha1.HealthCheckList) {
	parts := make([][]v1alpha1.CheckedPart, 0, len(report.Items))
	for i := range report.Items {
		parts = append(parts, report.Items[i].Checked)
	}
	report.Checked = finding.Merge(parts...)
	some := !Empty(report)
	unseen := slices.ContainsFunc(report.Items, func(c v1alpha1.HealthCheck) bool { return readyOf(&c).Status == metav1.ConditionUnknown })
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(some, Ready(report), unseen), finding.Healthy(some, Findings(report), report.Checked),
	}
}

// Ready reports whether there is something to check, all pods of its sets are ready and of the newest revision, with none too many, and
// all servers answer.
func Ready(report *v1alpha1.HealthCheckList) bool {
	return !Empty(report) && !slices.ContainsFunc(report.Items, func(c v1alpha1.HealthCheck) bool { return readyOf(&c).Status != metav1.ConditionTrue })
}

// Lacking tells what sets lack to be ready; empty if nothing.
func Lacking(report *v1alpha1.HealthCheckList) string {
	var sets []string
	for i := range report.Items {
		if c := &report.Items[i]; c.Replicas != nil && c.Rollout != nil && !setReady(c) {
			sets = append(sets, c.Metadata.Name+": "+stsstatus.Unready(c.Replicas, c.Rollout))
		}
	}
	return finding.Some(sets)
}

// Healthy reports whether there is something to check, nothing is wrong or on its way, and everything could be read but what is allowed
// to be unknown.
func Healthy(report *v1alpha1.HealthCheckList, allowed []v1alpha1.CheckPart) bool {
	return !Empty(report) && finding.Healthy(true, Findings(report), finding.Allow(report.Checked, allowed)).Status == metav1.ConditionTrue
}

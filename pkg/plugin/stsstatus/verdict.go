package stsstatus

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Why something was not looked at, beside what a server says.
const (
	noUsageAsked = "disk usage was not asked for (--no-usage)"
	blockDevice  = "volumeMode Block: there is no file system to measure"
	notMeasured  = "the kubelet reports nothing for it: its driver does not measure it"
	notReadYet   = "it has not been read yet"
	podsUnread   = "pods could not be read"
)

// judge fills in what was looked at of a set, its health and its conditions.
func judge(x *index, status *v1alpha1.StatefulSetStatus) {
	status.Checked = checked(x, status)
	status.Health = finding.Health(status.Findings, status.Checked)
	status.Conditions = []v1alpha1.Condition{
		finding.Ready(true, allReady(status), false), finding.Healthy(true, status.Findings, status.Checked),
	}
}

// checked is what was looked at of a set: its ordinals and, where it has any, the volumes that its pods have mounted.
func checked(x *index, status *v1alpha1.StatefulSetStatus) []v1alpha1.CheckedPart {
	ordinals, volumes := v1alpha1.CheckedPart{Part: v1alpha1.PartOrdinals}, v1alpha1.CheckedPart{Part: v1alpha1.PartVolumes}
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		ordinals.Of++
		if o.State == v1alpha1.OrdinalUnknown {
			finding.AddGap(&ordinals, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: finding.Why(x.Problems[subjectPods])})
		} else {
			ordinals.Number++
		}
		for j := range o.Claims {
			addVolume(&volumes, x, o, &o.Claims[j])
		}
	}
	if x.unread(subjectClaims) {
		finding.AddGap(&volumes, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: finding.Why(x.Problems[subjectClaims])})
	}
	list := []v1alpha1.CheckedPart{ordinals}
	if volumes.Of > 0 || len(volumes.Gaps) > 0 {
		list = append(list, volumes)
	}
	return list
}

// addVolume counts the volume of a claim that is mounted, or may be: pods are unknown.
func addVolume(part *v1alpha1.CheckedPart, x *index, o *v1alpha1.Ordinal, c *v1alpha1.ClaimStatus) {
	mounted := o.Pod != nil && o.Pod.Node != ""
	switch {
	case c.Usage != nil:
		part.Number++
		part.Of++
		return
	case c.UsageGap != "":
		finding.AddGap(part, v1alpha1.Gap{Kind: c.UsageGap, Number: 1, Reason: c.UsageUnknown})
	case mounted && c.VolumeMode == v1alpha1.VolumeBlock:
		finding.AddGap(part, v1alpha1.Gap{Kind: v1alpha1.GapNotCovered, Number: 1, Reason: blockDevice})
	case mounted && !x.UsageAsked:
		finding.AddGap(part, v1alpha1.Gap{Kind: v1alpha1.GapNotAsked, Number: 1, Reason: noUsageAsked})
	default:
		return
	}
	part.Of++
}

// conclude fills in the verdict on all sets together.
func conclude(report *v1alpha1.StatefulSetStatusList) {
	parts := make([][]v1alpha1.CheckedPart, 0, len(report.Items))
	for i := range report.Items {
		parts = append(parts, report.Items[i].Checked)
	}
	report.Checked = finding.Merge(parts...)
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(len(report.Items) > 0, Ready(report), false), finding.Healthy(len(report.Items) > 0, Findings(report), report.Checked),
	}
}

// allReady reports whether a set has all its pods ready, and for as long as minReadySeconds wants, none too many, and of the newest
// revision as far as its rollout goes.
func allReady(s *v1alpha1.StatefulSetStatus) bool {
	return s.Replicas.Ready >= s.Replicas.Desired && s.Replicas.Available >= s.Replicas.Desired && s.Replicas.Existing <= s.Replicas.Desired && s.Rollout.Complete
}

// Ready reports whether there are sets, and all are ready.
func Ready(report *v1alpha1.StatefulSetStatusList) bool {
	return len(report.Items) > 0 && !slices.ContainsFunc(report.Items, func(s v1alpha1.StatefulSetStatus) bool { return !allReady(&s) })
}

// Healthy reports whether every set is ready, nothing is wrong or on its way, and everything could be read but what is allowed to be
// unknown.
func Healthy(report *v1alpha1.StatefulSetStatusList, allowed []v1alpha1.CheckPart) bool {
	return Ready(report) && finding.Healthy(true, Findings(report), finding.Allow(report.Checked, allowed)).Status == metav1.ConditionTrue
}

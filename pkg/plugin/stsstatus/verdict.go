package stsstatus

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// judge fills in what was looked at of a set, its health and its conditions.
func judge(x *index, status *v1alpha1.SetStatus) {
	status.Checked = checked(x, status)
	status.Health = finding.Health(status.Findings, status.Checked)
	status.Conditions = []v1alpha1.Condition{
		finding.Ready(true, allReady(status), false), finding.Healthy(true, status.Findings, status.Checked),
	}
}

// checked is what was looked at of a set: its ordinals and, where it has any, the volumes that its pods have mounted.
func checked(x *index, status *v1alpha1.SetStatus) []v1alpha1.CheckedPart {
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
			x.AddChecked(&volumes, o.Pod != nil && o.Pod.Node != "", &o.Claims[j])
		}
	}
	switch gap := status.Replicas.DesiredUnknown; gap {
	case "":
	case v1alpha1.GapNotCovered:
		finding.AddGap(&ordinals, v1alpha1.Gap{Kind: gap, Reason: fmt.Sprintf("a %s does not tell how many pods there should be", status.Controller.Kind)})
	default:
		finding.AddGap(&ordinals, v1alpha1.Gap{Kind: gap, Reason: "how many pods there should be is not known"})
	}
	if b := status.Backups; b != nil && b.Unknown != "" {
		finding.AddGap(&ordinals, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: "backups of " + b.Of + ": " + b.Unknown})
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

// conclude fills in the verdict on all sets together.
func conclude(report *v1alpha1.SetStatusList) {
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
func allReady(s *v1alpha1.SetStatus) bool {
	return s.Replicas.Ready >= s.Replicas.Desired && s.Replicas.Available >= s.Replicas.Desired && s.Replicas.Existing <= s.Replicas.Desired && s.Rollout.Complete
}

// Ready reports whether there are sets, and all are ready.
func Ready(report *v1alpha1.SetStatusList) bool {
	return len(report.Items) > 0 && !slices.ContainsFunc(report.Items, func(s v1alpha1.SetStatus) bool { return !allReady(&s) })
}

// Lacking tells what the sets lack to be ready; empty if nothing.
func Lacking(report *v1alpha1.SetStatusList) string {
	var sets []string
	for i := range report.Items {
		if s := &report.Items[i]; !allReady(s) {
			sets = append(sets, s.Metadata.Name+": "+Unready(&s.Replicas, &s.Rollout))
		}
	}
	return finding.Some(sets)
}

// Unready tells what a set that is not ready lacks.
func Unready(replicas *v1alpha1.ReplicaCounts, rollout *v1alpha1.Rollout) string {
	switch desired := replicas.Desired; {
	case replicas.Ready < desired:
		return fmt.Sprintf("%d of %d pods are ready", replicas.Ready, desired)
	case replicas.Available < desired:
		return fmt.Sprintf("%d of %d pods have been ready for minReadySeconds", replicas.Available, desired)
	case replicas.Existing > desired:
		return fmt.Sprintf("%d pods are there of %d that are wanted", replicas.Existing, desired)
	case rollout.Strategy == v1alpha1.UpdateOnDelete:
		return fmt.Sprintf("%d of %d pods have the newest revision, and updateStrategy OnDelete replaces the others only once they are deleted", rollout.Updated, desired)
	default:
		return fmt.Sprintf("%d of %d pods have the newest revision", rollout.Updated, desired)
	}
}

// Healthy reports whether every set is ready, nothing is wrong or on its way, and everything could be read but what is allowed to be
// unknown.
func Healthy(report *v1alpha1.SetStatusList, allowed []v1alpha1.CheckPart) bool {
	return Ready(report) && finding.Healthy(true, Findings(report), finding.Allow(report.Checked, allowed)).Status == metav1.ConditionTrue
}

package volumes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Timeline tells what has happened between two reports: to claims and volumes, and to the pods that mount them, then findings.
func Timeline(before, after *v1alpha1.VolumeStatusList, now time.Time) []printers.Happening {
	t := &timeline{now: now, namespaces: len(namespaces(before, after)) > 1}
	old := map[string]*v1alpha1.VolumeStatus{}
	for i := range before.Items {
		old[key(&before.Items[i])] = &before.Items[i]
	}
	for i := range after.Items {
		v := &after.Items[i]
		t.claim(old[key(v)], v)
		delete(old, key(v))
	}
	for i := range before.Items { // in the order of the report
		if v := &before.Items[i]; old[key(v)] != nil && v.Claim.Phase != v1alpha1.ClaimMissing {
			t.gone(v)
		}
	}
	finding.Timeline("", before.Findings, after.Findings, finding.ByObjects, nil, func(severity v1alpha1.Severity, text string) {
		t.list = append(t.list, printers.Happening{Time: t.now, Text: text, Level: printers.LevelOf(severity)})
	})
	return t.list
}

// key tells claims and volumes apart.
func key(v *v1alpha1.VolumeStatus) string {
	if isLeft(v) {
		return "volume " + v.Claim.Volume
	}
	return v.Metadata.Namespace + "/" + v.Metadata.Name
}

// isLeft reports whether an item is a volume of a deleted claim.
func isLeft(v *v1alpha1.VolumeStatus) bool {
	return v.Claim.Phase == v1alpha1.ClaimReleased || v.Claim.Phase == v1alpha1.ClaimFailed
}

func namespaces(reports ...*v1alpha1.VolumeStatusList) map[string]bool {
	seen := map[string]bool{}
	for _, r := range reports {
		for i := range r.Items {
			seen[r.Items[i].Metadata.Namespace] = true
		}
	}
	return seen
}

type timeline struct {
	list       []printers.Happening
	now        time.Time
	namespaces bool
}

func (t *timeline) tell(v *v1alpha1.VolumeStatus, level printers.Level, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.namespaces {
		text = v.Metadata.Namespace + "/" + text
	}
	t.list = append(t.list, printers.Happening{Time: t.now, Text: text, Level: level})
}

// gone tells that a claim, or what was left of one, is not there any more.
func (t *timeline) gone(v *v1alpha1.VolumeStatus) {
	if isLeft(v) {
		t.tell(v, printers.Plain, "%s: volume %s of the deleted claim is gone", v.Metadata.Name, v.Claim.Volume)
		return
	}
	t.tell(v, printers.Warn, "%s deleted", v.Metadata.Name)
}

func (t *timeline) claim(was, is *v1alpha1.VolumeStatus) {
	name := is.Metadata.Name
	if isLeft(is) {
		if was == nil || was.Claim.Phase != is.Claim.Phase {
			t.tell(is, printers.Warn, "%s: volume %s %s", name, is.Claim.Volume, strings.ToLower(string(is.Claim.Phase)))
		}
		return
	}
	if was != nil && was.Metadata.UID != is.Metadata.UID && was.Metadata.UID != "" {
		t.tell(is, printers.Warn, "%s deleted", name)
		was = nil
	}
	if was == nil {
		was = &v1alpha1.VolumeStatus{Claim: v1alpha1.ClaimStatus{Phase: v1alpha1.ClaimMissing}}
	}
	if was.Claim.Phase != is.Claim.Phase && was.Claim.Phase != v1alpha1.ClaimUnknown {
		if was.Claim.Phase == v1alpha1.ClaimMissing && is.Claim.Phase != v1alpha1.ClaimUnknown {
			t.tell(is, printers.Plain, "%s created", name)
		}
		switch is.Claim.Phase {
		case v1alpha1.ClaimBound:
			t.tell(is, printers.Plain, "%s bound", name)
		case v1alpha1.ClaimLost, v1alpha1.ClaimTerminating:
			t.tell(is, printers.Alarm, "%s %s", name, strings.ToLower(string(is.Claim.Phase)))
		}
	}
	if a, b := was.Claim.Capacity, is.Claim.Capacity; a != nil && b != nil && a.Cmp(*b) != 0 {
		t.tell(is, printers.Plain, "%s grown %s → %s", name, a, b)
	}
	for _, u := range was.MountedBy {
		if !mounts(is, u.Pod) {
			t.tell(is, printers.Plain, "%s no longer mounted by %s", name, u.Pod)
		}
	}
	for _, u := range is.MountedBy {
		if !mounts(was, u.Pod) {
			t.tell(is, printers.Plain, "%s mounted by %s", name, u.Pod)
		}
	}
}

// mounts reports whether a pod mounts a claim.
func mounts(v *v1alpha1.VolumeStatus, pod string) bool {
	return slices.ContainsFunc(v.MountedBy, func(u v1alpha1.VolumeUser) bool { return u.Pod == pod })
}

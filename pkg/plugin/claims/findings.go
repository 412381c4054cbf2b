package claims

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// User is the pod that has a claim, or should have it, as far as rules about the claim depend on it.
type User struct {
	// Name is the pod's, whether or not it exists.
	Name string
	// Pod is nil if it does not exist.
	Pod *v1alpha1.PodStatus
	// Awaited means that it is yet to be created, Ending that it is not wanted any more, Kept that there is to be none and the claim was kept.
	Awaited, Ending, Kept bool
	// Any means that any pod may mount the claim, and that there is none.
	Any bool
}

// Findings are what is wrong with a claim and its volume.
func (x *Index) Findings(codes Codes, namespace string, u User, c *v1alpha1.ClaimStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, message string) {
		list = append(list, On(code, severity, []string{c.Name}, message))
	}
	switch {
	case c.Phase == v1alpha1.ClaimPending && (u.Pod != nil || u.Any): // of a set's without a pod it is the pod that is missing
		why, waits := x.pendingReason(namespace, u, c)
		severity := v1alpha1.SeverityError
		if waits {
			severity = v1alpha1.SeverityInfo
		}
		add(codes.NotBound, severity, c.Name+" is pending: "+why)
		if f := &list[len(list)-1]; !waits && x.Provisioning(x.ByName[types.NamespacedName{Namespace: namespace, Name: c.Name}], now) {
			*f = finding.Progress(*f)
		}
	case c.Phase == v1alpha1.ClaimLost:
		add(codes.NotBound, v1alpha1.SeverityCritical, fmt.Sprintf("%s has lost its volume %s: the volume no longer exists", c.Name, c.Volume))
	case c.Phase == v1alpha1.ClaimTerminating && u.Awaited:
		add(codes.Terminating, v1alpha1.SeverityError, fmt.Sprintf("%s has been deleted, and %s can't be created before it is gone%s", c.Name, u.Name, x.HeldBy(namespace, c.Name)))
	case c.Phase == v1alpha1.ClaimTerminating && u.Any:
		add(codes.Terminating, v1alpha1.SeverityWarning, fmt.Sprintf("%s has been deleted, and is still there%s", c.Name, x.HeldBy(namespace, c.Name)))
	case c.Phase == v1alpha1.ClaimTerminating && u.Pod != nil && !u.Ending: // of an ordinal to go it is what the retention policy says
		add(codes.Terminating, v1alpha1.SeverityCritical, fmt.Sprintf("%s has been deleted: it is removed as soon as %s ends, %s", c.Name, u.Name, fateOfData(c)))
	case c.Phase == v1alpha1.ClaimMissing && u.Pod != nil:
		add(codes.NotBound, v1alpha1.SeverityError, fmt.Sprintf("%s does not exist, but %s needs it", c.Name, u.Name))
	}
	list = append(list, x.volumeFindings(codes, namespace, c)...)
	list = append(list, x.healthFindings(codes, namespace, u, c, now)...)
	if !u.Kept {
		if c.Resize != nil {
			list = append(list, x.resizeFinding(codes, namespace, c))
		}
		list = append(list, x.modifyFinding(codes, namespace, c)...)
	}
	list = append(list, x.readOnlyFinding(codes, u, c)...)
	return append(list, x.usageFindings(codes, namespace, c, now)...)
}

// usageFindings report a volume that fills up. One that is a directory on its node's disk has nothing of its own to fill up: see DiskFindings.
func (x *Index) usageFindings(codes Codes, namespace string, c *v1alpha1.ClaimStatus, now time.Time) []v1alpha1.Finding {
	if c.Usage == nil || c.OnNodeDisk {
		return nil
	}
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, message string) {
		list = append(list, On(code, severity, []string{c.Name}, message))
	}
	if p := c.Usage.UsedPercent; p != nil {
		switch message := fmt.Sprintf("%s is %d%% full%s", c.Name, *p, soon(c.FullAt, now)); {
		case *p >= FullPercent:
			add(codes.Full, v1alpha1.SeverityError, message)
			x.relieve(namespace, c, &list[len(list)-1])
		case *p >= FillingPercent:
			add(codes.Filling, v1alpha1.SeverityWarning, message)
			x.relieve(namespace, c, &list[len(list)-1])
		}
	}
	if p := c.Usage.InodesUsedPercent; p != nil {
		switch message := fmt.Sprintf("%s has used %d%% of its inodes", c.Name, *p); {
		case *p >= FullPercent:
			add(codes.InodesFull, v1alpha1.SeverityError, message)
		case *p >= FillingPercent:
			add(codes.InodesFilling, v1alpha1.SeverityWarning, message)
		}
	}
	return list
}

// On is a finding about claims.
func On(code v1alpha1.Code, severity v1alpha1.Severity, names []string, message string) v1alpha1.Finding {
	refs := make([]string, len(names))
	for i, name := range names {
		refs[i] = "persistentvolumeclaim/" + name
	}
	return finding.New(code, severity, refs, "", "%s", message)
}

// fateOfData is what becomes of the data of a claim that has been deleted.
func fateOfData(c *v1alpha1.ClaimStatus) string {
	switch {
	case c.Details == nil:
		return "with its data, unless its volume is retained"
	case c.Details.ReclaimPolicy == v1alpha1.ReclaimRetain:
		return fmt.Sprintf("but its data stays in volume %s (reclaim policy Retain)", c.Volume)
	}
	return fmt.Sprintf("with its data (reclaim policy %s)", c.Details.ReclaimPolicy)
}

// HeldBy tells what a claim that has been deleted waits for, as far as it was seen.
func (x *Index) HeldBy(namespace, name string) string {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	claim := x.ByName[key]
	var users []string
	for _, pod := range x.Mounting[key] {
		users = append(users, pod.Name)
	}
	switch {
	case len(users) > 0:
		return fmt.Sprintf("; %s still mounts it", finding.Some(users))
	case claim != nil && len(claim.Finalizers) > 0:
		return "; it has the finalizers " + strings.Join(claim.Finalizers, ", ")
	}
	return ""
}

// Reasons of events about claims whose volumes could not be made larger: by the driver's controller, on the node.
const (
	volumeResizeFailed     = "VolumeResizeFailed"
	fileSystemResizeFailed = "FileSystemResizeFailed"
)

func (x *Index) resizeFinding(codes Codes, namespace string, c *v1alpha1.ClaimStatus) v1alpha1.Finding {
	claim := x.ByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]
	sizes := fmt.Sprintf("%s requests %s and has %s", c.Name, quantity(c.Requested), quantity(c.Capacity))
	warning := x.Events.Warning(kindClaim, &claim.ObjectMeta, volumeResizeFailed, fileSystemResizeFailed, "ExternalExpanding")
	switch why := cmp.Or(objects.EventText(warning), c.Resize.Message); {
	case c.Resize.State == v1alpha1.ResizeFailed, warning != nil && (warning.Reason == volumeResizeFailed || warning.Reason == fileSystemResizeFailed):
		return On(codes.ResizeFailed, v1alpha1.SeverityError, []string{c.Name}, sizes+": expansion failed"+after(": ", why))
	case c.Resize.State == v1alpha1.ResizePending:
		return On(codes.ResizePending, v1alpha1.SeverityWarning, []string{c.Name}, sizes+": expansion has not started"+after("; ", why))
	default:
		return On(codes.ResizePending, v1alpha1.SeverityWarning, []string{c.Name}, sizes+": expansion is in progress"+after("; ", why))
	}
}

// modifyFinding reports a claim that asks for another VolumeAttributesClass than its volume has.
func (x *Index) modifyFinding(codes Codes, namespace string, c *v1alpha1.ClaimStatus) []v1alpha1.Finding {
	claim := x.ByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]
	if claim == nil || claim.Status.ModifyVolumeStatus == nil {
		return nil
	}
	m := claim.Status.ModifyVolumeStatus
	why := ""
	for i := range claim.Status.Conditions {
		if k := &claim.Status.Conditions[i]; k.Status == corev1.ConditionTrue && (k.Type == corev1.PersistentVolumeClaimVolumeModifyVolumeError || k.Type == corev1.PersistentVolumeClaimVolumeModifyingVolume) {
			why = objects.OneLine(k.Message)
		}
	}
	has := "none"
	if claim.Status.CurrentVolumeAttributesClassName != nil {
		has = *claim.Status.CurrentVolumeAttributesClassName
	}
	f := On(codes.Modify, v1alpha1.SeverityWarning, []string{c.Name},
		fmt.Sprintf("%s asks for the VolumeAttributesClass %s and has %s: %s%s", c.Name, m.TargetVolumeAttributesClassName, has, modifyWord(m.Status), after(": ", why)))
	if m.Status == corev1.PersistentVolumeClaimModifyVolumeInProgress {
		f = finding.Progress(f)
	}
	return []v1alpha1.Finding{f}
}

// modifyWord says how far a volume's modification is.
func modifyWord(status corev1.PersistentVolumeClaimModifyVolumeStatus) string {
	switch status {
	case corev1.PersistentVolumeClaimModifyVolumePending:
		return "there may be no such class, or nothing that modifies volumes"
	case corev1.PersistentVolumeClaimModifyVolumeInfeasible:
		return "its driver refuses"
	}
	return "its driver is at it"
}

// after puts a separator before a text that is not empty.
func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

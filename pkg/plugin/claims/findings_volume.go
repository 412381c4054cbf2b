package claims

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// volumeFindings report what is wrong with the volume that a claim is bound to.
func (x *Index) volumeFindings(codes Codes, namespace string, c *v1alpha1.ClaimStatus) []v1alpha1.Finding {
	if !x.read(SubjectVolumes) || c.Volume == "" || c.Phase != v1alpha1.ClaimBound && c.Phase != v1alpha1.ClaimTerminating {
		return nil
	}
	claim := x.ByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]
	v := x.Volume[c.Volume]
	tell := func(severity v1alpha1.Severity, format string, args ...any) []v1alpha1.Finding {
		return []v1alpha1.Finding{finding.New(codes.AtRisk, severity, []string{"persistentvolume/" + c.Volume, "persistentvolumeclaim/" + c.Name}, "", format, args...)}
	}
	switch {
	case v == nil: // the controller calls the claim lost within seconds
		return nil
	case v.Spec.ClaimRef != nil && v.Spec.ClaimRef.UID != "" && v.Spec.ClaimRef.UID != claim.UID:
		return tell(v1alpha1.SeverityCritical, "%s is bound to the volume %s, which is bound to another claim: %s", c.Name, c.Volume, v.Spec.ClaimRef.Namespace+"/"+v.Spec.ClaimRef.Name)
	case objects.Terminating(v):
		fate := fmt.Sprintf("its data are deleted too (reclaim policy %s)", v.Spec.PersistentVolumeReclaimPolicy)
		if v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRetain {
			fate = "its data stay on the disk, without a volume that leads to them (reclaim policy Retain)"
		}
		return tell(v1alpha1.SeverityCritical, "the volume %s of %s has been deleted: it goes as soon as the claim does, and %s; that can't be undone", c.Volume, c.Name, fate)
	case v.Status.Phase == corev1.VolumeFailed, v.Status.Phase == corev1.VolumeReleased:
		return tell(v1alpha1.SeverityError, "the volume %s of %s is %s%s", c.Volume, c.Name, strings.ToLower(string(v.Status.Phase)), after(": ", objects.Because(v.Status.Reason, v.Status.Message)))
	}
	return nil
}

// reasonVolumeAbnormal is of kubelets up to 1.36 (feature CSIVolumeHealth), and of the CSI external-health-monitor.
const reasonVolumeAbnormal = "VolumeConditionAbnormal"

// abnormalRecent is how long an event says that a volume is unhealthy: it is repeated every few minutes while it is.
const abnormalRecent = 10 * time.Minute

// healthFindings report what a claim's driver says of its volume: of the volume as such, and as the pod's node sees it.
func (x *Index) healthFindings(codes Codes, namespace string, u User, c *v1alpha1.ClaimStatus, now time.Time) []v1alpha1.Finding {
	var said []corev1.VolumeHealthCondition
	if claim := x.ByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]; claim != nil && claim.Status.HealthStatus != nil {
		said = append(said, claim.Status.HealthStatus.HealthConditions...)
	}
	for _, pod := range x.Mounting[types.NamespacedName{Namespace: namespace, Name: c.Name}] {
		for _, mounted := range objects.ClaimsOf(pod) {
			for _, health := range pod.Status.VolumeHealth {
				if pod.Name == u.Name && mounted.Name == c.Name && health.Name == mounted.Volume {
					said = append(said, health.HealthConditions...)
				}
			}
		}
	}
	// Before there were fields for it, kubelets and the external health monitor wrote events.
	for _, about := range []struct{ kind, name string }{{kindClaim, c.Name}, {kindPod, u.Name}} {
		e := x.Events.Newest(about.kind, &metav1.ObjectMeta{Namespace: namespace, Name: about.name, UID: uidOf(about.kind, u, c)}, func(e *corev1.Event) bool {
			return e.Reason == reasonVolumeAbnormal && now.Sub(objects.EventTime(e).Time) < abnormalRecent
		})
		if e != nil && (about.kind == kindClaim || c.Template != "" && strings.HasPrefix(e.Message, "Volume "+c.Template+":")) {
			said = append(said, corev1.VolumeHealthCondition{Status: corev1.VolumeHealthDegraded, Reason: e.Reason, Message: e.Message})
		}
	}
	var list []v1alpha1.Finding
	for _, condition := range said {
		severity := v1alpha1.SeverityError
		switch condition.Status {
		case corev1.VolumeHealthDataLoss:
			severity = v1alpha1.SeverityCritical
		case corev1.VolumeHealthDegraded:
			severity = v1alpha1.SeverityWarning
		}
		f := On(codes.AtRisk, severity, []string{c.Name}, fmt.Sprintf("the driver of %s says: %s: %s", c.Name, condition.Status, objects.Because(condition.Reason, objects.OneLine(condition.Message))))
		if !slices.ContainsFunc(list, func(other v1alpha1.Finding) bool { return other.Message == f.Message }) {
			list = append(list, f)
		}
	}
	return list
}

// uidOf is that of a claim, or of its pod.
func uidOf(kind string, u User, c *v1alpha1.ClaimStatus) types.UID {
	switch {
	case kind == kindClaim:
		return types.UID(c.UID)
	case u.Pod != nil:
		return types.UID(u.Pod.UID)
	}
	return ""
}

// readOnlyFinding reports a volume that a container is to write to and can't, because the kernel has stopped writing to it.
func (x *Index) readOnlyFinding(codes Codes, u User, c *v1alpha1.ClaimStatus) []v1alpha1.Finding {
	if c.Usage == nil || c.Usage.ReadOnly == "" {
		return nil
	}
	v := x.Volume[c.Volume]
	meant := v != nil && v.Spec.CSI != nil && v.Spec.CSI.ReadOnly || slices.Equal(c.AccessModes, []v1alpha1.ClaimAccessMode{v1alpha1.AccessReadOnlyMany})
	if meant {
		return nil
	}
	text := fmt.Sprintf("%s can only be read in %s, which is to write to it (mounted %s): the kernel does that after an error of the file system or its disk", c.Name, u.Name, c.Usage.ReadOnly)
	f := On(codes.AtRisk, v1alpha1.SeverityError, []string{c.Name}, text)
	if u.Pod != nil {
		f.Objects = append(f.Objects, finding.Ref("pod/"+u.Name))
		if u.Pod.Node != "" {
			f.Objects = append(f.Objects, finding.Ref("node/"+u.Pod.Node))
		}
	}
	return []v1alpha1.Finding{f}
}

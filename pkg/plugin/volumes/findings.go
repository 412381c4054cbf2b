package volumes

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// unusedLong is how long nothing has mounted a claim that is worth a look: what comes and goes, such as a nightly job, has had its turn.
	unusedLong = 7 * 24 * time.Hour
	// deletionPatience is how long a released volume with the reclaim policy Delete may take to be deleted.
	deletionPatience = 5 * time.Minute
)

// unusedFindings report a claim that nothing has mounted for long. Where it is not known since when, its age has to do.
func unusedFindings(v *v1alpha1.VolumeStatus, now time.Time) []v1alpha1.Finding {
	if v.Unused == nil || v.Claim.Phase != v1alpha1.ClaimBound {
		return nil
	}
	since, text := v.Metadata.CreationTimestamp, ""
	if v.Unused.Since != nil {
		since = *v.Unused.Since
	}
	age := now.Sub(since.Time)
	if since.IsZero() || age < unusedLong {
		return nil
	}
	switch {
	case v.Unused.Since == nil:
		text = fmt.Sprintf("nothing mounts %s, which is %s old; since when is not known", v.Claim.Name, duration.HumanDuration(age))
	case v.Unused.LastPod != "" && v.Unused.Source == v1alpha1.UnusedByPod:
		text = fmt.Sprintf("nothing has mounted %s for %s; the last pod was %s", v.Claim.Name, duration.HumanDuration(age), v.Unused.LastPod)
	default:
		text = fmt.Sprintf("nothing has mounted %s for %s", v.Claim.Name, duration.HumanDuration(age))
	}
	if v.Claim.Capacity != nil {
		text += fmt.Sprintf("; it holds %s", v.Claim.Capacity)
	}
	return []v1alpha1.Finding{claims.On(v1alpha1.CodeVolumeUnused, v1alpha1.SeverityInfo, []string{v.Claim.Name}, text)}
}

// leftFindings report a volume that is left of a deleted claim. One that is to be deleted is, in a moment.
func (x *index) leftFindings(code v1alpha1.Code, v *corev1.PersistentVolume, key types.NamespacedName, now time.Time) []v1alpha1.Finding {
	deletes := v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete && v.Status.Phase == corev1.VolumeReleased
	since := v.Status.LastPhaseTransitionTime
	if deletes && (objects.Terminating(v) || since == nil || now.Sub(since.Time) < deletionPatience) {
		return nil
	}
	var current *v1alpha1.ClaimStatus
	if x.claims.ByName[key] != nil {
		c := x.claims.Status(key.Namespace, key.Name, nil, now)
		current = &c
	}
	f := claims.Left(code, v, current, now)
	if deletes {
		f.Message += "; its reclaim policy is Delete, and its driver has not deleted it"
		if f.Severity == v1alpha1.SeverityInfo {
			f.Severity = v1alpha1.SeverityWarning
		}
	}
	return []v1alpha1.Finding{f}
}

package claims

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// IsLeft reports whether a volume has been left by a claim: it was deleted, or its deletion failed half-way.
func IsLeft(v *corev1.PersistentVolume) bool {
	return v.Spec.ClaimRef != nil && (v.Status.Phase == corev1.VolumeReleased || v.Status.Phase == corev1.VolumeFailed)
}

// Left is the finding about a volume that has been left by a claim. Current is the claim that has its name now; nil if there is none.
func Left(code v1alpha1.Code, v *corev1.PersistentVolume, current *v1alpha1.ClaimStatus, now time.Time) v1alpha1.Finding {
	ref := v.Spec.ClaimRef
	f := finding.New(code, v1alpha1.SeverityInfo, []string{"persistentvolume/" + v.Name, "persistentvolumeclaim/" + ref.Name}, "",
		"volume %s has the data of an earlier claim %s, and is released", v.Name, ref.Name)
	if v.Status.Phase == corev1.VolumeFailed {
		f.Severity = v1alpha1.SeverityWarning
		f.Message = fmt.Sprintf("volume %s of claim %s has failed%s", v.Name, ref.Name, after(": ", objects.Because(v.Status.Reason, v.Status.Message)))
	}
	switch {
	case current == nil:
	case current.Phase == v1alpha1.ClaimBound:
		f.Message += fmt.Sprintf("; the current claim has another one, %s", current.Volume)
		if releasedLately(v, now) && f.Severity == v1alpha1.SeverityInfo { // whoever made the claim again may believe that it got its data back
			f.Severity = v1alpha1.SeverityWarning
		}
	case current.Phase != v1alpha1.ClaimUnknown:
		f.Severity = v1alpha1.SeverityError
		f.Message += fmt.Sprintf("; the current claim is %s and does not get it", strings.ToLower(string(current.Phase)))
	}
	return f
}

// strayRecent is how long after it was released a volume with the data of a claim that has another one now is taken for a mishap.
const strayRecent = 7 * 24 * time.Hour

// releasedLately reports whether a volume was released not long ago.
func releasedLately(v *corev1.PersistentVolume, now time.Time) bool {
	return v.Status.LastPhaseTransitionTime != nil && now.Sub(v.Status.LastPhaseTransitionTime.Time) < strayRecent
}

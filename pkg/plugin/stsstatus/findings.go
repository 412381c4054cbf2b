package stsstatus

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// findings are what is wrong with a set, the worst first.
func findings(x *index, set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	list = append(list, serviceFindings(status)...)
	list = append(list, ordinalFindings(status)...)
	pods := map[string]*corev1.Pod{}
	for _, pod := range x.podsBySet[set.UID] {
		pods[pod.Name] = pod
	}
	for i := range status.Ordinals {
		switch o := &status.Ordinals[i]; o.State {
		case v1alpha1.OrdinalPresent:
			list = append(list, podFindings(x, pods[o.PodName], now)...)
		case v1alpha1.OrdinalSurplus: // it is on its way out, which may take too long
			list = append(list, stuckTerminating(x, pods[o.PodName], now)...)
		}
	}
	list = append(list, rolloutFindings(set, status, pods, now)...)
	list = append(list, claimsFindings(x, set, status)...)
	list = append(list, placementFindings(x, set, status)...)
	finding.Sort(list)
	return list
}

func serviceFindings(status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	f := v1alpha1.Finding{
		Code: v1alpha1.CodeServiceUnsound, Severity: v1alpha1.SeverityError, Remedy: finding.Page(v1alpha1.CodeServiceUnsound),
		Objects: []string{"service/" + status.Service.Name},
	}
	switch status.Service.State {
	case v1alpha1.ServiceMissing:
		f.Message = fmt.Sprintf("the governing Service %s does not exist: the pods have no DNS names", status.Service.Name)
	case v1alpha1.ServiceNotHeadless:
		f.Message = fmt.Sprintf("the governing Service %s has a cluster IP (it is not headless): the pods have no DNS names", status.Service.Name)
	case v1alpha1.ServiceNotSelecting:
		f.Message = fmt.Sprintf("the selector of the governing Service %s does not match the pods' labels: the pods have no DNS names", status.Service.Name)
	default:
		return nil
	}
	return []v1alpha1.Finding{f}
}

// ordinalFindings tells of ordinals without a pod, and of claims without an ordinal.
func ordinalFindings(status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	var missing, blocked, retained, retainedClaims []string
	missingReason := ""
	blockedBy := ""
	for _, o := range status.Ordinals {
		switch o.State {
		case v1alpha1.OrdinalMissing:
			missing = append(missing, o.PodName)
			if o.Reason != noPodReason && missingReason == "" {
				missingReason = ": " + o.Reason
			}
		case v1alpha1.OrdinalBlocked:
			blocked = append(blocked, o.PodName)
			blockedBy = o.Reason
		case v1alpha1.OrdinalRetained:
			retained = append(retained, o.PodName)
			for _, c := range o.Claims {
				retainedClaims = append(retainedClaims, "persistentvolumeclaim/"+c.Name)
			}
		}
	}
	if len(missing) > 0 {
		list = append(list, v1alpha1.Finding{
			Code: v1alpha1.CodeOrdinalMissing, Severity: v1alpha1.SeverityError, Objects: prefixed("pod/", missing),
			Message: finding.Some(missing) + " not created" + missingReason, Remedy: "kubectl describe sts " + status.Metadata.Name + inNamespace(status),
		})
	}
	if len(blocked) > 0 {
		list = append(list, v1alpha1.Finding{
			Code: v1alpha1.CodeOrdinalBlocked, Severity: v1alpha1.SeverityError, Objects: prefixed("pod/", blocked),
			Message: fmt.Sprintf("%s not created: %s %s", areThey(blocked), status.PodManagementPolicy, blockedBy),
		})
	}
	if len(retained) > 0 {
		list = append(list, v1alpha1.Finding{
			Code: v1alpha1.CodeClaimsRetained, Severity: v1alpha1.SeverityInfo, Objects: retainedClaims,
			Message: fmt.Sprintf("the claims of %s are kept: scaling up again brings their data back", strings.Join(retained, ", ")),
			Remedy:  finding.Page(v1alpha1.CodeClaimsRetained),
		})
	}
	return list
}

func inNamespace(status *v1alpha1.StatefulSetStatus) string {
	return " -n " + status.Metadata.Namespace
}

func prefixed(prefix string, names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = prefix + name
	}
	return list
}

func areThey(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, ", ") + " are"
}

func times(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func ago(t, now time.Time) string {
	return duration.HumanDuration(now.Sub(t)) + " ago"
}

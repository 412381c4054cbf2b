package stsstatus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// namesake is a pod that has the name of one of a set's, and is not the set's.
func (x *index) namesake(set *appsv1.StatefulSet, name string) *corev1.Pod {
	return x.othersByName[types.NamespacedName{Namespace: set.Namespace, Name: name}]
}

// takenBy tells that a pod which is not the set's has a name of the set; empty if there is none.
func (x *index) takenBy(set *appsv1.StatefulSet, name string) string {
	pod := x.namesake(set, name)
	if pod == nil {
		return ""
	}
	return "a pod of this name is not the set's: " + whyNotOurs(set, pod)
}

// whyNotOurs tells why a set does not control a pod that has one of its names.
func whyNotOurs(set *appsv1.StatefulSet, pod *corev1.Pod) string {
	owner := metav1.GetControllerOfNoCopy(pod)
	switch {
	case owner != nil && owner.Kind == objects.KindStatefulSet && owner.Name == set.Name:
		return "it is of an earlier StatefulSet " + set.Name
	case owner != nil:
		return fmt.Sprintf("%s %s controls it", owner.Kind, owner.Name)
	case !objects.Matches(set.Spec.Selector, pod.Labels):
		if lacking := lackingLabels(set, pod); len(lacking) > 0 {
			return "its labels lack " + strings.Join(lacking, ",")
		}
		return "the set's selector does not match its labels"
	}
	return "nothing controls it"
}

// lackingLabels are the labels that a set's selector wants and a pod does not have, as kubectl label takes them.
func lackingLabels(set *appsv1.StatefulSet, pod *corev1.Pod) []string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(set.Spec.Selector.MatchLabels)) {
		if value := set.Spec.Selector.MatchLabels[key]; pod.Labels[key] != value {
			list = append(list, key+"="+value)
		}
	}
	return list
}

// namesakeFindings report ordinals whose pods' names are taken: the set can make no pod of its own, while the other one runs on, and writes
// to its volumes.
func namesakeFindings(x *index, set *appsv1.StatefulSet, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		pod := x.namesake(set, o.PodName)
		if o.State != v1alpha1.OrdinalMissing && o.State != v1alpha1.OrdinalBlocked || pod == nil {
			continue
		}
		f := finding.New(v1alpha1.CodePodOfOthers, v1alpha1.SeverityError, []string{"pod/" + pod.Name}, "",
			"%s exists, but is not the set's: %s", pod.Name, whyNotOurs(set, pod))
		var written []string
		for _, c := range objects.ClaimsOf(pod) {
			if _, _, templated := objects.ClaimOf(set, c.Name); templated && !objects.PodFinished(pod) {
				written = append(written, c.Name)
			}
		}
		if len(written) > 0 {
			f.Message += "; it has " + strings.Join(written, ", ") + " mounted"
			f.Objects = append(f.Objects, finding.Refs(prefixed("persistentvolumeclaim/", written))...)
		}
		lacking := lackingLabels(set, pod)
		switch owner := metav1.GetControllerOfNoCopy(pod); {
		case objects.Terminating(pod): // its name becomes free
			f = finding.Progress(f)
		case owner == nil && len(lacking) == 0 && objects.Matches(set.Spec.Selector, pod.Labels): // the controller adopts it
			f = finding.Progress(f)
		case owner == nil && len(lacking) > 0:
			f.Remedy.Command = fmt.Sprintf("kubectl label pod %s -n %s --overwrite %s", pod.Name, pod.Namespace, strings.Join(lacking, " "))
		}
		list = append(list, f)
	}
	return list
}

// strangerFindings report pods that have the labels of the set's selector and are not the set's: whatever goes by these labels takes them
// for members.
func strangerFindings(x *index, set *appsv1.StatefulSet) []v1alpha1.Finding {
	var names, whose []string
	var services, counted []string
	start, end := objects.OrdinalRange(set)
	for _, pod := range x.othersByNS[set.Namespace] {
		n, named := objects.OrdinalOf(pod.Name, set.Name)
		if named && n >= start && n < end || objects.PodFinished(pod) || objects.Terminating(pod) || !objects.Matches(set.Spec.Selector, pod.Labels) {
			continue
		}
		names = append(names, pod.Name)
		owner := "nothing controls it"
		if o := metav1.GetControllerOfNoCopy(pod); o != nil {
			owner = "of " + o.Kind + " " + o.Name
		}
		whose = append(whose, fmt.Sprintf("%s (%s)", pod.Name, owner))
		for i := range x.Services {
			service := &x.Services[i]
			if service.Namespace == set.Namespace && objects.Selects(service, set.Spec.Template.Labels) && objects.Selects(service, pod.Labels) &&
				(objects.PodReady(pod) || service.Spec.PublishNotReadyAddresses) && !slices.Contains(services, service.Name) {
				services = append(services, service.Name)
			}
		}
		for _, budget := range budgets(x, subjectOf(set)) {
			if objects.Matches(budget.Spec.Selector, pod.Labels) && !slices.Contains(counted, budget.Name) {
				counted = append(counted, budget.Name)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	are := "has the labels of the set's selector, and is not its pod"
	if len(names) > 1 {
		are = "have the labels of the set's selector, and are not its pods"
	}
	f := finding.New(v1alpha1.CodeStranger, v1alpha1.SeverityWarning, append(prefixed("pod/", names), "statefulset/"+set.Name), "", "%s %s", finding.Some(whose), are)
	if len(services) > 0 {
		f.Severity = v1alpha1.SeverityError
		f.Objects = append(f.Objects, finding.Refs(prefixed("service/", services))...)
		f.Message += fmt.Sprintf(": connections to %s go there too", finding.Some(services))
	}
	if len(counted) > 0 {
		f.Objects = append(f.Objects, finding.Refs(prefixed("poddisruptionbudget/", counted))...)
		f.Message += fmt.Sprintf("; the PodDisruptionBudget %s counts them", finding.Some(counted))
	}
	return []v1alpha1.Finding{f}
}

// sharedFindings report claims of the set's templates that pods of others have mounted for writing.
func sharedFindings(x *index, set *appsv1.StatefulSet, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range status.Ordinals {
		for _, c := range status.Ordinals[i].Claims {
			if c.Template == "" {
				continue
			}
			mounting := x.claims.Mounting[types.NamespacedName{Namespace: set.Namespace, Name: c.Name}]
			oursToo := slices.ContainsFunc(mounting, func(pod *corev1.Pod) bool { return metav1.IsControlledBy(pod, set) })
			for _, pod := range mounting {
				owner := metav1.GetControllerOfNoCopy(pod)
				if owner != nil && owner.UID == set.UID || pod.Name == status.Ordinals[i].PodName || objects.Terminating(pod) || !writesTo(pod, c.Name) {
					continue
				}
				f := finding.New(v1alpha1.CodeClaimShared, v1alpha1.SeverityInfo, []string{"persistentvolumeclaim/" + c.Name, "pod/" + pod.Name}, "",
					"%s, which is of %s, is mounted by %s", c.Name, status.Ordinals[i].PodName, pod.Name)
				switch {
				case owner == nil:
				case owner.Kind == objects.KindStatefulSet && !oursToo: // it may have been meant to take over
					f.Message += fmt.Sprintf(" of StatefulSet %s", owner.Name)
				case owner.Kind == objects.KindStatefulSet:
					f.Severity = v1alpha1.SeverityCritical
					f.Message += fmt.Sprintf(" of StatefulSet %s: pods of two sets write to one volume", owner.Name)
					f.Objects = append(f.Objects, finding.Ref("statefulset/"+owner.Name))
				case owner.Kind != "Job": // backups come and go
					f.Severity = v1alpha1.SeverityWarning
					f.Message += fmt.Sprintf(" of %s %s", owner.Kind, owner.Name)
				}
				list = append(list, f)
			}
		}
	}
	return list
}

// writesTo reports whether a pod mounts a claim for more than reading.
func writesTo(pod *corev1.Pod, claim string) bool {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if v.PersistentVolumeClaim == nil || v.PersistentVolumeClaim.ClaimName != claim {
			continue
		}
		if v.PersistentVolumeClaim.ReadOnly {
			return false
		}
		mounted := false
		for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for j := range containers {
				for _, m := range containers[j].VolumeMounts {
					if m.Name == v.Name {
						mounted = true
						if !m.ReadOnly {
							return true
						}
					}
				}
			}
		}
		return !mounted // what mounts it is not known: block devices
	}
	return true // an ephemeral volume
}

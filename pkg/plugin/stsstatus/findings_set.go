package stsstatus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// controllerPatience is how long the controller may take to act on a set: it does so within seconds.
const controllerPatience = time.Minute

// goingFindings report a set, or its namespace, that has been deleted: then the controller makes no pods, and nothing else about them counts.
func goingFindings(x *index, set metav1.Object, ref string, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	if namespace := x.namespaces[set.GetNamespace()]; namespace != nil && (objects.Terminating(namespace) || namespace.Status.Phase == corev1.NamespaceTerminating) {
		f := finding.New(v1alpha1.CodeNamespaceGoing, v1alpha1.SeverityCritical, []string{"namespace/" + namespace.Name}, "kubectl get namespace "+namespace.Name+" -o yaml",
			"the namespace %s is being deleted, with all sets, claims and Secrets in it", namespace.Name)
		if namespace.DeletionTimestamp != nil {
			f.Message += fmt.Sprintf(" (for %s)", duration.HumanDuration(now.Sub(namespace.DeletionTimestamp.Time)))
		}
		f.Message += after("; ", leftIn(namespace))
		list = append(list, f)
	}
	if objects.Terminating(set) {
		age := now.Sub(set.GetDeletionTimestamp().Time)
		f := finding.New(v1alpha1.CodeSetTerminating, v1alpha1.SeverityError, []string{ref}, "",
			"the set was deleted %s ago, and is still there", duration.HumanDuration(age))
		if finalizers := set.GetFinalizers(); len(finalizers) > 0 {
			f.Message += ": it has the finalizers " + strings.Join(finalizers, ", ")
		}
		if age < objects.StartLimit {
			f = finding.Progress(f)
		}
		list = append(list, f)
	}
	return list
}

// leftIn tells what a namespace that is being deleted waits for, as its conditions say.
func leftIn(namespace *corev1.Namespace) string {
	var parts []string
	for i := range namespace.Status.Conditions {
		if c := &namespace.Status.Conditions[i]; c.Status == corev1.ConditionTrue && c.Message != "" {
			parts = append(parts, objects.OneLine(c.Message))
		}
	}
	return strings.Join(parts, "; ")
}

// behindFindings report a set whose controller has not taken in its newest state: it may not run.
func behindFindings(set *appsv1.StatefulSet, now time.Time) []v1alpha1.Finding {
	since := now.Sub(objects.LastWritten(set))
	if set.Status.ObservedGeneration >= set.Generation || since < controllerPatience || objects.LastWritten(set).IsZero() {
		return nil
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodeControllerBehind, v1alpha1.SeverityError, []string{"statefulset/" + set.Name}, "kubectl get pods -n kube-system",
		"the StatefulSet controller has not acted on generation %d for %s (its last was %d): does kube-controller-manager run?",
		set.Generation, duration.HumanDuration(since), set.Status.ObservedGeneration)}
}

// onDeleteFindings tell which pods wait for somebody to delete them.
func onDeleteFindings(set *appsv1.StatefulSet, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	if set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType || status.Rollout.Complete {
		return nil
	}
	var old []string
	for _, o := range status.Ordinals {
		if o.State == v1alpha1.OrdinalPresent && o.Pod.Revision != "" && o.Pod.Revision != status.Rollout.Revision {
			old = append(old, o.PodName)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return []v1alpha1.Finding{finding.New(v1alpha1.CodeUpdateOnDelete, v1alpha1.SeverityInfo, prefixed("pod/", old),
		"kubectl delete pod "+old[len(old)-1]+inNamespace(status),
		"%s not of the newest revision %s: with updateStrategy OnDelete, a pod is only replaced once it has been deleted", areThey(old), status.Rollout.Revision)}
}

// budgetFindings report PodDisruptionBudgets that let no pod be evicted whatever they say: the API refuses where there are two, and where the
// controller can't tell how many pods there should be.
func budgetFindings(x *index, set subject, now time.Time) []v1alpha1.Finding {
	list := budgets(x, set)
	var found []v1alpha1.Finding
	if names := overlapping(list, set.labels); len(names) > 1 {
		found = append(found, finding.New(v1alpha1.CodeBudgetUnusable, v1alpha1.SeverityWarning, append(prefixed("poddisruptionbudget/", names), set.ref), "",
			"%d PodDisruptionBudgets select the same pods (%s): the API refuses every eviction of them, and drains do not end", len(names), finding.Some(names)))
	}
	for _, budget := range list {
		unmanaged := x.Events.Warning(kindBudget, &budget.ObjectMeta, reasonUnmanaged)
		if unmanaged != nil && now.Sub(objects.EventTime(unmanaged).Time) < recent && x.selectsUnmanaged(budget) {
			found = append(found, finding.New(v1alpha1.CodeBudgetUnusable, v1alpha1.SeverityWarning, []string{"poddisruptionbudget/" + budget.Name, set.ref},
				"kubectl describe pdb "+budget.Name+" -n "+budget.Namespace, "the PodDisruptionBudget %s selects pods that nothing controls: how many may be evicted can't be computed", budget.Name))
			continue
		}
		for i := range budget.Status.Conditions {
			c := &budget.Status.Conditions[i]
			if c.Type == policyv1.DisruptionAllowedCondition && c.Status == metav1.ConditionFalse && c.Reason == policyv1.SyncFailedReason {
				found = append(found, finding.New(v1alpha1.CodeBudgetUnusable, v1alpha1.SeverityWarning, []string{"poddisruptionbudget/" + budget.Name, set.ref},
					"kubectl describe pdb "+budget.Name+" -n "+budget.Namespace, "the PodDisruptionBudget %s can't be evaluated, and so lets no pod be evicted: %s", budget.Name, objects.OneLine(c.Message)))
			}
		}
	}
	return found
}

// overlapping are the names of the budgets that select the same pod: those of the pod that most select.
func overlapping(list []*policyv1.PodDisruptionBudget, pods []map[string]string) []string {
	var most []string
	for _, labels := range pods {
		var names []string
		for _, budget := range list {
			if objects.Matches(budget.Spec.Selector, labels) {
				names = append(names, budget.Name)
			}
		}
		if len(names) > len(most) {
			most = names
		}
	}
	return most
}

// blockingFindings report a budget that lets no pod be evicted even if all are ready: nodes can't be drained. Those that an operator makes for
// its primary are meant so: it moves the primary first.
func blockingFindings(x *index, set subject, status *v1alpha1.SetStatus) []v1alpha1.Finding {
	var found []v1alpha1.Finding
	for _, budget := range budgets(x, set) {
		owned := metav1.GetControllerOfNoCopy(budget) != nil
		n := int(budget.Status.ExpectedPods)
		if n == 0 {
			n = int(status.Replicas.Desired)
		}
		allowed, rule := objects.Evictions(&budget.Spec, n)
		if n == 0 || allowed > 0 || owned {
			continue
		}
		found = append(found, finding.New(v1alpha1.CodeBudgetBlocks, v1alpha1.SeverityWarning, []string{"poddisruptionbudget/" + budget.Name, set.ref},
			"kubectl describe pdb "+budget.Name+" -n "+budget.Namespace, "the PodDisruptionBudget %s (%s, %d pods) never lets a pod be evicted: drains of their nodes do not end", budget.Name, rule, n))
	}
	return found
}

// selectsUnmanaged reports whether a budget still selects a pod without a controller, of those that were read.
func (x *index) selectsUnmanaged(budget *policyv1.PodDisruptionBudget) bool {
	return slices.ContainsFunc(x.othersByNS[budget.Namespace], func(pod *corev1.Pod) bool {
		return metav1.GetControllerOfNoCopy(pod) == nil && objects.Matches(budget.Spec.Selector, pod.Labels)
	})
}

// sortedNames are names, sorted, each once.
func sortedNames(names []string) []string {
	slices.SortFunc(names, objects.CompareNames)
	return slices.Compact(names)
}

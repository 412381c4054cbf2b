package stsstatus

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// addRoles adds what role labels say of database clusters, without asking a server: those of one cluster count together, whatever number of sets
// it is in. It is told of the first of them.
func addRoles(x *index, report *v1alpha1.SetStatusList) {
	of := map[string][]*v1alpha1.SetStatus{}
	var keys []string
	for i := range report.Items {
		item := &report.Items[i]
		key := item.Metadata.Namespace + "/" + item.DatabaseCluster
		if item.DatabaseCluster == "" {
			key = item.Metadata.Namespace + "/" + item.Controller.Kind + "/" + item.Metadata.Name
		}
		if of[key] == nil {
			keys = append(keys, key)
		}
		of[key] = append(of[key], item)
	}
	for _, key := range keys {
		items := of[key]
		found := finding.In(items[0].Metadata.Namespace, roleFindings(x, items))
		if len(found) == 0 {
			continue
		}
		items[0].Findings = append(items[0].Findings, found...)
		finding.Sort(items[0].Findings)
		judge(x, items[0])
	}
}

// roleFindings are about the sets of one cluster.
func roleFindings(x *index, items []*v1alpha1.SetStatus) []v1alpha1.Finding {
	var pods []*corev1.Pod
	going, settling := true, false
	for _, item := range items {
		for _, pod := range x.podsOf(item) {
			if !objects.PodFinished(pod) && !objects.Terminating(pod) {
				pods = append(pods, pod)
			}
		}
		going = going && slices.ContainsFunc(item.Findings, func(f v1alpha1.Finding) bool {
			return f.Code == v1alpha1.CodeNamespaceGoing || f.Code == v1alpha1.CodeSetTerminating
		})
		settling = settling || slices.ContainsFunc(item.Findings, func(f v1alpha1.Finding) bool { return f.Progressing })
	}
	if going {
		return nil
	}
	var primaries, all []string
	label := ""
	for _, pod := range pods {
		role, by := sets.RoleOf(pod.Labels)
		if !sets.IsWatchedRole(by) {
			continue
		}
		label = by
		all = append(all, pod.Name)
		if role == v1alpha1.LabelledPrimary {
			primaries = append(primaries, pod.Name)
		}
	}
	var list []v1alpha1.Finding
	add := func(f v1alpha1.Finding) {
		if settling && f.Severity != v1alpha1.SeverityCritical { // labels follow what is on its way
			f = finding.Progress(f)
		}
		list = append(list, f)
	}
	slices.SortFunc(all, objects.CompareNames)
	slices.SortFunc(primaries, objects.CompareNames)
	switch {
	case len(all) == 0:
	case len(primaries) == 0:
		add(finding.New(v1alpha1.CodeLabelledRoles, v1alpha1.SeverityError, prefixed("pod/", all), "", "no pod is labelled primary (%s): %s", label, finding.Some(all)))
	case len(primaries) > 1 && !sets.IsSharded(pods):
		add(finding.New(v1alpha1.CodeLabelledRoles, v1alpha1.SeverityError, prefixed("pod/", primaries), "", "%d pods are labelled primary (%s): %s", len(primaries), label, finding.Some(primaries)))
	}
	return append(list, roleServices(x, pods, settling)...)
}

// podsOf are the pods of an item.
func (x *index) podsOf(item *v1alpha1.SetStatus) []*corev1.Pod {
	return x.podsBySet[types.UID(item.Metadata.UID)]
}

// roleServices report Services that select by role, and of the pods that they are for none.
func roleServices(x *index, pods []*corev1.Pod, settling bool) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range x.Services {
		service := &x.Services[i]
		key := sets.RoleIn(service.Spec.Selector)
		if key == "" || len(pods) == 0 || service.Namespace != pods[0].Namespace {
			continue
		}
		others := map[string]string{}
		for k, v := range service.Spec.Selector {
			if k != key {
				others[k] = v
			}
		}
		meant, selected := 0, 0
		for _, pod := range pods {
			if len(others) > 0 && objects.HasLabels(pod.Labels, others) {
				meant++
				if objects.Selects(service, pod.Labels) {
					selected++
				}
			}
		}
		value := service.Spec.Selector[key]
		role, _ := sets.RoleOf(map[string]string{key: value})
		switch {
		case meant == 0 || selected > 0:
			continue
		case role == v1alpha1.LabelledReplica && meant < 2: // there is none to read from beside the primary
			continue
		}
		f := finding.New(v1alpha1.CodeRoleService, v1alpha1.SeverityError, []string{"service/" + service.Name}, "kubectl get pods -n "+service.Namespace+" -l "+selectorWithout(others)+" -L "+key,
			"the Service %s selects %s=%s, which none of %d pods has: it leads nowhere", service.Name, key, value, meant)
		if settling {
			f = finding.Progress(f)
		}
		list = append(list, f)
	}
	return list
}

// selectorWithout is a selector of labels as kubectl takes it.
func selectorWithout(labels map[string]string) string {
	var parts []string
	for k, v := range labels {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

package stsstatus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// Analyze turns a snapshot into the report: sets by namespace and name, their ordinals ascending, findings the worst first.
func Analyze(s *Snapshot, now time.Time) *v1alpha1.SetStatusList {
	report := &v1alpha1.SetStatusList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindSetStatusList},
		Items:    make([]v1alpha1.SetStatus, 0, len(s.StatefulSets)),
	}
	x := newIndex(s)
	for i := range s.StatefulSets {
		report.Items = append(report.Items, analyzeSet(x, &s.StatefulSets[i], now))
	}
	for i := range s.Sets {
		report.Items = append(report.Items, analyzeOther(x, &s.Sets[i], now))
	}
	addRoles(x, report)
	slices.SortFunc(report.Items, func(a, b v1alpha1.SetStatus) int {
		return cmp.Or(cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), cmp.Compare(a.Metadata.Name, b.Metadata.Name), cmp.Compare(a.Controller.Kind, b.Controller.Kind))
	})
	conclude(report)
	report.Problems = problems(s, report)
	return report
}

// Findings are those of all sets.
func Findings(report *v1alpha1.SetStatusList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// problems are why something is unknown, each cause once: what could not be read at all, the nodes, then claims by claim.
func problems(s *Snapshot, report *v1alpha1.SetStatusList) []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		list = append(list, s.Problems[key])
	}
	var unknown []claims.Unknown
	for i := range report.Items {
		set := &report.Items[i]
		for _, o := range set.Ordinals {
			for j := range o.Claims {
				unknown = append(unknown, claims.Unknown{Claim: set.Metadata.Namespace + "/" + o.Claims[j].Name, Status: &o.Claims[j]})
			}
		}
	}
	return s.UsageProblems(list, unknown)
}

// index finds objects by what refers to them.
type index struct {
	*Snapshot
	claims       *claims.Index
	podsBySet    map[types.UID][]*corev1.Pod
	othersByName map[types.NamespacedName]*corev1.Pod
	othersByNS   map[string][]*corev1.Pod
	services     map[types.NamespacedName]*corev1.Service
	setsByNS     map[string][]*appsv1.StatefulSet
	nodes        map[string]*corev1.Node
	namespaces   map[string]*corev1.Namespace
}

func newIndex(s *Snapshot) *index {
	x := &index{
		Snapshot:     s,
		podsBySet:    map[types.UID][]*corev1.Pod{},
		othersByName: make(map[types.NamespacedName]*corev1.Pod, len(s.Others)),
		othersByNS:   map[string][]*corev1.Pod{},
		claims: claims.NewIndex(claims.Facts{
			Claims: s.Claims, Pods: slices.Concat(s.Pods, s.Others), Volumes: s.Volumes, Classes: s.StorageClasses, Events: s.Events, Usage: &s.Measured,
			Read: s.Read, Problems: s.Problems,
		}),
		services:   make(map[types.NamespacedName]*corev1.Service, len(s.Services)),
		setsByNS:   setsByNamespace(s.StatefulSets),
		nodes:      make(map[string]*corev1.Node, len(s.Nodes)),
		namespaces: make(map[string]*corev1.Namespace, len(s.Namespaces)),
	}
	for i := range s.Namespaces {
		x.namespaces[s.Namespaces[i].Name] = &s.Namespaces[i]
	}
	for i := range s.Nodes {
		x.nodes[s.Nodes[i].Name] = &s.Nodes[i]
	}
	for _, pod := range s.Pods {
		if owner := objects.StatefulSetOf(pod); owner != nil {
			x.podsBySet[owner.UID] = append(x.podsBySet[owner.UID], pod)
		} else if uid := sets.UIDOf(pod); uid != "" {
			x.podsBySet[uid] = append(x.podsBySet[uid], pod)
		}
	}
	for _, pod := range s.Others {
		x.othersByName[types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}] = pod
		x.othersByNS[pod.Namespace] = append(x.othersByNS[pod.Namespace], pod)
	}
	for i := range s.Services {
		service := &s.Services[i]
		x.services[types.NamespacedName{Namespace: service.Namespace, Name: service.Name}] = service
	}
	return x
}

// unread reports whether objects of a kind could not be read, so that their absence means nothing.
func (x *index) unread(subject string) bool {
	_, failed := x.Problems[subject]
	return failed
}

// read reports whether objects of a kind were read, so that what is not there does not exist.
func (x *index) read(subject string) bool { return slices.Contains(x.Read, subject) }

func analyzeSet(x *index, set *appsv1.StatefulSet, now time.Time) v1alpha1.SetStatus {
	status := v1alpha1.SetStatus{
		TypeMeta:        metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindSetStatus},
		Metadata:        v1alpha1.ObjectMeta{Namespace: set.Namespace, Name: set.Name, UID: string(set.UID), CreationTimestamp: set.CreationTimestamp},
		Controller:      v1alpha1.SetController{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: objects.KindStatefulSet, Title: objects.KindStatefulSet},
		DatabaseCluster: cmp.Or(sets.ClusterOf(set.Labels), sets.ClusterOf(set.Spec.Template.Labels)),
		Replicas: v1alpha1.ReplicaCounts{
			Desired: objects.DesiredReplicas(set), Existing: set.Status.Replicas, Ready: set.Status.ReadyReplicas, Available: set.Status.AvailableReplicas,
		},
		Rollout:              rollout(set),
		PodManagementPolicy:  cmp.Or(v1alpha1.PodManagementPolicy(set.Spec.PodManagementPolicy), v1alpha1.PodsOrderedReady),
		ClaimRetentionPolicy: v1alpha1.ClaimRetentionPolicy{WhenDeleted: v1alpha1.ClaimsRetained, WhenScaled: v1alpha1.ClaimsRetained},
		Service:              governingService(x, set),
		Ordinals:             ordinals(x, set, now),
	}
	if p := set.Spec.PersistentVolumeClaimRetentionPolicy; p != nil {
		status.ClaimRetentionPolicy.WhenDeleted = cmp.Or(v1alpha1.ClaimRetention(p.WhenDeleted), v1alpha1.ClaimsRetained)
		status.ClaimRetentionPolicy.WhenScaled = cmp.Or(v1alpha1.ClaimRetention(p.WhenScaled), v1alpha1.ClaimsRetained)
	}
	for _, budget := range budgets(x, subjectOf(set)) {
		status.DisruptionBudgets = append(status.DisruptionBudgets, budget.Name)
	}
	backed := x.backupsOf("", "", &set.ObjectMeta)
	status.Backups = backed.status()
	status.Findings = finding.In(set.Namespace, append(findings(x, set, &status, now), backed.findings("statefulset/"+set.Name, now)...))
	finding.Sort(status.Findings)
	judge(x, &status)
	return status
}

func rollout(set *appsv1.StatefulSet) v1alpha1.Rollout {
	r := v1alpha1.Rollout{
		Strategy: cmp.Or(v1alpha1.UpdateStrategy(set.Spec.UpdateStrategy.Type), v1alpha1.UpdateRolling),
		Revision: revisionHash(set.Status.UpdateRevision), Updated: set.Status.UpdatedReplicas,
	}
	toUpdate := objects.DesiredReplicas(set)
	if u := set.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil {
		r.Partition = *u.Partition
		start, _ := objects.OrdinalRange(set)
		toUpdate = max(0, min(toUpdate, start+toUpdate-r.Partition))
	}
	r.Complete = set.Status.ObservedGeneration >= set.Generation && r.Updated >= toUpdate
	return r
}

func governingService(x *index, set *appsv1.StatefulSet) v1alpha1.GoverningService {
	g := v1alpha1.GoverningService{Name: set.Spec.ServiceName}
	service := x.services[types.NamespacedName{Namespace: set.Namespace, Name: g.Name}]
	switch {
	case g.Name == "":
		g.State = v1alpha1.ServiceUnnamed
	case service == nil && x.unread(subjectServices):
		g.State = v1alpha1.ServiceUnknown
	case service == nil:
		g.State = v1alpha1.ServiceMissing
	default:
		for _, pod := range x.podsBySet[set.UID] {
			if objects.Selects(service, pod.Labels) {
				g.Selects++
			}
		}
		for _, pod := range x.othersByNS[set.Namespace] {
			if objects.Selects(service, pod.Labels) && !objects.PodFinished(pod) {
				g.Others++
			}
		}
		switch {
		case !objects.Headless(service):
			g.State = v1alpha1.ServiceNotHeadless
		case !objects.Selects(service, set.Spec.Template.Labels):
			g.State = v1alpha1.ServiceNotSelecting
		default:
			g.State = v1alpha1.ServiceSound
		}
	}
	return g
}

// noPodReason is that of a missing ordinal without a known reason.
const noPodReason = "no pod"

// ordinals lists those that the set should have, those that have a pod all the same, and those whose claims were kept.
func ordinals(x *index, set *appsv1.StatefulSet, now time.Time) []v1alpha1.Ordinal {
	start, end := objects.OrdinalRange(set)
	pods := map[int32]*corev1.Pod{}
	all := map[int32]bool{}
	for n := start; n < end; n++ {
		all[n] = true
	}
	for _, pod := range x.podsBySet[set.UID] {
		if n, ok := objects.OrdinalOf(pod.Name, set.Name); ok {
			pods[n] = pod
			all[n] = true
		}
	}
	templated := templatedClaims(x, set)
	for n := range templated {
		all[n] = true
	}
	list := make([]v1alpha1.Ordinal, 0, len(all))
	// The lowest ordinal's pod for which the controller waits before it makes another, and how long it has to be ready if it is.
	waitsFor, waitsUntil := "", ""
	for _, n := range slices.Sorted(maps.Keys(all)) {
		o := v1alpha1.Ordinal{Ordinal: n, PodName: objects.PodName(set, n)}
		wanted, pod := n >= start && n < end, pods[n]
		switch {
		case pod != nil && wanted:
			o.State = v1alpha1.OrdinalPresent
		case pod != nil:
			o.State = v1alpha1.OrdinalSurplus
			o.Reason = "the set has been scaled down; this pod is to be deleted"
		case x.unread(subjectPods):
			o.State = v1alpha1.OrdinalUnknown
			o.Reason = "pods could not be read"
		case !wanted:
			o.State = v1alpha1.OrdinalRetained
			o.Reason = "the set no longer has this ordinal; its claims were kept"
		case waitsFor != "":
			o.State = v1alpha1.OrdinalBlocked
			o.WaitsFor, o.Reason = waitsFor, "waits for "+waitsFor
			if waitsUntil != "" {
				o.Reason = fmt.Sprintf("waits until %s has been ready for %s (minReadySeconds)", waitsFor, waitsUntil)
			}
		default:
			o.State = v1alpha1.OrdinalMissing
			o.Reason = cmp.Or(x.takenBy(set, o.PodName), x.refusal(&set.ObjectMeta, o.PodName), noPodReason)
		}
		if pod != nil {
			o.Pod = podStatus(pod)
			place(x, o.Pod, pod)
			o.Pod.DNSName = dnsName(x, set, pod)
		}
		if ordered := set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement; ordered && wanted && waitsFor == "" && (pod == nil || !o.Pod.Ready || objects.Terminating(pod)) {
			waitsFor = o.PodName
		} else if ordered && wanted && waitsFor == "" && now.Before(objects.AvailableAt(set, pod)) {
			waitsFor, waitsUntil = o.PodName, duration.HumanDuration(time.Duration(set.Spec.MinReadySeconds)*time.Second)
		}
		o.Claims = claimsOf(x, set, &o, pod, templated[n], now)
		list = append(list, o)
	}
	return list
}

// templatedClaims finds the claims that carry the names which the set's templates give, by ordinal.
func templatedClaims(x *index, set *appsv1.StatefulSet) map[int32]map[string]*corev1.PersistentVolumeClaim {
	found := map[int32]map[string]*corev1.PersistentVolumeClaim{}
	for _, claim := range x.claims.ByNamespace[set.Namespace] {
		template, n, ok := objects.ClaimOf(set, claim.Name)
		if !ok {
			continue
		}
		if found[n] == nil {
			found[n] = map[string]*corev1.PersistentVolumeClaim{}
		}
		found[n][template] = claim
	}
	return found
}

// dnsName is the name that the governing Service gives a pod, without the cluster's domain: pod.service.namespace.svc.
func dnsName(x *index, set *appsv1.StatefulSet, pod *corev1.Pod) string {
	service := x.services[types.NamespacedName{Namespace: set.Namespace, Name: set.Spec.ServiceName}]
	if service == nil || !objects.Headless(service) || !objects.GivesName(service.Name, pod) {
		return ""
	}
	return pod.Spec.Hostname + "." + service.Name + "." + set.Namespace + ".svc"
}

// claimsOf are an ordinal's claims: of each template, then what else its pod mounts.
func claimsOf(x *index, set *appsv1.StatefulSet, o *v1alpha1.Ordinal, pod *corev1.Pod, templated map[string]*corev1.PersistentVolumeClaim, now time.Time) []v1alpha1.ClaimStatus {
	var list []v1alpha1.ClaimStatus
	names := map[string]bool{}
	for i := range set.Spec.VolumeClaimTemplates {
		template := set.Spec.VolumeClaimTemplates[i].Name
		name := objects.ClaimName(template, o.PodName)
		claim := templated[template]
		if claim == nil && o.State == v1alpha1.OrdinalRetained {
			continue // one of several templates' claims may be gone: there is nothing kept to show
		}
		names[name] = true
		c := x.claims.Status(set.Namespace, name, pod, now)
		c.Template = template
		list = append(list, c)
	}
	if pod == nil {
		return list
	}
	for _, claim := range objects.ClaimsOf(pod) {
		if !names[claim.Name] {
			names[claim.Name] = true
			list = append(list, x.claims.Status(set.Namespace, claim.Name, pod, now))
		}
	}
	return list
}

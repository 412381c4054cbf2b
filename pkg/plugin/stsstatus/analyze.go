package stsstatus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Analyze turns a snapshot into the report: sets by namespace and name, their ordinals ascending, findings the worst first.
func Analyze(s *Snapshot, now time.Time) *v1alpha1.StatefulSetStatusList {
	report := &v1alpha1.StatefulSetStatusList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindStatefulSetStatusList},
		Items:    make([]v1alpha1.StatefulSetStatus, 0, len(s.StatefulSets)),
	}
	x := newIndex(s)
	for i := range s.StatefulSets {
		report.Items = append(report.Items, analyzeSet(x, &s.StatefulSets[i], now))
	}
	slices.SortFunc(report.Items, func(a, b v1alpha1.StatefulSetStatus) int {
		return cmp.Or(cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), cmp.Compare(a.Metadata.Name, b.Metadata.Name))
	})
	conclude(report)
	report.Problems = problems(s, report)
	return report
}

// Findings are those of all sets.
func Findings(report *v1alpha1.StatefulSetStatusList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// problems are why something is unknown, each cause once: what could not be read at all, the nodes, then claims by claim.
func problems(s *Snapshot, report *v1alpha1.StatefulSetStatusList) []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		list = append(list, s.Problems[key])
	}
	for _, node := range slices.Sorted(maps.Keys(s.UsageFailed)) {
		if p := s.UsageFailed[node]; !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	type cause struct {
		reason  string
		passing bool
	}
	byCause := map[cause][]string{}
	for claim, reason := range s.DFFailed {
		byCause[cause{reason: reason}] = append(byCause[cause{reason: reason}], claim)
	}
	for i := range report.Items {
		set := &report.Items[i]
		for _, o := range set.Ordinals {
			for _, c := range o.Claims {
				if c.UsageUnknown == notReported || c.UsageUnknown == notMeasured {
					why := cause{c.UsageUnknown, c.UsageGap == v1alpha1.GapPending}
					byCause[why] = append(byCause[why], set.Metadata.Namespace+"/"+c.Name)
				}
			}
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(byCause), func(a, b cause) int { return cmp.Compare(a.reason, b.reason) }) {
		slices.Sort(byCause[why])
		list = append(list, v1alpha1.Problem{
			Subject: "disk usage of " + finding.Some(slices.Compact(byCause[why])), Reason: v1alpha1.ReasonUnavailable, Message: why.reason, Passing: why.passing,
		})
	}
	return list
}

// index finds objects by what refers to them.
type index struct {
	*Snapshot
	podsBySet    map[types.UID][]*corev1.Pod
	claimsByName map[types.NamespacedName]*corev1.PersistentVolumeClaim
	claimsByNS   map[string][]*corev1.PersistentVolumeClaim
	services     map[types.NamespacedName]*corev1.Service
	setsByNS     map[string][]*appsv1.StatefulSet
	volumes      map[string]*corev1.PersistentVolume
	nodes        map[string]*corev1.Node
	classes      map[string]*storagev1.StorageClass
}

func newIndex(s *Snapshot) *index {
	x := &index{
		Snapshot:     s,
		podsBySet:    map[types.UID][]*corev1.Pod{},
		claimsByName: make(map[types.NamespacedName]*corev1.PersistentVolumeClaim, len(s.Claims)),
		claimsByNS:   map[string][]*corev1.PersistentVolumeClaim{},
		services:     make(map[types.NamespacedName]*corev1.Service, len(s.Services)),
		setsByNS:     setsByNamespace(s.StatefulSets),
		volumes:      make(map[string]*corev1.PersistentVolume, len(s.Volumes)),
		nodes:        make(map[string]*corev1.Node, len(s.Nodes)),
		classes:      make(map[string]*storagev1.StorageClass, len(s.StorageClasses)),
	}
	for i := range s.Volumes {
		x.volumes[s.Volumes[i].Name] = &s.Volumes[i]
	}
	for i := range s.Nodes {
		x.nodes[s.Nodes[i].Name] = &s.Nodes[i]
	}
	for i := range s.StorageClasses {
		x.classes[s.StorageClasses[i].Name] = &s.StorageClasses[i]
	}
	for _, pod := range s.Pods {
		if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
			x.podsBySet[owner.UID] = append(x.podsBySet[owner.UID], pod)
		}
	}
	for _, claim := range s.Claims {
		x.claimsByName[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = claim
		x.claimsByNS[claim.Namespace] = append(x.claimsByNS[claim.Namespace], claim)
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

func analyzeSet(x *index, set *appsv1.StatefulSet, now time.Time) v1alpha1.StatefulSetStatus {
	status := v1alpha1.StatefulSetStatus{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindStatefulSetStatus},
		Metadata: v1alpha1.ObjectMeta{Namespace: set.Namespace, Name: set.Name, UID: string(set.UID), CreationTimestamp: set.CreationTimestamp},
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
	for _, budget := range budgets(x, set) {
		status.DisruptionBudgets = append(status.DisruptionBudgets, budget.Name)
	}
	status.Findings = finding.In(set.Namespace, findings(x, set, &status, now))
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

// noPodReason is that of a missing ordinal of which nobody says why.
const noPodReason = "there is no pod"

// ordinals lists those that the set is to have, those that have a pod all the same, and those whose claims were kept.
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
			o.Reason = "the set has been scaled down; this pod is to go"
		case x.unread(subjectPods):
			o.State = v1alpha1.OrdinalUnknown
			o.Reason = "pods could not be read"
		case !wanted:
			o.State = v1alpha1.OrdinalRetained
			o.Reason = "the set has no such ordinal now; its claims were kept"
		case waitsFor != "":
			o.State = v1alpha1.OrdinalBlocked
			o.WaitsFor, o.Reason = waitsFor, "waits for "+waitsFor
			if waitsUntil != "" {
				o.Reason = fmt.Sprintf("waits until %s has been ready for %s (minReadySeconds)", waitsFor, waitsUntil)
			}
		default:
			o.State = v1alpha1.OrdinalMissing
			o.Reason = cmp.Or(x.refusal(&set.ObjectMeta, o.PodName), noPodReason)
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
		o.Claims = claims(x, set, &o, pod, templated[n], now)
		list = append(list, o)
	}
	return list
}

// templatedClaims finds the claims that carry the names which the set's templates give, by ordinal.
func templatedClaims(x *index, set *appsv1.StatefulSet) map[int32]map[string]*corev1.PersistentVolumeClaim {
	found := map[int32]map[string]*corev1.PersistentVolumeClaim{}
	for _, claim := range x.claimsByNS[set.Namespace] {
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

// claims are an ordinal's claims: of each template, then what else its pod mounts.
func claims(x *index, set *appsv1.StatefulSet, o *v1alpha1.Ordinal, pod *corev1.Pod, templated map[string]*corev1.PersistentVolumeClaim, now time.Time) []v1alpha1.ClaimStatus {
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
		c := claimStatus(x, set.Namespace, name, pod, now)
		c.Template = template
		list = append(list, c)
	}
	if pod == nil {
		return list
	}
	for _, claim := range objects.ClaimsOf(pod) {
		if !names[claim.Name] {
			names[claim.Name] = true
			list = append(list, claimStatus(x, set.Namespace, claim.Name, pod, now))
		}
	}
	return list
}

// firstPodDelay is how long after a claim its first pod is made at most: the controller makes one right after the other.
const firstPodDelay = 5 * time.Second

func claimStatus(x *index, namespace, name string, pod *corev1.Pod, now time.Time) v1alpha1.ClaimStatus {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	c := v1alpha1.ClaimStatus{Name: name, Phase: v1alpha1.ClaimMissing}
	if x.unread(subjectClaims) {
		c.Phase = v1alpha1.ClaimUnknown
	}
	if claim := x.claimsByName[key]; claim != nil {
		c.UID, c.CreationTimestamp, c.Volume = string(claim.UID), claim.CreationTimestamp, claim.Spec.VolumeName
		c.Phase = v1alpha1.ClaimPhase(claim.Status.Phase)
		if objects.Terminating(claim) {
			c.Phase = v1alpha1.ClaimTerminating
		}
		if q, ok := claim.Spec.Resources.Requests[corev1.ResourceStorage]; ok {
			c.Requested = &q
		}
		if q, ok := claim.Status.Capacity[corev1.ResourceStorage]; ok {
			c.Capacity = &q
		}
		if claim.Spec.StorageClassName != nil {
			c.StorageClass = *claim.Spec.StorageClassName
		}
		if claim.Spec.VolumeMode != nil {
			c.VolumeMode = v1alpha1.VolumeMode(*claim.Spec.VolumeMode)
		}
		for _, mode := range claim.Spec.AccessModes {
			c.AccessModes = append(c.AccessModes, v1alpha1.ClaimAccessMode(mode))
		}
		c.Details = volumeDetails(x.volumes[c.Volume])
		c.Resize = resize(claim)
		if pod != nil && !claim.CreationTimestamp.IsZero() {
			older := pod.CreationTimestamp.Sub(claim.CreationTimestamp.Time) > firstPodDelay
			c.Reattached = &older
		}
	}
	if x.unread(subjectPods) && x.UsageAsked {
		c.UsageUnknown, c.UsageGap = podsUnread, v1alpha1.GapUnread
	}
	if pod != nil && mounts(pod) && c.VolumeMode != v1alpha1.VolumeBlock {
		c.Usage, c.UsageUnknown, c.UsageGap = usage(x, key, pod, now)
	}
	return c
}

// notReported is why usage is unknown that a kubelet answered without.
const notReported = "the kubelet reports nothing for it (yet)"

// reportDelay is how long after a pod has been given to a kubelet its volumes have been measured at the latest: the kubelet does it
// every minute (volumeStatsAggPeriod), and pods' first containers may take another to start.
const reportDelay = 3 * time.Minute

// usage returns the usage of a mounted claim, or why it isn't known and what that means; none of it if nobody asked.
func usage(x *index, claim types.NamespacedName, pod *corev1.Pod, now time.Time) (*v1alpha1.VolumeUsage, string, v1alpha1.GapKind) {
	if !x.UsageAsked {
		return nil, "", ""
	}
	if u, ok := x.Usage[claim.String()]; ok {
		return &u, "", ""
	}
	var reasons []string
	problem, failed := x.UsageFailed[pod.Spec.NodeName]
	if failed {
		reasons = append(reasons, problem.Message)
	}
	df, tried := x.DFFailed[claim.String()]
	if tried {
		reasons = append(reasons, df)
	}
	young := pod.Status.StartTime == nil || now.Sub(pod.Status.StartTime.Time) < reportDelay || !started(pod)
	switch {
	case x.UsagePending:
		return nil, notReadYet, v1alpha1.GapPending
	case failed || tried && df != notMounted:
		return nil, strings.Join(reasons, "; "), v1alpha1.GapUnread
	case tried && young:
		return nil, df, v1alpha1.GapPending
	case tried:
		return nil, df, v1alpha1.GapNotCovered
	case young:
		return nil, notReported, v1alpha1.GapPending
	}
	return nil, notMeasured, v1alpha1.GapNotCovered
}

// started reports whether a container of a pod has started.
func started(pod *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(c corev1.ContainerStatus) bool {
		return c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil
	})
}

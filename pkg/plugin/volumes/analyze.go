package volumes

import (
	"cmp"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Selection is which of the claims are shown.
type Selection struct {
	// Unused leaves those that nothing mounts, and volumes that are left of deleted claims.
	Unused bool
	// MinUse leaves those whose volume, or whose inodes, are used by at least this percentage; 0 leaves all.
	MinUse int32
}

// selects reports whether an item is shown.
func (s Selection) selects(v *v1alpha1.VolumeStatus) bool {
	left := v.Claim.Phase == v1alpha1.ClaimReleased || v.Claim.Phase == v1alpha1.ClaimFailed
	if s.Unused && v.Unused == nil && !left {
		return false
	}
	atLeast := func(p *int32) bool { return p != nil && *p >= s.MinUse }
	u := v.Claim.Usage
	return s.MinUse == 0 || u != nil && (atLeast(u.UsedPercent) || atLeast(u.InodesUsedPercent))
}

// Analyze turns a snapshot into the report: claims by namespace and name, volumes that are left after the claim of their name, findings the
// worst first.
func Analyze(s *Snapshot, selection Selection, now time.Time) *v1alpha1.VolumeStatusList {
	report := &v1alpha1.VolumeStatusList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindVolumeStatusList}, Items: []v1alpha1.VolumeStatus{},
	}
	x := newIndex(s)
	for _, key := range x.keys() {
		item, found := x.claim(key, now)
		report.Items = append(report.Items, item)
		report.Findings = append(report.Findings, found...)
	}
	for i := range s.Volumes {
		if item, found, left := x.left(&s.Volumes[i], now); left {
			report.Items = append(report.Items, item)
			report.Findings = append(report.Findings, found...)
		}
	}
	slices.SortStableFunc(report.Items, func(a, b v1alpha1.VolumeStatus) int {
		return cmp.Or(cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), objects.CompareNames(a.Metadata.Name, b.Metadata.Name))
	})
	report.Disks = claims.Disks(placed(report.Items))
	report.Findings = append(report.Findings, claims.DiskFindings(report.Disks, now)...)
	narrow(report, selection)
	finding.Sort(report.Findings)
	conclude(x, report)
	report.Problems = problems(s, report)
	return report
}

// narrow leaves in a report what is selected, with the findings about it.
func narrow(report *v1alpha1.VolumeStatusList, selection Selection) {
	if selection == (Selection{}) {
		return
	}
	shown := map[v1alpha1.ObjectReference]bool{}
	report.Items = slices.DeleteFunc(report.Items, func(v v1alpha1.VolumeStatus) bool {
		if !selection.selects(&v) {
			return true
		}
		shown[v1alpha1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: v.Metadata.Namespace, Name: v.Metadata.Name}] = true
		return false
	})
	concerns := func(refs []v1alpha1.ObjectReference) bool {
		return slices.ContainsFunc(refs, func(ref v1alpha1.ObjectReference) bool { return shown[ref] })
	}
	report.Findings = slices.DeleteFunc(report.Findings, func(f v1alpha1.Finding) bool { return !concerns(f.Objects) })
	report.Disks = slices.DeleteFunc(report.Disks, func(d v1alpha1.NodeDisk) bool { return !concerns(d.Claims) })
}

// Findings are those of the report.
func Findings(report *v1alpha1.VolumeStatusList) []v1alpha1.Finding { return report.Findings }

// problems are why something is unknown, each cause once.
func problems(s *Snapshot, report *v1alpha1.VolumeStatusList) []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		list = append(list, s.Problems[key])
	}
	var unknown []claims.Unknown
	for i := range report.Items {
		v := &report.Items[i]
		unknown = append(unknown, claims.Unknown{Claim: v.Metadata.Namespace + "/" + v.Metadata.Name, Status: &v.Claim})
	}
	return s.UsageProblems(list, unknown)
}

// index finds what was read by what refers to it.
type index struct {
	*Snapshot
	claims *claims.Index
	owners *owners
	// ended are the pods that mounted a claim and have ended, the last one to end at the end.
	ended map[types.NamespacedName][]*corev1.Pod
}

func newIndex(s *Snapshot) *index {
	x := &index{
		Snapshot: s, owners: newOwners(s), ended: map[types.NamespacedName][]*corev1.Pod{},
		claims: claims.NewIndex(claims.Facts{
			Claims: s.Claims, Pods: s.Pods, Volumes: s.Volumes, Classes: s.StorageClasses, Events: s.Events, Usage: &s.Measured, Read: s.Read, Problems: s.Problems,
		}),
	}
	for _, pod := range s.Pods {
		if !objects.PodFinished(pod) {
			continue
		}
		for _, c := range objects.ClaimsOf(pod) {
			key := types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}
			x.ended[key] = append(x.ended[key], pod)
		}
	}
	for _, pods := range x.ended {
		slices.SortFunc(pods, func(a, b *corev1.Pod) int { return endOf(a).Compare(endOf(b)) })
	}
	return x
}

// keys are the claims: those that there are, and, if all are looked at, those that pods mount and that do not exist.
func (x *index) keys() []types.NamespacedName {
	list := make([]types.NamespacedName, 0, len(x.Claims))
	for key := range x.claims.ByName {
		list = append(list, key)
	}
	if len(x.Names) == 0 && !x.Selected {
		for key := range x.claims.Mounting {
			if x.claims.ByName[key] == nil && (!x.OfNoSet || x.owners.setOf(key.Namespace, key.Name) == nil) {
				list = append(list, key)
			}
		}
	}
	slices.SortFunc(list, func(a, b types.NamespacedName) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), objects.CompareNames(a.Name, b.Name))
	})
	return list
}

// claim is what there is of a claim, and what is wrong with it.
func (x *index) claim(key types.NamespacedName, now time.Time) (v1alpha1.VolumeStatus, []v1alpha1.Finding) {
	pods := slices.SortedFunc(slices.Values(x.claims.Mounting[key]), func(a, b *corev1.Pod) int { return objects.CompareNames(a.Name, b.Name) })
	pod := speaker(pods)
	item := v1alpha1.VolumeStatus{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindVolumeStatus},
		Metadata: v1alpha1.ObjectMeta{Namespace: key.Namespace, Name: key.Name},
		Claim:    x.claims.Status(key.Namespace, key.Name, pod, now),
	}
	item.Metadata.UID, item.Metadata.CreationTimestamp = item.Claim.UID, item.Claim.CreationTimestamp
	set := x.owners.setOf(key.Namespace, key.Name)
	codes := claims.OfNoSet()
	if set != nil {
		item.Set, codes = &set.ref, claims.OfSets()
	}
	for _, p := range pods {
		item.MountedBy = append(item.MountedBy, user(p, key.Name))
	}
	if len(pods) == 0 && x.podsRead() {
		item.Unused = x.unused(key)
	}
	found := x.claims.Findings(codes, key.Namespace, x.userOf(set, pod), &item.Claim, now)
	if set == nil {
		found = append(found, unusedFindings(&item, now)...)
	}
	return item, finding.In(key.Namespace, found)
}

// podsRead reports whether pods were read, so that a claim without one has none.
func (x *index) podsRead() bool {
	_, unread := x.Problems[claims.SubjectPods]
	return !unread
}

// speaker is the pod that is taken for those that mount a claim: one that has it mounted, if there is one.
func speaker(pods []*corev1.Pod) *corev1.Pod {
	if i := slices.IndexFunc(pods, claims.HasMounted); i >= 0 {
		return pods[i]
	}
	if len(pods) > 0 {
		return pods[0]
	}
	return nil
}

// user is a pod that mounts a claim.
func user(pod *corev1.Pod, claim string) v1alpha1.VolumeUser {
	u := v1alpha1.VolumeUser{Pod: pod.Name, Ready: objects.PodReady(pod), Node: pod.Spec.NodeName, Role: objects.RoleOf(pod), MountPaths: mountPaths(pod, claim)}
	if kind, name := objects.OwnerOf(pod); kind != "" {
		u.Owner = &v1alpha1.ObjectReference{Kind: kind, Namespace: pod.Namespace, Name: name}
		if kind == "Node" { // a static pod
			u.Owner.Namespace = ""
		}
	}
	return u
}

// mountPaths are where the containers of a pod find a claim's volume: its file system, or its device.
func mountPaths(pod *corev1.Pod, claim string) []string {
	volume := ""
	for _, c := range objects.ClaimsOf(pod) {
		if c.Name == claim {
			volume = c.Volume
		}
	}
	var paths []string
	add := func(name, path string) {
		if name == volume && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		for _, m := range c.VolumeMounts {
			add(m.Name, m.MountPath)
		}
		for _, d := range c.VolumeDevices {
			add(d.Name, d.DevicePath)
		}
	}
	return paths
}

// unused says since when nothing mounts a claim.
func (x *index) unused(key types.NamespacedName) *v1alpha1.VolumeUnused {
	claim := x.claims.ByName[key]
	if claim == nil {
		return nil
	}
	unused := &v1alpha1.VolumeUnused{Source: v1alpha1.UnusedUnknown}
	if pods := x.ended[key]; len(pods) > 0 {
		last := pods[len(pods)-1]
		unused.LastPod = last.Name
		if end := endOf(last); !end.IsZero() {
			since := metav1.NewTime(end)
			unused.Source, unused.Since = v1alpha1.UnusedByPod, &since
		}
	}
	for i := range claim.Status.Conditions {
		if c := &claim.Status.Conditions[i]; c.Type == corev1.PersistentVolumeClaimUnused && c.Status == corev1.ConditionTrue && !c.LastTransitionTime.IsZero() {
			unused.Source, unused.Since = v1alpha1.UnusedByCondition, &c.LastTransitionTime
		}
	}
	return unused
}

// endOf is when the last container of a pod that has ended did so; zero where that is not known.
func endOf(pod *corev1.Pod) time.Time {
	var end time.Time
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if t := c.State.Terminated; t != nil && t.FinishedAt.After(end) {
			end = t.FinishedAt.Time
		}
	}
	return end
}

// left is a volume that a claim has left, which is a row of its own unless its claim is still bound to it.
func (x *index) left(v *corev1.PersistentVolume, now time.Time) (item v1alpha1.VolumeStatus, found []v1alpha1.Finding, ok bool) {
	if !claims.IsLeft(v) {
		return item, nil, false
	}
	ref := v.Spec.ClaimRef
	key := types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	if claim := x.claims.ByName[key]; claim != nil && claim.Spec.VolumeName == v.Name {
		return item, nil, false
	}
	item = v1alpha1.VolumeStatus{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindVolumeStatus},
		Metadata: v1alpha1.ObjectMeta{Namespace: ref.Namespace, Name: ref.Name, UID: string(ref.UID), CreationTimestamp: v.CreationTimestamp},
		Claim: v1alpha1.ClaimStatus{
			Name: ref.Name, UID: string(ref.UID), Phase: v1alpha1.ClaimPhase(v.Status.Phase), Volume: v.Name, StorageClass: v.Spec.StorageClassName,
			Details: claims.Details(v), VolumeMode: v1alpha1.VolumeFilesystem, CreationTimestamp: v.CreationTimestamp,
		},
		Released: v.Status.LastPhaseTransitionTime,
	}
	c := &item.Claim
	if q, has := v.Spec.Capacity[corev1.ResourceStorage]; has {
		c.Capacity = &q
	}
	if v.Spec.VolumeMode != nil {
		c.VolumeMode = v1alpha1.VolumeMode(*v.Spec.VolumeMode)
	}
	for _, mode := range v.Spec.AccessModes {
		c.AccessModes = append(c.AccessModes, v1alpha1.ClaimAccessMode(mode))
	}
	code := v1alpha1.CodeFreeVolumeNotBound
	if set := x.owners.setOf(ref.Namespace, ref.Name); set != nil {
		item.Set, code = &set.ref, v1alpha1.CodeVolumeNotBound
	}
	return item, finding.In(ref.Namespace, x.leftFindings(code, v, key, now)), true
}

// placed are the claims that are mounted, each on the node of its first pod that has it mounted.
func placed(items []v1alpha1.VolumeStatus) []claims.Placed {
	var list []claims.Placed
	for i := range items {
		v := &items[i]
		if node := nodeOf(v); node != "" {
			list = append(list, claims.Placed{Namespace: v.Metadata.Namespace, Node: node, Claim: &v.Claim})
		}
	}
	return list
}

// nodeOf is the node of a claim's first pod that has one.
func nodeOf(v *v1alpha1.VolumeStatus) string {
	for _, u := range v.MountedBy {
		if u.Node != "" {
			return u.Node
		}
	}
	return ""
}

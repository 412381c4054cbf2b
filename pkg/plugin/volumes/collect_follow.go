package volumes

import (
	"context"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// Follower keeps a snapshot up to date with the API's own watches. At rest it asks for nothing but disk usage.
type Follower struct {
	cluster *kube.Cluster
	query   Query
	changed func()

	claims  *kube.Mirror[corev1.PersistentVolumeClaim]
	pods    *kube.Mirror[corev1.Pod]
	sets    *kube.Mirror[appsv1.StatefulSet]
	others  *sets.Follower
	volumes *kube.Mirror[corev1.PersistentVolume]
	classes *kube.Mirror[storagev1.StorageClass]
	events  *kube.Mirror[corev1.Event]

	usage *claims.UsageFollower
}

// Follow begins to watch the claims of a query and what is around them, until the context ends. Changed is called after each change, from
// another goroutine. Claims that are named must exist.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) (*Follower, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	f := &Follower{cluster: cluster, query: q, changed: changed, usage: claims.NewUsageFollower(ctx, cluster)}
	all, everywhere := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, kube.Query{ChunkSize: q.ChunkSize}
	selected := all
	selected.Selector = q.Selector
	if len(q.Names) > 0 {
		if err := verifyNames(ctx, cluster, q); err != nil {
			return nil, err
		}
	}
	f.claims = kube.FollowClaims(ctx, cluster, selected, kube.Whole(claims.ReduceClaim), changed)
	f.pods = kube.FollowPods(ctx, cluster, all, reducePod, changed)
	f.sets = kube.FollowStatefulSets(ctx, cluster, all, reduceSet, changed)
	f.others = sets.Follow(ctx, cluster, all, changed)
	f.volumes = kube.FollowVolumes(ctx, cluster, everywhere, kube.Whole(claims.ReduceVolume), changed)
	f.classes = kube.FollowStorageClasses(ctx, cluster, everywhere, kube.Whole[storagev1.StorageClass](nil), changed)
	f.events = kube.FollowEvents(ctx, cluster, all, reduceEvent, changed)
	return f, nil
}

// verifyNames is an error if a claim that is named does not exist.
func verifyNames(ctx context.Context, cluster *kube.Cluster, q Query) error {
	var all []string
	err := cluster.EachClaim(ctx, kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, func(claim *corev1.PersistentVolumeClaim) { all = append(all, claim.Name) })
	if err != nil {
		return kube.Explain(err)
	}
	for _, name := range q.Names {
		if !slices.Contains(all, name) {
			return kube.NotFound("PersistentVolumeClaim", q.Namespace, name, all)
		}
	}
	return nil
}

// Settled reports whether everything has been read once, or can't be.
func (f *Follower) Settled() bool {
	return f.claims.Settled() && f.pods.Settled() && f.sets.Settled() && f.others.Settled() && f.volumes.Settled() && f.classes.Settled() && f.events.Settled()
}

// Snapshot is the present state. It fails only if the claims can't be read.
func (f *Follower) Snapshot(ctx context.Context, now time.Time) (*Snapshot, error) {
	s := newSnapshot(f.query)
	if _, _, err := f.claims.Objects(); err != nil {
		return nil, kube.Explain(err)
	}
	where := " " + kube.Where(f.query.Namespace)
	for _, claim := range collect(s, f.claims, claims.SubjectClaims, "claims"+where) {
		if len(f.query.Names) == 0 || slices.Contains(f.query.Names, claim.Name) {
			s.Claims = append(s.Claims, claim)
		}
	}
	s.Pods = collect(s, f.pods, claims.SubjectPods, "pods"+where)
	for _, set := range collect(s, f.sets, subjectSets, "StatefulSets"+where) {
		s.StatefulSets = append(s.StatefulSets, *set)
	}
	var problems sets.Problems
	s.Sets, problems = f.others.Sets()
	maps.Copy(s.Problems, problems)
	s.keepPods()
	if f.query.OfNoSet {
		s.dropOfSets(newOwners(s))
	}
	around := &Snapshot{Problems: map[string]v1alpha1.Problem{}}
	for _, volume := range collect(around, f.volumes, claims.SubjectVolumes, "PersistentVolumes") {
		around.Volumes = append(around.Volumes, *volume)
	}
	for _, class := range collect(around, f.classes, claims.SubjectClasses, "StorageClasses") {
		around.StorageClasses = append(around.StorageClasses, *class)
	}
	for _, e := range collect(around, f.events, claims.SubjectEvents, "events"+where) {
		around.Events = append(around.Events, *e)
	}
	s.addAround(f.query.Namespace, around)
	s.Measured = f.usage.Latest(ctx, f.cluster, f.query.usage(s), s.Pods, s.Claims, now, f.changed)
	return s, nil
}

// collect is what a mirror holds; what can't be read is noted.
func collect[K any](s *Snapshot, m *kube.Mirror[K], subject, title string) []*K {
	list, ok := m.Collect(s.Problems, subject, title)
	if ok {
		s.Read = append(s.Read, subject)
	}
	return list
}

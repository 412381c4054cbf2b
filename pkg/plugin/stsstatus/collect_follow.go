package stsstatus

import (
	"context"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// explainDelay is how long after a change what explains it is read once more: events come after what they are about.
const explainDelay = 4 * time.Second

// Follower keeps a snapshot up to date with the API's own watches. At rest it asks for nothing but disk usage.
type Follower struct {
	cluster *kube.Cluster
	query   Query
	changed func()

	sets   *kube.Mirror[appsv1.StatefulSet]
	others *sets.Follower // nil if only StatefulSets are followed
	// scales are sets that are known by their pods alone, with how many pods they want, unscaled why that is not known.
	scales   map[types.UID]sets.Set
	unscaled sets.Problems
	pods     *kube.Mirror[corev1.Pod]
	claims   *kube.Mirror[corev1.PersistentVolumeClaim]
	service  *kube.Mirror[corev1.Service]
	budgets  *kube.Mirror[policyv1.PodDisruptionBudget]
	volumes  *kube.Mirror[corev1.PersistentVolume]
	classes  *kube.Mirror[storagev1.StorageClass]
	events   *kube.Mirror[corev1.Event]

	usage *claims.UsageFollower
	// backups are those that were read last, at a time, with what could not be read.
	backups        sets.Backups
	backupProblems sets.Problems
	backupsAsked   []sets.Ref
	backupsAskedAt time.Time
	// explained is what was read last to explain the rows, and when.
	explained   *detailReader
	explainedAt time.Time
	again       *time.Timer
}

// Follow begins to watch the sets of a query and what is around them, until the context ends. Changed is called after each change,
// from another goroutine. Sets that are named must exist.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) (*Follower, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	f := &Follower{cluster: cluster, query: q, changed: changed, usage: claims.NewUsageFollower(ctx, cluster)}
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	ofSets, withOthers := q.list(), true
	if len(q.Names) > 0 {
		left, err := f.first(ctx)
		if err != nil {
			return nil, kube.Explain(err)
		}
		withOthers = left
		if len(q.Names) == 1 {
			ofSets.Fields = "metadata.name=" + q.Names[0].Name
		}
	}
	f.sets = kube.FollowStatefulSets(ctx, cluster, ofSets, kube.Whole(reduceSet), changed)
	if withOthers {
		f.others = sets.Follow(ctx, cluster, q.list(), changed)
	}
	f.pods = kube.FollowPods(ctx, cluster, all, kube.Whole(reducePod), changed)
	f.claims = kube.FollowClaims(ctx, cluster, all, kube.Whole(claims.ReduceClaim), changed)
	f.service = kube.FollowServices(ctx, cluster, all, kube.Whole[corev1.Service](nil), changed)
	f.budgets = kube.FollowDisruptionBudgets(ctx, cluster, all, kube.Whole[policyv1.PodDisruptionBudget](nil), changed)
	everywhere := kube.Query{ChunkSize: q.ChunkSize}
	f.volumes = kube.FollowVolumes(ctx, cluster, everywhere, kube.Whole(claims.ReduceVolume), changed)
	f.classes = kube.FollowStorageClasses(ctx, cluster, everywhere, kube.Whole[storagev1.StorageClass](nil), changed)
	f.events = kube.FollowEvents(ctx, cluster, all, reduceEvent, changed)
	return f, nil
}

// Settled reports whether everything has been read once, or can't be.
func (f *Follower) Settled() bool {
	return f.sets.Settled() && (f.others == nil || f.others.Settled()) && f.pods.Settled() && f.claims.Settled() && f.service.Settled() && f.budgets.Settled() &&
		f.volumes.Settled() && f.classes.Settled() && f.events.Settled()
}

// Snapshot is the present state. It fails only if the StatefulSets can't be read.
func (f *Follower) Snapshot(ctx context.Context, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Details: f.query.Details}
	if _, _, err := f.sets.Objects(); err != nil {
		return nil, kube.Explain(err)
	}
	where := " " + kube.Where(f.query.Namespace)
	for _, set := range collect(s, f.sets, subjectSets, "StatefulSets"+where) {
		if f.query.Names.Takes(objects.KindStatefulSet, set.Name) {
			s.StatefulSets = append(s.StatefulSets, *set)
		}
	}
	left := f.collectOthers(s)
	around := newSurroundings(s, left)
	for _, pod := range collect(s, f.pods, subjectPods, "pods"+where) {
		if ours, concerned := around.concern(pod); concerned {
			s.addPod(pod, ours)
		}
	}
	f.collectByPods(ctx, s)
	s.Claims = collect(s, f.claims, subjectClaims, "claims"+where)
	for _, service := range collect(s, f.service, subjectServices, "Services"+where) {
		s.Services = append(s.Services, *service)
	}
	for _, budget := range collect(s, f.budgets, subjectBudgets, "PodDisruptionBudgets"+where) {
		s.DisruptionBudgets = append(s.DisruptionBudgets, *budget)
	}
	f.explain(ctx, s, now)
	f.collectBackups(ctx, s, now)
	s.Measured = f.usage.Latest(ctx, f.cluster, f.query.usage(), s.Pods, s.Claims, now, f.changed)
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

// explain adds what explains the rows that need it: read now and, for events come late, once more a few seconds later.
func (f *Follower) explain(ctx context.Context, s *Snapshot, now time.Time) {
	needs := needsOf(s, s.Details)
	for _, volume := range collect(s, f.volumes, subjectVolumes, "PersistentVolumes") {
		if needs.concerns(volume) {
			s.Volumes = append(s.Volumes, *volume)
		}
	}
	for _, class := range collect(s, f.classes, subjectClasses, "StorageClasses") {
		s.StorageClasses = append(s.StorageClasses, *class)
	}
	events := map[string]corev1.Event{}
	for _, e := range collect(s, f.events, subjectEvents, "events "+kube.Where(f.query.Namespace)) {
		needs.addEvent(events, e)
	}
	s.Events = slices.Collect(maps.Values(events))
	if needs.none() {
		f.explained = nil
		return
	}
	if f.explained == nil || now.Sub(f.explainedAt) >= explainDelay || !f.explained.needs.covers(needs) {
		f.explained = &detailReader{cluster: f.cluster, query: f.query, needs: needs, followed: true}
		f.explained.read(ctx)
		f.explainedAt = now
		if f.again == nil { // one look for each change, not for each look
			f.again = time.AfterFunc(explainDelay+time.Second, f.changed)
		} else {
			f.again = nil
		}
	}
	f.explained.addTo(s)
}

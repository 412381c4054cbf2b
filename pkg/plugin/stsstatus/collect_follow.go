package stsstatus

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// explainDelay is how long after a change what explains it is read once more: events come after what they are about.
const explainDelay = 4 * time.Second

// Follower keeps a snapshot up to date with the API's own watches. At rest it asks for nothing but disk usage.
type Follower struct {
	cluster *kube.Cluster
	query   Query
	changed func()

	sets    *kube.Mirror[appsv1.StatefulSet]
	pods    *kube.Mirror[corev1.Pod]
	claims  *kube.Mirror[corev1.PersistentVolumeClaim]
	service *kube.Mirror[corev1.Service]
	budgets *kube.Mirror[policyv1.PodDisruptionBudget]

	usage kube.Refresh[Snapshot]
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
	f := &Follower{cluster: cluster, query: q, changed: changed}
	f.usage.Reachable = func(since time.Time) bool { return cluster.Reachable(ctx, since) }
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	sets, pods := all, all
	sets.Selector = q.Selector
	if len(q.Names) > 0 {
		first := &Snapshot{}
		if err := first.collectSets(ctx, cluster, q); err != nil {
			return nil, kube.Explain(err)
		}
		if len(q.Names) == 1 {
			sets.Fields = "metadata.name=" + q.Names[0]
			pods.Selector = metav1.FormatLabelSelector(first.StatefulSets[0].Spec.Selector)
		}
	}
	f.sets = kube.FollowStatefulSets(ctx, cluster, sets, kube.Whole(reduceSet), changed)
	f.pods = kube.FollowPods(ctx, cluster, pods, kube.Whole(reducePod), changed)
	f.claims = kube.FollowClaims(ctx, cluster, all, kube.Whole(reduceClaim), changed)
	f.service = kube.FollowServices(ctx, cluster, all, kube.Whole[corev1.Service](nil), changed)
	f.budgets = kube.FollowDisruptionBudgets(ctx, cluster, all, kube.Whole[policyv1.PodDisruptionBudget](nil), changed)
	return f, nil
}

// Settled reports whether everything has been read once, or can't be.
func (f *Follower) Settled() bool {
	return f.sets.Settled() && f.pods.Settled() && f.claims.Settled() && f.service.Settled() && f.budgets.Settled()
}

// Snapshot is the present state. It fails only if the StatefulSets can't be read.
func (f *Follower) Snapshot(ctx context.Context, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Details: f.query.Details}
	if _, _, err := f.sets.Objects(); err != nil {
		return nil, kube.Explain(err)
	}
	ours := map[types.UID]bool{}
	for _, set := range collect(f, s, f.sets, subjectSets, "StatefulSets") {
		if len(f.query.Names) == 0 || slices.Contains(f.query.Names, set.Name) {
			s.StatefulSets = append(s.StatefulSets, *set)
			ours[set.UID] = true
		}
	}
	for _, pod := range collect(f, s, f.pods, subjectPods, "pods") {
		if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && ours[owner.UID] {
			s.Pods = append(s.Pods, pod)
		}
	}
	s.Claims = collect(f, s, f.claims, subjectClaims, "claims")
	for _, service := range collect(f, s, f.service, subjectServices, "Services") {
		s.Services = append(s.Services, *service)
	}
	for _, budget := range collect(f, s, f.budgets, subjectBudgets, "PodDisruptionBudgets") {
		s.DisruptionBudgets = append(s.DisruptionBudgets, *budget)
	}
	f.explain(ctx, s, now)
	f.addUsage(ctx, s, now)
	return s, nil
}

// collect is what a mirror holds; what can't be read is noted.
func collect[K any](f *Follower, s *Snapshot, m *kube.Mirror[K], subject, title string) []*K {
	list, ok := m.Collect(s.Problems, subject, title+" "+kube.Where(f.query.Namespace))
	if ok {
		s.Read = append(s.Read, subject)
	}
	return list
}

// explain adds what explains the rows that need it: read now and, for events come late, once more a few seconds later.
func (f *Follower) explain(ctx context.Context, s *Snapshot, now time.Time) {
	needs := needsOf(s, s.Details)
	if needs.none() {
		f.explained = nil
		return
	}
	if f.explained == nil || now.Sub(f.explainedAt) >= explainDelay || !f.explained.needs.covers(needs) {
		f.explained = &detailReader{cluster: f.cluster, query: f.query, needs: needs}
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

// addUsage adds the disk usage that was read last, and begins to read it anew when it is old, or when other claims are mounted.
func (f *Follower) addUsage(ctx context.Context, s *Snapshot, now time.Time) {
	if f.query.UsageFrom == UsageNone {
		return
	}
	wanted := s.fileSystemClaims()
	names := make([]string, 0, len(wanted))
	for claim := range wanted {
		names = append(names, claim.String())
	}
	slices.Sort(names)
	round := Snapshot{Pods: s.Pods, Claims: s.Claims}
	last := f.usage.Latest(strings.Join(names, " "), now, func() (Snapshot, time.Duration) {
		round.collectUsage(ctx, f.cluster, f.query)
		if len(round.Usage) < len(wanted) {
			return round, min(f.query.UsageInterval, kube.MissingUsageInterval)
		}
		return round, f.query.UsageInterval
	}, f.changed)
	s.UsageAsked, s.UsagePending = true, last == nil
	if last != nil {
		s.Usage, s.UsageFailed, s.DFFailed = last.Usage, maps.Clone(last.UsageFailed), last.DFFailed
	}
}

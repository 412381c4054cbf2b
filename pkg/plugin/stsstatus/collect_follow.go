package stsstatus

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
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

// missingUsageInterval is how often usage is read while that of a mounted claim is missing.
const missingUsageInterval = 10 * time.Second

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

	mu    sync.Mutex
	usage usageRound
	// explained is what was read last to explain the rows, and when.
	explained   *detailReader
	explainedAt time.Time
	again       *time.Timer
}

// usageRound is the disk usage that was read last.
type usageRound struct {
	busy    bool
	due     time.Time
	claims  string // whose it is
	results Snapshot
}

// Follow begins to watch the sets of a query and what is around them, until the context ends. Changed is called after each change,
// from another goroutine. Sets that are named must exist.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) (*Follower, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	f := &Follower{cluster: cluster, query: q, changed: changed}
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
	f.sets = cluster.FollowStatefulSets(ctx, sets, reduceSet, changed)
	f.pods = cluster.FollowPods(ctx, pods, reducePod, changed)
	f.claims = cluster.FollowClaims(ctx, all, reduceClaim, changed)
	f.service = cluster.FollowServices(ctx, all, nil, changed)
	f.budgets = cluster.FollowDisruptionBudgets(ctx, all, nil, changed)
	return f, nil
}

// Settled tells whether everything has been read once, or can't be.
func (f *Follower) Settled() bool {
	return f.sets.Settled() && f.pods.Settled() && f.claims.Settled() && f.service.Settled() && f.budgets.Settled()
}

// UsageRead tells whether disk usage has been read, or nobody asks for it.
func (f *Follower) UsageRead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.query.UsageFrom == UsageNone || f.usage.results.UsageAsked
}

// Snapshot is the present state. It fails only if the StatefulSets can't be read.
func (f *Follower) Snapshot(ctx context.Context, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Details: f.query.Details}
	sets, err := f.sets.Objects()
	if err != nil && len(sets) == 0 {
		return nil, kube.Explain(err)
	}
	f.note(s, subjectSets, "StatefulSets", err) // what is held may be old
	ours := map[types.UID]bool{}
	for _, set := range sets {
		if len(f.query.Names) == 0 || slices.Contains(f.query.Names, set.Name) {
			s.StatefulSets = append(s.StatefulSets, *set)
			ours[set.UID] = true
		}
	}
	pods, err := f.pods.Objects()
	f.note(s, subjectPods, "pods", err)
	for _, pod := range pods {
		if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && ours[owner.UID] {
			s.Pods = append(s.Pods, pod)
		}
	}
	s.Claims, err = f.claims.Objects()
	f.note(s, subjectClaims, "claims", err)
	services, err := f.service.Objects()
	f.note(s, subjectServices, "Services", err)
	for _, service := range services {
		s.Services = append(s.Services, *service)
	}
	budgets, err := f.budgets.Objects()
	f.note(s, subjectBudgets, "PodDisruptionBudgets", err)
	for _, budget := range budgets {
		s.DisruptionBudgets = append(s.DisruptionBudgets, *budget)
	}
	f.explain(ctx, s, now)
	f.addUsage(ctx, s, now)
	return s, nil
}

func (f *Follower) note(s *Snapshot, subject, title string, err error) {
	if err == nil {
		s.Read = append(s.Read, subject)
		return
	}
	where := "in namespace " + f.query.Namespace
	if f.query.Namespace == "" {
		where = "in all namespaces"
	}
	s.Problems[subject] = kube.ProblemOf(title+" "+where, err)
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
	claims := strings.Join(names, " ")
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.usage.busy && (claims != f.usage.claims || !now.Before(f.usage.due)) {
		f.usage.busy, f.usage.claims = true, claims
		round := Snapshot{Pods: s.Pods, Claims: s.Claims}
		go func() {
			round.collectUsage(ctx, f.cluster, f.query)
			f.mu.Lock()
			f.usage.busy, f.usage.results = false, round
			f.mu.Unlock()
			f.changed()
			next := f.query.UsageInterval
			if len(round.Usage) < len(wanted) { // a kubelet tells of a new volume a little later
				next = min(next, missingUsageInterval)
			}
			f.mu.Lock()
			f.usage.due = now.Add(next)
			f.mu.Unlock()
			time.AfterFunc(next, f.changed)
		}()
	}
	if f.usage.results.UsageAsked {
		s.UsageAsked = true
		s.Usage, s.UsageFailed, s.DFFailed = f.usage.results.Usage, maps.Clone(f.usage.results.UsageFailed), f.usage.results.DFFailed
	}
}

package nodes

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// neededPatience is how long a snapshot waits for the first list of what only some clusters need.
const neededPatience = 10 * time.Second

// Follower keeps a snapshot up to date with the API's own watches. At rest it asks for nothing but disk usage. Of each pod it holds a
// few numbers, of stateful ones a few names beside.
type Follower struct {
	cluster *kube.Cluster
	query   Query
	changed func()

	nodes  *kube.Mirror[keptNode]
	pods   *kube.Mirror[keptPod]
	limits *kube.Mirror[keptLimits]
	// budgets and volumes are nil until they are needed; the functions begin to follow them.
	budgets       *kube.Mirror[keptBudget]
	volumes       *kube.Mirror[keptVolume]
	followBudgets func() *kube.Mirror[keptBudget]
	followVolumes func() *kube.Mirror[keptVolume]

	usage kube.Refresh[Snapshot]
	// found is true when there has been a node of every name.
	found bool
}

// Follow begins to watch the nodes of a query and what is on them, until the context ends. Changed is called after each change, from
// another goroutine.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) *Follower {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	f := &Follower{cluster: cluster, query: q, changed: changed}
	f.usage.Reachable = func(since time.Time) bool { return cluster.Reachable(ctx, since) }
	all := kube.Query{ChunkSize: q.ChunkSize}
	inNamespace := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	annotations := capacity.Annotations()
	f.nodes = kube.FollowNodes(ctx, cluster, all, func(n *corev1.Node) *keptNode { return reduceNode(n, annotations) }, changed)
	f.pods = kube.FollowPods(ctx, cluster, inNamespace, (&reducer{}).reduce, changed)
	f.limits = kube.FollowCSINodes(ctx, cluster, all, reduceLimits, changed)
	f.followBudgets = func() *kube.Mirror[keptBudget] {
		return kube.FollowDisruptionBudgets(ctx, cluster, inNamespace, reduceBudget, changed)
	}
	f.followVolumes = func() *kube.Mirror[keptVolume] { return kube.FollowVolumes(ctx, cluster, all, reduceVolume, changed) }
	return f
}

// Settled reports whether everything has been read once, or can't be.
func (f *Follower) Settled() bool { return f.nodes.Settled() && f.pods.Settled() && f.limits.Settled() }

// Snapshot is the present state. It fails only if the nodes can't be read, or if there never was one of the names that were asked for.
// Where it turns out that budgets or volumes are needed, it waits for them once.
func (f *Follower) Snapshot(ctx context.Context, now time.Time) (*Snapshot, error) {
	s := &Snapshot{AllPods: f.query.Namespace == "", Limits: map[string]map[string]int32{}, Problems: map[string]v1alpha1.Problem{}}
	if _, _, err := f.nodes.Objects(); err != nil {
		return nil, kube.Explain(err)
	}
	nodes, _ := f.nodes.Collect(s.Problems, subjectNodes, "nodes")
	for _, kept := range nodes {
		s.addNode(kept)
	}
	if !f.found {
		if err := s.named(f.query.Selection.Names); err != nil {
			return nil, err
		}
		f.found = true
	}
	if pods, ok := f.pods.Collect(s.Problems, subjectPods, "pods "+kube.Where(f.query.Namespace)); ok {
		all := newAdder(s)
		for _, kept := range pods {
			all.add(kept)
		}
	}
	limits, _ := f.limits.Collect(s.Problems, subjectLimits, "CSINodes")
	for _, kept := range limits {
		s.addLimits(kept)
	}
	need := needs(s, f.query.Selection)
	f.addNeeded(ctx, s, need)
	f.addUsage(ctx, s, need, now)
	return s, s.selectable(f.query.Selection)
}

// addNeeded adds what only some clusters need, which is followed from then on.
func (f *Follower) addNeeded(ctx context.Context, s *Snapshot, need needed) {
	patience := time.Duration(0) // for what has been waited for before
	if len(need.budgets) > 0 && f.budgets == nil {
		f.budgets, patience = f.followBudgets(), neededPatience
	}
	if len(need.volumes) > 0 && f.volumes == nil {
		f.volumes, patience = f.followVolumes(), neededPatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if len(need.budgets) > 0 {
		s.Budgets = map[string][]*metav1.LabelSelector{}
		for _, kept := range collectNeeded(ctx, s, f.budgets, subjectBudgets, "PodDisruptionBudgets "+kube.Where(f.query.Namespace)) {
			s.addBudget(kept, need.budgets)
		}
	}
	if len(need.volumes) > 0 {
		s.Volumes = map[string][]string{}
		for _, kept := range collectNeeded(ctx, s, f.volumes, subjectVolumes, "PersistentVolumes") {
			s.addVolume(kept, need.volumes)
		}
	}
}

// collectNeeded is what a mirror holds, after its first list; what can't be read is noted.
func collectNeeded[K any](ctx context.Context, s *Snapshot, m *kube.Mirror[K], subject, title string) []*K {
	if err := m.Wait(ctx); err != nil {
		s.Problems[subject] = kube.ProblemOf(title, err)
		return nil
	}
	list, _ := m.Collect(s.Problems, subject, title)
	return list
}

// addUsage adds the disk usage that was read last, which is read again when it is old, or when other claims are mounted.
func (f *Follower) addUsage(ctx context.Context, s *Snapshot, need needed, now time.Time) {
	if !f.query.Usage {
		return
	}
	mounted := make([]string, 0, len(need.usage))
	for claim, node := range need.usage {
		mounted = append(mounted, claim+" "+node)
	}
	slices.Sort(mounted)
	last := f.usage.Latest(strings.Join(mounted, ","), now, func() (Snapshot, time.Duration) {
		round := Snapshot{}
		if len(need.usage) > 0 {
			round.collectUsage(ctx, f.cluster, f.query, need, f.query.Progress)
		}
		if len(round.Usage) < len(need.usage) {
			return round, min(f.query.UsageInterval, kube.MissingUsageInterval)
		}
		return round, f.query.UsageInterval
	}, f.changed)
	s.UsageAsked, s.UsagePending = len(need.usage) > 0, last == nil
	if last != nil && last.UsageAsked {
		s.UsageAsked, s.Usage, s.UsageFailed = true, last.Usage, maps.Clone(last.UsageFailed)
	}
}

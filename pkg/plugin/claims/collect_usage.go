package claims

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// UsageSource says who is asked for disk usage.
type UsageSource string

const (
	// UsageAuto asks the kubelets and, where they do not tell, runs df in the containers.
	UsageAuto UsageSource = "auto"
	// UsageKubelet asks the kubelets.
	UsageKubelet UsageSource = "kubelet"
	// UsageExec runs df in the containers.
	UsageExec UsageSource = "exec"
	// UsageNone queries nothing.
	UsageNone UsageSource = "none"
)

// usageSources lists them for help and completion.
func usageSources() []string {
	return []string{string(UsageAuto), string(UsageKubelet), string(UsageExec), string(UsageNone)}
}

// UsageQuery says who is asked for disk usage; each kubelet and each container has Timeout.
type UsageQuery struct {
	From    UsageSource
	Timeout time.Duration
	// Interval is how often a UsageFollower reads it again.
	Interval time.Duration
	// Wanted reports whether a claim's usage is wanted; nil for that of all that the pods have mounted.
	Wanted func(types.NamespacedName) bool
	// Progress is called with what is being waited for.
	Progress func(text string)
}

// measuring is one reading of the usage of claims that pods have mounted.
type measuring struct {
	Measured
	cluster *kube.Cluster
	query   UsageQuery
	pods    []*corev1.Pod
	// wanted are the claims that kubelets have mounted, by the node that is asked; elsewhere are the other nodes that have a claim mounted.
	wanted    map[types.NamespacedName]string
	elsewhere map[types.NamespacedName][]string
}

// Measure reads the disk usage of the claims that the pods have mounted.
func Measure(ctx context.Context, cluster *kube.Cluster, q UsageQuery, pods []*corev1.Pod, claims []*corev1.PersistentVolumeClaim) Measured {
	m := &measuring{cluster: cluster, query: q, pods: pods}
	m.wanted, m.elsewhere = fileSystemClaims(q, pods, claims)
	m.UsageAsked = true
	m.Usage = map[string]v1alpha1.VolumeUsage{}
	if q.From != UsageExec {
		m.KubeletsAsked = true
		m.askKubelets(ctx)
	}
	if q.From != UsageKubelet {
		m.runDF(ctx)
	}
	return m.Measured
}

// fileSystemClaims are the claims that are wanted and kubelets have mounted, by a node that has them: that of a pod that is ready, if there is
// one. Elsewhere are the other nodes.
func fileSystemClaims(q UsageQuery, pods []*corev1.Pod, claims []*corev1.PersistentVolumeClaim) (wanted map[types.NamespacedName]string, elsewhere map[types.NamespacedName][]string) {
	block := map[types.NamespacedName]bool{}
	for _, claim := range claims {
		if ModeOf(claim) == corev1.PersistentVolumeBlock {
			block[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = true
		}
	}
	wanted, elsewhere = map[types.NamespacedName]string{}, map[types.NamespacedName][]string{}
	for _, ready := range []bool{true, false} {
		for _, pod := range pods {
			if !HasMounted(pod) || objects.PodReady(pod) != ready {
				continue
			}
			for _, c := range objects.ClaimsOf(pod) {
				claim := types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}
				switch node, has := wanted[claim]; {
				case block[claim], q.Wanted != nil && !q.Wanted(claim):
				case !has:
					wanted[claim] = pod.Spec.NodeName
				case node != pod.Spec.NodeName && !slices.Contains(elsewhere[claim], pod.Spec.NodeName):
					elsewhere[claim] = append(elsewhere[claim], pod.Spec.NodeName)
				}
			}
		}
	}
	return wanted, elsewhere
}

// askKubelets asks those of the nodes that have the claims mounted: of a claim that several have, one, and another one if that fails.
func (m *measuring) askKubelets(ctx context.Context) {
	m.UsageFailed = map[string]v1alpha1.Problem{}
	first := slices.Compact(slices.Sorted(maps.Values(m.wanted)))
	m.askNodes(ctx, first)
	var again []string
	for claim, nodes := range m.elsewhere {
		_, known := m.Usage[claim.String()]
		problem, failed := m.UsageFailed[m.wanted[claim]]
		if known || !failed || problem.Reason == v1alpha1.ReasonForbidden {
			continue
		}
		// A node that has been asked would have told of this claim too.
		if i := slices.IndexFunc(nodes, func(node string) bool { return !slices.Contains(first, node) }); i >= 0 {
			m.wanted[claim] = nodes[i]
			again = append(again, nodes[i])
		}
	}
	if len(again) > 0 {
		slices.Sort(again)
		m.askNodes(ctx, slices.Compact(again))
	}
}

func (m *measuring) askNodes(ctx context.Context, nodes []string) {
	report := func(done int) {
		m.query.Progress(fmt.Sprintf("reading disk usage from kubelets: %d of %d nodes", done, len(nodes)))
	}
	report(0)
	usage := m.cluster.VolumeUsage(ctx, kube.UsageQuery{
		Nodes: nodes, NodeTimeout: m.query.Timeout, Progress: report,
		Wanted: func(claim types.NamespacedName) bool { _, ok := m.wanted[claim]; return ok },
	})
	maps.Copy(m.UsageFailed, usage.Failed)
	for claim, u := range usage.ByClaim {
		m.Usage[claim.String()] = u
	}
}

// unreported is how long after a pod was given to a kubelet df runs for a volume that the kubelet answers without: it measures volumes every
// minute (volumeStatsAggPeriod), and some never, such as hostPath.
const unreported = time.Minute

// runDF runs df in the containers that have the claims mounted: of all nodes, or where kubelets did not tell. One that did not answer in
// time is not asked again: df goes through the same kubelet.
func (m *measuring) runDF(ctx context.Context) {
	taken := map[types.NamespacedName]bool{} // claims that several pods share are read in one
	tried := map[types.NamespacedName]bool{}
	now := metav1.Now()
	var containers []kube.Mounts
	for _, pod := range m.pods {
		volumes := map[string]string{}
		for _, c := range objects.ClaimsOf(pod) {
			volumes[c.Volume] = c.Name
		}
		missing := func(claim types.NamespacedName) bool {
			node, ok := m.wanted[claim]
			problem, failed := m.UsageFailed[node]
			_, known := m.Usage[claim.String()]
			old := pod.Status.StartTime != nil && now.Sub(pod.Status.StartTime.Time) >= unreported
			tells := failed && problem.Reason != v1alpha1.ReasonTimeout || !failed && !known && old
			return ok && !taken[claim] && (tells || m.query.From == UsageExec)
		}
		if HasMounted(pod) {
			for _, name := range volumes {
				if claim := (types.NamespacedName{Namespace: pod.Namespace, Name: name}); missing(claim) {
					tried[claim] = true
				}
			}
		}
		found := kube.DataMounts(pod, volumes, missing)
		for _, in := range found {
			for _, claim := range in.Claims {
				taken[claim] = true
			}
		}
		containers = append(containers, found...)
	}
	report := func(done int) {
		m.query.Progress(fmt.Sprintf("reading disk usage with df: %d of %d containers", done, len(containers)))
	}
	report(0)
	usage, failed := m.cluster.ContainerUsage(ctx, containers, m.query.Timeout, report)
	for claim, u := range usage {
		m.Usage[claim.String()] = u
	}
	m.DFFailed = make(map[string]string, len(failed))
	for claim, reason := range failed {
		// What a kubelet refuses to a user it may grant to df. What it can't do it can't do for df: one reason is enough.
		if problem, bad := m.UsageFailed[m.wanted[claim]]; !bad || problem.Reason == v1alpha1.ReasonForbidden {
			m.DFFailed[claim.String()] = reason
		}
	}
	unknown := map[string]bool{} // by node
	for claim, node := range m.wanted {
		if _, known := m.Usage[claim.String()]; known {
			continue
		}
		unknown[node] = true
		_, kubeletFailed := m.UsageFailed[node]
		if _, ran := failed[claim]; !ran && (m.query.From == UsageExec || tried[claim] && !kubeletFailed) {
			m.DFFailed[claim.String()] = notMounted
		}
	}
	// A kubelet that did not tell what df told is not a problem.
	maps.DeleteFunc(m.UsageFailed, func(node string, _ v1alpha1.Problem) bool { return !unknown[node] })
}

// UsageFollower keeps usage up to date under a watch, and remembers what was measured before.
type UsageFollower struct {
	refresh kube.Refresh[Measured]
	mu      sync.Mutex
	before  map[string]before
}

// NewUsageFollower makes one that reads while the API server can be reached.
func NewUsageFollower(ctx context.Context, cluster *kube.Cluster) *UsageFollower {
	f := &UsageFollower{before: map[string]before{}}
	f.refresh.Reachable = func(since time.Time) bool { return cluster.Reachable(ctx, since) }
	return f
}

// Latest is what was read last; it starts reading again when that is old, or when other claims are mounted. Changed is called afterwards.
func (f *UsageFollower) Latest(ctx context.Context, cluster *kube.Cluster, q UsageQuery, pods []*corev1.Pod, claims []*corev1.PersistentVolumeClaim, now time.Time, changed func()) Measured {
	if q.From == UsageNone {
		return Measured{}
	}
	wanted, _ := fileSystemClaims(q, pods, claims)
	names := make([]string, 0, len(wanted))
	for claim := range wanted {
		names = append(names, claim.String())
	}
	slices.Sort(names)
	last := f.refresh.Latest(strings.Join(names, " "), now, func() (Measured, time.Duration) {
		round := Measure(ctx, cluster, q, pods, claims)
		round.Earlier = f.remember(round.Usage)
		if len(round.Usage) < len(wanted) {
			return round, min(q.Interval, kube.MissingUsageInterval)
		}
		return round, q.Interval
	}, changed)
	if last == nil {
		return Measured{UsageAsked: true, UsagePending: true}
	}
	m := *last
	m.UsageAsked, m.UsageFailed = true, maps.Clone(last.UsageFailed)
	return m
}

// remember takes in what has been measured, and returns what was measured earlier of the same claims.
func (f *UsageFollower) remember(usage map[string]v1alpha1.VolumeUsage) map[string]v1alpha1.VolumeUsage {
	f.mu.Lock()
	defer f.mu.Unlock()
	earlier, kept := map[string]v1alpha1.VolumeUsage{}, make(map[string]before, len(usage))
	for claim, u := range usage {
		b := f.before[claim].then(u)
		kept[claim] = b
		if b.first.Time.Before(&u.Time) {
			earlier[claim] = b.first
		}
	}
	f.before = kept
	return earlier
}

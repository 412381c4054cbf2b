// Package stsstatus is kubectl doik sts-status: every ordinal of a StatefulSet with its pod, its claims and their real disk
// usage, the ordinals that are missing and the claims that were kept.
package stsstatus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Query says what to collect.
type Query struct {
	// Namespace is empty for all namespaces; then Names is empty too.
	Namespace string
	// Names and Selector choose StatefulSets; at most one of the two is set.
	Names     []string
	Selector  string
	ChunkSize int64
	// UsageFrom says who is asked for disk usage; each kubelet and each container has UsageTimeout.
	UsageFrom    UsageSource
	UsageTimeout time.Duration
	// Progress is told what is being waited for. It may be nil.
	Progress func(text string)
}

// UsageSource says who is asked for disk usage.
type UsageSource string

const (
	// UsageAuto asks the kubelets and, where they do not tell, runs df in the containers.
	UsageAuto UsageSource = "auto"
	// UsageKubelet asks the kubelets.
	UsageKubelet UsageSource = "kubelet"
	// UsageExec runs df in the containers.
	UsageExec UsageSource = "exec"
	// UsageNone asks nobody.
	UsageNone UsageSource = "none"
)

// usageSources lists them for help and completion.
func usageSources() []string {
	return []string{string(UsageAuto), string(UsageKubelet), string(UsageExec), string(UsageNone)}
}

// Snapshot is what the cluster said. Objects are cut down to what analysis reads.
type Snapshot struct {
	StatefulSets []appsv1.StatefulSet           `json:"statefulSets"`
	Pods         []corev1.Pod                   `json:"pods,omitempty"`
	Claims       []corev1.PersistentVolumeClaim `json:"claims,omitempty"`
	Services     []corev1.Service               `json:"services,omitempty"`
	// Usage is by namespace/claim.
	Usage map[string]v1alpha1.VolumeUsage `json:"usage,omitempty"`
	// UsageFailed is by node: its kubelet could not be read.
	UsageFailed map[string]v1alpha1.Problem `json:"usageFailed,omitempty"`
	// DFFailed is by namespace/claim: why df in a container did not tell its usage.
	DFFailed map[string]string `json:"dfFailed,omitempty"`
	// UsageAsked is true if somebody was asked.
	UsageAsked bool `json:"usageAsked,omitempty"`
	// Problems by what could not be read at all: pods, claims, services.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Keys of Snapshot.Problems.
const (
	subjectPods     = "pods"
	subjectClaims   = "persistentvolumeclaims"
	subjectServices = "services"
)

// Collect reads the StatefulSets of the query and everything around them: four requests for one set, and one for each node
// that holds its pods. It fails only if the StatefulSets themselves can't be read; what else can't be read is a problem in
// the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	progress := q.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress("reading StatefulSets")
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}}
	if err := s.collectSets(ctx, cluster, q); err != nil {
		return nil, kube.Explain(err)
	}
	if len(s.StatefulSets) == 0 {
		return s, nil
	}
	progress("reading pods, claims and Services")
	s.collectAround(ctx, cluster, q)
	if q.UsageFrom != UsageNone {
		s.collectUsage(ctx, cluster, q, progress)
	}
	// Out of time, what was read is worth showing. Interrupted, nobody waits for it.
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, kube.Explain(ctx.Err())
	}
	return s, nil
}

func (s *Snapshot) collectSets(ctx context.Context, cluster *kube.Cluster, q Query) error {
	keep := func(set *appsv1.StatefulSet) {
		trim(&set.ObjectMeta)
		s.StatefulSets = append(s.StatefulSets, *set)
	}
	if len(q.Names) == 1 {
		set, err := cluster.StatefulSet(ctx, q.Namespace, q.Names[0])
		if err == nil {
			keep(set)
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
	}
	var others []string // what may have been meant by a name that is not there
	err := cluster.EachStatefulSet(ctx, kube.Query{Namespace: q.Namespace, Selector: q.Selector, ChunkSize: q.ChunkSize}, func(set *appsv1.StatefulSet) {
		if len(q.Names) == 0 || slices.Contains(q.Names, set.Name) {
			keep(set)
		} else {
			others = append(others, set.Name)
		}
	})
	if err != nil && len(q.Names) != 1 { // one name is known not to exist, whether or not others may be listed
		return err
	}
	for _, name := range q.Names {
		if !slices.ContainsFunc(s.StatefulSets, func(set appsv1.StatefulSet) bool { return set.Name == name }) {
			return kube.NotFound("StatefulSet", q.Namespace, name, others)
		}
	}
	return nil
}

// collectAround reads the pods, claims and Services of the sets. One set is read by its own selector; for more, a list of
// the whole namespace is cheaper than one for each.
func (s *Snapshot) collectAround(ctx context.Context, cluster *kube.Cluster, q Query) {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	one := len(s.StatefulSets) == 1
	if one {
		all.Namespace = s.StatefulSets[0].Namespace
	}
	where := "in namespace " + all.Namespace
	if all.Namespace == "" {
		where = "in all namespaces"
	}
	sets := make(map[types.UID]bool, len(s.StatefulSets))
	for i := range s.StatefulSets {
		sets[s.StatefulSets[i].UID] = true
	}
	var mu sync.Mutex
	var group errgroup.Group
	collect := func(subject, title string, read func() error) {
		group.Go(func() error {
			if err := read(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				s.Problems[subject] = kube.ProblemOf(title+" "+where, err)
			}
			return nil
		})
	}
	collect(subjectPods, "pods", func() error {
		pods := all
		if one {
			pods.Selector = metav1.FormatLabelSelector(s.StatefulSets[0].Spec.Selector)
		}
		return cluster.EachPod(ctx, pods, func(pod *corev1.Pod) {
			if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && sets[owner.UID] {
				trim(&pod.ObjectMeta)
				s.Pods = append(s.Pods, *pod)
			}
		})
	})
	collect(subjectClaims, "claims", func() error {
		// Not by the set's selector: claims restored from a backup may lack its labels and count all the same.
		return cluster.EachClaim(ctx, all, func(claim *corev1.PersistentVolumeClaim) {
			trim(&claim.ObjectMeta)
			s.Claims = append(s.Claims, *claim)
		})
	})
	collect(subjectServices, "Services", func() error {
		keep := func(service *corev1.Service) {
			trim(&service.ObjectMeta)
			s.Services = append(s.Services, *service)
		}
		if !one {
			return cluster.EachService(ctx, all, keep)
		}
		name := s.StatefulSets[0].Spec.ServiceName
		if name == "" {
			return nil
		}
		service, err := cluster.Service(ctx, all.Namespace, name)
		switch {
		case apierrors.IsNotFound(err): // its absence is what there is to know
			return nil
		case err != nil:
			return err
		}
		keep(service)
		return nil
	})
	_ = group.Wait() // errors have become problems
}

// collectUsage reads the disk usage of the claims that the sets' pods have mounted.
func (s *Snapshot) collectUsage(ctx context.Context, cluster *kube.Cluster, q Query, progress func(string)) {
	s.UsageAsked = true
	s.Usage = map[string]v1alpha1.VolumeUsage{}
	wanted := s.fileSystemClaims()
	if q.UsageFrom != UsageExec {
		s.askKubelets(ctx, cluster, q, wanted, progress)
	}
	if q.UsageFrom != UsageKubelet {
		s.runDF(ctx, cluster, q, wanted, progress)
	}
}

// fileSystemClaims are the claims that kubelets have mounted, by the node.
func (s *Snapshot) fileSystemClaims() map[types.NamespacedName]string {
	block := map[types.NamespacedName]bool{}
	for i := range s.Claims {
		claim := &s.Claims[i]
		if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == corev1.PersistentVolumeBlock {
			block[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = true
		}
	}
	wanted := map[types.NamespacedName]string{}
	for i := range s.Pods {
		pod := &s.Pods[i]
		if !mounts(pod) {
			continue
		}
		for _, c := range claimsOf(pod) {
			if claim := (types.NamespacedName{Namespace: pod.Namespace, Name: c.name}); !block[claim] {
				wanted[claim] = pod.Spec.NodeName
			}
		}
	}
	return wanted
}

// askKubelets asks those of the nodes that have the claims mounted.
func (s *Snapshot) askKubelets(ctx context.Context, cluster *kube.Cluster, q Query, wanted map[types.NamespacedName]string, progress func(string)) {
	nodes := slices.Compact(slices.Sorted(maps.Values(wanted)))
	report := func(done int) {
		progress(fmt.Sprintf("reading disk usage from kubelets: %d of %d nodes", done, len(nodes)))
	}
	report(0)
	usage := cluster.VolumeUsage(ctx, kube.UsageQuery{
		Nodes: nodes, NodeTimeout: q.UsageTimeout, Progress: report,
		Wanted: func(claim types.NamespacedName) bool { _, ok := wanted[claim]; return ok },
	})
	s.UsageFailed = usage.Failed
	for claim, u := range usage.ByClaim {
		s.Usage[claim.String()] = u
	}
}

// runDF runs df in the containers that have the claims mounted: of all nodes, or of those whose kubelets did not tell. A kubelet
// that knows nothing of a volume is right: df would tell of whatever disk the volume is a folder of.
func (s *Snapshot) runDF(ctx context.Context, cluster *kube.Cluster, q Query, wanted map[types.NamespacedName]string, progress func(string)) {
	taken := map[types.NamespacedName]bool{} // claims that several pods share are read in one
	missing := func(claim types.NamespacedName) bool {
		node, ok := wanted[claim]
		_, failed := s.UsageFailed[node]
		return ok && !taken[claim] && (failed || q.UsageFrom == UsageExec)
	}
	var containers []kube.Mounts
	for i := range s.Pods {
		volumes := map[string]string{}
		for _, c := range claimsOf(&s.Pods[i]) {
			volumes[c.volume] = c.name
		}
		found := kube.DataMounts(&s.Pods[i], volumes, missing)
		for _, m := range found {
			for _, claim := range m.Claims {
				taken[claim] = true
			}
		}
		containers = append(containers, found...)
	}
	report := func(done int) {
		progress(fmt.Sprintf("reading disk usage with df: %d of %d containers", done, len(containers)))
	}
	report(0)
	usage, failed := cluster.ContainerUsage(ctx, containers, q.UsageTimeout, report)
	for claim, u := range usage {
		s.Usage[claim.String()] = u
	}
	s.DFFailed = make(map[string]string, len(failed))
	for claim, reason := range failed {
		// What a kubelet refuses to a user it may grant to df. What it can't do it can't do for df: one reason is enough.
		if problem, bad := s.UsageFailed[wanted[claim]]; !bad || problem.Reason == v1alpha1.ReasonForbidden {
			s.DFFailed[claim.String()] = reason
		}
	}
	unknown := map[string]bool{} // by node
	for claim, node := range wanted {
		if _, known := s.Usage[claim.String()]; known {
			continue
		}
		unknown[node] = true
		if _, tried := failed[claim]; !tried && q.UsageFrom == UsageExec {
			s.DFFailed[claim.String()] = "df: no running container has it mounted"
		}
	}
	// A kubelet that did not tell what df told is nobody's problem.
	maps.DeleteFunc(s.UsageFailed, func(node string, _ v1alpha1.Problem) bool { return !unknown[node] })
}

// trim drops what nobody reads and what fills most of an object's memory.
func trim(meta *metav1.ObjectMeta) {
	meta.ManagedFields = nil
	delete(meta.Annotations, corev1.LastAppliedConfigAnnotation)
}

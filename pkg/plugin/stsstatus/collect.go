// Package stsstatus is kubectl doik sts-status: every ordinal of a StatefulSet with its pod, its claims and their real disk
// usage, the ordinals that are missing and the claims that were kept.
package stsstatus

import (
	"context"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
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
	// Details reads what the wide table and the machines' formats show: the volumes and nodes of every row. Without it they are
	// read where something needs explaining.
	Details bool
	// UsageFrom says who is asked for disk usage; each kubelet and each container has UsageTimeout.
	UsageFrom    UsageSource
	UsageTimeout time.Duration
	// UsageInterval is how often a Follower reads disk usage anew.
	UsageInterval time.Duration
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
	StatefulSets []appsv1.StatefulSet            `json:"statefulSets"`
	Pods         []*corev1.Pod                   `json:"pods,omitempty"`
	Claims       []*corev1.PersistentVolumeClaim `json:"claims,omitempty"`
	Services     []corev1.Service                `json:"services,omitempty"`
	// DisruptionBudgets are those of the sets' namespaces.
	DisruptionBudgets []policyv1.PodDisruptionBudget `json:"disruptionBudgets,omitempty"`
	// What follows is read where rows need it: see needs.
	Volumes        []corev1.PersistentVolume    `json:"volumes,omitempty"`
	StorageClasses []storagev1.StorageClass     `json:"storageClasses,omitempty"`
	Attachments    []storagev1.VolumeAttachment `json:"attachments,omitempty"`
	Nodes          []corev1.Node                `json:"nodes,omitempty"`
	// Events are the newest of each reason and object.
	Events []corev1.Event `json:"events,omitempty"`
	// Details is true if the volumes and nodes of all rows were asked for.
	Details bool `json:"details,omitempty"`
	// Read lists the subjects that were read as far as they are needed; what is not there does not exist.
	Read []string `json:"read,omitempty"`
	// Usage is by namespace/claim.
	Usage map[string]v1alpha1.VolumeUsage `json:"usage,omitempty"`
	// UsageFailed is by node: its kubelet could not be read.
	UsageFailed map[string]v1alpha1.Problem `json:"usageFailed,omitempty"`
	// DFFailed is by namespace/claim: why df in a container did not tell its usage.
	DFFailed map[string]string `json:"dfFailed,omitempty"`
	// UsageAsked is true if somebody was asked, or will be; UsagePending, that there is no answer yet.
	UsageAsked   bool `json:"usageAsked,omitempty"`
	UsagePending bool `json:"usagePending,omitempty"`
	// Problems by the subject that could not be read.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Subjects: keys of Snapshot.Problems and elements of Snapshot.Read.
const (
	subjectSets        = "statefulsets"
	subjectPods        = "pods"
	subjectClaims      = "persistentvolumeclaims"
	subjectServices    = "services"
	subjectBudgets     = "poddisruptionbudgets"
	subjectVolumes     = "persistentvolumes"
	subjectClasses     = "storageclasses"
	subjectAttachments = "volumeattachments"
	subjectNodes       = "nodes"
	subjectEvents      = "events"
)

// Collect reads the StatefulSets of the query and everything around them: five requests for one set, and one for each node that
// holds its pods; more where something needs explaining or details are asked for. It fails only if the StatefulSets themselves
// can't be read; what else can't be read is a problem in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	q.Progress("reading StatefulSets")
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Details: q.Details}
	if err := s.collectSets(ctx, cluster, q); err != nil {
		return nil, kube.Explain(err)
	}
	if len(s.StatefulSets) == 0 {
		return s, nil
	}
	q.Progress("reading pods, claims and Services")
	s.collectAround(ctx, cluster, q)
	details := &detailReader{cluster: cluster, query: q, needs: needsOf(s, q.Details)}
	if q.UsageFrom == UsageNone {
		details.read(ctx)
	} else {
		var group sync.WaitGroup
		group.Go(func() { details.read(ctx) })
		s.collectUsage(ctx, cluster, q)
		group.Wait() // what failed is a problem
	}
	details.addTo(s)
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Snapshot) collectSets(ctx context.Context, cluster *kube.Cluster, q Query) error {
	keep := func(set *appsv1.StatefulSet) {
		reduceSet(set)
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
	where := " " + kube.Where(all.Namespace)
	sets := make(map[types.UID]bool, len(s.StatefulSets))
	for i := range s.StatefulSets {
		sets[s.StatefulSets[i].UID] = true
	}
	reads := []kube.Read{{Subject: subjectPods, Title: "pods" + where, Do: func(ctx context.Context) error {
		pods := all
		if one {
			pods.Selector = metav1.FormatLabelSelector(s.StatefulSets[0].Spec.Selector)
		}
		return cluster.EachPod(ctx, pods, func(pod *corev1.Pod) {
			if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && sets[owner.UID] {
				reducePod(pod)
				s.Pods = append(s.Pods, pod)
			}
		})
	}}, {Subject: subjectClaims, Title: "claims" + where, Do: func(ctx context.Context) error {
		// Not by the set's selector: claims restored from a backup may lack its labels and count all the same.
		return cluster.EachClaim(ctx, all, func(claim *corev1.PersistentVolumeClaim) {
			reduceClaim(claim)
			s.Claims = append(s.Claims, claim)
		})
	}}, {Subject: subjectServices, Title: "Services" + where, Do: func(ctx context.Context) error {
		keep := func(service *corev1.Service) {
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
	}}}
	if slices.ContainsFunc(s.StatefulSets, wantsBudget) {
		reads = append(reads, kube.Read{Subject: subjectBudgets, Title: "PodDisruptionBudgets" + where, Do: func(ctx context.Context) error {
			return cluster.EachDisruptionBudget(ctx, all, func(budget *policyv1.PodDisruptionBudget) {
				s.DisruptionBudgets = append(s.DisruptionBudgets, *budget)
			})
		}})
	}
	s.Read, _ = kube.SideBySide(ctx, s.Problems, reads...) // none is needed
}

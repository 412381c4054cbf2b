// Package stsstatus is kubectl doik sts-status: every ordinal of a StatefulSet with its pod, its claims and their real disk
// usage, the ordinals that are missing and the claims that were kept.
package stsstatus

import (
	"context"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// Query says what to collect.
type Query struct {
	// Namespace is empty for all namespaces; then Names is empty too.
	Namespace string
	// Names and Selector choose sets; at most one of the two is set.
	Names     sets.Choice
	Selector  string
	ChunkSize int64
	// Details reads what the wide table and the machines' formats show: the volumes and nodes of every row. Without it they are
	// read where something needs explaining.
	Details bool
	// Usage says who is asked for disk usage; its Progress is that of the query.
	Usage claims.UsageQuery
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Snapshot is what the cluster said. Objects are cut down to what analysis reads.
type Snapshot struct {
	StatefulSets []appsv1.StatefulSet `json:"statefulSets"`
	// Sets are those of other controllers.
	Sets []sets.Set    `json:"sets,omitempty"`
	Pods []*corev1.Pod `json:"pods,omitempty"`
	// Others are pods of other controllers, or of none, that have to do with a set: by their names, labels or claims.
	Others   []*corev1.Pod                   `json:"others,omitempty"`
	Claims   []*corev1.PersistentVolumeClaim `json:"claims,omitempty"`
	Services []corev1.Service                `json:"services,omitempty"`
	// DisruptionBudgets are those of the sets' namespaces.
	DisruptionBudgets []policyv1.PodDisruptionBudget `json:"disruptionBudgets,omitempty"`
	// Volumes are those that have to do with a claim of the sets, StorageClasses all of the cluster's.
	Volumes        []corev1.PersistentVolume `json:"volumes,omitempty"`
	StorageClasses []storagev1.StorageClass  `json:"storageClasses,omitempty"`
	// Events are about the sets, their pods, earlier ones of the same names too, and their claims: the newest of each reason and object.
	Events objects.Events `json:"events,omitempty"`
	// Backups are those of the databases that operators run.
	Backups sets.Backups `json:"backups,omitzero"`
	// What follows is read where rows need it: see needs.
	Attachments []storagev1.VolumeAttachment `json:"attachments,omitempty"`
	Nodes       []corev1.Node                `json:"nodes,omitempty"`
	Namespaces  []corev1.Namespace           `json:"namespaces,omitempty"`
	// Details is true if the nodes of all rows were asked for.
	Details bool `json:"details,omitempty"`
	// Read lists the subjects that were read as far as they are needed; what is not there does not exist.
	Read            []string `json:"read,omitempty"`
	claims.Measured `json:",inline"`
	// Problems by the subject that could not be read.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Subjects: keys of Snapshot.Problems and elements of Snapshot.Read.
const (
	subjectSets        = "statefulsets"
	subjectPods        = claims.SubjectPods
	subjectClaims      = claims.SubjectClaims
	subjectServices    = "services"
	subjectBudgets     = "poddisruptionbudgets"
	subjectVolumes     = claims.SubjectVolumes
	subjectClasses     = claims.SubjectClasses
	subjectAttachments = "volumeattachments"
	subjectNodes       = "nodes"
	subjectEvents      = claims.SubjectEvents
	subjectNamespaces  = "namespaces"
	subjectBackups     = "backups"
)

// Collect reads the StatefulSets of the query and everything around them: eight requests for one set, and one for each node that
// holds its pods; more where something needs explaining or details are asked for. It fails only if the StatefulSets themselves
// can't be read; what else can't be read is a problem in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	q.Progress("reading StatefulSets")
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}, Details: q.Details}
	left, err := s.collectSets(ctx, cluster, q)
	if err != nil {
		return nil, kube.Explain(err)
	}
	q.Progress("reading pods, claims and Services")
	s.collectAround(ctx, cluster, q, left)
	if err := s.collectByPods(ctx, cluster, q, left); err != nil {
		return nil, kube.Explain(err)
	}
	if len(s.StatefulSets)+len(s.Sets) == 0 {
		return s, kube.Interrupted(ctx)
	}
	details := &detailReader{cluster: cluster, query: q, needs: needsOf(s, q.Details)}
	var backups sets.Backups
	var problems sets.Problems
	var group sync.WaitGroup
	group.Go(func() { details.read(ctx) })
	group.Go(func() { backups, problems = collectBackups(ctx, cluster, q, s) })
	if q.Usage.From != claims.UsageNone {
		s.Measured = claims.Measure(ctx, cluster, q.usage(), s.Pods, s.Claims)
	}
	group.Wait() // what failed is a problem
	details.addTo(s)
	s.addBackups(backups, problems)
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// usage is who is asked for disk usage.
func (q *Query) usage() claims.UsageQuery {
	u := q.Usage
	u.Progress = q.Progress
	return u
}

// collectAround reads the pods, claims and Services of the sets: of all of their namespaces, for what matters of a set may be in pods that
// have nothing in common with it but a claim.
func (s *Snapshot) collectAround(ctx context.Context, cluster *kube.Cluster, q Query, left *remaining) {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	one := len(s.StatefulSets) == 1 && left.none() && len(s.Sets) == 0
	if one {
		all.Namespace = s.StatefulSets[0].Namespace
	}
	where := " " + kube.Where(all.Namespace)
	around := newSurroundings(s, left)
	reads := []kube.Read{{Subject: subjectPods, Title: "pods" + where, Do: func(ctx context.Context) error {
		return cluster.EachPod(ctx, all, func(pod *corev1.Pod) {
			if ours, concerned := around.concern(pod); concerned {
				reducePod(pod)
				s.addPod(pod, ours)
			}
		})
	}}, {Subject: subjectClaims, Title: "claims" + where, Do: func(ctx context.Context) error {
		// Not by the set's selector: claims restored from a backup may lack its labels and count all the same.
		return cluster.EachClaim(ctx, all, func(claim *corev1.PersistentVolumeClaim) {
			claims.ReduceClaim(claim)
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
	}}, {Subject: subjectBudgets, Title: "PodDisruptionBudgets" + where, Do: func(ctx context.Context) error {
		return cluster.EachDisruptionBudget(ctx, all, func(budget *policyv1.PodDisruptionBudget) {
			s.DisruptionBudgets = append(s.DisruptionBudgets, *budget)
		})
	}}}
	s.Read, _ = kube.SideBySide(ctx, s.Problems, reads...) // none is needed
}

func (s *Snapshot) addPod(pod *corev1.Pod, ours bool) {
	if ours {
		s.Pods = append(s.Pods, pod)
	} else {
		s.Others = append(s.Others, pod)
	}
}

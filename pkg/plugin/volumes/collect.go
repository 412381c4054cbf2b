// Package volumes is kubectl doik volumes: every claim of a namespace with its real disk usage and the pods that mount it, claims that
// nothing mounts, and volumes that are left of deleted claims.
package volumes

import (
	"context"
	"maps"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"

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
	// Names and Selector choose claims; at most one of the two is set.
	Names     []string
	Selector  string
	ChunkSize int64
	// OfNoSet reads of claims that belong to a StatefulSet no more than which they are: something else looks at them.
	OfNoSet bool
	// Usage says who is asked for disk usage; its Progress is that of the query.
	Usage claims.UsageQuery
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// chosen reports whether only some of the claims are looked at.
func (q *Query) chosen() bool { return len(q.Names) > 0 || q.Selector != "" }

// Snapshot is what the cluster said. Objects are cut down to what analysis reads.
type Snapshot struct {
	Claims []*corev1.PersistentVolumeClaim `json:"claims,omitempty"`
	// Pods are those that mount one of the claims, or did.
	Pods []*corev1.Pod `json:"pods,omitempty"`
	// StatefulSets tell by their templates which claims are theirs.
	StatefulSets []appsv1.StatefulSet `json:"statefulSets,omitempty"`
	// Sets are those of other controllers, which tell what their claims are called.
	Sets []sets.Set `json:"sets,omitempty"`
	// Volumes are those that one of the claims has, had, or may get.
	Volumes        []corev1.PersistentVolume `json:"volumes,omitempty"`
	StorageClasses []storagev1.StorageClass  `json:"storageClasses,omitempty"`
	// Events are about the claims, and what kubelets say of pods' volumes.
	Events          objects.Events `json:"events,omitempty"`
	claims.Measured `json:",inline"`
	// Names is not empty if only these claims are looked at; Selected is true if a selector chose them.
	Names    []string `json:"names,omitempty"`
	Selected bool     `json:"selected,omitempty"`
	// OfNoSet is true if claims of StatefulSets are left out.
	OfNoSet bool `json:"ofNoSet,omitempty"`
	// Read lists the subjects that were read as far as they are needed; what is not there does not exist.
	Read []string `json:"read,omitempty"`
	// Problems by the subject that could not be read.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
	// ofSets are those with sets, until everything has been read.
	ofSets sets.Problems
}

// subjectSets is the key of StatefulSets; the others are those of claims.
const subjectSets = "statefulsets"

// Collect reads the claims of the query and everything around them: six lists, what tells of operators' sets, and one request for each node that has one of them mounted. It
// fails only if the claims themselves can't be read; what else can't be read is a problem in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	q.Progress("reading claims, pods and volumes")
	s, around := newSnapshot(q), newSnapshot(q)
	var reading sync.WaitGroup
	readAround := func(reads ...kube.Read) {
		reading.Go(func() { around.Read, _ = kube.SideBySide(ctx, around.Problems, reads...) }) // none is needed
	}
	if !q.OfNoSet {
		readAround(append(around.readsVolumes(cluster, q), around.readEvents(cluster, q))...)
	}
	defer reading.Wait()
	var others []string // what may have been meant by a name that is not there
	var err error
	if s.Read, err = kube.SideBySide(ctx, s.Problems, s.reads(cluster, q, &others)...); err != nil {
		return nil, kube.Explain(err)
	}
	maps.Copy(s.Problems, s.ofSets)
	for _, name := range q.Names {
		if !slices.ContainsFunc(s.Claims, func(c *corev1.PersistentVolumeClaim) bool { return c.Name == name }) {
			return nil, kube.NotFound("PersistentVolumeClaim", q.Namespace, name, others)
		}
	}
	s.keepPods()
	ofSets := newOwners(s)
	if q.OfNoSet { // there may be nothing to look at
		some := len(s.Claims)+len(s.StatefulSets) > 0
		s.dropOfSets(ofSets)
		switch {
		case len(s.Claims) > 0:
			readAround(append(around.readsVolumes(cluster, q), around.readEvents(cluster, q))...)
		case some: // volumes may be left of claims that were deleted
			readAround(around.readsVolumes(cluster, q)...)
		}
	}
	if q.Usage.From != claims.UsageNone {
		s.Measured = claims.Measure(ctx, cluster, q.usage(s), s.Pods, s.Claims)
	}
	reading.Wait()
	s.addAround(q.Namespace, around)
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func newSnapshot(q Query) *Snapshot {
	return &Snapshot{Names: q.Names, Selected: q.Selector != "", OfNoSet: q.OfNoSet, Problems: map[string]v1alpha1.Problem{}}
}

// reads are what has to be known before disk usage can be asked for.
func (s *Snapshot) reads(cluster *kube.Cluster, q Query, others *[]string) []kube.Read {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	selected := all
	selected.Selector = q.Selector
	where := " " + kube.Where(q.Namespace)
	return []kube.Read{{Subject: claims.SubjectClaims, Title: "claims" + where, Needed: true, Do: func(ctx context.Context) error {
		return cluster.EachClaim(ctx, selected, func(claim *corev1.PersistentVolumeClaim) {
			if len(q.Names) > 0 && !slices.Contains(q.Names, claim.Name) {
				*others = append(*others, claim.Name)
				return
			}
			claims.ReduceClaim(claim)
			s.Claims = append(s.Claims, claim)
		})
	}}, {Subject: claims.SubjectPods, Title: "pods" + where, Do: func(ctx context.Context) error {
		return cluster.EachPod(ctx, all, func(pod *corev1.Pod) {
			if pod = reducePod(pod); pod != nil {
				s.Pods = append(s.Pods, pod)
			}
		})
	}}, {Title: "sets of operators", Do: func(ctx context.Context) error {
		var problems sets.Problems
		s.Sets, problems = sets.Collect(ctx, cluster, all)
		s.ofSets = problems
		return nil
	}}, {Subject: subjectSets, Title: "StatefulSets" + where, Do: func(ctx context.Context) error {
		return cluster.EachStatefulSet(ctx, all, func(set *appsv1.StatefulSet) { s.StatefulSets = append(s.StatefulSets, *reduceSet(set)) })
	}}}
}

// readsVolumes are volumes and StorageClasses.
func (s *Snapshot) readsVolumes(cluster *kube.Cluster, q Query) []kube.Read {
	everywhere := kube.Query{ChunkSize: q.ChunkSize}
	return []kube.Read{{Subject: claims.SubjectVolumes, Title: "PersistentVolumes", Do: func(ctx context.Context) error {
		return cluster.EachVolume(ctx, everywhere, func(volume *corev1.PersistentVolume) {
			claims.ReduceVolume(volume)
			s.Volumes = append(s.Volumes, *volume)
		})
	}}, {Subject: claims.SubjectClasses, Title: "StorageClasses", Do: func(ctx context.Context) error {
		return cluster.EachStorageClass(ctx, everywhere, func(class *storagev1.StorageClass) { s.StorageClasses = append(s.StorageClasses, *class) })
	}}}
}

func (s *Snapshot) readEvents(cluster *kube.Cluster, q Query) kube.Read {
	return kube.Read{Subject: claims.SubjectEvents, Title: "events " + kube.Where(q.Namespace), Do: func(ctx context.Context) error {
		return cluster.EachEvent(ctx, kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, func(e *corev1.Event) {
			if e = reduceEvent(e); e != nil {
				s.Events = append(s.Events, *e)
			}
		})
	}}
}

// addAround adds what was read around, as far as it concerns the claims.
func (s *Snapshot) addAround(namespace string, around *Snapshot) {
	concerns := s.concernedVolumes(namespace)
	for i := range around.Volumes {
		if concerns(&around.Volumes[i]) {
			s.Volumes = append(s.Volumes, around.Volumes[i])
		}
	}
	s.StorageClasses, s.Events = around.StorageClasses, around.Events
	s.Read = append(s.Read, around.Read...)
	for subject, problem := range around.Problems {
		s.Problems[subject] = problem
	}
}

// usage is who is asked for the disk usage of the claims.
func (q *Query) usage(s *Snapshot) claims.UsageQuery {
	u := q.Usage
	u.Progress = q.Progress
	if q.chosen() || q.OfNoSet {
		ours := map[types.NamespacedName]bool{}
		for _, claim := range s.Claims {
			ours[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = true
		}
		u.Wanted = func(claim types.NamespacedName) bool { return ours[claim] }
	}
	return u
}

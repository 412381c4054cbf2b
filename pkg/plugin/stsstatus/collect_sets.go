package stsstatus

import (
	"cmp"
	"context"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// remaining are the sets that pods may tell of, when those have been read whose objects tell.
type remaining struct {
	// any is true if all sets count, names are those that have not been found yet.
	any   bool
	names sets.Choice
	// existing are others, which may have been meant.
	existing []sets.Name
}

func (r *remaining) none() bool { return !r.any && len(r.names) == 0 }

// takes is what tells the pods of sets from others: those of sets that are known, and of what else is asked for.
func (r *remaining) takes(list []sets.Set, statefulSets []appsv1.StatefulSet) func(*corev1.Pod) bool {
	if r.none() && len(list) == 0 {
		return nil
	}
	known := sets.NewKnown(list)
	return func(pod *corev1.Pod) bool {
		uid := sets.UIDOf(pod)
		switch owner := sets.Owner(pod); {
		case uid == "":
			return false
		case known[uid] != nil:
			return true
		case len(objects.ClaimsOf(pod)) == 0, sets.Claimed(pod, statefulSets):
			return false
		case r.any:
			return true
		case owner != nil:
			return len(r.names) > 0 && r.names.Takes(owner.Kind, owner.Name)
		}
		return false
	}
}

// collectSets reads the objects of the sets that are asked for. What remains may show in pods.
func (s *Snapshot) collectSets(ctx context.Context, cluster *kube.Cluster, q Query) (*remaining, error) {
	if len(q.Names) == 0 {
		var others []sets.Set
		var problems sets.Problems
		_, err := kube.SideBySide(ctx, s.Problems,
			kube.Read{Title: "StatefulSets", Needed: true, Do: func(ctx context.Context) error {
				_, err := s.collectStatefulSets(ctx, cluster, q)
				return err
			}},
			kube.Read{Title: "sets of operators", Do: func(ctx context.Context) error {
				others, problems = sets.Collect(ctx, cluster, q.list())
				return nil
			}})
		s.Sets = others
		maps.Copy(s.Problems, problems)
		return &remaining{any: q.Selector == ""}, err // which labels a controller has its pods do not tell
	}
	existing, err := s.collectStatefulSets(ctx, cluster, q)
	left := &remaining{existing: existing, names: q.Names.Without(func(n sets.Name) bool {
		return slices.ContainsFunc(s.StatefulSets, func(set appsv1.StatefulSet) bool { return n.Takes(objects.KindStatefulSet, set.Name) })
	})}
	if err != nil || len(left.names) == 0 {
		return left, err
	}
	others, problems := sets.Collect(ctx, cluster, q.list())
	maps.Copy(s.Problems, problems)
	for i := range others {
		if other := &others[i]; left.names.Takes(other.Kind, other.Name) {
			s.Sets = append(s.Sets, *other)
		} else {
			left.existing = append(left.existing, sets.Name{Kind: other.Kind, Name: other.Name})
		}
	}
	left.names = left.names.Without(func(n sets.Name) bool {
		return slices.ContainsFunc(s.Sets, func(set sets.Set) bool { return n.Takes(set.Kind, set.Name) })
	})
	return left, nil
}

// list is the query for sets by their labels.
func (q *Query) list() kube.Query {
	return kube.Query{Namespace: q.Namespace, Selector: q.Selector, ChunkSize: q.ChunkSize}
}

// collectStatefulSets reads the StatefulSets that are asked for; existing are others. Names of which there is none are no error.
func (s *Snapshot) collectStatefulSets(ctx context.Context, cluster *kube.Cluster, q Query) (existing []sets.Name, err error) {
	keep := func(set *appsv1.StatefulSet) {
		reduceSet(set)
		s.StatefulSets = append(s.StatefulSets, *set)
	}
	one := len(q.Names) == 1 && q.Names[0].Takes(objects.KindStatefulSet, q.Names[0].Name)
	if one {
		set, err := cluster.StatefulSet(ctx, q.Namespace, q.Names[0].Name)
		if err == nil {
			keep(set)
		}
		if !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	err = cluster.EachStatefulSet(ctx, q.list(), func(set *appsv1.StatefulSet) {
		if q.Names.Takes(objects.KindStatefulSet, set.Name) {
			keep(set)
		} else {
			existing = append(existing, sets.Name{Kind: objects.KindStatefulSet, Name: set.Name})
		}
	})
	if one { // it is known not to exist, whether or not others may be listed
		return existing, nil
	}
	return existing, err
}

// collectByPods adds the sets that only pods tell of. It fails if one that was named is not to be found.
func (s *Snapshot) collectByPods(ctx context.Context, cluster *kube.Cluster, q Query, left *remaining) error {
	found := sets.NewKnown(s.Sets).By(s.Pods, s.StatefulSets)
	sets.Scale(ctx, cluster, found, s.Problems)
	s.Sets = append(s.Sets, found...)
	missing := left.names.Without(func(n sets.Name) bool {
		return slices.ContainsFunc(found, func(set sets.Set) bool { return n.Takes(set.Kind, set.Name) })
	})
	if len(missing) == 0 {
		return nil
	}
	var near []string
	for _, other := range left.existing {
		if missing[0].Kind == "" || missing[0].Kind == other.Kind {
			near = append(near, other.Name)
		}
	}
	return kube.NotFound(cmp.Or(missing[0].Kind, objects.KindStatefulSet), q.Namespace, missing[0].Name, near)
}

// first looks once for the sets that are named: they must exist. It reports whether sets of other controllers are among them.
func (f *Follower) first(ctx context.Context) (others bool, err error) {
	s := &Snapshot{Problems: map[string]v1alpha1.Problem{}}
	left, err := s.collectSets(ctx, f.cluster, f.query)
	if err != nil || len(left.names) == 0 {
		return len(s.Sets) > 0, err
	}
	s.collectAround(ctx, f.cluster, f.query, left)
	return true, s.collectByPods(ctx, f.cluster, f.query, left)
}

// collectOthers adds the sets of other controllers that are followed, and tells which remain.
func (f *Follower) collectOthers(s *Snapshot) *remaining {
	if f.others == nil {
		return &remaining{}
	}
	list, problems := f.others.Sets()
	maps.Copy(s.Problems, problems)
	for i := range list {
		if f.query.Names.Takes(list[i].Kind, list[i].Name) {
			s.Sets = append(s.Sets, list[i])
		}
	}
	return &remaining{any: len(f.query.Names) == 0 && f.query.Selector == "", names: f.query.Names}
}

// collectByPods adds the sets that only pods tell of. How many pods each wants is asked for once.
func (f *Follower) collectByPods(ctx context.Context, s *Snapshot) {
	if f.others == nil {
		return
	}
	found := sets.NewKnown(s.Sets).By(s.Pods, s.StatefulSets)
	var unasked []sets.Set
	for _, set := range found {
		if _, asked := f.scales[set.UID]; !asked {
			unasked = append(unasked, set)
		}
	}
	if f.scales == nil {
		f.scales, f.unscaled = map[types.UID]sets.Set{}, sets.Problems{}
	}
	sets.Scale(ctx, f.cluster, unasked, f.unscaled)
	for _, set := range unasked {
		f.scales[set.UID] = set
	}
	for i := range found {
		found[i].Wanted, found[i].NoScale = f.scales[found[i].UID].Wanted, f.scales[found[i].UID].NoScale
		if problem, failed := f.unscaled[found[i].Ref()]; failed {
			s.Problems[found[i].Ref()] = problem
		}
	}
	s.Sets = append(s.Sets, found...)
}

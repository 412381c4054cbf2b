package sets

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Problems are why sets are not known, by group of the API, or by the set whose number of pods is unknown.
type Problems = map[string]v1alpha1.Problem

// Collect reads the sets of the kinds that the API has, of the query's namespace and selector: one request tells which there are, and each kind costs
// another. What can't be read is a problem: pods still tell that there are such sets.
func Collect(ctx context.Context, cluster *kube.Cluster, q kube.Query) ([]Set, Problems) {
	var (
		mu       sync.Mutex
		list     []Set
		of       []parent
		problems = Problems{}
	)
	has, err := present(ctx, cluster)
	if err != nil {
		problems["apis"] = kube.ProblemOf("the API's groups", err)
		return nil, problems
	}
	var group errgroup.Group
	for _, kind := range has {
		group.Go(func() error {
			found, err := kind.read(ctx, cluster, q)
			mu.Lock()
			defer mu.Unlock()
			if apierrors.IsNotFound(err) { // a group of other kinds
				return nil
			}
			if err != nil {
				problems[kind.Resource+"."+kind.Group] = kube.ProblemOf(kind.Resource+"."+kind.Group+" "+kube.Where(q.Namespace), err)
				return nil
			}
			list, of = append(list, found.sets...), append(of, found.parents...)
			return nil
		})
	}
	_ = group.Wait()
	adopt(list, of)
	slices.SortFunc(list, compare)
	return list, problems
}

// served is a kind in the version that the API has.
type served struct {
	Kind
	version string
}

// present are the kinds of sets, and of what owns them, that the API has.
func present(ctx context.Context, cluster *kube.Cluster) ([]served, error) {
	var list []served
	for _, kind := range slices.Concat(kinds[:], parents[:]) {
		versions, err := cluster.GroupVersions(ctx, kind.Group)
		if err != nil {
			return nil, err
		}
		if version := kind.Version(versions); version != "" {
			list = append(list, served{kind, version})
		}
	}
	return list, nil
}

func (k *served) custom() kube.Custom {
	return kube.Custom{Group: k.Group, Version: k.version, Resource: k.Resource, Kind: k.Name}
}

// found is what objects of a kind say.
type found struct {
	sets    []Set
	parents []parent
}

func (k *served) read(ctx context.Context, cluster *kube.Cluster, q kube.Query) (found, error) {
	var all found
	var failed error
	if k.isParent() {
		q.Selector = "" // what owns a set need not have its labels
	}
	err := cluster.EachCustom(ctx, k.custom(), q, func(object *unstructured.Unstructured) {
		one, err := k.understand(object)
		if err != nil {
			failed = err
			return
		}
		all.add(one)
	})
	if err != nil {
		return found{}, err
	}
	return all, failed
}

// understand is what one object says.
func (k *served) understand(object *unstructured.Unstructured) (found, error) {
	if k.isParent() {
		p, err := decodeParent(object.Object)
		if err != nil {
			return found{}, fmt.Errorf("%s %s can't be understood: %w", k.Name, object.GetName(), err)
		}
		return found{parents: []parent{*p}}, nil
	}
	s, err := Decode(&k.Kind, object.Object)
	if err != nil {
		return found{}, fmt.Errorf("%s %s can't be understood: %w", k.Name, object.GetName(), err)
	}
	return found{sets: []Set{*s}}, nil
}

func (f *found) add(other found) {
	f.sets, f.parents = append(f.sets, other.sets...), append(f.parents, other.parents...)
}

// Scale asks how many pods are wanted of sets that are known by their pods alone: one request each, and one for each kind.
func Scale(ctx context.Context, cluster *kube.Cluster, list []Set, problems Problems) {
	var mu sync.Mutex
	var group errgroup.Group
	for i := range list {
		s := &list[i]
		if !s.ByPods || s.Kind == KindOrphans || KindOf(s.APIVersion, s.Kind) != nil { // what could not be read need not be asked for once more
			continue
		}
		group.Go(func() error {
			n, err := cluster.Replicas(ctx, s.APIVersion, s.Kind, s.Namespace, s.Name)
			mu.Lock()
			defer mu.Unlock()
			if s.NoScale = apierrors.IsNotFound(err); s.NoScale {
				return nil
			}
			if err != nil {
				problems[s.Ref()] = kube.ProblemOf("how many pods "+s.Ref()+" should have", err)
				return nil
			}
			s.Wanted = &n
			return nil
		})
	}
	_ = group.Wait()
}

// Follower keeps sets up to date by the API's watches.
type Follower struct {
	kinds   []served
	mirrors []*kube.Mirror[found]
	where   string
	failed  error
}

// Follow begins to watch the kinds of sets that the API has now, until the context ends. Changed is called after each change.
func Follow(ctx context.Context, cluster *kube.Cluster, q kube.Query, changed func()) *Follower {
	f := &Follower{where: kube.Where(q.Namespace)}
	if f.kinds, f.failed = present(ctx, cluster); f.failed != nil {
		return f
	}
	for _, kind := range f.kinds {
		of := q
		if kind.isParent() {
			of.Selector = ""
		}
		f.mirrors = append(f.mirrors, kube.FollowCustom(ctx, cluster, kind.custom(), of, func(object *unstructured.Unstructured) *found {
			one, err := kind.understand(object)
			if err != nil {
				return nil
			}
			return &one
		}, changed))
	}
	return f
}

// Settled reports whether everything has been read once, or can't be.
func (f *Follower) Settled() bool {
	return !slices.ContainsFunc(f.mirrors, func(m *kube.Mirror[found]) bool { return !m.Settled() })
}

// Sets are the present ones.
func (f *Follower) Sets() ([]Set, Problems) {
	problems := Problems{}
	if f.failed != nil {
		problems["apis"] = kube.ProblemOf("the API's groups", f.failed)
	}
	var all found
	for i, mirror := range f.mirrors {
		name := f.kinds[i].Resource + "." + f.kinds[i].Group
		list, _ := mirror.Collect(problems, name, name+" "+f.where)
		if problems[name].Reason == v1alpha1.ReasonNotFound { // a group of other kinds
			delete(problems, name)
		}
		for _, one := range list {
			all.add(*one)
		}
	}
	adopt(all.sets, all.parents)
	slices.SortFunc(all.sets, compare)
	return all.sets, problems
}

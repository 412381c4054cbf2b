package sets

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Name is what chooses a set.
type Name struct {
	// Kind is as objects have it; empty for a set of any kind.
	Kind string `json:"kind,omitempty"`
	Name string `json:"name"`
}

// Takes reports whether it names a set.
func (n Name) Takes(kind, name string) bool {
	return n.Name == name && (n.Kind == "" || n.Kind == kind)
}

// Choice are names of sets; none chooses all.
type Choice []Name

// Takes reports whether a set is chosen.
func (c Choice) Takes(kind, name string) bool {
	return len(c) == 0 || slices.ContainsFunc(c, func(n Name) bool { return n.Takes(kind, name) })
}

// Without are the names that do not name one of some sets.
func (c Choice) Without(is func(Name) bool) Choice {
	return slices.DeleteFunc(slices.Clone(c), is)
}

// Called is the kind that an argument kind/name means, in small letters; empty for one that is not known.
func Called(argument string) string {
	if slices.Contains(objects.StatefulSetKinds(), argument) {
		return objects.KindStatefulSet
	}
	return Arguments()[argument]
}

// Named is the set that an argument names, with the kind as it was given.
func Named(kind, name string) Name { return Name{Kind: Called(kind), Name: name} }

// ArgumentKinds are what sets may be called in an argument kind/name, StatefulSets first.
func ArgumentKinds() []string {
	list := objects.StatefulSetKinds()
	var others []string
	for name := range Arguments() {
		others = append(others, name)
	}
	slices.Sort(others)
	return append(list, others...)
}

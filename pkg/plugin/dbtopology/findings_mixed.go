package dbtopology

import (
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// mixed reports Services that lead to servers of several sets that have no data in common, at the first of the sets. A headless Service
// gives names to pods, and clients choose one.
func (j *Judge) mixed() {
	for i := range j.Report.Services {
		v := &j.Report.Services[i]
		if v.Headless || len(v.Reaches) == 0 {
			continue
		}
		sets := j.setsBehind(v.Name)
		if len(sets) < 2 || sets[0] != j.Set || !j.strangers(sets) {
			continue
		}
		var parts, pods []string
		for _, set := range sets {
			names := slices.DeleteFunc(PodNames(set.Servers), func(name string) bool { return !slices.Contains(j.behind(v.Name, set), name) })
			pods = append(pods, names...)
			parts = append(parts, strings.Join(names, ", ")+" of "+set.Name())
		}
		j.add(finding.RuleServiceMixesSets, v1alpha1.SeverityError, pods, nil,
			"the Service %s sends clients to servers of different sets, which have no data in common: %s; its selector matches the pods of both", v.Name, strings.Join(parts, "; "))
		j.About(v.Name)
	}
}

// setsBehind are the sets of this namespace of which a Service reaches servers.
func (j *Judge) setsBehind(service string) []*set {
	return slices.DeleteFunc(slices.Clone(j.Sets), func(s *set) bool {
		return s.Namespace != j.Set.Namespace || len(j.behind(service, s)) == 0
	})
}

// behind are the pods of a set that a Service of this namespace reaches.
func (j *Judge) behind(service string, set *set) []string {
	for i := range j.Services {
		if s := &j.Services[i]; s.Namespace == j.Set.Namespace && s.Name == service {
			pods, _ := j.reached(s, set)
			return pods
		}
	}
	return nil
}

// strangers reports whether it is known of servers of each two of some sets that they have no data in common, and none replicates from the
// other.
func (j *Judge) strangers(sets []*set) bool {
	for i, a := range sets {
		for _, b := range sets[i+1:] {
			if !j.apart(a, b) {
				return false
			}
		}
	}
	return true
}

func (j *Judge) apart(a, b *set) bool {
	some := false
	for _, x := range a.Servers {
		for _, y := range b.Servers {
			if x.Follows(y) || y.Follows(x) {
				return false
			}
			related, known := j.engine.Related(x, y)
			if related {
				return false
			}
			some = some || known
		}
	}
	return some
}

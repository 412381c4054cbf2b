package dbtopology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// unread are what could not be read of the cluster.
func (s *Snapshot) unread() []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		list = append(list, s.Problems[key])
	}
	return list
}

// problems are the servers of an engine that did not answer, then what others refused, each cause once.
func (x *index) problems(e *Engine) []v1alpha1.Problem {
	subjects, servers := map[v1alpha1.Problem][]string{}, map[v1alpha1.Problem][]string{} // by refusal
	var failures []dbserver.Failure
	var order []v1alpha1.Problem
	for _, set := range x.Sets {
		for _, s := range set.Servers {
			if s.Said.Failure != nil {
				failures = append(failures, dbserver.Failure{Pod: s.Pod.Name, Problem: *s.Said.Failure, Cause: s.Said.Cause})
			}
			for i := range s.Said.Answers {
				a := &s.Said.Answers[i]
				r, refused := e.Refusal(a)
				if !refused {
					continue
				}
				if len(servers[r]) == 0 {
					order = append(order, r)
				}
				if !slices.Contains(subjects[r], a.Subject) {
					subjects[r] = append(subjects[r], a.Subject)
				}
				if !slices.Contains(servers[r], s.Pod.Name) {
					servers[r] = append(servers[r], s.Pod.Name)
				}
			}
		}
	}
	list := dbserver.Alike(failures)
	for _, r := range order {
		p := r
		p.Subject = fmt.Sprintf("%s of %s", strings.Join(subjects[r], ", "), finding.Some(servers[r]))
		list = append(list, p)
	}
	return list
}

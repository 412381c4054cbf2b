package dbserver

import (
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Failure is why a pod's server did not answer.
type Failure struct {
	Pod     string
	Problem v1alpha1.Problem
	// Cause is Said.Cause.
	Cause string
}

// Alike are failures as problems, each cause once, in their order: of several servers with the same cause, the first one's, of all of them.
func Alike(failures []Failure) []v1alpha1.Problem {
	type cause struct {
		reason v1alpha1.ProblemReason
		text   string
	}
	var order []cause
	first, pods := map[cause]v1alpha1.Problem{}, map[cause][]string{}
	for _, f := range failures {
		c := cause{f.Problem.Reason, f.Cause}
		if c.text == "" {
			c.text = f.Problem.Message
		}
		if len(pods[c]) == 0 {
			order = append(order, c)
			first[c] = f.Problem
		}
		pods[c] = append(pods[c], f.Pod)
	}
	list := make([]v1alpha1.Problem, len(order))
	for i, c := range order {
		list[i] = first[c]
		if len(pods[c]) > 1 {
			list[i].Subject = "servers " + finding.Some(pods[c])
		}
	}
	return list
}

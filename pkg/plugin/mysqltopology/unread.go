package mysqltopology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// problems are what could not be read: of the cluster, then servers that did not answer, then statements that they refused, each
// cause once.
func (x *index) problems() []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(x.Problems)) {
		list = append(list, x.Problems[key])
	}
	type refusal struct {
		number  int64
		message string
	}
	subjects, servers := map[refusal][]string{}, map[refusal][]string{}
	var failures []v1alpha1.Problem
	alike := map[string][]string{} // servers by the failure without its subject
	var order []refusal
	for _, set := range x.Sets {
		for _, s := range set.Servers {
			if s.Said.Failure != nil {
				p := *s.Said.Failure
				cause := string(p.Reason) + strings.ReplaceAll(p.Message+p.Remedy, s.Pod.Name, "")
				if len(alike[cause]) == 0 {
					failures = append(failures, p)
				}
				alike[cause] = append(alike[cause], s.Pod.Name)
			}
			for _, a := range s.Said.Answers {
				if a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady {
					continue
				}
				r := refusal{number: a.Error.Number, message: a.Error.Message}
				if mysql.IsMissingPrivilege(&mysql.ServerError{Number: int(r.number)}) {
					r.message = withoutTable(r.message)
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
	for _, p := range failures {
		pod := strings.TrimPrefix(p.Subject, "server ")
		cause := string(p.Reason) + strings.ReplaceAll(p.Message+p.Remedy, pod, "")
		if names := alike[cause]; len(names) > 1 {
			p.Subject = "servers " + finding.Some(names)
		}
		list = append(list, p)
	}
	for _, r := range order {
		p := v1alpha1.Problem{
			Subject: fmt.Sprintf("%s of %s", strings.Join(subjects[r], ", "), finding.Some(servers[r])),
			Reason:  v1alpha1.ReasonUnavailable, Message: r.message,
		}
		if r.number != 0 {
			p.Message = fmt.Sprintf("error %d: %s", r.number, r.message)
		}
		if mysql.IsMissingPrivilege(&mysql.ServerError{Number: int(r.number)}) {
			p.Reason, p.Remedy = v1alpha1.ReasonForbidden, "grant this privilege, see docs/rbac.md"
		}
		list = append(list, p)
	}
	return list
}

// withoutTable makes the refusals of a schema's tables alike: SELECT command denied … for table 'x'.
func withoutTable(message string) string {
	before, _, found := strings.Cut(message, " for table ")
	if !found {
		return message
	}
	return before + " for tables of performance_schema"
}

// unreadSubjects are what a server did not tell, for want of a privilege, of what a verdict rests on: what it replicates from, and what
// it sees of its group.
func unreadSubjects(s *server) []string {
	var list []string
	for _, subject := range [...]mysql.Subject{mysql.SubjectReplica, mysql.SubjectMembers, mysql.SubjectStatus} {
		a := s.Answer(subject)
		switch {
		case a == nil || a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady:
		case subject == mysql.SubjectReplica && !s.ChannelsUnknown, subject == mysql.SubjectMembers && !s.InGroup():
		default:
			list = append(list, fmt.Sprintf("%s of %s: %s", subject, s.Pod.Name, a.Error.Message))
		}
	}
	return list
}

package mysqltopology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// group tells of Group Replication.
func (j *judge) group() {
	columns := []string{"MEMBER_ID", "MEMBER_HOST", "MEMBER_STATE", "MEMBER_ROLE"}
	evidence := func(s *server) (all []v1alpha1.Evidence) {
		if a := s.Answer(mysql.SubjectMembers); a != nil {
			for _, m := range s.Members {
				all = append(all, quoteRow(s, a.Statement, m, columns))
			}
		}
		return all
	}
	views := map[string][]*server{}
	var order []string
	var online []*server
	for _, s := range j.set.Servers {
		if !s.InGroup() {
			continue
		}
		state := s.Self().Text("MEMBER_STATE")
		one := podNames([]*server{s})
		unreachable := int(s.GroupMember().Unreachable)
		switch {
		case state == replication.StateOffline && s.Writable():
			j.add(v1alpha1.CodeGRMemberOutsideWritable, v1alpha1.SeverityCritical, one, append(evidence(s), quote(s, mysql.SubjectVariables, "read_only", "super_read_only")...),
				"%s%s is not in its group (OFFLINE) and takes writes, which the group never gets", s.Pod.Name, readiness(s))
			j.onItsWay(s)
		case state == replication.StateOnline && unreachable > 0 && len(s.Members)-unreachable < objects.Majority(len(s.Members)):
			j.add(v1alpha1.CodeGRNoQuorum, v1alpha1.SeverityCritical, one, evidence(s),
				"%s%s says ONLINE, but %d of its %s are UNREACHABLE: without a majority no write ends", s.Pod.Name, readiness(s), unreachable, count(len(s.Members), "member"))
		case state != replication.StateOnline:
			j.add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, one, evidence(s), "%s%s is %s in its group", s.Pod.Name, readiness(s), state)
			j.onItsWay(s)
		}
		if state != replication.StateOnline {
			continue
		}
		online = append(online, s)
		view := groupView(s)
		if len(views[view]) == 0 {
			order = append(order, view)
		}
		views[view] = append(views[view], s)
	}
	if len(order) > 1 {
		var all []v1alpha1.Evidence
		var parts []string
		for _, view := range order {
			all = append(all, evidence(views[view][0])...)
			parts = append(parts, fmt.Sprintf("%s see %s", strings.Join(podNames(views[view]), ", "), view))
		}
		j.add(v1alpha1.CodeGRSplitView, v1alpha1.SeverityCritical, podNames(online), all, "members see different groups: %s", strings.Join(parts, "; "))
		j.onItsWay(changing(j.set)...) // members learn of others one after the other
	}
	j.missingMembers(online)
}

// groupView is the members that a member sees as ONLINE, and the primaries among them, without those that do not answer.
func groupView(s *server) string {
	var list []string
	for _, m := range s.Members {
		if m.Text("MEMBER_STATE") == replication.StateUnreachable {
			continue
		}
		name := m.Text("MEMBER_HOST")
		if o := replication.Only(s.Set.Servers, func(o *server) bool { return strings.EqualFold(o.UUID, m.Text("MEMBER_ID")) }); o != nil {
			name = o.Pod.Name
		}
		if isSilent(s.Set, m) {
			continue
		}
		if m.Text("MEMBER_ROLE") == "PRIMARY" {
			name += " (primary)"
		}
		list = append(list, name)
	}
	slices.SortFunc(list, objects.CompareNames)
	return strings.Join(list, ", ")
}

// isSilent reports whether a row is that of a member that does not answer: the others notice one after the other, and until they all have,
// their views differ in it. It is known by its host, as it did not tell its UUID.
func isSilent(s *set, member mysql.Row) bool {
	host, _, _ := strings.Cut(member.Text("MEMBER_HOST"), ".")
	return slices.ContainsFunc(s.Servers, func(o *server) bool {
		return o.Silent() && (host == o.Pod.Name || o.Pod.Status.PodIP != "" && member.Text("MEMBER_HOST") == o.Pod.Status.PodIP)
	})
}

// missingMembers tells of pods that did not answer and that the group does not have either.
func (j *judge) missingMembers(online []*server) {
	if len(online) == 0 {
		return
	}
	for _, s := range j.set.Servers {
		if s.Answered {
			continue
		}
		inView := slices.ContainsFunc(online[0].Members, func(m mysql.Row) bool {
			host, _, _ := strings.Cut(m.Text("MEMBER_HOST"), ".")
			return host == s.Pod.Name || m.Text("MEMBER_HOST") == s.Pod.Status.PodIP
		})
		if !inView {
			j.add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, podNames([]*server{s}), quote(online[0], mysql.SubjectMembers, "MEMBER_HOST", "MEMBER_STATE"),
				"%s%s is not in the group that %s sees", s.Pod.Name, readiness(s), online[0].Pod.Name)
			j.onItsWay(s)
		}
	}
}

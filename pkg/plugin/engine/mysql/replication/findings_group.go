package replication

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// group reports Group Replication.
func group(j *dbtopology.Judge) {
	columns := []string{"MEMBER_ID", "MEMBER_HOST", "MEMBER_STATE", "MEMBER_ROLE"}
	evidence := func(s *dbstate.Server) (all []v1alpha1.Evidence) {
		if a := answer(s.State, mysql.SubjectMembers); a != nil {
			for _, m := range Of(s.State).Members {
				all = append(all, quoteRow(s, a.Statement, m, columns))
			}
		}
		return all
	}
	views := map[string][]*dbstate.Server{}
	var order []string
	var online []*dbstate.Server
	for _, s := range j.Set.Servers {
		if !Of(s.State).InGroup() {
			continue
		}
		state := groupState(self(s.State, Of(s.State)))
		one := dbtopology.PodNames([]*dbstate.Server{s})
		unreachable := int(groupMember(s.State).Unreachable)
		switch {
		case state == v1alpha1.GroupOffline && s.TakesWrites:
			j.Add(v1alpha1.CodeGRMemberOutsideWritable, v1alpha1.SeverityCritical, one, append(evidence(s), quote(s, mysql.SubjectVariables, "read_only", "super_read_only")...),
				"%s%s is not in its group (OFFLINE) but takes writes, which never reach the group", s.Pod.Name, dbtopology.Readiness(s))
			j.Joins(s)
		case state == v1alpha1.GroupOnline && unreachable > 0 && len(Of(s.State).Members)-unreachable < objects.Majority(len(Of(s.State).Members)):
			j.Add(v1alpha1.CodeGRNoQuorum, v1alpha1.SeverityCritical, one, evidence(s),
				"%s%s reports ONLINE, but %d of its %s are UNREACHABLE: without a majority, writes block", s.Pod.Name, dbtopology.Readiness(s), unreachable, dbtopology.Count(len(Of(s.State).Members), "member"))
		case state != v1alpha1.GroupOnline:
			w := whyNotOnline(s, state)
			j.Add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, one, append(evidence(s), w.evidence...), "%s%s is %s in its group%s", s.Pod.Name, dbtopology.Readiness(s), state, w.text)
			j.Advise(w.command)
			if !w.lasts {
				j.Joins(s)
			}
		}
		if state != v1alpha1.GroupOnline {
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
			parts = append(parts, fmt.Sprintf("%s see %s", strings.Join(dbtopology.PodNames(views[view]), ", "), view))
		}
		j.Add(v1alpha1.CodeGRSplitView, v1alpha1.SeverityCritical, dbtopology.PodNames(online), all, "members see different groups: %s", strings.Join(parts, "; "))
		j.OnItsWay(j.Changing()...) // members learn of others one after the other
	}
	missingMembers(j, online)
	unreachableMembers(j, online)
	errantMembers(j, online)
}

// groupView is the members that a member sees as ONLINE, and the primaries among them, without those that do not answer.
func groupView(s *dbstate.Server) string {
	var names []string
	primary := map[string]bool{}
	for _, m := range Of(s.State).Members {
		if groupState(m) == v1alpha1.GroupUnreachable {
			continue
		}
		if isSilent(s.Set, m) {
			continue
		}
		name := memberName(s.Set, m)
		primary[name] = primary[name] || groupRole(m) == v1alpha1.GroupPrimary
		names = append(names, name)
	}
	slices.SortFunc(names, objects.CompareNames)
	for i, name := range names {
		if primary[name] {
			names[i] += " (primary)"
		}
	}
	return strings.Join(names, ", ")
}

// memberName is the pod of a row's member, or the host by which the group knows it.
func memberName(s *dbstate.Set, member mysql.Row) string {
	if o := podOfMember(s, member); o != nil {
		return o.Pod.Name
	}
	return member.Text("MEMBER_HOST")
}

// podOfMember is the server of a row's member, by its UUID or, as a server that did not answer told none, by its host; nil if it is none of the set.
func podOfMember(s *dbstate.Set, member mysql.Row) *dbstate.Server {
	if o := dbstate.Only(s.Servers, func(o *dbstate.Server) bool {
		return o.UUID != "" && strings.EqualFold(o.UUID, member.Text("MEMBER_ID"))
	}); o != nil {
		return o
	}
	host, _, _ := strings.Cut(member.Text("MEMBER_HOST"), ".")
	return dbstate.Only(s.Servers, func(o *dbstate.Server) bool {
		return o.UUID == "" && (host == o.Pod.Name || o.Pod.Status.PodIP != "" && member.Text("MEMBER_HOST") == o.Pod.Status.PodIP)
	})
}

// unreachableMembers reports members that a majority keeps in its group and can't reach. What is known of such a member by itself, that it
// does not answer or has lost its majority, has a finding of its own.
func unreachableMembers(j *dbtopology.Judge, online []*dbstate.Server) {
	seenBy := map[string][]*dbstate.Server{}
	first := map[string]mysql.Row{}
	var order []string
	for _, s := range online {
		members := Of(s.State).Members
		if reachable := len(members) - int(groupMember(s.State).Unreachable); reachable < objects.Majority(len(members)) {
			continue
		}
		for _, m := range members {
			if groupState(m) != v1alpha1.GroupUnreachable || isSilent(s.Set, m) {
				continue
			}
			name := memberName(s.Set, m)
			if seenBy[name] == nil {
				order, first[name] = append(order, name), m
			}
			seenBy[name] = append(seenBy[name], s)
		}
	}
	for _, name := range order {
		pods := dbtopology.PodNames(seenBy[name])
		o := podOfMember(j.Set, first[name])
		about, ready := pods, ""
		if o != nil {
			about, ready = append([]string{name}, pods...), dbtopology.Readiness(o)
		}
		witness := seenBy[name][0]
		j.Add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, about, []v1alpha1.Evidence{quoteRow(witness, answer(witness.State, mysql.SubjectMembers).Statement, first[name], []string{"MEMBER_ID", "MEMBER_HOST", "MEMBER_STATE"})},
			"%s%s is UNREACHABLE for %s, which keep it in the group (group_replication_member_expel_timeout): nothing can join or leave until it is back or expelled", name, ready, strings.Join(pods, ", "))
		j.OnItsWay(o)
	}
}

// isSilent reports whether a row is that of a member that does not answer: the others notice one after the other, and until they all have,
// their views differ in it. It is known by its host, as it did not tell its UUID.
func isSilent(s *dbstate.Set, member mysql.Row) bool {
	host, _, _ := strings.Cut(member.Text("MEMBER_HOST"), ".")
	return slices.ContainsFunc(s.Servers, func(o *dbstate.Server) bool {
		return o.Silent() && (host == o.Pod.Name || o.Pod.Status.PodIP != "" && member.Text("MEMBER_HOST") == o.Pod.Status.PodIP)
	})
}

// missingMembers reports pods that did not answer and that the group does not have either.
func missingMembers(j *dbtopology.Judge, online []*dbstate.Server) {
	if len(online) == 0 {
		return
	}
	for _, s := range j.Set.Servers {
		if s.Answered {
			continue
		}
		inView := slices.ContainsFunc(Of(online[0].State).Members, func(m mysql.Row) bool {
			host, _, _ := strings.Cut(m.Text("MEMBER_HOST"), ".")
			return host == s.Pod.Name || m.Text("MEMBER_HOST") == s.Pod.Status.PodIP
		})
		if !inView {
			j.Add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, dbtopology.PodNames([]*dbstate.Server{s}), quote(online[0], mysql.SubjectMembers, "MEMBER_HOST", "MEMBER_STATE"),
				"%s%s is missing from the group as %s sees it", s.Pod.Name, dbtopology.Readiness(s), online[0].Pod.Name)
			j.OnItsWay(s)
		}
	}
}

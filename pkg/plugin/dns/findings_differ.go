package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// view is what a server says to a question.
type view struct {
	data, server string
	answer       *resolve.Answer
}

// differing are the questions about which servers differ, and what they say; those alone whose answers did not change a moment ago, if there are
// any.
func (x *index) differing() (list []resolve.Question, views map[resolve.Question][]view, settled bool) {
	views = x.views()
	for q, said := range views {
		if slices.ContainsFunc(said, func(v view) bool { return v.data != said[0].data }) {
			list = append(list, q)
		}
	}
	if lasting := x.settled(list); len(lasting) > 0 {
		list, settled = lasting, true
	}
	slices.SortFunc(list, func(a, b resolve.Question) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	return list, views, settled
}

// disagreement reports servers that give different answers to the same question. Which of them is wrong is told by what the API has.
func disagreement(x *index, f *findings) {
	differing, views, settled := x.differing()
	if len(differing) == 0 {
		return
	}
	first := differing[0]
	more := ""
	if len(differing) > 1 {
		more = fmt.Sprintf(" and %d more", len(differing)-1)
	}
	if len(x.wrong) > 0 {
		wrongServers(x, views[first], first, more, f)
		return
	}
	var said []string
	for _, v := range views[first] {
		said = append(said, fmt.Sprintf("%s says %s", x.serverName(v.server), v.data))
	}
	message := fmt.Sprintf("the DNS servers disagree about %s %s%s: %s", first.Type, first.Name, more, strings.Join(said, "; "))
	if !settled {
		f.progress(v1alpha1.CodeDNSServersDisagree, nil, "", "%s (%s)", message, justChanged)
		return
	}
	f.add(v1alpha1.CodeDNSServersDisagree, v1alpha1.SeverityWarning, nil, "", "%s", message)
}

// wrongServers reports the servers that alone are wrong, with the first of the answers by which they are known.
func wrongServers(x *index, list []view, first resolve.Question, more string, f *findings) {
	var names, about, said []string
	remedy, right := "", ""
	for _, v := range list {
		if !slices.Contains(x.wrong, v.server) {
			right = v.data
		}
	}
	for _, server := range x.wrong {
		names = append(names, x.serverName(server))
		for _, v := range list {
			if v.server == server {
				said = append(said, v.data)
			}
		}
		if namespace, pod, ok := strings.Cut(x.serverPod(server), "/"); ok {
			about = append(about, "pod/"+namespace+"/"+pod)
			remedy = cmp.Or(remedy, fmt.Sprintf("kubectl delete pod %s -n %s", pod, namespace))
		}
	}
	say := "says"
	if len(names) > 1 {
		say = "say"
	}
	f.add(v1alpha1.CodeDNSServersDisagree, v1alpha1.SeverityError, about, remedy, "the DNS server %s %s %s to %s %s%s, where the API and the other DNS servers have %s: queries that are routed to it get wrong answers",
		finding.Some(names), say, strings.Join(slices.Compact(said), "; "), first.Type, first.Name, more, right)
}

// views are what servers say to each question, each server once. A pod's resolver is none: it may be any of them.
func (x *index) views() map[resolve.Question][]view {
	views := map[resolve.Question][]view{}
	take := func(a *resolve.Answer) {
		q := a.Question
		if a.Unanswered() || a.Status == resolve.StatusUnsupported || a.Status == resolve.StatusNotAsked || q.Search {
			return
		}
		q.Server = ""
		text := string(a.Status)
		if data := x.observedData(&expectation{question: q}, a); len(data) > 0 {
			text = strings.Join(data, ", ")
		}
		if !slices.ContainsFunc(views[q], func(v view) bool { return v.server == a.Server }) {
			views[q] = append(views[q], view{text, a.Server, a})
		}
	}
	if x.Vantage.Kind == v1alpha1.VantageServers {
		for i := range x.Answers {
			take(&x.Answers[i])
		}
	}
	for i := range x.ServerAnswers {
		take(&x.ServerAnswers[i])
	}
	return views
}

// wrongServers are those that don't have what the API promises, where others have it, and that are never right where others are wrong. It is
// none unless that accounts for all questions about which servers differ.
func (x *index) wrongServers() []string {
	differing, views, settled := x.differing()
	if !settled {
		return nil
	}
	expected := map[resolve.Question]*expectation{}
	all := expectations(x)
	for i := range all {
		q := all[i].question
		q.Server = ""
		expected[q] = &all[i]
	}
	var right, wrong []string
	for _, q := range differing {
		e := expected[q]
		if e == nil {
			return nil
		}
		someRight, someWrong := false, false
		for _, v := range views[q] {
			if verdict, _ := x.compare(e, v.answer); verdict == v1alpha1.VerdictOK {
				someRight, right = true, append(right, v.server)
			} else {
				someWrong, wrong = true, append(wrong, v.server)
			}
		}
		if !someRight || !someWrong {
			return nil
		}
	}
	slices.SortFunc(wrong, resolve.CompareData)
	wrong = slices.Compact(wrong)
	if slices.ContainsFunc(wrong, func(server string) bool { return slices.Contains(right, server) }) {
		return nil
	}
	return wrong
}

// settled are those questions whose answers did not change a moment ago.
func (x *index) settled(list []resolve.Question) []resolve.Question {
	settling := map[resolve.Question]bool{}
	for _, e := range expectations(x) {
		if _, is := x.settling(e.subject); is {
			q := e.question
			q.Server = ""
			settling[q] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(q resolve.Question) bool { return settling[q] })
}

// otherFamily reports servers that say of a name which they have that it does not exist, when asked for addresses of the other family.
func otherFamily(x *index, f *findings) {
	has := map[string]bool{} // of a server and a name, whether it gave addresses for it
	for i := range x.Answers {
		if a := &x.Answers[i]; !a.Question.Search && !a.Question.TCP && len(a.Records) > 0 {
			has[a.Server+" "+a.Question.Name] = true
		}
	}
	var names, servers []string
	var kind resolve.Type
	for i := range x.OtherFamily {
		a := &x.OtherFamily[i]
		if a.Status != resolve.StatusNXDomain || !has[a.Server+" "+a.Question.Name] {
			continue
		}
		kind = a.Question.Type
		names = append(names, a.Question.Name)
		servers = append(servers, x.serverName(a.Server))
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	slices.Sort(servers)
	names, servers = slices.Compact(names), slices.Compact(servers)
	say, whose := "says", "it has"
	if len(servers) > 1 {
		say = "say"
	}
	if len(names) > 1 {
		whose = "they have"
	}
	f.add(v1alpha1.CodeDNSOtherFamily, v1alpha1.SeverityWarning, nil, "kubectl get configmap coredns -n kube-system -o yaml",
		"asked for %s, %s %s that there is no such name as %s (NXDOMAIN), although %s addresses of the other family: programs with musl (Alpine images) find no address at all",
		kind, finding.Some(servers), say, finding.Some(names), whose)
}

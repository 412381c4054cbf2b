package dns

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// records compares all expectations with the answers, by subject.
func records(x *index) [][]v1alpha1.DNSRecord {
	position := map[Subject]int{}
	rows := make([][]v1alpha1.DNSRecord, len(x.Subjects))
	for i, subject := range x.Subjects {
		position[subject] = i
		rows[i] = []v1alpha1.DNSRecord{}
	}
	first, again := answersByQuestion(x.counting(x.Answers)), answersByQuestion(x.counting(x.Again))
	for _, e := range expectations(x) {
		i := position[e.subject]
		rows[i] = append(rows[i], record(x, &e, first[e.question], again[e.question]))
	}
	return rows
}

// verdicts orders them, the one that counts most first.
var verdicts = []v1alpha1.DNSVerdict{
	v1alpha1.VerdictError, v1alpha1.VerdictMissing, v1alpha1.VerdictStale, v1alpha1.VerdictExtra, v1alpha1.VerdictPending,
	v1alpha1.VerdictUnknown, v1alpha1.VerdictOK,
}

// record compares an expectation with the answers to it. An answer that was asked for again takes the place of the first; of several
// servers the worst counts.
func record(x *index, e *expectation, first, again []*resolve.Answer) v1alpha1.DNSRecord {
	r := v1alpha1.DNSRecord{
		Name: e.question.Name, Type: v1alpha1.DNSRecordType(e.question.Type), TCP: e.question.TCP, Search: e.question.Search, Pod: e.pod,
		Expected: orEmpty(e.data), NoneExpected: e.none, Observed: []string{}, Verdict: v1alpha1.VerdictUnknown,
	}
	if len(first) == 0 {
		r.Verdict, r.Reason = x.unasked()
		if slices.Contains(x.TooEarly, e.question.Name) {
			r.Verdict, r.Reason = v1alpha1.VerdictPending, comesSoon
		}
	}
	for _, a := range first {
		r.Answers = append(r.Answers, x.answer(e, a, false))
	}
	for _, a := range again {
		r.Answers = append(r.Answers, x.answer(e, a, true))
	}
	counting := first
	if len(again) > 0 {
		counting = again
	}
	if len(e.tolerated) > 0 && slices.ContainsFunc(counting, func(a *resolve.Answer) bool { return len(x.observedData(e, a)) > 0 }) {
		r.NoneExpected = "not promised, as " + e.none
	}
	for i, a := range counting {
		verdict, reason := x.compare(e, a)
		if i == 0 || slices.Index(verdicts, verdict) < slices.Index(verdicts, r.Verdict) {
			r.Verdict, r.Reason, r.Observed = verdict, reason, orEmpty(x.observedData(e, a))
		}
	}
	switch r.Verdict {
	case v1alpha1.VerdictMissing, v1alpha1.VerdictStale, v1alpha1.VerdictExtra:
		if _, settling := x.settling(e.subject); settling {
			r.Verdict, r.Reason = v1alpha1.VerdictPending, justChanged
		}
	}
	return r
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (x *index) answer(e *expectation, a *resolve.Answer, again bool) v1alpha1.DNSAnswer {
	answer := v1alpha1.DNSAnswer{
		Server: a.Server, ServerPod: x.serverPod(a.Server), Transport: v1alpha1.TransportUDP, Status: v1alpha1.DNSStatus(a.Status), Data: x.observedData(e, a),
		NegativeTTLSeconds: a.NegativeTTL, Microseconds: a.Microseconds, Truncated: a.Truncated, Detail: a.Detail, Again: again,
	}
	if a.OverTCP || a.Question.TCP {
		answer.Transport = v1alpha1.TransportTCP
	}
	if a.Question.Search {
		answer.FullName = a.FullName
	}
	for _, record := range a.Records {
		if record.TTL != nil && (answer.TTLSeconds == nil || *record.TTL < *answer.TTLSeconds) {
			answer.TTLSeconds = record.TTL
		}
	}
	return answer
}

func (x *index) serverPod(address string) string {
	for _, server := range x.Vantage.Servers {
		if server.Address == address {
			return server.Pod
		}
	}
	return ""
}

// compare tells what an answer is worth.
func (x *index) compare(e *expectation, a *resolve.Answer) (v1alpha1.DNSVerdict, string) {
	observed := x.observedData(e, a)
	switch a.Status {
	case resolve.StatusNoError, resolve.StatusNXDomain, resolve.StatusNotFound:
	case resolve.StatusUnsupported, resolve.StatusNotAsked:
		return v1alpha1.VerdictUnknown, a.Detail
	case resolve.StatusServFail:
		// A name that goes through the search path is at last asked for outside the cluster, where a failure is no surprise.
		if !e.question.Search {
			return v1alpha1.VerdictError, string(a.Status)
		}
	default:
		switch {
		case x.starting && a.Unanswered():
			return v1alpha1.VerdictPending, serversStarting
		case x.changing && a.Unanswered() && x.answered(a.OverTCP || a.Question.TCP):
			return v1alpha1.VerdictPending, serversChanging
		}
		return v1alpha1.VerdictError, joined(string(a.Status), a.Detail)
	}
	if x.unread(subjectSlices) && x.headlessSubject(e.subject) {
		return v1alpha1.VerdictUnknown, slicesUnread
	}
	missing, surplus := difference(e.data, observed), difference(difference(observed, e.data), e.tolerated)
	switch {
	case len(missing) == 0 && len(surplus) == 0:
		return v1alpha1.VerdictOK, ""
	case len(surplus) > 0:
		var others []string
		for _, data := range surplus {
			if owner := x.ownerOf(e, data); owner != "" {
				others = append(others, data+" is that of "+owner)
			}
		}
		if len(others) == len(surplus) {
			return v1alpha1.VerdictExtra, strings.Join(others, ", ")
		}
		return v1alpha1.VerdictStale, x.staleReason(e, surplus)
	case a.Truncated && !a.OverTCP:
		return v1alpha1.VerdictUnknown, "the answer was truncated, and the tool does not support TCP"
	}
	return v1alpha1.VerdictMissing, missingReason(a, observed)
}

func joined(status, detail string) string {
	if detail == "" {
		return status
	}
	return status + ": " + detail
}

func (x *index) headlessSubject(subject Subject) bool {
	service := x.services[subject]
	return service != nil && objects.Headless(service)
}

func difference(a, b []string) []string {
	var list []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			list = append(list, s)
		}
	}
	return list
}

// ownerOf names what has an address or a name now, other than a pod of the Service that is left out; it is empty for what nothing has.
func (x *index) ownerOf(e *expectation, data string) string {
	for _, pod := range x.pods[e.subject.Namespace] {
		if !slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool { return ip.IP == data }) {
			continue
		}
		if service := x.services[e.subject]; service != nil && objects.Selects(service, pod.Labels) && (!objects.PodReady(pod) || objects.Terminating(pod)) {
			return ""
		}
		return "pod " + pod.Name
	}
	for key, service := range x.services {
		if key.Namespace == e.subject.Namespace && objects.HasClusterIP(service, data) {
			return "Service " + service.Name
		}
	}
	return ""
}

func (x *index) staleReason(e *expectation, surplus []string) string {
	for _, pod := range x.pods[e.subject.Namespace] {
		for _, ip := range pod.Status.PodIPs {
			switch {
			case slices.Contains(surplus, ip.IP) && objects.Terminating(pod):
				return fmt.Sprintf("%s is that of %s, which is terminating", ip.IP, pod.Name)
			case slices.Contains(surplus, ip.IP):
				return fmt.Sprintf("%s is that of %s, which is not ready", ip.IP, pod.Name)
			}
		}
	}
	return finding.Some(surplus) + " does not belong to any pod"
}

// missingReason says how the answer fell short.
func missingReason(a *resolve.Answer, observed []string) string {
	switch {
	case len(observed) > 0:
		return fmt.Sprintf("only %d found", len(observed))
	case a.Status == resolve.StatusNoError:
		return "NOERROR without records of this type"
	}
	return joined(string(a.Status), a.Detail)
}

// observedData is what an answer has, in the form of expectations. Addresses of the debug pod don't count, and a target that is
// named after its pod, as CoreDNS does with endpoint_pod_names, is taken for the address that it stands for.
func (x *index) observedData(e *expectation, a *resolve.Answer) []string {
	var list []string
	for _, record := range a.Records {
		data := record.Data
		if record.Type != e.question.Type || x.own[data] {
			continue
		}
		if record.Type == resolve.TypeSRV {
			fields := strings.Fields(data)
			data = fields[2] + " " + x.byAddress(e, fields[3])
		}
		if record.Type == resolve.TypePTR && !slices.Contains(e.data, data) && (x.namedByAddress(e.question.Name, data) || x.ofOthers(e, data)) {
			continue
		}
		if !slices.Contains(list, data) {
			list = append(list, data)
		}
	}
	slices.SortFunc(list, resolve.CompareData)
	return list
}

// ofOthers reports whether a name belongs to another namespace than what is looked at: pods on the network of a node share its address, and
// endpoints that people write may be of the same machine. It is judged there.
func (x *index) ofOthers(e *expectation, name string) bool {
	rest, ours := strings.CutSuffix(name, ".svc."+x.domain()+".")
	return ours && e.subject.Namespace != "" && rest[strings.LastIndex(rest, ".")+1:] != e.subject.Namespace
}

// namedByAddress reports whether a PTR record gives the name that DNS servers make up for an endpoint without a hostname: some
// versions of CoreDNS give it beside the others.
func (x *index) namedByAddress(question, data string) bool {
	address, ok := resolve.AddressOf(question)
	label, _, _ := strings.Cut(data, ".")
	if !ok || label == dashed(address) {
		return ok
	}
	return slices.ContainsFunc(x.Pods, func(pod corev1.Pod) bool {
		return pod.Name == label && pod.Spec.Hostname == "" && pod.Status.PodIP == address.String()
	})
}

// byAddress gives a target that is named after a pod without a hostname its other name.
func (x *index) byAddress(e *expectation, target string) string {
	label, rest, _ := strings.Cut(target, ".")
	for _, other := range x.endpoints(e.subject) {
		if other.hostname == "" && other.pod == label {
			return dashed(other.address) + "." + rest
		}
	}
	return target
}

// missed are the questions whose answers were negative although there are to be records, and the longest time that any of these
// answers is kept.
func missed(s *Snapshot) (again []resolve.Question, wait time.Duration) {
	x := newIndex(s)
	byQuestion := answersByQuestion(s.Answers)
	seen := map[resolve.Question]bool{}
	for _, e := range expectations(x) {
		for _, a := range byQuestion[e.question] {
			if len(e.data) == 0 || !a.Negative() && (!e.question.Search || len(x.observedData(&e, a)) > 0 || a.Unanswered()) {
				continue
			}
			if !seen[e.question] {
				seen[e.question] = true
				again = append(again, e.question)
			}
			kept := defaultNegativeTTL
			if a.NegativeTTL != nil {
				kept = time.Duration(*a.NegativeTTL) * time.Second
			}
			wait = max(wait, kept)
		}
	}
	return again, wait
}

func answersByQuestion(list []resolve.Answer) map[resolve.Question][]*resolve.Answer {
	byQuestion := map[resolve.Question][]*resolve.Answer{}
	for i := range list {
		byQuestion[list[i].Question] = append(byQuestion[list[i].Question], &list[i])
	}
	return byQuestion
}

// surprising reports whether any answer is not what is expected.
func (s *Snapshot) surprising() bool {
	for _, item := range records(newIndex(s)) {
		for i := range item {
			if item[i].Verdict != v1alpha1.VerdictOK {
				return true
			}
		}
	}
	return false
}

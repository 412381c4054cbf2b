package dns

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// Analyze turns a snapshot into the report: Services by namespace and name, findings the worst first.
func Analyze(s *Snapshot) *v1alpha1.HeadlessDNSList {
	x := newIndex(s)
	report := &v1alpha1.HeadlessDNSList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindHeadlessDNSList},
		Vantage:  s.Vantage,
		Items:    make([]v1alpha1.HeadlessDNS, 0, len(s.Subjects)),
	}
	rows := records(x)
	for i, subject := range s.Subjects {
		report.Items = append(report.Items, item(x, subject, rows[i]))
	}
	report.Findings = clusterFindings(x, report.Items)
	for i := range report.Items {
		report.Items[i].Findings = subjectFindings(x, s.Subjects[i], &report.Items[i], report.Findings)
	}
	conclude(report)
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		report.Problems = append(report.Problems, s.Problems[key])
	}
	if len(s.Answers) > 0 { // else nobody was asked anything, and a finding or a problem says why
		report.Problems = append(report.Problems, unanswerable(report.Items)...)
	}
	return report
}

// Findings are those of DNS and of all Services.
func Findings(report *v1alpha1.HeadlessDNSList) []v1alpha1.Finding {
	list := slices.Clone(report.Findings)
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

func item(x *index, subject Subject, rows []v1alpha1.DNSRecord) v1alpha1.HeadlessDNS {
	status := v1alpha1.HeadlessDNS{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindHeadlessDNS},
		Metadata: v1alpha1.ObjectMeta{Namespace: subject.Namespace, Name: subject.Service},
		State:    state(x, subject), Records: rows,
	}
	for _, set := range x.sets[subject] {
		status.StatefulSets = append(status.StatefulSets, set.Name)
	}
	if service := x.services[subject]; service != nil {
		status.Metadata.UID, status.Metadata.CreationTimestamp = string(service.UID), service.CreationTimestamp
		status.PublishNotReadyAddresses = service.Spec.PublishNotReadyAddresses
		for _, family := range service.Spec.IPFamilies {
			status.IPFamilies = append(status.IPFamilies, string(family))
		}
	}
	pods := map[string]bool{} // one with two families is one endpoint
	for _, e := range x.endpoints(subject) {
		key := cmp.Or(e.pod, e.hostname, e.address.String())
		pods[key] = pods[key] || e.ready
	}
	for _, isReady := range pods {
		status.Endpoints++
		if isReady {
			status.ReadyEndpoints++
		}
	}
	return status
}

func state(x *index, subject Subject) v1alpha1.ServiceState {
	service := x.services[subject]
	switch {
	case subject.Service == "":
		return v1alpha1.ServiceUnnamed
	case service == nil:
		return v1alpha1.ServiceMissing
	case !headless(service):
		return v1alpha1.ServiceNotHeadless
	}
	for _, set := range x.sets[subject] {
		if !selects(service, set.Spec.Template.Labels) {
			return v1alpha1.ServiceNotSelecting
		}
	}
	return v1alpha1.ServiceSound
}

// records compares all expectations with the answers, by subject.
func records(x *index) [][]v1alpha1.DNSRecord {
	position := map[Subject]int{}
	rows := make([][]v1alpha1.DNSRecord, len(x.Subjects))
	for i, subject := range x.Subjects {
		position[subject] = i
		rows[i] = []v1alpha1.DNSRecord{}
	}
	first, again := answersByQuestion(x.Answers), answersByQuestion(x.Again)
	for _, e := range expectations(x) {
		i := position[e.subject]
		rows[i] = append(rows[i], record(x, &e, first[e.question], again[e.question]))
	}
	return rows
}

// verdicts orders them, the one that counts most first.
var verdicts = []v1alpha1.DNSVerdict{
	v1alpha1.VerdictError, v1alpha1.VerdictMissing, v1alpha1.VerdictStale, v1alpha1.VerdictExtra, v1alpha1.VerdictUnknown, v1alpha1.VerdictOK,
}

// record compares an expectation with the answers to it. An answer that was asked for again takes the place of the first; of several
// servers the worst counts.
func record(x *index, e *expectation, first, again []*resolve.Answer) v1alpha1.DNSRecord {
	r := v1alpha1.DNSRecord{
		Name: e.question.Name, Type: string(e.question.Type), TCP: e.question.TCP, Search: e.question.Search, Pod: e.pod,
		Expected: orEmpty(e.data), NoneExpected: e.none, Observed: []string{}, Verdict: v1alpha1.VerdictUnknown, Reason: "it was not asked",
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
	for i, a := range counting {
		verdict, reason := x.compare(e, a)
		if i == 0 || slices.Index(verdicts, verdict) < slices.Index(verdicts, r.Verdict) {
			r.Verdict, r.Reason, r.Observed = verdict, reason, orEmpty(x.observedData(e, a))
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
		Server: a.Server, ServerPod: x.serverPod(a.Server), Transport: "UDP", Status: string(a.Status), Data: x.observedData(e, a),
		NegativeTTLSeconds: a.NegativeTTL, Microseconds: a.Microseconds, Truncated: a.Truncated, Detail: a.Detail, Again: again,
	}
	if a.OverTCP || a.Question.TCP {
		answer.Transport = "TCP"
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
		return v1alpha1.VerdictError, joined(string(a.Status), a.Detail)
	}
	if x.unread(subjectSlices) && x.headlessSubject(e.subject) {
		return v1alpha1.VerdictUnknown, "EndpointSlices could not be read: nobody knows what is expected"
	}
	missing, surplus := difference(e.data, observed), difference(observed, e.data)
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
		return v1alpha1.VerdictUnknown, "the answer was cut short, and the tool does not ask over TCP"
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
	return service != nil && headless(service)
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
		if service := x.services[e.subject]; service != nil && selects(service, pod.Labels) && !podReady(pod) {
			return ""
		}
		return "pod " + pod.Name
	}
	for key, service := range x.services {
		if key.Namespace == e.subject.Namespace && slices.Contains(append(service.Spec.ClusterIPs, service.Spec.ClusterIP), data) {
			return "Service " + service.Name
		}
	}
	return ""
}

func (x *index) staleReason(e *expectation, surplus []string) string {
	for _, pod := range x.pods[e.subject.Namespace] {
		for _, ip := range pod.Status.PodIPs {
			if slices.Contains(surplus, ip.IP) {
				return fmt.Sprintf("%s is that of %s, which is not ready", ip.IP, pod.Name)
			}
		}
	}
	return finding.Some(surplus) + " belongs to no pod"
}

// missingReason says how the answer fell short.
func missingReason(a *resolve.Answer, observed []string) string {
	switch {
	case len(observed) > 0:
		return fmt.Sprintf("only %d found", len(observed))
	case a.Status == resolve.StatusNoError:
		return "NOERROR without a record of the type"
	}
	return joined(string(a.Status), a.Detail)
}

// unanswerable are the questions that could not be asked, each cause once.
func unanswerable(items []v1alpha1.HeadlessDNS) []v1alpha1.Problem {
	names := map[string][]string{}
	for i := range items {
		for _, r := range items[i].Records {
			if r.Verdict == v1alpha1.VerdictUnknown && !strings.HasPrefix(r.Reason, "EndpointSlices") {
				names[r.Reason] = append(names[r.Reason], strings.TrimSuffix(r.Name, "."))
			}
		}
	}
	var list []v1alpha1.Problem
	for _, reason := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[reason])
		unique := slices.Compact(names[reason])
		list = append(list, v1alpha1.Problem{
			Subject: finding.Some(unique), Reason: v1alpha1.ReasonUnavailable, Message: cmp.Or(reason, "it was not asked"),
			Remedy: "ask with an image that has dig (--image), or the DNS servers (--from=dns)",
		})
	}
	return list
}

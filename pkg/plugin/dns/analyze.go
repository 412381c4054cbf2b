package dns

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// Analyze turns a snapshot into the report: Services by namespace and name, findings the worst first. What is on its way is judged at
// the time at which names were asked for; now is that of a snapshot without one.
func Analyze(s *Snapshot, now time.Time) *v1alpha1.HeadlessDNSList {
	x := newIndex(s)
	if x.at.IsZero() {
		x.at = now
	}
	servers := x.serverStates()
	x.starting = s.DNSService != nil && startingAll(servers, x.at)
	x.changing = s.DNSService != nil && x.serversChange()
	x.outside = x.asksOutside()
	x.wrong = x.wrongServers()
	report := &v1alpha1.HeadlessDNSList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindHeadlessDNSList},
		Vantage:  s.Vantage,
		Items:    make([]v1alpha1.HeadlessDNS, 0, len(s.Subjects)),
	}
	rows := records(x)
	for i, subject := range s.Subjects {
		report.Items = append(report.Items, item(x, subject, rows[i]))
	}
	for i := range report.Items {
		report.Items[i].Gaps = x.gapsOf(&report.Items[i])
	}
	report.Findings = clusterFindings(x, servers, report.Items)
	report.Gaps = x.gaps(report.Items)
	for i := range report.Items {
		report.Items[i].Findings = finding.In(report.Items[i].Metadata.Namespace, subjectFindings(x, s.Subjects[i], &report.Items[i], report.Findings))
	}
	conclude(report)
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		report.Problems = append(report.Problems, s.Problems[key])
	}
	if len(s.Answers) > 0 { // else nothing was queried anything, and a finding or a problem says why
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
			status.IPFamilies = append(status.IPFamilies, v1alpha1.IPFamily(family))
		}
	}
	type counted struct{ ready, terminating bool }
	pods := map[string]counted{} // one with two families is one endpoint
	for _, e := range x.endpoints(subject) {
		key := cmp.Or(e.pod, e.hostname, e.address.String())
		pods[key] = counted{pods[key].ready || e.ready, pods[key].terminating || e.terminating}
	}
	for _, pod := range pods {
		status.Endpoints++
		switch {
		case pod.ready:
			status.ReadyEndpoints++
		case pod.terminating:
			status.TerminatingEndpoints++
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
	case !objects.Headless(service):
		return v1alpha1.ServiceNotHeadless
	}
	for _, set := range x.sets[subject] {
		if !objects.Selects(service, set.Spec.Template.Labels) {
			return v1alpha1.ServiceNotSelecting
		}
	}
	return v1alpha1.ServiceSound
}

// slicesUnread is why it is unknown what an answer is worth. That EndpointSlices could not be read is a problem by itself.
const slicesUnread = "EndpointSlices could not be read, so the expected records are unknown"

// unanswerable are the questions that could not be asked, each cause once.
func unanswerable(items []v1alpha1.HeadlessDNS) []v1alpha1.Problem {
	names, remedies := map[string][]string{}, map[string]string{}
	for i := range items {
		for _, r := range items[i].Records {
			if r.Verdict != v1alpha1.VerdictUnknown || r.Reason == slicesUnread {
				continue
			}
			names[r.Reason] = append(names[r.Reason], strings.TrimSuffix(r.Name, "."))
			switch {
			case toolLimit(&r):
				remedies[r.Reason] = "use an image that has dig (--image), or query the DNS servers directly (--from=dns)"
			case r.Reason == resolve.TimeRanOut:
				remedies[r.Reason] = "raise --timeout"
			}
		}
	}
	var list []v1alpha1.Problem
	for _, reason := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[reason])
		unique := slices.Compact(names[reason])
		list = append(list, v1alpha1.Problem{
			Subject: finding.Some(unique), Reason: v1alpha1.ReasonUnavailable, Message: cmp.Or(reason, "not queried"),
			Remedy: remedies[reason],
		})
	}
	return list
}

package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// longestCause is how many characters of an error a gap has.
const longestCause = 100

func shorten(text string) string {
	if runes := []rune(text); len(runes) > longestCause {
		return string(runes[:longestCause-1]) + "…"
	}
	return text
}

// gaps are what was not looked at of DNS as such: what pods meet on their way to the servers, where the servers were asked themselves.
func (x *index) gaps(items []v1alpha1.HeadlessDNS) []v1alpha1.Gap {
	someRecord := slices.ContainsFunc(items, func(h v1alpha1.HeadlessDNS) bool { return len(h.Records) > 0 })
	if x.Vantage.Kind != v1alpha1.VantageServers || !someRecord {
		return nil
	}
	var list []v1alpha1.Gap
	add := func(format string, args ...any) {
		list = append(list, v1alpha1.Gap{Kind: v1alpha1.GapNotCovered, Reason: fmt.Sprintf(format, args...)})
	}
	if len(x.Answers) > 0 {
		add("UDP: needs %s", x.debugPodFlag())
	}
	switch served := x.Vantage.ServedDomain; {
	case x.Vantage.Pods != nil:
	case served != "" && served != defaultDomain && !x.DomainGiven && len(x.Answers) > 0:
		// That names resolve in the servers' domain says nothing about pods, whose kubelets have cluster.local unless they are told.
		list = append(list, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: fmt.Sprintf("which domain pods look up (the DNS servers serve %s): needs %s, or --cluster-domain", served, x.debugPodFlag())})
	default:
		add("pods' resolv.conf: needs %s", x.debugPodFlag())
	}
	if p := x.Vantage.Pods; p != nil && len(p.Nameservers) > 0 && cloudResolver(p.Nameservers[0]) && len(x.Answers) > 0 {
		add("the cloud's %s, which pods query: needs %s", p.Nameservers[0], x.debugPodFlag())
	}
	var others []string
	for _, server := range x.Vantage.Servers {
		if server.Pod == "" && server.Ready {
			others = append(others, server.Address)
		}
	}
	if len(others) > 0 && len(x.Answers) > 0 {
		add("DNS servers that are not pods (%s): needs %s", finding.Some(others), x.debugPodFlag())
	}
	return list
}

// debugPodFlag is the flag with which a pod would have asked.
func (x *index) debugPodFlag() string { return cmp.Or(x.DebugPodFlag, "--from=debug-pod") }

// gapsOf counts the records of a Service that were not asked for.
func (x *index) gapsOf(h *v1alpha1.HeadlessDNS) []v1alpha1.Gap {
	number := int32(0)
	for _, r := range h.Records {
		if len(r.Answers) == 0 && r.Reason != comesSoon {
			number++
		}
	}
	if number == 0 {
		return nil
	}
	gap := x.whyUnasked()
	gap.Number = number
	return []v1alpha1.Gap{gap}
}

// unasked is the verdict on a record that was not asked for.
func (x *index) unasked() (v1alpha1.DNSVerdict, string) {
	gap := x.whyUnasked()
	if gap.Kind == v1alpha1.GapPending {
		return v1alpha1.VerdictPending, gap.Reason
	}
	return v1alpha1.VerdictUnknown, gap.Reason
}

// whyUnasked says why records were not asked for, all for one reason.
func (x *index) whyUnasked() v1alpha1.Gap {
	gap := func(kind v1alpha1.GapKind, format string, args ...any) v1alpha1.Gap {
		return v1alpha1.Gap{Kind: kind, Reason: fmt.Sprintf(format, args...)}
	}
	elsewhere, address := x.asksElsewhere()
	switch {
	case x.NotAsked != "":
		return gap(v1alpha1.GapUnread, "%s", x.NotAsked)
	case len(x.Moved) > 0 && x.Vantage.Kind != v1alpha1.VantageServers: // of pods that came meanwhile
		return gap(v1alpha1.GapPending, "%s", changedSince)
	case x.Vantage.Kind != v1alpha1.VantageServers:
		return gap(v1alpha1.GapUnread, "not queried")
	case elsewhere:
		return gap(v1alpha1.GapNotCovered, "the DNS servers are not pods, and pods query %s: needs %s", address, x.debugPodFlag())
	case x.DNSService == nil:
		return gap(v1alpha1.GapUnread, "no DNS Service was found (looked for %s): name it with --dns-service, or use %s", strings.Join(x.soughtPlaces(), ", "), x.debugPodFlag())
	case len(x.Answers) > 0: // of servers that have ended since, or of other pods
		return gap(v1alpha1.GapPending, "%s", changedSince)
	case len(askable(x.Vantage.Servers)) == 0 && slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Ready && s.Pod == "" }):
		return gap(v1alpha1.GapNotCovered, "the DNS servers are not pods: needs %s", x.debugPodFlag())
	case x.starting:
		return gap(v1alpha1.GapPending, "%s", serversStarting)
	case len(askable(x.Vantage.Servers)) == 0 && slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Ready }):
		return gap(v1alpha1.GapNotCovered, "the DNS Service has no TCP port: needs %s", x.debugPodFlag())
	}
	return gap(v1alpha1.GapUnread, "no DNS server is ready")
}

// soughtPlaces are where the DNS Service was looked for.
func (x *index) soughtPlaces() []string {
	places := slices.Clone(x.Sought)
	if x.DNSServiceName == defaultDNSService && x.Vantage.Pods != nil && len(x.Vantage.Pods.Nameservers) > 0 {
		places = append(places, x.Vantage.Pods.Nameservers[0])
	}
	if len(places) == 0 {
		places = []string{x.DNSServiceName}
	}
	return places
}

// asksElsewhere reports whether pods are known to ask what is no Service with servers in pods, and which address that is: some clouds
// have name servers beside the cluster, at a link-local address or at one that no Service has.
func (x *index) asksElsewhere() (elsewhere bool, address string) {
	nameservers := x.Vantage.Nameservers
	if x.Vantage.Pods != nil {
		nameservers = x.Vantage.Pods.Nameservers
	}
	if len(nameservers) == 0 || slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Ready }) {
		return false, ""
	}
	address = nameservers[0]
	switch {
	case cloudResolver(address):
		return true, address
	case linkLocal(address): // a cache on the node asks the DNS Service; without one it is something else
		return x.DNSPodsRead && len(x.NodeLocalPods) == 0, address
	}
	// An address that no Service has may be one of a cloud's, or one at which nothing answers: which has not been seen.
	return false, address
}

// toolLimit reports whether a record is unknown only because the tool that asked can't ask so.
func toolLimit(r *v1alpha1.DNSRecord) bool {
	return len(r.Answers) > 0 && !slices.ContainsFunc(r.Answers, func(a v1alpha1.DNSAnswer) bool {
		return a.Status != v1alpha1.StatusUnsupported && !a.Truncated
	})
}

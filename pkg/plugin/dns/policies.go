package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// networkPolicies reports policies that select the pod that asks, or the pods of a set, and let nothing out to port 53 of the DNS
// servers. It reports whether they account for answers that did not come.
func networkPolicies(x *index, answers []resolve.Answer, f *findings) (blocked bool) {
	silentUDP, silentTCP := false, false
	for i := range answers {
		if a := &answers[i]; a.Unanswered() || a.Status == resolve.StatusNotFound {
			silentUDP = silentUDP || !a.Question.TCP
			silentTCP = silentTCP || a.Question.TCP || a.OverTCP
		}
	}
	asks := "the querying pod " + x.Vantage.Pod
	if x.Vantage.Kind == v1alpha1.VantageDebugPod {
		asks = "the debug pod"
	}
	if x.Vantage.Pod != "" && !x.outside {
		policies, protocols := x.leftOut(x.Vantage.Namespace, x.VantageLabels)
		felt := slices.Contains(protocols, corev1.ProtocolUDP) && silentUDP || slices.Contains(protocols, corev1.ProtocolTCP) && silentTCP
		switch {
		case len(protocols) == 0:
		case felt:
			blocked = true
			f.add(v1alpha1.CodeDNSNetworkPolicy, v1alpha1.SeverityError, prefixed("networkpolicy/", policies), allowRemedy(policies, x.Vantage.Namespace),
				"NetworkPolicy %[3]s blocks %[2]s to port 53 from %[1]s, and the DNS servers did not answer", asks, protocolList(protocols), finding.Some(policies))
		default:
			f.add(v1alpha1.CodeDNSNetworkPolicy, v1alpha1.SeverityWarning, prefixed("networkpolicy/", policies), allowRemedy(policies, x.Vantage.Namespace),
				"NetworkPolicy %[3]s should block %[2]s to port 53 from %[1]s, but answers came back: it is not enforced", asks, protocolList(protocols), finding.Some(policies))
		}
	}
	for i := range x.StatefulSets {
		set := &x.StatefulSets[i]
		if !slices.ContainsFunc(x.Subjects, func(s Subject) bool {
			service := x.services[s]
			return s.Namespace == set.Namespace && (s.Service == set.Spec.ServiceName || s.Set == set.Name || service != nil && objects.Selects(service, set.Spec.Template.Labels))
		}) {
			continue
		}
		policies, protocols := x.leftOut(set.Namespace, set.Spec.Template.Labels)
		if len(protocols) == 0 || x.Vantage.Namespace == set.Namespace && objects.HasLabels(x.VantageLabels, set.Spec.Template.Labels) {
			continue
		}
		f.add(v1alpha1.CodeDNSNetworkPolicy, v1alpha1.SeverityWarning, append(prefixed("networkpolicy/", policies), "statefulset/"+set.Name),
			fmt.Sprintf("kubectl doik dns sts/%[1]s --from-labels=sts/%[1]s -n %[2]s", set.Name, set.Namespace),
			"NetworkPolicy %[3]s blocks %[2]s to port 53 from the pods of StatefulSet %[1]s, but does not select the querying pod", set.Name, protocolList(protocols), finding.Some(policies))
	}
	return blocked
}

func allowRemedy(policies []string, namespace string) string {
	return fmt.Sprintf("kubectl describe networkpolicy %s -n %s", policies[0], namespace)
}

func protocolList(protocols []corev1.Protocol) string {
	names := make([]string, len(protocols))
	for i, p := range protocols {
		names[i] = string(p)
	}
	return strings.Join(names, " and ")
}

// leftOut lists the policies that select a pod's egress, and the protocols over which none of them lets it out to the DNS servers.
func (x *index) leftOut(namespace string, pod map[string]string) (policies []string, protocols []corev1.Protocol) {
	if x.DNSService == nil {
		return nil, nil // unknown where to
	}
	var rules []networkingv1.NetworkPolicyEgressRule
	for i := range x.NetworkPolicies {
		policy := &x.NetworkPolicies[i]
		if policy.Namespace != namespace || !restrictsEgress(policy) || !objects.Matches(&policy.Spec.PodSelector, pod) {
			continue
		}
		policies = append(policies, policy.Name)
		rules = append(rules, policy.Spec.Egress...)
	}
	if len(policies) == 0 {
		return nil, nil
	}
	for _, protocol := range []corev1.Protocol{corev1.ProtocolUDP, corev1.ProtocolTCP} {
		if !slices.ContainsFunc(rules, func(rule networkingv1.NetworkPolicyEgressRule) bool {
			return x.allowsPort(rule.Ports, protocol) && x.reachesDNS(rule.To, namespace)
		}) {
			protocols = append(protocols, protocol)
		}
	}
	return policies, protocols
}

// restrictsEgress reports whether a policy is one for egress: if it does not say so, it is if it has rules for it.
func restrictsEgress(policy *networkingv1.NetworkPolicy) bool {
	if len(policy.Spec.PolicyTypes) == 0 {
		return len(policy.Spec.Egress) > 0
	}
	return slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
}

// allowsPort reports whether ports of a rule include that of the DNS servers: port 53, or the one that they listen at.
func (x *index) allowsPort(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol) bool {
	if len(ports) == 0 {
		return true
	}
	wanted := []int32{dnsPort}
	for _, server := range x.Vantage.Servers {
		wanted = append(wanted, server.Port)
	}
	return slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		of := corev1.ProtocolTCP
		if p.Protocol != nil {
			of = *p.Protocol
		}
		switch {
		case of != protocol:
			return false
		case p.Port == nil:
			return true
		case p.Port.Type == intstr.String: // of a DNS server's container
			return p.Port.StrVal == "dns" || p.Port.StrVal == "dns-tcp" || p.Port.StrVal == "domain"
		case p.EndPort != nil:
			return slices.ContainsFunc(wanted, func(n int32) bool { return n >= p.Port.IntVal && n <= *p.EndPort })
		}
		return slices.Contains(wanted, p.Port.IntVal)
	})
}

// reachesDNS reports whether peers of a rule include the DNS servers. Policies of pods match after the Service's address has been
// replaced by a pod's, in most network plugins; an ipBlock with either counts.
func (x *index) reachesDNS(peers []networkingv1.NetworkPolicyPeer, namespace string) bool {
	if len(peers) == 0 {
		return true
	}
	addresses := append(slices.Clone(x.Vantage.Nameservers), x.DNSService.Spec.ClusterIP)
	for _, server := range x.Vantage.Servers {
		addresses = append(addresses, server.Address)
	}
	return slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		if peer.IPBlock != nil {
			return slices.ContainsFunc(addresses, func(address string) bool { return inBlock(peer.IPBlock, address) })
		}
		if peer.NamespaceSelector == nil && namespace != x.DNSService.Namespace {
			return false
		}
		if peer.NamespaceSelector != nil && !objects.Matches(peer.NamespaceSelector, x.DNSNamespaceLabels) {
			return false
		}
		// The DNS servers' pods have at least the labels by which their Service selects them.
		return peer.PodSelector == nil || objects.Matches(peer.PodSelector, x.DNSService.Spec.Selector)
	})
}

func inBlock(block *networkingv1.IPBlock, text string) bool {
	address, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	in := func(cidr string) bool {
		prefix, err := netip.ParsePrefix(cidr)
		return err == nil && prefix.Contains(address)
	}
	return in(block.CIDR) && !slices.ContainsFunc(block.Except, in)
}

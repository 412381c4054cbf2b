package dbtopology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// lag reports replicas that are late.
func (j *Judge) lag(s *server, c *channel) {
	one := PodNames([]*server{s})
	evidence := j.evidence(ProofOfLag, s, c)
	if c.DelaySeconds > 0 {
		remaining := ""
		if left := c.DelayLeftSeconds; left != nil {
			remaining = fmt.Sprintf("; the next transaction is applied in %s", dbstate.Duration(*left*1000))
		}
		j.add(finding.RuleDelayedReplica, v1alpha1.SeverityInfo, one, evidence, "%s%s is %s late on purpose%s", s.Pod.Name, ChannelName(c), dbstate.Duration(c.DelaySeconds*1000), remaining)
	}
	switch ms := c.LagMilliseconds; {
	case ms == nil:
		j.add(finding.RuleLagUnknown, v1alpha1.SeverityInfo, one, evidence, "%s%s: replication lag is unknown: %s", s.Pod.Name, ChannelName(c), c.LagUnknown)
	case *ms >= dbstate.LateMilliseconds:
		severity := v1alpha1.SeverityWarning
		if *ms >= dbstate.StaleMilliseconds {
			severity = v1alpha1.SeverityError
		}
		beyond := ""
		if c.DelaySeconds > 0 {
			beyond = fmt.Sprintf(" beyond its delay of %s", dbstate.Duration(c.DelaySeconds*1000))
		}
		j.add(finding.RuleReplicationLag, severity, one, evidence, "%s%s%s is %s late%s", s.Pod.Name, ChannelName(c), Readiness(s), dbstate.Duration(*ms), beyond)
	}
}

// leads reports where a channel leads.
func (j *Judge) leads(s *server, c *channel) {
	one := PodNames([]*server{s})
	where := j.evidence(ProofOfSource, s, c)
	switch {
	case c.MissingPod != "":
	case c.Source == nil && c.Ref.Host == "": // it is told to get its data in another way
	case c.Source == nil && j.leadsNowhere(c.Ref.Host): // that has a finding of its own
	case c.Source == nil && c.Receiver != v1alpha1.ThreadRuns && j.isPodAddress(c.Ref.Host):
		j.add(finding.RuleSourceByAddress, v1alpha1.SeverityError, one, where, "%s%s replicates from %s, an address of pods that none of the servers found here has: a pod that is recreated gets another one", s.Pod.Name, ChannelName(c), j.engine.sourceName(c.Ref))
	case c.Source == nil:
		j.add(finding.RuleReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s, which is not among the servers found here", s.Pod.Name, ChannelName(c), j.engine.sourceName(c.Ref))
	case c.Source.Set != j.Set:
		j.add(finding.RuleReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s of the set %s", s.Pod.Name, ChannelName(c), sourceOf(s, c).Pod, c.Source.Set.Name())
	default:
		switch {
		case c.Kept:
		case isPodsOwn(c.Ref.Host, c.Source.Pod):
			j.add(finding.RuleSourceByAddress, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s by its pod's address %s: when that pod is recreated it has another one, and replication ends", s.Pod.Name, ChannelName(c), c.Source.Pod.Name, c.Ref.Host)
		case c.Receiver != v1alpha1.ThreadRuns && j.isPodAddress(c.Ref.Host):
			j.add(finding.RuleSourceByAddress, v1alpha1.SeverityError, one, where, "%s%s replicates from %s by %s, an address that its pod no longer has (it has %s)", s.Pod.Name, ChannelName(c), c.Source.Pod.Name, c.Ref.Host, cmp.Or(c.Source.Pod.Status.PodIP, "none yet"))
			j.OnItsWay(c.Source)
		}
		if root, main := s.Root(), j.mainRoot(); root != nil && main != nil && root != main {
			j.add(finding.RuleWrongSource, v1alpha1.SeverityWarning, one, where, "%s%s follows %s, but the rest of the set follows %s", s.Pod.Name, ChannelName(c), root.Pod.Name, main.Pod.Name)
		}
	}
}

// leadsNowhere reports whether a host is a Service of the set's namespace that selects none of its servers now.
func (j *Judge) leadsNowhere(host string) bool {
	name, rest, _ := strings.Cut(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	namespace, _, _ := strings.Cut(rest, ".")
	return slices.ContainsFunc(j.Services, func(s corev1.Service) bool {
		selects := slices.ContainsFunc(j.Set.Servers, func(o *server) bool { return objects.Selects(&s, o.Pod.Labels) })
		return s.Name == name && s.Namespace == j.Set.Namespace && (namespace == "" || namespace == s.Namespace) && len(s.Spec.Selector) > 0 && !selects
	})
}

// isPodsOwn reports whether a host is a pod's address that goes with it: not that of its node.
func isPodsOwn(host string, pod *corev1.Pod) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && !address.IsLoopback() && !pod.Spec.HostNetwork &&
		(pod.Status.PodIP == host || slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool { return ip.IP == host }))
}

// isPodAddress reports whether a host is an address that the nodes found here give to pods.
func (j *Judge) isPodAddress(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for i := range j.Nodes {
		for _, cidr := range j.Nodes[i].Spec.PodCIDRs {
			if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Contains(address) {
				return true
			}
		}
	}
	return false
}

// mainRoot is the root that most servers of the set follow; nil if no root has more followers than each other.
func (j *Judge) mainRoot() *server {
	followers := map[*server]int{}
	for _, s := range j.Set.Servers {
		if root := s.Root(); root != nil && root != s {
			followers[root]++
		}
	}
	var best *server
	tie := false
	for _, s := range j.Set.Servers {
		switch n := followers[s]; {
		case n == 0:
		case best == nil || n > followers[best]:
			best, tie = s, false
		case n == followers[best]:
			tie = true
		}
	}
	if tie {
		return nil
	}
	return best
}

package dbtopology

import (
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// lag tells of replicas that are late.
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
		j.add(finding.RuleLagUnknown, v1alpha1.SeverityInfo, one, evidence, "%s%s: nobody can tell how late it is: %s", s.Pod.Name, ChannelName(c), c.LagUnknown)
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

// leads tells of where a channel leads.
func (j *Judge) leads(s *server, c *channel) {
	one := PodNames([]*server{s})
	where := j.evidence(ProofOfSource, s, c)
	switch {
	case c.MissingPod != "":
	case c.Source == nil:
		j.add(finding.RuleReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s, which is no server that was found here", s.Pod.Name, ChannelName(c), j.engine.sourceName(c.Ref))
	case c.Source.Set != j.Set:
		j.add(finding.RuleReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s of the set %s", s.Pod.Name, ChannelName(c), sourceOf(s, c).Pod, c.Source.Set.Name())
	default:
		if root, main := s.Root(), j.mainRoot(); root != nil && main != nil && root != main {
			j.add(finding.RuleWrongSource, v1alpha1.SeverityWarning, one, where, "%s%s follows %s, and the rest of the set follows %s", s.Pod.Name, ChannelName(c), root.Pod.Name, main.Pod.Name)
		}
	}
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

package dbtopology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// sources looks for the server that takes the writes.
func (j *Judge) sources() {
	j.cycles()
	if len(j.Set.Servers) == 1 || j.grouped() {
		return
	}
	var candidates, orphans []*server
	unknown, outside, inCycle := false, false, false
	for _, s := range j.Set.Servers {
		switch {
		case !s.Answered, s.ChannelsUnknown, len(s.Links) == 0 && len(s.Replicas) == 0 && (s.Starting() || j.settling(s)): // it may not have been told yet
			unknown = true
		case len(s.Links) > 0:
			outside = outside || slices.ContainsFunc(s.Links, func(c *channel) bool { return c.Source == nil || c.Source.Set != j.Set })
			inCycle = inCycle || s.Follows(s)
		case s.TakesWrites || len(s.Replicas) > 0:
			candidates = append(candidates, s)
		default:
			orphans = append(orphans, s)
		}
	}
	written := slices.ContainsFunc(j.Set.Servers, func(s *server) bool { return s.TakesWrites })
	switch {
	case !written && !unknown && !outside && len(candidates) == 1 && len(candidates[0].Leftovers) > 0:
		s := candidates[0]
		j.add(finding.RuleNoSource, v1alpha1.SeverityCritical, PodNames(j.Set.Servers), j.evidence(ProofOfWrites, s, nil),
			"no server takes writes: %s, which %s from, is read-only", s.Pod.Name, replicate(PodNames(s.Replicas)))
	case !written && !unknown && !outside && len(candidates) == 0 && inCycle:
		var evidence []v1alpha1.Evidence
		for _, s := range j.Set.Servers {
			evidence = append(evidence, j.evidence(ProofOfWrites, s, nil)...)
		}
		j.add(finding.RuleNoSource, v1alpha1.SeverityCritical, PodNames(j.Set.Servers), evidence,
			"no server takes writes: all of %s are read-only", strings.Join(PodNames(j.Set.Servers), ", "))
	case len(candidates) > 1:
		var evidence []v1alpha1.Evidence
		var reasons []string
		for _, s := range candidates {
			evidence = append(evidence, j.evidence(ProofOfWrites, s, nil)...)
			reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, claim(s)))
		}
		if collects := j.collector(candidates); collects != nil {
			j.add(finding.RuleSeveralSources, v1alpha1.SeverityInfo, PodNames(candidates), evidence,
				"%d servers of the set have no source: %s; %s replicates from all of them", len(candidates), strings.Join(reasons, ", "), collects.Pod.Name)
			break
		}
		if j.independent(candidates) {
			j.add(finding.RuleSeveralSources, v1alpha1.SeverityInfo, PodNames(candidates), evidence,
				"the %d servers of the set are independent: each takes writes, and none has ever had data of another", len(candidates))
			j.sharedByService(candidates)
			break
		}
		j.add(finding.RuleSeveralSources, v1alpha1.SeverityCritical, PodNames(candidates), evidence,
			"%d servers of the set have no source: %s; writes to one never reach the others", len(candidates), strings.Join(reasons, ", "))
	case len(candidates) == 0 && !unknown && !outside && !inCycle:
		var evidence []v1alpha1.Evidence
		for _, s := range j.Set.Servers {
			evidence = append(evidence, j.evidence(ProofOfWrites, s, nil)...)
		}
		j.add(finding.RuleNoSource, v1alpha1.SeverityCritical, PodNames(j.Set.Servers), evidence,
			"no server takes writes: all of %s are read-only and have no source", strings.Join(PodNames(j.Set.Servers), ", "))
		return // each is an orphan
	}
	for _, s := range orphans {
		j.add(finding.RuleReceiverStopped, v1alpha1.SeverityCritical, PodNames([]*server{s}), j.evidence(ProofOfWrites, s, nil),
			"%s%s is read-only and has no replication channel: its data no longer changes", s.Pod.Name, Readiness(s))
	}
}

// independent reports whether the servers of a set are each for themselves, as shards are: none replicates, no operator says that one is the
// primary, and none has ever had data of another.
func (j *Judge) independent(candidates []*server) bool {
	if len(candidates) != len(j.Set.Servers) {
		return false
	}
	for i, a := range candidates {
		if a.Flavour.Role != nil || len(a.Replicas) > 0 {
			return false
		}
		for _, b := range candidates[i+1:] {
			if related, known := j.engine.Related(a, b); related || !known {
				return false
			}
		}
	}
	return true
}

// sharedByService makes the newest finding, that servers are independent, critical where a Service sends clients to any of them.
func (j *Judge) sharedByService(servers []*server) {
	for i := range j.Report.Services {
		v := &j.Report.Services[i]
		shared := slices.DeleteFunc(PodNames(servers), func(name string) bool { return !slices.Contains(v.Reaches, name) })
		if v.Headless || len(shared) < 2 {
			continue
		}
		f := &j.list[len(j.list)-1]
		f.Severity = v1alpha1.SeverityCritical
		f.Message += fmt.Sprintf("; the Service %s sends clients to any of %s", v.Name, strings.Join(shared, ", "))
		f.Objects = append(f.Objects, finding.Ref("service/"+v.Name))
	}
}

// collector is a server that replicates from each of several sources; nil without one.
func (j *Judge) collector(sources []*server) *server {
	i := slices.IndexFunc(j.Set.Servers, func(s *server) bool {
		return !slices.ContainsFunc(sources, func(o *server) bool { return !s.Follows(o) })
	})
	if i < 0 {
		return nil
	}
	return j.Set.Servers[i]
}

// claim says why a server without a channel counts as a source.
func claim(s *server) string {
	var reasons []string
	if s.TakesWrites {
		reasons = append(reasons, "writable")
	}
	if n := len(s.Replicas); n > 0 {
		reasons = append(reasons, Count(n, "replica"))
	}
	return strings.Join(reasons, ", ")
}

// unreachableSources reports sources that did not answer, or that have no pod, by what their replicas say.
func (j *Judge) unreachableSources() {
	type lost struct {
		why      string
		replicas []*server
		channels []*channel
	}
	found := map[string]*lost{}
	var order []string
	for _, s := range j.Set.Servers {
		for _, c := range s.Links {
			name, why := c.MissingPod, "it has no pod"
			if c.Source != nil && c.Source.Set == j.Set && !c.Source.Answered {
				name = c.Source.Pod.Name
				why = "it does not answer"
			}
			if name == "" {
				continue
			}
			if found[name] == nil {
				found[name] = &lost{why: why}
				order = append(order, name)
			}
			found[name].replicas = append(found[name].replicas, s)
			found[name].channels = append(found[name].channels, c)
		}
	}
	for _, name := range order {
		l := found[name]
		source := dbstate.Only(j.Set.Servers, func(s *server) bool { return s.Pod.Name == name })
		var evidence []v1alpha1.Evidence
		receiving, reason := []string{}, ""
		for i, c := range l.channels {
			evidence = append(evidence, j.evidence(ProofOfReceiver, l.replicas[i], c)...)
			if c.Receiver == v1alpha1.ThreadRuns {
				receiving = append(receiving, l.replicas[i].Pod.Name)
			} else if e := c.ReceiverError; e != nil && reason == "" {
				reason = fmt.Sprintf(": %s says %s", l.replicas[i].Pod.Name, e.Short)
			}
		}
		if len(receiving) > 0 && source != nil && source.Silent() {
			continue // that it does not answer anybody has a finding of its own: connections stay open for a while
		}
		if len(receiving) > 0 {
			j.add(finding.RuleSourceUnreachableFromHere, v1alpha1.SeverityWarning, []string{name}, evidence,
				"%s, the source of %s: %s, but %s from it", name, strings.Join(PodNames(l.replicas), ", "), l.why, stillReceive(receiving))
			if source == nil && j.Replacing() {
				j.Progress()
			}
			continue
		}
		j.sourceGone[name] = true
		if source != nil {
			l.why += ": " + source.Said.Failure.Message + j.since(source)
			if services := j.sendingTo(source); len(services) > 0 {
				reason += "; " + sendClients(services)
			}
		}
		j.add(finding.RuleSourceUnreachable, v1alpha1.SeverityCritical, append([]string{name}, PodNames(l.replicas)...), evidence,
			"%s, the source of %s: %s, and no replica receives from it%s", name, strings.Join(PodNames(l.replicas), ", "), l.why, reason)
		if source == nil && j.Replacing() {
			j.Progress()
		} else if source != nil {
			j.Joins(source)
		}
	}
}

func stillReceive(names []string) string {
	if len(names) == 1 {
		return names[0] + " still receives"
	}
	return strings.Join(names, ", ") + " still receive"
}

// cycles reports servers that replicate from each other, each cycle once.
func (j *Judge) cycles() {
	told := map[*server]bool{}
	for _, s := range j.Set.Servers {
		if told[s] || !s.Follows(s) {
			continue
		}
		var ring []*server
		writable := 0
		for _, o := range j.Set.Servers {
			if o == s || o.Follows(s) && s.Follows(o) {
				ring = append(ring, o)
				told[o] = true
				if o.TakesWrites {
					writable++
				}
			}
		}
		severity, text := v1alpha1.SeverityWarning, "one of them takes writes"
		switch writable {
		case 0:
			text = "none of them takes writes"
		case 1:
		default:
			severity, text = v1alpha1.SeverityCritical, fmt.Sprintf("%d of them take writes, which may conflict", writable)
		}
		var evidence []v1alpha1.Evidence
		for _, o := range ring {
			for _, c := range o.Links {
				evidence = append(evidence, j.evidence(ProofOfCycle, o, c)...)
			}
		}
		j.add(finding.RuleReplicationCycle, severity, PodNames(ring), evidence, "%s replicate from each other; %s", strings.Join(PodNames(ring), ", "), text)
	}
}

// grouped reports whether the set is a group: it has a rule of its own for who takes the writes.
func (j *Judge) grouped() bool {
	return slices.ContainsFunc(j.Set.Servers, func(s *server) bool { return s.Member != nil })
}

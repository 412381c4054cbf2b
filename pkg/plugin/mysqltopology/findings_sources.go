package mysqltopology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
)

// sources looks for the server that takes the writes.
func (j *judge) sources() {
	j.cycles()
	if len(j.set.Servers) == 1 || j.topology.Replication == v1alpha1.ReplicationGroup || j.topology.Replication == v1alpha1.ReplicationGalera {
		return
	}
	var candidates, orphans []*server
	unknown, outside, inCycle := false, false, false
	for _, s := range j.set.Servers {
		switch {
		case !s.Answered, s.ChannelsUnknown, s.Starting() && len(s.Links) == 0: // it may not have been told yet
			unknown = true
		case len(s.Links) > 0:
			outside = outside || slices.ContainsFunc(s.Links, func(c *channel) bool { return c.Source == nil || c.Source.Set != j.set })
			inCycle = inCycle || s.Follows(s)
		case s.Writable() || len(s.Replicas) > 0:
			candidates = append(candidates, s)
		default:
			orphans = append(orphans, s)
		}
	}
	switch {
	case len(candidates) > 1:
		var evidence []v1alpha1.Evidence
		var reasons []string
		for _, s := range candidates {
			evidence = append(evidence, quote(s, mysql.SubjectVariables, "read_only")...)
			reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, claim(s)))
		}
		if collects := j.collector(candidates); collects != nil {
			j.add(v1alpha1.CodeSeveralSources, v1alpha1.SeverityInfo, podNames(candidates), evidence,
				"%d servers of the set replicate from nobody: %s; %s gets what is written to each", len(candidates), strings.Join(reasons, ", "), collects.Pod.Name)
			break
		}
		j.add(v1alpha1.CodeSeveralSources, v1alpha1.SeverityCritical, podNames(candidates), evidence,
			"%d servers of the set replicate from nobody: %s; what is written to one the others never get", len(candidates), strings.Join(reasons, ", "))
	case len(candidates) == 0 && !unknown && !outside && !inCycle:
		var evidence []v1alpha1.Evidence
		for _, s := range j.set.Servers {
			evidence = append(evidence, quote(s, mysql.SubjectVariables, "read_only")...)
		}
		j.add(v1alpha1.CodeNoSource, v1alpha1.SeverityCritical, podNames(j.set.Servers), evidence,
			"no server takes writes: all of %s are read-only and replicate from nobody", strings.Join(podNames(j.set.Servers), ", "))
		return // each is an orphan
	}
	for _, s := range orphans {
		j.add(v1alpha1.CodeReceiverStopped, v1alpha1.SeverityCritical, podNames([]*server{s}), quote(s, mysql.SubjectVariables, "read_only"),
			"%s%s is read-only and replicates from nobody: it has no channel, so its data stays as it is", s.Pod.Name, readiness(s))
	}
}

// collector is a server that replicates from each of several sources; nil without one.
func (j *judge) collector(sources []*server) *server {
	i := slices.IndexFunc(j.set.Servers, func(s *server) bool {
		return !slices.ContainsFunc(sources, func(o *server) bool { return !s.Follows(o) })
	})
	if i < 0 {
		return nil
	}
	return j.set.Servers[i]
}

// claim says why a server without a channel counts as a source.
func claim(s *server) string {
	var reasons []string
	if s.Writable() {
		reasons = append(reasons, "writable")
	}
	if n := len(s.Replicas); n > 0 {
		reasons = append(reasons, count(n, "replica"))
	}
	return strings.Join(reasons, ", ")
}

// unreachableSources tells of sources that did not answer, or that have no pod, by what their replicas say.
func (j *judge) unreachableSources() {
	type lost struct {
		why      string
		replicas []*server
		channels []*channel
	}
	found := map[string]*lost{}
	var order []string
	for _, s := range j.set.Servers {
		for _, c := range s.Links {
			name, why := c.MissingPod, "it has no pod"
			if c.Source != nil && c.Source.Set == j.set && !c.Source.Answered {
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
		source := replication.Only(j.set.Servers, func(s *server) bool { return s.Pod.Name == name })
		var evidence []v1alpha1.Evidence
		receiving, reason := []string{}, ""
		for i, c := range l.channels {
			evidence = append(evidence, quoteChannel(c, l.replicas[i], receiverColumns...)...)
			if c.Receiver == "Yes" {
				receiving = append(receiving, l.replicas[i].Pod.Name)
			} else if e := c.ReceiverError; e != nil && reason == "" {
				reason = fmt.Sprintf(": %s says %s", l.replicas[i].Pod.Name, receiverError(e))
			}
		}
		if len(receiving) > 0 && source != nil && source.Silent() {
			continue // that it does not answer anybody has a finding of its own: connections stay open for a while
		}
		if len(receiving) > 0 {
			j.add(v1alpha1.CodeSourceUnreachableFromHere, v1alpha1.SeverityWarning, []string{name}, evidence,
				"%s, the source of %s: %s, but %s from it", name, strings.Join(podNames(l.replicas), ", "), l.why, stillReceive(receiving))
			if source == nil && j.replacing() {
				j.progress()
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
		j.add(v1alpha1.CodeSourceUnreachable, v1alpha1.SeverityCritical, append([]string{name}, podNames(l.replicas)...), evidence,
			"%s, the source of %s: %s, and no replica receives from it%s", name, strings.Join(podNames(l.replicas), ", "), l.why, reason)
		if source == nil && j.replacing() {
			j.progress()
		} else {
			j.onItsWay(source)
		}
	}
}

func stillReceive(names []string) string {
	if len(names) == 1 {
		return names[0] + " still receives"
	}
	return strings.Join(names, ", ") + " still receive"
}

// cycles tells of servers that replicate from each other, each cycle once.
func (j *judge) cycles() {
	told := map[*server]bool{}
	for _, s := range j.set.Servers {
		if told[s] || !s.Follows(s) {
			continue
		}
		var ring []*server
		writable := 0
		for _, o := range j.set.Servers {
			if o == s || o.Follows(s) && s.Follows(o) {
				ring = append(ring, o)
				told[o] = true
				if o.Writable() {
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
			severity, text = v1alpha1.SeverityCritical, fmt.Sprintf("%d of them take writes, which may contradict each other", writable)
		}
		var evidence []v1alpha1.Evidence
		for _, o := range ring {
			for _, c := range o.Links {
				evidence = append(evidence, quoteChannel(c, o, "Source_Host", "Source_UUID", "Master_Host", "Master_Server_Id")...)
			}
		}
		j.add(v1alpha1.CodeReplicationCycle, severity, podNames(ring), evidence, "%s replicate from each other; %s", strings.Join(podNames(ring), ", "), text)
	}
}

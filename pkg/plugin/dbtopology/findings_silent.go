package dbtopology

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// quiet is for how long a replica hears nothing of a source that is no more: sources send heartbeats every 30 s by default (half of
// replica_net_timeout), and one may be lost.
const quiet = time.Minute

// silentServers reports servers that do not answer: why, since when, who replicates from them, and which Services send clients there.
func (j *Judge) silentServers() {
	for _, s := range j.Set.Servers {
		if !s.Silent() || j.sourceGone[s.Pod.Name] {
			continue
		}
		severity := v1alpha1.SeverityError
		names, evidence := []*server{s}, []v1alpha1.Evidence(nil)
		text := s.Pod.Name + Readiness(s) + " does not answer: " + s.Said.Failure.Message
		if s.Said.Failure.Reason == v1alpha1.ReasonNotRunning {
			text = s.Pod.Name + Readiness(s) + " does not run: " + s.Said.Failure.Message
		}
		text += j.since(s)
		if len(s.Replicas) > 0 {
			severity = v1alpha1.SeverityCritical // it takes the writes
			names = append(names, s.Replicas...)
			text += fmt.Sprintf("; %s from it", replicate(PodNames(s.Replicas)))
			for _, r := range s.Replicas {
				for _, c := range r.Links {
					if c.Source == s {
						evidence = append(evidence, j.evidence(ProofOfReceiver, r, c)...)
						text += heartbeat(c, r)
					}
				}
			}
		}
		j.add(finding.RuleServerSilent, severity, PodNames(names), evidence, "%s", text)
		j.SendsClients(s, severity)
		j.Joins(s) // what it said last may be older than its pod's readiness
	}
}

// since says since when a server does not answer, as far as that is known: a watch has seen it answer.
func (j *Judge) since(s *server) string {
	if s.Said.LastAnswer == nil {
		return ""
	}
	return " (last answer at " + s.Said.LastAnswer.Format(time.TimeOnly) + ")"
}

// heartbeat says for how long a replica has heard nothing of its source, if that is longer than it should be.
func heartbeat(c *channel, s *server) string {
	if c.HeardNothingFor < quiet {
		return ""
	}
	return fmt.Sprintf(" (%s has received nothing from it for %s)", s.Pod.Name, dbstate.Duration(c.HeardNothingFor.Milliseconds()))
}

// refusingServers reports servers that were reached and have no place for another client. Replication goes on: its connections are open.
func (j *Judge) refusingServers() {
	for _, s := range j.Set.Servers {
		if s.Answered || s.Said.Failure == nil || s.Said.Failure.Reason != v1alpha1.ReasonRefusesClients {
			continue
		}
		severity := v1alpha1.SeverityError
		if len(s.Replicas) > 0 || len(j.Set.Servers) == 1 {
			severity = v1alpha1.SeverityCritical // it takes the writes
		}
		j.add(finding.RuleRefusesClients, severity, PodNames([]*server{s}), nil, "%s%s refuses new clients: %s", s.Pod.Name, Readiness(s), s.Said.Failure.Message)
		j.SendsClients(s, severity)
		j.OnItsWay(s)
	}
}

// SendsClients adds to the newest finding, which is about a server, the Services that send clients there. Then it is at least of this severity.
func (j *Judge) SendsClients(s *server, severity v1alpha1.Severity) {
	services := j.sendingTo(s)
	if len(services) == 0 {
		return
	}
	f := &j.list[len(j.list)-1]
	f.Message += "; " + sendClients(services)
	for _, service := range services { // behind the pod, by which the timeline knows the finding
		f.Objects = append(f.Objects, finding.Ref("service/"+service))
	}
	if finding.CompareSeverity(severity, f.Severity) > 0 {
		f.Severity = severity
	}
}

// sendingTo are the Services that have a server among their ready endpoints.
func (j *Judge) sendingTo(s *server) []string {
	var names []string
	for i := range j.Report.Services {
		if v := &j.Report.Services[i]; slices.Contains(v.Reaches, s.Pod.Name) {
			names = append(names, v.Name)
		}
	}
	return names
}

func sendClients(services []string) string {
	if len(services) == 1 {
		return "the Service " + services[0] + " sends clients to it"
	}
	return "the Services " + strings.Join(services, ", ") + " send clients to it"
}

func replicate(names []string) string {
	if len(names) == 1 {
		return names[0] + " replicates"
	}
	return strings.Join(names, ", ") + " replicate"
}

package dbtopology

import (
	"cmp"
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Judge collects the findings of one set.
type Judge struct {
	*index
	engine *Engine
	// Set is what is judged, Report what is reported of it.
	Set    *dbstate.Set
	Report *v1alpha1.DatabaseTopology
	list   []v1alpha1.Finding
	// sourceGone are the unreachable or missing sources that a finding reports: their replicas' receivers need none of their own.
	sourceGone map[string]bool
}

// findings are what is wrong with a set, the worst first.
func (x *index) findings(e *Engine, set *set, t *v1alpha1.DatabaseTopology) []v1alpha1.Finding {
	j := &Judge{index: x, engine: e, Set: set, Report: t, sourceGone: map[string]bool{}}
	j.unreachableSources()
	j.silentServers()
	j.refusingServers()
	j.sources()
	e.Rules(j)
	for _, s := range set.Servers {
		for _, c := range s.Links {
			e.ChannelRules(j, s, c)
			j.lag(s, c)
			j.leads(s, c)
		}
		e.ServerRules(j, s)
	}
	j.readiness()
	j.services()
	j.mixed()
	j.placement()
	finding.Sort(j.list)
	return j.list
}

// Add adds a finding about pods, with the answers that it rests on.
func (j *Judge) Add(code v1alpha1.Code, severity v1alpha1.Severity, pods []string, evidence []v1alpha1.Evidence, format string, args ...any) {
	objects := make([]string, len(pods))
	for i, pod := range pods {
		objects[i] = "pod/" + pod
	}
	f := finding.New(code, severity, objects, "", format, args...)
	f.Evidence = evidence
	j.list = append(j.list, f)
}

// Advise makes a command the remedy of the newest finding; an empty one leaves it to the page of its code.
func (j *Judge) Advise(command string) { j.list[len(j.list)-1].Remedy.Command = command }

// Code is a general rule's code of the engine.
func (j *Judge) Code(rule finding.Rule) v1alpha1.Code { return j.engine.Code(rule) }

// add adds a finding of a general rule.
func (j *Judge) add(rule finding.Rule, severity v1alpha1.Severity, pods []string, evidence []v1alpha1.Evidence, format string, args ...any) {
	j.Add(j.engine.Code(rule), severity, pods, evidence, format, args...)
}

// evidence is what a server, or its channel, answered on which a general rule rests.
func (j *Judge) evidence(proof Proof, s *server, c *channel) []v1alpha1.Evidence {
	return j.engine.Evidence(proof, s, c)
}

// Readiness is what Kubernetes thinks of a broken server: readers are sent to it.
func Readiness(s *server) string {
	if objects.PodReady(s.Pod) {
		return " (the pod is Ready)"
	}
	return ""
}

// PodNames are the names of servers' pods.
func PodNames(list []*server) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Pod.Name
	}
	return names
}

// ChannelName is a channel's name in brackets; empty for the only one.
func ChannelName(c *channel) string {
	if c.Name == "" {
		return ""
	}
	return fmt.Sprintf(" (channel %s)", c.Name)
}

// sourceName is how a channel names its source.
func (e *Engine) sourceName(ref dbstate.Ref) string {
	name := cmp.Or(ref.Host, "a source")
	if ref.Port != 0 && ref.Port != int64(e.Port) {
		name = fmt.Sprintf("%s:%d", name, ref.Port)
	}
	if ref.UUID != "" {
		name += " (" + ref.UUID + ")"
	}
	return name
}

// Count is a number of things: 1 replica, 2 replicas.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

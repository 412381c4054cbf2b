package dbtopology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// told are findings that the timeline tells in other words: threads that stop, and replicas that are late.
var told = [...]finding.Rule{
	finding.RuleApplierError, finding.RuleApplierStopped, finding.RuleReceiverGaveUp, finding.RuleReceiverConnecting, finding.RuleReceiverStopped,
	finding.RuleReceiverError, finding.RuleReplicationLag,
}

// hasty are rules that hold what the API's watches tell, labels and endpoints, against servers' answers, which are a poll old.
var hasty = []finding.Rule{
	finding.RuleReadyButBroken, finding.RuleRoleLabelWrong, finding.RuleWriteServiceReachesReplica, finding.RuleReadServiceReachesBroken,
	finding.RuleWriteServiceReachesNothing,
}

// NewHold keeps findings back of which a watch has seen one side alone, until servers that are asked every interval have been asked again.
// More are codes of findings that are made of such.
func NewHold(engines []*Engine, interval time.Duration, more ...v1alpha1.Code) *finding.Hold {
	codes := slices.Clone(more)
	for _, e := range engines {
		codes = append(codes, e.Hasty...)
	}
	return finding.NewHold(max(interval*3/4, time.Second), hasty, codes...) // no whole interval: the next round counts
}

// without is a report without the findings that are kept back.
func without(report *v1alpha1.DatabaseTopologyList, hold *finding.Hold) *v1alpha1.DatabaseTopologyList {
	kept := *report
	kept.Items = slices.Clone(report.Items)
	for i := range kept.Items {
		kept.Items[i].Findings = slices.DeleteFunc(slices.Clone(kept.Items[i].Findings), hold.Held)
	}
	return &kept
}

// Timeline tells what has happened between two reports: to servers, by name, then to Services, and which findings came and went.
func Timeline(engines []*Engine, before, after *v1alpha1.DatabaseTopologyList, now time.Time) []printers.Happening {
	t := &timeline{engines: engines, now: now, namespaces: namespaces(before, after) > 1}
	for _, e := range engines {
		for _, rule := range told {
			t.told = append(t.told, e.Code(rule))
		}
	}
	old := map[string]*v1alpha1.DatabaseTopology{}
	for i := range before.Items {
		old[setKey(&before.Items[i])] = &before.Items[i]
	}
	for i := range after.Items {
		set := &after.Items[i]
		was := cmp.Or(old[setKey(set)], &v1alpha1.DatabaseTopology{Metadata: set.Metadata})
		delete(old, setKey(set))
		t.set(was, set)
	}
	for i := range before.Items { // in the order of the report
		if set := &before.Items[i]; old[setKey(set)] != nil {
			t.set(set, &v1alpha1.DatabaseTopology{Metadata: set.Metadata})
		}
	}
	return t.list
}

func setKey(t *v1alpha1.DatabaseTopology) string {
	return t.Metadata.Namespace + "/" + t.Metadata.Name + " " + owner(t)
}

// owner is what controls the pods of a set, as kind/name; empty where nothing does.
func owner(t *v1alpha1.DatabaseTopology) string {
	if t.Owner == nil {
		return ""
	}
	return finding.Object(*t.Owner, t.Owner.Namespace)
}

func namespaces(reports ...*v1alpha1.DatabaseTopologyList) int {
	seen := map[string]bool{}
	for _, r := range reports {
		for i := range r.Items {
			seen[r.Items[i].Metadata.Namespace] = true
		}
	}
	return len(seen)
}

type timeline struct {
	engines    []*Engine
	told       []v1alpha1.Code // codes of told
	list       []printers.Happening
	now        time.Time
	namespaces bool
	namespace  string
}

func (t *timeline) tell(level printers.Level, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.namespaces {
		text = t.namespace + "/" + text
	}
	t.list = append(t.list, printers.Happening{Time: t.now, Text: text, Level: level})
}

func (t *timeline) set(was, is *v1alpha1.DatabaseTopology) {
	t.namespace = is.Metadata.Namespace
	old, now := byPod(was), byPod(is)
	var pods []string
	for pod := range old {
		pods = append(pods, pod)
	}
	for pod := range now {
		if old[pod] == nil {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, objects.CompareNames)
	for _, pod := range pods {
		t.server(pod, old[pod], now[pod])
	}
	t.services(was.Services, is.Services)
	finding.Timeline(is.Metadata.Namespace, was.Findings, is.Findings, identity, t.told, func(severity v1alpha1.Severity, text string) {
		t.tell(printers.LevelOf(severity), "%s", text)
	})
}

func byPod(t *v1alpha1.DatabaseTopology) map[string]*v1alpha1.DatabaseServer {
	list := make(map[string]*v1alpha1.DatabaseServer, len(t.Servers))
	for i := range t.Servers {
		list[t.Servers[i].Pod] = &t.Servers[i]
	}
	return list
}

// server reports one pod's server; was or is may be nil.
func (t *timeline) server(pod string, was, is *v1alpha1.DatabaseServer) {
	switch {
	case is == nil:
		t.tell(printers.Warn, "%s left", pod)
		return
	case was == nil:
		t.tell(printers.Plain, "%s joined", pod)
		was = &v1alpha1.DatabaseServer{Unreachable: dbserver.NotYetAnswered, LabelledRole: is.LabelledRole}
	case !was.CreationTimestamp.Equal(&is.CreationTimestamp):
		t.tell(printers.Plain, "%s recreated%s", pod, on(is.Node))
	}
	if was.LabelledRole != is.LabelledRole {
		t.tell(printers.Plain, "%s labelled %s (was %s)", pod, orNone(string(is.LabelledRole)), orNone(string(was.LabelledRole)))
	}
	switch {
	case is.Unreachable != "" && was.Unreachable == "":
		t.tell(printers.Alarm, "%s%s does not answer: %s", pod, apposition(was.Role), is.Unreachable)
	case is.Unreachable != "":
	case was.Unreachable != "":
		t.tell(printers.Plain, "%s answers%s", pod, t.doing(is))
		// What it did before is not known: of its channels only what is wrong is reported.
		t.channels(pod, &v1alpha1.DatabaseServer{Channels: healthy(is.Channels)}, is)
	default:
		t.changes(pod, was, is)
	}
	switch {
	case was.Ready && !is.Ready:
		t.tell(printers.Alarm, "%s: its pod is not ready", pod)
	case !was.Ready && is.Ready:
		t.tell(printers.Plain, "%s: its pod is ready", pod)
	}
}

// changes tells what a server does otherwise than before.
func (t *timeline) changes(pod string, was, is *v1alpha1.DatabaseServer) {
	for _, e := range t.engines {
		_, before := e.Identity(was)
		if name, now := e.Identity(is); now != before {
			t.tell(printers.Warn, "%s is a different server now: %s %s (was %s)", pod, name, orNone(now), orNone(before))
		}
	}
	if was.Version != is.Version || was.Product != is.Product {
		t.tell(printers.Plain, "%s runs %s %s (was %s %s)", pod, is.Product, is.Version, was.Product, was.Version)
	}
	if was.ReadOnly != nil && is.ReadOnly != nil && *was.ReadOnly != *is.ReadOnly {
		if *is.ReadOnly {
			t.tell(printers.Warn, "%s no longer takes writes (read_only=1)", pod)
		} else {
			t.tell(printers.Warn, "%s takes writes (read_only=0)", pod)
		}
	}
	if was.Role != is.Role && was.Role != v1alpha1.RoleUnknown && is.Role != v1alpha1.RoleUnknown {
		t.tell(printers.Warn, "%s is %s (was %s)", pod, lower(is.Role), lower(was.Role))
	}
	t.channels(pod, was, is)
	for _, e := range t.engines { // each knows its own groups
		e.Happenings(was, is, func(level printers.Level, text string) { t.tell(level, "%s", pod+text) })
	}
}

// channels reports from which server a server replicates, and whether it does.
func (t *timeline) channels(pod string, was, is *v1alpha1.DatabaseServer) {
	old := map[string]*v1alpha1.DatabaseChannel{}
	for i := range was.Channels {
		old[was.Channels[i].Name] = &was.Channels[i]
	}
	for i := range is.Channels {
		c := &is.Channels[i]
		who := pod
		if c.Name != "" {
			who += " (channel " + c.Name + ")"
		}
		before := old[c.Name]
		delete(old, c.Name)
		switch {
		case before == nil:
			t.tell(printers.Plain, "%s follows %s", who, from(c))
		case !sameSource(before, c):
			t.tell(printers.Warn, "%s follows %s (was %s)", who, from(c), from(before))
		}
		if before == nil || !sameSource(before, c) { // it may need a moment to connect
			before = &v1alpha1.DatabaseChannel{Receiver: v1alpha1.ThreadConnecting, Applier: v1alpha1.ThreadRuns}
		}
		t.threads(who, before, c)
		t.lag(who, before, c)
	}
	for i := range was.Channels {
		if c := &was.Channels[i]; old[c.Name] != nil {
			t.tell(printers.Warn, "%s no longer follows %s", pod, from(c))
		}
	}
}

// threads reports a receiver and an applier that stop, or run again.
func (t *timeline) threads(who string, was, is *v1alpha1.DatabaseChannel) {
	before, now := trouble(was), trouble(is)
	switch {
	case now.kind == before.kind && now.number == before.number:
	case now.kind == "":
		t.tell(printers.Plain, "%s replicates%s", who, map[bool]string{true: " again"}[before.number != 0 || before.kind != receiverConnects])
	case now.kind == receiverConnects:
		t.tell(printers.Warn, "%s can't reach %s%s", who, from(is), now.why)
	default:
		t.tell(printers.Alarm, "%s: the %s has stopped%s", who, now.kind, now.why)
	}
}

// hindrance is what keeps a channel from replicating: its threads' first trouble. Messages count attempts, so the number tells two apart.
type hindrance struct {
	kind, why string
	number    int64
}

const (
	applierStopped   = "applier"
	receiverStopped  = "receiver"
	receiverConnects = "receiver connects"
)

func trouble(c *v1alpha1.DatabaseChannel) hindrance {
	switch {
	case c.Applier == v1alpha1.ThreadStopped && c.ApplierError != nil:
		return hindrance{applierStopped, ": " + short(c.ApplierError), c.ApplierError.Number}
	case c.Applier == v1alpha1.ThreadStopped:
		return hindrance{kind: applierStopped}
	case c.Receiver == v1alpha1.ThreadStopped && c.ReceiverError != nil:
		return hindrance{receiverStopped, ": " + short(c.ReceiverError), c.ReceiverError.Number}
	case c.Receiver == v1alpha1.ThreadStopped:
		return hindrance{kind: receiverStopped}
	case c.Receiver == v1alpha1.ThreadConnecting && c.ReceiverError != nil:
		return hindrance{receiverConnects, ": " + short(c.ReceiverError), c.ReceiverError.Number}
	case c.Receiver == v1alpha1.ThreadConnecting:
		return hindrance{kind: receiverConnects}
	}
	return hindrance{}
}

// short is an error's number and message, as short as its engine makes it.
func short(e *v1alpha1.DatabaseError) string {
	return cmp.Or(e.Short, fmt.Sprintf("%d: %s", e.Number, e.Message))
}

// lag tells when a replica is late, when it is stale, and when it has caught up. An unknown lag is neither.
func (t *timeline) lag(who string, was, is *v1alpha1.DatabaseChannel) {
	level := func(c *v1alpha1.DatabaseChannel) int {
		switch {
		case c.LagMilliseconds == nil:
			return -1
		case *c.LagMilliseconds >= dbstate.StaleMilliseconds:
			return 2
		case *c.LagMilliseconds >= dbstate.LateMilliseconds:
			return 1
		}
		return 0
	}
	before, now := level(was), level(is)
	switch {
	case now == 2 && before != 2:
		t.tell(printers.Alarm, "%s is stale: %s late", who, dbstate.Duration(*is.LagMilliseconds))
	case now == 1 && before != 1:
		t.tell(printers.Warn, "%s is %s late", who, dbstate.Duration(*is.LagMilliseconds))
	case now == 0 && before > 0:
		t.tell(printers.Plain, "%s has caught up", who)
	}
}

// services reports which servers the Services for the set reach.
func (t *timeline) services(was, is []v1alpha1.DatabaseService) {
	old := map[string]*v1alpha1.DatabaseService{}
	for i := range was {
		old[was[i].Name] = &was[i]
	}
	for i := range is {
		s := &is[i]
		before := old[s.Name]
		delete(old, s.Name)
		switch {
		case s.ReachesUnknown:
		case before == nil:
			t.tell(printers.Plain, "Service %s reaches %s", s.Name, someone(s.Reaches))
		case !before.ReachesUnknown && !slices.Equal(before.Reaches, s.Reaches):
			level := printers.Plain
			if len(s.Reaches) == 0 {
				level = printers.Alarm
			}
			t.tell(level, "Service %s reaches %s (was %s)", s.Name, someone(s.Reaches), someone(before.Reaches))
		}
	}
	for i := range was {
		if s := &was[i]; old[s.Name] != nil {
			t.tell(printers.Warn, "Service %s no longer reaches any server of the set", s.Name)
		}
	}
}

// doing is what a server does that answers.
func (t *timeline) doing(s *v1alpha1.DatabaseServer) string {
	switch {
	case s.Role == v1alpha1.RoleUnknown:
		return ""
	case s.Role == v1alpha1.RoleNode: // all are alike
		for _, e := range t.engines {
			if state, _, member := e.MemberState(s); member {
				return ": " + state
			}
		}
	case len(s.Channels) > 0:
		return fmt.Sprintf(": %s of %s", lower(s.Role), from(&s.Channels[0]))
	case s.ReadOnly != nil && !*s.ReadOnly:
		return fmt.Sprintf(": %s, takes writes", lower(s.Role))
	}
	return ": " + lower(s.Role)
}

// healthy are channels as they are when all is well.
func healthy(channels []v1alpha1.DatabaseChannel) []v1alpha1.DatabaseChannel {
	list := slices.Clone(channels)
	for i := range list {
		list[i].Receiver, list[i].Applier, list[i].ReceiverError, list[i].ApplierError = v1alpha1.ThreadRuns, v1alpha1.ThreadRuns, nil, nil
		list[i].LagMilliseconds = new(int64(0))
	}
	return list
}

// from names a channel's source: its pod, else its host.
func from(c *v1alpha1.DatabaseChannel) string { return cmp.Or(c.Source.Pod, c.Source.Host, "a source") }

// sameSource reports whether two reports of a channel name the same source. One whose pod is gone for a moment, or has no address yet, is known by its
// host alone.
func sameSource(was, is *v1alpha1.DatabaseChannel) bool {
	return from(was) == from(is) || (was.Source.Pod == "" || is.Source.Pod == "") && is.Source.Host != "" && was.Source.Host == is.Source.Host && was.Source.Port == is.Source.Port
}

// apposition says what a server was: a source is the one, of replicas there are more. Any Galera node is a node.
func apposition(role v1alpha1.DatabaseRole) string {
	switch role {
	case v1alpha1.RoleSource, v1alpha1.RolePrimary:
		return ", the " + lower(role) + ","
	case v1alpha1.RoleReplica, v1alpha1.RoleRelay, v1alpha1.RoleSecondary:
		return ", a " + lower(role) + ","
	}
	return ""
}

func on(node string) string {
	if node == "" {
		return ""
	}
	return " on " + node
}

func lower(role v1alpha1.DatabaseRole) string {
	if role == v1alpha1.RoleOutside {
		return "outside its group"
	}
	return strings.ToLower(string(role))
}

func orNone(text string) string { return cmp.Or(text, "<none>") }

func someone(pods []string) string {
	if len(pods) == 0 {
		return "no server"
	}
	return strings.Join(pods, ", ")
}

// identity is that of findings in the timeline. Which Services send clients to a server that does not answer changes with its pod's readiness.
func identity(f v1alpha1.Finding) string {
	if finding.RuleServerSilent.Is(f.Code) {
		return finding.BySubject(f)
	}
	return finding.ByObjects(f)
}

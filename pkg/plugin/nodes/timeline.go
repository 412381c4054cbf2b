package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// State is a report at one moment, with what there is beside the nodes that it shows: a node that is not shown has not gone.
type State struct {
	Report *v1alpha1.NodeCapacityList
	// nodes are all nodes, pods all stateful pods by namespace/name; nil where pods could not be read.
	nodes map[string]types.UID
	pods  map[string]place
}

// place is where a stateful pod is. A pod that was recreated under the same name was created later.
type place struct {
	node    string
	created metav1.Time
}

// StateOf analyzes a snapshot.
func StateOf(s *Snapshot, o Selection, now time.Time) State {
	state := State{Report: Analyze(s, o, now), nodes: make(map[string]types.UID, len(s.Nodes))}
	for i := range s.Nodes {
		state.nodes[s.Nodes[i].Name] = s.Nodes[i].UID
	}
	if _, failed := s.Problems[subjectPods]; !failed {
		state.pods = make(map[string]place, len(s.Pods))
		for i := range s.Pods {
			state.pods[s.Pods[i].Namespace+"/"+s.Pods[i].Name] = place{node: s.Pods[i].Node, created: s.Pods[i].Created}
		}
	}
	return state
}

// shown are the nodes of the report by name.
func (s *State) shown() map[string]*v1alpha1.NodeCapacity {
	list := make(map[string]*v1alpha1.NodeCapacity, len(s.Report.Items))
	for i := range s.Report.Items {
		list[s.Report.Items[i].Metadata.Name] = &s.Report.Items[i]
	}
	return list
}

// at is where a pod is; nowhere if its node has gone without it.
func (s *State) at(pod string) place {
	p := s.pods[pod]
	if _, exists := s.nodes[p.node]; !exists {
		p.node = ""
	}
	return p
}

// Timeline tells what has happened between two states: to the nodes that are shown, to the stateful pods on them, and which findings
// came and went.
func Timeline(before, after State, now time.Time) []printers.Happening {
	t := &timeline{now: now, before: before, after: after, was: before.shown(), is: after.shown()}
	for i := range after.Report.Items {
		t.node(&after.Report.Items[i])
	}
	for i := range before.Report.Items {
		switch name := before.Report.Items[i].Metadata.Name; {
		case t.is[name] != nil:
		case after.nodes[name] == before.nodes[name]:
			t.tell(printers.Plain, "%s no longer matches the filter", name)
		default:
			t.tell(printers.Warn, "%s left", name)
		}
	}
	if (before.pods == nil) != (after.pods == nil) { // nothing has happened: it was not known, or is so no longer
		return t.list
	}
	t.pods()
	finding.Timeline("", Findings(before.Report), Findings(after.Report), finding.BySubject, nil, func(severity v1alpha1.Severity, text string) {
		t.tell(printers.LevelOf(severity), "%s", text)
	})
	return t.list
}

type timeline struct {
	list          []printers.Happening
	now           time.Time
	before, after State
	was, is       map[string]*v1alpha1.NodeCapacity
}

func (t *timeline) tell(level printers.Level, format string, args ...any) {
	t.list = append(t.list, printers.Happening{Time: t.now, Text: fmt.Sprintf(format, args...), Level: level})
}

func (t *timeline) node(is *v1alpha1.NodeCapacity) {
	name := is.Metadata.Name
	was := t.was[name]
	if was != nil && was.Metadata.UID != is.Metadata.UID {
		t.tell(printers.Warn, "%s left", name)
		was = nil
	}
	if was == nil {
		if t.before.nodes[name] == types.UID(is.Metadata.UID) {
			t.tell(printers.Plain, "%s now matches the filter", name)
			return
		}
		t.tell(printers.Plain, "%s joined%s", name, terms(&is.Class))
		was = &v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReadinessUnknown, Class: is.Class, KubeletVersion: is.KubeletVersion}
	}
	if is.Terminating && !was.Terminating {
		t.tell(printers.Alarm, "%s Terminating", name)
	}
	t.disruptions(name, was.Class.Disruptions, is.Class.Disruptions)
	switch {
	case is.Cordoned && !was.Cordoned:
		t.tell(printers.Warn, "%s cordoned", name)
	case was.Cordoned && !is.Cordoned:
		t.tell(printers.Plain, "%s uncordoned", name)
	}
	switch {
	case is.Readiness == was.Readiness:
	case is.Readiness == v1alpha1.NodeReady:
		after := ""
		if since := was.NotReadySince; since != nil {
			after = fmt.Sprintf(" (not ready for %s)", duration.HumanDuration(t.now.Sub(since.Time)))
		}
		t.tell(printers.Plain, "%s Ready%s", name, after)
	case was.Readiness == v1alpha1.NodeReady: // a new node is not ready for a while
		t.tell(printers.Alarm, "%s NotReady: %s", name, cmp.Or(strings.TrimSuffix(is.NotReadyReason, "."), "its kubelet gives no reason"))
	}
	for _, pressure := range is.Pressures {
		if !slices.Contains(was.Pressures, pressure) {
			t.tell(printers.Alarm, "%s %s", name, pressure)
		}
	}
	for _, pressure := range was.Pressures {
		if !slices.Contains(is.Pressures, pressure) {
			t.tell(printers.Plain, "%s %s cleared", name, pressure)
		}
	}
	if was.Class.CapacityType != is.Class.CapacityType {
		t.tell(printers.Plain, "%s capacity %s → %s", name, was.Class.CapacityType, is.Class.CapacityType)
	}
	if was.KubeletVersion != is.KubeletVersion {
		t.tell(printers.Plain, "%s kubelet %s → %s", name, was.KubeletVersion, is.KubeletVersion)
	}
}

// terms are what a new node is, as far as it is known.
func terms(c *v1alpha1.NodeClass) string {
	list := slices.DeleteFunc([]string{string(c.CapacityType), c.InstanceType, c.Zone}, func(text string) bool { return text == "" || text == string(v1alpha1.CapacityUnknown) })
	if len(list) == 0 {
		return ""
	}
	return " (" + strings.Join(list, ", ") + ")"
}

// disruptions reports taints that come and go.
func (t *timeline) disruptions(name string, was, is []v1alpha1.NodeDisruption) {
	for _, d := range is {
		if level := printers.Warn; !slices.Contains(was, d) && !saidByStatus(d) {
			if d.Going {
				level = printers.Alarm
			}
			t.tell(level, "%s: %s (%s)", name, d.Cause, said(d))
		}
	}
	for _, d := range was {
		if !slices.Contains(is, d) && !saidByStatus(d) {
			t.tell(printers.Plain, "%s: %s cleared (%s)", name, d.Cause, said(d))
		}
	}
}

// said is what announces a disruption.
func said(d v1alpha1.NodeDisruption) string {
	if d.Taint != "" {
		return "taint " + d.Taint
	}
	return d.Mark
}

// pods tells which stateful pods left shown nodes, and which moved to them.
func (t *timeline) pods() {
	names := slices.Collect(maps.Keys(t.after.pods))
	for name := range t.before.pods {
		if _, there := t.after.pods[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		was, is := t.before.at(name), t.after.at(name)
		moved := was.node != is.node || !was.created.Equal(&is.created)
		if moved && was.node != "" && t.was[was.node] != nil {
			t.tell(printers.Warn, "%s left %s", name, was.node)
		}
		if moved && is.node != "" && t.is[is.node] != nil {
			t.tell(printers.Plain, "%s moved to %s", name, is.node)
		}
	}
}

package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// demand is what decides which nodes take a pod. Pods of a set have the same one.
type demand struct {
	requires    *objects.Requirements
	os          string
	cpu, memory int64
}

// demandOf is a pod's. What runs on one operating system does not run on another, whether the pod says so or not.
func (x *index) demandOf(p *Pod) demand {
	d := demand{requires: p.Requires, cpu: p.CPU, memory: p.Memory}
	if n := x.byName[p.Node]; n != nil {
		d.os = n.class.OS
	}
	return d
}

// refusal says in a word or two why a node would not be given a pod; it is empty if it could be, once there is room.
func (x *index) refusal(d demand, n *node) string {
	if d.os != "" && n.class.OS != "" && d.os != n.class.OS {
		return n.class.OS
	}
	matcher := x.matchers[d.requires]
	if matcher == nil {
		matcher = d.requires.Matcher()
		x.matchers[d.requires] = matcher
	}
	if why := capacity.Refusal(n.Node, &n.class, matcher); why != "" {
		return why
	}
	if tooSmall(n.Node, corev1.ResourceCPU, d.cpu) || tooSmall(n.Node, corev1.ResourceMemory, d.memory) {
		return "too small"
	}
	return ""
}

// tooSmall reports whether a pod would not fit on a node even if it were empty. CPU is in thousandths of a core.
func tooSmall(n *corev1.Node, name corev1.ResourceName, wanted int64) bool {
	q, ok := n.Status.Allocatable[name]
	if !ok {
		return false
	}
	if name == corev1.ResourceCPU {
		return q.MilliValue() < wanted
	}
	return q.Value() < wanted
}

// barred is refusal without what the pod asks for itself.
func (d demand) barred(n *node) bool {
	return d.os != "" && n.class.OS != "" && d.os != n.class.OS || capacity.Barred(n.Node, &n.class, d.requires) != ""
}

// zoned is a demand in a zone.
type zoned struct {
	demand
	zone string
}

// takersIn are nodes of a zone that would be given a pod: two at most, for that is enough to know whether there is another one.
func (x *index) takersIn(zone string, d demand) []*node {
	key := zoned{d, zone}
	takers, known := x.takers[key]
	if known {
		return takers
	}
	for _, n := range x.byZone[zone] {
		if x.refusal(d, n) == "" {
			if takers = append(takers, n); len(takers) == 2 {
				break
			}
		}
	}
	x.takers[key] = takers
	return takers
}

// alone reports whether no other node of the zone could take a node's pod. Nodes without a zone are not asked.
func (x *index) alone(n *node, p *Pod) bool {
	return n.class.Zone != "" && !slices.ContainsFunc(x.takersIn(n.class.Zone, x.demandOf(p)), func(other *node) bool { return other != n })
}

// soon reports whether another node of a node's zone will take pods of a demand once it is set up, or an agent on it has been updated.
func (x *index) soon(n *node, d demand, now time.Time) bool {
	return slices.ContainsFunc(x.byZone[n.class.Zone], func(other *node) bool {
		settled := *other
		settled.Node = capacity.Settled(other.Node, now)
		return other != n && x.refusal(d, &settled) == ""
	})
}

// otherNode reports whether a node beside one would take pods like these, had they no wishes of their own.
func (x *index) otherNode(than string, pods []*Pod) bool {
	return x.anyOther(pods, func(n *node) bool { return n.Name != than })
}

// otherZone is otherNode for another zone.
func (x *index) otherZone(than string, pods []*Pod) bool {
	return x.anyOther(pods, func(n *node) bool { return n.class.Zone != "" && n.class.Zone != than })
}

// otherOwner is otherNode for nodes that belong to something else.
func (x *index) otherOwner(than string, pods []*Pod) bool {
	return x.anyOther(pods, func(n *node) bool {
		name := capacity.Describe(n.class.Owner)
		return name != "" && name != than
	})
}

func (x *index) anyOther(pods []*Pod, other func(*node) bool) bool {
	var d demand
	if len(pods) > 0 {
		d = x.demandOf(pods[0])
	}
	return slices.ContainsFunc(x.nodes, func(n *node) bool { return n.usable && other(n) && !d.barred(n) })
}

// refusals say of the nodes of a zone that are usable, but would not be given a pod, why not: a2 (taint dedicated=batch:NoSchedule), a3, a4
// (windows). It is empty if there are none.
func (x *index) refusals(zone string, d demand) string {
	byReason := map[string][]string{}
	for _, n := range x.byZone[zone] {
		if !n.usable {
			continue
		}
		if why := x.refusal(d, n); why != "" {
			byReason[why] = append(byReason[why], n.Name)
		}
	}
	reasons := slices.Sorted(maps.Keys(byReason))
	var list []string
	for i, why := range reasons {
		if i == mostReasons {
			return strings.Join(list, ", ") + " or others"
		}
		list = append(list, fmt.Sprintf("%s (%s)", finding.Some(byReason[why]), why))
	}
	return strings.Join(list, ", ")
}

// mostReasons is how many reasons a sentence has.
const mostReasons = 3

// Room tells where else pods could be, for who lays this report over others.
type Room struct {
	x    *index
	pods map[string]*Pod
}

// NewRoom is the room that the nodes of a snapshot have.
func NewRoom(s *Snapshot, own []capacity.OwnLabel) *Room {
	r := &Room{x: newIndex(s, Selection{OwnLabels: own}), pods: make(map[string]*Pod, len(s.Pods))}
	for i := range s.Pods {
		r.pods[s.Pods[i].Namespace+"/"+s.Pods[i].Name] = &s.Pods[i]
	}
	return r
}

// OtherNode reports whether a node beside one would take a pod, NAMESPACE/NAME, had it no wishes of its own.
func (r *Room) OtherNode(than, pod string) bool { return r.x.otherNode(than, r.named(pod)) }

// OtherZone is OtherNode for another zone.
func (r *Room) OtherZone(than, pod string) bool { return r.x.otherZone(than, r.named(pod)) }

func (r *Room) named(pod string) []*Pod {
	if p := r.pods[pod]; p != nil {
		return []*Pod{p}
	}
	return nil
}

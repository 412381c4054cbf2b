package nodes

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestTimeline tells each kind of thing that happens to nodes and the stateful pods on them.
func TestTimeline(t *testing.T) {
	machine := func(name string) corev1.Node {
		n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{
			"eks.amazonaws.com/capacityType": "SPOT", "node.kubernetes.io/instance-type": "t3.medium", "topology.kubernetes.io/zone": "z" + name,
		}}}
		n.Status.NodeInfo.KubeletVersion = "v1.36.3"
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		return n
	}
	pod := func(name, node string) Pod {
		return Pod{Namespace: "shop", Name: name, Node: node, Kind: "Cluster", Set: "web", UID: "web"}
	}
	state := func(o Selection, change func(*Snapshot)) State {
		s := &Snapshot{Nodes: []corev1.Node{machine("a"), machine("b")}, Pods: []Pod{pod("web-0", "a"), pod("web-1", "b")}, Problems: map[string]v1alpha1.Problem{}}
		// What sets lose is reported by findings, of which there are tests of their own.
		s.Problems[subjectBudgets] = v1alpha1.Problem{}
		if change != nil {
			change(s)
		}
		return StateOf(s, o, now)
	}
	onlyA := Selection{Names: []string{"a"}}
	for name, test := range map[string]struct {
		o             Selection
		before, after func(*Snapshot)
		want          string
	}{
		"nothing": {},
		"joined":  {before: func(s *Snapshot) { s.Nodes = s.Nodes[:1] }, want: "b joined (spot, t3.medium, zb); b Ready; shop/web-1 moved to b"},
		"joined, not ready yet": {before: func(s *Snapshot) { s.Nodes, s.Pods = s.Nodes[:1], s.Pods[:1] }, after: func(s *Snapshot) {
			s.Pods = s.Pods[:1]
			s.Nodes[1].Status.Conditions[0].Status = corev1.ConditionFalse
		}, want: "b joined (spot, t3.medium, zb)"},
		"left":      {after: func(s *Snapshot) { s.Nodes = s.Nodes[:1] }, want: "b left; shop/web-1 left b"},
		"recreated": {after: func(s *Snapshot) { s.Nodes[1].UID = "other" }, want: "b left; b joined (spot, t3.medium, zb); b Ready"},
		"not ready": {after: func(s *Snapshot) {
			s.Nodes[0].Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Message: "Kubelet stopped posting node status."}
		}, want: "a NotReady: Kubelet stopped posting node status; ERROR NODE010 a is not ready (Kubelet stopped posting node status) and runs shop/web-0"},
		"ready again": {before: func(s *Snapshot) {
			s.Nodes[0].Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Minute))}
		}, want: "a Ready (not ready for 60s); NODE010 resolved: node/a, pod/shop/web-0"},
		"cordoned":   {after: func(s *Snapshot) { s.Nodes[0].Spec.Unschedulable, s.Pods = true, s.Pods[1:] }, before: func(s *Snapshot) { s.Pods = s.Pods[1:] }, want: "a cordoned"},
		"uncordoned": {before: func(s *Snapshot) { s.Nodes[0].Spec.Unschedulable, s.Pods = true, s.Pods[1:] }, after: func(s *Snapshot) { s.Pods = s.Pods[1:] }, want: "a uncordoned"},
		"spot interruption": {after: func(s *Snapshot) {
			s.Nodes[0].Spec.Taints = []corev1.Taint{{Key: "aws-node-termination-handler/spot-itn", Effect: corev1.TaintEffectNoSchedule}}
		}, want: "a: spot interruption (taint aws-node-termination-handler/spot-itn:NoSchedule); ERROR NODE007 a is going away (spot interruption) and runs shop/web-0"},
		"what the conditions say": {after: func(s *Snapshot) {
			s.Nodes[0].Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute}}
		}},
		"pressure": {after: func(s *Snapshot) {
			s.Nodes[0].Status.Conditions = append(s.Nodes[0].Status.Conditions, corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue})
		}, want: "a DiskPressure; WARNING NODE014 a reports DiskPressure and runs shop/web-0: pods may be evicted from it, and none is scheduled there meanwhile"},
		"pressure is over": {before: func(s *Snapshot) {
			s.Nodes[0].Status.Conditions = append(s.Nodes[0].Status.Conditions, corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue})
		}, want: "a DiskPressure cleared; NODE014 resolved: node/a, pod/shop/web-0"},
		"drained by CAST AI": {after: func(s *Snapshot) { s.Nodes[0].Labels["autoscaling.cast.ai/draining"] = "rebalancing" },
			want: "a: drained by CAST AI (autoscaling.cast.ai/draining=rebalancing); ERROR NODE007 a is going away (drained by CAST AI) and runs shop/web-0"},
		"drained": {after: func(s *Snapshot) {
			s.Nodes[0].DeletionTimestamp = &metav1.Time{Time: now}
			s.Pods[0].Node = ""
		}, want: "a Terminating; shop/web-0 left a"},
		"upgraded": {after: func(s *Snapshot) { s.Nodes[0].Status.NodeInfo.KubeletVersion = "v1.37.0" }, want: "a kubelet v1.36.3 → v1.37.0"},
		"moved":    {after: func(s *Snapshot) { s.Pods[1].Node = "a" }, want: "shop/web-1 left b; shop/web-1 moved to a"},
		"replaced": {after: func(s *Snapshot) { s.Pods[1].Created = metav1.NewTime(now) }, want: "shop/web-1 left b; shop/web-1 moved to b"},
		"ended":    {after: func(s *Snapshot) { s.Pods = s.Pods[:1] }, want: "shop/web-1 left b"},
		"of nodes that are not shown": {o: onlyA, after: func(s *Snapshot) {
			s.Nodes, s.Pods = append(s.Nodes[:1], machine("c")), append(s.Pods[:1], pod("web-9", "c"))
		}},
		"to a node that is not shown": {o: onlyA, after: func(s *Snapshot) { s.Pods[0].Node = "b" }, want: "shop/web-0 left a"},
		"one of those no longer":      {o: Selection{Stateful: true}, after: func(s *Snapshot) { s.Pods = s.Pods[1:] }, want: "a no longer matches the filter; shop/web-0 left a"},
		"one of those now":            {o: Selection{Stateful: true}, before: func(s *Snapshot) { s.Pods = s.Pods[1:] }, want: "a now matches the filter; shop/web-0 moved to a"},
		"pods unread": {after: func(s *Snapshot) {
			s.Pods, s.Problems[subjectPods] = nil, v1alpha1.Problem{}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			for _, h := range Timeline(state(test.o, test.before), state(test.o, test.after), now) {
				if !strings.Contains(h.Text, "NODE00") || strings.Contains(h.Text, "NODE007") { // what it means for sets
					texts = append(texts, h.Text)
				}
			}
			if got := strings.Join(texts, "; "); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestGoals are what --for waits for.
func TestGoals(t *testing.T) {
	sound := v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady}
	cordoned, going, warned := sound, sound, sound
	cordoned.Cordoned = true
	going.Class.Disruptions = []v1alpha1.NodeDisruption{{Cause: "disrupted by Karpenter", Going: true}}
	warned.Findings = []v1alpha1.Finding{{Severity: v1alpha1.SeverityWarning}}
	for _, test := range []struct {
		name           string
		items          []v1alpha1.NodeCapacity
		gap            v1alpha1.GapKind
		ready, healthy bool
	}{
		{name: "none"},
		{name: "healthy", items: []v1alpha1.NodeCapacity{sound, sound}, ready: true, healthy: true},
		{name: "one is not ready", items: []v1alpha1.NodeCapacity{sound, {Readiness: v1alpha1.NodeNotReady}}},
		{name: "cordoned", items: []v1alpha1.NodeCapacity{cordoned}},
		{name: "going", items: []v1alpha1.NodeCapacity{going}},
		{name: "a finding", items: []v1alpha1.NodeCapacity{sound, warned}, ready: true},
		{name: "something unread", items: []v1alpha1.NodeCapacity{sound}, gap: v1alpha1.GapUnread, ready: true},
		{name: "usage that comes later", items: []v1alpha1.NodeCapacity{sound}, gap: v1alpha1.GapPending, ready: true},
		{name: "usage that is not measured", items: []v1alpha1.NodeCapacity{sound}, gap: v1alpha1.GapNotCovered, ready: true, healthy: true},
	} {
		report := &v1alpha1.NodeCapacityList{Items: test.items}
		if test.gap != "" {
			report.Checked = []v1alpha1.CheckedPart{{Part: v1alpha1.PartVolumes, Gaps: []v1alpha1.Gap{{Kind: test.gap}}}}
		}
		if Ready(report) != test.ready || Healthy(report, nil) != test.healthy {
			t.Errorf("%s: ready %t, healthy %t", test.name, Ready(report), Healthy(report, nil))
		}
	}
}

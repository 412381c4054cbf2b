package objects

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestNodeSchedulable(t *testing.T) {
	node := func(status corev1.ConditionStatus, cordoned bool) *corev1.Node {
		return &corev1.Node{Spec: corev1.NodeSpec{Unschedulable: cordoned}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse}, {Type: corev1.NodeReady, Status: status},
		}}}
	}
	for name, test := range map[string]struct {
		node               *corev1.Node
		ready, schedulable bool
	}{
		"ready":                 {node(corev1.ConditionTrue, false), true, true},
		"cordoned":              {node(corev1.ConditionTrue, true), true, false},
		"not ready":             {node(corev1.ConditionFalse, false), false, false},
		"its kubelet is silent": {node(corev1.ConditionUnknown, false), false, false},
		"nothing said":          {&corev1.Node{}, false, false},
	} {
		if ready, schedulable := NodeReady(test.node), NodeSchedulable(test.node); ready != test.ready || schedulable != test.schedulable {
			t.Errorf("%s: ready %t, schedulable %t", name, ready, schedulable)
		}
	}
}

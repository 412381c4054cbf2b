package capacity

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestUsable(t *testing.T) {
	tainted := func(going bool) v1alpha1.NodeClass {
		return v1alpha1.NodeClass{Disruptions: []v1alpha1.NodeDisruption{{Cause: "cordoned"}, {Cause: "disrupted by Karpenter", Going: going}}}
	}
	for name, test := range map[string]struct {
		node   v1alpha1.NodeCapacity
		usable bool
		going  string
	}{
		"ready":              {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady}, true, ""},
		"not ready":          {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeNotReady}, false, ""},
		"nothing said":       {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReadinessUnknown}, false, ""},
		"cordoned":           {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady, Cordoned: true}, false, ""},
		"deleted":            {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady, Terminating: true}, false, "deleted"},
		"tainted, and stays": {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady, Class: tainted(false)}, true, ""},
		"going":              {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady, Class: tainted(true)}, false, "disrupted by Karpenter"},
		"going, and deleted": {v1alpha1.NodeCapacity{Readiness: v1alpha1.NodeReady, Class: tainted(true), Terminating: true}, false, "disrupted by Karpenter"},
	} {
		if got := Usable(&test.node); got != test.usable {
			t.Errorf("%s: usable %t", name, got)
		}
		if got := Going(&test.node.Class, test.node.Terminating); got != test.going {
			t.Errorf("%s: going %q, want %q", name, got, test.going)
		}
	}
}

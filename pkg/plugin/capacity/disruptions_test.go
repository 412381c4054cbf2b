package capacity

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestDisruptions(t *testing.T) {
	for key, want := range map[string]struct {
		cause string
		going bool
	}{
		"karpenter.sh/disrupted":                                 {"disrupted by Karpenter", true},
		"karpenter.sh/disruption":                                {"disrupted by Karpenter", true},
		"ToBeDeletedByClusterAutoscaler":                         {"removed by the cluster autoscaler", true},
		"DeletionCandidateOfClusterAutoscaler":                   {"candidate of the cluster autoscaler", false},
		"aws-node-termination-handler/spot-itn":                  {"spot interruption", true},
		"aws-node-termination-handler/scheduled-maintenance":     {"terminated by AWS", true},
		"aws-node-termination-handler/asg-lifecycle-termination": {"terminated by AWS", true},
		"remediator.aks.microsoft.com/unschedulable":             {"remediated by AKS", true},
		"remediator.kubernetes.azure.com/unschedulable":          {"remediated by AKS", true},
		"autoscaling.cast.ai/draining":                           {"drained by CAST AI", true},
		"medik8s.io/drain":                                       {"drained for maintenance", true},
		"medik8s.io/remediation":                                 {"remediated by Medik8s", true},
		"cloud.google.com/impending-node-termination":            {"terminated by GCE", true},
		"node.kubernetes.io/out-of-service":                      {"out of service", true},
		"node.kubernetes.io/unschedulable":                       {"cordoned", false},
		"node.kubernetes.io/not-ready":                           {"not ready", false},
		"node.kubernetes.io/unreachable":                         {"unreachable", false},
		"node.kubernetes.io/disk-pressure":                       {"DiskPressure", false},
		"node.cilium.io/agent-not-ready":                         {"Cilium's agent is not ready", false},
		"ebs.csi.aws.com/agent-not-ready":                        {"a driver's agent is not ready", false},
	} {
		node := &corev1.Node{Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: "other", Effect: corev1.TaintEffectNoSchedule}, {Key: key, Value: "x", Effect: corev1.TaintEffectNoExecute}}}}
		list := Disruptions(node)
		if len(list) != 1 || list[0] != (v1alpha1.NodeDisruption{Taint: key + "=x:NoExecute", Cause: want.cause, Going: want.going}) {
			t.Errorf("%s: %+v", key, list)
		}
	}
}

// TestMarks tells by labels, annotations and conditions what no taint tells.
func TestMarks(t *testing.T) {
	for name, test := range map[string]struct {
		labels, annotations string
		condition           corev1.NodeCondition
		want                string
	}{
		"CAST AI":           {labels: "autoscaling.cast.ai/draining=rebalancing", want: "drained by CAST AI (autoscaling.cast.ai/draining=rebalancing)"},
		"kured":             {annotations: "weave.works/kured-reboot-in-progress=2026", want: "rebooted by kured (weave.works/kured-reboot-in-progress=2026)"},
		"OpenShift":         {annotations: "machineconfiguration.openshift.io/desiredDrain=drain-rendered-1", want: "drained by OpenShift for a new configuration (machineconfiguration.openshift.io/desiredDrain=drain-rendered-1)"},
		"OpenShift, over":   {annotations: "machineconfiguration.openshift.io/desiredDrain=uncordon-rendered-1"},
		"GKE":               {labels: "cloud.google.com/active-node-maintenance=ONGOING", want: "maintained by GKE (cloud.google.com/active-node-maintenance=ONGOING)"},
		"GKE, planned":      {labels: "cloud.google.com/active-node-maintenance=PENDING"},
		"Gardener":          {condition: corev1.NodeCondition{Type: "Terminating", Status: corev1.ConditionTrue}, want: "terminated (Terminating)"},
		"Azure preempts":    {condition: corev1.NodeCondition{Type: "VMEventScheduled", Status: corev1.ConditionTrue, Message: "Preempt Scheduled: Mon"}, want: "preempted by Azure (VMEventScheduled)"},
		"Azure pauses":      {condition: corev1.NodeCondition{Type: "VMEventScheduled", Status: corev1.ConditionTrue, Message: "Freeze Scheduled: Mon"}},
		"Azure has nothing": {condition: corev1.NodeCondition{Type: "VMEventScheduled", Status: corev1.ConditionFalse, Message: "VM has no scheduled event"}},
		"the API's name":    {condition: corev1.NodeCondition{Type: corev1.NodeDrainInProgress, Status: corev1.ConditionTrue}, want: "drained (DrainInProgress)"},
	} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: words(test.labels), Annotations: words(test.annotations)}}
		node.Status.Conditions = []corev1.NodeCondition{test.condition}
		var got []string
		for _, d := range Disruptions(node) {
			if !d.Going {
				t.Errorf("%s: it stays", name)
			}
			got = append(got, d.Cause+" ("+d.Mark+")")
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestRepellents leaves out what other findings say.
func TestRepellents(t *testing.T) {
	taint := func(key string, effect corev1.TaintEffect) corev1.Taint {
		return corev1.Taint{Key: key, Effect: effect}
	}
	now := time.Unix(1_796_000_000, 0)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-time.Minute))}, Spec: corev1.NodeSpec{Taints: []corev1.Taint{
		taint("dedicated", corev1.TaintEffectNoSchedule), taint("soft", corev1.TaintEffectPreferNoSchedule), taint("karpenter.sh/disrupted", corev1.TaintEffectNoSchedule),
		taint("node.kubernetes.io/unschedulable", corev1.TaintEffectNoSchedule), taint("node.kubernetes.io/disk-pressure", corev1.TaintEffectNoSchedule),
		taint("NodeWithImpairedVolumes", corev1.TaintEffectNoSchedule), taint("ebs.csi.aws.com/agent-not-ready", corev1.TaintEffectNoExecute),
		taint("node.cloudprovider.kubernetes.io/uninitialized", corev1.TaintEffectNoSchedule), taint("node-role.kubernetes.io/control-plane", corev1.TaintEffectNoSchedule),
		taint("eks.amazonaws.com/compute-type", corev1.TaintEffectNoSchedule), taint("node.kubernetes.io/unschedulable", corev1.TaintEffectNoExecute), taint("node.kubernetes.io/pid-pressure", corev1.TaintEffectNoSchedule),
	}}}
	node.Spec.Unschedulable = true
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue}, {Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse}}
	var got []string
	for _, r := range Repellents(node, now) {
		word := r.ToString()
		if r.Cause != "" {
			word += " " + r.Cause
		}
		if r.Passing {
			word += ", passing"
		}
		got = append(got, word)
	}
	want := `dedicated:NoSchedule
NodeWithImpairedVolumes:NoSchedule a volume of EBS is stuck there
ebs.csi.aws.com/agent-not-ready:NoExecute a driver's agent is not ready, passing
node.cloudprovider.kubernetes.io/uninitialized:NoSchedule not initialized by the cloud provider, passing
node-role.kubernetes.io/control-plane:NoSchedule
node.kubernetes.io/unschedulable:NoExecute cordoned
node.kubernetes.io/pid-pressure:NoSchedule PIDPressure`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	for _, r := range Repellents(node, now.Add(time.Hour)) {
		if r.Passing {
			t.Errorf("%s passes after an hour", r.Key)
		}
	}
	if settled := Settled(node, now); len(settled.Spec.Taints) != 10 || len(node.Spec.Taints) != 12 {
		t.Errorf("settled: %v", settled.Spec.Taints)
	}
	node.Spec.Taints = []corev1.Taint{taint("node.cilium.io/agent-not-ready", corev1.TaintEffectNoSchedule)}
	if settled := Settled(node, now.Add(time.Hour)); len(settled.Spec.Taints) != 0 {
		t.Errorf("settled: %v", settled.Spec.Taints)
	}
}

func TestGoingSince(t *testing.T) {
	at := metav1.NewTime(time.Unix(1_796_000_000, 0))
	for name, test := range map[string]struct {
		taint corev1.Taint
		want  time.Time
	}{
		"when it was added":       {corev1.Taint{Key: "aws-node-termination-handler/spot-itn", TimeAdded: &at}, at.Time},
		"the autoscaler's value":  {corev1.Taint{Key: toBeDeleted, Value: "1796000000"}, at.Time},
		"no time":                 {corev1.Taint{Key: toBeDeleted, Value: "1"}, time.Time{}},
		"of a candidate":          {corev1.Taint{Key: "DeletionCandidateOfClusterAutoscaler", Value: "1796000000"}, time.Time{}},
		"of another taint's time": {corev1.Taint{Key: "dedicated", TimeAdded: &at}, time.Time{}},
	} {
		if got := GoingSince(&corev1.Node{Spec: corev1.NodeSpec{Taints: []corev1.Taint{test.taint}}}); !got.Equal(test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestTroubleOf judges conditions by who writes them, and unknown ones by their names.
func TestTroubleOf(t *testing.T) {
	const isTrue, isFalse, isUnknown = corev1.ConditionTrue, corev1.ConditionFalse, corev1.ConditionUnknown
	for _, test := range []struct {
		kind   corev1.NodeConditionType
		status corev1.ConditionStatus
		want   string
	}{
		{corev1.NodeReady, isFalse, ""}, // NODE010
		{corev1.NodeMemoryPressure, isTrue, "warning MemoryPressure"}, {corev1.NodeMemoryPressure, isFalse, ""}, {corev1.NodeMemoryPressure, isUnknown, ""},
		{corev1.NodeDiskPressure, isTrue, "warning DiskPressure"}, {corev1.NodePIDPressure, isTrue, "warning PIDPressure"},
		{corev1.NodeNetworkUnavailable, isTrue, "error NetworkUnavailable"}, {corev1.NodeNetworkUnavailable, isFalse, ""},
		{corev1.NodeMaintenancePlanned, isTrue, "info MaintenancePlanned"}, {corev1.NodeMaintenanceInProgress, isTrue, "warning MaintenanceInProgress"},
		{"KernelDeadlock", isTrue, "error KernelDeadlock"}, {"KernelDeadlock", isFalse, ""}, {"ReadonlyFilesystem", isTrue, "error ReadonlyFilesystem"},
		{"FrequentKubeletRestart", isTrue, "warning FrequentKubeletRestart"}, {"KubeletProblem", isTrue, "warning KubeletProblem"}, {"KubeletUnhealthy", isTrue, "warning KubeletUnhealthy"},
		{"KernelReady", isTrue, ""}, {"KernelReady", isFalse, "error KernelReady=False"}, {"AcceleratedHardwareReady", isFalse, "warning AcceleratedHardwareReady=False"},
		{"EtcdIsVoter", isTrue, ""}, {"EtcdIsVoter", isFalse, "info EtcdIsVoter=False"},
		{"StorageLinkHealthy", isTrue, ""}, {"StorageLinkHealthy", isFalse, "warning StorageLinkHealthy=False"}, {"StorageUnhealthy", isFalse, ""},
		{"GPUXidError", isTrue, "warning GPUXidError"}, {"IsChainsed", isTrue, "info IsChainsed"}, {"IsChainsed", isFalse, ""},
	} {
		got := ""
		c := &corev1.NodeCondition{Type: test.kind, Status: test.status}
		if trouble := TroubleOf(c); trouble != nil {
			got = string(trouble.Severity) + " " + trouble.Describe(c)
		}
		if got != test.want {
			t.Errorf("%s=%s: %q, want %q", test.kind, test.status, got, test.want)
		}
	}
}

// TestEveryConstant has a meaning for every condition and taint of nodes that the API names, so that a new one is not overlooked.
func TestEveryConstant(t *testing.T) {
	api, err := build.Import("k8s.io/api/core/v1", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	conditionTypes, taints := 0, 0
	for name, value := range constants(t, filepath.Join(api.Dir, "types.go")) {
		if name.kind != "NodeConditionType" {
			continue
		}
		conditionTypes++
		known := func(c condition) bool { return string(c.kind) == value }
		if value != string(corev1.NodeReady) && !slices.ContainsFunc(conditions[:], known) && !slices.ContainsFunc(ready[:], known) {
			t.Errorf("the condition %s (%s) is not judged", value, name.name)
		}
	}
	for name, value := range constants(t, filepath.Join(api.Dir, "well_known_taints.go")) {
		taints++
		if disruptionOf(&corev1.Taint{Key: value}) == nil {
			t.Errorf("the taint %s (%s) has no meaning", value, name.name)
		}
	}
	if conditionTypes < 10 || taints < 8 {
		t.Errorf("%d conditions, %d taints", conditionTypes, taints)
	}
}

// constant is the name and the type of one.
type constant struct{ name, kind string }

// constants are those of a file that are strings.
func constants(t *testing.T, file string) map[constant]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	list := map[constant]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		kind, _ := spec.Type.(*ast.Ident)
		for i, name := range spec.Names {
			if i >= len(spec.Values) {
				continue
			}
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				continue
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			c := constant{name: name.Name}
			if kind != nil {
				c.kind = kind.Name
			}
			list[c] = value
		}
		return true
	})
	return list
}

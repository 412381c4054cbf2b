package objects

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRefusal asks one node of many kinds for pods of many kinds.
func TestRefusal(t *testing.T) {
	node := func(change func(*corev1.Node)) *corev1.Node {
		n := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", "pool": "db"}},
			Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
		}
		change(n)
		return n
	}
	tainted := func(taints ...corev1.Taint) *corev1.Node {
		return node(func(n *corev1.Node) { n.Spec.Taints = taints })
	}
	plain := node(func(*corev1.Node) {})
	dedicated := corev1.Taint{Key: "dedicated", Value: "db", Effect: corev1.TaintEffectNoSchedule}
	windows := node(func(n *corev1.Node) { n.Labels[corev1.LabelOSStable] = "windows" })
	affinity := func(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.PodSpec {
		return corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}}},
		}}}}
	}
	tolerating := func(tolerations ...corev1.Toleration) corev1.PodSpec { return corev1.PodSpec{Tolerations: tolerations} }
	for name, test := range map[string]struct {
		node    *corev1.Node
		pod     corev1.PodSpec
		refusal string
		// barred is refusal but for what the pod asks for itself.
		barred string
	}{
		"anything goes":           {plain, corev1.PodSpec{}, "", ""},
		"not ready":               {node(func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown }), corev1.PodSpec{}, "not ready", "not ready"},
		"cordoned":                {node(func(n *corev1.Node) { n.Spec.Unschedulable = true }), corev1.PodSpec{}, "cordoned", "cordoned"},
		"a taint":                 {tainted(dedicated), corev1.PodSpec{}, "taint dedicated=db:NoSchedule", "taint dedicated=db:NoSchedule"},
		"a soft taint":            {tainted(corev1.Taint{Key: "x", Effect: corev1.TaintEffectPreferNoSchedule}), corev1.PodSpec{}, "", ""},
		"a taint, tolerated":      {tainted(dedicated), tolerating(corev1.Toleration{Key: "dedicated", Value: "db"}), "", ""},
		"a taint, another value":  {tainted(dedicated), tolerating(corev1.Toleration{Key: "dedicated", Value: "web"}), "taint dedicated=db:NoSchedule", "taint dedicated=db:NoSchedule"},
		"everything is tolerated": {tainted(dedicated), tolerating(corev1.Toleration{Operator: corev1.TolerationOpExists}), "", ""},
		"a comparison":            {tainted(corev1.Taint{Key: "slots", Value: "3", Effect: corev1.TaintEffectNoSchedule}), tolerating(corev1.Toleration{Key: "slots", Operator: corev1.TolerationOpGt, Value: "1"}), "", ""},
		"a node selector":         {plain, corev1.PodSpec{NodeSelector: map[string]string{"pool": "db"}}, "", ""},
		"another pool":            {plain, corev1.PodSpec{NodeSelector: map[string]string{"pool": "web", "a": ""}}, "not a=", ""},
		"another architecture":    {plain, corev1.PodSpec{NodeSelector: map[string]string{corev1.LabelArchStable: "arm64"}}, "not kubernetes.io/arch=arm64", ""},
		"an affinity":             {plain, affinity("pool", corev1.NodeSelectorOpIn, "db", "x"), "", ""},
		"an affinity elsewhere":   {plain, affinity("pool", corev1.NodeSelectorOpNotIn, "db"), "node affinity", ""},
		"an affinity of nonsense": {plain, affinity("pool", "Near", "db"), "node affinity", ""},
		"an operating system":     {windows, corev1.PodSpec{OS: &corev1.PodOS{Name: corev1.Linux}}, "windows", "windows"},
		"the same system":         {windows, corev1.PodSpec{OS: &corev1.PodOS{Name: corev1.Windows}}, "", ""},
		"ready a moment ago":      {tainted(corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute}), corev1.PodSpec{}, "", ""},
	} {
		r := RequirementsOf(&test.pod)
		if got := r.Refusal(test.node); got != test.refusal {
			t.Errorf("%s: refusal %q", name, got)
		}
		if got := r.Barred(test.node); got != test.barred {
			t.Errorf("%s: barred %q", name, got)
		}
	}
}

func TestRequirementsOf(t *testing.T) {
	if r := RequirementsOf(&corev1.PodSpec{Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}}, Tolerations: []corev1.Toleration{
		{Key: corev1.TaintNodeNotReady, TolerationSeconds: new(int64(300))}, {Key: corev1.TaintNodeUnreachable, TolerationSeconds: new(int64(300))},
	}}); r != nil {
		t.Errorf("%+v", r)
	}
}

func TestEvictedAfter(t *testing.T) {
	for name, test := range map[string]struct {
		effect      corev1.TaintEffect
		tolerations []corev1.Toleration
		after       time.Duration
		evicted     bool
	}{
		"not tolerated":         {corev1.TaintEffectNoExecute, nil, 0, true},
		"no eviction":           {corev1.TaintEffectNoSchedule, nil, 0, false},
		"tolerated":             {corev1.TaintEffectNoExecute, []corev1.Toleration{{Key: "k", Operator: corev1.TolerationOpExists}}, 0, false},
		"for a while":           {corev1.TaintEffectNoExecute, []corev1.Toleration{{Key: "k", Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(60))}}, time.Minute, true},
		"the shortest":          {corev1.TaintEffectNoExecute, []corev1.Toleration{{Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(60))}, {Key: "k", Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(9))}, {Key: "k"}}, 9 * time.Second, true},
		"for no time":           {corev1.TaintEffectNoExecute, []corev1.Toleration{{Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(-1))}}, 0, true},
		"of another for a time": {corev1.TaintEffectNoExecute, []corev1.Toleration{{Key: "k", Operator: corev1.TolerationOpExists}, {Key: "other", Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(60))}}, 0, false},
	} {
		r := &Requirements{Tolerations: test.tolerations}
		after, evicted := r.EvictedAfter(&corev1.Taint{Key: "k", Effect: test.effect})
		if after != test.after || evicted != test.evicted {
			t.Errorf("%s: after %s, %t", name, after, evicted)
		}
	}
}

package objects

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestMatches(t *testing.T) {
	of := map[string]string{"app": "web", "tier": "db"}
	for name, test := range map[string]struct {
		selector *metav1.LabelSelector
		want     bool
	}{
		"nil":           {nil, false},
		"empty":         {&metav1.LabelSelector{}, true},
		"a label":       {&metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, true},
		"another value": {&metav1.LabelSelector{MatchLabels: map[string]string{"app": "mysql"}}, false},
		"an expression": {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: metav1.LabelSelectorOpIn, Values: []string{"db", "cache"}}}}, true},
		"both, not one": {&metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}, MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: metav1.LabelSelectorOpDoesNotExist}}}, false},
		"no operator":   {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Like"}}}, false},
	} {
		if got := Matches(test.selector, of); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if !Matches(&metav1.LabelSelector{}, nil) {
		t.Error("an empty selector does not match an object without labels")
	}
}

func TestHasLabels(t *testing.T) {
	of := map[string]string{"app": "web", "tier": "db"}
	for name, test := range map[string]struct {
		wanted map[string]string
		want   bool
	}{
		"all of them": {map[string]string{"app": "web", "tier": "db"}, true},
		"one of them": {map[string]string{"app": "web"}, true},
		"one more":    {map[string]string{"app": "web", "role": "primary"}, false},
		"none wanted": {nil, false},
	} {
		if got := HasLabels(of, test.wanted); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

package objects

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Matches reports whether a label selector, such as that of a PodDisruptionBudget or a NetworkPolicy, matches labels: nil matches none, an empty
// one all. One that can't be understood matches none.
func Matches(selector *metav1.LabelSelector, of map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(of))
}

// HasLabels reports whether an object has all of some labels; there must be some.
func HasLabels(of, wanted map[string]string) bool {
	return len(wanted) > 0 && labels.SelectorFromSet(wanted).Matches(labels.Set(of))
}

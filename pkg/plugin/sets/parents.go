package sets

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// parents are kinds that have no pods themselves and say of their sets how they are.
var parents = [...]Kind{
	{Group: "kafka.strimzi.io", Resource: "kafkas", Name: "Kafka", Title: "Strimzi Kafka cluster", versions: []string{"v1", "v1beta2"}},
}

func (k *Kind) isParent() bool { return k.decode == nil }

// parent is an object of such a kind.
type parent struct {
	namespace string
	Parent
}

// Parent is what a set belongs to, with what that says of itself.
type Parent struct {
	Kind       string             `json:"kind"`
	Name       string             `json:"name"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Paused tells what stops its operator from acting on it; empty if nothing does.
	Paused string `json:"paused,omitempty"`
	// Behind is true if its operator has not taken in the newest generation.
	Behind bool `json:"behind,omitempty"`
	// Written is when it was written for the last time, by anyone.
	Written metav1.Time `json:"written,omitzero"`
}

func decodeParent(object map[string]any) (*parent, error) {
	var k struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Namespace     string                      `json:"namespace"`
			Name          string                      `json:"name"`
			Generation    int64                       `json:"generation"`
			Annotations   map[string]string           `json:"annotations"`
			ManagedFields []metav1.ManagedFieldsEntry `json:"managedFields"`
		} `json:"metadata"`
		Status struct {
			ObservedGeneration *int64             `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := into(object, &k); err != nil {
		return nil, err
	}
	p := &parent{namespace: k.Metadata.Namespace, Parent: Parent{
		Kind: k.Kind, Name: k.Metadata.Name, Conditions: conditionsOf(k.Status.Conditions, "Ready", "NotReady", "ReconciliationPaused", "Warning"),
		Behind: k.Status.ObservedGeneration != nil && *k.Status.ObservedGeneration < k.Metadata.Generation,
	}}
	p.Written = metav1.NewTime(objects.LastWritten(&metav1.ObjectMeta{ManagedFields: k.Metadata.ManagedFields}))
	if k.Metadata.Annotations[strimziPause] == "true" {
		p.Paused = "the annotation " + strimziPause + ": true"
	}
	return p, nil
}

// adopt gives sets what they belong to.
func adopt(list []Set, all []parent) {
	for i := range list {
		s := &list[i]
		for j := range all {
			if p := &all[j]; p.namespace == s.Namespace && p.Name == s.Labels["strimzi.io/cluster"] && p.Kind == s.Labels["strimzi.io/kind"] {
				s.Parent = &p.Parent
			}
		}
	}
}

// compare orders sets by namespace, name and kind.
func compare(a, b Set) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
}

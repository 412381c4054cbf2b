package sets

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// instanceSet is the InstanceSet of KubeBlocks 0.9 and 1.x (apis/workloads there).
var instanceSet = Kind{
	Group: "workloads.kubeblocks.io", Resource: "instancesets", Name: "InstanceSet", Title: "KubeBlocks instance set", versions: []string{"v1", "v1alpha1"}, decode: decodeInstanceSet,
}

func decodeInstanceSet(object map[string]any, s *Set) error {
	var i struct {
		Spec struct {
			Replicas  *int32 `json:"replicas"`
			Instances []struct {
				Name     string `json:"name"`
				Replicas *int32 `json:"replicas"`
				Ordinals *any   `json:"ordinals"`
			} `json:"instances"`
			DefaultTemplateOrdinals *any     `json:"defaultTemplateOrdinals"`
			FlatInstanceOrdinal     bool     `json:"flatInstanceOrdinal"`
			OfflineInstances        []string `json:"offlineInstances"`
			VolumeClaimTemplates    []named  `json:"volumeClaimTemplates"`
			Paused                  bool     `json:"paused"`
		} `json:"spec"`
		Status struct {
			Replicas           int32              `json:"replicas"`
			ReadyReplicas      int32              `json:"readyReplicas"`
			UpdatedReplicas    int32              `json:"updatedReplicas"`
			ObservedGeneration *int64             `json:"observedGeneration"`
			UpdateRevisions    map[string]string  `json:"updateRevisions"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := into(object, &i); err != nil {
		return err
	}
	wanted := orOne(i.Spec.Replicas)
	s.Wanted, s.Replicas = &wanted, Replicas{Existing: i.Status.Replicas, Ready: i.Status.ReadyReplicas, Updated: i.Status.UpdatedReplicas}
	s.Offline, s.Service = i.Spec.OfflineInstances, s.Name+"-headless"
	for _, t := range i.Spec.VolumeClaimTemplates {
		s.Templates = append(s.Templates, t.Metadata.Name)
	}
	// The controller writes down the names that it has given, if they are not too many: then they are compressed.
	given := slices.DeleteFunc(slices.Sorted(maps.Keys(i.Status.UpdateRevisions)), func(name string) bool { return !strings.HasPrefix(name, s.Name+"-") })
	numbered := !i.Spec.FlatInstanceOrdinal && i.Spec.DefaultTemplateOrdinals == nil
	var names []string
	left := wanted
	for _, template := range i.Spec.Instances {
		numbered = numbered && template.Ordinals == nil
		n := orOne(template.Replicas)
		names = append(names, numberedFrom(fmt.Sprintf("%s-%s", s.Name, template.Name), 0, n, s.Offline)...)
		left -= n
	}
	names = append(numberedFrom(s.Name, 0, left, s.Offline), names...)
	switch {
	case len(given) == int(wanted):
		slices.SortFunc(given, objects.CompareNames)
		names = given
	case !numbered:
		names = nil
	}
	s.Named = len(names) > 0
	for _, name := range names {
		s.Members = append(s.Members, Member{Name: name})
	}
	s.State.Conditions = conditionsOf(i.Status.Conditions, "InstanceFailure", "InstanceUpdateRestricted")
	s.State.Behind = i.Status.ObservedGeneration != nil && *i.Status.ObservedGeneration < s.Generation
	if i.Spec.Paused {
		s.State.Paused = "spec.paused"
	}
	return nil
}

// named is an object of which the name matters.
type named struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
}

// orOne is what the API takes a number of replicas for that is not given.
func orOne(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

// numberedFrom are so many names PREFIX-N with N from start on, without some.
func numberedFrom(prefix string, start, n int32, without []string) []string {
	var names []string
	for ordinal := start; int32(len(names)) < n; ordinal++ {
		if name := fmt.Sprintf("%s-%d", prefix, ordinal); !slices.Contains(without, name) {
			names = append(names, name)
		}
	}
	return names
}

package sets

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// kruiseStatefulSet is the StatefulSet of OpenKruise (apis/apps/v1beta1 there), which may leave ordinals out.
var kruiseStatefulSet = Kind{
	Group: "apps.kruise.io", Resource: "statefulsets", Name: "StatefulSet", Title: "OpenKruise StatefulSet", versions: []string{"v1beta1", "v1alpha1"}, decode: decodeKruise,
}

func decodeKruise(object map[string]any, s *Set) error {
	var k struct {
		Spec struct {
			Replicas *int32 `json:"replicas"`
			Ordinals struct {
				Start int32 `json:"start"`
			} `json:"ordinals"`
			ReserveOrdinals      []intstr.IntOrString `json:"reserveOrdinals"`
			ServiceName          string               `json:"serviceName"`
			VolumeClaimTemplates []named              `json:"volumeClaimTemplates"`
		} `json:"spec"`
		Status struct {
			Replicas           int32  `json:"replicas"`
			ReadyReplicas      int32  `json:"readyReplicas"`
			UpdatedReplicas    int32  `json:"updatedReplicas"`
			ObservedGeneration *int64 `json:"observedGeneration"`
		} `json:"status"`
	}
	if err := into(object, &k); err != nil {
		return err
	}
	wanted := orOne(k.Spec.Replicas)
	s.Named, s.Wanted, s.Service = true, &wanted, k.Spec.ServiceName
	s.Replicas = Replicas{Existing: k.Status.Replicas, Ready: k.Status.ReadyReplicas, Updated: k.Status.UpdatedReplicas}
	for _, t := range k.Spec.VolumeClaimTemplates {
		s.Templates = append(s.Templates, t.Metadata.Name)
	}
	for _, name := range numberedFrom(s.Name, k.Spec.Ordinals.Start, wanted, reserved(s.Name, k.Spec.ReserveOrdinals)) {
		s.Members = append(s.Members, Member{Name: name})
	}
	s.State.Behind = k.Status.ObservedGeneration != nil && *k.Status.ObservedGeneration < s.Generation
	return nil
}

// maxReserved is how many ordinals of a range are left out at most: more than any set has.
const maxReserved = 10000

// reserved are the names of pods whose ordinals are left out: numbers, and ranges such as 3-5.
func reserved(set string, ordinals []intstr.IntOrString) []string {
	var names []string
	for _, o := range ordinals {
		from, to, ranged := strings.Cut(o.String(), "-")
		first, err := strconv.Atoi(from)
		last := first
		if err == nil && ranged {
			last, err = strconv.Atoi(to)
		}
		for n := first; err == nil && n <= min(last, first+maxReserved); n++ {
			names = append(names, fmt.Sprintf("%s-%d", set, n))
		}
	}
	return names
}

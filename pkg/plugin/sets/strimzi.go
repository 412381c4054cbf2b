package sets

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// strimziPodSet is the StrimziPodSet of Strimzi, which makes the pods of Kafka, Kafka Connect and MirrorMaker. Its spec has the pods themselves.
var strimziPodSet = Kind{
	Group: "core.strimzi.io", Resource: "strimzipodsets", Name: "StrimziPodSet", Title: "Strimzi pod set", versions: []string{"v1", "v1beta2"}, decode: decodeStrimzi,
}

// strimziPause is the annotation that makes Strimzi's operator leave a resource alone.
const strimziPause = "strimzi.io/pause-reconciliation"

func decodeStrimzi(object map[string]any, s *Set) error {
	var p struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			Pods []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
				Spec struct {
					Subdomain string `json:"subdomain"`
					Volumes   []struct {
						PersistentVolumeClaim struct {
							ClaimName string `json:"claimName"`
						} `json:"persistentVolumeClaim"`
					} `json:"volumes"`
				} `json:"spec"`
			} `json:"pods"`
		} `json:"spec"`
		Status struct {
			Pods               int32              `json:"pods"`
			ReadyPods          int32              `json:"readyPods"`
			CurrentPods        int32              `json:"currentPods"`
			ObservedGeneration *int64             `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := into(object, &p); err != nil {
		return err
	}
	wanted := int32(len(p.Spec.Pods))
	s.Named, s.Wanted, s.Replicas = true, &wanted, Replicas{Existing: p.Status.Pods, Ready: p.Status.ReadyPods, Updated: p.Status.CurrentPods}
	for i := range p.Spec.Pods {
		pod := &p.Spec.Pods[i]
		m := Member{Name: pod.Metadata.Name}
		for _, v := range pod.Spec.Volumes {
			if name := v.PersistentVolumeClaim.ClaimName; name != "" {
				m.Claims = append(m.Claims, name)
			}
		}
		s.Members = append(s.Members, m)
		s.Service = pod.Spec.Subdomain
	}
	s.State.Conditions = conditionsOf(p.Status.Conditions, "Ready", "ReconciliationPaused")
	s.State.Behind = p.Status.ObservedGeneration != nil && *p.Status.ObservedGeneration < s.Generation
	if p.Metadata.Annotations[strimziPause] == "true" {
		s.State.Paused = "the annotation " + strimziPause + ": true"
	}
	return nil
}

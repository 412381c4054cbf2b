package objects

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Evictions is how many of n pods a budget lets be evicted at the same time while all are ready, and the rule that says so.
func Evictions(spec *policyv1.PodDisruptionBudgetSpec, n int) (allowed int, rule string) {
	switch {
	case spec.MaxUnavailable != nil:
		most, err := intstr.GetScaledValueFromIntOrPercent(spec.MaxUnavailable, n, true)
		if err != nil {
			return 0, ""
		}
		return min(most, n), "maxUnavailable " + spec.MaxUnavailable.String()
	case spec.MinAvailable != nil:
		least, err := intstr.GetScaledValueFromIntOrPercent(spec.MinAvailable, n, true)
		if err != nil {
			return 0, ""
		}
		return max(n-least, 0), "minAvailable " + spec.MinAvailable.String()
	}
	return 0, "neither minAvailable nor maxUnavailable" // the API lets no pod be evicted
}

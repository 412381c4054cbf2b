package objects

import (
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// Changed is when an EndpointSlice was changed last, by its managed fields; zero if that is unknown. DNS servers take a moment to follow.
func Changed(slice *discoveryv1.EndpointSlice) time.Time {
	var last time.Time
	for i := range slice.ManagedFields {
		if t := slice.ManagedFields[i].Time; t != nil && t.After(last) {
			last = t.Time
		}
	}
	return last
}

package objects

import (
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// ChangedAnnotation is one that EndpointSlices get when they are read here: when they were changed last, in RFC 3339. DNS servers take a
// moment to follow them, and no field of theirs but the managed ones, which are dropped, has that time.
const ChangedAnnotation = "doik.dev/changed"

// Changed is when an EndpointSlice was changed last; zero if that is unknown.
func Changed(slice *discoveryv1.EndpointSlice) time.Time {
	t, err := time.Parse(time.RFC3339, slice.Annotations[ChangedAnnotation])
	if err != nil {
		return time.Time{}
	}
	return t
}

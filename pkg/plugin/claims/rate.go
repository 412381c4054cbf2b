package claims

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// minInterval is how far apart two measurements have to be to say how fast a volume fills up, and maxInterval how far they are at most
	// once there are some in between: what was written hours ago says little.
	minInterval = 30 * time.Second
	maxInterval = 15 * time.Minute
	// horizon is how far ahead an estimate is worth saying.
	horizon = 30 * 24 * time.Hour
)

// before are two earlier measurements of a volume: the one that is compared with, and the one that takes its place.
type before struct {
	first, next v1alpha1.VolumeUsage
}

// then is what is remembered after another measurement.
func (b before) then(u v1alpha1.VolumeUsage) before {
	switch {
	case b.first.Time.IsZero():
		b.first, b.next = u, u
	case u.Time.Sub(b.first.Time.Time) > maxInterval:
		b.first, b.next = b.next, u
	case u.Time.Sub(b.next.Time.Time) > maxInterval/2 && b.next.Time.Equal(&b.first.Time):
		b.next = u
	}
	return b
}

// fullAt is when a volume is full if it goes on as between two measurements, by the times at which they were made; nil if it does not fill
// up, or not within the horizon.
func fullAt(earlier, u *v1alpha1.VolumeUsage) *metav1.Time {
	interval, written := u.Time.Sub(earlier.Time.Time), u.UsedBytes-earlier.UsedBytes
	if u.Elastic || interval < minInterval || written <= 0 {
		return nil
	}
	left := float64(u.AvailableBytes) / float64(written) * float64(interval)
	if left > float64(horizon) {
		return nil
	}
	at := metav1.NewTime(u.Time.Add(time.Duration(left)).Truncate(time.Second))
	return &at
}

// soon adds to a sentence when a volume will be full.
func soon(at *metav1.Time, now time.Time) string {
	switch {
	case at == nil:
		return ""
	case !now.Before(at.Time):
		return "; at the present rate it is full by now"
	}
	return "; at the present rate it will be full in " + duration.HumanDuration(at.Sub(now))
}

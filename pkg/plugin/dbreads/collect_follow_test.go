package dbreads

import (
	"testing"
	"time"
)

// TestCounted: a window ends now, or with the newest connection while the API server may just have gone silent.
func TestCounted(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		ages []time.Duration // of the answers
		want int
	}{
		"none":                        {nil, 0},
		"they go on":                  {[]time.Duration{11 * time.Second, 9 * time.Second, 0}, 2},
		"they stopped a moment ago":   {[]time.Duration{23 * time.Second, 21 * time.Second, 12 * time.Second}, 2},
		"they stopped for too long":   {[]time.Duration{23 * time.Second, 20 * time.Second}, 0},
		"only one, and it is old now": {[]time.Duration{time.Minute}, 0},
	} {
		var answers []datedAnswer
		for _, age := range test.ages {
			answers = append(answers, datedAnswer{at: now.Add(-age)})
		}
		if got := counted(answers, now); len(got) != test.want {
			t.Errorf("%s: %d answers, want %d", name, len(got), test.want)
		}
	}
}

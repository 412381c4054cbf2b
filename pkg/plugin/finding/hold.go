package finding

import (
	"slices"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Hold keeps findings of a watch back until they have been seen for a while. What they rest on comes from two sides, the API's watches and answers
// of servers, and in a switchover one side tells of it a moment before the other: labels are new where answers are old, or the reverse.
type Hold struct {
	rules []Rule
	codes []v1alpha1.Code
	least time.Duration
	since map[string]time.Time // by identity, of those that are there
	now   time.Time
}

// NewHold keeps findings of rules and of codes back until what they rest on has been read again: for at least so long.
func NewHold(least time.Duration, rules []Rule, codes ...v1alpha1.Code) *Hold {
	return &Hold{rules: rules, codes: codes, least: least}
}

// Next takes in all that is found now. What is found the first time that it is called has been shown already.
func (h *Hold) Next(found []v1alpha1.Finding, now time.Time) {
	since := map[string]time.Time{}
	for _, f := range found {
		if !h.holds(f) {
			continue
		}
		key := ByObjects(f)
		if at, ok := h.since[key]; ok {
			since[key] = at
		} else if h.since != nil {
			since[key] = now
		} else {
			since[key] = time.Time{}
		}
	}
	h.since, h.now = since, now
}

// Held reports whether a finding is kept back, as of the last call of Next.
func (h *Hold) Held(f v1alpha1.Finding) bool {
	return h.holds(f) && h.now.Sub(h.since[ByObjects(f)]) < h.least
}

func (h *Hold) holds(f v1alpha1.Finding) bool {
	return f.Severity != v1alpha1.SeverityInfo &&
		(slices.Contains(h.codes, f.Code) || slices.ContainsFunc(h.rules, func(r Rule) bool { return r.Is(f.Code) }))
}

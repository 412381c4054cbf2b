package finding

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Health is the verdict that follows from findings and from what was not looked at: the severity of the worst finding above info,
// else unknown if something could not be read, else progressing if something is on its way, else ok.
func Health(findings []v1alpha1.Finding, parts []v1alpha1.CheckedPart) v1alpha1.Health {
	worst := slices.MaxFunc(append([]v1alpha1.Finding{{Severity: v1alpha1.SeverityInfo}}, findings...), func(a, b v1alpha1.Finding) int { return -Compare(a, b) })
	switch {
	case worst.Severity != v1alpha1.SeverityInfo:
		return v1alpha1.Health(worst.Severity)
	case has(parts, v1alpha1.GapUnread):
		return v1alpha1.HealthUnknown
	case has(parts, v1alpha1.GapPending), slices.ContainsFunc(findings, func(f v1alpha1.Finding) bool { return f.Progressing }):
		return v1alpha1.HealthProgressing
	}
	return v1alpha1.HealthOK
}

// has reports whether a part has a gap of a kind.
func has(parts []v1alpha1.CheckedPart, kind v1alpha1.GapKind) bool {
	return slices.ContainsFunc(parts, func(p v1alpha1.CheckedPart) bool { return len(GapsOf(p, kind)) > 0 })
}

// GapsOf are the gaps of a part that are of a kind.
func GapsOf(p v1alpha1.CheckedPart, kind v1alpha1.GapKind) []v1alpha1.Gap {
	return slices.DeleteFunc(slices.Clone(p.Gaps), func(g v1alpha1.Gap) bool { return g.Kind != kind })
}

// AddGap adds a gap to a part: what has the same kind and reason is counted together.
func AddGap(p *v1alpha1.CheckedPart, gap v1alpha1.Gap) {
	for i := range p.Gaps {
		if g := &p.Gaps[i]; g.Kind == gap.Kind && g.Reason == gap.Reason {
			g.Number += gap.Number
			return
		}
	}
	p.Gaps = append(p.Gaps, gap)
}

// Merge adds what was looked at of several items up, part by part, in the order of v1alpha1.CheckParts.
func Merge(items ...[]v1alpha1.CheckedPart) []v1alpha1.CheckedPart {
	var sum []v1alpha1.CheckedPart
	for _, part := range v1alpha1.CheckParts {
		total, found := v1alpha1.CheckedPart{Part: part}, false
		for _, p := range slices.Concat(items...) {
			if p.Part != part {
				continue
			}
			found = true
			total.Number += p.Number
			total.Of += p.Of
			for _, gap := range p.Gaps {
				AddGap(&total, gap)
			}
		}
		if found {
			sum = append(sum, total)
		}
	}
	return sum
}

// Unread are the parts that could not be read, other than those that are allowed to be unknown.
func Unread(parts []v1alpha1.CheckedPart, allowed []v1alpha1.CheckPart) []v1alpha1.CheckedPart {
	return slices.DeleteFunc(slices.Clone(parts), func(p v1alpha1.CheckedPart) bool {
		return len(GapsOf(p, v1alpha1.GapUnread)) == 0 || slices.Contains(allowed, p.Part)
	})
}

// Allow leaves the gaps out of parts that are allowed to be unknown.
func Allow(parts []v1alpha1.CheckedPart, allowed []v1alpha1.CheckPart) []v1alpha1.CheckedPart {
	list := slices.Clone(parts)
	for i := range list {
		if slices.Contains(allowed, list[i].Part) {
			list[i].Gaps = slices.DeleteFunc(slices.Clone(list[i].Gaps), func(g v1alpha1.Gap) bool { return g.Kind == v1alpha1.GapUnread })
		}
	}
	return list
}

// Gaps says of each part what of a kind was not looked at: "volumes (2 of 3: no permission to get nodes/proxy), DNS (…)".
func Gaps(parts []v1alpha1.CheckedPart, kind v1alpha1.GapKind) string {
	var words []string
	for _, p := range parts {
		var reasons []string
		for _, gap := range GapsOf(p, kind) {
			text := short(gap.Reason)
			if gap.Number > 0 && p.Of > 0 && kind != v1alpha1.GapNotAsked {
				text = fmt.Sprintf("%d of %d: %s", gap.Number, p.Of, text)
			}
			reasons = append(reasons, text)
		}
		if len(reasons) > 0 {
			words = append(words, fmt.Sprintf("%s (%s)", p.Part, strings.Join(reasons, "; ")))
		}
	}
	return strings.Join(words, ", ")
}

// longReason is how long a reason may be where several stand in one line; all of it is in the report and in its problems.
const longReason = 120

// short cuts a reason that is long.
func short(reason string) string {
	if runes := []rune(reason); len(runes) > longReason {
		return string(runes[:longReason-1]) + "…"
	}
	return reason
}

// refused matches what an API server says of a right that is missing: pods is forbidden: User "x" cannot list resource "pods" in API
// group "" in the namespace "y".
var refused = regexp.MustCompile(`cannot (\w+) resource "([^"]+)"`)

// Why is a problem in a few words, as the reason of a gap.
func Why(p v1alpha1.Problem) string {
	if m := refused.FindStringSubmatch(p.Message); p.Reason == v1alpha1.ReasonForbidden && m != nil {
		return fmt.Sprintf("no permission to %s %s", m[1], m[2])
	}
	return p.Message
}

// Ready is the condition Ready. Ready is what was seen, and unseen says that something which it rests on could not be read.
func Ready(selected, ready, unseen bool) v1alpha1.Condition {
	c := v1alpha1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAllReady}
	switch {
	case !selected:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonNoneSelected
	case unseen:
		c.Status, c.Reason = metav1.ConditionUnknown, v1alpha1.ReasonNotRead
	case !ready:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonNotReady
	}
	return c
}

// Healthy is the condition Healthy.
func Healthy(selected bool, findings []v1alpha1.Finding, parts []v1alpha1.CheckedPart) v1alpha1.Condition {
	c := v1alpha1.Condition{Type: v1alpha1.ConditionHealthy}
	switch health := Health(findings, parts); {
	case !selected:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonNoneSelected
	case health == v1alpha1.HealthOK:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonNothingFound
	case health == v1alpha1.HealthProgressing:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, v1alpha1.ReasonProgressing, Gaps(parts, v1alpha1.GapPending)
	case health == v1alpha1.HealthUnknown:
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, v1alpha1.ReasonNotRead, Gaps(parts, v1alpha1.GapUnread)
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, v1alpha1.ReasonFindings, "the worst finding is of severity "+string(health)
	}
	return c
}

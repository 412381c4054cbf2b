package nodes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// osColumn is shown where not every node runs Linux.
func osColumn(report *v1alpha1.NodeCapacityList) printers.Column[item] {
	cell := func(n item) printers.Cell { return orNone(n.Class.OS) }
	if slices.ContainsFunc(report.Items, func(n v1alpha1.NodeCapacity) bool { return otherOS(&n) }) {
		return printers.Narrow("OS", cell)
	}
	return printers.Wide("OS", cell)
}

// otherOS reports whether a node runs something else than Linux.
func otherOS(n item) bool { return n.Class.OS != "" && n.Class.OS != "linux" }

// status is what kubectl get nodes says, then pressures, what announces a disruption, and taints that the node's own stateful pods do not
// tolerate.
func status(n item) printers.Cell {
	words := []string{string(n.Readiness)}
	if n.Cordoned {
		words = append(words, "SchedulingDisabled")
	}
	words = append(words, n.Pressures...)
	if n.Terminating {
		words = append(words, "Terminating")
	}
	c := printers.Cell{Level: printers.Plain}
	if len(words) > 1 {
		c.Level = printers.Warn
	}
	add := func(word string, level printers.Level) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
		c.Level = max(c.Level, level)
	}
	for _, d := range n.Class.Disruptions {
		switch {
		case saidByStatus(d):
		case d.Going:
			add(keyOf(d), printers.Alarm)
		default:
			add(keyOf(d), printers.Warn)
		}
	}
	for _, t := range n.Taints {
		if len(t.Untolerated) > 0 {
			add(key(t.Taint), printers.Warn)
		}
	}
	if n.Readiness != v1alpha1.NodeReady || n.Terminating {
		c.Level = printers.Alarm
	}
	c.Text = strings.Join(words, ",")
	return c
}

// key is the key of a taint, a label or an annotation: KEY=VALUE:EFFECT, KEY:EFFECT, KEY=VALUE.
func key(text string) string {
	text, _, _ = strings.Cut(text, "=")
	text, _, _ = strings.Cut(text, ":")
	return text
}

// keyOf is the key of what announces a disruption.
func keyOf(d v1alpha1.NodeDisruption) string { return key(cmp.Or(d.Taint, d.Mark)) }

// saidByStatus reports whether a taint says what the node's conditions say already.
func saidByStatus(d v1alpha1.NodeDisruption) bool {
	return strings.HasPrefix(keyOf(d), "node.kubernetes.io/") && !d.Going
}

// Package finding is what every subcommand does with findings and problems: making them, their order, the page that explains a code,
// lists of names that stay short.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// few is how many names a sentence has.
const few = 3

// New makes a finding: what is wrong, or informational, in one sentence about objects, which are kind/name
// or kind/namespace/name. Command is one to run next; empty if none is known.
func New(code v1alpha1.Code, severity v1alpha1.Severity, objects []string, command, format string, args ...any) v1alpha1.Finding {
	return v1alpha1.Finding{Code: code, Severity: severity, Objects: Refs(objects), Message: fmt.Sprintf(format, args...), Remedy: v1alpha1.Remedy{Command: command, Explain: Explain(code)}}
}

// Progress makes a finding one of something on its way: of severity info until it is late.
func Progress(f v1alpha1.Finding) v1alpha1.Finding {
	f.Severity, f.Progressing = v1alpha1.SeverityInfo, true
	return f
}

// Sort puts the worst first, and those of one severity by code; the order is otherwise kept.
func Sort(list []v1alpha1.Finding) {
	slices.SortStableFunc(list, Compare)
}

// Compare is negative if a is worse than b or, of the same severity, has the lower code.
func Compare(a, b v1alpha1.Finding) int {
	return cmp.Or(
		CompareSeverity(b.Severity, a.Severity),
		cmp.Compare(a.Code, b.Code))
}

// CompareSeverity is negative if a is milder than b, and positive if it is worse. What is no severity is milder than all.
func CompareSeverity(a, b v1alpha1.Severity) int {
	return cmp.Compare(slices.Index(v1alpha1.Severities[:], a), slices.Index(v1alpha1.Severities[:], b))
}

// Family is the letters that a code begins with: STS of STS010.
func Family(code v1alpha1.Code) string { return strings.TrimRight(string(code), "0123456789") }

// Explain is the command that explains a code.
func Explain(code v1alpha1.Code) string { return "kubectl doik explain " + string(code) }

// Lasting leaves out the problems that go away by waiting.
func Lasting(problems []v1alpha1.Problem) []v1alpha1.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p v1alpha1.Problem) bool { return p.Passing })
}

// Some names the first few of a list and counts the others.
func Some(names []string) string {
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

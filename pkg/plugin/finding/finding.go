// Package finding is what every subcommand does with findings and problems: their order, the page that explains a code, lists of
// names that stay short.
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

// Sort puts the worst first, and those of one severity by code; the order is otherwise kept.
func Sort(list []v1alpha1.Finding) {
	slices.SortStableFunc(list, Compare)
}

// Compare is negative if a is worse than b or, of the same severity, has the lower code.
func Compare(a, b v1alpha1.Finding) int {
	return cmp.Or(
		cmp.Compare(slices.Index(v1alpha1.Severities[:], b.Severity), slices.Index(v1alpha1.Severities[:], a.Severity)),
		cmp.Compare(a.Code, b.Code))
}

// Page is the place in the documentation that explains a code.
func Page(code v1alpha1.Code) string {
	return "docs/findings.md#" + strings.ToLower(string(code))
}

// Lasting leaves out the problems that go away by waiting, which have one of the given messages: a kubelet tells of a new volume a
// little later.
func Lasting(problems []v1alpha1.Problem, passing ...string) []v1alpha1.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p v1alpha1.Problem) bool { return slices.Contains(passing, p.Message) })
}

// Some names the first few of a list and counts the others.
func Some(names []string) string {
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

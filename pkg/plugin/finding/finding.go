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

// Some names the first few of a list and counts the others.
func Some(names []string) string {
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

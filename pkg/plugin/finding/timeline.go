package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Timeline tells which findings came and which went, as far as they are no mere information and not of the codes that are reported in other
// words. Figures in their messages change: two findings are the same if they have the same identity. What is over is reported without severity, and
// with its objects, whose namespace is reported where it is not home.
func Timeline(home string, was, is []v1alpha1.Finding, identity func(v1alpha1.Finding) string, told []v1alpha1.Code, tell func(severity v1alpha1.Severity, text string)) {
	tells := func(f v1alpha1.Finding) bool {
		return f.Severity != v1alpha1.SeverityInfo && !slices.Contains(told, f.Code)
	}
	old, now := map[string]bool{}, map[string]bool{}
	for _, f := range was {
		if tells(f) {
			old[identity(f)] = true
		}
	}
	for _, f := range is {
		if !tells(f) {
			continue
		}
		now[identity(f)] = true
		if !old[identity(f)] {
			tell(f.Severity, fmt.Sprintf("%s %s %s", strings.ToUpper(string(f.Severity)), f.Code, f.Message))
		}
	}
	for _, f := range was {
		if tells(f) && !now[identity(f)] {
			tell("", fmt.Sprintf("%s resolved: %s", f.Code, Some(Objects(f.Objects, home))))
		}
	}
}

// ByObjects is the identity of findings that are known by their code and all their objects.
func ByObjects(f v1alpha1.Finding) string {
	return string(f.Code) + " " + strings.Join(Objects(f.Objects, ""), " ")
}

// BySubject is that of findings whose first object is what they are about; the others come and go.
func BySubject(f v1alpha1.Finding) string {
	return string(f.Code) + " " + strings.Join(Objects(f.Objects[:min(1, len(f.Objects))], ""), "")
}

package scope

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// ExitFindings is the exit code for findings at least as severe as --fail-on.
const ExitFindings = 3

// FindingsError says that --fail-on applies. The report has been printed.
type FindingsError struct {
	Count    int
	Severity v1alpha1.Severity
}

func (e *FindingsError) Error() string {
	noun := "findings"
	if e.Count == 1 {
		noun = "finding"
	}
	return fmt.Sprintf("%d %s of severity %s or worse (--fail-on)", e.Count, noun, e.Severity)
}

// FailingFrom is the severity from which on findings fail: that of --fail-on, else warning.
func (s *Scope) FailingFrom() v1alpha1.Severity {
	return cmp.Or(s.failOn, v1alpha1.SeverityWarning)
}

// FailOn returns a *FindingsError if --fail-on was given and a finding is that severe.
func (s *Scope) FailOn(findings []v1alpha1.Finding) error {
	if s.failOn == "" {
		return nil
	}
	threshold := slices.Index(v1alpha1.Severities[:], s.failOn)
	count := 0
	for _, f := range findings {
		if slices.Index(v1alpha1.Severities[:], f.Severity) >= threshold {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	return &FindingsError{Count: count, Severity: s.failOn}
}

package scope

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Exit codes with --fail-on.
const (
	// ExitFindings is the one for findings at least as severe as --fail-on.
	ExitFindings = 3
	// ExitNotJudged is the one for a report without such findings, in which something could not be read.
	ExitNotJudged = 4
)

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

// NotJudgedError says that --fail-on can't be answered: nothing that severe was found, and something could not be read. The report has
// been printed.
type NotJudgedError struct {
	Parts []v1alpha1.CheckedPart
}

func (e *NotJudgedError) Error() string {
	names := make([]string, len(e.Parts))
	for i, p := range e.Parts {
		names[i] = string(p.Part)
	}
	return fmt.Sprintf("not judged (--fail-on): could not be read: %s; accept that with --allow-unknown=%s", finding.Gaps(e.Parts, v1alpha1.GapUnread), strings.Join(names, ","))
}

// FailOn returns a *FindingsError if --fail-on was given and a finding is that severe, else a *NotJudgedError if a part that
// --allow-unknown does not name could not be read.
func (s *Scope) FailOn(findings []v1alpha1.Finding, parts []v1alpha1.CheckedPart) error {
	if s.failOn == "" {
		return nil
	}
	count := 0
	for _, f := range findings {
		if !f.Progressing && finding.CompareSeverity(f.Severity, s.failOn) >= 0 {
			count++
		}
	}
	if count > 0 {
		return &FindingsError{Count: count, Severity: s.failOn}
	}
	if unread := finding.Unread(parts, s.AllowUnknown); len(unread) > 0 {
		return &NotJudgedError{Parts: unread}
	}
	return nil
}

// anyPart stands for all parts in --allow-unknown.
const anyPart = "all"

// parseParts reads the values of --allow-unknown, in small or capital letters.
func parseParts(list []string) ([]v1alpha1.CheckPart, error) {
	var parts []v1alpha1.CheckPart
	for _, text := range list {
		if text == anyPart {
			return v1alpha1.CheckParts[:], nil
		}
		i := slices.IndexFunc(v1alpha1.CheckParts[:], func(p v1alpha1.CheckPart) bool { return strings.EqualFold(string(p), text) })
		if i < 0 {
			return nil, fmt.Errorf("invalid --allow-unknown %q: must be one of %s", text, strings.Join(partNames(), ", "))
		}
		parts = append(parts, v1alpha1.CheckParts[i])
	}
	return parts, nil
}

// partNames are the values that --allow-unknown takes.
func partNames() []string {
	names := []string{anyPart}
	for _, p := range v1alpha1.CheckParts {
		names = append(names, string(p))
	}
	return names
}

package plugin

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
)

func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{errors.New("it broke\n\nSee the help"), 1, "error: it broke; See the help\n"},
		{errors.New("error: once\x1b[2J"), 1, "error: once^[[2J\n"},
		{&scope.FindingsError{Count: 1, Severity: v1alpha1.SeverityError}, 3, "error: 1 finding of severity error or worse (--fail-on)\n"},
		{&scope.NotJudgedError{Parts: []v1alpha1.CheckedPart{{Part: v1alpha1.PartDNS, Gaps: []v1alpha1.Gap{{Kind: v1alpha1.GapUnread, Reason: "no\x1banswer"}}}}}, 4,
			"error: not judged (--fail-on): could not be read: DNS (no^[answer); accept that with --allow-unknown=DNS\n"},
	} {
		var out strings.Builder
		if code := exitCode(test.err, finding.Given{}, &out); code != test.code || out.String() != test.text {
			t.Errorf("%v: exit code %d, %q", test.err, code, out.String())
		}
	}
}

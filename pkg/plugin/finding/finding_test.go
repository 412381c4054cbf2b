package finding

import (
	"slices"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestSort(t *testing.T) {
	list := []v1alpha1.Finding{
		{Code: "B", Severity: v1alpha1.SeverityInfo}, {Code: "B", Severity: v1alpha1.SeverityError, Message: "first"},
		{Code: "B", Severity: v1alpha1.SeverityError, Message: "second"}, {Code: "A", Severity: v1alpha1.SeverityError},
		{Code: "C", Severity: v1alpha1.SeverityCritical}, {Code: "A", Severity: v1alpha1.SeverityWarning},
	}
	Sort(list)
	var got []string
	for _, f := range list {
		got = append(got, string(f.Severity)+string(f.Code)+f.Message)
	}
	if want := []string{"criticalC", "errorA", "errorBfirst", "errorBsecond", "warningA", "infoB"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestText(t *testing.T) {
	for want, names := range map[string][]string{"a, b, c": {"a", "b", "c"}, "a, b, c and 2 more": {"a", "b", "c", "d", "e"}, "": nil} {
		if got := Some(names); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := Page(v1alpha1.CodeNodeGoing); got != "docs/findings.md#node007" {
		t.Error(got)
	}
}

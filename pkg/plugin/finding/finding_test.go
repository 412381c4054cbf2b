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
	if got := Explain(v1alpha1.CodeNodeGoing); got != "kubectl doik explain NODE007" {
		t.Error(got)
	}
}

// TestNew: what explains the code follows from it.
func TestNew(t *testing.T) {
	f := New(v1alpha1.CodeNodeGoing, v1alpha1.SeverityError, []string{"node/a"}, "", "%s is going", "a")
	if f.Message != "a is going" || f.Remedy != (v1alpha1.Remedy{Explain: "kubectl doik explain NODE007"}) || f.Progressing {
		t.Errorf("%+v", f)
	}
	if f := Progress(New(v1alpha1.CodeNodeGoing, v1alpha1.SeverityError, nil, "kubectl get nodes", "a")); f.Remedy.Command != "kubectl get nodes" || !f.Progressing || f.Severity != v1alpha1.SeverityInfo {
		t.Errorf("%+v", f)
	}
	if CompareSeverity(v1alpha1.SeverityCritical, v1alpha1.SeverityError) <= 0 || CompareSeverity("", v1alpha1.SeverityInfo) >= 0 {
		t.Error("the order of severities")
	}
	if left := Lasting([]v1alpha1.Problem{{Subject: "a", Passing: true}, {Subject: "b"}}); len(left) != 1 || left[0].Subject != "b" {
		t.Errorf("%+v", left)
	}
}

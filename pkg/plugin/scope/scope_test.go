package scope

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestParseNames(t *testing.T) {
	kinds := []string{"sts", "statefulset"}
	got, err := parseNames([]string{"web", "sts/db", "StatefulSet/web", "db"}, kinds)
	if err != nil || strings.Join(got, " ") != "web db" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "sts/", "pod/web-0", "/web"} {
		if got, err := parseNames([]string{bad}, kinds); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestFailOn(t *testing.T) {
	findings := []v1alpha1.Finding{{Severity: v1alpha1.SeverityInfo}, {Severity: v1alpha1.SeverityWarning}, {Severity: v1alpha1.SeverityError}}
	for failOn, want := range map[v1alpha1.Severity]int{"": 0, v1alpha1.SeverityInfo: 3, v1alpha1.SeverityWarning: 2, v1alpha1.SeverityError: 1, v1alpha1.SeverityCritical: 0} {
		err := (&Scope{failOn: failOn}).FailOn(findings)
		var found *FindingsError
		switch {
		case want == 0 && err != nil:
			t.Errorf("--fail-on=%s: %v", failOn, err)
		case want > 0 && (!errors.As(err, &found) || found.Count != want):
			t.Errorf("--fail-on=%s: %v, want %d", failOn, err, want)
		}
	}
}

func TestNothingFound(t *testing.T) {
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	(&Scope{Streams: streams, Namespace: "shop"}).NothingFound("StatefulSets")
	(&Scope{Streams: streams, AllNamespaces: true}).NothingFound("StatefulSets")
	if want := "No StatefulSets found in namespace shop.\nNo StatefulSets found.\n"; errOut.String() != want || out.Len() > 0 {
		t.Errorf("%q", errOut.String())
	}
}

// TestProgress must not write to what is no terminal, whatever the order of calls.
func TestProgress(t *testing.T) {
	streams, _, _, errOut := genericiooptions.NewTestIOStreams()
	p := (&Scope{Streams: streams}).StartProgress("connecting")
	p.Step("reading")
	p.End()
	p.Step("late")
	p.End()
	if errOut.Len() > 0 {
		t.Errorf("%q", errOut.String())
	}
}

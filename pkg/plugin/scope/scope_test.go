package scope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestParseNames(t *testing.T) {
	kinds := []string{"sts", "statefulset"}
	got, err := parseNames([]string{"web", "sts/db", "StatefulSet/web", "db"}, kinds)
	if err != nil || strings.Join(namesOf(got), " ") != "web db" || got[1] != (Argument{"sts", "db"}) {
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
		err := (&Scope{failOn: failOn}).FailOn(findings, nil)
		var found *FindingsError
		switch {
		case want == 0 && err != nil:
			t.Errorf("--fail-on=%s: %v", failOn, err)
		case want > 0 && (!errors.As(err, &found) || found.Count != want):
			t.Errorf("--fail-on=%s: %v, want %d", failOn, err, want)
		}
	}
}

// TestNotJudged is an error of its own where nothing severe was found and something could not be read, unless that is allowed.
func TestNotJudged(t *testing.T) {
	unread := []v1alpha1.CheckedPart{
		{Part: v1alpha1.PartVolumes, Number: 1, Of: 3, Gaps: []v1alpha1.Gap{{Kind: v1alpha1.GapUnread, Number: 2, Reason: "no permission to get nodes/proxy"}}},
		{Part: v1alpha1.PartDNS, Gaps: []v1alpha1.Gap{{Kind: v1alpha1.GapNotCovered, Reason: "UDP"}}},
	}
	late := []v1alpha1.Finding{{Severity: v1alpha1.SeverityInfo, Progressing: true}}
	for _, test := range []struct {
		failOn   v1alpha1.Severity
		findings []v1alpha1.Finding
		allowed  []v1alpha1.CheckPart
		want     string
	}{
		{"", nil, nil, ""},
		{v1alpha1.SeverityError, nil, nil, "not judged (--fail-on): could not be read: volumes (2 of 3: no permission to get nodes/proxy); accept that with --allow-unknown=volumes"},
		{v1alpha1.SeverityError, nil, []v1alpha1.CheckPart{v1alpha1.PartVolumes}, ""},
		{v1alpha1.SeverityInfo, late, v1alpha1.CheckParts[:], ""},
		{v1alpha1.SeverityError, []v1alpha1.Finding{{Severity: v1alpha1.SeverityCritical}}, nil, "1 finding of severity error or worse (--fail-on)"},
	} {
		err := (&Scope{failOn: test.failOn, AllowUnknown: test.allowed}).FailOn(test.findings, unread)
		if got := fmt.Sprint(err); got != test.want && (err != nil || test.want != "") {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestParseParts(t *testing.T) {
	if got, err := parseParts([]string{"dns", "Volumes"}); err != nil || !slices.Equal(got, []v1alpha1.CheckPart{v1alpha1.PartDNS, v1alpha1.PartVolumes}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := parseParts([]string{"all"}); err != nil || len(got) != len(v1alpha1.CheckParts) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseParts([]string{"disks"}); err == nil || !strings.Contains(err.Error(), "must be one of all, ordinals, volumes") {
		t.Error(err)
	}
}

func TestNothingFound(t *testing.T) {
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	everywhere := &Scope{Streams: streams, AllNamespaces: true}
	if err := everywhere.NothingFound(t.Context(), "StatefulSets"); err != nil {
		t.Error(err)
	}
	if want := "No StatefulSets found.\n"; errOut.String() != want || out.Len() > 0 {
		t.Errorf("%q", errOut.String())
	}
	everywhere.Selector, everywhere.failOn = "app=typo", v1alpha1.SeverityError
	if err := everywhere.NothingFound(t.Context(), "StatefulSets"); err == nil || !strings.Contains(err.Error(), "-l app=typo selects no StatefulSets") {
		t.Error(err)
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

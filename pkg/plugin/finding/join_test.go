package finding

import (
	"fmt"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestJoin has findings that differ in names only say so once, with the names, and leaves all others as they are.
func TestJoin(t *testing.T) {
	const code, severity = v1alpha1.CodeZoneBound, v1alpha1.SeverityWarning
	about := func(object, command, message string) v1alpha1.Finding {
		return New(code, severity, []string{object}, command, "%s", message)
	}
	zone := func(node, zone, claim string) v1alpha1.Finding {
		return New(code, severity, []string{"node/" + node, "persistentvolumeclaim/shop/" + claim}, "", "only %s takes new pods in zone %s, which the volumes of shop/%s can't leave", node, zone, claim)
	}
	var many []v1alpha1.Finding
	for i := range 13 {
		many = append(many, about(fmt.Sprintf("pod/web-%d", i), "", fmt.Sprintf("web-%d is on no node", i)))
	}
	for _, test := range []struct {
		name    string
		in      []v1alpha1.Finding
		want    []string
		command string // of the first
	}{
		{"one", []v1alpha1.Finding{about("pod/a-0", "kubectl describe pod a-0", "a-0 is late")}, []string{"a-0 is late"}, "kubectl describe pod a-0"},
		{
			"a command that takes several names",
			[]v1alpha1.Finding{about("pod/a-0", "kubectl describe pod a-0 -n x", "a-0 is late."), about("pod/a-1", "kubectl describe pod a-1 -n x", "a-1 is late."), about("pod/a-2", "kubectl describe pod a-2 -n x", "a-2 is late.")},
			[]string{"a-0 is late; likewise a-1, a-2"}, "kubectl describe pod a-0 a-1 a-2 -n x",
		},
		{
			"a command that takes one",
			[]v1alpha1.Finding{about("pod/a-0", "kubectl logs a-0", "a-0 is late"), about("pod/a-1", "kubectl logs a-1", "a-1 is late")},
			[]string{"a-0 is late; likewise a-1"}, "kubectl logs a-0",
		},
		{
			"other names beside that of the object",
			[]v1alpha1.Finding{zone("n-0", "eu-west-1a", "data-0"), zone("n-1", "eu-west-1b", "data-1"), zone("n-2", "eu-west-1c", "data-2")},
			[]string{"only n-0 takes new pods in zone eu-west-1a, which the volumes of shop/data-0 can't leave; likewise n-1 (eu-west-1b; shop/data-1), n-2 (eu-west-1c; shop/data-2)"}, "",
		},
		{
			"a name that is no object's before", []v1alpha1.Finding{
				New(code, severity, []string{"node/n-0", "persistentvolumeclaim/shop/data-0"}, "", "no node takes new pods in zone eu-1a, which the volumes of shop/data-0 can't leave"),
				New(code, severity, []string{"node/n-1", "persistentvolumeclaim/shop/data-1", "persistentvolumeclaim/shop/data-2"}, "", "no node takes new pods in zone eu-1b, which the volumes of shop/data-1, shop/data-2 can't leave"),
			},
			[]string{"no node takes new pods in zone eu-1a, which the volumes of shop/data-0 can't leave; likewise shop/data-1, shop/data-2 (eu-1b)"}, "",
		},
		{
			"a percentage", []v1alpha1.Finding{about("persistentvolumeclaim/d-0", "", "d-0 is 91% full"), about("persistentvolumeclaim/d-1", "", "d-1 is 97% full")},
			[]string{"d-0 is 91% full; likewise d-1 (97%)"}, "",
		},
		{
			"a share", []v1alpha1.Finding{about("pod/d-0", "", "d-0 can't connect (attempt 3/10)"), about("pod/d-1", "", "d-1 can't connect (attempt 4/10)"), about("pod/d-2", "", "d-2 can't connect (attempt 3/10)")},
			[]string{"d-0 can't connect (attempt 3/10); likewise d-1 (4/10), d-2"}, "",
		},
		{
			"the same name twice", []v1alpha1.Finding{about("pod/a-0", "", "a-0 is late: a-0 waits"), about("pod/a-1", "", "a-1 is late: a-1 waits")},
			[]string{"a-0 is late: a-0 waits; likewise a-1"}, "",
		},
		{
			"other words", []v1alpha1.Finding{about("pod/a-0", "", "a-0 is OFFLINE"), about("pod/a-1", "", "a-1 is ERROR"), about("pod/a-2", "", "a-2 is OFFLINE")},
			[]string{"a-0 is OFFLINE; likewise a-2", "a-1 is ERROR"}, "",
		},
		{
			"other numbers", []v1alpha1.Finding{about("pod/a-0", "", "a-0 restarted 3 times"), about("pod/a-1", "", "a-1 restarted 4 times")},
			[]string{"a-0 restarted 3 times", "a-1 restarted 4 times"}, "",
		},
		{
			"lists", []v1alpha1.Finding{
				New(code, severity, []string{"statefulset/a", "pod/a-0", "pod/a-1"}, "", "a: lost with zone z: a-0, a-1"), New(code, severity, []string{"statefulset/b", "pod/b-0"}, "", "b: lost with zone z: b-0"),
			},
			[]string{"a: lost with zone z: a-0, a-1; likewise b (b-0)"}, "",
		},
		{"too many", many, []string{"web-0 is on no node; likewise web-1, web-2, web-3, web-4, web-5, web-6, web-7, web-8, web-9, web-10 and 2 more"}, ""},
		{"the same of the same", []v1alpha1.Finding{about("pod/a-0", "", "a-0 is late"), about("pod/a-0", "", "a-0 is late")}, []string{"a-0 is late", "a-0 is late"}, ""},
	} {
		got := Join(test.in)
		var messages []string
		for _, f := range got {
			messages = append(messages, f.Message)
		}
		if fmt.Sprintf("%q", messages) != fmt.Sprintf("%q", test.want) || got[0].Remedy.Command != test.command {
			t.Errorf("%s: %q, %q", test.name, messages, got[0].Remedy.Command)
		}
	}
	joined := Join([]v1alpha1.Finding{zone("n-0", "eu-1a", "data-0"), zone("n-1", "eu-1b", "data-1")})
	if len(joined) != 1 || len(joined[0].Objects) != 4 {
		t.Errorf("%+v", joined)
	}
}

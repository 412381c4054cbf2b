package dbtopology

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// TestEntries has servers with several sources below each of these.
func TestEntries(t *testing.T) {
	server := func(pod string, depth int32, sources ...string) v1alpha1.DatabaseServer {
		s := v1alpha1.DatabaseServer{Pod: pod, Depth: depth}
		for i, source := range sources {
			set, name, other := strings.Cut(source, "/")
			c := v1alpha1.DatabaseChannel{Name: fmt.Sprint(i + 1), Source: v1alpha1.DatabaseSource{Pod: source}}
			if other {
				c.Source = v1alpha1.DatabaseSource{Pod: name, Set: set}
			}
			s.Channels = append(s.Channels, c)
		}
		return s
	}
	for name, test := range map[string]struct {
		servers []v1alpha1.DatabaseServer
		want    string
	}{
		"one source":  {[]v1alpha1.DatabaseServer{server("a", 0), server("b", 1, "a"), server("c", 2, "b")}, "a, └─ b 1,    └─ c 1"},
		"two sources": {[]v1alpha1.DatabaseServer{server("a", 0), server("c", 1, "a", "b"), server("b", 0)}, "a, └─ c 1, b, └─ c 2"},
		"behind a relay": {
			[]v1alpha1.DatabaseServer{server("a", 0), server("d", 1, "a", "b"), server("e", 2, "d"), server("b", 0), server("c", 1, "b")},
			"a, └─ d 1,    └─ e 1, b, ├─ c 1, └─ d 2",
		},
		"two channels from the same": {[]v1alpha1.DatabaseServer{server("a", 0), server("b", 1, "a", "a")}, "a, └─ b 1, └─ b 2"},
		"one outside":                {[]v1alpha1.DatabaseServer{server("a", 0), server("b", 1, "a", "", "other/a")}, "a, └─ b 1, └─ b 2, └─ b 3"},
		"a cycle":                    {[]v1alpha1.DatabaseServer{server("a", 0, "b"), server("b", 1, "a")}, "a 1, └─ b 1"},
	} {
		set := &v1alpha1.DatabaseTopology{Servers: test.servers}
		entries := entriesOf(set)
		branches := branchesOf(entries, printers.ShowAll, make([]bool, len(test.servers)))
		var rows []string
		for i, e := range entries {
			pod := branches[i] + test.servers[e.server].Pod
			if len(e.channels) == 0 {
				rows = append(rows, pod)
			}
			for _, c := range e.channels {
				rows = append(rows, pod+" "+c.Name)
			}
		}
		if got := strings.Join(rows, ", "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

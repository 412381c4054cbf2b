package dbtopology

import (
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// reasoned are servers with what is wrong with each, for a sentence: those with the same reason stand together.
type reasoned struct {
	reasons []string
	names   map[string][]string // by reason
}

func (r *reasoned) add(name, reason string) {
	if !slices.Contains(r.reasons, reason) {
		r.reasons = append(r.reasons, reason)
	}
	if r.names == nil {
		r.names = map[string][]string{}
	}
	r.names[reason] = append(r.names[reason], name)
}

// mostNames is how many names of servers with the same reason a sentence has; the finding's objects are all of them.
const mostNames = 10

// String is "mysql-1, mysql-3 (receiver Yes, applier No); mysql-2 (it is OFFLINE in its group)".
func (r *reasoned) String() string {
	parts := make([]string, len(r.reasons))
	for i, reason := range r.reasons {
		names := strings.Join(r.names[reason], ", ")
		if len(r.names[reason]) > mostNames {
			names = finding.Some(r.names[reason])
		}
		parts[i] = names + " (" + reason + ")"
	}
	return strings.Join(parts, "; ")
}

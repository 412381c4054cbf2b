package kube

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// NotFound says that there is no object of a name, and which of the existing names may have been meant. Namespace is empty for
// kinds that have none.
func NotFound(resource, namespace, name string, existing []string) error {
	text := fmt.Sprintf("%s %q not found", resource, name)
	if namespace != "" {
		text += " in namespace " + namespace
	}
	if near := finding.Nearest(name, existing); len(near) > 0 {
		text += ": did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%s", text)
}

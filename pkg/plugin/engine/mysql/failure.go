package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// NotRunningError says why there is no server in a pod.
type NotRunningError struct {
	Reason string
}

func (e *NotRunningError) Error() string { return e.Reason }

// checkRunning returns a *NotRunningError if the server's container does not run.
func checkRunning(s Server) error {
	for i := range s.Pod.Status.ContainerStatuses {
		c := &s.Pod.Status.ContainerStatuses[i]
		switch {
		case c.Name != s.Container || c.State.Running != nil:
			continue
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			return &NotRunningError{fmt.Sprintf("its container %s does not run: %s", c.Name, c.State.Waiting.Reason)}
		}
		return &NotRunningError{fmt.Sprintf("its container %s does not run", c.Name)}
	}
	if s.Pod.Spec.NodeName == "" {
		return &NotRunningError{"its pod is on no node"}
	}
	return nil
}

// ProblemOf describes why a server did not answer within its time.
func ProblemOf(s Server, err error, timeout time.Duration) v1alpha1.Problem {
	p := kube.ProblemOf("server "+s.Pod.Name, err)
	p.Message = oneLine(err.Error())
	var login *LoginError
	var notRunning *NotRunningError
	var withheld *dbserver.RefusedError
	switch {
	case errors.As(err, &notRunning):
		p.Reason = v1alpha1.ReasonNotRunning
		p.Remedy = fmt.Sprintf("see kubectl describe pod %s -n %s", s.Pod.Name, s.Pod.Namespace)
	case errors.Is(err, context.DeadlineExceeded):
		p.Reason = v1alpha1.ReasonTimeout
		p.Message = fmt.Sprintf("no answer within %s", timeout)
		p.Remedy = fmt.Sprintf("see kubectl logs %s -c %s -n %s, or raise --server-timeout", s.Pod.Name, s.Container, s.Pod.Namespace)
	case errors.As(err, &withheld):
		p.Remedy = withheld.Remedy
	case !errors.As(err, &login):
	case login.IsNotListening():
		p.Reason = v1alpha1.ReasonNotListening
		p.Remedy = fmt.Sprintf("see kubectl logs %s -c %s -n %s", s.Pod.Name, s.Container, s.Pod.Namespace)
	case login.IsRefused():
		p.Reason = v1alpha1.ReasonRefused
		p.Remedy = "see --user and --password-from"
	case login.IsForbidden():
		p.Reason = v1alpha1.ReasonForbidden
		p.Remedy = "ask for the rights to create and get pods/portforward or pods/exec, see docs/rbac.md"
	}
	return p
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

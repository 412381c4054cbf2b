package dbserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// NotRunningError says why there is no server in a pod.
type NotRunningError struct {
	Reason string
}

func (e *NotRunningError) Error() string { return e.Reason }

// CheckRunning returns a *NotRunningError if the server's container does not run.
func (s Server) CheckRunning() error {
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
		return &NotRunningError{"its pod is not scheduled to a node"}
	}
	return nil
}

// ProblemOf describes why a server did not answer within its time.
func ProblemOf(s Server, err error, timeout time.Duration) v1alpha1.Problem {
	p := kube.ProblemOf("server "+s.Pod.Name, err)
	p.Message = objects.OneLine(err.Error())
	var login *LoginError
	var notRunning *NotRunningError
	var withheld *RefusedError
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
	case login.RefusesClients():
		p.Reason = v1alpha1.ReasonRefusesClients
		p.Remedy = fmt.Sprintf("see kubectl doik explain %s", finding.RuleRefusesClients.Code(s.Engine.Family))
	case login.IsOther():
		p.Reason = v1alpha1.ReasonInvalid
		p.Remedy = fmt.Sprintf("if it is none: kubectl annotate pod %s -n %s %s=none", s.Pod.Name, s.Pod.Namespace, v1alpha1.ServerAnnotation)
	case login.IsNotListening():
		p.Reason = v1alpha1.ReasonNotListening
		p.Remedy = fmt.Sprintf("see kubectl logs %s -c %s -n %s", s.Pod.Name, s.Container, s.Pod.Namespace)
	case login.IsRefused():
		p.Reason = v1alpha1.ReasonRefused
		p.Remedy = "give an account with --user and --password-from"
	case login.IsForbidden():
		p.Reason = v1alpha1.ReasonForbidden
		p.Remedy = "ask for permission to create and get pods/portforward or pods/exec: kubectl doik --print-rbac=exec,port-forward prints the roles"
	}
	return p
}

// LoginError says that no way led to a server, and why each did not.
type LoginError struct {
	Reason []error // at least one
}

func (e *LoginError) Error() string {
	texts := make([]string, 0, len(e.Reason))
	for _, err := range e.Reason {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (e *LoginError) Unwrap() []error { return e.Reason }

// IsForbidden reports whether the user lacks a right in the cluster, for each way that was tried.
func (e *LoginError) IsForbidden() bool {
	for _, err := range e.Reason {
		if !apierrors.IsForbidden(err) {
			return false
		}
	}
	return true
}

// IsRefused reports whether a server was reached and did not accept the account, or there is no account to try.
func (e *LoginError) IsRefused() bool {
	return slices.ContainsFunc(e.Reason, func(err error) bool {
		var none *noAccountError
		var said Answerer
		return errors.As(err, &said) && said.RefusesLogin() || errors.As(err, &none)
	})
}

// RefusesClients reports whether a server was reached and has no place for another client.
func (e *LoginError) RefusesClients() bool {
	return slices.ContainsFunc(e.Reason, func(err error) bool {
		var said Answerer
		return errors.As(err, &said) && said.RefusesClients()
	})
}

// IsNotListening reports whether the way led into the pod and nothing listens there.
func (e *LoginError) IsNotListening() bool {
	return !e.IsRefused() && slices.ContainsFunc(e.Reason, func(err error) bool {
		var said Answerer
		return errors.Is(err, ErrNotListening) || errors.As(err, &said) && said.FoundNobody()
	})
}

// IsOther reports whether something was reached that does not speak the engine's protocol.
func (e *LoginError) IsOther() bool {
	return slices.ContainsFunc(e.Reason, func(err error) bool { return errors.Is(err, ErrOtherProtocol) })
}

// ErrOtherProtocol says that something else than a server of the engine answered on a port.
var ErrOtherProtocol = errors.New("what answers on the port is no such server")

// ErrNotListening says that a node has found no server at a pod's port.
var ErrNotListening = errors.New("connection refused: nothing listens on the port")

// Unreached is what a node says of a refused connection, without the names that it has for the pod's namespaces.
func Unreached(err error) error {
	if strings.Contains(err.Error(), "connection refused") {
		return ErrNotListening
	}
	return err
}

// IsEnd reports whether a connection could not be read because this side has ended it.
func IsEnd(err error) bool { return errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) }

// Answerer is an error in an engine's own words: a server's, or its client's.
type Answerer interface {
	error
	// RefusesLogin reports whether a server was reached and did not let the account in, in this way.
	RefusesLogin() bool
	// RefusesClients reports whether a server was reached and accepts no clients of this kind, whichever the account.
	RefusesClients() bool
	// FoundNobody reports whether it is a client's that found no server.
	FoundNobody() bool
}

// noAccountError says that there is no account to try.
type noAccountError struct {
	flavour string
	via     Via
}

func (e *noAccountError) Error() string {
	return fmt.Sprintf("no account is known for %s with --via=%s: give one with --user and --password-from", e.flavour, e.via)
}

// CauseOf is what is alike about the failures of several servers: an error without the names of what it happened to.
func CauseOf(err error) string {
	var login *LoginError
	if errors.As(err, &login) {
		causes := make([]string, len(login.Reason))
		for i, reason := range login.Reason {
			causes[i] = CauseOf(reason)
		}
		return strings.Join(causes, "; ")
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		kind := ""
		if details := status.Status().Details; details != nil {
			kind = details.Kind
		}
		return string(status.Status().Reason) + " " + kind
	}
	return objects.OneLine(err.Error())
}

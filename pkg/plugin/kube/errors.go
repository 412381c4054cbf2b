package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Explain puts an error of the API server or of the way to it into one line with the remedy. Errors that it does not know
// come back as they are.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	var dns *net.DNSError
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var certificate x509.CertificateInvalidError
	switch {
	case apierrors.IsUnauthorized(err):
		return errors.New("the API server does not accept the credentials (401): they are wrong or have expired; log in again")
	case LoginFailed(err):
		return explainLogin(err)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer from the API server in time: see whether it is reachable, or raise --timeout")
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.As(err, &dns):
		return fmt.Errorf("cannot find the API server%s: no such host %s; is it the right context?", at(err), dns.Name)
	case utilnet.IsConnectionRefused(err):
		return fmt.Errorf("cannot reach the API server%s: connection refused; is the cluster up, and is it the right context?", at(err))
	case errors.As(err, &unknownAuthority), errors.As(err, &hostname), errors.As(err, &certificate):
		return fmt.Errorf("the API server's certificate%s is not trusted: %w; see certificate-authority in the kubeconfig", at(err), rootCause(err))
	case isTimeout(err):
		return fmt.Errorf("no answer from the API server%s in time: see whether it is reachable, or raise --request-timeout", at(err))
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Errorf("cannot reach the API server%s: %w; is a VPN or a proxy missing?", at(err), rootCause(err))
	}
	return err
}

// gettingCredentials is what client-go writes before the error of a login program (an exec plugin), byProgram what it writes of one that
// it has run.
const (
	gettingCredentials = "getting credentials: "
	byProgram          = "exec: "
	neverEnded         = " did not end in time"
)

// LoginFailed reports whether a request was never sent, because the kubeconfig's login program failed or may not be run.
func LoginFailed(err error) bool {
	return err != nil && strings.Contains(err.Error(), gettingCredentials)
}

// explainLogin is the first line of that, without the advice below it.
func explainLogin(err error) error {
	_, text, _ := strings.Cut(err.Error(), gettingCredentials)
	text, _, _ = strings.Cut(text, "\n")
	switch {
	case strings.Contains(text, " not allowed: policy "), strings.Contains(text, " credential plugin allowlist"):
		return fmt.Errorf("the kuberc does not let the program run that the kubeconfig logs in with: %s; see credentialPluginPolicy in it", text)
	case errors.Is(err, context.DeadlineExceeded):
		text, _, _ = strings.Cut(strings.TrimPrefix(text, byProgram), neverEnded)
		return fmt.Errorf("the program that the kubeconfig logs in with has not ended in time: run it yourself to see what it waits for, or raise --timeout: %s", text)
	}
	return fmt.Errorf("the program that the kubeconfig logs in with has failed: %s", strings.TrimPrefix(text, byProgram))
}

// ProblemOf describes why a subject could not be read.
func ProblemOf(subject string, err error) v1alpha1.Problem {
	p := v1alpha1.Problem{Subject: subject, Reason: v1alpha1.ReasonUnavailable, Message: oneLine(Explain(err))}
	switch {
	case apierrors.IsForbidden(err):
		p.Reason = v1alpha1.ReasonForbidden
		p.Remedy = "ask for this right, see docs/rbac.md"
	case apierrors.IsNotFound(err):
		p.Reason = v1alpha1.ReasonNotFound
	case isTimeout(err):
		p.Reason = v1alpha1.ReasonTimeout
	}
	return p
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) ||
		errors.As(err, &network) && network.Timeout()
}

// at names the server of a failed request.
func at(err error) string {
	var request *url.Error
	if !errors.As(err, &request) {
		return ""
	}
	u, parseErr := url.Parse(request.URL)
	if parseErr != nil {
		return ""
	}
	return " at " + u.Scheme + "://" + u.Host
}

func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// explained is an error in other words.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }

func (e *explained) Unwrap() error { return e.err }

// Explain puts an error of the API server or of the way to it into one line with the remedy. Errors that it does not know
// come back as they are.
func Explain(err error) error {
	var already *explained
	if errors.As(err, &already) {
		return err
	}
	if text := explain(err); text != "" {
		return &explained{text, err}
	}
	return err
}

func explain(err error) string {
	if err == nil {
		return ""
	}
	var dns *net.DNSError
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var certificate x509.CertificateInvalidError
	var operation *net.OpError
	var page *PageError
	var over *TimeoutError
	switch {
	case apierrors.IsUnauthorized(err):
		return "the API server does not accept the credentials (401): they are wrong or have expired; log in again"
	case LoginFailed(err):
		return explainLogin(err)
	case errors.As(err, &over):
		return fmt.Sprintf("no answer from the API server%s within %s=%s: check that it is reachable, or raise the limit", at(err), over.Flag, over.After)
	case requestTimeoutIn(err) != "":
		return fmt.Sprintf("no answer from the API server%s within %s: check that it is reachable, or raise the limit", at(err), requestTimeoutIn(err))
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer from the API server in time: check that it is reachable, or raise --timeout"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &page):
		return fmt.Sprintf("the server%s returned %s", at(err), page)
	case errors.As(err, &operation) && (operation.Op == "proxyconnect" || operation.Op == "socks connect"):
		return fmt.Sprintf("cannot reach the proxy on the way to the API server%s: %s; see HTTPS_PROXY, NO_PROXY, and proxy-url in the kubeconfig", at(err), rootCause(err))
	case proxyRefusal(err) != "":
		return fmt.Sprintf("the proxy on the way to the API server%s refuses the connection: %s; see HTTPS_PROXY, NO_PROXY, and proxy-url in the kubeconfig", at(err), proxyRefusal(err))
	case errors.As(err, &dns):
		return fmt.Sprintf("cannot find the API server%s: no such host %s; is it the right context?", at(err), dns.Name)
	case utilnet.IsConnectionRefused(err):
		return fmt.Sprintf("cannot reach the API server%s: connection refused; is the cluster up, and is it the right context?", at(err))
	case errors.As(err, &unknownAuthority), errors.As(err, &hostname), errors.As(err, &certificate):
		return fmt.Sprintf("the API server's certificate%s is not trusted: %s; see certificate-authority in the kubeconfig", at(err), rootCause(err))
	case isTimeout(err):
		return fmt.Sprintf("no answer from the API server%s in time: check that it is reachable, or raise --request-timeout", at(err))
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("cannot reach the API server%s: %s; is a VPN or a proxy missing?", at(err), rootCause(err))
	}
	return ""
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
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), gettingCredentials) {
			return true
		}
	}
	return false
}

// explainLogin is the first line of that, without the advice below it.
func explainLogin(err error) string {
	text := ""
	for e, ok := err, false; e != nil && !ok; e = errors.Unwrap(e) {
		_, text, ok = strings.Cut(e.Error(), gettingCredentials)
	}
	text, _, _ = strings.Cut(text, "\n")
	switch {
	case strings.Contains(text, " not allowed: policy "), strings.Contains(text, " credential plugin allowlist"):
		return fmt.Sprintf("the kuberc does not allow the kubeconfig's credential plugin to run: %s; see credentialPluginPolicy in the kuberc", text)
	case errors.Is(err, context.DeadlineExceeded):
		text, _, _ = strings.Cut(strings.TrimPrefix(text, byProgram), neverEnded)
		return fmt.Sprintf("the kubeconfig's credential plugin did not finish in time: run it yourself to see what it waits for, or raise --timeout: %s", text)
	}
	return fmt.Sprintf("the kubeconfig's credential plugin failed: %s", strings.TrimPrefix(text, byProgram))
}

// ProblemOf describes why a subject could not be read.
func ProblemOf(subject string, err error) v1alpha1.Problem {
	p := v1alpha1.Problem{Subject: subject, Reason: v1alpha1.ReasonUnavailable, Message: oneLine(Explain(err))}
	switch {
	case apierrors.IsForbidden(err):
		p.Reason = v1alpha1.ReasonForbidden
		p.Remedy = "ask for this permission: kubectl doik --print-rbac prints the role"
	case apierrors.IsNotFound(err):
		p.Reason = v1alpha1.ReasonNotFound
	case isTimeout(err):
		p.Reason = v1alpha1.ReasonTimeout
	}
	return p
}

// IsUnreachable reports whether an error is that of the way to the API server, or of what stands there in its place while it is away.
func IsUnreachable(err error) bool {
	var status apierrors.APIStatus
	var operation *net.OpError
	var dns *net.DNSError
	var number syscall.Errno
	switch {
	case err == nil, LoginFailed(err), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &status):
		return isGateway(int(status.Status().Code))
	case errors.As(err, &operation), errors.As(err, &dns), errors.As(err, &number):
		return true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "http2: "):
		return true
	}
	return isTimeout(err)
}

// shortReason says in some words why there is no answer.
func shortReason(err error) string {
	var dns *net.DNSError
	var status apierrors.APIStatus
	switch {
	case LoginFailed(err):
		return explainLogin(err)
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host " + dns.Name
	case proxyRefusal(err) != "":
		return "the proxy refuses the connection: " + proxyRefusal(err)
	case errors.As(err, &status):
		return "it responds " + strconv.Itoa(int(status.Status().Code)) + " " + http.StatusText(int(status.Status().Code))
	case isSilence(err):
		return "no answer"
	case errors.Is(err, io.EOF):
		return "the connection was closed"
	}
	return oneLine(rootCause(err))
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

// requestTimeoutIn is the flag --request-timeout with its value, if its time is over: the HTTP client then keeps only the text of an error.
func requestTimeoutIn(err error) string {
	_, text, ok := strings.Cut(err.Error(), requestTimeoutFlag+"=")
	value, _, over := strings.Cut(text, " has expired")
	if !ok || !over {
		return ""
	}
	return requestTimeoutFlag + "=" + value
}

// proxyRefusal is what a proxy answers in place of a connection, which net/http makes an error that is no more than the status's text.
func proxyRefusal(err error) string {
	var request *url.Error
	if !errors.As(err, &request) || errors.Unwrap(request.Err) != nil {
		return ""
	}
	for status := http.StatusBadRequest; status < 600; status++ {
		if text := http.StatusText(status); text != "" && request.Err.Error() == text {
			return fmt.Sprintf("%d %s", status, text)
		}
	}
	return ""
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

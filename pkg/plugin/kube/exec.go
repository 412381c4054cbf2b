package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
)

// maxExecOutput bounds what is kept of each of a command's streams: what runs in a container is not ours.
const maxExecOutput = 1 << 20

// Container names a container of a pod.
type Container struct {
	Namespace, Pod, Name string
}

// Streams are those of a command in a container. In may be nil: the command then has no stdin. Out and Err must not be nil.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// ExitError is a command in a container that ended with another exit code than 0.
type ExitError struct {
	Program string
	Code    int
	// Stderr is the first line of it, where the command's output was kept.
	Stderr string
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s failed with exit code %d", e.Program, e.Code)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

// Exec runs a command in a container, without a shell and without stdin, and returns its stdout. A command that fails is an
// *ExitError with the first line of its stderr. It needs the rights to create and get pods/exec.
func (c *Cluster) Exec(ctx context.Context, in Container, command ...string) (string, error) {
	return c.ExecInput(ctx, in, nil, command...)
}

// ExecInput is Exec with a stdin: the way of what must not stand on a command line.
func (c *Cluster) ExecInput(ctx context.Context, in Container, stdin io.Reader, command ...string) (string, error) {
	out, errOut := NewOutput(maxExecOutput), NewOutput(maxExecOutput)
	err := c.Stream(ctx, in, Streams{In: stdin, Out: out, Err: errOut}, command...)
	var exit *ExitError
	if errors.As(err, &exit) {
		exit.Stderr, _, _ = strings.Cut(strings.TrimSpace(errOut.String()), "\n")
	}
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// Stream runs a command in a container, without a shell, until it ends or the context does. Nothing is written to the streams after it
// has returned.
func (c *Cluster) Stream(ctx context.Context, in Container, streams Streams, command ...string) error {
	if err := c.login.pass(ctx); err != nil {
		return err
	}
	request := c.core().Post().Namespace(in.Namespace).Resource("pods").Name(in.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: in.Name, Command: command, Stdin: streams.In != nil, Stdout: true, Stderr: true,
		}, parameters)
	spdy, err := remotecommand.NewSPDYExecutor(c.config, http.MethodPost, request.URL())
	if err != nil {
		return err
	}
	websocket, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, request.URL().String())
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, spdy, knowsNoWebSockets)
	if err != nil {
		return err
	}
	out, errOut := &gate{to: streams.Out}, &gate{to: streams.Err}
	defer out.close()
	defer errOut.close()
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: streams.In, Stdout: out, Stderr: errOut})
	var exit utilexec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return Ended(ctx)
	case errors.As(err, &exit):
		return &ExitError{Program: command[0], Code: exit.ExitStatus()}
	}
	return upgradeError(err, "pods/exec", in.Pod)
}

// knowsNoWebSockets reports whether a connection failed because an API server or a proxy knows only SPDY, as kubectl does.
func knowsNoWebSockets(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// upgradeError is the error of a refused upgrade, which brings the API server's Status as text.
func upgradeError(err error, subresource, pod string) error {
	if strings.Contains(err.Error(), " is forbidden: ") {
		return apierrors.NewForbidden(corev1.Resource(subresource), pod, err)
	}
	return err
}

// gate lets a command's output through until it is closed: a command that was given up may go on writing for a while.
type gate struct {
	mu     sync.Mutex
	to     io.Writer
	closed bool
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return 0, io.ErrClosedPipe
	}
	return g.to.Write(p)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// Output keeps the first bytes of a stream and lets the rest pass, so that the sender is never held up.
type Output struct {
	buffer bytes.Buffer // not embedded: its ReadFrom knows no limit
	limit  int
	cut    bool
}

// NewOutput keeps up to limit bytes.
func NewOutput(limit int) *Output { return &Output{limit: limit} }

// Write keeps what fits.
func (o *Output) Write(p []byte) (int, error) {
	keep := min(len(p), o.limit-o.buffer.Len())
	o.cut = o.cut || keep < len(p)
	o.buffer.Write(p[:keep])
	return len(p), nil
}

// String is what has been kept.
func (o *Output) String() string { return o.buffer.String() }

// Cut reports whether there was more.
func (o *Output) Cut() bool { return o.cut }

package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/scheme"
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

// Exec runs a command in a container, without a shell and without stdin, and returns its stdout. A command that fails is an
// error with the first line of its stderr. It needs the right to create pods/exec.
func (c *Cluster) Exec(ctx context.Context, in Container, command ...string) (string, error) {
	request := c.core.RESTClient().Post().Namespace(in.Namespace).Resource("pods").Name(in.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: in.Name, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	spdy, err := remotecommand.NewSPDYExecutor(c.config, http.MethodPost, request.URL())
	if err != nil {
		return "", err
	}
	websocket, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, request.URL().String())
	if err != nil {
		return "", err
	}
	// API servers and proxies that know no WebSockets, as in kubectl exec.
	executor, err := remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return "", err
	}
	out, errOut := &limitedBuffer{left: maxExecOutput}, &limitedBuffer{left: maxExecOutput}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: out, Stderr: errOut})
	var exit utilexec.ExitError
	switch {
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &exit):
		line, _, _ := strings.Cut(strings.TrimSpace(errOut.String()), "\n")
		return "", fmt.Errorf("%s failed with exit code %d: %s", command[0], exit.ExitStatus(), line)
	case strings.Contains(err.Error(), " is forbidden: "):
		// A refused upgrade brings the API server's Status as text.
		return "", apierrors.NewForbidden(corev1.Resource("pods/exec"), in.Pod, err)
	}
	return "", err
}

// limitedBuffer keeps the first bytes of a stream and lets the rest pass, so that the sender is never held up.
type limitedBuffer struct {
	bytes.Buffer
	left int
}

var _ io.Writer = &limitedBuffer{}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	keep := min(len(p), b.left)
	b.left -= keep
	b.Buffer.Write(p[:keep])
	return len(p), nil
}

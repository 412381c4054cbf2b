package kubelet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/shell"
)

// How long a stream may stay idle, and take to be set up: a real kubelet's values.
const (
	streamIdleTimeout     = 4 * time.Hour
	streamCreationTimeout = 30 * time.Second
)

func (s *Server) exec(w http.ResponseWriter, r *http.Request) {
	c, ok := s.findRunning(w, r)
	if !ok {
		return
	}
	inside, err := s.inside(c)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(w, r, executor{inside}, c.pod.Name, string(c.pod.UID), c.spec.Name, r.URL.Query()["command"], options,
		streamIdleTimeout, streamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

// findRunning is find for what needs a running container.
func (s *Server) findRunning(w http.ResponseWriter, r *http.Request) (container, bool) {
	c, ok := s.find(w, r)
	if ok && c.status.State.Running == nil {
		http.Error(w, fmt.Sprintf("container not found (%q)", c.spec.Name), http.StatusInternalServerError)
		return c, false
	}
	return c, ok
}

// executor runs commands in the simulation; nothing is ever started on this machine.
type executor struct{ container shell.Container }

func (e executor) ExecInContainer(ctx context.Context, _, _, _ string, command []string, in io.Reader, out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	streams := shell.Streams{In: in, Out: orDiscard(out), Err: orDiscard(errOut)}
	if errOut == nil {
		streams.Err = streams.Out // a terminal has one stream for both
	}
	code, err := e.container.Run(ctx, command, streams)
	if err != nil {
		// What containerd and runc make of it; kubectl shows it as an internal error and exits with 1.
		return fmt.Errorf("failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: %w", err)
	}
	if code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}
	return nil
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

func (s *Server) attach(w http.ResponseWriter, r *http.Request) {
	c, ok := s.findRunning(w, r)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeAttach(w, r, attacher{}, c.pod.Name, string(c.pod.UID), c.spec.Name, options,
		streamIdleTimeout, streamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

// attacher attaches to a process that reads its input and says nothing.
type attacher struct{}

func (attacher) AttachContainer(_ context.Context, _, _, _ string, in io.Reader, _, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	if in != nil {
		_, err := io.Copy(io.Discard, in)
		return err
	}
	return nil
}

package kubelet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cri-streaming/pkg/streaming/portforward"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

func (s *Server) portForward(w http.ResponseWriter, r *http.Request) {
	pod := s.findPod(w, r)
	if pod == nil {
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, forwarder{pod, s.nameServers}, pod.Name, string(pod.UID), options,
		streamIdleTimeout, streamCreationTimeout, portforward.SupportedProtocols)
}

// forwarder answers for the ports of one pod.
type forwarder struct {
	pod         *corev1.Pod
	nameServers NameServers
}

// dnsPort is where name servers in pods listen.
const dnsPort = 53

func (f forwarder) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	targets, err := annotation.ParseForward(f.pod.Annotations[annotation.Forward])
	if err != nil {
		return err
	}
	if target, ok := targets[port]; ok {
		return forward(ctx, target, stream)
	}
	address, isDNS := "", false
	if port == dnsPort && f.nameServers != nil {
		address, isDNS = f.nameServers.Address(ctx, f.pod)
	}
	switch {
	case address != "":
		return forward(ctx, address, stream)
	case !isDNS && declares(f.pod, port):
		return answerHTTP(stream, f.pod.Name)
	}
	return fmt.Errorf("failed to execute portforward in network namespace %q: failed to connect to localhost:%d inside namespace %q, IPv4: dial tcp4 127.0.0.1:%d: connect: connection refused",
		"/var/run/netns/cni-"+string(f.pod.UID), port, f.pod.Name, port)
}

// declares reports whether one of the pod's running containers has the port.
func declares(pod *corev1.Pod, port int32) bool {
	running := map[string]bool{}
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		running[status.Name] = status.State.Running != nil
	}
	for _, container := range containers(pod) {
		for _, declared := range container.Ports {
			if declared.ContainerPort == port && running[container.Name] {
				return true
			}
		}
	}
	return false
}

// forward joins the stream to a server on a loopback address until both directions have ended.
func forward(ctx context.Context, address string, stream io.ReadWriter) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() {
		io.Copy(conn, stream)
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.CloseWrite()
		}
	}()
	// When the server has nothing more to say, the connection is over, whatever the client still sends.
	_, err = io.Copy(stream, conn)
	return err
}

// answerHTTP answers requests with the pod's name for as long as they come.
func answerHTTP(stream io.ReadWriter, name string) error {
	requests := bufio.NewReader(stream)
	for {
		request, err := http.ReadRequest(requests)
		if err != nil { // the client has had enough, or doesn't speak HTTP
			return nil //nolint:nilerr // either is the pod's ordinary end of a connection
		}
		io.Copy(io.Discard, request.Body)
		body := name + "\n"
		response := http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1,
			Request:       request,
			Header:        http.Header{"Content-Type": {"text/plain"}},
			Body:          io.NopCloser(strings.NewReader(body)),
			ContentLength: int64(len(body)),
			Close:         request.Close,
		}
		if err := response.Write(stream); err != nil || request.Close {
			return err
		}
	}
}

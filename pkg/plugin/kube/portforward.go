package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// refusalPatience is how long the end of a connection waits for the reason, which comes in a stream of its own.
const refusalPatience = time.Second

// Tunnel is a port-forward to one pod, without a listener on this machine: Dial opens connections in it.
type Tunnel struct {
	streams httpstream.Connection
	lastID  atomic.Int64
}

// OpenTunnel opens a port-forward to a pod. It needs the rights to create and get pods/portforward. The tunnel outlives the
// context, which bounds the opening; Close ends it and all connections in it.
func (c *Cluster) OpenTunnel(ctx context.Context, namespace, pod string) (*Tunnel, error) {
	if err := c.login.pass(ctx); err != nil {
		return nil, err
	}
	target := c.core().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	overSPDY := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	overWebSocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, c.config)
	if err != nil {
		return nil, err
	}
	dialer := portforward.NewFallbackDialerForStreaming(overWebSocket, overSPDY, knowsNoWebSockets)
	return within(ctx, func() (*Tunnel, error) {
		streams, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		if err != nil {
			return nil, upgradeError(err, "pods/portforward", pod)
		}
		if protocol != portforward.PortForwardProtocolV1Name {
			_ = streams.Close()
			return nil, fmt.Errorf("the API server speaks %q, not %s", protocol, portforward.PortForwardProtocolV1Name)
		}
		return &Tunnel{streams: streams}, nil
	}, func(t *Tunnel) { _ = t.Close() })
}

// Close ends the tunnel and every connection in it.
func (t *Tunnel) Close() error { return t.streams.Close() }

// Dial connects to a port of the pod. Whether anything listens there shows only when the connection is read: what the node
// says of a refusal is then the error.
func (t *Tunnel) Dial(ctx context.Context, port int) (net.Conn, error) {
	return within(ctx, func() (net.Conn, error) { return t.dial(port) }, func(c net.Conn) { _ = c.Close() })
}

func (t *Tunnel) dial(port int) (net.Conn, error) {
	id := strconv.FormatInt(t.lastID.Add(1), 10)
	create := func(kind string) (httpstream.Stream, error) {
		header := http.Header{}
		header.Set(corev1.PortHeader, strconv.Itoa(port))
		header.Set(corev1.PortForwardRequestIDHeader, id)
		header.Set(corev1.StreamType, kind)
		return t.streams.CreateStream(header)
	}
	// Both at once: each waits for the node's answer.
	var refusals, data httpstream.Stream
	var group errgroup.Group
	group.Go(func() (err error) {
		refusals, err = create(corev1.StreamTypeError)
		return err
	})
	group.Go(func() (err error) {
		data, err = create(corev1.StreamTypeData)
		return err
	})
	if err := group.Wait(); err != nil {
		for _, stream := range []httpstream.Stream{refusals, data} {
			if stream != nil {
				_ = stream.Reset()
				t.streams.RemoveStreams(stream)
			}
		}
		return nil, err
	}
	_ = refusals.Close() // this half: nothing is written to it
	// A pipe has deadlines. A stream's would be those of the whole tunnel.
	near, far := net.Pipe()
	c := &tunnelConn{Conn: near, end: func() {
		_ = data.Reset()
		_ = refusals.Reset()
		t.streams.RemoveStreams(refusals, data)
		_ = far.Close()
	}}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		if text, _ := io.ReadAll(io.LimitReader(refusals, maxExecOutput)); len(text) > 0 {
			c.refusal.Store(strings.TrimSpace(string(text)))
			_ = far.Close()
		}
	}()
	go func() {
		_, _ = io.Copy(data, far)
		_ = data.Close()
	}()
	go func() {
		_, _ = io.Copy(far, data)
		select { // the reason first, so that the reader learns of it
		case <-heard:
		case <-time.After(refusalPatience):
		}
		_ = far.Close()
	}()
	return c, nil
}

// tunnelConn is a connection in a tunnel.
type tunnelConn struct {
	net.Conn
	refusal atomic.Value // a string
	once    sync.Once
	end     func()
}

// Read tells why the node refused the connection, if it did.
func (c *tunnelConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if refusal, ok := c.refusal.Load().(string); ok && errors.Is(err, io.EOF) {
		err = fmt.Errorf("port-forward: %s", refusal)
	}
	return n, err
}

func (c *tunnelConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.end)
	return err
}

// within runs what knows no context until the context ends; a result that comes later is discarded.
func within[T any](ctx context.Context, run func() (T, error), discard func(T)) (T, error) {
	if ctx.Err() != nil {
		var none T
		return none, Ended(ctx)
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := run()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				discard(r.value)
			}
		}()
		var none T
		return none, Ended(ctx)
	}
}

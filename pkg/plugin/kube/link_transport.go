package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

const (
	// dialTimeout is client-go's.
	dialTimeout = 30 * time.Second
	// An idle connection is tested by the kernel every keepAlive, and given up after keepAliveCount tests without an answer.
	keepAlive      = 5 * time.Second
	keepAliveCount = 3
)

// observe lets the link see all that a client sends, but for exec and port-forward, which have connections of their own.
func (l *Link) observe(config *rest.Config) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive, Count: keepAliveCount}}
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &linkConn{Conn: conn, link: l}, nil
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &linkTransport{next: next, link: l, timeout: config.Timeout}
	})
}

// linkConn notes when something comes.
type linkConn struct {
	net.Conn
	link *Link
}

func (c *linkConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.link.heard.Store(now().UnixNano())
	}
	return n, err
}

// linkTransport notes what becomes of requests. It is the innermost wrapper: a login program that hangs is not the way's.
type linkTransport struct {
	next    http.RoundTripper
	link    *Link
	timeout time.Duration // of --request-timeout; 0 for none
}

// WrappedRoundTripper is where client-go finds the transport's TLS settings.
func (t *linkTransport) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t *linkTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.link.begin(r)
	response, err := t.next.RoundTrip(r)
	if err == nil && isPage(r, response) {
		_ = response.Body.Close()
		response, err = nil, &PageError{Status: response.Status}
	}
	t.link.end(r, response, err)
	if err != nil {
		return nil, timedOut(r.Context(), err, t.timeout)
	}
	if response.StatusCode == http.StatusOK {
		response.Body = &linkBody{ReadCloser: response.Body, request: r, link: t.link, timeout: t.timeout}
	}
	return response, nil
}

// PageError is an answer that is a page for people, where an API server's is data.
type PageError struct {
	Status string
}

func (e *PageError) Error() string {
	return fmt.Sprintf("an HTML page (%s), not a Kubernetes API: a proxy or a login page?", e.Status)
}

// isPage reports whether an answer is HTML. What is behind an API server's own proxy may be anything, and a gateway's page says that what is
// behind it is away.
func isPage(r *http.Request, response *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return kind == "text/html" && !isGateway(response.StatusCode) && !strings.Contains(r.URL.Path, "/proxy/")
}

// linkBody notes that a connection ends before an answer does.
type linkBody struct {
	io.ReadCloser
	request *http.Request
	link    *Link
	timeout time.Duration
}

func (b *linkBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if b.request.Context().Err() == nil {
		b.link.note(err)
	}
	return n, timedOut(b.request.Context(), err, b.timeout)
}

func (l *Link) begin(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[r] = now()
}

func (l *Link) end(r *http.Request, response *http.Response, err error) {
	l.mu.Lock()
	delete(l.waiting, r)
	l.mu.Unlock()
	switch {
	case err == nil && isGateway(response.StatusCode):
		l.note(fmt.Errorf("it responds %s", response.Status))
	case err == nil:
		if response.StatusCode != http.StatusSwitchingProtocols { // exec and port-forward take HTTP/1.1, whatever others do
			l.plain.Store(response.ProtoMajor < 2)
		}
		l.mu.Lock()
		l.answered(now())
		l.mu.Unlock()
	case r.Context().Err() == nil:
		l.note(err)
	}
}

// isGateway reports whether an answer may be that of a load balancer or a proxy in front of an API server that is away.
func isGateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// note takes in that a request has failed; whether it is the way is then looked into. A ping that was not answered says so itself.
func (l *Link) note(err error) {
	l.mu.Lock()
	l.failed(err, now())
	quiet := now().Sub(time.Unix(0, l.heard.Load()))
	if l.changed != nil && l.loss == nil && isLostConnection(err) && quiet >= silence {
		l.lose(err)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// probeWith asks for the version, which needs no permission. Whatever an API server answers, it is there.
func probeWith(c *Cluster) func(context.Context) error {
	return func(ctx context.Context) error {
		var status int
		result := c.core().Get().AbsPath("/version").SetHeader("Accept", "application/json").MaxRetries(0).Do(ctx).StatusCode(&status)
		if err := result.Error(); err != nil && (status == 0 || isGateway(status)) {
			return err
		}
		return nil
	}
}

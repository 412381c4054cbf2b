package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// loginMemory is how long the failure of a login program stands for what other requests would get of it: several are sent at once, and a
// program that fails may take its time, or ask the user something.
const loginMemory = 15 * time.Second

// loginGate sends requests when the kubeconfig's login program (an exec plugin) has given credentials. client-go runs the program in the
// middle of a request, whatever the request's context says, and again for each request that waits for it.
type loginGate struct {
	// credentials runs client-go's own way to the program, which keeps what it gives; it sends nothing.
	credentials http.RoundTripper
	program     string

	mu      sync.Mutex
	running chan struct{} // closed when the program has ended; nil if it does not run
	failed  error
	until   time.Time // when the failure is forgotten
}

// newLoginGate is nil where the kubeconfig needs no program.
func newLoginGate(config *rest.Config) (*loginGate, error) {
	if config.ExecProvider == nil {
		return nil, nil
	}
	// The authenticator of one configuration is the same in all transports of the process.
	transport, err := config.TransportConfig()
	if err != nil || transport.WrapTransport == nil {
		return nil, err
	}
	return &loginGate{credentials: transport.WrapTransport(nowhere{}), program: config.ExecProvider.Command}, nil
}

// nowhere answers requests without sending them.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// pass waits until there are credentials, or until the context ends. A nil gate lets all pass.
func (g *loginGate) pass(ctx context.Context) error {
	if g == nil {
		return nil
	}
	running, err := g.start()
	if err != nil {
		return err
	}
	select {
	case <-running:
		return g.outcome()
	case <-ctx.Done():
		return g.late(ctx)
	}
}

// start runs the program unless it runs already, or has failed a moment ago.
func (g *loginGate) start() (running <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil && time.Now().Before(g.until) { //nolint:forbidigo // the life of a failure, no report's time
		return nil, g.failed
	}
	if g.running == nil {
		g.running = make(chan struct{})
		go g.run(g.running)
	}
	return g.running, nil
}

// run lets client-go run the program, unless it has credentials that hold.
func (g *loginGate) run(ended chan struct{}) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://localhost/", nil)
	if err == nil {
		var response *http.Response
		if response, err = g.credentials.RoundTrip(request); err == nil {
			_ = response.Body.Close()
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed, g.until, g.running = err, time.Now().Add(loginMemory), nil //nolint:forbidigo // see above
	close(ended)
}

func (g *loginGate) outcome() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failed
}

// late is the error of who did not wait until the program's end.
func (g *loginGate) late(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("%s%sexecutable %s%s: %w", gettingCredentials, byProgram, g.program, neverEnded, ctx.Err())
}

// through lets a client's requests pass the gate. A request that is sent is bounded by its context too: if the server does not accept the
// credentials, client-go runs the program once more before it returns.
func (g *loginGate) through(client *http.Client) *http.Client {
	if g == nil {
		return client
	}
	gated := *client
	gated.Transport = gatedTransport{g, client.Transport}
	return &gated
}

type gatedTransport struct {
	gate *loginGate
	next http.RoundTripper
}

func (t gatedTransport) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t gatedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.gate.pass(r.Context()); err != nil {
		return nil, err
	}
	response, err := within(r.Context(), func() (*http.Response, error) { return t.next.RoundTrip(r) }, func(r *http.Response) { _ = r.Body.Close() })
	return response, err
}

package kube

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// Levels of -v from which on bodies are shown, and how much of them, as client-go has it.
const (
	bodiesLevel, longBodiesLevel, wholeBodiesLevel = 8, 9, 10

	bodyLength, longBodyLength = 1024, 10240
)

// logBodies lets bodies into the log, masked. What client-go itself writes of them is cut to a length before anyone can tell what is
// secret in it: the log leaves that out (see the plugin's logging).
func logBodies(config *rest.Config) {
	if klog.V(bodiesLevel).Enabled() {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return bodyLog{next} })
	}
}

type bodyLog struct{ next http.RoundTripper }

func (b bodyLog) WrappedRoundTripper() http.RoundTripper { return b.next }

func (b bodyLog) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.GetBody != nil {
		if body, err := r.GetBody(); err == nil {
			if text, err := io.ReadAll(body); err == nil && len(text) > 0 {
				klog.V(bodiesLevel).InfoS("Request Body", "masked", cutBody(maskBody(text)))
			}
			_ = body.Close()
		}
	}
	response, err := b.next.RoundTrip(r)
	if err != nil || !holdsObject(r, response) {
		return response, err
	}
	text, readErr := io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), failing{readErr}))
	klog.V(bodiesLevel).InfoS("Response Body", "masked", cutBody(maskBody(text)))
	return response, nil
}

// holdsObject reports whether an answer is one object: no stream of a watch, of exec or of a kubelet.
func holdsObject(r *http.Request, response *http.Response) bool {
	kind := response.Header.Get("Content-Type")
	return response.Body != nil && response.StatusCode != http.StatusSwitchingProtocols && !r.URL.Query().Has("watch") && !strings.Contains(r.URL.Path, "/proxy/") &&
		(strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "application/vnd.kubernetes.protobuf") && !strings.Contains(kind, "stream"))
}

// failing ends a body as the real one ended.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func cutBody(text string) string {
	limit := bodyLength
	switch {
	case klog.V(wholeBodiesLevel).Enabled():
		return text
	case klog.V(longBodiesLevel).Enabled():
		limit = longBodyLength
	}
	if len(text) <= limit {
		return text
	}
	return fmt.Sprintf("%s [truncated %d bytes]", text[:limit], len(text)-limit)
}

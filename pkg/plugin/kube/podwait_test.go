package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	podPending = `{"type":"MODIFIED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","resourceVersion":"2"},"spec":{"nodeName":"n1","containers":[{"name":"debug","image":"i"}]}}}`
	podRuns    = `{"type":"MODIFIED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","resourceVersion":"3"},"status":{"containerStatuses":[{"name":"debug","state":{"running":{}}}]}}}`
	podGone    = `{"type":"DELETED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","resourceVersion":"4"}}}`
	tooOld     = `{"type":"ERROR","object":{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"Expired","code":410,"message":"too old"}}`
)

// TestWaitRunning: a watch goes on where it has ended, from the present state if it must; what can't become a running pod is said at once.
func TestWaitRunning(t *testing.T) {
	for name, test := range map[string]struct {
		watches []string // one after the other; the last stays open
		present string   // what is got by name
		forbid  bool
		timeout time.Duration
		err     string
	}{
		"runs":                   {watches: []string{podPending + podRuns}},
		"the watch ends":         {watches: []string{podPending, podRuns}},
		"too old a state":        {watches: []string{tooOld, podRuns}, present: `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","resourceVersion":"9"}}`},
		"gone meanwhile":         {watches: []string{tooOld}, err: "the debug pod p was deleted by someone else"},
		"deleted":                {watches: []string{podPending + podGone}, err: "the debug pod p was deleted by someone else"},
		"no permission to watch": {forbid: true, err: "forbidden"},
		"never runs":             {watches: []string{podPending}, timeout: 300 * time.Millisecond, err: "the debug pod did not start in time, it was still starting the debug pod on node n1"},
		"nothing is changed":     {watches: []string{""}, timeout: 300 * time.Millisecond, err: "it was still scheduling the debug pod"},
	} {
		t.Run(name, func(t *testing.T) {
			var watched atomic.Int32
			c := connected(t, nil, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				switch {
				case test.forbid:
					w.WriteHeader(http.StatusForbidden)
					fmt.Fprint(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"Forbidden","code":403,"message":"pods is forbidden"}`)
				case r.URL.Query().Get("watch") != "":
					if got := r.URL.Query().Get("fieldSelector"); got != "metadata.name=p" {
						t.Errorf("%s is watched", got)
					}
					i := int(watched.Add(1)) - 1
					fmt.Fprint(w, test.watches[min(i, len(test.watches)-1)])
					w.(http.Flusher).Flush()
					if i >= len(test.watches)-1 {
						<-r.Context().Done()
					}
				case strings.HasSuffix(r.URL.Path, "/pods/p") && test.present != "":
					fmt.Fprint(w, test.present)
				default:
					w.WriteHeader(http.StatusNotFound)
					fmt.Fprint(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"NotFound","code":404}`)
				}
			})
			ctx := t.Context()
			if test.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.timeout)
				defer cancel()
			}
			created := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", ResourceVersion: "1"}}
			pod, err := c.waitRunning(ctx, created, func(string) {})
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) || err == nil && pod.ResourceVersion != "3" {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestWaitInterrupted ends at once.
func TestWaitInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := connected(t, nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	begun := time.Now()
	_, err := c.waitEphemeral(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", ResourceVersion: "1"}}, "debug", func(string) {})
	if !errors.Is(err, context.Canceled) || time.Since(begun) > time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// connected is a cluster whose API server is a function.
func connected(t *testing.T, flags func(*Connection), handle http.HandlerFunc) *Cluster {
	t.Helper()
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	connection := NewConnection()
	connection.Overrides.ClusterInfo.Server = server.URL
	if flags != nil {
		flags(connection)
	}
	c, err := Connect(connection, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func listPods(ctx context.Context, c *Cluster) error {
	return Explain(c.EachPod(ctx, Query{ChunkSize: 2}, func(*corev1.Pod) {}))
}

// TestPage names the response with a page in place of data, whatever its status; what is no API server's is waited out.
func TestPage(t *testing.T) {
	for status, want := range map[int]string{
		200: "returned an HTML page (200 OK), not a Kubernetes API: a proxy or a login page?",
		403: "returned an HTML page (403 Forbidden), not a Kubernetes API: a proxy or a login page?",
	} {
		c := connected(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			fmt.Fprint(w, "<html><title>Log in</title></html>")
		})
		err := listPods(t.Context(), c)
		if err == nil || !strings.HasPrefix(err.Error(), "the server at http://127.0.0.1:") || !strings.HasSuffix(err.Error(), want) || c.link.Awaited(err) {
			t.Errorf("%d: %v", status, err)
		}
	}
	c := connected(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if err := listPods(t.Context(), c); !c.link.Awaited(err) {
		t.Errorf("503: %v", err)
	}
}

// TestProxy names a proxy that refuses.
func TestProxy(t *testing.T) {
	for status, want := range map[int]string{403: "403 Forbidden", 407: "407 Proxy Authentication Required"} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		defer proxy.Close()
		c := connected(t, func(f *Connection) {
			f.Overrides.ClusterInfo.Server = "https://192.0.2.1:6443"
			f.Overrides.ClusterInfo.ProxyURL = proxy.URL
		}, nil)
		err := listPods(t.Context(), c)
		if err == nil || err.Error() != "the proxy on the way to the API server at https://192.0.2.1:6443 refuses the connection: "+want+"; see HTTPS_PROXY, NO_PROXY, and proxy-url in the kubeconfig" {
			t.Errorf("%d: %v", status, err)
		}
	}
	c := connected(t, func(f *Connection) {
		f.Overrides.ClusterInfo.Server = "https://192.0.2.1:6443"
		f.Overrides.ClusterInfo.ProxyURL = "http://127.0.0.1:1"
	}, nil)
	if err := listPods(t.Context(), c); err == nil || !strings.HasPrefix(err.Error(), "cannot reach the proxy on the way to the API server at https://192.0.2.1:6443: connection refused") {
		t.Error(err)
	}
}

// TestWhichFlag names the flag whose time is over, with its value.
func TestWhichFlag(t *testing.T) {
	over := make(chan struct{})
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}
	t.Cleanup(func() { close(over) })
	c := connected(t, func(f *Connection) { f.Overrides.Timeout = "150ms" }, hang)
	err := listPods(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), " within --request-timeout=150ms: check that it is reachable, or raise the limit") {
		t.Errorf("--request-timeout: %v", err)
	}
	c = connected(t, func(f *Connection) { f.Overrides.Timeout = "5s" }, hang)
	ctx, cancel := WithTimeout(t.Context(), "--timeout", 200*time.Millisecond)
	defer cancel()
	if err = listPods(ctx, c); err == nil || !strings.Contains(err.Error(), " within --timeout=200ms: check that it is reachable, or raise the limit") {
		t.Errorf("--timeout: %v", err)
	}
	if problem := ProblemOf("pods", err); problem.Reason != "Timeout" {
		t.Errorf("%+v", problem)
	}
	if _, err = within(ctx, func() (int, error) { select {} }, func(int) {}); Explain(err).Error() != "no answer from the API server within --timeout=200ms: check that it is reachable, or raise the limit" {
		t.Errorf("no request: %v", err)
	}
}

// TestRestart lists each object once, though the list has to be begun again.
func TestRestart(t *testing.T) {
	expired := 0
	pages := map[string][]string{"": {"a", "b"}, "1": {"c", "d"}, "2": {"e"}}
	list := func(_ context.Context, o metav1.ListOptions) (*corev1.PodList, error) {
		if o.Continue == "2" && expired < 2 {
			expired++
			return nil, apierrors.NewResourceExpired("compacted")
		}
		page := &corev1.PodList{}
		for _, name := range pages[o.Continue] {
			page.Items = append(page.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}})
		}
		page.Continue = map[string]string{"": "1", "1": "2"}[o.Continue]
		return page, nil
	}
	var names []string
	var passed passed
	err := eachPage(t.Context(), Query{ChunkSize: 2}, list, func(page *corev1.PodList) {
		passed.add(page)
		for _, pod := range page.Items {
			if !passed.before(&pod) {
				names = append(names, pod.Name)
			}
		}
	})
	if !slices.Equal(names, []string{"a", "b", "c", "d", "e"}) || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	expired = -100
	if err := eachPage(t.Context(), Query{ChunkSize: 2}, list, func(*corev1.PodList) {}); !apierrors.IsResourceExpired(err) {
		t.Errorf("it never ends: %v", err)
	}
}

// TestGuard says of an API server that is away since when and why, of one that only hiccups nothing, and waits for mirrors when it is
// back.
func TestGuard(t *testing.T) {
	var broken atomic.Bool
	c := connected(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "{}")
	})
	changed := make(chan struct{}, 8)
	c.link.Guard(t.Context(), func() { changed <- struct{}{} })
	if _, err := c.ServerVersion(t.Context()); err != nil {
		t.Fatal(err)
	}
	mirror := new(int)
	attempt, end := c.link.follow(t.Context(), mirror)
	defer end()
	began := time.Now()
	broken.Store(true)
	if c.Reachable(t.Context(), time.Now()) {
		t.Error("503 is no answer")
	}
	<-changed
	loss := c.link.Loss()
	if loss == nil || !loss.Reached || loss.Since.Before(began) || loss.Reason != "it responds 503 Service Unavailable" || time.Since(began) < lossGrace {
		t.Errorf("%+v after %s", loss, time.Since(began))
	}
	if attempt.Err() == nil || c.link.Losses() != 1 {
		t.Error("what can't be answered is waited for")
	}
	broken.Store(false)
	for c.link.backNow().IsZero() {
		time.Sleep(10 * time.Millisecond)
	}
	if c.link.Loss() == nil {
		t.Error("what is shown is not up to date yet")
	}
	c.link.caughtUp(mirror)
	<-changed
	if c.link.Loss() != nil {
		t.Error("it is back")
	}
}

func (l *Link) backNow() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.backAt
}

// TestLost says of what is held that it is from before when an API server that answers has failed to list it for a while, and no more
// when it has listed it again.
func TestLost(t *testing.T) {
	c := connected(t, nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	m := &Mirror[corev1.Pod]{changed: func() {}, link: c.link, objects: map[string]*corev1.Pod{}, synced: true, settled: make(chan struct{})}
	lost := func() bool {
		problems := map[string]v1alpha1.Problem{}
		_, ok := m.Collect(problems, "pods", "pods")
		_, lost := problems["pods lost"]
		return ok && lost
	}
	fault := apierrors.NewInternalError(errors.New("etcd has no leader"))
	m.failed(fault)
	if lost() {
		t.Error("at once")
	}
	m.failing = m.failing.Add(-lostAfter)
	m.failed(fault)
	if !lost() {
		t.Error("it is silent about it")
	}
	s := &store[corev1.Pod, corev1.Pod, *corev1.Pod]{Mirror: m, keep: Whole[corev1.Pod](nil)}
	if err := s.Replace(nil, ""); err != nil || lost() {
		t.Errorf("it is listed again: %v", err)
	}
	m.failed(fault)
	if lost() {
		t.Error("at once, the second time")
	}
}

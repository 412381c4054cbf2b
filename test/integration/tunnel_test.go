//go:build integration

package integration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// echo is a server on loopback that sends each line back, and hangs on the line hang.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if lines.Text() != "hang" {
						fmt.Fprintln(conn, lines.Text())
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestTunnel dials a pod's ports in one tunnel: many connections, deadlines, a refusal with its reason, and nothing left.
func TestTunnel(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "annotations": {"lab.doik.dev/forward": "3306=%s"}},
		"spec": {"containers": [{"name": "db", "image": "none"}]}}`, echo(t)))
	n.Kubectl("wait", "--for=condition=Ready", "pod/db", "--timeout=300s")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := connect(t, "nobody").OpenTunnel(ctx, n.NS, "db"); !apierrors.IsForbidden(err) {
		t.Errorf("as nobody: %v", err)
	}
	if _, err := connect(t, "").OpenTunnel(ctx, n.NS, "nosuch"); err == nil {
		t.Error("to a pod that does not exist: no error")
	}

	before := runtime.NumGoroutine()
	tunnel, err := connect(t, "").OpenTunnel(ctx, n.NS, "db")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			conn, err := tunnel.Dial(ctx, 3306)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			text := strings.Repeat(fmt.Sprint(i), 10_000) + "\n"
			if _, err := io.WriteString(conn, text); err != nil {
				t.Error(err)
			}
			if got, err := bufio.NewReader(conn).ReadString('\n'); err != nil || got != text {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(text), err)
			}
		})
	}
	group.Wait()

	refused, err := tunnel.Dial(ctx, 39999)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := refused.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a port where nothing listens: %v", err)
	}
	refused.Close()

	hung, err := tunnel.Dial(ctx, 3306)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(hung, "hang")
	if err := hung.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := hung.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("past its deadline: %v", err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if _, err := tunnel.Dial(ended, 3306); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	// Connections that were not closed end with the tunnel.
	if err := tunnel.Close(); err != nil {
		t.Error(err)
	}
	_ = hung.SetReadDeadline(time.Time{})
	if _, err := hung.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the tunnel: %v", err)
	}
	hung.Close()
	cluster.Eventually(t, 10*time.Second, func() error {
		if now := runtime.NumGoroutine(); now > before {
			stacks := make([]byte, 1<<20)
			return fmt.Errorf("%d goroutines, before there were %d:\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
		}
		return nil
	})
}

package frontdoor

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Way is a way to the API server of KUBECONFIG that can be cut.
type Way struct {
	// Kubeconfig is the path of one that takes it.
	Kubeconfig string

	t               testing.TB
	address, target string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	silent   chan struct{} // closed while nothing is passed on
}

// OpenWay opens a way until the test ends. What is sent is passed on as it is, TLS included.
func OpenWay(t testing.TB) *Way {
	t.Helper()
	w := &Way{t: t, conns: map[net.Conn]bool{}, silent: make(chan struct{})}
	w.Kubeconfig, w.target, w.listener = detour(t)
	w.address = w.listener.Addr().String()
	go accept(w.listener, w.pass)
	t.Cleanup(w.Refuse)
	return w
}

// pass joins a connection with one to the target.
func (w *Way) pass(near net.Conn) {
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		near.Close()
		return
	}
	w.mu.Lock()
	w.conns[near], w.conns[far] = true, true
	w.mu.Unlock()
	go w.copy(far, near)
	w.copy(near, far)
}

// copy passes on what is sent one way. What comes while the way is silent is lost, as with it the connection is.
func (w *Way) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	lost := false
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		silent := w.silent
		w.mu.Unlock()
		select {
		case <-silent:
			lost = lost || n > 0
		default:
		}
		if err != nil {
			return
		}
		if lost {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// Silence has all that is sent lost, without a word, as when a VPN is cut.
func (w *Way) Silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.silent)
}

// Refuse ends all connections and refuses others.
func (w *Way) Refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener.Close()
	for conn := range w.conns {
		conn.Close()
	}
	clear(w.conns)
}

// Restore opens the way again, for new connections if it was silent.
func (w *Way) Restore() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.silent:
		w.silent = make(chan struct{})
		return
	default:
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		listener, err := net.Listen("tcp", w.address)
		if err == nil {
			w.listener = listener
			break
		}
		if time.Now().After(deadline) {
			w.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	go accept(w.listener, w.pass)
}

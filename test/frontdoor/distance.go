package frontdoor

import (
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// Distance opens a way to the API server of KUBECONFIG that is as long as the given time there and back, until the test ends, and
// returns the path of a kubeconfig that takes it. What is sent is passed on as it is, TLS included; only time is added.
func Distance(t testing.TB, thereAndBack time.Duration) string {
	t.Helper()
	file, target, listener := detour(t)
	go accept(listener, func(near net.Conn) { lengthen(near, target, thereAndBack) })
	return file
}

// detour listens on a port until the test ends, and returns the path of a kubeconfig that takes it for the API server's, and the address
// of that of KUBECONFIG.
func detour(t testing.TB) (file, target string, listener net.Listener) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	server, err := url.Parse(cluster.Server)
	if err != nil {
		t.Fatal(err)
	}
	target = server.Host
	if server.Port() == "" {
		target = net.JoinHostPort(server.Hostname(), "443")
	}
	if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if cluster.TLSServerName == "" {
		cluster.TLSServerName = server.Hostname()
	}
	server.Host = listener.Addr().String()
	cluster.Server = server.String()
	file = t.TempDir() + "/kubeconfig"
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file, target, listener
}

func accept(listener net.Listener, join func(near net.Conn)) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go join(near)
	}
}

// lengthen joins a connection with one to the target. The handshake of TCP costs the way there and back, as it would.
func lengthen(near net.Conn, target string, thereAndBack time.Duration) {
	far, err := net.Dial("tcp", target)
	if err != nil {
		near.Close()
		return
	}
	established := time.Now().Add(thereAndBack)
	go delay(far, near, thereAndBack/2, established)
	delay(near, far, thereAndBack/2, time.Time{})
}

// delay passes on what is sent one way, each piece after the time that the way takes, none of it before a moment.
func delay(to, from net.Conn, way time.Duration, established time.Time) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1<<12) // a window that fills up holds the sender up, as on a real way
	go func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				from.Close()
				for range pieces { // until the reader has noticed
				}
				return
			}
		}
	}()
	defer close(pieces)
	for {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		if n > 0 {
			sent := time.Now()
			if sent.Before(established) {
				sent = established
			}
			pieces <- piece{data: data[:n], due: sent.Add(way)}
		}
		if err != nil {
			return
		}
	}
}

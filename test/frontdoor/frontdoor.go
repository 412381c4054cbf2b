// Package frontdoor gives a cluster's API server other names, certificates and ways in, as tests of the endpoint want them. Behind
// them is the real API server that KUBECONFIG leads to.
package frontdoor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Certificate is what a door presents.
type Certificate struct {
	Names []string
	IPs   []string
	// From and To are relative to now; To is a year if it is 0.
	From, To time.Duration
}

// Door is another way into the cluster.
type Door struct {
	// Address is host:port.
	Address string
	// Authority is the certificate, in PEM, of the authority that signed that of the door.
	Authority []byte
}

// Open listens on an address (port 0 for any free one) with a certificate, or without TLS if that is nil, until the test ends. What
// comes in goes to the API server as the user of KUBECONFIG. Replies, where a path has one here, take the place of the API server's.
func Open(t testing.TB, address string, c *Certificate, replies map[string]string) *Door {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	d := &Door{Address: listener.Addr().String()}
	server := &http.Server{Handler: handler(t, replies), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	if c != nil {
		var pair tls.Certificate
		pair, d.Authority = sign(t, c)
		// Upgrades of connections, as exec makes them, are of HTTP/1.1.
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return d
}

// handler passes requests on to the API server of KUBECONFIG.
func handler(t testing.TB, replies map[string]string) http.Handler {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	config.NextProtos = []string{"http/1.1"}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Del("Authorization") },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reply, ok := replies[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, reply)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// sign makes an authority and has it sign a certificate.
func sign(t testing.TB, c *Certificate) (tls.Certificate, []byte) {
	t.Helper()
	now := time.Now()
	to := c.To
	if to == 0 {
		to = 365 * 24 * time.Hour
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "doik-test-ca"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"}, DNSNames: c.Names,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: now.Add(c.From - time.Hour), NotAfter: now.Add(to),
	}
	for _, ip := range c.IPs {
		leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(ip))
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	must(err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, authority, &key.PublicKey, authorityKey)
	must(err)
	return tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER})
}

// Kubeconfig writes a kubeconfig for a cluster with one context of the same name, and returns its path. Doors need no credentials.
func Kubeconfig(t testing.TB, name string, cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	if user == nil {
		user = clientcmdapi.NewAuthInfo()
	}
	config.Clusters[name], config.AuthInfos[name] = cluster, user
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// Proxy is an HTTP proxy that leads to one address, whatever its clients ask for.
type Proxy struct {
	URL string
	// Tunnels counts the connections through it.
	Tunnels atomic.Int64
}

// OpenProxy opens a proxy until the test ends.
func OpenProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	p := &Proxy{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		p.Tunnels.Add(1)
		far, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		near, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			_ = far.Close()
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(far, buffered); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

package kube

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// noProxy keeps the environment of the test runner out.
func noProxy(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
}

func TestServer(t *testing.T) {
	kubeconfigProxy := func(address string) func(*http.Request) (*url.URL, error) {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return http.ProxyURL(u)
	}
	for _, test := range []struct {
		name   string
		config rest.Config
		env    map[string]string
		want   v1alpha1.EndpointServer
	}{
		{"plain", rest.Config{Host: "https://api.example"}, nil, v1alpha1.EndpointServer{URL: "https://api.example", Host: "api.example", Port: 443}},
		{"a port, a path, a name, no verification", rest.Config{Host: "https://user:secret@[::1]:6443/k8s/c1", TLSClientConfig: rest.TLSClientConfig{ServerName: "api.example", Insecure: true}}, nil,
			v1alpha1.EndpointServer{URL: "https://[::1]:6443/k8s/c1", Host: "::1", Port: 6443, TLSServerName: "api.example", InsecureSkipTLSVerify: true}},
		{"no TLS", rest.Config{Host: "localhost:8080"}, nil, v1alpha1.EndpointServer{URL: "http://localhost:8080", Host: "localhost", Port: 8080}},
		{"a proxy in the kubeconfig, and one that does not count", rest.Config{Host: "https://api.example", Proxy: kubeconfigProxy("http://me:secret@proxy.example:3128")}, map[string]string{"HTTPS_PROXY": "http://other.example"},
			v1alpha1.EndpointServer{URL: "https://api.example", Host: "api.example", Port: 443, Proxy: &v1alpha1.EndpointProxy{URL: "http://me:xxxxx@proxy.example:3128", Source: proxyInKubeconfig}}},
		{"a proxy in the environment", rest.Config{Host: "https://api.example"}, map[string]string{"https_proxy": "socks5://proxy.example:1080"},
			v1alpha1.EndpointServer{URL: "https://api.example", Host: "api.example", Port: 443, Proxy: &v1alpha1.EndpointProxy{URL: "socks5://proxy.example:1080", Source: "https_proxy"}}},
		{"a proxy for others", rest.Config{Host: "https://10.0.1.5"}, map[string]string{"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "10.0.0.0/8"},
			v1alpha1.EndpointServer{URL: "https://10.0.1.5", Host: "10.0.1.5", Port: 443}},
	} {
		t.Run(test.name, func(t *testing.T) {
			noProxy(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			c := &Cluster{config: &test.config}
			got, err := c.Server()
			if err != nil {
				t.Fatal(err)
			}
			if proxy, want := got.Proxy, test.want.Proxy; (proxy == nil) != (want == nil) || proxy != nil && *proxy != *want {
				t.Errorf("proxy %+v, want %+v", proxy, want)
			}
			got.Proxy, test.want.Proxy = nil, nil
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	c := &Cluster{config: &rest.Config{}}
	if l := c.Login(); l != nil {
		t.Errorf("%+v", l)
	}
	c.config.ExecProvider = &clientcmdapi.ExecConfig{Command: "aws", Args: []string{"eks"}, Env: []clientcmdapi.ExecEnvVar{{Name: "AWS_REGION", Value: "eu-west-1"}}}
	if l := c.Login(); l.Command != "aws" || len(l.Args) != 1 || l.Env["AWS_REGION"] != "eu-west-1" {
		t.Errorf("%+v", l)
	}
}

// TestServingCertificate sees certificates that are to be trusted and others, straight and through a proxy, and sends nothing.
func TestServingCertificate(t *testing.T) {
	noProxy(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a request was sent: %s", r.URL) }))
	defer server.Close()
	proxied := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied++
		tunnel(t, w, server.Listener.Addr().String())
		if r.Method != http.MethodConnect {
			t.Errorf("the proxy was asked to %s", r.Method)
		}
	}))
	defer proxy.Close()
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for _, test := range []struct {
		name              string
		config            rest.Config
		covers, trusted   bool
		asked, untrusted  string
		throughProxyCount int
	}{
		{"trusted", rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: authority}}, true, true, "127.0.0.1", "", 0},
		{"another authority", rest.Config{Host: server.URL}, true, false, "127.0.0.1", "unknown authority", 0},
		{"not verified", rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, true, false, "127.0.0.1", "unknown authority", 0},
		{"another name", rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: authority, ServerName: "example.com"}}, true, true, "example.com", "", 0},
		{"a name that is not covered", rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: authority, ServerName: "api.invalid"}}, false, true, "api.invalid", "", 0},
		{"through a proxy", rest.Config{Host: "https://api.invalid", Proxy: http.ProxyURL(proxyURL), TLSClientConfig: rest.TLSClientConfig{CAData: authority}}, false, true, "api.invalid", "", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxied = 0
			got, err := (&Cluster{config: &test.config}).ServingCertificate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.CoversName != test.covers || got.Trusted != test.trusted || got.Name != test.asked || !strings.Contains(got.Untrusted, test.untrusted) || proxied != test.throughProxyCount {
				t.Errorf("%+v, %d times through the proxy", got, proxied)
			}
			if got.NotAfter.IsZero() || len(got.DNSNames) == 0 || len(got.IPAddresses) == 0 || got.Issuer == "" {
				t.Errorf("%+v", got)
			}
		})
	}

	if got, err := (&Cluster{config: &rest.Config{Host: "http://127.0.0.1:1"}}).ServingCertificate(t.Context()); got != nil || err != nil {
		t.Errorf("without TLS: %+v, %v", got, err)
	}
	if _, err := (&Cluster{config: &rest.Config{Host: "https://127.0.0.1:1"}}).ServingCertificate(t.Context()); err == nil || !strings.Contains(Explain(err).Error(), "connection refused") {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := (&Cluster{config: &rest.Config{Host: proxy.URL[len("http://"):], TLSClientConfig: rest.TLSClientConfig{CAData: []byte("none")}}}).ServingCertificate(t.Context()); err == nil {
		t.Error("an authority without a certificate: no error")
	}

	// Someone who takes connections and says nothing.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	started := time.Now()
	if _, err := (&Cluster{config: &rest.Config{Host: "https://" + silent.Addr().String()}}).ServingCertificate(ctx); err == nil || time.Since(started) > 5*time.Second {
		t.Errorf("silence: %v after %s", err, time.Since(started))
	}
}

// tunnel connects a proxy's client with a server.
func tunnel(t *testing.T, w http.ResponseWriter, address string) {
	to, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	from, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = from.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
	go func() {
		defer to.Close()
		_, _ = buffered.WriteTo(to)
	}()
	go func() {
		defer from.Close()
		b := make([]byte, 4096)
		for {
			n, err := to.Read(b)
			if n > 0 {
				_, _ = from.Write(b[:n])
			}
			if err != nil {
				return
			}
		}
	}()
}

package kube

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"golang.org/x/net/http/httpproxy"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// proxyInKubeconfig is the Source of a proxy that the kubeconfig sets.
const proxyInKubeconfig = "proxy-url in the kubeconfig"

// Login is the program that the kubeconfig logs in with.
type Login struct {
	Command string            `json:"command"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// chosen is what the kubeconfig calls the cluster that the flags chose.
func chosen(flags *Connection, raw *clientcmdapi.Config) (contextName, clusterName string) {
	contextName = cmp.Or(flags.Overrides.CurrentContext, raw.CurrentContext)
	if c := raw.Contexts[contextName]; c != nil {
		clusterName = c.Cluster
	}
	return contextName, cmp.Or(flags.Overrides.Context.Cluster, clusterName)
}

// KubeconfigNames are what the kubeconfig calls the context and the cluster; both are empty in a pod.
func (c *Cluster) KubeconfigNames() (contextName, clusterName string) {
	return c.contextName, c.clusterName
}

// Server tells where the kubeconfig leads, with kubectl's flags applied and the proxy that the kubeconfig or the environment asks
// for. It sends nothing.
func (c *Cluster) Server() (v1alpha1.EndpointServer, error) {
	u, _, err := rest.DefaultServerUrlFor(c.config)
	if err != nil {
		return v1alpha1.EndpointServer{}, fmt.Errorf("the kubeconfig's server: %w", err)
	}
	s := v1alpha1.EndpointServer{
		Context: c.contextName, Cluster: c.clusterName, Host: u.Hostname(), Port: 443,
		TLSServerName: c.config.ServerName, InsecureSkipTLSVerify: c.config.Insecure,
	}
	if u.Scheme == "http" {
		s.Port = 80
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		s.Port = int32(port)
	}
	s.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	proxy, err := c.proxy(u)
	if err != nil {
		return v1alpha1.EndpointServer{}, fmt.Errorf("the proxy for %s: %w", s.URL, err)
	}
	if proxy != nil {
		s.Proxy = &v1alpha1.EndpointProxy{URL: proxy.Redacted(), Source: proxyInKubeconfig}
		if c.config.Proxy == nil {
			s.Proxy.Source = proxyVariable(u.Scheme)
		}
	}
	return s, nil
}

// proxy is the proxy that requests to a server take; nil if they take none.
func (c *Cluster) proxy(server *url.URL) (*url.URL, error) {
	if c.config.Proxy != nil {
		return c.config.Proxy(&http.Request{URL: server})
	}
	return httpproxy.FromEnvironment().ProxyFunc()(server)
}

// proxyVariable is the environment variable that sets the proxy of a scheme.
func proxyVariable(scheme string) string {
	upper, lower := "HTTPS_PROXY", "https_proxy"
	if scheme == "http" {
		upper, lower = "HTTP_PROXY", "http_proxy"
	}
	if os.Getenv(upper) != "" {
		return upper
	}
	return lower
}

// Login is the program that the kubeconfig logs in with; nil if it needs none.
func (c *Cluster) Login() *Login {
	if c.config.ExecProvider == nil {
		return nil
	}
	l := &Login{Command: c.config.ExecProvider.Command, Args: c.config.ExecProvider.Args, Env: map[string]string{}}
	for _, v := range c.config.ExecProvider.Env {
		l.Env[v.Name] = v.Value
	}
	return l
}

// errSeen ends a handshake when the certificate has been seen: nothing is sent to a server that is not trusted yet.
var errSeen = errors.New("the certificate has been seen")

// ServingCertificate asks the server for its certificate, on the way that requests take. It breaks off before anything is sent.
// It is nil where the kubeconfig has no TLS.
func (c *Cluster) ServingCertificate(ctx context.Context) (*v1alpha1.ServingCertificate, error) {
	server, _, err := rest.DefaultServerUrlFor(c.config)
	if err != nil {
		return nil, err
	}
	if server.Scheme == "http" {
		return nil, nil
	}
	config := rest.CopyConfig(c.config)
	if err := rest.LoadTLSFiles(config); err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	transport := &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) { return c.proxy(r.URL) },
		// The certificate is shown even if it must not be trusted. It is verified below.
		TLSClientConfig: &tls.Config{
			ServerName: config.ServerName, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, //nolint:gosec // see above
			VerifyConnection: func(state tls.ConnectionState) error {
				chain = state.PeerCertificates
				return errSeen
			},
		},
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, server.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err == nil {
		_ = response.Body.Close()
	}
	switch {
	case len(chain) > 0:
		return describeCertificate(chain, config.CAData, cmp.Or(config.ServerName, server.Hostname()))
	case err == nil:
		return nil, errors.New("the server presented no certificate")
	}
	return nil, deadline(ctx, &url.Error{Op: "Get", URL: server.String(), Err: err})
}

// describeCertificate verifies a chain against an authority, or against those of the system if there is none.
func describeCertificate(chain []*x509.Certificate, authority []byte, name string) (*v1alpha1.ServingCertificate, error) {
	leaf := chain[0]
	s := &v1alpha1.ServingCertificate{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), DNSNames: leaf.DNSNames,
		NotBefore: metav1.NewTime(leaf.NotBefore), NotAfter: metav1.NewTime(leaf.NotAfter), Name: name,
		CoversName: leaf.VerifyHostname(name) == nil,
	}
	for _, ip := range leaf.IPAddresses {
		s.IPAddresses = append(s.IPAddresses, ip.String())
	}
	options := x509.VerifyOptions{Intermediates: x509.NewCertPool()}
	if len(authority) > 0 {
		options.Roots = x509.NewCertPool()
		if !options.Roots.AppendCertsFromPEM(authority) {
			return nil, errors.New("certificate-authority in the kubeconfig contains no certificate")
		}
	}
	for _, other := range chain[1:] {
		options.Intermediates.AddCert(other)
	}
	_, err := leaf.Verify(options)
	s.Trusted = err == nil
	if err != nil {
		s.Untrusted = oneLine(err)
	}
	return s, nil
}

package dbserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Config is how a connection through a port-forward is encrypted, and the server's certificate verified where that was asked for.
func (t TLS) Config() (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // a port-forward has no host name; VERIFY_CA verifies the chain below
	}
	if t.Mode != TLSVerifyCA {
		return config, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(t.CA) {
		return nil, errors.New("--ssl-ca: the file contains no certificate")
	}
	config.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, pool) }
	return config, nil
}

func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	others := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others})
	return err
}

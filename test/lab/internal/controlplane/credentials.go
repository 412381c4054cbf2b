package controlplane

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// credentials are the files by which the components know each other. There is one user, an administrator with a token;
// the API server signs its certificate itself.
type credentials struct {
	folder string
	token  string
}

// newCredentials writes the token and the key that signs the tokens of service accounts.
func newCredentials(folder string) (*credentials, error) {
	c := &credentials{folder: filepath.Join(folder, "pki")}
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return nil, err
	}
	random := make([]byte, 24)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	c.token = hex.EncodeToString(random)
	if err := writePrivate(c.tokens(), []byte(c.token+",admin,admin,system:masters\n")); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return c, writePrivate(c.serviceAccountKey(), pem.EncodeToMemory(block))
}

func (c *credentials) tokens() string { return filepath.Join(c.folder, "tokens.csv") }
func (c *credentials) serviceAccountKey() string {
	return filepath.Join(c.folder, "service-accounts.key")
}

// certificate is the API server's, which it writes there when it starts.
func (c *credentials) certificate() string { return filepath.Join(c.folder, "apiserver.crt") }

// writeKubeconfig writes a kubeconfig that stands for itself: it refers to no other file.
func (c *credentials) writeKubeconfig(path string, port int) error {
	certificate, err := os.ReadFile(c.certificate())
	if err != nil {
		return err
	}
	const name = "lab"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: fmt.Sprintf("https://%s:%d", loopback, port), CertificateAuthorityData: certificate}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: c.token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: "default"}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return writePrivate(path, data)
}

// writePrivate writes a file that only its owner can read, in one step.
func writePrivate(path string, data []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, data, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

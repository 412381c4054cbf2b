//go:build integration

package integration

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// collector is what anyone can put into a pod of the image mysql:8: it greets as MySQL does, asks for "full authentication" and keeps the
// password that comes. Without TLS it offers an RSA key of its own to encrypt the password with.
type collector struct {
	certificate *tls.Certificate // nil for none
	key         *rsa.PrivateKey
	mu          sync.Mutex
	passwords   []string
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passwords
}

func packet(conn io.Writer, sequence byte, body ...byte) {
	_, _ = conn.Write(append([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), sequence}, body...))
}

func readPacket(conn io.Reader) (sequence byte, body []byte) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return 0, nil
	}
	body = make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, _ = io.ReadFull(conn, body)
	return head[3], body
}

func (c *collector) serve(conn net.Conn) {
	defer conn.Close()
	nonce := bytes.Repeat([]byte{'n'}, 20)
	capabilities := uint32(1 | 4 | 0x200 | 0x2000 | 0x8000 | 0x80000)
	if c.certificate != nil {
		capabilities |= 0x800
	}
	greeting := append([]byte{10}, "8.4.0\x00\x01\x00\x00\x00"...)
	greeting = append(append(greeting, nonce[:8]...), 0, byte(capabilities), byte(capabilities>>8), 45, 2, 0, byte(capabilities>>16), byte(capabilities>>24), 21)
	greeting = append(append(append(greeting, make([]byte, 10)...), nonce[8:]...), "\x00caching_sha2_password\x00"...)
	packet(conn, 0, greeting...)
	sequence, body := readPacket(conn)
	if c.certificate != nil && len(body) == 32 { // it asks for TLS
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*c.certificate}})
		sequence, body = readPacket(conn)
	}
	if body == nil {
		return
	}
	packet(conn, sequence+1, 1, 4) // perform full authentication
	sequence, body = readPacket(conn)
	if bytes.Equal(body, []byte{2}) { // it asks for the public key
		der, _ := x509.MarshalPKIXPublicKey(&c.key.PublicKey)
		packet(conn, sequence+1, append([]byte{1}, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)...)
		sequence, body = readPacket(conn)
		body, _ = rsa.DecryptOAEP(sha1.New(), nil, c.key, body, nil)
		for i := range body {
			body[i] ^= nonce[i%len(nonce)]
		}
	}
	if len(body) > 1 {
		c.mu.Lock()
		c.passwords = append(c.passwords, strings.TrimRight(string(body), "\x00"))
		c.mu.Unlock()
	}
	packet(conn, sequence+1, append([]byte{0xff, 0x15, 0x04}, "#28000Access denied"...)...)
}

func (c *collector) listen(t *testing.T) string {
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
			go c.serve(conn)
		}
	}()
	return listener.Addr().String()
}

// signed makes a certificate that is signed by another, or by itself.
func signed(t *testing.T, by *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mysql"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: by == nil, BasicConstraintsValid: true}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestPasswordGoesToNobodyElse puts collectors of passwords into pods that look like MySQL, and gives a password of the user's own to
// commands that find them.
func TestPasswordGoesToNobodyElse(t *testing.T) {
	n := cluster.NewNamespace(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	authority := signed(t, nil)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	servers := map[string]*collector{
		"tls":      {certificate: signed(t, nil)},
		"no-tls":   {key: key},
		"verified": {certificate: signed(t, authority)},
	}
	for name, c := range servers {
		n.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": %q, "annotations": {"lab.doik.dev/forward": "3306=%s"}},
			"spec": {"containers": [{"name": "db", "image": "mysql:8"}]}}`, name, c.listen(t)))
		n.Kubectl("wait", "--for=condition=Ready", "pod/"+name, "--timeout=300s")
	}
	const password = "of-the-users-own"
	t.Setenv("DOIK_PW", password)
	own := []string{"--user=mon", "--password-from=env:DOIK_PW"}
	for _, tc := range []struct {
		args    []string
		code    int
		says    string
		collect string // who may get the password
	}{
		{[]string{"mysql-topology"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"mysql-topology", "--via=port-forward"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"mysql-topology", "--via=exec"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"mysql-topology", "-l", "app!=x"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"mysql-topology", "--watch"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"mysql-query", "SELECT 1"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"check"}, 1, "name the set (sts/NAME)", ""},
		{[]string{"mysql-topology", "pod/tls", "--ssl-mode=DISABLED"}, 1, "in clear", ""},
		{[]string{"mysql-topology", "pod/tls", "--ssl-mode=DISABLED", "--via=port-forward", "--send-password-to-all"}, 1, "in clear", ""},
		{[]string{"mysql-topology", "pod/no-tls", "--via=port-forward"}, 0, "TLS", ""},
		{[]string{"mysql-topology", "--send-password-to-all", "--via=port-forward", "--ssl-mode=VERIFY_CA", "--ssl-ca=" + ca}, 0, "signed by unknown authority", "verified"},
		{[]string{"mysql-topology", "--via=port-forward", "--ssl-mode=VERIFY_CA", "--ssl-ca=" + ca}, 0, "signed by unknown authority", "verified"},
		{[]string{"mysql-topology", "--ssl-mode=VERIFY_CA", "--ssl-ca=" + ca}, 0, "signed by unknown authority", "verified"},
		{[]string{"mysql-topology", "pod/tls", "--via=port-forward"}, 0, "Access denied", "tls"},
		{[]string{"mysql-topology", "--via=port-forward", "--send-password-to-all"}, 0, "Access denied", "tls verified"},
	} {
		for _, c := range servers {
			c.mu.Lock()
			c.passwords = nil
			c.mu.Unlock()
		}
		r := n.Doik(append(tc.args, own...)...)
		if r.Code != tc.code || !strings.Contains(r.Err, tc.says) || tc.code == 1 && strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%v: exit code %d: %s%s", tc.args, r.Code, r.Out, r.Err)
		}
		if strings.Contains(r.Out+r.Err, password) {
			t.Errorf("%v: the password shows: %s%s", tc.args, r.Out, r.Err)
		}
		for name, c := range servers {
			may := strings.Contains(" "+tc.collect+" ", " "+name+" ")
			if got := c.got(); len(got) > 0 != may || len(got) > 0 && got[0] != password {
				t.Errorf("%v: the pod %s has got %q", tc.args, name, got)
			}
		}
	}
	if r := n.Doik("mysql-topology", "-A", own[0], own[1]); r.Code != 1 {
		t.Errorf("-A: exit code %d: %s", r.Code, r.Err)
	}
}

// TestLogsHaveNoPasswords greps the logs of all levels for everything that is secret here: in pods' environments, in manifests that kubectl
// apply has kept, in Secrets, in commands of exec, in tokens, and the user's own.
func TestLogsHaveNoPasswords(t *testing.T) {
	n := cluster.NewNamespace(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	collector := &collector{certificate: signed(t, nil), key: key}
	const inPod, inSecret, own, token = "hunter2-pod", "hunter2-secret", "hunter2-own", "hunter2-token"
	n.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"pw": %q}}`, inSecret))
	n.Apply(fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": {
		"metadata": {"labels": {"app": "db"}, "annotations": {"lab.doik.dev/forward": "3306=%s"}},
		"spec": {"containers": [{"name": "db", "image": "mysql:8", "args": ["--x=%s"], "env": [{"name": "MYSQL_ROOT_PASSWORD", "value": %q}, {"name": "OTHER", "value": %q}]}]}}}}`, collector.listen(t), inPod, inPod, inPod))
	n.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
	t.Setenv("DOIK_PW", own)
	seen := map[string]bool{}
	for level := range 11 {
		for _, args := range [][]string{
			{"check"},
			{"check", "--token=" + token},
			{"sts-status", "--usage=exec"},
			{"mysql-topology", "db", "--via=port-forward"},
			{"mysql-topology", "db", "--user=mon", "--password-from=secret/db:pw", "--via=port-forward"},
			{"mysql-topology", "db", "--user=mon", "--password-from=env:DOIK_PW"},
			{"mysql-query", "db", "SELECT 1", "--user=mon", "--password-from=secret/db:pw", "--via=exec"},
		} {
			r := n.Doik(append(args, fmt.Sprintf("-v=%d", level))...)
			said := r.Out + r.Err
			for _, secret := range []string{inPod, inSecret, own, token} {
				encoded := strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")
				if strings.Contains(said, secret) || strings.Contains(said, encoded[:len(encoded)-2]) {
					i := max(strings.Index(said, secret), strings.Index(said, encoded[:len(encoded)-2]))
					t.Errorf("%v -v=%d: %s: …%s…", args, level, secret, said[max(0, i-300):min(len(said), i+100)])
				}
			}
			if strings.Contains(said, "00000000  ") {
				t.Errorf("%v -v=%d: a dump of a body", args, level)
			}
			for _, word := range []string{"/exec?", "Response Body", "MYSQL_ROOT_PASSWORD", "Secret of ", "Authorization: Bearer <masked>", "last-applied-configuration"} {
				seen[word] = seen[word] || strings.Contains(said, word)
			}
		}
	}
	for _, args := range [][]string{
		{"check"}, {"sts-status"}, {"nodes"}, {"mysql-topology", "db"}, {"mysql-topology", "db", "--user=mon", "--password-from=env:DOIK_PW"},
	} {
		text := cluster.Saved(n, args[0], args[1:]...)
		for _, secret := range []string{inPod, inSecret, own, token} {
			if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
				t.Errorf("%s is in the snapshot of %v:\n%s", secret, args, text)
			}
		}
	}
	for word, was := range seen {
		if !was {
			t.Errorf("no log has %q: what was to be masked has not been logged at all", word)
		}
	}
	if len(collector.got()) == 0 {
		t.Error("no password was sent")
	}
}

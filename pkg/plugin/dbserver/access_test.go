package dbserver

import (
	"strings"
	"testing"
)

func TestParsePasswordSource(t *testing.T) {
	for _, good := range []string{"", "secret/db:password", "file:/run/pw", "env:PW", "prompt"} {
		if _, err := ParsePasswordSource(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"hunter2", "secret/hunter2", "secret/Hunter2:hunter2", "secret/:hunter2", "secret/db:hunter2!", "file:", "env:"} {
		_, err := ParsePasswordSource(bad)
		if err == nil || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, absent := range []string{"env:hunter2", "file:hunter2"} {
		p, err := ParsePasswordSource(absent)
		if err == nil {
			_, err = p.Resolve(t.Context(), "mon", nil, nil)
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", absent, err)
		}
	}
	p := PasswordSource{kind: fromPrompt}
	p, err := p.Resolve(t.Context(), "mon", strings.NewReader("pw with spaces \r\nrest"), nil)
	if err != nil || p.value != "pw with spaces " {
		t.Errorf("%q, %v", p.value, err)
	}
	if _, err := (PasswordSource{kind: fromPrompt}).Resolve(t.Context(), "mon", strings.NewReader(""), nil); err == nil {
		t.Error("empty stdin: no error")
	}
	t.Setenv("DOIK_TEST_PW", "x")
	if p, err := (PasswordSource{kind: fromEnv, name: "DOIK_TEST_PW"}).Resolve(t.Context(), "", nil, nil); err != nil || p.value != "x" {
		t.Errorf("%q, %v", p.value, err)
	}
}

// TestNaming: with which flags a password of the user's own may be sent at all, and that the refusal names the remedy.
func TestNaming(t *testing.T) {
	own, secret := PasswordSource{kind: fromEnv, name: "PW"}, PasswordSource{kind: fromSecret, name: "db", key: "pw"}
	for _, tc := range []struct {
		what   string
		access Access
		named  bool
		given  bool
	}{
		{"no password", Access{Via: ViaAuto, User: "mon"}, false, true},
		{"a Secret's", Access{Via: ViaAuto, User: "mon", PasswordFrom: secret}, false, true},
		{"found", Access{Via: ViaAuto, User: "mon", PasswordFrom: own, TLS: TLS{Mode: TLSPreferred}}, false, false},
		{"found, by exec", Access{Via: ViaExec, User: "mon", PasswordFrom: own, TLS: TLS{Mode: TLSPreferred}}, false, false},
		{"found, verified", Access{Via: ViaAuto, User: "mon", PasswordFrom: own, TLS: TLS{Mode: TLSVerifyCA}}, false, true},
		{"found, by exec, where nothing is verified", Access{Via: ViaExec, User: "mon", PasswordFrom: own, TLS: TLS{Mode: TLSVerifyCA}}, false, false},
		{"found, to all", Access{Via: ViaAuto, User: "mon", PasswordFrom: own, SendToAll: true}, false, true},
		{"named", Access{Via: ViaAuto, User: "mon", PasswordFrom: own}, true, true},
		{"named, in clear", Access{Via: ViaPortForward, User: "mon", PasswordFrom: own, TLS: TLS{Mode: TLSDisabled}}, true, false},
	} {
		_, err := tc.access.Naming(tc.named)
		if (err == nil) != tc.given {
			t.Errorf("%s: %v", tc.what, err)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "sts/NAME") && !strings.Contains(err.Error(), "TLS")) {
			t.Errorf("%s: %v", tc.what, err)
		}
	}
	a, err := Access{Via: ViaAuto, User: "mon", PasswordFrom: own, TLS: TLS{Mode: TLSVerifyCA}}.Naming(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range NewConnector(nil, a).ways(Server{Flavour: &Flavour{Logins: []Login{{User: "root"}}}}) {
		if w.Via == ViaExec {
			t.Error("VERIFY_CA: a container that shows no certificate is given the password when verification fails")
		}
	}
}

//go:build integration

package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// program is a login program of a kubeconfig (an exec plugin): a script that notes each run. Its file is path, its runs are in log.
type program struct{ path, log, kubeconfig string }

// newProgram writes a program that does something before it gives the credentials of KUBECONFIG, and a kubeconfig that runs it.
func newProgram(t *testing.T, before string) program {
	t.Helper()
	var config struct {
		Clusters []struct{ Cluster map[string]any }
		Users    []struct {
			User struct {
				Token string
				Cert  string `json:"client-certificate-data"`
				Key   string `json:"client-key-data"`
			}
		}
	}
	r := cluster.Run(t, "", "kubectl", "config", "view", "--raw", "--minify", "--flatten", "-o", "json")
	if err := json.Unmarshal([]byte(r.Out), &config); err != nil {
		t.Fatal(err, r.Err)
	}
	user := config.Users[0].User
	decode := func(text string) string {
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(plain)
	}
	status := map[string]string{"token": user.Token}
	if user.Token == "" {
		status = map[string]string{"clientCertificateData": decode(user.Cert), "clientKeyData": decode(user.Key)}
	}
	credential, err := json.Marshal(map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	p := program{path: filepath.Join(folder, "log-in"), log: filepath.Join(folder, "runs"), kubeconfig: filepath.Join(folder, "kubeconfig")}
	script := fmt.Sprintf("#!/bin/sh\necho run >> %s\n%s\ncat <<'END'\n%s\nEND\n", p.log, before, credential)
	if err := os.WriteFile(p.path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "lab",
		"clusters": []any{map[string]any{"name": "lab", "cluster": config.Clusters[0].Cluster}},
		"contexts": []any{map[string]any{"name": "lab", "context": map[string]any{"cluster": "lab", "user": "by-program"}}},
		"users": []any{map[string]any{"name": "by-program", "user": map[string]any{"exec": map[string]any{
			"apiVersion": "client.authentication.k8s.io/v1", "command": p.path, "interactiveMode": "Never",
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.kubeconfig, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// runs is how often the program has been run since it was asked last.
func (p program) runs(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	_ = os.Remove(p.log)
	return strings.Count(string(text), "\n")
}

// TestKuberc: a login program that kubectl's preferences deny is run neither by kubectl nor by the plugin, one that they allow by both;
// default values of flags hold for the plugin's commands.
func TestKuberc(t *testing.T) {
	n := cluster.NewNamespace(t)
	p := newProgram(t, "")
	folder := t.TempDir()
	kuberc := func(name, content string) string {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"+content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, tc := range []struct {
		what, file string
		runs       bool
	}{
		{"nothing said", kuberc("none", ""), true},
		{"all allowed", kuberc("all", "credentialPluginPolicy: AllowAll\n"), true},
		{"all denied", kuberc("deny", "credentialPluginPolicy: DenyAll\n"), false},
		{"another allowed", kuberc("other", "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- {command: aws}\n"), false},
		{"this one allowed", kuberc("this", "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- {command: "+p.path+"}\n"), true},
	} {
		kubectl := cluster.Run(t, "", "kubectl", "--kubeconfig="+p.kubeconfig, "--kuberc="+tc.file, "get", "pods", "-n", n.NS)
		if ran := p.runs(t) > 0; ran != tc.runs || (kubectl.Code == 0) != tc.runs {
			t.Errorf("%s: kubectl runs it: %v, exit code %d: %s", tc.what, ran, kubectl.Code, kubectl.Err)
		}
		r := n.Doik("check", "--kubeconfig="+p.kubeconfig, "--kuberc="+tc.file)
		if ran := p.runs(t) > 0; ran != tc.runs || (r.Code == 0) != tc.runs {
			t.Errorf("%s: the plugin runs it: %v, exit code %d: %s", tc.what, ran, r.Code, r.Err)
		}
		if !tc.runs && (!strings.Contains(r.Err, "the kuberc does not allow the kubeconfig's credential plugin to run") || strings.Count(r.Err, "\n") != 1) {
			t.Errorf("%s: %s", tc.what, r.Err)
		}
	}
	t.Setenv("KUBERC", filepath.Join(folder, "deny"))
	if r := n.Doik("sts-status", "--kubeconfig="+p.kubeconfig); r.Code != 1 || p.runs(t) > 0 {
		t.Errorf("KUBERC: exit code %d: %s", r.Code, r.Err)
	}
	t.Setenv("KUBERC", "off")
	if r := n.Doik("sts-status", "--kubeconfig="+p.kubeconfig); r.Code != 0 || p.runs(t) != 1 {
		t.Errorf("KUBERC=off: exit code %d: %s", r.Code, r.Err)
	}
	t.Setenv("KUBERC", "")
	n.ApplyWeb()
	for args, want := range map[string]string{"": "statefulset.apps/web\n", "-o json": `"kind": "SetStatusList"`} {
		file := kuberc("defaults", "defaults:\n- command: doik sts-status\n  options:\n  - {name: output, default: name}\n- command: get\n  options:\n  - {name: nosuch, default: x}\n")
		if r := n.Doik(append([]string{"sts-status", "web", "--kuberc=" + file}, strings.Fields(args)...)...); r.Code != 0 || !strings.Contains(r.Out, want) || r.Err != "" {
			t.Errorf("default values, %q: exit code %d: %s%s", args, r.Code, r.Out, r.Err)
		}
	}
	bad := kuberc("bad", "defaults:\n- command: doik check\n  options:\n  - {name: nosuch, default: x}\n")
	if r := n.Doik("check", "--kuberc="+bad); r.Code != 1 || !strings.Contains(r.Err, "no such flag") {
		t.Errorf("a default for a flag that is not there: exit code %d: %s", r.Code, r.Err)
	}
	if r := n.Doik("check", "--kuberc="+filepath.Join(folder, "nosuch")); r.Code != 1 || !strings.Contains(r.Err, "nosuch: no such file") {
		t.Errorf("a kuberc that is not there: exit code %d: %s", r.Code, r.Err)
	}
}

// TestLoginProgram: one that hangs costs no more than --timeout or --request-timeout, one that fails is run once.
func TestLoginProgram(t *testing.T) {
	n := cluster.NewNamespace(t)
	hanging := newProgram(t, "exec 2>/dev/null; sleep 20 >/dev/null")
	for _, args := range [][]string{
		{"sts-status", "--timeout=2s"}, {"check", "--timeout=2s"}, {"nodes", "--request-timeout=2s"}, {"check", "--request-timeout=2s"}, {"mysql-topology", "--timeout=2s"}, {"dns", "--timeout=2s", "sts/web"},
	} {
		begun := time.Now()
		r := n.Doik(append(args, "--kubeconfig="+hanging.kubeconfig)...)
		if took := time.Since(begun); took > cluster.Patience(6*time.Second) || r.Code != 1 || !strings.Contains(r.Err, "did not finish in time") || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%v: after %s, exit code %d: %s%s", args, took, r.Code, r.Out, r.Err)
		}
		if got := hanging.runs(t); got != 1 {
			t.Errorf("%v: the program was run %d times", args, got)
		}
	}
	failing := newProgram(t, "sleep 0.5; exit 3")
	r := n.Doik("check", "--kubeconfig="+failing.kubeconfig)
	if got := failing.runs(t); got != 1 || r.Code != 1 || !strings.Contains(r.Err, "failed with exit code 3") || strings.Count(r.Err, "\n") != 1 {
		t.Errorf("a failing program was run %d times: exit code %d: %s", got, r.Code, r.Err)
	}
	if r := n.Doik("check", "--kubeconfig="+newProgram(t, "").kubeconfig); r.Code != 0 {
		t.Errorf("a program that works: exit code %d: %s", r.Code, r.Err)
	}
}

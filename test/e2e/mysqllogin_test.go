//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// oneMySQL starts one server in a pod of its own, one-0, with an account root without a password. It is not the pod's first process, which
// could not be stopped from inside.
func oneMySQL(t *testing.T) *database {
	t.Helper()
	d := newSet(cluster.NewNamespace(t), "one")
	d.Apply(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one-0"}, "spec": {"securityContext": {"runAsUser": 999, "runAsGroup": 999}, "terminationGracePeriodSeconds": 1,
		"containers": [{"name": "mysql", "image": "mysql:9.7",
		"command": ["sh", "-c", "echo \"CREATE USER root@'%'; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION\" > /tmp/init.sql; mysqld --no-defaults --initialize-insecure --datadir=/tmp/d --init-file=/tmp/init.sql && { mysqld --datadir=/tmp/d --mysqlx=OFF & wait; }"],
		"readinessProbe": {"exec": {"command": ["mysql", "-uroot", "-e", "SELECT 1"]}, "periodSeconds": 1}}]}}`)
	d.Kubectl("wait", "pod/one-0", "--for=condition=Ready", "--timeout=300s")
	return d
}

// TestMySQLLogin takes every way to give a password and every kind of encryption.
func TestMySQLLogin(t *testing.T) {
	d := oneMySQL(t)
	const password = accountPassword
	d.SQL(0, `CREATE USER mon@'%' IDENTIFIED BY 'p w\'"$\\'; GRANT REPLICATION CLIENT ON *.* TO mon@'%'; GRANT SELECT ON performance_schema.* TO mon@'%';
		CREATE USER safe@'%' REQUIRE SSL; GRANT REPLICATION CLIENT ON *.* TO safe@'%'; GRANT SELECT ON performance_schema.* TO safe@'%'`)
	d.prompts(t)

	login := func(flags ...string) cluster.Result {
		t.Helper()
		return d.Doik(append([]string{"mysql-topology", "pod/one-0", "--via=port-forward"}, flags...)...)
	}
	folder := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	ca := write("ca.pem", d.Kubectl("exec", "one-0", "--", "cat", "/tmp/d/ca.pem"))
	other := write("other.pem", d.Kubectl("get", "configmap", "kube-root-ca.crt", "-o", `jsonpath={.data.ca\.crt}`))
	try := func(flags []string, failure string) {
		t.Helper()
		switch r := login(flags...); {
		case failure == "" && (r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, "1/1 answered")):
			t.Errorf("%v: %s%s", flags, r.Out, r.Err)
		case failure != "" && (!strings.Contains(r.Err, failure) || !strings.Contains(r.Out, "0/1 answered")):
			t.Errorf("%v: no %q: %s%s", flags, failure, r.Out, r.Err)
		}
	}
	t.Log("an account that must be encrypted")
	try([]string{"--user=safe"}, "")
	try([]string{"--user=safe", "--ssl-mode=required"}, "")
	try([]string{"--user=safe", "--ssl-mode=DISABLED"}, "error 1045")
	try([]string{"--user=safe", "--ssl-mode=VERIFY_CA", "--ssl-ca=" + ca}, "")
	try([]string{"--user=safe", "--ssl-mode=VERIFY_CA", "--ssl-ca=" + other}, "certificate signed by unknown authority")
	try([]string{"--user=safe", "--ssl-mode=VERIFY_CA", "--ssl-ca=" + write("none.pem", "nothing")}, "--ssl-ca: the file contains no certificate")
	t.Log("a password of the user's own: over TLS, or not at all")
	t.Setenv("DOIK_E2E_PASSWORD", password)
	own := []string{"--user=mon", "--password-from=env:DOIK_E2E_PASSWORD"}
	d.SQL(0, "FLUSH PRIVILEGES") // forgets who has logged in before: the whole exchange again
	try(own, "")
	try(append([]string{"--ssl-mode=VERIFY_CA", "--ssl-ca=" + ca}, own...), "")
	try(append([]string{"--ssl-mode=VERIFY_CA", "--ssl-ca=" + other}, own...), "certificate signed by unknown authority")
	if r := login(append([]string{"--ssl-mode=DISABLED"}, own...)...); r.Code != 1 || !strings.Contains(r.Err, "would send the password of --user in clear") {
		t.Errorf("in clear: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	for _, args := range [][]string{{"mysql-topology"}, {"mysql-query", "SELECT 1"}, {"mysql-topology", "--via=exec"}, {"check"}} {
		if r := d.Doik(append(args, own...)...); r.Code != 1 || !strings.Contains(r.Err, "name the set (sts/NAME)") || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%v, to what was found: exit code %d: %s%s", args, r.Code, r.Out, r.Err)
		}
	}
	if r := d.Doik(append([]string{"mysql-topology", "--send-password-to-all"}, own...)...); r.Code != 0 || !strings.Contains(r.Out, "1/1 answered") {
		t.Errorf("--send-password-to-all: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	t.Log("a server whose TLS Go does not speak")
	d.SQL(0, "SET GLOBAL tls_version='TLSv1.2', GLOBAL ssl_cipher='DHE-RSA-AES256-GCM-SHA384'; ALTER INSTANCE RELOAD TLS")
	try(nil, "")
	try([]string{"--ssl-mode=REQUIRED"}, "handshake failure")
	try(own, "handshake failure")
	t.Log("a server without TLS")
	d.SQL(0, "SET GLOBAL ssl_cert='no-such.pem'; ALTER INSTANCE RELOAD TLS NO ROLLBACK ON ERROR")
	try(nil, "")
	try([]string{"--ssl-mode=DISABLED"}, "")
	try([]string{"--ssl-mode=REQUIRED"}, "does not support TLS")
	try(own, "the password of --user is not sent without TLS; enable TLS on the server, or use --via=exec")
	try(append([]string{"--via=exec"}, own...), "")
}

// prompts gives the password on a terminal, on stdin, and not at all.
func (d *database) prompts(t *testing.T) {
	args := []string{"mysql-topology", "pod/one-0", "--user=mon", "--password-from=prompt"}
	terminal := cluster.OnTerminal(d.Namespace, args...)
	terminal.Sees("Password of mon: ")
	terminal.Type(accountPassword + "\r")
	if code := terminal.Wait(); code != 0 {
		t.Errorf("exit code %d: %s", code, terminal.Text())
	}
	terminal.Sees("1/1 answered")
	if strings.Contains(terminal.Text(), accountPassword) {
		t.Errorf("the password shows: %s", terminal.Text())
	}
	terminal = cluster.OnTerminal(d.Namespace, args...)
	terminal.Sees("Password of mon: ")
	terminal.Type("\x03")
	if code := terminal.Wait(); code != 1 {
		t.Errorf("after Ctrl-C: exit code %d: %s", code, terminal.Text())
	}
	piped := append([]string{"doik", "-n", d.NS}, args...)
	if r := cluster.Run(t, accountPassword+"\n", "kubectl", piped...); r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, "1/1 answered") {
		t.Errorf("on stdin: %s%s", r.Out, r.Err)
	}
	if r := cluster.Run(t, "", "kubectl", piped...); r.Code != 1 || !strings.Contains(r.Err, "no password on stdin") {
		t.Errorf("without a password on stdin: %s%s", r.Out, r.Err)
	}
}

// TestMySQLLeavesNothing collects again and again in one process, by both ways, from a server that answers, one that hangs, and with an
// end in between. Neither goroutines nor connections are left here, nor sessions or clients at the other end.
func TestMySQLLeavesNothing(t *testing.T) {
	d := oneMySQL(t)
	c, err := kube.Connect(kube.NewConnection(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	collect := func(ctx context.Context, via dbserver.Via) *dbtopology.Snapshot {
		t.Helper()
		s, err := dbtopology.Collect(ctx, c, dbtopology.Query{
			Engines:   engines.Topologies(),
			Namespace: d.NS, ChunkSize: 500, Access: dbserver.Access{Via: via, ServerTimeout: time.Second, TLS: dbserver.TLS{Mode: dbserver.TLSPreferred}},
		})
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		return s
	}
	ways := []dbserver.Via{dbserver.ViaPortForward, dbserver.ViaExec}
	failed := func(s *dbtopology.Snapshot) bool { return s.Servers[d.NS+"/one-0"].Failure != nil }
	ctx := context.Background()
	for _, via := range ways {
		if s := collect(ctx, via); failed(s) {
			t.Fatalf("%+v", s.Servers)
		}
	}
	goroutines, sockets := runtime.NumGoroutine(), openSockets(t)
	nothing := func(when string, allowed int) {
		t.Helper()
		// Who asks for a stream waits 30 s for the node's answer even if the connection has been closed: spdystream does not tell them.
		cluster.Eventually(t, 45*time.Second, func() error {
			if n, s := runtime.NumGoroutine(), openSockets(t); n > goroutines+allowed || s > sockets {
				stacks := make([]byte, 1<<20)
				return fmt.Errorf("%s: %d goroutines, before there were %d; %d sockets, before %d\n%s", when, n, goroutines, s, sockets, stacks[:runtime.Stack(stacks, true)])
			}
			return nil
		})
	}
	for range 10 {
		for _, via := range ways {
			collect(ctx, via)
		}
	}
	nothing("after answers", 0)
	d.Signal("STOP", 0)
	for _, via := range ways {
		if s := collect(ctx, via); !failed(s) {
			t.Errorf("a server that hangs answers over %s: %+v", via, s.Servers)
		}
	}
	nothing("after a server that hangs", 0)
	for i := range 10 {
		for _, via := range ways {
			ended, end := context.WithTimeout(ctx, time.Duration(i+1)*25*time.Millisecond)
			collect(ended, via)
			end()
		}
	}
	// Of twenty execs whose contexts ended while the machine was busy, one was seen to leave the goroutines of remotecommand's that read its streams: their
	// pipes were never closed. No connection was left.
	nothing("after an end in between", 2*5)
	for _, via := range ways {
		d.Interrupt(8, 4, 800*time.Millisecond, "mysql-topology", "--via="+string(via))
	}
	d.Signal("CONT", 0)
	cluster.Eventually(t, 30*time.Second, func() error {
		if clients := d.TryKubectl("exec", "one-0", "--", "pgrep", "-a", "-x", "mysql"); clients.Code != 1 {
			return fmt.Errorf("clients in the container: %s%s", clients.Out, clients.Err)
		}
		if sessions := d.SQL(0, "SELECT COUNT(*) FROM performance_schema.session_connect_attrs WHERE ATTR_VALUE='kubectl-doik'"); sessions != "0" {
			return fmt.Errorf("%s sessions in the server", sessions)
		}
		return nil
	})
}

// openSockets counts this process' connections, where the system tells.
func openSockets(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

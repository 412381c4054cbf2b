//go:build e2e

package e2e

import (
	"fmt"
	"math/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// database is a set of database servers in a namespace of a test's own.
type database struct{ *faults.Set }

// newSet is a set of MySQL servers.
func newSet(n *cluster.Namespace, name string) *database {
	return &database{&faults.Set{Namespace: n, StatefulSet: name, Container: "mysql", Client: "mysql"}}
}

// in is the database for a part of a test.
func (d *database) in(t *testing.T) *database { return &database{d.In(t)} }

const (
	info    = v1alpha1.SeverityInfo
	warning = v1alpha1.SeverityWarning
	bad     = v1alpha1.SeverityError
)

const accountPassword = `p w'"$\`

// TestMySQLAccounts logs in as users that may do less and less, by every way to give a password.
func TestMySQLAccounts(t *testing.T) {
	s := &faults.Set{Namespace: cluster.NewNamespace(t)}
	faults.MySQL(s)
	d := &database{s}
	d.SQL(0, `CREATE USER mon@'%' IDENTIFIED BY 'p w\'"$\\'; GRANT REPLICATION CLIENT ON *.* TO mon@'%'; GRANT SELECT ON performance_schema.* TO mon@'%';
		CREATE USER client@'%' IDENTIFIED BY 'p w\'"$\\'; GRANT REPLICATION CLIENT ON *.* TO client@'%';
		CREATE USER nopriv@'%' IDENTIFIED BY 'p w\'"$\\'`)
	d.Answering(3)
	const password = accountPassword
	t.Setenv("DOIK_E2E_PASSWORD", password)
	file := t.TempDir() + "/password"
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Kubectl("create", "secret", "generic", "mon", "--from-literal=pw="+password)
	for _, from := range []string{"env:DOIK_E2E_PASSWORD", "file:" + file, "secret/mon:pw"} {
		for _, via := range []string{"port-forward", "exec"} {
			r := d.Doik("mysql-topology", "sts/mysql", "--user=mon", "--password-from="+from, "--via="+via)
			if r.Code != 0 || r.Err != "" || strings.Contains(r.Out, "unknown") || !strings.Contains(r.Out, "Yes/Yes") {
				t.Errorf("mon, %s, %s: %s%s", from, via, r.Out, r.Err)
			}
			if strings.Contains(r.Out+r.Err, password) {
				t.Errorf("the password shows: %s%s", r.Out, r.Err)
			}
		}
	}
	for _, via := range []string{"port-forward", "exec"} {
		flags := []string{"mysql-topology", "sts/mysql", "--password-from=env:DOIK_E2E_PASSWORD", "--via=" + via}
		r := d.Doik(append(flags, "--user=client")...)
		if r.Code != 0 || !strings.Contains(r.Out, "Yes/Yes") || strings.Contains(r.Out, "unknown") || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "error 1142") {
			t.Errorf("client, %s: %s%s", via, r.Out, r.Err)
		}
		r = d.Doik(append(flags, "--user=nopriv")...)
		if r.Code != 0 || strings.Contains(r.Out, "Yes/Yes") || strings.Count(r.Err, "\n") != 2 || !strings.Contains(r.Err, "error 1227") || strings.Contains(r.Out, "CRITICAL") {
			t.Errorf("nopriv, %s: %s%s", via, r.Out, r.Err)
		}
	}
	r := d.Doik("mysql-reads", "svc/mysql-read", "--user=mon", "--password-from=env:DOIK_E2E_PASSWORD", "-c", "4", "-o", "json")
	if r.Code != 0 || r.Err != "" || strings.Contains(r.Out, "MYSQL094") || !strings.Contains(r.Out, `"connections": 4`) || !strings.Contains(r.Out, `"failed": 0`) {
		t.Errorf("mysql-reads, whose connections insist on TLS: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	t.Setenv("DOIK_E2E_PASSWORD", "wrong")
	r = d.Doik("mysql-topology", "sts/mysql", "--user=mon", "--password-from=env:DOIK_E2E_PASSWORD")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "error 1045") || !strings.Contains(r.Out, "0/3 answered") {
		t.Errorf("with a wrong password: %s%s", r.Out, r.Err)
	}
}

// TestMariaDBAccounts logs in as users with what docs/rbac.md says is enough, with less, and with nothing.
func TestMariaDBAccounts(t *testing.T) {
	s := &faults.Set{Namespace: cluster.NewNamespace(t)}
	faults.MariaDB(s)
	d := &database{s}
	d.SQL(0, "CREATE USER mon@'%' IDENTIFIED BY 'pw'; GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO mon@'%'; CREATE USER slave@'%' IDENTIFIED BY 'pw'; GRANT SLAVE MONITOR ON *.* TO slave@'%'; CREATE USER nopriv@'%' IDENTIFIED BY 'pw'")
	d.Answering(2)
	t.Setenv("DOIK_E2E_PASSWORD", "pw")
	// The servers have no TLS: a password of the user's own goes into the container only, that of a Secret to pods of its namespace.
	if r := d.Doik("mysql-topology", "sts/mariadb", "--user=mon", "--password-from=env:DOIK_E2E_PASSWORD", "--via=port-forward"); r.Code != 0 ||
		!strings.Contains(r.Out, "0/2 answered") || !strings.Contains(r.Err, "the password of --user is not sent without TLS") {
		t.Errorf("without TLS: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	d.Kubectl("create", "secret", "generic", "mon", "--from-literal=pw=pw")
	for via, from := range map[string]string{"port-forward": "secret/mon:pw", "exec": "env:DOIK_E2E_PASSWORD"} {
		for user, want := range map[string]struct {
			threads  bool
			warnings int
			contains string
		}{
			"mon":    {true, 0, ""},
			"slave":  {true, 1, "BINLOG MONITOR"},
			"nopriv": {false, 2, "SLAVE MONITOR"},
		} {
			r := d.Doik("mysql-topology", "sts/mariadb", "--user="+user, "--password-from="+from, "--via="+via)
			if r.Code != 0 || strings.Contains(r.Out, "Yes/Yes") != want.threads || strings.Contains(r.Out, "unknown") == want.threads ||
				strings.Count(r.Err, "\n") != want.warnings || !strings.Contains(r.Err, want.contains) || strings.Contains(r.Out, "CRITICAL") {
				t.Errorf("%s, %s: exit code %d: %s%s", user, via, r.Code, r.Out, r.Err)
			}
		}
	}
}

// TestGTIDAgreesWithServer checks the arithmetic of GTID sets against a real server's GTID_SUBTRACT, on random sets with tags.
func TestGTIDAgreesWithServer(t *testing.T) {
	const pairs = 400
	n := cluster.NewNamespace(t)
	n.Apply(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"securityContext": {"runAsUser": 999, "runAsGroup": 999}, "containers": [{"name": "mysql", "image": "mysql:9.7",
		"command": ["sh", "-c", "mysqld --no-defaults --initialize-insecure --datadir=/tmp/d && exec mysqld --datadir=/tmp/d --mysqlx=OFF"],
		"readinessProbe": {"exec": {"command": ["mysql", "-uroot", "-e", "SELECT 1"]}, "periodSeconds": 1}}]}}`)
	n.Kubectl("wait", "pod/one", "--for=condition=Ready", "--timeout=300s")
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewSource(seed))
	var script strings.Builder
	var sets [][2]string
	for range pairs {
		pair := [2]string{randomGTIDs(r), randomGTIDs(r)}
		sets = append(sets, pair)
		fmt.Fprintf(&script, "SELECT CONCAT('=', REPLACE(GTID_SUBTRACT('%s', '%s'), '\\n', ''));\n", pair[0], pair[1])
	}
	out := cluster.Run(t, script.String(), "kubectl", "-n", n.NS, "exec", "-i", "one", "--", "mysql", "-uroot", "-N")
	lines := strings.Split(strings.TrimSpace(out.Out), "\n")
	if len(lines) != pairs {
		t.Fatalf("%d answers: %s", len(lines), out.Err)
	}
	parse := func(text string) mysql.GTIDSet {
		set, err := mysql.ParseGTIDSet(text)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	for i, pair := range sets {
		want := strings.TrimPrefix(lines[i], "=")
		if got := parse(pair[0]).Subtract(parse(pair[1])).String(); got != want {
			t.Errorf("%s - %s = %s, the server says %s", pair[0], pair[1], got, want)
		}
	}
}

func randomGTIDs(r *rand.Rand) string {
	var parts []string
	for _, source := range []string{"3e11fa47-71ca-11e1-9e33-c80aa9429562", "3e11fa47-71ca-11e1-9e33-c80aa9429562:tag_1", "ae11fa47-71ca-11e1-9e33-c80aa9429562:b"} {
		var intervals []string
		for range r.Intn(4) {
			low := r.Intn(20) + 1
			intervals = append(intervals, fmt.Sprintf("%d-%d", low, low+r.Intn(5)))
		}
		if len(intervals) > 0 {
			parts = append(parts, source+":"+strings.Join(intervals, ":"))
		}
	}
	return strings.Join(parts, ",")
}

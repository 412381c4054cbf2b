//go:build e2e

package e2e

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// documented are the statements of docs/security.md's blocks, as expressions.
func documented(t *testing.T) []*regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []*regexp.Regexp
	for i, block := range strings.Split(string(page), "```") {
		sql, ok := strings.CutPrefix(block, "sql\n")
		if i%2 == 0 || !ok {
			continue
		}
		for line := range strings.Lines(sql) {
			one := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "…", ".*?")
			list = append(list, regexp.MustCompile("(?s)^"+one+"( UNION ALL "+one+")*$"))
		}
	}
	if len(list) < 20 {
		t.Fatalf("%d statements in docs/security.md", len(list))
	}
	return list
}

// TestMySQLSent turns the general log of servers on, runs the commands, and finds nothing in it that docs/security.md does not list.
func TestMySQLSent(t *testing.T) {
	list := documented(t)
	for product, mariadb := range map[string]bool{"MySQL": false, "MariaDB": true} {
		t.Run(product, func(t *testing.T) {
			f := newFuzzer(t, mariadb)
			set := "sts/" + f.d.StatefulSet
			port := `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reads"}, "spec": {"selector": {"app": "` + f.d.StatefulSet + `"}, "ports": [{"name": "mysql", "port": 3306}]}}`
			f.d.Apply(port)
			f.ask("CREATE USER doik@'%' IDENTIFIED BY 'pw'", "GRANT ALL ON *.* TO doik@'%'", "CREATE ROLE reader", "GRANT SELECT ON *.* TO reader", "GRANT reader TO doik@'%'")
			f.d.Apply(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own"}, "stringData": {"pw": "pw"}}`) // one of the namespace: not every server here offers TLS
			const own = "SELECT s FROM fuzz.pure_v WHERE id = 1"
			as := []string{"--user=doik", "--password-from=secret/own:pw"}
			run := func(args ...string) cluster.Result {
				return f.d.Doik(append(args, as...)...)
			}
			// From here on; the account is the plugin's alone, so that probes and replication are not taken for it.
			f.ask("SET GLOBAL log_output = 'TABLE'", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = ON")
			for _, args := range [][]string{
				{"mysql-topology", set, "--via=port-forward"}, {"mysql-topology", set, "--via=exec"},
				{"mysql-query", set, own, "--via=port-forward"}, {"mysql-query", set, own, "--via=exec"},
				{"mysql-query", set, "SELECT sys.format_bytes(id) FROM fuzz.t", "--via=port-forward", "--role=reader"}, {"mysql-query", set, "SELECT id FROM fuzz.nested_v", "--via=exec"},
				{"mysql-reads", "svc/reads", "-c", "20"}, {"mysql-topology", set, "--for=ready", "--timeout=60s"},
			} {
				if r := run(args...); r.Code != 0 && !strings.Contains(strings.Join(args, " "), "nested_v") {
					t.Errorf("%v: exit code %d: %s%s", args, r.Code, r.Out, r.Err)
				}
			}
			// check logs in with the pods' own account: what it sends is all that the other accounts' sessions of this name send.
			checked := f.d.Doik("check", set)
			f.ask("SET GLOBAL general_log = OFF")
			if checked.Code != 0 {
				t.Errorf("check: %s%s", checked.Out, checked.Err)
			}
			mine := f.ask("SELECT CONNECTION_ID() AS id")[0].Maps()[0].Text("id")
			texts := []string{own, "SELECT sys.format_bytes(id) FROM fuzz.t", "SELECT id FROM fuzz.nested_v"}
			seen := map[string]bool{}
			rows := f.ask("SELECT user_host, thread_id, command_type, CONVERT(argument USING utf8mb4) AS argument FROM mysql.general_log WHERE command_type NOT IN ('Connect', 'Quit', 'Close stmt') ORDER BY event_time")[0].Maps()
			replicas := map[string]bool{} // threads of replicas that connect again meanwhile, as root like port-forwards
			for _, row := range rows {
				if strings.HasPrefix(row.Text("command_type"), "Binlog Dump") {
					replicas[row.Text("thread_id")] = true
				}
			}
			for _, row := range rows {
				statement := strings.TrimSuffix(strings.TrimSpace(row.Text("argument")), ";") // with it where several come in one packet
				if row.Text("thread_id") == mine || replicas[row.Text("thread_id")] || !strings.Contains(row.Text("user_host"), "doik") && !isForwarded(row.Text("user_host"), statement) {
					continue
				}
				known := false
				for _, text := range texts {
					known = known || statement == text
				}
				known = known || isListed(list, statement)
				if !known && !seen[statement] {
					t.Errorf("docs/security.md does not list %s %q of %s", row.Text("command_type"), statement, row.Text("user_host"))
				}
				seen[statement] = true
			}
			for _, want := range append(texts[:2], "START TRANSACTION READ ONLY", "EXECUTE doik", "SELECT @@server_id, @@hostname", "ROLLBACK", "SELECT * FROM performance_schema.replication_group_members") {
				if !seen[want] && (!mariadb || !strings.Contains(want, "group_members")) {
					t.Errorf("%q was not seen in the log", want)
				}
			}
			t.Logf("%d different texts:\n%s", len(seen), strings.Join(slices.Sorted(maps.Keys(seen)), "\n"))
		})
	}
}

// isListed reports whether all statements of a text are documented. MariaDB logs the rest of a packet with each statement in it.
func isListed(list []*regexp.Regexp, text string) bool {
	for one := range strings.SplitSeq(text, ";") {
		if !slices.ContainsFunc(list, func(d *regexp.Regexp) bool { return d.MatchString(one) }) {
			return false
		}
	}
	return true
}

// isForwarded reports whether a session of root's came through a port-forward: the probes of these pods ask SELECT 1, and what joins them
// runs only while they start.
func isForwarded(userHost, statement string) bool {
	return strings.Contains(userHost, "root") && statement != "SELECT 1" && statement != "SELECT @@version_comment LIMIT 1" && statement != "select @@version_comment limit 1"
}

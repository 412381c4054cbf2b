//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/readonly"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// hole is a statement that looks like a read and is more than that.
type hole struct {
	statement string
	// why is what mysql-query says.
	why string
	// server is true where only a server can tell: what is behind a view.
	server bool
}

// writesOfMySQL passed the check of earlier versions; FILE and MEMBER stand for a new file and another member of the group.
var writesOfMySQL = []hole{
	{"SELECT group_replication_set_as_primary('MEMBER')", "changes the group", false},
	{"SELECT group_replication_switch_to_multi_primary_mode()", "changes the group", false},
	{"SELECT asynchronous_connection_failover_add_source('ch', 'host', 3306, '', 50)", "changes where replicas replicate from", false},
	{"SELECT `asynchronous_connection_failover_add_source` ('ch', 'host', 3306, '', 50)", "changes where replicas replicate from", false},
	{"SELECT fuzz.global_f()", "fuzz.global_f is a stored function", false},
	{"SELECT `fuzz` . `global_f` ()", "fuzz.global_f is a stored function", false},
	{"SELECT 1 --\x01'\nINTO OUTFILE 'FILE' --\x01'", "control character", false},
	{"SELECT 1 --\x0b'\nINTO OUTFILE 'FILE' --\x0b'", "control character", false},
	{`SELECT 'a\' INTO OUTFILE ''FILE'' -- '`, "a backslash before a quote", false},
	{"SELECT `load_file`('/etc/passwd')", "LOAD_FILE reads files", false},
	{"SELECT `get_lock`('fuzz_a', 1)", "GET_LOCK takes a lock", false},
	{"SELECT get_lock 1.e('fuzz_a', 1)", "a number is followed", false},
	{"SELECT * FROM fuzz.t FOR SHARE", "FOR SHARE locks rows", false},
	{"SELECT * FROM fuzz.t FOR UPDATE", "FOR UPDATE locks rows", false},
	{"SELECT * FROM fuzz.t LOCK IN SHARE MODE", "locks rows", false},
	{"EXPLAIN ANALYZE SELECT fuzz.global_f()", "fuzz.global_f is a stored function", false},
	{"SELECT SLEEP(1)", "SLEEP waits", false},
	{"SELECT * FROM fuzz.global_v", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"SELECT id FROM fuzz.nested_v", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"SELECT COUNT(*) FROM `fuzz`.`deep_v`", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"TABLE fuzz.lock_v", "the view fuzz.lock_v: fuzz.lock_f is a stored function", true},
	{"SELECT * FROM fuzz.built_in_v", "the view fuzz.built_in_v: GET_LOCK takes a lock", true},
	{"EXPLAIN SELECT * FROM fuzz.global_v", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"CHECKSUM TABLE fuzz.global_v", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"SHOW TABLES WHERE (TABLE fuzz.global_v)", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"SELECT * FROM information_schema.INNODB_CMP_RESET", "resets statistics", false},
	{"SHOW TABLES WHERE (SELECT g FROM fuzz.global_v)", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
}

var writesOfMariaDB = []hole{
	{`SELECT 1 AS "a\" INTO OUTFILE 'FILE' -- "`, "a backslash before a quote", false},
	{`SELECT "a" INTO OUTFILE 'FILE' -- "`, "INTO writes", false},
	{`SELECT "a'" INTO OUTFILE 'FILE' -- '"`, "INTO writes", false},
	{"SELECT 1 --\x01'\nINTO OUTFILE 'FILE' --\x01'", "control character", false},
	{"SELECT NEXT VALUE FOR fuzz.seq", "NEXT VALUE FOR changes a sequence", false},
	{"SELECT NEXTVAL(fuzz.seq)", "NEXTVAL changes a sequence", false},
	{"SELECT `setval`(fuzz.seq, 100)", "SETVAL changes a sequence", false},
	{"SELECT `get_lock`('fuzz_a', 1)", "GET_LOCK takes a lock", false},
	{"SELECT ſleep(1)", "non-ASCII letters", false},
	{"SELECT slèep(1)", "non-ASCII letters", false},
	{"SELECT `load_file`('/etc/passwd')", "LOAD_FILE reads files", false},
	{"SELECT fuzz.global_f()", "fuzz.global_f is a stored function", false},
	{"SELECT * FROM fuzz.t LOCK IN SHARE MODE", "locks rows", false},
	{"SELECT * FROM fuzz.deep_v", "the view fuzz.global_v: fuzz.global_f is a stored function", true},
	{"SELECT * FROM fuzz.lock_v", "the view fuzz.lock_v: fuzz.lock_f is a stored function", true},
	{"SELECT * FROM fuzz.built_in_v", "the view fuzz.built_in_v: GET_LOCK takes a lock", true},
}

// TestMySQLQueryWritesNothing gives mysql-query what is no mere read, by both ways: it is refused, and nothing has changed.
func TestMySQLQueryWritesNothing(t *testing.T) {
	for product, holes := range map[string][]hole{"MySQL": writesOfMySQL, "MariaDB": writesOfMariaDB} {
		t.Run(product, func(t *testing.T) {
			f := newFuzzer(t, product == "MariaDB")
			modes := []string{""}
			if f.mariadb {
				modes = []string{"", "POSTGRESQL", "ORACLE"}
			}
			pod := "pod/" + f.d.Pod(0)
			for _, mode := range modes {
				f.ask("SET GLOBAL sql_mode = '" + mode + "'")
				for _, via := range []string{"port-forward", "exec"} {
					f.reset()
					before := f.sees()
					for i, h := range holes {
						statement := strings.ReplaceAll(h.statement, "FILE", fmt.Sprintf("%s/fuzz%d", f.world.Files, i))
						if len(f.world.Members) > 0 {
							own := f.ask("SELECT @@server_uuid AS id")[0].Maps()[0].Text("id")
							for _, m := range f.world.Members {
								if m != own {
									statement = strings.ReplaceAll(statement, "MEMBER", m)
								}
							}
						}
						r := f.d.Doik("mysql-query", pod, statement, "--via="+via)
						if r.Code != 1 || !strings.Contains(r.Err, "statement refused: "+h.why) && !strings.Contains(r.Err, h.why) || strings.Contains(r.Out, "root:") {
							t.Errorf("sql_mode %q, %s, %q: exit code %d: %s%s", mode, via, h.statement, r.Code, r.Out, r.Err)
						}
						if asked := r.Out != ""; asked != h.server {
							t.Errorf("%s, %q: %s", via, h.statement, r.Out)
						}
					}
					if changed := difference(before, f.sees()); len(changed) > 0 {
						t.Errorf("sql_mode %q, %s: something has changed: %s", mode, via, describe(changed))
					}
					f.takes(pod, via)
				}
			}
			f.ask("SET GLOBAL sql_mode = DEFAULT")
			f.builtIns()
			f.generated()
			f.flags(pod)
		})
	}
}

// builtIns calls each function that is allowed on this server without a schema: a stored function would need one, an unknown one would not be
// found.
func (f *fuzzer) builtIns() {
	f.Helper()
	v := f.witness.Version
	names := readonly.Functions(readonly.Server{MariaDB: f.mariadb, Major: v.Major, Minor: v.Minor, Patch: v.Patch})
	const noDatabase, noFunction = 1046, 1305
	for _, arguments := range []string{"", "1", "1, 1", "1, 1, 1", "1, 1, 1, 1"} {
		var list []string
		for _, name := range names {
			if name != "JSON_TABLE" { // which is taken with COLUMNS alone
				list = append(list, "SELECT "+name+"("+arguments+")")
			}
		}
		for _, a := range f.ask(list...) {
			if n := mysql.NumberOf(a.Err); n == noDatabase || n == noFunction {
				f.Errorf("%s is not built into %s: %v", a.Statement, v, a.Err)
			}
		}
	}
	if len(names) < 300 {
		f.Errorf("%d functions", len(names))
	}
}

// generated tries to make columns whose values come from functions that mysql-query refuses: then reading a column could call them.
func (f *fuzzer) generated() {
	f.Helper()
	for _, call := range []string{"fuzz.pure_f()", "SLEEP(1)", "GET_LOCK('fuzz_a', 0)", "LOAD_FILE('/etc/passwd')", "RELEASE_LOCK('fuzz_a')", "BENCHMARK(1, 1)"} {
		for _, kind := range []string{"VIRTUAL", "STORED"} {
			if a := f.ask("CREATE TABLE fuzz.g (a INT, b TEXT AS (" + call + ") " + kind + ")")[0]; a.Err == nil {
				f.Errorf("a %s column may call %s", kind, call)
				f.ask("DROP TABLE fuzz.g")
			}
		}
	}
}

// takes gives mysql-query reads of all kinds, whatever the server's sql_mode.
func (f *fuzzer) takes(pod, via string) {
	f.Helper()
	list := map[string]string{
		`SELECT s, "it's" AS a FROM fuzz.t WHERE s = "it's"`:         "it's",
		"SELECT COUNT (*) FROM fuzz.t":                               "3",
		"SELECT s FROM fuzz.pure_v WHERE id = 1":                     "ONE",
		"SELECT sys.format_bytes(2048)":                              "2.00 KiB",
		"TABLE fuzz.t":                                               "two",
		"SHOW CREATE VIEW fuzz.global_v":                             "global_f",
		"DESCRIBE fuzz.global_v":                                     "int",
		"CHECKSUM TABLE fuzz.t":                                      "fuzz.t",
		"WITH a (x) AS (SELECT id FROM fuzz.t) SELECT MAX(x) FROM a": "3",
		"EXPLAIN SELECT * FROM fuzz.t":                               "t",
		"SELECT '가' AS 이름":                                           "가",
	}
	if f.mariadb {
		delete(list, "TABLE fuzz.t")
		list["VALUES (1, 22)"] = "22"
	} else {
		list["SELECT sys_version FROM sys.version"] = "2."
		list["VALUES ROW(1, 22)"] = "22"
	}
	for statement, want := range list {
		if r := f.d.Doik("mysql-query", pod, statement, "--via="+via); r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, want) || !strings.Contains(r.Out, "1/1 answered") {
			f.Errorf("%s, %q: exit code %d: %s%s", via, statement, r.Code, r.Out, r.Err)
		}
	}
	r := f.d.Doik("mysql-query", pod, "SELECT * FROM fuzz.none", "--via="+via)
	if r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, "error 1146 (42S02): Table 'fuzz.none' doesn't exist") || !strings.Contains(r.Out, "1/1 answered") {
		f.Errorf("%s, an unknown table: exit code %d: %s%s", via, r.Code, r.Out, r.Err)
	}
}

// flags tries --allow-functions, --role and pod/NAME, and an account that can't look into views.
func (f *fuzzer) flags(pod string) {
	f.Helper()
	for _, via := range []string{"port-forward", "exec"} {
		for _, statement := range []string{"SELECT fuzz.pure_f() AS one", "SELECT id AS one FROM fuzz.nested_v WHERE id = 1"} {
			if r := f.d.Doik("mysql-query", pod, "--allow-functions", statement, "--via="+via); r.Code != 0 || !strings.Contains(r.Out, "one\n") {
				f.Errorf("%s, %s: %s%s", via, statement, r.Out, r.Err)
			}
		}
		if r := f.d.Doik("mysql-query", pod, "--allow-functions", "SELECT SLEEP(1)", "--via="+via); r.Code != 1 {
			f.Errorf("SLEEP with --allow-functions: %s", r.Out)
		}
	}
	f.ask("CREATE ROLE reader", "GRANT SELECT ON fuzz.t TO reader", "CREATE ROLE writer", "GRANT ALL ON *.* TO writer", "CREATE USER app@'%' IDENTIFIED BY 'pw'", "GRANT reader TO app@'%'", "GRANT writer TO app@'%'",
		map[bool]string{false: "SET DEFAULT ROLE writer TO app@'%'", true: "SET DEFAULT ROLE writer FOR app@'%'"}[f.mariadb],
		"CREATE USER few@'%' IDENTIFIED BY 'pw'", "GRANT SELECT ON fuzz.pure_v TO few@'%'",
		"CREATE DATABASE hidden", "CREATE VIEW hidden.v AS SELECT fuzz.global_f() AS g", "CREATE VIEW fuzz.outer_v AS SELECT g FROM hidden.v", "GRANT SELECT, SHOW VIEW ON fuzz.outer_v TO few@'%'")
	f.d.Apply(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own"}, "stringData": {"pw": "pw"}}`) // one of the namespace: not every server here offers TLS
	as := func(user string, args ...string) cluster.Result {
		return f.d.Doik(append([]string{"mysql-query", pod, "--password-from=secret/own:pw", "--user=" + user}, args...)...)
	}
	for _, via := range []string{"port-forward", "exec"} {
		if r := as("app", "SELECT COUNT(*) FROM fuzz.u", "--via="+via); r.Code != 0 || strings.Contains(r.Out, "error") {
			f.Errorf("%s, with the default role: %s%s", via, r.Out, r.Err)
		}
		if r := as("app", "SELECT COUNT(*) FROM fuzz.u", "--via="+via, "--role=reader"); r.Code != 0 || !strings.Contains(r.Out, "error 1142") {
			f.Errorf("%s, with the smaller role: %s%s", via, r.Out, r.Err)
		}
		if r := as("app", "SELECT COUNT(*) FROM fuzz.t", "--via="+via, "--role=reader"); r.Code != 0 || strings.Contains(r.Out, "error") {
			f.Errorf("%s, with the smaller role: %s%s", via, r.Out, r.Err)
		}
		if r := as("few", "SELECT s FROM fuzz.pure_v", "--via="+via); r.Code != 1 || !strings.Contains(r.Err, "this account lacks SHOW VIEW and can't inspect the view fuzz.pure_v") {
			f.Errorf("%s, with few rights: exit code %d: %s%s", via, r.Code, r.Out, r.Err)
		}
		if r := as("few", "SELECT g FROM fuzz.outer_v", "--via="+via); r.Code != 1 || !strings.Contains(r.Err, "the view fuzz.outer_v reads hidden.v, which this account can't inspect") {
			f.Errorf("%s, a view over a hidden one: exit code %d: %s%s", via, r.Code, r.Out, r.Err)
		}
		if r := as("few", "SELECT s FROM fuzz.pure_v", "--via="+via, "--allow-functions"); r.Code != 0 || !strings.Contains(r.Out, "ONE") {
			f.Errorf("%s, with few rights and the flag: exit code %d: %s%s", via, r.Code, r.Out, r.Err)
		}
	}
	if !f.mariadb {
		report := cluster.Report[v1alpha1.DatabaseQueryList](f.d.Namespace, "mysql-query", "pod/"+f.d.Pod(1), "SELECT @@server_id")
		if len(report.Items) != 1 || len(report.Items[0].Servers) != 1 || report.Items[0].Servers[0].Pod != f.d.Pod(1) || *report.Items[0].Servers[0].Rows[0].Values[0] != "101" {
			f.Errorf("pod/NAME: %+v", report.Items)
		}
		if report = cluster.Report[v1alpha1.DatabaseQueryList](f.d.Namespace, "mysql-query", "sts/group", "SELECT @@server_id"); len(report.Items[0].Servers) != 3 {
			f.Errorf("sts/NAME: %+v", report.Items)
		}
	}
}

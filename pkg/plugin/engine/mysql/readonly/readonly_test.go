package readonly

import (
	"slices"
	"strings"
	"testing"
)

var (
	mysql57   = Server{Major: 5, Minor: 7, Patch: 44}
	mysql97   = Server{Major: 9, Minor: 7}
	mariadb11 = Server{MariaDB: true, Major: 11, Minor: 8}
)

func TestTaken(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT 1":                             "SELECT 1",
		" select *\n\tfrom t ; ":               "select * from t",
		"(SELECT 1) UNION (SELECT 2)":          "(SELECT 1) UNION (SELECT 2)",
		"SHOW REPLICA STATUS":                  "SHOW REPLICA STATUS",
		"WITH a AS (SELECT 1) SELECT * FROM a": "WITH a AS (SELECT 1) SELECT * FROM a",
		"with recursive a (n, m) as (select 1, 2 union all select n+1, m from a where n < 9), b as (table a) (select * from b)": "with recursive a (n, m) as (select 1, 2 union all select n+1, m from a where n < 9), b as (table a) (select * from b)",
		"TABLE test.messages":             "TABLE test.messages",
		"VALUES ROW(1, 2), ROW(3, 4)":     "VALUES ROW(1, 2), ROW(3, 4)",
		"-- why\nSELECT ';' # ; DROP":     " SELECT ';'",
		"SELECT 'it''s; INTO', `a``into`": "SELECT 'it''s; INTO', `a``into`",
		`SELECT "it's", "a""b"`:           `SELECT 'it''s', 'a"b'`,
		`SELECT 'a\_b' LIKE "x\\"`:        `SELECT 'a\_b' LIKE 'x\\'`,
		"SELECT /* INTO ; */ 1":           "SELECT 1",
		"SELECT 1/**/FROM/**/t":           "SELECT 1 FROM t",
		"SELECT a.into_b FROM a":          "SELECT a.into_b FROM a",
		"SELECT 1 - -1, -1.5e-3, .5, 0x1F, x'41', b'01', _utf8mb4'x', _latin1\"x\"": "SELECT 1 - -1, -1.5e-3, .5, 0x1F, x'41', b'01', _utf8mb4'x', _latin1 'x'",
		"SELECT COUNT (*), `upper` ('a'), UPPER(`b`)":                               "SELECT COUNT(*), upper('a'), UPPER(`b`)",
		"SELECT @@global.gtid_executed, @@`server_id`":                              "SELECT @@global.gtid_executed, @@`server_id`",
		"DESC mysql.user":              "DESC mysql.user",
		"DESCRIBE t 'a%'":              "DESCRIBE t 'a%'",
		"EXPLAIN FORMAT=JSON SELECT 1": "EXPLAIN FORMAT=JSON SELECT 1",
		"EXPLAIN ANALYZE WITH a AS (SELECT 1) SELECT * FROM a":    "EXPLAIN ANALYZE WITH a AS (SELECT 1) SELECT * FROM a",
		"CHECKSUM TABLE a, b.c":                                   "CHECKSUM TABLE a, b.c",
		"SHOW GRANTS FOR 'root'@'%'":                              "SHOW GRANTS FOR 'root'@'%'",
		"SHOW CREATE USER `root`@`%`":                             "SHOW CREATE USER `root`@`%`",
		"SHOW PROCEDURE STATUS WHERE Db = 'a'":                    "SHOW PROCEDURE STATUS WHERE Db = 'a'",
		"SHOW GLOBAL STATUS WHERE UPPER(Variable_name) LIKE 'A%'": "SHOW GLOBAL STATUS WHERE UPPER(Variable_name) LIKE 'A%'",
		"SHOW SLAVE 'a' STATUS":                                   "SHOW SLAVE 'a' STATUS",
		"SHOW REPLICA STATUS FOR CHANNEL 'a'":                     "SHOW REPLICA STATUS FOR CHANNEL 'a'",
		"SELECT CAST(a AS CHAR(10)), CAST(b AS DECIMAL(10,2)) FROM t USE INDEX FOR JOIN (i) WHERE (a, b) IN (SELECT 1, 2)": "SELECT CAST(a AS CHAR(10)), CAST(b AS DECIMAL(10,2)) FROM t USE INDEX FOR JOIN (i) WHERE (a, b) IN (SELECT 1, 2)",
		"SELECT SUM(a) OVER (PARTITION BY b) FROM (SELECT 1) AS t (a)":                                                     "SELECT SUM(a) OVER (PARTITION BY b) FROM (SELECT 1) AS t (a)",
		"SELECT a->>'$.b', SUBSTRING(c FROM 1 FOR 2) FROM t WHERE d = ANY (SELECT 1)":                                      "SELECT a->>'$.b', SUBSTRING(c FROM 1 FOR 2) FROM t WHERE d = ANY (SELECT 1)",
		"SELECT MATCH (a) AGAINST ('x' IN BOOLEAN MODE) FROM t":                                                            "SELECT MATCH(a) AGAINST ('x' IN BOOLEAN MODE) FROM t",
		"SELECT INSERT('a', 1, 1, 'b'), REPLACE('a', 'b', 'c'), LAST_INSERT_ID()":                                          "SELECT INSERT('a', 1, 1, 'b'), REPLACE('a', 'b', 'c'), LAST_INSERT_ID()",
		"SELECT 이름 FROM `표` WHERE 이름 = '가'":                                                                                "SELECT 이름 FROM `표` WHERE 이름 = '가'",
		"SELECT sys.format_bytes(1)":                                                                                       "SELECT sys.format_bytes(1)",
	} {
		s, err := Check(statement, false)
		if err != nil {
			t.Errorf("%q: %v", statement, err)
			continue
		}
		if s.Text != strings.TrimSpace(want) {
			t.Errorf("%q becomes %q", statement, s.Text)
		}
		if again, err := Check(s.Text, false); err != nil || again.Text != s.Text {
			t.Errorf("%q, then %v", s.Text, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for statement, why := range map[string]string{
		"":                                       "no statement given",
		" ; -- nothing":                          "no statement given",
		"DELETE FROM t":                          "DELETE is not one of",
		"SET GLOBAL read_only=0":                 "SET is not one of",
		"ANALYZE SELECT 1":                       "ANALYZE is not one of",
		"CALL p()":                               "CALL is not one of",
		"DO SLEEP(1)":                            "DO is not one of",
		"(DELETE FROM t)":                        "DELETE is not one of",
		"SELECT 1; SELECT 2":                     "one statement at a time",
		"SELECT 1; -- x\nDROP t":                 "one statement at a time",
		"SELECT 1 INTO OUTFILE '/x'":             "INTO writes",
		"SELECT 1 /*\n*/ into a":                 "INTO writes",
		"TABLE t INTO DUMPFILE '/x'":             "INTO writes",
		"EXPLAIN FORMAT=JSON INTO @a SELECT 1":   "user variables",
		"SELECT /*!50000 1 INTO OUTFILE '/x' */": "servers execute",
		"SELECT /*M! 1 */":                       "servers execute",
		"SELECT /*+ SET_VAR(sql_mode='ANSI_QUOTES') */ 1": "optimizer hints",
		"SELECT 'a":                              "unterminated",
		"SELECT `a":                              "unterminated",
		"SELECT 1 /* ":                           "unterminated",
		"SELECT 1 */ 2":                          "outside of a comment",
		"\\! rm -rf /":                           "outside of a string",
		"SELECT \\N":                             "outside of a string",
		"SELECT 1\x00":                           "control character (0x00)",
		"SELECT '/*' --\x01*/ INTO OUTFILE '/x'": "control character (0x01)",
		"SELECT 1 --\v INTO OUTFILE '/x'":        "control character (0x0b)",
		"SELECT 1--1":                            "ambiguous",
		"SELECT 1 --\u0085 2":                    "ambiguous",
		"SELECT '\xff'":                          "UTF-8",
		`SELECT 'a\' OR 1 INTO OUTFILE ''/x'' -- '`:               "a backslash before a quote",
		`SELECT "\" INTO OUTFILE '/x' -- "`:                       "a backslash before a quote",
		"SELECT $$ 'x' $$":                                        "dollar sign",
		"SELECT a$b FROM t":                                       "dollar sign",
		"SELECT [a] FROM t":                                       "outside of a string",
		"SELECT {fn now()}":                                       "outside of a string",
		"SELECT ?":                                                "outside of a string",
		"SELECT @a := 1":                                          "user variables",
		"SELECT a := 1":                                           "a colon",
		"SELECT get_lock 1.e('a', 1)":                             "number is followed",
		"SELECT get_lock .e('a', 1)":                              "e is a stored function",
		"SELECT 1a FROM t":                                        "number is followed",
		"SELECT t.1e5 FROM t":                                     "begins with a digit",
		"SELECT 0x FROM t":                                        "number is followed",
		"SELECT * FROM t FOR UPDATE":                              "FOR UPDATE locks",
		"SELECT * FROM t FOR/**/SHARE":                            "FOR SHARE locks",
		"SELECT * FROM t LOCK IN SHARE MODE":                      "LOCK IN SHARE MODE",
		"SELECT * FROM t PROCEDURE ANALYSE()":                     "PROCEDURE",
		"SELECT NEXT VALUE FOR s":                                 "NEXT VALUE FOR",
		"SELECT NEXT VALUE FOR channel":                           "NEXT VALUE FOR",
		"SELECT NEXTVAL(s)":                                       "NEXTVAL changes",
		"SELECT s.nextval":                                        "NEXTVAL changes",
		"SELECT SETVAL(s, 5)":                                     "SETVAL changes",
		"SELECT SLEEP(1)":                                         "SLEEP waits",
		"SELECT `sleep` (1)":                                      "SLEEP waits",
		"SELECT `load_file`('/etc/passwd')":                       "LOAD_FILE reads files",
		"SELECT /**/ GET_LOCK /**/ ('a', 1)":                      "GET_LOCK takes",
		"SELECT \"get_lock\"('a', 1)":                             "followed by a bracket",
		"SELECT ſleep(1)":                                         "non-ASCII letters",
		"SELECT LAST_INSERT_ID(5)":                                "LAST_INSERT_ID with",
		"SELECT `last_insert_id` (5)":                             "LAST_INSERT_ID with",
		"SELECT UUID_SHORT()":                                     "UUID_SHORT advances",
		"SELECT group_replication_set_as_primary('x')":            "changes the group",
		"SELECT group_replication_switch_to_multi_primary_mode()": "changes the group",
		"SELECT asynchronous_connection_failover_add_source('a', 'b', 1, '', 1)": "changes where replicas",
		"SELECT app.f()":                                      "app.f is a stored function",
		"SELECT `app` . `f` ()":                               "app.f is a stored function",
		"SELECT f()":                                          "f is not one of the built-in",
		"SELECT sys.ps_setup_save(1)":                         "stored function",
		"SELECT * FROM JSON_TABLE(1, 2) t":                    "JSON_TABLE without COLUMNS",
		"SELECT SYS.format_bytes(1)":                          "SYS.format_bytes is a stored function",
		"SELECT ſyſ.format_bytes(1)":                          "ſyſ.format_bytes is a stored function",
		"SELECT sys.ps_thread_stac\u212a(1, 1)":               "is a stored function",
		"SELECT 1 WHERE 1 li\u212ae (1)":                      "non-ASCII letters",
		"\u017felect 1":                                       "is not one of",
		"SELECT t. INTO OUTFILE 'x'":                          "INTO writes",
		"SELECT DEFAULT(a) FROM t":                            "DEFAULT evaluates",
		"SELECT * FROM information_schema.`innodb_cmp_reset`": "resets statistics",
		"SELECT any(1)":                                       "any is not one of",
		"SELECT lateral((SELECT 1))":                          "lateral is not one of",
		"SELECT 1 AS f ('a')":                                 "f is not one of",
		"WITH a AS (SELECT 1) DELETE FROM t":                  "must be followed by SELECT",
		"WITH a AS (SELECT 1) REPLACE(t) VALUES (1)":          "must be followed by SELECT",
		"WITH a (x) AS (SELECT 1) UPDATE t SET a=1":           "must be followed by SELECT",
		"EXPLAIN DELETE FROM t":                               "EXPLAIN is allowed only for",
		"EXPLAIN FOR CONNECTION 5":                            "EXPLAIN is allowed only for",
		"EXPLAIN ANALYZE UPDATE t SET a=1":                    "EXPLAIN is allowed only for",
		"DESCRIBE UPDATE t":                                   "UPDATE writes",
		"SHOW EXPLAIN FOR 5":                                  "SHOW EXPLAIN FOR is not one of",
		"SHOW PARSE_TREE SELECT 1":                            "SHOW PARSE_TREE SELECT is not one of",
		"SHOW TABLES WHERE SLEEP(1)":                          "SLEEP waits",
		"CHECKSUM":                                            "CHECKSUM is not one of",
		"SELECT 1 FROM t WHERE a..b":                          "outside of a string",
	} {
		if got, err := Check(statement, false); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %+v, %v; want %s", statement, got, err, why)
		}
	}
	for _, statement := range []string{"SELECT SLEEP(1)", "SELECT ſleep(1)", "SELECT `load_file`('x')", "SELECT group_replication_get_write_concurrency()"} {
		if _, err := Check(statement, true); err == nil {
			t.Errorf("%q is taken with --allow-functions", statement)
		}
	}
	for _, statement := range []string{"SELECT f(), app.f(1), app.ſ()"} {
		if _, err := Check(statement, true); err != nil {
			t.Errorf("%q: %v", statement, err)
		}
	}
}

func TestCheckFor(t *testing.T) {
	for statement, servers := range map[string][]Server{
		"SELECT UPPER('a')":            {mysql57, mysql97, mariadb11},
		"SELECT rank() OVER () FROM t": {mysql97, mariadb11},
		"SELECT GTID_SUBTRACT('', '')": {mysql57, mysql97},
		"SELECT MD5('a')":              {mysql57, mariadb11},
		"SELECT SFORMAT('')":           {mariadb11},
	} {
		s, err := Check(statement, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []Server{mysql57, mysql97, mariadb11} {
			want := false
			for _, w := range servers {
				want = want || w == v
			}
			if err := s.CheckFor(v); (err == nil) != want {
				t.Errorf("%s on %+v: %v", statement, v, err)
			}
		}
	}
}

func TestViews(t *testing.T) {
	v := View{Name: Name{"app", "v"}, Definer: "root@localhost"}
	for definition, want := range map[string]string{
		"select `app`.`t`.`id` AS `id`,upper(`app`.`t`.`n`) AS `u` from (`app`.`t` join `other`.`w` on((`app`.`t`.`id` = `w`.`id`))) where (extract(year from `app`.`t`.`d`) > 1)": "",
		"select `app`.`f`() AS `f`":                         "app.f is a stored function",
		"select sleep(10) AS `s`":                           "SLEEP waits",
		"select 1 AS `1` from `app`.`t` lock in share mode": "LOCK IN SHARE MODE",
		"":        "lacks SHOW VIEW",
		"nothing": "NOTHING is not one of",
	} {
		v.Definition = definition
		s, tables, err := v.Check(mysql97)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", definition, err)
		case want == "" && (len(tables) != 2 || tables[1] != (Name{"other", "w"}) || len(s.Tables) < 3):
			t.Errorf("%s: %v, %v", definition, tables, s.Tables)
		}
	}
	own := View{Name: Name{"sys", "x"}, Definer: "mysql.sys@localhost"}
	if _, _, err := own.Check(mysql97); err != nil {
		t.Error(err)
	}
	own.Definer = "root@localhost"
	if _, _, err := own.Check(mysql97); err == nil {
		t.Error("a view that was put into sys")
	}
}

func TestTables(t *testing.T) {
	s, err := Check("SELECT a.x, @@global.foo FROM app.t a, `b` JOIN c.d.e WHERE UPPER(x) = 1", false)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, n := range s.Tables {
		has[n.String()] = true
	}
	for _, want := range []string{"app.t", "b", "c.d", "d.e", "a.x"} {
		if !has[want] {
			t.Errorf("no %s among %v", want, s.Tables)
		}
	}
	if has["global.foo"] || has["UPPER"] {
		t.Error(s.Tables)
	}
	if s, err := Check("SHOW TABLES WHERE (TABLE app.v)", false); err != nil || !slices.Contains(s.Tables, Name{"app", "v"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := Check("SHOW CREATE VIEW app.v", false); err != nil || len(s.Tables) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// FuzzCheck checks that what is sent is taken again, as it is, and has no second statement.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT ';'", "SELECT 1 -- ;\n", "SELECT '\\'; DROP'", "/**/SELECT`;`", "SELECT 1;;", "SELECT\"a'b\"x'41'", "WITH a(b)AS(SELECT 1)TABLE a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, statement string) {
		s, err := Check(statement, false)
		if err != nil {
			return
		}
		if again, err := Check(s.Text, false); err != nil || again.Text != s.Text {
			t.Errorf("%q became %q, then %v", statement, s.Text, err)
		}
		if strings.ContainsAny(s.Text, "#\x00") && !strings.ContainsAny(s.Text, "'`") {
			t.Errorf("%q became %q", statement, s.Text)
		}
	})
}

// Package statements makes statements for MySQL and MariaDB, from a seed: reads, writes, and writes that are dressed as reads so that a check
// which splits them otherwise than the server takes them. It is for comparing such a check with real servers.
package statements

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// World is what the statements are about: Schema makes it.
type World struct {
	MariaDB bool
	// Files is a folder in which the server may write files.
	Files string
	// Members are server_uuids of a group.
	Members []string
}

// Generator makes statements.
type Generator struct {
	world World
	r     *rand.Rand
	n     int // makes names of files and channels that are new
}

// New makes a generator; the same seed makes the same statements.
func New(seed uint64, world World) *Generator {
	return &Generator{world: world, r: rand.New(rand.NewPCG(seed, 1))}
}

// Locks are the names of the user locks that statements may take.
var Locks = []string{"fuzz_a", "fuzz_b", "fuzz_c"}

// Schema are the statements that make tables, views and functions, some of which do what a read must not.
func Schema(mariadb bool) []string {
	list := []string{
		"CREATE DATABASE fuzz",
		"CREATE TABLE fuzz.t (id INT PRIMARY KEY, n INT, s VARCHAR(40), j JSON)",
		`INSERT INTO fuzz.t VALUES (1, 10, 'one', '{"a": 1}'), (2, 20, 'two', '{"a": [1, 2]}'), (3, NULL, 'it''s', NULL)`,
		"CREATE TABLE fuzz.u (id INT PRIMARY KEY, t INT, d DATETIME)",
		"INSERT INTO fuzz.u VALUES (1, 1, '2020-01-01'), (2, 3, '2021-06-01 12:00:00')",
		"CREATE FUNCTION fuzz.pure_f() RETURNS INT DETERMINISTIC NO SQL RETURN 1",
		"CREATE FUNCTION fuzz.global_f() RETURNS INT READS SQL DATA BEGIN SET GLOBAL max_connect_errors = @@GLOBAL.max_connect_errors + 1; RETURN 1; END",
		"CREATE FUNCTION fuzz.lock_f() RETURNS INT NO SQL RETURN GET_LOCK('fuzz_a', 0)",
		"CREATE FUNCTION fuzz.write_f() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE fuzz.t SET n = n + 1; RETURN 1; END",
		"CREATE VIEW fuzz.pure_v AS SELECT id, UPPER(s) AS s FROM fuzz.t",
		"CREATE VIEW fuzz.global_v AS SELECT fuzz.global_f() AS g",
		"CREATE VIEW fuzz.lock_v AS SELECT fuzz.lock_f() AS g",
		"CREATE VIEW fuzz.built_in_v AS SELECT GET_LOCK('fuzz_b', 0) AS g",
		"CREATE VIEW fuzz.nested_v AS SELECT v.g, t.id FROM fuzz.global_v v JOIN fuzz.t t",
		"CREATE VIEW fuzz.deep_v AS SELECT * FROM (SELECT id FROM fuzz.nested_v) x WHERE id IN (SELECT t FROM fuzz.u)",
	}
	if mariadb {
		list = append(list, "CREATE SEQUENCE fuzz.seq NOCACHE")
	}
	return list
}

func (g *Generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *Generator) one(n int) bool { return g.r.IntN(n) == 0 }

// Next makes a statement.
func (g *Generator) Next() string {
	g.n++
	var s string
	switch g.r.IntN(12) {
	case 0, 1, 2, 3:
		s = g.read()
	case 10, 11:
		s = g.enclosed()
	case 4, 5:
		s = g.evilRead()
	case 6:
		s = g.hidden()
	case 7:
		s = g.other()
	default:
		s = g.disguised(g.evilRead())
	}
	for g.one(4) {
		s = g.mutated(s)
	}
	return s
}

// read is a statement that only reads.
func (g *Generator) read() string {
	switch g.r.IntN(9) {
	case 0:
		return g.pick("SHOW TABLES FROM fuzz", "SHOW DATABASES", "SHOW GLOBAL VARIABLES LIKE 'max%'", "SHOW PROCESSLIST", "SHOW ENGINES", "SHOW CREATE TABLE fuzz.t", "SHOW CREATE VIEW fuzz.global_v",
			"SHOW INDEX FROM fuzz.t", "SHOW FULL COLUMNS FROM fuzz.pure_v", "SHOW TABLE STATUS FROM fuzz", "SHOW GRANTS", "SHOW CREATE FUNCTION fuzz.global_f", "SHOW STATUS WHERE Variable_name = 'Uptime'",
			"SHOW BINARY LOGS", "SHOW REPLICA STATUS", "SHOW OPEN TABLES", "SHOW PLUGINS", "SHOW FUNCTION STATUS WHERE Db = 'fuzz'", "SHOW COUNT(*) WARNINGS", "SHOW ENGINE INNODB STATUS")
	case 1:
		return g.pick("DESCRIBE", "DESC", "EXPLAIN") + " " + g.table()
	case 2:
		return "EXPLAIN " + g.pick("", "FORMAT=JSON ", "FORMAT=TRADITIONAL ", "ANALYZE ") + g.query()
	case 3:
		return "CHECKSUM TABLE " + g.table()
	case 4:
		return g.pick("TABLE fuzz.t", "VALUES ROW(1, 2)", "VALUES (1, 2)", "(SELECT 1) UNION (SELECT 2)", "SELECT * FROM fuzz.global_v", "SELECT g FROM fuzz.lock_v", "TABLE fuzz.nested_v", "SELECT * FROM `fuzz`.`deep_v`",
			"SELECT * FROM fuzz.built_in_v", "CHECKSUM TABLE fuzz.global_v", "SELECT * FROM fuzz.t WHERE id IN (SELECT id FROM fuzz.nested_v)", "EXPLAIN ANALYZE SELECT * FROM fuzz.global_v", "SHOW TABLES WHERE (SELECT g FROM fuzz.global_v)", "SHOW TABLES WHERE (TABLE fuzz.global_v)", "SHOW TABLES WHERE EXISTS (TABLE fuzz.lock_v)")
	case 5:
		return "WITH " + g.pick("", "RECURSIVE ") + "c" + g.pick("", " (a)") + " AS (SELECT 1) SELECT * FROM c, " + g.table()
	}
	return g.query()
}

func (g *Generator) table() string {
	return g.pick("fuzz.t", "fuzz.u", "`fuzz`.`t`", "fuzz . t", "fuzz.pure_v", "mysql.user", "information_schema.TABLES", "information_schema.COLUMNS", "information_schema.STATISTICS", "performance_schema.threads",
		"sys.version", "sys.session", "mysql.db", "fuzz.nested_v", "fuzz.lock_v")
}

func (g *Generator) query() string {
	s := "SELECT " + g.pick("", "DISTINCT ", "SQL_NO_CACHE ")
	for i := range 1 + g.r.IntN(3) {
		if i > 0 {
			s += ", "
		}
		s += g.expression(0)
	}
	if g.one(4) {
		return s
	}
	s += " FROM " + g.table()
	if g.one(3) {
		s += g.pick(", ", " JOIN ", " LEFT JOIN ") + g.pick("fuzz.u u2", "(SELECT 1 AS one) x", "fuzz.t AS t2") + g.pick("", " ON 1")
	}
	if g.one(2) {
		s += " WHERE " + g.expression(0) + g.pick("", " = ", " LIKE ", " < ")
		if strings.HasSuffix(s, " ") {
			s += g.expression(1)
		}
	}
	s += g.pick("", "", " GROUP BY 1", " ORDER BY 1", " ORDER BY 1 DESC LIMIT 2", " LIMIT 3", " HAVING 1", " UNION SELECT 1", " UNION ALL TABLE fuzz.u")
	return s
}

func (g *Generator) expression(depth int) string {
	if depth > 2 {
		return g.pick("1", "'x'", "NULL", "id", "n", "s")
	}
	e := func() string { return g.expression(depth + 1) }
	switch g.r.IntN(14) {
	case 0:
		return g.pick("1", "2.5", "1e3", "0x41", "x'41'", "b'01'", "NULL", "TRUE", ".5", "-1")
	case 1:
		return g.pick("'a'", `"b"`, "'it''s'", `"it's"`, `'a\_b'`, `'\\'`, `"a""b"`, "_utf8mb4'x'", "N'x'", "'/* */'", "'-- '", "'가'")
	case 2, 3:
		return g.pick("id", "n", "s", "t.id", "`id`", "fuzz.t.s", "*", "@@version", "@@global.read_only", "@@session.`sql_mode`", "CURRENT_USER", "t.*", "j->'$.a'", "j->>'$.a'")
	case 4, 5, 6:
		return g.pick("UPPER", "lower", "`concat`", "COUNT ", "MAX", "IFNULL", "COALESCE", "ABS", "MD5", "NOW", "CONNECTION_ID", "DATABASE", "VERSION", "UUID", "RAND", "JSON_EXTRACT", "HEX", "LENGTH", "SHA2", "IS_USED_LOCK", "FOUND_ROWS",
			"LAST_INSERT_ID", "UNIX_TIMESTAMP", "GROUP_CONCAT", "REPLACE", "INSERT", "IF", "CHAR", "SYSDATE") + "(" + g.pick("", e(), e()+", "+e(), e()+", "+e()+", "+e(), "*") + ")"
	case 7:
		return "(" + e() + g.pick(" + ", " - ", " * ", " = ", " AND ", " OR ", " || ", " <=> ", " & ", " % ") + e() + ")"
	case 8:
		return "(SELECT " + e() + g.pick(")", " FROM fuzz.t LIMIT 1)", " FROM fuzz.pure_v LIMIT 1)")
	case 9:
		return "CASE WHEN " + e() + " THEN " + e() + " ELSE " + e() + " END"
	case 10:
		return g.pick("CAST(1 AS CHAR(10))", "CONVERT('a' USING utf8mb4)", "EXTRACT(YEAR FROM NOW())", "TRIM(LEADING 'x' FROM s)", "SUBSTRING(s FROM 1 FOR 2)", "DATE_ADD(NOW(), INTERVAL 1 DAY)", "ROW_NUMBER() OVER (ORDER BY id)",
			"SUM(n) OVER (PARTITION BY s)", "id IN (1, 2)", "EXISTS (SELECT 1)", "s BETWEEN 'a' AND 'b'", "id = ANY (SELECT 1)", "NOT (1)", "POSITION('a' IN s)", "COUNT(DISTINCT id)")
	case 11:
		if g.one(3) {
			return g.evilExpression()
		}
	}
	return g.pick("1", "id", "'x'")
}

// evilExpression does something when it is evaluated.
func (g *Generator) evilExpression() string {
	lock := g.pick(Locks...)
	list := []string{
		"GET_LOCK('" + lock + "', 0)", "fuzz.global_f()", "`fuzz`.`lock_f`()", "fuzz.write_f()", "fuzz . global_f ()", "LOAD_FILE('/etc/passwd')", "SLEEP(0.01)", "BENCHMARK(10, MD5('a'))",
		"LAST_INSERT_ID(5)", "UUID_SHORT()", "@a := 1", "(SELECT g FROM fuzz.global_v)", "(SELECT g FROM fuzz.lock_v LIMIT 1)", "(SELECT MAX(id) FROM fuzz.nested_v)",
	}
	if g.world.MariaDB {
		list = append(list, "NEXT VALUE FOR fuzz.seq", "NEXTVAL(fuzz.seq)", "SETVAL(fuzz.seq, 100"+fmt.Sprint(g.n)+")", "NEXTVAL(`fuzz`.`seq`)")
	} else {
		list = append(list, g.failover(), g.failover())
		if len(g.world.Members) > 0 && g.one(4) {
			list = append(list, "group_replication_set_as_primary('"+g.pick(g.world.Members...)+"')", "group_replication_switch_to_multi_primary_mode()")
		}
	}
	return g.pick(list...)
}

func (g *Generator) failover() string {
	return fmt.Sprintf("asynchronous_connection_failover_add_source('fuzz', 'host%d', 3306, '', 50)", g.n)
}

// evilClause makes a read more than that.
func (g *Generator) evilClause() string {
	file := fmt.Sprintf("'%s/fuzz%d'", g.world.Files, g.n)
	return g.pick("INTO OUTFILE "+file, "INTO DUMPFILE "+file, "INTO OUTFILE "+file, "INTO @a", "FOR UPDATE", "FOR SHARE", "LOCK IN SHARE MODE", "PROCEDURE ANALYSE()")
}

// evilRead is a read with something in it that is more than reading.
func (g *Generator) evilRead() string {
	switch g.r.IntN(4) {
	case 0:
		return "SELECT 1 " + g.evilClause()
	case 1:
		return g.pick("SELECT * FROM fuzz.t ", "TABLE fuzz.t ", "SELECT id FROM fuzz.t WHERE id = 1 ", "VALUES ROW(1) ", "WITH a AS (SELECT 1) SELECT * FROM a, fuzz.t ") + g.evilClause()
	case 2:
		return g.pick("SELECT ", "SELECT 1 FROM fuzz.t WHERE ", "SELECT 1, ", "EXPLAIN ANALYZE SELECT ", "WITH a AS (SELECT 1) SELECT 1, ", "SHOW DATABASES WHERE ", "SELECT 1 FROM fuzz.t ORDER BY ", "VALUES ROW(1), ROW",
			"SELECT MAX(id) FROM fuzz.t HAVING ", "SELECT 1 LIMIT ", "TABLE fuzz.t ORDER BY ", "SELECT CASE WHEN 1 THEN ", "CHECKSUM TABLE fuzz.t, ") + g.evilExpression()
	}
	return "SELECT " + g.evilExpression() + ", " + g.expression(1)
}

// enclosed is a statement with something in a text, a name or a comment that must not come out of it.
func (g *Generator) enclosed() string {
	s := "SELECT "
	for i := range 1 + g.r.IntN(3) {
		evil := g.pick("", "a", "' ", "\\", "가", "\\\\", "\"", "`", "\u00bf", "/*", "--\t") + g.pick(" ", "\n", "\t", "", ", ") + g.pick(g.evilClause(), ", "+g.evilExpression()) + g.pick("", " -- ", "#", "\\", "\n", "*/", "\\\\", "\u00e9")
		if i > 0 {
			s += g.pick(", ", " ,", "/**/,")
		}
		switch g.r.IntN(7) {
		case 0, 1:
			s += g.pick("", "n", "N", "_latin1", "_gbk", "_utf8mb4 ", "_sjis", "_binary", "q", "e", "x") + "'" + strings.ReplaceAll(evil, "'", g.pick("''", "\\\\''", `\'`)) + "'"
		case 2, 3:
			s += g.pick("", "_gbk", "n", "x ") + `"` + strings.ReplaceAll(evil, `"`, `""`) + `"`
		case 4:
			s += "1 AS `" + strings.ReplaceAll(evil, "`", "``") + "`"
		case 5:
			s += "1 /*" + evil + "*/"
		case 6:
			s += "1 " + g.pick("--", "#") + " " + strings.ReplaceAll(evil, "\n", g.pick("\r", "\u2028", "\u0085", " ")) + "\n"
		}
	}
	return s + g.pick("", " FROM fuzz.t", " FROM fuzz.pure_v WHERE s = 'a'", ";")
}

// hidden is a statement in which a server sees what is a comment or a text for those who split it otherwise.
func (g *Generator) hidden() string {
	evil := g.evilClause()
	if g.one(2) {
		evil = ", " + g.evilExpression()
	}
	control := g.pick("\x01", "\x02", "\x08", "\x0b", "\x0c", "\x1f", "\x7f", "\u0085", "\u00a0", "\r", "\x00", "")
	switch g.r.IntN(12) {
	case 0, 1:
		return "SELECT 1 --" + control + "'\n" + evil + " --" + g.pick(control, " ") + "'"
	case 2:
		return "SELECT 1 --" + control + g.pick(`"`, "`", "/*") + "\n" + evil + " -- " + g.pick(`"`, "`", "*/")
	case 3: // a string that a backslash ends for some
		return `SELECT 'a\', ' ` + evil + ` -- '`
	case 4:
		return `SELECT 'a\' ` + evil + ` -- '`
	case 5: // a string for some, a name for others
		return `SELECT 1 AS "a\" ` + evil + ` -- "`
	case 6:
		return "SELECT 1 /*" + g.pick("!", "!50000 ", "!999999 ", "M!", "M!100000 ", "!40101", "+ SET_VAR(sql_mode='ANSI_QUOTES') ") + g.pick(evil, " */"+evil+"/* ") + " */"
	case 7:
		return "SELECT " + g.pick("$$ ' $$", "$a$ ' $a$", "1.e", "1.e1.e", "0b", "{fn 1}", "[a]", "\\N", "n'a' 'b'", "_gbk'\xbf\\'") + " " + evil + g.pick("", " -- '")
	case 8: // a number that a server drops
		return "SELECT " + strings.Replace(g.evilExpression(), "(", g.pick(" 1.e(", ".1e(", " .e(", " 1.(", " 1e1("), 1)
	case 9:
		return "SELECT '\u0100\\' " + evil + " -- '"
	case 10:
		return "SELECT 1 /*/ " + evil + " /*/ */"
	}
	return "SELECT 1; " + g.other()
}

// other is a statement of another kind.
func (g *Generator) other() string {
	list := []string{
		"SET GLOBAL max_connect_errors = 77", "INSERT INTO fuzz.t VALUES (100, 1, 'x', NULL)", "UPDATE fuzz.t SET n = 0", "DELETE FROM fuzz.u", "DO GET_LOCK('fuzz_c', 0)", "CALL sys.ps_setup_save(0)", "FLUSH TABLES WITH READ LOCK",
		"LOCK TABLES fuzz.t WRITE", "CREATE TABLE fuzz.x (a INT)", "DROP TABLE fuzz.u", "TRUNCATE fuzz.t", "REPLACE INTO fuzz.t VALUES (1, 2, 'r', NULL)", "ANALYZE TABLE fuzz.t", "OPTIMIZE TABLE fuzz.t", "HANDLER fuzz.t OPEN",
		"FLUSH BINARY LOGS", "GRANT SELECT ON *.* TO root@'%'", "LOAD DATA INFILE '/etc/passwd' INTO TABLE fuzz.x", "BEGIN", "COMMIT", "START TRANSACTION READ WRITE", "XA START 'x'", "SET SESSION sql_mode = 'ANSI_QUOTES'",
		"WITH a AS (SELECT 1) DELETE FROM fuzz.u", "WITH a AS (SELECT 1) UPDATE fuzz.t SET n = 5", "EXPLAIN ANALYZE DELETE FROM fuzz.u", "EXPLAIN UPDATE fuzz.t SET n = 5", "SHOW BINLOG EVENTS LIMIT 1", "EXPLAIN FOR CONNECTION 1",
		"PREPARE p FROM 'SELECT 1'", "EXECUTE IMMEDIATE 'SET GLOBAL max_connect_errors = 78'", "CREATE TEMPORARY TABLE fuzz.y (a INT)", "ANALYZE SELECT * FROM fuzz.t",
	}
	if !g.world.MariaDB {
		list = append(list, "SET PERSIST max_connect_errors = 79", "SET PERSIST_ONLY max_connect_errors = 80", "SELECT group_replication_get_write_concurrency()")
	} else {
		list = append(list, "SET STATEMENT max_statement_time=1 FOR SELECT GET_LOCK('fuzz_c', 0)", "ALTER SEQUENCE fuzz.seq RESTART 50")
	}
	return g.pick(list...)
}

// disguised writes a statement in another way that may mean the same to a server.
func (g *Generator) disguised(s string) string {
	words := strings.Fields(s)
	for range 1 + g.r.IntN(3) {
		i := g.r.IntN(len(words))
		w := words[i]
		switch g.r.IntN(9) {
		case 0: // a name in quotes
			if name, rest, ok := strings.Cut(w, "("); ok && name != "" && !strings.ContainsAny(name, ".`'\"(") {
				quote := g.pick("`", "`", `"`)
				words[i] = quote + name + quote + g.pick("", " ", "/**/") + "(" + rest
			}
		case 1:
			words[i] = strings.Replace(w, "(", g.pick(" (", "/**/(", "\n(", "/* ' */(", "-- \n(", "#\n(", "\t("), 1)
		case 2:
			words[i] = g.pick("/**/", "/*!*/", "/* ' */", "-- '\n", "#'\n", "\v", "\f", "\u00a0", "/*!50000 ") + w + g.pick("", " */")
		case 3:
			words[i] = strings.ToLower(w)
		case 4: // letters that compare as these
			words[i] = strings.NewReplacer("S", g.pick("S", "ſ", "ß", "Ś"), "E", g.pick("E", "É"), "K", g.pick("K", "\u212a"), "o", g.pick("o", "ö")).Replace(w)
		case 5:
			words[i] = strings.ReplaceAll(w, "'", `"`)
		case 6:
			words[i] = g.pick("(", "((", "/*! */", "1.e", "{x ") + w
		case 7:
			words[i] = strings.ReplaceAll(w, "fuzz.", g.pick("`fuzz`.", "fuzz. ", "fuzz/**/.", "`fuzz` .`", ".fuzz."))
		case 8:
			words[i] = w + g.pick(";", " ;;", "/*", "--", "#", "\\G", "\\g", " \\! touch /tmp/fuzz")
		}
	}
	return strings.Join(words, " ")
}

// pieces are what mutations put in.
var pieces = strings.Split("'|\"|`|\\|--|-- |#|/*|*/|/*!|;|(|)|,|.|@|@@|:=|:|$|$$|[|]|{|}|?|\x00|\x01|\v|\f|\n|\t| |1.e|\u0085|\u00a0|ſ|\xbf|\xff|0x|x'|b'|n'|_gbk|INTO|FOR|UPDATE|SHARE|LOCK|AS|WITH|SELECT|TABLE|VALUES", "|")

// mutated changes a statement without regard to its meaning.
func (g *Generator) mutated(s string) string {
	if len(s) < 2 {
		return s + g.pick(pieces...)
	}
	i := g.r.IntN(len(s))
	switch g.r.IntN(5) {
	case 0:
		return s[:i] + g.pick(pieces...) + s[i:]
	case 1:
		return s[:i] + s[min(len(s), i+1+g.r.IntN(3)):]
	case 2:
		return s[:i] + string(rune(g.r.IntN(256))) + s[i+1:]
	case 3: // two words change places
		words := strings.Fields(s)
		if len(words) > 2 {
			a, b := g.r.IntN(len(words)), g.r.IntN(len(words))
			words[a], words[b] = words[b], words[a]
		}
		return strings.Join(words, " ")
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return s
	}
	return strings.Join(slices.Insert(words, g.r.IntN(len(words)), g.pick(words...)), " ")
}

package mysql

import (
	"strings"
	"testing"
)

func TestCheckReadOnly(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT 1":                                         "SELECT 1",
		" select * from t ; ":                              "select * from t",
		"(SELECT 1) UNION (SELECT 2)":                      "(SELECT 1) UNION (SELECT 2)",
		"SHOW REPLICA STATUS":                              "SHOW REPLICA STATUS",
		"WITH a AS (SELECT 1) SELECT * FROM a":             "WITH a AS (SELECT 1) SELECT * FROM a",
		"TABLE test.messages":                              "TABLE test.messages",
		"-- why\nSELECT ';' # ; DROP":                      "-- why\nSELECT ';' # ; DROP",
		`SELECT 'it''s; INTO', "\"; into", ` + "`a``into`": `SELECT 'it''s; INTO', "\"; into", ` + "`a``into`",
		"SELECT /* INTO ; */ 1":                            "SELECT /* INTO ; */ 1",
		"SELECT a.into_b FROM a":                           "SELECT a.into_b FROM a",
		"SELECT 1--1":                                      "SELECT 1--1",
		"DESC mysql.user":                                  "DESC mysql.user",
	} {
		if got, err := CheckReadOnly(statement); err != nil || got != want {
			t.Errorf("%q: %q, %v", statement, got, err)
		}
	}
	for statement, why := range map[string]string{
		"":                                       "there is no statement",
		" ; -- nothing":                          "there is no statement",
		"DELETE FROM t":                          "DELETE is not among",
		"SET GLOBAL read_only=0":                 "SET is not among",
		"SELECT 1; SELECT 2":                     "one statement at a time",
		"SELECT 1; -- x\nDROP t":                 "one statement at a time",
		"SELECT 1 INTO OUTFILE '/x'":             "INTO writes",
		"SELECT 1 /*\n*/ into @a":                "INTO writes",
		"SELECT GET_LOCK('a', 1)":                "GET_LOCK takes",
		"SELECT /*!50000 1 INTO OUTFILE '/x' */": "servers execute",
		"SELECT /*M! 1 */":                       "servers execute",
		"SELECT 'a":                              "has no end",
		"SELECT 1 /* ":                           "has no end",
		"\\! rm -rf /":                           "RM is not among",
		"SELECT 1\x00":                           "NUL",
	} {
		if got, err := CheckReadOnly(statement); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %q, %v; want %s", statement, got, err, why)
		}
	}
}

// FuzzCheckReadOnly checks that what is taken has no second statement outside of quotes and comments, by a scanner of another make:
// what remains when these are cut out.
func FuzzCheckReadOnly(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT ';'", "SELECT 1 -- ;\n", "SELECT '\\'; DROP'", "/**/SELECT`;`", "SELECT 1;;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, statement string) {
		got, err := CheckReadOnly(statement)
		if err != nil {
			return
		}
		if strings.HasSuffix(got, ";") || got == "" {
			t.Errorf("%q became %q", statement, got)
		}
		if again, err := CheckReadOnly(got); err != nil || again != got {
			t.Errorf("%q became %q, then %q, %v", statement, got, again, err)
		}
		if !strings.ContainsAny(got, "'\"`#-/") && strings.Contains(got, ";") {
			t.Errorf("%q has several statements", got)
		}
	})
}

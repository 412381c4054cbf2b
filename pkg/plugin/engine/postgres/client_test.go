package postgres

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// TestAssign reads what psql 17 printed: rows, a NULL, a text with what CSV quotes, no rows, an error, and nothing more because the session was ended.
func TestAssign(t *testing.T) {
	const mark = "MARK"
	output := `MARK begin 0
in_recovery,lsn,name
f,0/4049A28,MARK
t,,"a ""b"", and
c"
MARK end 0 00000 ''
MARK begin 1
pid
MARK end 1 00000 ''
MARK begin 2
MARK end 2 42501 'permission denied for function pg_ls_waldir: ''x'''
MARK begin 3
`
	failure := errors.New("the session has ended")
	answers := assign([]string{"SELECT 0", "SELECT 1", "SELECT 2", "SELECT 3"}, mark, output, failure)
	rows := answers[0].Maps()
	if len(rows) != 2 || rows[0]["name"] != nil || rows[0].Text("lsn") != "0/4049A28" || rows[1].Text("name") != "a \"b\", and\nc" || rows[1]["lsn"] == nil {
		t.Errorf("%+v", rows)
	}
	if answers[1].Err != nil || len(answers[1].Rows) != 0 || len(answers[1].Columns) != 1 {
		t.Errorf("%+v", answers[1])
	}
	if !IsMissingPrivilege(answers[2].Err) || !strings.HasSuffix(answers[2].Err.Error(), ": 'x'") {
		t.Errorf("%v", answers[2].Err)
	}
	if !errors.Is(answers[3].Err, failure) || answers[3].Statement != "SELECT 3" {
		t.Errorf("%+v", answers[3])
	}
	if a := assign([]string{"SELECT 0"}, mark, "", nil)[0]; !errors.Is(a.Err, errNoAnswer) {
		t.Errorf("%+v", a)
	}
}

// TestRefusalOf knows what psql says of a login that failed, in the words of 15, 17 and 18.
func TestRefusalOf(t *testing.T) {
	const socket = `psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: `
	for line, want := range map[string]ServerError{
		socket + `FATAL:  role "root" does not exist`:                                                                {invalidAuthorization, `role "root" does not exist`},
		socket + `FATAL:  Peer authentication failed for user "postgres"`:                                            {invalidAuthorization, `Peer authentication failed for user "postgres"`},
		socket + `FATAL:  password authentication failed for user "app"`:                                             {invalidPassword, `password authentication failed for user "app"`},
		socket + `fe_sendauth: no password supplied`:                                                                 {invalidPassword, `fe_sendauth: no password supplied`},
		socket + `FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute`:            {tooManyConnections, `remaining connection slots are reserved for roles with the SUPERUSER attribute`},
		socket + `FATAL:  remaining connection slots are reserved for non-replication superuser connections`:         {tooManyConnections, `remaining connection slots are reserved for non-replication superuser connections`},
		socket + `FATAL:  sorry, too many clients already`:                                                           {tooManyConnections, `sorry, too many clients already`},
		socket + `FATAL:  the database system is starting up`:                                                        {cannotConnectNow, `the database system is starting up`},
		socket + `FATAL:  the database system is not yet accepting connections`:                                      {cannotConnectNow, `the database system is not yet accepting connections`},
		socket + `FATAL:  the database system is not accepting connections`:                                          {cannotConnectNow, `the database system is not accepting connections`},
		socket + "No such file or directory":                                                                         {noServer, "No such file or directory"},
		`psql: error: connection to server at "127.0.0.1", port 5432 failed: Connection refused`:                     {noServer, "Connection refused"},
		`psql: error: connection to server at "10.0.0.1", port 5432 failed: FATAL:  database "app" does not exist`:   {invalidCatalogName, `database "app" does not exist`},
		`psql: error: connection to server at "10.0.0.1", port 5432 failed: FATAL:  no pg_hba.conf entry for host …`: {invalidAuthorization, "no pg_hba.conf entry for host …"},
	} {
		if got := refusalOf(line); *got != want {
			t.Errorf("%s\n%+v", line, *got)
		}
	}
}

// TestCommand has no password in what is sent to the API server, and bounds what is left in the container.
func TestCommand(t *testing.T) {
	s := dbserver.Server{Port: 5433}
	command := strings.Join(commandFor(s, imageFlavour.Logins[0], "MARK", 7), "\n")
	for _, want := range []string{"DOIK_SECONDS=7\n", `PGPASSWORD=$POSTGRES_PASSWORD`, `$(cat "$POSTGRES_PASSWORD_FILE")`, `-U "$POSTGRES_USER"`, `PGPORT="${PGPORT:-5433}"`, "statement_timeout=", "null=MARK"} {
		if !strings.Contains(command, want) {
			t.Errorf("no %s in %s", want, command)
		}
	}
	if command = strings.Join(commandWithPassword(s, "app", "MARK", 7), "\n"); !strings.Contains(command, "read -r PGPASSWORD") || !strings.Contains(command, "-U\napp\n") {
		t.Errorf("%s", command)
	}
}

// TestSyncStandbys reads all forms of synchronous_standby_names.
func TestSyncStandbys(t *testing.T) {
	for text, want := range map[string]string{
		"*":                             "1 false *",
		"pg-1":                          "1 false pg-1",
		"pg-1, pg-2":                    "1 false pg-1 pg-2",
		`FIRST 2 ("pg-1", "pg-2",pg_3)`: "2 false pg-1 pg-2 pg_3",
		`any 1 (a, "b""c")`:             `1 true a b"c`,
		"2 (a, b)":                      "2 false a b",
	} {
		s, err := ParseSyncStandbys(text)
		if got := strings.Join(append([]string{strconv.Itoa(s.Count), map[bool]string{true: "true", false: "false"}[s.Quorum]}, s.Names...), " "); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"FIRST (a)", "MOST 2 (a, b)", "ANY 2 (a, b", "ANY 0 (a)", "a,,b"} {
		if s, err := ParseSyncStandbys(text); err == nil {
			t.Errorf("%s: %+v", text, s)
		}
	}
}

// TestLSN reads and prints positions.
func TestLSN(t *testing.T) {
	a, ok := ParseLSN("16/B374D848")
	b, also := ParseLSN("17/0")
	if !ok || !also || a.String() != "16/B374D848" || b.Since(a) != 0x100000000-0xB374D848 || a.Since(b) >= 0 {
		t.Errorf("%s %s", a, b)
	}
	for _, text := range []string{"", "16", "16/", "/1", "x/1", "1/123456789"} {
		if _, ok := ParseLSN(text); ok {
			t.Errorf("%q is none", text)
		}
	}
}

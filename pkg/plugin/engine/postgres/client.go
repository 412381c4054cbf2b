package postgres

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// clientScript runs psql, where the container has it, on what follows on stdin. Its arguments are psql's options; DOIK_SECONDS bounds its time
// where the container has timeout(1), so that a hung server leaves no client behind. PGHOST stays in force where it is a folder with a socket: an
// address may be another server's.
const clientScript = `case "$PGHOST" in /*) ;; *) unset PGHOST ;; esac
unset PGHOSTADDR PGSERVICE PGTARGETSESSIONATTRS
for p in psql /usr/lib/postgresql/*/bin/psql /usr/pgsql-*/bin/psql /opt/bitnami/postgresql/bin/psql; do
  if command -v "$p" >/dev/null; then
    if command -v timeout >/dev/null; then exec timeout "$DOIK_SECONDS" "$p" "$@"; fi
    exec "$p" "$@"
  fi
done
echo 'no psql in the container' >&2; exit 127`

// clientDatabase is one that every server has, unless somebody has dropped it.
const clientDatabase = "postgres"

// readOnly makes a session one that only reads. It is a statement and no option of the connection, so that reset_val still tells what the server has
// for others.
const readOnly = "SET default_transaction_read_only = on"

// sessionSettings are those of a session that does not wait for long.
var sessionSettings = []string{"statement_timeout=" + strconv.Itoa(statementMilliseconds), "lock_timeout=" + strconv.Itoa(lockMilliseconds)}

// Limits of a session of the plugin's own, in milliseconds.
const (
	statementMilliseconds = 5000
	lockMilliseconds      = 1000
)

// clientOptions make psql's output the same everywhere. A NULL is printed as the mark, which no value can be.
func clientOptions(user, mark string) []string {
	return []string{"-X", "-q", "-w", "--csv", "-P", "null=" + mark, "-v", "ON_ERROR_STOP=0", "-d", clientDatabase, "-U", user, "-f", "-"}
}

// environment is the part of a script that sets what psql reads of its environment.
func environment(s dbserver.Server, seconds int) string {
	options := "-c " + strings.Join(sessionSettings, " -c ")
	script := fmt.Sprintf("DOIK_SECONDS=%d\nexport PGCONNECT_TIMEOUT=5 PGAPPNAME=kubectl-doik PGCLIENTENCODING=UTF8 PGOPTIONS='%s'\n", seconds, options)
	if s.Port != DefaultPort {
		script += fmt.Sprintf("export PGPORT=\"${PGPORT:-%d}\"\n", s.Port)
	}
	return script
}

// commandFor is what runs psql in the container: sh, a script that puts the password into psql's environment, psql's options. Nothing in it is
// secret.
func commandFor(s dbserver.Server, l dbserver.Login, mark string, seconds int) []string {
	script := environment(s, seconds)
	options := clientOptions(l.User, mark)
	if len(l.PasswordEnv) > 0 {
		script += "PGPASSWORD=\n"
		for _, name := range l.PasswordEnv {
			script += fmt.Sprintf("[ -n \"$PGPASSWORD\" ] || PGPASSWORD=$%[1]s\n[ -n \"$PGPASSWORD\" ] || [ -z \"$%[1]s_FILE\" ] || PGPASSWORD=$(cat \"$%[1]s_FILE\")\n", name)
		}
		script += "export PGPASSWORD\n"
	}
	if l.UserEnv != "" {
		script += fmt.Sprintf("[ -z \"$%[1]s\" ] || set -- \"$@\" -U \"$%[1]s\"\n", l.UserEnv)
	}
	return append([]string{"sh", "-c", script + clientScript, "sh"}, options...)
}

// commandWithPassword is commandFor an account whose password is the first line of stdin.
func commandWithPassword(s dbserver.Server, user, mark string, seconds int) []string {
	script := environment(s, seconds) + "IFS= read -r PGPASSWORD\nexport PGPASSWORD\n"
	return append([]string{"sh", "-c", script + clientScript, "sh"}, clientOptions(user, mark)...)
}

// clientInput is what psql reads: each statement between two lines of its own, of which the second tells how it went.
func clientInput(mark string, statements []string) string {
	var b strings.Builder
	b.WriteString(readOnly + ";\n")
	for i, s := range statements {
		fmt.Fprintf(&b, "\\echo %[1]s begin %[2]d\n%[3]s;\n\\echo %[1]s end %[2]d :SQLSTATE :'LAST_ERROR_MESSAGE'\n", mark, i, s)
	}
	return b.String()
}

// succeeded is the SQLSTATE of a statement without an error.
const succeeded = "00000"

// assign tells which statement each part of psql's output belongs to. Failure is why psql did not run to its end, nil if it did.
func assign(statements []string, mark, output string, failure error) []Answer {
	answers := make([]Answer, len(statements))
	done := make([]bool, len(statements))
	for i, s := range statements {
		answers[i].Statement = s
	}
	parts := strings.Split("\n"+output, "\n"+mark+" ")
	for k := 1; k+1 < len(parts); k++ {
		head, body, _ := strings.Cut(parts[k], "\n")
		number, begins := strings.CutPrefix(head, "begin ")
		i, err := strconv.Atoi(number)
		tail, ends := strings.CutPrefix(parts[k+1], fmt.Sprintf("end %d ", i))
		if !begins || !ends || err != nil || i < 0 || i >= len(answers) {
			continue
		}
		done[i] = true
		if state, message, _ := strings.Cut(tail, " "); state != succeeded {
			answers[i].Err = &ServerError{State: state, Message: unquoted(message)}
			continue
		}
		answers[i].Columns, answers[i].Rows, answers[i].Err = parseCSV(body, mark)
	}
	for i := range answers {
		if done[i] {
			continue
		}
		if answers[i].Err = failure; failure == nil {
			answers[i].Err = errNoAnswer
		}
	}
	return answers
}

// errNoAnswer is that of a statement that psql went past without a word.
var errNoAnswer = fmt.Errorf("psql in the container printed no answer; it must be that of PostgreSQL 12 or later")

// unquoted is a message as psql quotes it for SQL, on one line or several.
func unquoted(text string) string {
	text = strings.TrimSpace(text)
	text = strings.TrimPrefix(strings.TrimPrefix(text, " E"), "E")
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(text, "'"), "'"), "''", "'")
}

// parseCSV reads a result; the first line has the columns.
func parseCSV(text, null string) (columns []string, rows [][]*string, err error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil || len(records) == 0 {
		return nil, nil, err
	}
	for _, record := range records[1:] {
		row := make([]*string, len(record))
		for i := range record {
			if record[i] != null {
				row[i] = &record[i]
			}
		}
		rows = append(rows, row)
	}
	return records[0], rows, nil
}

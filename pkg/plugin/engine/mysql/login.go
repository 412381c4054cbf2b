package mysql

import (
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// clientScript runs the client that the container has, on the statements that follow on stdin. Its arguments are the client's
// options; DOIK_SECONDS bounds its time where the container has timeout(1), so that a hung server leaves no client behind.
const clientScript = `for c in mariadb mysql; do
  if command -v $c >/dev/null; then
    if command -v timeout >/dev/null; then exec timeout "$DOIK_SECONDS" $c "$@"; fi
    exec $c "$@"
  fi
done
echo 'ERROR 2 (HY000): no mysql or mariadb client in the container' >&2; exit 127`

// clientOptions make the client's output the same everywhere. Options files of the container stay in force: they have the socket.
func clientOptions(stopAtError bool) []string {
	o := []string{"--batch", "--xml", "--default-character-set=utf8mb4", "--connect-timeout=5"}
	if !stopAtError {
		o = append(o, "--force")
	}
	return o
}

// commandFor is what runs the client in the container: sh, a script that puts the password into the client's environment, the
// client's options. Nothing in it is secret.
func commandFor(l dbserver.Login, seconds int, stopAtError bool) []string {
	script := fmt.Sprintf("DOIK_SECONDS=%d\n", seconds)
	options := clientOptions(stopAtError)
	if l.User != "" && l.OptionFile == "" {
		options = append(options, "--user="+l.User)
	}
	if l.Socket != "" {
		options = append(options, "--socket="+l.Socket)
	}
	switch {
	case l.OptionFile != "": // it must be the first option
		options = append([]string{"--defaults-extra-file=" + l.OptionFile}, options...)
	default:
		script += passwordScript(l)
	}
	return append([]string{"sh", "-c", script + clientScript, "sh"}, options...)
}

// passwordScript puts the password that the container has into the client's environment.
func passwordScript(l dbserver.Login) string {
	switch {
	case l.PasswordFile != "":
		return "MYSQL_PWD=$(cat '" + l.PasswordFile + "') || exit\nexport MYSQL_PWD\n"
	case len(l.PasswordEnv) > 0:
		script := "MYSQL_PWD=\n"
		for _, name := range l.PasswordEnv {
			script += fmt.Sprintf("[ -n \"$MYSQL_PWD\" ] || MYSQL_PWD=$%[1]s\n[ -n \"$MYSQL_PWD\" ] || [ -z \"$%[1]s_FILE\" ] || MYSQL_PWD=$(cat \"$%[1]s_FILE\")\n", name)
		}
		return script + "export MYSQL_PWD\n"
	}
	return ""
}

// commandWithPassword is commandFor an account whose password is the first line of stdin.
func commandWithPassword(user string, seconds int, stopAtError bool) []string {
	script := fmt.Sprintf("DOIK_SECONDS=%d\nIFS= read -r MYSQL_PWD\nexport MYSQL_PWD\n", seconds)
	return append([]string{"sh", "-c", script + clientScript, "sh", "--user=" + user}, clientOptions(stopAtError)...)
}

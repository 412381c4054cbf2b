package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// probeScript starts DOIK_WORKERS loops that make a connection for each empty line of stdin, and end with it. So nothing is left in
// the container when the answers are no longer read, and no process has to be killed: what is a database's first process does not
// reap what others leave.
const probeScript = `query='SELECT @@server_id, @@hostname'
client=$(command -v mariadb || command -v mysql) || { echo 'no mysql or mariadb client in the container' >&2; exit 127; }
limit=$(command -v timeout) && limit="$limit 10"
if [ -n "$DOIK_TLS" ]; then
  case $("$client" --version) in
  *MariaDB*) set -- "$@" --ssl --ssl-verify-server-cert ;; # its --ssl alone goes on without TLS
  *) set -- "$@" --ssl-mode=REQUIRED ;;
  esac
fi
exec 3<&0
worker() {
  while IFS= read -r token <&3; do
    from=$(date +%s%N)
    out=$($limit "$client" "$@" --batch --skip-column-names --connect-timeout=5 -e "$query" 2>&1 </dev/null)
    code=$?
    printf 'R\t%s\t%s\t%s\t%s\n' "$from" "$(date +%s%N)" "$code" "$(printf '%s' "$out" | tr '\n' ' ')"
  done
}
n=0
while [ "$n" -lt "$DOIK_WORKERS" ]; do
  worker "$@" &
  n=$((n + 1))
done
wait`

func newProber(cluster *kube.Cluster, access dbserver.Access) dbserver.Prober {
	return NewConnector(cluster, access)
}

// Run makes the connections of a probe in the container of a server, with the account of the access, or with that of the server's
// flavour.
func (c *Connector) Run(ctx context.Context, from dbserver.Server, p dbserver.Probe, each func(dbserver.ProbeAnswer)) error {
	if err := from.CheckRunning(); err != nil {
		return err
	}
	head, options, stdin, err := c.probeLogin(ctx, from)
	if err != nil {
		return err
	}
	command := append([]string{"sh", "-c", fmt.Sprintf("DOIK_WORKERS=%d\n", p.Concurrency) + head + probeScript, "sh"}, options...)
	command = append(command, "--host="+p.Host, "--port="+strconv.Itoa(p.Port), "--protocol=TCP")
	in, tokens := io.Pipe()
	answers := make(chan struct{}, p.Concurrency)
	go feed(ctx, p, stdin, tokens, answers)
	errOut := kube.NewOutput(maxAnswer)
	err = c.Cluster.Stream(ctx, containerOf(from), kube.Streams{In: in, Out: &lines{each: func(line string) {
		if a, ok := parseProbe(line); ok {
			each(a)
			select {
			case answers <- struct{}{}:
			default: // more than were asked for: not the script's
			}
		}
	}}, Err: errOut}, command...)
	_ = in.Close() // ends the feeding
	var exit *kube.ExitError
	if errors.As(err, &exit) {
		exit.Program, exit.Stderr = "the client in the container", objects.OneLine(errOut.String())
	}
	return err
}

// feed writes a line for each connection to make, a new one when one has been answered, and closes the pipe after the
// last.
func feed(ctx context.Context, p dbserver.Probe, before string, tokens *io.PipeWriter, answers <-chan struct{}) {
	defer tokens.Close()
	if before != "" {
		if _, err := io.WriteString(tokens, before); err != nil {
			return
		}
	}
	var end <-chan time.Time
	if p.For > 0 {
		timer := time.NewTimer(p.For)
		defer timer.Stop()
		end = timer.C
	}
	for made := 0; p.For > 0 || made < p.Connections; made++ {
		if made >= p.Concurrency {
			select {
			case <-answers:
			case <-end:
				return
			case <-ctx.Done():
				return
			}
		}
		if _, err := io.WriteString(tokens, "\n"); err != nil {
			return
		}
	}
}

// probeLogin is what the script begins with to know the password, the client's options, and what stdin begins with.
func (c *Connector) probeLogin(ctx context.Context, from dbserver.Server) (head string, options []string, stdin string, err error) {
	if c.Access.User != "" {
		password, err := c.Password(ctx, from, dbserver.ViaExec)
		if err != nil {
			return "", nil, "", err
		}
		if strings.ContainsAny(password, "\r\n") {
			return "", nil, "", errors.New("a multi-line password can't be passed to the client")
		}
		head := "IFS= read -r MYSQL_PWD\nexport MYSQL_PWD\n"
		if c.Access.PasswordFrom.IsOwn() {
			head += "DOIK_TLS=required\n"
		}
		return head, []string{"--user=" + c.Access.User}, password + "\n", nil
	}
	for _, l := range from.Flavour.Logins {
		if l.SocketOnly {
			continue
		}
		if l.OptionFile != "" {
			return "", []string{"--defaults-extra-file=" + l.OptionFile}, "", nil
		}
		return passwordScript(l), []string{"--user=" + l.User}, "", nil
	}
	return "", nil, "", fmt.Errorf("the account of %s can log in through the socket only: give another one with --user and --password-from", from.Flavour.Name)
}

// parseProbe reads a line of the script's: R, two times in nanoseconds, the client's exit code, what it printed.
func parseProbe(line string) (a dbserver.ProbeAnswer, ok bool) {
	fields := strings.SplitN(line, "\t", 5)
	if len(fields) != 5 || fields[0] != "R" {
		return a, false
	}
	from, errFrom := strconv.ParseInt(fields[1], 10, 64)
	to, errTo := strconv.ParseInt(fields[2], 10, 64)
	if errFrom == nil && errTo == nil && to > from { // not every date(1) knows of nanoseconds
		a.Time = time.Duration(to - from)
	}
	answer := strings.Split(strings.TrimSpace(fields[4]), "\t")
	if fields[3] != "0" || len(answer) < 2 {
		a.Err = errors.New(objects.OneLine(fields[4]))
		if e, _, ok := parseClientError(objects.OneLine(fields[4])); ok {
			a.Err = e
		}
		if fields[3] == strconv.Itoa(timedOut) {
			a.Err = context.DeadlineExceeded
		}
		return a, true
	}
	// Warnings stand before the answer.
	words := strings.Fields(answer[len(answer)-2])
	if len(words) == 0 {
		return a, false
	}
	id, err := strconv.ParseInt(words[len(words)-1], 10, 64)
	a.ServerID, a.Hostname = id, answer[len(answer)-1]
	return a, err == nil
}

// lines passes on each line that is written to it.
type lines struct {
	rest bytes.Buffer
	each func(string)
}

func (l *lines) Write(p []byte) (int, error) {
	const longest = 1 << 16
	l.rest.Write(p)
	for {
		i := bytes.IndexByte(l.rest.Bytes(), '\n')
		if i < 0 {
			if l.rest.Len() > longest { // no line of the script's
				l.rest.Reset()
			}
			return len(p), nil
		}
		line := string(l.rest.Next(i + 1))
		l.each(line[:i])
	}
}

package shell

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

var web0 = Container{
	Hostname: "web-0",
	FQDN:     "web-0.nginx.default.svc.cluster.local",
	IP:       "10.64.0.5",
	Env:      []string{"PATH=/usr/bin:/bin", "HOSTNAME=web-0", "EMPTY="},
	Files:    map[string]string{"/etc/hostname": "web-0\n"},
	FileSystems: []FileSystem{
		{Device: "overlay", MountPoint: "/", Capacity: 85888860160, Used: 6442450944, Available: 79446409216, Inodes: 41942512, InodesUsed: 71234},
		{Device: "/dev/nvme1n1", MountPoint: "/usr/share/nginx/html", Capacity: 10464022528, Used: 9507438592, Available: 939806720, Inodes: 655360, InodesUsed: 12},
		{Device: "127.0.0.1:/", MountPoint: "/efs", Capacity: 1<<63 - 1<<20, Used: 3 << 30, Available: 1<<63 - 1<<20 - 3<<30},
	},
}

func TestRun(t *testing.T) {
	for _, test := range []struct {
		command  string // fields; everything after "-c " is one argument
		in       string
		out, err string
		code     int
	}{
		{command: "hostname", out: "web-0\n"},
		{command: "/bin/hostname -f", out: "web-0.nginx.default.svc.cluster.local\n"},
		{command: "hostname -i", out: "10.64.0.5\n"},
		{command: "hostname other", err: "hostname: you must be root to change the host name\n", code: 1},
		{command: "cat /etc/hostname", out: "web-0\n"},
		{command: "cat", in: "some\ninput", out: "some\ninput"},
		{command: "cat /etc/hostname /nope -", in: "x", out: "web-0\nx", err: "cat: /nope: No such file or directory\n", code: 1},
		{command: "echo -n a b", out: "a b"},
		{command: "env", out: "PATH=/usr/bin:/bin\nHOSTNAME=web-0\nEMPTY=\n"},
		{command: "printenv HOSTNAME", out: "web-0\n"},
		{command: "printenv NOPE", code: 1},
		{command: "true"},
		{command: "false", code: 1},
		{command: "sleep 0.01"},
		{command: "sleep soon", err: "sleep: invalid time interval 'soon'\n", code: 1},

		{command: "sh -c exit 7", code: 7},
		{command: "bash -lc exit 256", code: 0},
		{command: "sh -c exit x", err: "sh: 1: exit: Illegal number: x\n", code: 2},
		{command: "sh -c false || echo no; true && echo yes", out: "no\nyes\n"},
		{command: "sh -c false; echo $?; exit", out: "1\n"},
		{command: `sh -c echo "I am $HOSTNAME", '$HOSTNAME' ${HOSTNAME}x \$ "a\"b" "" $EMPTY .`, out: "I am web-0, $HOSTNAME web-0x $ a\"b  .\n"},
		{command: "sh -c cat; echo end", in: "input\n", out: "input\nend\n"},
		{command: "sh -c nope; echo $?", out: "127\n", err: "sh: 1: nope: not found\n"},
		{command: "sh -c cat /nope 2>/dev/null # quietly", code: 1},
		{command: "sh -c cat /nope 2>&1; exit 3", out: "cat: /nope: No such file or directory\n", code: 3},
		{command: "sh -c echo 'a", err: "sh: 1: syntax error: unterminated quoted string\n", code: 2},
		{command: "sh", in: "echo one\nexit 4\necho two\n", out: "one\n", code: 4},
		{command: "sh", in: "cat\nthe rest", out: "the rest"},
		{command: "sh script", err: "sh: 0: cannot open script: No such file\n", code: 127},
	} {
		args := strings.Fields(test.command)
		if before, script, ok := strings.Cut(test.command, "c "); ok && strings.Contains(before, " -") {
			args = append(strings.Fields(before+"c"), script)
		}
		var out, errOut bytes.Buffer
		code, err := web0.Run(context.Background(), args, Streams{In: strings.NewReader(test.in), Out: &out, Err: &errOut})
		if err != nil {
			t.Errorf("%s: %v", test.command, err)
		}
		if out.String() != test.out || errOut.String() != test.err || code != test.code {
			t.Errorf("%s: got %d, stdout %q, stderr %q; want %d, %q, %q", test.command, code, out.String(), errOut.String(), test.code, test.out, test.err)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, script := range []string{"echo a | cat", "echo $(hostname)", "echo `hostname`", "echo a > /tmp/b", "(true)"} {
		var out, errOut bytes.Buffer
		code, err := web0.Run(context.Background(), []string{"sh", "-c", script}, Streams{Out: &out, Err: &errOut})
		if err != nil || code != 2 || out.Len() > 0 || !strings.Contains(errOut.String(), "the lab's shell knows no") {
			t.Errorf("%s: got %d, %v, %q, %q", script, code, err, out.String(), errOut.String())
		}
	}
	for _, name := range []string{"mysql", "/opt/bin/df", "../sh", ""} {
		_, err := web0.Run(context.Background(), []string{name}, Streams{})
		if !errors.As(err, new(NotFoundError)) {
			t.Errorf("%q: got %v, want a NotFoundError", name, err)
		}
	}
	if want, got := `exec: "mysql": executable file not found in $PATH`, (NotFoundError{"mysql"}).Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if code, err := web0.Run(ctx, []string{"sleep", "infinity"}, Streams{}); code == 0 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestDF(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"df /usr/share/nginx/html", `
Filesystem     1K-blocks    Used Available Use% Mounted on
/dev/nvme1n1    10218772 9284608    917780  92% /usr/share/nginx/html
`},
		{"df -P -k /usr/share/nginx/html", `
Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/nvme1n1      10218772 9284608    917780      92% /usr/share/nginx/html
`},
		{"df -PB1 /usr/share/nginx/html/", `
Filesystem        1-blocks       Used Available Capacity Mounted on
/dev/nvme1n1   10464022528 9507438592 939806720      92% /usr/share/nginx/html
`},
		{"df -B 1 /usr/share/nginx/html", `
Filesystem       1B-blocks       Used Available Use% Mounted on
/dev/nvme1n1   10464022528 9507438592 939806720  92% /usr/share/nginx/html
`},
		{"df -BM --portability /etc", `
Filesystem     1048576-blocks  Used Available Capacity Mounted on
overlay                 81910  6144     75766       8% /
`},
		{"df --block-size=1G /usr/share", `
Filesystem     1G-blocks  Used Available Use% Mounted on
overlay               80     6        74   8% /
`},
		{"df -i", `
Filesystem       Inodes IUsed    IFree IUse% Mounted on
overlay        41942512 71234 41871278    1% /
/dev/nvme1n1     655360    12   655348    1% /usr/share/nginx/html
127.0.0.1:/           0     0        0     - /efs
`},
		{"df -h", `
Filesystem      Size  Used Avail Use% Mounted on
overlay          80G  6.0G   74G   8% /
/dev/nvme1n1    9.8G  8.9G  897M  92% /usr/share/nginx/html
127.0.0.1:/     8.0E  3.0G  8.0E   1% /efs
`},
		{"df -P /efs", `
Filesystem          1024-blocks    Used        Available Capacity Mounted on
127.0.0.1:/    9007199254739968 3145728 9007199251594240       1% /efs
`},
	} {
		var out, errOut bytes.Buffer
		code, err := web0.Run(context.Background(), strings.Fields(test.args), Streams{Out: &out, Err: &errOut})
		if code != 0 || err != nil || errOut.Len() > 0 || "\n"+out.String() != test.want {
			t.Errorf("%s: %d, %v, %s\ngot:\n%s\nwant:%s", test.args, code, err, errOut.String(), out.String(), test.want)
		}
	}
}

func TestDFFails(t *testing.T) {
	for args, want := range map[string]string{
		"df /nope":        "df: /nope: No such file or directory\n",
		"df /efs/nope":    "df: /efs/nope: No such file or directory\n",
		"df -Z":           "df: invalid option -- 'Z'\nTry 'df --help' for more information.\n",
		"df --output=pct": "df: unrecognized option '--output=pct'\nTry 'df --help' for more information.\n",
		"df -Bx":          "df: invalid --block-size argument 'x'\nTry 'df --help' for more information.\n",
	} {
		var out, errOut bytes.Buffer
		code, err := web0.Run(context.Background(), strings.Fields(args), Streams{Out: &out, Err: &errOut})
		if code != 1 || err != nil || errOut.String() != want || out.Len() > 0 {
			t.Errorf("%s: got %d, %v, %q, %q; want 1, %q", args, code, err, out.String(), errOut.String(), want)
		}
	}
}

//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// ends presses keys that end a live screen: at once, and the terminal is as it was.
func ends(t *testing.T, w *cluster.Terminal, keys string) {
	t.Helper()
	started := time.Now()
	w.Type(keys)
	if code := w.Wait(); code != 0 || time.Since(started) > cluster.Patience(time.Second) {
		t.Errorf("%q: exit code %d after %s", keys, code, time.Since(started))
	}
	if text := w.Text(); !strings.HasSuffix(text, "\x1b[?7h\x1b[?25h\x1b[?1049l") {
		t.Errorf("%q: the terminal is left as %q", keys, text[max(0, len(text)-200):])
	}
}

// TestScreen shows a set on 80 columns: what is cut is marked, moved to and explained, and keys that arrive together all count.
func TestScreen(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	empty := cluster.OnSmallTerminal(n, nil, "sts-status", "--watch")
	empty.Sees("No StatefulSets found in namespace " + n.NS + ".")
	ends(t, empty, "jq")
	n.ApplyWeb()

	w := cluster.OnSmallTerminal(n, nil, "sts-status", "--watch", "-o", "wide")
	w.Sees("web-1   1/1")
	w.Sees("…")
	w.Sees("← → ")
	if strings.Contains(w.Text(), "DNSNAME") {
		t.Errorf("80 columns hold more than they can:\n%s", w.Text())
	}
	for range 20 {
		w.Type("\x1b[C")
	}
	w.Sees("DNSNAME")
	w.Sees("web-1   …") // what names the rows stays
	w.Type("?")
	count(t, w, "this help", 1)
	w.Type(" ?") // press any key to go back
	count(t, w, "this help", 2)
	ends(t, w, "x\x03\x03")

	dumb := cluster.OnSmallTerminal(n, []string{"TERM=dumb"}, "sts-status", "--watch")
	dumb.Sees("web-1   1/1")
	n.Kubectl("scale", "sts", "web", "--replicas=1")
	dumb.Sees("web scaled 2 → 1")
	dumb.Interrupt()
	if strings.Contains(dumb.Text(), "\x1b") {
		t.Errorf("escape sequences on a dumb terminal: %q", dumb.Text())
	}

	ascii := cluster.OnSmallTerminal(n, []string{"LC_ALL=C"}, "sts-status", "--watch", "-o", "wide")
	ascii.Sees("web-0   1/1")
	ascii.Sees("Left Right ")
	n.Kubectl("scale", "sts", "web", "--replicas=2")
	ascii.Sees("web scaled 1 -> 2")
	ends(t, ascii, "q")
	table := cluster.OnSmallTerminal(n, []string{"LC_ALL=", "LC_CTYPE=POSIX"}, "check")
	table.Wait()
	for _, text := range []string{ascii.Text(), table.Text()} {
		if strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) || !strings.Contains(text, "web") {
			t.Errorf("signs that a terminal without UTF-8 does not have: %s", text)
		}
	}
}

// TestSuspend stops with Ctrl-Z, gives the terminal back to the shell meanwhile, and goes on with fg.
func TestSuspend(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	shell := cluster.Shell(n)
	shell.Type("kubectl-doik sts-status --watch -n " + n.NS + "\n")
	shell.Sees("web-1   1/1")
	for round := 1; round <= 2; round++ {
		shell.Type("\x1a")
		count(t, shell, "Stopped", round)
		shell.Type("echo $((40+2))$((" + []string{"", "1", "2"}[round] + "))\n")
		shell.Sees("42" + []string{"", "1", "2"}[round])
		if text := shell.Text(); strings.LastIndex(text, "\x1b[?1049l") < strings.LastIndex(text, "\x1b[?1049h") {
			t.Errorf("the shell does not have its screen: %q", text)
		}
		shell.Type("fg\n")
		count(t, shell, "\x1b[?1049h", round+1)
		count(t, shell, "web-1   1/1", round+1)
	}
	shell.Type("q")
	count(t, shell, "\x1b[?1049l", 3)
	shell.Type("echo back; stty -a | grep -o ' icanon'\n")
	shell.Sees(" icanon\r\n")
	shell.Type("exit\n")
	shell.Wait()
}

// count waits until a text has been written so many times.
func count(t *testing.T, w *cluster.Terminal, text string, times int) {
	t.Helper()
	cluster.Eventually(t, 20*time.Second, func() error {
		if got := strings.Count(w.Text(), text); got < times {
			return fmt.Errorf("%q %d times of %d in %q", text, got, times, w.Text())
		}
		return nil
	})
}

package cluster

import (
	"io"
	"os"
	"os/exec"

	"github.com/creack/pty"
)

// Terminal is a command on a terminal of its own.
type Terminal struct {
	*Watching
	keyboard *os.File
}

// OnTerminal starts kubectl doik in the namespace on a terminal with 40 lines of 160 columns, where stdout and stderr are one, and ends
// it when the test does.
func OnTerminal(n *Namespace, args ...string) *Terminal {
	n.Helper()
	w := &Watching{Namespace: n, Cmd: exec.Command("kubectl-doik", append([]string{"-n", n.NS}, args...)...)}
	w.Cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TERM=xterm")
	keyboard, err := pty.StartWithSize(w.Cmd, &pty.Winsize{Rows: 40, Cols: 160})
	if err != nil {
		n.Fatal(err)
	}
	go func() { _, _ = io.Copy(&w.out, keyboard) }() // until the command has ended
	n.Cleanup(func() {
		_ = w.Cmd.Process.Kill()
		_ = keyboard.Close()
	})
	return &Terminal{Watching: w, keyboard: keyboard}
}

// Type presses keys.
func (t *Terminal) Type(keys string) {
	t.Helper()
	if _, err := io.WriteString(t.keyboard, keys); err != nil {
		t.Fatal(err)
	}
}

// Wait waits for the command's end and returns its exit code.
func (t *Terminal) Wait() int {
	_ = t.Cmd.Wait() // the exit code tells
	return t.Cmd.ProcessState.ExitCode()
}

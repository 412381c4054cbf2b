package cluster

import (
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/creack/pty"
)

// Terminal is a command on a terminal of its own.
type Terminal struct {
	*Watching
	keyboard *os.File
	read     chan struct{} // closed when all that it has printed has been read
}

// OnTerminal starts kubectl doik in the namespace on a terminal with 40 lines of 160 columns, where stdout and stderr are one, and ends
// it when the test does.
func OnTerminal(n *Namespace, args ...string) *Terminal {
	n.Helper()
	return startOnTerminal(n, pty.Winsize{Rows: 40, Cols: 160}, nil, "kubectl-doik", append([]string{"-n", n.NS}, args...)...)
}

// OnSmallTerminal is OnTerminal with 24 lines of 80 columns, and more of an environment.
func OnSmallTerminal(n *Namespace, environment []string, args ...string) *Terminal {
	n.Helper()
	return startOnTerminal(n, pty.Winsize{Rows: 24, Cols: 80}, environment, "kubectl-doik", append([]string{"-n", n.NS}, args...)...)
}

// Shell starts a shell with job control on a terminal.
func Shell(n *Namespace) *Terminal {
	n.Helper()
	return startOnTerminal(n, pty.Winsize{Rows: 24, Cols: 80}, []string{"PS1=$ "}, "bash", "--norc", "--noprofile", "-i")
}

func startOnTerminal(n *Namespace, size pty.Winsize, environment []string, program string, args ...string) *Terminal {
	n.Helper()
	w := &Watching{Namespace: n, Cmd: exec.Command(program, args...)}
	w.Cmd.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TERM=xterm"), environment...)
	keyboard, err := pty.StartWithSize(w.Cmd, &size)
	if err != nil {
		n.Fatal(err)
	}
	read := make(chan struct{})
	go func() { // until the command has ended
		defer close(read)
		_, _ = io.Copy(&w.out, keyboard)
	}()
	n.Cleanup(func() {
		_ = w.Cmd.Process.Kill()
		_ = keyboard.Close()
	})
	return &Terminal{Watching: w, keyboard: keyboard, read: read}
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
	select {
	case <-t.read:
	case <-time.After(time.Second): // another process still has the terminal
	}
	return t.Cmd.ProcessState.ExitCode()
}

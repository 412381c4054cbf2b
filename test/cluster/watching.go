package cluster

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Watching is a command that goes on while the test does other things.
type Watching struct {
	*Namespace
	Cmd *exec.Cmd
	out lockedBuffer
	err lockedBuffer
}

// lockedBuffer is read while a command still writes to it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer // not embedded: its other methods would pass by the lock
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// Text is what the command has printed so far.
func (w *Watching) Text() string { return w.out.String() }

// Err is what the command has said on stderr.
func (w *Watching) Err() string { return w.err.String() }

// Watch starts kubectl doik in the namespace, and ends it when the test does.
func Watch(n *Namespace, args ...string) *Watching {
	n.Helper()
	w := &Watching{Namespace: n, Cmd: exec.Command("kubectl-doik", append([]string{"-n", n.NS}, args...)...)}
	w.Cmd.Stdout, w.Cmd.Stderr = &w.out, &w.err
	w.Cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // the race detector would sleep for a second
	if err := w.Cmd.Start(); err != nil {
		n.Fatal(err)
	}
	n.Cleanup(func() { _ = w.Cmd.Process.Kill() })
	return w
}

// Sees waits until the output has a text.
func (w *Watching) Sees(text string) {
	w.Helper()
	Eventually(w, 60*time.Second, func() error {
		if !strings.Contains(w.Text(), text) {
			return fmt.Errorf("no %q in\n%s%s", text, w.Text(), w.Err())
		}
		return nil
	})
}

// Interrupt is Ctrl-C; the command must end within a second, with exit code 0.
func (w *Watching) Interrupt() {
	w.Helper()
	started := time.Now()
	if err := w.Cmd.Process.Signal(syscall.SIGINT); err != nil {
		w.Fatal(err)
	}
	err := w.Cmd.Wait()
	if took := time.Since(started); err != nil || took > time.Second {
		w.Errorf("ended after %s: %v: %s", took, err, w.Err())
	}
}

// Happenings are the lines of the timeline, without their times and with nodes and durations left out.
func Happenings(text string) string {
	var list []string
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d (.*)$`)
	for _, l := range strings.Split(text, "\n") {
		match := line.FindStringSubmatch(l)
		if match == nil {
			continue
		}
		told := regexp.MustCompile(` (scheduled on .*|[Rr]eady \(.*\)|deleted after .*|rolls out .*)$`).ReplaceAllStringFunc(match[1], func(s string) string {
			return " " + strings.Fields(s)[0]
		})
		list = append(list, told)
	}
	return strings.Join(list, "\n")
}

// InOrder checks that the timeline tells steps in this order, whatever stands between them.
func (w *Watching) InOrder(steps ...string) {
	w.Helper()
	told := Happenings(w.Text())
	rest := "\n" + told + "\n"
	for _, step := range steps {
		_, after, ok := strings.Cut(rest, "\n"+step+"\n")
		if !ok {
			w.Fatalf("no %q in its place in\n%s", step, told)
		}
		rest = "\n" + after
	}
}

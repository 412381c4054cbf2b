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

// Unseen does something between two polls of a watch that asks servers (with -v=6, it tells when it has): what they go through meanwhile
// is not seen, only what has become of them. Else one run in some would see a replica that has just been stopped to be sent elsewhere.
func (w *Watching) Unseen(do func()) {
	w.Helper()
	rounds := func() int { return strings.Count(w.Err(), "Asked all servers") }
	for before, deadline := rounds(), time.Now().Add(time.Minute); rounds() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("nothing is queried: %s", w.Err())
		}
	}
	w.signal(syscall.SIGSTOP)
	defer w.signal(syscall.SIGCONT)
	do()
}

func (w *Watching) signal(s os.Signal) {
	w.Helper()
	if err := w.Cmd.Process.Signal(s); err != nil {
		w.Fatal(err)
	}
}

// Interrupt is Ctrl-C; the command must end within a second (on a machine that has time for it), with exit code 0.
func (w *Watching) Interrupt() {
	w.Helper()
	started := time.Now()
	w.signal(syscall.SIGINT)
	err := w.Cmd.Wait()
	if took := time.Since(started); err != nil || took > Patience(time.Second) {
		w.Errorf("ended after %s: %v: %s", took, err, w.Err())
	}
}

// byNature is what differs between runs of the same test: what stands for it in a timeline, and why it differs.
var byNature = []struct {
	differs *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\btest-[0-9a-f]{8}\b`), "NS"},                                         // NewNamespace draws it
	{regexp.MustCompile(`\b(scheduled on|recreated on) \S+`), "$1 NODE"},                       // any cluster's
	{regexp.MustCompile(`\b([Rr]eady) \((not ready for )?[0-9hmsd]+\)`), "$1 (${2}TIME)"},      // as fast as the machine is
	{regexp.MustCompile(`\b(deleted after) [0-9hmsd]+`), "$1 TIME"},                            // as above
	{regexp.MustCompile(`\b[0-9.hmsd]+ late\b`), "TIME late"},                                  // as of the first poll that sees it
	{regexp.MustCompile(`\b(rolls out|revision|all pods have) [0-9a-f]+\b`), "$1 REVISION"},    // it hashes what the server's version adds to a template
	{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[0-9:-]+)?`), "UUID$2"},  // a server draws it when its data is made
	{regexp.MustCompile(`\b(MYSQL006 \S+) \(the pod is Ready\)`), "$1"},                        // its probe may have noticed before the poll
	{regexp.MustCompile(`; the Services? \S+(, \S+)* sends? clients to it`), ""},               // as above
	{regexp.MustCompile(`\b(MYSQL006 resolved: pod/[0-9a-z-]+)(, service/[0-9a-z-]+)+`), "$1"}, // as above: Services among its objects
	{regexp.MustCompile(`\blast answer at [0-9:]+`), "last answer at TIME"},                    // as above
	{regexp.MustCompile(`\battempt \d+/`), "attempt N/"},                                       // as of the first poll that sees it
}

// Happenings are the lines of the timeline, without the time of day and what else differs by nature.
func Happenings(text string) string {
	var list []string
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d (.*)$`)
	for _, l := range strings.Split(text, "\n") {
		match := line.FindStringSubmatch(l)
		if match == nil {
			continue
		}
		told := match[1]
		for _, n := range byNature {
			told = n.differs.ReplaceAllString(told, n.instead)
		}
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

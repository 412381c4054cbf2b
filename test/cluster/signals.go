package cluster

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Interrupt runs the plugin many times, some at once, and sends each a real signal at a random moment of a window: SIGINT, SIGTERM
// and, one time in four, SIGKILL. A run that may end in good order must do so, soon. It returns how many were killed.
func (n *Namespace) Interrupt(runs, atOnce int, window time.Duration, args ...string) (killed int) {
	n.Helper()
	var group sync.WaitGroup
	var mu sync.Mutex
	moments := map[string]int{}
	turn := make(chan struct{}, atOnce)
	for i := range runs {
		group.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			signal := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGINT, syscall.SIGKILL}[i%4]
			cmd := exec.Command("kubectl-doik", append(args, "-n", n.NS)...)
			var errOut bytes.Buffer
			cmd.Stderr = &errOut
			if err := cmd.Start(); err != nil {
				n.Error(err)
				return
			}
			time.Sleep(rand.N(window))
			_ = cmd.Process.Signal(signal) // it may have ended
			sent := time.Now()
			_ = cmd.Wait()
			mu.Lock()
			defer mu.Unlock()
			end := "done"
			switch text := errOut.String(); {
			case !cmd.ProcessState.Exited() && signal == syscall.SIGKILL:
				end = "killed"
				killed++
			case !cmd.ProcessState.Exited() && text == "": // before it had begun to listen for signals
				end = "at once"
			case strings.Contains(text, "interrupted"):
				end = "interrupted"
			case !cmd.ProcessState.Exited():
				n.Errorf("after %s it ended with %s: %s", signal, cmd.ProcessState, text)
			}
			moments[end]++
			if took := time.Since(sent); took > Patience(5*time.Second) {
				n.Errorf("it ended %s after %s", took, signal)
			}
		})
	}
	group.Wait()
	n.Logf("%d runs: %v", runs, moments)
	return killed
}

//go:build unix

package printers

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopPatience is how long stopProcess waits to be stopped: where no shell could continue the process, the system does not stop it.
const stopPatience = 500 * time.Millisecond

func notifyResumed(resumed chan<- os.Signal) { signal.Notify(resumed, syscall.SIGCONT) }

// stopProcess stops the process group, as the terminal does for Ctrl-Z, and returns when it goes on.
func stopProcess(resumed <-chan os.Signal) {
	select { // an earlier one
	case <-resumed:
	default:
	}
	if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
		return
	}
	select { // the signal may be delivered a moment later
	case <-resumed:
	case <-time.After(stopPatience):
	}
}

//go:build integration

package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// atRest reports the memory of a watch, and what it takes of a core while nothing changes.
func atRest(b *testing.B, sees string, args ...string) {
	b.Helper()
	const rest = 30 * time.Second
	w := cluster.Watch(&cluster.Namespace{TB: b}, args...)
	w.Sees(sees)
	time.Sleep(5 * time.Second) // what was read is gone from memory, or not
	before := processorTime(w)
	time.Sleep(rest)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*(processorTime(w)-before).Seconds()/rest.Seconds(), "%core")
	b.ReportMetric(float64(resident(w)>>20), "MiB")
	b.Logf("%s of processor in all", processorTime(w))
	w.Interrupt()
}

// processorTime is what a command has used so far.
func processorTime(w *cluster.Watching) time.Duration {
	w.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.Cmd.Process.Pid))
	if err != nil {
		w.Skipf("LEFT OUT: no /proc tells the time of a process: %v", err)
	}
	_, fields, _ := strings.Cut(string(stat), ") ") // the name may have anything in it
	var user, system int64
	if list := strings.Fields(fields); len(list) > 12 {
		_, _ = fmt.Sscan(list[11], &user)
		_, _ = fmt.Sscan(list[12], &system)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on all Linux
}

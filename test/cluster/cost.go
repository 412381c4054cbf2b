package cluster

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// cost is what one run of a command took, as the operating system tells it.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes at the peak
}

func (c *cost) add(other cost) {
	c.wall, c.cpu, c.memory = c.wall+other.wall, c.cpu+other.cpu, c.memory+other.memory
}

// mean of n costs that were added up.
func (c *cost) mean(n time.Duration) string {
	return fmt.Sprintf("%s, CPU %s, %d MiB", (c.wall / n).Round(time.Millisecond), (c.cpu / n).Round(time.Millisecond), c.memory/int64(n)>>20)
}

func measure(b *testing.B, command []string) cost {
	b.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &out
	started := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	peak := make(chan int64)
	go func() { peak <- watchMemory(cmd.Process.Pid) }()
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%q: %v: %s", command, err, out.String())
	}
	c := cost{wall: time.Since(started), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: <-peak}
	if c.memory == 0 { // no /proc: what the system counts, this process' own pages before the program was loaded included
		c.memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	}
	return c
}

// watchMemory reads a process' peak of resident memory until it ends, in bytes.
func watchMemory(pid int) int64 {
	var peak int64
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, ok := bytes.Cut(status, []byte("VmHWM:"))
		if err != nil || !ok {
			return peak
		}
		var kib int64
		if _, err := fmt.Sscan(string(rest), &kib); err != nil {
			return peak
		}
		peak = kib << 10
		time.Sleep(2 * time.Millisecond)
	}
}

// Compare runs two commands in turn, so that a machine that slows down slows both, and reports the median of the ratios: below
// 1 the first one is cheaper.
func Compare(b *testing.B, ours, peer []string) {
	b.Helper()
	const pairs = 7
	measure(b, ours)
	measure(b, peer)
	var wall, cpu, memory []float64
	var sum, peerSum cost
	for b.Loop() {
		for range pairs {
			x, y := measure(b, ours), measure(b, peer)
			wall = append(wall, float64(x.wall)/float64(y.wall))
			cpu = append(cpu, float64(x.cpu)/float64(y.cpu))
			memory = append(memory, float64(x.memory)/float64(y.memory))
			sum.add(x)
			peerSum.add(y)
		}
	}
	n := time.Duration(len(wall))
	b.ReportMetric(0, "ns/op") // one duration would invite comparison with another run's
	b.ReportMetric(median(wall), "×wall")
	b.ReportMetric(median(cpu), "×cpu")
	b.ReportMetric(median(memory), "×memory")
	b.Logf("%v: %s; %v: %s (means)", ours, sum.mean(n), peer, peerSum.mean(n))
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

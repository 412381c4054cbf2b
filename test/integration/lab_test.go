//go:build integration

package integration

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestLab goes the ways into a simulated pod that later tests rely on, through the real API server: exec with its exit codes and
// stdin, logs, port-forward.
func TestLab(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()

	if got := n.Kubectl("exec", "web-0", "--", "hostname"); got != "web-0" {
		t.Errorf("hostname: %q", got)
	}
	if r := n.TryKubectl("exec", "web-0", "--", "sh", "-c", "exit 3"); r.Code != 3 {
		t.Errorf("exit 3: exit code %d: %s", r.Code, r.Err)
	}
	if r := n.TryKubectl("exec", "web-0", "--", "mysql"); r.Code == 0 || !strings.Contains(r.Err, `exec: "mysql": executable file not found in $PATH`) {
		t.Errorf("an unknown program: exit code %d: %s", r.Code, r.Err)
	}
	long := strings.Repeat("0123456789abcdef\n", 1<<14)
	if r := cluster.Run(t, long, "kubectl", "-n", n.NS, "exec", "-i", "web-0", "--", "cat"); r.Code != 0 || r.Out != long {
		t.Errorf("stdin: exit code %d, %d of %d bytes came back: %s", r.Code, len(r.Out), len(long), r.Err)
	}
	if got := n.Kubectl("logs", "web-0"); got == "" {
		t.Error("no logs")
	}
	if got := portForward(t, n, "web-1", "80"); got != "web-1\n" {
		t.Errorf("port-forward: %q", got)
	}
}

// portForward asks a pod's port for its page, over HTTP through kubectl port-forward.
func portForward(t *testing.T, n *cluster.Namespace, pod, port string) string {
	t.Helper()
	cmd := exec.Command("kubectl", "-n", n.NS, "port-forward", "--address=127.0.0.1", "pod/"+pod, ":"+port)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("port-forward says %q, %v", line, err)
	}
	response, err := http.Get("http://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

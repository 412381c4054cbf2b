//go:build integration

package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/frontdoor"
)

// said waits until the command has said something on stderr.
func said(w *cluster.Watching, within time.Duration, pattern string) {
	w.Helper()
	cluster.Eventually(w, within, func() error {
		if !regexp.MustCompile(pattern).MatchString(w.Err()) {
			return fmt.Errorf("no %q in %q", pattern, w.Err())
		}
		return nil
	})
}

const clock = `\d\d:\d\d:\d\d`

// TestWatchAway watches through a way that is refused and then silent: each is said once, in time, and so is the return; what happens
// meanwhile is told then, and nothing else is held against the cluster.
func TestWatchAway(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, reason string
		within       time.Duration
		cut          func(*frontdoor.Way)
	}{
		{"refused", "connection refused", 10 * time.Second, (*frontdoor.Way).Refuse},
		{"silent", "no answer", 25 * time.Second, (*frontdoor.Way).Silence},
	} {
		for args, row := range map[string]string{"sts-status --no-usage": "web-1 ", "sts-status web --usage-interval=1s": "web-1 ", "nodes": "ip-10-0-0-10", "check --exclude=DNS": "web"} {
			t.Run(test.name+" "+args, func(t *testing.T) {
				t.Parallel()
				n := cluster.NewNamespace(t)
				n.ApplyWeb()
				way := frontdoor.OpenWay(t)
				w := cluster.Watch(n, append(strings.Fields(args), "--watch", "--kubeconfig="+way.Kubeconfig)...)
				w.Sees(row)
				time.Sleep(3 * time.Second)
				before := w.Err()
				cut := time.Now()
				test.cut(way)
				lost := `(?s)^` + regexp.QuoteMeta(before) + `warning: API server unreachable since (` + clock + `) \(` + test.reason + `\); what is shown is from then\n$`
				said(w, test.within, lost)
				noticed := time.Since(cut)
				t.Logf("noticed after %s", noticed)
				since := regexp.MustCompile(lost).FindStringSubmatch(w.Err())[1]
				if early, late := cut.Add(-8*time.Second).Format(time.TimeOnly), cut.Add(3*time.Second).Format(time.TimeOnly); early < late && (since < early || since > late) {
					t.Errorf("cut at %s, said since %s", cut.Format(time.TimeOnly), since)
				}
				n.Kubectl("scale", "sts", "web", "--replicas=3")
				time.Sleep(7 * time.Second)
				if strings.Contains(w.Text(), "web-2") || strings.Contains(w.Text(), "2/3") {
					t.Errorf("it knows of what it can't: %s", w.Text())
				}
				way.Restore()
				said(w, 20*time.Second, lost[:len(lost)-1]+`API server reachable again after \d+s, at `+clock+`\n$`)
				if args != "nodes" {
					w.Sees("web scaled 2 → 3")
				}
				w.Interrupt()
				if strings.Contains(w.Text(), "refused") || strings.Contains(w.Text(), "did not answer") {
					t.Errorf("it holds it against the cluster: %s", w.Text())
				}
			})
		}
	}
}

// TestWatchNeverReached waits for an API server that is not there yet, and says so.
func TestWatchNeverReached(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, reason string
		cut          func(*frontdoor.Way)
	}{
		{"refused", "connection refused", (*frontdoor.Way).Refuse},
		{"silent", "no answer", (*frontdoor.Way).Silence},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := cluster.NewNamespace(t)
			n.ApplyWeb()
			way := frontdoor.OpenWay(t)
			test.cut(way)
			for _, args := range []string{"sts-status", "sts-status web", "nodes", "check", "check web", "mysql-topology", "mysql-reads svc/web"} {
				goal := strings.Fields(args + " --timeout=14s --kubeconfig=" + way.Kubeconfig)
				if !strings.HasPrefix(args, "mysql-reads") {
					goal = append(goal, "--for=ready")
				} else {
					goal = append(goal, "--watch")
				}
				started := time.Now()
				r := n.Doik(goal...)
				if took := time.Since(started); took < 13*time.Second || took > 18*time.Second {
					t.Errorf("%s: ended after %s", args, took)
				}
				want := `^warning: API server not reached since ` + clock + ` \(` + test.reason + `\); waiting for it\n`
				code := 0
				if !strings.HasPrefix(args, "mysql-reads") {
					want += `error: timed out waiting for .* to be ready: --timeout=14s is over, and the API server not reached: ` + test.reason + ` since ` + clock + `\n`
					code = 1
				}
				if !regexp.MustCompile(want+"$").MatchString(r.Err) || r.Code != code || r.Out != "" {
					t.Errorf("%s: exit code %d: %s%s", args, r.Code, r.Out, r.Err)
				}
			}
			for _, args := range [][]string{{"sts-status"}, {"sts-status", "web"}} {
				w := cluster.OnTerminal(n, append(args, "--watch", "--kubeconfig="+way.Kubeconfig)...)
				w.Sees("API server not reached since")
				w.Sees(test.reason)
				if args[len(args)-1] == "web" {
					way.Restore()
					w.Sees("2/2 ready")
					w.Sees("API server reached after")
				}
				w.Type("q")
				if code := w.Wait(); code != 0 {
					t.Errorf("exit code %d: %s", code, w.Text())
				}
			}
		})
	}
}

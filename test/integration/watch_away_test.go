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
// meanwhile is reported then, and nothing else is held against the cluster.
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
		for args, sees := range map[string][2]string{ // at first, and after the return
			"sts-status --no-usage":              {"web-1 ", "web scaled 2 → 3"},
			"sts-status web --usage-interval=1s": {"web-1 ", "web scaled 2 → 3"},
			"nodes":                              {"ip-10-0-0-10", "ip-10-0-0-10"}, // whose node gets web-2 is chance
			"check --exclude=DNS":                {"web", "3/3 ready"},
		} {
			t.Run(test.name+" "+args, func(t *testing.T) {
				t.Parallel()
				n := cluster.NewNamespace(t)
				n.ApplyWeb()
				way := frontdoor.OpenWay(t)
				w := cluster.Watch(n, append(strings.Fields(args), "--watch", "--kubeconfig="+way.Kubeconfig)...)
				w.Sees(sees[0])
				time.Sleep(3 * time.Second)
				before := w.Err()
				cut := time.Now()
				test.cut(way)
				lost := `(?s)^` + regexp.QuoteMeta(before) + `warning: API server unreachable since (` + clock + `) \(` + test.reason + `\); the data shown is from then\n$`
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
				w.Sees(sees[1])
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
		timeout      time.Duration
		cut          func(*frontdoor.Way)
	}{
		{"refused", "connection refused", 8 * time.Second, (*frontdoor.Way).Refuse},
		{"silent", "no answer", 16 * time.Second, (*frontdoor.Way).Silence},
	} {
		way := frontdoor.OpenWay(t)
		test.cut(way)
		for _, args := range []string{"sts-status", "sts-status web", "nodes", "check", "check web", "mysql-topology", "mysql-reads svc/web"} {
			t.Run(test.name+" "+args, func(t *testing.T) {
				t.Parallel()
				want, code, until := `error: timed out waiting for .* to be ready: --timeout=`+test.timeout.String()+` has expired, and the API server not reached: `+test.reason+` since `+clock+`\n`, 1, "--for=ready"
				if strings.HasPrefix(args, "mysql-reads") { // it has nothing to wait for
					want, code, until = "", 0, "--watch"
				}
				started := time.Now()
				r := cluster.Run(t, "", "kubectl-doik", append(strings.Fields(args), "--timeout="+test.timeout.String(), "--kubeconfig="+way.Kubeconfig, until)...)
				if took := time.Since(started); took < test.timeout || took > test.timeout+cluster.Patience(15*time.Second) {
					t.Errorf("ended after %s", took)
				}
				want = `^warning: API server not reached since ` + clock + ` \(` + test.reason + `\); waiting for it\n` + want + "$"
				if !regexp.MustCompile(want).MatchString(r.Err) || r.Code != code || r.Out != "" {
					t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
				}
			})
		}
		for _, args := range [][]string{{"sts-status"}, {"sts-status", "web"}} {
			t.Run(test.name+" terminal "+args[len(args)-1], func(t *testing.T) {
				t.Parallel()
				n := cluster.NewNamespace(t)
				n.ApplyWeb()
				way := frontdoor.OpenWay(t)
				test.cut(way)
				w := cluster.OnSmallTerminal(n, nil, append(args, "--watch", "--kubeconfig="+way.Kubeconfig)...)
				w.Sees("API server not reached since")
				w.Sees(test.reason)
				way.Restore()
				w.Sees("2/2 ready")
				w.Sees("API server reached after")
				test.cut(way)
				w.Sees("API server unreachable since")
				w.Sees("from then")
				w.Type("q")
				if code := w.Wait(); code != 0 {
					t.Errorf("exit code %d: %s", code, w.Text())
				}
			})
		}
	}
}

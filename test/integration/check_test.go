//go:build integration

package integration

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestCheckReadsOnce asks for each list once, though five subcommands read it, and for none that it does not need.
func TestCheckReadsOnce(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	response := regexp.MustCompile(`"Response".* url="https?://[^/]*([^"]*)"`)
	paths := func(args ...string) []string {
		var list []string
		for _, match := range response.FindAllStringSubmatch(n.Doik(append([]string{"check", "-v=6"}, args...)...).Err, -1) {
			list = append(list, match[1])
		}
		slices.Sort(list)
		return list
	}
	for _, args := range [][]string{{}, {"web"}, {"-l", "app=nosuch"}, {"-o", "wide"}} {
		list := paths(args...)
		lists := map[string]int{}
		for _, path := range list {
			lists[strings.SplitN(path, "?", 2)[0]]++
		}
		for path, times := range lists {
			// The lists of kube-system are of the DNS Service and of what stands before it.
			if times > 1 && !strings.Contains(path, "/kube-system/") {
				t.Errorf("check %s: %s is read %d times:\n%s", args, path, times, strings.Join(list, "\n"))
			}
		}
		if len(args) == 0 && (lists["/api/v1/namespaces/"+n.NS+"/pods"] != 1 || lists["/api/v1/nodes"] != 1) {
			t.Errorf("%v", list)
		}
	}
	for _, path := range paths("--only=STS,DNS001") {
		if strings.HasPrefix(path, "/api/v1/nodes?") || strings.Contains(path, "csinodes") {
			t.Errorf("--only=STS,DNS001 reads %s", path)
		}
	}
	for _, path := range paths("--only", "sts020") {
		if strings.Contains(path, "endpointslices") || strings.Contains(path, "/kube-system/") {
			t.Errorf("--only=STS020 reads %s", path)
		}
	}
}

// TestCheckArguments says what is wrong with arguments, annotations and rights, and shows everything else.
func TestCheckArguments(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	if r := n.Doik("check"); r.Code != 0 || r.Out != "" || !strings.HasPrefix(r.Err, "No StatefulSets found in namespace "+n.NS) {
		t.Errorf("nothing: exit code %d, %q, %q", r.Code, r.Out, r.Err)
	}
	n.ApplyWeb()
	for args, want := range map[string]string{
		"--only=STS10":        `error: --only: "STS10" is not a finding code: did you mean STS010 or STS?`,
		"--exclude=ENDP001":   `error: --exclude: "ENDP001" is not a finding code`,
		"wbe":                 `error: StatefulSet "wbe" not found in namespace ` + n.NS,
		"web -A":              "error: a name can't be looked up in all namespaces",
		"--server-timeout=0s": "error: invalid --server-timeout \"0s\": must be positive",
	} {
		r := n.Doik(append([]string{"check"}, strings.Fields(args)...)...)
		if args == "web -A" {
			r = cluster.Run(t, "", "kubectl", "doik", "check", "web", "-A")
		}
		if r.Code != 1 || r.Out != "" || !strings.HasPrefix(r.Err, want) || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("check %s: exit code %d, %q, %q", args, r.Code, r.Out, r.Err)
		}
	}

	n.Kubectl("annotate", "pvc", "www-web-0", "lab.doik.dev/used=95%", v1alpha1.IgnoreAnnotation+"=sts011: it is emptied at night; nonsense")
	n.Kubectl("annotate", "pvc", "www-web-1", "lab.doik.dev/used=95%")
	cluster.Eventually(t, 20*time.Second, func() error {
		r := n.Doik("check", "--only=STS011")
		if want := `warning: annotation doik.dev/ignore of persistentvolumeclaim/www-web-0 in namespace ` + n.NS + `: "nonsense" is not a finding code`; r.Code != 0 || !strings.HasPrefix(r.Err, want) || strings.Count(r.Err, "\n") != 1 {
			return fmt.Errorf("exit code %d: %s", r.Code, r.Err)
		}
		for _, want := range []string{"web    2/2     error    1 error, 1 ignored ", "ERROR     STS011   www-web-1 is 95% full", "IGNORED   STS011   www-web-0 is 95% full", "persistentvolumeclaim/www-web-0: it is emptied at night"} {
			if !strings.Contains(r.Out, want) {
				return fmt.Errorf("no %q in\n%s", want, r.Out)
			}
		}
		return nil
	})
	r := n.Doik("check", "--only=STS011", "-o", "junit", "--fail-on=error")
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	if err := xml.Unmarshal([]byte(r.Out), &suites); err != nil || r.Code != 3 || suites.Failures != 1 || suites.Skipped != 1 || suites.Tests < 4 {
		t.Errorf("exit code %d, %v, %+v: %s", r.Code, err, suites, r.Out)
	}
	if r := n.Doik("check", "--only=STS011", "-o", "markdown"); !strings.Contains(r.Out, "- **error** STS011: www-web-1 is 95% full") {
		t.Errorf("%s", r.Out)
	}
	var report v1alpha1.HealthCheckList
	if err := json.Unmarshal([]byte(n.Doik("check", "-A", "--only=STS011", "-o", "json").Out), &report); err == nil {
		t.Error("-n and -A went together")
	}

	t.Log("rights are missing, part by part")
	n.Kubectl("create", "role", "sets", "--verb=get,list", "--resource=statefulsets.apps")
	n.Kubectl("create", "rolebinding", "sets", "--role=sets", "--user=checker")
	cluster.Eventually(t, 10*time.Second, func() error {
		r := n.Doik("check", "--as=checker")
		for _, subject := range []string{"pods in namespace " + n.NS, "DNS", "nodes", "MySQL, MariaDB and PostgreSQL servers", "claims in namespace " + n.NS} {
			if strings.Count(r.Err, "warning: "+subject+": ") != 1 {
				return fmt.Errorf("not one word of %s: %s", subject, r.Err)
			}
		}
		if r.Code != 0 || !strings.Contains(r.Out, "web ") || !strings.Contains(r.Out, "1 StatefulSet, 0 of them healthy") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
	if r := n.Doik("check", "--as=nobody"); r.Code != 1 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "statefulsets.apps is forbidden") {
		t.Errorf("nobody: exit code %d: %s", r.Code, r.Err)
	}
}

// TestCheckWatch follows what begins and what is over, and waits until nothing is wrong.
func TestCheckWatch(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("annotate", "pod", "web-1", "lab.doik.dev/state=crash-loop")
	if r := n.Doik("check", "--only=STS005", "--for=healthy", "--timeout=4s"); r.Code != 1 || !strings.HasSuffix(r.Err, "error: timed out waiting for check of namespace "+n.NS+" to be healthy: web: 1 of 2 pods are ready\n") {
		t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	for args, code := range map[string]int{"--for=ready --timeout=4s": 1, "--for=happy": 1} {
		if r := n.Doik(append([]string{"check", "--exclude=DNS"}, strings.Fields(args)...)...); r.Code != code {
			t.Errorf("%s: exit code %d: %s%s", args, r.Code, r.Out, r.Err)
		}
	}
	w := cluster.Watch(n, "check", "--only=STS", "--watch")
	w.Sees("error    1 error")
	n.Kubectl("annotate", "pod", "web-1", "lab.doik.dev/state-")
	w.Sees(n.NS + "/web STS005 resolved (web-1)")
	w.Sees(n.NS + "/web 2/2 ready")
	if r := n.Doik("check", "--exclude=DNS", "--for=ready", "--timeout=20s"); r.Code != 0 {
		t.Errorf("ready: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	n.Kubectl("annotate", "pod", "web-0", "lab.doik.dev/state=not-ready")
	w.Sees(n.NS + "/web error STS003: web-0 ")
	n.Kubectl("annotate", "sts", "web", v1alpha1.IgnoreAnnotation+"=STS003: a drill")
	w.Sees(n.NS + "/web STS003 resolved (web-0)")
	w.Interrupt()
	if r := n.Doik("check", "--only=STS003", "--for=healthy", "--timeout=20s"); r.Code != 0 {
		t.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	if r := n.Doik("check", "--debug-pod", "--watch"); r.Code != 1 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "--debug-pod can't be combined with --watch") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
}

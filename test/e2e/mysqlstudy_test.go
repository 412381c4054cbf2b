//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// reads is what mysql-reads reports of a Service.
func (d *database) reads(service string, args ...string) v1alpha1.DatabaseReads {
	d.Helper()
	report := cluster.Report[v1alpha1.DatabaseReadsList](d.Namespace, append([]string{"mysql-reads", "svc/" + service}, args...)...)
	if len(report.Items) != 1 {
		d.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0]
}

// readsFind waits until a finding about reads has been found.
func (d *database) readsFind(service string, want faults.Expect, args ...string) v1alpha1.DatabaseReads {
	d.Helper()
	var r v1alpha1.DatabaseReads
	cluster.Eventually(d, time.Minute, func() error {
		r = d.reads(service, args...)
		for _, f := range r.Findings {
			if want.Matches(f, d.NS) {
				return nil
			}
		}
		return fmt.Errorf("no finding %+v among %+v", want, r.Findings)
	})
	return r
}

// query is what mysql-query reports of the set.
func (d *database) query(statement string, args ...string) v1alpha1.DatabaseQuery {
	d.Helper()
	report := cluster.Report[v1alpha1.DatabaseQueryList](d.Namespace, append([]string{"mysql-query", "sts/" + d.StatefulSet, statement}, args...)...)
	if len(report.Items) != 1 {
		d.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0]
}

// TestStudyMySQL is the study's exercise on MySQL, step by step, with the plugin beside each.
func TestStudyMySQL(t *testing.T) {
	d := newSet(cluster.NewNamespace(t), "mysql")
	d.Apply(d.Manifest("mysql.yaml"))
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	d.Answering(3)
	sets := cluster.Report[v1alpha1.SetStatusList](d.Namespace, "sts-status", "mysql")
	if wrong := aboveInfo(sets.Items[0]); len(wrong) > 0 || len(sets.Items[0].Ordinals) != 3 {
		t.Errorf("sts-status: %+v", wrong)
	}
	d.rights(t)
	client := func(host, statement string) string {
		return d.Kubectl("exec", "mysql-1", "-c", "mysql", "--", "mysql", "-h", host, "-uroot", "-N", "-e", statement)
	}

	t.Log("write through mysql-0.mysql, read through mysql-read")
	client("mysql-0.mysql", "CREATE DATABASE test; CREATE TABLE test.messages (message VARCHAR(250)); INSERT INTO test.messages VALUES ('hello')")
	d.Answering(3)
	if got := client("mysql-read", "SELECT * FROM test.messages"); got != "hello" {
		t.Errorf("%q", got)
	}
	r := d.reads("mysql-read")
	if r.Connections != 100 || r.Failed != 0 || len(r.Servers) != 3 {
		t.Errorf("%+v", r)
	}

	t.Log("up to five: each new ordinal has the data, and answers readers")
	watching := cluster.Watch(d.Namespace, "mysql-reads", "svc/mysql-read", "--watch", "--from=mysql-1")
	watching.Sees("mysql-2   102   replica   ready ")
	wakeProxy := d.proxySleeps(t)
	d.Kubectl("scale", "sts/mysql", "--replicas=5")
	d.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	d.Answering(5)
	wakeProxy()
	watching.Sees("mysql-4 answers (server id 104)")
	watching.Interrupt()
	watching.InOrder("mysql-3 is a ready endpoint", "mysql-4 is a ready endpoint")
	if os.Getenv("E2E_KUBECONFIG") == "" && (!strings.Contains(watching.Text(), "WARNING MYSQL090 mysql-3") || !strings.Contains(watching.Text(), "MYSQL090 resolved: service/mysql-read")) {
		t.Errorf("%s%s", watching.Text(), watching.Err())
	}
	t.Logf("\n%s", watching.Text())
	d.readsLive(t)
	five := d.Topology()
	if len(five.Servers) != 5 || five.Servers[0].Role != v1alpha1.RoleSource || five.Servers[3].Pod != "mysql-3" || *five.Servers[4].MySQL.ServerID != 104 {
		t.Errorf("%+v", five.Servers)
	}
	for _, via := range []string{"port-forward", "exec"} {
		q := d.query("SELECT * FROM test.messages", "--via="+via)
		if q.Same == nil || !*q.Same || len(q.Servers) != 5 || q.Servers[3].Pod != "mysql-3" || len(q.Servers[3].Rows) != 1 || *q.Servers[3].Rows[0].Values[0] != "hello" {
			t.Errorf("%s: %+v", via, q)
		}
	}
	r = d.reads("mysql-read")
	for i, s := range r.Servers {
		if s.Pod != d.Pod(i) || s.Answers == 0 || !s.Endpoint || *s.ServerID != int64(100+i) || s.SlowestMilliseconds == nil {
			t.Errorf("%+v", s)
		}
	}
	t.Logf("\n%s\n%s\n%s", d.Doik("mysql-topology").Out, d.Doik("mysql-query", "SELECT * FROM test.messages").Out, d.Doik("mysql-reads", "mysql-read").Out)

	t.Log("a row that only one server has")
	d.SQL(4, faults.Unlogged("INSERT INTO test.messages VALUES ('only here')"))
	q := d.query("SELECT * FROM test.messages")
	if *q.Same || len(q.Servers[4].Rows) != 2 || !q.Servers[4].Rows[1].Differs || q.Servers[0].Rows[0].Differs {
		t.Errorf("%+v", q)
	}
	d.SQL(4, faults.Unlogged("DELETE FROM test.messages WHERE message='only here'"))

	t.Log("what is refused")
	for statement, why := range map[string]string{
		"DROP DATABASE test":                             "DROP is not one of",
		"SELECT 1; SELECT 2":                             "one statement at a time",
		"SELECT 1 INTO OUTFILE '/tmp/x'":                 "INTO writes to a file",
		"SELECT * FROM test.messages FOR UPDATE":         "FOR UPDATE locks rows",
		"WITH a AS (SELECT 1) DELETE FROM test.messages": "must be followed by SELECT",
	} {
		for _, via := range []string{"port-forward", "exec"} {
			if r := d.Doik("mysql-query", "sts/mysql", statement, "--via="+via); r.Code != 1 || !strings.Contains(r.Err, why) {
				t.Errorf("%s: exit code %d: %s", statement, r.Code, r.Err)
			}
		}
	}
	if got := d.SQL(0, "SELECT COUNT(*) FROM test.messages"); got != "1" {
		t.Errorf("%s rows", got)
	}
	if r := d.Doik("mysql-query", "sts/mysql", "SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c", "--server-timeout=2s"); r.Code != 1 || !strings.Contains(r.Err, "no answer within 2s") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}

	d.readFaults(t)
}

// readsLive looks at the live screen, and ends it in both ways. Nothing is left in the container.
func (d *database) readsLive(t *testing.T) {
	for _, key := range []string{"q", "\x03"} {
		terminal := cluster.OnTerminal(d.Namespace, "mysql-reads", "mysql-read", "--watch", "--from=mysql-1")
		terminal.Sees("Connections to the Service mysql-read, the last 10s")
		terminal.Sees("█")
		terminal.Type(key)
		pressed := time.Now()
		if code := terminal.Wait(); code != 0 || time.Since(pressed) > cluster.Patience(time.Second) {
			t.Errorf("%q: exit code %d after %s", key, code, time.Since(pressed))
		}
	}
	cluster.Eventually(t, 15*time.Second, func() error {
		// The readiness probe's client is there for a moment each time.
		if r := d.TryKubectl("exec", "mysql-1", "-c", "mysql", "--", "pgrep", "-a", "-f", "mysql-read"); r.Code != 1 {
			return fmt.Errorf("in the container: %s%s", r.Out, r.Err)
		}
		return nil
	})
}

// proxySleeps stops kube-proxy, and returns what lets it go on: before, it has not learnt of new endpoints, and they are not reached.
func (d *database) proxySleeps(t *testing.T) (wake func()) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Log("LEFT OUT: a kube-proxy that is behind, which takes the node's processes")
		return func() {}
	}
	signal := func(name string) {
		if r := cluster.Run(t, "", "../node/enter", "pkill", "-"+name, "-x", "kube-proxy"); r.Code != 0 {
			t.Errorf("%s to kube-proxy: %s%s", name, r.Out, r.Err)
		}
	}
	signal("STOP")
	t.Cleanup(func() { signal("CONT") }) // whatever happens
	return func() {
		d.readsFind("mysql-read", faults.Expect{Code: v1alpha1.CodeEndpointSilent, Severity: warning, Object: "pod/mysql-4", Words: "mysql-3, mysql-4 never answered in 100 connections, although ready"})
		signal("CONT")
		cluster.Eventually(t, 30*time.Second, func() error {
			for _, s := range d.reads("mysql-read").Servers {
				if s.Answers == 0 {
					return fmt.Errorf("%s does not answer", s.Pod)
				}
			}
			return nil
		})
	}
}

// rights runs as users who have one right after the other: each that is missing costs what it is for.
func (d *database) rights(t *testing.T) {
	t.Helper()
	t.Log("as users with few rights")
	grant := func(user string, rules ...string) {
		for i, rule := range rules {
			name := fmt.Sprintf("%s-%d", user, i)
			verbs, resources, _ := strings.Cut(rule, " ")
			d.Kubectl("create", "role", name, "--verb="+verbs, "--resource="+resources)
			d.Kubectl("create", "rolebinding", name, "--role="+name, "--user="+user)
		}
	}
	const pods, around = "list pods", "list services,endpointslices.discovery.k8s.io"
	grant("only-pods", pods)
	grant("forwards", pods, "create,get pods/portforward")
	grant("execs", pods, "create,get pods/exec", around)
	for user, want := range map[string]struct {
		answered, warnings int
		contains           string
	}{
		"only-pods": {0, 4, "warning: servers mysql-0, mysql-1, mysql-2: port-forward: "}, // and Services, EndpointSlices, nodes
		"forwards":  {3, 3, "warning: nodes: "},
		"execs":     {3, 1, "warning: nodes: "},
	} {
		cluster.Eventually(t, 20*time.Second, func() error { // the authorizer learns of new roles a moment later
			r := d.Doik("mysql-topology", "--as="+user)
			if r.Code != 0 || !strings.Contains(r.Out, fmt.Sprintf("%d/3 answered", want.answered)) || strings.Count(r.Err, "\n") != want.warnings || !strings.Contains(r.Err, want.contains) {
				return fmt.Errorf("%s: exit code %d: %s%s", user, r.Code, r.Out, r.Err)
			}
			return nil
		})
	}
	if r := d.Doik("mysql-topology", "--as=nobody"); r.Code != 1 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, `cannot list resource "pods"`) {
		t.Errorf("nobody: exit code %d: %s", r.Code, r.Err)
	}
}

// readFaults brings about what can be wrong with a Service's reads.
func (d *database) readFaults(t *testing.T) {
	d.readsFind("mysql-read", faults.Expect{Code: v1alpha1.CodeReadsSource, Severity: info, Object: "pod/mysql-0", Words: "also answers reads"})
	d.SQL(2, "STOP REPLICA SQL_THREAD")
	d.readsFind("mysql-read", faults.Expect{Code: v1alpha1.CodeReadsBroken, Severity: warning, Object: "pod/mysql-2", Words: "receiver Yes, applier No"})
	d.SQL(2, "START REPLICA")

	t.Log("sessions that stick to one server")
	d.Kubectl("patch", "service", "mysql-read", "-p", `{"spec": {"sessionAffinity": "ClientIP"}}`)
	r := d.readsFind("mysql-read", faults.Expect{Code: v1alpha1.CodeReadsSticky, Severity: info, Object: "service/mysql-read", Words: "ClientIP"})
	if r.SessionAffinity != "ClientIP" {
		t.Errorf("%+v", r)
	}
	cluster.Eventually(t, 30*time.Second, func() error {
		one := 0
		for _, s := range d.reads("mysql-read", "-c", "20").Servers {
			if s.Answers > 0 {
				one++
			}
		}
		if one != 1 {
			return fmt.Errorf("%d servers answered", one)
		}
		return nil
	})
	d.Kubectl("patch", "service", "mysql-read", "-p", `{"spec": {"sessionAffinity": "None"}}`)

	t.Log("a Service whose port leads nowhere")
	d.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql-ro"}, "spec": {"selector": {"app": "mysql"}, "ports": [{"name": "mysql", "port": 3306, "targetPort": 3999}]}}`)
	d.readsFind("mysql-ro", faults.Expect{Code: v1alpha1.CodeConnectionsFailed, Severity: bad, Object: "service/mysql-ro", Words: "5 of 5 connections failed"}, "-c", "5")

	t.Log("an endpoint that the Service does not select, and one that is selected and does not answer")
	d.Kubectl("label", "pod", "mysql-4", "app=stray", "--overwrite") // the set lets it go, and makes another of its name later
	address := d.Kubectl("get", "pod", "mysql-4", "-o", "jsonpath={.status.podIP}")
	d.Apply(fmt.Sprintf(`{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "by-hand", "labels": {"kubernetes.io/service-name": "mysql-read"}},
		"addressType": "IPv4", "ports": [{"name": "mysql", "port": 3306, "protocol": "TCP"}], "endpoints": [{"addresses": [%q], "conditions": {"ready": true}}]}`, address))
	d.readsFind("mysql-read", faults.Expect{Code: v1alpha1.CodeUnknownServer, Severity: bad, Object: "service/mysql-read", Words: "mysql-4 (server id 104"})
	d.Kubectl("delete", "endpointslice", "by-hand")

	t.Log("a Service without a ready endpoint")
	d.SQL(3, faults.Unlogged("ALTER USER root@'%' ACCOUNT LOCK")) // the readiness probe's account
	d.Apply(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql-one"}, "spec": {"selector": {"statefulset.kubernetes.io/pod-name": "mysql-3"}, "ports": [{"name": "mysql", "port": 3306}]}}`)
	d.readsFind("mysql-one", faults.Expect{Code: v1alpha1.CodeNoEndpoints, Severity: bad, Object: "service/mysql-one", Words: "has no ready endpoint"}, "-c", "2")
}

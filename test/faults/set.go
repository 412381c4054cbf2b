package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// Set is a StatefulSet in a namespace of a test's own.
type Set struct {
	*cluster.Namespace
	// StatefulSet is the set's name. Without one, commands are asked about all of the namespace.
	StatefulSet string
	// Container and Client are those of its database servers, if it has any.
	Container, Client string

	bed Bed
}

// In is the set for a part of a test.
func (s *Set) In(t *testing.T) *Set {
	n := *s.Namespace
	n.TB = t
	part := *s
	part.Namespace = &n
	return &part
}

// target are the arguments that name the set.
func (s *Set) target(view string) []string {
	switch {
	case view == "nodes" && s.bed.Machine == Lab:
		return []string{"--selector=test=" + s.NS} // others' tests have nodes there too
	case view == "nodes" || s.StatefulSet == "":
		return nil
	}
	return []string{"sts/" + s.StatefulSet}
}

// Pod is the name of an ordinal's pod.
func (s *Set) Pod(ordinal int) string { return fmt.Sprintf("%s-%d", s.StatefulSet, ordinal) }

// SQL runs statements in a pod's server, as root, and returns what it prints without column names.
func (s *Set) SQL(pod int, statements string) string {
	s.Helper()
	r := s.TrySQL(pod, statements)
	if r.Code != 0 {
		s.Fatalf("%s: %s: %s", s.Pod(pod), statements, r.Err)
	}
	return strings.TrimSpace(r.Out)
}

// TrySQL is SQL for what may fail.
func (s *Set) TrySQL(pod int, statements string) cluster.Result {
	s.Helper()
	return s.TryKubectl("exec", s.Pod(pod), "-c", s.Container, "--", s.Client, "-uroot", "-h127.0.0.1", "-N", "-e", statements)
}

// InBackground runs statements that wait for something, and returns what waits for their end.
func (s *Set) InBackground(pod int, statements string) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.TrySQL(pod, statements)
	}()
	return func() { <-done }
}

// Sleeps waits until a session of a pod's server is in SLEEP: it has what it locked before.
func (s *Set) Sleeps(pod int) {
	s.Helper()
	cluster.Eventually(s, 10*time.Second, func() error {
		if list := s.SQL(pod, "SHOW PROCESSLIST"); !strings.Contains(list, "User sleep") {
			return fmt.Errorf("nothing sleeps: %s", list)
		}
		return nil
	})
}

// Shell runs a script in a pod's database container.
func (s *Set) Shell(pod int, script string, args ...string) string {
	s.Helper()
	return s.Kubectl(append([]string{"exec", s.Pod(pod), "-c", s.Container, "--", "sh", "-c", script, "sh"}, args...)...)
}

// Signal stops servers' processes, or lets them go on: they hang as on a machine that has gone.
func (s *Set) Signal(name string, pods ...int) {
	s.Helper()
	for _, pod := range pods {
		s.Kubectl("exec", s.Pod(pod), "-c", s.Container, "--", "pkill", "-"+name, "-x", map[string]string{"mysql": "mysqld", "mariadb": "mariadbd"}[s.Container])
	}
}

// Topology is what the plugin reports of the set's servers.
func (s *Set) Topology(args ...string) v1alpha1.DatabaseTopology {
	s.Helper()
	report := cluster.Report[v1alpha1.DatabaseTopologyList](s.Namespace, append([]string{"mysql-topology", "sts/" + s.StatefulSet}, args...)...)
	if len(report.Items) != 1 {
		s.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0]
}

// Answering waits until so many servers of the set answer, and nothing above info is found about them.
func (s *Set) Answering(servers int) {
	s.Helper()
	cluster.Eventually(s, 2*time.Minute, func() error {
		t := s.Topology()
		answered := 0
		for _, server := range t.Servers {
			if server.Unreachable == "" {
				answered++
			}
		}
		for _, f := range t.Findings {
			if f.Severity != v1alpha1.SeverityInfo {
				return fmt.Errorf("findings\n%s", lines(t.Findings))
			}
		}
		if answered != servers || t.Replication == v1alpha1.ReplicationUnknown {
			return fmt.Errorf("%d servers answered, %s", answered, t.Replication)
		}
		return nil
	})
}

// Steps of faults.

func kubectl(line string) func(*Set) {
	return func(s *Set) { s.Helper(); s.Kubectl(strings.Fields(line)...) }
}

func apply(manifests string) func(*Set) {
	return func(s *Set) { s.Helper(); s.Apply(manifests) }
}

func sql(pod int, statements string) func(*Set) {
	return func(s *Set) { s.Helper(); s.SQL(pod, statements) }
}

func inTurn(steps ...func(*Set)) func(*Set) {
	return func(s *Set) {
		s.Helper()
		for _, step := range steps {
			step(s)
		}
	}
}

// background does something every few seconds until the test ends.
func (s *Set) background(again func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Second):
				again()
			}
		}
	}()
	s.Cleanup(func() { close(stop); <-done })
}

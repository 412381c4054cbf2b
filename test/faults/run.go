package faults

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// Run brings about every fault of a machine's beds. Faults that have namespaces of their own are tried at the same time in the lab;
// the node has one set of servers after the other, for it has two cores.
func Run(t *testing.T, machine Machine) {
	for _, bed := range Beds() {
		if bed.Machine == machine {
			t.Run(bed.Name, func(t *testing.T) {
				if machine == Lab {
					t.Parallel()
				}
				bed.run(t)
			})
		}
	}
}

func (b Bed) run(t *testing.T) {
	foreign := os.Getenv("E2E_KUBECONFIG") != ""
	if foreign && b.OwnCluster {
		t.Skip("LEFT OUT: it changes the cluster's nodes, its DNS or its firewall")
	}
	var shared *Set
	if b.New != nil {
		shared = &Set{Namespace: cluster.NewNamespace(t), bed: b}
		b.New(shared)
		shared.healthy()
	}
	broken := false
	for _, f := range b.Faults {
		if broken {
			t.Fatal("the set is as that fault has left it: those after it are not tried")
		}
		t.Run(f.Name, func(t *testing.T) {
			if !b.chosen(f, thisCommit()) {
				t.Skip("left to the run of another commit: make test-faults runs every row")
			}
			if f.late() {
				t.Skip("left out, because this run is to end: make test-faults runs every row")
			}
			if foreign && f.OwnCluster {
				t.Skip("LEFT OUT: it changes the cluster's nodes, its DNS or its firewall")
			}
			if shared == nil {
				if b.Machine == Lab {
					t.Parallel()
				}
				s := &Set{Namespace: cluster.NewNamespace(t), bed: b}
				s.try(f)
				s.NoDebugPods()
				return
			}
			s := shared.In(t)
			broken = true
			s.try(f)
			if f.Repair != nil {
				f.Repair(s)
				s.healthy()
				broken = false
			}
		})
	}
}

// try brings a fault about, and looks for what it must bring.
func (s *Set) try(f Fault) {
	s.Helper()
	for i, step := range f.steps() {
		if i > 0 {
			s.Logf("then, step %d", i)
		}
		if step.Do != nil {
			step.Do(s)
		}
		args := slices.Clone(step.Args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "=NS/", "="+s.NS+"/")
		}
		s.Finds(args, step.Want...)
		ofCheck := append(checkArgs(args), step.CheckArgs...)
		s.checks(step.Check, ofCheck...)
		if i == 0 && saves(f) && !s.Failed() {
			s.saved(f, args, ofCheck)
		}
		if step.Reads.Service != "" {
			s.reads(step.Reads)
		}
	}
}

// casesVariable names a folder in which the snapshots of all faults are kept, as golden cases are made of them.
const casesVariable = "DOIK_SAVE_CASES"

// saves reports whether a fault is tried with saved snapshots too: a third of them are, always the same.
func saves(f Fault) bool {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(f.Name))
	return hash.Sum32()%3 == 0 || os.Getenv(casesVariable) != ""
}

// saved saves what check and the command of the fault read, and has both analyzed again without the cluster.
func (s *Set) saved(f Fault, args, ofCheck []string) {
	s.Helper()
	s.keep(f, "check", cluster.Saved(s.Namespace, "check", append(s.target("check"), ofCheck...)...))
	if len(f.Want) > 0 && viewOf(f.Want[0].Code) != "check" {
		view := viewOf(f.Want[0].Code)
		s.keep(f, view, cluster.Saved(s.Namespace, view, append(s.target(view), args...)...))
	}
	if f.Reads.Service != "" {
		s.keep(f, "mysql-reads", cluster.Saved(s.Namespace, "mysql-reads", append([]string{"svc/" + f.Reads.Service}, f.Reads.Args...)...))
	}
}

// keep writes a snapshot to the folder for cases, if there is one.
func (s *Set) keep(f Fault, view, text string) {
	s.Helper()
	folder := os.Getenv(casesVariable)
	if folder == "" {
		return
	}
	folder = filepath.Join(folder, s.bed.Name, strings.ReplaceAll(f.Name, " ", "-"))
	err := os.MkdirAll(folder, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, view+".yaml"), []byte(text), 0o644)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// reads waits until mysql-reads has found what is expected, and nothing else above info.
func (s *Set) reads(reads Reads) {
	s.Helper()
	cluster.Eventually(s, 90*time.Second, func() error {
		var found []v1alpha1.Finding
		for _, item := range cluster.Report[v1alpha1.DatabaseReadsList](s.Namespace, append([]string{"mysql-reads", "svc/" + reads.Service}, reads.Args...)...).Items {
			found = append(found, item.Findings...)
		}
		for _, e := range reads.Want {
			if !slices.ContainsFunc(found, func(f v1alpha1.Finding) bool { return e.Matches(f, s.NS) }) {
				return fmt.Errorf("mysql-reads has no finding %+v among\n%s", e, lines(found))
			}
		}
		for _, f := range found {
			if f.Severity != v1alpha1.SeverityInfo && !slices.ContainsFunc(reads.Want, func(e Expect) bool { return e.Matches(f, s.NS) }) {
				return fmt.Errorf("mysql-reads has other findings than %+v:\n%s", reads.Want, lines(found))
			}
		}
		return nil
	})
}

// healthy waits until nothing above info is found.
func (s *Set) healthy() {
	s.Helper()
	if s.bed.Healthy != nil {
		s.bed.Healthy(s)
	}
	s.checks("")
}

// checkArgs are those arguments of another command that check has too.
func checkArgs(args []string) []string {
	others := []string{"--from", "--no-usage", "--retry-negative"}
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		return slices.ContainsFunc(others, func(other string) bool { return strings.HasPrefix(arg, other) })
	})
}

// checks waits until check finds exactly the codes.
func (s *Set) checks(want string, args ...string) {
	s.Helper()
	args = append(s.target("check"), args...)
	var seen []string
	err := cluster.Poll(2*time.Minute, func() error {
		got, report := Checked(s.Namespace, args...)
		if slices.Contains(strings.Split(want, " | "), got) {
			return nil
		}
		if len(seen) == 0 || seen[len(seen)-1] != got {
			seen = append(seen, got)
		}
		var messages []string
		for _, item := range report.Items {
			for _, f := range item.Findings {
				messages = append(messages, string(f.Code)+" "+f.Message)
			}
		}
		return fmt.Errorf("check found %q, want %q:\n%s", seen, want, strings.Join(messages, "\n"))
	})
	if err != nil {
		s.Errorf("%v", err)
	}
}

// Checked are the codes above info that kubectl doik check finds, each once, sorted, with those that they explain.
func Checked(n *cluster.Namespace, args ...string) (codes string, report *v1alpha1.HealthCheckList) {
	n.Helper()
	report = cluster.Report[v1alpha1.HealthCheckList](n, append([]string{"check"}, args...)...)
	var list []string
	for _, item := range report.Items {
		for _, f := range item.Findings {
			if f.Severity == v1alpha1.SeverityInfo {
				continue
			}
			word := string(f.Code)
			if len(f.Also) > 0 {
				word += fmt.Sprint(f.Also)
			}
			list = append(list, word)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " "), report
}

// Finds waits until the command of a subject, which the codes tell, has found all that is expected. It returns the findings.
func (s *Set) Finds(args []string, all ...Expect) []v1alpha1.Finding {
	s.Helper()
	var found []v1alpha1.Finding
	cluster.Eventually(s, 90*time.Second, func() error {
		views := map[string][]v1alpha1.Finding{}
		for _, e := range all {
			view := viewOf(e.Code)
			if views[view] == nil {
				views[view] = s.findings(view, args)
				found = append(found, views[view]...)
			}
			if !slices.ContainsFunc(views[view], func(f v1alpha1.Finding) bool { return e.Matches(f, s.NS) }) {
				return fmt.Errorf("%s has no finding %+v among\n%s", view, e, lines(views[view]))
			}
		}
		return nil
	})
	return found
}

// viewOf is the command that finds a code.
func viewOf(code v1alpha1.Code) string {
	for prefix, view := range map[string]string{"STS": "sts-status", "VOL": "volumes", "DNS": "dns", "NODE": "nodes", "MYSQL": "mysql-topology", "PG": "postgres-topology", "CHECK": "check"} {
		if strings.HasPrefix(string(code), prefix) {
			return view
		}
	}
	panic("no command finds " + code)
}

// findings are all that a command finds about the set.
func (s *Set) findings(view string, args []string) []v1alpha1.Finding {
	s.Helper()
	args = append(append([]string{view}, s.target(view)...), args...)
	found := []v1alpha1.Finding{}
	switch view {
	case "sts-status":
		for _, item := range cluster.Report[v1alpha1.SetStatusList](s.Namespace, args...).Items {
			found = append(found, item.Findings...)
		}
	case "volumes":
		found = append(found, cluster.Report[v1alpha1.VolumeStatusList](s.Namespace, args...).Findings...)
	case "dns":
		report := cluster.Report[v1alpha1.HeadlessDNSList](s.Namespace, args...)
		found = append(found, report.Findings...)
		for _, item := range report.Items {
			found = append(found, item.Findings...)
		}
	case "nodes":
		report := cluster.Report[v1alpha1.NodeCapacityList](s.Namespace, args...)
		found = append(found, report.Findings...)
		for _, item := range report.Items {
			found = append(found, item.Findings...)
		}
	case "mysql-topology", "postgres-topology":
		for _, item := range cluster.Report[v1alpha1.DatabaseTopologyList](s.Namespace, args...).Items {
			found = append(found, item.Findings...)
		}
	case "check":
		for _, item := range cluster.Report[v1alpha1.HealthCheckList](s.Namespace, args...).Items {
			for _, f := range item.Findings {
				found = append(found, f.Finding)
			}
		}
	}
	return found
}

// lines prints findings, one a line.
func lines(findings []v1alpha1.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s %v %s\n", f.Severity, f.Code, f.Objects, f.Message)
	}
	return b.String()
}

// Package faults is the table of what can go wrong: how each fault is brought about on real servers, pods, volumes and nodes, what
// the command of its subject finds then, with its evidence, and exactly which codes kubectl doik check finds. Its rows are files of
// this package, one for each subject; test/e2e runs those that need the real node, test/integration those that need many
// (simulated) nodes, and a test of this package that no code of a finding is without a row.
package faults

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Machine is where a bed stands.
type Machine string

const (
	// Node is test/node: one real node with real DNS, MySQL and MariaDB.
	Node Machine = "node"
	// Lab is test/lab: the real control plane with as many simulated nodes as one likes.
	Lab Machine = "lab"
)

// Bed is what faults are brought about on.
type Bed struct {
	Name    string
	Machine Machine
	// OwnCluster says that faults change nodes, the cluster's DNS or its firewall: on a foreign cluster they are left out.
	OwnCluster bool
	// New makes a healthy set, in a namespace of its own. Its faults are brought about in turn, each after the one before has been
	// repaired. Without it each fault has a namespace of its own, makes what it needs in it, and need not be repaired.
	New func(s *Set)
	// Healthy waits until the set is healthy again, as far as check can't tell.
	Healthy func(s *Set)
	Faults  []Fault
}

// Fault is something that goes wrong with a set, and how it is repaired. The fields up to Check are its first step.
type Fault struct {
	Name string
	// Always marks the rows that no run leaves out: one of each kind of fault and one of each bed.
	Always bool
	Inject func(s *Set)
	// Args are arguments of the command that tells, and those of them that check knows are check's too. NS stands for the namespace
	// in "=NS/".
	Args []string
	// CheckArgs are check's alone.
	CheckArgs []string
	// Want are findings of that command, which the first code tells: sts-status, dns, nodes or mysql-topology.
	Want []Expect
	// Check are the codes above info that check is to find, sorted, each once, with those that it explains: "DNS001[STS020] STS003".
	// Of what does not last, several such states can be named, with " | " between them: one of them must be seen.
	Check string
	// Reads are what mysql-reads finds.
	Reads Reads
	// Then is what becomes of it.
	Then   []Step
	Repair func(s *Set)
	// OwnCluster is Bed.OwnCluster of this fault alone.
	OwnCluster bool
}

// Step is a stage of a fault: what happens, and what is found then.
type Step struct {
	Do              func(s *Set)
	Args, CheckArgs []string
	Want            []Expect
	Check           string
	Reads           Reads
}

// Reads are findings of mysql-reads about a Service, and all of them above info: what it says of a server's state must be what mysql-topology
// says. Without a Service it is not asked.
type Reads struct {
	Service string
	// Args are further arguments of mysql-reads.
	Args []string
	Want []Expect
}

// steps are all stages of a fault.
func (f Fault) steps() []Step {
	return append([]Step{{Do: f.Inject, Args: f.Args, CheckArgs: f.CheckArgs, Want: f.Want, Check: f.Check, Reads: f.Reads}}, f.Then...)
}

// Expect is a finding that a fault must bring: its object as kind/name, if it matters, and words of its message and remedy, between
// which something else may stand where "…" does.
type Expect struct {
	Code     v1alpha1.Code
	Severity v1alpha1.Severity
	Object   string
	Words    string
	// Evidence is what the evidence of a statement must have, as column=value.
	Evidence string
}

const (
	info     = v1alpha1.SeverityInfo
	warning  = v1alpha1.SeverityWarning
	bad      = v1alpha1.SeverityError
	critical = v1alpha1.SeverityCritical
)

// namespaced are the places of an expectation in which NS stands for the namespace: NS/web-0, -n NS, and names that begin with NS-.
var namespaced = regexp.MustCompile(`\bNS\b`)

// Matches says whether a finding is what is expected.
func (e Expect) Matches(f v1alpha1.Finding, namespace string) bool {
	full := func(text string) string { return namespaced.ReplaceAllString(text, namespace) }
	if f.Code != e.Code || f.Severity != e.Severity || e.Object != "" && !isAbout(f, full(e.Object), namespace) {
		return false
	}
	rest := f.Message + " → " + cmp.Or(f.Remedy.Command, f.Remedy.Explain)
	for words := range strings.SplitSeq(full(e.Words), "…") {
		_, after, ok := strings.Cut(rest, words)
		if !ok {
			return false
		}
		rest = after
	}
	column, value, _ := strings.Cut(e.Evidence, "=")
	return e.Evidence == "" || slices.ContainsFunc(f.Evidence, func(v v1alpha1.Evidence) bool { return v.Query != "" && v.Values[column] == value })
}

// isAbout reports whether an object is among a finding's: kind/name of the namespace, or kind/namespace/name.
func isAbout(f v1alpha1.Finding, object, namespace string) bool {
	return slices.Contains(finding.Objects(f.Objects, namespace), object) || slices.Contains(finding.Objects(f.Objects, ""), object)
}

// Beds are all beds, and so all faults.
func Beds() []Bed {
	return []Bed{web, names, nameServers, mySQL, mySQLClients, mySQLErrors, lookalikes, frozen, moco, mariaDB, unrelated, versions, group, galera, containers, mariaDBOperator, postgres, cnpgOnNode, namesInLab, pods, startless, volumes, claims, relations, sets, nodes, places, taints}
}

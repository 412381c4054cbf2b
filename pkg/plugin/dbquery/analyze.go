package dbquery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Analyze puts the answers together: sets by namespace and name, servers by ordinal, and marks the rows that not all have.
func Analyze(engines dbserver.Engines, s *Snapshot) *v1alpha1.DatabaseQueryList {
	report := &v1alpha1.DatabaseQueryList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindDatabaseQueryList}, Items: []v1alpha1.DatabaseQuery{},
	}
	servers := slices.Clone(s.Servers)
	slices.SortFunc(servers, func(a, b ServerSnapshot) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(dbserver.SetName(a.Group), dbserver.SetName(b.Group)), cmp.Compare(a.Group, b.Group), objects.CompareNames(a.Pod, b.Pod))
	})
	for len(servers) > 0 {
		n := 1
		for n < len(servers) && servers[n].Namespace == servers[0].Namespace && servers[n].Group == servers[0].Group {
			n++
		}
		report.Items = append(report.Items, analyzeSet(engines, s, servers[:n]))
		report.Problems = append(report.Problems, problems(servers[:n])...)
		servers = servers[n:]
	}
	conclude(s, report)
	return report
}

// problems are the servers that did not answer, each cause once.
func problems(servers []ServerSnapshot) []v1alpha1.Problem {
	var failures []dbserver.Failure
	for _, s := range servers {
		if s.Failure != nil {
			failures = append(failures, dbserver.Failure{Pod: s.Pod, Problem: *s.Failure, Cause: s.Cause})
		}
	}
	return dbserver.Alike(failures)
}

// Findings are those of all sets.
func Findings(report *v1alpha1.DatabaseQueryList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// Answered counts the servers that answered, with rows or with an error.
func Answered(report *v1alpha1.DatabaseQueryList) int {
	n := 0
	for i := range report.Items {
		for _, s := range report.Items[i].Servers {
			if s.Answered {
				n++
			}
		}
	}
	return n
}

func analyzeSet(engines dbserver.Engines, snapshot *Snapshot, servers []ServerSnapshot) v1alpha1.DatabaseQuery {
	item := v1alpha1.DatabaseQuery{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindDatabaseQuery},
		Metadata: v1alpha1.ObjectMeta{Namespace: servers[0].Namespace, Name: dbserver.SetName(servers[0].Group)}, Statement: snapshot.Statement,
	}
	item.Owner = finding.Owner(servers[0].Group, servers[0].Namespace)
	rows := make([][][]*string, len(servers))
	counts := make([]map[string]int, len(servers)) // nil for a server that did not answer
	cut := slices.ContainsFunc(servers, func(s ServerSnapshot) bool { return len(s.Rows) > snapshot.MaxRows })
	for i, s := range servers {
		rows[i] = s.Rows[:min(len(s.Rows), snapshot.MaxRows)]
		if s.Failure == nil {
			counts[i] = map[string]int{}
			for _, row := range rows[i] {
				counts[i][key(row)]++
			}
			if s.Error != "" {
				counts[i][errorKey(s.Error)]++
			}
		}
	}
	var differ []string
	for i, s := range servers {
		a := v1alpha1.DatabaseQueryAnswer{Pod: s.Pod, Via: v1alpha1.Via(s.Via), Columns: s.Columns, Answered: s.Failure == nil, Error: s.Error, Cut: len(s.Rows) > snapshot.MaxRows}
		if s.Failure != nil {
			a.Error = s.Failure.Message
		}
		different := s.Error != "" && !cut && !common(counts, counts[i], errorKey(s.Error))
		for _, row := range rows[i] {
			r := v1alpha1.DatabaseQueryRow{Values: row, Differs: !cut && !common(counts, counts[i], key(row))}
			different = different || r.Differs
			a.Rows = append(a.Rows, r)
		}
		if different || !cut && lacks(counts, counts[i]) {
			differ = append(differ, s.Pod)
		}
		item.Servers = append(item.Servers, a)
	}
	if !cut { // of a part of the rows nothing can be told: each server chooses it
		same := len(differ) == 0
		item.Same = &same
	}
	if len(differ) > 0 {
		item.Findings = append(item.Findings, finding.New(finding.RuleRowsDiffer.Code(family(engines, servers[0].Engine)), v1alpha1.SeverityInfo, podObjects(differ), "",
			"the servers don't all return the same rows: see the rows marked for %s", finding.Some(differ)))
	}
	finding.In(item.Metadata.Namespace, item.Findings)
	return item
}

// common reports whether every server that answered has a row as often as one does.
func common(all []map[string]int, one map[string]int, row string) bool {
	for _, other := range all {
		if other != nil && other[row] != one[row] {
			return false
		}
	}
	return true
}

// lacks reports whether a server lacks a row that another has.
func lacks(all []map[string]int, one map[string]int) bool {
	if one == nil {
		return false
	}
	for _, other := range all {
		for row, n := range other {
			if one[row] < n {
				return true
			}
		}
	}
	return false
}

// errorKey stands for an error among the rows of others.
func errorKey(text string) string { return "E" + text }

// key is the same for rows that are equal; a NULL is not an empty text.
func key(row []*string) string {
	var b strings.Builder
	for _, value := range row {
		if value == nil {
			b.WriteString("N,")
			continue
		}
		fmt.Fprintf(&b, "%d:%s,", len(*value), *value)
	}
	return b.String()
}

func podObjects(pods []string) []string {
	list := make([]string, len(pods))
	for i, pod := range pods {
		list[i] = "pod/" + pod
	}
	return list
}

// family is that of an engine's codes, by its name; that of the first without one.
func family(engines dbserver.Engines, name string) string {
	for _, e := range engines {
		if e.Name == name {
			return e.Family
		}
	}
	return engines[0].Family
}

package mysqltopology

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
)

// What is analyzed: servers in their places, their links to sources, and sets of them.
type (
	server  = replication.Server
	channel = replication.Link
	set     = replication.Set
)

// Analyze turns a snapshot into the report: sets by namespace and name, their servers as a tree, findings the worst first.
func Analyze(s *Snapshot, now time.Time) *v1alpha1.MySQLTopologyList {
	report := &v1alpha1.MySQLTopologyList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindMySQLTopologyList},
		Items:    []v1alpha1.MySQLTopology{},
	}
	x := &index{Snapshot: s, Graph: replication.NewGraph(s.Pods, s.Servers, s.Services, now), now: now}
	for _, set := range x.Sets {
		report.Items = append(report.Items, x.analyzeSet(set))
	}
	conclude(report)
	report.Problems = x.problems()
	return report
}

// Findings are those of all sets.
func Findings(report *v1alpha1.MySQLTopologyList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// index is what analysis looks things up in.
type index struct {
	*Snapshot
	*replication.Graph
	now time.Time
}

func (x *index) analyzeSet(set *set) v1alpha1.MySQLTopology {
	t := v1alpha1.MySQLTopology{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindMySQLTopology},
		Metadata: v1alpha1.ObjectMeta{Namespace: set.Namespace, Name: set.Name()},
		Flavour:  flavourOf(set.Servers[0]), Replication: set.Replication(),
	}
	if strings.Contains(set.Group, "/") {
		t.Owner = set.Group
	}
	for _, placed := range set.Tree() {
		t.Servers = append(t.Servers, x.describe(placed))
	}
	t.Services = x.servicesOf(set)
	t.Findings = x.findings(set, &t)
	x.judge(set, &t)
	return t
}

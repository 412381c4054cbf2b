package dbtopology

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// What is analyzed: servers in their places, their links to sources, and sets of them.
type (
	server  = dbstate.Server
	channel = dbstate.Link
	set     = dbstate.Set
)

// Analyze turns a snapshot into the report: sets by namespace and name, their servers as a tree, findings the worst first. Own are labels of
// nodes that mean something in this cluster.
func Analyze(engines []*Engine, s *Snapshot, now time.Time, own ...capacity.OwnLabel) *v1alpha1.DatabaseTopologyList {
	report := &v1alpha1.DatabaseTopologyList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindDatabaseTopologyList},
		Items:    []v1alpha1.DatabaseTopology{},
	}
	var problems []v1alpha1.Problem
	for _, e := range engines {
		x := &index{Snapshot: s, Graph: e.Graph(s.Pods, s.Servers, s.Services, now), now: now, own: own}
		for _, set := range x.Sets {
			report.Items = append(report.Items, x.analyzeSet(e, set))
		}
		problems = append(problems, x.problems(e)...)
	}
	slices.SortStableFunc(report.Items, func(a, b v1alpha1.DatabaseTopology) int {
		return cmp.Or(cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), objects.CompareNames(a.Metadata.Name, b.Metadata.Name))
	})
	conclude(report)
	report.Problems = append(s.unread(), problems...)
	return report
}

// Findings are those of all sets.
func Findings(report *v1alpha1.DatabaseTopologyList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// index is what analysis looks things up in.
type index struct {
	*Snapshot
	*dbstate.Graph // of one engine's servers
	now            time.Time
	own            []capacity.OwnLabel
}

// classOf is what a node's labels tell.
func (x *index) classOf(node *corev1.Node) v1alpha1.NodeClass {
	return capacity.Classify(node, x.own...)
}

func (x *index) analyzeSet(e *Engine, set *set) v1alpha1.DatabaseTopology {
	t := v1alpha1.DatabaseTopology{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindDatabaseTopology},
		Metadata: v1alpha1.ObjectMeta{Namespace: set.Namespace, Name: set.Name()},
		Flavour:  flavourOf(set.Servers[0]), Replication: e.Replication(set), Engine: e.Name, Owner: finding.Owner(set.Group, set.Namespace),
	}
	for _, placed := range set.Tree() {
		t.Servers = append(t.Servers, x.describe(e, placed))
	}
	t.Services = x.servicesOf(set)
	t.Findings = finding.In(set.Namespace, x.findings(e, set, &t))
	x.judge(e, set, &t)
	return t
}

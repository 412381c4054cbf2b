package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/volumes"
)

// Analyze lets the parts analyze what they collected, joins their findings by what they are about, and adds those that show only
// where the parts are laid over each other.
func Analyze(s *Snapshot, selection Selection, now time.Time) *v1alpha1.HealthCheckList {
	x := newIndex(s, selection.OwnLabels, now)
	x.join()
	x.across()
	ignored, problems := newIgnores(s)
	report := &v1alpha1.HealthCheckList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindHealthCheckList},
		Items:    []v1alpha1.HealthCheck{},
	}
	for _, i := range x.items {
		x.gaps(i)
		i.leaveOut(selection)
		i.settle(selection, ignored)
		i.judge()
		if i.set != nil || len(i.Findings)+len(i.Ignored) > 0 || i.Subject == v1alpha1.SubjectServers || i.Subject == v1alpha1.SubjectVolumes {
			report.Items = append(report.Items, i.HealthCheck)
		}
	}
	slices.SortStableFunc(report.Items, func(a, b v1alpha1.HealthCheck) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), cmp.Compare(a.Metadata.Name, b.Metadata.Name))
	})
	conclude(report)
	report.Summary = summarize(report)
	report.Summary.Claims = x.freeClaims()
	report.Problems = append(x.problems(), problems...)
	return report
}

// rank puts StatefulSets first and the cluster last.
func rank(c *v1alpha1.HealthCheck) int {
	order := [...]v1alpha1.CheckSubject{v1alpha1.SubjectStatefulSet, v1alpha1.SubjectSet, v1alpha1.SubjectServers, v1alpha1.SubjectService, v1alpha1.SubjectVolumes, v1alpha1.SubjectCluster}
	return slices.Index(order[:], c.Subject)
}

// Findings are those of all items that are not ignored, each once.
func Findings(report *v1alpha1.HealthCheckList) []v1alpha1.Finding {
	return distinct(report, func(c *v1alpha1.HealthCheck) []v1alpha1.Finding {
		list := make([]v1alpha1.Finding, len(c.Findings))
		for i := range c.Findings {
			list[i] = c.Findings[i].Finding
		}
		return list
	})
}

// distinct are findings of all items, each once: that of a node is in those of all sets that have pods on it.
func distinct(report *v1alpha1.HealthCheckList, of func(*v1alpha1.HealthCheck) []v1alpha1.Finding) []v1alpha1.Finding {
	type one struct {
		code          v1alpha1.Code
		message, item string
	}
	var list []v1alpha1.Finding
	seen := map[one]bool{}
	for i := range report.Items {
		item := &report.Items[i]
		for _, f := range of(item) {
			key := one{code: f.Code, message: f.Message}
			if finding.Family(f.Code) != familyNodes && f.Code != v1alpha1.CodeNodeDiskFilling && f.Code != v1alpha1.CodeNodeDiskFull { // a sentence about web-0 is another one in another namespace
				key.item = string(item.Subject) + "/" + item.Metadata.Namespace + "/" + item.Metadata.Name
			}
			if !seen[key] {
				list = append(list, f)
			}
			seen[key] = true
		}
	}
	return list
}

// Empty reports whether there is nothing to check.
func Empty(report *v1alpha1.HealthCheckList) bool {
	return !slices.ContainsFunc(report.Items, func(c v1alpha1.HealthCheck) bool { return c.Subject != v1alpha1.SubjectCluster })
}

// summarize counts sets and findings.
func summarize(report *v1alpha1.HealthCheckList) v1alpha1.CheckSummary {
	sum := v1alpha1.CheckSummary{Findings: map[v1alpha1.Severity]int32{}}
	for _, f := range Findings(report) {
		if !f.Progressing {
			sum.Findings[f.Severity]++
		}
	}
	for i := range report.Items {
		item := &report.Items[i]
		if item.Controller != nil {
			sum.Sets++
			switch item.Health {
			case v1alpha1.HealthOK:
				sum.Healthy++
			case v1alpha1.HealthProgressing:
				sum.Progressing++
			case v1alpha1.HealthUnknown:
				sum.Unknown++
			}
		}
		sum.Ignored += int32(len(item.Ignored))
	}
	return sum
}

// item is what becomes an item of the report.
type item struct {
	v1alpha1.HealthCheck
	set        *v1alpha1.SetStatus
	topologies []*v1alpha1.DatabaseTopology
	found      []v1alpha1.CheckFinding
}

func (i *item) add(list ...v1alpha1.Finding) {
	for _, f := range list {
		i.found = append(i.found, v1alpha1.CheckFinding{Finding: f})
	}
}

// settle keeps the findings that count, sets aside those that are suppressed, and leaves out those that others explain.
func (i *item) settle(selection Selection, ignored ignores) {
	for _, f := range i.found {
		if !selection.selects(f.Code) {
			continue
		}
		if by := ignored.of(&i.HealthCheck, &f.Finding); by != nil {
			i.Ignored = append(i.Ignored, v1alpha1.IgnoredFinding{Finding: f.Finding, By: finding.Located(finding.Ref(by.by), i.Metadata.Namespace), IgnoreReason: by.reason})
			continue
		}
		i.Findings = append(i.Findings, f)
	}
	i.Findings = explained(i.Findings)
	slices.SortStableFunc(i.Findings, func(a, b v1alpha1.CheckFinding) int { return finding.Compare(a.Finding, b.Finding) })
	slices.SortStableFunc(i.Ignored, func(a, b v1alpha1.IgnoredFinding) int { return finding.Compare(a.Finding, b.Finding) })
	if len(i.Findings) > 0 {
		i.Severity = i.Findings[0].Severity
	}
}

// index finds items by what findings are about.
type index struct {
	*Snapshot
	sets    *v1alpha1.SetStatusList
	volumes *v1alpha1.VolumeStatusList
	dns     *v1alpha1.HeadlessDNSList
	nodes   *v1alpha1.NodeCapacityList
	servers *v1alpha1.DatabaseTopologyList

	items []*item
	// bySet is by kind/namespace/name, byPod and byClaim by namespace/name; onNode are those with pods on a node.
	bySet, byPod, byClaim map[string]*item
	onNode                map[string][]*item
	byNode                map[string]*v1alpha1.NodeCapacity
	// room tells where else pods could be; nil without nodes.
	room    *nodes.Room
	cluster *item
}

func newIndex(s *Snapshot, own []capacity.OwnLabel, now time.Time) *index {
	x := &index{
		Snapshot: s, bySet: map[string]*item{}, byPod: map[string]*item{}, byClaim: map[string]*item{}, onNode: map[string][]*item{},
		byNode: map[string]*v1alpha1.NodeCapacity{},
	}
	x.sets = stsstatus.Analyze(s.Sets, now)
	if s.Volumes != nil {
		x.volumes = volumes.Analyze(s.Volumes, volumes.Selection{}, now)
	}
	if s.DNS != nil {
		x.dns = dns.Analyze(s.DNS, now)
	}
	if s.Nodes != nil {
		x.nodes = nodes.Analyze(s.Nodes, nodes.Selection{OwnLabels: own}, now)
		x.room = nodes.NewRoom(s.Nodes, own)
	}
	if s.Servers != nil {
		x.servers = dbtopology.Analyze(engines.Topologies(), s.Servers, now, own...)
	}
	x.cluster = x.newItem(v1alpha1.SubjectCluster, v1alpha1.ObjectMeta{})
	for i := range x.sets.Items {
		x.addSet(&x.sets.Items[i])
	}
	if x.nodes != nil {
		for i := range x.nodes.Items {
			x.byNode[x.nodes.Items[i].Metadata.Name] = &x.nodes.Items[i]
		}
	}
	return x
}

func (x *index) newItem(subject v1alpha1.CheckSubject, meta v1alpha1.ObjectMeta) *item {
	i := &item{HealthCheck: v1alpha1.HealthCheck{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindHealthCheck}, Subject: subject, Metadata: meta,
	}}
	x.items = append(x.items, i)
	return i
}

func (x *index) addSet(set *v1alpha1.SetStatus) {
	subject := v1alpha1.SubjectSet
	if stsstatus.IsStatefulSet(&set.Controller) {
		subject = v1alpha1.SubjectStatefulSet
	}
	i := x.newItem(subject, set.Metadata)
	i.set, i.Controller, i.Replicas, i.Rollout = set, &set.Controller, &set.Replicas, &set.Rollout
	namespace := set.Metadata.Namespace + "/"
	x.bySet[set.Controller.Kind+"/"+namespace+set.Metadata.Name] = i
	for _, o := range set.Ordinals {
		x.byPod[namespace+o.PodName] = i
		for _, c := range o.Claims {
			x.byClaim[namespace+c.Name] = i
		}
		if o.Pod != nil && o.Pod.Node != "" && !slices.Contains(x.onNode[o.Pod.Node], i) {
			x.onNode[o.Pod.Node] = append(x.onNode[o.Pod.Node], i)
		}
	}
	i.Checked = slices.Clone(set.Checked)
}

// problems are those of all parts, each once.
func (x *index) problems() []v1alpha1.Problem {
	var list []v1alpha1.Problem
	add := func(problems ...v1alpha1.Problem) {
		for _, p := range problems {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(x.Problems)) {
		add(x.Problems[key])
	}
	add(x.sets.Problems...)
	if x.volumes != nil {
		add(x.volumes.Problems...)
	}
	if x.dns != nil {
		add(x.dns.Problems...)
	}
	if x.nodes != nil {
		add(x.nodes.Problems...)
	}
	if x.servers != nil {
		add(x.servers.Problems...)
	}
	return list
}

// Names are what -o name prints.
func Names(report *v1alpha1.HealthCheckList) []string {
	var list []string
	for i := range report.Items {
		if c := &report.Items[i]; c.Subject != v1alpha1.SubjectCluster && c.Subject != v1alpha1.SubjectVolumes {
			list = append(list, resourceOf(c)+"/"+c.Metadata.Name)
		}
	}
	return list
}

// resourceOf is how kubectl names the kind of an item.
func resourceOf(c *v1alpha1.HealthCheck) string {
	if c.Controller != nil {
		return stsstatus.ResourceOf(c.Controller)
	}
	return strings.ToLower(string(c.Subject))
}

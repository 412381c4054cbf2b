package nodes

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Pods shows a block for each node with its stateful pods, in place of a row.
	Pods bool
	// Usage shows the columns of disk usage.
	Usage bool
	// Show is which rows are shown.
	Show printers.Show
	// Now is the moment that ages are counted from.
	Now time.Time
}

// mostOfACode is how many findings of a code a table has: a large cluster has thousands that say the same.
const mostOfACode = 10

// A volume is filling and full from these percentages on.
const (
	fillingPercent = 80
	fullPercent    = 90
)

// Table lays a report out: the nodes, or their stateful pods, then what they sum up to and the findings.
func Table(report *v1alpha1.NodeCapacityList, v View) printers.Table {
	t := nodeTable(report, v)
	if v.Pods {
		t = podTable(report, v)
	}
	t.Below = []printers.Table{summaryTable(report)}
	return t
}

// RowKey tells rows apart: nodes by name; with Pods, pods by namespace, pod and claim.
func RowKey(v View) func(row []printers.Cell) string {
	columns := Table(&v1alpha1.NodeCapacityList{}, v).Columns
	return printers.RowKey(columns, "NAME", "NAMESPACE", "POD", "CLAIM")
}

// Names are what -o name prints.
func Names(report *v1alpha1.NodeCapacityList) []string {
	list := make([]string, len(report.Items))
	for i := range report.Items {
		list[i] = "node/" + report.Items[i].Metadata.Name
	}
	return list
}

type item = *v1alpha1.NodeCapacity

func nodeTable(report *v1alpha1.NodeCapacityList, v View) printers.Table {
	columns := printers.Columns[item]{
		printers.Narrow("NAME", func(n item) printers.Cell { return printers.Text(n.Metadata.Name) }).Dotted(),
		printers.Narrow("STATUS", status).Shrinks(printers.Cut),
		printers.Narrow("CAPACITYTYPE", capacityType),
		printers.Wide("PLATFORM", func(n item) printers.Cell { return known(n.Class.Platform) }),
		printers.Narrow("OWNER", func(n item) printers.Cell { return orNone(capacity.Describe(n.Class.Owner)) }).GivesWay(2),
		printers.Wide("COMPUTE", func(n item) printers.Cell { return known(string(n.Class.ComputeType)) }),
		printers.Wide("INSTANCE", func(n item) printers.Cell { return orNone(n.Class.InstanceType) }),
		osColumn(report),
		printers.Wide("ARCH", func(n item) printers.Cell { return orNone(n.Class.Architecture) }),
		printers.Narrow("ZONE", func(n item) printers.Cell { return orNone(n.Class.Zone) }).GivesWay(1),
		printers.Wide("VERSION", func(n item) printers.Cell { return orNone(n.KubeletVersion) }),
		printers.Wide("PODS", func(n item) printers.Cell {
			return count(n.Pods, func(p *v1alpha1.NodePods) int32 { return p.Total })
		}),
		printers.Narrow("STATEFUL", stateful),
		printers.Wide("EVIDENCE", evidence),
		printers.Wide("CPU", func(n item) printers.Cell { return load(n, n.CPU, (*resource.Quantity).String) }),
		printers.Wide("MEMORY", func(n item) printers.Cell {
			return load(n, n.Memory, func(q *resource.Quantity) string { return printers.Bytes(q.Value()) })
		}),
		printers.Wide("VOLUMES", volumes),
		printers.Wide("IP", func(n item) printers.Cell { return orNone(n.InternalIP) }),
		printers.Wide("PROVIDER-ID", func(n item) printers.Cell { return orNone(n.ProviderID) }),
		printers.Narrow("AGE", func(n item) printers.Cell { return age(n.Metadata.CreationTimestamp, v.Now) }).GivesWay(3),
	}
	block := printers.Block{Rows: make([][]printers.Cell, 0, len(report.Items))}
	troubled := finding.TroubledBy(Findings(report))
	for i := range report.Items {
		n := &report.Items[i]
		block.Add(v.Show, fine(n, troubled), columns.Cells(n))
	}
	return printers.Table{Columns: columns.Heads(), Blocks: []printers.Block{block}}
}

// fine reports whether nothing is wrong with a node, as far as it was seen.
func fine(n item, troubled finding.Troubled) bool {
	return capacity.Usable(n) && len(n.Pressures) == 0 && n.Pods != nil && !troubled.Has("Node", "", n.Metadata.Name)
}

// finePod reports whether nothing is wrong with a pod and its claim, as far as it was seen.
func finePod(r podRow, usage bool, troubled finding.Troubled) bool {
	if c := r.claim; c != nil {
		if troubled.Has("PersistentVolumeClaim", r.pod.Namespace, c.Name) || usage && usedPercent(r).Level != printers.Plain && c.Usage != nil && c.Usage.UsedPercent != nil || usage && c.UsageUnknown != "" {
			return false
		}
	}
	return r.pod.ContainersReady == r.pod.Containers && !troubled.Has("Pod", r.pod.Namespace, r.pod.Name)
}

// podRow is a stateful pod and one of its claims, which is nil if it has none.
type podRow struct {
	node  string
	pod   *v1alpha1.StatefulPod
	claim *v1alpha1.PodClaim
}

func podTable(report *v1alpha1.NodeCapacityList, v View) printers.Table {
	columns := printers.Columns[podRow]{
		printers.Narrow("NAMESPACE", func(r podRow) printers.Cell { return printers.Text(r.pod.Namespace) }),
		printers.Narrow("POD", func(r podRow) printers.Cell { return printers.Text(r.pod.Name) }),
		printers.Narrow("READY", ready),
		printers.Narrow("SET", func(r podRow) printers.Cell {
			if r.pod.Controller == nil {
				return orNone("")
			}
			return printers.Text(r.pod.Controller.Kind + "/" + r.pod.Controller.Name)
		}).GivesWay(1),
		printers.Narrow("ORDINAL", func(r podRow) printers.Cell {
			if r.pod.Ordinal == nil {
				return printers.None
			}
			return printers.Text(fmt.Sprint(*r.pod.Ordinal))
		}).GivesWay(4),
		printers.Narrow("CLAIM", func(r podRow) printers.Cell {
			if r.claim == nil {
				return orNone("")
			}
			return printers.Text(r.claim.Name)
		}),
	}
	if v.Usage {
		columns = append(columns, printers.Narrow("USED", used).GivesWay(3), printers.Narrow("USE%", usedPercent))
	}
	columns = append(columns,
		printers.Wide("NODE", func(r podRow) printers.Cell { return printers.Text(r.node) }), // --sort-by takes rows from under their headings
		printers.Narrow("AGE", func(r podRow) printers.Cell { return age(r.pod.CreationTimestamp, v.Now) }).GivesWay(2))
	t := printers.Table{Columns: columns.Heads(), Blocks: make([]printers.Block, 0, len(report.Items))}
	troubled := finding.TroubledBy(Findings(report))
	for i := range report.Items {
		n := &report.Items[i]
		block := printers.Block{Heading: heading(n)}
		add := func(r podRow) { block.Add(v.Show, finePod(r, v.Usage, troubled), columns.Cells(r)) }
		for j := range n.StatefulPods {
			pod := &n.StatefulPods[j]
			if len(pod.Claims) == 0 {
				add(podRow{node: n.Metadata.Name, pod: pod})
			}
			for k := range pod.Claims {
				add(podRow{node: n.Metadata.Name, pod: pod, claim: &pod.Claims[k]})
			}
		}
		if v.Show == printers.ShowProblems && len(block.Rows)+block.LeftOut == 0 && fine(n, troubled) {
			continue // its heading has no rows to stand above
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// heading is a node above its pods.
func heading(n item) []printers.Cell {
	list := []printers.Cell{printers.Text(n.Metadata.Name), status(n), capacityType(n)}
	os := ""
	if otherOS(n) {
		os = n.Class.OS
	}
	for _, text := range []string{capacity.Describe(n.Class.Owner), n.Class.InstanceType, os, n.Class.Zone} {
		if text != "" {
			list = append(list, printers.Text(text))
		}
	}
	switch {
	case n.Pods == nil:
		return append(list, printers.Cell{Text: "pods unknown", Level: printers.Warn})
	case n.Pods.Total == 0:
		return append(list, printers.Cell{Text: "no pods", Level: printers.Dim})
	case n.Pods.Stateful == 0:
		return append(list, printers.Cell{Text: plural(n.Pods.Total, "pod") + ", none stateful", Level: printers.Dim})
	}
	return append(list, printers.Text(fmt.Sprintf("%s, %d stateful", plural(n.Pods.Total, "pod"), n.Pods.Stateful)))
}

// sumRow is a line of the summary.
type sumRow struct {
	by string
	*v1alpha1.NodeSum
}

func summaryTable(report *v1alpha1.NodeCapacityList) printers.Table {
	total := report.Summary.Total.Pods
	columns := printers.Columns[sumRow]{
		printers.Narrow("BY", func(r sumRow) printers.Cell { return printers.Text(r.by) }),
		printers.Narrow("GROUP", func(r sumRow) printers.Cell { return orNone(r.Name) }),
		printers.Narrow("NODES", func(r sumRow) printers.Cell { return printers.Text(fmt.Sprint(r.Nodes)) }),
		printers.Narrow("READY", func(r sumRow) printers.Cell {
			c := printers.Text(fmt.Sprint(r.Ready))
			if r.Ready < r.Nodes {
				c.Level = printers.Alarm
			}
			return c
		}),
		printers.Narrow("VCPU", func(r sumRow) printers.Cell { return printers.Text(cores(&r.CPU)) }).GivesWay(2),
		printers.Narrow("MEMORY", func(r sumRow) printers.Cell { return printers.Text(printers.Bytes(r.Memory.Value())) }).GivesWay(2),
		printers.Narrow("PODS", func(r sumRow) printers.Cell {
			return count(r.Pods, func(p *v1alpha1.NodePods) int32 { return p.Total })
		}).GivesWay(1),
		printers.Narrow("STATEFUL", func(r sumRow) printers.Cell { return share(r.Pods, total) }),
	}
	block := printers.Block{Heading: summaryLine(&report.Summary), Findings: few(finding.Join(Findings(report)))}
	s := &report.Summary
	for _, group := range []struct {
		by   string
		sums []v1alpha1.NodeSum
	}{{"capacity", s.ByCapacityType}, {"zone", s.ByZone}, {"owner", s.ByOwner}} {
		for i := range group.sums {
			block.Rows = append(block.Rows, columns.Cells(sumRow{by: group.by, NodeSum: &group.sums[i]}))
		}
	}
	return printers.Table{Columns: columns.Heads(), Blocks: []printers.Block{block}}
}

func summaryLine(s *v1alpha1.NodeSummary) []printers.Cell {
	list := []printers.Cell{
		printers.Text(plural(s.Total.Nodes, "node")), printers.Text(cores(&s.Total.CPU) + " vCPU"), printers.Text(printers.Bytes(s.Total.Memory.Value())),
	}
	switch p := s.Total.Pods; {
	case s.Total.Nodes == 0:
		return list
	case p == nil:
		return append(list, printers.Cell{Text: "pods unknown", Level: printers.Warn})
	case p.Stateful == 0:
		return append(list, printers.Text(plural(p.Total, "pod")+", none stateful"))
	default:
		onSpot := int32(0)
		if s.Interruptible.Pods != nil {
			onSpot = s.Interruptible.Pods.Stateful
		}
		c := printers.Text(fmt.Sprintf("%d of %s (%d%%) on interruptible capacity", onSpot, plural(p.Stateful, "stateful pod"), *s.InterruptiblePercent))
		if onSpot > 0 {
			c.Level = printers.Warn
		}
		list = append(list, printers.Text(plural(p.Total, "pod")), c)
		for _, sum := range s.ByCapacityType {
			if sum.Name == string(v1alpha1.CapacityUnknown) && sum.Pods != nil && sum.Pods.Stateful > 0 {
				list = append(list, printers.Cell{Text: fmt.Sprintf("%d on unknown capacity", sum.Pods.Stateful), Level: printers.Warn})
			}
		}
		return list
	}
}

// few keeps the first findings of each code and counts the others.
func few(findings []v1alpha1.Finding) []v1alpha1.Finding {
	total := map[v1alpha1.Code]int{}
	for _, f := range findings {
		total[f.Code]++
	}
	var list []v1alpha1.Finding
	shown := map[v1alpha1.Code]int{}
	for _, f := range findings {
		shown[f.Code]++
		switch n := shown[f.Code]; {
		case n <= mostOfACode:
			list = append(list, f)
		case n == total[f.Code]:
			list = append(list, finding.New(f.Code, f.Severity, nil, "see -o json for all", "and %d more like these", n-mostOfACode))
		}
	}
	return list
}

func capacityType(n item) printers.Cell {
	switch {
	case n.Class.CapacityType == v1alpha1.CapacityUnknown:
		return printers.Unknown
	case n.Class.Interruptible:
		return printers.Cell{Text: string(n.Class.CapacityType), Level: printers.Warn}
	}
	return printers.Text(string(n.Class.CapacityType))
}

// evidence is the deciding label, or why there is none, and the labels that say otherwise.
func evidence(n item) printers.Cell {
	c := printers.Text(n.Class.Evidence)
	if c.Text == "" {
		c = printers.Cell{Text: n.Class.UnknownReason, Level: printers.Dim}
	}
	if len(n.Class.Conflicts) > 0 {
		c = printers.Cell{Text: c.Text + ", not " + strings.Join(n.Class.Conflicts, ", "), Level: printers.Warn}
	}
	return c
}

func stateful(n item) printers.Cell {
	c := count(n.Pods, func(p *v1alpha1.NodePods) int32 { return p.Stateful })
	if n.Pods != nil && n.Pods.Stateful > 0 && n.Class.Interruptible {
		c.Level = printers.Warn
	}
	return c
}

func count(p *v1alpha1.NodePods, of func(*v1alpha1.NodePods) int32) printers.Cell {
	if p == nil {
		return printers.Unknown
	}
	return printers.Text(fmt.Sprint(of(p)))
}

// share is a number of stateful pods, and which part of all it is.
func share(p, total *v1alpha1.NodePods) printers.Cell {
	switch {
	case p == nil || total == nil:
		return printers.Unknown
	case total.Stateful == 0:
		return printers.Text("0")
	}
	return printers.Text(fmt.Sprintf("%d (%d%%)", p.Stateful, percent(p.Stateful, total.Stateful)))
}

// load is what pods ask for of what there is for them.
func load(n item, r v1alpha1.NodeResource, text func(*resource.Quantity) string) printers.Cell {
	switch {
	case r.Allocatable == nil:
		return orNone("")
	case n.Pods == nil:
		return printers.Unknown
	case r.Requested == nil || r.RequestedPercent == nil: // not all pods were read
		return printers.None
	}
	return printers.Text(fmt.Sprintf("%-4s %s %s/%s", fmt.Sprintf("%d%%", *r.RequestedPercent), printers.Bar(*r.RequestedPercent), text(r.Requested), text(r.Allocatable)))
}

// volumes is the driver that is nearest to its limit.
func volumes(n item) printers.Cell {
	if n.VolumesUnknown != "" {
		return printers.Unknown
	}
	var nearest *v1alpha1.AttachedVolumes
	for i := range n.Volumes {
		if v := &n.Volumes[i]; nearest == nil || v.Attached*nearest.Limit > nearest.Attached*v.Limit {
			nearest = v
		}
	}
	if nearest == nil {
		return printers.None
	}
	c := printers.Text(fmt.Sprintf("%d/%d", nearest.Attached, nearest.Limit))
	if nearest.Limit > 0 && nearest.Attached*100 >= nearest.Limit*attachedPercent {
		c.Level = printers.Warn
	}
	return c
}

func ready(r podRow) printers.Cell {
	c := printers.Text(fmt.Sprintf("%d/%d", r.pod.ContainersReady, r.pod.Containers))
	if r.pod.ContainersReady < r.pod.Containers {
		c.Level = printers.Alarm
	}
	return c
}

func used(r podRow) printers.Cell {
	switch c := r.claim; {
	case c == nil:
		return printers.None
	case c.Usage == nil:
		return printers.Unknown
	default:
		return printers.Text(printers.Bytes(c.Usage.UsedBytes))
	}
}

func usedPercent(r podRow) printers.Cell {
	if r.claim == nil || r.claim.Usage == nil || r.claim.Usage.UsedPercent == nil {
		return printers.None // the column before it says unknown, and elastic file systems have none
	}
	c := printers.Text(fmt.Sprintf("%d%%", *r.claim.Usage.UsedPercent))
	switch {
	case *r.claim.Usage.UsedPercent >= fullPercent:
		c.Level = printers.Alarm
	case *r.claim.Usage.UsedPercent >= fillingPercent:
		c.Level = printers.Warn
	}
	return c
}

// cores is a number of cores, which Fargate gives parts of.
func cores(q *resource.Quantity) string {
	return strconv.FormatFloat(float64(q.MilliValue())/1000, 'f', -1, 64)
}

func age(since metav1.Time, now time.Time) printers.Cell {
	if since.IsZero() {
		return printers.None
	}
	return printers.Text(duration.HumanDuration(now.Sub(since.Time)))
}

func known(text string) printers.Cell {
	if text == "unknown" {
		return printers.Unknown
	}
	return printers.Text(text)
}

func orNone(text string) printers.Cell {
	if text == "" {
		return printers.Cell{Text: "<none>", Level: printers.Dim}
	}
	return printers.Text(text)
}

func plural(n int32, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

package stsstatus

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Usage shows the columns of disk usage.
	Usage bool
	// Now is the moment that ages are counted from.
	Now time.Time
}

// row is what a line of the table is about: an ordinal and one of its claims, which is nil if it has none.
type row struct {
	set     *v1alpha1.StatefulSetStatus
	ordinal *v1alpha1.Ordinal
	claim   *v1alpha1.ClaimStatus
	now     time.Time
}

func columns(v View) printers.Columns[row] {
	all := printers.Columns[row]{
		printers.Narrow("POD", func(r row) printers.Cell { return printers.Text(r.ordinal.PodName) }),
		printers.Narrow("READY", ready),
		printers.Narrow("STATUS", podWord),
		printers.Narrow("RESTARTS", restarts),
		printers.Narrow("CLAIM", claimName),
		printers.Narrow("PHASE", claimPhase),
		printers.Narrow("CAPACITY", volumeSize),
	}
	if v.Namespaces {
		all = append(printers.Columns[row]{printers.Narrow("NAMESPACE", func(r row) printers.Cell { return printers.Text(r.set.Metadata.Namespace) })}, all...)
	}
	if v.Usage {
		all = append(all, printers.Narrow("USED", used), printers.Narrow("USE%", usedPercent))
	}
	return append(all,
		printers.Narrow("NODE", node),
		printers.Wide("VOLUME", claimText(func(c *v1alpha1.ClaimStatus) string { return c.Volume })),
		printers.Wide("STORAGECLASS", claimText(func(c *v1alpha1.ClaimStatus) string { return c.StorageClass })),
		printers.Wide("ACCESS", claimText(accessModes)),
		printers.Wide("RECLAIM", detail(func(d *v1alpha1.VolumeDetails) string { return string(d.ReclaimPolicy) })),
		printers.Wide("HANDLE", detail(func(d *v1alpha1.VolumeDetails) string { return d.Handle })),
		printers.Wide("REQUESTED", claimText(func(c *v1alpha1.ClaimStatus) string { return quantity(c.Requested) })),
		printers.Wide("FILESYSTEM", fileSystemSize),
		printers.Wide("INODES%", inodesPercent),
		printers.Wide("REATTACHED", reattached),
		printers.Wide("ZONE", nodeText(func(p *v1alpha1.PodStatus) string { return p.Zone })),
		printers.Wide("CAPACITYTYPE", nodeText(func(p *v1alpha1.PodStatus) string { return string(p.CapacityType) })),
		printers.Wide("IP", podText(func(p *v1alpha1.PodStatus) string { return p.IP })),
		printers.Wide("DNSNAME", podText(func(p *v1alpha1.PodStatus) string { return p.DNSName })),
		printers.Wide("REVISION", podText(func(p *v1alpha1.PodStatus) string { return p.Revision })),
		printers.Narrow("AGE", age),
	)
}

// Table lays a report out: a block for each set, a row for each ordinal and claim.
func Table(report *v1alpha1.StatefulSetStatusList, v View) printers.Table {
	cols := columns(v)
	t := printers.Table{Columns: cols.Heads(), Blocks: make([]printers.Block, 0, len(report.Items))}
	for i := range report.Items {
		set := &report.Items[i]
		block := printers.Block{Heading: heading(set, v), Findings: set.Findings}
		for j := range set.Ordinals {
			for _, r := range rowsOf(set, &set.Ordinals[j], v.Now) {
				block.Rows = append(block.Rows, cols.Cells(r))
			}
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// RowKey tells rows apart: by namespace, pod and claim.
func RowKey(v View) func(row []printers.Cell) string {
	return printers.RowKey(Table(&v1alpha1.StatefulSetStatusList{}, v).Columns, "NAMESPACE", "POD", "CLAIM")
}

// Names are what -o name prints.
func Names(report *v1alpha1.StatefulSetStatusList) []string {
	list := make([]string, len(report.Items))
	for i := range report.Items {
		list[i] = "statefulset.apps/" + report.Items[i].Metadata.Name
	}
	return list
}

func rowsOf(set *v1alpha1.StatefulSetStatus, o *v1alpha1.Ordinal, now time.Time) []row {
	if len(o.Claims) == 0 {
		return []row{{set: set, ordinal: o, now: now}}
	}
	rows := make([]row, len(o.Claims))
	for i := range o.Claims {
		rows[i] = row{set: set, ordinal: o, claim: &o.Claims[i], now: now}
	}
	return rows
}

func heading(set *v1alpha1.StatefulSetStatus, v View) []printers.Cell {
	name := set.Metadata.Name
	if v.Namespaces {
		name = set.Metadata.Namespace + "/" + name
	}
	readiness := printers.Text(fmt.Sprintf("%d/%d ready", set.Replicas.Ready, set.Replicas.Desired))
	if set.Replicas.Ready < set.Replicas.Desired {
		readiness.Level = printers.Alarm
	}
	revision := printers.Text(fmt.Sprintf("rollout %s %d/%d", cmp.Or(set.Rollout.Revision, "-"), set.Rollout.Updated, set.Replicas.Desired))
	if set.Rollout.Partition > 0 {
		revision.Text += fmt.Sprintf(" (partition %d)", set.Rollout.Partition)
	}
	if !set.Rollout.Complete {
		revision.Level = printers.Warn
	}
	cells := []printers.Cell{printers.Text(name), readiness, revision, printers.Text(string(set.PodManagementPolicy))}
	if p := set.ClaimRetentionPolicy; p.WhenScaled == v1alpha1.ClaimsDeleted || p.WhenDeleted == v1alpha1.ClaimsDeleted {
		cells = append(cells, printers.Text(fmt.Sprintf("claims: %s when scaled, %s when deleted", strings.ToLower(string(p.WhenScaled)), strings.ToLower(string(p.WhenDeleted)))))
	}
	return append(cells, service(&set.Service))
}

func service(s *v1alpha1.GoverningService) printers.Cell {
	switch s.State {
	case v1alpha1.ServiceSound:
		return printers.Text(fmt.Sprintf("Service %s: headless, selects %d", s.Name, s.Selects))
	case v1alpha1.ServiceNotHeadless:
		return printers.Cell{Text: fmt.Sprintf("Service %s: not headless", s.Name), Level: printers.Alarm}
	case v1alpha1.ServiceNotSelecting:
		return printers.Cell{Text: fmt.Sprintf("Service %s: does not select the pods", s.Name), Level: printers.Alarm}
	case v1alpha1.ServiceMissing:
		return printers.Cell{Text: fmt.Sprintf("Service %s: missing", s.Name), Level: printers.Alarm}
	case v1alpha1.ServiceUnnamed:
		return printers.Cell{Text: "no governing Service", Level: printers.Dim}
	}
	return printers.Cell{Text: fmt.Sprintf("Service %s: unknown", s.Name), Level: printers.Warn}
}

func ready(r row) printers.Cell {
	p := r.ordinal.Pod
	if p == nil {
		return noPod(r, printers.None)
	}
	c := printers.Text(fmt.Sprintf("%d/%d", p.ContainersReady, p.Containers))
	if !p.Ready {
		c.Level = printers.Alarm
	}
	return c
}

// noPod tells an ordinal that has no pod from one of which nobody knows.
func noPod(r row, none printers.Cell) printers.Cell {
	if r.ordinal.State == v1alpha1.OrdinalUnknown {
		return printers.Unknown
	}
	return none
}

func podWord(r row) printers.Cell {
	switch o := r.ordinal; {
	case o.State == v1alpha1.OrdinalRetained:
		return printers.Cell{Text: "retained", Level: printers.Dim}
	case o.Pod == nil:
		return noPod(r, printers.Cell{Text: strings.ToLower(string(o.State)), Level: printers.Alarm})
	case o.Pod.Status != "Running":
		return printers.Cell{Text: o.Pod.Status, Level: printers.Alarm}
	default:
		return printers.Text(o.Pod.Status)
	}
}

func restarts(r row) printers.Cell {
	p := r.ordinal.Pod
	switch {
	case p == nil:
		return noPod(r, printers.None)
	case p.Restarts > 0 && p.LastRestart != nil:
		return printers.Cell{Text: fmt.Sprintf("%d (%s ago)", p.Restarts, duration.HumanDuration(r.now.Sub(p.LastRestart.Time))), Level: printers.Warn}
	}
	return printers.Text(fmt.Sprint(p.Restarts))
}

func claimName(r row) printers.Cell {
	switch c := r.claim; {
	case c == nil, c.Phase == v1alpha1.ClaimMissing:
		return printers.Cell{Text: "<none>", Level: printers.Dim}
	default:
		return printers.Text(c.Name)
	}
}

func claimPhase(r row) printers.Cell {
	switch c := r.claim; {
	case c == nil:
		return printers.None
	case c.Phase == v1alpha1.ClaimMissing && r.ordinal.Pod == nil:
		return printers.None
	case c.Phase == v1alpha1.ClaimUnknown:
		return printers.Unknown
	case c.Phase != v1alpha1.ClaimBound:
		return printers.Cell{Text: string(c.Phase), Level: printers.Alarm}
	default:
		return printers.Text(string(c.Phase))
	}
}

func volumeSize(r row) printers.Cell {
	switch c := r.claim; {
	case c == nil || c.Capacity == nil:
		return printers.None
	case c.Usage != nil && c.Usage.Elastic:
		return printers.Text("elastic")
	default:
		return printers.Text(quantity(c.Capacity))
	}
}

func used(r row) printers.Cell {
	return usageCell(r, func(u *v1alpha1.VolumeUsage) printers.Cell { return printers.Text(printers.Bytes(u.UsedBytes)) })
}

func usedPercent(r row) printers.Cell {
	if r.claim != nil && r.claim.UsageUnknown != "" {
		return printers.None // the column before it says unknown
	}
	return usageCell(r, func(u *v1alpha1.VolumeUsage) printers.Cell { return percent(u.UsedPercent) })
}

func fileSystemSize(r row) printers.Cell {
	return usageCell(r, func(u *v1alpha1.VolumeUsage) printers.Cell {
		if u.Elastic || u.CapacityBytes == 0 {
			return printers.None
		}
		return printers.Text(printers.Bytes(u.CapacityBytes))
	})
}

func inodesPercent(r row) printers.Cell {
	return usageCell(r, func(u *v1alpha1.VolumeUsage) printers.Cell { return percent(u.InodesUsedPercent) })
}

// usageCell shows a figure of a claim's usage, or which kind of nothing there is.
func usageCell(r row, figure func(*v1alpha1.VolumeUsage) printers.Cell) printers.Cell {
	switch c := r.claim; {
	case c == nil:
		return printers.None
	case c.Usage != nil:
		return figure(c.Usage)
	case c.UsageUnknown != "":
		return printers.Unknown
	case c.VolumeMode == v1alpha1.VolumeBlock:
		return printers.Cell{Text: "n/a", Level: printers.Dim}
	}
	return printers.None
}

func percent(p *int32) printers.Cell {
	if p == nil {
		return printers.None
	}
	c := printers.Text(fmt.Sprintf("%d%%", *p))
	switch {
	case *p >= FullPercent:
		c.Level = printers.Alarm
	case *p >= FillingPercent:
		c.Level = printers.Warn
	}
	return c
}

func node(r row) printers.Cell {
	if r.ordinal.Pod == nil || r.ordinal.Pod.Node == "" {
		return noPod(r, printers.Cell{Text: "<none>", Level: printers.Dim})
	}
	return printers.Text(r.ordinal.Pod.Node)
}

// age is the pod's, else the claim's.
func age(r row) printers.Cell {
	var since metav1.Time
	switch {
	case r.ordinal.Pod != nil:
		since = r.ordinal.Pod.CreationTimestamp
	case r.claim != nil:
		since = r.claim.CreationTimestamp
	}
	if since.IsZero() {
		return printers.None
	}
	return printers.Text(duration.HumanDuration(r.now.Sub(since.Time)))
}

func claimText(text func(*v1alpha1.ClaimStatus) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		if r.claim == nil || text(r.claim) == "" {
			return printers.None
		}
		return printers.Text(text(r.claim))
	}
}

// detail shows what only the volume tells: the wide table has read it, unless it could not be read.
func detail(text func(*v1alpha1.VolumeDetails) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		switch c := r.claim; {
		case c == nil || c.Volume == "" || c.Phase == v1alpha1.ClaimLost:
			return printers.None
		case c.Details == nil:
			return printers.Unknown
		case text(c.Details) == "":
			return printers.None
		default:
			return printers.Text(text(c.Details))
		}
	}
}

// nodeText shows what the pod's node tells, which is unknown if the node could not be read.
func nodeText(text func(*v1alpha1.PodStatus) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		p := r.ordinal.Pod
		switch {
		case p == nil || p.Node == "":
			return noPod(r, printers.None)
		case text(p) != "":
			return printers.Text(text(p))
		case p.CapacityType == "":
			return printers.Unknown
		}
		return printers.None
	}
}

func reattached(r row) printers.Cell {
	switch c := r.claim; {
	case c == nil || c.Reattached == nil:
		return printers.None
	case *c.Reattached:
		return printers.Text("yes")
	}
	return printers.Text("no")
}

func podText(text func(*v1alpha1.PodStatus) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		if r.ordinal.Pod == nil || text(r.ordinal.Pod) == "" {
			return noPod(r, printers.None)
		}
		return printers.Text(text(r.ordinal.Pod))
	}
}

// accessModes are abbreviated as kubectl get pvc does.
func accessModes(c *v1alpha1.ClaimStatus) string {
	short := map[v1alpha1.ClaimAccessMode]string{
		v1alpha1.AccessReadWriteOnce: "RWO", v1alpha1.AccessReadOnlyMany: "ROX", v1alpha1.AccessReadWriteMany: "RWX", v1alpha1.AccessReadWriteOncePod: "RWOP",
	}
	modes := make([]string, len(c.AccessModes))
	for i, mode := range c.AccessModes {
		modes[i] = cmp.Or(short[mode], string(mode))
	}
	return strings.Join(modes, ",")
}

func quantity(q *resource.Quantity) string {
	if q == nil {
		return ""
	}
	return q.String()
}

package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Usage shows the columns of disk usage.
	Usage bool
	// Roles shows the column ROLE: operators' labels tell them of some pod.
	Roles bool
	// Show is which rows are shown.
	Show printers.Show
	// Now is the moment that ages are counted from.
	Now time.Time
}

// row is what a line of the table is about: an ordinal and one of its claims, which is nil if it has none.
type row struct {
	set     *v1alpha1.SetStatus
	ordinal *v1alpha1.Ordinal
	claim   *v1alpha1.ClaimStatus
	now     time.Time
}

func columns(v View) printers.Columns[row] {
	all := printers.Columns[row]{
		printers.Narrow("POD", func(r row) printers.Cell { return printers.Text(r.ordinal.PodName) }),
		printers.Narrow("READY", ready),
		printers.Narrow("STATUS", podWord),
		printers.Narrow("RESTARTS", restarts).GivesWay(1),
		printers.Narrow("CLAIM", claimName),
		printers.Narrow("PHASE", claimPhase).GivesWay(3),
		printers.Narrow("CAPACITY", ofClaim(claims.SizeCell)).GivesWay(2),
	}
	if v.Namespaces {
		all = append(printers.Columns[row]{printers.Narrow("NAMESPACE", func(r row) printers.Cell { return printers.Text(r.set.Metadata.Namespace) })}, all...)
	}
	if v.Usage {
		all = append(all, printers.Narrow("USED", ofClaim(claims.UsedCell)).GivesWay(4), printers.Narrow("USE%", ofClaim(claims.UsedPercentCell)))
	}
	if v.Roles { // behind what tells rows apart, as it may come and go in a watch
		all = append(all, printers.Narrow("ROLE", role))
	}
	return append(all,
		printers.Narrow("NODE", node).Dotted(),
		printers.Wide("VOLUME", claimText(func(c *v1alpha1.ClaimStatus) string { return c.Volume })),
		printers.Wide("STORAGECLASS", claimText(func(c *v1alpha1.ClaimStatus) string { return c.StorageClass })),
		printers.Wide("ACCESS", claimText(claims.AccessModes)),
		printers.Wide("RECLAIM", detail(func(d *v1alpha1.VolumeDetails) string { return string(d.ReclaimPolicy) })),
		printers.Wide("HANDLE", detail(func(d *v1alpha1.VolumeDetails) string { return d.Handle })),
		printers.Wide("REQUESTED", claimText(claims.Requested)),
		printers.Wide("FILESYSTEM", ofClaim(claims.FileSystemCell)),
		printers.Wide("INODES%", ofClaim(claims.InodesPercentCell)),
		printers.Wide("REATTACHED", reattached),
		printers.Wide("ZONE", nodeText(func(p *v1alpha1.PodStatus) string { return p.Zone })),
		printers.Wide("CAPACITYTYPE", nodeText(func(p *v1alpha1.PodStatus) string { return string(p.CapacityType) })),
		printers.Wide("IP", podText(func(p *v1alpha1.PodStatus) string { return p.IP })),
		printers.Wide("DNSNAME", podText(func(p *v1alpha1.PodStatus) string { return p.DNSName })),
		printers.Wide("REVISION", podText(func(p *v1alpha1.PodStatus) string { return p.Revision })),
		printers.Narrow("AGE", age).GivesWay(3),
	)
}

// Table lays a report out: a block for each set, a row for each ordinal and claim.
func Table(report *v1alpha1.SetStatusList, v View) printers.Table {
	v.Roles = v.Roles || roles(report)
	cols := columns(v)
	t := printers.Table{Columns: cols.Heads(), Blocks: make([]printers.Block, 0, len(report.Items))}
	for i := range report.Items {
		set := &report.Items[i]
		block := printers.Block{Heading: heading(set, v), Findings: finding.Join(set.Findings)}
		troubled := finding.TroubledBy(set.Findings)
		for j := range set.Ordinals {
			for _, r := range rowsOf(set, &set.Ordinals[j], v.Now) {
				block.Add(v.Show, fine(r, troubled), cols.Cells(r))
			}
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// fine reports whether nothing is wrong with what a row is about, as far as it was seen.
func fine(r row, troubled finding.Troubled) bool {
	namespace := r.set.Metadata.Namespace
	switch p, c := r.ordinal.Pod, r.claim; {
	case troubled.Has("Pod", namespace, r.ordinal.PodName),
		c != nil && (troubled.Has("PersistentVolumeClaim", namespace, c.Name) || c.Phase != v1alpha1.ClaimBound || c.UsageUnknown != ""):
		return false
	case p == nil:
		return r.ordinal.State == v1alpha1.OrdinalRetained || r.ordinal.State == v1alpha1.OrdinalStopped
	default:
		return p.Ready && p.Status == "Running"
	}
}

// RowKey tells rows apart: by namespace, pod and claim.
func RowKey(v View) func(row []printers.Cell) string {
	return printers.RowKey(Table(&v1alpha1.SetStatusList{}, v).Columns, "NAMESPACE", "POD", "CLAIM")
}

// Names are what -o name prints.
func Names(report *v1alpha1.SetStatusList) []string {
	list := make([]string, len(report.Items))
	for i := range report.Items {
		list[i] = ResourceOf(&report.Items[i].Controller) + "/" + report.Items[i].Metadata.Name
	}
	return list
}

// ResourceOf is how kubectl names a kind of set: statefulset.apps, cluster.postgresql.cnpg.io.
func ResourceOf(c *v1alpha1.SetController) string {
	group, _, ok := strings.Cut(c.APIVersion, "/")
	if !ok {
		return strings.ToLower(c.Kind)
	}
	return strings.ToLower(c.Kind) + "." + group
}

// IsStatefulSet reports whether a set is a StatefulSet of Kubernetes itself.
func IsStatefulSet(c *v1alpha1.SetController) bool {
	return c.Kind == objects.KindStatefulSet && strings.HasPrefix(c.APIVersion, "apps/")
}

// roles reports whether a label tells the role of any pod.
func roles(report *v1alpha1.SetStatusList) bool {
	for i := range report.Items {
		for _, o := range report.Items[i].Ordinals {
			if o.Pod != nil && o.Pod.Role != "" {
				return true
			}
		}
	}
	return false
}

func rowsOf(set *v1alpha1.SetStatus, o *v1alpha1.Ordinal, now time.Time) []row {
	if len(o.Claims) == 0 {
		return []row{{set: set, ordinal: o, now: now}}
	}
	rows := make([]row, len(o.Claims))
	for i := range o.Claims {
		rows[i] = row{set: set, ordinal: o, claim: &o.Claims[i], now: now}
	}
	return rows
}

func heading(set *v1alpha1.SetStatus, v View) []printers.Cell {
	name := set.Metadata.Name
	if v.Namespaces {
		name = set.Metadata.Namespace + "/" + name
	}
	readiness := readyCell(&set.Replicas)
	if !IsStatefulSet(&set.Controller) {
		return append(headingOfOther(name, readiness, set), backupCells(set.Backups, v.Now)...)
	}
	revision := printers.Text(fmt.Sprintf("rollout %s %d/%d", cmp.Or(set.Rollout.Revision, "-"), set.Rollout.Updated, set.Replicas.Desired))
	if set.Rollout.Partition > 0 {
		revision.Text += fmt.Sprintf(" (partition %d)", set.Rollout.Partition)
	}
	if !set.Rollout.Complete {
		revision.Level = printers.Warn
	}
	cells := append(clusterCells(set, name), readiness, revision, printers.Text(string(set.PodManagementPolicy)))
	if p := set.ClaimRetentionPolicy; p.WhenScaled == v1alpha1.ClaimsDeleted || p.WhenDeleted == v1alpha1.ClaimsDeleted {
		cells = append(cells, printers.Text(fmt.Sprintf("claims: %s when scaled, %s when deleted", strings.ToLower(string(p.WhenScaled)), strings.ToLower(string(p.WhenDeleted)))))
	}
	return append(cells, append([]printers.Cell{service(&set.Service)}, backupCells(set.Backups, v.Now)...)...)
}

// backupCells tell how old the last backup is, where an operator makes any.
func backupCells(b *v1alpha1.BackupStatus, now time.Time) []printers.Cell {
	switch {
	case b == nil:
		return nil
	case b.Unknown != "":
		return []printers.Cell{{Text: "backups unknown", Level: printers.Warn}}
	case b.LastSuccess.IsZero():
		return []printers.Cell{{Text: "no backup", Level: printers.Warn}}
	}
	return []printers.Cell{printers.Text("last backup " + duration.HumanDuration(now.Sub(b.LastSuccess.Time)) + " ago")}
}

// clusterCells are a set's name, and that of the database cluster which it is a part of.
func clusterCells(set *v1alpha1.SetStatus, name string) []printers.Cell {
	cells := []printers.Cell{printers.Text(name)}
	if c := set.DatabaseCluster; c != "" && c != set.Metadata.Name {
		cells = append(cells, printers.Text("of the cluster "+c))
	}
	return cells
}

func readyCell(r *v1alpha1.ReplicaCounts) printers.Cell {
	c := printers.Text(fmt.Sprintf("%d/%d ready", r.Ready, r.Desired))
	if r.DesiredUnknown != "" {
		c.Text = fmt.Sprintf("%d ready of %d that there are", r.Ready, r.Existing)
	}
	if r.Ready < r.Desired {
		c.Level = printers.Alarm
	}
	return c
}

// headingOfOther says what kind of set it is, and what its operator says.
func headingOfOther(name string, readiness printers.Cell, set *v1alpha1.SetStatus) []printers.Cell {
	cells := append(clusterCells(set, name), printers.Text(set.Controller.Title), readiness)
	o := set.Operator
	if o == nil {
		return cells
	}
	if o.Phase != "" {
		cells = append(cells, printers.Text(o.Phase))
	}
	if o.Hibernated {
		cells = append(cells, printers.Cell{Text: "hibernated", Level: printers.Warn})
	}
	if o.Paused != "" {
		cells = append(cells, printers.Cell{Text: "paused", Level: printers.Warn})
	}
	switch {
	case o.Primary != "" && o.TargetPrimary != "" && o.TargetPrimary != o.Primary:
		cells = append(cells, printers.Cell{Text: fmt.Sprintf("primary %s → %s", o.Primary, o.TargetPrimary), Level: printers.Warn})
	case o.Primary != "":
		cells = append(cells, printers.Text("primary "+o.Primary))
	}
	return cells
}

// role is what an operator's label says.
func role(r row) printers.Cell {
	p := r.ordinal.Pod
	switch {
	case p == nil || p.Role == "":
		return printers.None
	case r.set.Operator != nil && slices.ContainsFunc(r.set.Operator.Fenced, func(name string) bool { return name == r.ordinal.PodName || name == "*" }):
		return printers.Cell{Text: string(p.Role) + ", fenced", Level: printers.Warn}
	}
	return printers.Text(string(p.Role))
}

func service(s *v1alpha1.GoverningService) printers.Cell {
	switch s.State {
	case v1alpha1.ServiceSound:
		text := fmt.Sprintf("Service %s: headless, selects %d", s.Name, s.Selects)
		switch {
		case s.Others == 1:
			text += " and another pod"
		case s.Others > 1:
			text += fmt.Sprintf(" and %d other pods", s.Others)
		}
		return printers.Text(text)
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

// noPod tells an ordinal that has no pod from one about which nothing is known.
func noPod(r row, none printers.Cell) printers.Cell {
	if r.ordinal.State == v1alpha1.OrdinalUnknown {
		return printers.Unknown
	}
	return none
}

func podWord(r row) printers.Cell {
	switch o := r.ordinal; {
	case o.State == v1alpha1.OrdinalRetained, o.State == v1alpha1.OrdinalStopped:
		return printers.Cell{Text: strings.ToLower(string(o.State)), Level: printers.Dim}
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

// ofClaim makes a cell of a row's claim.
func ofClaim(cell func(*v1alpha1.ClaimStatus) printers.Cell) func(row) printers.Cell {
	return func(r row) printers.Cell { return cell(r.claim) }
}

func claimText(text func(*v1alpha1.ClaimStatus) string) func(row) printers.Cell {
	return ofClaim(func(c *v1alpha1.ClaimStatus) printers.Cell { return claims.TextCell(c, text) })
}

func detail(text func(*v1alpha1.VolumeDetails) string) func(row) printers.Cell {
	return ofClaim(func(c *v1alpha1.ClaimStatus) printers.Cell { return claims.DetailCell(c, text) })
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

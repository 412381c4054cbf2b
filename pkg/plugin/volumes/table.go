package volumes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Usage shows the columns of disk usage.
	Usage bool
	// Show is which rows are shown.
	Show printers.Show
	// Now is the moment that ages are counted from.
	Now time.Time
}

// row is what a line of the table is about.
type row struct {
	*v1alpha1.VolumeStatus
	now time.Time
}

func columns(v View) printers.Columns[row] {
	all := printers.Columns[row]{
		printers.Narrow("CLAIM", func(r row) printers.Cell { return printers.Text(r.Metadata.Name) }),
		printers.Narrow("PHASE", phase).GivesWay(5),
		printers.Narrow("CAPACITY", ofClaim(claims.SizeCell)),
	}
	if v.Namespaces {
		all = slices.Insert(all, 0, printers.Narrow("NAMESPACE", func(r row) printers.Cell { return printers.Text(r.Metadata.Namespace) }))
	}
	if v.Usage {
		all = append(all,
			printers.Narrow("USED", ofClaim(claims.UsedCell)).GivesWay(4),
			printers.Narrow("AVAILABLE", ofClaim(claims.AvailableCell)).GivesWay(6),
			printers.Narrow("USE%", ofClaim(claims.UsedPercentCell)),
			printers.Narrow("INODES%", inodes).GivesWay(8),
		)
	}
	return append(all,
		printers.Narrow("POD", pods),
		printers.Narrow("OWNER", owner).GivesWay(2).Shrinks(printers.Cut),
		printers.Narrow("ROLE", role).GivesWay(1),
		printers.Narrow("STORAGECLASS", claimText(func(c *v1alpha1.ClaimStatus) string { return c.StorageClass })).GivesWay(9),
		printers.Narrow("NODE", node).Dotted().GivesWay(7),
		printers.Narrow("UNUSED", unused).GivesWay(3),
		printers.Wide("VOLUME", claimText(func(c *v1alpha1.ClaimStatus) string { return c.Volume })),
		printers.Wide("ACCESS", claimText(claims.AccessModes)),
		printers.Wide("RECLAIM", detail(func(d *v1alpha1.VolumeDetails) string { return string(d.ReclaimPolicy) })),
		printers.Wide("REQUESTED", claimText(claims.Requested)),
		printers.Wide("FILESYSTEM", ofClaim(claims.FileSystemCell)),
		printers.Wide("FULLIN", fullIn),
		printers.Wide("MOUNTPATH", mountPath),
		printers.Wide("HANDLE", detail(func(d *v1alpha1.VolumeDetails) string { return d.Handle })),
		printers.Narrow("AGE", age).GivesWay(10),
	)
}

// Table lays a report out: a row for each claim and for each volume that is left, and a line above that adds them up.
func Table(report *v1alpha1.VolumeStatusList, v View) printers.Table {
	cols := columns(v)
	block := printers.Block{Findings: finding.Join(report.Findings)}
	if len(report.Items) > 0 {
		block.Heading = heading(report)
	}
	troubled := finding.TroubledBy(report.Findings)
	for i := range report.Items {
		block.Add(v.Show, fine(&report.Items[i], troubled), cols.Cells(row{&report.Items[i], v.Now}))
	}
	return printers.Table{Columns: cols.Heads(), Blocks: []printers.Block{block}}
}

// fine reports whether nothing is wrong with a claim, as far as it was seen.
func fine(v *v1alpha1.VolumeStatus, troubled finding.Troubled) bool {
	return v.Claim.Phase == v1alpha1.ClaimBound && v.Claim.UsageUnknown == "" && !troubled.Has("PersistentVolumeClaim", v.Metadata.Namespace, v.Metadata.Name)
}

// heading counts claims, and adds up those whose usage is known: a disk of a node once, however many volumes are directories on it.
func heading(report *v1alpha1.VolumeStatusList) []printers.Cell {
	count := map[v1alpha1.ClaimPhase]int{}
	left, unused := 0, 0
	var size, measuredSize resource.Quantity
	var written int64
	measured := false
	for i := range report.Items {
		v := &report.Items[i]
		switch c := &v.Claim; c.Phase {
		case v1alpha1.ClaimReleased, v1alpha1.ClaimFailed:
			left++
			continue
		default:
			count[c.Phase]++
			if c.Capacity != nil {
				size.Add(*c.Capacity)
			}
			if c.Usage != nil && !c.OnNodeDisk && !c.Usage.Elastic && c.Capacity != nil {
				measured = true
				measuredSize.Add(*c.Capacity)
				written += c.Usage.UsedBytes
			}
		}
		if v.Unused != nil {
			unused++
		}
	}
	all := len(report.Items) - left - count[v1alpha1.ClaimMissing]
	var cells []printers.Cell
	if all > 0 {
		cells = append(cells, printers.Text(plural(all, "claim")))
	}
	if size.Sign() > 0 {
		text := printers.Bytes(size.Value())
		if measured {
			text = printers.Bytes(written) + " used of " + printers.Bytes(measuredSize.Value())
		}
		cells = append(cells, printers.Text(text))
	}
	for _, phase := range []v1alpha1.ClaimPhase{v1alpha1.ClaimPending, v1alpha1.ClaimLost, v1alpha1.ClaimMissing, v1alpha1.ClaimTerminating} {
		if n := count[phase]; n > 0 {
			cells = append(cells, printers.Cell{Text: fmt.Sprintf("%d %s", n, strings.ToLower(string(phase))), Level: printers.Alarm})
		}
	}
	if unused > 0 {
		cells = append(cells, printers.Text(fmt.Sprintf("%d not mounted", unused)))
	}
	if left > 0 {
		cells = append(cells, printers.Text(plural(left, "released volume")))
	}
	for i := range report.Disks {
		d := &report.Disks[i]
		text := fmt.Sprintf("disk of %s: %s used of %s", d.Node, printers.Bytes(d.Usage.UsedBytes), printers.Bytes(d.Usage.CapacityBytes))
		if len(report.Disks) > 3 {
			cells = append(cells, printers.Text(fmt.Sprintf("%d disks of nodes", len(report.Disks))))
			break
		}
		cells = append(cells, printers.Text(text))
	}
	return cells
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// RowKey tells rows apart: by namespace, claim and volume.
func RowKey(v View) func(row []printers.Cell) string {
	return printers.RowKey(columns(v).Heads(), "NAMESPACE", "CLAIM", "VOLUME")
}

// Names are what -o name prints.
func Names(report *v1alpha1.VolumeStatusList) []string {
	list := make([]string, 0, len(report.Items))
	for i := range report.Items {
		switch v := &report.Items[i]; v.Claim.Phase {
		case v1alpha1.ClaimReleased, v1alpha1.ClaimFailed:
			list = append(list, "persistentvolume/"+v.Claim.Volume)
		case v1alpha1.ClaimMissing:
		default:
			list = append(list, "persistentvolumeclaim/"+v.Metadata.Name)
		}
	}
	return list
}

// ofClaim makes a cell of a row's claim.
func ofClaim(cell func(*v1alpha1.ClaimStatus) printers.Cell) func(row) printers.Cell {
	return func(r row) printers.Cell { return cell(&r.Claim) }
}

func claimText(text func(*v1alpha1.ClaimStatus) string) func(row) printers.Cell {
	return ofClaim(func(c *v1alpha1.ClaimStatus) printers.Cell { return claims.TextCell(c, text) })
}

func detail(text func(*v1alpha1.VolumeDetails) string) func(row) printers.Cell {
	return ofClaim(func(c *v1alpha1.ClaimStatus) printers.Cell { return claims.DetailCell(c, text) })
}

func phase(r row) printers.Cell {
	c := printers.Text(string(r.Claim.Phase))
	switch r.Claim.Phase {
	case v1alpha1.ClaimBound:
	case v1alpha1.ClaimUnknown:
		return printers.Unknown
	case v1alpha1.ClaimReleased:
		c.Level = printers.Warn
	default:
		c.Level = printers.Alarm
	}
	return c
}

func inodes(r row) printers.Cell {
	if r.Claim.UsageUnknown != "" {
		return printers.None // the column USED says unknown
	}
	return claims.InodesPercentCell(&r.Claim)
}

// pods names the first pod that mounts a claim and counts the others.
func pods(r row) printers.Cell {
	switch n := len(r.MountedBy); {
	case n == 1:
		return printers.Text(r.MountedBy[0].Pod)
	case n > 1:
		return printers.Text(fmt.Sprintf("%s +%d", r.MountedBy[0].Pod, n-1))
	case r.Unused != nil:
		return printers.Cell{Text: "<none>", Level: printers.Dim}
	case r.Claim.Phase == v1alpha1.ClaimReleased, r.Claim.Phase == v1alpha1.ClaimFailed:
		return printers.None
	}
	return printers.Unknown
}

// unused is for how long nothing has mounted a claim.
func unused(r row) printers.Cell {
	switch {
	case r.Unused == nil, r.Claim.Phase == v1alpha1.ClaimPending: // what has no volume has never been mounted
		return printers.None
	case r.Unused.Since == nil:
		return printers.Unknown
	}
	return printers.Text(duration.HumanDuration(r.now.Sub(r.Unused.Since.Time)))
}

// owner is what controls the pods, each once.
func owner(r row) printers.Cell {
	var list []string
	for _, u := range r.MountedBy {
		if u.Owner != nil {
			if text := u.Owner.Kind + "/" + u.Owner.Name; !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
	}
	if len(list) == 0 && r.Set != nil { // a set's that has no pod at the moment
		list = append(list, r.Set.Kind+"/"+r.Set.Name)
	}
	if len(list) == 0 {
		return printers.None
	}
	return printers.Text(strings.Join(list, ","))
}

func role(r row) printers.Cell {
	return distinct(r, func(u *v1alpha1.VolumeUser) string { return u.Role })
}

func node(r row) printers.Cell {
	return distinct(r, func(u *v1alpha1.VolumeUser) string { return u.Node })
}

// distinct is what the pods of a row have, the first of it and how many others there are.
func distinct(r row, of func(*v1alpha1.VolumeUser) string) printers.Cell {
	var list []string
	for i := range r.MountedBy {
		if text := of(&r.MountedBy[i]); text != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	switch len(list) {
	case 0:
		return printers.None
	case 1:
		return printers.Text(list[0])
	}
	return printers.Text(fmt.Sprintf("%s +%d", list[0], len(list)-1))
}

func mountPath(r row) printers.Cell {
	for _, u := range r.MountedBy {
		if len(u.MountPaths) > 0 {
			return printers.Text(strings.Join(u.MountPaths, ","))
		}
	}
	return printers.None
}

// fullIn is when a volume will be full, as far as there are two measurements.
func fullIn(r row) printers.Cell {
	if r.Claim.FullAt == nil {
		return printers.None
	}
	return printers.Text(cmp.Or(duration.HumanDuration(max(0, r.Claim.FullAt.Sub(r.now))), "0s"))
}

func age(r row) printers.Cell {
	if r.Metadata.CreationTimestamp.IsZero() {
		return printers.None
	}
	return printers.Text(duration.HumanDuration(r.now.Sub(r.Metadata.CreationTimestamp.Time)))
}

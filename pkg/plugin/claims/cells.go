package claims

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Cells of tables about claims. A claim that is nil is that of a row without one.

// SizeCell is the size of a claim's volume.
func SizeCell(c *v1alpha1.ClaimStatus) printers.Cell {
	switch {
	case c == nil || c.Capacity == nil:
		return printers.None
	case c.Usage != nil && c.Usage.Elastic:
		return printers.Text("elastic")
	default:
		return printers.Text(quantity(c.Capacity))
	}
}

// UsedCell is what is written to a claim's volume.
func UsedCell(c *v1alpha1.ClaimStatus) printers.Cell {
	if c != nil && c.OnNodeDisk { // the disk's use is that of all that is on it
		return printers.Cell{Text: "node's-disk", Level: printers.Dim}
	}
	return usageCell(c, func(u *v1alpha1.VolumeUsage) printers.Cell { return printers.Text(printers.Bytes(u.UsedBytes)) })
}

// UsedPercentCell is how full a claim's volume is.
func UsedPercentCell(c *v1alpha1.ClaimStatus) printers.Cell {
	if c != nil && c.UsageUnknown != "" {
		return printers.None // the column before it says unknown
	}
	return usageCell(c, func(u *v1alpha1.VolumeUsage) printers.Cell { return percentCell(u.UsedPercent) })
}

// FileSystemCell is the size of the file system on a claim's volume.
func FileSystemCell(c *v1alpha1.ClaimStatus) printers.Cell {
	return usageCell(c, func(u *v1alpha1.VolumeUsage) printers.Cell {
		if u.Elastic || u.CapacityBytes == 0 {
			return printers.None
		}
		return printers.Text(printers.Bytes(u.CapacityBytes))
	})
}

// InodesPercentCell is how many of a volume's inodes are in use.
func InodesPercentCell(c *v1alpha1.ClaimStatus) printers.Cell {
	return usageCell(c, func(u *v1alpha1.VolumeUsage) printers.Cell { return percentCell(u.InodesUsedPercent) })
}

// usageCell shows a figure of a claim's usage, or which kind of nothing there is.
func usageCell(c *v1alpha1.ClaimStatus, figure func(*v1alpha1.VolumeUsage) printers.Cell) printers.Cell {
	switch {
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

func percentCell(p *int32) printers.Cell {
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

// TextCell is a text about a claim that may be empty.
func TextCell(c *v1alpha1.ClaimStatus, text func(*v1alpha1.ClaimStatus) string) printers.Cell {
	if c == nil || text(c) == "" {
		return printers.None
	}
	return printers.Text(text(c))
}

// DetailCell shows what only the volume tells: the wide table has read it, unless it could not be read.
func DetailCell(c *v1alpha1.ClaimStatus, text func(*v1alpha1.VolumeDetails) string) printers.Cell {
	switch {
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

// AccessModes are abbreviated as kubectl get pvc does.
func AccessModes(c *v1alpha1.ClaimStatus) string {
	short := map[v1alpha1.ClaimAccessMode]string{
		v1alpha1.AccessReadWriteOnce: "RWO", v1alpha1.AccessReadOnlyMany: "ROX", v1alpha1.AccessReadWriteMany: "RWX", v1alpha1.AccessReadWriteOncePod: "RWOP",
	}
	modes := make([]string, len(c.AccessModes))
	for i, mode := range c.AccessModes {
		modes[i] = cmp.Or(short[mode], string(mode))
	}
	return strings.Join(modes, ",")
}

// Requested is the size that a claim asks for.
func Requested(c *v1alpha1.ClaimStatus) string { return quantity(c.Requested) }

func quantity(q *resource.Quantity) string {
	if q == nil {
		return ""
	}
	return q.String()
}

// AvailableCell is what may still be written to a claim's volume.
func AvailableCell(c *v1alpha1.ClaimStatus) printers.Cell {
	if c != nil && c.UsageUnknown != "" {
		return printers.None // the column before it says unknown
	}
	return usageCell(c, func(u *v1alpha1.VolumeUsage) printers.Cell {
		if u.Elastic {
			return printers.Text("elastic")
		}
		return printers.Text(printers.Bytes(u.AvailableBytes))
	})
}

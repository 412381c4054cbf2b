package claims

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// driverHostPath is what Details call a volume that is a directory by its nature.
const driverHostPath = "hostPath"

// larger is by how much a file system has to be larger than its claim for it to be of something else: one that is on the claim's own device
// is smaller, and drivers round up.
const larger = 1.05

// fileSystem is one, as far as two measurements of one at different times are the same.
type fileSystem struct {
	node             string
	capacity, inodes int64
}

func fileSystemOf(node string, u *v1alpha1.VolumeUsage) fileSystem {
	f := fileSystem{node: node, capacity: u.CapacityBytes}
	if u.Inodes != nil {
		f.inodes = *u.Inodes
	}
	return f
}

// onNodeDisk reports whether a claim's volume is a directory on a disk of its node, as those of local-path are: the file system is larger than
// the claim, and it can be reached from this node alone or, where the volume could not be read, other claims of the node have the same one.
func (x *Index) onNodeDisk(claim types.NamespacedName, c *v1alpha1.ClaimStatus, node string) bool {
	if c.Usage == nil || c.Usage.Elastic {
		return false
	}
	if c.Details != nil && c.Details.Driver == driverHostPath {
		return true
	}
	if c.Capacity == nil || float64(c.Usage.CapacityBytes) < larger*float64(c.Capacity.Value()) {
		return false
	}
	if v := x.Volume[c.Volume]; v != nil {
		return ofOneNode(v)
	}
	return slices.ContainsFunc(x.onFileSystem()[fileSystemOf(node, c.Usage)], func(other types.NamespacedName) bool { return other != claim })
}

// ofOneNode reports whether a volume can be reached from a part of the nodes only that is no zone or region.
func ofOneNode(v *corev1.PersistentVolume) bool {
	if v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return false
	}
	return slices.ContainsFunc(v.Spec.NodeAffinity.Required.NodeSelectorTerms, func(term corev1.NodeSelectorTerm) bool {
		return len(term.MatchFields) > 0 || slices.ContainsFunc(term.MatchExpressions, func(r corev1.NodeSelectorRequirement) bool {
			return !strings.HasSuffix(r.Key, "zone") && !strings.HasSuffix(r.Key, "region")
		})
	})
}

// onFileSystem are the claims that have a file system mounted, of those whose usage is known.
func (x *Index) onFileSystem() map[fileSystem][]types.NamespacedName {
	if x.sharing == nil {
		x.sharing = map[fileSystem][]types.NamespacedName{}
		for claim, pods := range x.Mounting {
			if u, ok := x.Usage.Usage[claim.String()]; ok {
				key := fileSystemOf(pods[0].Spec.NodeName, &u)
				x.sharing[key] = append(x.sharing[key], claim)
			}
		}
	}
	return x.sharing
}

// Placed is a claim that is mounted on a node.
type Placed struct {
	Namespace, Node string
	Claim           *v1alpha1.ClaimStatus
}

// Disks are the disks of nodes that volumes among the claims are directories on, each once.
func Disks(list []Placed) []v1alpha1.NodeDisk {
	at := map[fileSystem]int{}
	var disks []v1alpha1.NodeDisk
	for _, p := range list {
		if !p.Claim.OnNodeDisk {
			continue
		}
		key := fileSystemOf(p.Node, p.Claim.Usage)
		i, ok := at[key]
		if !ok {
			i, at[key] = len(disks), len(disks)
			disks = append(disks, v1alpha1.NodeDisk{Node: p.Node, Usage: *p.Claim.Usage, FullAt: p.Claim.FullAt})
		}
		d := &disks[i]
		if d.Usage.Time.Before(&p.Claim.Usage.Time) {
			d.Usage, d.FullAt = *p.Claim.Usage, p.Claim.FullAt
		}
		if ref := (v1alpha1.ObjectReference{Kind: kindClaim, Namespace: p.Namespace, Name: p.Claim.Name}); !slices.Contains(d.Claims, ref) {
			d.Claims = append(d.Claims, ref)
		}
	}
	slices.SortStableFunc(disks, func(a, b v1alpha1.NodeDisk) int { return cmp.Compare(a.Node, b.Node) })
	return disks
}

// DiskFindings report disks of nodes that fill up. What is a directory on one has no limit of its own: it is full when the disk is, and so is
// everything else there.
func DiskFindings(disks []v1alpha1.NodeDisk, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range disks {
		d := &disks[i]
		names := make([]string, len(d.Claims))
		refs := []string{"node/" + d.Node}
		for j, c := range d.Claims {
			names[j] = c.Name
			refs = append(refs, "persistentvolumeclaim/"+c.Namespace+"/"+c.Name)
		}
		for _, figure := range []struct {
			percent *int32
			format  string
			soon    string
		}{
			{d.Usage.UsedPercent, "the disk of node %s that holds %s is %d%% full%s", soon(d.FullAt, now)},
			{d.Usage.InodesUsedPercent, "the disk of node %s that holds %s has used %d%% of its inodes%s", ""},
		} {
			if figure.percent == nil || *figure.percent < FillingPercent {
				continue
			}
			code, severity := v1alpha1.CodeNodeDiskFilling, v1alpha1.SeverityWarning
			if *figure.percent >= FullPercent {
				code, severity = v1alpha1.CodeNodeDiskFull, v1alpha1.SeverityError
			}
			list = append(list, finding.New(code, severity, refs, "", "%s", fmt.Sprintf(figure.format, d.Node, finding.Some(names), *figure.percent, figure.soon)))
		}
	}
	return list
}

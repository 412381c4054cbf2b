package kube

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// containersAtOnce bounds in how many containers df runs at the same time.
	containersAtOnce = 16
)

// Mounts are claims that a container has mounted.
type Mounts struct {
	Container
	// Paths, Claims and ReadOnly belong together.
	Paths  []string
	Claims []types.NamespacedName
	// ReadOnly is true of those that the pod asks for only to read.
	ReadOnly []bool
}

// ContainerUsage runs df in containers, concurrently; each has the given time. The second result has the reason for each claim
// of which it could not tell the usage. Who may not run df in one pod may in none of its namespace: one container of each
// namespace goes first, and its refusal stands for the others. Progress is as that of UsageQuery.
func (c *Cluster) ContainerUsage(ctx context.Context, mounts []Mounts, timeout time.Duration, progress func(done int)) (map[types.NamespacedName]v1alpha1.VolumeUsage, map[types.NamespacedName]string) {
	usage, failed := map[types.NamespacedName]v1alpha1.VolumeUsage{}, map[types.NamespacedName]string{}
	var mu sync.Mutex
	done := 0
	forbidden := map[string]error{} // by namespace
	record := func(m Mounts, found []v1alpha1.VolumeUsage, err error) {
		mu.Lock()
		defer mu.Unlock()
		done++
		if progress != nil {
			progress(done)
		}
		if apierrors.IsForbidden(err) {
			forbidden[m.Namespace] = err
		}
		for i, claim := range m.Claims {
			switch {
			case err == nil:
				usage[claim] = found[i]
			case ctx.Err() != nil:
				failed[claim] = "df in the container did not finish before the timeout (--timeout)"
			default:
				failed[claim] = dfFailure(m, err, timeout)
			}
		}
	}
	first, rest := firstOfNamespaces(mounts)
	for _, batch := range [][]Mounts{first, rest} {
		var group errgroup.Group
		group.SetLimit(containersAtOnce)
		for _, m := range batch {
			mu.Lock()
			refused := cmp.Or(ctx.Err(), forbidden[m.Namespace])
			mu.Unlock()
			if refused != nil {
				record(m, nil, refused)
				continue
			}
			group.Go(func() error {
				found, err := c.df(ctx, m, timeout)
				record(m, found, err)
				return nil
			})
		}
		_ = group.Wait() // failures are in the second result
	}
	return usage, failed
}

// firstOfNamespaces takes the first container of each namespace out.
func firstOfNamespaces(mounts []Mounts) (first, rest []Mounts) {
	seen := map[string]bool{}
	for _, m := range mounts {
		if seen[m.Namespace] {
			rest = append(rest, m)
			continue
		}
		seen[m.Namespace] = true
		first = append(first, m)
	}
	return first, rest
}

func dfFailure(m Mounts, err error, timeout time.Duration) string {
	switch {
	case apierrors.IsForbidden(err):
		return "df in the container: no permission to create pods/exec"
	case isTimeout(err):
		return fmt.Sprintf("df in container %s did not finish within %s", m.Name, timeout)
	}
	if strings.Contains(err.Error(), "executable file not found") { // containerd, CRI-O and Docker all end so
		return fmt.Sprintf("no df in container %s", m.Name)
	}
	return fmt.Sprintf("df in container %s: %s", m.Name, oneLine(err))
}

// df asks for blocks and for inodes, and reads how the file systems are mounted. Not every df knows inodes, and not every image has cat;
// without them the blocks are worth having.
func (c *Cluster) df(ctx context.Context, m Mounts, timeout time.Duration) ([]v1alpha1.VolumeUsage, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var blocks, inodes []dfRow
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		text, err := c.Exec(groupCtx, m.Container, append([]string{"df", "-Pk", "--"}, m.Paths...)...)
		if err != nil {
			return deadline(ctx, err)
		}
		blocks, err = parseDF(text, len(m.Paths))
		return err
	})
	group.Go(func() error {
		if text, err := c.Exec(groupCtx, m.Container, append([]string{"df", "-Pi", "--"}, m.Paths...)...); err == nil {
			inodes, _ = parseDF(text, len(m.Paths))
		}
		return nil
	})
	var mounted map[string]v1alpha1.ReadOnlyMount
	group.Go(func() error {
		if text, err := c.Exec(groupCtx, m.Container, "cat", "/proc/mounts"); err == nil {
			mounted = readOnlyMounts(text)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	list := make([]v1alpha1.VolumeUsage, len(blocks))
	now := metav1.Now()
	for i, row := range blocks {
		capacity := kibibytes(row.size)
		f := figures{time: now, capacity: &capacity, used: kibibytes(row.used), available: kibibytes(row.available)}
		if inodes != nil {
			f.inodes, f.inodesUsed, f.inodesFree = &inodes[i].size, &inodes[i].used, &inodes[i].available
		}
		list[i] = volumeUsage(f)
		list[i].Source = v1alpha1.UsageFromExec
		if !m.ReadOnly[i] {
			list[i].ReadOnly = mounted[path.Clean(m.Paths[i])]
		}
	}
	return list, nil
}

// readOnlyMounts reads /proc/mounts (proc_pid_mounts(5)): which mount points the kernel lets nothing be written to. Of several mounts over
// each other the last one counts. ext4 has said emergency_ro since Linux 6.15 where it stops writing after an error; before that, and
// in other file systems, it becomes ro as if it had been mounted so.
func readOnlyMounts(text string) map[string]v1alpha1.ReadOnlyMount {
	mounts := map[string]v1alpha1.ReadOnlyMount{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line) // what is mounted, where, type, options, two numbers
		if len(fields) < 4 {
			continue
		}
		point, options := unescapeMount.Replace(fields[1]), strings.Split(fields[3], ",")
		switch {
		case slices.Contains(options, string(v1alpha1.MountEmergencyReadOnly)):
			mounts[point] = v1alpha1.MountEmergencyReadOnly
		case slices.Contains(options, string(v1alpha1.MountReadOnly)):
			mounts[point] = v1alpha1.MountReadOnly
		default:
			delete(mounts, point)
		}
	}
	return mounts
}

// unescapeMount takes back what the kernel writes in place of white space.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// kibibytes returns bytes, or the largest number if there are more.
func kibibytes(n uint64) uint64 {
	if n > (1<<64-1)>>10 {
		return 1<<64 - 1
	}
	return n << 10
}

// dfRow is a line of df: of a file system's blocks or inodes.
type dfRow struct {
	size, used, available uint64
}

// dfLine matches a line of df -P: a name that may have spaces, three numbers (the available ones may be negative where root has
// used its reserve; GNU's df writes - where a file system has none), a percentage, a mount point that may have spaces.
var dfLine = regexp.MustCompile(`^.+?\s+(\d+|-)\s+(\d+|-)\s+(-?\d+|-)\s+(?:\d+%|-)\s+/`)

// parseDF reads the output of df -P for a number of paths: a title and a line each, in the order of the paths. The dfs of GNU,
// BusyBox and toybox write it so, as POSIX has it.
func parseDF(text string, paths int) ([]dfRow, error) {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(lines) != paths+1 {
		return nil, fmt.Errorf("df reported %d file systems, expected %d", len(lines)-1, paths)
	}
	rows := make([]dfRow, paths)
	for i, line := range lines[1:] {
		fields := dfLine.FindStringSubmatch(line)
		if fields == nil {
			return nil, fmt.Errorf("df wrote %q", line)
		}
		for j, to := range []*uint64{&rows[i].size, &rows[i].used, &rows[i].available} {
			if strings.HasPrefix(fields[j+1], "-") {
				continue // none
			}
			n, err := strconv.ParseUint(fields[j+1], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("df wrote %q", line)
			}
			*to = n
		}
	}
	return rows, nil
}

// DataMounts finds, for each file system claim that a pod mounts and that wanted approves, a running container that has it
// mounted. Claims that no running container has are missing.
func DataMounts(pod *corev1.Pod, claims map[string]string, wanted func(types.NamespacedName) bool) []Mounts {
	running, reads := map[string]bool{}, map[string]bool{}
	for i := range pod.Spec.Volumes {
		if c := pod.Spec.Volumes[i].PersistentVolumeClaim; c != nil {
			reads[pod.Spec.Volumes[i].Name] = c.ReadOnly
		}
	}
	for i := range pod.Status.ContainerStatuses {
		running[pod.Status.ContainerStatuses[i].Name] = pod.Status.ContainerStatuses[i].State.Running != nil
	}
	seen := map[types.NamespacedName]bool{}
	var list []Mounts
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		if !running[container.Name] {
			continue
		}
		m := Mounts{Container: Container{Namespace: pod.Namespace, Pod: pod.Name, Name: container.Name}}
		for _, mount := range container.VolumeMounts {
			claim := types.NamespacedName{Namespace: pod.Namespace, Name: claims[mount.Name]}
			if claim.Name == "" || seen[claim] || !wanted(claim) {
				continue
			}
			seen[claim] = true
			m.Paths = append(m.Paths, mount.MountPath)
			m.Claims = append(m.Claims, claim)
			m.ReadOnly = append(m.ReadOnly, mount.ReadOnly || reads[mount.Name])
		}
		if len(m.Paths) > 0 {
			list = append(list, m)
		}
	}
	return list
}

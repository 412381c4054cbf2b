package stats

import (
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/storage/ephemeral"
	statsapi "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// ClaimGetter finds a claim; nil means that there is none.
type ClaimGetter func(namespace, name string) *corev1.PersistentVolumeClaim

// Summary is a kubelet's answer to /stats/summary about its node and the pods that run on it.
func Summary(node *corev1.Node, pods []*corev1.Pod, claims ClaimGetter, now time.Time) (*statsapi.Summary, error) {
	summary := &statsapi.Summary{Node: nodeStats(node, now), Pods: []statsapi.PodStats{}}
	var problems []error
	for _, pod := range pods {
		if !runs(pod) {
			continue
		}
		podStats, err := ofPod(pod, claims, now)
		problems = append(problems, err)
		summary.Pods = append(summary.Pods, podStats)
	}
	return summary, errors.Join(problems...)
}

// runs reports whether the kubelet has taken up the pod and not yet finished it.
func runs(pod *corev1.Pod) bool {
	return pod.Status.StartTime != nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

func ofPod(pod *corev1.Pod, claims ClaimGetter, now time.Time) (statsapi.PodStats, error) {
	at := metav1.NewTime(now)
	n := seed(pod.Namespace, pod.Name)
	stats := statsapi.PodStats{
		PodRef:     statsapi.PodReference{Name: pod.Name, Namespace: pod.Namespace, UID: string(pod.UID)},
		StartTime:  *pod.Status.StartTime,
		Containers: []statsapi.ContainerStats{},
		Network: &statsapi.NetworkStats{Time: at, InterfaceStats: statsapi.InterfaceStats{
			Name: "eth0", RxBytes: new(n % (64 * mib)), RxErrors: new(uint64(0)), TxBytes: new(n % (16 * mib)), TxErrors: new(uint64(0)),
		}},
		EphemeralStorage: nodeFileSystem(pod.Spec.NodeName).withUsed(floor(n%(32*mib), blockSize), now),
		ProcessStats:     &statsapi.ProcessStats{ProcessCount: new(1 + n%24)},
	}
	var cores, memory uint64
	for i, status := range pod.Status.ContainerStatuses {
		if status.State.Running == nil {
			continue
		}
		container := ofContainer(pod, &pod.Status.ContainerStatuses[i], now)
		cores += *container.CPU.UsageNanoCores
		memory += *container.Memory.WorkingSetBytes
		stats.Containers = append(stats.Containers, container)
	}
	stats.CPU, stats.Memory = cpu(cores, pod.Status.StartTime.Time, now), memoryStats(memory, now)

	var problems []error
	for i := range pod.Spec.Volumes {
		volume, err := ofVolume(pod, &pod.Spec.Volumes[i], claims, now)
		problems = append(problems, err)
		if volume != nil {
			stats.VolumeStats = append(stats.VolumeStats, *volume)
		}
	}
	return stats, errors.Join(problems...)
}

func ofContainer(pod *corev1.Pod, status *corev1.ContainerStatus, now time.Time) statsapi.ContainerStats {
	n := seed(pod.Namespace, pod.Name, status.Name)
	started := status.State.Running.StartedAt
	return statsapi.ContainerStats{
		Name:      status.Name,
		StartTime: started,
		CPU:       cpu(200_000+n%40_000_000, started.Time, now),
		Memory:    memoryStats(floor(4*mib+n%(200*mib), blockSize), now),
		Rootfs:    nodeFileSystem(pod.Spec.NodeName).withUsed(floor(n%(24*mib), blockSize), now),
		Logs:      nodeFileSystem(pod.Spec.NodeName).withUsed(floor(n%mib, blockSize), now),
	}
}

// ofVolume is the entry for one of a pod's volumes, or nil where a kubelet has none: a claim that isn't there or that a
// test declared missing. As in a real kubelet, a claim's entry carries a reference to it, also when the claim belongs
// to a generic ephemeral volume, and what a driver doesn't know is reported as 0.
func ofVolume(pod *corev1.Pod, volume *corev1.Volume, claims ClaimGetter, now time.Time) (*statsapi.VolumeStats, error) {
	name := ClaimName(pod, volume)
	if name == "" {
		if !onNode(volume) {
			return nil, nil
		}
		used := floor(seed(string(pod.UID), volume.Name)%(64*kib), blockSize)
		return &statsapi.VolumeStats{Name: volume.Name, FsStats: *nodeFileSystem(pod.Spec.NodeName).withUsed(used, now)}, nil
	}
	claim := claims(pod.Namespace, name)
	if claim == nil || claim.Spec.VolumeName == "" {
		return nil, nil
	}
	numbers, err := OfClaim(claim)
	if err != nil || numbers.Missing {
		return nil, err
	}
	stats := &statsapi.VolumeStats{
		Name:   volume.Name,
		PVCRef: &statsapi.PVCReference{Name: name, Namespace: pod.Namespace},
		FsStats: statsapi.FsStats{
			Time:           metav1.NewTime(now),
			CapacityBytes:  &numbers.Capacity,
			UsedBytes:      &numbers.Used,
			AvailableBytes: &numbers.Available,
		},
	}
	if !numbers.InodesMissing {
		stats.Inodes, stats.InodesUsed, stats.InodesFree = &numbers.Inodes, &numbers.InodesUsed, new(numbers.InodesFree())
	}
	return stats, nil
}

// ClaimName is the name of the claim behind a pod's volume, empty if there is none.
func ClaimName(pod *corev1.Pod, volume *corev1.Volume) string {
	switch {
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	case volume.Ephemeral != nil:
		return ephemeral.VolumeClaimName(pod, volume)
	}
	return ""
}

// onNode reports whether a volume lies on the node's own disk and is measured by the kubelet.
func onNode(volume *corev1.Volume) bool {
	return volume.EmptyDir != nil || volume.ConfigMap != nil || volume.Secret != nil || volume.Projected != nil || volume.DownwardAPI != nil
}

func nodeStats(node *corev1.Node, now time.Time) statsapi.NodeStats {
	n := seed(node.Name)
	started := node.CreationTimestamp
	fs := nodeFileSystem(node.Name)
	stats := statsapi.NodeStats{
		NodeName:  node.Name,
		StartTime: started,
		CPU:       cpu(60_000_000+n%400_000_000, started.Time, now),
		Memory:    memoryStats(floor(600*mib+n%gib, blockSize), now),
		Fs:        fs.withUsed(fs.Used, now),
		Runtime:   &statsapi.RuntimeStats{ImageFs: fs.withUsed(fs.Used/3, now), ContainerFs: fs.withUsed(fs.Used/3, now)},
		Rlimit:    &statsapi.RlimitStats{Time: metav1.NewTime(now), MaxPID: new(int64(4_194_304)), NumOfRunningProcesses: new(int64(120 + n%200))},
	}
	if total, ok := node.Status.Capacity[corev1.ResourceMemory]; ok {
		stats.Memory.AvailableBytes = new(subtract(bytes(total), *stats.Memory.WorkingSetBytes))
	}
	return stats
}

// nodeFileSystem is the node's root disk: 80 GiB of XFS.
func nodeFileSystem(node string) Volume {
	v := Volume{Capacity: 80*gib - 10*mib, Inodes: 41_942_512, InodesUsed: 60_000 + seed(node)%50_000}
	v.Used = floor(4*gib+seed(node)%(10*gib), blockSize)
	v.Available = v.Capacity - v.Used
	return v
}

// withUsed is the part of a file system that one thing on it uses.
func (v Volume) withUsed(used uint64, now time.Time) *statsapi.FsStats {
	return &statsapi.FsStats{
		Time:           metav1.NewTime(now),
		CapacityBytes:  &v.Capacity,
		AvailableBytes: &v.Available,
		UsedBytes:      &used,
		Inodes:         &v.Inodes,
		InodesFree:     new(v.InodesFree()),
		InodesUsed:     &v.InodesUsed,
	}
}

func cpu(nanoCores uint64, since, now time.Time) *statsapi.CPUStats {
	total := uint64(max(now.Sub(since).Seconds(), 0) * float64(nanoCores))
	return &statsapi.CPUStats{Time: metav1.NewTime(now), UsageNanoCores: &nanoCores, UsageCoreNanoSeconds: &total}
}

func memoryStats(workingSet uint64, now time.Time) *statsapi.MemoryStats {
	return &statsapi.MemoryStats{
		Time:            metav1.NewTime(now),
		UsageBytes:      new(workingSet + workingSet/8),
		WorkingSetBytes: &workingSet,
		RSSBytes:        new(workingSet - workingSet/4),
		PageFaults:      new(workingSet / blockSize),
		MajorPageFaults: new(uint64(0)),
	}
}

package stats

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/shell"
)

// FileSystems is what df shows in a container: the same numbers as in the kubelet's summary. A claim that is missing
// there is mounted all the same, which is why df is worth asking.
func FileSystems(pod *corev1.Pod, container *corev1.Container, claims ClaimGetter) ([]shell.FileSystem, error) {
	root := nodeFileSystem(pod.Spec.NodeName)
	systems := []shell.FileSystem{
		fileSystem("overlay", "/", root),
		{Device: "tmpfs", MountPoint: "/dev", Capacity: 64 * mib, Available: 64 * mib, Inodes: 494_000, InodesUsed: 16},
	}
	volumes := map[string]*corev1.Volume{}
	for i := range pod.Spec.Volumes {
		volumes[pod.Spec.Volumes[i].Name] = &pod.Spec.Volumes[i]
	}
	var problems []error
	disks := 0
	for _, mount := range container.VolumeMounts {
		volume := volumes[mount.Name]
		if volume == nil {
			continue
		}
		name := ClaimName(pod, volume)
		if name == "" {
			systems = append(systems, plainMount(volume, mount.MountPath, root))
			continue
		}
		claim := claims(pod.Namespace, name)
		if claim == nil {
			continue
		}
		numbers, err := OfClaim(claim)
		problems = append(problems, err)
		disks++
		device := fmt.Sprintf("/dev/nvme%dn1", disks)
		if numbers.Elastic {
			device = "127.0.0.1:/" // the EFS driver mounts through a local tunnel
		}
		systems = append(systems, fileSystem(device, mount.MountPath, numbers))
	}
	return systems, errors.Join(problems...)
}

func plainMount(volume *corev1.Volume, path string, root Volume) shell.FileSystem {
	if volume.Secret != nil || volume.Projected != nil || volume.DownwardAPI != nil {
		return shell.FileSystem{Device: "tmpfs", MountPoint: path, Capacity: 128 * mib, Used: 12 * kib, Available: 128*mib - 12*kib, Inodes: 494_000, InodesUsed: 9}
	}
	return fileSystem("/dev/nvme0n1p1", path, root)
}

func fileSystem(device, mountPoint string, v Volume) shell.FileSystem {
	return shell.FileSystem{
		Device: device, MountPoint: mountPoint,
		Capacity: v.Capacity, Used: v.Used, Available: v.Available,
		Inodes: v.Inodes, InodesUsed: v.InodesUsed, Options: v.Mount,
	}
}

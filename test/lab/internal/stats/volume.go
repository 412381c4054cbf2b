// Package stats makes up the numbers that a simulated kubelet reports: plausible, the same on every run, and set by
// annotations on the claims where a test needs others.
package stats

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

const (
	kib = uint64(1) << 10
	mib = uint64(1) << 20
	gib = uint64(1) << 30

	blockSize = 4 * kib

	// elasticCapacity is the size that Amazon's EFS shows over NFS: 8 EiB, less one MiB.
	elasticCapacity = uint64(1)<<63 - mib
)

// Volume is what the file system of a claim's volume says about itself.
type Volume struct {
	Capacity, Used, Available uint64
	Inodes, InodesUsed        uint64

	Missing       bool // the kubelet has no entry for the claim
	InodesMissing bool // the kubelet's entry has no inodes
	Block         bool // a raw device: its size is all that is known
	Elastic       bool // a network file system without a size of its own

	Mount string // mount options, where they are not the usual ones
}

// OfClaim returns the numbers for a claim's volume. An annotation that can't be read is an error: a test that
// misspells one should hear about it.
func OfClaim(claim *corev1.PersistentVolumeClaim) (Volume, error) {
	volume := ext4(size(claim), seed(claim.Namespace, claim.Name))
	if mode := claim.Spec.VolumeMode; mode != nil && *mode == corev1.PersistentVolumeBlock {
		volume = block(size(claim))
	}
	if err := volume.takeShorthand(claim); err != nil {
		return Volume{}, fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	volume.Mount = claim.Annotations[annotation.Mount]
	if err := volume.takeNumbers(claim.Annotations); err != nil {
		return Volume{}, fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	return volume, nil
}

// size is the size of the claim's device: what it was given or, before that, what it asked for.
func size(claim *corev1.PersistentVolumeClaim) uint64 {
	if given, ok := claim.Status.Capacity[corev1.ResourceStorage]; ok {
		return bytes(given)
	}
	return bytes(claim.Spec.Resources.Requests[corev1.ResourceStorage])
}

func bytes(q resource.Quantity) uint64 { return uint64(max(q.Value(), 0)) }

// ext4 returns a file system on a device of that size, between 5 % and 60 % full. Its inode tables take 1/64 of the
// device, its journal up to 100 MiB, and 16 MiB stay reserved: a claim of 10Gi has a file system of 9.75 GiB.
func ext4(device, seed uint64) Volume {
	inodes := device / (16 * kib)
	v := Volume{
		Capacity: floor(device-device/64-min(device/32, 100*mib), blockSize),
		Inodes:   inodes,
	}
	usable := v.Capacity - reserved(v.Capacity)
	v.Used = floor(usable/1000*(50+seed%550), blockSize)
	v.Available = usable - v.Used
	v.InodesUsed = min(inodes, 11+seed%997)
	return v
}

// reserved is the part of an ext4 file system that is neither used nor available to anyone.
func reserved(capacity uint64) uint64 { return floor(min(capacity/50, 16*mib), blockSize) }

func block(device uint64) Volume { return Volume{Capacity: device, Block: true} }

// elastic returns a file system of EFS: endless, without inodes.
func elastic(seed uint64) Volume {
	used := floor(gib+seed%(40*gib), mib)
	return Volume{Capacity: elasticCapacity, Used: used, Available: elasticCapacity - used, Elastic: true}
}

// takeShorthand applies the annotation that names a whole case.
func (v *Volume) takeShorthand(claim *corev1.PersistentVolumeClaim) error {
	switch value := claim.Annotations[annotation.Stats]; value {
	case "":
	case "full":
		v.Used, v.Available = v.Used+v.Available, 0
	case "no-inodes":
		v.Inodes, v.InodesUsed = 0, 0
	case "inodes-missing":
		v.InodesMissing = true
	case "elastic":
		*v = elastic(seed(claim.Namespace, claim.Name))
	case "missing":
		v.Missing = true
	case "block":
		*v = block(size(claim))
	default:
		return fmt.Errorf("%s: %q is none of full, no-inodes, inodes-missing, elastic, missing and block", annotation.Stats, value)
	}
	return nil
}

// takeNumbers applies the annotations that set one number each. Those not set follow from those that are.
func (v *Volume) takeNumbers(annotations map[string]string) error {
	if value, ok := annotations[annotation.Capacity]; ok {
		capacity, err := parseNumber(annotation.Capacity, value, 0)
		if err != nil {
			return err
		}
		share := float64(v.Used) / float64(max(v.Capacity, 1))
		v.Capacity, v.Used = capacity, floor(uint64(share*float64(capacity)), blockSize)
		v.Available = subtract(capacity, v.Used+reserved(capacity))
	}
	if value, ok := annotations[annotation.Used]; ok {
		// A percentage means what df prints: used of used and available.
		usable := v.Capacity
		if !v.Elastic {
			usable -= reserved(v.Capacity)
		}
		used, err := parseNumber(annotation.Used, value, usable)
		if err != nil {
			return err
		}
		v.Used, v.Available = used, subtract(usable, used)
	}
	if value, ok := annotations[annotation.Available]; ok {
		available, err := parseNumber(annotation.Available, value, v.Capacity)
		if err != nil {
			return err
		}
		v.Available = available
	}
	if value, ok := annotations[annotation.Inodes]; ok {
		inodes, err := parseNumber(annotation.Inodes, value, 0)
		if err != nil {
			return err
		}
		v.Inodes, v.InodesUsed = inodes, min(v.InodesUsed, inodes)
	}
	if value, ok := annotations[annotation.InodesUsed]; ok {
		used, err := parseNumber(annotation.InodesUsed, value, v.Inodes)
		if err != nil {
			return err
		}
		v.InodesUsed = used
	}
	return nil
}

// parseNumber reads a quantity such as 9.1Gi or, where there is a whole to take it of, a percentage such as 91%.
func parseNumber(name, value string, whole uint64) (uint64, error) {
	if percent, ok := strings.CutSuffix(value, "%"); ok {
		share, err := strconv.ParseFloat(percent, 64)
		if err != nil || !(share >= 0 && share <= 100) || whole == 0 && name != annotation.InodesUsed {
			return 0, fmt.Errorf("%s: %q is not a percentage that can be taken", name, value)
		}
		return uint64(share / 100 * float64(whole)), nil
	}
	quantity, err := resource.ParseQuantity(value)
	if err != nil || quantity.Sign() < 0 {
		return 0, fmt.Errorf("%s: %q is not a quantity of zero or more", name, value)
	}
	return bytes(quantity), nil
}

// InodesFree never underflows, whatever a test has set.
func (v Volume) InodesFree() uint64 { return subtract(v.Inodes, v.InodesUsed) }

func subtract(a, b uint64) uint64 { return a - min(a, b) }

func floor(n, unit uint64) uint64 { return n - n%unit }

// seed turns names into a number that is the same on every run.
func seed(names ...string) uint64 {
	hash := fnv.New64a()
	for _, name := range names {
		hash.Write([]byte(name))
		hash.Write([]byte{0})
	}
	// FNV's low bits hardly differ between names that end in 0, 1, 2…; the multiplication spreads them.
	return (hash.Sum64() * 0x9e3779b97f4a7c15) >> 16
}

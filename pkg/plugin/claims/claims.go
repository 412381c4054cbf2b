// Package claims is what PersistentVolumeClaims and their volumes mean, the same for every command: their state, how full they are, and
// what is wrong with them.
package claims

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// A volume or its inodes are filling and full from these percentages on.
const (
	FillingPercent = 80
	FullPercent    = 90
)

// Subjects are what a command may have read or failed to read: elements of Facts.Read, keys of Facts.Problems.
const (
	SubjectPods    = "pods"
	SubjectClaims  = "persistentvolumeclaims"
	SubjectVolumes = "persistentvolumes"
	SubjectClasses = "storageclasses"
	SubjectEvents  = "events"
)

// Kinds of objects that events are about.
const (
	kindPod   = "Pod"
	kindClaim = "PersistentVolumeClaim"
)

// Facts are what a command has read of claims, and of what they rest on.
type Facts struct {
	Claims []*corev1.PersistentVolumeClaim
	// Pods may mount them.
	Pods    []*corev1.Pod
	Volumes []corev1.PersistentVolume
	Classes []storagev1.StorageClass
	Events  objects.Events
	// Usage is how full they are.
	Usage *Measured
	// Read are the subjects that were read as far as they are needed; what is not there does not exist. Problems are those that could not be.
	Read     []string
	Problems map[string]v1alpha1.Problem
}

// Index finds claims and what they rest on.
type Index struct {
	Facts
	ByName      map[types.NamespacedName]*corev1.PersistentVolumeClaim
	ByNamespace map[string][]*corev1.PersistentVolumeClaim
	// Mounting are the pods that mount a claim and have not ended.
	Mounting map[types.NamespacedName][]*corev1.Pod
	Volume   map[string]*corev1.PersistentVolume
	Class    map[string]*storagev1.StorageClass
	// sharing is made when it is asked for.
	sharing map[fileSystem][]types.NamespacedName
}

// NewIndex makes an index of what was read.
func NewIndex(f Facts) *Index {
	x := &Index{
		Facts:       f,
		ByName:      make(map[types.NamespacedName]*corev1.PersistentVolumeClaim, len(f.Claims)),
		ByNamespace: map[string][]*corev1.PersistentVolumeClaim{},
		Mounting:    map[types.NamespacedName][]*corev1.Pod{},
		Volume:      make(map[string]*corev1.PersistentVolume, len(f.Volumes)),
		Class:       make(map[string]*storagev1.StorageClass, len(f.Classes)),
	}
	for _, claim := range f.Claims {
		x.ByName[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = claim
		x.ByNamespace[claim.Namespace] = append(x.ByNamespace[claim.Namespace], claim)
	}
	for _, pod := range f.Pods {
		if objects.PodFinished(pod) {
			continue
		}
		for _, claim := range objects.ClaimsOf(pod) {
			key := types.NamespacedName{Namespace: pod.Namespace, Name: claim.Name}
			x.Mounting[key] = append(x.Mounting[key], pod)
		}
	}
	for i := range f.Volumes {
		x.Volume[f.Volumes[i].Name] = &f.Volumes[i]
	}
	for i := range f.Classes {
		x.Class[f.Classes[i].Name] = &f.Classes[i]
	}
	return x
}

// unread reports whether objects of a kind could not be read, so that their absence means nothing.
func (x *Index) unread(subject string) bool {
	_, failed := x.Problems[subject]
	return failed
}

// read reports whether objects of a kind were read, so that what is not there does not exist.
func (x *Index) read(subject string) bool { return slices.Contains(x.Read, subject) }

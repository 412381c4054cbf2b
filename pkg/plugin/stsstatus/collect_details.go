package stsstatus

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

const (
	// singly is up to how many objects of a kind are got one by one, all at once. Nothing selects several by their names, and a
	// list of all costs as much as the cluster is large.
	singly = 32
	// namespacesSingly is the same of namespaces whose events are listed.
	namespacesSingly = 8
)

// detailReader reads what is needed beside sets, pods, claims and Services.
type detailReader struct {
	cluster *kube.Cluster
	query   Query
	needs   *needs
	// followed is true if volumes, StorageClasses and events come from a Follower's mirrors.
	followed bool

	mu       sync.Mutex
	found    Snapshot
	problems map[string]v1alpha1.Problem
	events   map[string]corev1.Event
}

// read reads all of it at the same time.
func (d *detailReader) read(ctx context.Context) {
	d.problems, d.events = map[string]v1alpha1.Problem{}, map[string]corev1.Event{}
	var reads []kube.Read
	collect := func(subject, title string, do func(context.Context) error) {
		reads = append(reads, kube.Read{Subject: subject, Title: title, Do: do})
	}
	if !d.followed {
		collect(subjectVolumes, "PersistentVolumes", func(ctx context.Context) error {
			return d.cluster.EachVolume(ctx, d.all(), func(volume *corev1.PersistentVolume) {
				if d.needs.concerns(volume) {
					d.keep(func() { d.found.Volumes = append(d.found.Volumes, *volume) })
				}
			})
		})
		collect(subjectClasses, "StorageClasses", func(ctx context.Context) error {
			return d.cluster.EachStorageClass(ctx, d.all(), func(class *storagev1.StorageClass) {
				d.keep(func() { d.found.StorageClasses = append(d.found.StorageClasses, *class) })
			})
		})
		collect(subjectEvents, "events", d.readEvents)
	}
	if d.needs.allNodes || len(d.needs.nodes) > 0 {
		collect(subjectNodes, "nodes", d.readNodes)
	}
	if len(d.needs.namespaces) > 0 {
		collect(subjectNamespaces, "namespaces", func(ctx context.Context) error {
			return eachOf(ctx, d.needs.namespaces, d.cluster.GetNamespace, func(namespace *corev1.Namespace) {
				d.keep(func() { d.found.Namespaces = append(d.found.Namespaces, *namespace) })
			})
		})
	}
	if d.needs.attachments {
		collect(subjectAttachments, "VolumeAttachments", func(ctx context.Context) error {
			return d.cluster.EachVolumeAttachment(ctx, d.all(), func(attachment *storagev1.VolumeAttachment) {
				d.keep(func() { d.found.Attachments = append(d.found.Attachments, *attachment) })
			})
		})
	}
	d.found.Read, _ = kube.SideBySide(ctx, d.problems, reads...) // none is needed
}

// all is a list of all objects of a kind that has no namespace.
func (d *detailReader) all() kube.Query { return kube.Query{ChunkSize: d.query.ChunkSize} }

func (d *detailReader) keep(add func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	add()
}

func (d *detailReader) readNodes(ctx context.Context) error {
	add := func(node *corev1.Node) {
		d.keep(func() { reduceNode(node); d.found.Nodes = append(d.found.Nodes, *node) })
	}
	if d.needs.allNodes || len(d.needs.nodes) > singly {
		return d.cluster.EachNode(ctx, d.all(), func(node *corev1.Node) {
			if d.needs.allNodes || d.needs.nodes[node.Name] {
				add(node)
			}
		})
	}
	return eachOf(ctx, d.needs.nodes, d.cluster.Node, add)
}

// eachOf gets objects by their names, all at once. One that does not exist is left out.
func eachOf[T any](ctx context.Context, names map[string]bool, get func(context.Context, string) (*T, error), each func(*T)) error {
	var group errgroup.Group
	for name := range names {
		group.Go(func() error {
			switch object, err := get(ctx, name); {
			case apierrors.IsNotFound(err):
			case err != nil:
				return err
			default:
				each(object)
			}
			return nil
		})
	}
	return group.Wait()
}

// readEvents lists the events of the namespaces that have objects in need of an explanation; of more than a few namespaces, one
// list of all is cheaper.
func (d *detailReader) readEvents(ctx context.Context) error {
	namespaces := namespacesOf(d.needs.events)
	if len(namespaces) > namespacesSingly {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		q := kube.Query{Namespace: namespace, ChunkSize: d.query.ChunkSize}
		err := d.cluster.EachEvent(ctx, q, func(e *corev1.Event) {
			d.keep(func() { d.needs.addEvent(d.events, reduceEvent(e)) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addTo adds what was read to the snapshot.
func (d *detailReader) addTo(s *Snapshot) {
	s.Nodes, s.Namespaces, s.Attachments = d.found.Nodes, d.found.Namespaces, d.found.Attachments
	if !d.followed {
		s.Volumes, s.StorageClasses = d.found.Volumes, d.found.StorageClasses
		s.Events = slices.Collect(maps.Values(d.events))
	}
	s.Read = append(s.Read, d.found.Read...)
	maps.Copy(s.Problems, d.problems)
}

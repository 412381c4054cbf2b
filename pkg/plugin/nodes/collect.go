// Package nodes is kubectl doik nodes: on what terms each node runs, what it belongs to, and which stateful pods would go with it.
package nodes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Query says what to collect.
type Query struct {
	// Namespace is that whose pods count; empty for all.
	Namespace string
	// Selection is which nodes will be shown. All are read: what would be lost with one depends on the others.
	Selection Selection
	// Everything reads what any selection would show, for a snapshot that is saved.
	Everything bool
	ChunkSize  int64
	// Usage asks the kubelets of the selected nodes for the disk usage of stateful pods; each has UsageTimeout.
	Usage        bool
	UsageTimeout time.Duration
	// UsageInterval is how often a Follower does that.
	UsageInterval time.Duration
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Snapshot is what the cluster said. Of nodes it has what analysis reads, of pods that have something to lose a few fields, and
// of all other pods sums: a large cluster has many.
type Snapshot struct {
	Nodes []corev1.Node `json:"nodes"`
	// Attached counts by node and CSI driver the volumes that the control plane has attached.
	Attached map[string]map[string]int32 `json:"attached,omitempty"`
	// Limits has by node and CSI driver how many volumes can be attached.
	Limits map[string]map[string]int32 `json:"limits,omitempty"`
	// Loads are by node.
	Loads map[string]Load `json:"loads,omitempty"`
	// Pods are the stateful ones.
	Pods []Pod `json:"pods,omitempty"`
	// AllPods is true if the pods of all namespaces were read.
	AllPods bool `json:"allPods,omitempty"`
	// Labels are those of one pod of each set, by the UID of the set.
	Labels map[types.UID]map[string]string `json:"labels,omitempty"`
	// Budgets are the selectors of the PodDisruptionBudgets by namespace.
	Budgets map[string][]*metav1.LabelSelector `json:"budgets,omitempty"`
	// Volumes are by namespace/claim the zones in which a claim's volume can be used, of the claims for which that matters.
	Volumes map[string][]string `json:"volumes,omitempty"`
	// Usage is by namespace/claim.
	Usage map[string]v1alpha1.VolumeUsage `json:"usage,omitempty"`
	// UsageFailed is by node: its kubelet could not be read.
	UsageFailed map[string]v1alpha1.Problem `json:"usageFailed,omitempty"`
	// UsageAsked is true if usage was requested; UsagePending, that there is no answer yet.
	UsageAsked   bool `json:"usageAsked,omitempty"`
	UsagePending bool `json:"usagePending,omitempty"`
	// Problems by what could not be read at all.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Keys of Snapshot.Problems.
const (
	subjectNodes   = "nodes" // of a Follower only: without them there is no snapshot
	subjectPods    = "pods"
	subjectLimits  = "csinodes"
	subjectBudgets = "poddisruptionbudgets"
	subjectVolumes = "persistentvolumes"
)

// Load is what the pods on a node that have not ended ask for together.
type Load struct {
	Pods int32 `json:"pods"`
	// CPU is in thousandths of a core, Memory in bytes.
	CPU    int64 `json:"cpu"`
	Memory int64 `json:"memory"`
	// Evicted counts those of them that are being evicted, as by a drain.
	Evicted int32 `json:"evicted,omitempty"`
	// FargateProfile is that of the pod on a Fargate node, Provisioned what Fargate has given it.
	FargateProfile string       `json:"fargateProfile,omitempty"`
	Provisioned    *Provisioned `json:"provisioned,omitempty"`
}

// Provisioned is what Fargate gives a pod: the smallest of its sizes that the pod's requests fit in. The node that it makes shows the
// machine, of which the pod has a part.
type Provisioned struct {
	// CPU is in thousandths of a core, Memory in bytes.
	CPU    int64 `json:"cpu"`
	Memory int64 `json:"memory"`
}

// Pod is what is kept of a stateful pod.
type Pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Node is empty for a pod that is on none.
	Node string `json:"node,omitempty"`
	// Kind, Set and UID are its controller's.
	Kind            string      `json:"kind,omitempty"`
	Set             string      `json:"set,omitempty"`
	UID             types.UID   `json:"uid,omitempty"`
	Claims          []string    `json:"claims,omitempty"`
	Containers      int32       `json:"containers"`
	ContainersReady int32       `json:"containersReady"`
	Created         metav1.Time `json:"created,omitzero"`
	// Requires is what it requires of a node; nil if any will do. Pods of a set share it.
	Requires *objects.Requirements `json:"requires,omitempty"`
	// CPU, in thousandths of a core, and Memory, in bytes, are what it requests.
	CPU    int64 `json:"cpu,omitempty"`
	Memory int64 `json:"memory,omitempty"`
}

// Collect reads the nodes, their CSINodes and all pods, each in pages at the same time. PodDisruptionBudgets are read if a set is
// on interruptible capacity, volumes if stateful pods are in a zone in which no other node could take them. It fails only if the
// nodes can't be read; what else can't be read is a problem in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	progress := q.Progress
	if progress == nil {
		progress = func(string) {}
	}
	s := &Snapshot{AllPods: q.Namespace == "", Limits: map[string]map[string]int32{}, Problems: map[string]v1alpha1.Problem{}}
	if err := s.collectAll(ctx, cluster, q, progress); err != nil {
		return nil, kube.Explain(err)
	}
	if err := s.named(q.Selection.Names); err != nil {
		return nil, err
	}
	of := q.Selection
	if q.Everything {
		of = Selection{}
	}
	need := needs(s, of)
	s.collectNeeded(ctx, cluster, q, need, progress)
	if q.Usage && len(need.usage) > 0 {
		s.collectUsage(ctx, cluster, q, need, progress)
	}
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	return s, s.selectable(q.Selection)
}

// selectable returns an error if the nodes that are to be shown can't be told from the others.
func (s *Snapshot) selectable(selection Selection) error {
	if problem, failed := s.Problems[subjectPods]; failed && selection.Stateful {
		return errors.New("--stateful needs to read pods: " + problem.Message)
	}
	return nil
}

// collectAll reads what is read of every cluster. Only the nodes' error is returned.
func (s *Snapshot) collectAll(ctx context.Context, cluster *kube.Cluster, q Query, progress func(string)) error {
	all := kube.Query{ChunkSize: q.ChunkSize}
	ofPods := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	progress("reading nodes and pods")
	_, err := kube.SideBySide(ctx, s.Problems,
		kube.Read{Subject: subjectNodes, Title: "nodes", Needed: true, Do: func(ctx context.Context) error {
			annotations := capacity.Annotations()
			return cluster.EachNode(ctx, all, func(node *corev1.Node) { s.addNode(reduceNode(node, annotations)) })
		}},
		kube.Read{Subject: subjectPods, Title: "pods " + kube.Where(q.Namespace), Do: func(ctx context.Context) error {
			r, all := &reducer{}, newAdder(s)
			count := 0
			err := cluster.EachPod(ctx, ofPods, func(pod *corev1.Pod) {
				all.add(r.reduce(pod))
				if count++; q.ChunkSize > 0 && count%int(q.ChunkSize) == 0 {
					progress(fmt.Sprintf("reading nodes and pods: %d pods", count))
				}
			})
			if err != nil { // half of the pods would be taken for all
				s.Pods, s.Loads, s.Labels = nil, nil, nil
			}
			return err
		}},
		kube.Read{Subject: subjectLimits, Title: "CSINodes", Do: func(ctx context.Context) error {
			return cluster.EachCSINode(ctx, all, func(node *storagev1.CSINode) { s.addLimits(reduceLimits(node)) })
		}})
	return err
}

// named checks that there is a node of every name.
func (s *Snapshot) named(names []string) error {
	existing := make([]string, len(s.Nodes))
	for i := range s.Nodes {
		existing[i] = s.Nodes[i].Name
	}
	for _, name := range names {
		if !slices.Contains(existing, name) {
			return kube.NotFound("Node", "", name, existing)
		}
	}
	return nil
}

// collectNeeded reads what only some clusters need.
func (s *Snapshot) collectNeeded(ctx context.Context, cluster *kube.Cluster, q Query, need needed, progress func(string)) {
	if len(need.budgets) > 0 {
		progress("reading PodDisruptionBudgets")
		budgets := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
		if len(need.budgets) == 1 {
			budgets.Namespace = need.budgets[0]
		}
		s.Budgets = map[string][]*metav1.LabelSelector{}
		err := cluster.EachDisruptionBudget(ctx, budgets, func(b *policyv1.PodDisruptionBudget) { s.addBudget(reduceBudget(b), need.budgets) })
		if err != nil {
			s.Problems[subjectBudgets] = kube.ProblemOf("PodDisruptionBudgets "+kube.Where(budgets.Namespace), err)
		}
	}
	if len(need.volumes) > 0 {
		progress("reading volumes")
		s.Volumes = map[string][]string{}
		err := cluster.EachVolume(ctx, kube.Query{ChunkSize: q.ChunkSize}, func(v *corev1.PersistentVolume) { s.addVolume(reduceVolume(v), need.volumes) })
		if err != nil {
			s.Problems[subjectVolumes] = kube.ProblemOf("PersistentVolumes", err)
		}
	}
}

// collectUsage asks the kubelets of the selected nodes for the usage of their stateful pods' claims.
func (s *Snapshot) collectUsage(ctx context.Context, cluster *kube.Cluster, q Query, need needed, progress func(string)) {
	s.UsageAsked, s.Usage = true, map[string]v1alpha1.VolumeUsage{}
	nodes := slices.Compact(slices.Sorted(maps.Values(need.usage)))
	report := func(done int) {
		progress(fmt.Sprintf("reading disk usage from kubelets: %d of %d nodes", done, len(nodes)))
	}
	report(0)
	usage := cluster.VolumeUsage(ctx, kube.UsageQuery{
		Nodes: nodes, NodeTimeout: q.UsageTimeout, Progress: report,
		Wanted: func(claim types.NamespacedName) bool { _, ok := need.usage[claim.String()]; return ok },
	})
	s.UsageFailed = usage.Failed
	for claim, u := range usage.ByClaim {
		s.Usage[claim.String()] = u
	}
}

// Package check is kubectl doik check: what all subcommands find about StatefulSets, from one look at the cluster, and what shows
// only where their views are laid over each other.
package check

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/volumes"
)

// Query says what to collect.
type Query struct {
	// Namespace is empty for all namespaces; then Names is empty too.
	Namespace string
	// Names and Selector choose sets; at most one of the two is set.
	Names     sets.Choice
	Selector  string
	ChunkSize int64
	// Selection is which findings will count: parts that have none of them are left out.
	Selection Selection
	// UsageFrom and UsageTimeout are those of sts-status.
	UsageFrom    claims.UsageSource
	UsageTimeout time.Duration
	// Details reads what sts-status shows beyond what check needs, for a snapshot that is saved.
	Details bool
	// DNS says who asks for names; what is asked for comes from this query.
	DNS dns.Query
	// Access is that of topology.
	Access dbserver.Access
	// UsageInterval, DNSInterval and PollInterval are how often a Follower reads usage, asks for names, and asks servers.
	UsageInterval, DNSInterval, PollInterval time.Duration
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// chosen reports whether only some of the StatefulSets are looked at.
func (q *Query) chosen() bool { return len(q.Names) > 0 || q.Selector != "" }

// Snapshot is what the parts collected. A part that was left out, or that could not be looked at (see Problems), is nil.
type Snapshot struct {
	Sets    *stsstatus.Snapshot  `json:"sets"`
	Volumes *volumes.Snapshot    `json:"volumes,omitempty"`
	DNS     *dns.Snapshot        `json:"dns,omitempty"`
	Nodes   *nodes.Snapshot      `json:"nodes,omitempty"`
	Servers *dbtopology.Snapshot `json:"servers,omitempty"`
	// Chosen is true if only some of the StatefulSets are looked at: what concerns none of them is left out.
	Chosen bool `json:"chosen,omitempty"`
	// Annotations are the values of v1alpha1.IgnoreAnnotation by namespace/kind/name, with kinds in small letters.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Problems by part.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Keys of Snapshot.Problems.
const (
	subjectVolumes = "volumes"
	subjectDNS     = "dns"
	subjectNodes   = "nodes"
	subjectServers = "servers"
)

// Collect lets the parts collect at the same time, over lists that they share. It fails only if the StatefulSets can't be read; a
// part that fails is a problem in the snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	notes := newNotes(func() {})
	s := &Snapshot{Chosen: q.chosen(), Problems: map[string]v1alpha1.Problem{}}
	lists, end := context.WithCancel(ctx)
	defer end()
	cluster = cluster.Observe(notes.see).Share(lists, kube.Sharing{Namespace: q.Namespace, ChunkSize: q.ChunkSize, ReducePod: reducePod(engines.Servers())})
	reads := []kube.Read{{Title: "StatefulSets", Needed: true, Do: func(ctx context.Context) (err error) {
		if s.Sets, err = stsstatus.Collect(ctx, cluster, q.ofSets()); err != nil {
			end() // no part waits for a list any more
		}
		return err
	}}}
	if q.wantsVolumes() {
		reads = append(reads, kube.Read{Subject: subjectVolumes, Title: "claims of no set", Do: func(ctx context.Context) (err error) {
			s.Volumes, err = volumes.Collect(ctx, cluster, q.ofVolumes())
			return err
		}})
	}
	if q.Selection.wants(familyDNS) { // what shows across parts needs no names
		reads = append(reads, kube.Read{Subject: subjectDNS, Title: "DNS", Do: func(ctx context.Context) (err error) {
			s.DNS, err = dns.Collect(ctx, cluster, q.ofDNS())
			return err
		}})
	}
	if q.Selection.wantsPart(familyNodes) {
		reads = append(reads, kube.Read{Subject: subjectNodes, Title: "nodes", Do: func(ctx context.Context) (err error) {
			s.Nodes, err = nodes.Collect(ctx, cluster, q.ofNodes())
			return err
		}})
	}
	if len(q.Selection.engines()) > 0 {
		reads = append(reads, kube.Read{Subject: subjectServers, Title: engines.Kinds(), Do: func(ctx context.Context) (err error) {
			s.Servers, err = q.askServers(ctx, cluster)
			return err
		}})
	}
	if _, err := kube.SideBySide(ctx, s.Problems, reads...); err != nil {
		return nil, err
	}
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	s.once()
	s.Annotations = notes.all()
	return s, nil
}

// once says once what could not be read for two parts.
func (s *Snapshot) once() {
	if _, unread := s.Sets.Problems[claims.SubjectClaims]; unread {
		delete(s.Problems, subjectVolumes)
	}
}

// notes are the annotations of all objects that are read.
type notes struct {
	changed func()
	mu      sync.Mutex
	values  map[string]string
}

func newNotes(changed func()) *notes { return &notes{changed: changed, values: map[string]string{}} }

// see notes an object's annotation, or that it has none any more.
func (n *notes) see(kind string, o metav1.Object) {
	key := o.GetNamespace() + "/" + kind + "/" + o.GetName()
	value, ok := o.GetAnnotations()[v1alpha1.IgnoreAnnotation]
	n.mu.Lock()
	old, had := n.values[key]
	if ok {
		n.values[key] = value
	} else {
		delete(n.values, key)
	}
	n.mu.Unlock()
	if ok != had || value != old {
		n.changed()
	}
}

func (n *notes) all() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.values)
}

// ofSets, ofVolumes, ofDNS, ofNodes and ofServers are the parts' own queries.
func (q *Query) ofSets() stsstatus.Query {
	usage := q.UsageFrom
	if !q.Selection.wantsPart(familySets) && !q.Selection.wants(familyVolumes) {
		usage = claims.UsageNone
	}
	return stsstatus.Query{
		Namespace: q.Namespace, Names: q.Names, Selector: q.Selector, ChunkSize: q.ChunkSize, Details: q.Details,
		Usage: claims.UsageQuery{From: usage, Timeout: q.UsageTimeout, Interval: q.UsageInterval}, Progress: q.Progress,
	}
}

// wantsVolumes reports whether claims that belong to no set are looked at.
func (q *Query) wantsVolumes() bool { return q.Selection.wants(familyVolumes) && !q.chosen() }

func (q *Query) ofVolumes() volumes.Query {
	return volumes.Query{
		Namespace: q.Namespace, ChunkSize: q.ChunkSize, OfNoSet: true,
		Usage: claims.UsageQuery{From: q.UsageFrom, Timeout: q.UsageTimeout, Interval: q.UsageInterval}, Progress: q.Progress,
	}
}

func (q *Query) ofDNS() dns.Query {
	d := q.DNS
	d.Namespace, d.Selector, d.ChunkSize, d.Tolerant, d.Progress = q.Namespace, q.Selector, q.ChunkSize, true, q.Progress
	for _, n := range q.Names {
		d.Targets = append(d.Targets, dns.Target{Kind: cmp.Or(n.Kind, dns.KindStatefulSet), Name: n.Name})
	}
	return d
}

func (q *Query) ofNodes() nodes.Query {
	return nodes.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize, Progress: q.Progress, Selection: nodes.Selection{OwnLabels: q.Selection.OwnLabels}}
}

func (q *Query) ofServers() dbtopology.Query {
	return dbtopology.Query{Engines: q.Selection.engines(), Namespace: q.Namespace, ChunkSize: q.ChunkSize, Access: q.Access, PollInterval: q.PollInterval, Progress: q.Progress}
}

// askServers asks the servers that the chosen sets control, or all.
func (q *Query) askServers(ctx context.Context, cluster *kube.Cluster) (*dbtopology.Snapshot, error) {
	of := q.ofServers()
	if q.chosen() {
		chosen := map[types.UID]bool{}
		err := cluster.EachStatefulSet(ctx, kube.Query{Namespace: q.Namespace, Selector: q.Selector}, func(set *appsv1.StatefulSet) {
			if q.Names.Takes(objects.KindStatefulSet, set.Name) {
				chosen[set.UID] = true
			}
		})
		if err != nil {
			return nil, err
		}
		of.Wanted = func(pod *corev1.Pod) bool {
			owner := metav1.GetControllerOfNoCopy(pod)
			return owner != nil && (chosen[owner.UID] || owner.Kind != objects.KindStatefulSet && len(q.Names) > 0 && q.Names.Takes(owner.Kind, owner.Name))
		}
	}
	return dbtopology.Collect(ctx, cluster, of)
}

// reducePod keeps of a pod that has nothing to lose what nodes adds up and what dns compares: a cluster may have many thousands.
func reducePod(servers dbserver.Engines) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		stateful := objects.StatefulSetOf(pod) != nil || sets.UIDOf(pod) != "" || len(objects.ClaimsOf(pod)) > 0
		if stateful {
			return
		}
		if _, isServer := servers.Detect(pod); isServer {
			return
		}
		pod.Annotations, pod.Finalizers = nil, nil
		pod.Spec.Volumes, pod.Spec.Tolerations, pod.Spec.Affinity, pod.Spec.TopologySpreadConstraints = nil, nil, nil, nil
		pod.Spec.InitContainers, pod.Spec.Containers = reduceContainers(pod.Spec.InitContainers), reduceContainers(pod.Spec.Containers)
		if slices.ContainsFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return !s.Ready || s.RestartCount > 0 }) {
			return // it may be a DNS server: what is wrong with it, and how far it is on its way, is told by all of its states
		}
		statuses := make([]corev1.ContainerStatus, len(pod.Status.ContainerStatuses))
		for i := range pod.Status.ContainerStatuses {
			s := &pod.Status.ContainerStatuses[i]
			statuses[i] = corev1.ContainerStatus{Name: s.Name, Ready: s.Ready, Resources: s.Resources, AllocatedResources: s.AllocatedResources}
		}
		pod.Status.ContainerStatuses = statuses
	}
}

func reduceContainers(containers []corev1.Container) []corev1.Container {
	list := make([]corev1.Container, len(containers))
	for i := range containers {
		c := &containers[i]
		list[i] = corev1.Container{Name: c.Name, Ports: c.Ports, Resources: c.Resources, RestartPolicy: c.RestartPolicy, StartupProbe: c.StartupProbe, ReadinessProbe: c.ReadinessProbe}
	}
	return list
}

package dbserver

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Kinds are what an argument kind/name may be of: a set or one of its pods.
var Kinds = append(objects.StatefulSetKinds(), "deployment", "deploy", "po", "pod", "pods")

// Scope says which servers are looked for.
type Scope struct {
	// Namespace is empty for all namespaces; then Names is empty too.
	Namespace string
	// Names are sets, or pods: a pod stands for its set. Selector chooses pods; at most one of the two is set.
	Names    []string
	Selector string
	// PodsAlone makes a pod's name stand for that pod alone.
	PodsAlone bool
	ChunkSize int64
	// Wanted, which may be nil, tells which of their pods count.
	Wanted func(*corev1.Pod) bool
}

// Find lists the pods of a scope and keeps those that run servers of one of the engines. It is an error if a name is of nothing.
func (e Engines) Find(ctx context.Context, cluster *kube.Cluster, q Scope) ([]Server, error) {
	var all []Server
	err := cluster.EachPod(ctx, kube.Query{Namespace: q.Namespace, Selector: q.Selector, ChunkSize: q.ChunkSize}, func(pod *corev1.Pod) {
		if q.Wanted != nil && !q.Wanted(pod) {
			return
		}
		if server, ok := e.Detect(pod); ok {
			all = append(all, server)
		}
	})
	if err != nil {
		return nil, kube.Explain(err)
	}
	return e.Choose(all, q)
}

// Choose keeps those of the servers of a namespace that a scope's names are of. It is an error if a name is of nothing.
func (e Engines) Choose(all []Server, q Scope) ([]Server, error) {
	if len(q.Names) == 0 {
		return all, nil
	}
	var servers []Server
	for _, name := range q.Names {
		groups := map[string]bool{}
		pod := ""
		var known []string
		for _, server := range all {
			set := SetName(server.Group())
			known = append(known, set, server.Pod.Name)
			switch {
			case name == set, name == ownerName(server), name == server.Pod.Name && !q.PodsAlone:
				groups[server.Group()] = true
			case name == server.Pod.Name:
				pod = name
			}
		}
		if len(groups) == 0 && pod == "" {
			slices.Sort(known)
			return nil, kube.NotFound(e.Name()+" server or set", q.Namespace, name, slices.Compact(known))
		}
		for _, server := range all {
			isTaken := func(other Server) bool { return other.Name() == server.Name() }
			if (groups[server.Group()] || len(groups) == 0 && server.Pod.Name == pod) && !slices.ContainsFunc(servers, isTaken) {
				servers = append(servers, server)
			}
		}
	}
	return servers, nil
}

// ownerName is the name of what controls a server's pod, which differs from the set's where labels name that.
func ownerName(s Server) string {
	if owner := metav1.GetControllerOfNoCopy(s.Pod); owner != nil {
		return owner.Name
	}
	return ""
}

// SetName is a group's name without its kind.
func SetName(group string) string {
	if _, name, ok := strings.Cut(group, "/"); ok {
		return name
	}
	return group
}

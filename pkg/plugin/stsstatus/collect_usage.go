package stsstatus

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// collectUsage reads the disk usage of the claims that the sets' pods have mounted.
func (s *Snapshot) collectUsage(ctx context.Context, cluster *kube.Cluster, q Query) {
	s.UsageAsked = true
	s.Usage = map[string]v1alpha1.VolumeUsage{}
	wanted := s.fileSystemClaims()
	if q.UsageFrom != UsageExec {
		s.askKubelets(ctx, cluster, q, wanted)
	}
	if q.UsageFrom != UsageKubelet {
		s.runDF(ctx, cluster, q, wanted)
	}
}

// fileSystemClaims are the claims that kubelets have mounted, by the node.
func (s *Snapshot) fileSystemClaims() map[types.NamespacedName]string {
	block := map[types.NamespacedName]bool{}
	for _, claim := range s.Claims {
		if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == corev1.PersistentVolumeBlock {
			block[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] = true
		}
	}
	wanted := map[types.NamespacedName]string{}
	for _, pod := range s.Pods {
		if !mounts(pod) {
			continue
		}
		for _, c := range objects.ClaimsOf(pod) {
			if claim := (types.NamespacedName{Namespace: pod.Namespace, Name: c.Name}); !block[claim] {
				wanted[claim] = pod.Spec.NodeName
			}
		}
	}
	return wanted
}

// askKubelets asks those of the nodes that have the claims mounted.
func (s *Snapshot) askKubelets(ctx context.Context, cluster *kube.Cluster, q Query, wanted map[types.NamespacedName]string) {
	nodes := slices.Compact(slices.Sorted(maps.Values(wanted)))
	report := func(done int) {
		q.Progress(fmt.Sprintf("reading disk usage from kubelets: %d of %d nodes", done, len(nodes)))
	}
	report(0)
	usage := cluster.VolumeUsage(ctx, kube.UsageQuery{
		Nodes: nodes, NodeTimeout: q.UsageTimeout, Progress: report,
		Wanted: func(claim types.NamespacedName) bool { _, ok := wanted[claim]; return ok },
	})
	s.UsageFailed = usage.Failed
	for claim, u := range usage.ByClaim {
		s.Usage[claim.String()] = u
	}
}

// notMounted is why df could not be run for a claim.
const notMounted = "df: no running container has it mounted"

// runDF runs df in the containers that have the claims mounted: of all nodes, or of those whose kubelets did not tell. A kubelet
// that knows nothing of a volume is right: df would tell of whatever disk the volume is a folder of. One that did not answer in time is not
// asked again: df goes through the same kubelet.
func (s *Snapshot) runDF(ctx context.Context, cluster *kube.Cluster, q Query, wanted map[types.NamespacedName]string) {
	taken := map[types.NamespacedName]bool{} // claims that several pods share are read in one
	missing := func(claim types.NamespacedName) bool {
		node, ok := wanted[claim]
		problem, failed := s.UsageFailed[node]
		tells := failed && problem.Reason != v1alpha1.ReasonTimeout
		return ok && !taken[claim] && (tells || q.UsageFrom == UsageExec)
	}
	var containers []kube.Mounts
	for _, pod := range s.Pods {
		volumes := map[string]string{}
		for _, c := range objects.ClaimsOf(pod) {
			volumes[c.Volume] = c.Name
		}
		found := kube.DataMounts(pod, volumes, missing)
		for _, m := range found {
			for _, claim := range m.Claims {
				taken[claim] = true
			}
		}
		containers = append(containers, found...)
	}
	report := func(done int) {
		q.Progress(fmt.Sprintf("reading disk usage with df: %d of %d containers", done, len(containers)))
	}
	report(0)
	usage, failed := cluster.ContainerUsage(ctx, containers, q.UsageTimeout, report)
	for claim, u := range usage {
		s.Usage[claim.String()] = u
	}
	s.DFFailed = make(map[string]string, len(failed))
	for claim, reason := range failed {
		// What a kubelet refuses to a user it may grant to df. What it can't do it can't do for df: one reason is enough.
		if problem, bad := s.UsageFailed[wanted[claim]]; !bad || problem.Reason == v1alpha1.ReasonForbidden {
			s.DFFailed[claim.String()] = reason
		}
	}
	unknown := map[string]bool{} // by node
	for claim, node := range wanted {
		if _, known := s.Usage[claim.String()]; known {
			continue
		}
		unknown[node] = true
		if _, tried := failed[claim]; !tried && q.UsageFrom == UsageExec {
			s.DFFailed[claim.String()] = notMounted
		}
	}
	// A kubelet that did not tell what df told is nobody's problem.
	maps.DeleteFunc(s.UsageFailed, func(node string, _ v1alpha1.Problem) bool { return !unknown[node] })
}

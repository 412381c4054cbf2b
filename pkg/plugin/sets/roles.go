package sets

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// primaries and replicas are the words for the two, in small letters.
var primaries, replicas = [...]string{"primary", "master", "leader", "standby_leader"}, [...]string{"replica", "secondary", "follower", "slave", "standby", "sync_standby", "learner"}

// RoleOf is what an operator's label says of the server in a pod, and which label; empty if none does, or in other words.
func RoleOf(labels map[string]string) (role v1alpha1.LabelledRole, label string) {
	const flag = "mysql.percona.com/primary" // Percona Operator for MySQL
	if value, ok := labels[flag]; ok {
		if value == "true" {
			return v1alpha1.LabelledPrimary, flag
		}
		return v1alpha1.LabelledReplica, flag
	}
	label, value := objects.RoleLabel(labels)
	switch value = strings.ToLower(value); {
	case slices.Contains(primaries[:], value):
		return v1alpha1.LabelledPrimary, label
	case slices.Contains(replicas[:], value):
		return v1alpha1.LabelledReplica, label
	}
	return "", ""
}

// watchedRoles are the labels that an operator keeps up to date by itself, of engines that have one primary. What MySQL's say the servers
// themselves are asked about.
var watchedRoles = [...]string{"cnpg.io/instanceRole", "postgres-operator.crunchydata.com/role", "spilo-role", "kubeblocks.io/role", "redisfailovers-role"}

// IsWatchedRole reports whether a cluster must have exactly one pod that a label calls primary.
func IsWatchedRole(label string) bool { return slices.Contains(watchedRoles[:], label) }

// RoleIn is the role label that a selector has; empty if it has none.
func RoleIn(selector map[string]string) string {
	_, label := RoleOf(selector)
	return label
}

// shardLabels are those with which operators tell the shards of a cluster apart, each of which has a primary.
var shardLabels = [...]string{"apps.kubeblocks.io/sharding-name", "apps.kubeblocks.io/shard-name", "shard"}

// IsSharded reports whether pods are of several shards.
func IsSharded(pods []*corev1.Pod) bool {
	return slices.ContainsFunc(pods, func(pod *corev1.Pod) bool {
		return slices.ContainsFunc(shardLabels[:], func(label string) bool { return pod.Labels[label] != "" })
	})
}

// clusterLabels are the labels with which operators mark what belongs to one database cluster, whatever number of sets it is in.
var clusterLabels = [...]string{
	"cnpg.io/cluster",
	"strimzi.io/cluster",
	"postgres-operator.crunchydata.com/cluster",
	"mysql.oracle.com/cluster",
	"stackgres.io/cluster-name",
}

// ClusterOf is the database cluster that an object belongs to, as an operator's label says; empty if none does. Helm's label of the release
// counts where it also tells primary and read replicas apart, as in Bitnami's charts, and KubeBlocks' where it is the manager; of a RedisCluster of OT's
// operator the names of its sets tell.
func ClusterOf(labels map[string]string) string {
	for _, label := range clusterLabels {
		if name := labels[label]; name != "" {
			return name
		}
	}
	if labels["redis_setup_type"] == "cluster" { // OT's redis-operator: a set of leaders and one of followers
		if name, ok := strings.CutSuffix(labels["app"], "-"+labels["role"]); ok {
			return name
		}
	}
	instance := labels["app.kubernetes.io/instance"]
	switch labels["app.kubernetes.io/managed-by"] {
	case "kubeblocks":
		return instance
	case "Helm":
		switch labels["app.kubernetes.io/component"] {
		case "primary", "secondary", "read", "master", "replica":
			return instance
		}
	}
	return ""
}

// Group is the database cluster that a pod's server is a member of together with those of other sets, as labels say; empty if the set of the pod
// stands alone. What belongs to a cluster without a role (a pooler, a repository of backups) is no member.
func Group(labels map[string]string) string {
	if role, _ := RoleOf(labels); role == "" {
		switch labels["app.kubernetes.io/component"] {
		case "primary", "secondary", "read", "master", "replica":
		default:
			return ""
		}
	}
	return ClusterOf(labels)
}

package objects

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// roleLabels are the labels by which operators and charts say what a pod's server does, by their documentation; the more particular first.
var roleLabels = [...]string{
	"cnpg.io/instanceRole",                   // CloudNativePG: primary, replica
	"postgres-operator.crunchydata.com/role", // Crunchy PGO, Percona for PostgreSQL: master or primary, replica
	"spilo-role",                             // Zalando: master, replica
	"mysql.oracle.com/cluster-role",          // MySQL Operator: PRIMARY, SECONDARY
	"k8s.mariadb.com/role",                   // mariadb-operator: primary, replica
	"moco.cybozu.com/role",                   // MOCO: primary, replica
	"kubeblocks.io/role",                     // KubeBlocks: as the component's definition says
	"kubedb.com/role",                        // KubeDB: primary, standby
	"redis-role",                             // OT redis-operator: master, slave
	"redisfailovers-role",                    // Spotahome's redis-operator: master, slave
	"role",                                   // Bitpoke, older CloudNativePG, StackGres, Patroni
}

// MariaDBAnnotation is on each pod of mariadb-operator's from its template, with the name of its MariaDB. Labels with roles come later.
const MariaDBAnnotation = "k8s.mariadb.com/mariadb"

// flags are labels that are true for pods with a role, which they name.
var roleFlags = [...]struct{ label, value, role string }{
	{"mysql.percona.com/primary", "true", "primary"}, // Percona for MySQL
	{"mysql.percona.com/primary", "false", "replica"},
	{"strimzi.io/controller-role", "true", "controller"},
	{"strimzi.io/broker-role", "true", "broker"},
}

// roleComponents are the values of app.kubernetes.io/component that are roles (Bitnami); others name programs.
var roleComponents = [...]string{"primary", "secondary", "read", "replica", "master", "node", "arbiter", "hidden", "broker", "controller", "sentinel"}

// RoleLabel is the label that tells the role of a pod's server, with its value; both are empty where none does.
func RoleLabel(labels map[string]string) (label, value string) {
	for _, label := range roleLabels {
		if value := labels[label]; value != "" {
			return label, value
		}
	}
	return "", ""
}

// RoleOf is what a label of a pod says that its server does, in small letters; empty where none says so.
func RoleOf(pod *corev1.Pod) string {
	if _, value := RoleLabel(pod.Labels); value != "" {
		return strings.ToLower(value)
	}
	var roles []string
	for _, f := range roleFlags {
		if pod.Labels[f.label] == f.value {
			roles = append(roles, f.role)
		}
	}
	if len(roles) > 0 {
		return strings.Join(roles, ",") // a node of Kafka may be both
	}
	for _, component := range roleComponents {
		if pod.Labels["app.kubernetes.io/component"] == component {
			return component
		}
	}
	return ""
}

// OwnerOf is what controls a pod, as people call it: of a ReplicaSet that a Deployment made, the Deployment. Kind is empty if nothing does.
func OwnerOf(pod *corev1.Pod) (kind, name string) {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return "", ""
	}
	// The controller puts the hash of the template behind the Deployment's name, and into the pods' labels.
	if hash := pod.Labels["pod-template-hash"]; owner.Kind == "ReplicaSet" && hash != "" {
		if deployment, ok := strings.CutSuffix(owner.Name, "-"+hash); ok {
			return "Deployment", deployment
		}
	}
	return owner.Kind, owner.Name
}

package plugin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rbacRule is a rule of a role, with what it is for.
type rbacRule struct {
	group, resources, verbs string
	comment                 string
}

// rbacPart is a part of what --print-rbac prints. Reading is always printed; each other part has a role of its own, so that it can be bound
// to fewer people, or to one namespace.
type rbacPart struct {
	name string
	// use is what the part is for, strength how much it lets its owner do: in all namespaces and, where it can be bound to one, in one.
	use, strength, strengthInOne string
	rules                        []rbacRule
	// clusterOnly is true for what is in no namespace.
	clusterOnly bool
	// needs are parts that this one does nothing without.
	needs []string
}

// Names of roles.
const (
	rbacName        = "kubectl-doik"
	rbacDNSServers  = "kube-system"
	rbacDefault     = "default"
	rbacPlaceholder = "GROUP"
)

// namespaceName is what the API server takes for one.
var namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// readingInNamespace and readingInCluster are what is read. Each right is used: a test compares it with what the program asks for.
var (
	readingInNamespace = []rbacRule{
		{"apps", "statefulsets", "get, list, watch", ""},
		{"", "pods, services", "get, list, watch", ""},
		{"", "persistentvolumeclaims", "list, watch", ""},
		{"", "events", "list, watch", ""},
		{"policy", "poddisruptionbudgets", "list, watch", ""},
		{"discovery.k8s.io", "endpointslices", "list, watch", ""},
		{"networking.k8s.io", "networkpolicies", "list", ""},
		{"postgresql.cnpg.io", "clusters", "list, watch", ""},
		{"core.strimzi.io", "strimzipodsets", "list, watch", ""},
		{"kafka.strimzi.io", "kafkas", "list, watch", ""},
		{"workloads.kubeblocks.io", "instancesets", "list, watch", ""},
		{"apps.kruise.io", "statefulsets", "list, watch", ""},
		{"postgresql.cnpg.io", "backups, scheduledbackups", "list", ""},
		{"k8s.mariadb.com", "backups, physicalbackups", "list", ""},
		{"mysql.oracle.com", "mysqlbackups, innodbclusters", "list", ""},
		{"ps.percona.com", "perconaservermysqlbackups, perconaservermysqls", "list", ""},
		{"pxc.percona.com", "perconaxtradbclusterbackups, perconaxtradbclusters", "list", ""},
		{"batch", "cronjobs", "list", ""},
	}
	readingInCluster = []rbacRule{
		{"", "persistentvolumes", "list, watch", ""},
		{"", "nodes", "get, list, watch", ""},
		{"", "namespaces", "get, list", ""},
		{"storage.k8s.io", "volumeattachments", "list", ""},
		{"storage.k8s.io", "storageclasses, csinodes", "list, watch", ""},
	}
	// readingDNSServers is for dns and check in the namespace of the DNS servers, readingAPIServers for endpoint in default.
	readingDNSServers = []rbacRule{
		{"", "services", "get, list", ""},
		{"", "pods", "list", ""},
		{"discovery.k8s.io", "endpointslices", "list", ""},
	}
	readingAPIServers = []rbacRule{{"discovery.k8s.io", "endpointslices", "list", ""}}
)

// rbacParts are in the order in which they are printed.
var rbacParts = []rbacPart{
	{
		name: "exec", use: "df and database clients in containers, and DNS queries in the debug pod",
		strength:      "pods/exec in every namespace is equivalent to cluster-admin: it runs any command in any pod, with its service account",
		strengthInOne: "pods/exec gives access to all service accounts, data and mounted Secrets of the namespace's pods",
		rules:         []rbacRule{{"", "pods/exec", "create, get", ""}},
	},
	{
		name: "port-forward", use: "connections to database servers, and to DNS servers with --from=dns",
		strength:      "pods/portforward in every namespace reaches every port of every pod, including those that trust any connection from inside the pod",
		strengthInOne: "pods/portforward reaches every port of the namespace's pods, including those that trust any connection from inside the pod",
		rules:         []rbacRule{{"", "pods/portforward", "create, get", ""}},
	},
	{
		name: "debug-pod", use: "the short-lived debug pod of dns, endpoint and check --debug-pod; not needed with --from=pod/NAME or --local-only",
		strength:      "create pods in every namespace is equivalent to cluster-admin: a pod can use any service account, mount any Secret of its namespace and, where Pod Security allows it, the node's file system",
		strengthInOne: "create pods gives access to all service accounts and Secrets of the namespace and, where Pod Security allows it, to the nodes",
		rules:         []rbacRule{{"", "pods", "create, delete", ""}},
		needs:         []string{"exec"},
	},
	{
		name: "ephemeral", use: "dns --from=ephemeral/NAME",
		strength:      "patch pods/ephemeralcontainers in every namespace is equivalent to cluster-admin: it puts any program into any running pod",
		strengthInOne: "patch pods/ephemeralcontainers gives access to all service accounts and mounted Secrets of the namespace's pods: it puts any program into them",
		rules:         []rbacRule{{"", "pods/ephemeralcontainers", "patch", ""}},
		needs:         []string{"exec"},
	},
	{
		name: "secrets", use: "--password-from=secret/NAME:KEY, and servers that can't be reached any other way",
		strength:      "get secrets in every namespace is equivalent to cluster-admin: it includes service account tokens",
		strengthInOne: "get secrets reads every Secret of the namespace",
		rules:         []rbacRule{{"", "secrets", "get", ""}},
	},
	{
		name: "kubelets", use: "disk usage from the kubelets; without it, df runs in the containers (exec)",
		strength:    "get nodes/proxy opens the whole API of every kubelet, including running commands in any pod: it is equivalent to cluster-admin, and can't be limited to a namespace",
		rules:       []rbacRule{{"", "nodes/proxy", "get", ""}},
		clusterOnly: true,
	},
}

// rbacPartNames lists the parts with what they are for, as completion shows them.
func rbacPartNames() []string {
	names := make([]string, len(rbacParts))
	for i, p := range rbacParts {
		names[i] = p.name + "\t" + p.use
	}
	return names
}

// roles are the manifests of --print-rbac: reading, and the parts that are asked for. With a namespace they are Roles in it with
// RoleBindings, as far as they can be.
func roles(parts []string, namespace string) (string, error) {
	if namespace != "" && !namespaceName.MatchString(namespace) {
		return "", fmt.Errorf("invalid -n %q: must be a namespace name", namespace)
	}
	wanted := map[string]bool{}
	for _, name := range parts {
		if !slices.ContainsFunc(rbacParts, func(p rbacPart) bool { return p.name == name }) {
			return "", fmt.Errorf("invalid --print-rbac %q: must be one of %s", name, partList())
		}
		wanted[name] = true
	}
	var b strings.Builder
	if namespace == "" {
		b.WriteString("# What kubectl doik reads. Bind it with a ClusterRoleBinding, or with a RoleBinding for one namespace: nodes and volumes are then unknown.\n" +
			"# A missing permission only blanks what it feeds. For more than reading: --print-rbac=" + partList() + "; for one namespace: -n NAMESPACE.\n")
		writeRole(&b, rbacName, "", append(slices.Clone(readingInNamespace), readingInCluster...))
	} else {
		b.WriteString("# What kubectl doik reads in namespace " + namespace + ", bound to a group: replace " + rbacPlaceholder + " with the name of yours.\n")
		writeBound(&b, rbacName, namespace, readingInNamespace)
		b.WriteString("---\n# Cluster-scoped objects: names and states of nodes, volumes and namespaces. Without it they are unknown.\n")
		writeBound(&b, rbacName+"-cluster", "", readingInCluster)
		b.WriteString("---\n# The DNS servers, for dns and check.\n")
		writeBound(&b, rbacName+"-dns-servers", rbacDNSServers, withDNSForward(readingDNSServers, wanted))
		b.WriteString("---\n# The API servers, for endpoint.\n")
		writeBound(&b, rbacName+"-api-servers", rbacDefault, readingAPIServers)
	}
	for _, part := range rbacParts {
		if wanted[part.name] {
			part.write(&b, namespace, wanted)
		}
	}
	return b.String(), nil
}

// withDNSForward adds what lets check ask the DNS servers.
func withDNSForward(rules []rbacRule, wanted map[string]bool) []rbacRule {
	if !wanted["port-forward"] {
		return rules
	}
	return append(slices.Clone(rules), rbacRule{"", "pods/portforward", "create, get", "It reaches every port of every pod of " + rbacDNSServers + "."})
}

func partList() string {
	names := make([]string, len(rbacParts))
	for i, p := range rbacParts {
		names[i] = p.name
	}
	return strings.Join(names, ",")
}

func (p rbacPart) write(b *strings.Builder, namespace string, wanted map[string]bool) {
	fmt.Fprintf(b, "---\n# For %s.\n", p.use)
	strength := p.strength
	if namespace != "" && !p.clusterOnly {
		strength = p.strengthInOne
	}
	fmt.Fprintf(b, "# STRONG: %s.\n", strength)
	for _, need := range p.needs {
		if !wanted[need] {
			fmt.Fprintf(b, "# It has no effect without the part %s.\n", need)
		}
	}
	name := rbacName + "-" + p.name
	switch {
	case namespace == "" && p.clusterOnly:
		writeRole(b, name, "", p.rules)
	case namespace == "":
		fmt.Fprintf(b, "# Bind it where it is needed: kubectl create rolebinding %s -n NAMESPACE --clusterrole=%s --group=%s\n", name, name, rbacPlaceholder)
		writeRole(b, name, "", p.rules)
	case p.clusterOnly:
		writeBound(b, name, "", p.rules)
	default:
		writeBound(b, name, namespace, p.rules)
	}
}

// writeRole writes a ClusterRole, or with a namespace a Role.
func writeRole(b *strings.Builder, name, namespace string, rules []rbacRule) {
	fmt.Fprintf(b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n", inNamespace("Role", namespace), name)
	if namespace != "" {
		fmt.Fprintf(b, "  namespace: %s\n", namespace)
	}
	b.WriteString("rules:\n")
	for _, r := range rules {
		if r.comment != "" {
			fmt.Fprintf(b, "# %s\n", r.comment)
		}
		group := r.group
		if group == "" {
			group = `""`
		}
		fmt.Fprintf(b, "- apiGroups: [%s]\n  resources: [%s]\n  verbs: [%s]\n", group, r.resources, r.verbs)
	}
}

// writeBound writes a role and what binds it to a group.
func writeBound(b *strings.Builder, name, namespace string, rules []rbacRule) {
	writeRole(b, name, namespace, rules)
	fmt.Fprintf(b, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n", inNamespace("RoleBinding", namespace), name)
	if namespace != "" {
		fmt.Fprintf(b, "  namespace: %s\n", namespace)
	}
	fmt.Fprintf(b, "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\n", inNamespace("Role", namespace), name)
	fmt.Fprintf(b, "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: %s}]\n", rbacPlaceholder)
}

// inNamespace is a kind of RBAC's, or the one for the whole cluster.
func inNamespace(kind, namespace string) string {
	if namespace == "" {
		return "Cluster" + kind
	}
	return kind
}

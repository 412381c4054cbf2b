package mysql

import (
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// DefaultPort is that of MySQL's protocol.
const DefaultPort = 3306

// RoleLabel is a label with which an operator says which server is the one that is written to.
type RoleLabel struct {
	Key string
	// Primary and Replica are the values for the two roles.
	Primary, Replica string
	// Static labels say what was meant when the set was made; others follow failovers.
	Static bool
}

// Flavour is an operator, a chart or an image that MySQL servers come from: how to recognise them and how to log in.
type Flavour struct {
	Name string
	// labels must all be there; an empty value stands for any.
	labels map[string]string
	// containers are the names of the server's container; the first that the pod has is it.
	containers []string
	// group are the labels that name the set where it is more than what controls the pods.
	group []string
	// Role is nil where no label tells.
	Role *RoleLabel
	// logins are tried in their order.
	logins []login
}

// flavours is the table, the most particular first. Sources: the operators' and charts' documentation and manifests.
var flavours = []Flavour{
	{
		Name: "MOCO", labels: map[string]string{"app.kubernetes.io/created-by": "moco"}, containers: []string{"mysqld"},
		Role: &RoleLabel{Key: "moco.cybozu.com/role", Primary: "primary", Replica: "replica"},
		logins: []login{{
			user: "moco-readonly", optionFile: "/mysql-credentials/moco-readonly-my.cnf",
			secret: "moco-{app.kubernetes.io/instance}", key: "READONLY_PASSWORD",
		}},
	},
	{
		Name: "Oracle mysql-operator", labels: map[string]string{"mysql.oracle.com/cluster": "", "component": "mysqld"}, containers: []string{"mysql"},
		Role:   &RoleLabel{Key: "mysql.oracle.com/cluster-role", Primary: "PRIMARY", Replica: "SECONDARY"},
		logins: []login{{user: "localroot", socketOnly: true}},
	},
	{
		Name:       "Percona Server operator",
		labels:     map[string]string{"app.kubernetes.io/managed-by": "percona-server-mysql-operator", "app.kubernetes.io/component": "database"},
		containers: []string{"mysql"}, group: []string{"app.kubernetes.io/instance"},
		Role: &RoleLabel{Key: "mysql.percona.com/primary", Primary: "true", Replica: "false"},
		logins: []login{{
			user: "monitor", passwordFile: "/etc/mysql/mysql-users-secret/monitor", secret: "internal-{app.kubernetes.io/instance}", key: "monitor",
		}},
	},
	{
		Name:       "Percona XtraDB Cluster operator",
		labels:     map[string]string{"app.kubernetes.io/managed-by": "percona-xtradb-cluster-operator", "app.kubernetes.io/component": "pxc"},
		containers: []string{"pxc"}, group: []string{"app.kubernetes.io/instance"},
		logins: []login{{
			user: "monitor", passwordFile: "/etc/mysql/mysql-users-secret/monitor", secret: "internal-{app.kubernetes.io/instance}", key: "monitor",
		}},
	},
	{
		Name: "mariadb-operator", labels: map[string]string{"app.kubernetes.io/name": "mariadb", "k8s.mariadb.com/role": ""}, containers: []string{"mariadb"},
		Role:   &RoleLabel{Key: "k8s.mariadb.com/role", Primary: "primary", Replica: "replica"},
		logins: []login{{user: "root", passwordEnv: mariaDBRootPassword, secret: "{app.kubernetes.io/instance}-root", key: "password"}},
	},
	{
		Name: "bitpoke MySQL operator", labels: map[string]string{"mysql.presslabs.org/cluster": ""}, containers: []string{"mysql"},
		Role:   &RoleLabel{Key: "role", Primary: "master", Replica: "replica"},
		logins: []login{{optionFile: "/etc/mysql/client.conf"}},
	},
	{
		Name: "RadonDB MySQL", labels: map[string]string{"mysql.radondb.com/cluster": ""}, containers: []string{"mysql"},
		Role: &RoleLabel{Key: "role", Primary: "LEADER", Replica: "FOLLOWER"},
		logins: []login{{
			user: "root", optionFile: "/etc/mysql/client.conf", secret: "{mysql.radondb.com/cluster}-secret", key: "internal-root-password",
		}},
	},
	{
		Name: "Vitess", labels: map[string]string{"planetscale.com/component": "vttablet"}, containers: []string{"mysqld"},
		group:  []string{"planetscale.com/cluster", "planetscale.com/keyspace", "planetscale.com/shard"},
		logins: []login{{user: "vt_dba", socket: "/vt/socket/mysql.sock", socketOnly: true}},
	},
	{
		Name: "KubeBlocks", labels: map[string]string{"app.kubernetes.io/managed-by": "kubeblocks", "kubeblocks.io/role": ""},
		containers: []string{"mysql", "mariadb", "mysql-server"}, group: []string{"app.kubernetes.io/instance", "apps.kubeblocks.io/component-name"},
		Role: &RoleLabel{Key: "kubeblocks.io/role", Primary: "primary", Replica: "secondary"},
		logins: []login{{
			user: "root", passwordEnv: mySQLRootPassword,
			secret: "{app.kubernetes.io/instance}-{apps.kubeblocks.io/component-name}-account-root", key: "password",
		}},
	},
	{
		Name: "Bitnami chart", labels: map[string]string{"app.kubernetes.io/name": "mysql", "app.kubernetes.io/component": "", "helm.sh/chart": ""},
		containers: []string{"mysql"}, group: []string{"app.kubernetes.io/instance"},
		Role:   &RoleLabel{Key: "app.kubernetes.io/component", Primary: "primary", Replica: "secondary", Static: true},
		logins: []login{{user: "root", passwordEnv: append([]string{"MYSQL_MASTER_ROOT_PASSWORD"}, mySQLRootPassword...)}},
	},
	{
		Name: "Bitnami MariaDB chart", labels: map[string]string{"app.kubernetes.io/name": "mariadb", "app.kubernetes.io/component": "", "helm.sh/chart": ""},
		containers: []string{"mariadb"}, group: []string{"app.kubernetes.io/instance"},
		Role:   &RoleLabel{Key: "app.kubernetes.io/component", Primary: "primary", Replica: "secondary", Static: true},
		logins: []login{{user: "root", passwordEnv: append([]string{"MARIADB_MASTER_ROOT_PASSWORD"}, mariaDBRootPassword...)}},
	},
}

// imageFlavour is what pods are of that no operator or chart has labelled: they are recognised by their image.
var imageFlavour = Flavour{
	Name: "image", logins: []login{{user: "root", passwordEnv: append(slices.Clone(mySQLRootPassword), mariaDBRootPassword...)}},
}

// Variables of the images of Docker's library, and of those made after them. With _FILE they name a file.
var (
	mySQLRootPassword   = []string{"MYSQL_ROOT_PASSWORD"}
	mariaDBRootPassword = []string{"MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"}
)

// Server is a MySQL or MariaDB server in a pod.
type Server struct {
	Flavour   *Flavour
	Pod       *corev1.Pod
	Container string
	Port      int
}

// Detect tells whether a pod runs a server, by what it is: its labels, else its containers' images. A pod that has ended runs none.
func Detect(pod *corev1.Pod) (Server, bool) {
	if objects.PodFinished(pod) {
		return Server{}, false
	}
	for i := range flavours {
		f := &flavours[i]
		if !f.matches(pod.Labels) {
			continue
		}
		for _, name := range f.containers {
			if c := container(pod, name); c != nil {
				return Server{Flavour: f, Pod: pod, Container: name, Port: portOf(c)}, true
			}
		}
	}
	var best *corev1.Container
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; isServer(c) && (best == nil || !hasPort(best) && hasPort(c)) {
			best = c
		}
	}
	if best == nil {
		return Server{}, false
	}
	return Server{Flavour: &imageFlavour, Pod: pod, Container: best.Name, Port: portOf(best)}, true
}

// Group names the set that a server belongs to: by its flavour's labels, else by what controls the pod, else the pod itself. It is
// kind/name where it is an object.
func (s Server) Group() string {
	var names []string
	for _, label := range s.Flavour.group {
		if value := s.Pod.Labels[label]; value != "" {
			names = append(names, value)
		}
	}
	if len(names) > 0 {
		return strings.Join(names, "-")
	}
	owner := metav1.GetControllerOfNoCopy(s.Pod)
	if owner == nil {
		return "pod/" + s.Pod.Name
	}
	hash := "-" + s.Pod.Labels["pod-template-hash"]
	if deployment, ok := strings.CutSuffix(owner.Name, hash); ok && owner.Kind == "ReplicaSet" {
		return "deployment/" + deployment
	}
	return strings.ToLower(owner.Kind) + "/" + owner.Name
}

// Name is the pod's, with its namespace.
func (s Server) Name() string { return s.Pod.Namespace + "/" + s.Pod.Name }

// LabelledPrimary tells what the pod's role label says: nil where there is none.
func (s Server) LabelledPrimary() *bool {
	r := s.Flavour.Role
	if r == nil {
		return nil
	}
	var primary bool
	switch s.Pod.Labels[r.Key] {
	case r.Primary:
		primary = true
	case r.Replica:
	default:
		return nil
	}
	return &primary
}

func (f *Flavour) matches(labels map[string]string) bool {
	for key, want := range f.labels {
		if value, ok := labels[key]; !ok || want != "" && value != want {
			return false
		}
	}
	return true
}

func container(pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i]
		}
	}
	return nil
}

// serverImage are the last parts of the names of images that have a server; otherImage those of images of the same names that
// have something else.
var (
	serverImage = regexp.MustCompile(`mysql|mariadb|^percona`)
	otherImage  = regexp.MustCompile(`operator|router|exporter|proxy|backup|client|agent|admin|shell|toolkit|monitor|orchestrator|orc|haproxy|pmm`)
)

// isServer tells whether a container runs the server of an image: a client's command does not.
func isServer(c *corev1.Container) bool {
	image, _, _ := strings.Cut(path.Base(c.Image), "@")
	image, _, _ = strings.Cut(image, ":")
	if !serverImage.MatchString(image) || otherImage.MatchString(image) {
		return false
	}
	if hasPort(c) {
		return true
	}
	command := slices.Concat(c.Command, c.Args)
	if len(command) == 0 || strings.HasPrefix(command[0], "-") {
		return true
	}
	program := path.Base(command[0])
	return serverProgram.MatchString(program) || strings.HasPrefix(program, "docker-entrypoint") || shells[program] && serverInScript.MatchString(strings.Join(command[1:], " "))
}

// How a server is started: by itself, or at the end of a shell's script.
var (
	serverProgram  = regexp.MustCompile(`^(mysqld|mariadbd)(_safe|-safe)?$`)
	serverInScript = regexp.MustCompile(`(^|[\s;&|/])(mysqld|mariadbd)(_safe|-safe)?($|[\s;&|])`)
	shells         = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true}
)

// hasPort tells whether a container says that it serves MySQL's protocol.
func hasPort(c *corev1.Container) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return p.ContainerPort == DefaultPort || p.Name == "mysql" || p.Name == "mariadb"
	})
}

func portOf(c *corev1.Container) int {
	for _, p := range c.Ports {
		if p.Name == "mysql" || p.Name == "mariadb" {
			return int(p.ContainerPort)
		}
	}
	return DefaultPort
}

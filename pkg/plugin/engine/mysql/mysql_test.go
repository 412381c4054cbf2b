package mysql

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

func TestParseVersion(t *testing.T) {
	for _, c := range []struct{ version, comment, want string }{
		{"9.7.4-2", "(Debian)", "MySQL 9.7.4"},
		{"5.7.44-log", "MySQL Community Server (GPL)", "MySQL 5.7.44"},
		{"8.0.36-28", "Percona Server (GPL), Release 28, Revision 47601f19", "MySQL 8.0.36 Percona Server"},
		{"8.0.36-28.1", "Percona XtraDB Cluster (GPL), Release rel28", "MySQL 8.0.36 Percona XtraDB Cluster"},
		{"10.11.19-MariaDB-0+deb12u1-log", "Debian 12", "MariaDB 10.11.19"},
		{"5.5.5-10.6.4-MariaDB", "", "MariaDB 10.6.4"},
		{"11.8.2", "mariadb.org binary distribution", "MariaDB 11.8.2"},
		{"8.4", "", "MySQL 8.4.0"},
	} {
		v, err := ParseVersion(c.version, c.comment)
		if got := strings.TrimSpace(fmt.Sprintf("%s %s %s", v.Product, v, v.Distribution)); err != nil || got != c.want {
			t.Errorf("%s: %s, %v; want %s", c.version, got, err, c.want)
		}
	}
	if v, err := ParseVersion("unknown", ""); err == nil {
		t.Errorf("unknown became %v", v)
	}
}

// TestStatements pins what each version is asked, from the table of the manuals.
func TestStatements(t *testing.T) {
	for _, c := range []struct{ version, replica, binlog string }{
		{"5.7.44", "SHOW SLAVE STATUS", "SHOW MASTER STATUS"},
		{"8.0.21", "SHOW SLAVE STATUS", "SHOW MASTER STATUS"},
		{"8.0.22", "SHOW REPLICA STATUS", "SHOW MASTER STATUS"},
		{"8.1.0", "SHOW REPLICA STATUS", "SHOW MASTER STATUS"},
		{"8.2.0", "SHOW REPLICA STATUS", "SHOW BINARY LOG STATUS"},
		{"8.4.3", "SHOW REPLICA STATUS", "SHOW BINARY LOG STATUS"},
		{"9.7.4", "SHOW REPLICA STATUS", "SHOW BINARY LOG STATUS"},
		{"10.5.1-MariaDB", "SHOW ALL SLAVES STATUS", "SHOW MASTER STATUS"},
		{"11.8.2-MariaDB", "SHOW ALL SLAVES STATUS", "SHOW MASTER STATUS"},
	} {
		v, err := ParseVersion(c.version, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := StatementFor(v, SubjectReplica).Text; got != c.replica {
			t.Errorf("%s: %s, want %s", c.version, got, c.replica)
		}
		if got := StatementFor(v, SubjectBinlog).Text; got != c.binlog {
			t.Errorf("%s: %s, want %s", c.version, got, c.binlog)
		}
		subjects := map[Subject]bool{}
		for _, s := range append(Statements(v), FirstStatement()) {
			if subjects[s.Subject] || strings.ContainsAny(s.Text, "\n;") {
				t.Errorf("%s: %s twice, or not one line: %s", c.version, s.Subject, s.Text)
			}
			subjects[s.Subject] = true
		}
		if members := subjects[SubjectMembers]; members != (v.Product == MySQL) {
			t.Errorf("%s: asked for group members: %v", c.version, members)
		}
	}
}

func pod(labels map[string]string, containers ...corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "p-0", Labels: labels},
		Spec:       corev1.PodSpec{Containers: containers},
	}
}

// withAnnotation is a pod with an annotation of its own.
func withAnnotation(pod *corev1.Pod, key string) *corev1.Pod {
	pod.Annotations = map[string]string{key: "shop"}
	return pod
}

func TestDetect(t *testing.T) {
	sidecar := corev1.Container{Name: "agent", Image: "ghcr.io/cybozu-go/moco-agent:1"}
	server := func(name, image string) corev1.Container { return corev1.Container{Name: name, Image: image} }
	port := []corev1.ContainerPort{{Name: "mysql", ContainerPort: 3306}}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"moco":       {pod(map[string]string{"app.kubernetes.io/created-by": "moco", "app.kubernetes.io/instance": "a"}, sidecar, server("mysqld", "x")), "MOCO mysqld 3306 pod/p-0"},
		"oracle":     {pod(map[string]string{"mysql.oracle.com/cluster": "c", "component": "mysqld"}, server("sidecar", "community-operator"), server("mysql", "community-server")), "Oracle mysql-operator mysql 3306 pod/p-0"},
		"percona":    {pod(map[string]string{"app.kubernetes.io/managed-by": "percona-server-mysql-operator", "app.kubernetes.io/component": "database", "app.kubernetes.io/instance": "ps"}, server("xtrabackup", "x"), server("mysql", "x")), "Percona Server operator mysql 3306 ps"},
		"pxc":        {pod(map[string]string{"app.kubernetes.io/managed-by": "percona-xtradb-cluster-operator", "app.kubernetes.io/component": "pxc", "app.kubernetes.io/instance": "c1"}, server("pxc", "x")), "Percona XtraDB Cluster operator pxc 3306 c1"},
		"proxy":      {pod(map[string]string{"app.kubernetes.io/managed-by": "percona-xtradb-cluster-operator", "app.kubernetes.io/component": "haproxy"}, server("haproxy", "percona/haproxy:2")), ""},
		"mariadb op": {pod(map[string]string{"app.kubernetes.io/name": "mariadb", "k8s.mariadb.com/role": "primary"}, server("mariadb", "mariadb:11.4")), "mariadb-operator mariadb 3306 pod/p-0"},
		"starting":   {withAnnotation(pod(map[string]string{"app.kubernetes.io/name": "mariadb", "app.kubernetes.io/instance": "shop"}, server("mariadb", "x"), server("agent", "x")), "k8s.mariadb.com/mariadb"), "mariadb-operator mariadb 3306 pod/p-0"},
		"no role":    {pod(map[string]string{"app.kubernetes.io/managed-by": "kubeblocks", "app.kubernetes.io/instance": "k", "apps.kubeblocks.io/component-name": "mysql"}, server("mysql", "x")), "KubeBlocks mysql 3306 k-mysql"},
		"bitpoke":    {pod(map[string]string{"mysql.presslabs.org/cluster": "b"}, server("sidecar", "x"), server("mysql", "x")), "bitpoke MySQL operator mysql 3306 pod/p-0"},
		"radondb":    {pod(map[string]string{"mysql.radondb.com/cluster": "r"}, server("mysql", "x"), server("xenon", "x")), "RadonDB MySQL mysql 3306 pod/p-0"},
		"vitess":     {pod(map[string]string{"planetscale.com/component": "vttablet", "planetscale.com/cluster": "v", "planetscale.com/keyspace": "k", "planetscale.com/shard": "x-x"}, server("vttablet", "x"), server("mysqld", "x")), "Vitess mysqld 3306 v-k-x-x"},
		"kubeblocks": {pod(map[string]string{"app.kubernetes.io/managed-by": "kubeblocks", "kubeblocks.io/role": "primary", "app.kubernetes.io/instance": "k", "apps.kubeblocks.io/component-name": "mysql"}, server("mysql", "x")), "KubeBlocks mysql 3306 k-mysql"},
		"bitnami":    {pod(map[string]string{"app.kubernetes.io/name": "mysql", "app.kubernetes.io/component": "secondary", "helm.sh/chart": "mysql-1", "app.kubernetes.io/instance": "shop"}, server("mysql", "bitnami/mysql:9")), "Bitnami chart mysql 3306 shop"},
		"tutorial":   {pod(map[string]string{"app": "mysql"}, corev1.Container{Name: "replicate", Image: "mysql:9.7", Command: []string{"bash", "x"}}, corev1.Container{Name: "mysql", Image: "mysql:5.7", Ports: port}), "image mysql 3306 pod/p-0"},
		"registry":   {pod(nil, server("db", "registry.example:5000/library/mariadb@sha256:00")), "image db 3306 pod/p-0"},
		"other port": {pod(nil, corev1.Container{Name: "db", Image: "percona:8.0", Ports: []corev1.ContainerPort{{Name: "mysql", ContainerPort: 3307}}}), "image db 3307 pod/p-0"},
		"client":     {pod(nil, corev1.Container{Name: "c", Image: "mysql:5.7", Args: []string{"mysql", "-h", "mysql-0.mysql"}}), ""},
		"script":     {pod(nil, corev1.Container{Name: "c", Image: "mysql:8.4", Command: []string{"sh", "-c", "mysqld --initialize-insecure && exec mysqld --mysqlx=OFF"}}), "image c 3306 pod/p-0"},
		"waits":      {pod(nil, corev1.Container{Name: "c", Image: "mysql:8.4", Command: []string{"bash", "-c", "until mysqladmin ping; do sleep 1; done; pgrep xmysqld"}}), ""},
		"router":     {pod(nil, corev1.Container{Name: "c", Image: "mysql/mysql-router:8.0", Ports: port}), ""},
		"exporter":   {pod(nil, server("c", "prom/mysqld-exporter")), ""},
		"web":        {pod(nil, server("c", "nginx")), ""},

		"another image":     {pod(nil, corev1.Container{Name: "db", Image: "registry.example/base/ubuntu:24.04", Command: []string{"/usr/sbin/mysqld", "--user=mysql"}}), "image db 3306 pod/p-0"},
		"entrypoint":        {pod(nil, corev1.Container{Name: "db", Image: "registry.example/db", Command: []string{"docker-entrypoint.sh"}, Args: []string{"mariadbd"}}), "image db 3306 pod/p-0"},
		"by its port":       {pod(nil, server("agent", "x"), corev1.Container{Name: "db", Image: "registry.example/shop-db:1", Ports: port}), "image db 3306 pod/p-0, tentative"},
		"by its name":       {pod(nil, server("db", "registry.example/team/our-mysql:1")), "image db 3306 pod/p-0, tentative"},
		"annotated":         {annotated("mysql", server("agent", "x"), server("db", "y")), "image agent 3306 pod/p-0"},
		"container":         {annotated("MariaDB/db", server("agent", "x"), server("db", "y")), "image db 3306 pod/p-0"},
		"said to be none":   {annotated("none", server("db", "mysql:8.4")), ""},
		"of another engine": {annotated("postgres", server("db", "mysql:8.4")), ""},
	} {
		got := ""
		if s, ok := Engine.Detect(c.pod); ok {
			got = fmt.Sprintf("%s %s %d %s", s.Flavour.Name, s.Container, s.Port, s.Group())
			if s.Tentative {
				got += ", tentative"
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	ended := pod(nil, server("db", "mysql"))
	ended.Status.Phase = corev1.PodSucceeded
	if s, ok := Engine.Detect(ended); ok {
		t.Errorf("ended: %+v", s)
	}
}

// annotated is a pod whose annotation says what it is.
func annotated(text string, containers ...corev1.Container) *corev1.Pod {
	p := pod(nil, containers...)
	p.Annotations = map[string]string{v1alpha1.ServerAnnotation: text}
	return p
}

// TestImages has names of images, of servers and of what goes with them.
func TestImages(t *testing.T) {
	for _, image := range []string{
		"mysql", "mysql:8.4", "mysql@sha256:00", "library/mysql", "mysql/mysql-server:8.0", "container-registry.oracle.com/mysql/community-server:9.1", "mysql/enterprise-server",
		"mariadb:11.8", "bitnami/mariadb-galera", "docker-registry.mariadb.com/enterprise-server", "percona:8.0", "percona/percona-server:8.4", "percona/percona-xtradb-cluster:8.0",
		"bitnami/mysql", "centos/mysql-57-centos7", "registry.redhat.io/rhel9/mysql-84", "sclorg/mariadb-1011-c9s", "ghcr.io/cybozu-go/moco/mysql:8.4",
	} {
		if got := runsServer(&corev1.Container{Image: image}, false); got != dbserver.Runs {
			t.Errorf("%s: %d", image, got)
		}
	}
	for _, image := range []string{
		"percona/percona-server-mongodb:7.0", "percona/percona-distribution-postgresql:16", "percona/percona-postgresql-operator", "percona/percona-xtrabackup:8.0", "percona/pmm-server", "percona/percona-toolkit",
		"percona/percona-xtradb-cluster-operator", "percona/percona-server-mysql-operator", "percona/percona-orchestrator", "prom/mysqld-exporter", "mysql/mysql-router:8.0", "mysql/mysql-shell", "mysql/mysql-operator",
		"container-registry.oracle.com/mysql/community-operator", "databack/mysql-backup", "fradelg/mysql-cron-backup", "camil/mysqldump", "schnitzler/mysqldump", "mysql-dump-s3", "quay.io/debezium/connect", "debezium/connector-mysql",
		"debezium-connector-mysql", "confluentinc/kafka-connect-mysql", "phpmyadmin", "phpmyadmin/phpmyadmin", "mysql-client", "arey/mysql-client", "proxysql/proxysql", "mariadb/maxscale", "mysql-init", "mysql-migrations",
		"mysql2postgres", "mysql-8.0-backup", "mysql-wait", "mysql-binlog-streamer", "mysqltuner", "nginx", "redis", "haproxy",
	} {
		if got := runsServer(&corev1.Container{Image: image}, false); got != dbserver.Unlike {
			t.Errorf("%s: %d", image, got)
		}
	}
	for _, image := range []string{"our-mysql", "shop/percona-custom"} {
		if got := runsServer(&corev1.Container{Image: image}, false); got != dbserver.Resembles {
			t.Errorf("%s: %d", image, got)
		}
	}
}

// TestRouters has images of what passes connections on, and of what goes with it.
func TestRouters(t *testing.T) {
	for image, want := range map[string]string{
		"container-registry.oracle.com/mysql/community-router:9.1": "MySQL Router", "mysql/mysql-router:8.0": "MySQL Router", "percona/percona-mysql-router:8.4": "MySQL Router",
		"percona/percona-server-mysql-operator:0.8.0-router8.0": "MySQL Router", "haproxy:3.0-alpine": "HAProxy", "percona/haproxy@sha256:00": "HAProxy",
		"percona/percona-xtradb-cluster-operator:1.11.0-haproxy": "HAProxy", "proxysql/proxysql:2.7": "ProxySQL", "percona/proxysql2:2.7.1": "ProxySQL",
		"mariadb/maxscale:24.02": "MaxScale", "cloudnativelabs/kube-router": "", "percona/percona-xtradb-cluster-operator:1.18.0": "", "quay.io/prometheus/haproxy-exporter": "",
		"prom/mysqld-exporter": "", "mysql:8.4": "", "nginx": "",
	} {
		if got := (dbserver.Engines{&Engine}).Router(pod(nil, corev1.Container{Name: "c", Image: image})); got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
	if got := router(&corev1.Container{Image: "registry.example/base:1", Command: []string{"/usr/sbin/haproxy", "-W"}}); got != "HAProxy" {
		t.Errorf("by its program: %q", got)
	}
}

// TestIsNone has what decides about what only looks like a server.
func TestIsNone(t *testing.T) {
	ready := pod(nil)
	ready.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	failed := func(reason v1alpha1.ProblemReason) dbserver.Said {
		return dbserver.Said{Failure: &v1alpha1.Problem{Reason: reason}}
	}
	for name, test := range map[string]struct {
		server dbserver.Server
		said   dbserver.Said
		want   bool
	}{
		"it answers":                 {dbserver.Server{Pod: ready, Tentative: true}, dbserver.Said{}, false},
		"something else answers":     {dbserver.Server{Pod: pod(nil), Tentative: true}, failed(v1alpha1.ReasonInvalid), true},
		"nothing listens":            {dbserver.Server{Pod: ready, Tentative: true}, failed(v1alpha1.ReasonNotListening), true},
		"it may not have started":    {dbserver.Server{Pod: pod(nil), Tentative: true}, failed(v1alpha1.ReasonNotListening), false},
		"it hangs":                   {dbserver.Server{Pod: ready, Tentative: true}, failed(v1alpha1.ReasonTimeout), false},
		"it refuses":                 {dbserver.Server{Pod: ready, Tentative: true}, failed(v1alpha1.ReasonRefused), false},
		"there is no doubt about it": {dbserver.Server{Pod: ready}, failed(v1alpha1.ReasonNotListening), false},
	} {
		if got := test.server.IsNone(test.said); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestGroup(t *testing.T) {
	yes := true
	for want, owner := range map[string]metav1.OwnerReference{
		"statefulset/mysql":   {Kind: "StatefulSet", Name: "mysql", Controller: &yes},
		"deployment/db":       {Kind: "ReplicaSet", Name: "db-5d9c", Controller: &yes},
		"instanceset/k-mysql": {Kind: "InstanceSet", Name: "k-mysql", Controller: &yes},
	} {
		p := pod(map[string]string{"pod-template-hash": "5d9c"}, corev1.Container{Name: "m", Image: "mysql"})
		p.OwnerReferences = []metav1.OwnerReference{owner}
		if s, _ := Engine.Detect(p); s.Group() != want {
			t.Errorf("%s, want %s", s.Group(), want)
		}
	}
}

// TestLoginOverNetwork checks where a password is found without running anything in the container.
func TestLoginOverNetwork(t *testing.T) {
	secretEnv := corev1.EnvVar{Name: "MYSQL_ROOT_PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k",
	}}}
	withVolume := pod(nil, corev1.Container{Name: "m", Image: "mysql", Env: []corev1.EnvVar{{Name: "MYSQL_ROOT_PASSWORD_FILE", Value: "/run/secrets/root"}},
		VolumeMounts: []corev1.VolumeMount{{Name: "v", MountPath: "/run/secrets"}}})
	withVolume.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: "s2", Items: []corev1.KeyToPath{{Key: "root-key", Path: "root"}}}}}}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"none":      {pod(nil, corev1.Container{Name: "m", Image: "mysql"}), "root//.  free=true ok=true"},
		"empty":     {pod(nil, corev1.Container{Name: "m", Image: "mysql", Env: []corev1.EnvVar{{Name: "MYSQL_ALLOW_EMPTY_PASSWORD", Value: "1"}}}), "root//.  free=true ok=true"},
		"literal":   {pod(nil, corev1.Container{Name: "m", Image: "mysql", Env: []corev1.EnvVar{{Name: "MYSQL_ROOT_PASSWORD", Value: "pw"}}}), "root/pw/. free=true ok=true"},
		"escaped":   {pod(nil, corev1.Container{Name: "m", Image: "mysql", Env: []corev1.EnvVar{{Name: "MYSQL_ROOT_PASSWORD", Value: "p$$w$x"}}}), "root/p$w$x/. free=true ok=true"},
		"reference": {pod(nil, corev1.Container{Name: "m", Image: "mysql", Env: []corev1.EnvVar{{Name: "MYSQL_ROOT_PASSWORD", Value: "$(PW)"}}}), "//. free=false ok=false"},
		"secret":    {pod(nil, corev1.Container{Name: "m", Image: "mysql", Env: []corev1.EnvVar{secretEnv}}), "root//s.k free=false ok=true"},
		"file":      {withVolume, "root//s2.root-key free=false ok=true"},
		"env from":  {pod(nil, corev1.Container{Name: "m", Image: "mysql", EnvFrom: []corev1.EnvFromSource{{}}}), "//. free=false ok=false"},
		"moco":      {pod(map[string]string{"app.kubernetes.io/created-by": "moco", "app.kubernetes.io/instance": "a"}, corev1.Container{Name: "mysqld"}), "moco-readonly//moco-a.READONLY_PASSWORD free=false ok=true"},
		"no label":  {pod(map[string]string{"app.kubernetes.io/created-by": "moco"}, corev1.Container{Name: "mysqld"}), "//. free=false ok=false"},
		"localroot": {pod(map[string]string{"mysql.oracle.com/cluster": "c", "component": "mysqld"}, corev1.Container{Name: "mysql"}), "//. free=false ok=false"},
		"bitpoke":   {pod(map[string]string{"mysql.presslabs.org/cluster": "c"}, corev1.Container{Name: "mysql"}), "//. free=false ok=false"},
	} {
		s, ok := Engine.Detect(c.pod)
		if !ok {
			t.Fatalf("%s: not detected", name)
		}
		got, free, ok := s.Flavour.Logins[0].OverNetwork(s)
		if text := fmt.Sprintf("%s/%s/%s.%s free=%v ok=%v", got.User, got.Password, got.Secret, got.Key, free, ok); strings.ReplaceAll(text, " ", "") != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

// TestClientScript runs the command lines of all logins under a real sh with a client that tells how it was called.
func TestClientScript(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("mysql", "#!/bin/sh\necho \"args: $*\"; echo \"password: $MYSQL_PWD\"; echo \"stdin: $(cat)\"\n", 0o755)
	password := write("password", "from file\n", 0o600)
	run := func(command []string, stdin string, env ...string) string {
		cmd := exec.Command("/bin/sh", command[1:]...)
		cmd.Env = append([]string{"PATH=" + folder + ":/usr/bin:/bin"}, env...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return string(out)
	}
	const rest = "--batch --xml --default-character-set=utf8mb4 --connect-timeout=5 --force"
	root := dbserver.Login{User: "root", PasswordEnv: mariaDBRootPassword}
	for _, c := range []struct {
		command []string
		stdin   string
		env     []string
		want    string
	}{
		{commandFor(root, 5, false), "SELECT 1", nil, "args: " + rest + " --user=root\npassword: \nstdin: SELECT 1\n"},
		{commandFor(root, 5, false), "", []string{"MYSQL_ROOT_PASSWORD=p w$"}, "args: " + rest + " --user=root\npassword: p w$\nstdin: \n"},
		{commandFor(root, 5, false), "", []string{"MARIADB_ROOT_PASSWORD=a", "MYSQL_ROOT_PASSWORD=b"}, "args: " + rest + " --user=root\npassword: a\nstdin: \n"},
		{commandFor(root, 5, false), "", []string{"MYSQL_ROOT_PASSWORD_FILE=" + password}, "args: " + rest + " --user=root\npassword: from file\nstdin: \n"},
		{commandFor(dbserver.Login{User: "monitor", PasswordFile: password}, 5, false), "", nil, "args: " + rest + " --user=monitor\npassword: from file\nstdin: \n"},
		{commandFor(dbserver.Login{User: "x", OptionFile: "/etc/my.cnf"}, 5, false), "", nil, "args: --defaults-extra-file=/etc/my.cnf " + rest + "\npassword: \nstdin: \n"},
		{commandFor(dbserver.Login{User: "d", Socket: "/s"}, 5, true), "", nil, "args: " + strings.TrimSuffix(rest, " --force") + " --user=d --socket=/s\npassword: \nstdin: \n"},
		{commandWithPassword("mon", 5, false), `  pa\ss'"$HOME ` + "\nSELECT 1", nil, "args: --user=mon " + rest + "\npassword:   pa\\ss'\"$HOME \nstdin: SELECT 1\n"},
	} {
		if got := run(c.command, c.stdin, c.env...); got != c.want {
			t.Errorf("%q\n%s, want\n%s", c.command, got, c.want)
		}
		if strings.Contains(strings.Join(c.command, " "), "pa\\ss") {
			t.Errorf("the password is on the command line: %q", c.command)
		}
	}
}

const oneRow = `<?xml version="1.0"?>

<resultset statement="%s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <row>
	<field name="a">1 &lt;&amp;` + "\x01\n" + `</field>
	<field name="b" xsi:nil="true" />
	<field name="c"></field>
  </row>
</resultset>
`

// TestAssign puts a client's output together with the statements: real output, shortened.
func TestAssign(t *testing.T) {
	statements := []string{"SHOW A", "SHOW B", "SET x", "SHOW A"}
	stdout := fmt.Sprintf(oneRow, "SHOW A") + fmt.Sprintf(`<?xml version="1.0"?><resultset statement="%s"></resultset>`, "SHOW A")
	stderr := "mysql: [Warning] Using a password\nERROR 1227 (42000) at line 2: Access denied; you need: the SUPER privilege\n"
	answers := assign(statements, stdout, stderr, &kube.ExitError{Code: 1}, false)
	row := answers[0].Maps()[0]
	if row.Text("a") != "1 <&\ufffd\n" || row["b"] != nil || row["c"] == nil || len(answers[3].Rows) != 0 || answers[3].Err != nil {
		t.Errorf("%+v", answers)
	}
	if !IsMissingPrivilege(answers[1].Err) || answers[0].Err != nil || answers[2].Err != nil {
		t.Errorf("errors %v, %v, %v", answers[0].Err, answers[1].Err, answers[2].Err)
	}

	refused := "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n"
	for _, a := range assign(statements, "", refused, &kube.ExitError{Code: 1}, false) {
		if NumberOf(a.Err) != ErrAccessDenied {
			t.Errorf("%v", a.Err)
		}
	}
	answers = assign(statements[:3], fmt.Sprintf(oneRow, "SHOW A"), stderr, &kube.ExitError{Code: 1}, true)
	if answers[0].Err != nil || NumberOf(answers[2].Err) != ErrSpecificAccess {
		t.Errorf("after an error: %v, %v", answers[0].Err, answers[2].Err)
	}
	if answers = assign([]string{"SET x", "SHOW B"}, "", stderr, &kube.ExitError{Code: 1}, true); answers[0].Err != nil {
		t.Errorf("before an error, without rows: %v", answers[0].Err)
	}
	answers = assign(statements[:1], "", "sh: mysql: not found\n", &kube.ExitError{Code: 127}, false)
	if err := answers[0].Err; err == nil || !strings.Contains(err.Error(), "sh: mysql: not found") {
		t.Errorf("%v", err)
	}
	if a := assign(statements[:1], "<resultset>", "", nil, false); a[0].Err == nil {
		t.Error("half an answer: no error")
	}
}

func FuzzParseXML(f *testing.F) {
	f.Add(fmt.Sprintf(oneRow, "SHOW A"))
	f.Add("<resultset><row><field name='a'>")
	f.Fuzz(func(t *testing.T, text string) {
		answers, _ := parseXML(text)
		for _, a := range answers {
			for _, row := range a.Rows {
				if len(row) != len(a.Columns) {
					t.Errorf("%d values in %d columns", len(row), len(a.Columns))
				}
			}
		}
	})
}

func TestLoginError(t *testing.T) {
	e := &dbserver.LoginError{Reason: []error{errors.New("a"), fmt.Errorf("exec: %w", &ServerError{Number: ErrAccessDenied, Message: "no"})}}
	if !e.IsRefused() || e.IsForbidden() || e.Error() != "a; exec: error 1045: no" {
		t.Error(e)
	}
}

// TestProbeScript runs the loops under a real sh with a client that answers: one answer for each empty line of stdin, and an end with
// it.
func TestProbeScript(t *testing.T) {
	folder := t.TempDir()
	client := "#!/bin/sh\n[ \"$MYSQL_PWD\" = 'p w' ] || { echo 'ERROR 1045 (28000): Access denied'; exit 1; }\necho 'mysql: [Warning] x'; printf '101\\tmysql-1\\n'\n"
	if err := os.WriteFile(filepath.Join(folder, "mysql"), []byte(client), 0o755); err != nil {
		t.Fatal(err)
	}
	for password, bad := range map[string]bool{"p w": false, "wrong": true} {
		cmd := exec.Command("/bin/sh", "-c", "DOIK_WORKERS=3\nIFS= read -r MYSQL_PWD\nexport MYSQL_PWD\n"+probeScript, "sh", "--user=mon", "--host=x")
		cmd.Env = []string{"PATH=" + folder + ":/usr/bin:/bin"}
		cmd.Stdin = strings.NewReader(password + "\n" + strings.Repeat("\n", 7))
		var answers []dbserver.ProbeAnswer
		cmd.Stdout = &lines{each: func(line string) {
			if a, ok := parseProbe(line); ok {
				answers = append(answers, a)
			}
		}}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if len(answers) != 7 {
			t.Fatalf("%d answers", len(answers))
		}
		for _, a := range answers {
			if bad && NumberOf(a.Err) != ErrAccessDenied || !bad && (a.Err != nil || a.ServerID != 101 || a.Hostname != "mysql-1" || a.Time <= 0) {
				t.Errorf("password %q: %+v", password, a)
			}
		}
	}
	for _, line := range []string{"", "R", "R\t1\t2\t0\tx\ty", "Q\t1\t2\t0\t1\ty"} {
		if a, ok := parseProbe(line); ok {
			t.Errorf("%q became %+v", line, a)
		}
	}
}

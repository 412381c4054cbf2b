//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// The password of all accounts here, with what shells, SQL and options files have their own ideas of, as it is, in SQL and in an
// options file.
const (
	secretPassword    = `a'b$d e#f`
	passwordInSQL     = `a\'b$d e#f`
	passwordInOptions = `"a'b$d e#f"`
)

// dress is how an operator, a chart or an image makes its pods: what the plugin goes by.
type dress struct {
	name, flavour string
	labels        map[string]string
	container     string
	mariadb       bool
	// env are variables of the container; a value that begins with secret/ is NAME:KEY of a Secret.
	env map[string]string
	// secrets are Secrets with their content; files are mounted from them: path → NAME:KEY.
	secrets map[string]map[string]string
	files   map[string]string
	// accounts is SQL that makes the accounts, flags are the server's own.
	accounts, flags string
	// user is the account that the report names, via the way that is taken without flags; forward and reads tell whether the
	// port-forward and mysql-reads find an account.
	user           string
	via            v1alpha1.Via
	forward, reads bool
}

const (
	setRoot = "CREATE USER root@'%' IDENTIFIED BY '" + passwordInSQL + "'; GRANT ALL ON *.* TO root@'%'; ALTER USER root@localhost IDENTIFIED BY '" + passwordInSQL + "'"
	// MariaDB's pods of this test have root@'%' from the start, and others.
	setMariaDBRoot = "DROP USER root@'127.0.0.1', root@'::1'; ALTER USER root@'%' IDENTIFIED BY '" + passwordInSQL + "'; ALTER USER root@localhost IDENTIFIED BY '" + passwordInSQL + "'"
)

func makeUser(name string) string {
	return "CREATE USER '" + name + "'@'%' IDENTIFIED BY '" + passwordInSQL + "'; GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO '" + name + "'@'%'; GRANT SELECT ON performance_schema.* TO '" + name + "'@'%'"
}

func optionsOf(user string) string {
	return "[client]\nuser=" + user + "\npassword=" + passwordInOptions + "\n"
}

// dresses are the rows of the table of flavours, after the operators' and charts' own manifests. All run the servers of the node's
// images.
var dresses = []dress{{
	name: "moco", flavour: "MOCO", container: "mysqld",
	labels:   map[string]string{"app.kubernetes.io/created-by": "moco", "app.kubernetes.io/instance": "c1"},
	secrets:  map[string]map[string]string{"moco-c1": {"READONLY_PASSWORD": secretPassword}, "moco-my-cnf-c1": {"moco-readonly-my.cnf": optionsOf("moco-readonly")}},
	files:    map[string]string{"/mysql-credentials": "moco-my-cnf-c1"},
	accounts: makeUser("moco-readonly"),
	via:      "exec", forward: true, reads: true,
}, {
	name: "oracle", flavour: "Oracle mysql-operator", container: "mysql",
	labels:   map[string]string{"mysql.oracle.com/cluster": "c2", "component": "mysqld"},
	flags:    "--plugin-load-add=auth_socket.so",
	accounts: "CREATE USER localroot@localhost IDENTIFIED WITH auth_socket AS 'mysql'; GRANT ALL ON *.* TO localroot@localhost; " + setRoot,
	user:     "localroot", via: "exec",
}, {
	name: "percona", flavour: "Percona Server operator", container: "mysql",
	labels:   map[string]string{"app.kubernetes.io/managed-by": "percona-server-mysql-operator", "app.kubernetes.io/component": "database", "app.kubernetes.io/instance": "c3"},
	secrets:  map[string]map[string]string{"internal-c3": {"monitor": secretPassword}},
	files:    map[string]string{"/etc/mysql/mysql-users-secret": "internal-c3"},
	accounts: makeUser("monitor"),
	user:     "monitor", via: "exec", forward: true, reads: true,
}, {
	name: "pxc", flavour: "Percona XtraDB Cluster operator", container: "pxc",
	labels:   map[string]string{"app.kubernetes.io/managed-by": "percona-xtradb-cluster-operator", "app.kubernetes.io/component": "pxc", "app.kubernetes.io/instance": "c4"},
	secrets:  map[string]map[string]string{"internal-c4": {"monitor": secretPassword}},
	files:    map[string]string{"/etc/mysql/mysql-users-secret": "internal-c4"},
	accounts: makeUser("monitor"),
	user:     "monitor", via: "exec", forward: true, reads: true,
}, {
	name: "mariadb-operator", flavour: "mariadb-operator", container: "mariadb", mariadb: true,
	labels:   map[string]string{"app.kubernetes.io/name": "mariadb", "app.kubernetes.io/instance": "c5", "k8s.mariadb.com/role": "primary"},
	secrets:  map[string]map[string]string{"c5-root": {"password": secretPassword}},
	env:      map[string]string{"MARIADB_ROOT_PASSWORD": "secret/c5-root:password"},
	accounts: setMariaDBRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}, {
	name: "bitpoke", flavour: "bitpoke MySQL operator", container: "mysql",
	labels:   map[string]string{"mysql.presslabs.org/cluster": "c6", "role": "master", "healthy": "yes"},
	secrets:  map[string]map[string]string{"c6-client": {"client.conf": optionsOf("sys_operator")}},
	files:    map[string]string{"/etc/mysql/client.conf": "c6-client:client.conf"},
	accounts: makeUser("sys_operator"),
	via:      "exec", reads: true,
}, {
	name: "radondb", flavour: "RadonDB MySQL", container: "mysql",
	labels:   map[string]string{"mysql.radondb.com/cluster": "c7", "role": "LEADER"},
	secrets:  map[string]map[string]string{"c7-secret": {"internal-root-password": secretPassword}, "c7-client": {"client.conf": optionsOf("root")}},
	files:    map[string]string{"/etc/mysql/client.conf": "c7-client:client.conf"},
	accounts: setRoot,
	via:      "exec", forward: true, reads: true,
}, {
	name: "vitess", flavour: "Vitess", container: "mysqld",
	labels:   map[string]string{"planetscale.com/component": "vttablet", "planetscale.com/cluster": "c8", "planetscale.com/keyspace": "k", "planetscale.com/shard": "x-x"},
	flags:    "--socket=/vt/socket/mysql.sock",
	accounts: "CREATE USER vt_dba@localhost; GRANT ALL ON *.* TO vt_dba@localhost; " + setRoot,
	user:     "vt_dba", via: "exec",
}, {
	name: "kubeblocks", flavour: "KubeBlocks", container: "mysql",
	labels:   map[string]string{"app.kubernetes.io/managed-by": "kubeblocks", "kubeblocks.io/role": "primary", "app.kubernetes.io/instance": "c9", "apps.kubeblocks.io/component-name": "mysql"},
	secrets:  map[string]map[string]string{"c9-mysql-account-root": {"username": "root", "password": secretPassword}},
	env:      map[string]string{"MYSQL_ROOT_PASSWORD": "secret/c9-mysql-account-root:password"},
	accounts: setRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}, {
	name: "bitnami-primary", flavour: "Bitnami chart", container: "mysql",
	labels:   map[string]string{"app.kubernetes.io/name": "mysql", "app.kubernetes.io/component": "primary", "helm.sh/chart": "mysql-12.0.1", "app.kubernetes.io/instance": "c10"},
	secrets:  map[string]map[string]string{"c10-mysql": {"mysql-root-password": secretPassword}},
	env:      map[string]string{"MYSQL_ROOT_PASSWORD_FILE": "/opt/bitnami/mysql/secrets/mysql-root-password"},
	files:    map[string]string{"/opt/bitnami/mysql/secrets": "c10-mysql"},
	accounts: setRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}, {
	name: "bitnami-secondary", flavour: "Bitnami chart", container: "mysql",
	labels:   map[string]string{"app.kubernetes.io/name": "mysql", "app.kubernetes.io/component": "secondary", "helm.sh/chart": "mysql-9.0.0", "app.kubernetes.io/instance": "c11"},
	secrets:  map[string]map[string]string{"c11-mysql": {"mysql-root-password": secretPassword}},
	env:      map[string]string{"MYSQL_MASTER_ROOT_PASSWORD": "secret/c11-mysql:mysql-root-password"},
	accounts: setRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}, {
	name: "bitnami-mariadb", flavour: "Bitnami MariaDB chart", container: "mariadb", mariadb: true,
	labels:   map[string]string{"app.kubernetes.io/name": "mariadb", "app.kubernetes.io/component": "primary", "helm.sh/chart": "mariadb-20.0.0", "app.kubernetes.io/instance": "c12"},
	secrets:  map[string]map[string]string{"c12-mariadb": {"mariadb-root-password": secretPassword}},
	env:      map[string]string{"MARIADB_ROOT_PASSWORD_FILE": "/opt/bitnami/mariadb/secrets/mariadb-root-password"},
	files:    map[string]string{"/opt/bitnami/mariadb/secrets": "c12-mariadb"},
	accounts: setMariaDBRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}, {
	name: "image-password", flavour: "image mysql:9.7", container: "db",
	env:      map[string]string{"MYSQL_ROOT_PASSWORD": strings.ReplaceAll(secretPassword, "$", "$$")}, // as a pod's specification escapes it
	accounts: setRoot,
	user:     "root", via: "port-forward", forward: true, reads: true,
}, {
	name: "image-file", flavour: "image mysql:9.7", container: "db",
	secrets:  map[string]map[string]string{"root-file": {"pw": secretPassword}},
	env:      map[string]string{"MYSQL_ROOT_PASSWORD_FILE": "/run/secrets/pw"},
	files:    map[string]string{"/run/secrets": "root-file"},
	accounts: setRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}, {
	name: "image-empty", flavour: "image mysql:9.7", container: "db",
	env:      map[string]string{"MYSQL_ALLOW_EMPTY_PASSWORD": "1"},
	accounts: "CREATE USER root@'%'; GRANT ALL ON *.* TO root@'%'",
	user:     "root", via: "port-forward", forward: true, reads: true,
}, {
	name: "image-mariadb", flavour: "image mariadb:10.11", container: "db", mariadb: true,
	secrets:  map[string]map[string]string{"mariadb-root": {"pw": secretPassword}},
	env:      map[string]string{"MARIADB_ROOT_PASSWORD": "secret/mariadb-root:pw"},
	accounts: setMariaDBRoot,
	user:     "root", via: "exec", forward: true, reads: true,
}}

type object = map[string]any

// pod is the manifest of a server's pod in this dress, with a Service in front of it.
func (w *dress) pod() []object {
	name := w.name + "-0"
	labels := object{"dress": w.name}
	for key, value := range w.labels {
		labels[key] = value
	}
	image := "mysql:9.7"
	command := "mysqld --no-defaults --initialize-insecure --datadir=/tmp/d && exec mysqld --datadir=/tmp/d --mysqlx=OFF --innodb-buffer-pool-size=32M " + w.flags
	mounts := []object{{"name": "vt", "mountPath": "/vt/socket"}}
	volumes := []object{{"name": "vt", "emptyDir": object{}}}
	init := []object{}
	if w.mariadb {
		image, command = "mariadb:10.11", "exec mariadbd"
		own := []object{{"name": "data", "mountPath": "/var/lib/mysql"}, {"name": "conf", "mountPath": "/mnt/conf.d"}, {"name": "config-map", "mountPath": "/mnt/config-map"}}
		init = []object{{"name": "init", "image": image, "command": []string{"bash", "/mnt/config-map/init.sh"}, "volumeMounts": own}}
		volumes = append(volumes, object{"name": "data", "emptyDir": object{}}, object{"name": "conf", "emptyDir": object{}}, object{"name": "config-map", "configMap": object{"name": "mariadb"}})
		mounts = append(mounts, own[0], own[2], object{"name": "conf", "mountPath": "/etc/mysql/conf.d"})
	}
	for at, from := range w.files {
		secret, key, isFile := strings.Cut(from, ":")
		mount := object{"name": secret, "mountPath": at}
		if isFile {
			mount["subPath"] = key
		}
		mounts = append(mounts, mount)
		volumes = append(volumes, object{"name": secret, "secret": object{"secretName": secret}})
	}
	env := []object{}
	for variable, value := range w.env {
		if secret, isSecret := strings.CutPrefix(value, "secret/"); isSecret {
			from, key, _ := strings.Cut(secret, ":")
			env = append(env, object{"name": variable, "valueFrom": object{"secretKeyRef": object{"name": from, "key": key}}})
			continue
		}
		env = append(env, object{"name": variable, "value": value})
	}
	var list []object
	for secret, content := range w.secrets {
		list = append(list, object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": secret}, "stringData": content})
	}
	return append(list, object{
		"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name, "labels": labels},
		"spec": object{
			"securityContext":               object{"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
			"terminationGracePeriodSeconds": 1, "initContainers": init, "volumes": volumes,
			"containers": []object{
				{"name": "agent", "image": "busybox:1.35", "command": []string{"sleep", "3600"}}, // servers are not always the first
				{"name": w.container, "image": image, "command": []string{"sh", "-c", command}, "env": env, "volumeMounts": mounts,
					"readinessProbe": object{"periodSeconds": 1, "tcpSocket": object{"port": 3306}}},
			},
		},
	}, object{
		"apiVersion": "v1", "kind": "Service", "metadata": object{"name": w.name},
		"spec": object{"selector": object{"dress": w.name}, "ports": []object{{"port": 3306}}},
	})
}

// TestMySQLFlavours dresses real servers as each operator, chart and image does, and logs in without any set-up.
func TestMySQLFlavours(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.Apply(strings.Replace(n.Manifest("mariadb.yaml"), "replicas: 2", "replicas: 0", 1)) // for what makes MariaDB's files
	for i := range dresses {
		var manifests strings.Builder
		for _, o := range dresses[i].pod() {
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			manifests.WriteString("---\n" + string(text) + "\n")
		}
		n.Apply(manifests.String())
	}
	n.Kubectl("wait", "pod", "-l", "dress", "--for=condition=Ready", "--timeout=300s")
	for i := range dresses {
		w := &dresses[i]
		client := "mysql"
		if w.mariadb {
			client = "mariadb"
		}
		socket := "--no-auto-rehash"
		if strings.HasPrefix(w.flags, "--socket") {
			socket = w.flags
		}
		if r := cluster.Run(t, w.accounts+"\n", "kubectl", "-n", n.NS, "exec", "-i", w.name+"-0", "-c", w.container, "--", client, socket, "-uroot"); r.Code != 0 {
			t.Fatalf("%s: %s", w.name, r.Err)
		}
	}
	n.Kubectl("create", "role", "no-secrets", "--verb=list,create,get", "--resource=pods,pods/exec,pods/portforward,services,endpointslices.discovery.k8s.io")
	n.Kubectl("create", "rolebinding", "no-secrets", "--role=no-secrets", "--user=no-secrets")
	sets := map[string]v1alpha1.DatabaseTopology{}
	reports := func(args ...string) map[string]v1alpha1.DatabaseServer {
		servers := map[string]v1alpha1.DatabaseServer{}
		for _, set := range cluster.Report[v1alpha1.DatabaseTopologyList](n, append([]string{"mysql-topology"}, args...)...).Items {
			for _, s := range set.Servers {
				servers[strings.TrimSuffix(s.Pod, "-0")], sets[strings.TrimSuffix(s.Pod, "-0")] = s, set
			}
		}
		return servers
	}
	var all, exec, forward, modest map[string]v1alpha1.DatabaseServer
	cluster.Eventually(t, 30*time.Second, func() error { // the authorizer learns of the new role a moment later
		if modest = reports("--as=no-secrets"); len(modest) != len(dresses) {
			return fmt.Errorf("%d servers found", len(modest))
		}
		return nil
	})
	all, exec, forward = reports(), reports("--via=exec"), reports("--via=port-forward")
	for i := range dresses {
		w := &dresses[i]
		for way, s := range map[string]v1alpha1.DatabaseServer{"auto": all[w.name], "without the right to read Secrets": modest[w.name]} {
			if s.Unreachable != "" || s.Via != w.via || s.User != w.user || s.Version == "" || s.Container != w.container {
				t.Errorf("%s, %s: via %q as %q: %s", w.name, way, s.Via, s.User, s.Unreachable)
			}
		}
		if sets[w.name].Flavour != w.flavour {
			t.Errorf("%s: it is taken for %s", w.name, sets[w.name].Flavour)
		}
		if s := exec[w.name]; s.Unreachable != "" || s.Via != "exec" {
			t.Errorf("%s, with the client inside: %s", w.name, s.Unreachable)
		}
		switch s := forward[w.name]; {
		case w.forward && (s.Unreachable != "" || s.Via != "port-forward"):
			t.Errorf("%s, over a port-forward: %s", w.name, s.Unreachable)
		case !w.forward && !strings.Contains(s.Unreachable, "no account is known for "+w.flavour+" with --via=port-forward"):
			t.Errorf("%s, which comes through the socket only: %q", w.name, s.Unreachable)
		}
		r := n.Doik("mysql-reads", "svc/"+w.name, "-c", "2", "-o", "json")
		if w.reads != strings.Contains(r.Out, `"answers": 2`) || !w.reads && !strings.Contains(r.Err, "can log in through the socket only") {
			t.Errorf("%s, mysql-reads: exit code %d: %s%s", w.name, r.Code, r.Out, r.Err)
		}
	}
	for _, command := range []string{"mysql-topology", "check", "sts-status", "nodes"} {
		withoutSecrets(t, command+" --save-snapshot", cluster.Saved(n, command))
	}
	withoutSecrets(t, "mysql-reads --save-snapshot", cluster.Saved(n, "mysql-reads", "svc/percona", "-c", "2"))
	for _, args := range [][]string{{}, {"-o", "yaml"}, {"--via=exec"}, {"-v=9"}, {"--via=exec", "-v=9"}, {"--via=port-forward", "-v=10"}} {
		r := n.Doik(append([]string{"mysql-topology"}, args...)...)
		withoutSecrets(t, strings.Join(args, " "), r.Out+r.Err)
	}
	t.Logf("\n%s", n.Doik("mysql-topology", "-o", "wide").Out)
	oneZone(t, n)
}

// withoutSecrets looks for the servers' password in a text, in each form that it has anywhere.
func withoutSecrets(t *testing.T, what, text string) {
	t.Helper()
	escaped := strings.Trim(strconv.Quote(secretPassword), `"`)
	for _, form := range []string{secretPassword, passwordInSQL, escaped, strings.ReplaceAll(secretPassword, "$", "$$"), strings.ReplaceAll(secretPassword, "'", "''"), base64.StdEncoding.EncodeToString([]byte(secretPassword))} {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s: the password shows: …%s…", what, text[max(0, i-300):min(len(text), i+50)])
		}
	}
}

// oneZone adds to a set that labels make one of, Percona's, a copy on another node of the same zone, where nothing runs it. It changes
// nodes, and so only those of test/node.
func oneZone(t *testing.T, n *cluster.Namespace) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Log("LEFT OUT: servers in one zone, which takes labels on this cluster's nodes")
		return
	}
	const zone = "topology.kubernetes.io/zone"
	node := n.Kubectl("get", "pod", "percona-0", "-o", "jsonpath={.spec.nodeName}")
	was := n.Kubectl("get", "node", node, "-o", `jsonpath={.metadata.labels.topology\.kubernetes\.io/zone}`)
	for name, in := range map[string]string{"same-zone": "a", "other-zone": "b"} {
		n.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q, "labels": {%q: %q}}}`, name, zone, in))
	}
	n.Kubectl("label", "node", node, zone+"=a", "--overwrite")
	defer func() {
		n.Kubectl("label", "node", node, zone+strings.TrimSuffix("="+was, "=")+map[bool]string{true: "-"}[was == ""], "--overwrite")
		n.Kubectl("delete", "pod", "percona-1", "--force", "--grace-period=0")
		n.Kubectl("delete", "node", "same-zone", "other-zone")
	}()
	labels := maps.Clone(dresses[2].labels)
	text, err := json.Marshal(object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": "percona-1", "labels": labels},
		"spec": object{"nodeName": "same-zone", "tolerations": []object{{"operator": "Exists"}}, "containers": []object{{"name": "mysql", "image": "mysql:9.7"}}}})
	if err != nil {
		t.Fatal(err)
	}
	n.Apply(string(text))
	cluster.Eventually(t, 30*time.Second, func() error {
		report := cluster.Report[v1alpha1.DatabaseTopologyList](n, "mysql-topology", "pod/percona-0")
		want := faults.Expect{Code: v1alpha1.CodeReplicasTogether, Severity: warning, Object: "pod/percona-1", Words: "run in the zone a, although the cluster has 2"}
		for _, f := range report.Items[0].Findings {
			if want.Matches(f, n.NS) {
				return nil
			}
		}
		return fmt.Errorf("%+v", report.Items[0].Findings)
	})
}

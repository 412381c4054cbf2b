package mysql

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// DefaultPort is that of MySQL's protocol.
const DefaultPort = 3306

// Engine is MySQL and MariaDB.
var Engine = dbserver.Engine{
	Name: "MySQL", Servers: "MySQL or MariaDB servers", Family: "MYSQL", Port: DefaultPort, PortNames: []string{"mysql", "mariadb"}, Flavours: flavours, Image: imageFlavour, RunsServer: runsServer, Router: router,
	NewAsker: NewAsker, NewProber: newProber, Statements: statementsOfUsers,
}

// flavours is the table, the most particular first. Sources: the operators' and charts' documentation and manifests.
var flavours = []dbserver.Flavour{
	{
		Name: "MOCO", Labels: map[string]string{"app.kubernetes.io/created-by": "moco"}, Containers: []string{"mysqld"},
		Role: &dbserver.RoleLabel{Key: "moco.cybozu.com/role", Primary: "primary", Replica: "replica"},
		Logins: []dbserver.Login{{
			User: "moco-readonly", OptionFile: "/mysql-credentials/moco-readonly-my.cnf",
			Secret: "moco-{app.kubernetes.io/instance}", Key: "READONLY_PASSWORD",
		}},
	},
	{
		Name: "Oracle mysql-operator", Labels: map[string]string{"mysql.oracle.com/cluster": "", "component": "mysqld"}, Containers: []string{"mysql"},
		Role:   &dbserver.RoleLabel{Key: "mysql.oracle.com/cluster-role", Primary: "PRIMARY", Replica: "SECONDARY"},
		Logins: []dbserver.Login{{User: "localroot", SocketOnly: true}},
	},
	{
		Name:       "Percona Server operator",
		Labels:     map[string]string{"app.kubernetes.io/managed-by": "percona-server-mysql-operator", "app.kubernetes.io/component": "database"},
		Containers: []string{"mysql"}, Group: []string{"app.kubernetes.io/instance"},
		Role: &dbserver.RoleLabel{Key: "mysql.percona.com/primary", Primary: "true", Replica: "false"},
		Logins: []dbserver.Login{{
			User: "monitor", PasswordFile: "/etc/mysql/mysql-users-secret/monitor", Secret: "internal-{app.kubernetes.io/instance}", Key: "monitor",
		}},
	},
	{
		Name:       "Percona XtraDB Cluster operator",
		Labels:     map[string]string{"app.kubernetes.io/managed-by": "percona-xtradb-cluster-operator", "app.kubernetes.io/component": "pxc"},
		Containers: []string{"pxc"}, Group: []string{"app.kubernetes.io/instance"},
		Logins: []dbserver.Login{{
			User: "monitor", PasswordFile: "/etc/mysql/mysql-users-secret/monitor", Secret: "internal-{app.kubernetes.io/instance}", Key: "monitor",
		}},
	},
	{
		Name: "mariadb-operator", Labels: map[string]string{"app.kubernetes.io/name": "mariadb", "k8s.mariadb.com/role": ""}, Annotation: objects.MariaDBAnnotation,
		Containers: []string{"mariadb"}, // it labels a pod with its role when that is Ready, and not before
		Role:       &dbserver.RoleLabel{Key: "k8s.mariadb.com/role", Primary: "primary", Replica: "replica"},
		Logins:     []dbserver.Login{{User: "root", PasswordEnv: mariaDBRootPassword, Secret: "{app.kubernetes.io/instance}-root", Key: "password"}},
	},
	{
		Name: "bitpoke MySQL operator", Labels: map[string]string{"mysql.presslabs.org/cluster": ""}, Containers: []string{"mysql"},
		Role:   &dbserver.RoleLabel{Key: "role", Primary: "master", Replica: "replica"},
		Logins: []dbserver.Login{{OptionFile: "/etc/mysql/client.conf"}},
	},
	{
		Name: "RadonDB MySQL", Labels: map[string]string{"mysql.radondb.com/cluster": ""}, Containers: []string{"mysql"},
		Role: &dbserver.RoleLabel{Key: "role", Primary: "LEADER", Replica: "FOLLOWER"},
		Logins: []dbserver.Login{{
			User: "root", OptionFile: "/etc/mysql/client.conf", Secret: "{mysql.radondb.com/cluster}-secret", Key: "internal-root-password",
		}},
	},
	{
		Name: "Vitess", Labels: map[string]string{"planetscale.com/component": "vttablet"}, Containers: []string{"mysqld"},
		Group:  []string{"planetscale.com/cluster", "planetscale.com/keyspace", "planetscale.com/shard"},
		Logins: []dbserver.Login{{User: "vt_dba", Socket: "/vt/socket/mysql.sock", SocketOnly: true}},
	},
	{
		Name: "KubeBlocks", Labels: map[string]string{"app.kubernetes.io/managed-by": "kubeblocks", "apps.kubeblocks.io/component-name": ""}, // its role label comes and goes
		Containers: []string{"mysql", "mariadb", "mysql-server"}, Group: []string{"app.kubernetes.io/instance", "apps.kubeblocks.io/component-name"},
		Role: &dbserver.RoleLabel{Key: "kubeblocks.io/role", Primary: "primary", Replica: "secondary"},
		Logins: []dbserver.Login{{
			User: "root", PasswordEnv: mySQLRootPassword,
			Secret: "{app.kubernetes.io/instance}-{apps.kubeblocks.io/component-name}-account-root", Key: "password",
		}},
	},
	{
		Name: "Bitnami chart", Labels: map[string]string{"app.kubernetes.io/name": "mysql", "app.kubernetes.io/component": "", "helm.sh/chart": ""},
		Containers: []string{"mysql"}, Group: []string{"app.kubernetes.io/instance"},
		Role:   &dbserver.RoleLabel{Key: "app.kubernetes.io/component", Primary: "primary", Replica: "secondary", Static: true},
		Logins: []dbserver.Login{{User: "root", PasswordEnv: append([]string{"MYSQL_MASTER_ROOT_PASSWORD"}, mySQLRootPassword...)}},
	},
	{
		Name: "Bitnami MariaDB chart", Labels: map[string]string{"app.kubernetes.io/name": "mariadb", "app.kubernetes.io/component": "", "helm.sh/chart": ""},
		Containers: []string{"mariadb"}, Group: []string{"app.kubernetes.io/instance"},
		Role:   &dbserver.RoleLabel{Key: "app.kubernetes.io/component", Primary: "primary", Replica: "secondary", Static: true},
		Logins: []dbserver.Login{{User: "root", PasswordEnv: append([]string{"MARIADB_MASTER_ROOT_PASSWORD"}, mariaDBRootPassword...)}},
	},
}

// imageFlavour is what pods are of that no operator or chart has labelled: they are recognised by their image.
var imageFlavour = dbserver.Flavour{
	Name: "image", Logins: []dbserver.Login{{User: "root", PasswordEnv: append(slices.Clone(mySQLRootPassword), mariaDBRootPassword...)}},
}

// Variables of the images of Docker's library, and of those made after them. With _FILE they name a file.
var (
	mySQLRootPassword   = []string{"MYSQL_ROOT_PASSWORD"}
	mariaDBRootPassword = []string{"MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"}
)

package postgres

import (
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// DefaultPort is that of PostgreSQL's protocol.
const DefaultPort = 5432

// Engine is PostgreSQL.
var Engine = dbserver.Engine{
	Name: "PostgreSQL", Servers: "PostgreSQL servers", Family: "PG", Port: DefaultPort, PortNames: []string{"postgres", "postgresql", "pgsql", "tcp-postgresql"},
	Flavours: flavours, Image: imageFlavour, RunsServer: runsServer, Router: router, NewAsker: NewAsker,
}

// superuser comes in through the socket: operators' pg_hba.conf trusts it there, or the image's own user.
var superuser = dbserver.Login{User: "postgres", SocketOnly: true}

// flavours is the table, the most particular first. Sources: the operators' and charts' documentation and manifests.
var flavours = []dbserver.Flavour{
	{
		Name: "CloudNativePG", Labels: map[string]string{"cnpg.io/cluster": "", "cnpg.io/podRole": "instance"}, Containers: []string{"postgres"},
		Role:   &dbserver.RoleLabel{Key: "cnpg.io/instanceRole", Primary: "primary", Replica: "replica"},
		Logins: []dbserver.Login{superuser, {User: "app", Secret: "{cnpg.io/cluster}-app", Key: "password"}},
	},
	{
		Name: "Zalando postgres-operator", Labels: map[string]string{"application": "spilo", "cluster-name": ""}, Containers: []string{"postgres"}, Group: []string{"cluster-name"},
		Role: &dbserver.RoleLabel{Key: "spilo-role", Primary: "master", Replica: "replica"},
		Logins: []dbserver.Login{superuser, {
			User: "postgres", Secret: "postgres.{cluster-name}.credentials.postgresql.acid.zalan.do", Key: "password",
		}},
	},
	{
		Name: "Percona Operator for PostgreSQL", Labels: map[string]string{"postgres-operator.crunchydata.com/cluster": "", "postgres-operator.crunchydata.com/instance": "", "app.kubernetes.io/managed-by": "percona-postgresql-operator"},
		Containers: []string{"database"}, Group: []string{"postgres-operator.crunchydata.com/cluster"},
		Role:   &dbserver.RoleLabel{Key: "postgres-operator.crunchydata.com/role", Primary: "primary", Before: "master", Replica: "replica"},
		Logins: []dbserver.Login{superuser},
	},
	{
		Name: "Crunchy Postgres Operator", Labels: map[string]string{"postgres-operator.crunchydata.com/cluster": "", "postgres-operator.crunchydata.com/instance": ""},
		Containers: []string{"database"}, Group: []string{"postgres-operator.crunchydata.com/cluster"},
		Role:   &dbserver.RoleLabel{Key: "postgres-operator.crunchydata.com/role", Primary: "primary", Before: "master", Replica: "replica"},
		Logins: []dbserver.Login{superuser},
	},
	{
		Name: "StackGres", Labels: map[string]string{"app": "StackGresCluster", "stackgres.io/cluster-name": ""}, Containers: []string{"patroni"}, Group: []string{"stackgres.io/cluster-name"},
		Role:   &dbserver.RoleLabel{Key: "role", Primary: "primary", Before: "master", Replica: "replica"},
		Logins: []dbserver.Login{{User: "postgres", SocketOnly: true, Container: "postgres-util"}, superuser},
	},
	{
		Name: "KubeBlocks", Labels: map[string]string{"app.kubernetes.io/managed-by": "kubeblocks", "apps.kubeblocks.io/component-name": ""}, // its role label comes and goes
		Containers: []string{"postgresql", "postgres"}, Group: []string{"app.kubernetes.io/instance", "apps.kubeblocks.io/component-name"},
		Role: &dbserver.RoleLabel{Key: "kubeblocks.io/role", Primary: "primary", Replica: "secondary"},
		Logins: []dbserver.Login{superuser, {
			User: "postgres", Secret: "{app.kubernetes.io/instance}-{apps.kubeblocks.io/component-name}-account-postgres", Key: "password",
		}},
	},
	{
		Name: "Bitnami chart", Labels: map[string]string{"app.kubernetes.io/name": "postgresql", "app.kubernetes.io/component": "", "helm.sh/chart": ""},
		Containers: []string{"postgresql"}, Group: []string{"app.kubernetes.io/instance"},
		Role:   &dbserver.RoleLabel{Key: "app.kubernetes.io/component", Primary: "primary", Replica: "read", Static: true},
		Logins: []dbserver.Login{{User: "postgres", PasswordEnv: []string{"POSTGRES_POSTGRES_PASSWORD", "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"}}},
	},
	{
		Name: "Bitnami HA chart", Labels: map[string]string{"app.kubernetes.io/name": "postgresql-ha", "app.kubernetes.io/component": "postgresql", "helm.sh/chart": ""},
		Containers: []string{"postgresql"}, Group: []string{"app.kubernetes.io/instance"},
		Logins: []dbserver.Login{{User: "postgres", PasswordEnv: []string{"POSTGRES_POSTGRES_PASSWORD", "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"}}},
	},
}

// imageFlavour is what pods are of that no operator or chart has labelled: they are recognised by their image.
var imageFlavour = dbserver.Flavour{
	Name: "image", Logins: []dbserver.Login{{User: "postgres", UserEnv: "POSTGRES_USER", PasswordEnv: []string{"POSTGRES_PASSWORD", "POSTGRES_POSTGRES_PASSWORD"}}},
}

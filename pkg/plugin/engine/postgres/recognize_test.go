package postgres

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
)

// TestRunsServer tells servers from what has PostgreSQL in its name.
func TestRunsServer(t *testing.T) {
	for image, want := range map[string]dbserver.Likeness{
		"postgres:17": dbserver.Runs, "docker.io/library/postgres:18-alpine": dbserver.Runs, "bitnami/postgresql:16": dbserver.Runs, "ghcr.io/zalando/spilo-16:3.3-p1": dbserver.Runs,
		"postgis/postgis:17-3.5": dbserver.Runs, "timescale/timescaledb-ha:pg17": dbserver.Runs, "pgvector/pgvector:pg17": dbserver.Runs, "bitnami/postgresql-repmgr:16": dbserver.Runs,
		"acme/our-postgres-build:1":                  dbserver.Resembles,
		"prometheuscommunity/postgres-exporter:0.17": dbserver.Unlike, "bitnami/pgbouncer:1": dbserver.Unlike, "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0": dbserver.Unlike,
		"dpage/pgadmin4:9": dbserver.Unlike, "postgrest/postgrest:12": dbserver.Unlike, "prodrigestivill/postgres-backup-local:17": dbserver.Unlike, "redis:8": dbserver.Unlike, "mysql:9": dbserver.Unlike,
	} {
		if got := runsServer(&corev1.Container{Image: image}, false); got != want {
			t.Errorf("%s: %v", image, got)
		}
	}
	for _, test := range []struct {
		command []string
		want    dbserver.Likeness
	}{
		{[]string{"postgres", "-c", "config_file=/etc/pg/postgresql.conf"}, dbserver.Runs},
		{[]string{"docker-entrypoint.sh", "postgres", "-c", "max_connections=10"}, dbserver.Runs},
		{[]string{"patroni", "/etc/patroni.yml"}, dbserver.Runs},
		{[]string{"sh", "-c", "chmod 700 $PGDATA; exec patroni /etc/patroni.yml"}, dbserver.Runs},
		{[]string{"sh", "-c", "exec /usr/lib/postgresql/17/bin/postgres -D /data"}, dbserver.Runs},
		{[]string{"bash", "-c", "pg_dump -U postgres -h db app > /backup/app.sql"}, dbserver.Unlike},
		{[]string{"psql", "-U", "postgres"}, dbserver.Unlike},
	} {
		if got := runsServer(&corev1.Container{Image: "acme/base:1", Command: test.command}, false); got != test.want {
			t.Errorf("%q: %v", test.command, got)
		}
	}
	if got := runsServer(&corev1.Container{Image: "acme/base:1"}, true); got != dbserver.Resembles {
		t.Errorf("by its port: %v", got)
	}
	if got := router(&corev1.Container{Image: "ghcr.io/cloudnative-pg/pgbouncer:1.24"}); got != "PgBouncer" {
		t.Errorf("%q", got)
	}
}

package sets

import "testing"

// TestGroup has the labels of operators whose clusters are in several sets.
func TestGroup(t *testing.T) {
	for name, test := range map[string]struct {
		labels map[string]string
		want   string
	}{
		"Crunchy":       {map[string]string{"postgres-operator.crunchydata.com/cluster": "hippo", "postgres-operator.crunchydata.com/role": "master"}, "hippo"},
		"its pooler":    {map[string]string{"postgres-operator.crunchydata.com/cluster": "hippo", "postgres-operator.crunchydata.com/role": "pgbouncer"}, ""},
		"OT leaders":    {map[string]string{"app": "cache-leader", "redis_setup_type": "cluster", "role": "leader"}, "cache"},
		"OT followers":  {map[string]string{"app": "cache-follower", "redis_setup_type": "cluster", "role": "follower"}, "cache"},
		"OT standalone": {map[string]string{"app": "cache", "redis_setup_type": "standalone", "role": "standalone"}, ""},
		"Bitnami":       {map[string]string{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop", "app.kubernetes.io/component": "read"}, "shop"},
		"another chart": {map[string]string{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop"}, ""},
		"none":          {map[string]string{"app": "web", "role": "leader"}, ""},
	} {
		if got := Group(test.labels); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

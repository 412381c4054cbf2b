//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// signal stops a server's process, or lets it go on: it hangs as on a machine that has gone.
func (d *database) signal(name string, pods ...int) {
	d.Helper()
	for _, pod := range pods {
		d.Kubectl("exec", d.pod(pod), "-c", d.container, "--", "pkill", "-"+name, "-x", map[string]string{"mysql": "mysqld", "mariadb": "mariadbd"}[d.container])
	}
}

// TestGroupReplicationFaults brings about what can go wrong with a group of three real MySQL servers.
func TestGroupReplicationFaults(t *testing.T) {
	d := &database{Namespace: cluster.NewNamespace(t), set: "group", container: "mysql", client: "mysql"}
	d.Apply(d.Manifest("mysql-group.yaml"))
	d.Kubectl("rollout", "status", "sts/group", "--timeout=240s")
	d.sound(3)
	d.sql(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")
	s := d.topology().Servers
	if s[0].Role != v1alpha1.RolePrimary || s[1].Role != v1alpha1.RoleSecondary || s[2].Group.State != "ONLINE" || s[2].Depth != 1 {
		t.Errorf("%+v", s)
	}
	t.Logf("\n%s", d.MustDoik("mysql-topology", "-o", "wide"))
	impatient := []string{"--server-timeout=3s"}
	d.each(t, 3, []fault{{
		name: "a member has left", check: "MYSQL051 MYSQL070",
		inject: func(d *database) { d.sql(2, "STOP GROUP_REPLICATION") },
		want: []expect{
			{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "(the pod is Ready) is OFFLINE in its group", "MEMBER_STATE=OFFLINE"},
			{v1alpha1.CodeReadyButBroken, warning, "pod/group-2", "OFFLINE", ""},
		},
		mend: func(d *database) { // and then takes writes
			d.sql(2, "SET GLOBAL super_read_only=0; SET GLOBAL read_only=0")
			d.finds(nil, expect{v1alpha1.CodeGRMemberOutsideWritable, critical, "pod/group-2", "takes writes, which the group never gets", "read_only=OFF"})
			d.sql(2, "START GROUP_REPLICATION")
		},
	}, {
		name: "the majority hangs", unsteady: true,
		inject: func(d *database) { d.signal("STOP", 1, 2) },
		want:   nil, // found below: each report waits for the two
		mend: func(d *database) {
			defer d.signal("CONT", 1, 2)
			d.finds(impatient, expect{v1alpha1.CodeGRNoQuorum, critical, "pod/group-0", "2 of its 3 members are UNREACHABLE", "MEMBER_STATE=UNREACHABLE"})
		},
	}})

	t.Log("a member hangs until the others expel it, and comes back with a group of its own")
	d.signal("STOP", 2)
	d.finds(impatient, expect{v1alpha1.CodeGRMemberNotOnline, bad, "pod/group-2", "is not in the group that group-0 sees", ""})
	d.signal("CONT", 2)
	cluster.Eventually(t, 30*time.Second, func() error {
		if r := d.trySQL(2, "STOP GROUP_REPLICATION; SET GLOBAL group_replication_bootstrap_group=ON; START GROUP_REPLICATION"); r.Code != 0 {
			return fmt.Errorf("%s", r.Err)
		}
		return nil
	})
	d.finds(nil, expect{v1alpha1.CodeGRSplitView, critical, "pod/group-2", "group-0, group-1 see group-0 (primary), group-1; group-2 see group-2 (primary)", ""})
}

// TestGaleraFaults brings about what can go wrong with a cluster of three real MariaDB servers.
func TestGaleraFaults(t *testing.T) {
	d := &database{Namespace: cluster.NewNamespace(t), set: "galera", container: "mariadb", client: "mariadb"}
	d.Apply(d.Manifest("mariadb-galera.yaml"))
	d.Kubectl("rollout", "status", "sts/galera", "--timeout=240s")
	calm := func(d *database) { // averages are counted from here: on a busy machine nodes have had to catch up
		for pod := range 3 {
			d.sql(pod, "FLUSH STATUS")
		}
	}
	calm(d)
	d.sound(3)
	d.sql(0, "CREATE DATABASE app; CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY)")
	s := d.topology().Servers
	if s[0].Role != v1alpha1.RoleNode || s[2].Galera == nil || s[2].Galera.State != "Synced" || *s[2].Galera.ClusterSize != 3 {
		t.Errorf("%+v", s)
	}
	t.Logf("\n%s", d.MustDoik("mysql-topology", "-o", "wide"))
	d.each(t, 3, []fault{{
		name: "a node is desynced", check: "MYSQL063",
		inject: func(d *database) { d.sql(2, "SET GLOBAL wsrep_desync=ON") },
		want:   []expect{{v1alpha1.CodeGaleraNotSynced, warning, "pod/galera-2", "Donor/Desynced", "wsrep_local_state=2"}},
		mend:   func(d *database) { d.sql(2, "SET GLOBAL wsrep_desync=OFF") },
	}, {
		name: "a node is slow", check: "MYSQL064",
		inject: func(d *database) {
			d.sql(2, "FLUSH STATUS")
			wait := d.inBackground(2, "FLUSH TABLES WITH READ LOCK; SELECT SLEEP(5)")
			d.sleeps(2)
			d.sql(0, strings.Repeat("INSERT INTO app.t VALUES (); ", 40))
			wait()
		},
		want: []expect{{v1alpha1.CodeGaleraFlowControl, warning, "pod/galera-2", "write sets wait to be applied", ""}},
		mend: calm,
	}})

	t.Log("a node hangs until the others go on without it")
	impatient := []string{"--server-timeout=3s"}
	d.signal("STOP", 2)
	d.finds(impatient, expect{v1alpha1.CodeGaleraSizeMismatch, bad, "pod/galera-0", "sees a cluster of 2, and the set has 3 pods", "wsrep_cluster_size=2"})
	t.Log("then another, without which there is no majority")
	d.signal("STOP", 1)
	report := d.finds(impatient, expect{v1alpha1.CodeGaleraNonPrimary, critical, "pod/galera-0", "it refuses queries (error 1047)", "wsrep_cluster_status=non-Primary"})
	t.Logf("\n%s", findings(report))

	t.Log("they come back, each as the first of a new cluster")
	for pod := range 3 {
		d.Kubectl("exec", d.pod(pod), "-c", d.container, "--", "sh", "-c",
			"printf '[mysqld]\\nwsrep_cluster_address=gcomm://\\n' > /etc/mysql/conf.d/z.cnf; rm -f /var/lib/mysql/grastate.dat /var/lib/mysql/gvwstate.dat; pkill -KILL -x mariadbd")
	}
	d.finds(nil,
		expect{v1alpha1.CodeGaleraSplitUUID, critical, "pod/galera-1", "the nodes belong to different clusters", ""},
		expect{v1alpha1.CodeGaleraSizeMismatch, bad, "pod/galera-1", "sees a cluster of 1", ""})
}

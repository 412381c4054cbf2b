//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
	"github.com/kubectl-doik/kubectl-doik/test/faults"
)

// staysReady lets a pod be ready while its server hangs: else that it is no longer would be told before or after what the others do.
var staysReady = []string{"timeoutSeconds: 2\n", "timeoutSeconds: 2\n          failureThreshold: 100\n"}

// TestWatchGroup follows a group whose primary hangs until a secondary takes its place, whose operator's labels follow later, and which
// the old primary, restarted, rejoins.
func TestWatchGroup(t *testing.T) {
	d := &database{&faults.Set{Namespace: cluster.NewNamespace(t)}}
	faults.GroupReplication(d.Set, staysReady...)
	cluster.Eventually(d, time.Minute, func() error { // else that with the least server_uuid is elected; it can't be set while the member is still joining
		if r := d.TrySQL(1, "SET GLOBAL group_replication_member_weight=80"); r.Code != 0 {
			return fmt.Errorf("%s", r.Err)
		}
		return nil
	})
	d.Kubectl("label", "pod", "--all", "mysql.oracle.com/cluster=group", "component=mysqld", "mysql.oracle.com/cluster-role=SECONDARY")
	d.Kubectl("label", "pod", "group-0", "mysql.oracle.com/cluster-role=PRIMARY", "--overwrite")
	w := cluster.Watch(d.Namespace, "mysql-topology", "--user=root", "--watch", "--poll-interval=1s", "--server-timeout=3s", "-v=6")
	w.Sees("3/3 answered")
	told := w.Timeline("watch-group")
	d.Signal("STOP", 0)
	told.Step(cluster.Step{Name: "the primary hangs"})
	w.Unseen(func() {
		cluster.Eventually(d, time.Minute, func() error {
			role := d.SQL(1, "SELECT MEMBER_ROLE, MEMBER_STATE, COUNT(*) OVER (), @@read_only FROM performance_schema.replication_group_members ORDER BY MEMBER_ID=@@server_uuid DESC LIMIT 1")
			if role != "PRIMARY\tONLINE\t2\t0" {
				return fmt.Errorf("group-1 is %s", role)
			}
			return nil
		})
	})
	told.Step(cluster.Step{Name: "a secondary is elected"})
	d.Kubectl("label", "pod", "group-0", "mysql.oracle.com/cluster-role=SECONDARY", "--overwrite")
	d.Kubectl("label", "pod", "group-1", "mysql.oracle.com/cluster-role=PRIMARY", "--overwrite")
	told.Step(cluster.Step{Name: "the operator labels it"})
	w.Unseen(func() {
		d.Signal("KILL", 0)
		cluster.Eventually(d, time.Minute, func() error {
			state := d.Kubectl("get", "pod", "group-0", "-o", `jsonpath={.status.containerStatuses[?(@.name=="mysql")].restartCount} {.status.conditions[?(@.type=="Ready")].status}`)
			if state != "1 True" {
				return fmt.Errorf("group-0 is %s", state)
			}
			return nil
		})
	})
	told.Step(cluster.Step{Name: "the old primary is restarted"})
	w.Unseen(func() {
		d.SQL(0, "START GROUP_REPLICATION")
		cluster.Eventually(d, time.Minute, func() error {
			state := d.SQL(0, "SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID=@@server_uuid")
			if state != "ONLINE" {
				return fmt.Errorf("group-0 is %s", state)
			}
			return nil
		})
	})
	told.Step(cluster.Step{Name: "it rejoins"})
	told.End()
}

// TestWatchGalera follows a cluster that goes on without a node that hangs, until it rejoins.
func TestWatchGalera(t *testing.T) {
	d := &database{&faults.Set{Namespace: cluster.NewNamespace(t)}}
	faults.Galera(d.Set, staysReady...)
	w := cluster.Watch(d.Namespace, "mysql-topology", "sts/galera", "--watch", "--poll-interval=1s", "--server-timeout=3s", "-v=6")
	w.Sees("3/3 answered")
	told := w.Timeline("watch-galera")
	d.Signal("STOP", 2)
	told.Step(cluster.Step{Name: "a node hangs until the others go on without it"})
	d.SQL(0, "INSERT INTO app.t VALUES ()") // it lacks something when it comes back
	w.Unseen(func() {
		d.Signal("CONT", 2)
		cluster.Eventually(d, time.Minute, func() error {
			for pod := range 3 {
				if r := d.TrySQL(pod, "SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_size', 'wsrep_local_state_comment')"); r.Out != "3,Synced\n" {
					return fmt.Errorf("%s: %s%s", d.Pod(pod), r.Out, r.Err)
				}
			}
			return nil
		})
	})
	told.Step(cluster.Step{Name: "it rejoins"})
	told.End()
}

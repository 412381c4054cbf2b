package sets

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestBackups reads objects of each kind that tells of backups.
func TestBackups(t *testing.T) {
	for object, want := range map[string]string{
		"{apiVersion: postgresql.cnpg.io/v1, kind: Backup, spec: {cluster: {name: pg}}, status: {phase: completed, stoppedAt: 2026-11-29T02:00:00Z}}":                                                                                                                                 "Succeeded of Cluster/pg at 29 02:00",
		"{apiVersion: postgresql.cnpg.io/v1, kind: Backup, spec: {cluster: {name: pg}}, status: {phase: failed, error: no space, reconciliationTerminatedAt: 2026-11-29T02:00:00Z}}":                                                                                                  "Failed of Cluster/pg at 29 02:00: no space",
		"{apiVersion: postgresql.cnpg.io/v1, kind: Backup, spec: {cluster: {name: pg}}, status: {phase: walArchivingFailing}}":                                                                                                                                                        "Running of Cluster/pg at 28 00:00",
		"{apiVersion: postgresql.cnpg.io/v1, kind: Backup, spec: {cluster: {name: pg}}}":                                                                                                                                                                                              "Running of Cluster/pg at 28 00:00",
		`{apiVersion: postgresql.cnpg.io/v1, kind: ScheduledBackup, spec: {cluster: {name: pg}, schedule: "0 0 2 * * *", suspend: true}, status: {error: invalid}}`:                                                                                                                   "ScheduledBackup/b of Cluster/pg 0 0 2 * * * suspended: invalid",
		"{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, spec: {mariaDbRef: {name: shop}}, status: {conditions: [{type: Complete, status: 'True', reason: JobComplete, message: Success, lastTransitionTime: 2026-11-29T02:00:00Z}]}}":                                           "Succeeded of MariaDB/shop at 29 02:00",
		"{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, spec: {mariaDbRef: {name: shop}}, status: {conditions: [{type: Complete, status: 'True', reason: JobFailed, message: Failed, lastTransitionTime: 2026-11-29T02:00:00Z}]}}":                                              "Failed of MariaDB/shop at 29 02:00",
		"{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, spec: {mariaDbRef: {name: shop, namespace: db}}, status: {conditions: [{type: Complete, status: 'False', reason: JobRunning, message: Running}]}}":                                                                      "Running of db/MariaDB/shop at 28 00:00",
		"{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, spec: {mariaDbRef: {name: shop}, schedule: {cron: 0 2 * * *}}, status: {conditions: [{type: Complete, status: 'False', reason: CronJobScheduled, message: Scheduled}]}}":                                                "Backup/b of MariaDB/shop 0 2 * * *",
		"{apiVersion: k8s.mariadb.com/v1alpha1, kind: PhysicalBackup, spec: {mariaDbRef: {name: shop}, schedule: {cron: 0 2 * * *}}, status: {conditions: [{type: Complete, status: 'False', reason: CronJobScheduled, message: Failed, lastTransitionTime: 2026-11-29T02:00:00Z}]}}": "Failed of MariaDB/shop at 29 02:00, PhysicalBackup/b of MariaDB/shop 0 2 * * *",
		"{apiVersion: mysql.oracle.com/v2, kind: MySQLBackup, spec: {clusterName: ic}, status: {status: Error, message: denied, completionTime: '2026-11-29T02:00:00Z'}}":                                                                                                             "Failed of InnoDBCluster/ic at 29 02:00: denied",
		"{apiVersion: mysql.oracle.com/v2, kind: InnoDBCluster, spec: {backupSchedules: [{name: daily, schedule: '@daily', enabled: true}, {name: weekly, schedule: '@weekly'}]}}":                                                                                                    "InnoDBCluster/b/daily of InnoDBCluster/b @daily, InnoDBCluster/b/weekly of InnoDBCluster/b @weekly suspended",
		"{apiVersion: ps.percona.com/v1, kind: PerconaServerMySQLBackup, spec: {clusterName: ps}, status: {state: Error, stateDescription: no storage}}":                                                                                                                              "Failed of PerconaServerMySQL/ps at 28 00:00: no storage",
		"{apiVersion: pxc.percona.com/v1, kind: PerconaXtraDBClusterBackup, spec: {pxcCluster: c1}, status: {state: Succeeded, completed: 2026-11-29T02:00:00Z}}":                                                                                                                     "Succeeded of PerconaXtraDBCluster/c1 at 29 02:00",
		"{apiVersion: pxc.percona.com/v1, kind: PerconaXtraDBCluster, spec: {backup: {schedule: [{name: daily, schedule: 0 0 * * *}]}}}":                                                                                                                                              "PerconaXtraDBCluster/b/daily of PerconaXtraDBCluster/b 0 0 * * *",
	} {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(object), &o); err != nil {
			t.Fatal(err)
		}
		o["metadata"] = map[string]any{"namespace": "shop", "name": "b", "creationTimestamp": "2026-11-28T00:00:00Z"}
		got, err := kindOfBackup(o).understand(o)
		if text := told(got); text != want || err != nil {
			t.Errorf("%s:\n%s (%v), want\n%s", object, text, err, want)
		}
	}
}

func kindOfBackup(o map[string]any) *backupKind {
	for i := range backupKinds {
		if k := &backupKinds[i]; strings.HasPrefix(o["apiVersion"].(string), k.Group+"/") && k.Name == o["kind"] {
			return k
		}
	}
	return nil
}

// told is what an object says of backups, in short.
func told(b Backups) string {
	name := func(r Ref) string {
		text := r.Kind + "/" + r.Name
		if r.Namespace != "shop" {
			text = r.Namespace + "/" + text
		}
		return text
	}
	var parts []string
	for _, r := range b.Runs {
		part := fmt.Sprintf("%s of %s at %s", r.State, name(r.Of), r.At.UTC().Format("02 15:04"))
		if r.Message != "" {
			part += ": " + r.Message
		}
		parts = append(parts, part)
	}
	for _, s := range b.Schedules {
		part := fmt.Sprintf("%s of %s %s", name(s.Ref), name(s.Of), s.Cron)
		if s.Suspended {
			part += " suspended"
		}
		if s.Error != "" {
			part += ": " + s.Error
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// TestBackupsSettle: a CronJob's last success is that of the backup which owns it, and one that a cluster owns is a schedule of its own.
func TestBackupsSettle(t *testing.T) {
	var list Backups
	for _, object := range []string{
		"{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, metadata: {namespace: shop, name: daily}, spec: {mariaDbRef: {name: db}, schedule: {cron: 0 2 * * *}}}",
		"{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: daily, ownerReferences: [{apiVersion: k8s.mariadb.com/v1alpha1, kind: Backup, name: daily, controller: true}]}, spec: {schedule: 0 2 * * *}, status: {lastSuccessfulTime: 2026-11-29T02:03:00Z}}",
		"{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: moco-backup-m, ownerReferences: [{apiVersion: moco.cybozu.com/v1beta2, kind: MySQLCluster, name: m, controller: true}]}, spec: {schedule: 0 3 * * *}}",
		"{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: report, ownerReferences: [{apiVersion: example.com/v1, kind: App, name: a, controller: true}]}, spec: {schedule: 0 4 * * *}}",
		"{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: cleanup}, spec: {schedule: 0 5 * * *}}",
	} {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(object), &o); err != nil {
			t.Fatal(err)
		}
		one, err := kindOfBackup(o).understand(o)
		if err != nil {
			t.Fatal(err)
		}
		list.add(one)
	}
	list.settle()
	if got, want := told(list), "Backup/daily of MariaDB/db 0 2 * * *, CronJob/moco-backup-m of MySQLCluster/m 0 3 * * *"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	of := list.Of(Ref{"shop", "k8s.mariadb.com", "MariaDB", "db"})
	if got := of.LastSuccess().UTC().Format("02 15:04"); got != "29 02:03" {
		t.Errorf("last success %s", got)
	}
}

// TestBackedUp has sets of operators, and others of the same operators that hold no data.
func TestBackedUp(t *testing.T) {
	owned := func(apiVersion, kind, component string) *metav1.ObjectMeta {
		return &metav1.ObjectMeta{Namespace: "n", Name: "s", Labels: map[string]string{"app.kubernetes.io/component": component}, OwnerReferences: []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: "c"}}}
	}
	for name, test := range map[string]struct {
		apiVersion, kind string
		meta             *metav1.ObjectMeta
		want             string
	}{
		"CloudNativePG": {"postgresql.cnpg.io/v1", "Cluster", &metav1.ObjectMeta{Name: "pg"}, "Cluster/pg"},
		"MariaDB":       {"", "", owned("k8s.mariadb.com/v1alpha1", "MariaDB", ""), "MariaDB/c"},
		"PXC":           {"", "", owned("pxc.percona.com/v1", "PerconaXtraDBCluster", "pxc"), "PerconaXtraDBCluster/c"},
		"its HAProxy":   {"", "", owned("pxc.percona.com/v1", "PerconaXtraDBCluster", "haproxy"), ""},
		"MaxScale":      {"", "", owned("k8s.mariadb.com/v1alpha1", "MaxScale", ""), ""},
		"another group": {"cluster.x-k8s.io/v1", "Cluster", &metav1.ObjectMeta{Name: "pg"}, ""},
		"of its own":    {"", "", &metav1.ObjectMeta{Name: "web"}, ""},
	} {
		got := ""
		if ref, ok := BackedUp(test.apiVersion, test.kind, test.meta); ok {
			got = ref.Kind + "/" + ref.Name
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

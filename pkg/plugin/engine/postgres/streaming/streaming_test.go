package streaming

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
)

// now is when the servers of a cluster were asked.
var now = time.Date(2026, 11, 28, 18, 59, 15, 0, time.UTC)

// cluster is three servers of a set by hand, pg-0 the primary, with the values that PostgreSQL 17.12 gave: the primary's and a standby's of
// captures-postgres. A test changes what a fault changes.
type cluster struct {
	pods    []corev1.Pod
	answers map[string]map[postgres.Subject][]postgres.Row
}

func row(pairs ...string) postgres.Row {
	r := postgres.Row{}
	for i := 0; i < len(pairs); i += 2 {
		r[pairs[i]] = &pairs[i+1]
	}
	return r
}

func settingRows(pairs ...string) (list []postgres.Row) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, row("name", pairs[i], "setting", pairs[i+1]))
	}
	return list
}

func at(t time.Time) string { return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000) }

func healthy() *cluster {
	c := &cluster{answers: map[string]map[postgres.Subject][]postgres.Row{}}
	yes := true
	for i := range 3 {
		name := fmt.Sprintf("pg-%d", i)
		c.pods = append(c.pods, corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "plain", Name: name, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)),
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "pg", Controller: &yes}}},
			Spec: corev1.PodSpec{NodeName: "node-1", Hostname: name, Subdomain: "pg", Containers: []corev1.Container{{Name: "postgres", Image: "postgres:17"}}},
			Status: corev1.PodStatus{PodIP: fmt.Sprintf("10.244.0.%d", 4+i), PodIPs: []corev1.PodIP{{IP: fmt.Sprintf("10.244.0.%d", 4+i)}}, Phase: corev1.PodRunning,
				Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "postgres", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-time.Hour))}}}}},
		})
		c.answers[name] = standby(i)
	}
	c.answers["pg-0"] = map[postgres.Subject][]postgres.Row{
		postgres.SubjectServer: {row("server_version_num", "170012", "server_version", "17.12 (Debian 17.12-0+deb13u1)", "in_recovery", "f", "lsn", "0/4049A28", "timeline", "1",
			"checkpoint_timeline", "1", "system_identifier", "7713297035329036301", "now", at(now), "started", at(now.Add(-time.Hour)))},
		postgres.SubjectSettings: settingRows("archive_mode", "on", "default_transaction_read_only", "off", "max_connections", "40", "superuser_reserved_connections", "3", "reserved_connections", "0",
			"max_slot_wal_keep_size", "-1", "max_wal_size", "128", "synchronous_commit", "on", "synchronous_standby_names", "", "wal_segment_size", "16777216", "max_worker_processes", "8"),
		postgres.SubjectSenders:   {sender(1), sender(2)},
		postgres.SubjectSlots:     {slot(1), slot(2)},
		postgres.SubjectActivity:  {row("clients", "1", "sync_waiting", "0", "seen", "8")},
		postgres.SubjectArchiver:  {row("archived_count", "5", "last_archived", at(now.Add(-7*time.Minute)), "failed_count", "0")},
		postgres.SubjectArchive:   {row("ready", "0")},
		postgres.SubjectDatabases: {row("datname", "template0", "xid_age", "18", "mxid_age", "0")},
	}
	return c
}

func standby(i int) map[postgres.Subject][]postgres.Row {
	return map[postgres.Subject][]postgres.Row{
		postgres.SubjectServer: {row("server_version_num", "170012", "server_version", "17.12 (Debian 17.12-0+deb13u1)", "in_recovery", "t", "lsn", "0/4049A28", "checkpoint_timeline", "1",
			"system_identifier", "7713297035329036301", "receive_lsn", "0/4049A28", "replay_lsn", "0/4049A28", "last_replayed", at(now.Add(-7*time.Minute)), "replay_paused", "f", "now", at(now))},
		postgres.SubjectSettings: settingRows("max_connections", "40", "max_worker_processes", "8", "primary_slot_name", fmt.Sprintf("pg_%d", i), "recovery_min_apply_delay", "0",
			"recovery_target_timeline", "latest", "wal_receiver_status_interval", "10", "wal_retrieve_retry_interval", "5000"),
		postgres.SubjectReceiver: {row("pid", "22", "status", "streaming", "received_tli", "1", "flushed_lsn", "0/4049A28", "latest_end_lsn", "0/4049A28",
			"last_received", at(now.Add(-2*time.Second)), "slot_name", fmt.Sprintf("pg_%d", i), "sender_host", "pg-0.pg", "sender_port", "5432")},
		postgres.SubjectUpstream: {row("configured", "t", "host", "pg-0.pg", "port", "5432")},
		postgres.SubjectActivity: {row("clients", "1", "seen", "5", "pause_state", "not paused", "startup_waits_for", "RecoveryWalStream")},
		postgres.SubjectSenders:  {}, postgres.SubjectSlots: {},
	}
}

func sender(i int) postgres.Row {
	return row("pid", "54", "application_name", fmt.Sprintf("pg-%d", i), "client_addr", fmt.Sprintf("10.244.0.%d", 4+i), "state", "streaming", "sent_lsn", "0/4049A28",
		"flush_lsn", "0/4049A28", "replay_lsn", "0/4049A28", "sync_state", "async", "reply_time", at(now.Add(-2*time.Second)))
}

func slot(i int) postgres.Row {
	return row("slot_name", fmt.Sprintf("pg_%d", i), "slot_type", "physical", "active", "t", "restart_lsn", "0/4049A28", "held_bytes", "0", "wal_status", "reserved")
}

// set changes columns of the first row about a subject of a server; settings are found by their names.
func (c *cluster) set(pod string, subject postgres.Subject, pairs ...string) *cluster {
	if subject == postgres.SubjectSettings {
		for i := 0; i < len(pairs); i += 2 {
			c.answers[pod][subject] = append(slices.DeleteFunc(c.answers[pod][subject], func(r postgres.Row) bool { return r.Text("name") == pairs[i] }), settingRows(pairs[i], pairs[i+1])...)
		}
		return c
	}
	if len(c.answers[pod][subject]) == 0 {
		c.answers[pod][subject] = []postgres.Row{{}}
	}
	maps.Copy(c.answers[pod][subject][0], row(pairs...))
	return c
}

// lose takes all rows about a subject, or those of which a column has a value.
func (c *cluster) lose(pod string, subject postgres.Subject, pair ...string) *cluster {
	c.answers[pod][subject] = slices.DeleteFunc(c.answers[pod][subject], func(r postgres.Row) bool { return len(pair) == 0 || r.Text(pair[0]) == pair[1] })
	return c
}

// unreceived is pg-1 without a receiver, in both servers' eyes, while the primary has written on.
func unreceived() *cluster {
	return healthy().lose("pg-1", postgres.SubjectReceiver).lose("pg-0", postgres.SubjectSenders, "application_name", "pg-1").
		set("pg-0", postgres.SubjectServer, "lsn", "0/8049A28").set("pg-2", postgres.SubjectServer, "lsn", "0/8049A28", "receive_lsn", "0/8049A28").
		set("pg-0", postgres.SubjectSlots, "active", "f", "held_bytes", "67108864")
}

func (c *cluster) report() v1alpha1.DatabaseTopology {
	snapshot := &dbtopology.Snapshot{Pods: c.pods, Servers: map[string]dbserver.Said{}}
	for pod, answers := range c.answers {
		said := dbserver.Said{Via: "exec", User: "postgres"}
		for _, subject := range slices.Sorted(maps.Keys(answers)) {
			a := v1alpha1.DatabaseAnswer{Subject: string(subject), Statement: "SELECT " + string(subject)}
			for _, r := range answers[subject] {
				a.Rows = append(a.Rows, r)
			}
			said.Answers = append(said.Answers, a)
		}
		snapshot.Servers["plain/"+pod] = said
	}
	return dbtopology.Analyze([]*dbtopology.Engine{&Engine}, snapshot, now).Items[0]
}

// TestHealthy has nothing above info, and all is known.
func TestHealthy(t *testing.T) {
	r := healthy().report()
	for _, f := range r.Findings {
		if f.Severity != v1alpha1.SeverityInfo {
			t.Errorf("%s %s: %s", f.Severity, f.Code, f.Message)
		}
	}
	s := r.Servers
	if r.Health != v1alpha1.HealthOK || r.Replication != v1alpha1.ReplicationAsynchronous || len(s) != 3 || s[0].Role != v1alpha1.RoleSource || s[1].Depth != 1 || s[2].Role != v1alpha1.RoleReplica {
		t.Errorf("%s %s %+v", r.Health, r.Replication, s)
	}
	c := s[1].Channels[0]
	if *c.LagMilliseconds != 0 || c.LagFrom != v1alpha1.LagFromPositions || *c.BehindBytes != 0 || c.Source.Pod != "pg-0" || c.Postgres.Slot != "pg_1" || c.Postgres.State != "streaming" {
		t.Errorf("%+v %+v", c, c.Postgres)
	}
	if s[1].Postgres.Timeline != 1 || s[0].Postgres.SystemIdentifier == "" || s[0].Postgres.Archiving == nil || *s[0].Postgres.Archiving.Waiting != 0 || s[1].Version != "17.12" {
		t.Errorf("%+v %+v", s[0].Postgres, s[1].Postgres)
	}
}

// TestUntold is not ok: a server that does not tell what it is has not been seen.
func TestUntold(t *testing.T) {
	if r := healthy().lose("pg-1", postgres.SubjectServer).report(); r.Health != v1alpha1.HealthUnknown {
		t.Errorf("%s %+v %+v", r.Health, r.Checked, r.Findings)
	}
}

// TestFindings brings about what each rule is for.
func TestFindings(t *testing.T) {
	for name, test := range map[string]struct {
		cluster *cluster
		want    []string // "SEVERITY CODE words of the message", of all above info
	}{
		"receiver without a connection": {unreceived(), []string{
			"critical PG013 pg-1 (the pod is Ready) receives nothing from pg-0, and lacks 64Mi", "warning PG053 the slot pg_1 is unused and keeps 64Mi of write-ahead log, without limit", "warning PG070 pg-1",
		}},
		"slot lost": {unreceived().set("pg-0", postgres.SubjectSlots, "wal_status", "lost"), []string{"critical PG015 its slot pg_1 on pg-0 has lost", "warning PG070 pg-1"}},
		"slot of nobody lost": {healthy().set("pg-0", postgres.SubjectSlots, "slot_name", "cdc", "slot_type", "logical", "active", "f", "wal_status", "lost", "invalidation_reason", "wal_removed"),
			[]string{"error PG054 the slot cdc has lost what it kept (wal_removed)"}},
		"replay paused": {healthy().set("pg-1", postgres.SubjectServer, "replay_paused", "t", "receive_lsn", "0/4270738").set("pg-1", postgres.SubjectReceiver, "flushed_lsn", "0/4270738").
			set("pg-1", postgres.SubjectActivity, "pause_state", "paused").set("pg-0", postgres.SubjectServer, "lsn", "0/4270738").set("pg-2", postgres.SubjectServer, "lsn", "0/4270738", "receive_lsn", "0/4270738"),
			[]string{"critical PG011 pg-1 (the pod is Ready): replay is paused; 2.2Mi wait", "warning PG070 pg-1"}},
		"replay paused by settings": {healthy().set("pg-1", postgres.SubjectServer, "replay_paused", "t").set("pg-0", postgres.SubjectSettings, "max_connections", "60"),
			[]string{"critical PG052 because of max_connections, lower than on its primary: resuming it would shut the server down", "warning PG070 pg-1"}},
		"conflict with a query": {healthy().set("pg-1", postgres.SubjectServer, "receive_lsn", "0/4270738", "last_replayed", at(now.Add(-5*time.Second))).set("pg-1", postgres.SubjectActivity, "startup_waits_for", "RecoveryConflictSnapshot").
			set("pg-0", postgres.SubjectServer, "lsn", "0/4270738").set("pg-2", postgres.SubjectServer, "lsn", "0/4270738", "receive_lsn", "0/4270738"),
			[]string{"warning PG052 replay waits for a query on the standby (RecoveryConflictSnapshot); 2.2Mi wait"}},
		"old timeline": {unreceived().set("pg-1", postgres.SubjectReceiver, "status", "waiting").set("pg-1", postgres.SubjectSettings, "recovery_target_timeline", "1").set("pg-0", postgres.SubjectServer, "timeline", "2").set("pg-2", postgres.SubjectReceiver, "received_tli", "2").
			set("pg-0", postgres.SubjectSlots, "held_bytes", "0"), []string{"critical PG050 stays on timeline 1 while pg-0 is on 2: recovery_target_timeline is 1, not latest", "warning PG070 pg-1"}},
		"to be rewound": {unreceived().set("pg-1", postgres.SubjectServer, "lsn", "0/9000000").set("pg-0", postgres.SubjectServer, "timeline", "2").set("pg-2", postgres.SubjectReceiver, "received_tli", "2").set("pg-0", postgres.SubjectSlots, "held_bytes", "0"),
			[]string{"critical PG050 beyond all that pg-0 has on timeline 2: it must be rewound", "warning PG070 pg-1"}},
		"another cluster's data": {unreceived().set("pg-1", postgres.SubjectServer, "system_identifier", "1").set("pg-0", postgres.SubjectSlots, "held_bytes", "0"),
			[]string{"critical PG051 its data is another cluster's", "warning PG070 pg-1"}},
		"a connection that is dead": {healthy().set("pg-0", postgres.SubjectSenders, "reply_time", at(now.Add(-45*time.Second))), []string{"warning PG104 pg-0 has heard nothing from pg-1 for 45.0s"}},
		"synchronous standby missing": {healthy().set("pg-0", postgres.SubjectSettings, "synchronous_standby_names", `ANY 1 ("pg-7")`).set("pg-0", postgres.SubjectActivity, "sync_waiting", "2", "sync_waiting_for", "12.5"),
			[]string{"critical PG033 pg-0: commits wait for 1 synchronous standby of pg-7, but 0 are streaming: 2 sessions have been waiting for 12.5s"}},
		"archiving fails": {healthy().set("pg-0", postgres.SubjectArchiver, "last_failed", at(now.Add(-10*time.Second)), "last_failed_wal", "000000010000000000000004").set("pg-0", postgres.SubjectArchive, "ready", "3"),
			[]string{"error PG055 000000010000000000000004 failed 10.0s ago, and the last success was 7m ago; 3 segments wait"}},
		"archiving hangs":      {healthy().set("pg-0", postgres.SubjectArchiver, "last_archived", at(now.Add(-time.Hour))).set("pg-0", postgres.SubjectArchive, "ready", "5"), []string{"warning PG055 does not archive its write-ahead log: 5 segments wait"}},
		"no connections left":  {healthy().set("pg-0", postgres.SubjectActivity, "clients", "37"), []string{"error PG100 refuses clients other than superusers: 37 connections of 37"}},
		"few connections left": {healthy().set("pg-0", postgres.SubjectActivity, "clients", "34"), []string{"warning PG100 soon has no place"}},
		"wraparound":           {healthy().set("pg-0", postgres.SubjectDatabases, "xid_age", "2100000000"), []string{"critical PG056 the database template0 is 2100000000 ids old"}},
		"read-only primary":    {healthy().set("pg-0", postgres.SubjectSettings, "default_transaction_read_only", "on"), []string{"error PG022 pg-0 (the pod is Ready) is not in recovery, but takes no writes"}},
		"subscription off":     {healthy().set("pg-0", postgres.SubjectSubscriptions, "subname", "orders", "datname", "app", "subenabled", "f", "apply_error_count", "3"), []string{"error PG057 the subscription orders of the database app is off; changes could not be applied 3 times"}},
		"rows held":            {healthy().set("pg-0", postgres.SubjectSlots, "catalog_xmin_age", "250000000"), []string{"warning PG058 the slot pg_1 keeps dead rows"}},
		"two primaries":        {unreceived().set("pg-1", postgres.SubjectServer, "in_recovery", "f", "timeline", "2").set("pg-0", postgres.SubjectSlots, "held_bytes", "0"), []string{"critical PG004 pg-0 (writable, 1 replica), pg-1 (writable)"}},
		"other major version":  {healthy().set("pg-1", postgres.SubjectServer, "server_version_num", "180006", "server_version", "18.6"), []string{"critical PG043 pg-1 is PostgreSQL 18.6, its source pg-0 is 17.12"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := test.cluster.report()
			left := slices.Clone(test.want)
			for _, f := range r.Findings {
				if f.Severity == v1alpha1.SeverityInfo {
					continue
				}
				i := slices.IndexFunc(left, func(want string) bool {
					severity, rest, _ := strings.Cut(want, " ")
					code, words, _ := strings.Cut(rest, " ")
					return string(f.Severity) == severity && string(f.Code) == code && strings.Contains(f.Message, words)
				})
				if i < 0 {
					t.Errorf("not expected: %s %s %s", f.Severity, f.Code, f.Message)
					continue
				}
				left = slices.Delete(left, i, i+1)
				if len(f.Evidence) == 0 && f.Code != "PG070" {
					t.Errorf("%s without evidence", f.Code)
				}
			}
			if len(left) > 0 {
				t.Errorf("missing: %q", left)
			}
		})
	}
}

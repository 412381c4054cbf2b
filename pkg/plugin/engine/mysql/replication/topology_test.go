package replication

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

var engines = []*dbtopology.Engine{&Engine}

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table. The servers' answers are those of real MySQL 9.7,
// MariaDB 10.11 and 11.8, except in cases whose names begin with synthetic; in a few the source's transactions were set to what the
// replicas have, as the answers were taken at different times. Pods, nodes and Services are made up. Reports are compared without their
// raw answers.
func TestGolden(t *testing.T) {
	golden.Cases(t, time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), func(t *testing.T, s *dbtopology.Snapshot, now time.Time, folder string) {
		report := dbtopology.Analyze(engines, s, now)
		raw := false
		for i := range report.Items {
			for j := range report.Items[i].Servers {
				raw = raw || len(report.Items[i].Servers[j].Answers) > 0
				report.Items[i].Servers[j].Answers = nil
			}
			checkFindings(t, report.Items[i].Findings)
		}
		if !raw {
			t.Error("no raw answers in the report")
		}
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table {
			return dbtopology.Table(report, dbtopology.View{Engines: engines, Show: show, Now: now})
		})
		golden.Tables(t, folder, dbtopology.Table(report, dbtopology.View{Engines: engines, Now: now}), dbtopology.Table(report, dbtopology.View{Engines: engines, Namespaces: true, Now: now}))
	})
}

// checkFindings checks what is true of each finding about replication: it names objects, and the answers that it rests on.
func checkFindings(t *testing.T, findings []v1alpha1.Finding) {
	t.Helper()
	for _, f := range findings {
		other := f.Code >= v1alpha1.CodeReadyButBroken && f.Code != v1alpha1.CodeRoleLabelWrong || f.Code == v1alpha1.CodeLagUnknown
		if len(f.Objects) == 0 || f.Message == "" || f.Remedy.Explain == "" || !other && len(f.Evidence) == 0 {
			t.Errorf("%+v", f)
		}
		for _, e := range f.Evidence {
			if e.Query == "" || len(e.Values) == 0 {
				t.Errorf("%s: evidence %+v", f.Code, e)
			}
		}
	}
}

// TestSourceOfAnotherSet ties a replica to the server that its host names, where its own set has one with the same server id.
func TestSourceOfAnotherSet(t *testing.T) {
	s := &dbtopology.Snapshot{Servers: map[string]dbserver.Said{}}
	for _, name := range []string{"a-0", "b-0", "b-1"} {
		set := name[:1]
		s.Pods = append(s.Pods, corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, OwnerReferences: []metav1.OwnerReference{{Kind: "StatefulSet", Name: set, Controller: new(true)}}},
			Spec:       corev1.PodSpec{Hostname: name, Subdomain: set, Containers: []corev1.Container{{Name: "m", Image: "mariadb"}}},
		})
		id := map[string]string{"a-0": "100", "b-0": "100", "b-1": "101"}[name]
		said := dbserver.Said{Answers: []v1alpha1.DatabaseAnswer{
			{Subject: string(mysql.SubjectVariables), Rows: []map[string]*string{row("Variable_name", "version", "Value", "10.11.1-MariaDB"), row("Variable_name", "server_id", "Value", id)}},
			{Subject: string(mysql.SubjectReplica)},
		}}
		if name == "b-1" {
			said.Answers[1].Rows = []map[string]*string{row("Master_Host", "a-0.a", "Master_Server_Id", "100", "Slave_IO_Running", "Yes", "Slave_SQL_Running", "Yes")}
		}
		s.Servers["n/"+name] = said
	}
	for _, set := range dbtopology.Analyze(engines, s, time.Now()).Items {
		for _, server := range set.Servers {
			if server.Pod == "b-1" && (server.Channels[0].Source.Pod != "a-0" || server.Channels[0].Source.Set != "a" || server.Channels[0].Source.FoundBy != "server id") {
				t.Errorf("%+v", server.Channels[0].Source)
			}
		}
	}
}

// TestStoppedInAStart: threads that do not run are what a start looks like between CHANGE REPLICATION SOURCE and START REPLICA, as long as
// the pod is starting and not late.
func TestStoppedInAStart(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		age   time.Duration
		ready corev1.ConditionStatus
		want  bool
	}{
		"starting": {5 * time.Second, corev1.ConditionFalse, true},
		"late":     {time.Hour, corev1.ConditionFalse, false},
		"ready":    {5 * time.Second, corev1.ConditionTrue, false},
	} {
		begun := metav1.Time{Time: now.Add(-test.age)}
		s := &dbtopology.Snapshot{
			Pods: []corev1.Pod{{
				ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a-1", CreationTimestamp: begun},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "m", Image: "mariadb"}}},
				Status: corev1.PodStatus{
					Phase:             corev1.PodRunning,
					Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: test.ready, LastTransitionTime: begun}},
					ContainerStatuses: []corev1.ContainerStatus{{Name: "m", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: begun}}}},
				},
			}},
			Servers: map[string]dbserver.Said{"n/a-1": {Answers: []v1alpha1.DatabaseAnswer{
				{Subject: string(mysql.SubjectVariables), Rows: []map[string]*string{row("Variable_name", "version", "Value", "10.11.1-MariaDB")}},
				{Subject: string(mysql.SubjectReplica), Rows: []map[string]*string{row("Master_Host", "a-0.a", "Slave_IO_Running", "No", "Slave_SQL_Running", "No")}},
			}}},
		}
		told := 0
		for _, f := range dbtopology.Analyze(engines, s, now).Items[0].Findings {
			if f.Code != v1alpha1.CodeApplierStopped && f.Code != v1alpha1.CodeReceiverStopped {
				continue
			}
			told++
			if f.Progressing != test.want {
				t.Errorf("%s: %s progressing: %t", name, f.Code, f.Progressing)
			}
		}
		if told != 2 {
			t.Errorf("%s: %d of two findings", name, told)
		}
	}
}

// row is a row of an answer: its columns and their values.
func row(values ...string) map[string]*string {
	r := map[string]*string{}
	for i := 0; i < len(values); i += 2 {
		r[values[i]] = &values[i+1]
	}
	return r
}

package dbreads_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbreads"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), func(t *testing.T, s *dbreads.Snapshot, now time.Time, folder string) {
		report := dbreads.Analyze([]*dbstate.Engine{&replication.States}, s, now)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table { return dbreads.Table(report, show) })
		golden.Tables(t, folder, dbreads.Table(report, printers.ShowAll), dbreads.Table(report, printers.ShowAll))
	})
}

// TestJoins has a server that has just become ready, and does not answer yet, on its way; and one that has been ready for long not.
func TestJoins(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		ready    time.Duration // ago
		severity v1alpha1.Severity
	}{{5 * time.Second, v1alpha1.SeverityInfo}, {time.Minute, v1alpha1.SeverityError}} {
		since := metav1.NewTime(now.Add(-test.ready))
		s := &dbreads.Snapshot{
			Service: corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "mysql-read"}, Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "mysql"}}},
			From:    "mysql-0", Servers: map[string]dbserver.Said{},
		}
		slice := discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "r-1"}}
		ready := true
		for i, name := range []string{"mysql-0", "mysql-1"} {
			ip := fmt.Sprintf("10.0.0.%d", i+1)
			s.Pods = append(s.Pods, corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: name, Labels: map[string]string{"app": "mysql"}},
				Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "mysql", Image: "mysql:9"}}},
				Status: corev1.PodStatus{PodIP: ip, Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: since}},
					ContainerStatuses: []corev1.ContainerStatus{{Name: "mysql", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: since}}}}},
			})
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{ip}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: name}})
		}
		s.EndpointSlices = []discoveryv1.EndpointSlice{slice}
		s.Servers["db/mysql-1"] = dbserver.Said{Failure: &v1alpha1.Problem{Subject: "server mysql-1", Reason: v1alpha1.ReasonTimeout, Message: "no answer within 3s"}}
		list := dbreads.Findings(dbreads.Analyze([]*dbstate.Engine{&replication.States}, s, now))
		i := slices.IndexFunc(list, func(f v1alpha1.Finding) bool { return f.Code == v1alpha1.CodeEndpointSilent })
		if i < 0 {
			t.Fatalf("%+v", list)
		}
		if f := list[i]; f.Severity != test.severity || f.Progressing != (test.severity == v1alpha1.SeverityInfo) {
			t.Errorf("ready %s ago: %+v", test.ready, f)
		}
	}
}

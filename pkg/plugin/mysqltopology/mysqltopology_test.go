package mysqltopology

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table. The servers' answers are those of real MySQL 9.7,
// MariaDB 10.11 and 11.8, except in cases whose names begin with synthetic; in a few the source's transactions were set to what the
// replicas have, as the answers were taken at different times. Pods, nodes and Services are made up. Reports are compared without their
// raw answers.
func TestGolden(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	golden.Cases(t, func(t *testing.T, s *Snapshot, folder string) {
		report := Analyze(s)
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
		golden.Report(t, folder, report)
		golden.Tables(t, folder, Table(report, View{Now: now}), Table(report, View{Namespaces: true, Now: now}))
	})
}

// checkFindings checks what is true of each finding about replication: it names objects, and the answers that it rests on.
func checkFindings(t *testing.T, findings []v1alpha1.Finding) {
	t.Helper()
	for _, f := range findings {
		other := f.Code >= v1alpha1.CodeReadyButBroken && f.Code != v1alpha1.CodeRoleLabelWrong || f.Code == v1alpha1.CodeLagUnknown
		if len(f.Objects) == 0 || f.Message == "" || f.Remedy == "" || !other && len(f.Evidence) == 0 {
			t.Errorf("%+v", f)
		}
		for _, e := range f.Evidence {
			if e.Query == "" || len(e.Values) == 0 {
				t.Errorf("%s: evidence %+v", f.Code, e)
			}
		}
	}
}

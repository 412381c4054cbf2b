package streaming

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml, as PostgreSQL 17.12 answered in the bed of test/faults, through Analyze and Table. Reports
// are compared without their raw answers.
func TestGolden(t *testing.T) {
	engines := []*dbtopology.Engine{&Engine}
	golden.Cases(t, time.Time{}, func(t *testing.T, s *dbtopology.Snapshot, now time.Time, folder string) {
		report := dbtopology.Analyze(engines, s, now)
		for i := range report.Items {
			for j := range report.Items[i].Servers {
				server := &report.Items[i].Servers[j]
				if len(server.Answers) == 0 && server.Unreachable == "" {
					t.Errorf("%s has no raw answers in the report", server.Pod)
				}
				server.Answers = nil
			}
			for _, f := range report.Items[i].Findings {
				for _, e := range f.Evidence {
					if e.Query == "" || len(e.Values) == 0 {
						t.Errorf("%s: evidence %+v", f.Code, e)
					}
				}
			}
		}
		golden.Report(t, folder, report, &report.Metadata)
		view := dbtopology.View{Engines: engines, Now: now}
		golden.Fitted(t, folder, func(show printers.Show) printers.Table {
			view := view
			view.Show = show
			return dbtopology.Table(report, view)
		})
		wide := view
		wide.Namespaces = true
		golden.Tables(t, folder, dbtopology.Table(report, view), dbtopology.Table(report, wide))
	})
}

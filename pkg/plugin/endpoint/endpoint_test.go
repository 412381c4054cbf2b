package endpoint

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), func(t *testing.T, s *Snapshot, now time.Time, folder string) {
		report := Analyze(s, now)
		golden.Report(t, folder, report, &report.Metadata)
		table := Table(report, View{Now: now})
		golden.Fitted(t, folder, func(printers.Show) printers.Table { return table })
		golden.Tables(t, folder, table, table)
	})
}

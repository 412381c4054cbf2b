package dbquery

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, time.Time{}, func(t *testing.T, s *Snapshot, _ time.Time, folder string) {
		report := Analyze(dbserver.Engines{{Name: "MySQL", Family: "MYSQL"}}, s)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table { return Table(report, false, show) })
		golden.Tables(t, folder, Table(report, false, printers.ShowAll), Table(report, true, printers.ShowAll))
	})
}

package dbquery

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, func(t *testing.T, s *Snapshot, folder string) {
		report := Analyze(dbserver.Engines{{Name: "MySQL", Family: "MYSQL"}}, s)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Tables(t, folder, Table(report, false), Table(report, true))
	})
}

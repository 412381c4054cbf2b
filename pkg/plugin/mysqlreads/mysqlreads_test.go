package mysqlreads

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, func(t *testing.T, s *Snapshot, folder string) {
		report := Analyze(s)
		golden.Report(t, folder, report)
		golden.Tables(t, folder, Table(report), Table(report))
	})
}

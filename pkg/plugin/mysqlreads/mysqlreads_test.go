package mysqlreads

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, func(t *testing.T, s *Snapshot, folder string) {
		report := Analyze(s, time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC))
		golden.Report(t, folder, report)
		golden.Tables(t, folder, Table(report), Table(report))
	})
}

package dbreads_test

import (
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbreads"
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

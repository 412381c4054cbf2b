package dns

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata, snapshots that were taken on test/node: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, func(t *testing.T, s *Snapshot, folder string) {
		report := Analyze(s)
		golden.Report(t, folder, report)
		golden.Tables(t, folder, Table(report, View{}), Table(report, View{Namespaces: true, Wide: true}))
	})
}

// TestFrom reads --from.
func TestFrom(t *testing.T) {
	for _, text := range append(Forms()[:2], "pod/web-0", "ephemeral/web-0.x") {
		if _, err := parseFrom(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "pod", "pod/", "pod/Web_0", "pod/a/b", "svc/web", "DNS", "ephemeral/-x"} {
		if from, err := parseFrom(text); err == nil {
			t.Errorf("%q: %+v", text, from)
		}
	}
}

package mysqlreads

import (
	"context"
	"fmt"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// watch shows the report as it changes.
func (o *Options) watch(ctx context.Context) error {
	changes, changed := scope.NewChanges()
	var follower *Follower
	return scope.Watch(ctx, o.Scope, changes, scope.Watched[*v1alpha1.MySQLReadsList]{
		Title: fmt.Sprintf("Connections to the Service %s, the last %s", printers.Escape(o.Query.Service), Window),
		Begin: func(ctx context.Context) error {
			reader, err := NewReader(ctx, o.Cluster, o.Query)
			if err == nil {
				follower = reader.Follow(ctx, changed)
			}
			return err
		},
		End: func() { follower.Close() },
		Report: func(_ context.Context, now time.Time) (*v1alpha1.MySQLReadsList, bool, error) {
			if !follower.Settled() {
				return nil, false, nil
			}
			snapshot, err := follower.Snapshot(now)
			if err != nil {
				return nil, false, err
			}
			return Analyze(snapshot), true, nil
		},
		Document: func(report *v1alpha1.MySQLReadsList, _ time.Time) printers.Document { return document(report) },
		Empty:    func(report *v1alpha1.MySQLReadsList) bool { return len(report.Items[0].Servers) == 0 },
		Things:   "MySQL or MariaDB servers",
		Problems: func(report *v1alpha1.MySQLReadsList) []v1alpha1.Problem { return report.Problems },
		Key:      RowKey(),
		Volatile: []string{"ROLE", "ANSWERS", "SHARE", "MEDIAN", "P95", "SLOWEST", "SPREAD"},
		Timeline: Timeline,
	})
}

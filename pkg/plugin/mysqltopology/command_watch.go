package mysqltopology

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// What --for waits for.
const (
	goalReady   = "ready"
	goalHealthy = "healthy"
)

// RunWatch shows the report as it changes.
func (o *Options) RunWatch(ctx context.Context) error {
	var err error
	if o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams); err != nil {
		return err
	}
	ctx, cancel := o.Context(ctx)
	defer cancel()
	changes, changed := scope.NewChanges()
	follower := Follow(ctx, o.Cluster, o.Query, changed)
	defer follower.Close()
	goals := map[string]func(*v1alpha1.MySQLTopologyList) bool{goalReady: Ready, goalHealthy: func(report *v1alpha1.MySQLTopologyList) bool { return Healthy(report, o.AllowUnknown) }}
	return scope.Watch(ctx, o.Scope, changes, scope.Watched[*v1alpha1.MySQLTopologyList]{
		Title: o.watched(),
		Report: func(ctx context.Context, now time.Time) (*v1alpha1.MySQLTopologyList, bool, error) {
			if !follower.Settled() {
				return nil, false, nil
			}
			snapshot, err := follower.Snapshot(ctx, now)
			if err != nil {
				return nil, false, err
			}
			return Analyze(snapshot, now), true, nil
		},
		Document: o.document,
		Empty:    func(report *v1alpha1.MySQLTopologyList) bool { return len(report.Items) == 0 },
		Things:   things,
		Problems: func(report *v1alpha1.MySQLTopologyList) []v1alpha1.Problem {
			return finding.Lasting(report.Problems, dbserver.NotYetAnswered)
		},
		Key:      RowKey(View{Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "LAG", "GTID"},
		Timeline: Timeline,
		Goal:     goals[o.Goal], GoalName: fmt.Sprintf("%s to be %s", o.watched(), o.Goal),
	})
}

// watched names what is watched.
func (o *Options) watched() string {
	switch {
	case len(o.Names) > 0:
		return "MySQL servers of " + strings.Join(o.Names, ", ")
	case o.AllNamespaces:
		return "MySQL servers of all namespaces"
	}
	return "MySQL servers of namespace " + printers.Escape(o.Namespace)
}

package check

import (
	"context"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
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
	var follower *Follower
	goals := map[string]func(*v1alpha1.HealthCheckList) bool{
		goalReady: Ready,
		goalHealthy: func(report *v1alpha1.HealthCheckList) bool { // what can't be read is not known to be healthy
			return Healthy(report, o.AllowUnknown)
		},
	}
	return scope.Watch(ctx, o.Scope, changes, scope.Watched[*v1alpha1.HealthCheckList]{
		Title: o.watched(),
		Begin: func(ctx context.Context) (err error) {
			follower, err = Follow(ctx, o.Cluster, o.Query, changed)
			return err
		},
		End: func() { follower.Close() },
		Report: func(ctx context.Context, now time.Time) (*v1alpha1.HealthCheckList, bool, error) {
			if !follower.Settled() {
				return nil, false, nil
			}
			snapshot, err := follower.Snapshot(ctx, now)
			if err != nil {
				return nil, false, err
			}
			return Analyze(snapshot, o.Query.Selection, now), true, nil
		},
		Document: o.document,
		Empty:    Empty,
		Things:   "StatefulSets",
		Problems: lasting,
		Key:      RowKey(View{Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "CHECKED"},
		Timeline: Timeline,
		Goal:     goals[o.Goal], GoalName: o.watched() + " to be " + o.Goal,
	})
}

// lasting are the problems that do not go away by waiting.
func lasting(report *v1alpha1.HealthCheckList) []v1alpha1.Problem {
	return finding.Lasting(report.Problems, stsstatus.NotReported, dbserver.NotYetAnswered)
}

// watched names what is watched.
func (o *Options) watched() string {
	switch {
	case len(o.Names) > 0:
		return "check of StatefulSet " + strings.Join(o.Names, ", ")
	case o.AllNamespaces:
		return "check of all namespaces"
	}
	return "check of namespace " + printers.Escape(o.Namespace)
}

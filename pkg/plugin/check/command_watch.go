package check

import (
	"context"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// goalHealthy is what --for waits for.
const goalHealthy = "healthy"

// RunWatch shows the report as it changes.
func (o *Options) RunWatch(ctx context.Context) error {
	var err error
	if o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams); err != nil {
		return err
	}
	ctx, cancel := o.Context(ctx)
	defer cancel()
	changes := make(chan struct{}, 1)
	follower, err := Follow(ctx, o.Cluster, o.Query, func() {
		select {
		case changes <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer follower.Close()
	var goal func(*v1alpha1.HealthCheckList) bool
	if o.Goal == goalHealthy {
		goal = func(report *v1alpha1.HealthCheckList) bool {
			return follower.UsageRead() && !Empty(report) && Healthy(report)
		}
	}
	return scope.Watch(ctx, o.Scope, changes, scope.Watched[*v1alpha1.HealthCheckList]{
		Title: o.watched(),
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
		Problems: func(report *v1alpha1.HealthCheckList) []v1alpha1.Problem { return report.Problems },
		Key:      RowKey(View{Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "CHECKED"},
		Timeline: Timeline,
		Goal:     goal, GoalName: o.watched() + " to be " + o.Goal,
	})
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

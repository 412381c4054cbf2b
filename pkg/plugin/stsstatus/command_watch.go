package stsstatus

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
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
	ctx, cancel := o.Context(ctx)
	defer cancel()
	changes, changed := scope.NewChanges()
	var follower *Follower
	goals := map[string]func(*v1alpha1.StatefulSetStatusList) bool{
		goalReady:   Ready,
		goalHealthy: func(report *v1alpha1.StatefulSetStatusList) bool { return Healthy(report, o.AllowUnknown) },
	}
	return scope.Watch(ctx, o.Scope, changes, scope.Watched[*v1alpha1.StatefulSetStatusList]{
		Title: o.watched(),
		Begin: func(ctx context.Context) (err error) {
			follower, err = Follow(ctx, o.Cluster, o.Query, changed)
			return err
		},
		Report: func(ctx context.Context, now time.Time) (*v1alpha1.StatefulSetStatusList, bool, error) {
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
		Empty:    func(report *v1alpha1.StatefulSetStatusList) bool { return len(report.Items) == 0 },
		Things:   "StatefulSets",
		Problems: func(report *v1alpha1.StatefulSetStatusList) []v1alpha1.Problem {
			return finding.Lasting(report.Problems, NotReported, notReadYet)
		},
		Key:      RowKey(View{Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "RESTARTS"},
		Timeline: Timeline,
		Goal:     goals[o.Goal], GoalName: fmt.Sprintf("%s to be %s", o.watched(), o.Goal),
	})
}

// watched names what is watched.
func (o *Options) watched() string {
	switch {
	case len(o.Names) > 0:
		return "StatefulSet " + strings.Join(o.Names, ", ")
	case o.AllNamespaces:
		return "StatefulSets of all namespaces"
	}
	return "StatefulSets of namespace " + printers.Escape(o.Namespace)
}

package nodes

import (
	"context"
	"errors"
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
	if _, err := o.CheckNamespace(ctx); err != nil {
		return err
	}
	changes, changed := scope.NewChanges()
	follower := Follow(ctx, o.Cluster, o.Query, changed)
	goals := map[string]func(State) bool{
		goalReady:   func(s State) bool { return Ready(s.Report) },
		goalHealthy: func(s State) bool { return Healthy(s.Report, o.AllowUnknown) },
	}
	return scope.Watch(ctx, o.Scope, changes, scope.Watched[State]{
		Title: o.watched(),
		Report: func(ctx context.Context, now time.Time) (State, bool, error) {
			if !follower.Settled() {
				return State{}, false, nil
			}
			snapshot, err := follower.Snapshot(ctx, now)
			if err == nil {
				err = o.judgeable(snapshot)
			}
			if err != nil {
				return State{}, false, err
			}
			return StateOf(snapshot, o.Selection, now), true, nil
		},
		Document: func(s State, now time.Time) printers.Document { return o.document(s.Report, now) },
		Empty:    func(s State) bool { return len(s.Report.Items) == 0 },
		Things:   "nodes",
		Problems: func(s State) []v1alpha1.Problem { return finding.Lasting(s.Report.Problems, notReported, notReadYet) },
		Key:      RowKey(o.view(time.Time{})),
		Volatile: []string{"AGE"},
		Timeline: Timeline,
		Goal:     goals[o.Goal], GoalName: o.watched() + " to be " + o.Goal,
	})
}

// judgeable returns an error if the nodes that are to be shown can't be told from the others.
func (o *Options) judgeable(s *Snapshot) error {
	if problem, failed := s.Problems[subjectPods]; failed && o.Stateful {
		return errors.New("--stateful needs to know the pods: " + problem.Message)
	}
	return nil
}

func (o *Options) view(now time.Time) View { return View{Pods: o.Pods, Usage: o.Query.Usage, Now: now} }

func (o *Options) document(report *v1alpha1.NodeCapacityList, now time.Time) printers.Document {
	return printers.Document{
		Report: report, Names: Names(report),
		Table: func() printers.Table { return Table(report, o.view(now)) },
	}
}

// watched names what is watched.
func (o *Options) watched() string {
	if len(o.Query.Selection.Names) > 0 {
		return "nodes " + strings.Join(o.Query.Selection.Names, ", ")
	}
	return "nodes"
}

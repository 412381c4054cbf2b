package nodes

import (
	"context"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
)

// watched is how the report is followed as it changes.
func (o *Options) watched() scope.Watched[*Snapshot, State] {
	title := "nodes"
	if names := o.Query.Selection.Names; len(names) > 0 {
		title = "nodes " + strings.Join(names, ", ")
	}
	return scope.Watched[*Snapshot, State]{
		Title: title,
		Follow: func(ctx context.Context, changed func()) (scope.Follower[*Snapshot], error) {
			if _, err := o.CheckNamespace(ctx); err != nil {
				return nil, err
			}
			return Follow(ctx, o.Cluster, o.Query, changed), nil
		},
		Key:      RowKey(o.view(time.Time{})),
		Volatile: []string{"AGE"},
		Timeline: Timeline,
		Ready:    func(s State) bool { return Ready(s.Report) },
		Healthy:  func(s State, allowed []v1alpha1.CheckPart) bool { return Healthy(s.Report, allowed) },
	}
}

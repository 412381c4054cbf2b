package check

import (
	"context"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// watched is how the report is followed as it changes.
func (o *Options) watched() scope.Watched[*Snapshot, *v1alpha1.HealthCheckList] {
	hold := dbtopology.NewHold(engines.Topologies(), o.Query.PollInterval, v1alpha1.CodeRolesContradict)
	var shown *v1alpha1.HealthCheckList
	return scope.Watched[*Snapshot, *v1alpha1.HealthCheckList]{
		Title: o.Title("check of StatefulSet", "check"),
		Follow: func(ctx context.Context, changed func()) (scope.Follower[*Snapshot], error) {
			return Follow(ctx, o.Cluster, o.Query, changed)
		},
		Key:      RowKey(View{Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "CHECKED"},
		Timeline: func(before, after *v1alpha1.HealthCheckList, now time.Time) []printers.Happening {
			if shown == nil {
				hold.Next(allFindings(before), now)
				shown = before
			}
			hold.Next(allFindings(after), now)
			was := shown
			shown = without(after, hold)
			return Timeline(was, shown, now)
		},
		Ready:   Ready,
		Healthy: Healthy,
		Lacking: Lacking,
	}
}

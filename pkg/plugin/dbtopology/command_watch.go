package dbtopology

import (
	"context"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// watched is how the report is followed as it changes.
func (o *Options) watched() scope.Watched[*Snapshot, *v1alpha1.DatabaseTopologyList] {
	hold := NewHold(o.Query.Engines, o.Query.PollInterval)
	var shown *v1alpha1.DatabaseTopologyList
	name := servers(o.Query.Engines).Name()
	return scope.Watched[*Snapshot, *v1alpha1.DatabaseTopologyList]{
		Title: o.Title(name+" servers of", name+" servers"),
		Follow: func(ctx context.Context, changed func()) (scope.Follower[*Snapshot], error) {
			return Follow(ctx, o.Cluster, o.Query, changed), nil
		},
		Key:      RowKey(View{Engines: o.Query.Engines, Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "LAG", "GTID"},
		Timeline: func(before, after *v1alpha1.DatabaseTopologyList, now time.Time) []printers.Happening {
			if shown == nil {
				hold.Next(Findings(before), now)
				shown = before
			}
			hold.Next(Findings(after), now)
			was := shown
			shown = without(after, hold)
			return Timeline(o.Query.Engines, was, shown, now)
		},
		Ready:   Ready,
		Healthy: Healthy,
	}
}

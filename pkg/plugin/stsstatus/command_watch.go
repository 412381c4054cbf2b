package stsstatus

import (
	"context"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
)

// watched is how the report is followed as it changes.
func (o *Options) watched() scope.Watched[*Snapshot, *v1alpha1.SetStatusList] {
	return scope.Watched[*Snapshot, *v1alpha1.SetStatusList]{
		Title: o.Title("StatefulSet", "StatefulSets"),
		Follow: func(ctx context.Context, changed func()) (scope.Follower[*Snapshot], error) {
			return Follow(ctx, o.Cluster, o.Query, changed)
		},
		Key:      RowKey(View{Namespaces: o.AllNamespaces}),
		Volatile: []string{"AGE", "RESTARTS"},
		Timeline: Timeline,
		Ready:    Ready,
		Healthy:  Healthy,
		Lacking:  Lacking,
	}
}

package volumes

import (
	"context"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
)

// watched is how the report is followed as it changes.
func (o *Options) watched() scope.Watched[*Snapshot, *v1alpha1.VolumeStatusList] {
	return scope.Watched[*Snapshot, *v1alpha1.VolumeStatusList]{
		Title: o.Title("claim", "claims"),
		Follow: func(ctx context.Context, changed func()) (scope.Follower[*Snapshot], error) {
			return Follow(ctx, o.Cluster, o.Query, changed)
		},
		Key:      RowKey(View{Namespaces: o.AllNamespaces, Usage: o.Query.Usage.From != claims.UsageNone}),
		Volatile: []string{"AGE", "UNUSED", "AVAILABLE", "FULLIN"},
		Timeline: Timeline,
	}
}

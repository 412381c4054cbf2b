package dbreads

import (
	"context"
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// watched is how the report is followed as it changes.
func (o *Options) watched() scope.Watched[*Snapshot, *v1alpha1.DatabaseReadsList] {
	return scope.Watched[*Snapshot, *v1alpha1.DatabaseReadsList]{
		Title: fmt.Sprintf("Connections to the Service %s, the last %s", printers.Escape(o.Query.Service), Window),
		Follow: func(ctx context.Context, changed func()) (scope.Follower[*Snapshot], error) {
			reader, err := NewReader(ctx, o.Cluster, o.Query)
			if err != nil {
				return nil, err
			}
			return reader.Follow(ctx, changed), nil
		},
		Key:      RowKey(),
		Volatile: []string{"ROLE", "ANSWERS", "SHARE", "MEDIAN", "P95", "SLOWEST", "SPREAD"},
		Timeline: Timeline,
	}
}

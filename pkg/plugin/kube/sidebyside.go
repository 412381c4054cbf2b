package kube

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Read is one of several things that are read side by side.
type Read struct {
	// Subject is its key among the problems, and Title what a problem calls it.
	Subject, Title string
	// Needed makes its error that of all: nothing can be said without it.
	Needed bool
	// Do reads it. What several of them write to must not be the same.
	Do func(ctx context.Context) error
}

// SideBySide reads at the same time. What can't be read is added to the problems, and the subjects of what could be are returned in the order
// of the reads. The error of a read that is needed ends the others and is returned as it is; then no problems are added.
func SideBySide(ctx context.Context, problems map[string]v1alpha1.Problem, reads ...Read) (read []string, err error) {
	group, ctx := errgroup.WithContext(ctx)
	failed := make([]error, len(reads))
	for i, r := range reads {
		group.Go(func() error {
			failed[i] = r.Do(ctx)
			if r.Needed {
				return failed[i]
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, r := range reads {
		if failed[i] != nil {
			problems[r.Subject] = ProblemOf(r.Title, failed[i])
			continue
		}
		read = append(read, r.Subject)
	}
	return read, nil
}

// Interrupted returns an error if the context was cancelled: no one is waiting for what was read. Out of time, what was read is worth showing.
func Interrupted(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return Explain(ctx.Err())
	}
	return nil
}

// Where says which namespaces are read, after the name of what is; an empty namespace stands for all.
func Where(namespace string) string {
	if namespace == "" {
		return "in all namespaces"
	}
	return "in namespace " + namespace
}

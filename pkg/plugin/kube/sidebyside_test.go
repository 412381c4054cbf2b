package kube

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestSideBySide(t *testing.T) {
	broken := errors.New("broken")
	fine := func(context.Context) error { return nil }
	problems := map[string]v1alpha1.Problem{}
	read, err := SideBySide(t.Context(), problems,
		Read{Subject: "a", Do: fine}, Read{Subject: "b", Title: "bees", Do: func(context.Context) error { return broken }}, Read{Subject: "c", Needed: true, Do: fine})
	if err != nil || !slices.Equal(read, []string{"a", "c"}) || len(problems) != 1 || problems["b"].Subject != "bees" || problems["b"].Message != "broken" {
		t.Errorf("%v %v %+v", read, err, problems)
	}
	// What is needed ends the others.
	problems = map[string]v1alpha1.Problem{}
	read, err = SideBySide(t.Context(), problems,
		Read{Subject: "a", Do: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		Read{Subject: "b", Needed: true, Do: func(context.Context) error { return broken }})
	if !errors.Is(err, broken) || read != nil || len(problems) > 0 {
		t.Errorf("%v %v %+v", read, err, problems)
	}
}

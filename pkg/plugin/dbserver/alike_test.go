package dbserver

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestAlike tells a cause that several servers have in common once, whatever names stand in its messages, and others on their own.
func TestAlike(t *testing.T) {
	forbidden := func(pod string) error {
		return &LoginError{Reason: []error{fmt.Errorf("exec: %w", apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, pod, errors.New("no")))}}
	}
	failures := []Failure{
		failureOf("a-0", forbidden("a-0")), failureOf("a-1", forbidden("a-1")), failureOf("a-2", errors.New("refused")), failureOf("a-3", forbidden("a-3")),
	}
	list := Alike(failures)
	if len(list) != 2 || list[0].Subject != "servers a-0, a-1, a-3" || list[1].Subject != "server a-2" {
		t.Errorf("%+v", list)
	}
	for i := range failures { // as an earlier version's snapshot has it
		failures[i].Cause = ""
	}
	if list := Alike(failures); len(list) != 4 {
		t.Errorf("without causes: %+v", list)
	}
}

func failureOf(pod string, err error) Failure {
	s := Server{Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: pod}}}
	return Failure{Pod: pod, Problem: ProblemOf(s, err, 0), Cause: CauseOf(err)}
}

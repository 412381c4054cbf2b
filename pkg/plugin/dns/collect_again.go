package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

const (
	// controllerPause is how long controllers are given to follow before pods and endpoints are compared once more.
	controllerPause = 2 * time.Second
	// fewNamespaces is up to how many namespaces are read one by one.
	fewNamespaces = 3
)

// outOfTimeError is that time ran out before anything was asked.
type outOfTimeError struct{ limit string }

func (e *outOfTimeError) Error() string {
	return fmt.Sprintf("time ran out%s before any name was looked up: raise the limit", e.limit)
}

// outOfTime is the error of asking, or that there was no time to ask anything.
func (s *Snapshot) outOfTime(ctx context.Context, err error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) || len(s.Answers) == 0 || s.anyAnswer() {
		return err
	}
	late := &outOfTimeError{}
	var over *kube.TimeoutError
	if errors.As(context.Cause(ctx), &over) {
		late.limit = fmt.Sprintf(" (%s=%s)", over.Flag, over.After)
	}
	return late
}

// anyAnswer reports whether anything is known of any question: an answer, or that none came.
func (s *Snapshot) anyAnswer() bool {
	return slices.ContainsFunc(s.Answers, func(a resolve.Answer) bool { return a.Status != resolve.StatusNotAsked })
}

// unanswered reports whether a server did not answer.
func (s *Snapshot) unanswered() bool {
	return slices.ContainsFunc(slices.Concat(s.Answers, s.ServerAnswers, s.Again, s.OtherFamily), func(a resolve.Answer) bool { return a.Unanswered() })
}

// confirm reads the API again where something is not as expected: pods, Services, sets and whole namespaces may have come and gone meanwhile.
// What differs between the two looks is noted, and so is what contradicts itself in both.
func (s *Snapshot) confirm(ctx context.Context, cluster *kube.Cluster, q Query) {
	if ctx.Err() != nil || !s.doubtful() {
		return
	}
	before, shapes, doubted := maps.Clone(s.Problems), newIndex(s).shapes(), newIndex(s).contradictions()
	s.collectSubjectsAgain(ctx, cluster, q)
	s.collectAround(ctx, cluster, q)
	s.collectEnding(ctx, cluster)
	if s.silent() {
		s.refreshServers(ctx, cluster)
	}
	if len(both(doubted, newIndex(s).contradictions())) > 0 { // the controller of EndpointSlices may be a moment late
		select {
		case <-ctx.Done():
		case <-time.After(controllerPause):
			s.collectAround(ctx, cluster, q)
		}
	}
	x := newIndex(s)
	s.Doubted = both(doubted, x.contradictions())
	now := x.shapes()
	for _, subject := range s.Subjects {
		if now[subject] != shapes[subject] {
			s.Moved = append(s.Moved, subject)
		}
	}
	s.Problems = before // what has been read once is not unknown
}

// both are those of a list that another has too.
func both(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// doubtful reports whether anything is not as expected that the API may account for by now.
func (s *Snapshot) doubtful() bool {
	x := newIndex(s)
	return len(s.Answers) > 0 && (s.surprising() || s.unanswered()) || len(x.contradictions()) > 0 || s.churning() ||
		slices.ContainsFunc(s.Subjects, func(subject Subject) bool {
			return x.services[subject] != nil && objects.Terminating(x.services[subject])
		})
}

// churning reports whether a Service or all of its pods are not there: they may be about to come, or to go with all else of the namespace. What
// else is found is not worth reading everything again.
func (s *Snapshot) churning() bool {
	return slices.ContainsFunc(Findings(Analyze(s, s.AskedAt.Time)), func(f v1alpha1.Finding) bool {
		return f.Severity != v1alpha1.SeverityInfo && (f.Code == v1alpha1.CodeDNSServiceMissing || f.Code == v1alpha1.CodeDNSSelectsNothing)
	})
}

// shapes say of each Service what its names depend on.
func (x *index) shapes() map[Subject]string {
	all := map[Subject]string{}
	for _, subject := range x.Subjects {
		var b strings.Builder
		for _, e := range x.endpoints(subject) {
			fmt.Fprintf(&b, "%s %s %s %t\n", e.address, e.hostname, e.pod, e.ready)
		}
		for _, pod := range x.pods[subject.Namespace] {
			if x.concerns(subject, pod) {
				fmt.Fprintf(&b, "%s %s\n", pod.Name, pod.UID)
			}
		}
		all[subject] = b.String()
	}
	return all
}

// collectSubjectsAgain reads Services and StatefulSets, and leaves out those that are gone.
func (s *Snapshot) collectSubjectsAgain(ctx context.Context, cluster *kube.Cluster, q Query) {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	var services []corev1.Service
	var sets []appsv1.StatefulSet
	_, unread := s.Problems[subjectSets]
	_, err := kube.SideBySide(ctx, map[string]v1alpha1.Problem{},
		kube.Read{Title: "Services", Needed: true, Do: func(ctx context.Context) error {
			return cluster.EachService(ctx, all, func(service *corev1.Service) { services = append(services, *service) })
		}},
		kube.Read{Title: "StatefulSets", Needed: !unread, Subject: subjectSets, Do: func(ctx context.Context) error {
			return cluster.EachStatefulSet(ctx, all, func(set *appsv1.StatefulSet) { sets = append(sets, *set) })
		}})
	if err != nil {
		return
	}
	s.Services = services
	if !unread {
		s.StatefulSets = sets
	}
	x := newIndex(s)
	s.Subjects = slices.DeleteFunc(s.Subjects, func(subject Subject) bool { return x.services[subject] == nil && len(x.sets[subject]) == 0 })
}

// collectEnding reads which of the subjects' namespaces are being deleted, as far as the user may.
func (s *Snapshot) collectEnding(ctx context.Context, cluster *kube.Cluster) {
	var names []string
	for _, subject := range s.Subjects {
		if !slices.Contains(names, subject.Namespace) {
			names = append(names, subject.Namespace)
		}
	}
	take := func(namespace *corev1.Namespace) {
		if slices.Contains(names, namespace.Name) && (namespace.DeletionTimestamp != nil || namespace.Status.Phase == corev1.NamespaceTerminating) {
			s.Ending = append(s.Ending, namespace.Name)
		}
	}
	if len(names) > fewNamespaces {
		_ = cluster.EachNamespace(ctx, kube.Query{}, take) // nice to know: who may not read them does without
	} else {
		for _, name := range names {
			namespace, err := cluster.GetNamespace(ctx, name)
			switch {
			case err == nil:
				take(namespace)
			case apierrors.IsNotFound(err):
				s.Ending = append(s.Ending, name)
			}
		}
	}
	slices.SortFunc(s.Ending, cmp.Compare[string])
}

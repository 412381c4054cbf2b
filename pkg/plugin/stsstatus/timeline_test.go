package stsstatus

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// TestTimeline tells each kind of thing that happens.
func TestTimeline(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }
	report := func(change func(*v1alpha1.SetStatus)) *v1alpha1.SetStatusList {
		size := resource.MustParse("1Gi")
		set := v1alpha1.SetStatus{
			Metadata: v1alpha1.ObjectMeta{Namespace: "shop", Name: "web", UID: "1"}, Replicas: v1alpha1.ReplicaCounts{Desired: 2},
			Rollout: v1alpha1.Rollout{Revision: "a", Complete: true}, Service: v1alpha1.GoverningService{Name: "nginx", State: v1alpha1.ServiceSound},
			Ordinals: []v1alpha1.Ordinal{{
				PodName: "web-0", State: v1alpha1.OrdinalPresent,
				Pod:    &v1alpha1.PodStatus{UID: "p0", Status: "Running", Ready: true, Node: "n", Revision: "a", CreationTimestamp: ago(time.Hour)},
				Claims: []v1alpha1.ClaimStatus{{Name: "www-web-0", UID: "c0", Phase: v1alpha1.ClaimBound, Capacity: &size}},
			}, {Ordinal: 1, PodName: "web-1", State: v1alpha1.OrdinalMissing, Claims: []v1alpha1.ClaimStatus{{Name: "www-web-1", Phase: v1alpha1.ClaimMissing}}}},
			Findings: []v1alpha1.Finding{{Code: v1alpha1.CodeVolumeFilling, Severity: v1alpha1.SeverityWarning, Objects: finding.Refs([]string{"persistentvolumeclaim/www-web-0"})}},
		}
		change(&set)
		return &v1alpha1.SetStatusList{Items: []v1alpha1.SetStatus{set}}
	}
	nothing := func(*v1alpha1.SetStatus) {}
	missing := func(reason string) func(*v1alpha1.SetStatus) {
		return func(s *v1alpha1.SetStatus) {
			s.Ordinals[1].Reason = reason
			s.Findings = append(s.Findings, v1alpha1.Finding{Code: v1alpha1.CodeOrdinalMissing, Severity: v1alpha1.SeverityError, Message: "web-1 not created", Objects: finding.Refs([]string{"pod/web-1"})})
		}
	}
	for name, test := range map[string]struct {
		before, after *v1alpha1.SetStatusList
		want          string
	}{
		"nothing": {report(nothing), report(nothing), ""},
		"set created": {&v1alpha1.SetStatusList{}, report(nothing),
			"web created with 2 replicas; www-web-0 created; www-web-0 bound; web-0 created; web-0 scheduled on n; web-0 ready (60m); WARNING STS010 "},
		"set deleted": {report(nothing), &v1alpha1.SetStatusList{}, "web deleted"},
		"scaled, created, blocked": {report(nothing), report(func(s *v1alpha1.SetStatus) {
			s.Replicas.Desired = 3
			s.Ordinals[1].State = v1alpha1.OrdinalPresent
			s.Ordinals[1].Pod = &v1alpha1.PodStatus{UID: "p1", Status: "Pending"}
			s.Ordinals[1].Claims[0] = v1alpha1.ClaimStatus{Name: "www-web-1", UID: "c1", Phase: v1alpha1.ClaimPending}
			s.Ordinals = append(s.Ordinals, v1alpha1.Ordinal{Ordinal: 2, PodName: "web-2", State: v1alpha1.OrdinalBlocked, Reason: "waits for web-1"})
		}), "web scaled 2 → 3; www-web-1 created; web-1 created; web-2 blocked: waits for web-1"},
		"replaced": {report(nothing), report(func(s *v1alpha1.SetStatus) {
			s.Ordinals[0].Pod = &v1alpha1.PodStatus{UID: "p9", Status: "Running", Ready: true, Node: "m", Revision: "a", CreationTimestamp: ago(18 * time.Second)}
		}), "web-0 deleted after 60m; web-0 created; web-0 scheduled on m; web-0 ready (18s)"},
		"crashing": {report(nothing), report(func(s *v1alpha1.SetStatus) {
			s.Ordinals[0].Pod.Status, s.Ordinals[0].Pod.Ready, s.Ordinals[0].Pod.Restarts = "CrashLoopBackOff", false, 3
			s.Findings = append(s.Findings, v1alpha1.Finding{Code: v1alpha1.CodeCrashLoop, Severity: v1alpha1.SeverityError, Message: "web-0 keeps ending", Objects: finding.Refs([]string{"pod/web-0"})})
		}), "web-0 CrashLoopBackOff; web-0 restarted (3 times); web-0 not ready; ERROR STS005 web-0 keeps ending"},
		"over":       {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Findings = nil }), "STS010 resolved: persistentvolumeclaim/www-web-0"},
		"still full": {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Findings[0].Message = "other" }), ""},
		"terminating": {report(nothing), report(func(s *v1alpha1.SetStatus) {
			end := ago(0)
			s.Ordinals[0].Pod.Status, s.Ordinals[0].Pod.Ready, s.Ordinals[0].Pod.DeletionTimestamp = "Completed", false, &end
		}), "web-0 Terminating"},
		"scaled down, one batch": {report(func(s *v1alpha1.SetStatus) {
			s.Ordinals = append(s.Ordinals, v1alpha1.Ordinal{Ordinal: 2, PodName: "web-2", Pod: &v1alpha1.PodStatus{UID: "p2", Ready: true, CreationTimestamp: ago(time.Minute)}})
			s.Ordinals[1].Pod = &v1alpha1.PodStatus{UID: "p1", Ready: true}
		}), report(func(s *v1alpha1.SetStatus) {
			end := ago(0)
			s.Replicas.Desired = 1
			s.Ordinals[1].Pod = &v1alpha1.PodStatus{UID: "p1", Ready: true, DeletionTimestamp: &end}
		}), "web scaled 2 → 1; web-2 deleted after 60s; web-1 Terminating"},
		"all deleted, one batch": {report(func(s *v1alpha1.SetStatus) { s.Ordinals[1].Pod = &v1alpha1.PodStatus{UID: "p1", Ready: true} }), report(func(s *v1alpha1.SetStatus) {
			s.Ordinals[0].Pod = &v1alpha1.PodStatus{UID: "p9", Status: "Pending"}
			s.Ordinals[1].State, s.Ordinals[1].Reason = v1alpha1.OrdinalBlocked, "waits for web-0"
		}), "web-1 deleted; web-0 deleted after 60m; web-0 created; web-1 blocked: waits for web-0"},
		"not created yet":      {report(nothing), report(missing(noPodReason)), ""},
		"not created, refused": {report(missing(noPodReason)), report(missing("exceeded quota")), "ERROR STS001 web-1 not created"},
		"created at last":      {report(missing(noPodReason)), report(nothing), ""},
		"no image":             {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Ordinals[0].Pod.Status = "ErrImagePull" }), "web-0 ErrImagePull"},
		"still no image": {report(func(s *v1alpha1.SetStatus) { s.Ordinals[0].Pod.Status = "ErrImagePull" }),
			report(func(s *v1alpha1.SetStatus) { s.Ordinals[0].Pod.Status = "ImagePullBackOff" }), ""},
		"rollout": {report(func(s *v1alpha1.SetStatus) { s.Rollout.Revision, s.Rollout.Complete = "b", false }), report(func(s *v1alpha1.SetStatus) {
			s.Rollout.Revision = "b"
			s.Ordinals[0].Pod.Revision = "b"
		}), "web: all pods have b"},
		"new revision": {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Rollout.Revision, s.Rollout.Complete = "b", false }), "web rolls out b"},
		"claims": {report(nothing), report(func(s *v1alpha1.SetStatus) {
			s.Ordinals[0].Claims[0].Phase = v1alpha1.ClaimLost
		}), "www-web-0 lost"},
		"claim recreated": {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Ordinals[0].Claims[0].UID = "other" }), "www-web-0 deleted; www-web-0 created; www-web-0 bound"},
		"grown": {report(nothing), report(func(s *v1alpha1.SetStatus) {
			size := resource.MustParse("2Gi")
			s.Ordinals[0].Claims[0].Capacity = &size
		}), "www-web-0 grown 1Gi → 2Gi"},
		"service": {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Service.State = v1alpha1.ServiceMissing }), "Service nginx: missing"},
		"gone":    {report(nothing), report(func(s *v1alpha1.SetStatus) { s.Ordinals = s.Ordinals[1:] }), "web-0 deleted after 60m; www-web-0 deleted"},
	} {
		var texts []string
		for _, h := range Timeline(test.before, test.after, now) {
			texts = append(texts, h.Text)
		}
		if got := strings.Join(texts, "; "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
}

package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Timeline tells what has happened between two reports, in the order in which it can have happened: what goes before what comes,
// claims before the pods that mount them.
func Timeline(before, after *v1alpha1.SetStatusList, now time.Time) []printers.Happening {
	t := &timeline{now: now, namespaces: namespaces(before, after) > 1}
	old := map[string]*v1alpha1.SetStatus{}
	for i := range before.Items {
		old[setKey(&before.Items[i])] = &before.Items[i]
	}
	for i := range after.Items {
		set := &after.Items[i]
		t.namespace = set.Metadata.Namespace
		was := old[setKey(set)]
		delete(old, setKey(set))
		if was == nil || was.Metadata.UID != set.Metadata.UID {
			t.tell(printers.Plain, "%s created with %d replicas", set.Metadata.Name, set.Replicas.Desired)
			was = &v1alpha1.SetStatus{Metadata: set.Metadata, Replicas: set.Replicas, Rollout: set.Rollout, Service: set.Service}
		}
		t.set(was, set)
	}
	for i := range before.Items { // in the order of the report
		if set := &before.Items[i]; old[setKey(set)] != nil {
			t.namespace = set.Metadata.Namespace
			t.tell(printers.Warn, "%s deleted", set.Metadata.Name)
		}
	}
	return t.list
}

func setKey(s *v1alpha1.SetStatus) string {
	return s.Metadata.Namespace + "/" + s.Metadata.Name
}

func namespaces(reports ...*v1alpha1.SetStatusList) int {
	seen := map[string]bool{}
	for _, r := range reports {
		for i := range r.Items {
			seen[r.Items[i].Metadata.Namespace] = true
		}
	}
	return len(seen)
}

type timeline struct {
	list       []printers.Happening
	now        time.Time
	namespaces bool
	namespace  string
}

func (t *timeline) tell(level printers.Level, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.namespaces {
		text = t.namespace + "/" + text
	}
	t.list = append(t.list, printers.Happening{Time: t.now, Text: text, Level: level})
}

func (t *timeline) set(was, is *v1alpha1.SetStatus) {
	name := is.Metadata.Name
	if was.Replicas.Desired != is.Replicas.Desired {
		t.tell(printers.Plain, "%s scaled %d → %d", name, was.Replicas.Desired, is.Replicas.Desired)
	}
	if was.Rollout.Revision != is.Rollout.Revision && was.Rollout.Revision != "" {
		t.tell(printers.Plain, "%s rolls out %s", name, is.Rollout.Revision)
	}
	if was.Service.State != is.Service.State && is.Service.Name != "" {
		level := printers.Plain
		if is.Service.State != v1alpha1.ServiceSound {
			level = printers.Alarm
		}
		t.tell(level, "%s", service(&is.Service).Text)
	}
	old := map[int32]*v1alpha1.Ordinal{}
	for i := range was.Ordinals {
		old[was.Ordinals[i].Ordinal] = &was.Ordinals[i]
	}
	now := map[int32]*v1alpha1.Ordinal{}
	for i := range is.Ordinals {
		now[is.Ordinals[i].Ordinal] = &is.Ordinals[i]
	}
	// A pod that becomes ready is what the controller waits for before it makes or ends another one. It ends them from the highest
	// ordinal on, each when the one before has gone.
	for i := range is.Ordinals {
		o := &is.Ordinals[i]
		if before := old[o.Ordinal]; same(before, o) && !before.Pod.Ready && o.Pod.Ready {
			t.ready(o)
		}
	}
	for _, o := range slices.Backward(was.Ordinals) {
		if o.Pod != nil && !same(&o, now[o.Ordinal]) {
			t.tell(printers.Plain, "%s deleted%s", o.PodName, after(" after ", elapsed(o.Pod.CreationTimestamp, t.now)))
		}
	}
	for _, o := range slices.Backward(is.Ordinals) {
		if before := old[o.Ordinal]; same(before, &o) && before.Pod.DeletionTimestamp == nil && o.Pod.DeletionTimestamp != nil {
			t.tell(printers.Plain, "%s Terminating", o.PodName)
		}
	}
	for i := range is.Ordinals {
		o := &is.Ordinals[i]
		before := cmp.Or(old[o.Ordinal], &v1alpha1.Ordinal{Ordinal: o.Ordinal, PodName: o.PodName})
		delete(old, o.Ordinal)
		t.claims(before, o)
		t.pod(before, o)
	}
	for i := range was.Ordinals { // neither pod nor claim is left of these
		if o := &was.Ordinals[i]; old[o.Ordinal] != nil {
			t.claims(o, &v1alpha1.Ordinal{Ordinal: o.Ordinal, PodName: o.PodName})
		}
	}
	if is.Rollout.Complete && was.Rollout.Revision == is.Rollout.Revision && mixed(was) && !mixed(is) {
		t.tell(printers.Plain, "%s: all pods have %s", name, is.Rollout.Revision)
	}
	finding.Timeline(is.Metadata.Namespace, explained(was), explained(is), finding.ByObjects, told[:], func(severity v1alpha1.Severity, text string) {
		t.tell(printers.LevelOf(severity), "%s", text)
	})
}

// explained are a set's findings without that of pods that are not created as long as there is no reason: the controller is about to.
func explained(s *v1alpha1.SetStatus) []v1alpha1.Finding {
	refused := slices.ContainsFunc(s.Ordinals, func(o v1alpha1.Ordinal) bool { return o.State == v1alpha1.OrdinalMissing && o.Reason != noPodReason })
	return slices.DeleteFunc(slices.Clone(s.Findings), func(f v1alpha1.Finding) bool { return f.Code == v1alpha1.CodeOrdinalMissing && !refused })
}

// mixed reports whether a set has pods of other revisions than the newest one.
func mixed(s *v1alpha1.SetStatus) bool {
	return slices.ContainsFunc(s.Ordinals, func(o v1alpha1.Ordinal) bool { return o.Pod != nil && o.Pod.Revision != s.Rollout.Revision })
}

// same reports whether an ordinal, of which either report may know nothing, still has the pod that it had.
func same(was, is *v1alpha1.Ordinal) bool {
	return was != nil && is != nil && was.Pod != nil && is.Pod != nil && was.Pod.UID == is.Pod.UID
}

// pod tells what became of an ordinal's pod, or of a new one, as long as it does not end.
func (t *timeline) pod(was, is *v1alpha1.Ordinal) {
	old, pod := was.Pod, is.Pod
	if !same(was, is) {
		old = nil
	}
	if pod == nil {
		if was.State != v1alpha1.OrdinalBlocked && is.State == v1alpha1.OrdinalBlocked {
			t.tell(printers.Warn, "%s blocked: %s", is.PodName, is.Reason)
		}
		return
	}
	if old != nil && pod.DeletionTimestamp != nil { // how it ends does not matter
		return
	}
	if old == nil {
		t.tell(printers.Plain, "%s created", is.PodName)
		old = &v1alpha1.PodStatus{Status: "Pending"}
	}
	if old.Node == "" && pod.Node != "" {
		t.tell(printers.Plain, "%s scheduled on %s", is.PodName, pod.Node)
	}
	if pod.DeletionTimestamp != nil {
		t.tell(printers.Plain, "%s Terminating", is.PodName)
		return
	}
	if pod.Status != old.Status && !usual(pod.Status) && (!noImage(old.Status) || !noImage(pod.Status)) {
		t.tell(printers.Alarm, "%s %s", is.PodName, pod.Status)
	}
	if pod.Restarts > old.Restarts {
		t.tell(printers.Warn, "%s restarted (%s)", is.PodName, times(pod.Restarts))
	}
	switch {
	case old.UID == "" && pod.Ready: // created and ready at once
		t.ready(is)
	case old.Ready && !pod.Ready:
		t.tell(printers.Alarm, "%s not ready", is.PodName)
	}
}

func (t *timeline) ready(o *v1alpha1.Ordinal) {
	t.tell(printers.Plain, "%s ready%s", o.PodName, parenthesized(elapsed(o.Pod.CreationTimestamp, t.now)))
}

// usual reports whether a pod has a status on its way to being ready.
func usual(status string) bool {
	switch status {
	case "Pending", "ContainerCreating", "PodInitializing", "Running":
		return true
	}
	return strings.HasPrefix(status, "Init:") && strings.Contains(status, "/")
}

// noImage reports whether a pod has one of the two statuses between which it goes to and fro as long as its image can't be pulled.
func noImage(status string) bool {
	status = strings.TrimPrefix(status, "Init:")
	return status == "ErrImagePull" || status == "ImagePullBackOff"
}

func (t *timeline) claims(was, is *v1alpha1.Ordinal) {
	old := map[string]*v1alpha1.ClaimStatus{}
	for i := range was.Claims {
		old[was.Claims[i].Name] = &was.Claims[i]
	}
	for i := range is.Claims {
		c := &is.Claims[i]
		before := cmp.Or(old[c.Name], &v1alpha1.ClaimStatus{Phase: v1alpha1.ClaimMissing})
		delete(old, c.Name)
		t.claim(before, c)
	}
	for i := range was.Claims {
		if c := &was.Claims[i]; old[c.Name] != nil && c.Phase != v1alpha1.ClaimMissing && c.Phase != v1alpha1.ClaimUnknown {
			t.tell(printers.Warn, "%s deleted", c.Name)
		}
	}
}

func (t *timeline) claim(was, is *v1alpha1.ClaimStatus) {
	if is.Phase == was.Phase && is.UID == was.UID {
		if was.Capacity != nil && is.Capacity != nil && was.Capacity.Cmp(*is.Capacity) != 0 {
			t.tell(printers.Plain, "%s grown %s → %s", is.Name, was.Capacity, is.Capacity)
		}
		return
	}
	if was.Phase == v1alpha1.ClaimUnknown || is.Phase == v1alpha1.ClaimUnknown {
		return
	}
	if was.UID != "" && is.UID != was.UID {
		t.tell(printers.Warn, "%s deleted", is.Name)
		was = &v1alpha1.ClaimStatus{Phase: v1alpha1.ClaimMissing}
	}
	if is.Phase == v1alpha1.ClaimMissing {
		return
	}
	if was.Phase == v1alpha1.ClaimMissing {
		t.tell(printers.Plain, "%s created", is.Name)
	}
	switch is.Phase {
	case v1alpha1.ClaimBound:
		t.tell(printers.Plain, "%s bound", is.Name)
	case v1alpha1.ClaimLost, v1alpha1.ClaimTerminating:
		t.tell(printers.Alarm, "%s %s", is.Name, strings.ToLower(string(is.Phase)))
	}
}

// told are findings that the timeline tells in other words: a pod that starts is not ready, and those behind it wait.
var told = [...]v1alpha1.Code{v1alpha1.CodePodNotReady, v1alpha1.CodeOrdinalBlocked}

func elapsed(since metav1.Time, now time.Time) string {
	if since.IsZero() {
		return ""
	}
	return duration.HumanDuration(now.Sub(since.Time))
}

func parenthesized(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

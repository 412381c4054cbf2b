package stsstatus

import (
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newestWarning is the text of the newest warning about an object that has one of the reasons; of any reason if there are none. It is empty
// if there is no such warning.
func (x *index) newestWarning(kind string, about *metav1.ObjectMeta, reasons ...string) string {
	return textOf(x.warning(kind, about, reasons...))
}

// warning is the newest warning about an object that has one of the reasons; of any reason if there are none. Events of an earlier object of
// the same name do not count. It is nil if there is none: events live for an hour.
func (x *index) warning(kind string, about *metav1.ObjectMeta, reasons ...string) *corev1.Event {
	return x.newest(kind, about, func(e *corev1.Event) bool {
		return e.Type == corev1.EventTypeWarning && (len(reasons) == 0 || slices.Contains(reasons, e.Reason))
	})
}

// textOf is what an event says; empty without one.
func textOf(e *corev1.Event) string {
	if e == nil {
		return ""
	}
	return e.Reason + ": " + e.Message
}

func (x *index) newest(kind string, about *metav1.ObjectMeta, wanted func(*corev1.Event) bool) *corev1.Event {
	var newest *corev1.Event
	for i := range x.Events {
		e := &x.Events[i]
		o := &e.InvolvedObject
		if o.Kind != kind || o.Namespace != about.Namespace || o.Name != about.Name || o.UID != "" && o.UID != about.UID || !wanted(e) {
			continue
		}
		if newest == nil {
			newest = e
			continue
		}
		if before, at := eventTime(newest), eventTime(e); before.Before(&at) {
			newest = e
		}
	}
	return newest
}

// failedCreate matches what the StatefulSet controller says when the API server refuses it a pod or a claim of one:
// Create Pod web-1 in StatefulSet web failed error: …, Create Claim www-web-1 for Pod web-1 in StatefulSet web failed error: …; events
// that are many are combined.
var failedCreate = regexp.MustCompile(`^(?:\(combined from similar events\): )?Create (?:Claim \S+ for )?Pod (\S+) in StatefulSet \S+ failed error: `)

// podOfFailure is the pod that could not be created; empty for other events.
func podOfFailure(e *corev1.Event) string {
	if match := failedCreate.FindStringSubmatch(e.Message); match != nil {
		return match[1]
	}
	return ""
}

// stillThere is what the API server says of a name whose last object is about to go: the controller tries again, and nothing is wrong.
const stillThere = "object is being deleted"

// refusal is why the API server refused a pod of a set, as the controller tells it.
func (x *index) refusal(set *metav1.ObjectMeta, pod string) string {
	e := x.newest("StatefulSet", set, func(e *corev1.Event) bool {
		return e.Reason == "FailedCreate" && podOfFailure(e) == pod && !strings.Contains(e.Message, stillThere)
	})
	if e == nil {
		return ""
	}
	return strings.TrimSpace(failedCreate.ReplaceAllString(e.Message, ""))
}

package objects

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Events are events of the API server. They live for an hour.
type Events []corev1.Event

// NewestWarning is the text of the newest warning about an object that has one of the reasons; of any reason if there are none. It is empty
// if there is no such warning.
func (list Events) NewestWarning(kind string, about *metav1.ObjectMeta, reasons ...string) string {
	return EventText(list.Warning(kind, about, reasons...))
}

// Warning is the newest warning about an object that has one of the reasons; of any reason if there are none. Events of an earlier object of
// the same name do not count. It is nil if there is none.
func (list Events) Warning(kind string, about *metav1.ObjectMeta, reasons ...string) *corev1.Event {
	return list.Newest(kind, about, func(e *corev1.Event) bool {
		return e.Type == corev1.EventTypeWarning && (len(reasons) == 0 || slices.Contains(reasons, e.Reason))
	})
}

// Newest is the newest event about an object that is wanted, nil if there is none.
func (list Events) Newest(kind string, about *metav1.ObjectMeta, wanted func(*corev1.Event) bool) *corev1.Event {
	var newest *corev1.Event
	for i := range list {
		e := &list[i]
		o := &e.InvolvedObject
		if o.Kind != kind || o.Namespace != about.Namespace || o.Name != about.Name || o.UID != "" && o.UID != about.UID || !wanted(e) {
			continue
		}
		if newest == nil {
			newest = e
			continue
		}
		if before, at := EventTime(newest), EventTime(e); before.Before(&at) {
			newest = e
		}
	}
	return newest
}

// EventText is what an event says; empty without one.
func EventText(e *corev1.Event) string {
	if e == nil {
		return ""
	}
	return e.Reason + ": " + e.Message
}

// EventTime is when an event happened for the last time; the different generations of clients fill different fields.
func EventTime(e *corev1.Event) metav1.Time {
	switch {
	case e.Series != nil:
		return metav1.Time(e.Series.LastObservedTime)
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return metav1.Time(e.EventTime)
	}
	return e.CreationTimestamp
}

package dbreads

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Timeline tells what has happened between two reports: to servers in their order, then which findings came and went.
func Timeline(before, after *v1alpha1.DatabaseReadsList, now time.Time) []printers.Happening {
	var list []printers.Happening
	tell := func(level printers.Level, text string) {
		list = append(list, printers.Happening{Time: now, Text: text, Level: level})
	}
	was, is := &before.Items[0], &after.Items[0]
	old := map[string]*v1alpha1.DatabaseReader{}
	for i := range was.Servers {
		old[was.Servers[i].Pod] = &was.Servers[i]
	}
	for i := range is.Servers {
		s := &is.Servers[i]
		o := old[s.Pod]
		delete(old, s.Pod)
		if o == nil {
			o = &v1alpha1.DatabaseReader{Role: v1alpha1.RoleUnknown}
		}
		serverHappenings(o, s, tell)
	}
	for i := range was.Servers { // in the order of the report
		if o := &was.Servers[i]; old[o.Pod] != nil && o.Known {
			tell(printers.Warn, o.Pod+" is no longer selected")
		}
	}
	if was.From != is.From {
		tell(printers.Plain, "connections now come from "+is.From)
	}
	finding.Timeline(is.Metadata.Namespace, was.Findings, is.Findings, finding.BySubject, nil, func(severity v1alpha1.Severity, text string) {
		tell(printers.LevelOf(severity), text)
	})
	return list
}

func serverHappenings(was, is *v1alpha1.DatabaseReader, tell func(printers.Level, string)) {
	switch {
	case !was.Endpoint && is.Endpoint:
		tell(printers.Plain, is.Pod+" is a ready endpoint")
	case was.Endpoint && !is.Endpoint:
		tell(printers.Warn, is.Pod+" is no longer a ready endpoint")
	}
	if was.Role != is.Role && was.Role != v1alpha1.RoleUnknown && is.Role != v1alpha1.RoleUnknown {
		tell(printers.Warn, fmt.Sprintf("%s is %s, was %s", is.Pod, strings.ToLower(string(is.Role)), strings.ToLower(string(was.Role))))
	}
	switch {
	case was.Answers == 0 && is.Answers > 0:
		text := is.Pod + " answers"
		if is.ServerID != nil {
			text += fmt.Sprintf(" (server id %d)", *is.ServerID)
		}
		tell(printers.Plain, text)
	case was.Answers > 0 && is.Answers == 0:
		tell(printers.Warn, is.Pod+" no longer answers")
	}
}

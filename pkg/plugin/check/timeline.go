package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Timeline tells what happened between two reports: findings above info that began and ended, and how many pods are ready.
func Timeline(before, after *v1alpha1.HealthCheckList, now time.Time) []printers.Happening {
	var list []printers.Happening
	add := func(level printers.Level, format string, args ...any) {
		list = append(list, printers.Happening{Time: now, Text: fmt.Sprintf(format, args...), Level: level})
	}
	old := itemsOf(before)
	for i := range after.Items {
		c := &after.Items[i]
		name := qualified(c)
		was := old[name]
		delete(old, name)
		if was == nil {
			was = &v1alpha1.HealthCheck{}
			if c.Subject != v1alpha1.SubjectCluster {
				add(printers.Plain, "%s appeared", name)
			}
		}
		if c.Replicas != nil && was.Replicas != nil && (c.Replicas.Ready != was.Replicas.Ready || c.Replicas.Desired != was.Replicas.Desired) {
			add(printers.Plain, "%s %d/%d ready", name, c.Replicas.Ready, c.Replicas.Desired)
		}
		had, has := byWhat(was), byWhat(c)
		for j := range c.Findings {
			if f := &c.Findings[j]; has[what(f)] == f && had[what(f)] == nil {
				add(printers.LevelOf(f.Severity), "%s %s %s: %s", name, f.Severity, f.Code, f.Message)
			}
		}
		for j := range was.Findings {
			if f := &was.Findings[j]; had[what(f)] == f && has[what(f)] == nil {
				add(printers.Plain, "%s %s resolved%s", name, f.Code, whose(f))
			}
		}
	}
	for i := range before.Items {
		c := &before.Items[i]
		if old[qualified(c)] == nil {
			continue
		}
		if c.Subject != v1alpha1.SubjectCluster {
			add(printers.Plain, "%s is gone", qualified(c))
			continue
		}
		for j := range c.Findings {
			if f := &c.Findings[j]; f.Severity != v1alpha1.SeverityInfo {
				add(printers.Plain, "%s %s resolved%s", qualified(c), f.Code, whose(f))
			}
		}
	}
	return list
}

// allFindings are those of all items, by what they are known to a hold.
func allFindings(report *v1alpha1.HealthCheckList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		for j := range report.Items[i].Findings {
			list = append(list, report.Items[i].Findings[j].Finding)
		}
	}
	return list
}

// without is a report without the findings that are kept back.
func without(report *v1alpha1.HealthCheckList, hold *finding.Hold) *v1alpha1.HealthCheckList {
	kept := *report
	kept.Items = slices.Clone(report.Items)
	for i := range kept.Items {
		kept.Items[i].Findings = slices.DeleteFunc(slices.Clone(kept.Items[i].Findings), func(f v1alpha1.CheckFinding) bool { return hold.Held(f.Finding) })
	}
	return &kept
}

func itemsOf(report *v1alpha1.HealthCheckList) map[string]*v1alpha1.HealthCheck {
	list := make(map[string]*v1alpha1.HealthCheck, len(report.Items))
	for i := range report.Items {
		list[qualified(&report.Items[i])] = &report.Items[i]
	}
	return list
}

// byWhat are an item's findings above info by what they say of what; messages change with their numbers.
func byWhat(c *v1alpha1.HealthCheck) map[string]*v1alpha1.CheckFinding {
	list := map[string]*v1alpha1.CheckFinding{}
	for i := range c.Findings {
		if f := &c.Findings[i]; f.Severity != v1alpha1.SeverityInfo {
			list[what(f)] = f
		}
	}
	return list
}

func what(f *v1alpha1.CheckFinding) string {
	return string(f.Severity) + " " + string(f.Code) + " " + strings.Join(finding.Objects(f.Objects, ""), " ")
}

// whose names the first of a finding's objects.
func whose(f *v1alpha1.CheckFinding) string {
	if len(f.Objects) == 0 {
		return ""
	}
	return " (" + f.Objects[0].Name + ")"
}

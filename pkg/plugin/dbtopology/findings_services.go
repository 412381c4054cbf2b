package dbtopology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// readiness tells of pods that Kubernetes takes for sound and whose replication is broken, and of labels that are wrong.
func (j *Judge) readiness() {
	var names, reasons []string
	for _, s := range j.Set.Servers {
		if why := s.Broken(); why != "" && objects.PodReady(s.Pod) && !j.waits(s) {
			names = append(names, s.Pod.Name)
			reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, why))
		}
		labelled := s.LabelledPrimary()
		if labelled == nil || !s.Answered || j.engine.Equal(j.Set) || s.ChannelsUnknown {
			continue
		}
		role := s.Role()
		primary := role == v1alpha1.RolePrimary || (role == v1alpha1.RoleSource || role == v1alpha1.RoleStandalone) && s.TakesWrites
		if *labelled == primary {
			continue
		}
		severity, is := v1alpha1.SeverityError, "read-only"
		if s.TakesWrites {
			is = "writable"
		}
		if s.Flavour.Role.Static {
			severity = v1alpha1.SeverityWarning
		}
		key := s.Flavour.Role.Key
		j.add(finding.RuleRoleLabelWrong, severity, PodNames([]*server{s}), j.evidence(ProofOfRole, s, nil),
			"%s has the label %s=%s, and the server is %s and %s", s.Pod.Name, key, s.Pod.Labels[key], strings.ToLower(string(role)), is)
	}
	if len(names) > 0 {
		j.add(finding.RuleReadyButBroken, v1alpha1.SeverityWarning, names, nil, "Ready, though replication is broken: %s; the readiness probe does not see it", strings.Join(reasons, ", "))
	}
}

// services tells of Services that lead to the wrong servers.
func (j *Judge) services() {
	if j.engine.Equal(j.Set) { // all nodes are alike
		j.brokenReaders()
		return
	}
	for i := range j.Report.Services {
		v := &j.Report.Services[i]
		var replicas, roots []string
		for _, s := range j.Set.Servers {
			if !slices.Contains(v.Reaches, s.Pod.Name) {
				continue
			}
			switch s.Role() {
			case v1alpha1.RoleReplica, v1alpha1.RoleRelay, v1alpha1.RoleSecondary:
				replicas = append(replicas, s.Pod.Name)
			case v1alpha1.RoleSource, v1alpha1.RolePrimary:
				if len(j.Set.Servers) > 1 {
					roots = append(roots, s.Pod.Name)
				}
			}
		}
		if v.Purpose == v1alpha1.ServiceForWriting && len(replicas) > 0 {
			j.add(finding.RuleWriteServiceReachesReplica, v1alpha1.SeverityError, replicas, nil, "the Service %s is for writing and reaches %s: writes there fail, or go astray", v.Name, areReplicas(replicas))
			j.About(v.Name)
		}
		if v.Purpose == v1alpha1.ServiceForReading && len(roots) > 0 {
			j.add(finding.RuleReadServiceReachesSource, v1alpha1.SeverityInfo, roots, nil, "the Service %s is for reading and reaches the source %s too", v.Name, strings.Join(roots, ", "))
			j.About(v.Name)
		}
	}
	j.brokenReaders()
}

// About adds a Service to the objects of the newest finding.
func (j *Judge) About(service string) {
	f := &j.list[len(j.list)-1]
	f.Objects = append([]v1alpha1.ObjectReference{finding.Ref("service/" + service)}, f.Objects...)
}

func areReplicas(names []string) string {
	if len(names) == 1 {
		return names[0] + ", which is a replica"
	}
	return strings.Join(names, ", ") + ", which are replicas"
}

func (j *Judge) brokenReaders() {
	for i := range j.Report.Services {
		v := &j.Report.Services[i]
		if v.Purpose != v1alpha1.ServiceForReading {
			continue
		}
		var names, reasons []string
		waiting := 0
		for _, s := range j.Set.Servers {
			if why := cmp.Or(s.Broken(), s.Stale()); why != "" && slices.Contains(v.Reaches, s.Pod.Name) {
				names = append(names, s.Pod.Name)
				reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, why))
				if j.waits(s) || s.Progress.InTime() {
					waiting++
				}
			}
		}
		if len(names) > 0 {
			j.add(finding.RuleReadServiceReachesBroken, v1alpha1.SeverityError, names, nil, "the Service %s sends readers to %s: they get old data", v.Name, strings.Join(reasons, ", "))
			j.About(v.Name)
			if waiting == len(names) {
				j.Progress()
			}
		}
	}
}

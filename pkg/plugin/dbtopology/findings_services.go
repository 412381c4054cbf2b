package dbtopology

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// readiness reports pods that Kubernetes considers healthy but whose replication is broken, and labels that are wrong.
func (j *Judge) readiness() {
	var names []string
	var reasons reasoned
	for _, s := range j.Set.Servers {
		if why := s.Broken(); why != "" && objects.PodReady(s.Pod) && !j.waits(s) && (s.Member == nil || !j.settling(s)) {
			names = append(names, s.Pod.Name)
			reasons.add(s.Pod.Name, why)
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
			"%s has the label %s=%s, but the server is %s and %s", s.Pod.Name, key, s.Pod.Labels[key], strings.ToLower(string(role)), is)
	}
	if len(names) > 0 {
		j.add(finding.RuleReadyButBroken, v1alpha1.SeverityWarning, names, nil, "Ready, although replication is broken: %s; the readiness probe does not detect it", &reasons)
	}
}

// nowhere reports Services for writing that reach no server. While pods come and go they are on their way.
func (j *Judge) nowhere() {
	for i := range j.Report.Services {
		v := &j.Report.Services[i]
		if v.Purpose != v1alpha1.ServiceForWriting || v.ReachesUnknown || len(v.Reaches) > 0 {
			continue
		}
		why := "none of its endpoints is ready"
		switch at := slices.IndexFunc(j.Services, func(s corev1.Service) bool { return s.Namespace == j.Set.Namespace && s.Name == v.Name }); {
		case len(v.Selects) > 0:
			why = "not ready: " + strings.Join(v.Selects, ", ")
		case len(j.Services[at].Spec.Selector) > 0:
			why = "it selects " + objects.SelectorOf(&j.Services[at]) + ", which no server of the set has"
		}
		j.add(finding.RuleWriteServiceReachesNothing, v1alpha1.SeverityError, v.Selects, nil, "the Service %s is for writing but reaches no server (%s): writes through it fail", v.Name, why)
		j.About(v.Name)
		if len(j.Changing()) > 0 || j.justReady() {
			j.Progress()
		}
	}
}

// services reports Services that lead to the wrong servers.
func (j *Judge) services() {
	j.nowhere()
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
			j.add(finding.RuleWriteServiceReachesReplica, v1alpha1.SeverityError, replicas, nil, "the Service %s is for writing but reaches %s: writes fail there, or are lost", v.Name, areReplicas(replicas))
			j.About(v.Name)
		}
		if v.Purpose == v1alpha1.ServiceForReading && len(roots) > 0 {
			j.add(finding.RuleReadServiceReachesSource, v1alpha1.SeverityInfo, roots, nil, "the Service %s is for reading but also reaches the source %s", v.Name, strings.Join(roots, ", "))
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
		var names []string
		var reasons reasoned
		waiting, severity, data := 0, v1alpha1.SeverityInfo, dbstate.Current
		for _, s := range j.Set.Servers {
			if o := j.engine.Outdated(s); o.Why != "" && slices.Contains(v.Reaches, s.Pod.Name) {
				names = append(names, s.Pod.Name)
				reasons.add(s.Pod.Name, o.Why)
				data = max(data, o.Data)
				if finding.CompareSeverity(o.Severity, severity) > 0 {
					severity = o.Severity
				}
				if j.waits(s) || s.Progress.InTime() {
					waiting++
				}
			}
		}
		if len(names) > 0 {
			j.add(finding.RuleReadServiceReachesBroken, severity, names, nil, "the Service %s sends reads to %s: %s", v.Name, &reasons, data)
			j.About(v.Name)
			if waiting == len(names) {
				j.Progress()
			}
		}
	}
}

package dbreads

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// improbable is the chance below which silence is no accident.
const improbable = 0.001

// Analyze counts whose answers came.
func Analyze(engines []*dbstate.Engine, s *Snapshot, now time.Time) *v1alpha1.DatabaseReadsList {
	engine, behind := selected(engines, s, now)
	item := v1alpha1.DatabaseReads{
		TypeMeta:  metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindDatabaseReads},
		Metadata:  v1alpha1.ObjectMeta{Namespace: s.Service.Namespace, Name: s.Service.Name, UID: string(s.Service.UID), CreationTimestamp: s.Service.CreationTimestamp},
		ClusterIP: s.Service.Spec.ClusterIP, Port: cmp.Or(s.Port, servicePort(&s.Service, engine.Engine)), From: s.From, Router: s.Router, ReadyEndpoints: readyEndpoints(s.EndpointSlices),
		SessionAffinity:       cmp.Or(v1alpha1.SessionAffinity(s.Service.Spec.SessionAffinity), v1alpha1.AffinityNone),
		InternalTrafficPolicy: v1alpha1.TrafficCluster,
	}
	if p := s.Service.Spec.InternalTrafficPolicy; p != nil {
		item.InternalTrafficPolicy = v1alpha1.TrafficPolicy(*p)
	}
	item.Servers = readers(s, behind)
	failures := map[string]int64{}
	for _, a := range s.Answers {
		item.Connections++
		if a.Error != "" {
			item.Failed++
			failures[a.Error]++
		}
	}
	for _, message := range slices.Sorted(maps.Keys(failures)) {
		item.Errors = append(item.Errors, v1alpha1.DatabaseReadFailure{Message: message, Count: failures[message]})
	}
	slices.SortStableFunc(item.Errors, func(a, b v1alpha1.DatabaseReadFailure) int { return cmp.Compare(b.Count, a.Count) })
	_, endpointsUnknown := s.Problems[subjectEndpoints]
	item.Findings = finding.In(s.Service.Namespace, findings(engine, &item, endpointsUnknown, s.New, behind, now))
	report := &v1alpha1.DatabaseReadsList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindDatabaseReadsList}, Items: []v1alpha1.DatabaseReads{item},
	}
	conclude(s, behind, report)
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		report.Problems = append(report.Problems, s.Problems[key])
	}
	for _, server := range behind {
		if server.Said.Failure != nil {
			report.Problems = append(report.Problems, *server.Said.Failure)
		}
	}
	return report
}

// isFor reports whether a Service is for a pod: it selects it, or, without a selector, its endpoints name it.
func isFor(service *corev1.Service, endpoints []discoveryv1.EndpointSlice, pod *corev1.Pod) bool {
	if len(service.Spec.Selector) > 0 {
		return objects.Selects(service, pod.Labels)
	}
	return slices.ContainsFunc(endpoints, func(slice discoveryv1.EndpointSlice) bool {
		return slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
			return objects.EndpointPod(&e).Name == pod.Name || pod.Status.PodIP != "" && slices.Contains(e.Addresses, pod.Status.PodIP)
		})
	})
}

// selected are the servers that the Service is for, behind a router those of the set, each in its place in its set, by name, and their engine: a Service is for one.
func selected(engines []*dbstate.Engine, s *Snapshot, now time.Time) (engine *dbstate.Engine, list []*dbstate.Server) {
	engine = engines[0]
	for _, e := range engines {
		for _, set := range e.Graph(s.Pods, s.Servers, nil, now).Sets {
			for _, server := range set.Servers {
				if s.Router != "" || isFor(&s.Service, s.EndpointSlices, server.Pod) {
					engine, list = e, append(list, server)
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b *dbstate.Server) int { return objects.CompareNames(a.Pod.Name, b.Pod.Name) })
	return engine, list
}

// Findings are those of the Service.
func Findings(report *v1alpha1.DatabaseReadsList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// servicePort is the Service's port for an engine.
func servicePort(service *corev1.Service, engine *dbserver.Engine) int32 {
	for _, p := range service.Spec.Ports {
		if int(p.Port) == engine.Port || slices.Contains(engine.PortNames, p.Name) {
			return p.Port
		}
	}
	if len(service.Spec.Ports) > 0 {
		return service.Spec.Ports[0].Port
	}
	return int32(engine.Port)
}

// readers are the servers that the Service selects by name, then those that answered and are none of them.
func readers(s *Snapshot, behind []*dbstate.Server) []v1alpha1.DatabaseReader {
	list := []v1alpha1.DatabaseReader{}
	taken := make([]bool, len(s.Answers))
	total := 0
	for _, a := range s.Answers {
		if a.Error == "" {
			total++
		}
	}
	count := func(r *v1alpha1.DatabaseReader, mine func(Answer) bool) {
		var times []int64
		for i, a := range s.Answers {
			if a.Error == "" && !taken[i] && mine(a) {
				taken[i] = true
				times = append(times, a.Milliseconds)
			}
		}
		r.Answers = int64(len(times))
		if len(times) == 0 {
			return
		}
		slices.Sort(times)
		r.SharePercent = int32(math.Round(100 * float64(len(times)) / float64(total)))
		at := func(part float64) *int64 { return &times[int(math.Ceil(part*float64(len(times))))-1] }
		r.MedianMilliseconds, r.P95Milliseconds, r.SlowestMilliseconds = at(0.5), at(0.95), at(1)
	}
	for _, server := range behind {
		r := v1alpha1.DatabaseReader{
			Pod: server.Pod.Name, Known: true, Endpoint: isEndpoint(s, server.Pod), Routed: s.Router != "", Role: server.Role(), Broken: cmp.Or(server.Broken(), server.Stale()),
		}
		if server.ID != 0 {
			r.ServerID = &server.ID
		}
		name := cmp.Or(server.Hostname, server.Pod.Name)
		count(&r, func(a Answer) bool {
			return a.Hostname == name && (server.ID == 0 || a.ServerID == server.ID)
		})
		list = append(list, r)
	}
	for i, a := range s.Answers {
		if a.Error != "" || taken[i] {
			continue
		}
		r := v1alpha1.DatabaseReader{Pod: a.Hostname, ServerID: &a.ServerID, Role: v1alpha1.RoleUnknown}
		count(&r, func(b Answer) bool { return b.Hostname == a.Hostname && b.ServerID == a.ServerID })
		list = append(list, r)
	}
	return list
}

// portOf is the Service's port that a user names, or the engine's.
func portOf(service *corev1.Service, named string, engine *dbserver.Engine) (int32, error) {
	if named == "" {
		return servicePort(service, engine), nil
	}
	var known []string
	for _, p := range service.Spec.Ports {
		if named == p.Name || named == strconv.Itoa(int(p.Port)) {
			return p.Port, nil
		}
		known = append(known, strings.TrimPrefix(p.Name+" ", " ")+strconv.Itoa(int(p.Port)))
	}
	return 0, fmt.Errorf("the Service %s has no port %q: it has %s", service.Name, named, cmp.Or(strings.Join(known, ", "), "none"))
}

// readyEndpoints counts those of a Service, each once.
func readyEndpoints(list []discoveryv1.EndpointSlice) int32 {
	ready := map[string]bool{}
	for i := range list {
		for j := range list[i].Endpoints {
			if e := &list[i].Endpoints[j]; objects.EndpointReady(e) {
				ready[cmp.Or(objects.EndpointPod(e).Name, strings.Join(e.Addresses, ","))] = true
			}
		}
	}
	return int32(len(ready))
}

// isEndpoint reports whether a pod is a ready endpoint of the Service.
func isEndpoint(s *Snapshot, pod *corev1.Pod) bool {
	return slices.ContainsFunc(s.EndpointSlices, func(slice discoveryv1.EndpointSlice) bool {
		return objects.Reaches(&slice, pod.Name, pod.Status.PodIP)
	})
}

// findings are what is wrong with how the Service spreads reads, the worst first.
func findings(engine *dbstate.Engine, item *v1alpha1.DatabaseReads, endpointsUnknown bool, young []string, behind []*dbstate.Server, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	add := func(rule finding.Rule, severity v1alpha1.Severity, pods []string, format string, args ...any) {
		objects := []string{"service/" + item.Metadata.Name}
		for _, pod := range pods {
			objects = append(objects, "pod/"+pod)
		}
		list = append(list, finding.New(engine.Code(rule), severity, objects, "", format, args...))
	}
	answered := item.Connections - item.Failed
	var endpoints, silent, strangers, stale, sources []string
	var reasons []string
	hanging, delayed, outdated := hanging(behind), delayed(behind), outdated(engine, behind)
	severity, data := v1alpha1.SeverityInfo, dbstate.Current
	for _, r := range item.Servers {
		if r.Endpoint {
			endpoints = append(endpoints, r.Pod)
		}
		switch why := hanging[r.Pod]; {
		case r.Endpoint && why != "":
			add(finding.RuleEndpointSilent, v1alpha1.SeverityError, []string{r.Pod}, "%s is a ready endpoint but does not answer (%s): connections routed to it fail", r.Pod, why)
			if joins(behind, r.Pod, now) {
				list[len(list)-1] = finding.Progress(list[len(list)-1])
			}
		case r.Endpoint && r.Answers == 0 && !slices.Contains(young, r.Pod):
			silent = append(silent, r.Pod)
		case r.Answers == 0:
		case !r.Known:
			strangers = append(strangers, fmt.Sprintf("%s (server id %d, %s)", r.Pod, *r.ServerID, times(r.Answers)))
		case r.Broken != "":
			stale = append(stale, r.Pod)
			reasons = append(reasons, fmt.Sprintf("%s (%s), %s", r.Pod, r.Broken, times(r.Answers)))
			o := outdated[r.Pod]
			data = max(data, o.Data)
			if finding.CompareSeverity(o.Severity, severity) > 0 {
				severity = o.Severity
			}
		case (r.Role == v1alpha1.RoleSource || r.Role == v1alpha1.RolePrimary) && len(item.Servers) > 1 && (item.Router == "" || r.Answers < answered):
			sources = append(sources, r.Pod)
		}
		if late := delayed[r.Pod]; late != "" && r.Broken == "" && r.Answers > 0 {
			add(finding.RuleDelayedReplica, v1alpha1.SeverityInfo, []string{r.Pod}, "%s is %s but answers reads", r.Pod, late)
		}
	}
	headless := item.ClusterIP == corev1.ClusterIPNone
	sticky := item.SessionAffinity == v1alpha1.AffinityClientIP && !headless
	if item.ReadyEndpoints == 0 && !endpointsUnknown {
		add(finding.RuleNoEndpoints, v1alpha1.SeverityError, nil, "the Service %s has no ready endpoint: reads fail", item.Metadata.Name)
	}
	if item.Failed > 0 {
		add(finding.RuleConnectionsFailed, v1alpha1.SeverityError, nil, "%d of %d connections failed, most often with: %s", item.Failed, item.Connections, item.Errors[0].Message)
	}
	// With fair dice each endpoint is missed by all answers with this chance.
	chance := math.Pow(1-1/float64(max(1, len(endpoints))), float64(answered))
	if len(silent) > 0 && !sticky && !headless && answered > 0 && chance < improbable {
		add(finding.RuleEndpointSilent, v1alpha1.SeverityWarning, silent, "%s never answered in %d connections, although ready: check the Service's traffic policies and the server", strings.Join(silent, ", "), answered)
	}
	switch {
	case len(strangers) == 0:
	case item.Router != "": // it may lead to servers elsewhere as well
		add(finding.RuleUnknownServer, v1alpha1.SeverityWarning, nil, "%s leads to servers that are not of the set of %s: %s", item.Router, item.From, strings.Join(strangers, ", "))
	default:
		add(finding.RuleUnknownServer, v1alpha1.SeverityError, nil, "answers came from servers that the Service does not select: %s", strings.Join(strangers, ", "))
	}
	if len(stale) > 0 {
		text := map[dbstate.Freshness]string{dbstate.Old: "stale data was read from %s", dbstate.Doubtful: "data that may be stale was read from %s", dbstate.Current: "reads were answered by %s: " + data.String()}[data]
		add(finding.RuleReadsBroken, severity, stale, text, strings.Join(reasons, "; "))
	}
	if len(sources) > 0 {
		add(finding.RuleReadsSource, v1alpha1.SeverityInfo, sources, "the source %s also answers reads", strings.Join(sources, ", "))
	}
	if headless {
		add(finding.RuleReadsSticky, v1alpha1.SeverityInfo, nil, "the Service is headless: each client picks one of its addresses itself, so this spread shows the choice of one client")
	}
	if sticky {
		add(finding.RuleReadsSticky, v1alpha1.SeverityInfo, nil, "sessionAffinity is ClientIP: each client reads from one server, so the spread shows only over many clients")
	}
	finding.Sort(list)
	return list
}

// hanging are the servers that were asked of their replication and did not answer, with the reason.
func hanging(behind []*dbstate.Server) map[string]string {
	list := map[string]string{}
	for _, server := range behind {
		if server.Silent() {
			list[server.Pod.Name] = server.Said.Failure.Message
		}
	}
	return list
}

// joins reports whether a server of this name is starting or ending and not late, or has started a moment ago.
func joins(behind []*dbstate.Server, pod string, now time.Time) bool {
	return slices.ContainsFunc(behind, func(s *dbstate.Server) bool {
		return s.Pod.Name == pod && (s.Progress.InTime() || s.Settling(now))
	})
}

// outdated are the servers with what is wrong with them.
func outdated(engine *dbstate.Engine, behind []*dbstate.Server) map[string]dbstate.Outdated {
	list := map[string]dbstate.Outdated{}
	for _, server := range behind {
		list[server.Pod.Name] = engine.Outdated(server)
	}
	return list
}

// delayed are the servers that are late on purpose, with how late.
func delayed(behind []*dbstate.Server) map[string]string {
	list := map[string]string{}
	for _, server := range behind {
		if late := server.Delayed(); late != "" {
			list[server.Pod.Name] = late
		}
	}
	return list
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

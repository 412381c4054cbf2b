package dns

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

const (
	// settleTime is how long DNS servers may say what was before a change. They watch the API and know of it within seconds; their
	// caches keep answers of both kinds for up to 30 s (CoreDNS's stock configuration: cache 30, and ttl 30 of the kubernetes plugin).
	settleTime = 35 * time.Second
	// cacheTime is how much longer a cache on the node keeps them.
	cacheTime = 30 * time.Second
	// serversStart is how long there may be no DNS server at all while one is on its way: longer is an outage, whatever the cause.
	serversStart = time.Minute
	// firstPods is how long a new Service, or a new set, may have no pod.
	firstPods = time.Minute
)

// Reasons of what is not there yet.
const (
	justChanged     = "endpoints changed a moment ago"
	serversStarting = "the DNS servers are starting"
	serversChanging = "DNS servers come and go at the moment"
	changedSince    = "pods or DNS servers have changed since the query"
	comesSoon       = "its pod is starting: a lookup now would put a negative answer into the caches"
)

// settling reports whether endpoints of a Service changed so little ago that DNS servers need not know it, and when they did.
func (x *index) settling(subject Subject) (changed time.Time, settling bool) {
	if slices.Contains(x.Moved, subject) { // while it was looked at
		return x.at, true
	}
	if service := x.services[subject]; service != nil {
		changed = service.CreationTimestamp.Time
	}
	for _, slice := range x.slices[subject] {
		if t := objects.LastWritten(slice); t.After(changed) {
			changed = t
		}
	}
	return changed, x.recently(changed, x.settleTime())
}

// tooEarly are the names that do not exist yet and that a pod which is starting, and not late, will have: looking them up now makes
// DNS servers and caches answer for up to 30 s that they do not exist.
func tooEarly(s *Snapshot, now time.Time) []string {
	x := newIndex(s)
	x.at = now
	var names []string
	for _, e := range expectations(x) {
		if len(e.data) == 0 && x.comes(&e) && !slices.Contains(names, e.question.Name) {
			names = append(names, e.question.Name)
		}
	}
	return names
}

// comes reports whether a pod that is starting will have a name under a headless Service: its own, or the Service's.
func (x *index) comes(e *expectation) bool {
	service := x.services[e.subject]
	return service != nil && objects.Headless(service) && slices.ContainsFunc(x.pods[e.subject.Namespace], func(pod *corev1.Pod) bool {
		named := e.pod == "" || e.pod == pod.Name && objects.GivesName(service.Name, pod)
		return named && objects.Selects(service, pod.Labels) && objects.ProgressOf(pod, x.at).Stage == objects.StageStarting
	})
}

func (x *index) settleTime() time.Duration {
	if x.Vantage.Kind != v1alpha1.VantageServers && len(x.NodeLocalPods) > 0 {
		return settleTime + cacheTime
	}
	return settleTime
}

// recently reports whether something happened less than a time ago.
func (x *index) recently(what time.Time, limit time.Duration) bool {
	return !what.IsZero() && !x.at.IsZero() && x.at.Sub(what) < limit
}

// ago says how long ago something happened.
func (x *index) ago(what time.Time) string {
	return duration.HumanDuration(max(0, x.at.Sub(what)))
}

// counting leaves out that a server did not answer which is not ready any more: it was ended while it was asked. It is reported as a server.
// What was asked of a pod's resolver counts: no server is known to have been asked.
func (x *index) counting(answers []resolve.Answer) []resolve.Answer {
	return slices.DeleteFunc(slices.Clone(answers), func(a resolve.Answer) bool {
		server := a.Question.Server
		if x.Vantage.Kind == v1alpha1.VantageServers {
			server = a.Server
		}
		left := server != "" && !slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Address == server && s.Ready })
		return left && (a.Unanswered() || a.Status == resolve.StatusNotAsked)
	})
}

// answered reports whether the servers said anything at all over UDP, or over TCP: what gets lost while they come and go is not all.
func (x *index) answered(tcp bool) bool {
	return slices.ContainsFunc(x.Answers, func(a resolve.Answer) bool {
		return a.Status == resolve.StatusNoError && (a.OverTCP || a.Question.TCP) == tcp
	})
}

// serversChange reports whether DNS servers come or go just now: as long as some end, start, or have only just become ready, the network of a
// node may still send questions to one that is gone.
func (x *index) serversChange() bool {
	if x.DNSChanged != nil && x.recently(x.DNSChanged.Time, settleTime) || slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Terminating }) {
		return true
	}
	return slices.ContainsFunc(x.DNSPods, func(pod corev1.Pod) bool {
		return objects.ProgressOf(&pod, x.at).InTime() || x.recently(objects.ReadySince(&pod), settleTime)
	})
}

// serverState is a pod that is or will be a DNS server.
type serverState struct {
	// name is namespace/name, or the address of a server that is no pod.
	name  string
	ready bool
	objects.Progress
	// why says in a few words why it is not ready; empty if that is unknown.
	why string
}

// serverStates are those of the pods behind the DNS Service or, if they could not be read, of its endpoints. Pods that end are left out:
// others take their place.
func (x *index) serverStates() []serverState {
	var list []serverState
	if !x.DNSPodsRead || len(x.DNSPods) == 0 {
		for _, s := range x.Vantage.Servers {
			name := s.Pod
			if name == "" {
				name = s.Address
			}
			if !s.Terminating && !slices.ContainsFunc(list, func(other serverState) bool { return other.name == name }) {
				list = append(list, serverState{name: name, ready: s.Ready, Progress: objects.Progress{Stage: objects.StageBroken}})
			}
		}
		return list
	}
	for i := range x.DNSPods {
		pod := &x.DNSPods[i]
		if objects.Terminating(pod) || objects.PodFinished(pod) {
			continue
		}
		progress := objects.ProgressOf(pod, x.at)
		list = append(list, serverState{name: pod.Namespace + "/" + pod.Name, ready: progress.Stage == objects.StageReady, Progress: progress, why: x.trouble(pod, progress)})
	}
	slices.SortFunc(list, func(a, b serverState) int { return strings.Compare(a.name, b.name) })
	return list
}

// startingAll reports whether no server is ready, and one of them is on its way and not late.
func startingAll(servers []serverState, at time.Time) bool {
	return !slices.ContainsFunc(servers, func(s serverState) bool { return s.ready }) &&
		slices.ContainsFunc(servers, func(s serverState) bool { return s.InTime() && at.Sub(s.Since) < serversStart })
}

// trouble says why a pod is not ready.
func (x *index) trouble(pod *corev1.Pod, progress objects.Progress) string {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		switch w, t := status.State.Waiting, status.State.Terminated; {
		case w != nil && w.Reason != "" && w.Reason != "PodInitializing":
			return w.Reason
		case t != nil && t.ExitCode != 0:
			return fmt.Sprintf("%s ended with exit code %d", status.Name, t.ExitCode)
		}
	}
	if c := objects.PodCondition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return "it can't be scheduled: " + shorten(c.Message)
	}
	if progress.InTime() {
		return "started " + x.ago(progress.Since) + " ago"
	}
	if c := objects.PodCondition(pod, corev1.PodReady); c != nil && c.Status == corev1.ConditionFalse {
		return "not ready for " + x.ago(c.LastTransitionTime.Time)
	}
	return ""
}

package mysqltopology

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// connectRetry is how often a receiver tries to connect again unless it is told otherwise (SOURCE_CONNECT_RETRY), and retrySlack how
	// long that may take.
	connectRetry = 60
	retrySlack   = 30 * time.Second
	// recentChange is how long after a pod of a set became ready another one may be missing as it is in a rolling update: that one ends
	// within its grace period.
	recentChange = 2 * time.Minute
	// quiet is for how long a replica hears nothing of a source that is no more: sources send heartbeats every 30 s by default
	// (half of replica_net_timeout), and one may be lost.
	quiet = time.Minute
)

// silent reports whether a server was reached, as far as the way there tells, and does not answer, or does not run. Who was not let in
// knows nothing of it.
func (s *server) silent() bool {
	if s.answered || s.said.Failure == nil {
		return false
	}
	switch s.said.Failure.Reason {
	case v1alpha1.ReasonTimeout, v1alpha1.ReasonNotListening, v1alpha1.ReasonNotRunning:
		return true
	}
	return false
}

// silentServers tells of servers that do not answer: why, since when, who replicates from them, and which Services send clients there.
func (j *judge) silentServers() {
	for _, s := range j.set.servers {
		if !s.silent() || j.sourceGone[s.Pod.Name] {
			continue
		}
		j.silenced[s.Pod.Name] = true
		severity := v1alpha1.SeverityError
		names, evidence := []*server{s}, []v1alpha1.Evidence(nil)
		text := s.Pod.Name + s.readiness() + " does not answer: " + s.said.Failure.Message
		if s.said.Failure.Reason == v1alpha1.ReasonNotRunning {
			text = s.Pod.Name + s.readiness() + " does not run: " + s.said.Failure.Message
		}
		text += j.since(s)
		if len(s.replicas) > 0 {
			severity = v1alpha1.SeverityCritical // it takes the writes
			names = append(names, s.replicas...)
			text += fmt.Sprintf("; %s from it", replicate(podNames(s.replicas)))
			for _, r := range s.replicas {
				for _, c := range r.channels {
					if c.source == s {
						evidence = append(evidence, c.evidence(r, receiverColumns...)...)
						text += c.heartbeat(r)
					}
				}
			}
		}
		services := j.sendingTo(s)
		if len(services) > 0 {
			text += "; " + sendClients(services)
		}
		j.add(v1alpha1.CodeServerSilent, severity, podNames(names), evidence, "%s", text)
		f := &j.list[len(j.list)-1]
		for _, service := range services { // behind the pod, by which the timeline knows the finding
			f.Objects = append(f.Objects, "service/"+service)
		}
		j.onItsWay(s)
	}
}

// since says since when a server does not answer, as far as that is known: a watch has seen it answer.
func (j *judge) since(s *server) string {
	if s.said.LastAnswer == nil {
		return ""
	}
	return " (it answered last at " + s.said.LastAnswer.Format(time.TimeOnly) + ")"
}

// heartbeat says for how long a replica has heard nothing of its source, if that is longer than it should be. Sources send heartbeats
// while there is nothing else to send (MySQL: replication_connection_status).
func (c *channel) heartbeat(s *server) string {
	last, ok := parseTime(c.receiver.Text("LAST_HEARTBEAT_TIMESTAMP"))
	if queued, also := parseTime(c.receiver.Text("LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP")); also && queued.After(last) {
		last, ok = queued, true
	}
	silence := s.now.Sub(last)
	if !ok || s.now.IsZero() || silence < quiet {
		return ""
	}
	return fmt.Sprintf(" (%s has heard nothing of it for %s)", s.Pod.Name, duration(silence.Milliseconds()))
}

// sendingTo are the Services that have a server among their ready endpoints.
func (j *judge) sendingTo(s *server) []string {
	var names []string
	for i := range j.topology.Services {
		if v := &j.topology.Services[i]; slices.Contains(v.Reaches, s.Pod.Name) {
			names = append(names, v.Name)
		}
	}
	return names
}

func sendClients(services []string) string {
	if len(services) == 1 {
		return "the Service " + services[0] + " sends clients to it"
	}
	return "the Services " + strings.Join(services, ", ") + " send clients to it"
}

func replicate(names []string) string {
	if len(names) == 1 {
		return names[0] + " replicates"
	}
	return strings.Join(names, ", ") + " replicate"
}

// onItsWay makes the newest finding one of something that is on its way, if that explains it: one of the servers is starting or ending
// and not late.
func (j *judge) onItsWay(servers ...*server) {
	if slices.ContainsFunc(servers, func(s *server) bool { return s != nil && s.progress.InTime() }) {
		j.progress()
	}
}

// progress makes the newest finding one of something that is on its way.
func (j *judge) progress() {
	f := &j.list[len(j.list)-1]
	*f = finding.Progress(*f)
}

// changing are the servers of a set that are starting or ending and not late.
func (s *set) changing() []*server {
	return slices.DeleteFunc(slices.Clone(s.servers), func(o *server) bool { return !o.progress.InTime() })
}

// sourceOnItsWay reports whether a receiver that goes on trying to connect will find its source: that is starting or ending and not
// late, or has been started so short a time ago that the receiver has not tried again yet.
func (j *judge) sourceOnItsWay(c *channel) bool {
	if e := c.report.ReceiverError; c.report.Receiver != "Connecting" && c.report.Receiver != "Yes" || e != nil && (e.Number < firstClientError || e.Number > lastClientError) {
		return false // it was reached, and refused
	}
	o := c.source
	if o == nil {
		return c.missingPod != "" && j.replacing()
	}
	if o.progress.InTime() {
		return true
	}
	retry := time.Duration(connectRetry) * time.Second
	if n, ok := c.row.Int("Connect_Retry"); ok && n > 0 {
		retry = time.Duration(n) * time.Second
	}
	started := o.startedAt()
	return !started.IsZero() && j.now.Sub(started) < retry+retrySlack
}

// startedAt is when a server's container was started, or its pod became ready if that was later; zero if it does not run.
func (s *server) startedAt() time.Time {
	var started time.Time
	for i := range s.Pod.Status.ContainerStatuses {
		if c := &s.Pod.Status.ContainerStatuses[i]; c.Name == s.Container && c.State.Running != nil {
			started = c.State.Running.StartedAt.Time
		}
	}
	if ready := objects.ReadySince(s.Pod); !started.IsZero() && ready.After(started) {
		return ready
	}
	return started
}

// replacing reports whether the pods of the set are being replaced one after the other, as far as those that are there tell: one is
// starting or ending, or has become ready a moment ago.
func (j *judge) replacing() bool {
	return slices.ContainsFunc(j.set.servers, func(s *server) bool {
		since := objects.ReadySince(s.Pod)
		return s.progress.InTime() || !since.IsZero() && j.now.Sub(since) < recentChange
	})
}

// waits reports whether nothing else is wrong with a server's replication than that its source is on its way.
func (j *judge) waits(s *server) bool {
	unsound := slices.DeleteFunc(slices.Clone(s.channels), (*channel).sound)
	return len(unsound) > 0 && !slices.ContainsFunc(unsound, func(c *channel) bool {
		return c.report.Applier != "Yes" || !j.sourceOnItsWay(c)
	})
}

// unreadSubjects are what a server did not tell, for want of a privilege, of what a verdict rests on: what it replicates from, and what
// it sees of its group.
func (s *server) unreadSubjects() []string {
	var list []string
	for _, subject := range [...]mysql.Subject{mysql.SubjectReplica, mysql.SubjectMembers, mysql.SubjectStatus} {
		a := s.answer(string(subject))
		switch {
		case a == nil || a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady:
		case subject == mysql.SubjectReplica && !s.channelsUnknown, subject == mysql.SubjectMembers && !s.inGroup():
		default:
			list = append(list, fmt.Sprintf("%s of %s: %s", subject, s.Pod.Name, a.Error.Message))
		}
	}
	return list
}

// starting reports whether a server that has answered may not have been set up yet: its pod is not ready, and not late.
func (s *server) starting() bool { return s.answered && s.progress.Stage == objects.StageStarting }

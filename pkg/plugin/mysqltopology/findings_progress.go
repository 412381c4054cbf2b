package mysqltopology

import (
	"slices"
	"time"

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
)

// onItsWay makes the newest finding one of something that is on its way, if that explains it: one of the servers is starting or ending
// and not late.
func (j *judge) onItsWay(servers ...*server) {
	if slices.ContainsFunc(servers, func(s *server) bool { return s != nil && s.Progress.InTime() }) {
		j.progress()
	}
}

// progress makes the newest finding one of something that is on its way.
func (j *judge) progress() {
	f := &j.list[len(j.list)-1]
	*f = finding.Progress(*f)
}

// changing are the servers of a set that are starting or ending and not late.
func changing(s *set) []*server {
	return slices.DeleteFunc(slices.Clone(s.Servers), func(o *server) bool { return !o.Progress.InTime() })
}

// sourceOnItsWay reports whether a receiver that goes on trying to connect will find its source: that is starting or ending and not
// late, or has been started so short a time ago that the receiver has not tried again yet.
func (j *judge) sourceOnItsWay(c *channel) bool {
	if e := c.ReceiverError; c.Receiver != "Connecting" && c.Receiver != "Yes" || e != nil && (e.Number < firstClientError || e.Number > lastClientError) {
		return false // it was reached, and refused
	}
	o := c.Source
	if o == nil {
		return c.MissingPod != "" && j.replacing()
	}
	if o.Progress.InTime() {
		return true
	}
	retry := time.Duration(connectRetry) * time.Second
	if n, ok := c.Row.Int("Connect_Retry"); ok && n > 0 {
		retry = time.Duration(n) * time.Second
	}
	started := o.StartedAt()
	return !started.IsZero() && j.now.Sub(started) < retry+retrySlack
}

// replacing reports whether the pods of the set are being replaced one after the other, as far as those that are there tell: one is
// starting or ending, or has become ready a moment ago.
func (j *judge) replacing() bool {
	return slices.ContainsFunc(j.set.Servers, func(s *server) bool {
		since := objects.ReadySince(s.Pod)
		return s.Progress.InTime() || !since.IsZero() && j.now.Sub(since) < recentChange
	})
}

// waits reports whether nothing else is wrong with a server's replication than that its source is on its way.
func (j *judge) waits(s *server) bool {
	unsound := slices.DeleteFunc(slices.Clone(s.Links), (*channel).Sound)
	return len(unsound) > 0 && !slices.ContainsFunc(unsound, func(c *channel) bool {
		return c.Applier != "Yes" || !j.sourceOnItsWay(c)
	})
}

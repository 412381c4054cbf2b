package dbtopology

import (
	"cmp"
	"slices"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// connectRetry is how often a receiver tries to connect again unless it is reported otherwise (SOURCE_CONNECT_RETRY), and retrySlack how
	// long that may take.
	connectRetry = time.Minute
	retrySlack   = 30 * time.Second
	// recentChange is how long after a pod of a set became ready another one may be missing as it is in a rolling update: that one ends
	// within its grace period.
	recentChange = 2 * time.Minute
	// labelDelay is how long after a pod became ready its operator may take to label it: some look at their sets only now and then.
	labelDelay = 30 * time.Second
)

// OnItsWay makes the newest finding one of something that is on its way, if that explains it: one of the servers is starting or ending
// and not late.
func (j *Judge) OnItsWay(servers ...*server) {
	if slices.ContainsFunc(servers, func(s *server) bool { return s != nil && s.Progress.InTime() }) {
		j.Progress()
	}
}

// Joins is OnItsWay for what a server does first when it has started, or its pod has become ready: it answers, and joins its group.
func (j *Judge) Joins(servers ...*server) {
	if slices.ContainsFunc(servers, j.settling) {
		j.Progress()
	}
	j.OnItsWay(servers...)
}

// settling reports whether a server has started, or its pod has become ready, a moment ago.
func (j *Judge) settling(s *server) bool { return s.Settling(j.now) }

// Progress makes the newest finding one of something that is on its way.
func (j *Judge) Progress() {
	f := &j.list[len(j.list)-1]
	*f = finding.Progress(*f)
}

// Changing are the servers of the set that are starting or ending and not late, or have started a moment ago.
func (j *Judge) Changing() []*server {
	return slices.DeleteFunc(slices.Clone(j.Set.Servers), func(o *server) bool { return !o.Progress.InTime() && !j.settling(o) })
}

// SourceOnItsWay reports whether a receiver that goes on trying to connect will find its source: that is starting or ending and not
// late, or has been started so short a time ago that the receiver has not tried again yet.
func (j *Judge) SourceOnItsWay(c *channel) bool {
	if c.Receiver != v1alpha1.ThreadConnecting && c.Receiver != v1alpha1.ThreadRuns || c.Refused {
		return false
	}
	o := c.Source
	if o == nil {
		return c.MissingPod != "" && j.Replacing()
	}
	if o.Progress.InTime() {
		return true
	}
	retry := cmp.Or(c.RetryEvery, connectRetry)
	started := o.StartedAt()
	return !started.IsZero() && j.now.Sub(started) < retry+retrySlack
}

// Replacing reports whether the pods of the set are being replaced one after the other, as far as those that are there tell: one is
// starting or ending, or has become ready a moment ago.
func (j *Judge) Replacing() bool {
	return slices.ContainsFunc(j.Set.Servers, func(s *server) bool {
		since := objects.ReadySince(s.Pod)
		return s.Progress.InTime() || !since.IsZero() && j.now.Sub(since) < recentChange
	})
}

// justReady reports whether a pod of the set has become ready so short a time ago that Services and labels may not have followed.
func (j *Judge) justReady() bool {
	return slices.ContainsFunc(j.Set.Servers, func(s *server) bool {
		since := objects.ReadySince(s.Pod)
		return !since.IsZero() && j.now.Sub(since) < labelDelay
	})
}

// waits reports whether nothing else is wrong with a server's replication than that its source is on its way.
func (j *Judge) waits(s *server) bool {
	broken := slices.DeleteFunc(slices.Clone(s.Links), (*channel).Working)
	return len(broken) > 0 && !slices.ContainsFunc(broken, func(c *channel) bool {
		return c.Applier != v1alpha1.ThreadRuns || !j.SourceOnItsWay(c)
	})
}

// SourceGone reports whether a finding already says that a channel's source is unreachable or missing: its receiver needs none of its own.
func (j *Judge) SourceGone(c *channel) bool {
	return c.MissingPod != "" && j.sourceGone[c.MissingPod] || c.Source != nil && c.Source.Set == j.Set && j.sourceGone[c.Source.Pod.Name]
}

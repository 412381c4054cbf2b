package check

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/volumes"
)

const (
	// namesTimeout is the time that one round of asking for names has.
	namesTimeout = 30 * time.Second
	// awayDelay is the pause after a round in which the API server was away.
	awayDelay = time.Second
)

// Follower keeps a snapshot up to date: sets, nodes and servers are followed as the other subcommands follow them, and names are asked
// for now and then.
type Follower struct {
	query   Query
	notes   *notes
	sets    *stsstatus.Follower
	volumes *volumes.Follower    // nil if the part is left out
	nodes   *nodes.Follower      // the same
	servers *dbtopology.Follower // the same

	mu sync.Mutex
	// names is what was asked for last; nil before the first time, and if the part is left out.
	names      *dns.Snapshot
	namesErr   error
	namesAsked bool
}

// Follow begins to follow all parts, until the context ends or Close is called. Changed is called after each change, from another
// goroutine. Sets that are named must exist.
func Follow(ctx context.Context, cluster *kube.Cluster, q Query, changed func()) (*Follower, error) {
	q.Progress = func(string) {}
	f := &Follower{query: q, notes: newNotes(changed)}
	observed := cluster.Observe(f.notes.see)
	var err error
	if f.sets, err = stsstatus.Follow(ctx, observed, q.ofSets(), changed); err != nil {
		return nil, err
	}
	if q.wantsVolumes() {
		if f.volumes, err = volumes.Follow(ctx, observed, q.ofVolumes(), changed); err != nil {
			return nil, err
		}
	}
	if q.Selection.wantsPart(familyNodes) {
		f.nodes = nodes.Follow(ctx, observed, q.ofNodes(), changed)
	}
	if len(q.Selection.engines()) > 0 {
		f.servers = dbtopology.Follow(ctx, observed, q.followedServers(), changed)
	}
	if f.namesAsked = !q.Selection.wants(familyDNS); !f.namesAsked {
		go f.askNames(ctx, cluster, changed)
	}
	return f, nil
}

// followedServers asks the servers of sets that are named. Which sets have labels is not known of pods: all servers are asked, and the
// analysis leaves out those of other sets.
func (q *Query) followedServers() dbtopology.Query {
	m := q.ofServers()
	if len(q.Names) > 0 {
		m.Wanted = func(pod *corev1.Pod) bool {
			owner := metav1.GetControllerOfNoCopy(pod)
			return owner != nil && q.Names.Takes(owner.Kind, owner.Name)
		}
	}
	return m
}

// askNames asks for names until the context ends.
func (f *Follower) askNames(ctx context.Context, cluster *kube.Cluster, changed func()) {
	for ctx.Err() == nil {
		cluster.Link().Up(ctx)
		begun := time.Now() //nolint:forbidigo // to be compared with when the API server answered
		names, err := f.askOnce(ctx, cluster)
		if ctx.Err() == nil && !cluster.Reachable(ctx, begun) { // it says nothing of DNS
			select {
			case <-ctx.Done():
			case <-time.After(awayDelay):
			}
			continue
		}
		f.mu.Lock()
		f.namesAsked, f.namesErr = true, err
		if err == nil || f.names == nil {
			f.names = names
		}
		f.mu.Unlock()
		changed()
		select {
		case <-ctx.Done():
		case <-time.After(f.query.DNSInterval):
		}
	}
}

// askOnce gives a round its time: DNS servers may hang.
func (f *Follower) askOnce(ctx context.Context, cluster *kube.Cluster) (*dns.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, namesTimeout)
	defer cancel()
	return dns.Collect(ctx, cluster, f.query.ofDNS())
}

// Close ends the sessions with servers.
func (f *Follower) Close() {
	if f.servers != nil {
		f.servers.Close()
	}
}

// Settled reports whether everything has been read once, or can't be.
func (f *Follower) Settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.namesAsked && f.sets.Settled() && (f.volumes == nil || f.volumes.Settled()) && (f.nodes == nil || f.nodes.Settled()) && (f.servers == nil || f.servers.Settled())
}

// Snapshot is the present state. It fails only if the StatefulSets can't be read.
func (f *Follower) Snapshot(ctx context.Context, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Chosen: f.query.chosen(), Annotations: f.notes.all(), Problems: map[string]v1alpha1.Problem{}}
	var err error
	if s.Sets, err = f.sets.Snapshot(ctx, now); err != nil {
		return nil, err
	}
	if f.volumes != nil {
		if s.Volumes, err = f.volumes.Snapshot(ctx, now); err != nil {
			s.Problems[subjectVolumes] = kube.ProblemOf("claims of no set", err)
		}
		s.once()
	}
	if f.nodes != nil {
		if s.Nodes, err = f.nodes.Snapshot(ctx, now); err != nil {
			s.Problems[subjectNodes] = kube.ProblemOf("nodes", err)
		}
	}
	if f.servers != nil {
		if s.Servers, err = f.servers.Snapshot(ctx, now); err != nil && len(f.query.Names) == 0 { // a set that is named may have no servers
			s.Problems[subjectServers] = kube.ProblemOf(engines.Kinds(), err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.DNS = f.names
	if f.namesErr != nil {
		s.Problems[subjectDNS] = kube.ProblemOf("DNS", f.namesErr)
	}
	return s, nil
}

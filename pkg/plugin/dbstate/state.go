// Package dbstate is what database servers' answers mean, whatever their engine: the state of each, which server replicates from which, what part each
// plays, and whether that works. An engine decodes what a server said into a State once, and nothing writes to it afterwards; whatever command
// asks is reported the same.
package dbstate

import (
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Decoder reads what a server said, which has answered, into its state: from ID on. Columns that the server does not have stay empty.
type Decoder func(s *State)

// State is a server with what it said, decoded.
type State struct {
	dbserver.Server
	Said     dbserver.Said
	Answered bool
	// Progress is how far its pod is on its way.
	Progress objects.Progress

	// ID and UUID are what others know it by; 0 and empty if it has none. UUID is in small letters.
	ID   int64
	UUID string
	// Hostname is what it calls itself; empty if it does not tell.
	Hostname string
	// TakesWrites is true if it takes the writes of ordinary accounts.
	TakesWrites bool
	// Channels are those by which it replicates from others; ChannelsUnknown is true if it is unknown whether it has any.
	Channels        []*Channel
	ChannelsUnknown bool
	// Leftovers are channels of before it became a source, see leftovers.go.
	Leftovers []*Channel
	// Receivers are those that receive from it, as it knows them, where its engine's servers know that.
	Receivers []Receiver
	// Member is its part in a group whose members are equal or choose their primary; nil if it is configured for none.
	Member *Member
	// Detail is what the engine knows beyond that.
	Detail any
}

// Member is a server's part in a group of its engine's own.
type Member struct {
	Role v1alpha1.DatabaseRole
	// Broken is why it can't do its part; empty if it can.
	Broken string
}

// Receiver is who receives from a server, in the server's eyes.
type Receiver struct {
	// Name is what it calls itself, Address where it comes from; each may be empty.
	Name, Address string
}

// Channel is one of a replica's channels, as the replica reports it.
type Channel struct {
	Name string // empty for the only one of most replicas
	// Ref is where it leads.
	Ref Ref
	// Receiver and Applier are the states of what receives and what applies: Yes, No, and Connecting for the receiver; empty if unknown.
	Receiver, Applier           v1alpha1.ThreadState
	ReceiverError, ApplierError *v1alpha1.DatabaseError
	// DelaySeconds is how late it is on purpose.
	DelaySeconds int64
	// DelayLeftSeconds is when the next of what it holds back is applied, nil if there is none.
	DelayLeftSeconds *int64
	// LagMilliseconds is how late it is beyond the delay, nil where LagUnknown says why it is unknown; LagFrom is what it is taken from.
	LagMilliseconds *int64
	LagFrom         v1alpha1.LagSource
	LagUnknown      string
	// RetryEvery is how often a receiver that can't connect tries again, 0 if it is unknown.
	RetryEvery time.Duration
	// HeardNothingFor is for how long the receiver has received nothing, not even a sign of life; 0 if it is unknown.
	HeardNothingFor time.Duration
	// Stalled is what the source has and the replica has not received, while its receiver is connected and hears nothing: 5 transactions.
	Stalled string
	// Refused is true if the source was reached, and did not let the receiver in.
	Refused bool
	// Kept is true if whoever manages the set tells the replica where its source is: an address there is as good as a name.
	Kept bool
	// Unused is true if it is configured and no more: it is stopped, without an error, and has received nothing.
	Unused bool
	// Detail is what the engine knows beyond that.
	Detail any
}

// Ref is a channel's other end, as its replica names it.
type Ref struct {
	Host     string
	Port     int64
	UUID     string // in small letters, empty where servers have none
	ServerID int64
}

// Working reports whether a channel receives and applies.
func (c *Channel) Working() bool {
	return c.Receiver == v1alpha1.ThreadRuns && c.Applier == v1alpha1.ThreadRuns
}

// newState decodes what a server said.
func newState(server dbserver.Server, said dbserver.Said, decode Decoder, now time.Time) *State {
	s := &State{
		Server: server, Said: said, Answered: said.Failure == nil && len(said.Answers) > 0, Progress: objects.ProgressOf(server.Pod, now),
	}
	if s.Answered {
		decode(s)
		s.setAside(func(c *Channel) bool { return c.Unused && s.TakesWrites })
	}
	return s
}

// Answer is that on a subject; nil without one.
func (s *State) Answer(subject string) *v1alpha1.DatabaseAnswer {
	for i := range s.Said.Answers {
		if s.Said.Answers[i].Subject == subject {
			return &s.Said.Answers[i]
		}
	}
	return nil
}

// Silent reports whether a server was reached, as far as the way there tells, and does not answer, or does not run.
func (s *State) Silent() bool { return !s.Answered && s.Said.Silent() }

// Starting reports whether a server that has answered may not have been set up yet: its pod is not ready, and not late.
func (s *State) Starting() bool { return s.Answered && s.Progress.Stage == objects.StageStarting }

// StartedAt is when a server's container was started, or its pod became ready if that was later; zero if it does not run.
func (s *State) StartedAt() time.Time {
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

// settles is for how long after its server, or its pod's readiness, began a pod that is Ready may still be set up: a probe asks whether the
// server answers, and what joins it to its group or its source comes after that.
const settles = 15 * time.Second

// Settling reports whether a server has started, or its pod has become ready, a moment ago.
func (s *State) Settling(now time.Time) bool {
	started := s.StartedAt()
	return !started.IsZero() && now.Sub(started) < settles
}

// Unreachable is why nothing is known of a server; empty if it answered.
func (s *State) Unreachable() string {
	switch {
	case s.Answered:
		return ""
	case s.Said.Failure != nil:
		return s.Said.Failure.Message
	}
	return "not queried"
}

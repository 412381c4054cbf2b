package dbstate

import (
	"cmp"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Outdated is why readers should not be sent to a server, and what they get from it.
type Outdated struct {
	// Why is empty if nothing is wrong with it, as far as known.
	Why string
	// Severity is that of sending readers there: never worse than that of the cause.
	Severity v1alpha1.Severity
	// Data is what they get.
	Data Freshness
}

// Freshness is what is known of the age of a server's data, the best first.
type Freshness int

// How old data can be.
const (
	Current  Freshness = iota // it has all that its sources have, and gets nothing newer
	Doubtful                  // unknown
	Old                       // it lacks something
)

// String is what clients get.
func (f Freshness) String() string {
	return [...]string{"the data is still that of the source, and becomes stale with its next change", "clients may get stale data", "clients get stale data"}[f]
}

// Outdated judges a server.
func (e *Engine) Outdated(s *Server) Outdated {
	broken := s.Broken()
	o := Outdated{Why: cmp.Or(broken, s.Stale()), Severity: v1alpha1.SeverityError, Data: Doubtful}
	switch lacks := e.Lacks(s); {
	case o.Why == "":
		return Outdated{}
	case broken == "", lacks != nil && *lacks:
		o.Data = Old
	case lacks != nil:
		o.Data = Current
	}
	if o.Data == Current || broken != "" && s.onlyRetries() {
		o.Severity = v1alpha1.SeverityWarning
	}
	return o
}

// onlyRetries reports whether nothing else is wrong with a server than that receivers go on trying to connect to sources that answer: a
// warning, as that may pass.
func (s *Server) onlyRetries() bool {
	return (s.Member == nil || s.Member.Broken == "") && !slices.ContainsFunc(s.Links, func(l *Link) bool {
		retries := l.Receiver == v1alpha1.ThreadConnecting && l.Applier == v1alpha1.ThreadRuns && (l.Source == nil && l.MissingPod == "" || l.Source != nil && l.Source.Answered)
		return !l.Working() && !retries
	})
}

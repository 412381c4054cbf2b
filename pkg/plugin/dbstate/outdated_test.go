package dbstate

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestOutdated never has a consequence worse than its cause.
func TestOutdated(t *testing.T) {
	const yes, no, connecting = v1alpha1.ThreadRuns, v1alpha1.ThreadStopped, v1alpha1.ThreadConnecting
	answers, silent := &Server{State: &State{Answered: true}}, &Server{State: &State{}}
	for name, test := range map[string]struct {
		receiver, applier v1alpha1.ThreadState
		source            *Server
		lacks             *bool
		lag               int64
		member            string
		severity          v1alpha1.Severity
		data              Freshness
	}{
		"nothing":                                 {yes, yes, answers, new(true), 0, "", "", Current},
		"late":                                    {yes, yes, answers, new(true), StaleMilliseconds, "", v1alpha1.SeverityError, Old},
		"stopped, and it lacks something":         {yes, no, answers, new(true), 0, "", v1alpha1.SeverityError, Old},
		"stopped, and it has everything":          {yes, no, answers, new(false), 0, "", v1alpha1.SeverityWarning, Current},
		"stopped":                                 {no, yes, answers, nil, 0, "", v1alpha1.SeverityError, Doubtful},
		"it connects":                             {connecting, yes, answers, nil, 0, "", v1alpha1.SeverityWarning, Doubtful},
		"it connects, and lacks something":        {connecting, yes, answers, new(true), 0, "", v1alpha1.SeverityWarning, Old},
		"it connects to what does not answer":     {connecting, yes, silent, nil, 0, "", v1alpha1.SeverityError, Doubtful},
		"it connects to a source outside":         {connecting, yes, nil, nil, 0, "", v1alpha1.SeverityWarning, Doubtful},
		"it connects, and its applier is stopped": {connecting, no, answers, new(true), 0, "", v1alpha1.SeverityError, Old},
		"it is out of its group":                  {yes, yes, answers, nil, 0, "it is OFFLINE in its group", v1alpha1.SeverityError, Doubtful},
	} {
		c := &Channel{Receiver: test.receiver, Applier: test.applier, LagMilliseconds: &test.lag}
		s := &Server{State: &State{Answered: true, Channels: []*Channel{c}}, Links: []*Link{{Channel: c, Source: test.source}}}
		if test.member != "" {
			s.Member = &Member{Broken: test.member}
		}
		e := &Engine{Lacks: func(*Server) *bool { return test.lacks }}
		if got := e.Outdated(s); got.Severity != test.severity || got.Data != test.data || (got.Why == "") != (test.severity == "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

package dbserver

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Said is what one server said.
type Said struct {
	Via  string `json:"via,omitempty"`
	User string `json:"user,omitempty"`
	// LastAnswer is when a server that does not answer now did for the last time, where a Poller has seen it.
	LastAnswer *metav1.Time `json:"lastAnswer,omitempty"`
	// Failure is why there are no answers, Cause what is alike about it where other servers fail for the same reason; empty if that is the
	// message.
	Failure *v1alpha1.Problem         `json:"failure,omitempty"`
	Cause   string                    `json:"cause,omitempty"`
	Answers []v1alpha1.DatabaseAnswer `json:"answers,omitempty"`
}

// Silent reports whether a server was reached, as far as the way there tells, and does not answer, or does not run. Who was not let in
// knows nothing of it.
func (s Said) Silent() bool {
	if s.Failure == nil {
		return false
	}
	switch s.Failure.Reason {
	case v1alpha1.ReasonTimeout, v1alpha1.ReasonNotListening, v1alpha1.ReasonNotRunning:
		return true
	}
	return false
}

// NotYetAnswered is why nothing is known of a server whose first answer is being waited for.
const NotYetAnswered = "it has not answered yet"

// NotYet is what is known of a server whose first answer is being waited for.
func NotYet(s Server) Said {
	return Said{Failure: &v1alpha1.Problem{Subject: "server " + s.Pod.Name, Reason: v1alpha1.ReasonUnavailable, Message: NotYetAnswered, Passing: true}}
}

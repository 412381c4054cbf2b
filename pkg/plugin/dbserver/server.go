package dbserver

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// RoleLabel is a label with which an operator says which server is the one that is written to.
type RoleLabel struct {
	Key string
	// Primary and Replica are the values for the two roles; Before is the primary's in releases that had another word, empty for none.
	Primary, Replica, Before string
	// Static labels say what was meant when the set was made; others follow failovers.
	Static bool
}

// Flavour is an operator, a chart or an image that servers come from: how to recognise them and how to log in.
type Flavour struct {
	Name string
	// Labels must all be there; an empty value stands for any.
	Labels map[string]string
	// Annotation is enough alone: one that a pod has from its template, where labels are patched on later.
	Annotation string
	// Containers are the names of the server's container; the first that the pod has is it.
	Containers []string
	// Group are the labels that name the set where it is more than what controls the pods.
	Group []string
	// Role is nil where no known label says.
	Role *RoleLabel
	// Logins are tried in their order.
	Logins []Login
}

// Server is a database server in a pod.
type Server struct {
	Engine    *Engine
	Flavour   *Flavour
	Pod       *corev1.Pod
	Container string
	Port      int
	// Tentative is true of what only looks like a server, by a part of its image's name or by its port: its first answer decides.
	Tentative bool
}

// Likeness is how much a container looks like a server.
type Likeness int

// The likenesses, from the least on.
const (
	Unlike    Likeness = iota
	Resembles          // by a part of its image's name, or by its port
	Runs               // by its command, or by its image's name
)

// IsNone reports whether what only looks like a server is none, by what it said: something else answers on its port, or nothing listens there
// although its pod is ready. Of a pod that is not ready nothing is concluded: its server may not have started.
func (s Server) IsNone(said Said) bool {
	if !s.Tentative || said.Failure == nil {
		return false
	}
	reason := said.Failure.Reason
	return reason == v1alpha1.ReasonInvalid || reason == v1alpha1.ReasonNotListening && objects.PodReady(s.Pod)
}

// Group names the set that a server belongs to: by its flavour's labels, else by what controls the pod, else the pod itself. It is
// kind/name where it is an object.
func (s Server) Group() string {
	var names []string
	for _, label := range s.Flavour.Group {
		if value := s.Pod.Labels[label]; value != "" {
			names = append(names, value)
		}
	}
	if len(names) > 0 {
		return strings.Join(names, "-")
	}
	owner := metav1.GetControllerOfNoCopy(s.Pod)
	if owner == nil {
		return "pod/" + s.Pod.Name
	}
	hash := "-" + s.Pod.Labels["pod-template-hash"]
	if deployment, ok := strings.CutSuffix(owner.Name, hash); ok && owner.Kind == "ReplicaSet" {
		return "deployment/" + deployment
	}
	return strings.ToLower(owner.Kind) + "/" + owner.Name
}

// Name is the pod's, with its namespace.
func (s Server) Name() string { return s.Pod.Namespace + "/" + s.Pod.Name }

// LabelledPrimary is what the pod's role label says: nil where there is none.
func (s Server) LabelledPrimary() *bool {
	r := s.Flavour.Role
	if r == nil {
		return nil
	}
	var primary bool
	switch value := s.Pod.Labels[r.Key]; {
	case value == "":
		return nil
	case value == r.Primary, value == r.Before:
		primary = true
	case value != r.Replica:
		return nil
	}
	return &primary
}

func (f *Flavour) matches(pod *corev1.Pod) bool {
	if _, ok := pod.Annotations[f.Annotation]; ok && f.Annotation != "" {
		return true
	}
	for key, want := range f.Labels {
		if value, ok := pod.Labels[key]; !ok || want != "" && value != want {
			return false
		}
	}
	return true
}

func containerOf(pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i]
		}
	}
	return nil
}

package dbserver

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Engine is a line of database servers that speak the same protocol: how to recognise them in pods. What they are asked, and what their
// answers mean, is in a package of pkg/plugin/engine.
type Engine struct {
	// Name is for people, and Servers what commands list: "MySQL", "MySQL or MariaDB servers".
	Name, Servers string
	// Family is that of the engine's codes of findings: MYSQL.
	Family string
	// Port is the protocol's default; PortNames are names of container ports that serve it.
	Port      int
	PortNames []string
	// Flavours are operators and charts, the most particular first; Image is what pods are of that none of them has labelled.
	Flavours []Flavour
	Image    Flavour
	// RunsServer reports whether a container of an unlabelled pod runs a server, by its image, its command, and whether it says that it has
	// the port.
	RunsServer func(c *corev1.Container, hasPort bool) bool
	// NewAsker makes what asks its servers; it sends nothing yet.
	NewAsker func(*kube.Cluster, Access) Asker
	// NewProber makes what opens many connections from inside one of its servers' containers.
	NewProber func(*kube.Cluster, Access) Prober
	// Statements is what may be asked of its servers by a user.
	Statements Statements
}

// Engines are those that a command is about.
type Engines []*Engine

// Detect reports whether a pod runs a server of one of the engines; the first that knows the pod has it.
func (e Engines) Detect(pod *corev1.Pod) (Server, bool) {
	for _, engine := range e {
		if server, ok := engine.Detect(pod); ok {
			return server, true
		}
	}
	return Server{}, false
}

// Name names the engines for people: "MySQL or PostgreSQL".
func (e Engines) Name() string {
	names := make([]string, len(e))
	for i, engine := range e {
		names[i] = engine.Name
	}
	return strings.Join(names, " or ")
}

// Kind is one of what commands list: "MySQL or MariaDB server".
func (e Engines) Kind() string { return strings.TrimSuffix(e.Servers(), "s") }

// Servers are what commands list: "MySQL or MariaDB servers".
func (e Engines) Servers() string {
	if len(e) == 1 {
		return e[0].Servers
	}
	return "database servers"
}

// RoleLabel is a label with which an operator says which server is the one that is written to.
type RoleLabel struct {
	Key string
	// Primary and Replica are the values for the two roles.
	Primary, Replica string
	// Static labels say what was meant when the set was made; others follow failovers.
	Static bool
}

// Flavour is an operator, a chart or an image that servers come from: how to recognise them and how to log in.
type Flavour struct {
	Name string
	// Labels must all be there; an empty value stands for any.
	Labels map[string]string
	// Containers are the names of the server's container; the first that the pod has is it.
	Containers []string
	// Group are the labels that name the set where it is more than what controls the pods.
	Group []string
	// Role is nil where no label tells.
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
}

// Detect tells whether a pod runs a server, by what it is: its labels, else its containers' images. A pod that has ended runs none.
func (e *Engine) Detect(pod *corev1.Pod) (Server, bool) {
	if objects.PodFinished(pod) {
		return Server{}, false
	}
	for i := range e.Flavours {
		f := &e.Flavours[i]
		if !f.matches(pod.Labels) {
			continue
		}
		for _, name := range f.Containers {
			if c := containerOf(pod, name); c != nil {
				return Server{Engine: e, Flavour: f, Pod: pod, Container: name, Port: e.portOf(c)}, true
			}
		}
	}
	var best *corev1.Container
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; e.RunsServer(c, e.hasPort(c)) && (best == nil || !e.hasPort(best) && e.hasPort(c)) {
			best = c
		}
	}
	if best == nil {
		return Server{}, false
	}
	return Server{Engine: e, Flavour: &e.Image, Pod: pod, Container: best.Name, Port: e.portOf(best)}, true
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
	switch s.Pod.Labels[r.Key] {
	case r.Primary:
		primary = true
	case r.Replica:
	default:
		return nil
	}
	return &primary
}

func (f *Flavour) matches(labels map[string]string) bool {
	for key, want := range f.Labels {
		if value, ok := labels[key]; !ok || want != "" && value != want {
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

// hasPort reports whether a container says that it serves the engine's protocol.
func (e *Engine) hasPort(c *corev1.Container) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return int(p.ContainerPort) == e.Port || slices.Contains(e.PortNames, p.Name)
	})
}

func (e *Engine) portOf(c *corev1.Container) int {
	for _, p := range c.Ports {
		if slices.Contains(e.PortNames, p.Name) {
			return int(p.ContainerPort)
		}
	}
	return e.Port
}

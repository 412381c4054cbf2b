package dbserver

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
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
	// RunsServer reports how much a container of an unlabelled pod looks like a server, by its image, its command, and whether it says that it
	// has the port.
	RunsServer func(c *corev1.Container, hasPort bool) Likeness
	// Router names the product of a container that takes clients' connections and passes them on to servers; it is empty for others.
	Router func(c *corev1.Container) string
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

// Router names the product that a pod passes connections on with; it is empty for a pod that is no router.
func (e Engines) Router(pod *corev1.Pod) string {
	for _, engine := range e {
		for i := range pod.Spec.Containers {
			if name := engine.Router(&pod.Spec.Containers[i]); name != "" {
				return name
			}
		}
	}
	return ""
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

// Detect reports whether a pod runs a server, by what it is: our annotation, its labels and an operator's annotations, else its containers'
// commands, images and ports. A pod that has ended runs none.
func (e *Engine) Detect(pod *corev1.Pod) (Server, bool) {
	word, container, told := annotated(pod)
	if objects.PodFinished(pod) || told && !slices.Contains(e.PortNames, word) {
		return Server{}, false
	}
	for i := range e.Flavours {
		f := &e.Flavours[i]
		if !f.matches(pod) {
			continue
		}
		for _, name := range f.Containers {
			if c := containerOf(pod, name); c != nil {
				return Server{Engine: e, Flavour: f, Pod: pod, Container: name, Port: e.portOf(c)}, true
			}
		}
	}
	var best *corev1.Container
	likeness := Unlike
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		like := e.RunsServer(c, e.hasPort(c))
		if told && (container == "" || c.Name == container) {
			like = max(like, Resembles)
		}
		if like > likeness || like == likeness && like > Unlike && !e.hasPort(best) && e.hasPort(c) {
			best, likeness = c, like
		}
	}
	if named := containerOf(pod, container); told && named != nil {
		best = named
	}
	if best == nil {
		return Server{}, false
	}
	return Server{Engine: e, Flavour: &e.Image, Pod: pod, Container: best.Name, Port: e.portOf(best), Tentative: likeness == Resembles && !told}, true
}

// annotated is what a pod's annotation says that it is, and in which container; told is false without one.
func annotated(pod *corev1.Pod) (word, container string, told bool) {
	text, told := pod.Annotations[v1alpha1.ServerAnnotation]
	word, container, _ = strings.Cut(text, "/")
	return strings.ToLower(strings.TrimSpace(word)), strings.TrimSpace(container), told
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

package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// portNone says why a port has no endpoints although the Service has some; it is empty where they have it, or there are none. A port of a
// Service that leads to a number is not judged: containers need not declare the ports that they listen at.
func (x *index) portNone(service *corev1.Service, port *corev1.ServicePort) string {
	if lacking, having := x.byPort(service, port); len(lacking) > 0 && len(having) == 0 && !x.sliceHas(service, port) {
		return fmt.Sprintf("no container of the pods has a port %q", port.TargetPort.StrVal)
	}
	if x.readyEndpoints(service) && !x.sliceHas(service, port) {
		return fmt.Sprintf("the EndpointSlices have no port %q", port.Name)
	}
	return ""
}

// byPort divides the pods that a Service selects by whether they have what a port of it leads to.
func (x *index) byPort(service *corev1.Service, port *corev1.ServicePort) (lacking, having []*corev1.Pod) {
	for _, pod := range x.selects(service) {
		switch {
		case objects.PodFinished(pod), objects.Terminating(pod):
		case objects.HasTargetPort(port, &pod.Spec):
			having = append(having, pod)
		default:
			lacking = append(lacking, pod)
		}
	}
	return lacking, having
}

// sliceHas reports whether a ready endpoint of a Service has a port of it.
func (x *index) sliceHas(service *corev1.Service, port *corev1.ServicePort) bool {
	return slices.ContainsFunc(x.endpoints(subjectOf(service)), func(e endpoint) bool {
		for _, p := range e.ports {
			protocol := corev1.ProtocolTCP
			if p.Protocol != nil {
				protocol = *p.Protocol
			}
			if p.Name != nil && *p.Name == port.Name && protocol == cmp.Or(port.Protocol, corev1.ProtocolTCP) {
				return e.ready
			}
		}
		return false
	})
}

func (x *index) readyEndpoints(service *corev1.Service) bool {
	return slices.ContainsFunc(x.endpoints(subjectOf(service)), func(e endpoint) bool { return e.ready })
}

func subjectOf(service *corev1.Service) Subject {
	return Subject{Namespace: service.Namespace, Service: service.Name}
}

// ports reports ports of a Service, and of the other Services that select the pods of its sets, that lead to no port of their pods.
func ports(x *index, subject Subject, service *corev1.Service, f *findings) {
	if x.unread(subjectPods) {
		return
	}
	if service != nil {
		portsOf(x, service, f)
	}
	for i := range x.Services {
		other := &x.Services[i]
		if other.Namespace == subject.Namespace && !slices.Contains(x.Subjects, subjectOf(other)) && slices.ContainsFunc(x.sets[subject], func(set *appsv1.StatefulSet) bool {
			return objects.Selects(other, set.Spec.Template.Labels)
		}) {
			portsOf(x, other, f)
		}
	}
}

func portsOf(x *index, service *corev1.Service, f *findings) {
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return
	}
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		title := fmt.Sprintf("port %s of Service %s", cmp.Or(port.Name, fmt.Sprint(port.Port)), service.Name)
		consequence := "connections to it reach no pod"
		switch {
		case objects.Headless(service) && port.Name == "":
			consequence = "its EndpointSlices don't have it"
		case objects.Headless(service):
			consequence = "it has no SRV record"
		}
		lacking, having := x.byPort(service, port)
		switch {
		case len(lacking) > 0 && (len(having) > 0 || !x.sliceHas(service, port)):
			lackingPods(x, service, port, lacking, having, title, consequence, f)
		case len(lacking) == 0 && port.Name != "" && !x.unread(subjectSlices) && x.readyEndpoints(service) && !x.sliceHas(service, port):
			sliceWithout(x, service, title, consequence, f)
		}
	}
}

// lackingPods reports pods without the container port that a Service's port leads to. While pods of two revisions are there, one has it and the
// other has not.
func lackingPods(x *index, service *corev1.Service, port *corev1.ServicePort, lacking, having []*corev1.Pod, title, consequence string, f *findings) {
	protocol := cmp.Or(port.Protocol, corev1.ProtocolTCP)
	about := []string{"service/" + service.Name}
	var names, declared []string
	for _, pod := range lacking {
		names = append(names, pod.Name)
		for _, name := range objects.PortNames(&pod.Spec, protocol) {
			if !slices.Contains(declared, name) {
				declared = append(declared, name)
			}
		}
	}
	slices.SortFunc(names, objects.CompareNames)
	slices.Sort(declared)
	has := "no " + string(protocol) + " port of theirs has a name"
	if len(declared) > 0 {
		has = "they have " + strings.Join(declared, ", ")
	}
	who := "no container of its pods has"
	if len(having) > 0 {
		who, consequence = "no container of "+finding.Some(names)+" has", "other pods have it"
	}
	message := fmt.Sprintf("%s leads to the container port %q, which %s (%s): %s", title, port.TargetPort.StrVal, who, has, consequence)
	if x.onTheirWay(port, lacking, having) {
		f.progress(v1alpha1.CodeDNSTargetPort, append(about, prefixed("pod/", names)...), "", "%s; pods of another revision are on their way", message)
		return
	}
	f.add(v1alpha1.CodeDNSTargetPort, v1alpha1.SeverityError, append(about, prefixed("pod/", names)...), "kubectl describe service "+service.Name+" -n "+service.Namespace, "%s", message)
}

// sliceWithout reports EndpointSlices without a port of their Service: those that people or other controllers write have the ports that they
// were given.
func sliceWithout(x *index, service *corev1.Service, title, consequence string, f *findings) {
	message := fmt.Sprintf("%s is in none of the Service's EndpointSlices: %s", title, consequence)
	about, remedy := []string{"service/" + service.Name}, fmt.Sprintf("kubectl get endpointslices -l %s -n %s", objects.SlicesOf(service.Name), service.Namespace)
	if _, settling := x.settling(subjectOf(service)); settling {
		f.progress(v1alpha1.CodeDNSTargetPort, about, remedy, "%s", message)
		return
	}
	f.add(v1alpha1.CodeDNSTargetPort, v1alpha1.SeverityWarning, about, remedy, "%s", message)
}

// onTheirWay reports whether all pods of a list will be replaced by ones of another template: their set is being updated and its template has
// the port, or, of a Deployment's, other pods are of another revision.
func (x *index) onTheirWay(port *corev1.ServicePort, lacking, having []*corev1.Pod) bool {
	return !slices.ContainsFunc(lacking, func(pod *corev1.Pod) bool {
		if owner := objects.StatefulSetOf(pod); owner != nil {
			return !slices.ContainsFunc(x.StatefulSets, func(set appsv1.StatefulSet) bool {
				return owner.UID == set.UID && inRollout(&set) && (len(having) > 0 || objects.HasTargetPort(port, &set.Spec.Template.Spec))
			})
		}
		return !slices.ContainsFunc(having, func(other *corev1.Pod) bool {
			const label = appsv1.DefaultDeploymentUniqueLabelKey
			return pod.Labels[label] != other.Labels[label]
		})
	})
}

// inRollout reports whether a set's pods are being replaced without anyone's help.
func inRollout(set *appsv1.StatefulSet) bool {
	strategy := set.Spec.UpdateStrategy
	if strategy.Type == appsv1.OnDeleteStatefulSetStrategyType || strategy.RollingUpdate != nil && strategy.RollingUpdate.Partition != nil && *strategy.RollingUpdate.Partition > 0 {
		return false
	}
	return set.Status.ObservedGeneration < set.Generation || set.Status.UpdateRevision != set.Status.CurrentRevision
}

package dns

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// sliceController is who manages the EndpointSlices of Services with a selector.
const sliceController = "endpointslice-controller.k8s.io"

// contradiction is an endpoint that does not go with a pod, or a pod without the endpoint that it should have.
type contradiction struct {
	subject Subject
	// slice is empty for a pod that is in none.
	slice, pod, address, why string
}

func (c *contradiction) key() string {
	return strings.Join([]string{c.subject.Namespace, c.subject.Service, c.slice, c.pod, c.address}, "/")
}

// contradictions are the keys of all.
func (x *index) contradictions() []string {
	var list []string
	for _, subject := range x.Subjects {
		for _, c := range x.contradictionsOf(subject) {
			list = append(list, c.key())
		}
	}
	return list
}

// contradictionsOf compares the EndpointSlices of a Service with pods. DNS servers go by the slices alone.
func (x *index) contradictionsOf(subject Subject) []contradiction {
	service := x.services[subject]
	if service == nil || service.Spec.Type == corev1.ServiceTypeExternalName || x.unread(subjectPods) || x.unread(subjectSlices) {
		return nil
	}
	list := x.wrongEndpoints(subject, service)
	for _, c := range x.leftOutPods(subject, service) {
		if !slices.ContainsFunc(list, func(wrong contradiction) bool { return wrong.pod == c.pod }) {
			list = append(list, c)
		}
	}
	return list
}

// wrongEndpoints are endpoints that are given out although their pod is gone, has ended, or has another address: whoever wrote the slice. That a
// pod is not ready matters in those of the controller alone, and not where the Service publishes such addresses.
func (x *index) wrongEndpoints(subject Subject, service *corev1.Service) []contradiction {
	var list []contradiction
	for _, slice := range x.slices[subject] {
		if slice.AddressType == discoveryv1.AddressTypeFQDN { // DNS servers give out none
			continue
		}
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			name := objects.EndpointPod(e).Name
			if !objects.EndpointReady(e) || name == "" || len(e.Addresses) == 0 || x.own[e.Addresses[0]] {
				continue
			}
			pod, why := x.pod(subject.Namespace, name), ""
			switch {
			case pod == nil:
				why = "there is no pod " + name
			case objects.PodFinished(pod):
				why = name + " has ended"
			case len(pod.Status.PodIPs) > 0 && !hasAddress(pod, e.Addresses[0]):
				why = fmt.Sprintf("%s has the address %s", name, pod.Status.PodIPs[0].IP)
			case slice.Labels[discoveryv1.LabelManagedBy] == sliceController && !service.Spec.PublishNotReadyAddresses && x.longNotReady(pod):
				why = name + " is not ready"
			default:
				continue
			}
			list = append(list, contradiction{subject, slice.Name, name, e.Addresses[0], why})
		}
	}
	return list
}

// leftOutPods are pods that are ready, and have been for longer than controllers need, but are no ready endpoint of a Service that selects them.
func (x *index) leftOutPods(subject Subject, service *corev1.Service) []contradiction {
	given := map[netip.Addr]bool{}
	for _, e := range x.endpoints(subject) {
		given[e.address] = given[e.address] || e.ready
	}
	var list []contradiction
	for _, pod := range x.selects(service) {
		since := objects.ReadySince(pod)
		if objects.Terminating(pod) || objects.PodFinished(pod) || len(pod.Status.PodIPs) == 0 || since.IsZero() || x.at.IsZero() || x.recently(since, settleTime) {
			continue
		}
		ofFamily := false
		isGiven := slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool {
			address, err := netip.ParseAddr(ip.IP)
			ofFamily = ofFamily || err == nil && hasFamily(service, address)
			return err == nil && given[address]
		})
		switch {
		case isGiven:
		case !ofFamily:
			list = append(list, contradiction{subject: subject, pod: pod.Name, why: fmt.Sprintf("has no address of the Service's family (%s)", cmp.Or(families(service), "none"))})
		default:
			list = append(list, contradiction{subject: subject, pod: pod.Name, why: "is in none of its EndpointSlices as ready"})
		}
	}
	return list
}

func hasAddress(pod *corev1.Pod, text string) bool {
	return slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool { return ip.IP == text })
}

func hasFamily(service *corev1.Service, address netip.Addr) bool {
	family := corev1.IPv4Protocol
	if address.Is6() {
		family = corev1.IPv6Protocol
	}
	return len(service.Spec.IPFamilies) == 0 || slices.Contains(service.Spec.IPFamilies, family)
}

func families(service *corev1.Service) string {
	var list []string
	for _, family := range service.Spec.IPFamilies {
		list = append(list, string(family))
	}
	return strings.Join(list, ", ")
}

// longNotReady reports whether a pod has not been ready for longer than controllers need to notice.
func (x *index) longNotReady(pod *corev1.Pod) bool {
	c := objects.PodCondition(pod, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionFalse && !x.at.IsZero() && !x.recently(c.LastTransitionTime.Time, settleTime)
}

// sliceFindings reports what contradicted itself each time that it was looked at.
func sliceFindings(x *index, subject Subject, f *findings) {
	if len(x.Doubted) == 0 {
		return
	}
	var given, left []string
	var objectsGiven, objectsLeft []string
	slice := ""
	for _, c := range x.contradictionsOf(subject) {
		switch {
		case !slices.Contains(x.Doubted, c.key()):
		case c.slice == "":
			left = append(left, c.pod+" "+c.why)
			objectsLeft = append(objectsLeft, "pod/"+c.pod)
		default:
			slice = cmp.Or(slice, c.slice)
			given = append(given, c.address+", but "+c.why)
			objectsGiven = append(objectsGiven, "pod/"+c.pod)
		}
	}
	about := "service/" + subject.Service
	report := func(objects []string, remedy, message string) {
		if _, settling := x.settling(subject); settling {
			f.progress(v1alpha1.CodeDNSSliceWrong, objects, remedy, "%s", message)
			return
		}
		f.add(v1alpha1.CodeDNSSliceWrong, v1alpha1.SeverityError, objects, remedy, "%s", message)
	}
	if len(given) > 0 {
		report(append([]string{about}, objectsGiven...), "kubectl describe endpointslice "+slice+" -n "+subject.Namespace,
			fmt.Sprintf("EndpointSlice %s of Service %s lists as ready %s", slice, subject.Service, finding.Some(given)))
	}
	if len(left) > 0 {
		report(append([]string{about}, objectsLeft...), fmt.Sprintf("kubectl get endpointslices -l %s -n %s", objects.SlicesOf(subject.Service), subject.Namespace),
			fmt.Sprintf("Service %s selects pods that are ready and gives them no DNS records: %s", subject.Service, finding.Some(left)))
	}
}

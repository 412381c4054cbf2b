package dns

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// longestSetName is the longest name of a StatefulSet whose revisions, with a dash and a hash of ten, still make a label's value.
const longestSetName = 63 - 11

// findings collects findings.
type findings []v1alpha1.Finding

func (f *findings) add(code v1alpha1.Code, severity v1alpha1.Severity, objects []string, remedy, format string, args ...any) {
	*f = append(*f, finding.New(code, severity, objects, remedy, format, args...))
}

// progress adds what is on its way and not late.
func (f *findings) progress(code v1alpha1.Code, objects []string, remedy, format string, args ...any) {
	*f = append(*f, finding.Progress(finding.New(code, v1alpha1.SeverityInfo, objects, remedy, format, args...)))
}

// sorted are the worst first.
func (f findings) sorted() []v1alpha1.Finding {
	finding.Sort(f)
	return f
}

// subjectFindings are about one Service and the pods that it is to give names to.
func subjectFindings(x *index, subject Subject, item *v1alpha1.HeadlessDNS, cluster []v1alpha1.Finding) []v1alpha1.Finding {
	var f findings
	service := x.services[subject]
	if slices.Contains(x.Ending, subject.Namespace) {
		about := []string{"namespace/" + subject.Namespace}
		if subject.Service != "" {
			about = append(about, "service/"+subject.Service)
		}
		f.progress(v1alpha1.CodeDNSNamespaceEnding, about, "kubectl get namespace "+subject.Namespace+" -o yaml",
			"namespace %s is being deleted: what its names still resolve to is not judged", subject.Namespace)
		return f
	}
	governing(x, subject, service, item, &f)
	for _, set := range x.sets[subject] {
		setFindings(x, set, &f)
	}
	if service != nil && objects.Headless(service) {
		otherSets(x, service, &f)
		selection(x, subject, service, &f)
		unselected(x, subject, service, &f)
		notReady(x, subject, service, item, &f)
		hostnames(x, subject, service, &f)
		for _, port := range service.Spec.Ports {
			if port.Name == "" {
				f.add(v1alpha1.CodeDNSUnnamedPort, v1alpha1.SeverityInfo, []string{"service/" + service.Name}, "",
					"port %d of Service %s has no name, so it has no SRV records", port.Port, service.Name)
			}
		}
	}
	ports(x, subject, service, &f)
	sliceFindings(x, subject, &f)
	recordFindings(x, subject, item, cluster, &f)
	return f.sorted()
}

// governing are the three conditions of a Service that gives a set's pods their names: it exists, has the name that the set gives,
// and is headless.
func governing(x *index, subject Subject, service *corev1.Service, item *v1alpha1.HeadlessDNS, f *findings) {
	sets := x.sets[subject]
	if len(sets) == 0 {
		if service != nil && meantHeadless(service) {
			f.add(v1alpha1.CodeDNSNotHeadless, v1alpha1.SeverityWarning, []string{"service/" + subject.Service}, "",
				"Service %s has the cluster IP %s (%s): its name does not resolve to its pods", subject.Service, service.Spec.ClusterIP, misplacedNone)
		}
		return
	}
	var names []string
	for _, set := range sets {
		names = append(names, set.Name)
	}
	who := finding.Some(names)
	about := prefixed("statefulset/", names)
	switch {
	case subject.Service == "":
		f.add(v1alpha1.CodeDNSOtherService, v1alpha1.SeverityError, about, "",
			"StatefulSet %s names no Service (serviceName is empty), and no headless Service selects its pods: they have no DNS names", who)
	case service == nil:
		f.add(v1alpha1.CodeDNSServiceMissing, v1alpha1.SeverityError, append(about, "service/"+subject.Service), "",
			"Service %s, which StatefulSet %s names, does not exist: its pods have no DNS names", subject.Service, who)
	case service.Spec.Type == corev1.ServiceTypeExternalName:
		f.add(v1alpha1.CodeDNSNotHeadless, v1alpha1.SeverityError, append(about, "service/"+subject.Service), "",
			"Service %s, which StatefulSet %s names, is an ExternalName (%s): the pods have no DNS names", subject.Service, who, service.Spec.ExternalName)
	case !objects.Headless(service):
		why := "it is not headless"
		if meantHeadless(service) {
			why += "; " + misplacedNone
		}
		f.add(v1alpha1.CodeDNSNotHeadless, v1alpha1.SeverityError, append(about, "service/"+subject.Service), "",
			"Service %s, which StatefulSet %s names, has the cluster IP %s (%s): %s", subject.Service, who, service.Spec.ClusterIP, why, namedAnyway(item))
	}
}

// misplacedNone is what is said of a Service whose loadBalancerIP is None.
const misplacedNone = "its loadBalancerIP is None, which does nothing: clusterIP: None makes a Service headless"

// meantHeadless reports whether a Service has None where it has no effect. The API takes any text for the address of a load balancer.
func meantHeadless(service *corev1.Service) bool {
	return !objects.Headless(service) && strings.EqualFold(service.Spec.LoadBalancerIP, corev1.ClusterIPNone)
}

// namedAnyway says what was seen of the names of pods whose Service promises them none.
func namedAnyway(item *v1alpha1.HeadlessDNS) string {
	asked, named := 0, 0
	for _, r := range item.Records {
		if r.Pod == "" || r.Search || len(r.Answers) == 0 {
			continue
		}
		asked++
		if len(r.Observed) > 0 {
			named++
		}
	}
	switch {
	case asked == 0:
		return "it promises its pods no DNS names"
	case named == 0:
		return "the pods have no DNS names"
	case named < asked:
		return fmt.Sprintf("it promises its pods no DNS names, and only %d of %d resolve", named, asked)
	}
	return "it promises its pods no DNS names, though these DNS servers give them some, and its own name does not resolve to the pods"
}

// setFindings are about a set's own name and about how its pods resolve names.
func setFindings(x *index, set *appsv1.StatefulSet, f *findings) {
	object := []string{"statefulset/" + set.Name}
	if len(set.Name) > longestSetName {
		f.add(v1alpha1.CodeDNSNameTooLong, v1alpha1.SeverityError, object, "",
			"the name of StatefulSet %s has %d characters: beyond %d, its revision names no longer fit into a label, and pods can't be created", set.Name, len(set.Name), longestSetName)
	}
	fullHostname(x, set, f)
	template := &set.Spec.Template.Spec
	switch policy := cmp.Or(template.DNSPolicy, corev1.DNSClusterFirst); {
	case policy == corev1.DNSDefault, policy == corev1.DNSClusterFirst && template.HostNetwork:
		why := "dnsPolicy " + string(policy)
		if template.HostNetwork && policy == corev1.DNSClusterFirst {
			why = "hostNetwork without dnsPolicy ClusterFirstWithHostNet"
		}
		f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityWarning, object, "",
			"the pods of StatefulSet %s use their node's resolv.conf (%s): they can't resolve cluster names", set.Name, why)
	case policy == corev1.DNSNone && !usesClusterDNS(x, template.DNSConfig):
		f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityWarning, object, "",
			"the pods of StatefulSet %s use custom name servers (dnsPolicy None), not the cluster's", set.Name)
	case policy == corev1.DNSNone && x.DNSService != nil && !slices.Contains(template.DNSConfig.Searches, set.Namespace+".svc."+x.domain()):
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityWarning, object, "",
			"in the pods of StatefulSet %s, short names such as %s are not completed with %s.svc.%s (dnsPolicy None, searches: %s)", set.Name, cmp.Or(set.Spec.ServiceName, "SERVICE"),
			set.Namespace, x.domain(), cmp.Or(strings.Join(template.DNSConfig.Searches, " "), "none"))
	case policy == corev1.DNSClusterFirst || policy == corev1.DNSClusterFirstWithHostNet:
		if others := otherServers(x, template.DNSConfig); len(others) > 0 {
			f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityInfo, object, "",
				"the pods of StatefulSet %s also ask %s (dnsConfig): programs with musl (Alpine images) ask all name servers at once, and take its word that a name does not exist", set.Name, finding.Some(others))
		}
	}
	if ndots, low := lowNdots(template.DNSConfig); low {
		f.add(v1alpha1.CodeDNSSearchPath, v1alpha1.SeverityWarning, object, "",
			"in the pods of StatefulSet %s, names with a dot, such as %s-0.%s, are looked up outside the cluster first (dnsConfig: ndots:%d)",
			set.Name, set.Name, cmp.Or(set.Spec.ServiceName, "SERVICE"), ndots)
	}
}

func usesClusterDNS(x *index, config *corev1.PodDNSConfig) bool {
	if config == nil || x.DNSService == nil {
		return x.DNSService == nil
	}
	return slices.ContainsFunc(config.Nameservers, func(nameserver string) bool {
		return objects.HasClusterIP(x.DNSService, nameserver) || linkLocal(nameserver)
	})
}

// otherServers are name servers that a template adds to the cluster's.
func otherServers(x *index, config *corev1.PodDNSConfig) []string {
	if config == nil || x.DNSService == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(config.Nameservers), func(nameserver string) bool {
		return objects.HasClusterIP(x.DNSService, nameserver) || linkLocal(nameserver)
	})
}

// longestHostname is how long a name may be that a machine calls itself by.
const longestHostname = 64

// fullHostname reports pods that are to have their full DNS name as hostname, which is too long for one: their kubelet does not start them. One
// that runs all the same is none.
func fullHostname(x *index, set *appsv1.StatefulSet, f *findings) {
	names := objects.PodNames(set)
	if full := set.Spec.Template.Spec.SetHostnameAsFQDN; full == nil || !*full || set.Spec.ServiceName == "" || x.unread(subjectPods) {
		return
	}
	var late []string
	longest := ""
	for _, name := range names {
		full := name + "." + set.Spec.ServiceName + "." + set.Namespace + ".svc." + x.domain()
		if pod := x.pod(set.Namespace, name); len(full) > longestHostname && (pod == nil || pod.Status.Phase == corev1.PodPending) {
			late, longest = append(late, name), full
		}
	}
	if len(late) > 0 {
		f.add(v1alpha1.CodeDNSNameTooLong, v1alpha1.SeverityError, append([]string{"statefulset/" + set.Name}, prefixed("pod/", late)...), "kubectl describe pod "+late[0]+" -n "+set.Namespace,
			"the pods of StatefulSet %s are to have their full name as hostname (setHostnameAsFQDN), and %s has %d characters: beyond %d, kubelets don't start them", set.Name, longest, len(longest), longestHostname)
	}
}

// lowNdots reads ndots where it is so low that POD.SERVICE counts as a full name.
func lowNdots(config *corev1.PodDNSConfig) (int, bool) {
	if config == nil {
		return 0, false
	}
	for _, option := range config.Options {
		if option.Name == "ndots" && option.Value != nil {
			n, err := strconv.Atoi(*option.Value)
			return n, err == nil && n <= 1
		}
	}
	return 0, false
}

// otherSets reports sets whose pods a headless Service selects although they name another one.
func otherSets(x *index, service *corev1.Service, f *findings) {
	for i := range x.StatefulSets {
		set := &x.StatefulSets[i]
		if set.Namespace != service.Namespace || set.Spec.ServiceName == service.Name || !objects.Selects(service, set.Spec.Template.Labels) {
			continue
		}
		named := x.services[Subject{Namespace: set.Namespace, Service: set.Spec.ServiceName}]
		severity := v1alpha1.SeverityInfo
		other := fmt.Sprintf("names Service %s", set.Spec.ServiceName)
		switch {
		case set.Spec.ServiceName == "":
			severity, other = v1alpha1.SeverityError, "names no Service (serviceName is empty)"
		case named == nil:
			severity, other = v1alpha1.SeverityError, other+", which does not exist"
		case !objects.Headless(named):
			severity, other = v1alpha1.SeverityError, other+", which is not headless"
		}
		f.add(v1alpha1.CodeDNSOtherService, severity, []string{"service/" + service.Name, "statefulset/" + set.Name}, "",
			"Service %s selects the pods of StatefulSet %s but gives them no DNS names of their own: the set %s", service.Name, set.Name, other)
	}
}

// selection reports a selector that matches nothing: it is wrong, or there are no pods, which then are named.
func selection(x *index, subject Subject, service *corev1.Service, f *findings) {
	if len(service.Spec.Selector) == 0 || x.unread(subjectPods) {
		return
	}
	if len(x.selects(service)) > 0 {
		return
	}
	selector := objects.SelectorOf(service)
	wrong, none := "", ""
	var noPods []string
	for _, set := range x.sets[subject] {
		switch {
		case !objects.Selects(service, set.Spec.Template.Labels):
			wrong = fmt.Sprintf("; the pods of StatefulSet %s have %s", set.Name, metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: set.Spec.Template.Labels}))
		case objects.DesiredReplicas(set) == 0:
			return // nothing is what is wanted
		case slices.ContainsFunc(x.pods[subject.Namespace], func(pod *corev1.Pod) bool { return metav1.IsControlledBy(pod, set) }):
			wrong = fmt.Sprintf("; the pods of StatefulSet %s don't have the labels of its template", set.Name)
		default:
			none = fmt.Sprintf("; StatefulSet %s has no pods", set.Name)
			noPods = append(noPods, objects.PodNames(set)...)
		}
	}
	if wrong != "" {
		noPods = nil
	}
	objects, remedy := append([]string{"service/" + service.Name}, prefixed("pod/", noPods)...), "kubectl get pods --show-labels -n "+subject.Namespace
	message := fmt.Sprintf("the selector of Service %s (%s) matches no pod%s", service.Name, selector, cmp.Or(wrong, none))
	if wrong == "" && x.firstPodsToCome(subject, service) {
		f.progress(v1alpha1.CodeDNSSelectsNothing, objects, remedy, "%s: it is new, or its pods have just been removed", message)
		return
	}
	f.add(v1alpha1.CodeDNSSelectsNothing, v1alpha1.SeverityError, objects, remedy, "%s", message)
}

// unselected reports sets that name a headless Service which selects pods, but not theirs. That it selects none at all is another finding.
func unselected(x *index, subject Subject, service *corev1.Service, f *findings) {
	if x.unread(subjectPods) || x.unread(subjectSlices) {
		return
	}
	selectsSome := len(x.selects(service)) > 0
	for _, set := range x.sets[subject] {
		if objects.Selects(service, set.Spec.Template.Labels) || !selectsSome && len(service.Spec.Selector) > 0 || x.listed(subject, set) || objects.DesiredReplicas(set) == 0 {
			continue
		}
		message := fmt.Sprintf("the selector of Service %s (%s) does not match the pods of StatefulSet %s, which names it and whose pods have %s: they have no DNS names",
			service.Name, objects.SelectorOf(service), set.Name, metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: set.Spec.Template.Labels}))
		if len(service.Spec.Selector) == 0 {
			message = fmt.Sprintf("Service %s has no selector, and none of its EndpointSlices lists the pods of StatefulSet %s, which names it: they have no DNS names", service.Name, set.Name)
		}
		f.add(v1alpha1.CodeDNSSelectsNothing, v1alpha1.SeverityError, []string{"service/" + service.Name, "statefulset/" + set.Name}, "kubectl get pods --show-labels -n "+subject.Namespace, "%s", message)
	}
}

// listed reports whether an endpoint of a Service is a pod of a set: someone else than a selector put it there.
func (x *index) listed(subject Subject, set *appsv1.StatefulSet) bool {
	return slices.ContainsFunc(x.endpoints(subject), func(e endpoint) bool {
		_, ok := objects.OrdinalOf(cmp.Or(e.pod, e.hostname), set.Name)
		return ok
	})
}

// firstPodsToCome reports whether a Service may have no pods yet: it or a set is new, a set is being changed, or pods have just gone,
// which may be replaced.
func (x *index) firstPodsToCome(subject Subject, service *corev1.Service) bool {
	if _, settling := x.settling(subject); settling || x.recently(service.CreationTimestamp.Time, firstPods) {
		return true
	}
	return slices.ContainsFunc(x.sets[subject], func(set *appsv1.StatefulSet) bool {
		return x.recently(set.CreationTimestamp.Time, firstPods) || set.Status.ObservedGeneration < set.Generation
	})
}

// notReady reports pods that are left out until they are ready.
func notReady(x *index, subject Subject, service *corev1.Service, item *v1alpha1.HeadlessDNS, f *findings) {
	if service.Spec.PublishNotReadyAddresses {
		return
	}
	ending := map[string]bool{} // of all that are left out, whether they are about to end
	for _, r := range item.Records {
		if r.NoneExpected == podNotReady || r.NoneExpected == podTerminating {
			ending[r.Pod] = r.NoneExpected == podTerminating
		}
	}
	for _, e := range x.endpoints(subject) {
		pod := x.pod(subject.Namespace, e.pod)
		if e.ready || e.pod == "" || pod != nil && objects.PodReady(pod) && !objects.Terminating(pod) {
			continue // of a pod that is ready the endpoint has only not followed yet
		}
		ending[e.pod] = ending[e.pod] || e.terminating || pod != nil && objects.Terminating(pod)
	}
	type way struct{ ending, inTime bool }
	left := map[way][]string{}
	for _, name := range slices.SortedFunc(maps.Keys(ending), objects.CompareNames) {
		w := way{ending[name], x.podInTime(subject.Namespace, name)}
		left[w] = append(left[w], name)
	}
	for _, w := range []way{{false, false}, {true, false}, {false, true}, {true, true}} {
		pods := left[w]
		if len(pods) == 0 {
			continue
		}
		about, remedy := prefixed("pod/", pods), "kubectl describe pod "+pods[0]+" -n "+subject.Namespace
		message := fmt.Sprintf("%s %s not ready and therefore left out of Service %s (publishNotReadyAddresses is false)", finding.Some(pods), isAre(len(pods)), service.Name)
		if w.ending {
			message = fmt.Sprintf("%s %s terminating and therefore left out of Service %s", finding.Some(pods), isAre(len(pods)), service.Name)
		}
		switch {
		case !w.inTime && w.ending:
			f.add(v1alpha1.CodeDNSNotReady, v1alpha1.SeverityWarning, about, remedy, "%s, for longer than its grace period", message)
		case !w.inTime:
			f.add(v1alpha1.CodeDNSNotReady, v1alpha1.SeverityWarning, about, remedy, "%s", message)
		case w.ending:
			f.progress(v1alpha1.CodeDNSNotReady, about, remedy, "%s", message)
		default:
			f.progress(v1alpha1.CodeDNSNotReady, about, remedy, "%s: in progress for %s", message, x.longestWay(subject.Namespace, pods))
		}
	}
}

// podInTime reports whether a pod is on its way, and not late; one that is gone already is.
func (x *index) podInTime(namespace, name string) bool {
	if x.unread(subjectPods) {
		return false
	}
	pod := x.pod(namespace, name)
	return pod == nil || objects.ProgressOf(pod, x.at).InTime()
}

// longestWay says since when the first of pods is on its way.
func (x *index) longestWay(namespace string, names []string) string {
	since := x.at
	for _, name := range names {
		if pod := x.pod(namespace, name); pod != nil {
			if p := objects.ProgressOf(pod, x.at); p.Since.Before(since) {
				since = p.Since
			}
		}
	}
	return x.ago(since)
}

// hostnames reports pods that a headless Service lists without a name of their own.
func hostnames(x *index, subject Subject, service *corev1.Service, f *findings) {
	var nameless, owned []string
	for _, e := range x.endpoints(subject) {
		if e.hostname != "" || e.pod == "" {
			continue
		}
		pod := x.pod(subject.Namespace, e.pod)
		if pod == nil {
			continue
		}
		switch {
		case objects.StatefulSetOf(pod) == nil:
			nameless = append(nameless, e.pod)
		case slices.ContainsFunc(x.sets[subject], func(set *appsv1.StatefulSet) bool { return metav1.IsControlledBy(pod, set) }):
			owned = append(owned, e.pod)
		}
	}
	slices.SortFunc(nameless, objects.CompareNames)
	slices.SortFunc(owned, objects.CompareNames)
	nameless, owned = slices.Compact(nameless), slices.Compact(owned)
	if len(nameless) > 0 {
		f.add(v1alpha1.CodeDNSNoHostname, v1alpha1.SeverityInfo, prefixed("pod/", nameless), "",
			"pods without a hostname, or with a subdomain other than %s, have no DNS names of their own: %s", service.Name, finding.Some(nameless))
	}
	if len(owned) > 0 {
		f.add(v1alpha1.CodeDNSNoHostname, v1alpha1.SeverityError, prefixed("pod/", owned), "kubectl delete pod "+owned[0]+" -n "+subject.Namespace+"",
			"pods of the set have no DNS names of their own, because their hostname is empty or their subdomain is not %s: %s", service.Name, finding.Some(owned))
	}
}

func prefixed(prefix string, names []string) []string {
	if len(names) == 0 {
		return nil
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = prefix + name
	}
	return list
}

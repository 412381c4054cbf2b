// Package dns is kubectl doik dns: the records that headless Services and their pods should have, computed from the API, against
// those that are resolved in the cluster.
package dns

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// Query says what to collect and who asks.
type Query struct {
	// Namespace is empty for all namespaces; then Targets is empty too.
	Namespace string
	// Targets and Selector choose Services, by themselves or by the StatefulSets that name them; at most one of the two is set.
	Targets   []Target
	Selector  string
	ChunkSize int64
	From      From
	// FromLabels is a StatefulSet whose pods' labels the debug pod wears; empty for none.
	FromLabels string
	// FromNamespace is where the debug pod is made, and where the pod is that asks.
	FromNamespace string
	// Container is the one that asks in an existing pod; empty for its default.
	Container string
	// Image, PullSecret and Node are the debug pod's; Image is the ephemeral container's too.
	Image, PullSecret, Node string
	// Lifetime is when what was made for asking ends by itself.
	Lifetime time.Duration
	// DNSService is namespace/name of the Service of the cluster's DNS.
	DNSService string
	// ClusterDomain is empty to find it out.
	ClusterDomain string
	// Tolerant takes it for a problem, and no error, if there is no way to query: what the API promises is analyzed all the same.
	Tolerant bool
	// RetryNegative asks once more where records are missing, after negative answers have left the caches.
	RetryNegative bool
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// Target is a Service, a StatefulSet, or whichever has the name.
type Target struct {
	// Kind is KindService, that of a set, or empty.
	Kind, Name string
}

// Kinds of targets.
const (
	KindService     = "Service"
	KindStatefulSet = objects.KindStatefulSet
)

// From says who asks.
type From struct {
	// Kind is that of the report's vantage.
	Kind v1alpha1.DNSVantageKind
	// Pod is the name of an existing pod.
	Pod string
}

// Snapshot is everything that the analysis reads. Objects are as the API has them, less what is not read.
type Snapshot struct {
	// Subjects are what was chosen, by namespace and name.
	Subjects        []Subject                    `json:"subjects"`
	Services        []corev1.Service             `json:"services,omitempty"`
	StatefulSets    []appsv1.StatefulSet         `json:"statefulSets,omitempty"`
	Pods            []corev1.Pod                 `json:"pods,omitempty"`
	EndpointSlices  []discoveryv1.EndpointSlice  `json:"endpointSlices,omitempty"`
	NetworkPolicies []networkingv1.NetworkPolicy `json:"networkPolicies,omitempty"`

	// DNSServiceName is the namespace/name that was looked for, or found under another name; DNSService what was found. Sought is where
	// it was looked for as long as it has not been found.
	DNSServiceName string          `json:"dnsServiceName,omitempty"`
	DNSService     *corev1.Service `json:"dnsService,omitempty"`
	Sought         []string        `json:"sought,omitempty"`
	// DNSPods are the pods behind it, ready or not, as far as they could be read: then DNSPodsRead is true.
	DNSPods     []corev1.Pod `json:"dnsPods,omitempty"`
	DNSPodsRead bool         `json:"dnsPodsRead,omitempty"`
	// DNSChanged is when the endpoints of the DNS Service last changed, as far as that is known.
	DNSChanged *metav1.Time `json:"dnsChanged,omitempty"`
	// DNSNamespaceLabels are those of its namespace.
	DNSNamespaceLabels map[string]string `json:"dnsNamespaceLabels,omitempty"`
	// NodeLocalPods are pods of a NodeLocal DNSCache; NodeCaches are the same, with what tells how they are.
	NodeLocalPods []string     `json:"nodeLocalPods,omitempty"`
	NodeCaches    []corev1.Pod `json:"nodeCaches,omitempty"`

	Vantage v1alpha1.DNSVantage `json:"vantage"`
	// PodsService is the Service whose address pods ask, if it is another than the DNS Service, and PodsServers are what is behind it.
	// PodsServiceRead means that there is no such Service where it is nil.
	PodsService     *corev1.Service      `json:"podsService,omitempty"`
	PodsServers     []v1alpha1.DNSServer `json:"podsServers,omitempty"`
	PodsServiceRead bool                 `json:"podsServiceRead,omitempty"`
	// VantageLabels are those of the pod that asks.
	VantageLabels map[string]string `json:"vantageLabels,omitempty"`
	// OwnResolver says why the pod that asks is not given the cluster's DNS; it is empty for one that is.
	OwnResolver string `json:"ownResolver,omitempty"`
	// OwnAddresses are those of debug pods, which a Service may select.
	OwnAddresses []string `json:"ownAddresses,omitempty"`
	// DomainGiven says that the user named the cluster's domain.
	DomainGiven bool `json:"domainGiven,omitempty"`

	// Answers are those of the resolver, or of each server in turn if the servers were asked themselves. ServerAnswers are those of
	// the servers that were asked beside the resolver. Again are answers to questions asked a second time.
	Answers       []resolve.Answer `json:"answers,omitempty"`
	ServerAnswers []resolve.Answer `json:"serverAnswers,omitempty"`
	Again         []resolve.Answer `json:"again,omitempty"`
	// OtherFamily are answers about Services' names in the family of addresses that they don't have: there is no such record, but the name exists.
	OtherFamily []resolve.Answer `json:"otherFamily,omitempty"`
	// Undotted is the answer about a full name that was written without a dot at its end, and so went through the search path.
	Undotted []resolve.Answer `json:"undotted,omitempty"`

	// Moved are Services whose pods or endpoints changed while names were asked for; Ending are the namespaces that are being deleted; Doubted
	// are endpoints that contradicted pods each time that both were read. They are looked for only where something is not as expected.
	Moved   []Subject `json:"moved,omitempty"`
	Ending  []string  `json:"ending,omitempty"`
	Doubted []string  `json:"doubted,omitempty"`

	// TooEarly are names that were not asked for, because a pod will have them in a moment.
	TooEarly []string `json:"tooEarly,omitempty"`
	// AskedAt is when the last question had been answered: what is said of times is said of this one.
	AskedAt *metav1.Time `json:"askedAt,omitempty"`
	// NotAsked says in a few words why nothing was asked, if something prevented it.
	NotAsked string `json:"notAsked,omitempty"`
	// DebugPodFlag is the flag with which a pod would have asked.
	DebugPodFlag string `json:"debugPodFlag,omitempty"`

	// Problems by what could not be read.
	Problems map[string]v1alpha1.Problem `json:"problems,omitempty"`
}

// Subject is a Service, which a StatefulSet may name without there being one, or a StatefulSet that names none.
type Subject struct {
	Namespace string `json:"namespace"`
	Service   string `json:"service,omitempty"`
	Set       string `json:"set,omitempty"`
}

// Keys of Snapshot.Problems.
const (
	subjectSets     = "statefulsets"
	subjectPods     = "pods"
	subjectSlices   = "endpointslices"
	subjectPolicies = "networkpolicies"
	subjectServers  = "dns servers"
	subjectAsking   = "asking"
)

// Collect reads Services and what is around them, asks for all their names, and looks at the API again where an answer is not what
// was expected. It fails if the Services can't be read or if there is no way to query; what else can't be read is a problem in the
// snapshot.
func Collect(ctx context.Context, cluster *kube.Cluster, q Query) (*Snapshot, error) {
	if q.Progress == nil {
		q.Progress = func(string) {}
	}
	q.Progress("reading Services and StatefulSets")
	s := &Snapshot{DNSServiceName: q.DNSService, DebugPodFlag: "--from=debug-pod", Vantage: v1alpha1.DNSVantage{Kind: v1alpha1.VantageNone, ClusterDomain: q.ClusterDomain}, DomainGiven: q.ClusterDomain != "", Problems: map[string]v1alpha1.Problem{}}
	if q.Tolerant { // check has the flag under another name
		s.DebugPodFlag = "--debug-pod"
	}
	if err := s.collectSubjects(ctx, cluster, q); err != nil {
		return nil, kube.Explain(err)
	}
	if len(s.Subjects) == 0 {
		return s, nil
	}
	q.Progress("reading pods and endpoints")
	s.collectAround(ctx, cluster, q)
	s.collectWay(ctx, cluster, q)
	err := s.ask(ctx, cluster, q)
	s.AskedAt = new(metav1.Now()) // what is compared with it was read just now, whenever it is analyzed
	err = s.outOfTime(ctx, err)
	if err != nil {
		if !s.anyAnswer() && !q.Tolerant || errors.Is(ctx.Err(), context.Canceled) {
			return nil, kube.Explain(err)
		}
		s.Problems[subjectAsking] = kube.ProblemOf("DNS", err) // what has been answered is worth showing
		s.NotAsked = s.fewWords(err)
	}
	s.confirm(ctx, cluster.Fresh(), q)
	if err := kube.Interrupted(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// collectWay finds the DNS servers and, where no pod asks them, what pods are given to find them.
func (s *Snapshot) collectWay(ctx context.Context, cluster *kube.Cluster, q Query) {
	var group sync.WaitGroup
	var pods *v1alpha1.PodResolution
	if q.From.Kind == v1alpha1.VantageServers {
		group.Go(func() { pods = s.podResolution(ctx, cluster) })
	}
	s.collectServers(ctx, cluster, q)
	group.Wait()
	s.Vantage.Pods = pods
	s.lookBehind(ctx, cluster)
	if _, unread := s.Problems[subjectServers]; s.DNSService == nil && !unread {
		s.readPods(ctx, cluster, systemSpace, appLabel+" in ("+dnsApp+","+nodeLocalApp+")", func(pod *corev1.Pod) bool { return pod.Labels[appLabel] == dnsApp })
	}
}

// silent reports whether a server did not answer, or none was ready.
func (s *Snapshot) silent() bool {
	return s.unanswered() ||
		!slices.ContainsFunc(s.Vantage.Servers, func(server v1alpha1.DNSServer) bool { return server.Ready })
}

// fewWords is an error without what a line of a table has no room for.
func (s *Snapshot) fewWords(err error) string {
	if problem, unread := s.Problems[subjectServers]; unread {
		return problem.Message
	}
	var status apierrors.APIStatus
	if apierrors.IsForbidden(err) && errors.As(err, &status) && strings.Contains(err.Error(), "cannot create resource") {
		if details := status.Status().Details; details != nil && details.Kind != "" {
			return "no permission to create " + details.Kind
		}
	}
	problem := kube.ProblemOf("", err)
	var late *outOfTimeError
	switch {
	case errors.As(err, &late):
		return resolve.TimeRanOut
	case problem.Reason == v1alpha1.ReasonTimeout:
		return "no answer in time"
	}
	return shorten(problem.Message)
}

// collectSubjects reads Services and StatefulSets and chooses among them.
func (s *Snapshot) collectSubjects(ctx context.Context, cluster *kube.Cluster, q Query) error {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	_, err := kube.SideBySide(ctx, s.Problems,
		kube.Read{Title: "Services", Needed: true, Do: func(ctx context.Context) error {
			return cluster.EachService(ctx, all, func(service *corev1.Service) {
				s.Services = append(s.Services, *service)
			})
		}},
		kube.Read{Subject: subjectSets, Title: "StatefulSets", Do: func(ctx context.Context) error {
			return cluster.EachStatefulSet(ctx, all, func(set *appsv1.StatefulSet) {
				s.StatefulSets = append(s.StatefulSets, *set)
			})
		}})
	if err != nil {
		return err
	}
	if len(q.Targets) == 0 {
		selector, err := labels.Parse(q.Selector)
		if err != nil {
			return err
		}
		s.chooseAll(selector)
		return nil
	}
	for _, target := range q.Targets {
		err := s.choose(target, q.Namespace)
		if err != nil && target.Kind != KindService && s.chooseByPods(ctx, cluster, q, target) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chooseByPods takes the headless Services of the pods of a set that is no StatefulSet, as operators use in the place of one. It reports whether
// there is such a set; it may have no headless Service.
func (s *Snapshot) chooseByPods(ctx context.Context, cluster *kube.Cluster, q Query, target Target) (found bool) {
	name := sets.Name{Kind: target.Kind, Name: target.Name}
	if q.Tolerant && target.Kind == KindStatefulSet { // which is what is asked for where the kind is not known
		name.Kind = ""
	}
	err := cluster.EachPod(ctx, kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, func(pod *corev1.Pod) {
		owner := sets.Owner(pod)
		if owner == nil || !name.Takes(owner.Kind, owner.Name) {
			return
		}
		found = true
		for i := range s.Services {
			service := &s.Services[i]
			if service.Namespace == pod.Namespace && objects.Headless(service) && objects.Selects(service, pod.Labels) {
				s.add(Subject{Namespace: service.Namespace, Service: service.Name})
			}
		}
	})
	return err == nil && found
}

// chooseAll takes headless Services, and what StatefulSets name.
func (s *Snapshot) chooseAll(selector labels.Selector) {
	for i := range s.Services {
		service := &s.Services[i]
		if (objects.Headless(service) || meantHeadless(service)) && selector.Matches(labels.Set(service.Labels)) {
			s.add(Subject{Namespace: service.Namespace, Service: service.Name})
		}
	}
	for i := range s.StatefulSets {
		if set := &s.StatefulSets[i]; selector.Matches(labels.Set(set.Labels)) {
			s.addSet(set)
		}
	}
	slices.SortFunc(s.Subjects, func(a, b Subject) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Set, b.Set))
	})
}

// choose takes the Service of a name and those of the StatefulSet of that name.
func (s *Snapshot) choose(target Target, namespace string) error {
	var names []string
	found := false
	if target.Kind == KindService || target.Kind == "" {
		for i := range s.Services {
			names = append(names, s.Services[i].Name)
			if s.Services[i].Name == target.Name {
				found = true
				s.add(Subject{Namespace: namespace, Service: target.Name})
			}
		}
	}
	if target.Kind == KindStatefulSet || target.Kind == "" {
		for i := range s.StatefulSets {
			names = append(names, s.StatefulSets[i].Name)
			if s.StatefulSets[i].Name == target.Name {
				found = true
				s.addSet(&s.StatefulSets[i])
			}
		}
	}
	if found {
		return nil
	}
	if problem, unread := s.Problems[subjectSets]; unread && target.Kind != KindService {
		return errors.New(problem.Message)
	}
	return kube.NotFound(cmp.Or(target.Kind, "StatefulSet or Service"), namespace, target.Name, names)
}

// addSet takes the Service that a set names and the headless ones that select its pods; the set itself if there are none.
func (s *Snapshot) addSet(set *appsv1.StatefulSet) {
	found := set.Spec.ServiceName != ""
	if found {
		s.add(Subject{Namespace: set.Namespace, Service: set.Spec.ServiceName})
	}
	for i := range s.Services {
		service := &s.Services[i]
		if service.Namespace == set.Namespace && objects.Headless(service) && objects.Selects(service, set.Spec.Template.Labels) {
			found = true
			s.add(Subject{Namespace: service.Namespace, Service: service.Name})
		}
	}
	if !found {
		s.add(Subject{Namespace: set.Namespace, Set: set.Name})
	}
}

func (s *Snapshot) add(subject Subject) {
	if !slices.Contains(s.Subjects, subject) {
		s.Subjects = append(s.Subjects, subject)
	}
}

// collectAround reads the pods, EndpointSlices and NetworkPolicies of the namespace: the PTR records of an address may come from any
// of its Services.
func (s *Snapshot) collectAround(ctx context.Context, cluster *kube.Cluster, q Query) {
	all := kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}
	where := " " + kube.Where(q.Namespace)
	_, _ = kube.SideBySide(ctx, s.Problems, // none is needed
		kube.Read{Subject: subjectPods, Title: "pods" + where, Do: func(ctx context.Context) error {
			var pods []corev1.Pod
			err := cluster.EachPod(ctx, all, func(pod *corev1.Pod) {
				if !kube.IsDebugPod(pod.Name) {
					pods = append(pods, *pod)
				}
			})
			if err == nil {
				s.Pods = pods
			}
			return err
		}},
		kube.Read{Subject: subjectSlices, Title: "EndpointSlices" + where, Do: func(ctx context.Context) error {
			var endpoints []discoveryv1.EndpointSlice
			var own []string
			err := cluster.EachEndpointSlice(ctx, all, func(slice *discoveryv1.EndpointSlice) {
				endpoints = append(endpoints, *slice)
				own = append(own, debugAddresses(slice)...)
			})
			if err == nil {
				s.EndpointSlices, s.OwnAddresses = endpoints, append(s.OwnAddresses, own...)
			}
			return err
		}},
		kube.Read{Subject: subjectPolicies, Title: "NetworkPolicies" + where, Do: func(ctx context.Context) error {
			var policies []networkingv1.NetworkPolicy
			err := cluster.EachNetworkPolicy(ctx, all, func(policy *networkingv1.NetworkPolicy) {
				policies = append(policies, *policy)
			})
			if err == nil {
				s.NetworkPolicies = policies
			}
			return err
		}})
}

// debugAddresses are those of debug pods among a Service's endpoints: of this run's, or of another's.
func debugAddresses(slice *discoveryv1.EndpointSlice) []string {
	var list []string
	for i := range slice.Endpoints {
		if kube.IsDebugPod(objects.EndpointPod(&slice.Endpoints[i]).Name) {
			list = append(list, slice.Endpoints[i].Addresses...)
		}
	}
	return list
}

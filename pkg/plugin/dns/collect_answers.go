package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

const (
	// dnsPort is the port of DNS servers that tools ask without being told.
	dnsPort = 53
	// defaultNegativeTTL is how long negative answers are kept where the TTL is unknown: CoreDNS's stock configuration.
	defaultNegativeTTL = 30 * time.Second
)

// ask queries all names from within the cluster.
func (s *Snapshot) ask(ctx context.Context, cluster *kube.Cluster, q Query) error {
	switch q.From.Kind {
	case v1alpha1.VantageServers:
		return s.askServers(ctx, cluster, q)
	case v1alpha1.VantagePod:
		pod, err := cluster.Pod(ctx, q.FromNamespace, q.From.Pod)
		if err != nil {
			return err
		}
		container, err := runningContainer(pod, q.Container)
		if err != nil {
			return err
		}
		return s.askIn(ctx, cluster, q, pod, container)
	case v1alpha1.VantageEphemeral:
		return cluster.WithEphemeralContainer(ctx, kube.EphemeralContainer{
			Namespace: q.FromNamespace, Pod: q.From.Pod, Image: q.Image, Lifetime: q.Lifetime, Progress: q.Progress,
		}, func(pod *corev1.Pod, container string) error { return s.askIn(ctx, cluster, q, pod, container) })
	}
	wear, err := s.templateLabels(q)
	if err != nil {
		return err
	}
	err = cluster.WithDebugPod(ctx, kube.DebugPod{
		Namespace: q.FromNamespace, Image: q.Image, PullSecret: q.PullSecret, Node: q.Node, Labels: wear, Lifetime: q.Lifetime, Progress: q.Progress,
	}, func(pod *corev1.Pod) error {
		for _, ip := range pod.Status.PodIPs {
			s.OwnAddresses = append(s.OwnAddresses, ip.IP)
		}
		return s.askIn(ctx, cluster, q, pod, kube.DebugContainer)
	})
	var left *kube.LeftBehindError
	if errors.As(err, &left) && len(s.Answers) > 0 {
		s.Problems["debug pod"] = v1alpha1.Problem{Subject: "debug pod", Reason: v1alpha1.ReasonUnavailable, Message: left.Error()}
		return nil
	}
	return err
}

// templateLabels are the labels of a set's pods.
func (s *Snapshot) templateLabels(q Query) (map[string]string, error) {
	if q.FromLabels == "" {
		return nil, nil
	}
	i := slices.IndexFunc(s.StatefulSets, func(set appsv1.StatefulSet) bool {
		return set.Name == q.FromLabels && set.Namespace == q.FromNamespace
	})
	if i < 0 {
		var names []string
		for j := range s.StatefulSets {
			names = append(names, s.StatefulSets[j].Name)
		}
		return nil, fmt.Errorf("--from-labels: %w", kube.NotFound("StatefulSet", q.FromNamespace, q.FromLabels, names))
	}
	return s.StatefulSets[i].Spec.Template.Labels, nil
}

// runningContainer is the container of a name, else the pod's default, which must run.
func runningContainer(pod *corev1.Pod, name string) (string, error) {
	name = cmp.Or(name, pod.Annotations["kubectl.kubernetes.io/default-container"], pod.Spec.Containers[0].Name)
	var names []string
	for _, status := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses) {
		if status.Name == name && status.State.Running != nil {
			return name, nil
		}
		names = append(names, status.Name)
	}
	if !slices.Contains(names, name) {
		return "", fmt.Errorf("pod %s has no container %q: it has %s", pod.Name, name, strings.Join(names, ", "))
	}
	return "", fmt.Errorf("container %s of pod %s is not running: see kubectl describe pod %s -n %s", name, pod.Name, pod.Name, pod.Namespace)
}

// askIn asks in a container.
func (s *Snapshot) askIn(ctx context.Context, cluster *kube.Cluster, q Query, pod *corev1.Pod, container string) error {
	q.Progress("resolving")
	session, err := resolve.NewSession(ctx, cluster, kube.Container{Namespace: pod.Namespace, Pod: pod.Name, Name: container})
	if err != nil {
		return err
	}
	defer session.Close()
	v := &s.Vantage
	v.Kind, v.Namespace, v.Pod, v.Container, v.Node, v.Image, v.Tool = q.From.Kind, pod.Namespace, pod.Name, container, pod.Spec.NodeName, imageOf(pod, container), v1alpha1.DNSTool(session.Tool)
	v.Nameservers, v.Search, v.Options = session.Config.Nameservers, session.Config.Search, session.Config.Options
	s.VantageLabels, s.OwnResolver = pod.Labels, ownResolver(&pod.Spec)
	if s.DNSService == nil && s.DNSServiceName == defaultDNSService && len(v.Nameservers) > 0 {
		if service, _ := s.atAddress(ctx, cluster, v.Nameservers[0]); service != nil {
			s.readServers(ctx, cluster, service)
		}
	}
	v.ClusterDomain = cmp.Or(q.ClusterDomain, domainOf(v.Search))
	if v.ClusterDomain == "" {
		answers, err := session.Ask(ctx, s.domainQuestions(), func(int) {})
		if err != nil {
			return err
		}
		v.ClusterDomain = cmp.Or(domainIn(answers), defaultDomain)
	}
	questions := s.toAsk()
	ofServers, others, undotted := s.serverQuestions(), s.otherFamily(), s.undotted()
	all := slices.Concat(questions, ofServers, others, undotted, s.domainQuestions())
	answers, err := session.Ask(ctx, all, func(done int) { q.Progress(fmt.Sprintf("resolving: %d of %d", done, len(all))) })
	take := func(n int) (first []resolve.Answer) {
		first, answers = answers[:n:n], answers[n:]
		return first
	}
	s.Answers, s.ServerAnswers, s.OtherFamily = take(len(questions)), take(len(ofServers)), take(len(others))
	s.Undotted = take(len(undotted))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(slices.Concat(s.Answers, s.ServerAnswers), func(a resolve.Answer) bool { return a.Status == resolve.StatusNoError }) {
		// Nothing answers the resolver, so that no more was asked: do the servers answer, past the Service?
		s.ServerAnswers, _ = session.Ask(ctx, s.questionsOfServers(1), func(int) {})
	}
	s.served(answers, domainOf(v.Search), func(second []resolve.Question) []resolve.Answer {
		answers, _ := session.Ask(ctx, second, func(int) {})
		return answers
	})
	return s.askAgain(ctx, q, func(again []resolve.Question) error {
		s.Again, err = session.Ask(ctx, again, func(int) {})
		return err
	})
}

// toAsk are the questions to ask now, without those that come too early.
func (s *Snapshot) toAsk() []resolve.Question {
	s.TooEarly = tooEarly(s, metav1.Now().Time)
	return slices.DeleteFunc(questionsOf(s), func(q resolve.Question) bool { return slices.Contains(s.TooEarly, q.Name) })
}

func imageOf(pod *corev1.Pod, container string) string {
	for _, status := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses) {
		if status.Name == container {
			return status.Image
		}
	}
	return ""
}

// domainOf is the cluster's domain as the kubelet wrote it into a search path: shop.svc.cluster.local svc.cluster.local cluster.local.
func domainOf(search []string) string {
	for _, domain := range search {
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(domain, "."), "svc."); ok && resolve.ValidName(rest) {
			return rest
		}
	}
	return ""
}

// domainQuestions ask for the name of the DNS Service's own address, which ends with the cluster's domain.
func (s *Snapshot) domainQuestions() []resolve.Question {
	if s.DNSService == nil {
		return nil
	}
	address, err := netip.ParseAddr(s.DNSService.Spec.ClusterIP)
	if err != nil {
		return nil
	}
	return []resolve.Question{{Name: resolve.ReverseName(address), Type: resolve.TypePTR}}
}

func domainIn(answers []resolve.Answer) string {
	for i := range answers {
		for _, record := range answers[i].Records {
			if _, domain, ok := strings.Cut(strings.TrimSuffix(record.Data, "."), ".svc."); ok && resolve.ValidName(domain) {
				return domain
			}
		}
	}
	return ""
}

// served notes the domain that the servers have, by the name that they gave the DNS Service's address. A server may have several
// domains, of which it names the first: if it knows the DNS Service in that of the pods too, it is theirs.
func (s *Snapshot) served(answers []resolve.Answer, pods string, ask func([]resolve.Question) []resolve.Answer) {
	domain := domainIn(answers)
	if domain != "" && pods != "" && !strings.EqualFold(domain, pods) {
		name := s.DNSService.Name + "." + s.DNSService.Namespace + ".svc." + pods + "."
		second := ask([]resolve.Question{{Name: name, Type: s.addressType()}})
		// Its own address: a name server outside may have an address for whatever it is asked for.
		if slices.ContainsFunc(second, func(a resolve.Answer) bool {
			return slices.ContainsFunc(a.Records, func(r resolve.Record) bool { return objects.HasClusterIP(s.DNSService, r.Data) })
		}) {
			domain = pods
		}
	}
	s.Vantage.ServedDomain = domain
}

// addressType is that of the DNS Service's own address.
func (s *Snapshot) addressType() resolve.Type {
	if address, err := netip.ParseAddr(s.DNSService.Spec.ClusterIP); err == nil {
		return typeOf(address)
	}
	return resolve.TypeA
}

// otherFamily are questions for the names of Services in the family of addresses that they don't have: one a Service. The name exists, so
// the answer has to be that it has no such record (RFC 2308), and not that there is no such name: resolvers that ask for both at the same
// time, as musl's does, would take the name for one that does not exist.
func (s *Snapshot) otherFamily() []resolve.Question {
	var list []resolve.Question
	x := newIndex(s)
	for _, e := range expectations(x) {
		service := x.services[e.subject]
		if e.pod != "" || e.question.Search || e.question.TCP || len(e.data) == 0 || service == nil || len(service.Spec.IPFamilies) != 1 || slices.Contains(s.TooEarly, e.question.Name) {
			continue
		}
		other := map[resolve.Type]resolve.Type{resolve.TypeA: resolve.TypeAAAA, resolve.TypeAAAA: resolve.TypeA}[e.question.Type]
		if other != "" {
			list = append(list, resolve.Question{Name: e.question.Name, Type: other})
		}
	}
	return list
}

// undotted is a question for the full name of one Service as programs write it, without a dot at its end. It has fewer dots than ndots, so that
// it is first looked up in the domains of the search path: where one of them has an address for whatever it is asked for, no full name leads
// where it should, though short names do.
func (s *Snapshot) undotted() []resolve.Question {
	for _, e := range expectations(newIndex(s)) {
		if q := e.question; e.pod == "" && !q.Search && !q.TCP && q.Type != resolve.TypePTR && q.Type != resolve.TypeSRV && len(e.data) > 0 {
			q.Name, q.Search = strings.TrimSuffix(q.Name, "."), true
			return []resolve.Question{q}
		}
	}
	return nil
}

// serverQuestions ask each DNS server for the Services' own names: servers that know different things give themselves away. Servers that are
// not ready, or about to end, get no questions from pods either.
func (s *Snapshot) serverQuestions() []resolve.Question { return s.questionsOfServers(2) }

// questionsOfServers are those for so many servers or more.
func (s *Snapshot) questionsOfServers(least int) []resolve.Question {
	var list []resolve.Question
	expected := expectations(newIndex(s))
	for _, server := range s.Vantage.Servers {
		if server.Port != dnsPort || len(s.Vantage.Servers) < least || !server.Ready || server.Terminating {
			continue
		}
		for _, e := range expected {
			if e.pod == "" && !e.question.Search && !e.question.TCP && e.question.Type != resolve.TypeSRV {
				e.question.Server = server.Address
				list = append(list, e.question)
			}
		}
	}
	return list
}

// askServers asks each DNS server through a port-forward.
func (s *Snapshot) askServers(ctx context.Context, cluster *kube.Cluster, q Query) error {
	if problem, unread := s.Problems[subjectServers]; unread {
		return fmt.Errorf("--from=dns: the DNS servers can't be found: %s", problem.Message)
	}
	s.Vantage.Kind = v1alpha1.VantageServers
	servers := askable(s.Vantage.Servers)
	if len(servers) == 0 {
		return nil // a finding or a gap says so
	}
	q.Progress(fmt.Sprintf("querying %d DNS servers", len(servers)))
	dials, closeAll, err := openTunnels(ctx, cluster, servers)
	if err != nil {
		return err
	}
	defer closeAll()
	anyone := func(questions []resolve.Question) (answers []resolve.Answer) { // the first that answers
		for i := range servers {
			answers = resolve.AskServer(ctx, dials[i], servers[i].Address, questions)
			if !slices.ContainsFunc(answers, func(a resolve.Answer) bool { return a.Unanswered() }) {
				break
			}
		}
		return answers
	}
	pods := ""
	if s.Vantage.Pods != nil {
		pods = s.Vantage.Pods.Domain
	}
	s.served(anyone(s.domainQuestions()), pods, anyone)
	s.Vantage.ClusterDomain = cmp.Or(q.ClusterDomain, pods, s.Vantage.ServedDomain, defaultDomain) // what pods ask for
	everyone := func(questions []resolve.Question) []resolve.Answer {
		answers := make([][]resolve.Answer, len(servers))
		var group sync.WaitGroup
		for i := range servers {
			group.Go(func() { answers[i] = resolve.AskServer(ctx, dials[i], servers[i].Address, questions) })
		}
		group.Wait()
		return slices.Concat(answers...)
	}
	questions := s.toAsk()
	others := s.otherFamily()
	for _, a := range everyone(slices.Concat(questions, others)) {
		if slices.Contains(others, a.Question) {
			s.OtherFamily = append(s.OtherFamily, a)
		} else {
			s.Answers = append(s.Answers, a)
		}
	}
	return s.askAgain(ctx, q, func(again []resolve.Question) error {
		s.Again = everyone(again)
		return nil
	})
}

// askable are the servers to which a port-forward leads, and which are to be asked.
func askable(all []v1alpha1.DNSServer) []v1alpha1.DNSServer {
	return slices.DeleteFunc(slices.Clone(all), func(s v1alpha1.DNSServer) bool { return s.Pod == "" || s.Port == 0 || !s.Ready })
}

// openTunnels opens a port-forward to each server. One that can't be opened fails when it is dialled, unless none can.
func openTunnels(ctx context.Context, cluster *kube.Cluster, servers []v1alpha1.DNSServer) (dials []resolve.Dial, closeAll func(), err error) {
	tunnels, errs := make([]*kube.Tunnel, len(servers)), make([]error, len(servers))
	var group sync.WaitGroup
	for i, server := range servers {
		group.Go(func() {
			namespace, pod, _ := strings.Cut(server.Pod, "/")
			tunnels[i], errs[i] = cluster.OpenTunnel(ctx, namespace, pod)
		})
	}
	group.Wait()
	failed := 0
	for i, server := range servers {
		if errs[i] != nil {
			failed++
		}
		dials = append(dials, func(ctx context.Context) (net.Conn, error) {
			if errs[i] != nil {
				return nil, errs[i]
			}
			return tunnels[i].Dial(ctx, int(server.Port))
		})
	}
	closeAll = func() {
		for _, tunnel := range tunnels {
			if tunnel != nil {
				_ = tunnel.Close()
			}
		}
	}
	if failed == len(servers) {
		closeAll()
		return nil, nil, fmt.Errorf("--from=dns: no port-forward to pod %s: %w", servers[0].Pod, errs[0])
	}
	return dials, closeAll, nil
}

// askAgain waits until negative answers have left the caches, and asks for what was missing once more.
func (s *Snapshot) askAgain(ctx context.Context, q Query, ask func([]resolve.Question) error) error {
	again, wait := missed(s)
	if !q.RetryNegative || len(again) == 0 {
		return nil
	}
	wait += time.Second // what is left of a TTL is reported in whole seconds
	tooEarly := fmt.Errorf("retrying: negative answers stay cached for another %s, longer than --timeout allows: raise --timeout", wait)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return tooEarly
	}
	q.Progress(fmt.Sprintf("waiting %s for cached negative answers to expire", wait))
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return tooEarly
	}
	q.Progress(fmt.Sprintf("resolving %d names again", len(again)))
	return ask(again)
}

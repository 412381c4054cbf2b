package dns

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// manyRestarts is from how many restarts on a server that is ready again counts as one that keeps failing, if the last was less than
	// lastRestart ago: one or two come with a node that starts.
	manyRestarts = 3
	lastRestart  = 10 * time.Minute
)

// clients are the pods of the subjects that run and ask the cluster's DNS, by node, in the order of their names.
func (x *index) clients() map[string][]string {
	byNode := map[string][]string{}
	for i := range x.Pods {
		pod := &x.Pods[i]
		if pod.Status.Phase != corev1.PodRunning || objects.Terminating(pod) || !fromKubelet(&pod.Spec) {
			continue
		}
		if slices.ContainsFunc(x.Subjects, func(subject Subject) bool { return x.concerns(subject, pod) }) {
			byNode[pod.Spec.NodeName] = append(byNode[pod.Spec.NodeName], pod.Namespace+"/"+pod.Name)
		}
	}
	for _, list := range byNode {
		slices.SortFunc(list, objects.CompareNames)
	}
	return byNode
}

// nodeServers reports nodes on which pods of the subjects have no DNS server: a cache that each node has of its own is not ready, or the DNS
// Service sends questions to servers of the same node alone. What is with the caches of other nodes is not asked for: nodes come and go.
func nodeServers(x *index, f *findings) {
	if len(x.NodeCaches) == 0 && !x.staysOnNode() {
		return
	}
	clients := x.clients()
	for i := range x.NodeCaches {
		cache := &x.NodeCaches[i]
		progress := objects.ProgressOf(cache, x.at)
		pods := clients[cache.Spec.NodeName]
		if len(pods) == 0 || progress.Stage == objects.StageReady || objects.Terminating(cache) {
			continue
		}
		why := x.trouble(cache, progress)
		if why != "" {
			why = " (" + why + ")"
		}
		message := fmt.Sprintf("the DNS cache of node %s is not ready: %s/%s%s; pods there, such as %s, have no DNS while their queries are routed to it",
			cache.Spec.NodeName, cache.Namespace, cache.Name, why, finding.Some(pods))
		about := append([]string{"pod/" + cache.Namespace + "/" + cache.Name, "node/" + cache.Spec.NodeName}, prefixed("pod/", pods)...)
		remedy := fmt.Sprintf("kubectl describe pod %s -n %s", cache.Name, cache.Namespace)
		if progress.InTime() {
			f.progress(v1alpha1.CodeDNSNodeWithout, about, remedy, "%s", message)
			continue
		}
		f.add(v1alpha1.CodeDNSNodeWithout, v1alpha1.SeverityWarning, about, remedy, "%s", message)
	}
	localOnly(x, clients, f)
}

// staysOnNode reports whether the DNS Service sends questions to servers of the same node alone.
func (x *index) staysOnNode() bool {
	return x.DNSService != nil && x.DNSService.Spec.InternalTrafficPolicy != nil && *x.DNSService.Spec.InternalTrafficPolicy == corev1.ServiceInternalTrafficPolicyLocal
}

// localOnly reports the nodes without a DNS server where the DNS Service stays on the node. Pods that ask a cache on their node are not
// concerned, and servers whose node is unknown may be anywhere.
func localOnly(x *index, clients map[string][]string, f *findings) {
	if !x.staysOnNode() || len(x.NodeLocalPods) > 0 {
		return
	}
	served := map[string]bool{}
	for _, server := range x.Vantage.Servers {
		if server.Ready {
			served[server.Node] = true
		}
	}
	if served[""] {
		return
	}
	var nodes, pods []string
	for _, node := range slices.Sorted(maps.Keys(clients)) {
		if !served[node] {
			nodes, pods = append(nodes, node), append(pods, clients[node]...)
		}
	}
	if len(nodes) == 0 || len(served) == 0 {
		return // without any server at all there is a finding that says so
	}
	about := append(append([]string{"service/" + x.DNSServiceName}, prefixed("node/", nodes)...), prefixed("pod/", pods)...)
	message := fmt.Sprintf("Service %s sends queries to DNS servers on the same node alone (internalTrafficPolicy: Local), and there is none on %s: %s get no answer from it", x.DNSServiceName, finding.Some(nodes), finding.Some(pods))
	if x.changing {
		f.progress(v1alpha1.CodeDNSNodeWithout, about, "", "%s; DNS servers come and go at the moment", message)
		return
	}
	f.add(v1alpha1.CodeDNSNodeWithout, v1alpha1.SeverityError, about, "", "%s", message)
}

// restarts reports DNS servers that are ready now, and fail again and again.
func restarts(x *index, f *findings) {
	for _, pod := range slices.Concat(x.DNSPods, x.NodeCaches) {
		if !objects.PodReady(&pod) || objects.Terminating(&pod) {
			continue // told as one that is not ready
		}
		for _, c := range pod.Status.ContainerStatuses {
			last := c.LastTerminationState.Terminated
			if last == nil || c.RestartCount < manyRestarts || !x.recently(last.FinishedAt.Time, lastRestart) {
				continue
			}
			why := fmt.Sprintf("exit code %d", last.ExitCode)
			if last.Reason == "OOMKilled" {
				why += ", out of memory"
			}
			f.add(v1alpha1.CodeDNSServerRestarts, v1alpha1.SeverityWarning, []string{"pod/" + pod.Namespace + "/" + pod.Name}, fmt.Sprintf("kubectl logs %s -c %s -n %s --previous", pod.Name, c.Name, pod.Namespace),
				"the DNS server %s/%s is ready, but has been restarted %d times, the last time %s ago (%s)", pod.Namespace, pod.Name, c.RestartCount, x.ago(last.FinishedAt.Time), why)
		}
	}
}

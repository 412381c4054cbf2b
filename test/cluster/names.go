package cluster

import (
	"fmt"
	"strings"
	"time"
)

// Manifests of what has names, each with a line that ends its document. Sets do nothing.

// Headless is the spec of a headless Service with a named port.
const Headless = "clusterIP: None, ports: [{name: web, port: 80}]"

// Service is a Service of pods app=APP.
func Service(name, app, spec string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %s}, spec: {selector: {app: %s}, %s}}\n---\n", name, app, spec)
}

// IdleSet is a StatefulSet of pods app=APP that do nothing. More of the pods' spec may be given, and ends with a comma.
func IdleSet(name, app, serviceName string, replicas int, podSpec string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: %s}, spec: {serviceName: %q, replicas: %d, podManagementPolicy: Parallel,
  selector: {matchLabels: {app: %s}}, template: {metadata: {labels: {app: %[4]s}}, spec: {terminationGracePeriodSeconds: 0, %s
  containers: [{name: main, image: "registry.k8s.io/pause:3.10.1", imagePullPolicy: IfNotPresent}]}}}}
---
`, name, serviceName, replicas, app, podSpec)
}

// Named is the set db with the headless Service db.
func Named(replicas int, podSpec string) string {
	return Service("db", "db", Headless) + IdleSet("db", "db", "db", replicas, podSpec)
}

// DigPod is the pod client, with dig in it. More of its spec may be given, and ends with a comma.
func DigPod(podSpec string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {terminationGracePeriodSeconds: 0, %s
  containers: [{name: tools, image: nicolaka/netshoot, imagePullPolicy: IfNotPresent, command: [sleep, "100000"]}]}}
---
`, podSpec)
}

// ApplyAll applies documents that end with ---.
func (n *Namespace) ApplyAll(documents string) {
	n.Helper()
	n.Apply(strings.TrimSuffix(documents, "---\n"))
}

// ApplyReady is ApplyAll, and waits until the set db, if it is among them, and all pods are ready.
func (n *Namespace) ApplyReady(documents string) {
	n.Helper()
	n.ApplyAll(documents)
	if strings.Contains(documents, "kind: StatefulSet") {
		n.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
	}
	n.Kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=300s")
}

// DNSServers are the addresses of the cluster's DNS servers.
func (n *Namespace) DNSServers() []string {
	n.Helper()
	return strings.Fields(n.Kubectl("get", "endpointslices", "-n", "kube-system", "-l", "kubernetes.io/service-name=kube-dns", "-o", "jsonpath={.items[*].endpoints[*].addresses[0]}"))
}

// AskTooEarly asks each of them, from the pod client, for a name that there is not yet: they remember that there is none.
func (n *Namespace) AskTooEarly(name string) {
	n.Helper()
	for _, server := range n.DNSServers() {
		n.Kubectl("exec", "client", "--", "dig", "+short", "@"+server, name+"."+n.NS+".svc.cluster.local")
	}
}

// NoDebugPods expects that none is left.
func (n *Namespace) NoDebugPods() {
	n.Helper()
	Eventually(n, 30*time.Second, func() error {
		if left := n.Kubectl("get", "pods", "-l", "doik.dev/component=debug-pod", "-o", "name"); left != "" {
			return fmt.Errorf("left: %s", left)
		}
		return nil
	})
}

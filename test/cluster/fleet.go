package cluster

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Machine is a simulated node of a test's own, on which no other pods are scheduled. Labels, annotations and taints are
// key=value, with white space between them.
type Machine struct {
	Name, Labels, Annotations, Taints, Provider string
}

// Make creates the node, and returns its name, which begins with the namespace.
func (m Machine) Make(n *Namespace) string {
	n.Helper()
	return n.Fleet(m)[0]
}

// Fleet creates nodes and returns their names.
func (n *Namespace) Fleet(machines ...Machine) []string {
	n.Helper()
	names, ready := make([]string, len(machines)), []string{"wait", "--for=condition=Ready", "--timeout=300s"}
	var manifests strings.Builder
	for i, m := range machines {
		names[i] = n.NS + "-" + m.Name
		ready = append(ready, "node/"+names[i])
		manifests.WriteString(m.manifest(n, names[i]) + "\n")
	}
	n.Cleanup(func() {
		n.TryKubectl(append([]string{"delete", "node", "--wait=false", "--ignore-not-found"}, names...)...)
	})
	n.Apply(manifests.String())
	n.Kubectl(ready...)
	return names
}

func (m Machine) manifest(n *Namespace, name string) string {
	n.Helper()
	pairs := func(text string) map[string]string {
		list := map[string]string{}
		for _, word := range strings.Fields(text) {
			key, value, _ := strings.Cut(word, "=")
			list[key] = value
		}
		return list
	}
	taints := []map[string]string{{"key": "test", "value": n.NS, "effect": "NoSchedule"}}
	for key, value := range pairs(m.Taints) {
		taints = append(taints, map[string]string{"key": key, "value": value, "effect": "NoSchedule"})
	}
	object, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": name, "labels": pairs(m.Labels + " test=" + n.NS + " kubernetes.io/hostname=" + name), "annotations": pairs(m.Annotations)},
		"spec":     map[string]any{"taints": taints, "providerID": m.Provider},
	})
	if err != nil {
		n.Fatal(err)
	}
	return string(object)
}

// Spread is a set with its ordinals on the test's own nodes that have the label set-NAME, one on each if it has as many. Each
// ordinal has the claim data, and a name under the headless Service NAME.
func (n *Namespace) Spread(set string, replicas int, alone bool) string {
	affinity := "{}"
	if alone {
		affinity = fmt.Sprintf(`{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: %s}}}]}}`, set)
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {clusterIP: None, selector: {app: %[1]s}, ports: [{name: main, port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: %[1]s}
spec:
  serviceName: %[1]s
  replicas: %[2]d
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      nodeSelector: {test: %[3]s, set-%[1]s: ""}
      tolerations: [{key: test, operator: Exists}]
      affinity: %[4]s
      containers: [{name: main, image: none, resources: {requests: {cpu: 500m, memory: 1Gi}}, volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`, set, replicas, n.NS, affinity)
}

// ApplySpread applies a set of Spread and waits until its pods are ready.
func (n *Namespace) ApplySpread(set string, replicas int, alone bool) {
	n.Helper()
	n.Apply(n.Spread(set, replicas, alone))
	n.Kubectl("rollout", "status", "sts/"+set, "--timeout=300s")
}

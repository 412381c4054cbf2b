//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// machine is a node of a test's own, on which nobody else's pods are scheduled. Labels, annotations and taints are key=value,
// with white space between them.
type machine struct {
	name, labels, annotations, taints, provider string
}

// make creates a node, and returns its name, which begins with the namespace.
func (m machine) make(n *cluster.Namespace) string {
	n.Helper()
	name := n.NS + "-" + m.name
	pairs := func(text string) map[string]string {
		list := map[string]string{}
		for _, word := range strings.Fields(text) {
			key, value, _ := strings.Cut(word, "=")
			list[key] = value
		}
		return list
	}
	labels := pairs(m.labels + " test=" + n.NS + " kubernetes.io/hostname=" + name)
	taints := []map[string]string{{"key": "test", "value": n.NS, "effect": "NoSchedule"}}
	for key, value := range pairs(m.taints) {
		taints = append(taints, map[string]string{"key": key, "value": value, "effect": "NoSchedule"})
	}
	object, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name, "labels": labels, "annotations": pairs(m.annotations)},
		"spec": map[string]any{"taints": taints, "providerID": m.provider},
	})
	if err != nil {
		n.Fatal(err)
	}
	n.Apply(string(object))
	n.Cleanup(func() { n.TryKubectl("delete", "node", name, "--wait=false") })
	n.Kubectl("wait", "--for=condition=Ready", "node/"+name, "--timeout=60s")
	return name
}

// nodes is the report of the test's own nodes.
func nodes(n *cluster.Namespace, args ...string) *v1alpha1.NodeCapacityList {
	n.Helper()
	return cluster.Report[v1alpha1.NodeCapacityList](n, append([]string{"nodes", "-l", "test=" + n.NS}, args...)...)
}

// everywhere is the report of nodes, with the pods of all namespaces.
func everywhere(n *cluster.Namespace, args ...string) *v1alpha1.NodeCapacityList {
	n.Helper()
	report := &v1alpha1.NodeCapacityList{}
	r := cluster.Run(n, "", "kubectl", append([]string{"doik", "nodes", "-o", "yaml"}, args...)...)
	if err := yaml.UnmarshalStrict([]byte(r.Out), report); err != nil || r.Code != 0 {
		n.Fatalf("exit code %d, %v: %s", r.Code, err, r.Err)
	}
	return report
}

// said are the findings of a report by code and severity, with the messages that they have.
func said(report *v1alpha1.NodeCapacityList) map[string]string {
	list := map[string]string{}
	for _, f := range report.Findings {
		list[string(f.Code)+" "+string(f.Severity)] += f.Message + "\n"
	}
	for _, item := range report.Items {
		for _, f := range item.Findings {
			list[string(f.Code)+" "+string(f.Severity)] += f.Message + "\n"
		}
	}
	return list
}

// TestNodesOfPlatforms has a node of every platform in the API server.
func TestNodesOfPlatforms(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	platforms := []struct {
		machine
		want string // capacity type, platform, owner, compute type, evidence
	}{
		{machine{"ack", "node.alibabacloud.com/spot-strategy=SpotAsPriceGo node.alibabacloud.com/nodepool-id=np1", "", "", "cn-h.i-1"}, "spot ACK NodePool/np1 instance node.alibabacloud.com/spot-strategy=SpotAsPriceGo"},
		{machine{"aks", "kubernetes.azure.com/agentpool=sys", "", "", "azure:///vm"}, "on-demand AKS AgentPool/sys instance no kubernetes.azure.com/scalesetpriority: regular"},
		{machine{"aks-spot", "kubernetes.azure.com/scalesetpriority=spot kubernetes.azure.com/agentpool=sp", "", "kubernetes.azure.com/scalesetpriority=spot", "azure:///vm2"}, "spot AKS AgentPool/sp instance kubernetes.azure.com/scalesetpriority=spot"},
		{machine{"aks-virtual", "type=virtual-kubelet", "", "virtual-kubelet.io/provider=azure", ""}, "unknown EKS / virtual "},
		{machine{"auto", "eks.amazonaws.com/compute-type=auto karpenter.sh/nodepool=general karpenter.sh/capacity-type=spot", "", "", "aws:///a/i-1"}, "spot EKS NodePool/general auto karpenter.sh/capacity-type=spot"},
		{machine{"capi", "cluster.x-k8s.io/interruptible=", "cluster.x-k8s.io/owner-kind=MachineSet cluster.x-k8s.io/owner-name=md-0", "", "openstack:///u"}, "spot EKS MachineSet/md-0 instance cluster.x-k8s.io/interruptible="},
		{machine{"castai", "scheduling.cast.ai/spot=true provisioner.cast.ai/managed-by=cast.ai", "", "", "aws:///a/i-2"}, "spot EKS CastAI/ instance scheduling.cast.ai/spot=true"},
		{machine{"civo", "kubernetes.civo.com/civo-node-pool=p", "", "", "civo://1"}, "unknown Civo NodePool/p instance "},
		{machine{"coreweave", "compute.coreweave.com/node-pool=p", "", "", ""}, "unknown CoreWeave NodePool/p unknown "},
		{machine{"doks", "doks.digitalocean.com/node-pool=p", "", "", "digitalocean://1"}, "unknown DOKS NodePool/p instance "},
		{machine{"eks", "eks.amazonaws.com/capacityType=CAPACITY_BLOCK eks.amazonaws.com/nodegroup=gpu", "", "", "aws:///a/i-3"}, "capacity-block EKS ManagedNodeGroup/gpu instance eks.amazonaws.com/capacityType=CAPACITY_BLOCK"},
		{machine{"eksctl", "node-lifecycle=spot alpha.eksctl.io/nodegroup-name=ng", "", "", "aws:///a/i-4"}, "spot EKS NodeGroup/ng instance node-lifecycle=spot"},
		{machine{"fargate", "eks.amazonaws.com/compute-type=fargate", "", "eks.amazonaws.com/compute-type=fargate", "aws:///a/x/fargate-ip"}, "fargate EKS FargateProfile/ fargate eks.amazonaws.com/compute-type=fargate"},
		{machine{"gke", "cloud.google.com/gke-nodepool=p1 cloud.google.com/gke-provisioning=flex-start", "", "", "gce://p/z/n"}, "flex GKE NodePool/p1 instance cloud.google.com/gke-provisioning=flex-start"},
		{machine{"hybrid", "eks.amazonaws.com/compute-type=hybrid", "", "", "eks-hybrid:///r/c/mi"}, "unknown EKS / hybrid "},
		{machine{"karpenter", "karpenter.sh/nodepool=db karpenter.sh/capacity-type=reserved", "", "", "aws:///a/i-5"}, "reserved EKS NodePool/db instance karpenter.sh/capacity-type=reserved"},
		{machine{"kops", "node-role.kubernetes.io/spot-worker=true kops.k8s.io/instancegroup=nodes", "", "", "aws:///a/i-6"}, "spot kOps InstanceGroup/nodes instance node-role.kubernetes.io/spot-worker=true"},
		{machine{"legacy", "lifecycle=Ec2Spot", "", "", "aws:///a/i-7"}, "spot EKS SelfManaged/ instance lifecycle=Ec2Spot"},
		{machine{"ocean", "spotinst.io/node-lifecycle=od spotinst.io/ocean-vng-id=ols", "", "", "aws:///a/i-8"}, "on-demand EKS VirtualNodeGroup/ols instance spotinst.io/node-lifecycle=od"},
		{machine{"oke", "oci.oraclecloud.com/oke-is-preemptible=true", "oci.oraclecloud.com/node-pool-id=ocid1", "", "oci://o"}, "preemptible OKE NodePool/ocid1 instance oci.oraclecloud.com/oke-is-preemptible=true"},
		{machine{"openshift", "machine.openshift.io/interruptible-instance=", "machine.openshift.io/machine=openshift-machine-api/w-0", "", "aws:///a/i-9"}, "spot OpenShift Machine/openshift-machine-api/w-0 instance machine.openshift.io/interruptible-instance="},
		{machine{"private", "tier=cheap", "", "", "aws:///a/i-10"}, "spot EKS SelfManaged/ instance tier=cheap"},
		{machine{"scaleway", "k8s.scaleway.com/pool-name=p", "", "", "scaleway://1"}, "unknown Scaleway NodePool/p instance "},
		{machine{"self", "", "", "", "aws:///a/i-11"}, "unknown EKS SelfManaged/ instance "},
		{machine{"yandex", "yandex.cloud/preemptible=false yandex.cloud/node-group-id=cat", "", "", "yandex://f"}, "on-demand Yandex NodeGroup/cat instance yandex.cloud/preemptible=false"},
	}
	for _, p := range platforms {
		p.make(n)
	}
	report := nodes(n, "--spot-label", "tier=cheap")
	if len(report.Items) != len(platforms) {
		t.Fatalf("%d nodes", len(report.Items))
	}
	for i, item := range report.Items { // both are in the order of names
		owner := v1alpha1.NodeOwner{}
		if item.Class.Owner != nil {
			owner = *item.Class.Owner
		}
		got := fmt.Sprintf("%s %s %s/%s %s %s", item.Class.CapacityType, item.Class.Platform, owner.Kind, owner.Name, item.Class.ComputeType, item.Class.Evidence)
		if got != platforms[i].want || item.Metadata.Name != n.NS+"-"+platforms[i].name {
			t.Errorf("%s: %q, want %q", item.Metadata.Name, got, platforms[i].want)
		}
		if (item.Class.CapacityType == v1alpha1.CapacityUnknown) != (item.Class.UnknownReason != "") {
			t.Errorf("%s is %s because %q", item.Metadata.Name, item.Class.CapacityType, item.Class.UnknownReason)
		}
	}
	spot := n.MustDoik("nodes", "-l", "test="+n.NS, "--spot-label", "tier=cheap", "--capacity-type", "spot,preemptible", "-o", "name")
	if strings.Count(spot, "\n") != 11 || !strings.Contains(spot, "node/"+n.NS+"-private\n") || !strings.Contains(spot, "-oke\n") || strings.Contains(spot, "-self\n") {
		t.Errorf("spot and preemptible:\n%s", spot)
	}
	t.Logf("\n%s", n.MustDoik("nodes", "-l", "test="+n.NS, "-o", "wide"))
}

// TestNodesArguments says what is wrong with arguments, and which node may have been meant.
func TestNodesArguments(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := machine{name: "one"}.make(n)
	for args, want := range map[string]string{
		name: "node/" + name + "\n", "node/" + name + " nodes/" + name: "node/" + name + "\n", "-A " + name: "node/" + name + "\n", "-l test=" + n.NS + ",x!=y": "node/" + name + "\n",
	} {
		r := cluster.Run(t, "", "kubectl", append([]string{"doik", "nodes", "-o", "name"}, strings.Fields(args)...)...)
		if r.Code != 0 || r.Out != want || r.Err != "" {
			t.Errorf("nodes %s: exit code %d, %q, %q", args, r.Code, r.Out, r.Err)
		}
	}
	for args, want := range map[string]string{
		name + "x":                   "error: Node \"" + name + "x\" not found: did you mean " + name + "?\n",
		"nosuchnode-at-all":          "error: Node \"nosuchnode-at-all\" not found\n",
		"--capacity-type=cheap":      "error: --capacity-type=cheap: it is one of on-demand, reserved, capacity-block, spot, preemptible, flex, fargate, unknown\n",
		"--spot-label=cheap":         "error: --spot-label: \"cheap\" is not a label of the form key=value\n",
		"pod/" + name:                "error: pod/" + name + ": \"pod\" is not a kind that this command takes: use NAME or node/NAME\n",
		"--pods --usage-timeout=-1s": "error: --usage-timeout=-1s: it must be positive; --no-usage leaves usage out\n",
		name + " -l a=b":             "error: names and a selector (-l) can't be combined: use one of them\n",
	} {
		r := cluster.Run(t, "", "kubectl", append([]string{"doik", "nodes"}, strings.Fields(args)...)...)
		if r.Code != 1 || r.Out != "" || r.Err != want {
			t.Errorf("nodes %s: exit code %d, %q", args, r.Code, r.Err)
		}
	}
	if r := n.Doik("nodes", "-l", "no=such"); r.Code != 0 || r.Out != "" || r.Err != "No nodes found.\n" {
		t.Errorf("none: exit code %d, %q, %q", r.Code, r.Out, r.Err)
	}
	r := cluster.Run(t, "", "kubectl", "__complete", "doik", "nodes", "node/"+n.NS)
	if !strings.Contains(r.Out, "node/"+name+"\n") {
		t.Errorf("completion: %q", r.Out)
	}
	if r := cluster.Run(t, "", "kubectl", "__complete", "doik", "nodes", "--capacity-type", "fl"); !strings.Contains(r.Out, "flex\n") {
		t.Errorf("completion: %q", r.Out)
	}
}

// spread is a set with its ordinals on the nodes that have the label set=NAME, one on each if it has as many.
func spread(n *cluster.Namespace, set string, replicas int, alone bool) {
	n.Helper()
	affinity := "{}"
	if alone {
		affinity = fmt.Sprintf(`{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: %s}}}]}}`, set)
	}
	n.Apply(fmt.Sprintf(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: %[1]s}
spec:
  serviceName: ""
  replicas: %[2]d
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      nodeSelector: {test: %[3]s, set-%[1]s: ""}
      tolerations: [{operator: Exists}]
      affinity: %[4]s
      containers: [{name: main, image: none, resources: {requests: {cpu: 500m, memory: 1Gi}}, volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`, set, replicas, n.NS, affinity))
	n.Kubectl("rollout", "status", "sts/"+set, "--timeout=90s")
}

// TestNodesAtStake brings about every finding about sets, and those about nodes.
func TestNodesAtStake(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	node := func(name, zone, capacity, sets string) string {
		labels := fmt.Sprintf("eks.amazonaws.com/capacityType=%s eks.amazonaws.com/nodegroup=%s topology.kubernetes.io/zone=%s-%s", capacity, strings.ToLower(capacity), n.NS, zone)
		for _, set := range strings.Fields(sets) {
			labels += " set-" + set + "="
		}
		return machine{name: name, labels: labels, provider: "aws:///" + zone + "/i-" + name}.make(n)
	}
	s1, s2 := node("s1", "a", "SPOT", "all most few"), node("s2", "b", "SPOT", "all most")
	o1, o2, o3 := node("o1", "a", "ON_DEMAND", "few own"), node("o2", "b", "ON_DEMAND", "few own"), node("o3", "c", "ON_DEMAND", "most one own wiki")
	spread(n, "all", 2, true)
	spread(n, "most", 3, true)
	spread(n, "few", 3, true)
	spread(n, "own", 3, true)
	spread(n, "one", 2, false)
	n.Apply(`{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "most"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "most"}}}}`)

	check := func(when string, want map[string][]string) {
		t.Helper()
		var problem error
		cluster.Eventually(t, 30*time.Second, func() error {
			report := nodes(n)
			got := said(report)
			for code, texts := range want {
				for _, text := range texts {
					if !strings.Contains(got[code], text+"\n") {
						problem = fmt.Errorf("%s: no %s %q in %q", when, code, text, got)
						return problem
					}
				}
				if strings.Count(got[code], "\n") != len(texts) {
					return fmt.Errorf("%s: %s: %q", when, code, got[code])
				}
			}
			for code := range got {
				if want[code] == nil {
					return fmt.Errorf("%s: %s %q", when, code, got[code])
				}
			}
			return nil
		})
	}
	pods := func(names string) string { // ns/a, ns/b
		return n.NS + "/" + strings.ReplaceAll(names, " ", ", "+n.NS+"/")
	}
	on := func(node, set string) string {
		return n.Kubectl("get", "pods", "-l", "app="+set, "--field-selector=spec.nodeName="+node, "-o", "jsonpath={.items[*].metadata.name}")
	}
	list := func(names ...string) string {
		slices.Sort(names)
		return strings.Join(names, ", ")
	}
	steady := map[string][]string{
		"NODE001 info":    {n.NS + "/few: 1 of 3 pods on interruptible capacity (spot): " + on(s1, "few")},
		"NODE002 warning": {n.NS + "/all: both pods are on interruptible capacity (spot)"},
		"NODE003 warning": {n.NS + "/most: a majority, 2 of 3 pods, is lost with spot capacity: " + list(on(s1, "most"), on(s2, "most"))},
		"NODE004 warning": {n.NS + "/few: a majority, 2 of 3 pods, is lost with zone " + n.NS + "-a: " + list(on(s1, "few"), on(o1, "few"))},
		"NODE005 info":    {n.NS + "/few: a majority, 2 of 3 pods, is lost with ManagedNodeGroup/on_demand: " + list(on(o1, "few"), on(o2, "few")), n.NS + "/own: all 3 pods are lost with ManagedNodeGroup/on_demand: own-0, own-1, own-2"},
		"NODE006 warning": {n.NS + "/one: both pods are lost with node " + o3 + ": one-0, one-1"},
		"NODE008 warning": {"only " + o3 + " takes new pods in zone " + n.NS + "-c, which the volumes of " + pods("data-"+on(o3, "most")+" data-one-0 data-one-1") + " and 1 more can't leave"},
		"NODE011 warning": {n.NS + "/all: on interruptible capacity (spot) without a PodDisruptionBudget: a drain may evict all its pods at once", n.NS + "/few: on interruptible capacity (spot) without a PodDisruptionBudget: a drain may evict all its pods at once"},
	}
	check("as it is", steady)
	t.Logf("\n%s", n.Doik("nodes", "-l", "test="+n.NS, "-o", "wide").Out)
	t.Logf("\n%s", n.Doik("nodes", s1, "--pods").Out)

	report := everywhere(n, "-l", "test="+n.NS, "--pods")
	s := report.Summary
	if s.Total.Nodes != 5 || s.Total.Pods.Stateful != 13 || s.Interruptible.Pods.Stateful != 5 || *s.InterruptiblePercent != 38 || len(s.ByZone) != 3 || len(s.ByOwner) != 2 {
		t.Errorf("summary %+v", s)
	}
	last := report.Items[2] // o3
	if last.Metadata.Name != o3 || len(last.StatefulPods) != 4 || last.CPU.Requested.MilliValue() != 2000 || last.Memory.Requested.Value() != 4<<30 || *last.CPU.RequestedPercent != 25 {
		t.Errorf("%s: %d stateful pods, %s and %s requested", last.Metadata.Name, len(last.StatefulPods), last.CPU.Requested, last.Memory.Requested)
	}
	for _, p := range last.StatefulPods {
		if p.Controller == nil || p.Controller.Kind != "StatefulSet" || p.Ordinal == nil || p.ContainersReady != 1 || len(p.Claims) != 1 || p.Claims[0].Usage == nil || p.Claims[0].Usage.UsedPercent == nil {
			t.Errorf("%+v", p)
		}
	}

	// A set's nodes are looked at as a whole, whichever are shown.
	if got := said(cluster.Report[v1alpha1.NodeCapacityList](n, "nodes", o2)); got["NODE004 warning"] != steady["NODE004 warning"][0]+"\n" || got["NODE002 warning"] != "" {
		t.Errorf("%s alone: %q", o2, got)
	}
	if r := n.Doik("nodes", o2, "--fail-on=warning"); r.Code != 3 || !strings.Contains(r.Out, "NODE004") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
	if out := n.MustDoik("nodes", "-l", "test="+n.NS, "--stateful", "-o", "name"); strings.Count(out, "\n") != 5 {
		t.Errorf("stateful: %q", out)
	}

	// Nodes that go, or are out of use; a second zone-bound one.
	n.Kubectl("taint", "node", s2, "ToBeDeletedByClusterAutoscaler=1732:NoSchedule")
	n.Kubectl("cordon", o1)
	now := map[string][]string{
		"NODE007 error":   {s2 + " is going (removed by the cluster autoscaler) and holds " + pods(strings.ReplaceAll(list(on(s2, "all"), on(s2, "most")), ",", ""))},
		"NODE010 warning": {o1 + " is cordoned and holds " + pods(strings.ReplaceAll(list(on(o1, "few"), on(o1, "own")), ",", "")) + ": once they end they can't come back to it"},
		"NODE008 warning": slices.Clone(steady["NODE008 warning"]),
	}
	now["NODE008 warning"] = append(now["NODE008 warning"],
		"only "+o2+" takes new pods in zone "+n.NS+"-b, which the volumes of "+pods(strings.ReplaceAll(list("data-"+on(o2, "few"), "data-"+on(o2, "own")), ",", ""))+" can't leave",
		"only "+s1+" takes new pods in zone "+n.NS+"-a, which the volumes of "+pods(strings.ReplaceAll(list("data-"+on(s1, "all"), "data-"+on(s1, "few"), "data-"+on(s1, "most")), ",", ""))+" can't leave")
	for code, texts := range steady {
		if now[code] == nil {
			now[code] = texts
		}
	}
	check("tainted and cordoned", now)
	if table := n.MustDoik("nodes", o1, s2, "--no-headers"); !strings.Contains(table, " Ready,SchedulingDisabled ") || !strings.Contains(table, " Ready,ToBeDeletedByClusterAutoscaler ") {
		t.Errorf("status:\n%s", table)
	}

	// A kubelet that no longer reports.
	n.Kubectl("annotate", "node", o3, "lab.doik.dev/state=not-ready")
	cluster.Eventually(t, 60*time.Second, func() error {
		got := said(nodes(n))["NODE010 error"]
		if !strings.HasPrefix(got, o3+" is not ready for ") || !strings.Contains(got, "(Kubelet stopped posting node status) and holds "+n.NS+"/"+on(o3, "most")) {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	if got := said(nodes(n))["NODE008 warning"]; !strings.Contains(got, "no node takes new pods in zone "+n.NS+"-c, which ") {
		t.Errorf("%q", got)
	}
	if table := n.MustDoik("nodes", o3, "--no-headers"); !strings.Contains(table, " NotReady ") {
		t.Errorf("status:\n%s", table)
	}
	r := n.Doik("nodes", o3, "--pods", "--usage-timeout=2s")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.HasPrefix(r.Err, "warning: disk usage on node "+o3+": ") || !strings.Contains(r.Out, "unknown") {
		t.Errorf("a dead kubelet: exit code %d: %s\n%s", r.Code, r.Err, r.Out)
	}
	if r := n.Doik("nodes", o3, "--fail-on=error"); r.Code != 3 {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
}

// TestNodesAlone has a Deployment with a claim on spot, and labels that contradict each other.
func TestNodesAlone(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := machine{name: "spot", labels: "karpenter.sh/capacity-type=spot eks.amazonaws.com/capacityType=ON_DEMAND"}.make(n)
	n.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: wiki}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: wiki}
spec:
  selector: {matchLabels: {app: wiki}}
  template:
    metadata: {labels: {app: wiki}}
    spec:
      nodeSelector: {test: %s}
      tolerations: [{operator: Exists}]
      containers: [{name: main, image: none}]
      volumes: [{name: wiki, persistentVolumeClaim: {claimName: wiki}}]
`, n.NS))
	n.Kubectl("rollout", "status", "deployment/wiki", "--timeout=60s")
	pod := n.Kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
	report := nodes(n)
	got := said(report)
	want := map[string]string{
		"NODE001 warning": n.NS + "/" + pod + " mounts wiki and is on interruptible capacity (spot)\n",
		"NODE012 info":    "labels of " + name + " contradict each other: karpenter.sh/capacity-type=spot is taken, eks.amazonaws.com/capacityType=ON_DEMAND is not\n",
	}
	if len(got) != len(want) || got["NODE001 warning"] != want["NODE001 warning"] || got["NODE012 info"] != want["NODE012 info"] {
		t.Errorf("%q, want %q", got, want)
	}
	if p := report.Items[0].Pods; p.Total != 1 || p.Stateful != 1 {
		t.Errorf("%+v", p)
	}
	// Of another namespace's pods there are none here.
	other := cluster.NewNamespace(t)
	item := nodes(&cluster.Namespace{TB: t, NS: n.NS}, "--no-usage").Items[0]
	alone := cluster.Report[v1alpha1.NodeCapacityList](other, "nodes", name).Items[0]
	if item.Pods.Total != 1 || alone.Pods.Total != 0 || alone.CPU.Requested != nil {
		t.Errorf("-n: %+v and %+v", item.Pods, alone)
	}
}

// TestNodesAttachLimit has the control plane attach volumes until a node is nearly full: the real attach-detach controller, with
// the test in the place of the driver.
func TestNodesAttachLimit(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := machine{name: "full", annotations: "volumes.kubernetes.io/controller-managed-attach-detach=true"}.make(n) // as kubelets say
	driver := n.NS + ".example.com"
	n.Apply(fmt.Sprintf(`{"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": %q}, "spec": {"drivers": [{"name": %q, "nodeID": "i-1", "topologyKeys": [], "allocatable": {"count": 2}}]}}`, name, driver))
	n.Cleanup(func() { n.TryKubectl("delete", "csinode", name, "--ignore-not-found") })
	attach := func(volume string) {
		n.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s-%[2]s}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 1Gi}
  storageClassName: ""
  persistentVolumeReclaimPolicy: Retain
  csi: {driver: %[3]s, volumeHandle: %[2]s}
  claimRef: {namespace: %[1]s, name: %[2]s}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %[2]s}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", volumeName: %[1]s-%[2]s, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: %[2]s}
spec:
  nodeSelector: {test: %[1]s}
  tolerations: [{operator: Exists}]
  containers: [{name: main, image: none}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: %[2]s}}]
`, n.NS, volume, driver))
		n.Cleanup(func() { n.TryKubectl("delete", "pv", n.NS+"-"+volume, "--wait=false") })
		cluster.Eventually(t, 60*time.Second, func() error {
			for _, line := range strings.Split(n.Kubectl("get", "volumeattachments", "-o", `jsonpath={range .items[*]}{.metadata.name} {.spec.source.persistentVolumeName}{"\n"}{end}`), "\n") {
				if attachment, of, _ := strings.Cut(line, " "); of == n.NS+"-"+volume {
					n.Kubectl("patch", "volumeattachment", attachment, "--subresource=status", "--type=merge", "-p", `{"status": {"attached": true}}`)
					return nil
				}
			}
			return fmt.Errorf("no VolumeAttachment of %s", volume)
		})
	}
	expect := func(attached int32, finding string) {
		t.Helper()
		cluster.Eventually(t, 60*time.Second, func() error {
			report := nodes(n)
			if v := report.Items[0].Volumes; len(v) != 1 || v[0] != (v1alpha1.AttachedVolumes{Driver: driver, Attached: attached, Limit: 2}) {
				return fmt.Errorf("%+v, want %d", v, attached)
			}
			if got := said(report)["NODE009 warning"]; got != finding {
				return fmt.Errorf("%q, want %q", got, finding)
			}
			return nil
		})
	}
	expect(0, "")
	attach("one")
	expect(1, "")
	attach("two")
	expect(2, name+" can take no more volumes of "+driver+": 2 of 2 are attached\n")
	if wide := n.MustDoik("nodes", name, "-o", "wide"); !strings.Contains(wide, " 2/2 ") {
		t.Errorf("wide:\n%s", wide)
	}
}

// TestNodesRights takes away one right after the other: the node table still shows.
func TestNodesRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := machine{name: "spot", labels: "karpenter.sh/capacity-type=spot topology.kubernetes.io/zone=" + n.NS + " set-db="}.make(n)
	spread(n, "db", 2, false)
	role := func(user, verbs, resources string) {
		role := user + "-" + strings.NewReplacer(".", "-", ",", "-", "/", "-").Replace(resources)
		n.Kubectl("create", "clusterrole", role, "--verb="+verbs, "--resource="+resources)
		n.Kubectl("create", "clusterrolebinding", role, "--clusterrole="+role, "--user="+user)
		n.Cleanup(func() { n.TryKubectl("delete", "clusterrole,clusterrolebinding", role) })
	}
	user := func(what string) string { return n.NS + "-" + what }
	as := func(what string, args ...string) cluster.Result {
		return cluster.Run(t, "", "kubectl", append([]string{"doik", "nodes", name, "--as=" + user(what)}, args...)...)
	}
	eventually := func(what, want string, args ...string) cluster.Result {
		t.Helper()
		var r cluster.Result
		cluster.Eventually(t, 15*time.Second, func() error { // the authorizer learns of new roles a moment later
			if r = as(what, args...); r.Code != 0 || r.Err != want {
				return fmt.Errorf("%s: exit code %d, %q, want %q\n%s", what, r.Code, r.Err, want, r.Out)
			}
			return nil
		})
		return r
	}
	forbidden := func(what, subject, resource, group string) string {
		return fmt.Sprintf("warning: %s: %s is forbidden: User %q cannot list resource %q in API group %q at the cluster scope; ask for this right, see docs/rbac.md\n",
			subject, resource, user(what), strings.SplitN(resource, ".", 2)[0], group)
	}
	noCSI := func(what string) string {
		return forbidden(what, "CSINodes", "csinodes.storage.k8s.io", "storage.k8s.io")
	}

	role(user("nodes"), "list", "nodes")
	r := eventually("nodes", noCSI("nodes")+forbidden("nodes", "pods in all namespaces", "pods", ""), "-o", "wide")
	if !strings.Contains(r.Out, name+"   Ready    spot ") || strings.Count(strings.SplitN(r.Out, "\n\n", 2)[0], "unknown") < 4 || strings.Contains(r.Out, "NODE0") {
		t.Errorf("nodes only:\n%s", r.Out)
	}
	if r := as("nodes", "--stateful"); r.Code != 1 || r.Out != "" || !strings.HasPrefix(r.Err, "error: --stateful needs to know the pods: pods is forbidden") {
		t.Errorf("--stateful: exit code %d, %q", r.Code, r.Err)
	}

	role(user("pods"), "list", "nodes,pods")
	r = eventually("pods", noCSI("pods")+forbidden("pods", "PersistentVolumes", "persistentvolumes", "")+
		fmt.Sprintf("warning: PodDisruptionBudgets in namespace %s: poddisruptionbudgets.policy is forbidden: User %q cannot list resource \"poddisruptionbudgets\" in API group \"policy\" in the namespace %q; ask for this right, see docs/rbac.md\n", n.NS, user("pods"), n.NS))
	if !strings.Contains(r.Out, "NODE002") || strings.Contains(r.Out, "NODE011") || strings.Contains(r.Out, "NODE008") {
		t.Errorf("nodes and pods:\n%s", r.Out)
	}
	r = as("pods", "--pods")
	if want := "warning: disk usage: no right to get nodes/proxy; see docs/rbac.md, or leave usage out with --no-usage\n"; r.Code != 0 || !strings.Contains(r.Err, want) || !strings.Contains(r.Out, "data-db-0   unknown") {
		t.Errorf("nodes and pods, --pods: exit code %d, %q\n%s", r.Code, r.Err, r.Out)
	}

	// Pods of one namespace.
	role(user("one"), "list", "nodes")
	n.Kubectl("create", "role", "pods", "--verb=list", "--resource=pods,poddisruptionbudgets.policy")
	n.Kubectl("create", "rolebinding", "pods", "--role=pods", "--user="+user("one"))
	role(user("one"), "list", "csinodes.storage.k8s.io,persistentvolumes")
	r = eventually("one", "", "-n", n.NS)
	if !strings.Contains(r.Out, "2 of 2 stateful pods (100%)") {
		t.Errorf("one namespace:\n%s", r.Out)
	}

	// All of docs/rbac.md.
	role(user("all"), "list", "nodes,pods,persistentvolumes,csinodes.storage.k8s.io,poddisruptionbudgets.policy")
	role(user("all"), "get", "nodes/proxy")
	if r = eventually("all", "", "--pods"); !strings.Contains(r.Out, "NODE011") || !strings.Contains(r.Out, "NODE008") || !strings.Contains(r.Out, "%") {
		t.Errorf("all rights:\n%s", r.Out)
	}

	r = as("nobody")
	if r.Code != 1 || r.Out != "" || strings.Count(r.Err, "\n") != 1 || !strings.HasPrefix(r.Err, "error: nodes is forbidden: User ") {
		t.Errorf("nothing at all: exit code %d, %q", r.Code, r.Err)
	}
}

// TestNodesFormats prints every form of output.
func TestNodesFormats(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := machine{name: "n", labels: "karpenter.sh/capacity-type=spot"}.make(n)
	for format, want := range map[string]string{
		"name":  "node/" + name + "\n",
		"wide":  "karpenter.sh/capacity-type=spot",
		"json":  `"kind": "NodeCapacityList"`,
		"yaml":  "kind: NodeCapacityList",
		"kyaml": `kind: "NodeCapacityList"`,
		"jsonpath={.items[0].class.capacityType} {.summary.total.nodes}": "spot 1",
		"go-template={{range .items}}{{.class.platform}}{{end}}":         "EKS",
		"custom-columns=NODE:.metadata.name,TERMS:.class.capacityType":   "NODE",
	} {
		if out := n.MustDoik("nodes", name, "-o", format); !strings.Contains(out, want) {
			t.Errorf("-o %s: no %q in\n%s", format, want, out)
		}
	}
	if out := n.MustDoik("nodes", name, "--chunk-size=1", "-o", "jsonpath={.items[*].metadata.name}"); out != name {
		t.Errorf("in pages of one: %q", out)
	}
	if out := n.MustDoik("nodes", name, "--no-headers"); strings.Count(out, "\n") != 1 {
		t.Errorf("no headers: %q", out)
	}
}

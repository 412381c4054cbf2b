//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

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

// TestNodesOfPlatforms has a node of every platform in the API server.
func TestNodesOfPlatforms(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	platforms := []struct {
		name, labels, annotations, taints, provider string
		want                                        string // capacity type, platform, owner, compute type, evidence
	}{
		{"ack", "node.alibabacloud.com/spot-strategy=SpotAsPriceGo node.alibabacloud.com/nodepool-id=np1", "", "", "cn-h.i-1", "spot ACK NodePool/np1 instance node.alibabacloud.com/spot-strategy=SpotAsPriceGo"},
		{"aks", "kubernetes.azure.com/agentpool=sys", "", "", "azure:///vm", "on-demand AKS AgentPool/sys instance no kubernetes.azure.com/scalesetpriority: regular"},
		{"aks-spot", "kubernetes.azure.com/scalesetpriority=spot kubernetes.azure.com/agentpool=sp", "", "kubernetes.azure.com/scalesetpriority=spot", "azure:///vm2", "spot AKS AgentPool/sp instance kubernetes.azure.com/scalesetpriority=spot"},
		{"aks-virtual", "type=virtual-kubelet", "", "virtual-kubelet.io/provider=azure", "", "unknown EKS / virtual "},
		{"auto", "eks.amazonaws.com/compute-type=auto karpenter.sh/nodepool=general karpenter.sh/capacity-type=spot", "", "", "aws:///a/i-1", "spot EKS NodePool/general auto karpenter.sh/capacity-type=spot"},
		{"capi", "cluster.x-k8s.io/interruptible=", "cluster.x-k8s.io/owner-kind=MachineSet cluster.x-k8s.io/owner-name=md-0", "", "openstack:///u", "spot EKS MachineSet/md-0 instance cluster.x-k8s.io/interruptible="},
		{"castai", "scheduling.cast.ai/spot=true provisioner.cast.ai/managed-by=cast.ai", "", "", "aws:///a/i-2", "spot EKS CastAI/ instance scheduling.cast.ai/spot=true"},
		{"civo", "kubernetes.civo.com/civo-node-pool=p", "", "", "civo://1", "unknown Civo NodePool/p instance "},
		{"coreweave", "compute.coreweave.com/node-pool=p", "", "", "", "unknown CoreWeave NodePool/p unknown "},
		{"doks", "doks.digitalocean.com/node-pool=p", "", "", "digitalocean://1", "unknown DOKS NodePool/p instance "},
		{"eks", "eks.amazonaws.com/capacityType=CAPACITY_BLOCK eks.amazonaws.com/nodegroup=gpu", "", "", "aws:///a/i-3", "capacity-block EKS ManagedNodeGroup/gpu instance eks.amazonaws.com/capacityType=CAPACITY_BLOCK"},
		{"eksctl", "node-lifecycle=spot alpha.eksctl.io/nodegroup-name=ng", "", "", "aws:///a/i-4", "spot EKS NodeGroup/ng instance node-lifecycle=spot"},
		{"fargate", "eks.amazonaws.com/compute-type=fargate", "", "eks.amazonaws.com/compute-type=fargate", "aws:///a/x/fargate-ip", "fargate EKS FargateProfile/ fargate eks.amazonaws.com/compute-type=fargate"},
		{"gke", "cloud.google.com/gke-nodepool=p1 cloud.google.com/gke-provisioning=flex-start", "", "", "gce://p/z/n", "flex GKE NodePool/p1 instance cloud.google.com/gke-provisioning=flex-start"},
		{"hybrid", "eks.amazonaws.com/compute-type=hybrid", "", "", "eks-hybrid:///r/c/mi", "unknown EKS / hybrid "},
		{"karpenter", "karpenter.sh/nodepool=db karpenter.sh/capacity-type=reserved", "", "", "aws:///a/i-5", "reserved EKS NodePool/db instance karpenter.sh/capacity-type=reserved"},
		{"kops", "node-role.kubernetes.io/spot-worker=true kops.k8s.io/instancegroup=nodes", "", "", "aws:///a/i-6", "spot kOps InstanceGroup/nodes instance node-role.kubernetes.io/spot-worker=true"},
		{"legacy", "lifecycle=Ec2Spot", "", "", "aws:///a/i-7", "spot EKS SelfManaged/ instance lifecycle=Ec2Spot"},
		{"ocean", "spotinst.io/node-lifecycle=od spotinst.io/ocean-vng-id=ols", "", "", "aws:///a/i-8", "on-demand EKS VirtualNodeGroup/ols instance spotinst.io/node-lifecycle=od"},
		{"oke", "oci.oraclecloud.com/oke-is-preemptible=true", "oci.oraclecloud.com/node-pool-id=ocid1", "", "oci://o", "preemptible OKE NodePool/ocid1 instance oci.oraclecloud.com/oke-is-preemptible=true"},
		{"openshift", "machine.openshift.io/interruptible-instance=", "machine.openshift.io/machine=openshift-machine-api/w-0", "", "aws:///a/i-9", "spot OpenShift Machine/openshift-machine-api/w-0 instance machine.openshift.io/interruptible-instance="},
		{"private", "tier=cheap", "", "", "aws:///a/i-10", "spot EKS SelfManaged/ instance tier=cheap"},
		{"scaleway", "k8s.scaleway.com/pool-name=p", "", "", "scaleway://1", "unknown Scaleway NodePool/p instance "},
		{"self", "", "", "", "aws:///a/i-11", "unknown EKS SelfManaged/ instance "},
		{"yandex", "yandex.cloud/preemptible=false yandex.cloud/node-group-id=cat", "", "", "yandex://f", "on-demand Yandex NodeGroup/cat instance yandex.cloud/preemptible=false"},
	}
	machines := make([]cluster.Machine, len(platforms))
	for i, p := range platforms {
		machines[i] = cluster.Machine{Name: p.name, Labels: p.labels, Annotations: p.annotations, Taints: p.taints, Provider: p.provider}
	}
	n.Fleet(machines...)
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

// TestNodesOfFargate counts of a machine of Fargate what its pod has been given, in its row and in the sums, and names the systems of nodes
// where one is not Linux.
func TestNodesOfFargate(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	names := n.Fleet(cluster.Machine{Name: "fargate", Labels: "eks.amazonaws.com/compute-type=fargate"}, cluster.Machine{Name: "win", Labels: "kubernetes.io/os=windows"})
	n.Apply(fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: batch, labels: {eks.amazonaws.com/fargate-profile: batch}, annotations: {CapacityProvisioned: 0.25vCPU 0.5GB}}
spec:
  nodeName: %s
  containers: [{name: main, image: none, resources: {requests: {cpu: 100m, memory: 128Mi}}}]
`, names[0]))
	n.Kubectl("wait", "--for=condition=Ready", "pod/batch", "--timeout=300s")
	report := everywhere(n, "-l", "test="+n.NS)
	f, sum := report.Items[0], report.Summary
	if f.Class.Owner == nil || f.Class.Owner.Name != "batch" || f.CPU.Capacity.MilliValue() != 250 || f.Memory.Allocatable.Value() != 512<<20 || *f.CPU.RequestedPercent != 40 {
		t.Errorf("%+v: %+v, %+v", f.Class.Owner, f.CPU, f.Memory)
	}
	if sum.Total.CPU.MilliValue() != 8250 || sum.ByCapacityType[0].CPU.MilliValue() != 250 || sum.ByCapacityType[0].Memory.Value() != 512<<20 {
		t.Errorf("sums %+v", sum)
	}
	table := n.MustDoik("nodes", "-l", "test="+n.NS)
	if !strings.Contains(table, "  OS  ") || !strings.Contains(table, "  windows  ") || !strings.Contains(table, "   8.25 vCPU   ") {
		t.Errorf("table:\n%s", table)
	}
	if table := n.MustDoik("nodes", names[0]); strings.Contains(table, "  OS  ") {
		t.Errorf("all on Linux:\n%s", table)
	}
}

// TestNodesArguments says what is wrong with arguments, and which node may have been meant.
func TestNodesArguments(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := cluster.Machine{Name: "one"}.Make(n)
	for args, want := range map[string]string{
		name: "node/" + name + "\n", "node/" + name + " nodes/" + name: "node/" + name + "\n", "-A " + name: "node/" + name + "\n", "-l test=" + n.NS + ",x!=y": "node/" + name + "\n",
	} {
		r := cluster.Run(t, "", "kubectl", append([]string{"doik", "nodes", "-o", "name"}, strings.Fields(args)...)...)
		if r.Code != 0 || r.Out != want || r.Err != "" {
			t.Errorf("nodes %s: exit code %d, %q, %q", args, r.Code, r.Out, r.Err)
		}
	}
	for args, want := range map[string]string{
		name + "x":                               "error: Node \"" + name + "x\" not found: did you mean " + name + "?\n",
		"nosuchnode-at-all":                      "error: Node \"nosuchnode-at-all\" not found\n",
		"--capacity-type=cheap":                  "error: --capacity-type: \"cheap\" is none of on-demand, reserved, capacity-block, spot, preemptible, flex, fargate, unknown\n",
		"--spot-label=cheap":                     "error: --spot-label: \"cheap\" is not a label of the form key=value\n",
		"--on-demand-label==x":                   "error: --on-demand-label: \"=x\" is not a label of the form key=value\n",
		"--spot-label=a=b --on-demand-label=a=b": "error: --spot-label and --on-demand-label are the same label: a=b\n",
		"pod/" + name:                            "error: pod/" + name + ": this command does not accept the kind \"pod\": use NAME or node/NAME\n",
		"--pods --usage-timeout=-1s":             "error: invalid --usage-timeout \"-1s\": must be positive; --no-usage skips disk usage\n",
		name + " -l a=b":                         "error: names and a selector (-l) can't be combined\n",
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

// TestNodesOfSets sums up the nodes of several sets, sorts them, and shows what state they are in. What is found about them is in
// the table of faults.
func TestNodesOfSets(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	node := func(name, zone, capacity, sets string) cluster.Machine {
		labels := fmt.Sprintf("eks.amazonaws.com/capacityType=%s eks.amazonaws.com/nodegroup=%s topology.kubernetes.io/zone=%s-%s", capacity, strings.ToLower(capacity), n.NS, zone)
		for _, set := range strings.Fields(sets) {
			labels += " set-" + set + "="
		}
		return cluster.Machine{Name: name, Labels: labels, Provider: "aws:///" + zone + "/i-" + name}
	}
	names := n.Fleet(
		node("o1", "a", "ON_DEMAND", "few own"), node("o2", "b", "ON_DEMAND", "few own"), node("o3", "c", "ON_DEMAND", "most one own"),
		node("s1", "a", "SPOT", "all most few"), node("s2", "b", "SPOT", "all most"))
	o1, o2, o3, s2 := names[0], names[1], names[2], names[4]
	n.ApplySpread("all", 2, true)
	n.ApplySpread("most", 3, true)
	n.ApplySpread("few", 3, true)
	n.ApplySpread("own", 3, true)
	n.ApplySpread("one", 2, false)

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

	rows := strings.Split(cluster.Run(t, "", "kubectl", "doik", "nodes", "-l", "test="+n.NS, "-o", "wide", "--no-headers", "--sort-by=-CPU").Out, "\n")
	if len(rows) != 6 || !strings.HasPrefix(rows[0], o3+" ") || !strings.Contains(rows[0], " 25%  ##........ 2/8 ") || !strings.Contains(rows[4], " 12%  #......... 1/8 ") {
		t.Errorf("by CPU:\n%s", strings.Join(rows, "\n"))
	}

	// A set's nodes are looked at as a whole, whichever are shown.
	if r := n.Doik("nodes", o2, "--fail-on=warning"); r.Code != 3 || !strings.Contains(r.Out, "NODE004") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
	if out := n.MustDoik("nodes", "-l", "test="+n.NS, "--stateful", "-o", "name"); strings.Count(out, "\n") != 5 {
		t.Errorf("stateful: %q", out)
	}

	// Of another namespace's pods there are none here.
	mine, theirs := nodes(n, "--no-usage").Items[2], cluster.Report[v1alpha1.NodeCapacityList](cluster.NewNamespace(t), "nodes", o3).Items[0]
	if mine.Pods.Total != 4 || theirs.Pods.Total != 0 || theirs.CPU.Requested != nil {
		t.Errorf("-n: %+v and %+v", mine.Pods, theirs)
	}

	n.Kubectl("taint", "node", s2, "ToBeDeletedByClusterAutoscaler=1732:NoSchedule")
	n.Kubectl("cordon", o1)
	if table := n.MustDoik("nodes", o1, s2, "--no-headers"); !strings.Contains(table, " Ready,SchedulingDisabled ") || !strings.Contains(table, " Ready,ToBeDeletedByClusterAutoscaler ") {
		t.Errorf("status:\n%s", table)
	}

	// A kubelet that no longer reports.
	n.Kubectl("annotate", "node", o3, "lab.doik.dev/state=not-ready")
	cluster.Eventually(t, 60*time.Second, func() error {
		if table := n.MustDoik("nodes", o3, "--no-headers"); !strings.Contains(table, " NotReady ") {
			return fmt.Errorf("status:\n%s", table)
		}
		return nil
	})
	r := n.Doik("nodes", o3, "--pods", "--usage-timeout=2s")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.HasPrefix(r.Err, "warning: disk usage on node "+o3+": ") || !strings.Contains(r.Out, "unknown") {
		t.Errorf("a dead kubelet: exit code %d: %s\n%s", r.Code, r.Err, r.Out)
	}
	if r := n.Doik("nodes", o3, "--fail-on=error"); r.Code != 3 {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
}

// TestNodesRights takes away one right after the other: the node table still shows.
func TestNodesRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := cluster.Machine{Name: "spot", Labels: "karpenter.sh/capacity-type=spot topology.kubernetes.io/zone=" + n.NS + " set-db="}.Make(n)
	n.ApplySpread("db", 2, false)
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
		return fmt.Sprintf("warning: %s: %s is forbidden: User %q cannot list resource %q in API group %q at the cluster scope; ask for this permission: kubectl doik --print-rbac prints the role\n",
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
	if r := as("nodes", "--stateful"); r.Code != 1 || r.Out != "" || !strings.HasPrefix(r.Err, "error: --stateful needs to read pods: pods is forbidden") {
		t.Errorf("--stateful: exit code %d, %q", r.Code, r.Err)
	}

	role(user("pods"), "list", "nodes,pods")
	r = eventually("pods", noCSI("pods")+forbidden("pods", "PersistentVolumes", "persistentvolumes", "")+
		fmt.Sprintf("warning: PodDisruptionBudgets in namespace %s: poddisruptionbudgets.policy is forbidden: User %q cannot list resource \"poddisruptionbudgets\" in API group \"policy\" in the namespace %q; ask for this permission: kubectl doik --print-rbac prints the role\n", n.NS, user("pods"), n.NS))
	if !strings.Contains(r.Out, "NODE002") || strings.Contains(r.Out, "NODE011") || strings.Contains(r.Out, "NODE008") {
		t.Errorf("nodes and pods:\n%s", r.Out)
	}
	r = as("pods", "--pods")
	if want := "warning: disk usage: no permission to get nodes/proxy; ask for it (kubectl doik --print-rbac=kubelets prints the role), or skip disk usage with --no-usage\n"; r.Code != 0 || !strings.Contains(r.Err, want) || !strings.Contains(r.Out, "data-db-0   unknown") {
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
	name := cluster.Machine{Name: "n", Labels: "karpenter.sh/capacity-type=spot"}.Make(n)
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

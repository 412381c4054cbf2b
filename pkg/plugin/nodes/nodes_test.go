package nodes

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

var now = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table. Cases for which kubelets were asked are those
// of --pods.
func TestGolden(t *testing.T) {
	golden.Cases(t, now, func(t *testing.T, s *Snapshot, now time.Time, folder string) {
		report := Analyze(s, Selection{Pods: s.UsageAsked}, now)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table {
			return Table(report, View{Pods: s.UsageAsked, Usage: s.UsageAsked, Show: show, Now: now})
		})
		table := Table(report, View{Pods: s.UsageAsked, Usage: s.UsageAsked, Now: now})
		golden.Tables(t, folder, table, table)
	})
}

// TestSelection chooses nodes in every way from one snapshot.
func TestSelection(t *testing.T) {
	s := golden.Read[Snapshot](t, "testdata/at-stake/snapshot.yaml")
	spot, err := labels.Parse("eks.amazonaws.com/nodegroup=spot")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		o    Selection
		want string
	}{
		{"names", Selection{Names: []string{"od-b", "od-a"}}, "od-a od-b"},
		{"selector", Selection{Selector: spot}, "spot-a spot-b spot-c"},
		{"capacity", Selection{CapacityTypes: []v1alpha1.CapacityType{v1alpha1.CapacityUnknown, v1alpha1.CapacityFargate}}, "bare fargate"},
		{"stateful and on-demand", Selection{Stateful: true, CapacityTypes: []v1alpha1.CapacityType{v1alpha1.CapacityOnDemand}}, "od-a od-a2 od-b od-c"},
		{"a private label", Selection{OwnLabels: []capacity.OwnLabel{{Key: "rack", Value: "r1", Capacity: v1alpha1.CapacitySpot}}, CapacityTypes: []v1alpha1.CapacityType{v1alpha1.CapacitySpot}}, "bare spot-a spot-b spot-c"},
		{"none", Selection{Names: []string{"other"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := Analyze(s, test.o, now)
			var got []string
			for _, n := range report.Items {
				got = append(got, n.Metadata.Name)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if int(report.Summary.Total.Nodes) != len(got) {
				t.Errorf("the summary has %d nodes", report.Summary.Total.Nodes)
			}
			for _, f := range report.Findings {
				if len(got) == 0 {
					t.Errorf("a finding without a node: %+v", f)
				}
			}
		})
	}
}

func requests(cpu, memory string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}}
}

// TestReducePods keeps what matters of pods as the API server describes them.
func TestReducePods(t *testing.T) {
	controlledBy := func(kind, name string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{Kind: kind, Name: name, UID: types.UID(name), Controller: new(true)}}
	}
	claim := func(name string) corev1.Volume {
		return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}
	}
	always := corev1.ContainerRestartPolicyAlways
	pods := []corev1.Pod{
		{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "mysql-0", OwnerReferences: controlledBy(objects.KindStatefulSet, "mysql"), Labels: map[string]string{"app": "mysql"}},
			Spec: corev1.PodSpec{
				NodeName: "n1", Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}}, claim("data")},
				// What it asks for is the larger of what it needs to start (1 core beside the sidecar) and to run.
				InitContainers: []corev1.Container{{Resources: requests("100m", "64Mi"), RestartPolicy: &always}, {Resources: requests("1", "1Mi")}},
				Containers:     []corev1.Container{{Resources: requests("500m", "1Gi")}, {Resources: requests("100m", "128Mi")}},
			},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Ready: true}, {}}},
		},
		{ // stateful without a claim, on no node
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "mysql-1", OwnerReferences: controlledBy(objects.KindStatefulSet, "mysql"), Labels: map[string]string{"app": "other"}},
			Status:     corev1.PodStatus{Phase: corev1.PodPending},
		},
		{ // what operators make
			ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "pg-1", OwnerReferences: controlledBy("Cluster", "pg"), Labels: map[string]string{"app": "pg"}},
			Spec:       corev1.PodSpec{NodeName: "n1", Volumes: []corev1.Volume{claim("pg-1")}},
		},
		{ // a Deployment with a claim is stateful, but no set
			ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "wiki-x", OwnerReferences: controlledBy("ReplicaSet", "wiki"), Labels: map[string]string{fargateProfileLabel: "batch"}},
			Spec:       corev1.PodSpec{NodeName: "n2", Volumes: []corev1.Volume{claim("wiki")}},
		},
		{ // stateless: a generic ephemeral volume goes with its pod
			ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "cache-x", OwnerReferences: controlledBy("ReplicaSet", "cache")},
			Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Resources: requests("1", "1Gi")}}, Volumes: []corev1.Volume{
				{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}, {Name: "dir", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			}},
		},
		{ // what Fargate has given a pod that a drain is evicting
			ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "batch-x", Labels: map[string]string{fargateProfileLabel: "batch"}, Annotations: map[string]string{provisionedAnnotation: "0.25vCPU 0.5GB"}},
			Spec:       corev1.PodSpec{NodeName: "n3"},
			Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: evictionReason}}},
		},
		{ // as its set's other pod
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "redis-0", OwnerReferences: controlledBy(objects.KindStatefulSet, "redis")},
			Spec:       corev1.PodSpec{NodeSelector: map[string]string{"pool": "db"}},
		},
		{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "redis-1", OwnerReferences: controlledBy(objects.KindStatefulSet, "redis")},
			Spec:       corev1.PodSpec{NodeSelector: map[string]string{"pool": "db"}},
		},
		{ // ended
			ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "job-x", OwnerReferences: controlledBy("Job", "job")},
			Spec:       corev1.PodSpec{NodeName: "n1", Volumes: []corev1.Volume{claim("job")}, Containers: []corev1.Container{{Resources: requests("1", "1Gi")}}},
			Status:     corev1.PodStatus{Phase: corev1.PodSucceeded},
		},
	}
	s := &Snapshot{}
	r, all := &reducer{}, newAdder(s)
	for i := range pods {
		all.add(r.reduce(&pods[i]))
	}
	want := &Snapshot{
		Loads: map[string]Load{"n1": {Pods: 3, CPU: 2100, Memory: (1024+128+64)<<20 + 1<<30}, "n2": {Pods: 1, FargateProfile: "batch"}, "n3": {Pods: 1, Evicted: 1, FargateProfile: "batch", Provisioned: &Provisioned{CPU: 250, Memory: 512 << 20}}},
		Pods: []Pod{
			{Namespace: "shop", Name: "mysql-0", Node: "n1", Kind: objects.KindStatefulSet, Set: "mysql", UID: "mysql", Claims: []string{"data"}, Containers: 2, ContainersReady: 1, CPU: 1100, Memory: (1024 + 128 + 64) << 20},
			{Namespace: "shop", Name: "mysql-1", Kind: objects.KindStatefulSet, Set: "mysql", UID: "mysql"},
			{Namespace: "db", Name: "pg-1", Node: "n1", Kind: "Cluster", Set: "pg", UID: "pg", Claims: []string{"pg-1"}},
			{Namespace: "db", Name: "wiki-x", Node: "n2", Kind: "ReplicaSet", Set: "wiki", UID: "wiki", Claims: []string{"wiki"}},
			{Namespace: "shop", Name: "redis-0", Kind: objects.KindStatefulSet, Set: "redis", UID: "redis", Requires: &objects.Requirements{NodeSelector: map[string]string{"pool": "db"}}},
			{Namespace: "shop", Name: "redis-1", Kind: objects.KindStatefulSet, Set: "redis", UID: "redis", Requires: &objects.Requirements{NodeSelector: map[string]string{"pool": "db"}}},
		},
		Labels: map[types.UID]map[string]string{"mysql": {"app": "mysql"}, "pg": {"app": "pg"}, "redis": nil},
	}
	if last := s.Pods[len(s.Pods)-2:]; last[0].Requires != last[1].Requires {
		t.Error("pods of a set do not share what they require")
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestProvisioned reads what Fargate writes, and nothing else.
func TestProvisioned(t *testing.T) {
	for text, want := range map[string]*Provisioned{
		"0.25vCPU 0.5GB": {CPU: 250, Memory: 512 << 20}, "2vCPU 9GB": {CPU: 2000, Memory: 9 << 30}, "": nil, "2vCPU": nil, "2vCPU 9": nil, "xvCPU 9GB": nil, "-1vCPU 9GB": nil, "1vCPU 9GiB": nil,
	} {
		if diff := cmp.Diff(want, provisioned(text)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	}
}

// TestReduceNodes counts attached volumes by driver and drops unused fields.
func TestReduceNodes(t *testing.T) {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: "n1", Annotations: map[string]string{"cluster.x-k8s.io/machine": "m", "other": "x"}, Labels: map[string]string{"a": "b"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}},
	}}
	n.Status.VolumesAttached = []corev1.AttachedVolume{
		{Name: "kubernetes.io/csi/ebs.csi.aws.com^vol-1"}, {Name: "kubernetes.io/csi/ebs.csi.aws.com^vol-2"},
		{Name: "kubernetes.io/csi/efs.csi.aws.com^fs-1"}, {Name: "kubernetes.io/aws-ebs/aws://a/vol-3"}, {Name: "kubernetes.io/csi/broken"},
	}
	n.Status.Images = []corev1.ContainerImage{{SizeBytes: 1}}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, LastHeartbeatTime: metav1.NewTime(now)}, {Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse}, {Type: corev1.NodePIDPressure, Status: corev1.ConditionTrue}}
	n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: "h"}, {Type: corev1.NodeInternalIP, Address: "10.0.0.1"}}
	s := &Snapshot{Limits: map[string]map[string]int32{}}
	s.addNode(reduceNode(n, capacity.Annotations()))
	s.addLimits(reduceLimits(&storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{
		{Name: "ebs.csi.aws.com", Allocatable: &storagev1.VolumeNodeResources{Count: new(int32(25))}}, {Name: "efs.csi.aws.com"}, {Name: "x", Allocatable: &storagev1.VolumeNodeResources{}},
	}}}))
	kept := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Annotations: map[string]string{"cluster.x-k8s.io/machine": "m"}, Labels: map[string]string{"a": "b"}}}
	kept.Status.Conditions = []corev1.NodeCondition{n.Status.Conditions[0], n.Status.Conditions[2]}
	kept.Status.Conditions[0].LastHeartbeatTime = metav1.Time{}
	kept.Status.Addresses = n.Status.Addresses[1:]
	kept.Status.Capacity, kept.Status.Allocatable = corev1.ResourceList{}, corev1.ResourceList{}
	want := &Snapshot{
		Nodes: []corev1.Node{kept}, Attached: map[string]map[string]int32{"n1": {"ebs.csi.aws.com": 2, "efs.csi.aws.com": 1}}, Limits: map[string]map[string]int32{"n1": {"ebs.csi.aws.com": 25}},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNeeds asks for volumes only where no other node of a zone could take them, and for budgets only of sets on spot nodes.
func TestNeeds(t *testing.T) {
	s := golden.Read[Snapshot](t, "testdata/at-stake/snapshot.yaml")
	need := needs(s, Selection{})
	var volumes []string
	for claim := range need.volumes {
		volumes = append(volumes, claim)
	}
	slices.Sort(volumes)
	// In zone b one node is cordoned and one is going: neither could take the other's pods.
	if got := strings.Join(volumes, " "); got != "shop/data-mysql-1 shop/data-mysql-2 tools/ledger" {
		t.Errorf("volumes %s", got)
	}
	if !slices.Equal(need.budgets, []string{"shop"}) {
		t.Errorf("budgets of %q", need.budgets)
	}
	if need := needs(s, Selection{Names: []string{"od-a"}}); len(need.volumes) != 0 || len(need.usage) != 2 || need.usage["shop/kafka-0"] != "" || need.usage["shop/d-kafka-0"] != "od-a" {
		t.Errorf("of one node: %+v", need)
	}
}

// TestNoChoice tells of pods on one node only where another one would take such pods.
func TestNoChoice(t *testing.T) {
	for name, test := range map[string]struct {
		other func(*corev1.Node)
		pods  *objects.Requirements
		told  bool
	}{
		"another worker":                    {func(*corev1.Node) {}, nil, true},
		"another worker, not of their pool": {func(*corev1.Node) {}, &objects.Requirements{NodeSelector: map[string]string{"pool": "db"}}, true}, // which they can be told to leave
		"a control plane": {func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
		}, nil, false},
		"a control plane that they tolerate": {func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
		}, &objects.Requirements{Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}}, true},
		"Windows":       {func(n *corev1.Node) { n.Labels[corev1.LabelOSStable] = "windows" }, nil, false},
		"Fargate":       {func(n *corev1.Node) { n.Labels["eks.amazonaws.com/compute-type"] = "fargate" }, nil, false},
		"cordoned":      {func(n *corev1.Node) { n.Spec.Unschedulable = true }, nil, false},
		"being drained": {func(n *corev1.Node) { n.Labels["autoscaling.cast.ai/draining"] = "manual" }, nil, false},
	} {
		node := func(name string) corev1.Node {
			n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelOSStable: "linux"}}}
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
			return n
		}
		s := &Snapshot{AllPods: true, Nodes: []corev1.Node{node("worker"), node("other")}}
		test.other(&s.Nodes[1])
		for i := range 2 {
			s.Pods = append(s.Pods, Pod{Namespace: "shop", Name: fmt.Sprintf("web-%d", i), Node: "worker", Kind: objects.KindStatefulSet, Set: "web", UID: "web", Requires: test.pods})
		}
		told := slices.ContainsFunc(Analyze(s, Selection{}, now).Findings, func(f v1alpha1.Finding) bool { return f.Code == v1alpha1.CodeMajorityOnNode })
		if told != test.told || NewRoom(s, nil).OtherNode("worker", "shop/web-0") != test.told {
			t.Errorf("%s: told %t", name, told)
		}
	}
}

// fleet is a large cluster: a third of its nodes spot, three zones, sets of three.
func fleet(nodes, pods int) *Snapshot {
	s := &Snapshot{AllPods: true, Loads: map[string]Load{}, Labels: map[types.UID]map[string]string{}, Limits: map[string]map[string]int32{}}
	for i := range nodes {
		n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("ip-10-%d-%d-%d.ap-northeast-2.compute.internal", i/65536, i/256%256, i%256), Labels: map[string]string{
			"topology.kubernetes.io/zone": "ap-northeast-2" + string(rune('a'+i%3)), "eks.amazonaws.com/nodegroup": fmt.Sprintf("ng-%d", i%8),
			"eks.amazonaws.com/capacityType": map[bool]string{true: "SPOT", false: "ON_DEMAND"}[i%3 == 0], "kubernetes.io/arch": "amd64", "node.kubernetes.io/instance-type": "m5.large",
		}}}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		n.Status.Capacity = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("8Gi")}
		n.Status.Allocatable = n.Status.Capacity
		s.Nodes = append(s.Nodes, n)
		s.Loads[n.Name] = Load{Pods: int32(pods / nodes), CPU: 500, Memory: 1 << 30}
		s.Limits[n.Name] = map[string]int32{"ebs.csi.aws.com": 25}
	}
	var requires *objects.Requirements
	for i := range pods {
		set := fmt.Sprintf("db-%05d", i/3)
		if i%3 == 0 { // each set asks for something of its own, in the way that costs most
			requires = &objects.Requirements{Affinity: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: "eks.amazonaws.com/nodegroup", Operator: corev1.NodeSelectorOpNotIn, Values: []string{"none", "ng-0"}},
			}}}}}
		}
		s.Pods = append(s.Pods, Pod{
			Namespace: fmt.Sprintf("shop-%03d", i/3%50), Name: fmt.Sprintf("%s-%d", set, i%3), Node: s.Nodes[i%nodes].Name, Kind: objects.KindStatefulSet, Set: set, UID: types.UID(set),
			Claims: []string{fmt.Sprintf("data-%s-%d", set, i%3)}, Containers: 1, ContainersReady: 1, Requires: requires,
		})
	}
	return s
}

// TestFleet is 5,000 nodes with 30,000 stateful pods: the figures add up, the table keeps short what is said of 10,000 sets, and
// it takes a second, not minutes.
func TestFleet(t *testing.T) {
	s := fleet(5000, 30_000)
	started := time.Now()
	report := Analyze(s, Selection{}, now)
	text := golden.Print(t, Table(report, View{Now: now}), printers.TableOptions{})
	took := time.Since(started)
	sum := report.Summary
	if len(report.Items) != 5000 || sum.Total.Nodes != 5000 || sum.Total.Pods.Stateful != 30_000 || sum.Interruptible.Nodes != 1667 || *sum.InterruptiblePercent != 33 {
		t.Errorf("%d items, %+v", len(report.Items), sum)
	}
	if len(sum.ByCapacityType) != 2 || len(sum.ByZone) != 3 || len(sum.ByOwner) != 8 || sum.ByZone[0].Nodes+sum.ByZone[1].Nodes+sum.ByZone[2].Nodes != 5000 {
		t.Errorf("%d types, %d zones, %d owners", len(sum.ByCapacityType), len(sum.ByZone), len(sum.ByOwner))
	}
	perCode := map[v1alpha1.Code]int{}
	for _, f := range Findings(report) {
		perCode[f.Code]++
	}
	if perCode[v1alpha1.CodeOnInterruptible]+perCode[v1alpha1.CodeMajorityInterruptible] != 10_000 || perCode[v1alpha1.CodeNoBudgetOnSpot] != 10_000 {
		t.Errorf("findings %v", perCode)
	}
	if lines := strings.Count(text, "\n"); lines > 5000+60 || !strings.Contains(text, " more   → kubectl doik explain NODE011\n") {
		t.Errorf("%d lines", lines)
	}
	t.Logf("%s, %d KiB of table", took, len(text)>>10)
	if took > 10*time.Second { // the race detector and a busy machine included
		t.Errorf("it took %s", took)
	}
}

// BenchmarkFleet is analysis and table of 5,000 nodes with 30,000 pods.
func BenchmarkFleet(b *testing.B) {
	s := fleet(5000, 30_000)
	b.ReportAllocs()
	for b.Loop() {
		report := Analyze(s, Selection{}, now)
		var out strings.Builder
		if err := Table(report, View{Now: now}).Print(&out, printers.TableOptions{}); err != nil {
			b.Fatal(err)
		}
		runtime.KeepAlive(out)
	}
}

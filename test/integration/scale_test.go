//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// BenchmarkScale looks at 1,500 sets of four in 50 namespaces, 6,000 pods each with a claim, on the nodes that the lab has:
// 1,000 with make bench, without controllers and scheduler, which nothing here needs.
func BenchmarkScale(b *testing.B) {
	const namespaces, sets, replicas = 50, 30, 4
	f := newFiller(b)
	if len(f.nodes) < 100 {
		b.Skipf("a lab of %d nodes: make bench starts a large one", len(f.nodes))
	}
	for i := range namespaces {
		f.namespace(fmt.Sprintf("scale-%02d", i), sets, replicas)
	}
	f.settle()

	first := []string{"-n", "scale-00"}
	ours := func(args ...string) []string { return append([]string{"kubectl-doik", "sts-status"}, args...) }
	b.Run("one-set", func(b *testing.B) {
		requests(b, ours(append(first, "db-00")...))
		cluster.Compare(b, ours(append(first, "db-00")...), append([]string{"kubectl", "get", "sts,pods,pvc,svc"}, first...))
	})
	b.Run("one-set-wide", func(b *testing.B) {
		requests(b, ours(append(first, "db-00", "-o", "wide")...))
		cluster.Compare(b, ours(append(first, "db-00", "-o", "wide")...), append([]string{"kubectl", "get", "sts,pods,pvc,svc", "-o", "wide"}, first...))
	})
	b.Run("all-sets-no-usage", func(b *testing.B) {
		requests(b, ours("-A", "--no-usage"))
		cluster.Compare(b, ours("-A", "--no-usage"), []string{"kubectl", "get", "sts,pods,pvc,pv", "-A"})
	})
	b.Run("120-claims", func(b *testing.B) {
		requests(b, ours(first...))
		cluster.Compare(b, ours(first...), append([]string{"kubectl", "get", "sts,pods,pvc,svc"}, first...))
	})
	b.Run("all-sets-usage", func(b *testing.B) {
		requests(b, ours("-A"))
		cluster.Compare(b, ours("-A"), ours("-A", "--no-usage"))
	})
	volumes := func(args ...string) []string { return append([]string{"kubectl-doik", "volumes"}, args...) }
	b.Run("volumes-120-claims", func(b *testing.B) {
		requests(b, volumes(first...))
		cluster.Compare(b, volumes(first...), dfPV("scale-00"))
	})
	b.Run("volumes-all", func(b *testing.B) {
		requests(b, volumes("-A"))
		cluster.Compare(b, volumes("-A"), ours("-A"))
	})
	b.Run("volumes-all-one-dead", func(b *testing.B) { // it costs one time-out, however many claims it has
		node := f.nodes[0]
		cluster.Run(b, "", "kubectl", "annotate", "node", node, "lab.doik.dev/kubelet=hang")
		b.Cleanup(func() { cluster.Run(b, "", "kubectl", "annotate", "node", node, "lab.doik.dev/kubelet-") })
		started := time.Now()
		cluster.Run(b, "", "kubectl-doik", "volumes", "-A", "--usage-timeout=3s")
		b.Logf("with a node that does not answer, and --usage-timeout=3s: %s", time.Since(started).Round(10*time.Millisecond))
		cluster.Compare(b, volumes("-A", "--usage-timeout=3s"), ours("-A", "--usage-timeout=3s"))
	})
}

// BenchmarkVolumes looks at 120 claims on as many nodes, beside kubectl df-pv, if there is one on PATH, else
// beside what one would type to see a part of it.
func BenchmarkVolumes(b *testing.B) {
	f := newFiller(b)
	if len(f.nodes) < 100 {
		b.Skipf("a lab of %d nodes: make bench starts a large one", len(f.nodes))
	}
	f.namespace("volumes-00", 30, 4)
	f.settle()
	ours := []string{"kubectl-doik", "volumes", "-n", "volumes-00"}
	requests(b, ours)
	cluster.Compare(b, ours, dfPV("volumes-00"))
}

// BenchmarkNodes looks at all nodes, each with six pods of databases on it, beside what one would type to see half of it: 5,000
// nodes and 30,000 pods with make bench.
func BenchmarkNodes(b *testing.B) {
	const namespaces, replicas, podsPerNode = 50, 3, 6
	f := newFiller(b)
	if len(f.nodes) < 100 {
		b.Skipf("a lab of %d nodes: make bench starts a large one", len(f.nodes))
	}
	f.manifest, f.podsOnly = "mysql.yaml", true
	for i := range namespaces {
		f.namespace(fmt.Sprintf("nodes-%02d", i), len(f.nodes)*podsPerNode/replicas/namespaces, replicas)
	}
	f.settle()
	ours, peer := []string{"kubectl-doik", "nodes"}, []string{"kubectl", "get", "nodes,pods", "-A"}
	requests(b, ours)
	b.Run("table", func(b *testing.B) { cluster.Compare(b, ours, peer) })
	b.Run("wide", func(b *testing.B) { cluster.Compare(b, append(ours, "-o", "wide"), append(peer, "-o", "wide")) })
	b.Run("watch", func(b *testing.B) { atRest(b, " vCPU ", "nodes", "--watch") })
}

// BenchmarkCheck checks 500 sets of four in 50 namespaces, beside its single parts: all of them together are to cost little more than
// the slowest.
func BenchmarkCheck(b *testing.B) {
	const namespaces, sets, replicas = 50, 10, 4
	f := newFiller(b)
	if len(f.nodes) < 100 {
		b.Skipf("a lab of %d nodes: make bench starts a large one", len(f.nodes))
	}
	for i := range namespaces {
		f.namespace(fmt.Sprintf("check-%02d", i), sets, replicas)
	}
	f.settle()
	check := []string{"kubectl-doik", "check", "-A"}
	requests(b, check)
	for _, part := range []string{"sts-status -A", "nodes", "dns -A --from=dns", "mysql-topology -A"} {
		b.Run(strings.Fields(part)[0], func(b *testing.B) {
			requests(b, append([]string{"kubectl-doik"}, strings.Fields(part)...))
			cluster.Compare(b, check, append([]string{"kubectl-doik"}, strings.Fields(part)...))
		})
	}
}

// requests reports how many requests a command sends.
func requests(b *testing.B, command []string) {
	b.Helper()
	r := cluster.Run(b, "", command[0], append(command[1:], "-v=6")...)
	if r.Code != 0 {
		b.Fatalf("%q: exit code %d: %s", command, r.Code, r.Err)
	}
	b.Logf("%v: %d requests", command, strings.Count(r.Err, `"Response"`))
}

// filler makes objects as the controllers would leave them, many at a time.
type filler struct {
	testing.TB
	client kubernetes.Interface
	nodes  []string
	next   int // the node of the next pod
	begun  time.Time
	// manifest is the file of the study's workload that is multiplied.
	manifest string
	// podsOnly leaves the claims and volumes out that the pods name.
	podsOnly bool
}

func newFiller(t testing.TB) *filler {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	f := &filler{TB: t, client: client, begun: time.Now(), manifest: "web.yaml"}
	nodes := cluster.Run(t, "", "kubectl", "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")
	if f.nodes = strings.Fields(nodes.Out); len(f.nodes) == 0 {
		t.Fatalf("no nodes: %s", nodes.Err)
	}
	return f
}

// namespace makes a namespace with a number of the study's sets in it, their pods, claims and volumes. What is there already
// stays.
func (f *filler) namespace(name string, sets, replicas int) {
	f.Helper()
	ctx := context.Background()
	done(f.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))(f)
	done(f.client.CoreV1().ServiceAccounts(name).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{}))(f)
	study, service := f.workload(name)
	first := f.next
	f.next += sets * replicas
	inParallel(sets, func(i int) {
		set, governing := study.DeepCopy(), service.DeepCopy()
		set.Name = fmt.Sprintf("db-%02d", i)
		set.Spec.Replicas = new(int32(replicas))
		set.Spec.ServiceName, governing.Name = set.Name, set.Name
		labels := map[string]string{"app": set.Name}
		set.Spec.Selector.MatchLabels, set.Spec.Template.Labels, governing.Spec.Selector = labels, labels, labels
		done(f.client.CoreV1().Services(name).Create(ctx, governing, metav1.CreateOptions{}))(f)
		created, err := f.client.AppsV1().StatefulSets(name).Create(ctx, set, metav1.CreateOptions{})
		if errors.IsAlreadyExists(err) {
			return
		}
		done(created, err)(f)
		created.Status = appsv1.StatefulSetStatus{
			ObservedGeneration: 1, Replicas: int32(replicas), ReadyReplicas: int32(replicas), AvailableReplicas: int32(replicas), UpdatedReplicas: int32(replicas),
			CurrentRevision: set.Name + "-1", UpdateRevision: set.Name + "-1",
		}
		done(f.client.AppsV1().StatefulSets(name).UpdateStatus(ctx, created, metav1.UpdateOptions{}))(f)
		for ordinal := range replicas {
			f.ordinal(created, ordinal, f.nodes[(first+i*replicas+ordinal)%len(f.nodes)])
		}
	})
	if f.Failed() {
		f.FailNow()
	}
}

// workload is the StatefulSet of the manifest with its governing Service.
func (f *filler) workload(namespace string) (*appsv1.StatefulSet, *corev1.Service) {
	f.Helper()
	n := &cluster.Namespace{TB: f.TB, NS: namespace}
	set, services := &appsv1.StatefulSet{}, map[string]*corev1.Service{}
	for _, document := range strings.Split(n.Manifest(f.manifest), "\n---\n") {
		var into any
		switch {
		case strings.Contains(document, "\nkind: StatefulSet\n"):
			into = set
		case strings.Contains(document, "\nkind: Service\n"):
			into = &corev1.Service{}
		default:
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
			f.Fatal(err)
		}
		if service, ok := into.(*corev1.Service); ok {
			services[service.Name] = service
		}
	}
	service := services[set.Spec.ServiceName]
	if service == nil {
		f.Fatalf("%s has no Service %q", f.manifest, set.Spec.ServiceName)
	}
	return set, service
}

// ordinal makes a pod with its claim and volume.
func (f *filler) ordinal(set *appsv1.StatefulSet, ordinal int, node string) {
	ctx := context.Background()
	template := set.Spec.VolumeClaimTemplates[0]
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: set.Namespace, Name: fmt.Sprintf("%s-%d", set.Name, ordinal),
			Labels:          map[string]string{"app": set.Name, appsv1.StatefulSetRevisionLabel: set.Name + "-1"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))},
		},
		Spec: *set.Spec.Template.Spec.DeepCopy(),
	}
	pod.Spec.NodeName, pod.Spec.Hostname, pod.Spec.Subdomain = node, pod.Name, set.Spec.ServiceName
	claim := template.Name + "-" + pod.Name
	if !f.podsOnly {
		f.claim(pod, claim, template.Spec)
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: template.Name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
	}})
	done(f.client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}))(f)
}

// claim makes a pod's claim, with a volume that is bound to it.
func (f *filler) claim(pod *corev1.Pod, name string, spec corev1.PersistentVolumeClaimSpec) {
	ctx := context.Background()
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: name, Labels: pod.Labels}, Spec: spec}
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + pod.Namespace + "-" + pod.Name}}
	claim.Spec.VolumeName = volume.Name
	claim, err := f.client.CoreV1().PersistentVolumeClaims(pod.Namespace).Create(ctx, claim, metav1.CreateOptions{})
	done(claim, err)(f)
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	volume.Spec = corev1.PersistentVolumeSpec{
		Capacity: size, AccessModes: claim.Spec.AccessModes, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete, StorageClassName: "standard",
		PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "csi.lab.doik.dev", VolumeHandle: "vol-" + volume.Name}},
		ClaimRef:               &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
	}
	volume, err = f.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	done(volume, err)(f)
	volume.Status.Phase = corev1.VolumeBound
	done(f.client.CoreV1().PersistentVolumes().UpdateStatus(ctx, volume, metav1.UpdateOptions{}))(f)
	claim.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, AccessModes: claim.Spec.AccessModes, Capacity: size}
	done(f.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{}))(f)
}

// settle waits until all pods run.
func (f *filler) settle() {
	f.Helper()
	f.Logf("%d pods on %d nodes created in %s", f.next, len(f.nodes), time.Since(f.begun).Round(time.Second))
	cluster.Eventually(f, 15*time.Minute, func() error {
		r := cluster.Run(f, "", "kubectl", "get", "pods", "-A", "--field-selector=status.phase!=Running", "-o", "name")
		if r.Code != 0 || r.Out != "" {
			time.Sleep(2 * time.Second)
			return fmt.Errorf("%d pods do not run: %s", strings.Count(r.Out, "\n"), r.Err)
		}
		return nil
	})
	f.Logf("they run after %s", time.Since(f.begun).Round(time.Second))
}

// done checks how a request ended; that the object is there already is as good.
func done[T any](_ T, err error) func(testing.TB) {
	return func(t testing.TB) {
		if err != nil && !errors.IsAlreadyExists(err) {
			t.Helper()
			t.Error(err)
		}
	}
}

// creators is how many objects are made at the same time.
const creators = 48

// inParallel calls do with every number below a total.
func inParallel(total int, do func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(creators, total) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < total; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}

//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestWatchNodes has nodes come and go, fail and recover, be cordoned and interrupted, and a stateful pod move: the timeline says so,
// once and in order.
func TestWatchNodes(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	node := func(name, capacity, labels string) string {
		return cluster.Machine{
			Name: name, Provider: "aws:///" + name,
			Labels: fmt.Sprintf("eks.amazonaws.com/capacityType=%s node.kubernetes.io/instance-type=m5.large topology.kubernetes.io/zone=%s-z %s", capacity, n.NS, labels),
		}.Make(n)
	}
	a := node("a", "ON_DEMAND", "set-db=")
	n.ApplySpread("db", 1, false)
	w := cluster.Watch(n, "nodes", "-l", "test="+n.NS, "--watch")
	documents := cluster.Watch(n, "nodes", "-l", "test="+n.NS, "--watch", "-o", "json")
	w.Sees("1 node ")
	documents.Sees(`"nodes": 1`)

	b := node("b", "SPOT", "set-db=")
	w.Sees(b + " Ready")
	n.Kubectl("cordon", b)
	w.Sees(b + " cordoned")
	n.Kubectl("uncordon", b)
	w.Sees(b + " uncordoned")
	n.Kubectl("annotate", "node", a, "lab.doik.dev/state=not-ready")
	w.Sees(a + " NotReady")
	n.Kubectl("annotate", "node", a, "lab.doik.dev/state-")
	w.Sees("NODE010 resolved: node/" + a)
	n.Kubectl("label", "node", a, "set-db-")
	n.Kubectl("delete", "pod", "db-0")
	w.Sees("db-0 moved to " + b)
	n.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
	n.Kubectl("taint", "node", b, "aws-node-termination-handler/spot-itn=x:NoSchedule")
	w.Sees("ERROR NODE007 ")
	n.Kubectl("taint", "node", b, "aws-node-termination-handler/spot-itn-")
	w.Sees("NODE007 resolved")
	n.Kubectl("label", "node", a, "test-")
	w.Sees(a + " no longer matches the filter")
	n.Kubectl("label", "node", a, "test="+n.NS)
	w.Sees(a + " now matches the filter")
	n.Kubectl("delete", "node", a)
	w.Sees(a + " left")
	documents.Sees(`"nodes": 2`)
	w.Interrupt()
	documents.Interrupt()

	want := `NS-b joined (spot, m5.large, NS-z)
NS-b Ready
NODE008 resolved: node/NS-a, persistentvolumeclaim/NS/data-db-0
NS-b cordoned
NS-b uncordoned
NS-a NotReady: Kubelet stopped posting node status
NS-a Ready (not ready for TIME)
NODE010 resolved: node/NS-a, pod/NS/db-0
NS/db-0 left NS-a
NS/db-0 moved to NS-b
WARNING NODE002 NS/db: its only pod is on interruptible capacity (spot)
WARNING NODE011 NS/db: on interruptible capacity (spot) without a PodDisruptionBudget: a drain may evict all its pods at once
NS-b: spot interruption (taint aws-node-termination-handler/spot-itn=x:NoSchedule)
ERROR NODE007 NS-b is going away (spot interruption) and runs NS/db-0
NS-b: spot interruption cleared (taint aws-node-termination-handler/spot-itn=x:NoSchedule)
NODE007 resolved: node/NS-b, pod/NS/db-0
NS-a no longer matches the filter
NS-a now matches the filter
NS-a left
`
	if diff := inOrder(cluster.Happenings(w.Text()), want); diff != "" {
		t.Errorf("%s in\n%s", diff, cluster.Happenings(w.Text()))
	}
	for _, once := range []string{"NS-b joined (spot, m5.large, NS-z)", "NS-b cordoned", "NS/db-0 moved to NS-b", "NS-a left", "NS-a Ready (not ready for TIME)"} {
		if strings.Count("\n"+cluster.Happenings(w.Text())+"\n", "\n"+once+"\n") != 1 {
			t.Errorf("%q is not told once in\n%s", once, cluster.Happenings(w.Text()))
		}
	}
	if text := w.Err(); text != "" {
		t.Errorf("stderr: %s", text)
	}
	count := 0
	for decoder := json.NewDecoder(strings.NewReader(documents.Text())); ; count++ {
		var report v1alpha1.NodeCapacityList
		if err := decoder.Decode(&report); err == io.EOF {
			break
		} else if err != nil || report.Kind != v1alpha1.KindNodeCapacityList {
			t.Fatalf("document %d: %v", count, err)
		}
	}
	if count < 10 {
		t.Errorf("%d documents", count)
	}

	if r := n.Doik("nodes", b, "--for=ready", "--timeout=60s"); r.Code != 0 {
		t.Errorf("--for=ready: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	r := n.Doik("nodes", b, "--for=healthy", "--timeout=3s")
	if r.Code != 1 || r.Err != "error: timed out waiting for nodes "+b+" to be healthy\n" {
		t.Errorf("--for=healthy: exit code %d: %s", r.Code, r.Err)
	}
	if r := n.Doik("nodes", b+"x", "-w"); r.Code != 1 || r.Err != "error: Node \""+b+"x\" not found: did you mean "+b+"?\n" {
		t.Errorf("a name of nothing: exit code %d: %s", r.Code, r.Err)
	}
	pods := cluster.Watch(n, "nodes", b, "--pods", "--watch", "--usage-interval=1s")
	n.Kubectl("annotate", "pvc", "data-db-0", "lab.doik.dev/used=91%")
	pods.Sees(" 91% ")
	pods.Interrupt()
}

// TestWatchNodesAtRest has nodes, and check as far as it does not ask for names and disk usage now and then, ask for nothing but watches
// while nothing changes, and go through 10,000 changes without growing.
func TestWatchNodesAtRest(t *testing.T) {
	n := cluster.NewNamespace(t)
	a := cluster.Machine{Name: "a"}.Make(n)
	n.ApplyWeb()
	w := cluster.Watch(n, "nodes", "-l", "test="+n.NS, "--watch", "-v=6")
	check := cluster.Watch(n, "check", "--only=STS,NODE,MYSQL,CHECK", "--no-usage", "--watch", "-v=6")
	w.Sees("1 node ")
	check.Sees("web ")
	all := []*cluster.Watching{w, check}
	requests := func() (list [2]int) {
		for i, w := range all {
			list[i] = strings.Count(w.Err(), `"Response"`)
		}
		return list
	}
	time.Sleep(3 * time.Second) // what was asked for at the start, or explains it, has been answered
	before := requests()
	time.Sleep(6 * time.Second)
	if after := requests(); after != before {
		t.Errorf("requests at rest: %v, then %v", before, after)
	}

	// Pods that no node can take: only the test writes their status.
	pods := newFiller(t).client.CoreV1().Pods(n.NS)
	name := func(i int) string { return fmt.Sprintf("p-%d", i%(2*creators)) }
	inParallel(2*creators, func(i int) {
		claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "none"}
		done(pods.Create(context.Background(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name(i)}, Spec: corev1.PodSpec{
			NodeSelector: map[string]string{"test": "none"}, Containers: []corev1.Container{{Name: "main", Image: "none"}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: claim}}},
		}}, metav1.CreateOptions{}))(t)
	})
	change := func(times int) {
		inParallel(times, func(i int) {
			patch := fmt.Sprintf(`{"status": {"containerStatuses": [{"name": "main", "ready": %t, "image": "none", "imageID": "", "restartCount": %d}]}}`, i/(2*creators)%2 == 0, i)
			done(pods.Patch(context.Background(), name(i), types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status"))(t)
		})
	}
	memory := func() (list [2]int) {
		for i, w := range all {
			list[i] = resident(w) >> 20
		}
		return list
	}
	change(1000)
	small := memory()
	change(9000)
	n.Kubectl("cordon", a)
	w.Sees(a + " cordoned")
	n.Kubectl("annotate", "pod", "web-1", "lab.doik.dev/state=not-ready")
	check.Sees("web error STS003")
	large := memory()
	for i, w := range all {
		if large[i] > small[i]+32 {
			t.Errorf("%s: %d MiB after 1,000 changes, %d MiB after 10,000", w.Cmd.Args, small[i], large[i])
		}
		w.Interrupt()
		t.Logf("%s: %d MiB, then %d MiB, CPU %s, %d requests in all", w.Cmd.Args, small[i], large[i], w.Cmd.ProcessState.UserTime()+w.Cmd.ProcessState.SystemTime(), requests()[i])
	}
}

// inOrder says which line of want is missing in got, or not in its place; other lines may stand between.
func inOrder(got, want string) string {
	rest := "\n" + got + "\n"
	for line := range strings.Lines(want) {
		_, after, ok := strings.Cut(rest, "\n"+strings.TrimSuffix(line, "\n")+"\n")
		if !ok {
			return fmt.Sprintf("no %q in its place", line)
		}
		rest = "\n" + after
	}
	return ""
}

// relay is a way to the API server that can be cut.
type relay struct {
	Server string // as --server takes it

	mu    sync.Mutex
	conns []net.Conn
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Server: "https://" + listener.Addr().String()}
	t.Cleanup(func() { _ = listener.Close(); r.cut() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target.Host)
			if err != nil {
				_ = near.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, near, far)
			r.mu.Unlock()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		}
	}()
	return r
}

// cut ends every connection; new ones are let through.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// TestWatchLosesRights takes rights away while sets and nodes are watched, and cuts the connections, for a watch that is open goes on
// without rights: one line says what can no longer be read, and the tables keep what they held.
func TestWatchLosesRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	name := cluster.Machine{Name: "one", Labels: "set-db="}.Make(n)
	n.ApplySpread("db", 1, false)
	user := n.NS + "-watcher"
	grant := func(role, resources string) {
		n.Kubectl("create", "clusterrole", role, "--verb=get,list,watch", "--resource="+resources)
		n.Kubectl("create", "clusterrolebinding", role, "--clusterrole="+role, "--user="+user)
		n.Cleanup(func() { n.TryKubectl("delete", "clusterrole,clusterrolebinding", role) })
	}
	lost, kept := n.NS+"-lost", n.NS+"-kept"
	grant(lost, "statefulsets.apps,nodes")
	grant(kept, "pods,services,persistentvolumeclaims,persistentvolumes,poddisruptionbudgets.policy,csinodes.storage.k8s.io,volumeattachments.storage.k8s.io,storageclasses.storage.k8s.io,events")
	cluster.Eventually(t, 20*time.Second, func() error { // the authorizer learns of new roles a moment later
		for _, what := range []string{"statefulsets.apps", "nodes", "csinodes.storage.k8s.io"} {
			if r := n.TryKubectl("auth", "can-i", "watch", what, "--as="+user); r.Code != 0 {
				return fmt.Errorf("%s: %s", what, r.Out)
			}
		}
		return nil
	})
	door := newRelay(t)
	as := []string{"--as=" + user, "--server=" + door.Server}
	sets := cluster.Watch(n, append([]string{"sts-status", "web", "--watch", "--no-usage"}, as...)...)
	nodes := cluster.Watch(n, append([]string{"nodes", name, "--watch"}, as...)...)
	sets.Sees("web   2/2 ready")
	nodes.Sees("1 stateful pod")
	n.Kubectl("delete", "clusterrolebinding", lost)
	cluster.Eventually(t, 20*time.Second, func() error {
		if r := n.TryKubectl("auth", "can-i", "watch", "nodes", "--as="+user); r.Code == 0 {
			return fmt.Errorf("it still may")
		}
		return nil
	})
	before := sets.Text()
	door.cut()
	says := func(w *cluster.Watching, subject, resource, at string) {
		t.Helper()
		want := regexp.MustCompile(fmt.Sprintf(`^warning: %s: %s is forbidden: User %q cannot (list|watch) resource %s %s; what is shown may be out of date; ask for this permission: kubectl doik --print-rbac prints the role\n$`,
			subject, resource, user, `"\w+" in API group "\w*"`, at))
		cluster.Eventually(t, 30*time.Second, func() error {
			if !want.MatchString(w.Err()) {
				return fmt.Errorf("stderr: %q, want %s", w.Err(), want)
			}
			return nil
		})
	}
	says(sets, "StatefulSets in namespace "+n.NS, `statefulsets.apps "web"`, fmt.Sprintf("in the namespace %q", n.NS))
	says(nodes, "nodes", "nodes", "at the cluster scope")

	// What may still be read goes on being followed, beside what is held.
	n.Kubectl("delete", "service", "nginx")
	n.Kubectl("delete", "pod", "db-0")
	sets.Sees("Service nginx: missing")
	nodes.Sees("db-0 moved to " + name)
	for _, gone := range []string{"web deleted", name + " left"} {
		if text := sets.Text() + nodes.Text(); strings.Contains(text, gone) {
			t.Errorf("%q is told in\n%s", gone, text)
		}
	}

	t.Log("the right comes back")
	n.Kubectl("create", "clusterrolebinding", lost, "--clusterrole="+lost, "--user="+user)
	n.Kubectl("scale", "sts/web", "--replicas=3")
	sets.Sees("web scaled 2 → 3")
	n.Kubectl("label", "node", name, "eks.amazonaws.com/capacityType=SPOT")
	nodes.Sees(name + " capacity unknown → spot")
	if !strings.HasPrefix(sets.Text(), before) || strings.Count(sets.Err()+nodes.Err(), "\n") != 2 {
		t.Errorf("stderr: %s%s", sets.Err(), nodes.Err())
	}
	sets.Interrupt()
	nodes.Interrupt()
}

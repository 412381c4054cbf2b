//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// deployment is a Deployment of one pod that mounts a claim, on nodes with a label.
const deployment = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %[1]s-data, labels: {app: %[1]s}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      nodeSelector: %[2]s
      tolerations: %[3]s
      containers: [{name: main, image: none, volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: %[1]s-data}}]
`

func deploy(n *cluster.Namespace, name, nodes string) {
	n.Helper()
	tolerations := "[]" // nodes of other tests' own go away
	if nodes != "{}" {
		tolerations = "[{key: test, operator: Exists}]"
	}
	n.Apply(fmt.Sprintf(deployment, name, nodes, tolerations))
	n.Kubectl("rollout", "status", "deploy/"+name, "--timeout=300s")
}

// TestVolumesRequests counts what claims cost: six lists, and one request for each node that has one mounted, once in check too.
func TestVolumesRequests(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	deploy(n, "shop", "{}")
	log := n.Doik("volumes", "-v=6").Err
	nodes := map[string]bool{}
	for _, name := range strings.Fields(n.Kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")) {
		nodes[name] = true
	}
	// One more tells which kinds of sets the API has, and each of those that it has costs one: other tests add them.
	kinds := len(regexp.MustCompile(`/(clusters|strimzipodsets|kafkas|instancesets|apis/apps\.kruise\.io/\S+/statefulsets)\?`).FindAllString(log, -1))
	if got := strings.Count(log, `"Response"`); got != 7+kinds+len(nodes) {
		t.Errorf("%d requests, want 7, one for each of %d kinds of sets, and one for each of %d nodes:\n%s", got, kinds, len(nodes), log)
	}
	log = n.Doik("check", "--exclude=DNS", "-v=6").Err
	if got := strings.Count(log, "/proxy/stats/summary"); got != len(nodes) {
		t.Errorf("check asks kubelets %d times, want once each of %d:\n%s", got, len(nodes), log)
	}
}

// TestVolumesOneBadNode hides nothing but what the node's own kubelet would tell, and costs its own time-out.
func TestVolumesOneBadNode(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Fleet(cluster.Machine{Name: "hang", Labels: "set-hang=", Annotations: "lab.doik.dev/kubelet=hang"}, cluster.Machine{Name: "fine", Labels: "set-fine="})
	for _, name := range []string{"hang", "fine"} {
		deploy(n, name, fmt.Sprintf(`{test: %s, set-%s: ""}`, n.NS, name))
	}
	// Both nodes have this one mounted: what the first can't tell the second does.
	n.Apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shared}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
`)
	for _, name := range []string{"hang", "fine"} {
		n.Apply(fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %[3]s-%[2]s}
spec:
  nodeSelector: {test: %[1]s, set-%[2]s: ""}
  tolerations: [{key: test, operator: Exists}]
  containers: [{name: main, image: none, volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: shared}}]
`, n.NS, name, map[string]string{"hang": "a", "fine": "b"}[name]))
		n.Kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s")
	}
	started := time.Now()
	r := n.Doik("volumes", "--usage-timeout=3s", "-o", "json")
	took := time.Since(started)
	var report v1alpha1.VolumeStatusList
	if err := json.Unmarshal([]byte(r.Out), &report); err != nil || r.Code != 0 || len(report.Items) != 3 {
		t.Fatalf("exit code %d, %v: %s", r.Code, err, r.Err)
	}
	if took < 3*time.Second || took > cluster.Patience(8*time.Second) {
		t.Errorf("it took %s with a time-out of 3 s", took)
	}
	fine, hang, shared := report.Items[0], report.Items[1], report.Items[2]
	if shared.Claim.Usage == nil || len(shared.MountedBy) != 2 {
		t.Errorf("%+v", shared)
	}
	if fine.Claim.Usage == nil || hang.Claim.UsageUnknown != "the kubelet did not answer within 3s" || len(hang.MountedBy) != 1 || hang.MountedBy[0].Owner.Kind != "Deployment" {
		t.Errorf("%+v, %+v", fine, hang)
	}
	if r := n.Doik("volumes", "--fail-on=warning", "--usage-timeout=1s"); r.Code != 4 {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
}

// TestVolumesWatch follows claims and pods, and says when a volume that fills up will be full.
func TestVolumesWatch(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	empty := cluster.Watch(n, "volumes", "--watch")
	cluster.Eventually(t, 20*time.Second, func() error {
		if text := empty.Err(); text != "No claims found in namespace "+n.NS+".\n" {
			return fmt.Errorf("%q", text)
		}
		return nil
	})
	empty.Interrupt()
	deploy(n, "shop", "{}")
	n.Kubectl("annotate", "pvc", "shop-data", "lab.doik.dev/used=500Mi")
	w := cluster.Watch(n, "volumes", "-w", "--usage-interval=5s")
	w.Sees("shop-data   Bound")
	time.Sleep(6 * time.Second) // of the old figure there has to be a measurement
	n.Kubectl("annotate", "--overwrite", "pvc", "shop-data", "lab.doik.dev/used=880Mi")
	w.Sees("ERROR VOL011 shop-data is 92% full")
	n.Apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: spare}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`)
	w.Sees("spare created")
	n.Kubectl("scale", "deploy/shop", "--replicas=0")
	w.Sees("shop-data no longer mounted by shop-")
	n.Kubectl("scale", "deploy/shop", "--replicas=1")
	w.Sees("shop-data mounted by shop-")
	n.Kubectl("delete", "pvc", "spare")
	w.Sees("spare deleted")
	w.Interrupt()

	live := cluster.Watch(n, "volumes", "shop-data", "-w", "--usage-interval=5s", "-o", "jsonpath={.items[0].claim.fullAt}{\"\\n\"}{.findings[*].message}{\"\\n\"}")
	live.Sees("shop-data is 92% full")
	used := 880
	cluster.Eventually(t, 90*time.Second, func() error {
		used++
		n.Kubectl("annotate", "--overwrite", "pvc", "shop-data", fmt.Sprintf("lab.doik.dev/used=%dMi", used))
		time.Sleep(3 * time.Second)
		if text := live.Text(); !strings.Contains(text, "at the present rate it will be full in ") {
			return fmt.Errorf("no estimate in\n%s", text)
		}
		return nil
	})
	live.Interrupt()
}

// TestVolumesRights shows claims alone to a user who may read nothing else, and says what is missing.
func TestVolumesRights(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	deploy(n, "shop", "{}")
	n.Kubectl("create", "role", "claims", "--verb=list", "--resource=persistentvolumeclaims")
	n.Kubectl("create", "rolebinding", "claims", "--role=claims", "--user="+n.NS)
	cluster.Eventually(t, 10*time.Second, func() error {
		r := n.Doik("volumes", "--as="+n.NS)
		if r.Code != 0 || !strings.Contains(r.Out, "shop-data   Bound   1Gi        unknown") || strings.Contains(r.Out, "<none>") || !strings.Contains(r.Err, "warning: pods in namespace "+n.NS+": ") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
	if r := n.Doik("volumes", "nosuch"); r.Code != 1 || !strings.Contains(r.Err, `PersistentVolumeClaim "nosuch" not found in namespace `+n.NS) {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
	if r := n.Doik("volumes", "shop-dat"); r.Code != 1 || !strings.Contains(r.Err, "did you mean shop-data?") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
}

// dfPV is kubectl df-pv where there is one on PATH, else what one would type to see a part of it.
func dfPV(namespace string) []string {
	if path, err := exec.LookPath("kubectl-df_pv"); err == nil {
		return []string{path, "-n", namespace}
	}
	return []string{"kubectl", "get", "pvc,pods", "-n", namespace}
}

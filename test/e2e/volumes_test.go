//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// volume is what volumes reports of the claim data.
func volume(n *cluster.Namespace, args ...string) (v1alpha1.VolumeStatus, []v1alpha1.Finding) {
	n.Helper()
	report := cluster.Report[v1alpha1.VolumeStatusList](n, append([]string{"volumes", "data"}, args...)...)
	if len(report.Items) != 1 {
		n.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0], report.Findings
}

// TestNodeDiskIsReal has a hostPath volume, which no kubelet measures: after a minute df shows the node's disk, which is not taken for the claim's.
func TestNodeDiskIsReal(t *testing.T) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: it writes to the node's disk")
	}
	n := cluster.NewNamespace(t)
	n.Cleanup(func() { n.TryKubectl("delete", "pv", n.NS, "--wait=false") })
	n.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s}
spec:
  capacity: {storage: 1Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  hostPath: {path: /var/lib/doik-%[1]s, type: DirectoryOrCreate}
  claimRef: {namespace: %[1]s, name: data}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", volumeName: %[1]s, resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  containers: [{name: main, image: "registry.k8s.io/nginx-slim:0.24", volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`, n.NS))
	n.Kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=120s")
	cluster.Eventually(t, 3*time.Minute, func() error {
		v, _ := volume(n)
		switch u := v.Claim.Usage; {
		case u == nil:
			return fmt.Errorf("usage unknown: %s", v.Claim.UsageUnknown)
		case u.Source != v1alpha1.UsageFromExec || !v.Claim.OnNodeDisk || u.ReadOnly != "":
			return fmt.Errorf("%+v", v.Claim)
		}
		return nil
	})
	v, _ := volume(n)
	size := strings.Fields(n.Kubectl("exec", "app", "--", "df", "-B1", "--output=size", "/data"))
	if got := fmt.Sprint(v.Claim.Usage.CapacityBytes); got != size[len(size)-1] {
		t.Errorf("a disk of %s bytes, df says %s", got, size[len(size)-1])
	}
	for _, f := range []string{"VOL010", "VOL011"} {
		if _, found := volume(n); strings.Contains(fmt.Sprint(found), f) {
			t.Errorf("the node's disk is taken for the claim's: %v", found)
		}
	}
}

// TestReadOnlyIsReal remounts the file system of a volume for reading alone, as the kernel does after an error, and finds it.
func TestReadOnlyIsReal(t *testing.T) {
	if os.Getenv("E2E_KUBECONFIG") != "" {
		t.Skip("LEFT OUT: it takes a privileged pod")
	}
	n := cluster.NewNamespace(t)
	n.Apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  containers:
  - name: main
    image: busybox:1.35
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "sleep 100000"]
    securityContext: {privileged: true}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`)
	n.Kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=120s")
	if v, found := volume(n, "--usage-from=exec"); v.Claim.Usage == nil || v.Claim.Usage.ReadOnly != "" {
		t.Errorf("before: %+v, %v", v.Claim.Usage, found)
	}
	n.Kubectl("exec", "app", "--", "mount", "-o", "remount,ro", "/data")
	v, found := volume(n, "--usage-from=exec")
	if v.Claim.Usage == nil || v.Claim.Usage.ReadOnly != v1alpha1.MountReadOnly || len(found) == 0 || found[0].Code != v1alpha1.CodeFreeVolumeAtRisk {
		t.Errorf("after: %+v, %v", v.Claim.Usage, found)
	}
	n.Kubectl("exec", "app", "--", "mount", "-o", "remount,rw", "/data")
}

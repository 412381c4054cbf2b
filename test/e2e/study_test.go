//go:build e2e

// Package e2e tests the plugin end to end on a real node: make test-e2e. Its tests also run against any cluster that
// E2E_KUBECONFIG names.
package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// pets are the ordinals' names, claims and volumes: what stays with an ordinal when its pod is replaced.
func pets(s v1alpha1.SetStatus) string {
	var list []string
	for _, o := range s.Ordinals {
		for _, c := range o.Claims {
			list = append(list, o.PodName+" "+c.Name+" "+c.Volume)
		}
	}
	return strings.Join(list, "\n")
}

// uids are the pods' identities, which change with every new pod.
func uids(s v1alpha1.SetStatus) map[string]string {
	list := map[string]string{}
	for _, o := range s.Ordinals {
		if o.Pod != nil {
			list[o.PodName] = o.Pod.UID
		}
	}
	return list
}

// aboveInfo are the findings that a healthy set must not have.
func aboveInfo(s v1alpha1.SetStatus) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for _, f := range s.Findings {
		if f.Severity != v1alpha1.SeverityInfo {
			list = append(list, f)
		}
	}
	return list
}

// TestStudyWeb is the study's exercise on StatefulSets, step by step, with the plugin beside each.
func TestStudyWeb(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()

	t.Log("each pod's hostname is its name")
	for _, pod := range []string{"web-0", "web-1"} {
		if got := n.Kubectl("exec", pod, "--", "hostname"); got != pod {
			t.Errorf("hostname of %s: %q", pod, got)
		}
	}
	before := n.Web()
	if len(before.Ordinals) != 2 || before.Replicas.Ready != 2 || before.Service.State != v1alpha1.ServiceSound || len(aboveInfo(before)) > 0 {
		t.Errorf("%+v", before)
	}

	t.Log("the volumes keep what is written to them when the pods are deleted")
	for _, pod := range []string{"web-0", "web-1"} {
		n.Kubectl("exec", pod, "--", "sh", "-c", "hostname > /usr/share/nginx/html/index.html")
	}
	n.Kubectl("delete", "pod", "-l", "app=nginx")
	n.RolledOut()
	after := n.Web()
	if pets(after) != pets(before) {
		t.Errorf("before\n%s\nafter\n%s", pets(before), pets(after))
	}
	old := uids(before)
	for pod, uid := range uids(after) {
		if uid == old[pod] {
			t.Errorf("%s is the same pod as before", pod)
		}
		if got := n.Kubectl("exec", pod, "--", "curl", "-s", "http://localhost/"); got != pod {
			t.Errorf("%s serves %q", pod, got)
		}
	}

	t.Log("up to five, in ascending order")
	n.Kubectl("scale", "sts/web", "--replicas=5")
	n.RolledOut()
	five := n.Web()
	for i, o := range five.Ordinals {
		if i > 0 && o.Pod.CreationTimestamp.Before(&five.Ordinals[i-1].Pod.CreationTimestamp) && i > 2 {
			t.Errorf("%s is older than %s", o.PodName, five.Ordinals[i-1].PodName)
		}
	}

	t.Log("down to three: the claims of the other two are kept")
	n.Kubectl("scale", "sts/web", "--replicas=3")
	n.Kubectl("wait", "--for=delete", "pod/web-3", "pod/web-4", "--timeout=300s")
	cluster.Eventually(t, 30*time.Second, func() error {
		three := n.Web()
		if pets(three) != pets(five) {
			return fmt.Errorf("with five\n%s\nwith three\n%s", pets(five), pets(three))
		}
		for i, o := range three.Ordinals {
			want := v1alpha1.OrdinalPresent
			if i >= 3 {
				want = v1alpha1.OrdinalRetained
			}
			if o.State != want {
				return fmt.Errorf("%s is %s, want %s", o.PodName, o.State, want)
			}
		}
		retained := slices.ContainsFunc(three.Findings, func(f v1alpha1.Finding) bool { return f.Code == v1alpha1.CodeClaimsRetained })
		if len(aboveInfo(three)) > 0 || !retained {
			return fmt.Errorf("findings %+v", three.Findings)
		}
		return nil
	})
	t.Logf("\n%s", n.Doik("sts-status").Out)
}

// TestUsageIsReal fills a volume and reads from the kubelet what df says in the container.
func TestUsageIsReal(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	needsVolumeStatistics(n)
	fill := func(pod, size string) {
		n.Kubectl("exec", pod, "--", "sh", "-c", "head -c "+size+" /dev/zero > /usr/share/nginx/html/fill && sync")
	}
	fill("web-0", "880M")
	fill("web-1", "100M")
	df := func(pod string) (used, percent string) {
		lines := strings.Split(n.Kubectl("exec", pod, "--", "df", "-B1", "--output=used,pcent", "/usr/share/nginx/html"), "\n")
		fields := strings.Fields(lines[len(lines)-1])
		return fields[0], strings.TrimSuffix(fields[1], "%")
	}
	// Kubelets measure volumes now and then: once a minute by default.
	cluster.Eventually(t, 3*time.Minute, func() error {
		s := n.Web()
		for _, o := range s.Ordinals {
			u := o.Claims[0].Usage
			if u == nil {
				return fmt.Errorf("%s: %s", o.PodName, o.Claims[0].UsageUnknown)
			}
			used, percent := df(o.PodName)
			if fmt.Sprint(u.UsedBytes) != used || u.UsedPercent == nil || fmt.Sprint(*u.UsedPercent) != percent {
				return fmt.Errorf("%s: %d bytes, %v %%; df says %s, %s %%", o.PodName, u.UsedBytes, u.UsedPercent, used, percent)
			}
		}
		return nil
	})
	s := n.Web()
	findings := aboveInfo(s)
	if len(findings) != 1 || findings[0].Objects[0].Name != "www-web-0" {
		t.Errorf("findings %+v", findings)
	}
	t.Logf("\n%s", n.Doik("sts-status", "-o", "wide").Out)
}

// TestDFIsReal reads with df in the container what the kubelet reports, and says why where an image has no df.
func TestDFIsReal(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("exec", "web-0", "--", "sh", "-c", "head -c 300M /dev/zero > /usr/share/nginx/html/fill && sync")
	df := n.Kubectl("exec", "web-0", "--", "df", "-B1", "--output=size,used,avail,iused", "/usr/share/nginx/html")
	report := cluster.Report[v1alpha1.SetStatusList](n, "sts-status", "web", "--usage-from=exec")
	u := report.Items[0].Ordinals[0].Claims[0].Usage
	if u == nil || u.Source != "exec" || u.InodesUsed == nil {
		t.Fatalf("%+v: %s", u, report.Items[0].Ordinals[0].Claims[0].UsageUnknown)
	}
	if got, want := fmt.Sprintf("%d %d %d %d", u.CapacityBytes, u.UsedBytes, u.AvailableBytes, *u.InodesUsed), strings.Fields(df)[4:]; got != strings.Join(want, " ") {
		t.Errorf("%s, df says %s", got, want)
	}

	n.Apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: bare}
spec:
  serviceName: ""
  selector: {matchLabels: {app: bare}}
  template:
    metadata: {labels: {app: bare}}
    spec:
      containers: [{name: main, image: "registry.k8s.io/pause:3.10.1", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
`)
	n.Kubectl("rollout", "status", "sts/bare", "--timeout=300s")
	r := n.Doik("sts-status", "bare", "--usage-from=exec")
	if r.Code != 0 || strings.Count(r.Err, "\n") != 1 || !strings.HasSuffix(r.Err, "/data-bare-0: no df in container main\n") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
	t.Logf("\n%s%s", r.Out, r.Err)
}

// needsVolumeStatistics leaves a test out on a foreign cluster whose volumes no kubelet measures (hostPath, some local
// provisioners). On the node of this project it is a failure.
func needsVolumeStatistics(n *cluster.Namespace) {
	n.Helper()
	measured := func() error {
		unknown := ""
		for _, o := range n.Web().Ordinals {
			unknown += o.Claims[0].UsageUnknown
		}
		if unknown != "" {
			return fmt.Errorf("usage unknown: %s", unknown)
		}
		return nil
	}
	err := cluster.Poll(2*time.Minute, measured)
	switch {
	case err != nil && os.Getenv("E2E_KUBECONFIG") != "":
		n.Skipf("LEFT OUT: the kubelets of this cluster measure no volumes of its default StorageClass: %v", err)
	case err != nil:
		n.Fatal(err)
	}
}

// TestInodes uses up inodes with empty files, which no number of bytes reports.
func TestInodes(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	needsVolumeStatistics(n)
	free := n.Kubectl("exec", "web-0", "--", "sh", "-c", "df --output=iavail /usr/share/nginx/html | tail -1")
	var inodes int
	if _, err := fmt.Sscan(free, &inodes); err != nil || inodes == 0 || inodes > 200_000 {
		t.Skipf("LEFT OUT: the volume has %q free inodes, too many (or none) to use up in a test", free)
	}
	n.Kubectl("exec", "web-0", "--", "sh", "-c", fmt.Sprintf("cd /usr/share/nginx/html && seq -f f%%g %d | xargs touch", inodes*95/100))
	cluster.Eventually(t, 3*time.Minute, func() error {
		for _, f := range n.Web().Findings {
			if f.Code == v1alpha1.CodeInodesFull {
				return nil
			}
		}
		return fmt.Errorf("no finding %s: %+v", v1alpha1.CodeInodesFull, n.Web().Ordinals[0].Claims[0].Usage)
	})
}

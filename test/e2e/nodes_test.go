//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// described is what kubectl describe node says of a node's pods and their requests.
var described = regexp.MustCompile(`(?s)Non-terminated Pods: +\((\d+) in total\).*Allocated resources:.*\n +cpu +(\S+) .*?\n +memory +(\S+) `)

// TestNodesAreReal compares a real node with what kubectl describe node says of it. The node of this project has no label that
// reports capacity: it is unknown, and so are platform and compute type.
func TestNodesAreReal(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	read := func() *v1alpha1.NodeCapacityList {
		report := &v1alpha1.NodeCapacityList{}
		r := cluster.Run(t, "", "kubectl", "doik", "nodes", "--pods", "-o", "yaml") // of all namespaces
		if err := yaml.UnmarshalStrict([]byte(r.Out), report); err != nil || r.Code != 0 {
			t.Fatalf("exit code %d, %v: %s", r.Code, err, r.Err)
		}
		return report
	}
	cluster.Eventually(t, time.Minute, func() error {
		for _, item := range read().Items {
			told := described.FindStringSubmatch(n.Kubectl("describe", "node", item.Metadata.Name))
			if told == nil {
				return fmt.Errorf("kubectl describe node %s tells nothing", item.Metadata.Name)
			}
			if got := []string{fmt.Sprint(item.Pods.Total), item.CPU.Requested.String(), item.Memory.Requested.String()}; strings.Join(got, " ") != strings.Join(told[1:], " ") {
				return fmt.Errorf("%s: pods, CPU and memory %q, kubectl describe says %q", item.Metadata.Name, got, told[1:])
			}
		}
		return nil
	})

	needsVolumeStatistics(n)
	found := map[string]bool{}
	report := read()
	for _, item := range report.Items {
		for _, p := range item.StatefulPods {
			if p.Namespace != n.NS {
				continue
			}
			found[p.Name] = true
			if p.Controller == nil || *p.Controller != (v1alpha1.Controller{Kind: "StatefulSet", Name: "web"}) || len(p.Claims) != 1 || p.Claims[0].Usage == nil || p.ContainersReady != 1 {
				t.Errorf("%+v", p)
			}
		}
	}
	if !found["web-0"] || !found["web-1"] {
		t.Errorf("stateful pods %v", found)
	}
	for _, args := range [][]string{{}, {"-o", "wide"}, {"--pods"}} {
		t.Logf("\n%s", cluster.Run(t, "", "kubectl", append([]string{"doik", "nodes"}, args...)...).Out)
	}
	if os.Getenv("E2E_KUBECONFIG") != "" {
		return
	}
	if len(report.Items) != 1 {
		t.Fatalf("%d nodes", len(report.Items))
	}
	item := report.Items[0]
	class := item.Class
	class.Architecture = "" // that of this machine
	if want := (v1alpha1.NodeClass{CapacityType: v1alpha1.CapacityUnknown, UnknownReason: "no known label", Platform: v1alpha1.PlatformUnknown, OS: "linux", ComputeType: v1alpha1.ComputeUnknown}); fmt.Sprint(class) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", class, want)
	}
	if item.Class.Architecture == "" || item.Readiness != v1alpha1.NodeReady || item.KubeletVersion == "" || item.InternalIP == "" || item.CPU.Capacity.IsZero() {
		t.Errorf("%+v", item)
	}
	for _, f := range report.Findings {
		if f.Severity != v1alpha1.SeverityInfo {
			t.Errorf("finding %+v", f)
		}
	}
}

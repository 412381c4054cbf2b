package cluster

import (
	"os"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Manifest is one of test/manifests, the study's workloads.
func (n *Namespace) Manifest(file string) string {
	n.Helper()
	text, err := os.ReadFile("../manifests/" + file) // tests run in their package's folder, which is beside it
	if err != nil {
		n.Fatal(err)
	}
	return string(text)
}

// ApplyWeb applies the study's StatefulSet web and waits until its two pods are ready.
func (n *Namespace) ApplyWeb() {
	n.Helper()
	n.Apply(n.Manifest("web.yaml"))
	n.RolledOut()
}

// RolledOut waits until all pods of the set web are ready.
func (n *Namespace) RolledOut() {
	n.Helper()
	n.Kubectl("rollout", "status", "sts/web", "--timeout=300s")
}

// Web is what kubectl doik sts-status reports of the set web.
func (n *Namespace) Web() v1alpha1.SetStatus {
	n.Helper()
	report := Report[v1alpha1.SetStatusList](n, "sts-status", "web")
	if len(report.Items) != 1 {
		n.Fatalf("%d items", len(report.Items))
	}
	return report.Items[0]
}

//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestRemedyCanBePasted runs the remedy of a finding in a shell, for a cluster that only flags lead to, by a context of a hostile name.
func TestRemedyCanBePasted(t *testing.T) {
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("annotate", "pod", "web-1", "lab.doik.dev/state=crash-loop")
	n.Kubectl("wait", "--for=condition=Ready=false", "pod/web-1", "--timeout=30s")
	folder := t.TempDir()
	var config map[string]any
	if err := yaml.Unmarshal([]byte(n.Kubectl("config", "view", "--raw", "--flatten", "--minify")), &config); err != nil {
		t.Fatal(err)
	}
	hostile := "it's $(touch " + folder + "/owned); touch " + folder + "/owned #"
	config["contexts"].([]any)[0].(map[string]any)["name"] = hostile
	config["current-context"] = ""
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "a kubeconfig")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", "/nonexistent")
	report := cluster.Report[v1alpha1.SetStatusList](n, "sts-status", "web", "--kubeconfig="+file, "--context="+hostile)
	ran := false
	for _, f := range report.Items[0].Findings {
		if !strings.HasPrefix(f.Remedy.Command, "kubectl ") {
			continue
		}
		command := strings.Replace(f.Remedy.Command, " logs ", " get pod ", 1) // the lab has no logs of earlier containers
		command, _, _ = strings.Cut(command, " -c ")
		if !strings.Contains(command, " -n ") {
			command += " -n " + n.NS
		}
		r := cluster.Run(t, "", "bash", "-c", command)
		if ran = true; r.Code != 0 || !strings.Contains(r.Out, "web") {
			t.Errorf("%s: exit code %d: %s%s", f.Remedy.Command, r.Code, r.Out, r.Err)
		}
	}
	if !ran {
		t.Errorf("no remedy is a command: %+v", report.Items[0].Findings)
	}
	if _, err := os.Stat(filepath.Join(folder, "owned")); err == nil {
		t.Error("the context's name has been run")
	}
}

package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestK9sPlugins puts hostile names in place of k9s' variables, as text, as k9s does, and runs the commands with a kubectl and a less that
// note their words.
func TestK9sPlugins(t *testing.T) {
	text, err := os.ReadFile("../../k9s/plugins.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Plugins map[string]struct {
			Command string
			Args    []string
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil || len(file.Plugins) == 0 {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, script := range map[string]string{"kubectl": "printf '<%s>' \"$@\" >> " + folder + "/words\n", "less": "cat >/dev/null\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	for name, plugin := range file.Plugins {
		hostile := `a" $(touch ` + folder + `/owned) '; touch ` + folder + `/owned #`
		args := make([]string, len(plugin.Args))
		for i, arg := range plugin.Args {
			args[i] = strings.NewReplacer("$NAMESPACE", "shop", "$NAME", "web", "$CONTEXT", hostile).Replace(arg)
		}
		if out, err := exec.Command(plugin.Command, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		words, err := os.ReadFile(filepath.Join(folder, "words"))
		if err != nil || !strings.HasPrefix(string(words), "<doik><") || !strings.Contains(string(words), "<--context="+hostile+">") {
			t.Errorf("%s: kubectl gets %s (%v)", name, words, err)
		}
		_ = os.Remove(filepath.Join(folder, "words"))
		if _, err := os.Stat(filepath.Join(folder, "owned")); err == nil {
			t.Fatalf("%s: a context's name has been run", name)
		}
	}
}

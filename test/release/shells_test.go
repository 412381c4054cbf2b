//go:build release

package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// completes ask a shell with the archive's script what it makes of "kubectl-doik sts-". Where a shell's own functions would draw a
// menu, they print.
var completes = map[string]struct{ file, script string }{
	"bash": {"kubectl-doik.bash", `. /usr/share/bash-completion/bash_completion && . "$SCRIPT" && COMP_WORDS=(kubectl-doik sts-) COMP_CWORD=1 COMP_LINE='kubectl-doik sts-' COMP_POINT=17 COMP_TYPE=9 &&
		__start_kubectl-doik kubectl-doik sts- kubectl-doik; printf '%s\n' "${COMPREPLY[@]}"`},
	"zsh":  {"_kubectl-doik", `compdef() { : }; _describe() { print -l -- "${completions[@]}" }; source $SCRIPT; words=(kubectl-doik sts-); CURRENT=2; _kubectl-doik`},
	"fish": {"kubectl-doik.fish", `source $SCRIPT; complete -C 'kubectl-doik sts-'`},
}

// TestShells completes a subcommand in every shell that runs here. PowerShell is in no Debian package: its script is only read.
func TestShells(t *testing.T) {
	folder := t.TempDir()
	for name, m := range open(t, "linux/amd64") {
		if filepath.Dir(name) == "completions" || name == "kubectl-doik" {
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), m.content, m.mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for shell, c := range completes {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip("LEFT OUT: ", err)
			}
			env := []string{"PATH=" + folder + ":/usr/bin:/bin", "SCRIPT=" + filepath.Join(folder, c.file), "HOME=" + folder, "XDG_CONFIG_HOME=" + folder}
			out, err := run(folder, env, shell, "-c", c.script)
			if err != nil || !strings.Contains(out, "sts-status") || strings.Contains(out, "nodes") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	script, err := os.ReadFile(filepath.Join(folder, "kubectl-doik.ps1"))
	if err != nil || !strings.Contains(string(script), "Register-ArgumentCompleter -CommandName 'kubectl-doik'") {
		t.Errorf("PowerShell: %v", err)
	}
	// What kubectl calls to complete kubectl doik.
	out, err := run(folder, []string{"PATH=" + folder + ":/usr/bin:/bin"}, filepath.Join(folder, "kubectl_complete-doik"), "sts-")
	if err != nil || !strings.HasPrefix(out, "sts-status\t") {
		t.Errorf("kubectl_complete-doik: %v, %q", err, out)
	}
}

// TestK9s reads the plugins as k9s does, and runs what they run: the words of all, and in the lab those that it can answer.
func TestK9s(t *testing.T) {
	var file struct {
		Plugins map[string]struct {
			ShortCut, Description, Command string
			Scopes, Args                   []string
			Background                     bool
		} `json:"plugins"`
	}
	if err := yaml.UnmarshalStrict(open(t, "linux/amd64")["k9s/plugins.yaml"].content, &file); err != nil {
		t.Fatal(err)
	}
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	node := n.Kubectl("get", "pod", "web-0", "-o", "jsonpath={.spec.nodeName}")
	keys := map[string]bool{}
	for name, p := range file.Plugins {
		for _, scope := range p.Scopes {
			if keys[scope+p.ShortCut] {
				t.Errorf("%s: %s is taken", name, p.ShortCut)
			}
			keys[scope+p.ShortCut] = true
			if !slices.Contains([]string{"statefulsets", "services", "nodes", "persistentvolumeclaims", "clusters", "strimzipodsets", "instancesets"}, scope) {
				t.Errorf("%s: scope %s", name, scope)
			}
		}
		if p.ShortCut == "" || p.Description == "" || len(p.Scopes) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
		object := "web"
		if p.Scopes[0] == "nodes" {
			object = node
		}
		// k9s puts these in before it runs a command.
		words := func(suffix string) []string {
			args := []string{p.Command}
			for _, a := range p.Args {
				a = strings.NewReplacer("$NAMESPACE", n.NS, "$NAME", object, "$CONTEXT", n.Kubectl("config", "current-context"), "| less -RSK", suffix, "--watch", "--for=ready").Replace(a)
				args = append(args, a)
			}
			return args
		}
		if p.Command == "sh" {
			args := words("")
			args[2] = regexp.MustCompile(` 2>&1 *$`).ReplaceAllString(args[2], " --help")
			if out, err := run(".", nil, args...); err != nil || !strings.Contains(out, "Examples:") {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
		if strings.Contains(name, "sts") || strings.Contains(name, "nodes") {
			if out, err := run(".", nil, words("")...); err != nil || !strings.Contains(out, object) {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

//go:build release

package release

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// manifest writes the manifest of the release with archives at a base URL, or with the public one, and returns its path.
func manifest(t *testing.T, base string) string {
	t.Helper()
	if _, err := run(made, nil, "make", "-s", "krew-manifest", "TAG="+tag, "BASE_URL="+base); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "doik.yaml")
	if err := copyFile(filepath.Join(made, "krew", "doik.yaml"), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve serves the release's archives on 127.0.0.1.
func serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(made, "dist"))))
	t.Cleanup(server.Close)
	return server.URL
}

// home is a home folder with nothing in it, in which kubectl finds krew and what krew installs, but not this checkout's plugin.
type home struct {
	testing.TB
	folder string
	env    []string
}

func newHome(t *testing.T) *home {
	t.Helper()
	folder := t.TempDir()
	kubectl, err := run(".", nil, "sh", "-c", "dirname $(command -v kubectl)")
	if err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{filepath.Join(folder, ".krew", "bin"), os.Getenv("KREW"), strings.TrimSpace(kubectl), "/usr/bin", "/bin"}, ":")
	return &home{TB: t, folder: folder, env: []string{
		"HOME=" + folder, "PATH=" + path, "KREW_NO_UPGRADE_CHECK=1", "KUBECACHEDIR=" + filepath.Join(folder, "cache"), "XDG_CONFIG_HOME=" + folder,
	}}
}

func (h *home) kubectl(args ...string) (string, error) {
	h.Helper()
	return run(h.folder, h.env, append([]string{"kubectl"}, args...)...)
}

func (h *home) mustKubectl(args ...string) string {
	h.Helper()
	out, err := h.kubectl(args...)
	if err != nil {
		h.Fatal(err)
	}
	return out
}

// runsFromKrew runs what krew installed, against the lab.
func (h *home) runsFromKrew() {
	h.Helper()
	if got := h.mustKubectl("doik", "version", "-o", "jsonpath={.client.version}"); got != tag {
		h.Errorf("version %q, want %q", got, tag)
	}
	if got := h.mustKubectl("plugin", "list"); !strings.Contains(got, filepath.Join(h.folder, ".krew", "bin", "kubectl-doik")) {
		h.Errorf("kubectl plugin list:\n%s", got)
	}
	n := cluster.NewNamespace(h)
	n.ApplyWeb()
	if got := h.mustKubectl("doik", "sts-status", "web", "-n", n.NS); !regexp.MustCompile(`(?m)^web-1 +1/1 +Running +0 +www-web-1 +Bound +1Gi `).MatchString(got) {
		h.Errorf("sts-status:\n%s", got)
	}
}

func TestKrewManifest(t *testing.T) {
	text, err := os.ReadFile(manifest(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Spec struct {
			Version, ShortDescription, Description, Caveats, Homepage string
			Platforms                                                 []struct {
				URI, SHA256, Bin string
				Files            []any
				Selector         struct{ MatchLabels map[string]string }
			}
		}
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.Spec.Version != tag {
		t.Errorf("version %s", m.Spec.Version)
	}
	// What the krew index asks for and its validator does not look at.
	short := m.Spec.ShortDescription
	if len(short) > 50 || regexp.MustCompile(`(?i)kubectl|kubernetes|plugin`).MatchString(short) {
		t.Errorf("shortDescription: %d characters: %s", len(short), short)
	}
	if strings.Contains(m.Spec.Description, "kubectl") || m.Spec.Caveats != "" {
		t.Errorf("description and caveats: %s\n%s", m.Spec.Description, m.Spec.Caveats)
	}
	sums := checksums(t, made)
	for _, p := range m.Spec.Platforms {
		name := archive(p.Selector.MatchLabels["os"] + "/" + p.Selector.MatchLabels["arch"])
		if want := "https://github.com/kubectl-doik/kubectl-doik/releases/download/" + tag + "/" + name; p.URI != want {
			t.Errorf("uri %s, want %s", p.URI, want)
		}
		if p.SHA256 != sums[name] || p.Files != nil {
			t.Errorf("%s: sha256 %s, files %v", name, p.SHA256, p.Files)
		}
	}
	if len(m.Spec.Platforms) != len(platforms) {
		t.Errorf("%d platforms", len(m.Spec.Platforms))
	}
}

// TestKrewValidates runs what the krew index runs on a manifest: it installs it for every platform.
func TestKrewValidates(t *testing.T) {
	h := newHome(t)
	if _, err := run(h.folder, h.env, filepath.Join(os.Getenv("KREW"), "validate-krew-manifest"), "-manifest", manifest(t, serve(t))); err != nil {
		t.Fatal(err)
	}
}

// TestKrewInstalls installs the release in a clean home, from an archive on disk.
func TestKrewInstalls(t *testing.T) {
	h := newHome(t)
	h.mustKubectl("krew", "install", "--manifest", manifest(t, ""), "--archive", filepath.Join(made, "dist", archive(runtime.GOOS+"/"+runtime.GOARCH)))
	h.runsFromKrew()
}

// TestKrewIndex installs the release from an index, as from the public one.
func TestKrewIndex(t *testing.T) {
	h := newHome(t)
	index := filepath.Join(h.folder, "index")
	if err := copyFile(manifest(t, serve(t)), filepath.Join(index, "plugins", "doik.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"git", "init", "-q"}, {"git", "add", "-A"},
		{"git", "-c", "user.name=Index", "-c", "user.email=index@example.com", "commit", "-q", "-m", "doik"},
	} {
		if _, err := run(index, h.env, args...); err != nil {
			t.Fatal(err)
		}
	}
	h.env = append(h.env, "KREW_DEFAULT_INDEX_URI="+index)
	h.mustKubectl("krew", "update")
	if got := h.mustKubectl("krew", "search", "databases"); !regexp.MustCompile(`(?m)^doik +Shows what is wrong with databases, and why +no`).MatchString(got) {
		t.Errorf("search:\n%s", got)
	}
	h.mustKubectl("krew", "install", "doik")
	if got := h.mustKubectl("krew", "info", "doik"); !strings.Contains(got, "VERSION: "+tag) {
		t.Errorf("info:\n%s", got)
	}
	if got := h.mustKubectl("krew", "list"); !strings.Contains(got, "doik") {
		t.Errorf("list:\n%s", got)
	}
	h.runsFromKrew()
	h.mustKubectl("krew", "uninstall", "doik")
	if _, err := h.kubectl("doik", "version", "--client"); err == nil {
		t.Error("uninstalled, it still runs")
	}
}
